"""What the catalogue says of exhibits and columns beside words: the kind, units, digits, which labels are words.

`catalogue/looks.toml` has a table a column and a table an exhibit. An exhibit that names another with `like` takes
over whatever it does not state itself, words included (`like` a name that is no exhibit of its own is fine).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).parent / "catalogue"


@dataclass(frozen=True, kw_only=True)
class ColumnLook:
    """How a column's cells are written.

    Attributes
    ----------
    unit
        Unit of its numbers; an exhibit whose unit depends on the forecast states its own.
    digits
        Significant digits of the column's largest number.
    significant
        Significant digits of each number that has no interval, or "printed": as many as were published; None writes
        all numbers of the column with the same decimal places.
    words
        Family of words that name its cells (`place`: the catalogue's ``place.<cell>``).
    """

    unit: str = ""
    digits: int | None = None
    significant: int | str | None = None
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What an exhibit is.

    Attributes
    ----------
    kind
        table; file (too long for a page: a link to its CSV); or a chart: fan, lines, panels (small multiples), bars,
        dots, slopes (what was forecast beside what came).
    unit
        Unit of a chart's numbers; an exhibit whose unit depends on the forecast states its own.
    x
        How a day is named on the axis of a chart: a stock at the year's end, or a flow over the year.
    x_title
        Whether the horizontal axis has a title of its own (text ``exhibit.<name>.x``).
    log
        Whether the value axis is logarithmic; "wide" decides by the numbers.
    reference
        A value to compare with, named by ``exhibit.<name>.reference``; "fact" takes the exhibit's fact `reference`.
    folded
        Whether a table shows its title only, until the reader opens it; a number folds one with more rows.
    by_row
        Whether a table's rows, not its columns, are of one unit each.
    own_axes
        Whether each of the small multiples has a vertical axis of its own.
    tones
        Label of a series or an item -> what its colour means: good, bad, neutral.
    words
        Column of labels -> family of words.
    column
        Column -> what differs from the catalogue's.
    other
        What holds for columns that neither names.
    """

    kind: str = "table"
    unit: str = ""
    x: str = "year_end"
    x_title: bool = False
    log: bool | str = False
    reference: float | str | None = None
    folded: bool | int = False
    like: str = ""
    by_row: bool = False
    own_axes: bool = False
    tones: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    column: dict[str, dict[str, Any]] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)


def look(name: str) -> Look:
    """What the catalogue says of an exhibit: a table, when it says nothing."""
    stated: dict[str, Any] = {}
    for one in reversed([*family(name)]):
        stated |= _read()["exhibit"].get(one, {})
    return Look(**stated)


def family(name: str) -> Iterator[str]:
    """An exhibit's name and the names that it is like, nearest first."""
    exhibits = _read()["exhibit"]
    while name:
        yield name
        name = exhibits.get(name, {}).get("like", "")


def column_look(column: str, stated: Look) -> ColumnLook:
    """What the catalogue says of a column in an exhibit."""
    own = _read()["column"].get(column, {}) | stated.column.get(column, {})
    return ColumnLook(**(own or stated.other))


@lru_cache(maxsize=1)
def _read() -> dict[str, dict[str, Any]]:
    return tomllib.loads((CATALOGUE / "looks.toml").read_text(encoding="utf-8"))
