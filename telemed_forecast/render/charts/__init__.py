"""A chart drawn as SVG, once for wide pages and paper and once for phones.

Altair describes the figure, vl-convert draws it without a browser. The same exhibit gives the same bytes.
Numbers are scaled to the language's unit (millions of people, 亿人), which is stated above the axis; texts
that people read come from the catalogue.
"""

from __future__ import annotations

import json
from functools import lru_cache

import altair as alt
import vl_convert

from telemed_forecast.render.charts import style
from telemed_forecast.render.charts.drawing import Drawing, scale_of
from telemed_forecast.render.charts.kinds import KINDS
from telemed_forecast.render.charts.style import NARROW, WIDE, Form
from telemed_forecast.render.readable import Readable

__all__ = ["NARROW", "WIDE", "Form", "scale_of", "svg"]


def svg(shown: Readable, form: Form = WIDE) -> str:
    """The chart as an SVG element with role img, title and description; its ids carry chart and form.

    Parameters
    ----------
    shown
        The exhibit in its language.
    form
        `WIDE` for pages and paper, `NARROW` for phones.
    """
    drawing = Drawing(shown, form)
    chart = KINDS[shown.look.kind](drawing)
    unit = shown.texts.unit(drawing.unit, drawing.scale)
    spec = chart.properties(title=alt.TitleParams(text=unit), width=form.width)
    spec = spec.properties(
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding={"left": 2, "top": 2, "right": 14, "bottom": 2},
    )
    raw = _convert(json.dumps({**spec.to_dict(), "config": style.config(form, room=drawing.room)}, ensure_ascii=False))
    title = f"{shown.text('title')} ({unit})"
    return style.finish(raw, prefix=f"{shown.name}-{form.name}", title=title, description=shown.text("alt"))


@lru_cache(maxsize=256)
def _convert(spec: str) -> str:
    return str(vl_convert.vegalite_to_svg(style.drawable(spec)))
