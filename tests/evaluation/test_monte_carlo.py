"""Monte Carlo error: chance stays within its bound, a difference does not."""

import numpy as np
import pytest
from scipy import signal, stats

from telemed_forecast.evaluation import monte_carlo
from telemed_forecast.evaluation.monte_carlo import Estimate

pytestmark = pytest.mark.unit

CHAINS, DRAWS = 2, 500


def chains(rng, *, memory=0.5, shift=0.0):
    """Standard normal chains that remember, stacked in order. Dims: (sample,)."""
    steps = rng.standard_normal((CHAINS, DRAWS))
    steps[:, 1:] *= np.sqrt(1.0 - memory**2)
    drawn = signal.lfilter([1.0], [1.0, -memory], steps)
    return (drawn + shift).ravel()


@pytest.mark.parametrize("memory", [0.0, 0.5])
@pytest.mark.parametrize("level", [0.1, 0.5])
def test_a_quantile_leaves_its_bound_no_more_often_than_chance_allows(memory, level):
    rng, number, chance = np.random.default_rng(1), 400, 0.02
    right = Estimate(stats.norm.ppf(level), 0.0)
    left = sum(
        monte_carlo.apart(monte_carlo.quantile(chains(rng, memory=memory), level, chains=CHAINS), right)
        > monte_carlo.bound(chance=chance)
        for _ in range(number)
    )
    # Binomial: the bound fails once in ten thousand when it is right.
    assert left <= stats.binom.isf(1e-4, number, chance)


def test_the_error_of_a_quantile_is_that_of_repeated_chains_and_larger_for_chains_that_remember():
    rng, number = np.random.default_rng(2), 300
    for memory, larger in ((0.0, 1.0), (0.5, np.sqrt(1.5))):
        found = [monte_carlo.quantile(chains(rng, memory=memory), chains=CHAINS) for _ in range(number)]
        ratio = np.mean([one.error**2 for one in found]) / np.var([one.value for one in found])
        # Chi-square of the repeated values' variance, and a tenth for the estimated errors.
        low, high = stats.chi2.ppf([5e-5, 1.0 - 5e-5], number) / number
        assert 0.9 * low < 1.0 / ratio < high / 0.9
        assert found[0].error > larger / np.sqrt(CHAINS * DRAWS)


def test_two_runs_of_one_sampler_agree_and_a_shift_of_an_sd_is_seen():
    rng = np.random.default_rng(3)
    for _ in range(20):
        one, other = (chains(rng) for _ in range(2))
        assert monte_carlo.agree_in_quantiles(one, other, chains=CHAINS)
        assert not monte_carlo.agree_in_quantiles(one, other + 1.0, chains=CHAINS)


def test_every_number_of_several_is_compared():
    rng = np.random.default_rng(4)
    one, other = (np.column_stack([chains(rng), chains(rng)]) for _ in range(2))
    assert monte_carlo.agree_in_quantiles(one, other, chains=CHAINS)
    assert not monte_carlo.agree_in_quantiles(one, other + np.array([0.0, 1.0]), chains=CHAINS)


def test_the_chance_of_a_false_alarm_is_shared_among_the_comparisons():
    alone, among = monte_carlo.bound(), monte_carlo.bound(100)
    assert stats.t.sf(among, monte_carlo.FREEDOM) == pytest.approx(stats.t.sf(alone, monte_carlo.FREEDOM) / 100)
    between = (Estimate(0.0, 1.0), Estimate(0.5 * (alone + among), 0.0))
    assert not monte_carlo.agree([between])
    assert monte_carlo.agree([between] + 99 * [(Estimate(0.0, 1.0), Estimate(0.0, 1.0))])


def test_numbers_without_error_agree_only_when_they_are_equal():
    assert monte_carlo.apart(Estimate(1.0, 0.0), Estimate(1.0, 0.0)) == 0.0
    assert monte_carlo.apart(Estimate(1.0, 0.0), Estimate(1.0 + 1e-12, 0.0)) == np.inf
