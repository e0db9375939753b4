"""Sections of the report on the evidence that ask the models: leave one origin out, what a new figure would teach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from telemed_forecast.evaluation import conflict as evaluation
from telemed_forecast.evaluation.conflict import Conflict
from telemed_forecast.evaluation.information import Information
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.evaluation.review import Review
from telemed_forecast.evaluation.wanted import Wanted
from telemed_forecast.forecast.context import Context
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    Heading,
    KeyFigure,
    Paragraph,
    Table,
    TableBlock,
    Value,
)
from telemed_forecast.reporting.content import parts

FAR = 0.1
"""An origin lies off when the others give its mean figure less than this on one side (two in ten do by chance)."""

CONFLICTS_SHOWN = 12
"""Publishers in a chart, the most surprising ones; the table holds all."""

LOWEST = 0.5
"""Least part of the variance, in percent, in the table: below it a figure teaches nothing to be told from noise."""


def figures(context: Context, review: Review) -> list[KeyFigure]:
    """The most valuable missing figure for the size of the market."""
    market = review.wanted.get("market_size")
    if market is None:
        return []
    best = market.figures[0]
    fits = [review.results["market_size"].fit]
    return [
        parts.key_figure(
            "review_missing",
            _percent(best.removed),
            str(context.settings.horizon),
            _claims(review, "market_size"),
            fits,
            note_key="figure.review_missing_note",
            note_values={
                "figure": f"@review.wanted.{best.name}",
                **_years(context),
            },
        )
    ]


def _claims(review: Review, report: str, number: int = 3) -> tuple[str, ...]:
    """The newest figures of a report's quantities."""
    rows = review.newest[review.newest["report"] == report].sort_values("end", ascending=False, kind="stable")
    return tuple(rows["claim_id"].head(number))


def _years(context: Context) -> dict[str, Value | str | int | float]:
    """The years that names of figures speak of."""
    return {"last": context.last_year, "next": context.last_year + 1}


def _percent(part: float) -> Value:
    return Value(value=100.0 * max(part, 0.0), unit="percent", digits=2)


def conflict(context: Context, review: Review) -> list[Block]:
    """How far each origin lies from what all others imply, and what leaving it out does to the headline."""
    judged = [c for c in review.conflicts if c.method != "one_voice"]
    far = [c for c in judged if min(c.below, 1.0 - c.below) < FAR]
    made: list[Block] = [
        Heading(key="review.conflict"),
        Paragraph(
            key="review.conflict_text",
            values={
                "origins": len(judged),
                "far": len(far),
                "expected": 2.0 * FAR * len(judged),
                "bound": evaluation.RELIABLE,
                "refits": sum(c.method == "refit" for c in judged),
                "unreliable": sum(c.method == "unreliable" for c in judged),
            },
        ),
    ]
    for report in MARKETS:
        own = [c for c in judged if c.report == report]
        if len(own) > 1:
            made.append(_conflict_chart(report, own))
    alone = [c for c in review.conflicts if c.method == "one_voice"]
    made += [
        Paragraph(
            key="review.one_voice",
            values={
                "report": f"@report.{c.report}.title",
                "origin": parts.origin_name(c.origin),
                "rows": len(c.claims),
            },
            sources=c.claims[-1:],
        )
        for c in alone
    ]
    return [*made, _conflict_table(context, judged)] if judged else made


def _conflict_chart(report: str, own: Sequence[Conflict]) -> Chart:
    shown = sorted(own, key=lambda c: -abs(c.z))[:CONFLICTS_SHOWN]
    ordered = sorted(shown, key=lambda c: -c.ratio[0])
    rows = tuple((parts.origin_name(c.origin), c.ratio[0], c.ratio[1], c.ratio[2]) for c in ordered)
    furthest = max(own, key=lambda c: abs(c.z))
    return Chart(
        id=f"conflict_{report}",
        kind="dots",
        title_key="review.chart.conflict.title",
        title_values={"report": f"@report.{report}.title"},
        alt_key="review.chart.conflict.alt",
        alt_values={"origin": parts.origin_name(furthest.origin), "ratio": _ratio(furthest)},
        unit="multiple",
        data=Table(columns=("category", "value", "low", "high"), rows=rows),
        reference=1.0,
        reference_key="review.reference",
        log=True,
        sources=tuple(dict.fromkeys(claim for c in own for claim in c.claims)),
    )


def _ratio(found: Conflict) -> Value:
    middle, low, high = found.ratio
    return Value(value=middle, unit="multiple", low=low, high=high)


def _conflict_table(context: Context, judged: Sequence[Conflict]) -> TableBlock:
    columns = (
        Column(name="origin", key="column.origin"),
        Column(name="report", key="review.column.report"),
        Column(name="figures", key="review.column.figures"),
        Column(name="below", key="review.column.below", unit="probability"),
        Column(name="headline", key="review.column.headline_change", unit="percent", digits=2),
        Column(name="width", key="review.column.width_change", unit="percent", digits=2),
        Column(name="khat", key="review.column.khat", unit="ratio", digits=2),
        Column(name="method", key="review.column.method"),
    )
    rows = tuple(
        (
            parts.origin_name(c.origin),
            f"@report.{c.report}.title",
            len(c.claims),
            Value(value=min(max(c.below, 0.0), 1.0), unit="probability", digits=2),
            Value(value=100.0 * (c.headline - 1.0), unit="percent", digits=2),
            Value(value=100.0 * (c.width - 1.0), unit="percent", digits=2),
            Value(value=c.khat, unit="ratio", digits=2) if np.isfinite(c.khat) else "–",
            f"@review.method.{c.method}",
        )
        for c in judged
    )
    return TableBlock(
        id="leave_one_out",
        folded=True,
        title_key="review.table.leave_one_out.title",
        title_values={"horizon": context.settings.horizon},
        note_key="review.table.leave_one_out.note",
        note_values={"bound": evaluation.RELIABLE},
        columns=columns,
        rows=rows,
        sources=tuple(dict.fromkeys(claim for c in judged for claim in c.claims)),
    )


def missing(context: Context, review: Review) -> list[Block]:
    """Which new figure would narrow each headline most."""
    values = {"horizon": context.settings.horizon, **_years(context)}
    made: list[Block] = [
        Heading(key="review.missing"),
        Paragraph(key="review.missing_text", values=values),
    ]
    made += [_wanted_chart(context, review, found) for found in review.wanted.values()]
    return [*made, _wanted_table(context, review)]


def _name(information: Information) -> str:
    return f"@review.wanted.{information.name}"


def _wanted_chart(context: Context, review: Review, found: Wanted) -> Chart:
    best = found.figures[0]
    rows = tuple((_name(i), max(100.0 * i.removed, 0.0)) for i in found.figures)
    return Chart(
        id=f"wanted_{found.report}",
        kind="bars",
        title_key="review.chart.wanted.title",
        title_values={"report": f"@report.{found.report}.title", "horizon": context.settings.horizon},
        alt_key="review.chart.wanted.alt",
        alt_values={"figure": _name(best), "part": _percent(best.removed)},
        unit="percent",
        data=Table(columns=("category", "value"), rows=rows),
        sources=_claims(review, found.report),
    )


def _wanted_table(context: Context, review: Review) -> TableBlock:
    columns = (
        Column(name="figure", key="review.column.figure"),
        Column(name="report", key="review.column.report"),
        Column(name="kind", key="review.column.who"),
        Column(name="removed", key="review.column.removed", unit="percent", digits=2),
        Column(name="spread", key="review.column.spread", unit="multiple", digits=2),
        Column(name="narrowed", key="review.column.narrowed", unit="multiple", digits=2),
    )
    rows = tuple(
        (
            _name(i),
            f"@report.{found.report}.title",
            f"@review.kind.{i.kind}",
            _percent(i.removed),
            Value(value=found.spread, unit="multiple", digits=2),
            Value(value=found.spread ** (1.0 - i.narrower), unit="multiple", digits=2),
        )
        for found in review.wanted.values()
        for i in found.figures
        if 100.0 * i.removed >= LOWEST
    )
    return TableBlock(
        id="wanted",
        folded=True,
        title_key="review.table.wanted.title",
        title_values={"horizon": context.settings.horizon},
        note_key="review.table.wanted.note",
        note_values=_years(context),
        columns=columns,
        rows=rows,
        sources=tuple(dict.fromkeys(c for found in review.wanted.values() for c in _claims(review, found.report))),
    )
