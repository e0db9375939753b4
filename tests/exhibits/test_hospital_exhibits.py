"""What the report on internet hospitals shows, and what it leaves out when nobody had published it."""

from dataclasses import replace
from datetime import date

import pytest
from prior_fits import forecast, unsampled

from telemed_forecast.exhibits import internet_hospitals as report

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def known():
    return forecast("internet_hospitals")


@pytest.fixture(scope="module")
def exhibits(known):
    with unsampled():
        return report.exhibits(*known)


def test_the_key_figures_are_the_numbers_of_the_prose(known):
    figures, numbers = report.key_figures(*known), report.numbers(*known)
    horizon = known[0].settings.horizon
    assert list(figures) == ["hospitals_now", f"hospitals_{horizon}", f"pool_{horizon}", "hospitals_double"]
    assert figures[f"hospitals_{horizon}"].value == numbers["hospitals_then"]
    assert figures["hospitals_now"].note_values["day"] == numbers["newest_day"]


def test_the_years_shown_end_with_the_horizon(known, exhibits):
    years = exhibits["hospitals_by_year"].frame["year"]
    assert years.iloc[-1] == known[0].settings.horizon
    assert (years.diff().dropna() == 1).all()


def test_both_sponsors_are_drawn_with_their_intervals(exhibits):
    frame = exhibits["hospitals_by_sponsor"].frame
    assert set(frame["series"]) == {"hospital_run", "third_party"}
    assert (frame["low"] <= frame["value"]).all() and (frame["value"] <= frame["high"]).all()


def test_provinces_stand_in_the_order_of_their_number(exhibits):
    frame = exhibits["hospitals_by_province"].frame
    assert frame["value"].is_monotonic_decreasing
    assert len(frame) == report.MOST


def test_no_look_back_is_shown_where_its_date_is_not_earlier(exhibits):
    assert "hospitals_look_back" not in exhibits


def test_the_look_back_says_whether_the_interval_held_what_came(known):
    context, result = known
    earlier = replace(result, as_of=date(2022, 12, 31))
    numbers = report.numbers(context, result, earlier)
    forecast_then, actual = numbers["look_back_forecast"], numbers["look_back_actual"].value
    inside = forecast_then.low <= actual <= forecast_then.high
    assert numbers["look_back_outcome"] == ("inside" if inside else "outside")
    assert numbers["look_back_claims"] == (report.TARGET_CLAIM,)


def test_on_an_early_day_what_nobody_had_published_is_not_there():
    context, result = forecast("internet_hospitals", as_of="2019-06-30")
    with unsampled():
        exhibits, numbers = report.exhibits(context, result), report.numbers(context, result)
    assert not {"hospitals_by_province", "hospitals_look_back"} & exhibits.keys()
    assert numbers["look_back_claims"] == ()
