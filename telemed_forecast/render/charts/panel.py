"""A plot over time or any other ordered axis: gridlines, periods, bands and lines; and what stands above a plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from telemed_forecast.render.charts import axes, style
from telemed_forecast.render.charts.axes import Axis
from telemed_forecast.render.charts.canvas import Canvas, Point
from telemed_forecast.render.charts.drawing import Drawing, Rows

BEYOND = 30.0
"""A logarithmic axis ends that many times below and above its middle numbers: wider intervals are cut there."""


@dataclass(frozen=True)
class Box:
    """Where a plot stands on the sheet, in pixels."""

    left: float
    top: float
    right: float
    bottom: float


class Panel:
    """A plot with its axes: where a period and a number stand.

    Parameters
    ----------
    drawing, canvas
        The chart, and the sheet.
    box
        Where the plot stands; tick labels stand outside of it.
    numbers
        What the vertical axis must hold, in its unit.
    periods
        What the horizontal axis must hold.
    ticks
        At most so many gridlines.
    """

    def __init__(
        self,
        drawing: Drawing,
        canvas: Canvas,
        box: Box,
        *,
        numbers: Sequence[float],
        periods: Sequence[float],
        ticks: int = 5,
    ) -> None:
        self.drawing, self.canvas, self.box = drawing, canvas, box
        self.y = vertical(drawing, numbers, box, ticks)
        self.across = Axis(min(periods), max(periods), box.left, box.right)

    def x(self, period: float) -> float:
        """Pixel of a period."""
        return self.across.at(period)

    def points(self, rows: Rows, field: str) -> list[Point]:
        """Where a column of rows runs."""
        return [(self.x(row["period"]), self.y.at(row[field])) for row in rows if row.get(field) is not None]

    def frame(self, *, labels: bool = True, title: bool = True) -> None:
        """Gridlines with their numbers, and the periods below."""
        canvas, box, font = self.canvas, self.box, self.canvas.font
        for tick in self.y.ticks:
            y = self.y.at(tick)
            canvas.line((box.left, y), (box.right, y), style.SOFT if tick == 0 else style.GRID)
            if labels:
                canvas.text((box.left - 6, y + font * 0.35), axes.plain(tick), anchor="end", fill=style.SOFT)
        for period, name in self._periods():
            x = self.x(period)
            canvas.line((x, box.bottom), (x, box.bottom + 4), style.SOFT)
            canvas.text((x, box.bottom + font + 5), name, anchor="middle", fill=style.SOFT)
        if title and (words := self.drawing.x_title()):
            at = ((box.left + box.right) / 2, box.bottom + 2 * font + 10)
            canvas.text(at, words, anchor="middle", fill=style.SOFT)

    def _periods(self) -> list[tuple[float, str]]:
        drawing, width = self.drawing, self.box.right - self.box.left
        most = min(drawing.form.ticks, max(2, int(width / (4.2 * self.canvas.font))))
        if drawing.days:
            ends = [end for end in drawing.year_ends(most) if self.across.low <= end <= self.across.high]
            return [(end, drawing.period_name(end)) for end in ends]
        even = axes.even([self.across.low, self.across.high], 0, 1, ticks=most, zero=False)
        return [(tick, axes.plain(tick)) for tick in even.ticks if self.across.low <= tick <= self.across.high]

    def band(self, rows: Rows, low: str, high: str, fill: str, edge: str) -> None:
        """What lies between two columns; its edges are drawn by `edges`, when all bands are."""
        upper, lower = self.points(rows, high), self.points(rows, low)
        if len(upper) > 1:
            self.canvas.area(upper, lower, fill)
            for line in (upper, lower):
                self.canvas.path(line, edge, width=0.9)

    def tips(self, rows: Rows, tell: Callable[[Any], str]) -> None:
        """Each period tells its values when it is pointed at."""
        periods = sorted({row["period"] for row in rows})
        places = [self.x(period) for period in periods]
        ends = [self.box.left, *((a + b) / 2 for a, b in pairwise(places)), self.box.right]
        for period, start, end in zip(periods, ends[:-1], ends[1:], strict=True):
            if end > start:
                height = self.box.bottom - self.box.top
                self.canvas.tip((start, self.box.top), end - start, height, tell(period))


def vertical(drawing: Drawing, numbers: Sequence[float], box: Box, ticks: int = 5) -> Axis:
    """The vertical axis: from zero, unless it is logarithmic."""
    if drawing.shown.log:
        return axes.logarithmic([number for number in numbers if number > 0], box.bottom, box.top)
    return axes.even(numbers, box.bottom, box.top, ticks=ticks)


def margin(drawing: Drawing, numbers: Sequence[float], canvas: Canvas) -> float:
    """Pixels that the numbers of a vertical axis take to its left."""
    axis = vertical(drawing, numbers, Box(0, 0, 1, 100))
    return max(canvas.width_of(axes.plain(tick)) for tick in axis.ticks) + 10 if axis.ticks else 10


Sign = Callable[[Canvas, Point], None]
"""Draws a key's sign, 22 pixels wide, around a middle."""


def key(canvas: Canvas, entries: Sequence[tuple[Sign, str]], top: float, left: float = 0.0) -> float:
    """Signs and what they mean, in as many lines as they need; the height at which they end."""
    x, y, step = left, top, canvas.font + 7
    for sign, words in entries:
        width = 30 + canvas.width_of(words) + 12
        if x > left and x + width > canvas.width:
            x, y = left, y + step
        sign(canvas, (x + 12, y + step / 2))
        lines = style.wrap(words, int((canvas.width - x - 30) / (canvas.font * style.EM)))
        for k, line in enumerate(lines):
            canvas.text((x + 28, y + step / 2 + canvas.font * 0.36 + k * (canvas.font + 3)), line)
        y += (len(lines) - 1) * (canvas.font + 3)
        x += width
    return y + step if entries else top


def stroke(color: str, dash: str = "", width: float = 2.2, shape: str = "") -> Sign:
    """A line's sign, with its mark."""

    def draw(canvas: Canvas, at: Point) -> None:
        canvas.line((at[0] - 11, at[1]), (at[0] + 11, at[1]), color, width=width, dash=dash)
        if shape:
            canvas.mark(at, shape, color, color, size=3.2)

    return draw


def swatch(fill: str, edge: str) -> Sign:
    """A band's sign."""
    return lambda canvas, at: canvas.box((at[0] - 11, at[1] - 6), 22, 12, fill, stroke=edge)


def mark(shape: str, fill: str, edge: str) -> Sign:
    """A mark's sign."""
    return lambda canvas, at: canvas.mark(at, shape, fill, edge)
