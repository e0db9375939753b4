"""Which published forecasts are scored: each statement once, before its period ended, of a quantity that we cover."""

from datetime import date

import pandas as pd
import pytest

from telemed_forecast.evaluation import published_forecasts
from telemed_forecast.evaluation.published_forecasts import COVERED, MADE, OTHER_SCOPE, ended
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evidence import ledger
from telemed_forecast.forecast import context as context_module
from telemed_forecast.forecast.context import Context
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

KNOWN = "analysys-2020-ih-2020"


@pytest.fixture(scope="module")
def claims():
    return ledger.load()


def told(monkeypatch, claims, as_of=""):
    monkeypatch.setattr(context_module, "_ledger", lambda *_: claims)
    """What is scored, and what is not."""
    found = ended(Context(parameters.validate("track_record", {"as_of": as_of})))
    return [[one for one in rows(found) if (one.reason == "") == scored] for scored in (True, False)]


def planted(claims, name="planted", of=KNOWN, **changes):
    """A ledger with one more row: a forecast under another name, with changes."""
    row = claims[claims["claim_id"] == of]
    assert len(row) == 1
    return pd.concat([claims, row.assign(claim_id=name, **changes)], ignore_index=True)


def names(found):
    return [one.claim_id for one in found]


def reasons(left):
    return {one.claim_id: one.reason for one in left}


def test_every_forecast_whose_period_ended_is_scored_or_left_out_for_a_reason(monkeypatch, claims):
    found, left = told(monkeypatch, claims)
    known = claims[(claims["kind"] == "forecast") & (claims["period_end"] <= pd.Timestamp("2026-11-21"))]
    assert sorted(names(found) + names(left)) == sorted(known["claim_id"])
    assert len(found) > 30


def test_nothing_is_scored_that_is_a_copy_unsourced_late_or_not_covered(monkeypatch, claims):
    found, _ = told(monkeypatch, claims)
    known = claims.set_index("claim_id").loc[names(found)]
    assert set(known["grade"]) <= {"A", "B", "C"}
    assert (known["restates"] == "").all()
    assert set(known["metric"]) <= set(COVERED)
    assert all(one.first_day is None or one.first_day <= one.end for one in found)


def test_a_statement_that_is_printed_again_is_one_forecast(monkeypatch, claims):
    before, _ = told(monkeypatch, claims)
    found, left = told(monkeypatch, planted(claims, restates=KNOWN, known_date=pd.Timestamp("2020-11-30")))
    assert names(found) == names(before)
    assert reasons(left)["planted"] == "copy"
    assert {one.claim_id: one.statement for one in left}["planted"] == KNOWN


def test_a_copy_with_another_number_changes_nothing_but_the_day(monkeypatch, claims):
    broken = planted(claims, restates=KNOWN, value=9e9, printed="9000000000", known_date=pd.Timestamp("2020-11-30"))
    before, _ = told(monkeypatch, claims)
    found, _ = told(monkeypatch, broken)
    assert [one.value for one in found] == [one.value for one in before]


def test_a_copy_stands_in_on_a_day_that_does_not_know_the_primary_row(monkeypatch, claims):
    earlier = {"known_date": pd.Timestamp("2020-04-30"), "source_date": "2020-04-30"}
    copied = planted(claims, restates=KNOWN, **earlier)
    copied.loc[copied["claim_id"] == KNOWN, "known_date"] = pd.Timestamp("2025-01-31")
    found, _ = told(monkeypatch, copied, as_of="2021-06-30")
    assert "planted" in names(found) and KNOWN not in names(found)
    found, _ = told(monkeypatch, copied)
    assert KNOWN in names(found) and "planted" not in names(found)
    assert next(one for one in found if one.claim_id == KNOWN).published == date(2020, 4, 30)


def test_a_revised_forecast_is_another_one(monkeypatch, claims):
    found, _ = told(monkeypatch, planted(claims, value=250000.0, printed="250000"))
    assert {KNOWN, "planted"} <= set(names(found))


def test_a_period_that_has_not_ended_is_left_out(monkeypatch, claims):
    found, left = told(monkeypatch, claims, as_of="2020-12-30")
    assert KNOWN not in names(found) + names(left)
    found, _ = told(monkeypatch, claims, as_of="2020-12-31")
    assert KNOWN in names(found)


def test_what_was_published_after_its_period_is_no_forecast(monkeypatch, claims):
    late = planted(claims, source_date="2021-01-04", known_date=pd.Timestamp("2021-01-04"))
    found, left = told(monkeypatch, late)
    assert "planted" not in names(found)
    assert reasons(left)["planted"] == "late"


def test_a_vague_date_counts_from_its_first_day(monkeypatch, claims):
    vague = planted(claims, source_date="2020", known_date=pd.Timestamp("2020-12-31"))
    found, _ = told(monkeypatch, vague)
    one = next(one for one in found if one.claim_id == "planted")
    assert (one.first_day, one.published) == (date(2020, 1, 1), date(2020, 12, 31))


def test_the_printed_number_counts_after_more_than_and_nearly(monkeypatch, claims):
    found, _ = told(monkeypatch, claims)
    values = {one.claim_id: one.value for one in found}
    assert values["mob-internet-health-2025"] == pytest.approx(1000000.0)
    assert values["qianzhan-copy-ih-2020"] == pytest.approx(200000.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"grade": "D"}, "unsourced"),
        ({"metric": "market_growth"}, "rate"),
        ({"metric": "net_profit"}, "not_modelled"),
        ({"segment": "mobile_health"}, "definition"),
        ({"metric": "online_share_of_medicine_sales", "segment": "national"}, "definition"),
        ({"metric": "market_growth", "origin": "nobody else"}, "not_modelled"),
        ({"metric": "revenue", "segment": "jd_health", "value": -5.0, "printed": "-5"}, "negative"),
        ({"period_start": pd.Timestamp("2020-07-01")}, "short"),
    ],
)
def test_each_reason_is_named(monkeypatch, claims, changes, reason):
    _, left = told(monkeypatch, planted(claims, **changes))
    assert reasons(left)["planted"] == reason


def test_a_house_whose_scope_is_none_of_ours_is_not_held_against_ours(monkeypatch, claims):
    copied = planted(claims, of="cicc-2020-ih-2020", restates="cicc-2020-ih-2020", relation="eq")
    found, left = told(monkeypatch, copied)
    assert set(OTHER_SCOPE) <= set(claims["claim_id"])
    assert not set(OTHER_SCOPE) & set(names(found))
    assert {reasons(left)[claim] for claim in OTHER_SCOPE} == {"definition"}
    # Its copies are kept out for the same reason: nothing is scored that they would repeat.
    assert reasons(left)["planted"] == "definition"


def test_every_copy_repeats_a_forecast_that_is_scored(monkeypatch, claims):
    found, left = told(monkeypatch, claims)
    assert {one.statement for one in left if one.reason == "copy"} <= {one.statement for one in found}


def undated(claims, **changes):
    return planted(claims, source_date="", **changes)


def test_nobody_knows_the_first_day_of_a_print_without_a_date(monkeypatch, claims):
    found, _ = told(monkeypatch, undated(claims, known_date=pd.Timestamp("2020-12-31")))
    assert next(one for one in found if one.claim_id == "planted").first_day is None


def test_a_print_without_a_date_that_was_found_after_the_period_is_undated_not_late(monkeypatch, claims):
    found, left = told(monkeypatch, undated(claims, known_date=pd.Timestamp("2026-11-21")))
    assert "planted" not in names(found)
    assert reasons(left)["planted"] == "undated"


@pytest.mark.parametrize(("known", "first"), [("2020-12-31", date(2020, 7, 8)), ("2020-07-01", None)])
def test_an_undated_copy_is_later_than_the_dated_print_unless_it_was_known_before(monkeypatch, claims, known, first):
    found, _ = told(monkeypatch, undated(claims, restates=KNOWN, known_date=pd.Timestamp(known)))
    assert next(one for one in found if one.claim_id == KNOWN).first_day == first


def test_a_reprint_of_an_older_forecast_counts_from_the_making_of_that(monkeypatch, claims):
    found, _ = told(monkeypatch, claims)
    by_claim = {one.claim_id: one for one in found}
    reprint, series = by_claim["fs-2024-online-consultation-market"], by_claim["chyxx-2020-oc-2022"]
    assert reprint.first_day == date(2020, 1, 1)
    assert (reprint.publisher, reprint.published) == (series.publisher, series.published)


def test_every_day_of_making_belongs_to_a_forecast_and_says_where_it_is_from(claims):
    known = claims.set_index("claim_id").loc[list(MADE)]
    assert set(known["kind"]) == {"forecast"}
    for claim, (first_day, published, reason) in MADE.items():
        assert reason
        assert first_day <= (published or known.loc[claim, "known_date"].date())


def test_dollars_become_yuan_at_the_rate_of_their_year(monkeypatch, claims):
    found, _ = told(monkeypatch, planted(claims, of="hsbc-2018-ih-2018"))
    one = next(one for one in found if one.claim_id == "planted")
    assert one.unit == "CNY_million"
    assert 6.0 < one.value / 4000.0 < 7.5


def test_every_covered_quantity_is_one_that_the_ledger_knows():
    known = set(ledger.metrics().index)
    assert set(COVERED) <= known
    assert set(published_forecasts.RATES) <= known
