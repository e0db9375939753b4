"""Parameters that are known are found again: made-up figures, the real arrays, the real sampler."""

import numpy as np
import pytest
import simulated
from scipy import stats

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.channel_share import SPEC as SHARE
from telemed_forecast.forecast.internet_hospitals import SPEC as HOSPITALS
from telemed_forecast.inference.sampling import Profile, fit
from telemed_forecast.models import channel_share, internet_hospitals
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.priors import growth_prior
from telemed_forecast.models.timeline import decimal_year

SMALL = Profile(chains=2, tune=500, draws=500, target_accept=0.95)
MANY = Profile(chains=2, tune=500, draws=3000, target_accept=0.95)
"""Enough draws that two runs' quantiles of a level agree to half a percent by chance alone."""

PRIOR = growth_prior("penetration")
TRUTH = {
    # Half a standard deviation above what past adoptions make likely: a truth that they do not know of is for the
    # calibration tests, which draw it.
    "count_rate": float(np.exp(PRIOR.log_rate[0] + 0.5 * PRIOR.log_rate[1])),
    "count_theta": 0.4,
    "count_innovation": float(np.exp(PRIOR.log_innovation[0] + 0.5 * PRIOR.log_innovation[1])),
    "count_sigma": 0.4,
    "count_rho": 0.5,
    "count_logit_ceiling": 0.3,
    "reporting_noise": 0.04,
}
LETTERS = {"nhc": 0.0, "vcbeat": 0.35, "kpmg": -0.25}
"""Origins and what the counter of each adds (log)."""


def levels(values, days, *, origin="nhc", unit="hospitals"):
    """Observations of stocks published to three significant digits, rounded down ("more than 1,230")."""
    digit = 10.0 ** (np.floor(np.log10(values)) - 2)
    low = np.floor(values / digit) * digit
    number = len(values)
    none = np.full(number, "NaT", dtype="datetime64[D]")
    text = {name: np.full(number, "-") for name in ("metric", "segment")}
    return Observations(
        claim_id=np.array([f"made-up-{k}" for k in range(number)]), low=low, high=low + digit,
        start=days, end=days, base_start=none, base_end=none, unit=np.full(number, unit),
        origin=np.broadcast_to(np.asarray(origin), number).astype(str), grade=np.full(number, "A"), **text,
    )  # fmt: skip


def days_from(first, number, months):
    """Last days of half-years or years."""
    start = np.datetime64(first, "M")
    return (start + np.arange(1, number + 1) * np.timedelta64(months, "M")).astype("datetime64[D]") - np.timedelta64(
        1, "D"
    )


@pytest.fixture(scope="module")
def hospitals():
    """Truth, observations and pool of a made-up country."""
    rng = np.random.default_rng(20261121)
    pool = levels(np.linspace(9_000.0, 12_000.0, 10), days_from("2016-01", 10, 12))
    days = days_from("2016-07", internet_hospitals.GRID, 6)
    log_pool = np.log(internet_hospitals.eligible([pool], decimal_year(days)))
    known = {name.removeprefix("count_"): value for name, value in TRUTH.items()}
    path, _ = simulated.growth_path(
        known, start=np.log(60.0), log_ceiling=log_pool - np.log1p(np.exp(-TRUTH["count_logit_ceiling"])),
        step=internet_hospitals.STEP, prior=growth_prior("penetration"), rng=rng,
    )  # fmt: skip
    # The regulator counts at every half-year's end, the others at every second.
    at = np.concatenate([np.arange(len(days)), np.arange(0, len(days), 2), np.arange(1, len(days), 2)])
    origin = np.repeat(list(LETTERS), [len(days), len(days[::2]), len(days[1::2])])
    noise = np.sqrt(TRUTH["reporting_noise"] ** 2 + 0.01**2)
    shift = np.array([LETTERS[o] for o in origin])
    value = path[at] + shift + noise * rng.standard_t(DEGREES_OF_FREEDOM, size=len(at))
    return path, levels(np.exp(value), days[at], origin=origin), pool


@pytest.fixture(scope="module")
def recovered(hospitals):
    path, counts, pool = hospitals
    data, others = internet_hospitals.arrays(counts, [pool])
    return path, others, simulated.samples(fit(HOSPITALS, data, profile=MANY, seed=1))


def central(draws, level=0.95):
    return np.quantile(np.asarray(draws), [(1 - level) / 2, (1 + level) / 2], axis=0)


def test_the_true_path_lies_within_the_posterior(recovered):
    path, _, posterior = recovered
    low, high = central(posterior["count_log_level"])
    # Of 19 levels one is expected outside of its 95% interval; three would be a surprise of one in fifty.
    assert ((low < path) & (path < high)).sum() >= 17
    alone = 2 * stats.t.ppf(0.975, DEGREES_OF_FREEDOM) * np.hypot(TRUTH["reporting_noise"], 0.01)
    assert (high - low < alone).all(), "two counts a half-year say more than one alone would"


@pytest.mark.parametrize("name", TRUTH)
def test_each_true_parameter_lies_within_its_posterior(recovered, name):
    low, high = central(recovered[2][name])
    assert low < TRUTH[name] < high


def test_the_offset_of_each_counter_is_found(recovered):
    _, others, posterior = recovered
    assert others == sorted(set(LETTERS) - {"nhc"})
    for k, origin in enumerate(others):
        low, high = central(posterior["origin_offset"][:, k])
        assert low < LETTERS[origin] < high
        assert high - low < 0.2


def test_where_the_data_speak_the_posterior_is_narrower_than_the_prior(recovered):
    posterior, prior = recovered[2], growth_prior("penetration")
    for name, sd in (
        ("count_rate", prior.log_rate[1]),
        ("count_sigma", prior.log_sigma[1]),
        ("reporting_noise", internet_hospitals.REPORTING_NOISE[1]),
    ):
        # The rate is known least: shocks explain a path nearly as well.
        assert np.log(posterior[name]).std() < 0.9 * sd, name
    assert posterior["count_log_level"][:, 0].std() < 0.1 * prior.start_sd


def test_slots_without_a_counter_keep_their_prior(recovered):
    posterior = recovered[2]
    empty = posterior["origin_offset"].values[:, 2:] / posterior["origin_spread"].values[:, None]
    # 14 standard normal slots with about 1,000 draws each.
    assert abs(empty.mean()) < 0.05
    assert empty.std() == pytest.approx(1.0, abs=0.05)


def scaled(observations, factor):
    from dataclasses import replace

    return replace(observations, low=factor * observations.low, high=factor * observations.high)


def test_counting_in_thousandths_changes_no_result(hospitals, recovered):
    _, counts, pool = hospitals
    data, _ = internet_hospitals.arrays(scaled(counts, 1000.0), [scaled(pool, 1000.0)])
    posterior = simulated.samples(fit(HOSPITALS, data, profile=MANY, seed=1))
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    one, other = (np.quantile(p["count_log_level"], levels, axis=0) for p in (recovered[2], posterior))
    np.testing.assert_allclose(np.exp(other), 1000.0 * np.exp(one), rtol=0.01)
    for name in ("count_rate", "count_sigma", "count_logit_ceiling"):
        one, other = (np.median(p[name]) for p in (recovered[2], posterior))
        assert other == pytest.approx(one, abs=0.1 * float(posterior[name].std())), name


def test_the_tilt_between_hospitals_and_platforms_is_found():
    rng = np.random.default_rng(12)
    design = simulated.channel_share_design()
    truth = simulated.channel_share_truth(design, rng)
    posterior = simulated.samples(
        fit(SHARE, simulated.channel_share_figures(truth, design, rng), profile=SMALL, seed=2)
    )
    low, high = central(posterior["factor"])
    assert ((low < truth["factor"]) & (truth["factor"] < high)).sum() >= channel_share.GRID - 1
    for name in ("walk_scale", "share_noise", "new_offset"):
        low, high = central(posterior[name])
        assert low < truth[name] < high, name
    low, high = central(posterior["measure_offset"])
    assert ((low < truth["measure_offset"]) & (truth["measure_offset"] < high)).all()
    assert (posterior["measure_offset"].std("sample") < 0.4 * channel_share.OFFSET).all()
    low, high = central(posterior["walk"])
    assert ((low <= truth["walk"]) & (truth["walk"] <= high)).mean() > 0.85
