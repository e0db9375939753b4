"""Levers through the whole forecast, on made-up draws: neutral ones change nothing, each pushes its numbers one way."""

import importlib
from dataclasses import replace

import numpy as np
import pytest

from telemed_forecast import scenarios
from telemed_forecast.evaluation.scenario_effects import ACTS_ON, HEADLINES, _Draws
from telemed_forecast.fits.gates import Gate
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import internet_hospitals, market_size, user_adoption
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.runs import parameters
from telemed_forecast.scenarios import LEVERS, Lever

pytestmark = pytest.mark.unit

SAMPLES = 300
MODELS = {"user_adoption": "adoption", "internet_hospitals": "internet_hospitals", "market_size": "market_size"}
GATE = Gate("made up", True, 1.0, 1e4, 1e4, 0, 1.0, 1, SAMPLES)


class Posterior(dict):
    """Draws by name; what no forecast needs but a report shows is zero."""

    @property
    def sizes(self):
        return {"sample": SAMPLES}

    def __missing__(self, name):
        return np.zeros(SAMPLES)


def made_up(spec, data, **_):
    """A fit whose draws come from the prior, with paths near the evidence."""
    model = importlib.import_module(f"telemed_forecast.models.{MODELS[spec.name]}")
    rng = np.random.default_rng(5)
    draws = model.prior_sample(data, SAMPLES, rng)
    for name in [name for name in draws if name.endswith("_log_level")]:
        process = name.removesuffix("_log_level")
        draws[name] = data[f"{process}_guess"] + 0.02 * rng.standard_normal(draws[name].shape)
        draws[f"{process}_deviation"] = 0.0 * draws[f"{process}_deviation"]
    if "log_users" in draws:
        draws["log_users"] = draws["internet_log_level"] + draws["usage_log_level"]
    return Fit("made up", Posterior(draws), GATE, data)


@pytest.fixture(scope="module")
def draws():
    """Headline draws by scenario, from one set of made-up fits."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (user_adoption, internet_hospitals, market_size):
            patch.setattr(module, "fitted", made_up)
        yield _Draws(Context(parameters.validate("executive_summary", {"profile": "quick", "horizon": 2028})))


def with_lever(name, value):
    base = scenarios.load("base")
    levers = {**base.levers, name: Lever(name=name, unit=LEVERS[name].unit, value=value, evidence=(), reason="")}
    return replace(base, levers=levers)


def headline(quantity, context):
    """The path of a headline number, made in a context."""
    market, target = HEADLINES[quantity]
    return MARKETS[market].run(context)[target]


@pytest.mark.parametrize("quantity", ACTS_ON)
def test_a_number_is_the_same_to_the_last_bit_under_levers_that_do_not_act_on_it(draws, quantity):
    bull = scenarios.load("bull")
    others = bull.only([name for name in LEVERS if name not in ACTS_ON[quantity]])
    before, after = (headline(quantity, context) for context in (draws.context, draws.context.with_levers(others)))
    assert before.draws.shape[0] == SAMPLES
    assert (before.draws == after.draws).all()


@pytest.mark.parametrize(("quantity", "lever"), [(q, name) for q, names in ACTS_ON.items() for name in names])
def test_the_further_a_lever_is_pushed_the_further_its_number_goes(draws, quantity, lever):
    bear, base, bull = (scenarios.load(name)[lever] for name in ("bear", "base", "bull"))
    medians = [np.median(draws.of(quantity, with_lever(lever, value))) for value in (bear, base, bull)]
    assert medians[0] < medians[1] < medians[2]


@pytest.mark.parametrize("quantity", ACTS_ON)
def test_the_past_is_the_same_in_every_scenario(draws, quantity):
    bull = draws.context.with_levers(scenarios.load("bull"))
    base, pushed = headline(quantity, draws.context), headline(quantity, bull)
    assert (base.draws[:, : base.last_known + 1] == pushed.draws[:, : base.last_known + 1]).all()
    assert not (base.draws[:, -1] == pushed.draws[:, -1]).all()


def test_a_forecast_is_made_once_for_all_scenarios_with_the_same_levers_of_its_own(draws):
    dearer = draws.context.with_levers(with_lever("price", 0.05))
    assert user_adoption.run(dearer) is user_adoption.run(draws.context.in_scenario("base"))
    assert user_adoption.run(dearer) is not user_adoption.run(draws.context.with_levers(with_lever("trust", 0.5)))


def test_another_day_s_knowledge_is_never_taken_from_memory(draws):
    earlier = replace(draws.context, settings=replace(draws.context.settings, as_of="2024-12-31"))
    assert user_adoption.run(earlier) is not user_adoption.run(draws.context)
    assert len(earlier.observed("internet_users", "national")) < len(
        draws.context.observed("internet_users", "national")
    )
