"""A sheet on which a chart is drawn as plain SVG: strokes, areas, marks and texts at positions in pixels.

Colours are attributes, so that a page can restyle them for a dark screen. Places that tell their values when a reader
points at them (`tip`) are empty rectangles, which show nothing where no script runs.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from telemed_forecast.render.charts import style

Point = tuple[float, float]

_MARKS = {
    "circle": "M{r},0A{r},{r} 0 1 1 -{r},0A{r},{r} 0 1 1 {r},0Z",
    "square": "M-{s},-{s}H{s}V{s}H-{s}Z",
    "triangle-up": "M0,-{t}L{t},{s}H-{t}Z",
    "diamond": "M0,-{t}L{t},0L0,{t}L-{t},0Z",
    "triangle-down": "M0,{t}L{t},-{s}H-{t}Z",
}


class Canvas:
    """An SVG being drawn, `width` by `height` pixels; the height may grow while it is drawn."""

    def __init__(self, width: float, font: int) -> None:
        self.width, self.height, self.font = width, 0.0, font
        self._drawn: list[str] = []
        self._tips: list[str] = []

    def line(self, start: Point, end: Point, stroke: str, *, width: float = 1.0, dash: str = "") -> None:
        """A straight stroke."""
        self.path([start, end], stroke, width=width, dash=dash)

    def path(self, points: Sequence[Point], stroke: str, *, width: float = 2.0, dash: str = "") -> None:
        """A stroke through points."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._drawn.append(f'<path d="{_way(points)}" fill="none" stroke="{stroke}" stroke-width="{width:g}"{dashed}/>')

    def area(self, upper: Sequence[Point], lower: Sequence[Point], fill: str) -> None:
        """What lies between two lines."""
        self._drawn.append(f'<path d="{_way([*upper, *reversed(lower)])}Z" fill="{fill}"/>')

    def box(self, corner: Point, width: float, height: float, fill: str, *, stroke: str = "") -> None:
        """A filled rectangle."""
        edge = f' stroke="{stroke}"' if stroke else ""
        size = f'width="{_short(width)}" height="{_short(height)}"'
        self._drawn.append(f'<rect x="{_short(corner[0])}" y="{_short(corner[1])}" {size} fill="{fill}"{edge}/>')

    def mark(self, at: Point, shape: str, fill: str, stroke: str, *, size: float = 4.0) -> None:
        """A mark at a point."""
        way = _MARKS[shape].format(r=_short(size), s=_short(size * 0.88), t=_short(size * 1.25))
        place = f'transform="translate({_short(at[0])},{_short(at[1])})"'
        self._drawn.append(f'<path {place} d="{way}" fill="{fill}" stroke="{stroke}" stroke-width="1.4"/>')

    def text(self, at: Point, words: str, *, anchor: str = "start", fill: str = style.INK, bold: bool = False) -> None:
        """A line of text on a baseline."""
        weight = ' font-weight="600"' if bold else ""
        place = f'x="{_short(at[0])}" y="{_short(at[1])}" text-anchor="{anchor}"'
        self._drawn.append(f'<text {place} fill="{fill}"{weight}>{html.escape(words)}</text>')

    def tip(self, corner: Point, width: float, height: float, words: str) -> None:
        """What a reader is told who points at a place."""
        size = f'width="{_short(width)}" height="{_short(height)}"'
        place = f'x="{_short(corner[0])}" y="{_short(corner[1])}" {size}'
        self._tips.append(f'<rect {place} data-tip="{html.escape(words)}"/>')

    def width_of(self, words: str, *, bold: bool = False) -> float:
        """Pixels that a text takes, in a wide font."""
        return style.width_of(words) * self.font * style.EM * (1.06 if bold else 1.0)

    def svg(self) -> str:
        """What was drawn, unnamed."""
        tips = f'<g fill="none" pointer-events="all">{"".join(self._tips)}</g>' if self._tips else ""
        width, height = _short(self.width), _short(self.height)
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-size="{self.font}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        return f"{head}{''.join(self._drawn)}{tips}</svg>"


def apart(wanted: Sequence[float], heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """Middles of labels as near as possible to where they are wanted, in the same order, without overlap."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    placed = {k: wanted[k] for k in order}
    edge = top
    for k in order:
        placed[k] = max(placed[k], edge + heights[k] / 2)
        edge = placed[k] + heights[k] / 2
    edge = bottom
    for k in reversed(order):
        placed[k] = min(placed[k], edge - heights[k] / 2)
        edge = placed[k] - heights[k] / 2
    return [placed[k] for k in range(len(wanted))]


def _way(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_short(x)},{_short(y)}" for x, y in points)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
