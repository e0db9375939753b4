"""Tables that people read: the data of a chart, a table, the gates, as headings and written cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import Any

from telemed_forecast.exhibits.values import Unit, Value
from telemed_forecast.render.numerals import (
    Scale,
    bare_range,
    bare_text,
    column_place,
    has_interval,
    in_scale,
    scale_for,
)
from telemed_forecast.render.readable import Cell, Column, Readable, Row, is_number
from telemed_forecast.render.texts import Catalogue


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


def of_chart(shown: Readable) -> list[Grid]:
    """The tables behind a figure: its data, the published figures in it, its cross-check lines."""
    rows = (*shown.rows, *shown.points, *shown.lines)
    numbers = [float(n) for row in rows for name, n in row.items() if name != "period" and is_number(n)]
    pen = Pen(shown.texts, shown.unit, numbers)
    makers = {"fan": _fan, "lines": _by_period, "panels": _by_period}
    grids = [makers.get(shown.look.kind, _by_item)(shown, shown.rows, pen)]
    if shown.points:
        grids.append(_points(shown, shown.points, pen))
    if shown.lines:
        grids.append(replace(_by_period(shown, shown.lines, pen), name=shown.texts.text("page.other_lines")))
    return grids


def of_table(shown: Readable) -> Grid:
    """A table: units in the headings, one scale a column, intervals below their numbers."""
    heads, columns = zip(*(_column(column, shown.texts) for column in shown.columns), strict=True)
    return Grid(name=shown.text("title"), heads=heads, rows=list(zip(*columns, strict=True)))


def _column(column: Column, texts: Catalogue) -> tuple[Head, list[Written]]:
    cells = column.cells
    units = {column.unit} if column.unit else {cell.unit for cell in cells if isinstance(cell, Value)}
    # Cells of several units have no scale in common: each states its own.
    unit: Any = units.pop() if len(units) == 1 else None
    pen = Pen(texts, unit, _ends(cells), column.digits) if unit else None
    numeric = pen is not None or any(isinstance(cell, Value) or is_number(cell) for cell in cells)
    head = Head(text=column.heading, unit=pen.heading if pen and unit != "year" else "", numeric=numeric)
    return head, [_cell(cell, pen, texts) for cell in cells]


def of_gates(fits: Sequence[Row], texts: Catalogue) -> Grid:
    """The diagnostics of every fit."""
    names = ("fit", "verdict", "rhat", "bulk", "tail", "divergences", "bfmi", "draws", "profile")
    heads = [Head(text=texts.text(f"page.check_{name}"), numeric=name not in names[:2]) for name in names]
    forms = {
        "rhat_max": ".3f",
        "ess_bulk_min": ",.0f",
        "ess_tail_min": ",.0f",
        "divergences": ".0f",
        "bfmi_min": ".2f",
    }
    rows = []
    for fit in fits:
        verdict = texts.text("page.check_passed" if fit["ok"] else "page.check_failed")
        numbers = [
            *(
                texts.text("page.not_known") if fit[name] is None else f"{fit[name]:{form}}"
                for name, form in forms.items()
            ),
            f"{fit['chains']} × {fit['draws']:,}",
            fit["profile"],
        ]
        cells = [Written(text=model_name(fit["name"], texts)), Written(text=verdict)]
        rows.append([*cells, *(Written(text=number, numeric=True) for number in numbers)])
    return Grid(name=texts.text("page.checks"), heads=heads, rows=rows)


def model_name(name: str, texts: Catalogue) -> str:
    """A model's name for a reader: that of the report it belongs to, or its own; a day or brackets behind it stay."""
    model = name[: len(name) - len(name.lstrip(ascii_lowercase + "_"))]
    key = f"report.{model}.title"
    return texts.text(key) + name[len(model) :] if key in texts.texts else name


def _fan(shown: Readable, rows: Sequence[Row], pen: Pen) -> Grid:
    texts, levels = shown.texts, ("50", "80", "95")
    heads = [_period_head(shown, rows), Head(text=texts.text("column.median"), unit=pen.heading, numeric=True)]
    heads += [Head(text=texts.text("column.interval", {"level": f"{level}%"}), numeric=True) for level in levels]
    written = []
    for row in rows:
        median, low, high = (float(row[name]) for name in ("median", "low80", "high80"))
        eighty = Value(value=median, unit=pen.unit, low=low, high=high)
        spans = [pen.span(median, row[f"low{k}"], row[f"high{k}"], eighty) for k in levels]
        middle = Written(text=pen.cell(median, low, high).text, numeric=True)
        written.append([_period(row["period"], rows, texts), middle, *spans])
    return Grid(name="", heads=heads, rows=written)


def _by_period(shown: Readable, rows: Sequence[Row], pen: Pen) -> Grid:
    series = list(dict.fromkeys(str(row["series"]) for row in rows))
    found = {(row["period"], row["series"]): row for row in rows}
    periods = sorted({row["period"] for row in rows}, key=lambda period: (isinstance(period, str), period))
    heads = [_period_head(shown, rows), *(Head(text=one, unit=pen.heading, numeric=True) for one in series)]
    written = []
    for period in periods:
        cells = [found.get((period, one), {}) for one in series]
        numbers = [pen.cell(cell.get("value"), cell.get("low"), cell.get("high")) for cell in cells]
        written.append([_period(period, rows, shown.texts), *numbers])
    return Grid(name="", heads=heads, rows=written)


def _by_item(shown: Readable, rows: Sequence[Row], pen: Pen) -> Grid:
    names = [name for name in ("category", "series") if name in rows[0]]
    heads = [Head(text=shown.texts.text(f"column.{name}")) for name in names]
    heads.append(Head(text=shown.texts.text("column.value"), unit=pen.heading, numeric=True))
    written = [
        [*(Written(text=str(row[name])) for name in names), pen.cell(row["value"], row.get("low"), row.get("high"))]
        for row in rows
    ]
    return Grid(name="", heads=heads, rows=written)


def _points(shown: Readable, rows: Sequence[Row], pen: Pen) -> Grid:
    texts, names = shown.texts, ("period", "published", "grade", "source")
    heads = [
        Head(
            text=texts.text(f"column.{name}"),
            unit=pen.heading if name == "published" else "",
            numeric=name == "published",
        )
        for name in names
    ]
    written = [
        [
            _period(row["period"], rows, texts),
            _stated(row["low"], row["high"], pen),
            Written(text=str(row["grade"])),
            Written(text=str(row["label"] or row["claim_id"] or "")),
        ]
        for row in rows
    ]
    return Grid(name=texts.text("page.published_points"), heads=heads, rows=written)


def _stated(low: float | None, high: float | None, pen: Pen) -> Written:
    """A published interval, or the one end that was published."""
    if low is None or high is None:
        sign = "≥ " if high is None else "≤ "
        return Written(text=sign + pen.cell(low if high is None else high).text, numeric=True)
    if low == high:
        return pen.cell(low)
    middle = (float(low) + float(high)) / 2
    return pen.span(middle, low, high, Value(value=middle, unit=pen.unit, low=float(low), high=float(high)))


def _period_head(shown: Readable, rows: Sequence[Row]) -> Head:
    """Heading of the periods; where all are years' ends it says so, and the cells hold the year alone."""
    if shown.look.x_title:
        return Head(text=shown.text("x"))
    if not _yearly(rows):
        return Head(text=shown.texts.text("column.period"))
    return Head(text=shown.texts.text("grid.year" if shown.look.x == "year" else "grid.year_end"))


def _period(period: Any, rows: Sequence[Row], texts: Catalogue) -> Written:
    if not isinstance(period, str):
        return Written(text=f"{period:.6g}" if isinstance(period, float) else str(period))
    return Written(text=period[:4] if _yearly(rows) else texts.date(period))


def _yearly(rows: Sequence[Row]) -> bool:
    return all(str(row["period"]).endswith("-12-31") for row in rows)


def _cell(cell: Cell, pen: Pen | None, texts: Catalogue) -> Written:
    if isinstance(cell, Value):
        if pen is None:
            return Written(text=texts.number(cell), range=texts.range(cell) if has_interval(cell) else "", numeric=True)
        if has_interval(cell):
            return pen.cell(cell.value, cell.low, cell.high)
        return Written(text=bare_text(cell, pen.scale), numeric=True)
    if cell is None:
        return Written(text=texts.text("page.not_known"), numeric=pen is not None)
    if isinstance(cell, str):
        return Written(text=cell)
    if pen is not None and is_number(cell):
        return pen.cell(cell)
    return Written(text=f"{cell:,}" if isinstance(cell, int) else f"{cell:.6g}", numeric=True)


def _ends(cells: Sequence[Cell]) -> list[float]:
    numbers = [cell.value if isinstance(cell, Value) else cell for cell in cells]
    return [float(number) for number in numbers if is_number(number)]  # type: ignore[arg-type]
