"""What was known on a date."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemed_forecast.errors import InputError
from telemed_forecast.evidence import ledger, observations, vintage

pytestmark = pytest.mark.unit

days = st.dates(dt.date(2012, 1, 1), dt.date(2027, 1, 1))


def newest(claims, day, metric, segment="national"):
    view = vintage.as_of(claims, day)
    found = observations.intervals(view[(view["metric"] == metric) & (view["segment"] == segment)])
    latest = int(np.argmax(found.end))
    return found.low[latest], found.high[latest], str(found.end[latest])


@pytest.mark.parametrize(
    ("day", "metric", "expected"),
    [
        ("2019-06-30", "internet_hospitals", (157.5, 158.5, "2019-05-31")),
        ("2021-07-01", "internet_hospitals", (1100, 1200, "2021-03-23")),
        ("2021-08-18", "internet_hospitals", (1600, 1700, "2021-06-30")),
        ("2022-12-31", "internet_hospitals", (1700, np.inf, "2022-06-23")),
        ("2023-05-23", "internet_hospitals", (1700, np.inf, "2022-06-23")),
        ("2023-05-24", "internet_hospitals", (2700, 2800, "2022-10-31")),
        ("2025-09-10", "internet_hospitals", (2700, 2800, "2022-10-31")),
        ("2025-09-11", "internet_hospitals", (3755.5, 3756.5, "2025-09-11")),
        ("2020-12-31", "online_medical_users", (275.5e6, 276.5e6, "2020-06-30")),
        ("2022-01-31", "online_medical_users", (238.5e6, 239.5e6, "2021-06-30")),
        ("2022-12-31", "online_medical_users", (299.5e6, 300.5e6, "2022-06-30")),
        ("2026-11-21", "online_medical_users", (410.5e6, 411.5e6, "2025-12-31")),
    ],
)
def test_the_newest_figure_is_the_one_published_by_then(claims, day, metric, expected):
    assert newest(claims, day, metric) == pytest.approx(expected)


def test_an_actual_is_never_known_before_its_period_ended(claims):
    actual = claims[(claims["kind"] != "forecast") & claims["period_end"].notna()]
    assert (actual["known_date"] >= actual["period_end"]).all()


def test_the_vintage_is_the_newest_day_on_which_a_row_became_known(claims):
    assert claims["known_date"].max() == pd.Timestamp(ledger.vintage_date())
    assert len(vintage.as_of(claims, ledger.vintage_date())) == len(claims)


def test_no_date_means_everything(claims):
    assert len(vintage.as_of(claims, "")) == len(vintage.as_of(claims, None)) == len(claims)


def test_a_date_that_is_none_is_named(claims):
    with pytest.raises(InputError, match="2021-02-30"):
        vintage.as_of(claims, "2021-02-30")


@given(days, days)
def test_views_grow_with_the_date(claims, one, other):
    early, late = sorted([one, other])
    assert set(vintage.as_of(claims, early).index) <= set(vintage.as_of(claims, late).index)


@given(days, days)
def test_a_view_of_a_view_is_the_view_of_the_earlier_date(claims, one, other):
    twice = vintage.as_of(vintage.as_of(claims, one), other)
    pd.testing.assert_frame_equal(twice, vintage.as_of(claims, min(one, other)))


@settings(max_examples=25, deadline=None)
@given(day=days, later=st.integers(1, 2000), value=st.integers(1, 10**9), copy=st.booleans())
def test_a_planted_later_row_changes_nothing(claims, day, later, value, copy):
    hospitals = claims[(claims["metric"] == "internet_hospitals") & (claims["segment"] == "national")]
    planted = hospitals.iloc[[0]].assign(
        claim_id="planted",
        value=float(value),
        printed=str(value),
        relation="eq",
        grade="A",
        restates="ih-2021-03-nhc-1100" if copy else "",
        known_date=pd.Timestamp(day) + pd.Timedelta(days=later),
    )
    before = observations.intervals(vintage.as_of(hospitals, day)).frame()
    after = observations.intervals(vintage.as_of(pd.concat([planted, hospitals]), day)).frame()
    pd.testing.assert_frame_equal(before, after)
