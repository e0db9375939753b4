"""A forecast as a value: draws by period, and what is read off them."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.forecast.paths import LEVELS, Path, interval, rounded
from telemed_forecast.models.timeline import decimal_year, half_year_at_or_after, half_years, period_end

pytestmark = pytest.mark.unit


@pytest.fixture
def path():
    draws = np.random.default_rng(0).lognormal(3, 1, (500, 4))
    periods = (date(2025, 12, 31), date(2026, 6, 30), date(2026, 12, 31), date(2027, 6, 30))
    return Path("users", "persons", periods, draws, 0, 6)


def test_a_period_is_found_by_its_last_day(path):
    np.testing.assert_array_equal(path.year_end(2026), path.draws[:, 2])
    assert path.position(date(2027, 6, 30)) == 3
    with pytest.raises(ValueError, match="not in tuple"):
        path.year_end(2027)


def test_another_unit_scales_every_draw_and_nothing_else(path):
    millions = path.scaled(1e-6, "million")
    np.testing.assert_allclose(millions.draws, path.draws / 1e6)
    assert (millions.unit, millions.periods, millions.last_known) == (
        "million",
        path.periods,
        path.last_known,
    )
    by_period = path.scaled(np.array([1.0, 2.0, 3.0, 4.0]), "x")
    np.testing.assert_allclose(by_period.draws[:, 3], 4 * path.draws[:, 3])


def test_quantiles_are_by_period(path):
    found = path.quantiles(np.array([0.1, 0.5]))
    assert found.shape == (2, 4)
    assert found[1] == pytest.approx(np.median(path.draws, axis=0))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.sampled_from(LEVELS))
def test_an_interval_is_in_order_and_holds_its_share(values, level):
    draws = np.array(values)
    low, middle, high = interval(draws, level)
    assert low <= middle <= high
    inside = (draws >= low) & (draws <= high)
    assert inside.mean() >= level - 2 / len(draws)


def test_wider_levels_hold_narrower_ones(path):
    ends = [interval(path.draws[:, 0], level) for level in LEVELS]
    lows, highs = [e[0] for e in ends], [e[2] for e in ends]
    assert lows == sorted(lows, reverse=True) and highs == sorted(highs)


def test_a_rounded_median_ignores_what_does_not_matter():
    draws = np.linspace(3.9e8, 4.3e8, 1001)
    assert rounded(draws) == rounded(1.005 * draws)
    assert rounded(draws) != rounded(1.1 * draws)


@given(st.integers(2 * 1990, 2 * 2060))
def test_the_last_day_of_a_half_year_and_its_decimal_year_say_the_same(halves):
    year = halves / 2
    day = period_end(year)
    assert (day.month, day.day) in ((6, 30), (12, 31))
    assert half_year_at_or_after(decimal_year(np.array([day], dtype="datetime64[D]"))[0]) == year


def test_a_grid_ends_where_it_is_told_and_steps_by_half_years():
    grid = half_years(2026.0, 5)
    assert grid.tolist() == [2024.0, 2024.5, 2025.0, 2025.5, 2026.0]


@given(st.dates(date(2000, 1, 1), date(2050, 12, 31)))
def test_a_day_belongs_to_the_half_year_that_holds_it_but_for_its_first_three_days(day):
    year = decimal_year(np.array([day], dtype="datetime64[D]"))[0]
    end = period_end(half_year_at_or_after(year))
    # A count of 1 July is read as one of the end of June.
    assert -3 <= (end - day).days <= 184
