"""The part of the track record on releases: forecasts frozen before their figures came."""

from __future__ import annotations

from telemed_forecast.evaluation.frozen_forecasts import FrozenScore
from telemed_forecast.evaluation.misses import LEVEL
from telemed_forecast.evaluation.track_record import Frozen
from telemed_forecast.reporting.blocks import Block, Column, Heading, Paragraph, TableBlock, Value
from telemed_forecast.reporting.content import parts

SHOWN = 6
"""Forecasts that wait for their figures and are named: the next due."""


def blocks(frozen: Frozen) -> list[Block]:
    """What was frozen, what has come of it, and what is due next."""
    heading = Heading(key="record.frozen")
    if frozen.altered:
        return [heading, Paragraph(key="record.frozen_altered")]
    if not frozen.releases:
        return [heading, Paragraph(key="record.frozen_none")]
    values: dict[str, Value | str | int | float] = {
        "releases": len(frozen.releases),
        "scored": len(frozen.scores),
        "waiting": len(frozen.waiting),
    }
    shown: list[Block] = [heading, Paragraph(key="record.frozen_text", values=values)]
    if frozen.scores:
        shown.append(_scores(frozen))
    if frozen.waiting:
        shown.append(_waiting(frozen))
    return shown


def _scores(frozen: Frozen) -> TableBlock:
    columns = (
        Column(name="release", key="record.column.release"),
        Column(name="target", key="record.column.quantity"),
        Column(name="day", key="column.day"),
        Column(name="forecast", key="rivals.forecast"),
        Column(name="published", key="rivals.published"),
        Column(name="crps", key="record.column.crps", unit="ratio"),
        Column(name="held", key="rivals.held"),
        Column(name="origin", key="column.origin"),
    )
    return TableBlock(
        id="record_frozen",
        title_key="table.record_frozen.title",
        title_values={"number": len(frozen.scores)},
        note_key="table.record_frozen.note",
        columns=columns,
        rows=tuple(_score(one) for one in frozen.scores),
        sources=tuple(dict.fromkeys(one.claim_id for one in frozen.scores)),
        folded=len(frozen.scores) > SHOWN,
    )


def _score(one: FrozenScore) -> tuple[str | Value, ...]:
    held = "doubtful" if one.doubtful else "yes" if one.inside[LEVEL] else "no"
    return (
        one.release,
        f"@target.{one.target}",
        one.end.isoformat(),
        Value(value=one.median, unit=one.unit, low=one.low, high=one.high),
        Value(value=one.published, unit=one.unit, digits=4),
        Value(value=one.crps, unit="ratio", digits=2),
        f"@record.held.{held}",
        parts.origin_name(one.origin),
    )


def _waiting(frozen: Frozen) -> TableBlock:
    columns = (
        Column(name="release", key="record.column.release"),
        Column(name="target", key="record.column.quantity"),
        Column(name="day", key="column.day"),
        Column(name="due", key="record.column.due"),
    )
    return TableBlock(
        id="record_waiting",
        title_key="table.record_waiting.title",
        title_values={"number": min(SHOWN, len(frozen.waiting)), "waiting": len(frozen.waiting)},
        note_key="table.record_waiting.note",
        columns=columns,
        rows=tuple(
            (one.release, f"@target.{one.target}", one.end.isoformat(), one.due.isoformat() if one.due else None)
            for one in frozen.waiting[:SHOWN]
        ),
    )
