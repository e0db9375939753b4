"""Learning retention: which series and origins count, what the file holds, and whether known truths come back."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import truths
from scipy import stats

from telemed_forecast.curves import learn_retention
from telemed_forecast.curves.learn_retention import LEARNED, PROFILE, WEIGHT, arrays, learn, usable
from telemed_forecast.curves.retention import RetentionPrior, forecast, kept
from telemed_forecast.curves.series import PERIODS_A_YEAR, Series
from telemed_forecast.errors import InputError
from telemed_forecast.evaluation import monte_carlo
from telemed_forecast.evaluation.monte_carlo import CHANCE
from telemed_forecast.fits.sampling import fit
from telemed_forecast.hub_format import QUANTILES

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
    seen = arrays(curves, ["fast", "slow"])
    for k in range(2):
        assert seen["weight"][seen["family"] == k].sum() == pytest.approx(WEIGHT * 4 * 5.0)


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
    one, other = (arrays([c], ["slow"]) for c in (whole, later))
    # Origins before position 16, four periods of base and one of the surge passed.
    same = one["since"] <= 2.75
    assert same.sum() > 5
    for field in ("logs", "base", "volatility", "since"):
        np.testing.assert_array_equal(one[field][same], other[field][same])


@pytest.mark.unit
def test_a_missing_target_weighs_nothing():
    whole = families(1)[0]
    rows = np.setdiff1d(np.arange(24), [14])
    holes = Series("s", "quarterly", whole.index[rows], whole.values[rows], reference_class="slow")
    seen = arrays([holes], ["slow"])
    targets = seen["ahead"] + (seen["since"][:, None] * 4).round() + 2014 * 4 + 4
    missing = (targets == whole.index[14]) & (seen["target"] == 0)
    assert missing.any()
    assert np.all(seen["weight"][targets == whole.index[14]] == 0)


@pytest.mark.unit
def test_the_unit_of_a_series_does_not_matter_to_what_is_learned_from_it():
    one = families(1)
    other = [Series(c.series_id, c.frequency, c.index, c.values * 1000, reference_class=c.reference_class) for c in one]
    learned, again = (arrays(curves, ["fast", "slow"]).values() for curves in (one, other))
    for a, b in zip(learned, again, strict=True):
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
    data = arrays(usable(short), ["fast", "slow"])
    assert all(np.all(np.isfinite(values)) for values in data.values())


@dataclass(frozen=True)
class Learned:
    """What was learned, and the draws of it: family -> parameter -> chains stacked in order."""

    content: dict[str, Any]
    draws: dict[str, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def learned(sampler_seed):
    fits = []

    def noted(*args, **options):
        fits.append(fit(*args, **options))
        return fits[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learn_retention, "fit", noted)
        content = learn(families(24), seed=sampler_seed)
    values = fits[0]["posterior"]["family_values"].stack(sample=("chain", "draw")).to_numpy()
    draws = {name: dict(zip(LEARNED, values[:, k], strict=True)) for k, name in enumerate(sorted(TRUTH))}
    return Learned(content, draws)


def missed(draws, truth):
    """Numbers of the families whose truth is shown to lie outside its 95% interval.

    The made-up series are the same on every processor and so is the posterior: what differs is the sample of it, and
    `truths` allows for that, all numbers together, up to a chance of one in ten thousand.
    """
    right = {"logit_kept": lambda rho, tau: np.log(rho / (1 - rho)), "log_half_life": lambda rho, tau: np.log(tau)}
    return [
        (family, name)
        for family, known in truth.items()
        for name, of in right.items()
        if truths.shown_outside(draws[family][name], of(*known), comparisons=2 * len(truth))
    ]


def shown_to_keep_no_more(draws, other, than):
    """Whether the mean of a family's kept part (logit) is shown to be no 0.5 above another's."""
    apart = draws[other]["logit_kept"] - draws[than]["logit_kept"]
    return truths.shown_below(monte_carlo.mean(apart, chains=PROFILE.chains), 0.5)


@pytest.mark.slow
@pytest.mark.draws
def test_known_retention_comes_back_to_the_family_that_has_it(learned):
    assert missed(learned.draws, TRUTH) == []
    assert not shown_to_keep_no_more(learned.draws, "slow", "fast")
    for family, own in learned.draws.items():
        mean = learned.content["retention"]["families"][family]["mean"]
        assert mean == pytest.approx(mean | {name: values.mean() for name, values in own.items()}, abs=1e-4)
    # A family that took what another one's series say is told: those of the fast one are the surer.
    mixed = {"slow": learned.draws["fast"], "fast": learned.draws["slow"]}
    assert {("slow", "logit_kept"), ("slow", "log_half_life")} <= set(missed(mixed, TRUTH))
    assert shown_to_keep_no_more(mixed, "slow", "fast")


TAILS = {0.25: (6, 16), 0.1: (3, 19), 0.05: (2, 20)}
"""Chance of a tail, and the places of the quantiles that end the lower and the upper one."""


def too_full(quantiles, truth):
    """Tails that more truths fell into than their chance allows: (chance, side, horizon).

    Areas are independent of each other, their horizons are not: each horizon is a count of its own, binomial when the
    chance is right. A tail is too full when so many would be seen in one of ten thousand runs of all tails together.
    """
    areas, horizons = truth.shape
    found = []
    for chance, (low, high) in TAILS.items():
        outside = {"low": truth < quantiles[..., low], "high": truth > quantiles[..., high]}
        for side, those in outside.items():
            surprise = stats.binom.sf(those.sum(axis=0) - 1, areas, chance)
            found += [(chance, side, int(h)) for h in np.flatnonzero(surprise < CHANCE / (2 * len(TAILS) * horizons))]
    return found


@pytest.mark.slow
@pytest.mark.draws
def test_forecasts_of_new_areas_are_never_surer_than_their_truths_allow(learned):
    """What is claimed of a tempered composite posterior: it is cautious. No tail holds more than it says.

    How much too little tails hold is not claimed: made-up areas share no shocks, as real ones do, and the tempering
    that real ones need gives these more width than they would.
    """
    prior = RetentionPrior.from_content(learned.content)
    # So many areas that intervals half as wide leave a tail with a chance of 1e-12, not one at the bound.
    whole = families(100, seed=9)
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
@pytest.mark.draws
def test_the_content_is_json_and_the_same_for_the_same_seed(learned, sampler_seed):
    content, again = learned.content, learn(families(24), seed=sampler_seed)
    assert json.loads(json.dumps(content)) == json.loads(json.dumps(again))
    assert set(content) >= {"about", "sources", "seed", "new_family", "retention", "note"}
    assert set(content["new_family"]) == {"logit_kept", "log_half_life", "gained"}


@pytest.mark.unit
def test_the_regions_of_england_and_their_sum_are_one_family():
    assert learn_retention.family_of("nhs_england_stp_monthly") == learn_retention.family_of("nhs_england_monthly")
    assert learn_retention.family_of("another") == "another"
