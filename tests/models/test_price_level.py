"""Prices and exchange rates: known years are certain, unknown ones are as uncertain as the rows make them."""

import numpy as np
import pytest

from telemed_forecast.evidence import ledger, observations, vintage
from telemed_forecast.models import price_level

pytestmark = pytest.mark.unit

YEARS = np.arange(2013, 2036)


def rows(metric, day="2026-11-21"):
    view = vintage.as_of(ledger.load(), day)
    return observations.intervals(view[view["metric"] == metric])


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def test_prices_of_known_years_follow_the_printed_changes_and_are_one_in_the_base_year(rng):
    level = price_level.price_level(rows("cpi_change"), YEARS, 2025, 500, rng)
    past = level[:, :13]
    assert np.ptp(past, axis=0).max() < 1e-12
    np.testing.assert_allclose(past[:, 12], 1.0)
    # 2021 to 2022 was printed as 1.97%.
    assert past[0, 9] / past[0, 8] == pytest.approx(1.0197, abs=5e-4)


def test_prices_of_the_future_are_uncertain_and_more_so_later(rng):
    level = price_level.price_level(rows("cpi_change"), YEARS, 2025, 4000, rng)
    sd = np.log(level[:, 13:]).std(axis=0)
    assert (np.diff(sd) > 0).all() and 0.003 < sd[0] < 0.02
    assert 0.97 < np.median(level[:, 17]) < 1.12


def test_an_early_date_draws_the_years_whose_prices_it_does_not_know(rng):
    level = price_level.price_level(rows("cpi_change", "2022-12-31"), YEARS, 2021, 500, rng)
    assert level[:, 8] == pytest.approx(1.0)
    assert np.std(level[:, 0]) > 0.005


def test_the_rate_of_a_known_year_is_the_printed_one_and_wanders_without_drift_after(rng):
    rate = price_level.exchange_rate(rows("fx_cny_per_usd"), YEARS, 8000, rng)
    np.testing.assert_allclose(rate[:, 2025 - 2013], 7.1875, rtol=1e-4)
    np.testing.assert_allclose(rate[:, 0], 6.1620, rtol=1e-4)
    ahead = np.log(rate[:, 13:] / 7.1875)
    assert abs(ahead.mean(axis=0)).max() < 0.005
    assert ahead[:, 3].std() == pytest.approx(2 * ahead[:, 0].std(), rel=0.1)


def test_inflation_finds_the_mean_the_persistence_and_the_shock_of_a_long_made_up_series(rng):
    known = np.empty(400)
    known[0] = 3.0
    for k in range(1, len(known)):
        known[k] = 3.0 + 0.5 * (known[k - 1] - 3.0) + 0.6 * rng.standard_normal()
    path = price_level.inflation(known, 40, 4000, rng)
    assert path[:, -1].mean() == pytest.approx(3.0, abs=0.2)
    assert path[:, 0].mean() == pytest.approx(3.0 + 0.5 * (known[-1] - 3.0), abs=0.25)
    assert path[:, 0].std() == pytest.approx(0.6, rel=0.15)
    assert path[:, -1].std() == pytest.approx(0.6 / np.sqrt(0.75), rel=0.2)
