"""Forecast tables in the hub format."""

import calendar
from datetime import date

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.forecast import hub
from telemed_forecast.forecast.paths import Path

pytestmark = pytest.mark.unit

COLUMNS = [
    "reference_date",
    "target",
    "horizon",
    "target_end_date",
    "location",
    "output_type",
    "output_type_id",
    "value",
    "scenario",
    "model",
    "unit",
]
LEVELS = ["0.01", "0.025", *[f"{k / 100:g}" for k in range(5, 100, 5)], "0.975", "0.99"]
REFERENCE = date(2026, 11, 21)


def half_yearly(last_known=1):
    ends = [date(2025, 12, 31), date(2026, 6, 30), date(2026, 12, 31), date(2027, 6, 30), date(2027, 12, 31)]
    draws = np.random.default_rng(1).lognormal(19, 0.2, (999, len(ends)))
    return Path("online_medical_users", "persons", tuple(ends), draws, last_known, 6)


def yearly():
    ends = tuple(date(y, 12, 31) for y in range(2024, 2029))
    draws = 100 * np.random.default_rng(2).beta(2, 2, (999, len(ends)))
    return Path("hospital_share_count", "percent", ends, draws, 1, 12)


@pytest.fixture(scope="module")
def table():
    found = hub.rows([half_yearly(), yearly()], reference=REFERENCE, scenario="base", model="telemed_forecast")
    return pd.DataFrame(found)


def test_the_columns_are_those_of_the_contract_in_its_order(table):
    assert list(table.columns) == COLUMNS


def test_only_periods_after_the_last_known_one_are_forecast(table):
    for path in (half_yearly(), yearly()):
        own = table[table["target"] == path.target]
        assert sorted(set(own["target_end_date"])) == [d.isoformat() for d in path.periods[path.last_known + 1 :]]


def test_every_period_has_every_quantile_once_and_the_mean(table):
    for _, rows in table.groupby(["target", "target_end_date"]):
        quantiles = rows[rows["output_type"] == "quantile"]
        assert quantiles["output_type_id"].tolist() == LEVELS
        assert (rows["output_type"] == "mean").sum() == 1
        assert len(rows) == len(LEVELS) + 1


def test_quantiles_never_cross(table):
    for _, rows in table[table["output_type"] == "quantile"].groupby(["target", "target_end_date"]):
        assert (np.diff(rows["value"]) >= 0).all()


def test_values_are_the_quantiles_and_means_of_the_draws(table):
    path = half_yearly()
    rows = table[(table["target"] == path.target) & (table["target_end_date"] == "2027-06-30")]
    by_id = rows.set_index("output_type_id")["value"]
    assert by_id["0.5"] == pytest.approx(np.median(path.draws[:, 3]), rel=1e-9)
    assert by_id["0.975"] == pytest.approx(np.quantile(path.draws[:, 3], 0.975), rel=1e-9)
    assert by_id[""] == pytest.approx(path.draws[:, 3].mean(), rel=1e-9)


def test_each_period_ends_on_the_last_day_of_a_month(table):
    days = pd.to_datetime(table["target_end_date"])
    assert all(day.day == calendar.monthrange(day.year, day.month)[1] for day in days)


def test_horizons_count_periods_from_the_one_that_holds_the_reference_day(table):
    half, year = (table[table["target"] == p.target] for p in (half_yearly(), yearly()))
    assert half.groupby("target_end_date")["horizon"].first().to_dict() == {
        "2026-12-31": 0,
        "2027-06-30": 1,
        "2027-12-31": 2,
    }
    assert year.groupby("target_end_date")["horizon"].first().to_dict() == {
        "2026-12-31": 0,
        "2027-12-31": 1,
        "2028-12-31": 2,
    }


def test_a_period_that_is_over_but_not_published_has_a_negative_horizon():
    found = pd.DataFrame(hub.rows([half_yearly(0)], reference=REFERENCE, scenario="base", model="m"))
    assert found.groupby("target_end_date")["horizon"].first()["2026-06-30"] == -1


@pytest.mark.parametrize("reference", [date(2026, 7, 1), date(2026, 9, 15), date(2026, 12, 31)])
def test_the_horizon_does_not_depend_on_the_day_inside_the_period(reference):
    found = pd.DataFrame(hub.rows([half_yearly()], reference=reference, scenario="base", model="m"))
    assert found.groupby("target_end_date")["horizon"].first().tolist() == [0, 1, 2]


def test_names_units_and_dates_are_written_in_every_row(table):
    assert set(table["reference_date"]) == {"2026-11-21"}
    assert set(table["location"]) == {"CN"} and set(table["scenario"]) == {"base"}
    assert set(table.groupby("target")["unit"].first().items()) == {
        ("online_medical_users", "persons"),
        ("hospital_share_count", "percent"),
    }


def test_equal_draws_give_equal_text():
    def text(draws):
        path = half_yearly()
        noisy = Path(path.target, path.unit, path.periods, draws, path.last_known, path.step_months)
        return repr(hub.rows([noisy], reference=REFERENCE, scenario="base", model="m"))

    draws = half_yearly().draws
    assert text(draws) == text(draws.copy())
    assert text(draws) != text(draws * 1.0001)


def test_a_forecast_without_future_periods_is_an_empty_table():
    assert hub.rows([half_yearly(4)], reference=REFERENCE, scenario="base", model="m") == []
