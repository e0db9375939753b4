"""Charts over time: a forecast as a fan, several lines with their names at their ends, small multiples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from telemed_forecast.render.charts import style
from telemed_forecast.render.charts.canvas import Canvas, apart
from telemed_forecast.render.charts.drawing import Drawing, Rows, time_of
from telemed_forecast.render.charts.panel import BEYOND, Box, Panel, key, margin, mark, stroke, swatch

BANDS = (("95", style.BAND95), ("80", style.BAND80), ("50", style.BAND50))
DASH = "6 3"
"""Dash of what no figure has confirmed yet."""

_LINE_GAP = 3


def fan(drawing: Drawing) -> Canvas:
    """A forecast: solid to the latest published figure, from there dashed in bands of 50, 80 and 95%."""
    form, shown = drawing.form, drawing.shown
    canvas = Canvas(form.width, form.font)
    rows = sorted(drawing.rows(shown.rows), key=lambda row: row["period"])
    points, others = drawing.rows(shown.points), drawing.rows(shown.lines)
    known = _known(drawing, rows, points)
    numbers = _limited(drawing, rows, points, others)
    canvas.text((0, form.font), drawing.heading, fill=style.SOFT)
    top = key(canvas, _fan_key(drawing, points, others, known), form.font + 5) + (form.font + 14 if known else 8)
    last = rows[-1]["stated"]
    ends = [
        (last[name], drawing.number(last[name], last["low80"], last["high80"]))
        for name in ("median", "high80", "low80")
    ]
    right = max(canvas.width_of(words, bold=True) for _, words in ends) + 12
    box = Box(margin(drawing, numbers, canvas), top, form.width - right, top + form.height - 60)
    periods = [row["period"] for row in (*rows, *points, *others)]
    panel = Panel(drawing, canvas, box, numbers=numbers, periods=periods)
    panel.frame()
    past, ahead = _parted(rows, known)
    for level, fill in BANDS:
        panel.band(ahead, f"low{level}", f"high{level}", fill, style.EDGE)
    if past:
        for end in ("low80", "high80"):
            canvas.path(panel.points(past, end), style.EDGE, width=0.8, dash="1 2")
        _rule(panel, past[-1]["period"])
    for k, name in enumerate(_names(others, "series")):
        line = [row for row in others if row["series"] == name]
        canvas.path(panel.points(line, "value"), style.SERIES[1 + k], width=1.8, dash=style.DASHES[2])
    canvas.path(panel.points(past, "median"), style.MEDIAN, width=2.4) if past else None
    canvas.path(panel.points(ahead, "median"), style.MEDIAN, width=2.4, dash=DASH)
    _published(panel, points)
    middles = [panel.y.at(drawing.scaled(number)) for number, _ in ends]
    for k, y in enumerate(apart(middles, [form.font + 1] * len(ends), box.top - 6, box.bottom + 6)):
        canvas.text(
            (box.right + 6, y + form.font * 0.36), ends[k][1], bold=k == 0, fill=style.INK if k == 0 else style.SOFT
        )
    _tell_fan(panel, rows)
    canvas.height = box.bottom + (2 * form.font + 16 if drawing.x_title() else form.font + 12)
    return canvas


def lines(drawing: Drawing) -> Canvas:
    """Curves by series, each named at its end where there is room, with a band where low and high are given."""
    form = drawing.form
    canvas, rows = Canvas(form.width, form.font), drawing.rows(drawing.shown.rows)
    names, numbers = _names(rows, "series"), _numbers(rows)
    reference = drawing.shown.reference
    numbers += [drawing.scaled(reference)] if reference is not None else []
    canvas.text((0, form.font), drawing.heading, fill=style.SOFT)
    room = 168.0 if form.wide else 118.0
    labels = {name: _end_label(drawing, canvas, rows, name, room - 22) for name in names}
    height = form.height - 50
    direct = len(names) > 1 and sum(len(one) * (form.font + _LINE_GAP) + 5 for one in labels.values()) <= height
    entries = [] if direct or len(names) < 2 else [(_stroke(k), name) for k, name in enumerate(names)]
    top = key(canvas, entries, form.font + 5) + 10
    left, right = margin(drawing, numbers, canvas), room if direct else 18.0
    box = Box(left, top, form.width - right, top + height)
    panel = Panel(drawing, canvas, box, numbers=numbers, periods=[row["period"] for row in rows])
    panel.frame()
    _reference(panel)
    for k, name in enumerate(names):
        mine = _series(rows, name)
        if "low" in mine[0]:
            color = _color(k)
            panel.band([row for row in mine if row["low"] is not None], "low", "high", style.TINTS[color], color)
    for k, name in enumerate(names):
        _curve(panel, _series(rows, name), _color(k), style.DASHES[k % len(style.DASHES)] if not direct else "")
    if direct:
        _name_ends(panel, rows, names, labels)
    _tell_lines(panel, rows, names)
    canvas.height = box.bottom + (2 * form.font + 16 if drawing.x_title() else form.font + 12)
    return canvas


def panels(drawing: Drawing) -> Canvas:
    """Small multiples: a plot a series with its name and its last number above; axes are shared unless units forbid."""
    form = drawing.form
    canvas, rows = Canvas(form.width, form.font), drawing.rows(drawing.shown.rows)
    names, own = _names(rows, "series"), drawing.shown.look.own_axes
    columns = (3 if len(names) in (3, 5, 6) else 2) if form.wide else 2
    canvas.text((0, form.font), drawing.heading, fill=style.SOFT)
    gap = 22.0
    left = max(margin(drawing, _numbers(_series(rows, name)), canvas) for name in names)
    if not own:
        left = margin(drawing, _numbers(rows), canvas)
    slot = form.width / columns
    chars = int((slot - 12) / (form.font * style.EM))
    heads = {
        name: (style.wrap(name, chars), style.wrap(_newest(drawing, _series(rows, name)), chars)) for name in names
    }
    top = form.font + 12.0
    for first in range(0, len(names), columns):
        line = names[first : first + columns]
        tall = max(len(heads[name][0]) + len(heads[name][1]) for name in line) * (form.font + _LINE_GAP) + 8
        for k, name in enumerate(line):
            mine, at = _series(rows, name), k * slot
            parts = [(words, True) for words in heads[name][0]] + [(words, False) for words in heads[name][1]]
            for n, (words, bold) in enumerate(parts):
                fill = style.INK if bold else style.SOFT
                canvas.text((at, top + form.font + n * (form.font + _LINE_GAP)), words, bold=bold, fill=fill)
            box = Box(at + left, top + tall, at + slot - gap, top + tall + (150 if form.wide else 110))
            panel = Panel(
                drawing,
                canvas,
                box,
                numbers=_numbers(mine if own else rows),
                periods=[row["period"] for row in rows],
                ticks=4 if form.wide else 3,
            )
            panel.frame(title=False)
            color = _color(0)
            if "low" in mine[0]:
                panel.band([row for row in mine if row["low"] is not None], "low", "high", style.TINTS[color], color)
            _curve(panel, mine, color)
            _tell_lines(panel, mine, [name])
        top += tall + (150 if form.wide else 110) + form.font + 18
    if words := drawing.x_title():
        canvas.text((form.width / 2, top + form.font - 6), words, anchor="middle", fill=style.SOFT)
        top += form.font
    canvas.height = top
    return canvas


def _known(drawing: Drawing, rows: Rows, points: Rows) -> float | None:
    """Period of the latest figure that was known; None where there is none to start from."""
    as_of = time_of(drawing.shown.exhibit.as_of.isoformat()) if drawing.shown.exhibit.as_of else None
    figures = [point["period"] for point in points if as_of is not None and point["period"] <= as_of]
    if not figures:  # a sum of what was reported is known wherever its band has no width
        figures = [row["period"] for row in rows if row["low80"] >= row["high80"] * (1 - 1e-9)]
    inside = bool(figures) and rows[0]["period"] < max(figures) < rows[-1]["period"]
    return max(figures) if inside else None


def _parted(rows: Rows, known: float | None) -> tuple[Rows, Rows]:
    """Rows up to a period and from it on; between two rows stands one on the straight line between them."""
    if known is None:
        return [], rows
    before, after = ([row for row in rows if test(row["period"])] for test in (known.__gt__, known.__le__))
    if after[0]["period"] > known:
        one, two = before[-1], after[0]
        part = (known - one["period"]) / (two["period"] - one["period"])
        columns = [name for name in one if name != "stated"]
        after = [{name: one[name] + part * (two[name] - one[name]) for name in columns}, *after]
    return [*before, after[0]], after


def _limited(drawing: Drawing, rows: Rows, points: Rows, others: Rows) -> list[float]:
    """What the vertical axis must hold."""
    told = [row["value"] for row in others]
    told += [row[end] for row in points for end in ("low", "high") if row[end] is not None]
    bands = [row[name] for row in rows for name in ("low95", "median", "high95")]
    if not drawing.shown.log:
        return [*told, *bands]
    middle = [number for number in told or [row["median"] for row in rows] if number > 0]
    low, high = min(middle) / BEYOND, max(middle) * BEYOND
    return [min(max(number, low), high) for number in (*told, *bands)]


def _fan_key(drawing: Drawing, points: Rows, others: Rows, known: float | None) -> list[Any]:
    text, entries = drawing.texts.text, []
    if known is not None:
        entries.append((stroke(style.MEDIAN), text("legend.known")))
    entries.append((stroke(style.MEDIAN, DASH), text("legend.ahead" if known is not None else "legend.median")))
    entries += [(swatch(fill, style.EDGE), text(f"legend.band{level}")) for level, fill in reversed(BANDS)]
    entries += [
        (mark(style.GRADE_SHAPES[grade], style.PAPER, style.INK), text(f"grade_mark.{grade}"))
        for grade in sorted({row["grade"] for row in points})
    ]
    named = enumerate(_names(others, "series"))
    return entries + [(stroke(style.SERIES[1 + k], style.DASHES[2], 1.8), name) for k, name in named]


def _rule(panel: Panel, period: float) -> None:
    """Where published figures end, named above the plot."""
    x, box, canvas = panel.x(period), panel.box, panel.canvas
    words = panel.drawing.texts.text("axis.latest", {"day": panel.drawing.period_name(period)})
    canvas.line((x, box.top - 4), (x, box.bottom), style.SOFT, dash="3 3")
    half = canvas.width_of(words) / 2
    canvas.text((min(max(x, half), canvas.width - half), box.top - 9), words, anchor="middle", fill=style.SOFT)


def _published(panel: Panel, points: Rows) -> None:
    """Published figures: a mark by grade at the middle of what was stated, a stroke over its width."""
    for row in points:
        ends = [row[name] for name in ("low", "high") if row[name] is not None]
        x, middle = panel.x(row["period"]), panel.y.at(sum(ends) / len(ends))
        if len(ends) == 2:
            panel.canvas.line((x, panel.y.at(ends[0])), (x, panel.y.at(ends[1])), style.INK)
        panel.canvas.mark((x, middle), style.GRADE_SHAPES[row["grade"]], style.PAPER, style.INK, size=3.6)


def _reference(panel: Panel) -> None:
    """The value to compare with, as a thin rule with its name."""
    drawing, canvas, box = panel.drawing, panel.canvas, panel.box
    if drawing.shown.reference is not None:
        y = panel.y.at(drawing.scaled(drawing.shown.reference))
        canvas.line((box.left, y), (box.right, y), style.INK)
        canvas.text((box.right, y - 4), drawing.shown.text("reference"), anchor="end", fill=style.SOFT)


def _curve(panel: Panel, rows: Rows, color: str, dash: str = "") -> None:
    """A line: solid as far as something is known, where the exhibit says how far, and dashed from there."""
    canvas, fact = panel.canvas, panel.drawing.shown.exhibit.facts.get("known")
    known = time_of(fact) if isinstance(fact, str) and panel.drawing.days else None
    if known is None and panel.drawing.shown.exhibit.as_of and "low" in rows[0]:
        sure = [
            row["period"] for row in rows if row["low"] is not None and row["high"] - row["low"] <= 1e-9 * row["high"]
        ]
        known = max(sure, default=None)
    past = rows if known is None else [row for row in rows if row["period"] <= known]
    ahead = [] if known is None else [row for row in rows if row["period"] >= (past[-1]["period"] if past else known)]
    for part, dashed in ((past, dash), (ahead, DASH)):
        if len(part) > 1:
            canvas.path(panel.points(part, "value"), color, width=2.2, dash=dashed)


def _name_ends(panel: Panel, rows: Rows, names: Sequence[str], labels: dict[str, list[str]]) -> None:
    """Each line's name and last number beside its end."""
    canvas, box, step = panel.canvas, panel.box, panel.canvas.font + _LINE_GAP
    ends = [panel.points(_series(rows, name), "value")[-1] for name in names]
    heights = [len(labels[name]) * step + 5 for name in names]
    for k, middle in enumerate(apart([y for _, y in ends], heights, box.top - 8, box.bottom + 8)):
        canvas.path(
            [(ends[k][0] + 2, ends[k][1]), (box.right + 8, middle), (box.right + 14, middle)], _color(k), width=1.6
        )
        first = middle - len(labels[names[k]]) * step / 2
        for n, words in enumerate(labels[names[k]]):
            canvas.text((box.right + 18, first + (n + 1) * step - 4), words, bold=n == len(labels[names[k]]) - 1)


def _end_label(drawing: Drawing, canvas: Canvas, rows: Rows, name: str, room: float) -> list[str]:
    """A series' name in lines, and its last number."""
    last = max(_series(rows, name), key=lambda row: row["period"])["stated"]
    number = drawing.number(last["value"], last.get("low"), last.get("high"))
    return [*style.wrap(name, int(room / (canvas.font * style.EM))), number]


def _newest(drawing: Drawing, rows: Rows) -> str:
    last = max(rows, key=lambda row: row["period"])
    stated = last["stated"]
    told = {
        "period": drawing.period_name(last["period"]),
        "number": drawing.full(stated["value"], stated.get("low"), stated.get("high")),
    }
    return drawing.texts.text("axis.last", told)


def _tell_fan(panel: Panel, rows: Rows) -> None:
    drawing, found = panel.drawing, {row["period"]: row["stated"] for row in rows}

    def tell(period: Any) -> str:
        row = found[period]
        return f"{drawing.period_name(period)}: {drawing.full(row['median'], row['low80'], row['high80'])}"

    panel.tips(rows, tell)


def _tell_lines(panel: Panel, rows: Rows, names: Sequence[str]) -> None:
    drawing, several = panel.drawing, len(names) > 1

    def tell(period: Any) -> str:
        parts = [
            (f"{row['series']}: " if several else "") + drawing.full(one["value"], one.get("low"), one.get("high"))
            for row in rows
            if row["period"] == period
            for one in (row["stated"],)
        ]
        return (
            "\n".join([drawing.period_name(period), *parts])
            if several
            else f"{drawing.period_name(period)}: {parts[0]}"
        )

    panel.tips(rows, tell)


def _series(rows: Rows, name: str) -> Rows:
    return sorted((row for row in rows if row.get("series") == name), key=lambda row: row["period"])


def _numbers(rows: Rows) -> list[float]:
    return [row[name] for row in rows for name in ("value", "low", "high") if row.get(name) is not None]


def _names(rows: Rows, field: str) -> list[Any]:
    return list(dict.fromkeys(row.get(field) for row in rows))


def _color(k: int) -> str:
    return style.SERIES[k % len(style.SERIES)]


def _stroke(k: int) -> Callable[..., None]:
    return stroke(_color(k), style.DASHES[k % len(style.DASHES)])
