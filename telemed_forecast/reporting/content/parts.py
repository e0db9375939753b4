"""Blocks that every report has: key figures, fan charts with their evidence, and the record at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from telemed_forecast.evidence import ledger
from telemed_forecast.exhibits.evidence import origin_name, printed_figure
from telemed_forecast.exhibits.numbers import chance, share, status, value
from telemed_forecast.forecast import hub
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path, interval
from telemed_forecast.reporting.blocks import (
    Block,
    Column,
    ForecastTable,
    GateResult,
    Gates,
    KeyFigure,
    Provenance,
    SourceRow,
    Sources,
    Table,
    TableBlock,
    Value,
)

if TYPE_CHECKING:
    from telemed_forecast.fits.store import Fit

Sections = dict[str, list[Block]]

__all__ = ["chance", "interval", "origin_name", "printed_figure", "share", "value"]

PACKAGES = ("pymc", "nutpie", "arviz", "prophet", "pandas", "numpy", "telemed-forecast")


def percent(share: float, low: float | None = None, high: float | None = None, level: float = 0.8) -> Value:
    """A part of one as a percentage, with its interval where it has one."""
    if low is None or high is None:
        return Value(value=100.0 * float(share), unit="percent", digits=2)
    return Value(value=100.0 * share, unit="percent", low=100.0 * low, high=100.0 * high, level=level)


def multiple(error: float, low: float = np.nan, high: float = np.nan, level: float = 0.8) -> Value:
    """An error on the log scale as a factor, with its interval where it has one."""
    factor, first, last = np.exp([error, low, high]).tolist()
    if np.isnan(low):
        return Value(value=factor, unit="multiple", digits=3)
    return Value(value=factor, unit="multiple", low=first, high=last, level=level)


def printed(figure: float, unit: Any) -> Value:
    """A figure as it was printed."""
    return Value(value=float(figure), unit=unit, digits=4)


def said(one: Any) -> Value:
    """Median and 80% interval of a row of scores."""
    return Value(value=one.median, unit=one.unit, low=one.low, high=one.high)


def ratio(number: float) -> Value:
    """A score, or another number without a unit."""
    return Value(value=float(number), unit="ratio", digits=2)


Cells = Sequence[tuple[str, str, Any, Callable[[Any], Any]]]
"""Columns of a table: name, text key of the heading, unit (or None), and row -> cell."""


def table(name: str, rows: pd.DataFrame | Iterable[Any], columns: Cells, **extra: Any) -> TableBlock:
    """A table whose every column is told in one place; texts are ``table.<name>.title`` and ``.note`` unless given."""
    each = rows.itertuples(index=False) if isinstance(rows, pd.DataFrame) else rows
    texts = {"title_key": f"table.{name}.title", "note_key": f"table.{name}.note"}
    return TableBlock(
        id=name,
        columns=tuple(Column(name=column, key=key, unit=unit) for column, key, unit, _ in columns),
        rows=tuple(tuple(cell(row) for *_, cell in columns) for row in each),
        **(texts | extra),
    )


def key_figure(
    name: str, figure: Value, period: str, sources: Sequence[str], fits: Sequence[Fit], **extra: Any
) -> KeyFigure:
    """A headline number; its label is the text ``figure.<name>``."""
    return KeyFigure(
        id=name,
        key=f"figure.{name.rsplit('_', 1)[0] if name[-1].isdigit() else name}",
        value=figure,
        period=period,
        sources=tuple(sources),
        status=status(*fits),
        **extra,
    )


def gates(context: Context, *fits: Fit) -> Gates:
    """The gates of every fit behind the page."""
    return Gates(fits=tuple(GateResult(**fit.gate.to_dict(), profile=context.settings.profile) for fit in fits))


def forecasts(context: Context, paths: Iterable[Path]) -> ForecastTable:
    """The hub-format rows of the page."""
    settings = context.settings
    rows = hub.rows(paths, reference=settings.as_of_date, scenario=context.scenario.name, model="telemed_forecast")
    columns = tuple(rows[0])
    return ForecastTable(data=Table(columns=columns, rows=tuple(tuple(r.values()) for r in rows)))


def _address(url: str) -> str:
    """The address of a source on the web; the founding articles are files and have none."""
    return url if url.startswith(("http://", "https://")) else ""


def record(context: Context, sections: Sections, parameters: dict[str, Any]) -> list[Block]:
    """Sources of everything cited in the sections, and how the numbers were made."""
    cited = dict.fromkeys(c for blocks in sections.values() for block in blocks for c in block.claims())
    view, events = context.view.set_index("claim_id"), ledger.policy_events().set_index("event_id")
    rows = tuple(_event_row(c, events.loc[c]) if c in events.index else _claim_row(c, view.loc[c]) for c in cited)
    settings = context.settings
    provenance = Provenance(
        as_of=settings.as_of_date,
        vintage=ledger.vintage_date(),
        scenario=context.scenario.name,
        seed=settings.seed,
        profile=settings.profile,
        versions={name: metadata.version(name) for name in PACKAGES},
        # Where a file of the user's own lies is nobody's business.
        parameters={**parameters, "scenario": context.scenario.name},
    )
    return [Sources(rows=rows), provenance]


def _claim_row(claim: str, row: Any) -> SourceRow:
    return SourceRow(
        claim_id=claim,
        origin=origin_name(str(row["origin"])),
        title=str(row["source_title"] or row["publisher"] or claim),
        url=_address(str(row["url"])),
        date=str(row["source_date"] or "")[:10],
        grade=str(row["grade"]),
    )


def _event_row(event: str, row: Any) -> SourceRow:
    return SourceRow(
        claim_id=event,
        origin=str(row["jurisdiction"]),
        title=str(row["event"]),
        url=_address(str(row["url"])),
        date=str(row["date"]),
    )
