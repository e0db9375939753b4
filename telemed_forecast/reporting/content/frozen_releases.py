"""The part of the track record on releases: forecasts frozen before their figures came."""

from __future__ import annotations

from typing import Any

from telemed_forecast.evaluation.frozen_forecasts import Frozen
from telemed_forecast.evaluation.scores import HELD
from telemed_forecast.reporting.blocks import Block, Heading, Paragraph, Value
from telemed_forecast.reporting.content import parts

SHOWN = 6
"""Forecasts that wait for their figures and are named: the next due."""

FORECAST: parts.Cells = (
    ("release", "record.column.release", None, lambda one: one.release),
    ("target", "record.column.quantity", None, lambda one: f"@target.{one.target}"),
    ("day", "column.day", None, lambda one: one.day),
)

SCORES: parts.Cells = (
    *FORECAST,
    ("forecast", "rivals.forecast", None, parts.said),
    ("published", "rivals.published", None, lambda one: parts.printed(one.published, one.unit)),
    ("crps", "record.column.crps", "ratio", lambda one: parts.ratio(one.crps)),
    ("held", "rivals.held", None, lambda one: f"@record.held.{_held(one)}"),
    ("origin", "column.origin", None, lambda one: parts.origin_name(one.publisher)),
)

WAITING: parts.Cells = (*FORECAST, ("due", "record.column.due", None, lambda one: one.due))


def blocks(frozen: Frozen) -> list[Block]:
    """What was frozen, what has come of it, and what is due next."""
    heading = Heading(key="record.frozen")
    if frozen.altered:
        return [heading, Paragraph(key="record.frozen_altered")]
    if not frozen.releases:
        return [heading, Paragraph(key="record.frozen_none")]
    scored, waiting = frozen.scores, frozen.waiting
    values: dict[str, Value | str | int | float] = {
        "releases": len(frozen.releases),
        "scored": len(scored),
        "waiting": len(waiting),
    }
    shown: list[Block] = [heading, Paragraph(key="record.frozen_text", values=values)]
    if len(scored):
        extra = {"title_values": {"number": len(scored)}, "folded": len(scored) > SHOWN}
        sources = tuple(scored["claim_id"].unique())
        shown.append(parts.table("record_frozen", scored, SCORES, sources=sources, **extra))
    if len(waiting):
        next_due = waiting.head(SHOWN)
        numbers = {"number": len(next_due), "waiting": len(waiting)}
        shown.append(parts.table("record_waiting", next_due, WAITING, title_values=numbers))
    return shown


def _held(one: Any) -> str:
    return "doubtful" if one.doubtful else "yes" if getattr(one, HELD) else "no"
