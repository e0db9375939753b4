"""An exhibit is a frame that can be trusted, and comes back from a notebook's outputs as it went in."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.exhibits.exhibit import Exhibit, facts_json, facts_of, named, records, with_interval
from telemed_forecast.exhibits.values import Value

pytestmark = pytest.mark.unit


def exhibit(**columns):
    return Exhibit(name="made_up", frame=pd.DataFrame(columns))


def test_it_survives_a_notebook():
    frame = pd.DataFrame({"day": ["2024-12-31", "2025-12-31"], "share": [0.1 + 0.2, np.nan], "count": [3, 4]})
    points = pd.DataFrame({"claim_id": ["b"], "low": [1.0]})
    one = Exhibit(
        name="made_up", frame=frame, claims=("a",), units={"share": "percent"}, layers={"points": points},
        facts={"now": Value(value=3, unit="years"), "nothing": None}, as_of=date(2026, 1, 2),
    )  # fmt: skip
    back = Exhibit.from_json(json.loads(json.dumps(one.to_json())))
    pd.testing.assert_frame_equal(back.frame, frame)
    pd.testing.assert_frame_equal(back.layers["points"], points)
    assert (back.claims, back.units, back.facts, back.as_of) == (one.claims, one.units, one.facts, one.as_of)
    assert back.cited == ("a", "b")


def test_what_is_not_known_is_none_and_a_day_is_an_iso_day():
    frame = pd.DataFrame({"day": pd.to_datetime(["2025-12-31", None]), "number": [1.5, np.nan], "whole": [1, 2]})
    assert records(frame) == [
        {"day": "2025-12-31", "number": 1.5, "whole": 1},
        {"day": None, "number": None, "whole": 2},
    ]


def test_an_infinite_number_is_refused_with_its_column():
    with pytest.raises(ValueError, match=r"made_up: column 'share' holds an infinite number"):
        exhibit(share=[1.0, np.inf])


def test_an_interval_that_does_not_hold_its_number_is_refused():
    with pytest.raises(ValueError, match=r"an interval of 'share' does not hold its number"):
        exhibit(share=[1.0], share_low=[2.0], share_high=[3.0])


def test_two_exhibits_of_one_name_are_refused_and_what_nobody_knew_is_left_out():
    assert list(named(exhibit(a=[1]), None, [])) == ["made_up"]
    with pytest.raises(ValueError, match="two exhibits are named made_up"):
        named(exhibit(a=[1]), [exhibit(a=[2])])


def test_a_number_with_an_interval_is_three_columns():
    columns = with_interval(share=[Value(value=2, unit="percent", low=1, high=3), None])
    assert columns == {"share": [2, None], "share_low": [1, None], "share_high": [3, None]}


def test_facts_survive_a_notebook():
    facts = {"now": Value(value=2, unit="years", low=1, high=3), "claims": ("a", "b"), "day": "2025-12-31", "no": None}
    assert facts_of(json.loads(json.dumps(facts_json(facts)))) == facts
