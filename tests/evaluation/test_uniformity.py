"""The band that uniform values leave with a given chance, and what leaves it."""

import numpy as np
import pytest
from arviz_stats.ecdf_utils import simulate_confidence_bands
from scipy import stats

from telemed_forecast.evaluation import uniformity

pytestmark = pytest.mark.unit


def leaves(values, error):
    band, known = uniformity.band(len(values), error), uniformity.distribution(values)
    return bool(((known < band.low - 1e-12) | (known > band.high + 1e-12)).any())


@pytest.mark.parametrize(("number", "error"), [(60, 0.1), (200, 0.05)])
def test_uniform_values_leave_the_band_as_often_as_it_says(number, error):
    rng = np.random.default_rng(3)
    share = np.mean([leaves(rng.uniform(size=number), error) for _ in range(2000)])
    # Counts are whole, so that the band may hold a little more than it has to; two standard errors are 1%.
    assert error - 0.025 < share < error + 0.015


def test_the_exact_band_is_the_simulated_one():
    at = np.arange(1, 100) / 100
    pointwise = simulate_confidence_bands(200, 1, at, 0.95, 4000, np.random.default_rng(1))
    low, high = stats.binom.ppf([(1 - pointwise) / 2, (1 + pointwise) / 2], 200, at[:, None]).T / 200
    band = uniformity.band(200, 0.05)
    # One count apart at most: the simulated error is itself known to a few percent only.
    assert np.abs(band.low - low).max() <= 1 / 200 + 1e-12
    assert np.abs(band.high - high).max() <= 1 / 200 + 1e-12


def test_p_values_of_uniform_values_are_uniform():
    rng = np.random.default_rng(4)
    for test in (uniformity.shape_p, uniformity.width_p):
        found = np.array([test(rng.uniform(size=80)) for _ in range(600)])
        assert stats.kstest(found, "uniform").pvalue > 0.001, test


def test_values_leave_the_band_of_their_own_p_value_and_no_wider_one():
    for seed in range(5):
        values = np.random.default_rng(seed).uniform(size=100) ** 1.3
        p = uniformity.shape_p(values)
        assert leaves(values, 1.3 * p) and not leaves(values, p / 1.3)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (lambda score: 1.4 * score, "intervals too narrow"),
        (lambda score: 0.6 * score, "intervals too wide"),
        (lambda score: score + 0.6, "too low by half a standard deviation"),
    ],
)
def test_values_that_crowd_are_found(changed, what):
    values = stats.norm.cdf(changed(stats.norm.ppf(np.random.default_rng(0).uniform(size=100))))
    assert min(uniformity.shape_p(values), uniformity.width_p(values)) < 1e-3, what


def test_a_p_value_may_be_as_small_as_it_is():
    assert uniformity.shape_p(np.full(60, 0.001)) < 1e-12
    assert uniformity.width_p(np.zeros(60)) < 1e-12
