"""Every published figure that speaks of a modelled quantity is used or left out for a written reason."""

from datetime import date

import pandas as pd
import pytest

from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import evidence_use
from telemed_forecast.evidence import dictionary, ledger, observations
from telemed_forecast.forecast.markets import MARKETS

pytestmark = pytest.mark.unit

COPIED = "ih-2020-04"
"""Some other row, which a planted copy names."""

STARTS = {
    "market_size": date(2013, 1, 1),
    "internet_hospitals": date(2016, 12, 31),
    "channel_share": date(2016, 1, 1),
    "user_adoption": date(2014, 12, 31),
}


@pytest.fixture(scope="module")
def claims():
    return ledger.load()


@pytest.fixture(scope="module")
def fitted(claims):
    """Every row that a likelihood could take, of the lines that give no reason against it."""
    uses = evidence_use.decided(claims, {}, STARTS)
    rows = evidence_use.undecided(uses)
    return {name: set(rows[rows["report"] == name]["claim_id"]) for name in MARKETS}


def one(claims, **changes):
    """A copy of a count of internet hospitals, changed."""
    rows = claims[(claims["metric"] == "internet_hospitals") & (claims["segment"] == "national")]
    plain = rows[(rows["use"] == "model") & (rows["restates"] == "") & (rows["period_end"] > "2020-01-01")].iloc[:1]
    return plain.assign(claim_id="planted", **changes)


def reason(claims, fitted, **changes):
    rows = pd.concat([claims, one(claims, **changes)], ignore_index=True)
    return evidence_use.decided(rows, fitted, STARTS).set_index("claim_id").loc["planted"]


def test_every_modelled_quantity_has_lines_and_no_other_has():
    metrics = dictionary.metrics()
    assert set(dictionary.modelled()["metric"]) == set(metrics.index[metrics["modelled"] == "yes"])


def test_lines_speak_of_segments_and_kinds_that_exist_and_say_their_reason_in_words():
    segments = dictionary.segments()
    allowed = {"*", *segments.index, *("kind:" + segments["kind"])}
    lines = dictionary.modelled()
    claims = {f"claim:{name}" for name in ledger.load()["claim_id"]}
    assert set(lines["segments"]) <= allowed | claims
    assert set(lines["report"]) == set(MARKETS)
    assert (((lines["reason"] == "") & (lines["scope"] == "")) == (lines["explanation"] == "")).all()


def test_the_rows_are_those_of_grade_a_to_c_that_speak_of_a_modelled_quantity(claims):
    metrics = dictionary.metrics()["modelled"].to_dict()
    uses = evidence_use.decided(claims, {}, STARTS)
    expected = claims[(claims["metric"].map(metrics) == "yes") & (claims["grade"] != "D")]
    assert uses["claim_id"].tolist() == expected["claim_id"].tolist()
    assert len(uses) > 1100


def test_a_row_is_counted_once_as_used_or_under_one_reason(claims, fitted):
    uses = evidence_use.decided(claims, fitted, STARTS)
    assert evidence_use.undecided(uses).empty
    counts = evidence_use.counts(uses)
    assert counts["rows"].sum() == len(uses)
    assert counts[counts["reason"] == "used"]["rows"].sum() == sum(len(c) for c in fitted.values())
    assert list(dict.fromkeys(counts["report"])) == list(MARKETS)


def test_a_planted_row_that_no_model_takes_is_found(claims, fitted):
    rows = pd.concat([claims, one(claims)], ignore_index=True)
    uses = evidence_use.decided(rows, fitted, STARTS)
    assert evidence_use.undecided(uses)["claim_id"].tolist() == ["planted"]


def test_a_planted_row_of_a_segment_that_no_line_names_is_found(claims, fitted):
    rows = pd.concat([claims, one(claims, metric="internet_users").assign(segment="national")], ignore_index=True)
    uses = evidence_use.decided(rows, fitted, STARTS)
    assert evidence_use.undecided(uses)["claim_id"].tolist() == ["planted"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"restates": COPIED}, "copy"),
        ({"kind": "forecast", "use": "forecast"}, "forecast"),
        ({"use": "context", "use_reason": "day unknown"}, "context"),
        ({"use": "excluded", "use_reason": "a slip"}, "excluded"),
        ({"period_end": pd.NaT}, "undated"),
        ({"period_end": pd.Timestamp("2016-12-30")}, "before_grid"),
        ({"segment": "third_party_run"}, "part"),
        ({"segment": "zhejiang_platform"}, "province"),
    ],
)
def test_a_row_that_is_left_out_says_why(claims, fitted, changes, expected):
    assert reason(claims, fitted, **changes)["reason"] == expected


def test_a_half_year_of_a_yearly_flow_is_left_out_for_its_length(claims, fitted):
    sizes = claims[(claims["metric"] == "market_size") & (claims["segment"] == "internet_healthcare")]
    half = sizes[(sizes["use"] == "model") & (sizes["restates"] == "")].iloc[-1:].assign(claim_id="planted")
    half["period_start"] = half["period_end"] - pd.Timedelta(days=180)
    uses = evidence_use.decided(pd.concat([claims, half], ignore_index=True), fitted, STARTS).set_index("claim_id")
    assert uses.loc["planted", "reason"] == "short_period"


def test_a_row_that_was_used_has_no_reason_even_where_a_line_speaks_against_it(claims, fitted):
    named = {**fitted, "channel_share": fitted["channel_share"] | {"planted"}}
    row = reason(claims, named, segment="third_party_run")
    assert row["used_by"] == "channel_share"
    assert row["reason"] == ""


def test_every_reason_of_the_curation_has_a_name(claims, monkeypatch):
    uses = evidence_use.decided(claims, {}, STARTS)
    left_out = observations.left_out(claims[claims["claim_id"].isin(uses["claim_id"])])
    assert set(left_out["claim_id"]) <= set(uses[uses["reason"] != ""]["claim_id"])
    unnamed = left_out.assign(reason="of another kind")
    monkeypatch.setattr(observations, "left_out", lambda _: unnamed)
    with pytest.raises(TelemedError, match="no name for the reason 'of another kind'"):
        evidence_use.decided(claims, {}, STARTS)
