"""The record names no folder, cites policy events; the scenario section tells what each lever is, in both languages."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from telemed_forecast import scenarios
from telemed_forecast.evaluation import scenario_effects
from telemed_forecast.forecast.context import Context
from telemed_forecast.reporting import html
from telemed_forecast.reporting.blocks import Paragraph, Title
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content import scenarios as content
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

    def module(quantity):
        def run(context):
            levers = [(scenarios.LEVERS[n].neutral, context.scenario[n]) for n in scenario_effects.ACTS_ON[quantity]]
            factor = np.exp(sum(5.0 * value if neutral == 0 else np.log(value) for neutral, value in levers))
            path = SimpleNamespace(year_end=lambda year: base * factor)
            return SimpleNamespace(published=path, sizes={"healthcare": path, "services": path})

        return SimpleNamespace(run=run)

    for name, quantity in (("user_adoption", "users"), ("internet_hospitals", "hospitals"), ("market_size", "market")):
        monkeypatch.setattr(scenario_effects, name, module(quantity))
    return scenario_effects.compare(context)


def page(context, blocks, lang):
    sections = {"all": [Title(report="executive_summary"), *blocks]}
    sections["record"] = parts.record(context, sections, context.settings.values())
    return html.page([block for blocks in sections.values() for block in blocks], lang)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_names_a_scenario_file_without_its_folder(context, comparison, tmp_path, lang):
    text = page(context, content.section(context, comparison), lang)
    assert "opening" in text
    assert str(tmp_path) not in text
    assert "Quick opening." in text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_policy_event_is_cited_without_a_grade(context):
    [sources, _] = parts.record(context, {"a": [Paragraph(key="scenarios.heading", sources=(EVENT,))]}, {})
    [row] = sources.rows
    assert (row.claim_id, row.grade, row.date) == (EVENT, None, "2026-01-31")


def test_every_lever_has_its_value_in_every_scenario(context, comparison):
    [table] = [block for block in content.section(context, comparison) if getattr(block, "id", "") == "levers"]
    rows = {row[0]: row[-4:] for row in table.rows}
    assert set(rows) == {f"@lever.{name}" for name in scenarios.LEVERS}
    assert rows["@lever.first_visits"] == ("−3%", "0%", "+5%", "+10%")
    assert rows["@lever.trust"] == ("×0.7", "×1", "×1.4", "×1.4")


def test_a_reason_that_is_inherited_is_told_once_and_ones_own_as_it_stands(context, comparison):
    [table] = [block for block in content.section(context, comparison) if getattr(block, "id", "") == "lever_reasons"]
    assert len(table.rows) == 2 * len(scenarios.LEVERS) + 1
    assert [row[3] for row in table.rows if row[1] == "opening"] == ["The pilot is extended."]


def test_bars_of_a_decomposition_add_up_to_the_last_one(context, comparison):
    [chart] = [block for block in content.section(context, comparison) if getattr(block, "id", "") == "scenario_parts"]
    for scenario in ("bear", "bull"):
        values = [value for _, value, series in chart.data.rows if series == f"@scenario.{scenario}"]
        assert sum(values[:-1]) == pytest.approx(values[-1])


def test_evidence_that_came_later_is_not_cited_and_is_told(context, comparison):
    early = Context(replace(context.settings, as_of="2022-12-31"))
    blocks = content.section(early, comparison)
    known = set(early.view["claim_id"])
    assert EVENT not in {claim for block in blocks for claim in block.claims()}
    assert all(c in known or c[:10] <= "2022-12-31" for block in blocks for c in block.claims())
    assert "known later than this report's own date" in page(early, blocks, "en")
    [table] = [block for block in blocks if getattr(block, "id", "") == "lever_reasons"]
    assert {row[-1] for row in table.rows} == {"@lever_known.all", "@lever_known.some", "@lever_known.none"}
