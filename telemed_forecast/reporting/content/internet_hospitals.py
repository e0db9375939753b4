"""The report on internet hospitals: how many, how many there will be, and what a forecast of 2022 would have said."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from telemed_forecast.evaluation.look_back import LookBack
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import InternetHospitals
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.models import internet_hospitals as model
from telemed_forecast.models.priors import growth_prior
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Heading,
    KeyFigures,
    Paragraph,
    Table,
    Title,
    Value,
)
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import Sections, value

TARGET_CLAIM = "ih-2025-09-nhc-3756"
"""The figure that the look back is held against."""

CONTEXT = (
    "seed-yrd-docs",
    "seed-yrd-hospbuilt",
    "seed-jdh-online-docs",
    "seed-jdh-income",
    "seed-jdh-depts",
    "seed-jdh-experience",
    "ih-2017-03-inactive",
    "pmc-tertiary-share",
    "huang2024-licence",
    "seed-gma-invest",
    "seed-gma-provinces",
)
"""What surveys and reports say of supply and activity; shown with their sources."""


def sections(
    context: Context, result: InternetHospitals, earlier: LookBack | None, parameters: dict[str, Any]
) -> Sections:
    """The report's sections in reading order: name -> blocks."""
    made: Sections = {
        "summary": _summary(context, result, earlier),
        "count": _count(context, result),
        "counters": _counters(result),
        "look_back": _look_back(context, earlier),
        "activity": _activity(context),
        "appendix": _appendix(context, result),
    }
    made["record"] = parts.record(context, made, parameters)
    return made


def key_figures(context: Context, result: InternetHospitals) -> KeyFigures:
    """The headline numbers."""
    horizon, fits = context.settings.horizon, [result.fit]
    now = result.count.draws[:, result.count.last_known]
    then = result.published.year_end(horizon)
    claims = parts.newest(result.evidence, 2)
    return KeyFigures(
        items=(
            parts.key_figure(
                "hospitals_now",
                value(now, "hospitals"),
                result.last_period.isoformat(),
                claims,
                fits,
                note_key="figure.hospitals_now_note",
                note_values={"printed": _printed(result), "day": _newest_day(result), "grade": _newest_grade(result)},
            ),
            parts.key_figure(f"hospitals_{horizon}", value(then, "hospitals"), str(horizon), claims, fits),
            parts.key_figure(
                f"pool_{horizon}",
                value(result.share_of_pool.year_end(horizon), "percent"),
                str(horizon),
                claims,
                fits,
                note_key="figure.pool_note",
                note_values={"now": value(result.share_of_pool.draws[:, result.count.last_known], "percent")},
            ),
            parts.key_figure(
                "hospitals_double", parts.chance(then > 2 * now), f"{result.last_period.year}/{horizon}", claims, fits
            ),
        )
    )


def _summary(context: Context, result: InternetHospitals, earlier: LookBack | None) -> list[Block]:
    return [
        Title(report="internet_hospitals"),
        parts.gates(context, result.fit, *([earlier.fit] if earlier else [])),
        key_figures(context, result),
        Paragraph(
            key="internet_hospitals.answer",
            values={"last": _newest_day(result), "grade": _newest_grade(result)},
            sources=tuple(parts.newest(result.evidence, 3)),
        ),
    ]


def _printed(result: InternetHospitals) -> Value:
    row = _newest_row(result)
    return Value(value=float(0.5 * (result.evidence.low[row] + result.evidence.high[row])), unit="hospitals")


def _newest_day(result: InternetHospitals) -> str:
    return str(result.evidence.end[_newest_row(result)])[:10]


def _newest_grade(result: InternetHospitals) -> str:
    return str(result.evidence.grade[_newest_row(result)])


def _newest_row(result: InternetHospitals) -> int:
    return int(np.argsort(result.evidence.end, kind="stable")[-1])


def _count(context: Context, result: InternetHospitals) -> list[Block]:
    horizon = context.settings.horizon
    years = list(range(result.last_period.year, horizon + 1))
    years = [y for y in years if date(y, 12, 31) in result.count.periods]
    return [
        Heading(key="internet_hospitals.count"),
        Paragraph(key="internet_hospitals.count_text"),
        parts.fan(
            "hospitals_path",
            result.published,
            as_of=context.settings.as_of_date,
            since=2017,
            evidence=result.evidence,
            prophet=prophet(result.known, result.published.periods, context.settings.seed),
        ),
        parts.year_table(
            "hospitals_by_year", [result.published, result.share_of_pool], years, parts.newest(result.evidence, 3)
        ),
    ]


def _counters(result: InternetHospitals) -> list[Block]:
    offsets = np.asarray(result.fit.posterior["origin_offset"])[:, : len(result.counters)]
    rows = []
    for k, name in enumerate(result.counters):
        low, middle, high = np.quantile(np.exp(offsets[:, k]), [0.1, 0.5, 0.9])
        rows.append((parts.origin_name(name), float(middle), float(low), float(high)))
    others = result.evidence.where(~np.isin(result.evidence.origin, model.OFFICIAL))
    return [
        Heading(key="internet_hospitals.counters"),
        Paragraph(key="internet_hospitals.counters_text"),
        Chart(
            id="counter_offsets",
            kind="dots",
            title_key="chart.counter_offsets.title",
            alt_key="chart.counter_offsets.alt",
            unit="multiple",
            data=Table(columns=("category", "value", "low", "high"), rows=tuple(rows)),
            reference=1.0,
            reference_key="reference.official",
            sources=tuple(str(c) for c in others.claim_id),
        ),
    ]


def _look_back(context: Context, earlier: LookBack | None) -> list[Block]:
    heading = Heading(key="internet_hospitals.look_back")
    known = context.view["claim_id"] == TARGET_CLAIM
    if earlier is None or not known.any():
        return [heading, Paragraph(key="internet_hospitals.look_back_too_early")]
    row = context.view[known].iloc[0]
    path, actual = earlier.result.published, float(row["value"])
    at = path.draws[:, path.position(date(2025, 6, 30))]
    after = path.draws[:, path.position(date(2025, 12, 31))]
    # The figure was given on 11 September: two fifths of the way from June to December.
    then = np.exp(0.6 * np.log(at) + 0.4 * np.log(after))
    low, _, high = parts.interval(then)
    outcome = "inside" if low <= actual <= high else "outside"
    return [
        heading,
        Paragraph(
            key=f"internet_hospitals.look_back_{outcome}",
            values={
                "as_of": earlier.as_of.isoformat(),
                "day": str(row["period_end"])[:10],
                "forecast": value(then, "hospitals"),
                "actual": Value(value=actual, unit="hospitals"),
                "rank": Value(value=float(np.mean(then < actual)), unit="probability", digits=2),
            },
            sources=(TARGET_CLAIM,),
        ),
        parts.fan(
            "hospitals_look_back",
            path,
            as_of=earlier.as_of,
            since=2017,
            evidence=context.observed("internet_hospitals", "national"),
        ),
    ]


def _activity(context: Context) -> list[Block]:
    return [
        Heading(key="internet_hospitals.activity"),
        Paragraph(key="internet_hospitals.activity_text"),
        parts.context_table(context, "supply", CONTEXT),
    ]


def _appendix(context: Context, result: InternetHospitals) -> list[Block]:
    rng = np.random.default_rng(1)
    growth = growth_prior("penetration")
    draws = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    logit = rng.normal(*model.CEILING_SHARE, 4000)
    rows = [
        ("parameter.pool_share", 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-draws["hospital_logit_ceiling"]))),
        ("parameter.count_rate", np.exp(rng.normal(*growth.log_rate, 4000)), draws["hospital_rate"]),
        ("parameter.count_sigma", np.exp(rng.normal(*growth.log_sigma, 4000)), draws["hospital_sigma"]),
        ("parameter.origin_spread", np.exp(rng.normal(*model.ORIGIN_SPREAD, 4000)), draws["origin_spread"]),
        (
            "parameter.reporting_noise",
            np.exp(rng.normal(*model.REPORTING_NOISE, 4000)),
            draws["reporting_noise"],
        ),
    ]
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="internet_hospitals.method"),
        parts.parameter_table("hospitals_parameters", rows),
        parts.evidence_table("hospitals_evidence", [result.evidence], "hospitals"),
        parts.forecasts(context, [result.published, result.count, result.share_of_pool]),
    ]
