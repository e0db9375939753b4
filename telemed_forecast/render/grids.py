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
    shared_place,
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
    """Writes the numbers of one chart, column or row in one scale and with one number of digits.

    Parameters
    ----------
    texts : Catalogue
        Texts of the language.
    unit : Unit
        Unit of the numbers.
    numbers : sequence of Value or float
        All numbers that will be written: they set the scale, and the digits of those with and of those without
        interval.
    significant : int, optional
        Digits of the largest number without interval; None leaves the choice to the unit.
    """

    def __init__(
        self, texts: Catalogue, unit: Unit, numbers: Sequence[Value | float], significant: int | None = None
    ) -> None:
        sizes = [number.value if isinstance(number, Value) else float(number) for number in numbers]
        self.texts, self.unit = texts, unit
        self.scale: Scale = scale_for(max(map(abs, sizes), default=0.0), unit, texts.lang)
        self.place = column_place(sizes, unit, significant)
        self.rough = shared_place([one for one in numbers if isinstance(one, Value) and has_interval(one)])

    @property
    def heading(self) -> str:
        """The unit with its scale word."""
        return self.texts.unit(self.unit, self.scale)

    def cell(self, number: Any, low: Any = None, high: Any = None) -> Written:
        """A number with its interval, or a dash for None."""
        if number is None:
            return Written(text=self.texts.text("page.not_known"), numeric=True)
        if low is None or high is None or low == high or self.rough is None:
            return Written(text=in_scale(number, self.unit, self.scale, self.place), numeric=True)
        text = in_scale(number, self.unit, self.scale, self.rough)
        return Written(text=text, range=self.span(number, low, high).text, numeric=True)

    def span(self, number: float, low: float, high: float) -> Written:
        """An interval alone."""
        value = Value(value=number, unit=self.unit, low=low, high=high)
        return Written(text=bare_range(value, self.scale, self.rough), numeric=True)

    def stated(self, low: float, high: float) -> Written:
        """A published interval, as fine as it was published."""
        value = Value(value=(low + high) / 2, unit=self.unit, low=low, high=high)
        return Written(text=bare_range(value, self.scale), numeric=True)


def of_chart(shown: Readable) -> list[Grid]:
    """The tables behind a figure: its data, the published figures in it, its cross-check lines."""
    rows = (*shown.rows, *shown.points, *shown.lines)
    pen = Pen(shown.texts, shown.unit, [number for row in rows for number in _numbers(row, shown.unit)])
    makers = {"fan": _fan, "lines": _by_period, "panels": _by_period}
    grids = [makers.get(shown.look.kind, _by_item)(shown, shown.rows, pen)]
    if shown.points:
        grids.append(_points(shown, shown.points, pen))
    if shown.lines:
        grids.append(replace(_by_period(shown, shown.lines, pen), name=shown.texts.text("page.other_lines")))
    return grids


def _numbers(row: Row, unit: Unit) -> list[Value | float]:
    """The numbers of a chart's row: its median or value with the 80% interval, else every number of it."""
    low, high = (row.get(name, row.get(f"{name}80")) for name in ("low", "high"))
    middle = row.get("median", row.get("value"))
    if middle is not None and low is not None and high is not None:
        return [Value(value=middle, unit=unit, low=low, high=high)]
    return [float(cell) for name, cell in row.items() if name != "period" and is_number(cell)]


def of_table(shown: Readable) -> Grid:
    """A table: units in the headings, one scale a column, intervals below their numbers.

    Where the rows are of different units (`Look.by_row`) a row has a scale of its own and states its unit.
    """
    pens = _row_pens(shown) if shown.look.by_row else []
    heads, columns = zip(*(_column(column, shown.texts, pens) for column in shown.columns), strict=True)
    rows = [list(row) for row in zip(*columns, strict=True)]
    for row, pen in zip(rows, pens, strict=False):
        if pen is not None and pen.heading:
            row[0] = replace(
                row[0], text=shown.texts.text("grid.with_unit", {"name": row[0].text, "unit": pen.heading})
            )
    return Grid(name=shown.text("title"), heads=heads, rows=rows)


def _row_pens(shown: Readable) -> list[Pen | None]:
    """A pen for each row of a table, for the columns that have no unit of their own."""
    own = [column.cells for column in shown.columns if column.unit is None]
    rows = [[cell for cell in row if isinstance(cell, Value)] for row in zip(*own, strict=True)]
    return [Pen(shown.texts, row[0].unit, row) if row else None for row in rows]


def _column(column: Column, texts: Catalogue, pens: Sequence[Pen | None] = ()) -> tuple[Head, list[Written]]:
    cells = column.cells
    if pens and column.unit is None and any(isinstance(cell, Value) for cell in cells):
        written = [_cell(cell, pen, texts) for cell, pen in zip(cells, pens, strict=True)]
        return Head(text=column.heading, numeric=True), written
    units = {column.unit} if column.unit else {cell.unit for cell in cells if isinstance(cell, Value)}
    # Cells of several units have no scale in common: each states its own.
    unit: Any = units.pop() if len(units) == 1 else None
    pen = Pen(texts, unit, _numeric(cells), column.digits) if unit else None
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
        spans = [pen.span(median, row[f"low{k}"], row[f"high{k}"]) for k in levels]
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
    return pen.stated(float(low), float(high))


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


def _numeric(cells: Sequence[Cell]) -> list[Value | float]:
    return [cell if isinstance(cell, Value) else float(cell) for cell in cells if _is_numeric(cell)]  # type: ignore[arg-type]


def _is_numeric(cell: Cell) -> bool:
    return isinstance(cell, Value) or is_number(cell)
