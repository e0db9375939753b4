"""Scenario effects: parts add up to the whole, the mixture keeps the weights, levers act where they are said to."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemed_forecast import scenarios
from telemed_forecast.evaluation import scenario_effects
from telemed_forecast.evaluation.scenario_effects import ACTS_ON, Headline, decomposed, mixture, shared_out
from telemed_forecast.forecast.context import Context
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

SAMPLES = 400
numbers = st.floats(-3.0, 3.0)


@st.composite
def games(draw):
    """Levers with an effect each, one for every pair, and one of all together, on draws of different size."""
    names = tuple("abcde"[: draw(st.integers(1, 5))])
    single = {name: draw(numbers) for name in names}
    pair = {(a, b): draw(numbers) for a in names for b in names if a < b}
    scale = np.random.default_rng(draw(st.integers(0, 99))).lognormal(size=31)

    def outcome(chosen, together=0.0):
        chosen = set(chosen)
        size = sum(single[a] for a in chosen) + sum(pair[p] for p in pair if set(p) <= chosen)
        return scale * (10.0 + size + together * (chosen == set(names)))

    return names, single, pair, outcome, float(np.median(scale))


@given(games(), numbers)
@settings(deadline=None)
def test_parts_add_up_to_what_all_levers_do_together(game, together):
    names, _, _, outcome, _ = game
    parts = decomposed(names, lambda chosen: outcome(chosen, together))
    total = np.median(outcome(names, together)) - np.median(outcome(()))
    assert sum(part.value for part in parts.values()) == pytest.approx(total, abs=1e-9)


@given(games())
@settings(deadline=None)
def test_levers_that_interact_in_pairs_share_each_interaction_equally(game):
    names, single, pair, outcome, middle = game
    parts = decomposed(names, outcome)
    for name in names:
        shapley = single[name] + 0.5 * sum(size for both, size in pair.items() if name in both)
        assert parts[name].value == pytest.approx(middle * shapley, abs=1e-9)


@given(games())
@settings(deadline=None)
def test_an_interval_holds_its_number(game):
    names, _, _, outcome, _ = game
    assert all(part.low <= part.value <= part.high for part in decomposed(names, outcome).values())


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=5), st.integers(200, 5000))
@settings(deadline=None)
def test_draws_are_shared_out_in_proportion_to_the_weights(raw, size):
    weights = np.array(raw) / np.sum(raw)
    counts = np.bincount(shared_out(weights, size), minlength=len(weights))
    assert counts.sum() == size
    assert np.abs(counts - size * weights).max() <= 4.0 + np.log2(size)


def test_the_mixture_takes_each_draw_from_one_scenario_for_all_numbers():
    rng = np.random.default_rng(1)
    pieces = [Headline(n, w, *(k + rng.random((4, 500)))) for k, (n, w) in enumerate([("low", 0.25), ("high", 0.75)])]
    mixed = mixture(pieces)
    from_high = np.stack([getattr(mixed, name) >= 1.0 for name in ("market", "services", "hospitals", "users")])
    assert (from_high == from_high[0]).all()
    assert from_high[0].mean() == pytest.approx(0.75, abs=0.01)


@pytest.fixture
def toy(monkeypatch):
    """Forecasts that are products of powers of the levers that a forecast reads; counts how often each runs."""
    base = np.random.default_rng(3).lognormal(size=SAMPLES)
    ran = []

    def made(quantity):
        def run(context):
            ran.append(quantity)
            levers = {name: context.scenario[name] for name in ACTS_ON[quantity]}
            factor = np.prod([np.exp(5.0 * v) if scenarios.LEVERS[n].neutral == 0 else v for n, v in levers.items()])
            path = SimpleNamespace(year_end=lambda year: base * factor)
            return SimpleNamespace(paths={target: path for _, target in scenario_effects.HEADLINES.values()})

        return run

    quantities = {"user_adoption": "users", "internet_hospitals": "hospitals", "market_size": "market"}
    toys = {
        market: SimpleNamespace(run=made(quantity), module=SimpleNamespace(LEVERS=ACTS_ON[quantity]))
        for market, quantity in quantities.items()
    }
    monkeypatch.setattr(scenario_effects, "MARKETS", toys)
    return ran


def context_of(scenario="base"):
    return Context(parameters.validate("executive_summary", {"scenario": scenario}))


def test_bear_lies_below_base_below_the_mixture_s_top_and_bull_above(toy):
    compared = scenario_effects.compare(context_of())
    medians = {headline.scenario: np.median(headline.market) for headline in compared.headlines}
    assert list(medians) == ["bear", "base", "bull", "mixture"]
    assert medians["bear"] < medians["base"] < medians["bull"]
    assert medians["bear"] < medians["mixture"] < medians["bull"]


def test_the_total_is_the_difference_of_the_medians_that_are_shown(toy):
    compared = scenario_effects.compare(context_of())
    medians = {headline.scenario: np.median(headline.market) for headline in compared.headlines}
    for effects in compared.effects_on("market"):
        assert effects.base == medians["base"]
        assert effects.total.value == pytest.approx(medians[effects.scenario] - medians["base"])
        assert sum(part.value for part in effects.parts.values()) == pytest.approx(effects.total.value)


def test_every_lever_pulls_down_in_bear_and_up_in_bull(toy):
    for effects in scenario_effects.compare(context_of()).effects:
        sign = -1 if effects.scenario == "bear" else 1
        assert all(sign * effect.value > 0 for effect in (*effects.alone.values(), *effects.parts.values()))


def test_no_setting_of_the_levers_is_computed_twice(toy):
    scenario_effects.compare(context_of())
    # Seven levers, two scenarios: base, and in each scenario seven alone and the sets of both orders, less the shared.
    assert toy.count("market") <= 1 + 2 * (7 + 6 + 5)
    assert toy.count("hospitals") == 3


def test_a_scenario_of_ones_own_gets_a_row_and_its_own_decomposition(toy, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'inherits = "bear"\n[levers.price]\nvalue = 0.1\nunit = "per year"\nevidence = ["dj2020-dxy-price"]\n',
        encoding="utf-8",
    )
    compared = scenario_effects.compare(context_of(str(file)))
    assert [headline.scenario for headline in compared.headlines] == ["bear", "base", "bull", "mixture", "mine"]
    assert compared.headlines[-1].weight is None
    [mine] = [effects for effects in compared.effects_on("market") if effects.scenario == "mine"]
    assert mine.parts["price"].value > 0 > mine.parts["retention"].value


def test_a_file_that_is_called_like_a_compared_scenario_is_told_apart(toy, tmp_path):
    file = tmp_path / "bull.toml"
    file.write_text('inherits = "bear"\n', encoding="utf-8")
    names = [headline.scenario for headline in scenario_effects.compare(context_of(str(file))).headlines]
    assert names == ["bear", "base", "bull", "mixture", "own-bull"]


def test_a_context_with_other_levers_keeps_settings_and_evidence():
    context = context_of()
    count = context.observed("internet_users", "national")
    other = context.with_levers(scenarios.load("bull").only(("price",)))
    assert other.observed("internet_users", "national") is count
    assert (other.scenario["price"], other.scenario["trust"]) == (scenarios.load("bull")["price"], 1.0)
    assert context.earlier(date(2020, 12, 31)).observed("internet_users", "national") is not count
