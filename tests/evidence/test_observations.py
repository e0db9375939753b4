"""Rows of the ledger as intervals for a likelihood."""

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.errors import InputError
from telemed_forecast.evidence import observations, vintage
from telemed_forecast.evidence.observations import GRADE_SCALE

pytestmark = pytest.mark.unit


def only(claims, claim_id, **options):
    """The one observation of a row taken alone."""
    found = observations.intervals(claims[claims["claim_id"] == claim_id], **options)
    assert len(found) == 1
    return found


@pytest.fixture(scope="module")
def everything(claims):
    return observations.intervals(claims)


@pytest.mark.parametrize(
    ("claim_id", "unit", "low", "high"),
    [
        ("cnnic-2021-12-online-medical-users-b2c49", "persons", 297_500_000, 298_500_000),
        ("cnnic-2022-06-online-medical-users-sac50", "persons", 299_500_000, 300_500_000),
        ("cnnic-2025-06-online-medical-users-jmir", "persons", 373_350_000, 412_650_000),
        ("cnnic-2022-12-online-medical-usage-rate-hk51", "percent", 33.95, 34.05),
        ("cnnic-2022-12-online-medical-usage-rate-pak51", "percent", 33.5, 34.5),
        ("ih-2021-06-seed-1600", "hospitals", 1600, 1700),
        ("ih-2025-09-nhc-3756", "hospitals", 3755.5, 3756.5),
        ("ihshare-2021-08-seed-public", "percent", 60, 70),
        ("seed-jdh-online-docs", "percent", 30, 40),
        ("seed-jdh-income", "CNY", 3000, 8000),
        ("seed-yrd-used", "percent", 22.065, 22.075),
        ("idv-2020-nhc", "consultations", 48_000_000, 49_000_000),
        ("jdh-2024-consults", "consultations_per_day", 490_000, 500_000),
        ("100ec-2024-ih-2023", "CNY_million", 385_350, 385_450),
        ("seed-bjnews-haodf-demand", "ratio", 7.475, 7.485),
        ("cnnic-2022-12-online-medical-users-growth-pak51", "ratio", 1.2165, 1.2175),
        ("cri-2018-2019-growth", "ratio", 2, 3),
    ],
)
def test_a_real_row_becomes_the_interval_its_print_leaves_open(claims, claim_id, unit, low, high):
    found = only(claims, claim_id)
    assert found.unit[0] == unit
    assert (found.low[0], found.high[0]) == pytest.approx((low, high))


def test_a_growth_rate_is_a_ratio_of_two_dated_levels(claims):
    growth = only(claims, "cnnic-2022-12-online-medical-users-growth-pak51")
    assert (str(growth.base_start[0]), str(growth.end[0])) == ("2021-12-31", "2022-12-31")
    market = only(claims, "analysys-2020-growth-2019")
    assert (str(market.base_start[0]), str(market.base_end[0])) == ("2018-01-01", "2018-12-31")


def test_a_compound_rate_becomes_the_ratio_of_the_last_to_the_first_year(claims):
    found = only(claims, "fs-digital-health-cagr-2017-2022")
    assert found.low[0] < 1.362**5 < found.high[0]
    assert (str(found.start[0]), str(found.base_end[0])) == ("2022-01-01", "2017-12-31")


def test_levels_have_no_base_period(claims):
    assert np.isnat(only(claims, "ih-2025-09-nhc-3756").base_start).all()


def test_every_interval_is_in_order_and_no_share_exceeds_its_whole(claims, everything):
    assert (everything.low <= everything.high).all()
    percent = everything.unit == "percent"
    assert (everything.high[percent] <= 100).all()


def test_forecasts_grade_d_and_copies_never_enter(claims, everything, by_id):
    entered = by_id.loc[everything.claim_id]
    assert not (entered["kind"] == "forecast").any()
    assert not (entered["grade"] == "D").any()
    assert not (entered["restates"] != "").any()
    assert (entered["use"] == "model").all()


def test_every_row_either_enters_or_is_listed_with_a_reason(claims, everything):
    missing = observations.left_out(claims)
    assert len(missing) + len(everything) == len(claims)
    assert not set(missing["claim_id"]) & set(everything.claim_id)
    assert (missing["reason"] != "").all()


def test_context_enters_only_when_asked_for(claims):
    row = claims[claims["claim_id"] == "ih-2018-techsir-119"]
    assert len(observations.intervals(row)) == 0
    assert len(observations.intervals(row, include_context=True)) == 1


def test_one_statement_counts_once_however_often_it_was_printed(claims):
    spring = claims[(claims["metric"] == "internet_hospitals") & (claims["segment"] == "national")]
    day = spring[spring["period_end"] == "2021-06-30"]
    assert len(day) > 3
    assert list(observations.intervals(day).claim_id) == ["ih-2021-06-seed-1600"]


def test_before_the_primary_row_is_known_its_first_copy_stands_in(claims):
    # The group revenue of 2017 was printed rounded in 2020 and to the thousand in 2021.
    then = vintage.as_of(claims, "2020-12-31")
    found = observations.intervals(then)
    assert "pagd-2017-revenue" in found.claim_id
    assert "pagd-2017-revenue-accounts" not in found.claim_id
    now = observations.intervals(claims)
    assert "pagd-2017-revenue" not in now.claim_id
    assert "pagd-2017-revenue-accounts" in now.claim_id


def test_observations_can_be_selected_scaled_and_tabled(everything):
    users = everything.where(everything.metric == "online_medical_users")
    assert set(users.metric) == {"online_medical_users"}
    assert len(users.frame()) == len(users)
    assert users.scale().tolist() == [GRADE_SCALE[grade] for grade in users.grade]
    assert GRADE_SCALE == {"A": 0.01, "B": 0.05, "C": 0.15}
    assert len(everything.where(np.zeros(len(everything), dtype=bool))) == 0


def test_dollars_become_yuan_at_the_rate_of_their_year(claims):
    found = only(claims, "cui-2022-tele-2019")
    yuan = observations.to_cny(found, claims)
    assert yuan.unit[0] == "CNY_million"
    assert yuan.low[0] / found.low[0] == pytest.approx(6.9081)
    assert yuan.high[0] / found.high[0] == pytest.approx(6.9081)


def test_a_period_without_a_rate_takes_the_nearest_year_and_widens(claims):
    early = claims[claims["claim_id"] == "cui-2022-tele-2019"].assign(
        period_start=pd.Timestamp("2010-01-01"), period_end=pd.Timestamp("2010-12-31")
    )
    found = observations.intervals(early)
    yuan = observations.to_cny(found, claims)
    assert yuan.low[0] == pytest.approx(found.low[0] * 6.1620 * 0.97)
    assert yuan.high[0] == pytest.approx(found.high[0] * 6.1620 * 1.03)


def test_a_period_over_two_years_takes_the_mean_of_their_rates(claims):
    both = claims[claims["claim_id"] == "cui-2022-tele-2019"].assign(
        period_start=pd.Timestamp("2014-01-01"), period_end=pd.Timestamp("2015-12-31")
    )
    found = observations.intervals(both)
    assert observations.to_cny(found, claims).low[0] / found.low[0] == pytest.approx((6.1620 + 6.2827) / 2)


def test_yuan_stay_yuan_and_missing_rates_are_said(claims):
    yuan = only(claims, "100ec-2024-ih-2023")
    assert observations.to_cny(yuan, claims.iloc[:0]) is yuan
    with pytest.raises(InputError, match="fx_cny_per_usd"):
        observations.to_cny(only(claims, "cui-2022-tele-2019"), claims.iloc[:0])


def test_a_summary_shows_every_row_with_its_status(claims):
    table = observations.summary(claims, "internet_hospitals", "national")
    assert len(table) == ((claims["metric"] == "internet_hospitals") & (claims["segment"] == "national")).sum()
    assert table["period_end"].dropna().is_monotonic_increasing
    newest = table.set_index("claim_id").loc["ih-2025-09-nhc-3756"]
    assert (newest["low"], newest["high"], newest["grade"], newest["status"]) == (
        3755.5,
        3756.5,
        "A",
        "fitted",
    )


def test_a_summary_of_an_unknown_name_suggests_the_nearest(claims):
    with pytest.raises(InputError, match="online_medical_users"):
        observations.summary(claims, "online_medical_user")
    with pytest.raises(InputError, match="national"):
        observations.summary(claims, "internet_hospitals", "nationl")
