"""Parameters that are known are found again: made-up figures, the real arrays, the real sampler."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from telemed_forecast.evaluation.simulated import channel_share as made_up_share
from telemed_forecast.evaluation.simulated import growth as simulated
from telemed_forecast.evaluation.simulated.figures import publish, samples
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

PRIOR = growth_prior(internet_hospitals.CLASS)
USUAL = {
    # Half a standard deviation above what past adoptions make likely: a truth that they do not know of is for the
    # calibration tests, which draw it.
    "rate": float(np.exp(PRIOR.log_rate[0] + 0.5 * PRIOR.log_rate[1])),
    "theta": 0.4,
    "innovation": float(np.exp(PRIOR.log_innovation[0] + 0.5 * PRIOR.log_innovation[1])),
    "sigma": 0.4,
    "rho": 0.5,
}
TRUTH = {
    **{f"{sponsor}_{name}": value for sponsor in internet_hospitals.SPONSORS for name, value in USUAL.items()},
    "hospital_logit_ceiling": 0.3,
    "firm_log_ceiling": -1.8,
    "reporting_noise": 0.04,
    "share_noise": 0.1,
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
    """A made-up country without policy: true levels and what was published."""
    rng = np.random.default_rng(20261121)
    pool = levels(np.linspace(9_000.0, 12_000.0, 10), days_from("2016-01", 10, 12))
    days = days_from("2016-07", internet_hospitals.GRID, 6)
    log_pool = np.log(internet_hospitals.eligible([pool], decimal_year(days)))
    reach = {"hospital": -np.log1p(np.exp(-TRUTH["hospital_logit_ceiling"])), "firm": TRUTH["firm_log_ceiling"]}
    own, firms = (
        simulated.growth_path(
            USUAL, start=np.log(30.0), log_ceiling=log_pool + reach[sponsor], step=internet_hospitals.STEP,
            prior=PRIOR, rng=rng,
        )[0]
        for sponsor in internet_hospitals.SPONSORS
    )  # fmt: skip
    path = np.logaddexp(own, firms)
    # The regulator counts at every half-year's end, the others at every second; a share is published every year.
    at = np.concatenate([np.arange(len(days)), np.arange(0, len(days), 2), np.arange(1, len(days), 2)])
    origin = np.repeat(list(LETTERS), [len(days), len(days[::2]), len(days[1::2])])
    noise = np.sqrt(TRUTH["reporting_noise"] ** 2 + 0.01**2)
    shift = np.array([LETTERS[o] for o in origin])
    value = path[at] + shift + noise * rng.standard_t(DEGREES_OF_FREEDOM, size=len(at))
    odds = (own - firms)[::2] + TRUTH["share_noise"] * rng.standard_t(DEGREES_OF_FREEDOM, size=len(days[::2]))
    shares = levels(100.0 / (1.0 + np.exp(-odds)), days[::2], unit="percent")
    return Country(own, firms, levels(np.exp(value), days[at], origin=origin), pool, shares)


@dataclass(frozen=True)
class Country:
    """A made-up country: true log levels by sponsor, and what was published."""

    own: np.ndarray
    firms: np.ndarray
    counts: Observations
    pool: Observations
    shares: Observations


@pytest.fixture(scope="module")
def recovered(hospitals):
    data, others = internet_hospitals.arrays(hospitals.counts, [hospitals.pool], hospitals.shares)
    return others, samples(fit(HOSPITALS, data, profile=MANY, seed=1))


def central(draws, level=0.95):
    return np.quantile(np.asarray(draws), [(1 - level) / 2, (1 + level) / 2], axis=0)


def count(posterior):
    """Log of the count of both sponsors."""
    return np.logaddexp(posterior["hospital_log_level"].values, posterior["firm_log_level"].values)


def test_the_true_path_lies_within_the_posterior(hospitals, recovered):
    path = np.logaddexp(hospitals.own, hospitals.firms)
    low, high = central(count(recovered[1]))
    # Of 19 levels one is expected outside of its 95% interval; three would be a surprise of one in fifty.
    assert ((low < path) & (path < high)).sum() >= 17
    alone = 2 * stats.t.ppf(0.975, DEGREES_OF_FREEDOM) * np.hypot(TRUTH["reporting_noise"], 0.01)
    assert (high - low < alone).all(), "two counts a half-year say more than one alone would"


def test_the_true_split_between_sponsors_lies_within_the_posterior(hospitals, recovered):
    posterior = recovered[1]
    low, high = central(posterior["hospital_log_level"].values - posterior["firm_log_level"].values)
    split = hospitals.own - hospitals.firms
    assert ((low < split) & (split < high)).sum() >= 17
    alone = 2 * stats.t.ppf(0.975, DEGREES_OF_FREEDOM) * np.hypot(TRUTH["share_noise"], 0.01)
    assert np.median(high - low) < 1.2 * alone, "shares of every year pin the split down"


@pytest.mark.parametrize("name", TRUTH)
def test_each_true_parameter_lies_within_its_posterior(recovered, name):
    low, high = central(recovered[1][name])
    assert low < TRUTH[name] < high


def test_the_offset_of_each_counter_is_found(recovered):
    others, posterior = recovered
    assert others == sorted(set(LETTERS) - {"nhc"})
    for k, origin in enumerate(others):
        low, high = central(posterior["origin_offset"][:, k])
        assert low < LETTERS[origin] < high
        assert high - low < 0.2


def test_where_the_data_speak_the_posterior_is_narrower_than_the_prior(recovered):
    posterior = recovered[1]
    for name, sd in (
        ("hospital_sigma", PRIOR.log_sigma[1]),
        ("firm_sigma", PRIOR.log_sigma[1]),
        ("reporting_noise", internet_hospitals.REPORTING_NOISE[1]),
        ("share_noise", internet_hospitals.SHARE_NOISE[1]),
    ):
        assert np.log(posterior[name]).std() < 0.9 * sd, name
    assert count(posterior)[:, 0].std() < 0.1 * PRIOR.start_sd


def test_slots_without_a_counter_keep_their_prior(recovered):
    posterior = recovered[1]
    empty = posterior["origin_offset"].values[:, 2:] / posterior["origin_spread"].values[:, None]
    # 14 standard normal slots with about 1,000 draws each.
    assert abs(empty.mean()) < 0.05
    assert empty.std() == pytest.approx(1.0, abs=0.05)


def scaled(observations, factor):
    from dataclasses import replace

    return replace(observations, low=factor * observations.low, high=factor * observations.high)


def test_counting_in_thousandths_changes_no_result(hospitals, recovered):
    counts, pool = (scaled(o, 1000.0) for o in (hospitals.counts, hospitals.pool))
    data, _ = internet_hospitals.arrays(counts, [pool], hospitals.shares)
    posterior = samples(fit(HOSPITALS, data, profile=MANY, seed=1))
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    one, other = (np.quantile(count(p), levels, axis=0) for p in (recovered[1], posterior))
    np.testing.assert_allclose(np.exp(other), 1000.0 * np.exp(one), rtol=0.01)
    for name in ("hospital_rate", "firm_sigma", "hospital_logit_ceiling", "firm_log_ceiling"):
        one, other = (np.median(p[name]) for p in (recovered[1], posterior))
        assert other == pytest.approx(one, abs=0.1 * float(posterior[name].std())), name


def test_the_tilt_between_hospitals_and_platforms_is_found():
    rng = np.random.default_rng(12)
    design = made_up_share.rich()
    truth = made_up_share.truth(design, rng)
    posterior = samples(fit(SHARE, publish(made_up_share.speak, truth, design, rng), profile=SMALL, seed=2))
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
