"""A chart drawn as SVG, once for wide pages and paper and once for phones.

The same exhibit gives the same bytes. Numbers are scaled to the language's unit (millions of people, 亿人), which is
stated above the plot; texts that people read come from the catalogue.
"""

from __future__ import annotations

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
    drawn = KINDS[shown.look.kind](drawing).svg()
    title = f"{shown.finding} ({drawing.heading})"
    return style.finish(drawn, prefix=f"{shown.name}-{form.name}", title=title, description=shown.text("alt"))
