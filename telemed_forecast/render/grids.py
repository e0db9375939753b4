"""Tables that people read: the data of a chart, a table block, the gates, as headings and written cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from telemed_forecast.render.numerals import (
    Scale,
    bare_range,
    bare_text,
    column_place,
    has_interval,
    in_scale,
    scale_for,
)
from telemed_forecast.render.texts import Catalogue
from telemed_forecast.reporting.atoms import Cell, Table, Unit, Value
from telemed_forecast.reporting.blocks import Chart, Gates, TableBlock


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column's heading."""

    text: str
    unit: str = ""
    numeric: bool = False


@dataclass(frozen=True, kw_only=True)
class Written:
    """A cell as text, with its interval where it has one."""

    text: str
    range: str = ""
    numeric: bool = False


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table ready to be set: `name`, headings, rows of cells."""

    name: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Written]]


class Pen:
    """Writes the numbers of one chart or column in one scale and one number of digits.

    Parameters
    ----------
    texts : Catalogue
        Texts of the language.
    unit : Unit
        Unit of the numbers.
    numbers : sequence of float
        All numbers that will be written; they set the scale, and the digits of numbers without interval.
    significant : int, optional
        Digits of the largest number; None leaves the choice to the unit.
    """

    def __init__(self, texts: Catalogue, unit: Unit, numbers: Sequence[float], significant: int | None = None) -> None:
        self.texts, self.unit = texts, unit
        self.scale: Scale = scale_for(max((abs(n) for n in numbers), default=0.0), unit, texts.lang)
        self.place = column_place(list(numbers), unit, significant)

    @property
    def heading(self) -> str:
        """The unit with its scale word."""
        return self.texts.unit(self.unit, self.scale)

    def cell(self, number: Any, low: Any = None, high: Any = None) -> Written:
        """A number with its interval, or a dash for None."""
        if number is None:
            return Written(text=self.texts.text("page.not_known"), numeric=True)
        if low is None or high is None or low == high:
            return Written(text=in_scale(number, self.unit, self.scale, self.place), numeric=True)
        value = Value(value=number, unit=self.unit, low=low, high=high)
        return Written(text=bare_text(value, self.scale), range=bare_range(value, self.scale), numeric=True)

    def span(self, number: Any, low: Any, high: Any, precision: Value) -> Written:
        """An interval alone, no finer than the interval `precision`."""
        value = Value(value=number, unit=self.unit, low=low, high=high)
        return Written(text=bare_range(value, self.scale, like=precision), numeric=True)


def of_chart(block: Chart, texts: Catalogue) -> list[Grid]:
    """The tables behind a figure: its data, the published figures in it, its cross-check lines."""
    tables = [table for table in (block.data, block.points, block.lines) if table]
    pen = Pen(texts, block.unit, [n for table in tables for n in _numbers(table)])
    makers = {"fan": _fan, "lines": _by_period, "stack": _by_period, "bars": _by_item, "dots": _by_item}
    grids = [makers[block.kind](block.data, block, texts, pen)]
    if block.points is not None and block.points.rows:
        grids.append(_points(block.points, block, texts, pen))
    if block.lines is not None and block.lines.rows:
        grids.append(_by_period(block.lines, block, texts, pen, name=texts.text("page.other_lines")))
    return grids


def of_table(block: TableBlock, texts: Catalogue) -> Grid:
    """A table block: units in the headings, one scale a column, intervals below their numbers."""
    columns = []
    heads = []
    for index, column in enumerate(block.columns):
        cells = [row[index] for row in block.rows]
        units = {column.unit} if column.unit else {cell.unit for cell in cells if isinstance(cell, Value)}
        # Cells of several units have no scale in common: each states its own.
        unit = units.pop() if len(units) == 1 else None
        pen = Pen(texts, unit, _ends(cells), column.digits) if unit else None
        numeric = pen is not None or any(isinstance(cell, Value) or _is_number(cell) for cell in cells)
        stated = pen.heading if pen and unit != "year" else ""
        heads.append(Head(text=texts.text(column.key), unit=stated, numeric=numeric))
        columns.append([_cell(cell, pen, texts) for cell in cells])
    return Grid(
        name=texts.text(block.title_key, block.title_values),
        heads=heads,
        rows=list(zip(*columns, strict=True)),
    )


def of_gates(block: Gates, texts: Catalogue) -> Grid:
    """The diagnostics of every fit."""
    names = ("fit", "verdict", "rhat", "bulk", "tail", "divergences", "bfmi", "draws", "profile")
    heads = [Head(text=texts.text(f"page.check_{name}"), numeric=name not in names[:2]) for name in names]
    rows = []
    for fit in block.fits:
        verdict = texts.text("page.check_passed" if fit.ok else "page.check_failed")
        numbers = [
            _plain(fit.rhat_max, ".3f", texts),
            _plain(fit.ess_bulk_min, ",.0f", texts),
            _plain(fit.ess_tail_min, ",.0f", texts),
            _plain(fit.divergences, "d", texts),
            _plain(fit.bfmi_min, ".2f", texts),
            f"{fit.chains} × {fit.draws:,}",
            fit.profile,
        ]
        cells = [Written(text=model_name(fit.name, texts)), Written(text=verdict)]
        rows.append([*cells, *(Written(text=number, numeric=True) for number in numbers)])
    return Grid(name=texts.text("page.checks"), heads=heads, rows=rows)


def model_name(name: str, texts: Catalogue) -> str:
    """A model's name for a reader: that of the report it belongs to, or its own; a day or brackets behind it stay."""
    model = name[: len(name) - len(name.lstrip(ascii_lowercase + "_"))]
    key = f"report.{model}.title"
    return texts.text(key) + name[len(model) :] if key in texts.texts else name


def _fan(data: Table, block: Chart, texts: Catalogue, pen: Pen) -> Grid:
    levels = ("50%", "80%", "95%")
    heads = [
        _period_head(data, block, texts),
        Head(text=texts.text("column.median"), unit=pen.heading, numeric=True),
    ]
    heads += [Head(text=texts.text("column.interval", {"level": level}), numeric=True) for level in levels]
    rows = []
    for record in data.records():
        median, low, high = (_float(record[name]) for name in ("median", "low80", "high80"))
        eighty = Value(value=median, unit=block.unit, low=low, high=high)
        spans = [pen.span(median, record[f"low{k}"], record[f"high{k}"], eighty) for k in ("50", "80", "95")]
        middle = pen.cell(median, low, high)
        rows.append([_period(record["period"], data, texts), Written(text=middle.text, numeric=True), *spans])
    return Grid(name="", heads=heads, rows=rows)


def _by_period(data: Table, block: Chart, texts: Catalogue, pen: Pen, *, name: str = "") -> Grid:
    series = list(dict.fromkeys(str(cell) for cell in data.column("series")))
    found = {(r["period"], r["series"]): r for r in data.records()}
    periods = sorted({r["period"] for r in data.records()}, key=lambda p: (isinstance(p, str), p))
    heads = [_period_head(data, block, texts)]
    heads += [Head(text=texts.label(one), unit=pen.heading, numeric=True) for one in series]
    rows = []
    for period in periods:
        records: list[Mapping[str, Cell]] = [found.get((period, one), {}) for one in series]
        cells = [pen.cell(r.get("value"), r.get("low"), r.get("high")) for r in records]
        rows.append([_period(period, data, texts), *cells])
    return Grid(name=name, heads=heads, rows=rows)


def _by_item(data: Table, block: Chart, texts: Catalogue, pen: Pen) -> Grid:
    heads = [Head(text=texts.text("column.category"))]
    named = "series" in data.columns
    heads += [Head(text=texts.text("column.series"))] if named else []
    heads.append(Head(text=texts.text("column.value"), unit=pen.heading, numeric=True))
    rows = []
    for record in data.records():
        cells = [Written(text=texts.label(str(record["category"])))]
        cells += [Written(text=texts.label(str(record["series"])))] if named else []
        rows.append([*cells, pen.cell(record["value"], record.get("low"), record.get("high"))])
    return Grid(name="", heads=heads, rows=rows)


def _points(data: Table, block: Chart, texts: Catalogue, pen: Pen) -> Grid:
    names = ("period", "published", "grade", "source")
    heads = [
        Head(
            text=texts.text(f"column.{n}"),
            unit=pen.heading if n == "published" else "",
            numeric=n == "published",
        )
        for n in names
    ]
    rows = []
    for record in data.records():
        low, high = record["low"], record["high"]
        if low is None or high is None:
            sign = "≥ " if high is None else "≤ "
            shown = Written(text=sign + pen.cell(low if high is None else high).text, numeric=True)
        else:
            middle = (_float(low) + _float(high)) / 2
            shown = (
                pen.cell(low)
                if low == high
                else pen.span(
                    middle,
                    low,
                    high,
                    Value(value=middle, unit=block.unit, low=_float(low), high=_float(high)),
                )
            )
        label = texts.label(str(record["label"] or record["claim_id"] or ""))
        rows.append(
            [
                _period(record["period"], data, texts),
                shown,
                Written(text=str(record["grade"])),
                Written(text=label),
            ]
        )
    return Grid(name=texts.text("page.published_points"), heads=heads, rows=rows)


def _period_head(data: Table, block: Chart, texts: Catalogue) -> Head:
    """Heading of the periods; where all are years' ends it says so, and the cells hold the year alone."""
    if block.x_key:
        return Head(text=texts.text(block.x_key))
    if not _yearly(data):
        return Head(text=texts.text("column.period"))
    return Head(text=texts.text("grid.year" if block.x == "year" else "grid.year_end"))


def _period(period: Cell, data: Table, texts: Catalogue) -> Written:
    if not isinstance(period, str):
        return Written(text=f"{period:.6g}" if isinstance(period, float) else str(period))
    return Written(text=period[:4] if _yearly(data) else texts.date(period))


def _yearly(data: Table) -> bool:
    return all(str(period).endswith("-12-31") for period in data.column("period"))


def _cell(cell: Value | Cell, pen: Pen | None, texts: Catalogue) -> Written:
    if isinstance(cell, Value):
        if pen is None:
            return Written(text=texts.number(cell), range=texts.range(cell) if has_interval(cell) else "", numeric=True)
        if has_interval(cell):
            return pen.cell(cell.value, cell.low, cell.high)
        return Written(text=bare_text(cell, pen.scale), numeric=True)
    if cell is None:
        return Written(text=texts.text("page.not_known"), numeric=pen is not None)
    if isinstance(cell, str):
        return Written(text=texts.label(cell))
    if pen is not None and _is_number(cell):
        return pen.cell(cell)
    return Written(text=f"{cell:,}" if isinstance(cell, int) else f"{cell:.6g}", numeric=True)


def _plain(number: float | None, form: str, texts: Catalogue) -> str:
    return texts.text("page.not_known") if number is None else format(number, form)


def _numbers(table: Table) -> list[float]:
    return [_float(c) for r in table.records() for n, c in r.items() if n != "period" and _is_number(c)]


def _ends(cells: Sequence[Value | Cell]) -> list[float]:
    return [
        cell.value if isinstance(cell, Value) else _float(cell)
        for cell in cells
        if isinstance(cell, Value) or _is_number(cell)
    ]


def _float(cell: Any) -> float:
    return float(cell)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)
