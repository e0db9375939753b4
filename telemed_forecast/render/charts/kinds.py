"""The five kinds of chart, each a function from a drawing to an Altair chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt

from telemed_forecast.render.charts import style
from telemed_forecast.render.charts.drawing import Drawing, Rows

BANDS = (("band95", style.BAND95), ("band80", style.BAND80), ("band50", style.BAND50))
_ROW_GAP = 12


def fan(drawing: Drawing) -> Any:
    """A forecast: bands of 95, 80 and 50%, the median, published figures by grade, cross-check lines."""
    layers = [*_bands(drawing), *drawing.as_of_rule(), *_curves(drawing), *_published(drawing)]
    layers += drawing.reference_rule("y")
    return alt.layer(*layers).properties(height=drawing.form.height)


def lines(drawing: Drawing) -> Any:
    """Curves by series, told apart by colour, dashes and marks, with a band where low and high are given."""
    rows = drawing.rows(drawing.shown.rows)
    names = _names(rows, "series")
    marked = len({row["period"] for row in rows}) <= 16
    legend = drawing.legend(names, symbolStrokeWidth=2, symbolOpacity=1) if len(names) > 1 else None
    color = alt.Color("series:N", scale=_scale(names, style.SERIES), legend=legend)
    dash = alt.StrokeDash("series:N", scale=_scale(names, style.DASHES), legend=None if marked else legend)
    chart = alt.Chart(alt.Data(values=rows)).encode(x=drawing.x(), color=color)
    value = drawing.y("value", zero=False)
    layers: list[Any] = [*drawing.as_of_rule(), *drawing.reference_rule("y")]
    if "low" in drawing.shown.rows[0]:
        layers.append(chart.mark_area(opacity=0.18).encode(y=drawing.y("low", zero=False), y2="high:Q"))
    layers.append(chart.mark_line(strokeWidth=2).encode(y=value, strokeDash=dash))
    if marked:
        shape = alt.Shape("series:N", scale=_scale(names, style.SHAPES), legend=legend)
        layers.append(chart.mark_point(filled=True, size=45, opacity=1).encode(y=value, shape=shape))
    return alt.layer(*layers).properties(height=drawing.form.height)


def stack(drawing: Drawing) -> Any:
    """Parts that add up, a column a period; the first series stands at the bottom."""
    rows = drawing.rows(drawing.shown.rows)
    names = _names(rows, "series")
    noise = 1e-9 * max((abs(row["value"]) for row in rows), default=0.0)
    for row in rows:
        row["value"] = row["value"] if abs(row["value"]) > noise else 0.0  # draws that cancel leave -1e-10
        row["order"] = names.index(row["series"])
        row["column"] = drawing.column_name(row["period"])
    columns = list(dict.fromkeys(row["column"] for row in sorted(rows, key=lambda row: row["period"])))
    every = -(-len(columns) // (drawing.form.ticks + 3))
    shown = columns[::-1][::every][::-1]
    axis = alt.Axis(title=drawing.x_title(), labelAngle=0, values=shown, ticks=False, labelOverlap=False)
    chart = alt.Chart(alt.Data(values=rows)).mark_bar(stroke=style.PAPER, strokeWidth=0.8)
    encoded = chart.encode(
        x=alt.X("column:N", sort=columns, axis=axis, scale=alt.Scale(paddingInner=0.25, paddingOuter=0.1)),
        y=drawing.y("value").stack("zero"),
        color=alt.Color("series:N", scale=_scale(names, style.STACKED), legend=drawing.legend(names)),
        order=alt.Order("order:Q"),
    )
    return alt.layer(encoded).properties(height=drawing.form.height)


def bars(drawing: Drawing) -> Any:
    """Horizontal bars with their numbers; two series of opposite sign share a row (a tornado)."""
    rows = drawing.rows(drawing.shown.rows)
    names = _names(rows, "series")
    tornado = len(names) == 2 and _opposite(rows)
    grouped = len(names) > 1 and not tornado
    _add_labels(drawing, rows)
    layout = _Rows(drawing, rows, names, grouped)
    chart = alt.Chart(alt.Data(values=rows)).encode(y=layout.y, **layout.offset)
    color = _bar_color(drawing, names)
    bar = chart.mark_bar(height={"band": 0.86 if grouped else 0.62}).encode(
        x=_x_value(drawing, rows, "value", zero=True), color=color
    )
    layers: list[Any] = [bar]
    if "low" in drawing.shown.rows[0]:
        span = chart.transform_filter("isValid(datum.low) && isValid(datum.high)")
        layers.append(span.mark_rule(color=style.INK, strokeWidth=1.2).encode(x="low:Q", x2="high:Q"))
    layers += [*drawing.reference_rule("x"), *_end_labels(chart)]
    return alt.layer(*layers).properties(height=layout.height)


def dots(drawing: Drawing) -> Any:
    """A forest: one row an item, its interval as a rule, its number as a mark."""
    rows = drawing.rows(drawing.shown.rows)
    names = _names(rows, "series")
    grouped = len(names) > 1
    _add_labels(drawing, rows, intervals=drawing.form.wide)
    layout = _Rows(drawing, rows, names, grouped)
    chart = alt.Chart(alt.Data(values=rows)).encode(y=layout.y, **layout.offset)
    color = _bar_color(drawing, names)
    x = _x_value(drawing, rows, "value", zero=False)
    span = chart.mark_rule(strokeWidth=3, opacity=0.55).encode(x="low:Q", x2="high:Q", color=color)
    shape = alt.Shape("series:N", scale=_scale(names, style.SHAPES), legend=drawing.legend(names))
    mark = chart.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, color=color, **({"shape": shape} if grouped else {})
    )
    layers = [*drawing.reference_rule("x"), span, mark, *_number_column(chart)]
    return alt.layer(*layers).properties(height=layout.height)


KINDS: dict[str, Callable[[Drawing], Any]] = {
    "fan": fan,
    "lines": lines,
    "bars": bars,
    "dots": dots,
    "stack": stack,
}


def _bands(drawing: Drawing) -> list[alt.Chart]:
    """Bands from the widest to the narrowest, so that each is drawn on the one before."""
    bands = [(drawing.texts.text(f"legend.{name}"), name.removeprefix("band"), color) for name, color in BANDS]
    rows = [
        {"period": row["period"], "low": row[f"low{level}"], "high": row[f"high{level}"], "band": label}
        for label, level, _ in bands
        for row in drawing.rows(drawing.shown.rows)
    ]
    scale = _scale([label for label, _, _ in reversed(bands)], [color for _, _, color in reversed(bands)])
    legend = drawing.legend([label for label, _, _ in bands], symbolType="square", symbolStrokeWidth=0)
    area = alt.Chart(alt.Data(values=rows)).mark_area(line=False)
    fill = alt.Fill("band:N", scale=scale, legend=legend)
    return [area.encode(x=drawing.x(), y=drawing.y("low"), y2="high:Q", fill=fill)]


def _curves(drawing: Drawing) -> list[alt.Chart]:
    """The median and the cross-check lines, with one legend."""
    median = drawing.texts.text("legend.median")
    rows = [{"period": r["period"], "series": median, "value": r["median"]} for r in drawing.rows(drawing.shown.rows)]
    rows += drawing.rows(drawing.shown.lines)
    names = _names(rows, "series")
    legend = drawing.legend(names, symbolType="stroke", symbolStrokeWidth=2.2)
    dashes = [(1, 0), *style.DASHES[1:]]
    chart = alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=2.2)
    return [
        chart.encode(
            x=drawing.x(),
            y=drawing.y("value"),
            stroke=alt.Stroke("series:N", scale=_scale(names, [style.MEDIAN, *style.SERIES[1:]]), legend=legend),
            strokeDash=alt.StrokeDash("series:N", scale=_scale(names, dashes), legend=legend),
        )
    ]


def _published(drawing: Drawing) -> list[alt.Chart]:
    """Published figures: a mark by grade at the middle of what was stated, a rule over its width."""
    rows = drawing.rows(drawing.shown.points)
    if not rows:
        return []
    for row in rows:
        ends = [row[name] for name in ("low", "high") if row[name] is not None]
        row["middle"] = sum(ends) / len(ends)
        row["mark"] = drawing.texts.text(f"grade_mark.{row['grade']}")
    grades = sorted({row["grade"] for row in rows})
    names = [drawing.texts.text(f"grade_mark.{grade}") for grade in grades]
    scale = _scale(names, [style.GRADE_SHAPES[grade] for grade in grades])
    legend = drawing.legend(names, symbolStrokeWidth=1.4)
    chart = alt.Chart(alt.Data(values=rows)).encode(x=drawing.x())
    rule = chart.transform_filter("isValid(datum.low) && isValid(datum.high)").mark_rule(color=style.INK)
    mark = chart.mark_point(filled=True, fill=style.PAPER, stroke=style.INK, strokeWidth=1.4, size=48, opacity=1)
    return [
        rule.encode(y=drawing.y("low"), y2="high:Q"),
        mark.encode(y=drawing.y("middle"), shape=alt.Shape("mark:N", scale=scale, legend=legend)),
    ]


class _Rows:
    """Rows of a horizontal chart: the axis with wrapped labels, the offset of series, the height."""

    def __init__(self, drawing: Drawing, rows: Rows, names: list[str], grouped: bool) -> None:
        form = drawing.form
        categories = _names(rows, "category")
        wrapped = {category: style.wrap(category, form.label_chars) for category in categories}
        for row in rows:
            row["category"] = "\n".join(wrapped[row["category"]])
        tallest = max(len(parts) for parts in wrapped.values())
        step = max(tallest * (form.font + 3), (len(names) if grouped else 1) * (form.font + 7)) + _ROW_GAP
        axis = alt.Axis(
            title=None,
            labelExpr="split(datum.label, '\\n')",
            labelColor=style.INK,
            labelLimit=form.width,
            domain=False,
            ticks=False,
            labelPadding=14,
            minExtent=_label_width(rows) * form.font * style.EM + 14,
        )
        order = ["\n".join(wrapped[category]) for category in categories]
        self.y = alt.Y("category:N", sort=order, axis=axis, scale=alt.Scale(paddingInner=0.1, paddingOuter=0.05))
        self.offset: Any = {"yOffset": alt.YOffset("series:N", sort=names)} if grouped else {}
        self.height = step * len(categories)


def _add_labels(drawing: Drawing, rows: Rows, *, intervals: bool = False) -> None:
    """Each row's number as text and the end of its mark, beyond which the text stands."""
    for row, record in zip(rows, drawing.shown.rows, strict=True):
        value, low, high = (record.get(name) for name in ("value", "low", "high"))
        row["text"] = drawing.number(value, low, high)  # type: ignore[arg-type]
        if intervals and low is not None:
            row["text"] += f" ({drawing.interval(value, low, high)})"  # type: ignore[arg-type]
        ends = [row[name] for name in ("value", "low", "high") if row.get(name) is not None]
        row["end"] = min(ends) if row["value"] < 0 else max(ends)


def _number_column(chart: alt.Chart) -> list[Any]:
    """Numbers at the right edge, where no mark reaches."""
    return [chart.mark_text(align="right").encode(x=alt.value("width"), text="text:N", color=alt.value(style.INK))]


def _end_labels(chart: alt.Chart) -> list[Any]:
    right = chart.transform_filter("datum.value >= 0").mark_text(align="left", dx=6)
    left = chart.transform_filter("datum.value < 0").mark_text(align="right", dx=-6)
    return [mark.encode(x="end:Q", text="text:N", color=alt.value(style.INK)) for mark in (right, left)]


def _x_value(drawing: Drawing, rows: Rows, field: str, *, zero: bool) -> alt.X:
    """The value axis at the bottom, wide enough for the numbers written at the marks' ends."""
    ends = [row[name] for row in rows for name in ("value", "low", "high") if row.get(name) is not None]
    ends += [drawing.scaled(drawing.shown.reference)] if drawing.shown.reference is not None else []
    low, high = min([*ends, 0.0] if zero else ends), max([*ends, 0.0] if zero else ends)
    longest = max(style.width_of(row["text"]) for row in rows) * drawing.form.font * 0.6 + 10
    plot = drawing.form.width - min(_label_width(rows), drawing.form.label_chars) * drawing.form.font * 0.58 - 20
    room = (high - low) * longest / max(plot - longest, 60)
    negative = any(row["value"] < 0 for row in rows)
    domain = [low - (room if negative else 0), high + room]
    if not zero and not negative:
        domain[0] = low - 0.04 * (high - low)
    if drawing.shown.log:
        top = high * (high / low) ** (longest / max(plot - longest, 60))
        scale = alt.Scale(type="log", domain=[low * 0.9, top], nice=False)
    else:
        scale = alt.Scale(domain=domain, nice=False, zero=zero)
    axis = alt.Axis(title=None, format=",~f", tickCount=max(3, drawing.form.ticks - 3), domain=False, ticks=False)
    return alt.X(f"{field}:Q", axis=axis, scale=scale)


def _label_width(rows: Rows) -> int:
    return max(style.width_of(line) for row in rows for line in row["category"].split("\n"))


def _bar_color(drawing: Drawing, names: list[str]) -> Any:
    if len(names) < 2:
        return alt.value(style.SERIES[0])
    return alt.Color("series:N", scale=_scale(names, style.SERIES), legend=drawing.legend(names))


def _opposite(rows: Rows) -> bool:
    """Whether each category has one number of either sign."""
    signs: dict[str, list[bool]] = {}
    for row in rows:
        signs.setdefault(row["category"], []).append(row["value"] >= 0)
    return all(sorted(found) in ([False, True], [False], [True]) for found in signs.values())


def _names(rows: Rows, field: str) -> list[str]:
    return list(dict.fromkeys(row[field] for row in rows if row.get(field) is not None))


def _scale(names: list[str], values: Any) -> alt.Scale:
    """A scale from names to the first values, repeated when there are more names."""
    return alt.Scale(domain=names, range=[values[index % len(values)] for index in range(len(names))])
