"""What a headline number hangs on."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.evaluation import sensitivity
from telemed_forecast.evaluation.influence import reliable
from telemed_forecast.evaluation.sensitivity import drivers
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Likelihood, Path
from telemed_forecast.models.model import Model, Rows
from telemed_forecast.models.priors import Prior
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.unit

NUMBER = 4000


@pytest.fixture(scope="module")
def quantities():
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=NUMBER) for name in ("all", "much", "little", "nothing")}


def by_name(found):
    return {driver.name: driver for driver in found}


def test_a_driver_that_decides_everything_explains_everything(quantities):
    target = np.exp(3 * quantities["all"])
    found = by_name(drivers(target, quantities))
    assert found["all"].explained == pytest.approx(1.0)
    assert found["nothing"].explained < 0.005


def test_a_driver_that_works_downwards_explains_as_much(quantities):
    found = by_name(drivers(-quantities["all"], quantities))["all"]
    assert found.explained == pytest.approx(1.0)
    assert found.low > found.high


def test_drivers_come_in_the_order_of_their_swing(quantities):
    target = 3 * quantities["all"] + 1.5 * quantities["much"] + 0.5 * quantities["little"]
    found = drivers(target, quantities)
    assert [driver.name for driver in found] == ["all", "much", "little", "nothing"]
    assert [driver.swing for driver in found] == sorted((d.swing for d in found), reverse=True)


def test_independent_drivers_share_the_variance(quantities):
    target = 2 * quantities["all"] + quantities["much"]
    found = by_name(drivers(target, quantities))
    # Squared rank correlation of a bivariate normal with r^2 = 0.8: (6 / pi * asin(r / 2))^2.
    assert found["all"].explained == pytest.approx((6 / np.pi * np.arcsin(np.sqrt(0.8) / 2)) ** 2, abs=0.03)
    assert found["all"].explained + found["much"].explained < 1.02


def test_low_and_high_are_medians_of_the_target_where_the_driver_is_low_and_high(quantities):
    driver = drivers(quantities["all"], {"all": quantities["all"]})[0]
    # The median of the outer fifth of a normal is its 10% quantile.
    assert (driver.low, driver.high) == pytest.approx((-1.2816, 1.2816), abs=0.08)


@given(st.floats(1e-3, 1e6), st.floats(-10, 10))
def test_the_unit_of_a_driver_does_not_matter(quantities, factor, shift):
    target = quantities["all"] + quantities["much"]
    plain = drivers(target, {"x": quantities["much"]})[0]
    other = drivers(target, {"x": factor * quantities["much"] + shift})[0]
    assert other.explained == pytest.approx(plain.explained, abs=1e-3)
    assert (other.low, other.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_a_driver_that_is_the_same_in_every_draw_explains_nothing():
    rng = np.random.default_rng(1)
    found = drivers(rng.normal(size=NUMBER), {"fixed": np.full(NUMBER, 2.0)})[0]
    assert found.swing == 0.0
    assert found.explained < 0.01


def test_a_quantity_that_works_in_no_direction_is_no_driver(quantities):
    target = quantities["all"] + 3.0 * quantities["much"] ** 2
    assert set(by_name(drivers(target, {name: quantities[name] for name in ("all", "much")}))) == {"all"}


MODEL = Model(
    priors=lambda _: {
        "level": Prior("Normal", (0.0, 1.0)),
        "noise": Prior("LogNormal", (-1.0, 0.3)),
        "parts": Prior("Normal", (np.array([0.0, 1.0]), np.array([1.0, 2.0]))),
        "standard": Prior("Normal", (0.0, 1.0), 3),
    },
    observed={},
)


def moves(monkeypatch, sd, number=40_000):
    """What the beliefs of a normal mean with normal figures do to a path that is the exponential of it."""
    rng = np.random.default_rng(2)
    level = rng.normal(0.0, sd, number)
    drawn = {
        "level": level,
        "noise": rng.lognormal(-1.0, 0.3, number),
        "parts": rng.normal([0.0, 1.0], [1.0, 2.0], (number, 2)),
        "standard": rng.normal(size=(number, 3)),
    }
    path = Path("level", "hospitals", (date(2030, 12, 31),), np.exp(level)[:, None], 0, 12)
    posterior = xr.Dataset({n: (["sample", *(f"{n}_{k}" for k in range(v.ndim - 1))], v) for n, v in drawn.items()})
    fit = SimpleNamespace(posterior=posterior, data=Rows({}, {"figures": [("one",)]}))
    one = Likelihood(MODEL, fit, lambda *_: [path])
    monkeypatch.setattr(sensitivity, "MARKETS", {"toy": SimpleNamespace(likelihoods=lambda _: [one])})
    context = SimpleNamespace(settings=SimpleNamespace(horizon=2030))
    return sensitivity.prior_moves(context, "toy", None).set_index("parameter")


def test_a_moved_belief_moves_the_forecast_as_a_refit_would(monkeypatch):
    # A normal prior of sd 1 and figures that leave sd s: moving the prior by 1 moves the posterior by s^2.
    found = moves(monkeypatch, sd=0.5)
    assert next(iter(found.index)) == "level" and set(found.index) == {"level", "noise", "parts_0", "parts_1"}
    exact = np.array([100.0 * np.expm1(-0.25), 100.0 * np.expm1(0.25)])
    # Four standard errors of the median of 40,000 draws, weighted ones counted at half.
    error = 4 * 100.0 * 1.25 * 0.5 * np.sqrt(2 / 40_000) * np.exp(0.25)
    np.testing.assert_allclose(found.loc["level", ["lower", "higher"]].astype(float), exact, atol=error)
    np.testing.assert_allclose(found.loc[["noise", "parts_0", "parts_1"], ["lower", "higher"]], 0.0, atol=2 * error)


def test_a_belief_that_is_the_posterior_is_not_told_by_few_draws(monkeypatch):
    found = moves(monkeypatch, sd=1.0, number=100)
    beyond = found["khat"] > reliable(100)
    untold = found[["lower", "higher"]].isna().any(axis=1)
    assert beyond["level"]
    np.testing.assert_array_equal(untold, beyond)


@pytest.mark.slow
@pytest.mark.draws
@pytest.mark.parametrize(("parameter", "by"), [("new_offset", 1.0), ("walk_scale", -1.0)])
def test_weighing_the_draws_tells_what_fitting_again_would(parameter, by, sampler_seed):
    from telemed_forecast.evaluation import calibrated, monte_carlo
    from telemed_forecast.evaluation.monte_carlo import Estimate
    from telemed_forecast.fits.sampling import ModelSpec, Profile, fit
    from telemed_forecast.models import channel_share
    from telemed_forecast.models.model import draws as by_name

    profile = Profile(chains=4, tune=500, draws=2000, target_accept=0.95)
    design = calibrated.MODELS["channel_share"].design(Context(validate("channel_share", {})))
    own = channel_share.MODEL

    def moved(d):
        return {name: one.moved(by) if name == parameter else one for name, one in own.priors(d).items()}

    def fitted(name, model):
        tree = fit(ModelSpec(name, model.graph), design, profile=profile, seed=sampler_seed)
        return tree["posterior"].to_dataset().stack(sample=("chain", "draw")).transpose("sample", ...)

    one, other = fitted("as it is", own), fitted(f"{parameter} moved", replace(own, priors=moved))
    weights, khat = sensitivity._weights(own.priors(design)[parameter], by_name(one)[parameter], by)
    assert khat < reliable(8000)
    before, after = by_name(one)[parameter], by_name(other)[parameter]
    unweighed, refitted = (monte_carlo.mean(values, chains=4) for values in (before, after))
    middle = float(weights @ before)
    # The error of a weighted mean of independent draws, times what these are less independent.
    dependence = unweighed.error / (before.std() / np.sqrt(len(before)))
    weighed = Estimate(middle, dependence * float(np.sqrt(weights**2 @ (before - middle) ** 2)))
    assert monte_carlo.agree([(weighed, refitted)], chance=1e-4)
    assert not monte_carlo.agree([(unweighed, refitted)], chance=1e-4), "the prior as it was"
