"""Grids and stocks carried on them."""

import numpy as np
import pytest

from telemed_forecast.models.timeline import carried, decimal_year, half_year_at_or_after, half_years, period_end

pytestmark = pytest.mark.unit

DAYS = np.array(["2015-12-31", "2018-12-31", "2020-12-31", "2021-03-31"], dtype="datetime64[D]")
COUNTS = np.array([100.0, 130.0, 150.0, 152.0])


def test_a_stock_passes_through_its_counts():
    assert carried(DAYS, COUNTS, decimal_year(DAYS), pace=1.0) == pytest.approx(COUNTS)


def test_after_the_last_count_a_stock_grows_at_the_given_part_of_its_latest_pace():
    last = decimal_year(DAYS)[-1]
    growth = np.log(152.0 / 130.0) / (last - 2019.0)
    for pace in (0.0, 0.5, 1.0):
        ahead = carried(DAYS, COUNTS, np.array([last + 2.0]), pace=pace)
        assert np.log(ahead[0] / 152.0) == pytest.approx(2.0 * pace * growth)


def test_a_single_count_is_carried_on_unchanged():
    assert carried(DAYS[:1], COUNTS[:1], np.array([2014.0, 2016.0, 2030.0]), pace=1.0) == pytest.approx([100.0] * 3)


def test_the_order_of_the_counts_does_not_matter():
    grid = np.linspace(2015, 2025, 21)
    assert carried(DAYS[::-1], COUNTS[::-1], grid, pace=0.5) == pytest.approx(carried(DAYS, COUNTS, grid, pace=0.5))


def test_a_grid_of_half_years_ends_where_it_is_told_and_its_periods_are_half_years():
    grid = half_years(2021.5, 4)
    assert [str(period_end(t)) for t in grid] == ["2019-12-31", "2020-06-30", "2020-12-31", "2021-06-30"]
    assert half_year_at_or_after(2021.26) == 2021.5
