"""The report on users: how many, how many stay after a wave, and how far it can grow."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.forecast.user_adoption import UserAdoption
from telemed_forecast.models import adoption
from telemed_forecast.models.priors import growth_prior, surge_prior
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

SURVEYS = (
    "seed-yrd-used",
    "seed-yrd-never",
    "seed-yrd-lack",
    "seed-yrd-immature",
    "bain-2020-used",
    "cnnic-2022-12-online-medical-usage-rate-rural-hk51",
    "jmir2025-jiangsu-used12m",
)
"""Surveys that bear on awareness, trust and the ceiling; shown with their sources."""

SURGES = (
    "seed-bjnews-haodf-demand",
    "seed-bjnews-haodf-reg",
    "seed-bjnews-pagd-reg",
    "seed-bjnews-pagd-consult",
    "seed-bjnews-pagd-visits",
    "seed-bjnews-haodf-free",
    "seed-tencent-users",
    "seed-tencent-doctor",
    "seed-tencent-push",
    "dxy-2020-06-mult",
)
"""What platforms said of the first wave; peaks of one platform are no measure of the country's users."""


def sections(context: Context, result: UserAdoption, parameters: dict[str, Any]) -> Sections:
    """The report's sections in reading order: name -> blocks."""
    made: Sections = {
        "summary": _summary(context, result),
        "users": _users(context, result),
        "waves": _waves(context, result),
        "ceiling": _ceiling(context, result),
        "appendix": _appendix(context, result),
    }
    made["record"] = parts.record(context, made, parameters)
    return made


def key_figures(context: Context, result: UserAdoption) -> KeyFigures:
    """The headline numbers."""
    horizon, last = context.settings.horizon, result.last_period
    now = result.users.last_known
    claims = parts.newest(result.evidence["users"], 1, result.evidence["internet"])
    fits = [result.fit]
    left = parts.share(result.stays[:, now, 0])
    return KeyFigures(
        items=(
            parts.key_figure(
                "users_now",
                value(result.published.draws[:, now], "persons"),
                last.isoformat(),
                claims,
                fits,
                note_key="figure.users_now_note",
                note_values={"printed": _printed(result)},
            ),
            parts.key_figure(
                f"users_{horizon}", value(result.published.year_end(horizon), "persons"), str(horizon), claims, fits
            ),
            parts.key_figure(
                f"usage_{horizon}",
                value(result.usage.year_end(horizon), "percent"),
                str(horizon),
                claims,
                fits,
                note_key="figure.usage_note",
                note_values={"now": value(result.usage.draws[:, now], "percent")},
            ),
            parts.key_figure(
                "wave_left",
                left,
                last.isoformat(),
                parts.newest(result.evidence["panel"], 3) or claims,
                fits,
                note_key="figure.wave_left_note",
                note_values={"first": value(result.wave_gain[:, 0], "persons")},
            ),
        )
    )


def _printed(result: UserAdoption) -> Value:
    surveys = result.evidence["users"]
    if not len(surveys):
        return value(result.published.draws[:, result.users.last_known], "persons")
    k = int(np.argsort(surveys.end, kind="stable")[-1])
    return Value(value=float(0.5 * (surveys.low[k] + surveys.high[k])), unit="persons")


def _summary(context: Context, result: UserAdoption) -> list[Block]:
    horizon = context.settings.horizon
    now = result.users.draws[:, result.users.last_known]
    then = result.users.year_end(horizon)
    claims = parts.newest(result.evidence["users"], 3)
    return [
        Title(report="user_adoption"),
        parts.gates(context, result.fit),
        key_figures(context, result),
        Paragraph(
            key="user_adoption.answer",
            values={
                "growth": parts.chance(then > now),
                "half": parts.chance(result.usage.year_end(horizon) > 50.0),
                "last": result.last_period.isoformat(),
                "horizon": horizon,
            },
            sources=tuple(claims),
        ),
    ]


def _users(context: Context, result: UserAdoption) -> list[Block]:
    as_of, horizon = context.settings.as_of_date, context.settings.horizon
    first = result.last_period.year
    claims = [*parts.newest(result.evidence["users"], 5), *parts.newest(result.evidence["internet"], 2)]
    noise = float(np.median(np.asarray(result.fit.posterior["survey_noise"])))
    years = [y for y in range(first, horizon + 1) if date(y, 12, 31) in result.users.periods]
    return [
        Heading(key="user_adoption.users"),
        Paragraph(
            key="user_adoption.users_text",
            values={"noise": Value(value=100.0 * noise, unit="percent", digits=1)},
            sources=tuple(parts.newest(result.evidence["users"], 5)),
        ),
        parts.fan(
            "users_path",
            result.published,
            as_of=as_of,
            since=2015,
            evidence=result.evidence["users"],
            prophet=prophet(result.known, result.published.periods, context.settings.seed),
        ),
        parts.year_table("users_by_year", [result.published, result.usage, result.internet], years, claims),
        parts.fan(
            "internet_path",
            result.internet,
            as_of=as_of,
            since=2015,
            evidence=result.evidence["internet"],
        ),
    ]


def _waves(context: Context, result: UserAdoption) -> list[Block]:
    now = result.users.last_known
    shown = [k for k, day in enumerate(result.users.periods) if day.year >= 2018 and day.month == 12]
    stacked = [
        (result.users.periods[k].isoformat(), f"@series.{name}", float(np.mean(path.draws[:, k])))
        for name, path in (("base", result.base), ("kept", result.kept), ("passing", result.passing))
        for k in shown
    ]
    claims = tuple(parts.newest(result.evidence["panel"], 3))
    return [
        Heading(key="user_adoption.waves"),
        Paragraph(
            key="user_adoption.waves_text",
            values={
                "first": value(result.wave_gain[:, 0], "persons"),
                "second": value(result.wave_gain[:, 1], "persons"),
                "left_first": parts.share(result.stays[:, now, 0]),
                "left_second": parts.share(result.stays[:, now, 1]),
                "for_good": parts.share(_kept(np.asarray(result.fit.posterior["surge_logit_kept"]))),
                "day": result.last_period.isoformat(),
            },
            sources=claims,
        ),
        Chart(
            id="users_parts",
            kind="stack",
            title_key="chart.users_parts.title",
            alt_key="chart.users_parts.alt",
            unit="persons",
            data=Table(columns=("period", "series", "value"), rows=tuple(stacked)),
            sources=claims,
        ),
        _retention_chart(result, claims),
        parts.context_table(context, "surges", SURGES),
    ]


def _retention_chart(result: UserAdoption, claims: tuple[str, ...]) -> Chart:
    """What is left of a wave, year by year: prior from other countries and posterior for China."""
    since = np.arange(0.0, 6.01, 0.5)
    prior = surge_prior()
    rng = np.random.default_rng(0)
    drawn = {
        "prior": (rng.normal(*prior.logit_kept, 4000), np.exp(rng.normal(*prior.log_half_life, 4000))),
        "posterior": (
            np.asarray(result.fit.posterior["surge_logit_kept"]),
            np.asarray(result.fit.posterior["surge_half_life"]),
        ),
    }
    rows = []
    for name, (logit, half_life) in drawn.items():
        left = adoption.retention(since[None, :], kept=_kept(logit)[:, None], half_life=half_life[:, None])
        low, middle, high = 100.0 * np.quantile(left, [0.1, 0.5, 0.9], axis=0)
        rows += [
            (float(since[k]), f"@series.{name}", float(middle[k]), float(low[k]), float(high[k]))
            for k in range(len(since))
        ]
    return Chart(
        id="retention",
        kind="lines",
        title_key="chart.retention.title",
        alt_key="chart.retention.alt",
        unit="percent",
        x_key="axis.years_since_wave",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=tuple(rows)),
        sources=claims,
    )


def _ceiling(context: Context, result: UserAdoption) -> list[Block]:
    ceiling = _kept(np.asarray(result.fit.posterior["usage_logit_ceiling"]))
    return [
        Heading(key="user_adoption.ceiling"),
        Paragraph(
            key="user_adoption.ceiling_text",
            values={"ceiling": parts.share(ceiling)},
            sources=tuple(c for c in SURVEYS[:3] if c in set(context.view["claim_id"])),
        ),
        parts.context_table(context, "surveys", SURVEYS),
    ]


def _appendix(context: Context, result: UserAdoption) -> list[Block]:
    rng = np.random.default_rng(1)
    growth, surge = growth_prior("penetration"), surge_prior()
    draws = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    rows = [
        ("parameter.kept", _kept(rng.normal(*surge.logit_kept, 4000)), _kept(draws["surge_logit_kept"])),
        ("parameter.half_life", np.exp(rng.normal(*surge.log_half_life, 4000)), draws["surge_half_life"]),
        ("parameter.gained_first", rng.beta(*surge.gained, 4000), draws["surge_gained"][:, 0]),
        ("parameter.gained_second", rng.beta(*surge.gained, 4000), draws["surge_gained"][:, 1]),
        (
            "parameter.usage_ceiling",
            _kept(rng.normal(*adoption.CEILING_USAGE, 4000)),
            _kept(draws["usage_logit_ceiling"]),
        ),
        ("parameter.usage_rate", np.exp(rng.normal(*growth.log_rate, 4000)), draws["usage_rate"]),
        ("parameter.usage_sigma", np.exp(rng.normal(*growth.log_sigma, 4000)), draws["usage_sigma"]),
        ("parameter.survey_noise", np.exp(rng.normal(*adoption.SURVEY_NOISE, 4000)), draws["survey_noise"]),
    ]
    evidence = [result.evidence[k] for k in ("users", "panel")]
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="user_adoption.method"),
        parts.parameter_table("users_parameters", rows),
        parts.evidence_table("users_evidence", evidence, "persons"),
        parts.forecasts(context, [result.published, result.users, result.usage, result.internet]),
    ]


def _kept(logit: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logit))
