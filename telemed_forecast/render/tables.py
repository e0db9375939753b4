"""The data of a page's exhibits as data frames for CSV files, and its forecasts in hub format.

Numbers are rounded to ten significant digits, so that the same run writes the same bytes; dates are ISO days;
labels are in English; a `unit` column, or a column's name, states the unit. Where a fit behind the page missed its
gates, every table of numbers ends with a column `status` that says "directional", so that a number copied out of it
keeps its mark; key figures always have that column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import KeyFigure, Value
from telemed_forecast.names import FORECAST_COLUMNS, LANGUAGES, Language
from telemed_forecast.render.page import Page
from telemed_forecast.render.readable import Readable, Row
from telemed_forecast.render.texts import catalogue

_DIGITS = 10

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_SIGNED = re.compile(r"[+-]?[0-9.,]*%?")

STATUS = "status"
"""Column that marks the numbers of a page whose fits missed their gates."""


def file_name(report: str, exhibit: str) -> str:
    """File name of an exhibit's data."""
    return f"{report}-{exhibit}.csv"


def frames(page: Page) -> dict[str, pd.DataFrame]:
    """Every figure's and table's data by file name, and the key figures, sources and gates.

    A chart's file holds all that it draws; where it has more than one layer, a column `layer` tells them apart.
    """
    mark = {} if page.status == "gated-ok" else {STATUS: page.status}
    found = {"key_figures": _records([_figure(figure) for figure in page.figures])} if page.figures else {}
    for exhibit in page.exhibits:
        found |= {name: frame.assign(**mark) for name, frame in _frames(exhibit).items()}
    found |= {name: _records(page.rows(name)) for name in ("sources", "gates") if name in page.record}
    return {file_name(page.report, name): frame for name, frame in found.items()}


@dataclass(frozen=True)
class Described:
    """An exhibit's file: its title, and the heading and unit of columns by language and name."""

    title: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def heading(self, column: str, lang: Language) -> str:
        """What a column says: here, or wherever it stands; empty when nothing is known."""
        return self.headings.get(lang, {}).get(column) or catalogue(lang).texts.get(f"dictionary.{column}", "")


def described(page: Page) -> dict[str, Described]:
    """What a page's files hold, by file name."""
    return {file_name(page.report, exhibit.name): _described(exhibit) for exhibit in page.exhibits}


def _described(exhibit: Exhibit) -> Described:
    shown = {lang: Readable(exhibit, catalogue(lang)) for lang in LANGUAGES}
    title = shown["en"].text("title")
    if shown["en"].kind != "table":
        return Described(title)
    units: dict[str, str] = {}
    headings: dict[str, dict[str, str]] = {}
    for lang, one in shown.items():
        told = headings.setdefault(lang, {})
        for column in one.columns:
            for cell in column.cells:
                name, *ends = _named(column.name, column.unit, cell)
                units |= dict.fromkeys((name, *ends), column.unit or "")
                told[name] = column.heading
                told |= {
                    end: f"{column.heading}: {one.texts.text(f'dictionary.{end[len(name) + 1 :]}')}" for end in ends
                }
    return Described(title, units, headings)


def forecast_rows(page: Page) -> pd.DataFrame:
    """All forecast rows of a page: the columns of the hub format and the page's status."""
    rows = page.rows("forecasts")
    columns = [*FORECAST_COLUMNS, *(["series_id"] if rows and "series_id" in rows[0] else [])]
    cells = [[_rounded(row.get(name)) for name in columns] for row in rows]
    return pd.DataFrame(cells, columns=columns).assign(**{STATUS: page.status})


def all_forecasts(pages: Sequence[Page]) -> pd.DataFrame:
    """The forecast rows of several pages, each once; they have a status only where one of them is directional.

    The summary shows forecasts that the other pages show too. A row that stands on a page whose fits all passed rests
    on fits that passed, whatever else the summary rests on.
    """
    found = [frame for frame in map(forecast_rows, pages) if not frame.empty]
    if not found:
        return pd.DataFrame(columns=[*FORECAST_COLUMNS])
    rows = pd.concat(found, ignore_index=True)
    names = [name for name in rows.columns if name != STATUS]
    rows["passed"] = rows.pop(STATUS) == "gated-ok"
    passed = rows.groupby(names, dropna=False, sort=False)["passed"].transform("any")
    rows = rows[names] if passed.all() else rows[names].assign(**{STATUS: np.where(passed, "gated-ok", "directional")})
    return rows.drop_duplicates(ignore_index=True)


def _frames(exhibit: Exhibit) -> dict[str, pd.DataFrame]:
    shown = Readable(exhibit, catalogue("en"))
    if shown.kind == "table":
        return {shown.name: _table(shown)}
    if shown.kind == "file":
        return {shown.name: _records(shown.rows)}
    layers = {"points": shown.points, "lines": shown.lines}
    drawn = {"bands": shown.rows} | {name: rows for name, rows in layers.items() if name in exhibit.layers}
    mark = len(drawn) > 1
    rows = [({"layer": layer} if mark else {}) | row for layer, found in drawn.items() for row in found]
    return {shown.name: _records(rows).assign(unit=shown.unit)}


def _table(shown: Readable) -> pd.DataFrame:
    named = [[_named(column.name, column.unit, cell) for cell in column.cells] for column in shown.columns]
    return _records([{name: cell for part in row for name, cell in part.items()} for row in zip(*named, strict=True)])


def _named(name: str, unit: str | None, cell: Any) -> Row:
    """A cell under its column's name, which ends with its unit, and the ends of its interval."""
    unit = unit or (cell.unit if isinstance(cell, Value) else None)
    name = f"{name}_{unit}" if unit and not name.endswith(unit) else name
    if not isinstance(cell, Value):
        return {name: cell}
    return {name: cell.value, f"{name}_low": cell.low, f"{name}_high": cell.high}


def _figure(item: KeyFigure) -> Row:
    texts = catalogue("en")
    return {
        "id": item.id,
        "label": texts.text(item.key, item.values),
        "period": texts.label(item.period),
        "value": item.value.value,
        "low": item.value.low,
        "high": item.value.high,
        "level": item.value.level if item.value.low is not None else None,
        "unit": item.value.unit,
        "status": item.status,
        "sources": " ".join(item.sources),
    }


def _records(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame whose columns come in the order in which the rows name them."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame([[_rounded(row.get(name)) for name in columns] for row in rows], columns=columns)


def _rounded(cell: Any) -> Any:
    return float(f"{cell:.{_DIGITS}g}") if isinstance(cell, float) else inert(cell)


def inert(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: a text that begins like one has an apostrophe before it."""
    if not isinstance(cell, str) or not cell.lstrip().startswith(_FORMULA):
        return cell
    return cell if _SIGNED.fullmatch(cell) else f"'{cell}"
