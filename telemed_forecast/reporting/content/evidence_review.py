"""The report on the evidence: what is known, who says it, where sources disagree, what is missing or left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import evidence_use, voices
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.evaluation.review import Review
from telemed_forecast.evidence.rows import records
from telemed_forecast.forecast.context import Context
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    DataTable,
    Heading,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Table,
    TableBlock,
    Title,
    Value,
)
from telemed_forecast.reporting.content import evidence_tests, parts
from telemed_forecast.reporting.content.parts import Sections

VOICES_SHOWN = 12
"""Origins in the chart of voices: with fewer than a dozen statements an origin is one of many."""

ECHOES_SHOWN = 8
"""Statements in the table of what is repeated most."""

CONTRADICTION = 1.02
"""Figures that differ by less are the same figure, rounded differently."""


def sections(context: Context, review: Review, parameters: dict[str, Any]) -> Sections:
    """The report's sections in reading order: name -> blocks."""
    made: Sections = {
        "summary": _summary(context, review),
        "known": _known(context, review),
        "voices": _voices(context, review),
        "contradictions": _contradictions(context, review),
        "conflict": evidence_tests.conflict(context, review),
        "missing": evidence_tests.missing(context, review),
        "left_out": _left_out(review),
    }
    made["record"] = parts.record(context, made, parameters)
    return made


def number(count: float) -> Value:
    """A count as it stands."""
    return Value(value=float(count), unit="count", digits=4)


def quantity(metric: str, segment: str) -> str:
    """Key of a fitted quantity's name."""
    return f"@review.quantity.{metric}.{segment}"


def _summary(context: Context, review: Review) -> list[Block]:
    uses = review.uses
    used = uses[uses["used_by"] != ""]
    newest = tuple(review.newest.sort_values("end", ascending=False)["claim_id"].head(3))
    fits = [result.fit for result in review.results.values()]
    as_of = context.settings.as_of_date.isoformat()
    figures = [
        parts.key_figure(
            "review_used",
            number(len(used)),
            as_of,
            newest,
            [],
            note_key="figure.review_used_note",
            note_values={
                "rows": number(len(uses)),
                "ledger": number(len(context.view)),
                "copies": int((uses["reason"] == "copy").sum()),
            },
        ),
        parts.key_figure(
            "review_origins",
            number(used["origin"].nunique()),
            as_of,
            newest,
            [],
            note_key="figure.review_origins_note",
            note_values=_largest_voices(used),
        ),
        *_contradiction_figure(review),
        *evidence_tests.figures(context, review),
        *_age_figure(context, review),
    ]
    return [
        Title(report="evidence_review"),
        parts.gates(context, *fits),
        KeyFigures(items=tuple(figures)),
        Paragraph(
            key="review.answer",
            values={
                "rows": number(len(uses)),
                "used": number(len(used)),
                "part": Value(value=100.0 * len(used) / len(uses), unit="percent", digits=2),
                "undecided": len(evidence_use.undecided(uses)),
                **_main_reasons(uses),
            },
            sources=newest,
        ),
    ]


def _main_reasons(uses: pd.DataFrame) -> dict[str, Value | str | int | float]:
    """The three reasons for which most rows were left out, and how many rows each."""
    rows = uses[uses["reason"] != ""].groupby("reason").size().sort_values(ascending=False, kind="stable")
    top = [(f"@review.reason.{name}", int(count)) for name, count in rows.head(3).items()]
    names = ("first", "second", "third")
    found: dict[str, Value | str | int | float] = dict(zip(names, (name for name, _ in top), strict=True))
    return found | {f"{name}_rows": count for name, (_, count) in zip(names, top, strict=True)}


def _largest_voices(used: pd.DataFrame) -> dict[str, Value | str | int | float]:
    """The two origins with the most used rows, and their part of all used rows."""
    rows = used.groupby("origin").size().sort_values(ascending=False, kind="stable")
    names = [parts.origin_name(str(name)) for name in rows.index[:2]]
    share = Value(value=100.0 * rows.iloc[:2].sum() / rows.sum(), unit="percent", digits=2)
    return {"first": names[0], "second": names[-1], "share": share}


def _contradiction_figure(review: Review) -> list[KeyFigure]:
    if review.contradictions.empty:
        return []
    worst = review.contradictions.iloc[0]
    return [
        parts.key_figure(
            "review_contradiction",
            Value(value=float(worst["ratio"]), unit="multiple", digits=2),
            str(worst["period"])[:4],
            (worst["low_claim"], worst["high_claim"]),
            [],
            note_key="figure.review_contradiction_note",
            note_values={
                "quantity": quantity(worst["metric"], worst["segment"]),
                "high": parts.origin_name(worst["high_origin"]),
                "low": parts.origin_name(worst["low_origin"]),
            },
        )
    ]


def _age_figure(context: Context, review: Review) -> list[KeyFigure]:
    """How old the newest estimate of the broad market is."""
    broad = review.newest[review.newest["segment"] == "internet_healthcare"]
    if broad.empty:
        return []
    row = broad.iloc[0]
    age = voices.age(row["end"], np.datetime64(context.settings.as_of_date))
    return [
        parts.key_figure(
            "review_age",
            Value(value=age, unit="years", digits=2),
            context.settings.as_of_date.isoformat(),
            (row["claim_id"],),
            [],
            note_key="figure.review_age_note",
            note_values={"day": str(row["end"])[:10], "origin": parts.origin_name(row["origin"])},
        )
    ]


def _known(context: Context, review: Review) -> list[Block]:
    rows = review.newest
    as_of = np.datetime64(context.settings.as_of_date)
    ages = [voices.age(end, as_of) for end in rows["end"]]
    by_age = sorted(zip(ages, rows["metric"], rows["segment"], strict=True), reverse=True)
    return [
        Heading(key="review.known"),
        Paragraph(key="review.known_text", values={"quantities": len(rows)}),
        _newest_table(context, review),
        Chart(
            id="age_of_evidence",
            kind="bars",
            title_key="review.chart.age_of_evidence.title",
            alt_key="review.chart.age_of_evidence.alt",
            alt_values={"oldest": quantity(*by_age[0][1:]), "age": Value(value=by_age[0][0], unit="years", digits=2)},
            unit="years",
            data=Table(
                columns=("category", "value"),
                rows=tuple((quantity(metric, segment), round(age, 1)) for age, metric, segment in by_age),
            ),
            sources=tuple(rows["claim_id"]),
        ),
    ]


def _newest_table(context: Context, review: Review) -> TableBlock:
    columns = (
        Column(name="quantity", key="review.column.quantity"),
        Column(name="printed", key="review.column.newest_figure"),
        Column(name="day", key="column.day"),
        Column(name="grade", key="column.grade"),
        Column(name="origin", key="column.origin"),
        Column(name="rows", key="review.column.figures"),
        Column(name="origins", key="review.column.origins"),
        Column(name="gaps", key="review.column.gaps"),
    )
    view: Any = context.view.set_index("claim_id")
    rows = [
        (
            quantity(row["metric"], row["segment"]),
            _figure(view.loc[row["claim_id"]]),
            str(row["end"])[:10],
            row["grade"],
            parts.origin_name(row["origin"]),
            int(row["rows"]),
            int(row["origins"]),
            _years(row["gaps"]),
        )
        for row in sorted(records(review.newest), key=lambda row: list(MARKETS).index(row["report"]))
    ]
    return TableBlock(
        id="newest_figures",
        folded=True,
        title_key="review.table.newest_figures.title",
        note_key="review.table.newest_figures.note",
        columns=columns,
        rows=tuple(rows),
        sources=tuple(review.newest["claim_id"]),
    )


def _figure(row: pd.Series) -> str | Value:
    """A printed figure with its unit: a Value where the catalogue can name the unit, else as printed."""
    units = {"persons", "hospitals", "consultations", "CNY_million", "USD_million", "percent"}
    if row["relation"] != "eq" or row["unit"] not in units:
        return parts.printed_figure(row)
    return Value(value=float(row["value"]), unit=row["unit"])


def _years(years: tuple[int, ...]) -> str:
    """Years drawn together: 2016–2019, 2024."""
    spans: list[list[int]] = []
    for year in years:
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return ", ".join(str(s[0]) if len(s) == 1 else f"{s[0]}–{s[-1]}" for s in spans) or "–"


def _voices(context: Context, review: Review) -> list[Block]:
    shown = review.voices.head(VOICES_SHOWN)
    rows = [
        (parts.origin_name(row["origin"]), f"@review.series.{name}", int(row[name]))
        for row in records(shown)
        for name in ("own", "copies")
    ]
    claims = review.uses[review.uses["origin"].isin(shown["origin"])].drop_duplicates("origin")["claim_id"]
    copies = int((review.uses["reason"] == "copy").sum())
    return [
        Heading(key="review.voices"),
        Paragraph(
            key="review.voices_text",
            values={"copies": copies, "rows": number(len(review.uses)), "origins": len(review.voices)},
        ),
        Chart(
            id="voices",
            kind="bars",
            title_key="review.chart.voices.title",
            alt_key="review.chart.voices.alt",
            alt_values={"first": rows[0][0], "own": rows[0][2]},
            unit="count",
            data=Table(columns=("category", "series", "value"), rows=tuple(rows)),
            sources=tuple(claims),
        ),
        *_echo_table(context, review),
        _grade_table(review),
    ]


def _echo_table(context: Context, review: Review) -> list[Block]:
    view: Any = context.view.set_index("claim_id")
    named = set(review.newest["metric"] + " " + review.newest["segment"])
    rows: list[tuple[Any, ...]] = []
    for echo in records(review.echoes):
        if echo["claim_id"] not in view.index or len(rows) == ECHOES_SHOWN:
            continue
        row = view.loc[echo["claim_id"]]
        if f"{row['metric']} {row['segment']}" in named:
            figure = (quantity(row["metric"], row["segment"]), _figure(row), str(row["period_end"])[:10])
            rows.append((*figure, parts.origin_name(row["origin"]), int(echo["copies"]), echo["claim_id"]))
    if not rows:
        return []
    columns = (
        Column(name="quantity", key="review.column.quantity"),
        Column(name="printed", key="column.published"),
        Column(name="day", key="column.day"),
        Column(name="origin", key="column.origin"),
        Column(name="copies", key="review.column.copies"),
    )
    return [
        TableBlock(
            id="echoes",
            title_key="review.table.echoes.title",
            columns=columns,
            rows=tuple(row[:-1] for row in rows),
            sources=tuple(str(row[-1]) for row in rows),
        )
    ]


def _grade_table(review: Review) -> TableBlock:
    columns = [Column(name="topic", key="review.column.topic")]
    columns += [Column(name=f"grade_{g.lower()}", key=f"review.column.grade_{g.lower()}") for g in "ABCD"]
    rows = [
        (f"@review.topic.{row['topic']}", *(int(row[grade]) for grade in "ABCD"))
        for row in review.grades.to_dict("records")
    ]
    return TableBlock(
        id="grades",
        title_key="review.table.grades.title",
        note_key="review.table.grades.note",
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _contradictions(context: Context, review: Review) -> list[Block]:
    found = review.contradictions[review.contradictions["ratio"] >= CONTRADICTION]
    made: list[Block] = [
        Heading(key="review.contradictions"),
        Paragraph(
            key="review.contradictions_text",
            values={"pairs": len(review.contradictions), "apart": int((found["ratio"] > 1.25).sum())},
        ),
    ]
    if len(found):
        made.append(_contradiction_table(context, found))
    return [*made, *_span_chart(review)]


def _contradiction_table(context: Context, found: pd.DataFrame) -> TableBlock:
    columns = (
        Column(name="quantity", key="review.column.quantity"),
        Column(name="period", key="column.day"),
        Column(name="ratio", key="review.column.ratio_of_extremes", unit="multiple", digits=2),
        Column(name="low", key="review.column.smallest"),
        Column(name="low_origin", key="review.column.smallest_by"),
        Column(name="high", key="review.column.largest"),
        Column(name="high_origin", key="review.column.largest_by"),
    )
    view: Any = context.view.set_index("claim_id")
    rows = [
        (
            quantity(row["metric"], row["segment"]),
            str(row["period"])[:10],
            Value(value=row["ratio"], unit="multiple", digits=2),
            _figure(view.loc[row["low_claim"]]),
            parts.origin_name(row["low_origin"]),
            _figure(view.loc[row["high_claim"]]),
            parts.origin_name(row["high_origin"]),
        )
        for row in records(found)
    ]
    return TableBlock(
        id="contradictions",
        title_key="review.table.contradictions.title",
        note_key="review.table.contradictions.note",
        columns=columns,
        rows=tuple(rows),
        sources=tuple(dict.fromkeys([*found["low_claim"], *found["high_claim"]])),
    )


def _span_chart(review: Review) -> list[Block]:
    """Smallest to largest size of the market by year, whatever its definition."""
    spans = review.spans
    if spans.empty:
        return []
    ratio = spans["largest"] / spans["smallest"]
    widest = spans.iloc[int(ratio.argmax())]
    rows = tuple((str(s["year"]), s["median"], s["smallest"], s["largest"]) for s in records(spans))
    return [
        Chart(
            id="market_spans",
            kind="dots",
            title_key="review.chart.market_spans.title",
            alt_key="review.chart.market_spans.alt",
            alt_values={
                "year": int(widest["year"]),
                "ratio": Value(value=float(ratio.max()), unit="multiple", digits=2),
            },
            caption_key="review.chart.market_spans.caption",
            unit="CNY_million",
            data=Table(columns=("category", "value", "low", "high"), rows=rows),
            log=True,
            sources=tuple(dict.fromkeys(c for claims in spans["claims"] for c in claims)),
        )
    ]


def _left_out(review: Review) -> list[Block]:
    counts = evidence_use.counts(review.uses)
    reasons = counts.groupby("reason")["rows"].sum().sort_values(ascending=False, kind="stable")
    reports = list(dict.fromkeys(counts["report"]))
    wide = counts.pivot_table(index="reason", columns="report", values="rows", fill_value=0)
    columns = [Column(name="reason", key="review.column.reason")]
    columns += [Column(name=report, key=f"report.{report}.title") for report in reports]
    columns.append(Column(name="all", key="review.column.all"))
    by_reason: dict[Any, dict[Any, Any]] = wide.to_dict("index")
    order = ["used", *(str(reason) for reason in reasons.index if reason != "used")]
    rows = [
        (f"@review.reason.{reason or 'undecided'}", *(int(by_reason[reason][r]) for r in reports), int(reasons[reason]))
        for reason in order
        if reason in by_reason
    ]
    return [
        Heading(key="review.left_out"),
        Paragraph(
            key="review.left_out_text",
            values={"rows": number(len(review.uses)), "undecided": len(evidence_use.undecided(review.uses))},
        ),
        TableBlock(
            id="reasons",
            title_key="review.table.reasons.title",
            note_key="review.table.reasons.note",
            columns=tuple(columns),
            rows=tuple(rows),
        ),
        DataTable(
            id="rows",
            key="review.rows_file",
            values={"rows": number(len(review.uses))},
            data=Table.model_validate(_plain(review.uses)),
        ),
    ]


def _plain(uses: pd.DataFrame) -> pd.DataFrame:
    """The whole list with days as text and names that stay the same in every language."""
    days = {name: uses[name].dt.strftime("%Y-%m-%d").fillna("") for name in ("period_start", "period_end")}
    return uses.assign(**days)
