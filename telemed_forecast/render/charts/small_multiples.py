"""Forecasts of the user's own series side by side: a fan for each, with what was known before it.

One drawing for a screen or a slide, PNG or SVG, or an HTML page that stands alone: nothing is fetched.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from telemed_forecast import hub_format
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.render.charts import style
from telemed_forecast.render.charts.drawing import time_of
from telemed_forecast.render.charts.style import FONTS, NARROW, WIDE

FORMATS = (".png", ".svg", ".html")
"""Suffixes of a drawing."""

MOST = 24
"""Series in one drawing: more can be neither read nor printed."""

_BANDS = (
    ("95%", 0.025, 0.975, style.BAND95),
    ("80%", 0.1, 0.9, style.BAND80),
    ("50%", 0.25, 0.75, style.BAND50),
)
_COLUMNS = 3
_SMALL = (250, 160)
_NAME = 36
_PIXELS = 2.0
_TICKS = 5

# Thousands and more are shortened, as k, M and B; what is smaller keeps its digits.
_LABEL = "datum.value >= 10000 ? replace(format(datum.value, '.3~s'), 'G', 'B') : format(datum.value, ',.3~r')"


def draw(forecasts: Sequence[Forecast], file: Path, suffix: str) -> list[str]:
    """Draw forecasts, a panel a series.

    Parameters
    ----------
    forecasts
        Not more than `MOST`.
    file
        Where the drawing is written.
    suffix
        One of `FORMATS`.

    Returns
    -------
    What the user should know of the drawing.
    """
    if suffix == ".png":
        file.write_bytes(vl_convert.vegalite_to_png(_spec(forecasts), scale=_PIXELS))
        return _unreadable(forecasts, suffix)
    names = ", ".join(forecast.series.series_id for forecast in forecasts)
    title = f"Forecasts: {names}"
    svg = inline(forecasts, title, "What was known as points, the forecast as its median with bands of 50, 80 and 95%.")
    if suffix == ".html":
        look = f"body{{margin:2rem;font-family:{FONTS};background:{style.PAPER}}}svg{{max-width:100%;height:auto}}"
        head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{look}</style>'
        svg = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{svg}\n</body></html>\n'
    file.write_text(svg, encoding="utf-8")
    return _unreadable(forecasts, suffix)


def _unreadable(forecasts: Sequence[Forecast], suffix: str) -> list[str]:
    """A warning of Chinese names that this machine has no font for, as far as it can be asked."""
    names = "".join(forecast.series.series_id + forecast.series.unit for forecast in forecasts)
    asks = shutil.which("fc-list")
    if not asks or not re.search(r"[\u2e80-\u9fff]", names):
        return []
    fonts = subprocess.run([asks, ":lang=zh", "family"], capture_output=True, text=True, timeout=60)
    if fonts.returncode or fonts.stdout.strip():
        return []
    drawn = "are drawn as empty boxes" if suffix == ".png" else "stand in the file, but cannot be read here"
    return [f"Chinese names {drawn}: this machine has no Chinese font (Debian: fonts-noto-cjk)"]


def inline(forecasts: Sequence[Forecast], title: str, description: str, *, columns: int = _COLUMNS) -> str:
    """The drawing as SVG for a page, with a title and a description for who cannot see it."""
    svg = vl_convert.vegalite_to_svg(_spec(forecasts, columns))
    prefix = "forecasts" if columns > 1 else "forecasts-narrow"
    return style.finish(svg, prefix=prefix, title=title, description=description)


def _spec(forecasts: Sequence[Forecast], columns: int = _COLUMNS) -> str:
    alone = len(forecasts) == 1
    width, height = (WIDE.width, WIDE.height) if alone else _SMALL
    panels = [_panel(forecast).properties(width=width, height=height) for forecast in forecasts]
    chart = alt.concat(*panels, columns=columns).resolve_scale(x="independent", y="independent")
    config = {**style.config(WIDE if alone else NARROW, room=0), "background": style.PAPER}
    spec = {**chart.to_dict(), "config": config, "padding": 12}
    return style.drawable(json.dumps(spec, ensure_ascii=False))


def _panel(forecast: Forecast) -> Any:
    """One series: bands, median, and what was known."""
    series = forecast.series
    known = [
        {"period": time_of(str(day)), "value": float(value)}
        for day, value in zip(series.last_days(series.index), series.values, strict=True)
    ]
    last = known[-1]
    times = [last["period"], *(time_of(str(day)) for day in forecast.last_days)]
    # The fan opens at the last known value.
    quantiles = np.vstack([np.full(len(hub_format.QUANTILES), last["value"]), forecast.quantiles])
    bands = [
        {"period": time, "low": float(low), "high": float(high), "band": name}
        for name, lower, upper, _ in _BANDS
        for time, low, high in zip(times, quantiles[:, _at(lower)], quantiles[:, _at(upper)], strict=True)
    ]
    median = [{"period": time, "value": float(v)} for time, v in zip(times, quantiles[:, _at(0.5)], strict=True)]
    x, y = _x([*(row["period"] for row in known), *times]), _y
    scale = alt.Scale(domain=[name for name, *_ in reversed(_BANDS)], range=[color for *_, color in reversed(_BANDS)])
    fill = alt.Fill("band:N", scale=scale, legend=alt.Legend(symbolType="square", symbolStrokeWidth=0))
    layers = [
        alt.Chart(alt.Data(values=bands))
        .mark_area(line=False, stroke=style.EDGE, strokeWidth=0.8)
        .encode(x=x, y=y("low"), y2="high:Q", fill=fill),
        alt.Chart(alt.Data(values=median)).mark_line(stroke=style.MEDIAN, strokeWidth=2).encode(x=x, y=y("value")),
        alt.Chart(alt.Data(values=known)).mark_line(stroke=style.INK, strokeWidth=1).encode(x=x, y=y("value")),
        alt.Chart(alt.Data(values=known))
        .mark_point(filled=True, fill=style.INK, size=22, opacity=1)
        .encode(x=x, y=y("value")),
    ]
    title = alt.TitleParams(text=_name(series.series_id), subtitle=series.unit, color=style.INK)
    return alt.layer(*layers).properties(title=title)


def _name(series_id: str) -> list[str]:
    """A series' name in lines that fit above its panel; it may be broken after an underscore, too."""
    lines = style.wrap(series_id.replace("_", "_ "), _NAME)
    return [line.replace("_ ", "_") for line in lines]


def _at(level: float) -> int:
    return int(np.flatnonzero(np.isclose(hub_format.QUANTILES, level))[0])


def _x(times: Sequence[int]) -> alt.X:
    """Time with the years written at their last days."""
    days = np.array(sorted(times), dtype="datetime64[ms]").astype("datetime64[Y]").astype(int) + 1970
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if (days[-1] - days[0]) / step < _TICKS)
    ends = [time_of(f"{year}-12-31") for year in range(days[-1] // step * step, days[0] - 1, -step)]
    ends = [end for end in ends if min(times) <= end <= max(times)]
    axis = alt.Axis(title=None, grid=False, labelExpr="utcFormat(datum.value, '%Y')", values=ends)
    if len(ends) < 2:
        axis = alt.Axis(title=None, grid=False, labelExpr="utcFormat(datum.value, '%Y-%m')", tickCount=_TICKS)
    return alt.X("period:T", axis=axis, scale=alt.Scale(type="utc", nice=False))


def _y(field: str) -> alt.Y:
    axis = alt.Axis(title=None, labelExpr=_LABEL, tickCount=4, domain=False, ticks=False)
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(zero=True, nice=True))
