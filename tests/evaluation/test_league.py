"""The league: a perfect forecaster wins, nothing later takes part, and one outcome is one trial."""

from datetime import date
from types import SimpleNamespace

import made_up_record
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemed_forecast.evaluation import league, published_forecasts, publishers
from telemed_forecast.evaluation.quantities import Truth, Voice, consensus_estimate, truth
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evidence import ledger
from telemed_forecast.forecast import context as context_module
from telemed_forecast.forecast import market_size, platform_revenue
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.models.market_size import DEFINITIONS
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

CAME = np.exp(np.random.default_rng(0).normal(np.log(100.0), 0.05, 999))


@pytest.fixture
def record(monkeypatch):
    """(forecasts, what ours says, what came and who says so) -> the judged ones."""

    def judge(forecasts, ours=lambda asked, day: 100.0, came=CAME, kind="count", houses=None):
        class Said:
            def __init__(self, context):
                self.day = context.settings.as_of_date

            def predict(self, asked):
                value = ours(asked, self.day)
                return None if value is None else value * np.exp(0.1 * np.linspace(-2, 2, 101))

        monkeypatch.setattr(league, "ended", lambda context: pd.DataFrame(forecasts))
        monkeypatch.setattr(league, "truth", lambda now, asked: None if came is None else Truth(kind, came, ()))
        monkeypatch.setattr(league, "consensus_estimate", lambda now, asked: houses)
        monkeypatch.setattr(league, "Voice", Said)
        return league.judged(Context(parameters.validate("track_record", {})))[:2]

    return judge


def test_a_forecast_of_what_came_is_no_error_and_a_double_is_too_high(record):
    found, _ = record([made_up_record.forecast(100.0), made_up_record.forecast(200.0, publisher="other")])
    worst, best = rows(found)
    assert worst.publisher == "other"
    assert worst.median_error == pytest.approx(np.log(2.0), abs=0.01)
    assert (worst.verdict, best.verdict) == ("high", "open")
    assert abs(best.median_error) < 0.01


def test_a_verdict_is_open_where_what_came_is_uncertain(record):
    wide = np.exp(np.random.default_rng(0).normal(np.log(100.0), 2.0, 999))
    found, _ = record([made_up_record.forecast(200.0)], came=wide)
    assert found["verdict"].tolist() == ["open"]
    assert (found["error"][0] > 0.0).mean() == pytest.approx(0.63, abs=0.05)


def test_what_nobody_can_judge_is_left_out_with_the_reason(record):
    found, left = record([made_up_record.forecast(100.0)], came=None)
    assert found.empty
    assert left["reason"].tolist() == ["no_outcome"]


@pytest.mark.parametrize(
    ("on", "made"),
    [("2019-12-30", None), ("2019-12-31", 2019), ("2021-12-30", 2020), ("2021-12-31", 2021), ("2026-01-05", 2024)],
)
def test_ours_is_that_of_the_last_year_end_not_after_theirs(record, on, made):
    [one] = rows(record([made_up_record.forecast(100.0, year=2026, on=on)])[0])
    assert one.why_not == ("" if made else "early")
    if made:
        assert one.forecast_date.year == made and one.forecast_date <= one.first_day


def test_a_forecast_without_a_day_has_none_of_ours_beside_it(record):
    found, _ = record([made_up_record.forecast(100.0, year=2026, on="2024-06-30", dated=False)])
    assert found["why_not"].tolist() == ["undated"] and found["forecast_date"].isna().all()


def test_a_copy_of_what_nobody_can_judge_is_no_copy_of_a_scored_one(record):
    asked = made_up_record.forecast(100.0)
    _, left = record([asked | {"claim_id": "again", "reason": "copy"}, asked], came=None)
    assert dict(zip(left["claim_id"], left["reason"], strict=True)) == dict.fromkeys(
        ["again", asked["claim_id"]], "no_outcome"
    )


def test_a_model_that_says_nothing_that_day_takes_no_part(record):
    found, _ = record([made_up_record.forecast(100.0)], ours=lambda asked, day: None)
    assert found["why_not"].tolist() == ["nothing"]
    assert league.head_to_head(found) is None


def test_the_perfect_forecaster_wins_the_head_to_head_on_both_sides(record):
    wrong = [made_up_record.forecast(300.0, year=year, on="2020-06-30") for year in range(2021, 2026)]
    right = [made_up_record.forecast(100.0, year=year, on="2020-06-30") for year in range(2021, 2026)]
    ours_right, _ = record(wrong)
    ours_wrong, _ = record(right, ours=lambda asked, day: 300.0)
    won, lost = league.head_to_head(ours_right), league.head_to_head(ours_wrong)
    assert won["closer"] > 0.99 and lost["closer"] < 0.01
    assert won["low"] > 0.5 > lost["high"]
    assert (won["held"], lost["held"]) == (5, 0)


def test_our_own_posterior_judges_nothing_in_the_headline(record):
    said = [made_up_record.forecast(300.0, year=year, on="2020-06-30") for year in range(2021, 2026)]
    found, _ = record(said, kind="estimate")
    assert league.head_to_head(found) is None
    assert league.head_to_head(found, by="closer")["closer"] > 0.99


def test_other_houses_judge_where_nobody_counts_also_against_our_posterior(record):
    said = [made_up_record.forecast(300.0, year=year, on="2020-06-30") for year in range(2021, 2026)]
    found, _ = record(said, kind="estimate", houses=290.0)
    assert set(found["judge"]) == {"houses"} and set(found["settled"]) == {290.0}
    assert league.head_to_head(found)["closer"] == 0.0
    assert league.head_to_head(found, by="closer") is None


def test_a_house_has_one_vote_on_a_target_however_often_it_spoke(record):
    often = [made_up_record.forecast(300.0, publisher="often", on=f"2020-0{month}-30") for month in range(3, 8)]
    once = made_up_record.forecast(100.0, publisher="once", on="2020-06-30")
    found, _ = record([*often, once], ours=lambda asked, day: 150.0)
    duel = league.head_to_head(found)
    assert (duel["number"], duel["votes"], duel["houses"]) == (6, 2, 2)
    assert duel["closer"] == pytest.approx(0.5, abs=0.01)


def test_many_forecasts_of_one_outcome_are_one_trial(record):
    many = [made_up_record.forecast(300.0 + k, publisher=f"house {k}", on="2020-06-30") for k in range(12)]
    found, _ = record(many)
    duel = league.head_to_head(found)
    assert (duel["number"], duel["outcomes"]) == (12, 1)
    alone = league.head_to_head(found[:1])
    assert (duel["low"], duel["high"]) == pytest.approx((alone["low"], alone["high"]))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(1.0, 1e4), st.integers(2021, 2025)), min_size=1, max_size=12))
def test_head_to_head_counts_are_within_bounds_and_hang_on_no_order(pairs):
    found = []
    for k, (value, year) in enumerate(pairs):
        one = made_up_record.forecast(value, publisher=f"house {k}", year=year)
        own = float(league.scaled_error(90.0, 100.0, "CNY_million"))
        nearer = float(abs(own) < abs(league.scaled_error(value, 100.0, "CNY_million")))
        ours = {
            "forecast_date": date(2020, 12, 31),
            "our_median_error": own,
            "held": True,
            "closer": nearer,
            "nearer": nearer,
        }
        found.append(made_up_record.held(one, **ours))
    duel = league.head_to_head(made_up_record.league(*found))
    assert duel["outcomes"] <= duel["number"] == len(pairs)
    assert 0.0 <= duel["low"] <= duel["high"] <= 1.0
    other = league.head_to_head(made_up_record.league(*found[::-1]))
    assert (other["closer"], other["low"]) == pytest.approx((duel["closer"], duel["low"]))


@pytest.mark.parametrize(("value", "closer"), [(90.0, 0.0), (300.0, 1.0)])
def test_the_interval_holds_the_part_won_also_where_it_is_none_or_all(record, value, closer):
    found, _ = record([made_up_record.forecast(value, on="2020-06-30")], ours=lambda asked, day: 200.0, came=CAME[:1])
    duel = league.head_to_head(found)
    assert duel["closer"] == closer
    assert duel["low"] <= duel["closer"] <= duel["high"]


def test_errors_do_not_hang_on_the_unit_of_money():
    small, large = (league.scaled_error(2.0 * k, 1.0 * k, "CNY_million") for k in (1.0, 1e6))
    assert small == pytest.approx(large) == pytest.approx(np.log(2.0))


# Publishers


def table(found):
    return {one.publisher: one for one in rows(publishers.table(made_up_record.league(*found), seed=1))}


def record_of(publisher, errors, occasion=None):
    days = [occasion or f"2020-{k + 1:02}-15" for k in range(len(errors))]
    return [
        made_up_record.held(
            made_up_record.forecast(100.0 * np.exp(error), publisher=publisher, year=2022 + k % 3, on=days[k])
        )
        for k, error in enumerate(errors)
    ]


def test_the_planted_perfect_forecaster_comes_first():
    found = record_of("perfect", [0.0] * 8)
    for k in range(8):
        found += record_of(f"house {k}", [0.7, -0.5, 0.6, -0.8])
    listed = list(table(found).values())
    assert listed[0].publisher == "perfect"
    assert listed[0].better > 0.95
    assert listed[0].typical < 0.5 * listed[1].typical


def test_one_lucky_forecast_is_drawn_towards_all_others():
    found = record_of("lucky", [0.0]) + record_of("perfect", [0.0] * 8)
    for k in range(8):
        found += record_of(f"house {k}", [0.7, -0.5, 0.6, -0.8])
    made = table(found)
    assert made["lucky"].absolute == 0.0
    assert made["lucky"].typical > 2 * made["perfect"].typical
    assert made["lucky"].typical_high - made["lucky"].typical_low > made["perfect"].typical_high


def test_several_years_of_one_table_are_one_occasion():
    others = [one for k in range(6) for one in record_of(f"house {k}", [0.3, -0.3, 0.4])]
    once = table([*record_of("note", [1.5]), *others])["note"]
    sheet = table([*record_of("note", [1.5] * 6, occasion="2020-01-15"), *others])["note"]
    assert (sheet.number, sheet.occasions) == (6, 1)
    assert sheet.typical == pytest.approx(once.typical, rel=0.05)


def test_a_reprint_of_one_table_is_no_second_occasion(monkeypatch, claims):
    found = [one._asdict() for one in scored(monkeypatch, claims) if one.publisher == "frost_sullivan"]
    found = [one for one in found if one["segment"] == "online_consultation"]
    series = [made_up_record.held(one, 2.0 * one["value"]) for one in found]
    assert {one["claim_id"] for one in found} >= {"fs-2024-online-consultation-market", "chyxx-2020-oc-2022"}
    assert table(series)["frost_sullivan"].occasions == 1


def test_pooled_scales_hold_the_true_ones_as_often_as_they_say():
    rng = np.random.default_rng(7)
    scales = 0.5 / np.sqrt(rng.chisquare(6.0, 300) / 6.0)
    squares = {str(k): (s * rng.standard_normal(1 + k % 4)) ** 2 for k, s in enumerate(scales)}
    drawn = publishers.pooled(squares, rng=rng)
    ends = np.array([np.quantile(drawn[str(k)], [0.1, 0.9]) for k in range(len(scales))])
    held = ((ends[:, 0] <= scales) & (scales <= ends[:, 1])).mean()
    assert abs(held - 0.8) < 3 * np.sqrt(0.8 * 0.2 / len(scales))


def test_nobody_makes_no_table():
    assert publishers.table(made_up_record.league(), seed=1).empty


# What came, and what our models knew


@pytest.fixture(scope="module")
def claims():
    return ledger.load()


def at(monkeypatch, claims, as_of=""):
    monkeypatch.setattr(context_module, "_ledger", lambda *_: claims)
    return Context(parameters.validate("track_record", {"as_of": as_of, "profile": "quick"}))


def scored(monkeypatch, claims):
    found = published_forecasts.ended(at(monkeypatch, claims))
    return rows(found[found["reason"] == ""])


def revenue(monkeypatch, claims):
    return next(one for one in scored(monkeypatch, claims) if one.claim_id == "alihealth-fy2024-revenue-gtja")


def planted_revenue(claims, known):
    """Alibaba Health's accounts with a wild figure for the fiscal year to March 2023."""
    row = claims[(claims["metric"] == "revenue") & (claims["segment"] == "alibaba_health")].iloc[[0]]
    changes = {
        "period_start": pd.Timestamp("2022-04-01"),
        "period_end": pd.Timestamp("2023-03-31"),
        "known_date": pd.Timestamp(known),
        "value": 900000.0,
        "printed": "900000",
        "unit": "CNY_million",
        "kind": "actual",
        "use": "model",
        "grade": "A",
        "restates": "",
        "relation": "eq",
    }
    return pd.concat([claims, row.assign(claim_id="planted", **changes)], ignore_index=True)


def test_accounts_published_later_change_no_bit_of_ours_of_that_day(monkeypatch, claims):
    # Prophet's forecast stands beside the engine's and takes no part in it.
    monkeypatch.setattr(platform_revenue.baselines, "forecast", lambda *args, **options: None)
    asked = revenue(monkeypatch, claims)
    before = Voice(at(monkeypatch, claims, "2022-12-31")).predict(asked)
    after = Voice(at(monkeypatch, planted_revenue(claims, "2023-05-31"), "2022-12-31")).predict(asked)
    assert np.array_equal(before, after)
    # The same figure published in time changes it: otherwise nobody looks at the row.
    early = Voice(at(monkeypatch, planted_revenue(claims, "2022-12-30"), "2022-12-31")).predict(asked)
    assert not np.array_equal(before, early)


def test_accounts_are_what_came_of_a_forecast_of_revenue(monkeypatch, claims):
    came = truth(Voice(at(monkeypatch, claims)), revenue(monkeypatch, claims))
    assert came.kind == "count"
    row = claims.set_index("claim_id").loc[came.claims[0]]
    assert (row["segment"], row["period_end"]) == ("alibaba_health", pd.Timestamp("2024-03-31"))
    assert came.draws[0] == pytest.approx(row["value"])


def test_accounts_printed_as_about_leave_their_interval_open(monkeypatch, claims):
    known = claims.set_index("claim_id")
    assert known.loc["jdh-2025-revenue", "relation"] == "approx"
    asked = next(one for one in scored(monkeypatch, claims) if one.claim_id == "jdh-2025-revenue-broker")
    came = truth(Voice(at(monkeypatch, claims)), asked)
    assert came.kind == "count" and came.claims == ("jdh-2025-revenue",)
    middle = known.loc["jdh-2025-revenue", "value"]
    assert [came.draws.min(), came.draws.max()] == pytest.approx([0.95 * middle, 1.05 * middle])


def test_counts_within_the_period_share_the_verdict(monkeypatch, claims):
    asked = made_up_record.asked(
        6e7, year=2020, metric="online_medical_active_users", segment="national", unit="persons"
    )
    came = truth(Voice(at(monkeypatch, claims)), asked)
    counts = claims.set_index("claim_id").loc[list(came.claims)]
    assert (counts["period_end"].dt.year == 2020).all() and (counts["kind"] != "forecast").all()
    assert came.draws.min() <= counts["value"].min() and came.draws.max() >= counts["value"].max()


def market(monkeypatch, claims):
    """Today's voice, without a fit: only the evidence of the market is looked at."""

    days = [date(year, 12, 31) for year in range(2012, 2031)]
    path = SimpleNamespace(periods=days, year_end=lambda year: CAME)
    voice = Voice(at(monkeypatch, claims))
    voice.results["market_size"] = Forecast(
        market="market_size", as_of=voice.context.settings.as_of_date, headline="market_size_healthcare", fit=None,
        paths={f"market_size_{name}": path for name in DEFINITIONS}, claims=(), known=None,
        evidence={"sizes": market_size.headline(voice.context)},
    )  # fmt: skip
    return voice


@pytest.mark.parametrize(("year", "kind"), [(2019, "estimate"), (2017, "between"), (2029, "inferred")])
def test_a_posterior_is_told_apart_by_the_estimates_of_its_year(monkeypatch, claims, year, kind):
    came = truth(market(monkeypatch, claims), made_up_record.asked(200000.0, year=year))
    assert came.kind == kind
    assert bool(came.claims) == (kind == "estimate")


@pytest.mark.parametrize(
    ("known", "on", "judges"),
    [("2022-06-30", "2021-06-30", False), ("2023-01-01", "2021-06-30", True), ("2023-01-01", "2023-02-01", False)],
)
def test_only_what_others_estimated_after_the_year_and_the_forecast_judges_it(monkeypatch, claims, known, on, judges):
    row = claims[claims["claim_id"] == "askci-pharma-ecommerce-2020"]
    year = {"period_start": pd.Timestamp("2022-01-01"), "period_end": pd.Timestamp("2022-12-31")}
    changes = {"claim_id": "planted", "known_date": pd.Timestamp(known), "origin": "planted", **year}
    others = claims[(claims["period_end"] != year["period_end"]) | (claims["metric"] != "market_size")]
    voice = market(monkeypatch, pd.concat([others, row.assign(**changes)], ignore_index=True))
    told = consensus_estimate(voice, made_up_record.asked(9e5, year=2022, on=on, segment="online_pharmacy"))
    assert (told is not None) == judges
