"""An exhibit as its readers see it: what the catalogue says of its frame, in the words of one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from telemed_forecast.exhibits.exhibit import DIGITS, HIGH, LOW, UNIT, Exhibit, records
from telemed_forecast.exhibits.values import Unit, Value
from telemed_forecast.render.findings import found
from telemed_forecast.render.looks import ColumnLook, column_look, family, look
from telemed_forecast.render.texts import Catalogue, placeholders

WIDE = 8.0
"""An axis that may be logarithmic is, when its largest number is that many times its smallest."""

Cell = Value | str | int | float | bool | None
Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A table's column: name, heading, unit (None where cells have their own or none), digits, and its cells."""

    name: str
    heading: str
    unit: str | None
    digits: int | None
    cells: list[Cell]


class Readable:
    """An exhibit in one language.

    Parameters
    ----------
    exhibit
        Frame and name.
    texts
        Texts of the language.
    """

    def __init__(self, exhibit: Exhibit, texts: Catalogue) -> None:
        self.exhibit, self.texts = exhibit, texts
        self.name, self.entry = exhibit.name, exhibit.entry or exhibit.name
        self.look = look(self.entry)

    @property
    def kind(self) -> str:
        """chart, table or file."""
        return self.look.kind if self.look.kind in ("table", "file") else "chart"

    @property
    def folded(self) -> bool:
        """Whether a table shows its title only until the reader opens it."""
        most = self.look.folded
        return most if isinstance(most, bool) else len(self.exhibit.frame) > most

    def text(self, part: str) -> str:
        """Its title, alt, x or reference: its own, or of what it is like."""
        return self.note(part) or self.texts.text(f"exhibit.{self.entry}.{part}")

    def note(self, part: str = "note") -> str:
        """A text that it may have; empty without one."""
        key = self._key(part)
        facts = {name: fact for name, fact in self.exhibit.facts.items() if fact is not None}
        return self.texts.text(key, facts) if key else ""

    @cached_property
    def finding(self) -> str:
        """What a chart finds, as a sentence with its numbers; its title where it has none, or a number is not known."""
        key = self._key("finding")
        if not key:
            return self.text("title")
        known = {**self.exhibit.facts, **found(self)}
        facts = {name: fact for name, fact in known.items() if fact is not None}
        told = placeholders(self.texts.texts[key]) <= facts.keys()
        return self.texts.text(key, facts) if told else self.text("title")

    def _key(self, part: str) -> str | None:
        keys = (f"exhibit.{name}.{part}" for name in family(self.entry))
        return next((key for key in keys if key in self.texts.texts), None)

    # Charts

    @property
    def unit(self) -> Unit:
        """Unit of a chart's numbers."""
        units = self.exhibit.units
        return cast(Unit, units.get("median") or units.get("value") or self.look.unit)

    @property
    def reference(self) -> float | None:
        """A value to compare with."""
        stated = self.exhibit.facts["reference"] if self.look.reference == "fact" else self.look.reference
        return stated if isinstance(stated, int | float) else None

    @cached_property
    def log(self) -> bool:
        """Whether the value axis is logarithmic."""
        if self.look.log == "wide":
            return self.unit != "percent" and max(self.numbers) > WIDE * min(self.numbers)
        return bool(self.look.log)

    @cached_property
    def rows(self) -> list[Row]:
        """Rows of the frame, labels as words."""
        return self._worded(records(self.exhibit.frame), self.look.words)

    @cached_property
    def points(self) -> list[Row]:
        """Published figures in a fan."""
        return self._layer("points")

    @cached_property
    def lines(self) -> list[Row]:
        """Cross-check lines in a fan."""
        return self._layer("lines")

    @cached_property
    def numbers(self) -> list[float]:
        """Sizes of all numbers on the value axis."""
        cells = [c for row in (*self.rows, *self.points, *self.lines) for name, c in row.items() if name != "period"]
        return [abs(float(cell)) for cell in cells if is_number(cell)]

    def _layer(self, name: str) -> list[Row]:
        frame = self.exhibit.layers.get(name)
        return [] if frame is None else self._worded(records(frame), {"series": "series"})

    def _worded(self, rows: list[Row], words: Mapping[str, str]) -> list[Row]:
        return [{name: self._word(cell, words.get(name, "")) for name, cell in row.items()} for row in rows]

    def _word(self, cell: Any, words: str) -> Any:
        """A label as the catalogue's word of a family; other text as it is."""
        if not isinstance(cell, str):
            return cell
        return self.texts.label(f"@{words}.{cell}" if words else cell)

    # Tables

    @cached_property
    def columns(self) -> list[Column]:
        """Columns of a table: an interval, a unit and digits belong to their number's."""
        rows, columns = records(self.exhibit.frame), []
        for name in _heads(self.exhibit.frame.columns):
            stated = column_look(name, self.look)
            unit = self.exhibit.units.get(name) or stated.unit or None
            cells = [self._cell(row, name, row.get(name + UNIT) or unit, stated) for row in rows]
            columns.append(Column(name, self._heading(name), unit, stated.digits, cells))
        return columns

    def _heading(self, column: str) -> str:
        """A column's heading: the exhibit's own, the catalogue's, or a quantity's or report's name."""
        shared = (f"column.{column}", f"target.{column}", f"report.{column}.title")
        key = self._key(f"column.{column}") or next((key for key in shared if key in self.texts.texts), shared[0])
        return self.texts.text(key, self.exhibit.facts)

    def _cell(self, row: Row, name: str, unit: Any, stated: ColumnLook) -> Cell:
        cell, low, high = row[name], row.get(name + LOW), row.get(name + HIGH)
        if cell is None or isinstance(cell, str):
            return self._word(cell, stated.words)
        if low is None and stated.significant is None:
            return cell
        digits = row.get(name + DIGITS) or (None if stated.significant == "printed" else stated.significant)
        return Value(value=cell, unit=unit, low=low, high=high, digits=digits)


def is_number(cell: Any) -> bool:
    """Whether a cell is a number; a truth is none."""
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _heads(columns: Iterable[str]) -> list[str]:
    names = list(columns)
    belongs = {name + ending for name in names for ending in (LOW, HIGH, UNIT, DIGITS)}
    return [name for name in names if name not in belongs]
