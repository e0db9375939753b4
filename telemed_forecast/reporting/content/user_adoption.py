"""The report on users: how many, how many stay after a wave, and how far it can grow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.forecast.user_adoption import UserAdoption, headline, predictive, prior_predictive
from telemed_forecast.models import adoption
from telemed_forecast.models.odds import expit
from telemed_forecast.models.priors import growth_prior, surge_prior
from telemed_forecast.reporting.blocks import (
    Block,
    Heading,
    KeyFigures,
    Paragraph,
    Title,
    Value,
)
from telemed_forecast.reporting.content import influence, parts, predictive_checks, rivals, user_surveys, user_waves
from telemed_forecast.reporting.content.parts import Sections, value

LEGALISED = ("2015-online-healthcare-providers-described-as", "seed-gma-market")
"""The policy event that a founding article dates 2015, and a claim of the same article, which says when it was out."""

EVIDENCE = {
    "users": "persons",
    "panel": "persons",
    "internet": "persons",
    "population": "persons",
    "surveys": "percent",
}
"""Evidence in the appendix, a table each, with its unit; awareness stands with the surveys."""


def sections(
    context: Context,
    result: UserAdoption,
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
        "summary": _summary(context, result),
        "users": _users(context, result),
        "waves": user_waves.waves(result),
        "platforms": user_waves.platforms(context, result),
        "ceiling": user_surveys.ceiling(context, result),
        "counts": user_surveys.other_counts(context, result),
        "rivals": rivals.blocks(context, "user_adoption", result, past),
        "appendix": [*_appendix(context, result), *influence.blocks(context, weighed)],
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
        *_since_2015(context),
        parts.year_table("users_by_year", [result.published, result.usage, result.internet], years, claims),
        parts.fan(
            "internet_path",
            result.internet,
            as_of=as_of,
            since=2015,
            evidence=result.evidence["internet"],
        ),
    ]


def _since_2015(context: Context) -> list[Block]:
    """What a founding article says of the first year on record; nothing before that article was out."""
    if not context.view["claim_id"].isin([LEGALISED[1]]).any():
        return []
    return [Paragraph(key="user_adoption.since_2015", sources=LEGALISED[:1])]


def _appendix(context: Context, result: UserAdoption) -> list[Block]:
    rng = np.random.default_rng(1)
    growth, surge = growth_prior(adoption.CLASS["usage"]), surge_prior()
    draws = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    rows = [
        ("parameter.kept", expit(rng.normal(*surge.logit_kept, 4000)), expit(draws["surge_logit_kept"])),
        ("parameter.half_life", np.exp(rng.normal(*surge.log_half_life, 4000)), draws["surge_half_life"]),
        ("parameter.gained_first", rng.beta(*surge.gained, 4000), draws["surge_gained"][:, 0]),
        ("parameter.gained_second", rng.beta(*surge.gained, 4000), draws["surge_gained"][:, 1]),
        (
            "parameter.usage_ceiling",
            expit(rng.normal(*adoption.CEILING_USAGE, 4000)),
            expit(draws["usage_logit_ceiling"]),
        ),
        ("parameter.usage_rate", np.exp(rng.normal(*growth.log_rate, 4000)), draws["usage_rate"]),
        ("parameter.usage_sigma", np.exp(rng.normal(*growth.log_sigma, 4000)), draws["usage_sigma"]),
        ("parameter.survey_noise", np.exp(rng.normal(*adoption.SURVEY_NOISE, 4000)), draws["survey_noise"]),
        ("parameter.regional_spread", np.exp(rng.normal(*adoption.REGIONAL_SPREAD, 4000)), draws["regional_spread"]),
    ]
    rows += [
        (f"parameter.{name}", np.exp(rng.normal(*prior, 4000)), np.exp(draws["definition_offset"][:, k]))
        for k, (name, prior) in enumerate(adoption.OFFSETS.items())
    ]
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="user_adoption.method"),
        parts.parameter_table("users_parameters", rows),
        *_evidence(result),
        *_checks(context, result),
        parts.forecasts(context, [result.published, result.users, result.usage, result.internet]),
    ]


def _evidence(result: UserAdoption) -> list[Block]:
    """The figures that entered, a table for each quantity."""
    tables = []
    for name, unit in EVIDENCE.items():
        rows = [result.evidence[name]] + ([result.evidence["unaware"]] if name == "surveys" else [])
        if any(len(part) for part in rows):
            table = parts.evidence_table(f"{name}_evidence", rows, unit)
            tables.append(table.model_copy(update={"title_key": f"table.{name}_evidence.title"}))
    return list(tables)


def _checks(context: Context, result: UserAdoption) -> list[Block]:
    """What the prior said, and where the surveys' counts lie in what the model would have printed."""
    rng, surveys = context.generator("user_adoption checks"), headline(context)
    prior, drawn = prior_predictive(result, rng), predictive(result, surveys, rng)
    plain = surveys.where(surveys.end > np.datetime64("2020-06-30"))
    return predictive_checks.blocks("users", result.published, prior, drawn, surveys, plain)
