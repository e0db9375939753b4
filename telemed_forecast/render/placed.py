"""Exhibits as the page's charts and tables: a frame and its look, in the units and with the texts of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from telemed_forecast.exhibits.exhibit import HIGH, LOW, UNIT, Exhibit, records
from telemed_forecast.exhibits.values import Value
from telemed_forecast.render.looks import Look, column_look, family, look
from telemed_forecast.render.texts import catalogue
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    DataTable,
    ForecastTable,
    GateResult,
    Gates,
    Provenance,
    SourceRow,
    Sources,
    Table,
    TableBlock,
)

RECORD = ("gates", "forecasts", "sources", "provenance")
"""Exhibits that a page does not place: it ends with them."""


def block_of(exhibit: Exhibit) -> Block:
    """The chart, the table or the link to a file that stands for an exhibit."""
    stated = look(exhibit.name)
    if stated.kind == "table":
        return _table(exhibit, stated)
    if stated.kind == "file":
        data = _named(exhibit.frame, stated.words)
        return DataTable(id=exhibit.name, key=_key(exhibit, "title"), values=dict(exhibit.facts), data=data)
    return _chart(exhibit, stated)


def record_of(exhibits: Mapping[str, Exhibit], cited: Iterable[str]) -> list[Block]:
    """Gates, forecasts, the sources of what is cited in that order, and how the numbers were made."""
    rows = {row["claim_id"]: row for row in records(exhibits["sources"].frame)}
    made: dict[str, dict[str, Any]] = {}
    for row in records(exhibits["provenance"].frame):
        made.setdefault(row["kind"], {})[row["name"]] = row["value"]
    return [
        Gates(fits=tuple(GateResult(**row) for row in records(exhibits["gates"].frame))),
        *([ForecastTable(data=_plain(exhibits["forecasts"].frame))] if "forecasts" in exhibits else []),
        Sources(rows=tuple(SourceRow(**rows[claim]) for claim in cited if claim in rows)),
        Provenance(**made["setting"], parameters=made.get("parameter", {}), versions=made["version"]),
    ]


def _key(exhibit: Exhibit, part: str) -> str:
    """Text key of an exhibit's title, alt, note, x or reference: its own, or of what it is like."""
    return _optional_key(exhibit, part) or f"exhibit.{exhibit.name}.{part}"


def _optional_key(exhibit: Exhibit, part: str) -> str | None:
    texts = catalogue("en").texts
    return next((key for name in family(exhibit.name) if (key := f"exhibit.{name}.{part}") in texts), None)


def _chart(exhibit: Exhibit, stated: Look) -> Chart:
    unit = exhibit.units.get("median") or exhibit.units.get("value") or stated.unit
    reference = exhibit.facts["reference"] if stated.reference == "fact" else stated.reference
    facts = {name: fact for name, fact in exhibit.facts.items() if fact is not None}
    layers = {name: _named(frame, {"series": "series"}) for name, frame in exhibit.layers.items()}
    return Chart(
        id=exhibit.name,
        kind=stated.kind,
        title_key=_key(exhibit, "title"),
        title_values=facts,
        alt_key=_key(exhibit, "alt"),
        alt_values=facts,
        caption_key=_optional_key(exhibit, "note"),
        caption_values=facts,
        unit=unit,
        data=_named(exhibit.frame, stated.words),
        as_of=exhibit.as_of,
        x=stated.x,
        x_key=_key(exhibit, "x") if stated.x_title else None,
        reference=reference,
        reference_key=None if reference is None else _key(exhibit, "reference"),
        log=stated.log,
        sources=exhibit.claims,
        **layers,
    )


def _table(exhibit: Exhibit, stated: Look) -> TableBlock:
    names = _heads(exhibit.frame.columns)
    looks = {name: column_look(name, stated) for name in names}
    units = {name: exhibit.units.get(name) or looks[name].unit or None for name in names}
    columns = [
        Column(name=name, key=_heading(exhibit, name), unit=units[name], digits=looks[name].digits) for name in names
    ]
    facts = {name: fact for name, fact in exhibit.facts.items() if fact is not None}
    rows = []
    for row in records(exhibit.frame):
        own = {name: row.get(name + UNIT) or units[name] for name in names}
        rows.append(tuple(_cell(row, name, own[name], looks[name].significant, looks[name].words) for name in names))
    return TableBlock(
        id=exhibit.name,
        title_key=_key(exhibit, "title"),
        title_values=facts,
        note_key=_optional_key(exhibit, "note"),
        note_values=facts,
        columns=tuple(columns),
        rows=tuple(rows),
        sources=exhibit.claims,
        folded=stated.folded,
    )


def _heads(columns: Iterable[str]) -> list[str]:
    """Columns that have a heading: an interval and a unit belong to their number's."""
    names = list(columns)
    belongs = {name + ending for name in names for ending in (LOW, HIGH, UNIT)}
    return [name for name in names if name not in belongs]


def _heading(exhibit: Exhibit, column: str) -> str:
    """Text key of a column's heading: the exhibit's own, the catalogue's, or a quantity's or report's name."""
    own = _optional_key(exhibit, f"column.{column}")
    texts, shared = catalogue("en").texts, (f"column.{column}", f"target.{column}", f"report.{column}.title")
    return own or next((key for key in shared if key in texts), shared[0])


def _cell(row: Mapping[str, Any], name: str, unit: str | None, significant: int | str | None, words: str) -> Any:
    cell, low, high = row[name], row.get(name + LOW), row.get(name + HIGH)
    if cell is None:
        return None
    if isinstance(cell, str):
        return f"@{words}.{cell}" if words else cell
    alone = low is not None or significant is not None
    digits = None if significant == "printed" else significant
    return Value(value=cell, unit=unit, low=low, high=high, digits=digits) if alone else cell


def _named(frame: Any, words: Mapping[str, str]) -> Table:
    """A chart's data, labels turned into keys of their words."""
    rows = records(frame)
    for row in rows:
        for name in words.keys() & row.keys():
            row[name] = f"@{words[name]}.{row[name]}"
    return Table(columns=tuple(frame.columns), rows=tuple(tuple(row.values()) for row in rows))


def _plain(frame: Any) -> Table:
    return _named(frame, {})
