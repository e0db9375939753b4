"""An exhibit: one table or chart as a tidy frame with a name, and the claims that it rests on.

A row is one thing, a column one quantity. A number with an interval stands in three columns: `share`, `share_low` and
`share_high`; where rows differ in unit or digits, `share_unit` and
`share_digits` hold them. Labels are identifiers (`shandong`)
that the catalogue names in each language. An exhibit survives a round trip through JSON, which is how an executed
notebook carries it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.exhibits.values import Fact, Facts, Value

LOW, HIGH, UNIT, DIGITS = "_low", "_high", "_unit", "_digits"
"""Endings of the columns that belong to the column of a number."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Exhibit:
    """A frame and its name; how it looks and reads stands in the catalogue under that name.

    Attributes
    ----------
    name
        Unique in a report; the catalogue's entry, and the end of the CSV file's name.
    frame
        The rows. None, NaN and NaT are "not known".
    claims
        Claim ids of the published figures behind it.
    units
        Column -> unit, where the unit depends on the forecast; all others are the catalogue's.
    facts
        What title, text alternative and note are told.
    layers
        Further frames of a chart: ``points`` (published figures) and ``lines`` (cross-checks).
    as_of
        Where knowledge ends, for a chart over time.
    entry
        The catalogue's entry, where exhibits of several markets share one; empty for its own name.
    """

    name: str
    frame: pd.DataFrame
    claims: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    layers: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    as_of: date | None = None
    entry: str = ""

    def __post_init__(self) -> None:
        for part, frame in {"": self.frame, **self.layers}.items():
            _refuse_faults(f"exhibit {self.name} {part}".rstrip(), frame)

    @property
    def cited(self) -> tuple[str, ...]:
        """Claim ids behind it, those of its published points included, each once."""
        points = self.layers["points"]["claim_id"] if "points" in self.layers else ()
        return tuple(dict.fromkeys([*self.claims, *(str(claim) for claim in points if claim)]))

    def to_json(self) -> dict[str, Any]:
        """Itself as JSON."""
        return {
            "name": self.name,
            "frame": _frame_json(self.frame),
            "claims": list(self.claims),
            "units": dict(self.units),
            "facts": facts_json(self.facts),
            "layers": {name: _frame_json(frame) for name, frame in self.layers.items()},
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "entry": self.entry,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exhibit:
        """The exhibit that `to_json` wrote."""
        return cls(
            name=data["name"],
            frame=_frame(data["frame"]),
            claims=tuple(data["claims"]),
            units=data["units"],
            facts=facts_of(data["facts"]),
            layers={name: _frame(frame) for name, frame in data["layers"].items()},
            as_of=date.fromisoformat(data["as_of"]) if data["as_of"] else None,
            entry=data["entry"],
        )


Exhibits = dict[str, Exhibit]
"""A report's exhibits by name, in reading order."""


def named(*exhibits: Exhibit | Iterable[Exhibit | None] | None) -> Exhibits:
    """Exhibits by name; None (nothing was known) is left out.

    Raises
    ------
    ValueError
        A name occurs twice.
    """
    found: Exhibits = {}
    for given in exhibits:
        for one in (given,) if given is None or isinstance(given, Exhibit) else given:
            if one is None:
                continue
            if one.name in found:
                raise ValueError(f"two exhibits are named {one.name}")
            found[one.name] = one
    return found


def with_interval(**columns: Iterable[Value | None]) -> dict[str, list[float | None]]:
    """Columns of numbers with their intervals: ``share`` becomes ``share``, ``share_low``, ``share_high``."""
    found: dict[str, list[float | None]] = {}
    for name, given in columns.items():
        values = list(given)
        found[name] = [one.value if one else None for one in values]
        found[name + LOW] = [one.low if one else None for one in values]
        found[name + HIGH] = [one.high if one else None for one in values]
    return found


def facts_json(facts: Facts) -> dict[str, Any]:
    """Facts as JSON: a value as a mapping, claim ids and lists of facts as lists."""
    return {name: _fact_json(fact) for name, fact in facts.items()}


def facts_of(data: Mapping[str, Any]) -> dict[str, Fact]:
    """The facts that `facts_json` wrote."""
    return {name: _fact(fact) for name, fact in data.items()}


def _fact_json(fact: Fact) -> Any:
    if isinstance(fact, Value):
        return fact.model_dump(mode="json")
    if isinstance(fact, tuple):
        return list(fact)
    return [facts_json(one) for one in fact] if isinstance(fact, list) else _plain(fact)


def _fact(fact: Any) -> Fact:
    if isinstance(fact, dict):
        return Value.model_validate(fact)
    if isinstance(fact, list):
        return [facts_of(one) for one in fact] if fact and isinstance(fact[0], dict) else tuple(fact)
    return fact


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries of plain cells: str, int, float, bool, ISO days, None for what is not known."""
    columns = [[_plain(cell) for cell in frame[name].tolist()] for name in frame.columns]
    return [dict(zip(frame.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def _frame_json(frame: pd.DataFrame) -> dict[str, Any]:
    return {"columns": list(frame.columns), "rows": [list(row.values()) for row in records(frame)]}


def _frame(data: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(data["rows"], columns=data["columns"])


def _plain(cell: Any) -> Any:
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return None if cell != cell else float(cell)
    if hasattr(cell, "isoformat"):
        return cell.isoformat()[:10]
    return _plain(cell.item()) if isinstance(cell, np.generic) else cell


def _refuse_faults(where: str, frame: pd.DataFrame) -> None:
    """Refuse a column named twice, an infinite number, and an interval that does not hold its number."""
    if not frame.columns.is_unique:
        raise ValueError(f"{where}: a column name occurs twice: {', '.join(frame.columns)}")
    for name in map(str, frame.select_dtypes("number")):
        if np.isinf(frame[name].to_numpy(dtype=float)).any():
            raise ValueError(f"{where}: column {name!r} holds an infinite number")
        ends = [name + LOW, name, name + HIGH]
        if {*ends} <= {*frame.columns}:
            low, middle, high = (frame[end].to_numpy(dtype=float) for end in ends)
            if ((low > middle) | (middle > high)).any():
                raise ValueError(f"{where}: an interval of {name!r} does not hold its number")
