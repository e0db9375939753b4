"""What stays after a surge: the model's formula and its forecasts, with the prior that is shipped."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from telemed_forecast.curves import retention
from telemed_forecast.curves.retention import (
    NU,
    PARAMETERS,
    RetentionPrior,
    forecast,
    kept,
    predictive,
    shipped_prior,
    window,
)
from telemed_forecast.curves.series import PERIODS_A_YEAR, Series
from telemed_forecast.curves.surges import surge_of
from telemed_forecast.errors import InputError
from telemed_forecast.hub_format import QUANTILES
from telemed_forecast.paths import PRIORS

pytestmark = pytest.mark.unit

MEDIAN = int(np.argmin(np.abs(QUANTILES - 0.5)))
KNOWN = ("us_medicare_quarterly", "us_medicaid_monthly", "nhs_england_monthly", "nhs_england_stp_monthly")


def series(frequency="monthly", *, years=2.0, base=2.0, height=40.0, noise=0.05, seed=0, before=1.0, **more):
    """A surge in spring 2020 of which a third stays."""
    periods = PERIODS_A_YEAR[frequency]
    start = {"annual": 2020, "quarterly": 2020 * 4 + 1, "monthly": 2020 * 12 + 3}[frequency]
    index = np.arange(start - round(before * periods) - (periods > 1), start + round(years * periods))
    since = np.maximum((index - start) / periods, 0.0)
    level = np.where(index < start, base, base + (height - base) * (1 / 3 + 2 / 3 * 2.0**-since))
    wild = np.exp(noise * np.random.default_rng(seed).standard_normal(index.size))
    return Series("made up", frequency, index, level * wild, **more)


def quantiles(one, horizon=8, **more):
    return forecast([one], horizon, levels=QUANTILES, **more)[0][0]


def at(parameters=None, **changes):
    """Parameters as the model takes them."""
    family = shipped_prior().unseen
    known = dict(zip(PARAMETERS, family.mean, strict=True)) | (parameters or {}) | changes
    return {name: np.array([[value]]) for name, value in known.items()}


@pytest.mark.parametrize("frequency", ["annual", "quarterly", "monthly"])
@pytest.mark.parametrize("reference_class", ["", "us_medicaid_monthly", "something else"])
def test_quantiles_are_finite_ordered_and_non_negative(frequency, reference_class):
    one = series(frequency, years=5.0, before=2.0, reference_class=reference_class)
    q, mean = forecast([one], 10, levels=QUANTILES)
    assert q.shape == (1, 10, 23) and mean.shape == (1, 10)
    assert np.all(np.isfinite(q)) and np.all(np.isfinite(mean))
    assert np.all(np.diff(q, axis=2) >= 0) and np.all(q >= 0)
    assert np.all((q[..., 0] < mean) & (mean < q[..., -1]))


@given(scale=st.sampled_from([1e-6, 1e-3, 0.1, 7.0, 1e3, 1e9]), seed=st.integers(0, 5), zero=st.booleans())
@settings(max_examples=20, deadline=None)
def test_the_unit_does_not_matter(scale, seed, zero):
    one = series(noise=0.1, seed=seed)
    if zero:
        one.values[[2, -3]] = 0.0
    other = replace(one, values=one.values * scale)
    np.testing.assert_allclose(quantiles(other) / scale, quantiles(one), rtol=1e-6)


def test_nothing_passes_the_bound_and_nothing_else_changes():
    one = series(base=20.0, height=97.0, years=0.5)
    bounded = replace(one, bound=100.0)
    q, mean = forecast([bounded], 12, levels=QUANTILES)
    assert q.max() == 100.0 and mean.max() <= 100.0
    np.testing.assert_allclose(q[0], np.minimum(quantiles(one, 12), 100.0))


def test_what_is_said_of_a_series_depends_on_it_alone():
    many = [
        series(),
        series("quarterly", seed=1, reference_class=KNOWN[0]),
        series(seed=2, reference_class=KNOWN[1]),
        series(seed=3),
    ]
    together, means = forecast(many, 6, levels=QUANTILES, seed=3)
    for one, q, mean in zip(many, together, means, strict=True):
        alone = forecast([one], 6, levels=QUANTILES, seed=3)
        np.testing.assert_array_equal(alone[0][0], q)
        np.testing.assert_array_equal(alone[1][0], mean)


def test_same_seed_same_numbers_and_another_seed_hardly_others():
    one = series()
    np.testing.assert_array_equal(quantiles(one, seed=1), quantiles(one, seed=1))
    inner = slice(2, -2)
    np.testing.assert_allclose(quantiles(one, seed=2)[:, inner], quantiles(one, seed=1)[:, inner], rtol=0.06)


@pytest.mark.parametrize("frequency", ["quarterly", "monthly"])
def test_intervals_widen_with_the_horizon(frequency):
    q = np.log(quantiles(series(frequency), 12))
    width = q[:, -3] - q[:, 2]
    assert np.all(np.diff(width) > -0.02) and width[-1] > 1.2 * width[0]


def test_a_series_with_noise_gets_wider_intervals_than_a_smooth_one():
    calm, wild = (np.log(quantiles(series(noise=noise))) for noise in (0.01, 0.4))
    assert np.all((wild[:, -3] - wild[:, 2]) > 1.5 * (calm[:, -3] - calm[:, 2]))


def test_the_excess_decays_from_where_the_series_is():
    low, high = (quantiles(series(height=height, noise=0.0))[:, MEDIAN] - 2.0 for height in (20.0, 200.0))
    # The same share of the excess goes, whatever its size.
    np.testing.assert_allclose(high / 198.0, low / 18.0, rtol=0.02)
    assert np.all(np.diff(high) < 0)


def test_the_median_is_the_formulas_when_the_parameters_are_known():
    prior = shipped_prior()
    sure = replace(prior.unseen, covariance=np.zeros_like(prior.unseen.covariance))
    one = series(noise=0.0, years=1.5)
    q = quantiles(one, 6, prior=RetentionPrior({}, sure))
    rho = 1 / (1 + np.exp(-sure.mean[PARAMETERS.index("logit_kept")]))
    tau = np.exp(sure.mean[PARAMETERS.index("log_half_life")])
    forgetting = np.exp(sure.mean[PARAMETERS.index("log_forgetting")])
    weight = np.exp(-forgetting * np.arange(8))
    level = np.exp((weight * np.log(one.values[::-1][:8])).sum() / weight.sum())
    since = (one.index[-1] - (2020 * 12 + 3)) / 12
    share = kept(since + np.arange(1, 7) / 12, rho=rho, tau=tau) / kept(since, rho=rho, tau=tau)
    np.testing.assert_allclose(q[:, MEDIAN], 2.0 + (level - 2.0) * share, rtol=0.01)


def test_a_level_below_its_base_drifts_back_up():
    one = series(height=1.0, base=2.0, noise=0.0, reference_class=KNOWN[3])
    median = quantiles(one, 24)[:, MEDIAN]
    assert median[-1] > median[2]
    assert median[-1] < 2.1


def test_the_formula_meets_itself_at_the_base():
    """At a level equal to the base both branches say the same: it stays."""
    one = series(height=2.0, base=2.0, noise=0.0)
    w = window(one, surge_of(one, pandemic=True))
    ahead, none = np.arange(1, 13), np.zeros(12)
    location, _ = predictive(at(), w, ahead=ahead, season_then=none, season_now=none[:8])
    np.testing.assert_allclose(np.exp(location) * one.values.max(), 2.0, rtol=1e-9)


def test_the_predictive_distribution_is_a_student_t():
    prior = shipped_prior()
    sure = replace(prior.unseen, covariance=np.zeros_like(prior.unseen.covariance))
    one = series(noise=0.1)
    q = np.log(quantiles(one, 1, prior=RetentionPrior({}, sure))[0])
    w = window(one, surge_of(one))
    p = at(dict(zip(PARAMETERS, sure.mean, strict=True)))
    location, scale = predictive(p, w, ahead=np.array([1]), season_then=0.0, season_now=np.zeros(8))
    expected = location[0, 0] + np.log(one.values.max()) + scale[0, 0] * stats.t.ppf(QUANTILES, NU)
    np.testing.assert_allclose(q, expected, atol=0.03 * scale[0, 0])


def test_the_season_of_a_known_family_is_in_its_forecast_and_in_no_other():
    prior = shipped_prior()
    family = prior.family(KNOWN[1])
    strong = replace(family, season=np.where(np.arange(12) == 6, 0.5, 0.0))
    changed = RetentionPrior({"x": strong}, prior.unseen)
    flat = RetentionPrior({"x": replace(family, season=np.zeros(12))}, prior.unseen)
    one = series(noise=0.0, reference_class=KNOWN[1])
    ratio = quantiles(one, 12, prior=changed)[:, MEDIAN] / quantiles(one, 12, prior=flat)[:, MEDIAN]
    july = (one.index[-1] + np.arange(1, 13)) % 12 == 6
    assert ratio[july] == pytest.approx(np.exp(0.5), rel=0.01)
    assert ratio[~july] == pytest.approx(1.0, rel=0.01)
    other = replace(one, reference_class="")
    np.testing.assert_array_equal(quantiles(other, prior=changed), quantiles(other, prior=flat))


def test_a_gap_loses_its_months_and_nothing_else():
    one = series(noise=0.0, years=3.0)
    kept_rows = np.setdiff1d(np.arange(one.index.size), [16, 20, 27, 28])
    holes = replace(one, index=one.index[kept_rows], values=one.values[kept_rows])
    np.testing.assert_allclose(quantiles(holes)[:, MEDIAN], quantiles(one)[:, MEDIAN], rtol=0.03)


def test_zeros_are_small_values_and_not_the_end_of_numbers():
    one = series(noise=0.1)
    one.values[[0, 15, -1]] = 0.0
    q = quantiles(one)
    assert np.all(np.isfinite(q)) and np.all(np.diff(q, axis=1) >= 0)
    width = np.log(q[:, -3] / q[:, 2])
    assert np.all(width > np.log(quantiles(series(noise=0.1))[:, -3] / quantiles(series(noise=0.1))[:, 2]))


def test_five_values_are_enough():
    one = series("annual", years=3.0, before=2.0)
    assert one.values.size == 5
    assert np.all(np.isfinite(quantiles(one, 5)))


@pytest.mark.parametrize("values", [np.full(12, 3.0), np.linspace(3.0, 4.0, 12)])
def test_a_series_without_a_surge_is_taken_to_start_in_one(values):
    one = Series("flat", "quarterly", 2010 * 4 + np.arange(12), values)
    q = quantiles(one)
    assert np.all(np.isfinite(q))
    # It is still where it was, or somewhat lower: not gone.
    assert np.all((q[:, MEDIAN] <= 1.02 * values[-1]) & (q[:, MEDIAN] > 0.5 * values[-1]))


def test_every_series_that_cannot_be_forecast_is_named_at_once():
    dead = Series("dead", "monthly", np.arange(24240, 24252), np.zeros(12))
    short = Series("short", "monthly", np.arange(24240, 24244), np.ones(4))
    early = Series("early", "monthly", np.arange(24200, 24212), np.ones(12), reference_class=KNOWN[1])
    with pytest.raises(InputError) as caught:
        forecast([dead, series(), short, early], 3, levels=QUANTILES)
    text = str(caught.value)
    assert "3 faults" in text
    assert all(name in text for name in ("dead", "short", "early"))


def test_the_shipped_prior_knows_its_families():
    prior = shipped_prior()
    for name in KNOWN:
        family = prior.family(name)
        assert family is not prior.unseen and family.pandemic
    assert prior.family("") is prior.unseen and prior.family("new") is prior.unseen


def test_the_shipped_prior_is_whole():
    content = json.loads((PRIORS / "surge.json").read_text(encoding="utf-8"))
    prior = RetentionPrior.from_content(content)
    for family in [*prior.families.values(), prior.unseen]:
        assert family.mean.shape == (len(PARAMETERS),)
        assert np.all(np.isfinite(family.mean))
        np.testing.assert_allclose(family.covariance, family.covariance.T)
        assert np.linalg.eigvalsh(family.covariance).min() > -1e-6
        assert family.season.size in (0, 4, 12)
        assert abs(family.season.sum()) < 1e-3
        rho, tau = 1 / (1 + np.exp(-family.mean[0])), np.exp(family.mean[1])
        assert 0.1 < rho < 0.5 and 0.3 < tau < 2.0
    # A family never seen is less certain than any that was.
    spread = [f.covariance[0, 0] + f.covariance[1, 1] for f in prior.families.values()]
    assert np.trace(prior.unseen.covariance[:2, :2]) > max(spread) * 0.8
    for key in ("sources", "provenance", "new_family", "seed"):
        assert key in content
    assert len(content["provenance"]["sha256"]) == 64


def test_the_share_that_stays_falls_from_one_to_rho():
    since = np.linspace(0, 200, 2001)
    share = kept(since, rho=0.3, tau=0.8)
    assert share[0] == 1.0 and share[-1] == pytest.approx(0.3)
    assert np.all(np.diff(share) <= 0)
    assert kept(0.8, rho=0.3, tau=0.8) == pytest.approx(0.65)


def test_an_emergency_is_over_within_months():
    calm = kept(np.array([0.0, 0.25, 1.0]), rho=0.3, tau=0.8)
    urgent = kept(np.array([0.0, 0.25, 1.0]), rho=0.3, tau=0.8, emergency=0.4)
    assert urgent[1] / urgent[0] < 0.75 * calm[1] / calm[0]
    assert urgent[2] / urgent[1] == pytest.approx(calm[2] / calm[1], rel=0.06)
    assert urgent[2] == pytest.approx(calm[2], rel=1e-3)


def shares_below(one, family, *, number, rng):
    """Shares of truths below each quantile one and five periods ahead, and the quantiles' levels.

    Parameters are drawn from the learned distribution, a target of each from the formula.
    """
    ahead = np.array([1, 5])
    x = rng.multivariate_normal(family.mean, family.covariance, number)
    p = {name: x[:, k, None, None] for k, name in enumerate(PARAMETERS)}
    season = family.season if family.season.size else np.zeros(4)
    w = window(one, surge_of(one, pandemic=family.pandemic))
    then = season[(one.index[-1] + ahead) % 4]
    location, scale = predictive(p, w, ahead=ahead, season_then=then, season_now=season[w["phase"]])
    truth = np.exp(location + scale * rng.standard_t(NU, scale.shape))[:, 0] * one.values.max()
    return (truth[:, :, None] <= quantiles(one, 5)[ahead - 1]).mean(axis=0)


@pytest.mark.parametrize("reference_class", ["", KNOWN[0]])
def test_truths_that_the_model_itself_makes_are_spread_evenly_over_its_quantiles(reference_class, monkeypatch):
    """Forecast and truth are draws of one distribution: at each quantile the share below is off by their errors alone.

    Of n draws of a forecast and m truths the error is at most sqrt(p (1 - p) (1 / n + 1 / m)): a forecast's draws are
    antithetic and its shocks stratified. 46 shares are looked at; all stay inside in 99 of 100 runs.
    """
    draws, number = 8_000, 20_000
    monkeypatch.setattr(retention, "DRAWS", draws)
    one, family = series("quarterly", reference_class=reference_class), shipped_prior().family(reference_class)
    allowed = stats.norm.ppf(1 - 0.005 / 46) * np.sqrt(QUANTILES * (1 - QUANTILES) * (1 / draws + 1 / number))
    rng = np.random.default_rng(5)
    assert (np.abs(shares_below(one, family, number=number, rng=rng) - QUANTILES) < allowed).all()
    # Truths that vary twice as much as the forecast believes are found outside.
    wider = replace(family, covariance=4 * family.covariance)
    assert not (np.abs(shares_below(one, wider, number=number, rng=rng) - QUANTILES) < allowed).all()


def test_a_forecast_needs_no_sampler():
    import subprocess
    import sys

    code = "import sys, telemed_forecast.curves.retention as r; r.shipped_prior(); print('pymc' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "False"
