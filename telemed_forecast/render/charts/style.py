"""How charts look, and how an SVG becomes a good citizen of a page.

Series follow the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), and differ in dashes and marks
as well, for print in grey. Every colour is a plain attribute, so that a page can restyle it for a dark screen
(`DARK`) while paper keeps the original.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

INK, SOFT, GRID, PAPER = "#1b232c", "#55606b", "#dfe4e9", "#ffffff"
BAND95, BAND80, BAND50, MEDIAN = "#d9e6f1", "#aac9e1", "#6fa3cc", "#0b4a75"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a")
STACKED = ("#11507f", "#e69f00", "#cfd6dd", "#009e73", "#56b4e9", "#cc79a7", "#d55e00")
DASHES = ((1, 0), (7, 3), (2, 2), (10, 3, 2, 3), (4, 4), (12, 4), (1, 3))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
GRADE_SHAPES = {"A": "circle", "B": "square", "C": "triangle-up", "D": "diamond"}

DARK = {
    INK: "#e8ecf0",
    SOFT: "#a9b4bf",
    GRID: "#39434d",
    PAPER: "#171c22",
    BAND95: "#20374c",
    BAND80: "#2c5478",
    BAND50: "#3f7bac",
    MEDIAN: "#cfe6f8",
    "#0072b2": "#5aaee6",
    "#d55e00": "#ff8c42",
    "#009e73": "#35c79b",
    "#7a7a7a": "#a0a0a0",
    "#11507f": "#4d9fd6",
    "#cfd6dd": "#77818b",
}
"""Colour on a dark screen by colour on paper."""

FONTS = (
    "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans SC', 'Noto Sans CJK SC', "
    "'PingFang SC', 'Microsoft YaHei', sans-serif"
)
"""Fonts of pages and charts; nothing is downloaded, Chinese falls back to what the reader's system has."""

EM = 0.62
"""Width of a half-width character, in text sizes, in a wide font: room is left for the reader's own font."""

_MEASURED_IN = "Arial, 'Noto Sans CJK SC', sans-serif"


@dataclass(frozen=True, kw_only=True)
class Form:
    """Shape of one rendering of a chart: for a wide page (and paper), or for a phone.

    Attributes
    ----------
    name : str
        "wide" or "narrow"; part of the ids inside the SVG.
    width, height : int
        Size of the SVG in CSS pixels (height of the plot).
    font : int
        Text size in pixels.
    ticks : int
        At most so many labels on the horizontal axis.
    label_chars : int
        A category's label is broken into lines of at most so many half-width characters.
    """

    name: str
    width: int
    height: int
    font: int
    ticks: int
    label_chars: int

    @property
    def wide(self) -> bool:
        """Whether it is the form for wide pages and paper."""
        return self.name == "wide"


WIDE = Form(name="wide", width=720, height=330, font=13, ticks=9, label_chars=34)
NARROW = Form(name="narrow", width=340, height=270, font=12, ticks=5, label_chars=17)


def config(form: Form, *, room: int) -> dict[str, Any]:
    """Vega-Lite configuration of a form, with room (px) for a name between legend and plot."""
    text = {
        "labelFont": _MEASURED_IN,
        "titleFont": _MEASURED_IN,
        "labelFontSize": form.font,
        "titleFontSize": form.font,
    }
    axis = {
        **text,
        "labelColor": SOFT,
        "titleColor": SOFT,
        "titleFontWeight": "normal",
        "domainColor": SOFT,
        "tickColor": SOFT,
        "gridColor": GRID,
        "labelPadding": 5,
    }
    legend = {
        **text,
        "labelColor": INK,
        "orient": "top",
        "title": None,
        "padding": 0,
        "offset": 8 + room,
        "labelLimit": form.width - 40,
        "symbolSize": 90,
        "columnPadding": 22,
        "rowPadding": 3,
        "layout": {
            "top": {
                "direction": "vertical",
                "anchor": "start",
                "margin": 3,
                "bounds": "flush",
                "offset": 8 + room,
            }
        },
    }
    title = {"font": _MEASURED_IN, "fontSize": form.font, "fontWeight": "normal", "color": SOFT}
    head = {**title, "anchor": "start", "frame": "group", "offset": 6, "subtitleFont": _MEASURED_IN}
    return {
        "aria": False,
        "background": None,
        "font": _MEASURED_IN,
        "axis": axis,
        "axisLeft": {"minExtent": 34},
        "legend": legend,
        "text": {"font": _MEASURED_IN, "fontSize": form.font, "color": INK},
        "title": {**head, "subtitleFontSize": form.font, "subtitleColor": SOFT},
        "view": {"stroke": None},
    }


def width_of(text: str) -> int:
    """Width in half-width characters: a Chinese character counts two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def wrap(text: str, limit: int) -> list[str]:
    """Lines of at most `limit` half-width characters; English breaks at spaces, Chinese anywhere."""
    lines, line = [], ""
    for piece in re.findall(r"[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+", text):
        if line and width_of(line + piece.rstrip()) > limit:
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()] if line.strip() else lines


def legend_columns(labels: list[str], form: Form, beside: float = 0.0) -> int:
    """How many legend entries fit in a row, when `beside` pixels to their left are taken."""
    widest = max((width_of(label) for label in labels), default=1)
    entry = widest * form.font * EM + 30
    return max(1, min(len(labels), int((form.width - beside) / entry)))


_ESCAPED = re.compile(r"(\\\\)|\\(?:[bf]|u00(?:0[0-8bcef]|1[0-9a-f]))|[\ufffe\uffff]")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def drawable(spec: str) -> str:
    """A chart's JSON with blanks for characters that no SVG may hold: vl-convert ends the process over one."""
    return _ESCAPED.sub(lambda found: found[1] or " ", spec)


def finish(svg: str, *, prefix: str, title: str, description: str) -> str:
    """An accessible, restylable SVG: named and described, ids prefixed, one font stack, numbers shortened.

    Parameters
    ----------
    svg : str
        As vl-convert writes it.
    prefix : str
        Put before every id, so that several figures live on one page.
    title, description : str
        Name and text alternative.
    """
    svg = re.sub(r'\sfont-family="[^"]*"', "", svg)
    svg = re.sub(r"(\d+\.\d{2})\d+", r"\1", svg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    named = f'overflow="visible" role="img" aria-labelledby="{prefix}-title {prefix}-desc" font-family="{FONTS}"'
    words = (
        f'<title id="{prefix}-title">{html.escape(_NO_XML.sub(" ", title))}</title>'
        f'<desc id="{prefix}-desc">{html.escape(_NO_XML.sub(" ", description))}</desc>'
    )
    return re.sub(r"<svg ([^>]*)>", lambda match: f"<svg {named} {match[1]}>{words}", svg, count=1)
