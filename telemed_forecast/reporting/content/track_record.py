"""The report on the record: our earlier forecasts and those of others, held against what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.coverage import BAND, histogram
from telemed_forecast.evaluation.misses import half_widths
from telemed_forecast.evaluation.rolling_origins import BENCHMARK, OURS, shared
from telemed_forecast.evaluation.score_summary import CONFIDENCE, clusters, rows, summarise
from telemed_forecast.evaluation.scores import HELD, LEVEL, covered
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.forecast.context import Context
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
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
from telemed_forecast.reporting.content.parts import Sections, multiple, percent, ratio
from telemed_forecast.reporting.content.published_league import typical_error, verdicts
from telemed_forecast.reporting.content.rivals import held

Values = dict[str, Value | str | int | float]

BINS = 10
"""Bins of the histogram of probability integral transforms."""


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
    ours, others = record.ours, record.league

    def add(name: str, figure: Value, sources: Sequence[str], values: Values) -> None:
        extra: dict[str, Any] = {"note_key": f"figure.{name}_note", "note_values": values}
        found.append(parts.key_figure(name, figure, as_of, sources, fits, **extra))

    if len(ours):
        numbers: Values = {"number": len(ours), "figures": ours["claim_id"].nunique()}
        add("record_inside", percent(ours[HELD].mean()), _newest_figures(record), _band(record))
        add("record_error", typical_error(ours["bias"]), _newest_figures(record), numbers)
    if len(others):
        numbers = {"number": len(others)} | verdicts(others)
        del numbers["open"]
        add("record_published_error", typical_error(others["median_error"]), list(others["claim_id"][:3]), numbers)
    if record.same_day is not None:
        claims = list(others.loc[others["why_not"] == "", "claim_id"][:3])
        add("record_nearer", _closer(record.same_day), claims, {"number": record.pairs, "outcomes": record.outcomes})
    return found


def _newest_figures(record: TrackRecord) -> list[str]:
    newest = record.ours[["day", "claim_id"]].drop_duplicates().sort_values(["day", "claim_id"], ascending=False)
    return list(newest["claim_id"][:3])


def _closer(duel: dict[str, Any]) -> Value:
    return percent(duel["closer"], duel["low"], duel["high"])


def _band(record: TrackRecord) -> Values:
    """What chance allows to the interval that the page shows."""
    at: Any = record.coverage.loc[LEVEL]
    allowed = {"allowed_low": percent(at["alone_low"]), "allowed_high": percent(at["alone_high"])}
    return {**allowed, "number": len(record.ours)}


def _answer_ours(record: TrackRecord) -> Paragraph:
    if record.ours.empty:
        return Paragraph(key="record.answer_ours_none")
    worst: Any = record.by("market").sort_values([HELD, "market"]).iloc[0]
    values: Values = {
        **_band(record),
        "inside": percent(record.ours[HELD].mean()),
        "worst": market(worst["market"]),
        "worst_inside": percent(worst[HELD]),
    }
    return Paragraph(key="record.answer_ours", values=values, sources=tuple(_newest_figures(record)))


def _answer_others(record: TrackRecord) -> Paragraph:
    found = record.league
    if found.empty:
        return Paragraph(key="record.answer_others_none")
    values: Values = {"number": len(found), "factor": typical_error(found["median_error"]), **verdicts(found)}
    del values["open"]
    key = "record.answer_others_alone"
    if record.same_day is not None:
        key = "record.answer_others"
        values |= {"closer": _closer(record.same_day), "outcomes": record.outcomes}
    if (others := record.same_day_by_consensus) is not None:
        key = "record.answer_others_twice"
        values |= {"by_others": _closer(others), "others_outcomes": others["outcomes"]}
    return Paragraph(key=key, values=values, sources=tuple(found["claim_id"][:3]))


def _answer_worst(record: TrackRecord) -> list[Block]:
    if record.misses.empty:
        return []
    worst = rows(record.misses)[0]
    values: Values = {
        "missed": len(record.missed),
        "number": len(record.ours),
        "market": market(worst.quantity),
        "made": worst.forecast_date.isoformat(),
        "day": worst.day.isoformat(),
        "came": parts.printed(worst.published, worst.unit),
        "said": parts.said(worst),
        "publisher": parts.origin_name(worst.publisher),
        "grade": worst.grade,
    }
    return [Paragraph(key="record.answer_worst", values=values, sources=(worst.claim_id,))]


def _ours(record: TrackRecord) -> list[Block]:
    if record.ours.empty:
        return [Heading(key="record.ours"), Paragraph(key="record.ours_none")]
    made = [origin for past in record.past.values() for origin in past]
    values: Values = {
        "number": len(record.ours),
        "figures": record.ours["claim_id"].nunique(),
        "first": min(origin.forecast_date for origin in made).isoformat(),
        "last": max(origin.forecast_date for origin in made).isoformat(),
        "fits": len(made),
        "passed": sum(origin.gate.ok for origin in made),
        "missed": len(record.missed),
    }
    return [
        Heading(key="record.ours"),
        Paragraph(key="record.ours_text", values=values),
        _groups(record, "markets", lambda row: market(row.market)),
        *_skill(record),
        *(_missed_chart(record, str(name), own) for name, own in record.missed.groupby("market", sort=False)),
        _groups(record, "horizons", lambda row: f"@record.horizon.{row.horizon}"),
        _groups(record, "origins", lambda row: str(row.year)),
    ]


def _groups(record: TrackRecord, name: str, label: Callable[[Any], str]) -> TableBlock:
    """Our forecasts by market, horizon or year of the forecast."""
    columns = [
        ("group", f"record.column.{name}", None, label),
        ("forecasts", "record.column.forecasts", None, lambda row: row.number),
        ("figures", "record.column.figures", None, lambda row: row.outcomes),
        ("inside50", "record.column.inside50", "percent", lambda row: percent(getattr(row, covered(0.5)))),
        ("inside80", "record.column.inside80", "percent", lambda row: percent(getattr(row, HELD))),
        (
            "allowed",
            "record.column.allowed",
            None,
            lambda row: f"{100 * row.alone_low:.0f}–{100 * row.alone_high:.0f}%",
        ),
        ("inside95", "record.column.inside95", "percent", lambda row: percent(getattr(row, covered(0.95)))),
        ("typical", "record.column.typical_error", "multiple", lambda row: multiple(row.typical_error)),
        ("bias", "record.column.bias", "multiple", _lean),
        ("crps", "record.column.crps", "ratio", lambda row: ratio(row.crps)),
    ]
    column = {"markets": "market", "horizons": "horizon", "origins": "year"}[name]
    return parts.table(f"record_{name}", record.by(column), columns)


def _allowed(row: Any) -> str:
    """The coverage that chance allows to the interval that the page shows."""
    return f"{100 * row.alone_low:.0f}–{100 * row.alone_high:.0f}%"


def _lean(row: Any) -> Value:
    """The mean error as a factor; its interval where there are days and years enough for one."""
    return multiple(row.bias, row.bias_low, row.bias_high, CONFIDENCE)


SKILL: parts.Cells = (
    ("market", "record.column.markets", None, lambda row: market(row.market)),
    ("common", "record.column.common", None, lambda row: row.number),
    ("crps", "record.column.crps", "ratio", lambda row: ratio(row.crps)),
    ("wis", "record.column.wis", "ratio", lambda row: ratio(row.wis)),
    ("log_score", "record.column.log_score", "ratio", lambda row: ratio(row.log_score)),
    ("difference", "record.column.difference", "ratio", lambda row: _difference(row)),
    ("skill", "rivals.skill", "percent", lambda row: percent(row.skill)),
)


def _difference(row: Any) -> Value:
    if np.isnan(row.difference_low):
        return ratio(row.difference)
    ends = {"low": row.difference_low, "high": row.difference_high}
    return Value(value=row.difference, unit="ratio", level=CONFIDENCE, **ends)


def _skill(record: TrackRecord) -> list[Block]:
    """Ours against the random walk with drift, market by market, on the forecasts that all methods made."""
    table = summarise(shared(record.scores), ["market", "member"], benchmark=BENCHMARK)
    ours = table[table["member"] == OURS]
    return [] if ours.empty else [parts.table("record_skill", ours, SKILL)]


def _missed_chart(record: TrackRecord, name: str, missed: pd.DataFrame) -> Chart:
    """Every miss of one market: what had been forecast over what came."""
    missed = missed.sort_values(["forecast_date", "day", "claim_id"])
    together = missed.duplicated(["forecast_date", "day"], keep=False)
    lines: list[tuple[Any, ...]] = []
    for one, several in zip(rows(missed), together, strict=True):
        label = f"{one.forecast_date.year} → {one.day.isoformat()[:7]}"
        if several:
            label = f"{label}, {parts.origin_name(one.publisher)}"
        lines.append((_once(label, lines), *(end / one.published for end in (one.median, one.low, one.high))))
    total = int((record.ours["market"] == name).sum())
    return Chart(
        id=f"record_misses_{name}",
        kind="dots",
        title_key="chart.record_misses.title",
        title_values={"market": market(name), "missed": len(missed), "number": total},
        alt_key="chart.record_misses.alt",
        alt_values={"missed": len(missed), "number": total, "above": sum(row[1] > 1.0 for row in lines)},
        unit="multiple",
        data=Table(columns=("category", "value", "low", "high"), rows=tuple(lines)),
        reference=1.0,
        reference_key="record.came_line",
        log=True,
        sources=tuple(record.missed.loc[record.missed["market"] == name, "claim_id"].unique()),
    )


def _once(label: str, rows: Sequence[tuple[Any, ...]]) -> str:
    """A label that no row has yet: two figures of one house may speak of one month."""
    taken = sum(row[0] == label or row[0].startswith(f"{label} (") for row in rows)
    return label if not taken else f"{label} ({taken + 1})"


def _calibration(record: TrackRecord) -> list[Block]:
    if record.ours.empty:
        return []
    curve, ranks = record.coverage, histogram(record.ours["pit"].tolist(), BINS)
    outside = (curve["actual"] < curve["low"]) | (curve["actual"] > curve["high"])
    far = (curve["actual"] < curve["wide_low"]) | (curve["actual"] > curve["wide_high"])
    verdict = "outside" if far.any() else "dependent" if outside.any() else "inside"
    outcomes, days = (len(set(groups)) for groups in clusters(record.ours))
    values: Values = {"number": len(record.ours), "outcomes": outcomes, "origins": days, "band": percent(BAND)}
    edges = [f"{100 * k // BINS}–{100 * (k + 1) // BINS}%" for k in range(BINS)]
    return [
        Heading(key="record.calibration"),
        Paragraph(key="record.calibration_text", values=values),
        _curve_chart(record, curve),
        Paragraph(key=f"record.calibration_{verdict}"),
        Chart(
            id="record_ranks",
            kind="bars",
            title_key="chart.record_ranks.title",
            alt_key="chart.record_ranks.alt",
            alt_values={"low": percent(ranks[0]), "high": percent(ranks[-1])},
            unit="percent",
            data=Table(columns=("category", "value"), rows=tuple(zip(edges, (100.0 * ranks).tolist(), strict=True))),
            reference=100.0 / BINS,
            reference_key="record.even_line",
        ),
    ]


def _curve_chart(record: TrackRecord, curve: pd.DataFrame) -> Chart:
    curve = curve.assign(nominal=curve.index)
    lines = {
        "@record.curve.ours": ["nominal", "actual", "actual", "actual"],
        "@record.curve.dependent": ["nominal", "nominal", "wide_low", "wide_high"],
        "@record.curve.independent": ["nominal", "nominal", "low", "high"],
    }
    rows = tuple(
        (level, name, *ends)
        for name, columns in lines.items()
        for level, *ends in (100.0 * curve[columns]).to_numpy().tolist()
    )
    actual = percent(float(curve["actual"].loc[LEVEL]))
    return Chart(
        id="record_coverage",
        kind="lines",
        title_key="chart.record_coverage.title",
        alt_key="chart.record_coverage.alt",
        alt_values={"nominal": percent(LEVEL), "actual": actual, **_band(record)},
        unit="percent",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=rows),
        x_key="record.nominal_axis",
    )


EVERY_FORECAST: parts.Cells = (
    ("market", "record.column.markets", None, lambda one: market(one.market)),
    ("made", "rivals.made", None, lambda one: one.forecast_date),
    ("day", "column.day", None, lambda one: one.day),
    ("forecast", "rivals.forecast", None, parts.said),
    ("published", "rivals.published", None, lambda one: parts.printed(one.published, one.unit)),
    ("widths", "record.column.widths", "ratio", lambda one: ratio(half_widths(one))),
    ("held", "rivals.held", None, held),
    ("claim_id", "column.claim_id", None, lambda one: one.claim_id),
)


def _appendix(record: TrackRecord) -> list[Block]:
    """The rules of scoring, and every forecast of ours."""
    shown: list[Block] = [
        Heading(key="record.rules"),
        *(Paragraph(key=f"record.rules_{name}") for name in ("ours", "published", "truth", "pooling", "bands")),
    ]
    ours = record.ours
    if len(ours):
        extra = {"title_values": {"number": len(ours)}, "sources": tuple(ours["claim_id"].unique()), "folded": True}
        shown.append(parts.table("record_forecasts", ours, EVERY_FORECAST, **extra))
    return shown
