"""Learning retention: which series and origins count, what the file holds, and whether known truths come back."""

import json

import numpy as np
import pytest
from scipy import stats

from telemed_forecast.errors import InputError
from telemed_forecast.evidence.series import PERIODS_A_YEAR, Series
from telemed_forecast.forecast.hub import QUANTILES
from telemed_forecast.inference import learn_retention
from telemed_forecast.inference.learn_retention import WEIGHT, arrays, learn, origins, usable
from telemed_forecast.models.retention import PARAMETERS, RetentionPrior, forecast, kept

TRUTH = {"slow": (0.45, 1.6), "fast": (0.12, 0.5)}
"""rho and tau of the made-up families."""


def area(name, family, *, rho, tau, rng, frequency="quarterly", years=5.0, step_sd=0.12, noise=0.03):
    """A base, a surge in spring 2015, and an excess that wanders around its decay, with shocks of heavy tails.

    No formula of the model is used but g.
    """
    periods = PERIODS_A_YEAR[frequency]
    before, after = periods, round(years * periods)
    base, height = rng.lognormal(0.0, 0.3), rng.lognormal(3.0, 0.3)
    walk = np.cumsum(step_sd / np.sqrt(3.0 * periods) * rng.standard_t(3.0, after))
    excess = (height - base) * kept(np.arange(after) / periods, rho=rho, tau=tau) * np.exp(walk)
    level = np.concatenate([np.full(before, base), base + excess])
    values = level * np.exp(noise * rng.standard_normal(level.size))
    index = 2014 * periods + np.arange(values.size)
    return Series(name, frequency, index, values, "visits", "surge", family)


def families(number=12, seed=0, **more):
    rng = np.random.default_rng(seed)
    return [
        area(f"{family} {k}", family, rho=rho, tau=tau, rng=rng, **more)
        for family, (rho, tau) in TRUTH.items()
        for k in range(number)
    ]


@pytest.mark.unit
def test_a_family_weighs_a_third_of_its_area_years():
    curves = families(4, step_sd=0.0, noise=0.0)
    seen = origins(curves, ["fast", "slow"])
    for k in range(2):
        assert seen.weight[seen.family == k].sum() == pytest.approx(WEIGHT * 4 * 5.0)


@pytest.mark.unit
def test_an_origin_knows_nothing_of_what_came_later():
    whole = families(1)[0]
    later = Series(
        whole.series_id,
        whole.frequency,
        whole.index,
        np.where(np.arange(24) < 16, whole.values, whole.values * 3),
        reference_class="slow",
    )
    one, other = (origins([c], ["slow"]).windows for c in (whole, later))
    # Origins before position 16, four periods of base and one of the surge passed.
    same = one.since <= 2.75
    assert same.sum() > 5
    for field in ("logs", "base", "volatility", "since"):
        np.testing.assert_array_equal(getattr(one, field)[same], getattr(other, field)[same])


@pytest.mark.unit
def test_a_missing_target_weighs_nothing():
    whole = families(1)[0]
    rows = np.setdiff1d(np.arange(24), [14])
    holes = Series("s", "quarterly", whole.index[rows], whole.values[rows], reference_class="slow")
    seen = origins([holes], ["slow"])
    targets = seen.ahead + (seen.windows.since[:, None] * 4).round() + 2014 * 4 + 4
    missing = (targets == whole.index[14]) & (seen.target == 0)
    assert missing.any()
    assert np.all(seen.weight[targets == whole.index[14]] == 0)


@pytest.mark.unit
def test_the_unit_of_a_series_does_not_matter_to_what_is_learned_from_it():
    one = families(1)
    other = [Series(c.series_id, c.frequency, c.index, c.values * 1000, reference_class=c.reference_class) for c in one]
    for a, b in zip(
        *(arrays(origins(c, ["fast", "slow"]), ["fast", "slow"]).values() for c in (one, other)), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.unit
def test_series_without_a_class_or_without_values_are_not_learned_from():
    good = families(1)[0]
    nameless = Series("n", good.frequency, good.index, good.values)
    dead = Series("d", good.frequency, good.index, 0 * good.values, reference_class="slow")
    short = Series("k", good.frequency, good.index[:5], good.values[:5], reference_class="slow")
    assert [c.series_id for c in usable([good, nameless, dead, short])] == [good.series_id]
    with pytest.raises(InputError):
        learn([nameless, dead])


@pytest.mark.unit
@pytest.mark.parametrize("length", [7, 8, 24])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_short_and_smooth_series_give_finite_arrays(length, noise):
    curves = families(2, noise=noise, step_sd=noise)
    short = [
        Series(c.series_id, c.frequency, c.index[:length], c.values[:length], reference_class=c.reference_class)
        for c in curves
    ]
    data = arrays(origins(usable(short), ["fast", "slow"]), ["fast", "slow"])
    assert all(np.all(np.isfinite(values)) for values in data.values())


@pytest.fixture(scope="module")
def learned():
    return learn(families(24), seed=1)


@pytest.mark.slow
def test_known_retention_comes_back(learned):
    for family, (rho, tau) in TRUTH.items():
        row = learned["retention"]["families"][family]
        sd = np.sqrt(np.diag(row["covariance"]))
        logit = np.log(rho / (1 - rho))
        assert abs(row["mean"]["logit_kept"] - logit) < 2 * sd[PARAMETERS.index("logit_kept")]
        assert abs(row["mean"]["log_half_life"] - np.log(tau)) < 2 * sd[PARAMETERS.index("log_half_life")]
    means = {name: row["mean"]["logit_kept"] for name, row in learned["retention"]["families"].items()}
    assert means["slow"] > means["fast"] + 0.5


TAILS = {0.25: (6, 16), 0.1: (3, 19), 0.05: (2, 20)}
"""Chance of a tail, and the places of the quantiles that end the lower and the upper one."""


def too_full(quantiles, truth):
    """Tails that more truths fell into than their chance allows: (chance, side, horizon).

    Areas are independent of each other, their horizons are not: each horizon is a count of its own, binomial when the
    chance is right. A tail is too full when so many would be seen in one of 100 runs of all tails together.
    """
    areas, horizons = truth.shape
    found = []
    for chance, (low, high) in TAILS.items():
        outside = {"low": truth < quantiles[..., low], "high": truth > quantiles[..., high]}
        for side, those in outside.items():
            surprise = stats.binom.sf(those.sum(axis=0) - 1, areas, chance)
            found += [(chance, side, int(h)) for h in np.flatnonzero(surprise < 0.01 / (2 * len(TAILS) * horizons))]
    return found


@pytest.mark.slow
def test_forecasts_of_new_areas_are_never_surer_than_their_truths_allow(learned):
    """What is claimed of a tempered composite posterior: it is cautious. No tail holds more than it says.

    How much too little tails hold is not claimed: made-up areas share no shocks, as real ones do, and the tempering
    that real ones need gives these more width than they would.
    """
    prior = RetentionPrior.from_content(learned)
    whole = families(40, seed=9)
    cut = [
        Series(c.series_id, c.frequency, c.index[:9], c.values[:9], reference_class=c.reference_class) for c in whole
    ]
    q, _ = forecast(cut, 8, levels=QUANTILES, prior=prior)
    truth = np.stack([c.values[9:17] for c in whole])
    assert too_full(q, truth) == []
    # The same forecasts with intervals half as wide, or a fifth too low, are caught.
    middle = q[..., [11]]
    assert too_full(middle * np.sqrt(q / middle), truth)
    assert too_full(0.8 * q, truth)


@pytest.mark.slow
def test_the_content_is_json_and_the_same_for_the_same_seed(learned):
    again = learn(families(24), seed=1)
    assert json.loads(json.dumps(learned)) == json.loads(json.dumps(again))
    assert set(learned) >= {"about", "sources", "seed", "new_family", "retention", "note"}
    assert set(learned["new_family"]) == {"logit_kept", "log_half_life", "gained"}


@pytest.mark.unit
def test_the_regions_of_england_and_their_sum_are_one_family():
    assert learn_retention.family_of("nhs_england_stp_monthly") == learn_retention.family_of("nhs_england_monthly")
    assert learn_retention.family_of("another") == "another"
