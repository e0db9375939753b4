"""The appendix's list of published figures by what each does to the headline."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.forecast.context import Context
from telemed_forecast.reporting.blocks import (
    Block,
    Column,
    DataTable,
    Heading,
    Paragraph,
    Table,
    TableBlock,
    Value,
)
from telemed_forecast.reporting.content import parts

SHOWN = 8
"""Figures on the page; all of them are in the file."""

WIDTH = NormalDist().inv_cdf(0.9)
"""Half the width of a normal 80% interval, in standard errors."""

COLUMNS = (
    "claim_id",
    "metric",
    "segment",
    "period_end",
    "origin",
    "grade",
    "target",
    "unit",
    "moved",
    "moved_error",
    "half_widths",
    "khat",
    "told",
)


def blocks(context: Context, found: Sequence[Influence]) -> list[Block]:
    """What the headline owes to each figure; nothing when that was not asked.

    Parameters
    ----------
    context
        Settings and evidence.
    found
        As `telemed_forecast.evaluation.influence.influences` gives them.
    """
    if not found:
        return []
    told = [one for one in found if one.told == "yes"]
    # A figure with rows on several quantities is one figure.
    weighed = {one.claim for one in told}
    values: dict[str, Value | str | int | float] = {
        "horizon": context.settings.horizon,
        "told": len(weighed),
        "unreliable": len({one.claim for one in found if one.told == "unreliable"} - weighed),
        "no_row": sum(one.told == "no_row" for one in found),
    }
    beside = sum(one.told == "not_shown" for one in found)
    return [
        Heading(key="influence.heading", level=3),
        Paragraph(key="influence.text", values=values),
        *([Paragraph(key="influence.not_shown", values={"number": beside})] if beside else []),
        *([_strongest(context, told[:SHOWN])] if told else []),
        _file(context, found),
    ]


def _strongest(context: Context, told: Sequence[Influence]) -> TableBlock:
    """The figures that move the headline most."""
    view = context.view.set_index("claim_id")
    # The name of the quantity stands only where a report has several.
    several = len({one.path.target for one in told if one.path}) > 1
    columns = (
        Column(name="claim_id", key="column.claim_id"),
        Column(name="moved", key="influence.moved", digits=2),
        Column(name="half_widths", key="influence.half_widths", unit="ratio"),
        *((Column(name="target", key="influence.target"),) if several else ()),
        Column(name="origin", key="column.origin"),
        Column(name="day", key="column.day"),
        Column(name="grade", key="column.grade"),
    )
    rows = tuple(
        (
            one.claim,
            Value(value=one.moved, unit=one.path.unit if one.path else "ratio", digits=2),
            _half_widths(one),
            *((_label(one),) if several else ()),
            parts.origin_name(str(view.loc[one.claim, "origin"])),
            str(view.loc[one.claim, "period_end"])[:10],
            str(view.loc[one.claim, "grade"]),
        )
        for one in told
    )
    return TableBlock(
        id="influence_most",
        title_key="influence.title",
        note_key="influence.note",
        columns=columns,
        rows=rows,
        sources=tuple(dict.fromkeys(one.claim for one in told)),
    )


def _half_widths(one: Influence) -> Value:
    """The move in half-widths, with the 80% interval of what the finite number of draws leaves open."""
    around = abs(one.half_widths / one.moved) * one.error * WIDTH if one.moved else 0.0
    ends = {"low": one.half_widths - around, "high": one.half_widths + around}
    return Value(value=one.half_widths, unit="ratio", digits=2, **ends)


def _label(one: Influence) -> str:
    return f"@target.{one.path.target}" if one.path else ""


def _file(context: Context, found: Sequence[Influence]) -> DataTable:
    """Every figure, also those whose effect is not told."""
    view = context.view.set_index("claim_id")
    rows = tuple(_row(view.loc[one.claim], one) for one in found)
    return DataTable(
        id="influence", key="influence.file", values={"number": len(rows)}, data=Table(columns=COLUMNS, rows=rows)
    )


def _row(row: Any, one: Influence) -> tuple[Any, ...]:
    named = [str(row[name]) for name in ("metric", "segment")]
    numbers = [_known(number) for number in (one.moved, one.error, one.half_widths, one.khat)]
    made = [str(row["period_end"])[:10], str(row["origin"]), str(row["grade"])]
    aimed = [one.path.target, one.path.unit] if one.path else [None, None]
    return (one.claim, *named, *made, *aimed, *numbers, one.told)


def _known(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
