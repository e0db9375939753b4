"""The parts of the track record on forecasts that others published: who was right, and what we would have said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np

from telemed_forecast.evaluation.league import HeadToHead, Judged
from telemed_forecast.evaluation.published_forecasts import PublishedForecast
from telemed_forecast.evaluation.publishers import Publisher
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    DataTable,
    Heading,
    Paragraph,
    Table,
    TableBlock,
    Value,
)
from telemed_forecast.reporting.content import parts

Values = dict[str, Value | str | int | float]

WORST = 8
"""Published forecasts that are shown at once; the folded table holds all."""

CLOSE = 1.25
"""Factor within which a forecast counts as close."""


def multiple(factor: float, low: float | None = None, high: float | None = None, level: float = 0.8) -> Value:
    """A factor, with its interval where it has one."""
    if low is None or high is None:
        return Value(value=factor, unit="multiple", digits=3)
    return Value(value=factor, unit="multiple", low=low, high=high, level=level)


def percent(share: float, low: float | None = None, high: float | None = None, level: float = 0.8) -> Value:
    """A part of one as a percentage."""
    if low is None or high is None:
        return Value(value=100.0 * share, unit="percent", digits=2)
    return Value(value=100.0 * share, unit="percent", low=100.0 * low, high=100.0 * high, level=level)


def factor(error: np.ndarray) -> Value:
    """Draws of an error as a factor."""
    if len(error) == 1:
        return multiple(float(np.exp(error[0])))
    return parts.value(np.exp(error), "multiple")


def quantity(forecast: PublishedForecast) -> str:
    """What a forecast is about: a text key, or a company's name, which stands for its revenue."""
    if forecast.metric == "market_size":
        return f"@definition.{forecast.definition}"
    if forecast.metric == "revenue":
        return parts.origin_name(forecast.segment)
    return f"@review.quantity.{forecast.metric}.{forecast.segment}"


def period(forecast: PublishedForecast) -> str:
    """A calendar year by its number, everything else by its last day."""
    end = forecast.end
    return str(end.year) if end == date(end.year, 12, 31) else end.isoformat()


def claims(found: Sequence[Judged]) -> tuple[str, ...]:
    """The forecasts and what they are held against."""
    return tuple(dict.fromkeys(c for one in found for c in (one.forecast.claim_id, *one.truth.claims)))


def league(record: TrackRecord) -> list[Block]:
    """Who was right, how far off, in which direction: by publisher and one by one."""
    found = record.league
    if not found:
        return [Heading(key="record.league"), Paragraph(key="record.league_none"), *_unscored(record)]
    return [
        Heading(key="record.league"),
        Paragraph(key="record.league_text", values=_values(found), sources=claims(found)),
        Paragraph(key="record.league_judge", values=_judges(found)),
        _table("record_worst_published", found[:WORST], {"number": min(WORST, len(found))}, folded=False),
        Heading(key="record.publishers", level=3),
        Paragraph(key="record.publishers_text", values=_alone(record.publishers)),
        _publisher_chart(record),
        _publisher_table(record),
        _table("record_league", found, {"number": len(found)}, folded=True),
        *_unscored(record),
    ]


def _values(found: Sequence[Judged]) -> Values:
    verdicts = Counter(one.verdict for one in found)
    errors = [abs(one.off) for one in found]
    return {
        "number": len(found),
        "publishers": len({one.forecast.origin for one in found}),
        "outcomes": len({one.forecast.outcome for one in found}),
        "factor": multiple(float(np.exp(np.median(errors)))),
        "close": sum(error <= np.log(CLOSE) for error in errors),
        "bound": percent(CLOSE - 1.0),
        "double": sum(error >= np.log(2.0) for error in errors),
        "high": verdicts["high"],
        "low": verdicts["low"],
        "open": verdicts["open"],
    }


def _judges(found: Sequence[Judged]) -> Values:
    kinds = Counter(one.truth.kind for one in found)
    return {kind: kinds[kind] for kind in ("count", "estimate", "between", "inferred")}


def _alone(publishers: Sequence[Publisher]) -> Values:
    return {"publishers": len(publishers), "alone": sum(one.occasions == 1 for one in publishers)}


def _table(name: str, found: Sequence[Judged], values: dict[str, Any], *, folded: bool) -> TableBlock:
    columns = (
        Column(name="origin", key="record.column.publisher"),
        Column(name="published_on", key="column.published_on"),
        Column(name="quantity", key="record.column.quantity"),
        Column(name="period", key="record.column.period"),
        Column(name="forecast", key="record.column.forecast"),
        Column(name="came", key="record.column.came"),
        Column(name="ratio", key="record.column.ratio", unit="multiple"),
        Column(name="verdict", key="record.column.verdict"),
        Column(name="judge", key="record.column.judge"),
        Column(name="ours", key="record.column.ours_ratio", unit="multiple"),
        Column(name="claim_id", key="column.claim_id"),
    )
    rows = tuple(
        (
            parts.origin_name(one.forecast.origin),
            one.forecast.published.isoformat()[:7],
            quantity(one.forecast),
            period(one.forecast),
            said(one.forecast),
            came(one),
            factor(one.error),
            f"@record.verdict.{one.verdict}",
            f"@record.judge.{one.truth.kind}",
            factor(one.ours.error) if one.ours is not None else None,
            one.forecast.claim_id,
        )
        for one in found
    )
    # The row of the ledger is one column more than a screen has room for, and the sources name it anyway.
    kept = [k for k, column in enumerate(columns) if folded or column.name not in ("judge", "claim_id", "ours")]
    return TableBlock(
        id=name,
        title_key=f"table.{name}.title",
        title_values=values,
        note_key=f"table.{name}.note",
        columns=tuple(columns[k] for k in kept),
        rows=tuple(tuple(row[k] for k in kept) for row in rows),
        sources=claims(found),
        folded=folded,
    )


def said(forecast: PublishedForecast) -> Value:
    """The published forecast, money in yuan."""
    return Value(value=forecast.value, unit=forecast.unit, digits=4)


def came(one: Judged) -> Value:
    """What came, with its interval unless it was counted."""
    if len(one.truth.draws) == 1:
        return Value(value=float(one.truth.draws[0]), unit=one.forecast.unit, digits=4)
    return parts.value(one.truth.draws, one.forecast.unit)


def _publisher_chart(record: TrackRecord) -> Chart:
    shown = record.publishers
    rows = tuple(
        (
            parts.origin_name(one.origin),
            float(np.exp(one.typical)),
            float(np.exp(one.typical_low)),
            float(np.exp(one.typical_high)),
        )
        for one in shown
    )
    return Chart(
        id="record_publishers",
        kind="dots",
        title_key="chart.record_publishers.title",
        alt_key="chart.record_publishers.alt",
        alt_values={"first": rows[0][0], "last": rows[-1][0], "number": len(rows), **_overlaps(rows)},
        unit="multiple",
        data=Table(columns=("category", "value", "low", "high"), rows=rows),
        sources=tuple(one.claims[0] for one in shown),
    )


def _overlaps(rows: Sequence[tuple[str, float, float, float]]) -> Values:
    """How many pairs of intervals overlap, of all pairs."""
    pairs = list(combinations(rows, 2))
    return {"overlap": sum(a[2] <= b[3] and b[2] <= a[3] for a, b in pairs), "pairs": len(pairs)}


def _publisher_table(record: TrackRecord) -> TableBlock:
    columns = (
        Column(name="origin", key="record.column.publisher"),
        Column(name="number", key="record.column.forecasts"),
        Column(name="outcomes", key="record.column.outcomes"),
        Column(name="absolute", key="record.column.absolute", unit="multiple"),
        Column(name="lean", key="record.column.lean", unit="multiple"),
        Column(name="high", key="record.column.high"),
        Column(name="low", key="record.column.low"),
        Column(name="typical", key="record.column.typical", unit="multiple"),
        Column(name="better", key="record.column.better", unit="probability"),
    )
    rows = tuple(
        (
            parts.origin_name(one.origin),
            one.number,
            one.outcomes,
            multiple(float(np.exp(one.absolute))),
            multiple(float(np.exp(one.lean))),
            one.high,
            one.low,
            multiple(*(float(np.exp(v)) for v in (one.typical, one.typical_low, one.typical_high))),
            parts.chance(one.better),
        )
        for one in record.publishers
    )
    return TableBlock(
        id="record_publisher_table",
        title_key="table.record_publisher_table.title",
        note_key="table.record_publisher_table.note",
        columns=columns,
        rows=rows,
        sources=tuple(claim for one in record.publishers for claim in one.claims),
        folded=True,
    )


def _unscored(record: TrackRecord) -> list[Block]:
    """What is not scored, and why: counts on the page, the whole list as a file."""
    if not record.unscored:
        return []
    reasons = Counter(one.reason for one in record.unscored)
    table = TableBlock(
        id="record_unscored_reasons",
        title_key="table.record_unscored_reasons.title",
        columns=(Column(name="reason", key="record.column.reason"), Column(name="rows", key="record.column.forecasts")),
        rows=tuple((f"@record.reason.{name}", count) for name, count in reasons.most_common()),
        folded=True,
    )
    rows = tuple(
        (one.claim_id, one.metric, one.segment, parts.origin_name(one.origin), one.end.isoformat(), one.reason)
        for one in record.unscored
    )
    columns = ("claim_id", "metric", "segment", "origin", "period_end", "reason")
    whole = DataTable(
        id="record_unscored",
        key="record.unscored_file",
        values={"number": len(rows)},
        data=Table(columns=columns, rows=rows),
    )
    return [table, whole]


def same_day(record: TrackRecord) -> list[Block]:
    """What our models would have said on the day of each published forecast, and who was nearer."""
    pairs = [one for one in record.league if one.ours is not None]
    if record.same_day is None or not pairs:
        return [Heading(key="record.same_day"), Paragraph(key="record.same_day_none")]
    without = Counter(one.why_not for one in record.league)
    why: Values = {name: without[name] for name in ("undated", "early", "nothing")}
    shown: list[Block] = [
        Heading(key="record.same_day"),
        Paragraph(key="record.same_day_text", values={**_duel(record.same_day), **why}),
    ]
    if record.same_day_by_others is not None:
        shown.append(Paragraph(key="record.same_day_others", values=_duel(record.same_day_by_others)))
    return [*shown, _pairs(pairs)]


def _duel(duel: HeadToHead) -> Values:
    return {
        "number": duel.number,
        "outcomes": duel.outcomes,
        "closer": percent(duel.closer, duel.low, duel.high),
        "ours": multiple(float(np.exp(duel.ours))),
        "theirs": multiple(float(np.exp(duel.theirs))),
        "inside": duel.inside,
    }


def _pairs(pairs: Sequence[Judged]) -> TableBlock:
    columns = (
        Column(name="origin", key="record.column.publisher"),
        Column(name="published_on", key="column.published_on"),
        Column(name="quantity", key="record.column.quantity"),
        Column(name="period", key="record.column.period"),
        Column(name="forecast", key="record.column.forecast"),
        Column(name="made", key="rivals.made"),
        Column(name="ours", key="record.column.ours"),
        Column(name="came", key="record.column.came"),
        Column(name="closer", key="record.column.closer", unit="probability"),
    )
    rows = tuple(
        (
            parts.origin_name(one.forecast.origin),
            one.forecast.published.isoformat()[:7],
            quantity(one.forecast),
            period(one.forecast),
            said(one.forecast),
            one.ours.origin.isoformat(),
            Value(value=one.ours.median, unit=one.forecast.unit, low=one.ours.low, high=one.ours.high),
            came(one),
            parts.chance(one.ours.closer),
        )
        for one in sorted(pairs, key=lambda one: (one.forecast.published, one.forecast.claim_id))
        if one.ours is not None
    )
    return TableBlock(
        id="record_same_day",
        title_key="table.record_same_day.title",
        title_values={"number": len(rows)},
        note_key="table.record_same_day.note",
        columns=columns,
        rows=rows,
        sources=claims(pairs),
        folded=True,
    )
