"""A chart block drawn as SVG, once for wide pages and paper and once for phones.

Altair describes the figure, vl-convert draws it without a browser. The same block gives the same bytes.
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
from telemed_forecast.render.texts import Catalogue, catalogue
from telemed_forecast.reporting.atoms import Language
from telemed_forecast.reporting.blocks import Chart

__all__ = ["NARROW", "WIDE", "Form", "scale_of", "svg"]


def svg(block: Chart, lang: Language, form: Form = WIDE, *, texts: Catalogue | None = None) -> str:
    """The chart as an SVG element with role img, title and description; its ids carry chart and form.

    Parameters
    ----------
    block : Chart
        What to draw.
    lang : {"en", "zh"}
        Language of texts and numbers.
    form : Form
        `WIDE` for pages and paper, `NARROW` for phones.
    texts : Catalogue, optional
        Texts to use instead of the language's own.
    """
    texts = texts or catalogue(lang)
    drawing = Drawing(block, texts, form)
    chart = KINDS[block.kind](drawing)
    unit = texts.unit(block.unit, drawing.scale)
    spec = chart.properties(title=alt.TitleParams(text=unit), width=form.width)
    spec = spec.properties(
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        padding={"left": 2, "top": 2, "right": 14, "bottom": 2},
    )
    raw = _convert(json.dumps({**spec.to_dict(), "config": style.config(form, room=drawing.room)}, ensure_ascii=False))
    title = f"{texts.text(block.title_key, block.title_values)} ({unit})"
    alternative = texts.text(block.alt_key, block.alt_values)
    return style.finish(raw, prefix=f"{block.id}-{form.name}", title=title, description=alternative)


@lru_cache(maxsize=256)
def _convert(spec: str) -> str:
    return str(vl_convert.vegalite_to_svg(spec))
