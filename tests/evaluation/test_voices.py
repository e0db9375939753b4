"""Who said what, on a few rows whose answer can be seen, and on the shipped ledger."""

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.evaluation import evidence_use, voices
from telemed_forecast.evidence import ledger, vintage

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def claims():
    return ledger.load()


def made(claims, *rows):
    """Copies of one market size with other values: (claim_id, origin, year, value, changes)."""
    sizes = claims[(claims["metric"] == "market_size") & (claims["segment"] == "internet_healthcare")]
    plain = sizes[(sizes["use"] == "model") & (sizes["restates"] == "")].iloc[:1]
    found = []
    for claim, origin, year, value, changes in rows:
        days = {"period_start": pd.Timestamp(f"{year}-01-01"), "period_end": pd.Timestamp(f"{year}-12-31")}
        figure = {"value": float(value), "printed": str(value), "relation": "eq", "unit": "CNY_million"}
        one = plain.assign(claim_id=claim, origin=origin, resolution=np.nan, **days, **figure)
        found.append(one.assign(**changes))
    return pd.concat(found, ignore_index=True)


def test_the_ratio_is_that_of_the_furthest_figures_of_two_origins(claims):
    rows = made(claims, ("a", "x", 2020, 101, {}), ("b", "y", 2020, 151, {}), ("c", "x", 2020, 901, {}))
    (found,) = voices.contradictions(rows).to_dict("records")
    # x says 101 and 901; the largest ratio between two origins is 901 over 151, half a step less on both sides.
    assert found["ratio"] == pytest.approx(900.5 / 151.5)
    assert (found["low_claim"], found["high_claim"]) == ("b", "c")
    assert (found["rows"], found["origins"]) == (3, 2)


def test_figures_of_other_periods_and_of_one_origin_do_not_contradict_each_other(claims):
    half = {"period_start": pd.Timestamp("2020-07-01")}
    rows = made(
        claims,
        ("a", "x", 2020, 100, {}),
        ("b", "y", 2021, 150, {}),
        ("c", "y", 2020, 50, half),
        ("d", "x", 2020, 90, {}),
    )
    assert voices.contradictions(rows).empty


def test_copies_and_forecasts_are_no_voices_of_their_own(claims):
    rows = made(
        claims,
        ("a", "x", 2020, 100, {}),
        ("b", "y", 2020, 500, {"restates": "a"}),
        ("c", "z", 2020, 500, {"kind": "forecast", "use": "forecast"}),
    )
    assert voices.contradictions(rows).empty


def test_the_newest_figure_comes_with_the_years_that_have_none(claims):
    rows = made(claims, ("a", "x", 2015, 100, {}), ("b", "y", 2018, 150, {}), ("c", "x", 2019, 90, {}))
    (found,) = voices.newest(rows, 2022).to_dict("records")
    assert found["claim_id"] == "c"
    assert (found["rows"], found["origins"], found["first_year"]) == (3, 2, 2015)
    assert found["gaps"] == (2016, 2017, 2020, 2021, 2022)


def test_of_two_figures_of_one_day_the_better_grade_is_the_newest(claims):
    rows = made(claims, ("a", "x", 2020, 100, {"grade": "C"}), ("b", "y", 2020, 150, {"grade": "A"}))
    assert voices.newest(rows, 2020)["claim_id"].tolist() == ["b"]


def test_the_span_of_a_year_takes_every_definition(claims):
    other = {"segment": "mobile_health"}
    rows = made(claims, ("a", "x", 2020, 100, {}), ("b", "y", 2020, 700, other), ("c", "x", 2021, 9, {}))
    (found,) = voices.spans(rows).to_dict("records")
    assert (found["year"], found["smallest"], found["largest"]) == (2020, 100.0, 700.0)
    assert found["claims"] == ("a", "b")


def test_statements_and_their_copies_are_counted_by_origin(claims):
    rows = made(claims, ("a", "x", 2020, 100, {}), ("b", "x", 2020, 100, {"restates": "a"}), ("c", "y", 2021, 9, {}))
    uses = evidence_use.decided(rows, {"market_size": {"a"}}, {})
    table = voices.voices(rows, uses).set_index("origin")
    assert table.loc["x", ["own", "copies", "used"]].tolist() == [1, 1, 1]
    assert table.loc["y", ["own", "copies", "used"]].tolist() == [1, 0, 0]
    assert voices.echoes(rows, uses).to_dict("records") == [{"claim_id": "a", "copies": 1}]


def test_figures_whose_intervals_meet_do_not_contradict_each_other(claims):
    more_than = {"relation": "gt"}
    rows = made(claims, ("a", "x", 2020, 1600, more_than), ("b", "y", 2020, 1650, {}))
    assert voices.contradictions(rows)["ratio"].tolist() == [1.0]


def test_a_row_that_measures_services_alone_does_not_contradict_the_broad_market(claims):
    found = voices.contradictions(claims)
    assert "idc-2016-oms-2015" not in {*found["low_claim"], *found["high_claim"]}


def test_the_shipped_ledger_holds_a_contradiction_by_a_factor_of_four(claims):
    worst = voices.contradictions(claims).iloc[0]
    assert {worst["low_origin"], worst["high_origin"]} == {"frost_sullivan", "iimedia"}
    assert 3 < worst["ratio"] < 6


@pytest.mark.parametrize("day", ["2019-12-31", "2021-12-31"])
def test_an_earlier_date_knows_less_and_nothing_newer(claims, day):
    view = vintage.as_of(claims, day)
    then, now = voices.newest(view, int(day[:4])), voices.newest(claims, 2025)
    assert (then["end"] <= pd.Timestamp(day)).all()
    assert then["rows"].sum() < now["rows"].sum()


def test_grades_of_all_topics_add_up_to_the_ledger(claims):
    assert voices.grades(claims).drop(columns="topic").to_numpy().sum() == len(claims)


def test_a_figure_is_as_old_as_the_days_since_its_period():
    assert voices.age(pd.Timestamp("2024-12-31"), np.datetime64("2026-12-31")) == pytest.approx(2.0, abs=0.01)
