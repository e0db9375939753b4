"""Thinned draws keep the quantiles of the numbers that they are kept for."""

import numpy as np
import pytest

from telemed_forecast.evaluation.monte_carlo import quantile
from telemed_forecast.forecast.kept_draws import SIZE, thinned

pytestmark = pytest.mark.unit

LEVELS = (0.1, 0.5, 0.9)


def drawn(size=10_000):
    """A total and a small part of it, each log-normal: the part hardly tells the total."""
    rng = np.random.default_rng(4)
    rest, part = 7e5 * np.exp(0.25 * rng.standard_normal(size)), 8e4 * np.exp(0.6 * rng.standard_normal(size))
    return rest + part, part


@pytest.mark.parametrize("which", [0, 1], ids=["the total", "the part"])
def test_thinning_moves_no_quantile_by_the_error_of_all_the_draws(which):
    numbers = drawn()
    kept = thinned(*numbers)
    assert len(kept) == SIZE
    for level in LEVELS:
        all_draws = quantile(numbers[which], level, chains=4)
        assert abs(np.quantile(numbers[which][kept], level) - all_draws.value) < all_draws.error


def test_draws_taken_by_chance_would_be_farther_off():
    numbers = drawn()[1]
    by_chance = numbers[np.random.default_rng(1).choice(len(numbers), SIZE, replace=False)]
    off = [abs(np.quantile(by_chance, q) - quantile(numbers, q, chains=4).value) for q in LEVELS]
    assert any(one > quantile(numbers, q, chains=4).error for one, q in zip(off, LEVELS, strict=True))


def test_fewer_draws_are_all_kept_in_their_order():
    np.testing.assert_array_equal(thinned(drawn(300)[0]), np.arange(300))
