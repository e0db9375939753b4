"""What every kind of chart needs: an exhibit's rows in the reader's unit, its axes, its rules."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import ceil, floor, log10, sqrt
from typing import Any

import altair as alt

from telemed_forecast.exhibits.values import Value
from telemed_forecast.render.charts import style
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

_PLAIN = "format(datum.value, ',~f')"


class Drawing:
    """One chart being drawn in one form: scaled rows, scales and axes.

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
        """Rows with numbers in the chart's scale and periods as times."""
        return [
            {
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
    def room(self) -> int:
        """Pixels between legend and plot that a rule's name needs."""
        named = self.as_of is not None or (self.shown.reference is not None and self.horizontal)
        return self.form.font + 5 if named else 0

    @property
    def as_of(self) -> str | None:
        """Where knowledge ends, as an ISO day."""
        day = self.shown.exhibit.as_of
        return day.isoformat() if day else None

    @property
    def horizontal(self) -> bool:
        """Whether items stand below each other."""
        return self.shown.look.kind in ("bars", "dots")

    @property
    def days(self) -> list[str]:
        """Periods of the frame, ascending, where they are days; none where they are numbers."""
        return sorted(row["period"] for row in self.shown.rows if isinstance(row.get("period"), str))

    def x(self, field: str = "period") -> alt.X:
        """Horizontal position: time with the year written at its last day, or a number."""
        if not self.days:
            axis = alt.Axis(
                title=self.x_title(),
                grid=False,
                tickCount=self.form.ticks,
                format="~r",
                labelOverlap=True,
                labelFlush=False,
            )
            return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(zero=False, nice=False))
        axis = alt.Axis(
            title=self.x_title(),
            grid=False,
            values=self.year_ends(),
            labelExpr="utcFormat(datum.value, '%Y')",
            labelOverlap=True,
            labelFlush=False,
        )
        return alt.X(f"{field}:T", axis=axis, scale=alt.Scale(type="utc", nice=False))

    def x_title(self) -> str | None:
        """Title of the horizontal axis."""
        look = self.shown.look
        if look.x_title:
            return self.shown.text("x")
        return self.texts.text("axis.year_end") if self.days and look.x == "year_end" else None

    def column_name(self, period: Any) -> str:
        """A period (time or number) as a column's name: the year of a year's end, else the day."""
        if not self.days:
            return f"{period:g}"
        day = datetime.fromtimestamp(period / 1000, tz=UTC).date()
        return str(day.year) if (day.month, day.day) == (12, 31) else day.isoformat()

    def year_ends(self) -> list[int]:
        """Ticks: last days of years inside the data's span, not more than the form holds."""
        shown = self.shown
        days = sorted(str(row["period"]) for row in (*shown.rows, *shown.points, *shown.lines))
        first, last = int(days[0][:4]), int(days[-1][:4]) - (0 if days[-1].endswith("-12-31") else 1)
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if (last - first) / s < self.form.ticks)
        return [time_of(f"{year}-12-31") for year in range(last, first - 1, -step)][::-1]

    def y(self, field: str, *, zero: bool = True) -> alt.Y:
        """Vertical position in the chart's scale."""
        if self.shown.log:
            axis = alt.Axis(title=None, values=self.log_ticks(), labelExpr=_PLAIN, domain=False, ticks=False)
            return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(type="log", nice=False))
        axis = alt.Axis(title=None, format=",~f", tickCount=5, domain=False, ticks=False)
        return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(zero=zero, nice=True))

    def log_ticks(self) -> list[float]:
        """Round numbers over the data's span: powers of ten, and 2 and 5 times them when there is room."""
        numbers = [self.scaled(number) for number in self.shown.numbers]
        first, last = floor(log10(min(numbers))), ceil(log10(max(numbers)))
        steps = (1, 2, 5) if last - first <= 2 else (1,)
        ticks = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
        return [tick for tick in ticks if min(numbers) <= tick <= max(numbers)]

    def legend(self, labels: list[str], **options: Any) -> alt.Legend | None:
        """A legend in as many columns as fit; none for a single unnamed series."""
        return alt.Legend(columns=style.legend_columns(labels, self.form, self.beside), **options)

    @property
    def beside(self) -> float:
        """Pixels that the names of rows take to the left of a horizontal chart, and of its legend."""
        if not self.horizontal:
            return 0.0
        names = {row["category"] for row in self.shown.rows}
        lines = [line for name in names for line in style.wrap(name, self.form.label_chars)]
        return max(map(style.width_of, lines)) * self.form.font * style.EM

    def number(self, value: float, low: float | None = None, high: float | None = None) -> str:
        """A number of the data (unscaled) in the axis' scale, without the unit that the heading states."""
        if low is None or high is None:
            return in_scale(value, self.unit, self.scale, self.place)
        return bare_text(self.value(value, low, high), self.scale)

    def interval(self, value: float, low: float, high: float) -> str:
        """Both ends of an interval in the axis' scale."""
        return bare_range(self.value(value, low, high), self.scale)

    def value(self, value: float, low: float | None, high: float | None) -> Value:
        """A number of the data with its unit."""
        return Value(value=value, unit=self.unit, low=low, high=high)

    def as_of_rule(self) -> list[Any]:
        """A dashed rule where knowledge ends, named above the plot."""
        if self.as_of is None or not self.days:
            return []
        start, end, now = (time_of(day) for day in (self.days[0], self.days[-1], self.as_of))
        late = (now - start) > (end - start) / 2
        row = [{"period": now, "label": self.texts.text("axis.as_of", {"day": self.as_of})}]
        chart = alt.Chart(alt.Data(values=row)).encode(x=self.x())
        name = chart.mark_text(
            align="right" if late else "left",
            baseline="bottom",
            dx=-4 if late else 4,
            dy=-3,
            color=style.SOFT,
        )
        rule = chart.mark_rule(color=style.SOFT, strokeDash=[3, 3])
        return [rule, name.encode(y=alt.value(0), text="label:N")]

    def reference_rule(self, axis: str) -> list[Any]:
        """The value to compare with, as a thin rule across the value axis with its name."""
        if self.shown.reference is None:
            return []
        row = {"reference": self.scaled(self.shown.reference), "label": self.shown.text("reference")}
        chart = alt.Chart(alt.Data(values=[row]))
        rule, text = chart.mark_rule(color=style.INK, strokeWidth=1), chart.mark_text(color=style.SOFT)
        if axis == "x":
            above = text.encode(x="reference:Q", y=alt.value(-9), text="label:N")
            return [rule.encode(x="reference:Q"), above]
        right = chart.mark_text(color=style.SOFT, align="right", baseline="bottom", dy=-3)
        return [
            rule.encode(y="reference:Q"),
            right.encode(y="reference:Q", x=alt.value("width"), text="label:N"),
        ]


def scale_of(shown: Readable) -> Scale:
    """The scale in which all numbers of a chart are written: the largest's, or the middle's on a log axis."""
    numbers = shown.numbers
    middle = sqrt(min(numbers) * max(numbers)) if shown.log else max(numbers)
    return scale_for(middle, shown.unit, shown.texts.lang)


def time_of(period: Any) -> Any:
    """A day as milliseconds since 1970 (no time zone can move it); a number as itself."""
    if not isinstance(period, str):
        return period
    day = date.fromisoformat(period)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
