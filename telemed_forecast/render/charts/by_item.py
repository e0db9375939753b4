"""Charts of items below each other: bars, marks with their intervals, and what was forecast beside what came."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telemed_forecast.render.charts import axes, style
from telemed_forecast.render.charts.axes import Axis
from telemed_forecast.render.charts.canvas import Canvas
from telemed_forecast.render.charts.drawing import Drawing, Rows
from telemed_forecast.render.charts.panel import BEYOND, Box, Panel, key, margin, mark, swatch
from telemed_forecast.render.readable import is_number

_GAP, _CLOSE, _MANY = 12, 5, 12
"""Pixels between items, and how many items make them stand closer."""
_BAR = 13
_SLOT = 74


def bars(drawing: Drawing) -> Canvas:
    """Horizontal bars with their numbers at their ends; two series of opposite sign share a row (a tornado)."""
    return _Items(drawing, as_bars=True).canvas


def dots(drawing: Drawing) -> Canvas:
    """A forest: an item a row, its interval as a stroke, its number as a mark and, with its interval, in words."""
    return _Items(drawing, as_bars=False).canvas


@dataclass
class _Track:
    """One mark's line: its row, where it stands, and what is written beside it."""

    row: dict[str, Any]
    y: float
    words: str
    color: str
    shape: str


class _Items:
    """A chart of items: names left of the tracks on a wide page, above them on a phone."""

    def __init__(self, drawing: Drawing, *, as_bars: bool) -> None:
        form = drawing.form
        self.drawing, self.as_bars = drawing, as_bars
        self.canvas = canvas = Canvas(form.width, form.font)
        rows = _toned(drawing)
        self.names = list(dict.fromkeys(row["series"] for row in rows if row.get("series") is not None))
        self.tornado = as_bars and len(self.names) == 2 and _opposite(rows)
        canvas.text((0, form.font), drawing.heading, fill=style.SOFT)
        entries = [(self._sign(rows, name), name) for name in self.names] if len(self.names) > 1 else []
        self.top = key(canvas, entries, form.font + 5) + 6
        words = [self._words(row) for row in rows]
        widest = max(canvas.width_of(one) for one in words) + 10
        labels = {row["category"]: row["category"] for row in rows}
        limit = form.label_chars if form.wide else int(form.width / (form.font * style.EM))
        wrapped = {name: style.wrap(name, limit) for name in labels}
        longest = max(canvas.width_of(line) for lines in wrapped.values() for line in lines)
        self.left = longest + 14 if form.wide else 4.0
        # Numbers stand at the right edge, where no gridline reaches; those of bars at the bars' ends.
        beside = form.wide or widest < 0.4 * form.width or len(self.names) > 1 or as_bars
        self.right = form.width - (widest if beside else 6.0)
        negative = as_bars and any(row["value"] < 0 for row in rows)
        self.axis = self._axis(rows, widest if negative else 0.0)
        if drawing.shown.reference is not None:
            self.top += form.font + 5
        self._draw(rows, wrapped, words, beside)

    def _draw(self, rows: Rows, wrapped: dict[str, list[str]], words: list[str], beside: bool) -> None:
        form, canvas, line = self.drawing.form, self.canvas, self.drawing.form.font + 3
        y: float = self.top + 4
        tracks: list[_Track] = []
        spans: list[tuple[float, float]] = []
        gap = _GAP if len(wrapped) <= _MANY else _CLOSE
        for category, lines in wrapped.items():
            mine = [(row, told) for row, told in zip(rows, words, strict=True) if row["category"] == category]
            count = 1 if self.tornado else len(mine)
            step = form.font + 8
            if form.wide:
                height: float = max(len(lines) * line, count * step)
                first = y + (height - len(lines) * line) / 2
                start = y + (height - count * step) / 2
            else:
                first, start = y, y + len(lines) * line + 2.0
                if not beside:
                    room = form.width - canvas.width_of(lines[-1]) - 16
                    below = canvas.width_of(mine[0][1]) > room
                    at = start + form.font - 2 if below else first + len(lines) * line - 4
                    canvas.text((form.width, at), mine[0][1], anchor="end")
                    start += line if below else 0
                height = start - y + count * step
            for k, words_of in enumerate(lines):
                x, anchor = (self.left - 12, "end") if form.wide else (0.0, "start")
                canvas.text((x, first + (k + 1) * line - 4), words_of, anchor=anchor)
            for k, (row, told) in enumerate(mine):
                middle = start + (0 if self.tornado else k) * step + step / 2
                tracks.append(_Track(row, middle, told if beside else "", row["color"], row["shape"]))
            spans.append((start, y + height))
            y += height + gap
        bottom = y - gap + 4
        self._grid(spans, bottom)
        for track in tracks:
            (self._bar if self.as_bars else self._dot)(track)
            told = track.words or self._words(track.row)
            name = f"{track.row['series']}, " if len(self.names) > 1 else ""
            canvas.tip((0, track.y - 9), form.width, 18, f"{track.row['category']}: {name}{told}")
        canvas.height = bottom + form.font + 10

    def _grid(self, spans: Sequence[tuple[float, float]], bottom: float) -> None:
        """Gridlines through the tracks alone where names stand above them, so that no line crosses a word."""
        canvas, font, drawing = self.canvas, self.drawing.form.font, self.drawing
        through = [(self.top, bottom)] if drawing.form.wide else spans
        edge = 0.0
        for tick in self.axis.ticks:
            x = self.axis.at(tick)
            for start, end in through:
                canvas.line((x, start), (x, end), style.SOFT if tick == 0 and self.as_bars else style.GRID)
            half = canvas.width_of(axes.plain(tick)) / 2
            if x - half >= edge and x + half <= canvas.width:
                canvas.text((x, bottom + font + 4), axes.plain(tick), anchor="middle", fill=style.SOFT)
                edge = x + half + 6
        if drawing.shown.reference is not None:
            x, words = self.axis.at(drawing.scaled(drawing.shown.reference)), drawing.shown.text("reference")
            for start, end in through:
                canvas.line((x, start), (x, end), style.INK, width=1.2)
            half = canvas.width_of(words) / 2
            middle = min(max(x, half), canvas.width - half)
            canvas.text((middle, self.top - 5), words, anchor="middle", fill=style.SOFT)

    def _bar(self, track: _Track) -> None:
        canvas, row = self.canvas, track.row
        zero, end = self.axis.at(0.0), self.axis.at(row["value"])
        canvas.box((min(zero, end), track.y - _BAR / 2), abs(end - zero), _BAR, track.color)
        edges = [end]
        if row.get("low") is not None and row.get("high") is not None:
            edges += [self.axis.at(row["low"]), self.axis.at(row["high"])]
            canvas.line((edges[1], track.y), (edges[2], track.y), style.INK, width=1.2)
        negative = row["value"] < 0
        at = min(edges) - 5 if negative else max(edges) + 5
        canvas.text((at, track.y + canvas.font * 0.36), track.words, anchor="end" if negative else "start")

    def _dot(self, track: _Track) -> None:
        canvas, row = self.canvas, track.row
        if row.get("low") is not None and row.get("high") is not None:
            canvas.line((self.axis.at(row["low"]), track.y), (self.axis.at(row["high"]), track.y), track.color, width=3)
        canvas.mark((self.axis.at(row["value"]), track.y), track.shape, track.color, style.PAPER, size=5)
        if track.words:
            canvas.text((canvas.width, track.y + canvas.font * 0.36), track.words, anchor="end")

    def _axis(self, rows: Rows, room: float) -> Axis:
        """The value axis; from zero unless it shows multiples, and with room for numbers at the ends of bars."""
        drawing = self.drawing
        ends = [row[name] for row in rows for name in ("value", "low", "high") if row.get(name) is not None]
        ends += [drawing.scaled(drawing.shown.reference)] if drawing.shown.reference is not None else []
        left, ticks = self.left + room + (0 if self.as_bars else 8), max(3, drawing.form.ticks - 3)
        right = self.right - (0 if self.as_bars else 8)
        if drawing.shown.log:
            middles = [row["value"] for row in rows if row["value"] > 0]
            bounds = min(middles) / BEYOND, max(middles) * BEYOND
            return axes.logarithmic([min(max(end, bounds[0]), bounds[1]) for end in ends], left, right)
        zero = self.as_bars or drawing.unit != "multiple"
        found = axes.even(ends, left, right, ticks=ticks, zero=zero)
        if not self.as_bars:
            return found
        # Bars end where the longest ends, not at the next round number: their numbers stand beyond.
        low, high = min([*ends, 0.0]), max([*ends, 0.0])
        return Axis(low, high if high > low else 1.0, left, right, tuple(t for t in found.ticks if low <= t <= high))

    def _words(self, row: dict[str, Any]) -> str:
        stated = row["stated"]
        value, low, high = (stated.get(name) for name in ("value", "low", "high"))
        return self.drawing.number(value, low, high) if self.as_bars else self.drawing.full(value, low, high)

    def _sign(self, rows: Rows, name: str) -> Any:
        row = next(row for row in rows if row["series"] == name)
        return swatch(row["color"], row["color"]) if self.as_bars else mark(row["shape"], row["color"], row["color"])


def slopes(drawing: Drawing) -> Canvas:
    """What was forecast, with its interval, and what came, joined by a line each; in another colour where it missed."""
    form, text = drawing.form, drawing.texts.text
    canvas, rows = Canvas(form.width, form.font), drawing.rows(drawing.shown.rows)
    canvas.text((0, form.font), drawing.heading, fill=style.SOFT)
    pairs: dict[str, Rows] = {}
    for row in rows:
        pairs.setdefault(row["category"], []).append(row)
    met = [(name, pair[0], pair[1]) for name, pair in pairs.items() if len(pair) == 2]
    names = [row["series"] for row in (met[0][1], met[0][2])]
    good, bad = style.TONES["good"], style.TONES["bad"]
    signs = [(mark("circle", style.INK, style.INK), names[0]), (mark("square", style.PAPER, style.INK), names[1])]
    signs += [
        (swatch(style.TINTS[good], good), text("legend.held")),
        (swatch(style.TINTS[bad], bad), text("legend.missed")),
    ]
    top = key(canvas, signs, form.font + 5) + 12
    numbers = [row[end] for row in rows for end in ("value", "low", "high") if row.get(end) is not None]
    left = margin(drawing, numbers, canvas)
    fits = max(1, int((form.width - left - 4) / _SLOT))
    lines = -(-len(met) // fits)
    fits = -(-len(met) // lines)
    chars = int(min((form.width - left - 4) / fits, 150) / (form.font * style.EM))
    for first in range(0, len(met), fits):
        shown = met[first : first + fits]
        box = Box(left, top, form.width - 4, top + (form.height - 90 if lines == 1 else 150))
        panel = Panel(drawing, canvas, box, numbers=numbers, periods=[0.0, float(fits)])
        for tick in panel.y.ticks:
            y = panel.y.at(tick)
            canvas.line((box.left, y), (box.right, y), style.SOFT if tick == 0 else style.GRID)
            canvas.text((box.left - 6, y + form.font * 0.35), axes.plain(tick), anchor="end", fill=style.SOFT)
        tall = 0
        for k, (name, said, came) in enumerate(shown):
            color = good if said["low"] <= came["value"] <= said["high"] else bad
            middle, half = panel.x(k + 0.5), min(16.0, (box.right - box.left) / fits / 4)
            ends, start = (
                (panel.y.at(said["low"]), panel.y.at(said["high"])),
                (middle - half, panel.y.at(said["value"])),
            )
            end = (middle + half, panel.y.at(came["value"]))
            height = max(ends[0] - ends[1], 1.0)
            canvas.box((start[0] - 4, ends[1]), 8, height, style.TINTS[color], stroke=color)
            canvas.line(start, end, color, width=2)
            canvas.mark(start, "circle", color, style.PAPER, size=3.6)
            canvas.mark(end, "square", style.PAPER, color, size=4)
            short = re.sub(r"(\d{4})-12-31", r"\1", name)
            words = style.wrap(re.sub(r"(\d{4}-\d{2})-\d{2}", r"\1", short), chars)
            for n, part in enumerate(words):
                canvas.text(
                    (middle, box.bottom + form.font + 5 + n * (form.font + 3)), part, anchor="middle", fill=style.SOFT
                )
            tall = max(tall, len(words))
            told = [
                f"{row['series']}: {drawing.full(one['value'], one.get('low'), one.get('high'))}"
                for row in (said, came)
                for one in (row["stated"],)
            ]
            width = (box.right - box.left) / fits
            canvas.tip((middle - width / 2, top), width, box.bottom - top, "\n".join([name, *told]))
        top = box.bottom + tall * (form.font + 3) + 18
    canvas.height = top
    return canvas


def _toned(drawing: Drawing) -> Rows:
    """Rows with the colour and mark of their series, or of what they mean (a bear's are bad everywhere)."""
    rows, tones = drawing.rows(drawing.shown.rows), drawing.shown.look.tones
    raw = drawing.shown.exhibit.frame
    names = list(dict.fromkeys(row.get("series") for row in rows))
    for k, row in enumerate(rows):
        series = names.index(row.get("series"))
        told = [str(raw[column].iloc[k]) for column in ("series", "category") if column in raw]
        tone = next((tones[one] for one in told if one in tones), None)
        row["color"] = style.TONES[tone] if tone else style.SERIES[series % len(style.SERIES)]
        row["shape"] = style.SHAPES[series % len(style.SHAPES)]
    return [row for row in rows if is_number(row.get("value"))]


def _opposite(rows: Rows) -> bool:
    """Whether each category has one number of either sign."""
    signs: dict[str, list[bool]] = {}
    for row in rows:
        signs.setdefault(row["category"], []).append(row["value"] >= 0)
    return all(sorted(found) in ([False, True], [False], [True]) for found in signs.values())
