"""What every kind of chart needs: an exhibit's rows in the reader's unit, its periods, its numbers as text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import sqrt
from typing import Any

from telemed_forecast.exhibits.values import Value
from telemed_forecast.render.charts.style import Form
from telemed_forecast.render.numerals import (
    Scale,
    bare_range,
    bare_text,
    base,
    column_place,
    in_scale,
    scale_for,
)
from telemed_forecast.render.readable import Readable, Row, is_number

Rows = list[Row]


class Drawing:
    """One chart being drawn in one form.

    Parameters
    ----------
    shown
        The exhibit in its language.
    form
        Wide or narrow.
    """

    def __init__(self, shown: Readable, form: Form) -> None:
        self.shown, self.texts, self.form = shown, shown.texts, form
        self.unit, self.scale = shown.unit, scale_of(shown)

    def rows(self, rows: Rows) -> Rows:
        """Rows with numbers in the chart's scale and periods as times; `stated` keeps the row as it was."""
        return [
            {"stated": row}
            | {
                name: time_of(cell) if name == "period" else self.scaled(cell) if is_number(cell) else cell
                for name, cell in row.items()
            }
            for row in rows
        ]

    def scaled(self, number: float) -> float:
        """A number in the unit of the axis."""
        return float(base(number, self.unit).scaleb(-self.scale.power))

    @property
    def place(self) -> int:
        """Decimal place at which numbers without interval stop."""
        numbers = [float(row["value"]) for row in self.shown.rows if is_number(row.get("value"))]
        return column_place(numbers, self.unit)

    @property
    def heading(self) -> str:
        """The unit of the chart's numbers."""
        return self.texts.unit(self.unit, self.scale)

    @property
    def days(self) -> list[str]:
        """Periods of the frame, ascending, where they are days; none where they are numbers."""
        return sorted(row["period"] for row in self.shown.rows if isinstance(row.get("period"), str))

    def x_title(self) -> str:
        """Title of the horizontal axis; empty where years speak for themselves."""
        look = self.shown.look
        if look.x_title:
            return self.shown.text("x")
        return self.texts.text("axis.year_end") if self.days and look.x == "year_end" else ""

    def period_name(self, period: Any) -> str:
        """A period (time or number) in words: the year of a year's end, else the day."""
        if not self.days:
            return f"{period:g}"
        day = datetime.fromtimestamp(period / 1000, tz=UTC).date()
        return str(day.year) if (day.month, day.day) == (12, 31) else self.texts.date(day)

    def year_ends(self, most: int) -> list[int]:
        """Last days of years inside the data's span, fewer than `most`, the last among them."""
        shown = self.shown
        days = sorted(str(row["period"]) for row in (*shown.rows, *shown.points, *shown.lines))
        first, last = int(days[0][:4]), int(days[-1][:4]) - (0 if days[-1].endswith("-12-31") else 1)
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if (last - first) / s < max(most, 1))
        return [time_of(f"{year}-12-31") for year in range(last, first - 1, -step)][::-1]

    def number(self, value: float, low: float | None = None, high: float | None = None) -> str:
        """A number of the data (unscaled) in the axis' scale, without the unit that the heading states."""
        if low is None or high is None:
            return in_scale(value, self.unit, self.scale, self.place)
        return bare_text(self.value(value, low, high), self.scale)

    def full(self, value: float, low: float | None = None, high: float | None = None) -> str:
        """A number with its interval in brackets."""
        number = self.number(value, low, high)
        if low is None or high is None or low == high:
            return number
        return f"{number} ({bare_range(self.value(value, low, high), self.scale)})"

    def value(self, value: float, low: float | None, high: float | None) -> Value:
        """A number of the data with its unit."""
        return Value(value=value, unit=self.unit, low=low, high=high)


def scale_of(shown: Readable) -> Scale:
    """The scale in which all numbers of a chart are written: the largest's, or the middle's on a log axis."""
    numbers = shown.numbers
    if shown.log:
        middles = [
            abs(float(row[name])) for row in shown.rows for name in ("median", "value") if is_number(row.get(name))
        ]
        numbers = [number for number in middles if number] or numbers
    middle = sqrt(min(numbers) * max(numbers)) if shown.log else max(numbers)
    return scale_for(middle, shown.unit, shown.texts.lang)


def time_of(period: Any) -> Any:
    """A day as milliseconds since 1970 (no time zone can move it); a number as itself."""
    if not isinstance(period, str):
        return period
    day = date.fromisoformat(period)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
