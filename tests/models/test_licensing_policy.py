"""Dated policy: which events count, from when, and how their effect arrives."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.evidence import ledger
from telemed_forecast.models import licensing_policy
from telemed_forecast.models.licensing_policy import DIRECTIONS, EVENTS, Events, acting, events_by, years_since
from telemed_forecast.models.timeline import decimal_year

pytestmark = pytest.mark.unit

GRID = np.arange(2017.0, 2026.1, 0.5)


@pytest.fixture(scope="module")
def listed():
    return ledger.policy_events()


def happening(*days):
    return Events(days, np.array(days, dtype="datetime64[D]"), np.ones(len(days)))


def test_every_event_of_the_rule_is_on_the_list_and_holds_for_the_whole_country(listed):
    chosen = listed[listed["event_id"].isin(DIRECTIONS)]
    assert len(chosen) == len(DIRECTIONS) <= EVENTS
    assert (chosen["jurisdiction"] == "China (national)").all()


@pytest.mark.parametrize("day", ["2018-07-16", "2018-07-17", "2020-03-01", "2022-12-31", "2026-11-21"])
def test_only_events_that_had_happened_act(listed, day):
    found = events_by(listed, np.datetime64(day))
    allowed = listed[listed["event_id"].isin(DIRECTIONS) & (listed["end"] <= np.datetime64(day))]
    assert set(found.event_id) == set(allowed["event_id"])
    assert ("2018-07-17-nhc-and-tcm-administration-issue" in found.event_id) == (day != "2018-07-16")


def test_an_event_of_an_unnamed_day_counts_from_the_end_of_its_month(listed):
    name = "2020-05-nhc-circular-asks-hospitals-to"
    assert name not in events_by(listed, np.datetime64("2020-05-30")).event_id
    assert name in events_by(listed, np.datetime64("2020-05-31")).event_id


@given(st.dates(date(2015, 1, 1), date(2027, 1, 1)), st.floats(0.3, 5.0))
def test_what_arrives_is_what_the_fade_says_and_never_before_the_event(day, fade):
    events = happening(day.isoformat())
    since, year = years_since(events, GRID), decimal_year(events.day)[0]
    arriving = 0.5 * acting(since, fade, 0.5)[0]
    assert (arriving[GRID[1:] <= year] == 0).all()
    already = 1.0 - np.exp(-max(GRID[0] - year, 0.0) / fade)
    expected = 1.0 - np.exp(-max(GRID[-1] - year, 0.0) / fade) - already
    assert arriving.sum() == pytest.approx(expected, abs=1e-9)


def test_two_thirds_of_an_effect_arrive_within_the_fade():
    since = years_since(happening("2017-12-31"), GRID)
    assert 0.5 * acting(since, 2.0, 0.5)[0, : 2 + 4].sum() == pytest.approx(0.632, abs=0.001)


def test_empty_slots_act_on_nothing():
    since = years_since(happening("2017-12-31", "2018-12-31"), GRID)
    assert since.shape == (EVENTS, len(GRID))
    assert (acting(since, 1.0, 0.5)[2:] == 0).all()
    assert (licensing_policy.directions(happening("2017-12-31"))[1:] == 0).all()
