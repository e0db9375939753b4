"""Our worst misses: only what was missed, the worst of each day, explained by what the ledger holds."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.evaluation import misses
from telemed_forecast.evaluation import rolling_origins as rolling
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evidence import ledger
from telemed_forecast.evidence.observations import intervals
from telemed_forecast.fits.gates import Gate
from telemed_forecast.forecast.context import Context
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

GATE = Gate("toy", True, 1.0, 1000.0, 1000.0, 0, 1.0, 2, 1000)
MARKET = "user_adoption"


@pytest.fixture(scope="module")
def surveys():
    frame = ledger.load()
    figures = intervals(frame[(frame["metric"] == "online_medical_users") & (frame["segment"] == "national")])
    return figures.where(figures.end > np.datetime64("2021-12-31"))


def origin_of(surveys, year, factors):
    """Forecasts of one day: each member says its own multiple of what came."""
    later = surveys.where(surveys.end > np.datetime64(f"{year}-12-31"))
    middles = 0.5 * (later.low + later.high)
    errors = np.exp(0.05 * np.random.default_rng(3).standard_normal((400, 1)))
    draws = {name: middles * errors * factor for name, factor in factors.items()}
    known = tuple(day.item() for day in later.end.astype("datetime64[D]"))
    return Origin(date(year, 12, 31), GATE, later, known, np.ones(len(later), dtype=bool), draws)


def worst(surveys, *origins, number=5):
    context = Context(parameters.validate("track_record", {}))
    past = [origin_of(surveys, *one) for one in origins]
    return rows(misses.worst(context, rolling.score(past, MARKET, seed=1), number))


def test_a_record_without_a_miss_has_none(surveys):
    assert worst(surveys, (2021, {"ours": 1.0})) == []


def test_the_worst_of_each_day_stands_for_all_and_no_figure_comes_twice(surveys):
    found = worst(surveys, (2021, {"ours": 2.0}), (2022, {"ours": 1.5}), (2023, {"ours": 1.02}))
    assert [one.forecast_date.year for one in found] == [2021, 2022]
    assert len({one.claim_id for one in found}) == 2
    assert found[0].crps >= found[1].crps
    assert len(worst(surveys, (2021, {"ours": 2.0}), (2022, {"ours": 1.5}), number=1)) == 1


def test_the_distance_counts_half_intervals_and_the_factor_what_came_over_the_median(surveys):
    one = worst(surveys, (2021, {"ours": 2.0}))[0]
    assert one.factor == pytest.approx(0.5, rel=0.03)
    # The 80% interval of an error of 5% reaches 1.28 x 5% down.
    assert one.half_widths == pytest.approx(np.log(2.0) / (1.28 * 0.05), rel=0.2)


def test_the_nearest_rival_is_named_only_if_it_was_nearer(surveys):
    assert worst(surveys, (2021, {"ours": 2.0, "drift": 1.1, "theta": 3.0}))[0].better == "drift"
    assert worst(surveys, (2021, {"ours": 2.0, "drift": 4.0}))[0].better is None
    alone = worst(surveys, (2021, {"ours": 2.0}))[0]
    assert (alone.rivals, alone.better) == (0, None)


def test_the_first_later_forecast_that_held_the_figure_is_named(surveys):
    found = worst(surveys, (2021, {"ours": 2.0}), (2022, {"ours": 1.0}))
    last = max(found, key=lambda one: one.day)
    assert last.learned in (date(2022, 12, 31), None)
    assert last.learned is None or last.later >= 1
    never = worst(surveys, (2021, {"ours": 2.0}), (2022, {"ours": 2.0}))[0]
    assert never.learned is None


def test_what_was_known_that_day_is_of_that_day(surveys):
    one = worst(surveys, (2021, {"ours": 2.0}))[0]
    row = ledger.load().set_index("claim_id").loc[one.newest]
    assert row["known_date"] <= pd.Timestamp("2021-12-31")
    assert (row["metric"], one.newest_day) == ("online_medical_users", row["period_end"].date())
    assert one.figures >= 3
    assert not one.new_publisher and not one.other_definition


def test_events_lie_between_the_days_and_are_national(surveys):
    events = ledger.policy_events().set_index("event_id")
    found = misses.events_between(date(2019, 12, 31), date(2020, 12, 31))
    named = events.loc[list(found)]
    assert len(named) > 5
    assert (named["jurisdiction"] == misses.NATIONAL).all()
    assert named["start"].between(pd.Timestamp("2020-01-01"), pd.Timestamp("2020-12-31")).all()
    assert misses.events_between(date(2020, 12, 31), date(2020, 12, 31)) == ()


def test_a_wave_counts_only_if_it_began_in_between(surveys):
    later = worst(surveys, (2021, {"ours": 2.0}), number=9)
    assert all(one.wave == (one.day > date(2022, 12, 12)) for one in later)
    assert not worst(surveys, (2023, {"ours": 2.0}))[0].wave
