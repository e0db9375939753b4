"""Where a surge lies in a series, and what there was before it."""

import numpy as np
import pytest

from telemed_forecast.curves.series import PERIODS_A_YEAR, Series
from telemed_forecast.curves.surges import ASSUMED_BASE, surge_of

pytestmark = pytest.mark.unit

START = {"annual": 2008, "quarterly": 2008 * 4, "monthly": 2008 * 12}


def series(values, *, frequency="monthly", index=None, **more):
    values = np.asarray(values, dtype=float)
    return Series("s", frequency, START[frequency] + np.arange(values.size) if index is None else index, values, **more)


def surge(frequency, *, before, height=10.0, kept=0.3, years=3.0, noise=0.0, seed=0):
    """A base of 1, a jump to `height`, a decline with a half-life of a year."""
    step = 1.0 / PERIODS_A_YEAR[frequency]
    since = np.arange(0.0, years, step)
    level = np.concatenate([np.ones(before), 1.0 + (height - 1.0) * (kept + (1 - kept) * 2.0**-since)])
    return level * np.exp(noise * np.random.default_rng(seed).standard_normal(level.size))


@pytest.mark.parametrize(("frequency", "before"), [("annual", 4), ("quarterly", 6), ("monthly", 18)])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_surge_is_found_at_its_first_period(frequency, before, noise):
    found = surge_of(series(surge(frequency, before=before, noise=noise, years=6.0), frequency=frequency))
    assert found.how == "found"
    quarter = PERIODS_A_YEAR[frequency] // 4
    assert 0 <= found.height - START[frequency] - before <= (quarter if noise else 0)
    assert found.base == pytest.approx(1.0, rel=0.15 if noise else 1e-12)


def test_a_surge_that_starts_within_a_month_is_dated_by_its_height():
    values = surge("monthly", before=18)
    values[17] = 3.0
    found = surge_of(series(values))
    assert found.height == START["monthly"] + 18
    assert found.base == 1.0


def test_a_surge_is_found_across_gaps_and_after_zeros():
    values = surge("monthly", before=18)
    values[:6] = 0.0
    kept = np.setdiff1d(np.arange(values.size), [3, 9, 15, 20, 21])
    found = surge_of(series(values[kept], index=START["monthly"] + kept))
    assert (found.height, found.base) == (START["monthly"] + 18, 1.0)


def test_the_unit_does_not_move_the_surge():
    values = surge("monthly", before=18, noise=0.1)
    one, thousand = surge_of(series(values)), surge_of(series(1000 * values))
    assert one.height == thousand.height
    assert thousand.base == pytest.approx(1000 * one.base)


@pytest.mark.parametrize("frequency", ["annual", "quarterly", "monthly"])
@pytest.mark.parametrize("growth", [0.0, 0.1, 0.6])
def test_steady_growth_is_no_surge(frequency, growth):
    values = np.exp(growth / PERIODS_A_YEAR[frequency] * np.arange(24))
    found = surge_of(series(values, frequency=frequency))
    assert found.how == "assumed"
    assert found.height == START[frequency]
    assert found.base == pytest.approx(ASSUMED_BASE * values[0])


def test_a_single_wild_month_is_no_surge():
    values = np.ones(36)
    values[20] = 8.0
    assert surge_of(series(values)).how == "assumed"


def test_noise_is_no_surge():
    found = [surge_of(series(np.exp(0.3 * np.random.default_rng(seed).standard_normal(36)))).how for seed in range(40)]
    assert found.count("assumed") >= 36


def test_the_pandemics_surge_has_its_date_also_where_noise_hides_it():
    values = np.random.default_rng(1).lognormal(0.0, 1.0, 40)
    found = surge_of(series(values, index=2019 * 12 + np.arange(40)), pandemic=True)
    assert (found.how, found.height) == ("dated", 2020 * 12 + 3)
    assert found.base == pytest.approx(np.median(values[2:14]))


def test_a_surge_found_in_spring_2020_is_the_pandemics():
    values = surge("quarterly", before=1, height=6.0)
    found = surge_of(series(values, frequency="quarterly", index=2020 * 4 + np.arange(values.size)))
    assert (found.how, found.height) == ("dated", 2020 * 4 + 1)
    # Its first quarter was half in the surge: it is no base.
    assert found.base == pytest.approx(ASSUMED_BASE)
