"""What blocks are made of: a number with unit and interval, a table of plain cells, the base, and checks.

Faults are found where the atom is made and name the column, the row and the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, get_args

from pydantic import model_validator

from telemed_forecast.exhibits.values import UNITS, ClaimId, Frozen, Id, TextKey, Unit, Value

__all__ = [
    "MIME",
    "UNITS",
    "Block",
    "Cell",
    "ClaimId",
    "Frozen",
    "Id",
    "Language",
    "Table",
    "TextKey",
    "Unit",
    "Value",
    "Values",
    "check_columns",
    "check_numbers",
    "check_order",
    "check_quantiles",
    "display_language",
    "plain_cell",
    "refuse_nan",
    "use_language",
]

from telemed_forecast.names import Language as Language

MIME = "application/vnd.telemed-forecast.block+json"


Cell = str | int | float | bool | None


Values = dict[str, Value | str | int | float]
"""Values of a text's placeholders; a str that starts with "@" names another text."""


def plain_cell(value: Any) -> Any:
    """A cell as a JSON scalar: numpy scalars unpacked, dates as ISO days, pandas' NA and NaT as None."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    if type(value).__name__ == "datetime64":
        return str(value)[:10]
    return value.item() if hasattr(value, "item") else value


def refuse_nan(column: str, row: int, value: Any) -> None:
    """Refuse NaN and infinity, naming where."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise ValueError(f"column {column!r}, row {row}: {value} is no number to show; None says 'not known'")


class Table(Frozen):
    """Columns and rows. Accepts a DataFrame or a mapping of columns; stores plain cells.

    Attributes
    ----------
    columns : tuple of str
        Names, each once.
    rows : tuple of tuple
        One tuple a row, as long as `columns`; cells are str, int, float, bool or None.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @model_validator(mode="before")
    @classmethod
    def _from_columns(cls, data: Any) -> Any:
        if isinstance(data, Table):
            return data
        if hasattr(data, "itertuples"):
            data = {"columns": list(data.columns), "rows": list(data.itertuples(index=False, name=None))}
        elif isinstance(data, Mapping) and set(data) != {"columns", "rows"}:
            columns = list(data.values())
            if len({len(column) for column in columns}) > 1:
                raise ValueError("columns differ in length: " + ", ".join(f"{k} {len(v)}" for k, v in data.items()))
            data = {"columns": list(data), "rows": list(zip(*columns, strict=True))}
        if isinstance(data, Mapping):
            rows = [[plain_cell(cell) for cell in row] for row in data["rows"]]
            for index, row in enumerate(rows):
                for name, cell in zip(data["columns"], row, strict=False):
                    refuse_nan(str(name), index, cell)
            data = {**data, "rows": rows}
        return data

    @model_validator(mode="after")
    def _rectangular(self) -> Table:
        if len(set(self.columns)) != len(self.columns):
            raise ValueError(f"a column name occurs twice: {', '.join(self.columns)}")
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"row {index} has {len(row)} cells for {len(self.columns)} columns")
        return self

    def records(self) -> list[dict[str, Cell]]:
        """Rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def column(self, name: str) -> list[Cell]:
        """One column's cells; an absent column is empty."""
        if name not in self.columns:
            return []
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


_display_language: Language = "en"


def use_language(lang: Language) -> None:
    """Set the language in which notebooks show blocks (the data in them has none)."""
    global _display_language
    if lang not in get_args(Language):
        raise ValueError(f"unknown language {lang!r}: expected one of {', '.join(get_args(Language))}")
    _display_language = lang


def display_language() -> Language:
    """The language in which notebooks show what they show."""
    return _display_language


class Block(Frozen):
    """Anything that stands on a page; `type` tells which."""

    def claims(self) -> tuple[str, ...]:
        """Claim ids cited in this block, in reading order."""
        return ()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from telemed_forecast.render.html import fragment

        return {
            MIME: self.model_dump(mode="json"),
            "text/html": fragment(self, _display_language),
            "text/plain": self.summary(),
        }

    def summary(self) -> str:
        """One line for a terminal."""
        name = next((str(getattr(self, field)) for field in ("id", "report", "key") if hasattr(self, field)), "")
        return f"{type(self).__name__}({name})"


def check_columns(where: str, table: Table, needed: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    """Refuse a table that lacks a needed column or has an unknown one."""
    missing = [name for name in needed if name not in table.columns]
    unknown = [name for name in table.columns if name not in allowed]
    if missing or unknown:
        raise ValueError(f"{where}: missing columns {missing}, unknown columns {unknown}; expected {list(allowed)}")


def check_numbers(where: str, table: Table, names: tuple[str, ...]) -> None:
    """Refuse a cell that is no number in the columns `names`; low and high may be None together."""
    for name in names:
        for index, cell in enumerate(table.column(name)):
            if cell is None and name in ("low", "high"):
                continue
            if isinstance(cell, bool | str) or cell is None:
                raise ValueError(f"{where}: column {name!r}, row {index}: {cell!r} is no number")


def check_order(where: str, table: Table, order: tuple[str, ...]) -> None:
    """Refuse a row whose numbers do not rise along `order` (quantiles that cross); None is skipped."""
    for index, record in enumerate(table.records()):
        known = [(name, record[name]) for name in order if record.get(name) is not None]
        for (left, low), (right, high) in pairwise(known):
            if float(low) > float(high):  # type: ignore[arg-type]
                raise ValueError(f"{where}: row {index}: {left} {low} is above {right} {high}")


def check_quantiles(table: Table) -> None:
    """Refuse forecast rows of an unknown type, a bad level, or with quantiles that cross in one target."""
    groups: dict[tuple[Cell, ...], list[tuple[float, float]]] = {}
    keys = [c for c in table.columns if c not in ("output_type", "output_type_id", "value")]
    for index, record in enumerate(table.records()):
        if not isinstance(record["value"], int | float):
            raise ValueError(f"forecast table: row {index}: value {record['value']!r} is no number")
        if record["output_type"] not in ("quantile", "mean"):
            raise ValueError(f"forecast table: row {index}: output_type {record['output_type']!r}")
        if record["output_type"] == "mean":
            continue
        level = float(record["output_type_id"])  # type: ignore[arg-type]
        if not 0 < level < 1:
            raise ValueError(f"forecast table: row {index}: quantile level {level} is outside 0..1")
        groups.setdefault(tuple(record[key] for key in keys), []).append((level, float(record["value"])))
    for group, levels in groups.items():
        values = [value for _, value in sorted(levels)]
        if any(left > right for left, right in pairwise(values)):
            raise ValueError(f"forecast table: quantiles cross in {dict(zip(keys, group, strict=True))}")
