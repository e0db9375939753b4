"""The evidence: what is known, who says it, where sources disagree, what is missing and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import evidence_use, voices
from telemed_forecast.evaluation.review import Review
from telemed_forecast.evidence.rows import records
from telemed_forecast.exhibits import evidence_tests
from telemed_forecast.exhibits.evidence import origin_name, printed_figure
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.numbers import by_id, key_figure
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Path

VOICES_SHOWN = 12
"""Origins in the chart of voices: with fewer than a dozen statements an origin is one of many."""

ECHOES_SHOWN = 8
"""Statements in the table of what is repeated most."""

CONTRADICTION = 1.02
"""Figures that differ by less are the same figure, rounded differently."""

NAMED_UNITS = ("persons", "hospitals", "consultations", "CNY_million", "USD_million", "percent")
"""Units that the catalogue names; figures in others are shown as they were printed."""


def exhibits(context: Context, review: Review) -> Exhibits:
    """The report's tables and charts by name; what nobody had published by then is not among them."""
    return named(
        newest_figures(context, review),
        age_of_evidence(context, review),
        loudest(review),
        echoes(context, review),
        grades(review),
        contradictions(context, review),
        market_spans(review),
        evidence_tests.exhibits(context, review),
        reasons(review),
        every_row(review),
    )


def key_figures(context: Context, review: Review) -> dict[str, KeyFigure]:
    """The headline numbers by name."""
    uses, used, as_of = review.uses, _used(review), context.settings.as_of_date.isoformat()
    newest = newest_claims(review)
    counts: dict[str, Fact] = {
        "rows": count(len(uses)),
        "ledger": count(len(context.view)),
        "copies": int((uses["reason"] == "copy").sum()),
    }
    figures = [
        key_figure("review_used", count(len(used)), as_of, newest, [], note=counts),
        key_figure("review_origins", count(used["origin"].nunique()), as_of, newest, [], note=_largest_voices(used)),
        *_contradiction_figure(review),
        *evidence_tests.key_figures(context, review),
        *_age_figure(context, review),
    ]
    return by_id(figures)


def numbers(context: Context, review: Review) -> dict[str, Fact]:
    """What the prose says, by name."""
    uses, used, apart = review.uses, _used(review), review.contradictions["ratio"] > 1.25
    return {
        "rows": count(len(uses)),
        "used": count(len(used)),
        "used_part": Value(value=100.0 * len(used) / len(uses), unit="percent", digits=2),
        "undecided": len(evidence_use.undecided(uses)),
        **_main_reasons(uses),
        "newest_claims": newest_claims(review),
        "quantities": len(review.newest),
        "copies": int((uses["reason"] == "copy").sum()),
        "origins": len(review.voices),
        "contradicting_pairs": len(review.contradictions),
        "contradicting_apart": int(apart.sum()),
        **evidence_tests.numbers(context, review),
    }


def fits(review: Review) -> list[Fit]:
    """The fits behind the report."""
    return [result.fit for result in review.results.values()]


def forecasts(review: Review) -> list[Path]:
    """The quantities that the report forecasts: none."""
    return []


def count(number: float) -> Value:
    """A count as it stands."""
    return Value(value=float(number), unit="count", digits=4)


def quantity(metric: str, segment: str) -> str:
    """A fitted quantity's label: the catalogue's ``review.quantity``."""
    return f"{metric}.{segment}"


def newest_claims(review: Review) -> tuple[str, ...]:
    """The newest figures of all."""
    return tuple(review.newest.sort_values("end", ascending=False)["claim_id"].head(3))


def newest_figures(context: Context, review: Review) -> Exhibit:
    """The newest usable figure of each series, and the years without any."""
    view: Any = context.view.set_index("claim_id")
    order = sorted(records(review.newest), key=lambda row: list(MARKETS).index(row["report"]))
    frame = pd.DataFrame(
        {
            "quantity": [quantity(row["metric"], row["segment"]) for row in order],
            **_printed("printed", [view.loc[row["claim_id"]] for row in order]),
            "day": [str(row["end"])[:10] for row in order],
            "grade": [row["grade"] for row in order],
            "origin": [origin_name(row["origin"]) for row in order],
            "rows": [int(row["rows"]) for row in order],
            "origins": [int(row["origins"]) for row in order],
            "gaps": [_years(row["gaps"]) for row in order],
        }
    )
    return Exhibit(name="newest_figures", frame=frame, claims=tuple(review.newest["claim_id"]))


def age_of_evidence(context: Context, review: Review) -> Exhibit:
    """Years between the newest figure of each series and the report's date, the oldest first."""
    rows, as_of = review.newest, np.datetime64(context.settings.as_of_date)
    ages = [voices.age(end, as_of) for end in rows["end"]]
    by_age = sorted(zip(ages, rows["metric"], rows["segment"], strict=True), reverse=True)
    names = [quantity(metric, segment) for _, metric, segment in by_age]
    return Exhibit(
        name="age_of_evidence",
        frame=pd.DataFrame({"category": names, "value": [round(age, 1) for age, _, _ in by_age]}),
        claims=tuple(rows["claim_id"]),
        facts={
            "oldest": f"@review.quantity.{names[0]}",
            "age": Value(value=by_age[0][0], unit="years", digits=2),
        },
    )


def loudest(review: Review) -> Exhibit:
    """Statements of the largest publishers, and how often others repeat them."""
    shown = review.voices.head(VOICES_SHOWN)
    rows = [(origin_name(row["origin"]), name, int(row[name])) for row in records(shown) for name in ("own", "copies")]
    claims = review.uses[review.uses["origin"].isin(shown["origin"])].drop_duplicates("origin")["claim_id"]
    return Exhibit(
        name="voices",
        frame=pd.DataFrame(rows, columns=["category", "series", "value"]),
        claims=tuple(claims),
        facts={"first": rows[0][0], "own": rows[0][2]},
    )


def echoes(context: Context, review: Review) -> Exhibit | None:
    """The statements that are repeated most; None where none is."""
    view: Any = context.view.set_index("claim_id")
    series = set(review.newest["metric"] + " " + review.newest["segment"])
    found = [(view.loc[echo["claim_id"]], echo) for echo in records(review.echoes) if echo["claim_id"] in view.index]
    shown = [(row, echo) for row, echo in found if f"{row['metric']} {row['segment']}" in series][:ECHOES_SHOWN]
    if not shown:
        return None
    frame = pd.DataFrame(
        {
            "quantity": [quantity(row["metric"], row["segment"]) for row, _ in shown],
            **_printed("printed", [row for row, _ in shown]),
            "day": [str(row["period_end"])[:10] for row, _ in shown],
            "origin": [origin_name(row["origin"]) for row, _ in shown],
            "copies": [int(echo["copies"]) for _, echo in shown],
        }
    )
    return Exhibit(name="echoes", frame=frame, claims=tuple(str(echo["claim_id"]) for _, echo in shown))


def grades(review: Review) -> Exhibit:
    """The whole ledger by topic and grade."""
    columns = {f"grade_{grade.lower()}": review.grades[grade].astype(int) for grade in "ABCD"}
    return Exhibit(name="grades", frame=pd.DataFrame({"topic": review.grades["topic"].astype(str)} | columns))


def contradictions(context: Context, review: Review) -> Exhibit | None:
    """Figures of different publishers for the same quantity and period; None where they agree."""
    found = review.contradictions[review.contradictions["ratio"] >= CONTRADICTION]
    if found.empty:
        return None
    view: Any = context.view.set_index("claim_id")
    rows = list(records(found))
    frame = pd.DataFrame(
        {
            "quantity": [quantity(row["metric"], row["segment"]) for row in rows],
            "period": [str(row["period"])[:10] for row in rows],
            "ratio": [row["ratio"] for row in rows],
            **_printed("low", [view.loc[row["low_claim"]] for row in rows]),
            "low_origin": [origin_name(row["low_origin"]) for row in rows],
            **_printed("high", [view.loc[row["high_claim"]] for row in rows]),
            "high_origin": [origin_name(row["high_origin"]) for row in rows],
        }
    )
    claims = tuple(dict.fromkeys([*found["low_claim"], *found["high_claim"]]))
    return Exhibit(name="contradictions", frame=frame, claims=claims)


def market_spans(review: Review) -> Exhibit | None:
    """Smallest to largest size of the market by year, whatever its definition; None where no year has several."""
    spans = review.spans
    if spans.empty:
        return None
    ratio = spans["largest"] / spans["smallest"]
    frame = pd.DataFrame(
        {
            "category": spans["year"].astype(str),
            "value": spans["median"],
            "low": spans["smallest"],
            "high": spans["largest"],
        }
    )
    return Exhibit(
        name="market_spans",
        frame=frame,
        claims=tuple(dict.fromkeys(claim for claims in spans["claims"] for claim in claims)),
        facts={
            "year": int(spans.iloc[int(ratio.argmax())]["year"]),
            "ratio": Value(value=float(ratio.max()), unit="multiple", digits=2),
        },
    )


def reasons(review: Review) -> Exhibit:
    """How many figures were used or left out for which reason, by report."""
    counts = evidence_use.counts(review.uses)
    total = counts.groupby("reason")["rows"].sum().sort_values(ascending=False, kind="stable")
    wide = counts.pivot_table(index="reason", columns="report", values="rows", fill_value=0)
    order = [reason for reason in ("used", *(name for name in total.index if name != "used")) if reason in wide.index]
    frame = wide.loc[order, list(dict.fromkeys(counts["report"]))].astype(int).assign(all=total[order].astype(int))
    frame.insert(0, "reason", [reason or "undecided" for reason in order])
    return Exhibit(name="reasons", frame=frame.reset_index(drop=True).rename_axis(columns=None))


def every_row(review: Review) -> Exhibit:
    """The whole list with days as text and names that stay the same in every language, for a file."""
    uses = review.uses
    days = {name: uses[name].dt.strftime("%Y-%m-%d").fillna("") for name in ("period_start", "period_end")}
    return Exhibit(name="rows", frame=uses.assign(**days), facts={"rows": count(len(uses))})


def _used(review: Review) -> pd.DataFrame:
    return review.uses[review.uses["used_by"] != ""]


def _main_reasons(uses: pd.DataFrame) -> dict[str, Fact]:
    """The three reasons for which most rows were left out, and how many rows each."""
    rows = uses[uses["reason"] != ""].groupby("reason").size().sort_values(ascending=False, kind="stable")
    found: dict[str, Fact] = {}
    for name, (reason, number) in zip(("first", "second", "third"), rows.head(3).items(), strict=True):
        found |= {f"{name}_reason": f"@review.reason.{reason}", f"{name}_rows": int(number)}
    return found


def _largest_voices(used: pd.DataFrame) -> dict[str, Fact]:
    """The two origins with the most used rows, and their part of all used rows."""
    rows = used.groupby("origin").size().sort_values(ascending=False, kind="stable")
    names = [origin_name(str(name)) for name in rows.index[:2]]
    part = Value(value=100.0 * rows.iloc[:2].sum() / rows.sum(), unit="percent", digits=2)
    return {"first": names[0], "second": names[-1], "share": part}


def _contradiction_figure(review: Review) -> list[KeyFigure]:
    """The largest contradiction; nothing where sources agree."""
    if review.contradictions.empty:
        return []
    worst = review.contradictions.iloc[0]
    ratio = Value(value=float(worst["ratio"]), unit="multiple", digits=2)
    claims = (worst["low_claim"], worst["high_claim"])
    note = {
        "quantity": f"@review.quantity.{quantity(worst['metric'], worst['segment'])}",
        "high": origin_name(worst["high_origin"]),
        "low": origin_name(worst["low_origin"]),
    }
    return [key_figure("review_contradiction", ratio, str(worst["period"])[:4], claims, [], note=note)]


def _age_figure(context: Context, review: Review) -> list[KeyFigure]:
    """How old the newest estimate of the broad market is."""
    broad = review.newest[review.newest["segment"] == "internet_healthcare"]
    if broad.empty:
        return []
    row, day = broad.iloc[0], context.settings.as_of_date
    age = Value(value=voices.age(row["end"], np.datetime64(day)), unit="years", digits=2)
    note = {"day": str(row["end"])[:10], "origin": origin_name(row["origin"])}
    return [key_figure("review_age", age, day.isoformat(), (row["claim_id"],), [], note=note)]


def _printed(name: str, rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Printed figures: a number with its unit where the catalogue can name the unit, else text as printed."""
    plain = [row["relation"] == "eq" and row["unit"] in NAMED_UNITS for row in rows]
    shown = [float(row["value"]) if one else printed_figure(row) for row, one in zip(rows, plain, strict=True)]
    units = [row["unit"] if one else None for row, one in zip(rows, plain, strict=True)]
    return {name: shown, f"{name}_unit": units}


def _years(years: Sequence[int]) -> str:
    """Years drawn together: 2016–2019, 2024."""
    spans: list[list[int]] = []
    for year in years:
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}–{one[-1]}" for one in spans) or "–"
