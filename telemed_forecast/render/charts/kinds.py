"""The kinds of chart, each a function from a drawing to a sheet."""

from __future__ import annotations

from collections.abc import Callable

from telemed_forecast.render.charts.by_item import bars, dots, slopes
from telemed_forecast.render.charts.canvas import Canvas
from telemed_forecast.render.charts.drawing import Drawing
from telemed_forecast.render.charts.over_time import fan, lines, panels

KINDS: dict[str, Callable[[Drawing], Canvas]] = {
    "fan": fan,
    "lines": lines,
    "panels": panels,
    "bars": bars,
    "dots": dots,
    "slopes": slopes,
}
