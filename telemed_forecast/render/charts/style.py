"""How charts look, and how an SVG becomes a good citizen of a page.

Series differ in dashes and marks as well as in colour, for print in grey; every line, edge and mark stands out from
paper by 3 : 1. Every colour is a plain attribute, so that a page can restyle it for a dark screen
(`DARK`) while paper keeps the original.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

INK, SOFT, GRID, PAPER = "#1b232c", "#55606b", "#dfe4e9", "#ffffff"
BAND95, BAND80, BAND50, MEDIAN = "#e4eef6", "#bcd5e8", "#8bb5d6", "#0b4a75"
EDGE = "#4f86b0"
"""Edge of every band: fills that lie in one another cannot all stand out from paper, their edges do."""
SERIES = ("#0072b2", "#8a6100", "#a8437f", "#5b5bd6", "#4d7c0f", "#6b6b6b", "#0e7490")
TINTS = {
    "#0072b2": "#c9dff0",
    "#8a6100": "#efe2c0",
    "#a8437f": "#efd5e4",
    "#5b5bd6": "#dedef6",
    "#4d7c0f": "#dfeccb",
    "#6b6b6b": "#e3e3e3",
    "#0e7490": "#cde8ee",
    "#c4500a": "#f5dccb",
    "#00805e": "#cbe8dc",
}
"""Colour of a band by the colour of its line."""
TONES = {"bad": "#c4500a", "good": "#00805e", "neutral": "#6b6b6b", "other": "#5b5bd6"}
"""Colours that mean something, which no plain series has: apart for eyes that do not tell red from green, too."""
DASHES = ("", "7 3", "2 2", "10 3 2 3", "4 4", "12 4", "1 3")
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down")
GRADE_SHAPES = {"A": "circle", "B": "square", "C": "triangle-up", "D": "diamond"}

DARK = {
    INK: "#e8ecf0",
    SOFT: "#a9b4bf",
    GRID: "#39434d",
    PAPER: "#12171c",
    BAND95: "#1b2f41",
    BAND80: "#25486a",
    BAND50: "#33658f",
    EDGE: "#6fa8d6",
    MEDIAN: "#cfe6f8",
    "#0072b2": "#5aaee6",
    "#8a6100": "#dcae3c",
    "#a8437f": "#e07fb8",
    "#5b5bd6": "#a3a3ff",
    "#4d7c0f": "#a3c95c",
    "#6b6b6b": "#a0a0a0",
    "#0e7490": "#4fc3dc",
    "#c4500a": "#ff8c42",
    "#00805e": "#35c79b",
    "#c9dff0": "#1c3a52",
    "#efe2c0": "#40341a",
    "#efd5e4": "#43233a",
    "#dedef6": "#2e2e58",
    "#dfeccb": "#2b3a14",
    "#e3e3e3": "#363636",
    "#cde8ee": "#123740",
    "#f5dccb": "#4a2c17",
    "#cbe8dc": "#143c30",
}
"""Colour on a dark screen by colour on paper."""

FONTS = (
    "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans SC', 'Noto Sans CJK SC', "
    "'PingFang SC', 'Microsoft YaHei', sans-serif"
)
"""Fonts of pages and charts; nothing is downloaded, Chinese falls back to what the reader's system has."""

EM = 0.62
"""Width of a half-width character, in text sizes, in a wide font: room is left for the reader's own font."""

_FULL = 1.04 / EM

_PIECES = re.compile(
    r"[（《「“]*[\u2e80-\uffef][）》」”，。：；、]*"  # brackets stay with what they enclose
    r"|[^\s\u2e80-\uffef]+|\s+"
)

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


def width_of(text: str) -> float:
    """Width in half-width characters of a wide font; a Chinese character is as wide as its size."""
    return sum(_FULL if unicodedata.east_asian_width(character) in "WF" else 1.0 for character in text)


def wrap(text: str, limit: int) -> list[str]:
    """Lines of at most `limit` half-width characters; English breaks at spaces, Chinese anywhere."""
    lines, line = [], ""
    for piece in _PIECES.findall(text):
        if line and width_of(line + piece.rstrip()) > limit:
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()] if line.strip() else lines


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
    svg = re.sub(r'="[^"]*"', lambda attribute: re.sub(r"(\d+\.\d{2})\d+", r"\1", attribute[0]), svg)
    # The whole is one image: what a drawing program says of its parts is only noise to a screen reader.
    svg = re.sub(r'\s(?:role|aria-\w+)="[^"]*"', "", svg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    named = f'overflow="visible" role="img" aria-labelledby="{prefix}-title {prefix}-desc" font-family="{FONTS}"'
    words = (
        f'<title id="{prefix}-title">{html.escape(_NO_XML.sub(" ", title))}</title>'
        f'<desc id="{prefix}-desc">{html.escape(_NO_XML.sub(" ", description))}</desc>'
    )
    return re.sub(r"<svg ([^>]*)>", lambda match: f"<svg {named} {match[1]}>{words}", svg, count=1)
