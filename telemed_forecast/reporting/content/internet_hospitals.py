"""The report on internet hospitals: how many, how many there will be, and what a forecast of 2022 would have said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evaluation.look_back import LookBack
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.forecast import internet_hospitals as forecast
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import InternetHospitals, at_days
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.models import internet_hospitals as model
from telemed_forecast.models.odds import expit
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
from telemed_forecast.reporting.content import (
    hospital_activity,
    hospital_sponsors,
    influence,
    parts,
    predictive_checks,
    rivals,
)
from telemed_forecast.reporting.content.parts import Sections, value

TARGET_CLAIM = "ih-2025-09-nhc-3756"
"""The figure that the look back is held against."""


def sections(
    context: Context,
    result: InternetHospitals,
    earlier: LookBack | None,
    parameters: dict[str, Any],
    past: Sequence[Origin] = (),
    weighed: Sequence[Influence] = (),
) -> Sections:
    """The report's sections in reading order: name -> blocks.

    Parameters
    ----------
    past
        Earlier forecasts and what came of them.
    weighed
        What the headline owes to each published figure.
    """
    made: Sections = {
        "summary": _summary(context, result, earlier),
        "count": _count(context, result),
        "sponsors": hospital_sponsors.sponsors(context, result, _years(context, result)),
        "policy": hospital_sponsors.policy(result),
        "counters": _counters(result),
        "look_back": _look_back(context, earlier),
        "activity": hospital_activity.activity(context, result),
        "provinces": hospital_activity.provinces(context, result),
        "rivals": rivals.blocks(context, "internet_hospitals", result, past),
        "appendix": [*_appendix(context, result), *influence.blocks(context, weighed)],
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
            "hospitals_by_year",
            [result.published, result.share_of_pool, result.operating],
            _years(context, result),
            parts.newest(result.evidence, 3),
        ),
    ]


def _years(context: Context, result: InternetHospitals) -> list[int]:
    """The year-ends that tables show: from the last count to the horizon."""
    years = range(result.last_period.year, context.settings.horizon + 1)
    return [y for y in years if date(y, 12, 31) in result.count.periods]


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
    then = at_days(path, np.array([row["period_end"]], dtype="datetime64[D]"))[:, 0]
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


def _appendix(context: Context, result: InternetHospitals) -> list[Block]:
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="internet_hospitals.method"),
        parts.parameter_table("hospitals_parameters", _parameters(result)),
        parts.evidence_table("hospitals_evidence", [result.evidence, result.own], "hospitals"),
        *([parts.evidence_table("hospital_share_evidence", [result.shares], "percent")] if len(result.shares) else []),
        *predictive_checks.blocks(
            "hospitals",
            result.count,
            forecast.prior_predictive(result, context.generator("hospitals_prior")),
            forecast.predictive(result, result.evidence, context.generator("hospitals_predictive")),
            result.evidence,
        ),
        parts.forecasts(
            context,
            [
                result.published,
                result.count,
                result.hospital_run,
                result.third_party,
                result.hospital_share,
                result.share_of_pool,
                result.operating,
            ],
        ),
    ]


def _parameters(result: InternetHospitals) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Prior and posterior draws of the model's parameters, by text key."""
    prior = model.prior_sample(result.fit.data, 4000, np.random.default_rng(1))
    draws = {str(k): np.asarray(v) for k, v in result.fit.posterior.items()}
    return [
        (f"parameter.{key}", change(prior[name]), change(draws[name]))
        for key, name, change in (
            ("pool_share", "hospital_logit_ceiling", expit),
            ("firm_ceiling", "firm_log_ceiling", np.exp),
            ("hospital_rate", "hospital_rate", np.array),
            ("firm_rate", "firm_rate", np.array),
            ("hospital_sigma", "hospital_sigma", np.array),
            ("firm_sigma", "firm_sigma", np.array),
            ("policy_fade", "policy_fade", np.array),
            ("origin_spread", "origin_spread", np.array),
            ("reporting_noise", "reporting_noise", np.array),
        )
    ]
