"""The record names no folder, cites policy events; the exhibits on scenarios tell what each lever is."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from telemed_forecast import scenarios
from telemed_forecast.evaluation import scenario_effects
from telemed_forecast.exhibits import record
from telemed_forecast.exhibits import scenarios as content
from telemed_forecast.exhibits.exhibit import facts_json, named, records
from telemed_forecast.forecast.context import Context
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

EVENT = "2026-01-31-nhcapproved-beijing-pilot-of-internet"


@pytest.fixture
def context(tmp_path):
    """A run with a scenario of the user's own, which differs from bull in one lever."""
    text = 'inherits = "bull"\nmeaning = "Quick opening."\n[levers.first_visits]\nvalue = 0.1\nunit = "per year"\n'
    file = tmp_path / "opening.toml"
    file.write_text(f'{text}evidence = ["{EVENT}"]\nreason = "The pilot is extended."\n', encoding="utf-8")
    return Context(parameters.validate("executive_summary", {"scenario": str(file)}))


@pytest.fixture
def comparison(context, monkeypatch):
    """Toy forecasts: a log-normal that each lever moves."""
    base = np.random.default_rng(3).lognormal(12.0, 0.3, 500)

    def toy(quantity):
        def run(context):
            levers = [(scenarios.LEVERS[n].neutral, context.scenario[n]) for n in scenario_effects.ACTS_ON[quantity]]
            factor = np.exp(sum(5.0 * value if neutral == 0 else np.log(value) for neutral, value in levers))
            path = SimpleNamespace(year_end=lambda year: base * factor)
            return SimpleNamespace(paths={target: path for _, target in scenario_effects.HEADLINES.values()})

        return SimpleNamespace(run=run, module=SimpleNamespace(LEVERS=scenario_effects.ACTS_ON[quantity]))

    quantities = {"user_adoption": "users", "internet_hospitals": "hospitals", "market_size": "market"}
    toys = {market: toy(quantity) for market, quantity in quantities.items()}
    monkeypatch.setattr(scenario_effects, "MARKETS", toys)
    return scenario_effects.compare(context)


@pytest.fixture
def exhibits(context, comparison):
    return {one.name: one for one in content.exhibits(context, comparison)}


def test_a_report_names_a_scenario_file_without_its_folder(context, comparison, exhibits, tmp_path):
    numbers = content.numbers(context, comparison)
    assert (numbers["own_scenario"], numbers["own_meaning"]) == ("opening", "Quick opening.")
    made = record.provenance(context, context.settings.values())
    shown = json.dumps([facts_json(numbers), *(one.to_json() for one in (*exhibits.values(), made))])
    assert "opening" in shown
    assert str(tmp_path) not in shown


def test_a_policy_event_is_cited_without_a_grade(context):
    [row] = record.sources(context, [EVENT]).frame.itertuples()
    assert (row.claim_id, row.grade, row.date) == (EVENT, None, "2026-01-31")


def test_every_lever_has_its_value_in_every_scenario(exhibits):
    rows = {row["lever"]: tuple(row.values())[-4:] for row in records(exhibits["levers"].frame)}
    assert set(rows) == set(scenarios.LEVERS)
    assert rows["first_visits"] == ("−3%", "0%", "+5%", "+10%")
    assert rows["trust"] == ("×0.7", "×1", "×1.4", "×1.4")


def test_a_reason_that_is_inherited_is_told_once_and_ones_own_as_it_stands(exhibits):
    frame = exhibits["lever_reasons"].frame
    assert len(frame) == 2 * len(scenarios.LEVERS) + 1
    assert frame.loc[frame["scenario"] == "opening", "reason"].tolist() == ["The pilot is extended."]


def test_bars_of_a_decomposition_add_up_to_the_last_one(exhibits):
    frame = exhibits["scenario_parts"].frame
    for scenario in ("bear", "bull"):
        values = frame.loc[frame["series"] == f"@scenario.{scenario}", "value"].tolist()
        assert sum(values[:-1]) == pytest.approx(values[-1])


def test_evidence_that_came_later_is_not_cited_and_is_told(context, comparison):
    early = Context(replace(context.settings, as_of="2022-12-31"))
    exhibits, numbers = content.exhibits(early, comparison), content.numbers(early, comparison)
    known, cited = set(early.view["claim_id"]), set(record.cited(named(exhibits), numbers, {}))
    assert EVENT not in cited
    assert all(claim in known or claim[:10] <= "2022-12-31" for claim in cited)
    assert numbers["levers_later"] > 0
    assert set(named(exhibits)["lever_reasons"].frame["known"]) == {"all", "some", "none"}
