"""The report on the record: our earlier forecasts and those of others, held against what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from telemed_forecast.evaluation.clustered_mean import LEVEL as BIAS_LEVEL
from telemed_forecast.evaluation.coverage import BAND, Coverage
from telemed_forecast.evaluation.league import LEVEL
from telemed_forecast.evaluation.misses import LEVEL as MISS_LEVEL
from telemed_forecast.evaluation.misses import half_widths, is_miss
from telemed_forecast.evaluation.rolling_origins import OURS, Score
from telemed_forecast.evaluation.track_record import BINS, Slice, TrackRecord
from telemed_forecast.forecast.context import Context
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    Heading,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Table,
    TableBlock,
    Title,
    Value,
)
from telemed_forecast.reporting.content import calibration, frozen_releases, parts, published_league, worst_misses
from telemed_forecast.reporting.content.parts import Sections
from telemed_forecast.reporting.content.published_league import multiple, percent

Values = dict[str, Value | str | int | float]


def sections(context: Context, record: TrackRecord, parameters: dict[str, Any]) -> Sections:
    """The report's sections in reading order: name -> blocks."""
    made: Sections = {
        "summary": _summary(context, record),
        "ours": _ours(record),
        "calibration": _calibration(record),
        "misses": worst_misses.blocks(record),
        "league": published_league.league(record),
        "same_day": published_league.same_day(record),
        "frozen": frozen_releases.blocks(record.frozen),
        "simulated": calibration.blocks(context.settings.as_of_date),
        "appendix": _appendix(record),
    }
    made["record"] = parts.record(context, made, parameters)
    return made


def market(name: str) -> str:
    """Key of the name of a market, or of a definition of the market's size."""
    return f"@record.market.{name}"


def _summary(context: Context, record: TrackRecord) -> list[Block]:
    figures = _figures(context, record)
    return [
        Title(report="track_record"),
        parts.gates(context, *(result.fit for result in record.results.values())),
        *([KeyFigures(items=tuple(figures))] if figures else []),
        _answer_ours(record),
        _answer_others(record),
        *_answer_worst(record),
    ]


def _figures(context: Context, record: TrackRecord) -> list[KeyFigure]:
    """How right we were, how right others were, and who was nearer."""
    as_of, found = context.settings.as_of_date.isoformat(), []
    fits = [result.fit for result in record.results.values()]

    def add(name: str, figure: Value, sources: Sequence[str], values: Values) -> None:
        extra: dict[str, Any] = {"note_key": f"figure.{name}_note", "note_values": values}
        found.append(parts.key_figure(name, figure, as_of, sources, fits, **extra))

    if record.coverage is not None:
        claims = _newest_figures(record)
        add("record_inside", _inside(record), claims, _band(record.coverage, MISS_LEVEL))
        typical = float(np.median([abs(one.bias) for _, one in record.ours]))
        outcomes = len({one.claim_id for _, one in record.ours})
        add("record_error", multiple(float(np.exp(typical))), claims, {"number": len(record.ours), "figures": outcomes})
    if record.league:
        errors = np.array([one.off for one in record.league])
        claims = [one.forecast.claim_id for one in record.league[:3]]
        values: Values = {
            "number": len(errors),
            "high": sum(one.verdict == "high" for one in record.league),
            "low": sum(one.verdict == "low" for one in record.league),
        }
        add("record_published_error", multiple(float(np.exp(np.median(np.abs(errors))))), claims, values)
    if record.same_day is not None:
        duel = record.same_day
        claims = [one.forecast.claim_id for one in record.league if one.ours is not None][:3]
        values = {"number": duel.number, "outcomes": duel.outcomes}
        add("record_nearer", percent(duel.closer, duel.low, duel.high, LEVEL), claims, values)
    return found


def _newest_figures(record: TrackRecord) -> list[str]:
    newest = sorted({(one.day, one.claim_id) for _, one in record.ours}, reverse=True)
    return [claim for _, claim in newest[:3]]


def _inside(record: TrackRecord) -> Value:
    return percent(float(np.mean([one.inside[MISS_LEVEL] for _, one in record.ours])))


def _band(curve: Coverage, level: float) -> Values:
    at = curve.at(level)
    return {
        "allowed_low": percent(float(curve.alone_low[at])),
        "allowed_high": percent(float(curve.alone_high[at])),
        "number": curve.number,
    }


def _answer_ours(record: TrackRecord) -> Paragraph:
    if record.coverage is None:
        return Paragraph(key="record.answer_ours_none")
    worst = min(record.by_market, key=lambda own: (own.inside[MISS_LEVEL], own.name))
    values: Values = {
        **_band(record.coverage, MISS_LEVEL),
        "inside": _inside(record),
        "worst": market(worst.name),
        "worst_inside": percent(worst.inside[MISS_LEVEL]),
    }
    return Paragraph(key="record.answer_ours", values=values, sources=tuple(_newest_figures(record)))


def _answer_others(record: TrackRecord) -> Paragraph:
    if not record.league:
        return Paragraph(key="record.answer_others_none")
    found = record.league
    values: Values = {
        "number": len(found),
        "factor": multiple(float(np.exp(np.median([abs(one.off) for one in found])))),
        "high": sum(one.verdict == "high" for one in found),
        "low": sum(one.verdict == "low" for one in found),
    }
    sources = tuple(one.forecast.claim_id for one in found[:3])
    if record.same_day is None:
        return Paragraph(key="record.answer_others_alone", values=values, sources=sources)
    duel = record.same_day
    values |= {"closer": percent(duel.closer, duel.low, duel.high, LEVEL), "outcomes": duel.outcomes}
    others = record.same_day_by_others
    if others is None:
        return Paragraph(key="record.answer_others", values=values, sources=sources)
    judged = percent(others.closer, others.low, others.high, LEVEL)
    values |= {"by_others": judged, "others_outcomes": others.outcomes}
    return Paragraph(key="record.answer_others_twice", values=values, sources=sources)


def _answer_worst(record: TrackRecord) -> list[Block]:
    if not record.misses:
        return []
    worst = record.misses[0]
    one = worst.score
    values: Values = {
        "missed": record.missed,
        "number": len(record.ours),
        "market": market(worst.quantity),
        "made": one.origin.isoformat(),
        "day": one.day.isoformat(),
        "came": Value(value=one.published, unit=one.unit, digits=4),
        "said": Value(value=one.median, unit=one.unit, low=one.low, high=one.high),
        "publisher": parts.origin_name(worst.publisher),
        "grade": worst.grade,
    }
    return [Paragraph(key="record.answer_worst", values=values, sources=(one.claim_id,))]


def _ours(record: TrackRecord) -> list[Block]:
    if record.coverage is None:
        return [Heading(key="record.ours"), Paragraph(key="record.ours_none")]
    made = [origin for past in record.past.values() for origin in past]
    values: Values = {
        "number": len(record.ours),
        "figures": len({one.claim_id for _, one in record.ours}),
        "first": min(origin.day for origin in made).isoformat(),
        "last": max(origin.day for origin in made).isoformat(),
        "fits": len(made),
        "passed": sum(origin.gate.ok for origin in made),
        "missed": record.missed,
    }
    return [
        Heading(key="record.ours"),
        Paragraph(key="record.ours_text", values=values),
        _slices("record_markets", record.by_market, [market(own.name) for own in record.by_market]),
        *_skill(record),
        *(chart for name in record.scores for chart in _missed_chart(record, name)),
        _slices("record_horizons", record.by_horizon, [f"@record.horizon.{own.name}" for own in record.by_horizon]),
        _slices("record_origins", record.by_origin, [str(own.name) for own in record.by_origin]),
    ]


def _slices(name: str, own: Sequence[Slice], labels: Sequence[str]) -> TableBlock:
    columns = (
        Column(name="group", key=f"record.column.{name.removeprefix('record_')}"),
        Column(name="forecasts", key="record.column.forecasts"),
        Column(name="figures", key="record.column.figures"),
        Column(name="inside50", key="record.column.inside50", unit="percent"),
        Column(name="inside80", key="record.column.inside80", unit="percent"),
        Column(name="allowed", key="record.column.allowed"),
        Column(name="inside95", key="record.column.inside95", unit="percent"),
        Column(name="typical", key="record.column.typical_error", unit="multiple"),
        Column(name="bias", key="record.column.bias", unit="multiple"),
        Column(name="crps", key="record.column.crps", unit="ratio"),
    )
    rows = tuple(
        (
            label,
            one.number,
            one.outcomes,
            percent(one.inside[0.5]),
            percent(one.inside[MISS_LEVEL]),
            f"{100 * one.allowed[0]:.0f}–{100 * one.allowed[1]:.0f}%",
            percent(one.inside[0.95]),
            multiple(float(np.exp(one.typical))),
            _lean(one),
            Value(value=one.crps, unit="ratio", digits=2),
        )
        for one, label in zip(own, labels, strict=True)
    )
    return TableBlock(
        id=name, title_key=f"table.{name}.title", note_key=f"table.{name}.note", columns=columns, rows=rows
    )


def _lean(one: Slice) -> Value:
    """The mean error as a factor; its interval where there are days and years enough for one."""
    middle, low, high = (float(np.exp(v)) for v in (one.bias.mean, one.bias.low, one.bias.high))
    return multiple(middle) if np.isnan(low) else multiple(middle, low, high, BIAS_LEVEL)


def _skill(record: TrackRecord) -> list[Block]:
    """Ours against the random walk with drift, market by market, on the forecasts that all methods made."""
    rows = []
    for name, table in record.standings.items():
        own = next((row for row in table if row.member == OURS and row.common), None)
        if own is None:
            continue
        sure = not np.isnan(own.difference_low)
        interval = {"low": own.difference_low, "high": own.difference_high, "level": BIAS_LEVEL} if sure else {}
        rows.append(
            (
                market(name),
                own.common,
                Value(value=own.crps, unit="ratio", digits=2),
                Value(value=own.wis, unit="ratio", digits=2),
                Value(value=own.log_score, unit="ratio", digits=2),
                Value(value=own.difference, unit="ratio", **(interval or {"digits": 2})),
                percent(own.skill),
            )
        )
    if not rows:
        return []
    columns = (
        Column(name="market", key="record.column.markets"),
        Column(name="common", key="record.column.common"),
        Column(name="crps", key="record.column.crps", unit="ratio"),
        Column(name="wis", key="record.column.wis", unit="ratio"),
        Column(name="log_score", key="record.column.log_score", unit="ratio"),
        Column(name="difference", key="record.column.difference", unit="ratio"),
        Column(name="skill", key="rivals.skill", unit="percent"),
    )
    return [
        TableBlock(
            id="record_skill",
            title_key="table.record_skill.title",
            note_key="table.record_skill.note",
            columns=columns,
            rows=tuple(rows),
        )
    ]


def _missed_chart(record: TrackRecord, name: str) -> list[Block]:
    """Every miss of one market: what had been forecast over what came."""
    missed = [one for where, one in record.ours if where == name and is_miss(one)]
    if not missed:
        return []
    who = {
        str(claim): parts.origin_name(str(publisher))
        for origin in record.past[name]
        for claim, publisher in zip(origin.actuals.claim_id, origin.actuals.origin, strict=True)
    }
    rows: list[tuple[Any, ...]] = []
    for one in sorted(missed, key=lambda one: (one.origin, one.day, one.claim_id)):
        low, median, high = (end / one.published for end in (one.low, one.median, one.high))
        label = f"{one.origin.year} → {one.day.isoformat()[:7]}"
        same = [other for other in missed if (other.origin, other.day) == (one.origin, one.day)]
        if len(same) > 1:
            label = f"{label}, {who[one.claim_id]}"
        rows.append((_once(label, rows), median, low, high))
    total = sum(where == name for where, _ in record.ours)
    return [
        Chart(
            id=f"record_misses_{name}",
            kind="dots",
            title_key="chart.record_misses.title",
            title_values={"market": market(name), "missed": len(missed), "number": total},
            alt_key="chart.record_misses.alt",
            alt_values={"missed": len(missed), "number": total, "above": sum(row[1] > 1.0 for row in rows)},
            unit="multiple",
            data=Table(columns=("category", "value", "low", "high"), rows=tuple(rows)),
            reference=1.0,
            reference_key="record.came_line",
            log=True,
            sources=tuple(dict.fromkeys(one.claim_id for one in missed)),
        )
    ]


def _once(label: str, rows: Sequence[tuple[Any, ...]]) -> str:
    """A label that no row has yet: two figures of one house may speak of one month."""
    taken = sum(row[0] == label or row[0].startswith(f"{label} (") for row in rows)
    return label if not taken else f"{label} ({taken + 1})"


def _calibration(record: TrackRecord) -> list[Block]:
    curve = record.coverage
    if curve is None:
        return []
    outside = (curve.actual < curve.low) | (curve.actual > curve.high)
    far = (curve.actual < curve.wide_low) | (curve.actual > curve.wide_high)
    verdict = "outside" if far.any() else "dependent" if outside.any() else "inside"
    values: Values = {
        "number": curve.number,
        "outcomes": curve.groups[0],
        "origins": curve.groups[1],
        "band": percent(BAND),
    }
    edges = [f"{100 * k // BINS}–{100 * (k + 1) // BINS}%" for k in range(BINS)]
    return [
        Heading(key="record.calibration"),
        Paragraph(key="record.calibration_text", values=values),
        _curve_chart(curve),
        Paragraph(key=f"record.calibration_{verdict}"),
        Chart(
            id="record_ranks",
            kind="bars",
            title_key="chart.record_ranks.title",
            alt_key="chart.record_ranks.alt",
            alt_values={"low": percent(float(record.histogram[0])), "high": percent(float(record.histogram[-1]))},
            unit="percent",
            data=Table(
                columns=("category", "value"),
                rows=tuple(zip(edges, (100.0 * record.histogram).tolist(), strict=True)),
            ),
            reference=100.0 / BINS,
            reference_key="record.even_line",
        ),
    ]


def _curve_chart(curve: Coverage) -> Chart:
    lines = (
        ("@record.curve.ours", curve.actual, curve.actual, curve.actual),
        ("@record.curve.dependent", curve.nominal, curve.wide_low, curve.wide_high),
        ("@record.curve.independent", curve.nominal, curve.low, curve.high),
    )
    rows = tuple(
        (100.0 * float(curve.nominal[k]), name, *(100.0 * float(end[k]) for end in (middle, low, high)))
        for name, middle, low, high in lines
        for k in range(len(curve.nominal))
    )
    at = curve.at(MISS_LEVEL)
    return Chart(
        id="record_coverage",
        kind="lines",
        title_key="chart.record_coverage.title",
        alt_key="chart.record_coverage.alt",
        alt_values={
            "nominal": percent(MISS_LEVEL),
            "actual": percent(float(curve.actual[at])),
            **_band(curve, MISS_LEVEL),
        },
        unit="percent",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=rows),
        x_key="record.nominal_axis",
    )


def _appendix(record: TrackRecord) -> list[Block]:
    """The rules of scoring, and every forecast of ours."""
    shown: list[Block] = [
        Heading(key="record.rules"),
        *(Paragraph(key=f"record.rules_{name}") for name in ("ours", "published", "truth", "pooling", "bands")),
    ]
    return [*shown, _every_forecast(record)] if record.ours else shown


def _every_forecast(record: TrackRecord) -> TableBlock:
    columns = (
        Column(name="market", key="record.column.markets"),
        Column(name="made", key="rivals.made"),
        Column(name="day", key="column.day"),
        Column(name="forecast", key="rivals.forecast"),
        Column(name="published", key="rivals.published"),
        Column(name="widths", key="record.column.widths", unit="ratio"),
        Column(name="held", key="rivals.held"),
        Column(name="claim_id", key="column.claim_id"),
    )
    rows = tuple((market(where), *_forecast_row(one)) for where, one in record.ours)
    return TableBlock(
        id="record_forecasts",
        title_key="table.record_forecasts.title",
        title_values={"number": len(rows)},
        note_key="table.record_forecasts.note",
        columns=columns,
        rows=rows,
        sources=tuple(dict.fromkeys(one.claim_id for _, one in record.ours)),
        folded=True,
    )


def _forecast_row(one: Score) -> tuple[Any, ...]:
    return (
        one.origin.isoformat(),
        one.day.isoformat(),
        Value(value=one.median, unit=one.unit, low=one.low, high=one.high),
        Value(value=one.published, unit=one.unit, digits=4),
        Value(value=half_widths(one), unit="ratio", digits=2),
        "@rivals.no" if is_miss(one) else "@rivals.yes",
        one.claim_id,
    )
