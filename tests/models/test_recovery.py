"""Parameters that are known are found again: made-up figures, the real arrays, the real sampler.

Each check is held against a planted fault too: a truth, or draws, that it must refuse.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats
from simulators import Channels, growth_path
from truths import CHAINS, outside, shown_below, shown_outside, spread, width

from telemed_forecast.evaluation import monte_carlo
from telemed_forecast.evaluation.calibrated import rising_factor
from telemed_forecast.evaluation.calibration import published, stacked
from telemed_forecast.evaluation.monte_carlo import Estimate
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import Profile, fit
from telemed_forecast.forecast.channel_share import SPEC as SHARE
from telemed_forecast.forecast.internet_hospitals import SPEC as HOSPITALS
from telemed_forecast.models import channel_share, internet_hospitals
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.priors import growth_prior
from telemed_forecast.models.timeline import decimal_year

pytestmark = pytest.mark.draws

SMALL = Profile(chains=CHAINS, tune=500, draws=1000, target_accept=0.95)
MANY = Profile(chains=CHAINS, tune=500, draws=8000, target_accept=0.95)
"""Enough draws that a level off by a tenth of its interval, and a spread narrowed by a tenth, are told from chance."""

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
        growth_path(
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
def recovered(hospitals, sampler_seed):
    data, others = internet_hospitals.arrays(hospitals.counts, [hospitals.pool], hospitals.shares)
    return others, stacked(fit(HOSPITALS, data, profile=MANY, seed=sampler_seed))


def count(posterior):
    """Log of the count of both sponsors."""
    return np.logaddexp(posterior["hospital_log_level"], posterior["firm_log_level"])


def split(posterior):
    """Log of hospital-run over third-party internet hospitals."""
    return posterior["hospital_log_level"] - posterior["firm_log_level"]


def mostly_inside(draws, truths):
    """Of 19 levels one is expected outside of its 95% interval, three would be a surprise of one in fifty."""
    return outside(draws, truths) <= 2


def test_the_true_path_lies_within_the_posterior_and_one_a_fifth_higher_does_not(hospitals, recovered):
    path = np.logaddexp(hospitals.own, hospitals.firms)
    assert mostly_inside(count(recovered[1]), path)
    assert not mostly_inside(count(recovered[1]), path + np.log(1.2))


def test_two_counts_a_half_year_say_more_than_one_alone_would(recovered):
    alone = 2 * stats.t.ppf(0.975, DEGREES_OF_FREEDOM) * np.hypot(TRUTH["reporting_noise"], 0.01)
    levels = count(recovered[1]).T

    def too_wide(levels):
        return any(shown_below(Estimate(alone, 0.0), width(one), comparisons=len(levels)) for one in levels)

    assert not too_wide(levels)
    assert too_wide(2.0 * levels), "twice as wide: as if three counts of four were lost"


def test_the_true_split_between_sponsors_lies_within_the_posterior_and_one_turned_round_does_not(hospitals, recovered):
    true = hospitals.own - hospitals.firms
    assert mostly_inside(split(recovered[1]), true)
    assert not mostly_inside(split(recovered[1]), -true)


def test_the_split_is_pinned_down_where_a_share_is_published(recovered):
    widths = [width(one) for one in split(recovered[1]).T]

    def narrower_than_their_neighbours(widths):
        """Shares are published at every second half-year, the first included."""
        between = list(range(1, len(widths) - 1, 2))
        pairs = [(widths[k + side], widths[k]) for k in between for side in (-1, 1)]
        return sum(shown_below(*pair, comparisons=len(pairs)) for pair in pairs) > len(pairs) / 2

    assert narrower_than_their_neighbours(widths)
    assert not narrower_than_their_neighbours(widths[1:]), "shares that are read half a year late"


@pytest.mark.parametrize("name", TRUTH)
def test_each_true_parameter_lies_within_its_posterior(recovered, name):
    assert not shown_outside(recovered[1][name], TRUTH[name], comparisons=len(TRUTH))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("reporting_noise", 0.16), ("hospital_rate", 1.0), ("firm_rate", 1.0), ("hospital_sigma", 2.0)],
)
def test_a_parameter_that_is_several_times_too_large_does_not(recovered, name, wrong):
    assert shown_outside(recovered[1][name], wrong, comparisons=len(TRUTH))


def test_the_offset_of_each_counter_is_found_and_its_opposite_is_not(recovered):
    others, posterior = recovered
    assert others == sorted(set(LETTERS) - {"nhc"})
    for k, origin in enumerate(others):
        offset = posterior["origin_offset"][:, k]
        assert not shown_outside(offset, LETTERS[origin], comparisons=len(others))
        assert shown_outside(offset, -LETTERS[origin], comparisons=len(others))
        # Nine or ten counts, each against counts of the regulator at the same day: less than one count alone says.
        alone = 2 * stats.t.ppf(0.975, DEGREES_OF_FREEDOM) * np.hypot(TRUTH["reporting_noise"], 0.01)
        assert shown_below(width(offset), alone, comparisons=len(others))
        assert not shown_below(width(3.0 * offset), alone, comparisons=len(others)), "a single count"


def test_where_the_data_speak_the_posterior_is_narrower_than_the_prior(recovered):
    posterior = recovered[1]
    for name, sd in (
        ("hospital_sigma", PRIOR.log_sigma[1]),
        ("firm_sigma", PRIOR.log_sigma[1]),
        ("reporting_noise", internet_hospitals.REPORTING_NOISE[1]),
    ):
        learned = np.log(posterior[name])
        assert shown_below(spread(learned), sd, comparisons=4), name
        assert not shown_below(spread(sd * learned / learned.std()), sd, comparisons=4), "as wide as the prior"
    assert shown_below(spread(count(posterior)[:, 0]), 0.1 * PRIOR.start_sd, comparisons=4)


def test_slots_without_a_counter_keep_their_prior(recovered):
    posterior = recovered[1]
    slots = posterior["origin_offset"][:, 2:] / posterior["origin_spread"][:, None]

    def standard_normal(slots):
        means = [(monte_carlo.mean(own, chains=CHAINS), Estimate(0.0, 0.0)) for own in slots.T]
        spreads = [(spread(own), Estimate(1.0, 0.0)) for own in slots.T]
        return monte_carlo.agree([*means, *spreads])

    assert standard_normal(slots)
    assert not standard_normal(0.5 * slots), "a prior half as wide"


def scaled(observations, factor):
    return replace(observations, low=factor * observations.low, high=factor * observations.high)


def test_counting_in_thousandths_changes_no_result(hospitals, recovered, sampler_seed):
    counts, pool = (scaled(o, 1000.0) for o in (hospitals.counts, hospitals.pool))
    data, _ = internet_hospitals.arrays(counts, [pool], hospitals.shares)
    one, other = recovered[1], stacked(fit(HOSPITALS, data, profile=MANY, seed=sampler_seed + 1))
    names = ("hospital_rate", "firm_sigma", "hospital_logit_ceiling", "firm_log_ceiling")

    def same(factor):
        numbers = [
            np.column_stack([count(posterior) - shift, *(posterior[name] for name in names)])
            for posterior, shift in ((one, 0.0), (other, np.log(factor)))
        ]
        return monte_carlo.agree_in_quantiles(*numbers, levels=(0.05, 0.25, 0.5, 0.75, 0.95), chains=CHAINS)

    assert same(1000.0)
    assert not same(1100.0), "a unit that leaves a tenth behind"


def test_the_tilt_between_hospitals_and_platforms_is_found(sampler_seed):
    rng = np.random.default_rng(12)
    design = Channels.rich(rising_factor())
    drawn = channel_share.prior_sample(design, 1, rng)
    data, truth = published(channel_share.MODEL, drawn, design, rng), {name: own[0] for name, own in drawn.items()}
    posterior = stacked(fit(SHARE, data, profile=SMALL, seed=sampler_seed))
    # One of the factor's years may lie outside of its 95% interval, a tenth of all steps of the walks.
    assert outside(posterior["factor"], truth["factor"]) <= 1
    assert outside(posterior["factor"], truth["factor"] + 2.0) > 1, "a share of 50% where it is 88%"
    names = ("walk_scale", "share_noise", "new_offset")
    assert not any(shown_outside(posterior[name], truth[name], comparisons=len(names)) for name in names)
    assert outside(posterior["measure_offset"], truth["measure_offset"]) == 0
    assert outside(posterior["measure_offset"], -truth["measure_offset"]) > 0, "hospitals and platforms exchanged"
    learned = [spread(own) for own in posterior["measure_offset"].T]
    assert all(shown_below(one, 0.5 * channel_share.OFFSET, comparisons=len(learned)) for one in learned)
    walk = posterior["walk"][:, :, 1:]
    assert outside(walk, truth["walk"][:, 1:]) <= 0.1 * truth["walk"][:, 1:].size
