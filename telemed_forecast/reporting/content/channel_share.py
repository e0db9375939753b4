"""The report on channels: hospitals against third-party platforms, by measure, and the odds of each outcome."""

from __future__ import annotations

from typing import Any

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.channel_share import ChannelShare
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.models import channel_share as model
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    Heading,
    KeyFigures,
    Paragraph,
    Table,
    TableBlock,
    Title,
    Value,
)
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import Sections, value

REPORT = "seed-yrd-hospbuilt"
"""A row of the university report whose expectation the page answers."""

CONTEXT = (
    REPORT,
    "liu2021-pubhosp",
    "liu2021-gov",
    "liu2021-dhc",
    "liu2021-ecom",
    "ihshare-2020-07-xu-hospital",
    "ihshare-2020-07-xu-traditional",
    "kpmg-2020-doctors-invited-platform",
    "kpmg-2020-doctors-invited-hospital",
    "jdh-2024-consults",
    "idv-2024-nhc",
)
"""Figures on the channels that are shown; the web census contradicts itself and enters no likelihood."""


def sections(context: Context, result: ChannelShare, parameters: dict[str, Any]) -> Sections:
    """The report's sections in reading order: name -> blocks."""
    made: Sections = {
        "summary": _summary(context, result),
        "shares": _shares(context, result),
        "odds": _odds(context, result),
        "encounters": _encounters(context, result),
        "appendix": _appendix(context, result),
    }
    made["record"] = parts.record(context, made, parameters)
    return made


def key_figures(context: Context, result: ChannelShare) -> KeyFigures:
    """The headline numbers."""
    horizon, fits = context.settings.horizon, [result.fit]
    count, encounters = result.shares["count"], result.shares["encounters"]
    last = count.periods[count.last_known]
    hospitals = context.observed("internet_hospitals", "national")
    claims = parts.newest(result.evidence["counts"], 2, result.evidence["preference"], hospitals)
    bounds = _claims(result) or claims
    return KeyFigures(
        items=(
            parts.key_figure(
                "hospital_share_now", value(count.draws[:, count.last_known], "percent"), last.isoformat(), claims, fits
            ),
            parts.key_figure(
                f"hospital_share_{horizon}", value(count.year_end(horizon), "percent"), str(horizon), claims, fits
            ),
            parts.key_figure(
                "hospital_share_grows",
                parts.chance(float(result.rising["count"][-1])),
                f"{last.year}/{horizon}",
                claims,
                fits,
            ),
            parts.key_figure(
                "encounter_majority",
                parts.chance(float(result.majority["encounters"][-1])),
                str(horizon),
                bounds,
                fits,
                note_key="figure.encounter_majority_note",
                note_values={"share": value(encounters.draws[:, encounters.last_known], "percent")},
            ),
        )
    )


def _claims(result: ChannelShare) -> list[str]:
    return list(dict.fromkeys(c for e in result.encounters for c in e.claims))


def _summary(context: Context, result: ChannelShare) -> list[Block]:
    horizon, asked = context.settings.horizon, REPORT in set(context.view["claim_id"])
    return [
        Title(report="channel_share"),
        parts.gates(context, result.fit),
        key_figures(context, result),
        Paragraph(
            key="channel_share.answer" if asked else "channel_share.answer_plain",
            values={
                "grows": parts.chance(float(result.rising["count"][-1])),
                "majority": parts.chance(float(result.majority["count"][-1])),
                "encounters": parts.chance(float(result.majority["encounters"][-1])),
                "horizon": horizon,
            },
            sources=(REPORT,) if asked else (),
        ),
    ]


def _shares(context: Context, result: ChannelShare) -> list[Block]:
    as_of, horizon = context.settings.as_of_date, context.settings.horizon
    count = result.shares["count"]
    rows = []
    for name, path in result.shares.items():
        low, middle, high = np.quantile(path.draws, [0.1, 0.5, 0.9], axis=0)
        rows += [
            (day.isoformat(), f"@measure.{name}", float(middle[k]), float(low[k]), float(high[k]))
            for k, day in enumerate(path.periods)
        ]
    claims = [*parts.newest(result.evidence["counts"], 3), *_claims(result)]
    years = [count.periods[count.last_known].year, *range(count.periods[count.last_known].year + 1, horizon + 1)]
    return [
        Heading(key="channel_share.shares"),
        _newest_share(result),
        parts.fan(
            "hospital_share_path",
            count,
            as_of=as_of,
            since=2017,
            evidence=result.evidence["counts"],
            prophet=prophet(result.known, count.periods, context.settings.seed),
        ),
        Chart(
            id="shares_by_measure",
            kind="lines",
            title_key="chart.shares_by_measure.title",
            alt_key="chart.shares_by_measure.alt",
            unit="percent",
            data=Table(columns=("period", "series", "value", "low", "high"), rows=tuple(rows)),
            as_of=as_of,
            sources=tuple(claims),
        ),
        parts.year_table("shares_by_year", list(result.shares.values()), years, claims),
    ]


def _newest_share(result: ChannelShare) -> Paragraph:
    counts = result.evidence["counts"]
    if not len(counts):
        return Paragraph(key="channel_share.shares_text_none")
    return Paragraph(
        key="channel_share.shares_text",
        values={"newest": str(counts.end.max())[:10]},
        sources=tuple(parts.newest(counts, 2)),
    )


def _odds(context: Context, result: ChannelShare) -> list[Block]:
    count = result.shares["count"]
    ahead = range(count.last_known + 1, len(count.periods))
    columns = [Column(name="year", key="column.year", unit="year")]
    # One tilt moves all measures, so the chance that a share grows is one number.
    columns += [Column(name="rising", key="column.rising", unit="probability")]
    columns += [Column(name=f"majority_{m}", key=f"column.majority_{m}", unit="probability") for m in result.shares]
    rows = tuple(
        (
            count.periods[k].year,
            parts.chance(float(result.rising["count"][k])),
            *(parts.chance(float(result.majority[m][k])) for m in result.shares),
        )
        for k in ahead
    )
    return [
        Heading(key="channel_share.odds"),
        Paragraph(key="channel_share.odds_text"),
        TableBlock(
            id="channel_odds",
            title_key="table.channel_odds.title",
            columns=tuple(columns),
            rows=rows,
            sources=tuple(parts.newest(result.evidence["counts"], 3)),
        ),
        parts.context_table(context, "channels", CONTEXT),
    ]


def _encounters(context: Context, result: ChannelShare) -> list[Block]:
    columns = (
        Column(name="year", key="column.year", unit="year"),
        Column(name="hospitals_low", key="column.hospital_encounters_low", unit="consultations"),
        Column(name="hospitals_high", key="column.hospital_encounters_high", unit="consultations"),
        Column(name="platform", key="column.largest_platform", unit="consultations", digits=3),
        Column(name="lowest", key="column.share_lowest", unit="percent"),
        Column(name="highest", key="column.share_highest", unit="percent"),
    )
    rows = tuple(
        (
            e.year,
            e.hospitals[0],
            e.hospitals[1],
            e.largest_platform,
            Value(value=100.0 * e.lowest, unit="percent", digits=2),
            Value(value=100.0 * e.highest, unit="percent", digits=2),
        )
        for e in result.encounters
    )
    blocks: list[Block] = [
        Heading(key="channel_share.encounters"),
        Paragraph(
            key="channel_share.encounters_text",
            values={"multiple": model.PLATFORM_MULTIPLE},
            sources=tuple(_claims(result)),
        ),
    ]
    if rows:
        blocks.append(
            TableBlock(
                id="encounter_bounds",
                title_key="table.encounter_bounds.title",
                columns=columns,
                rows=rows,
                sources=tuple(_claims(result)),
            )
        )
    return blocks


def _appendix(context: Context, result: ChannelShare) -> list[Block]:
    rng = np.random.default_rng(1)
    draws = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    rows = [
        ("parameter.drift", rng.normal(*model.DRIFT, 4000), draws["factor_drift"]),
        ("parameter.volatility", np.exp(rng.normal(*model.VOLATILITY, 4000)), draws["factor_volatility"]),
        ("parameter.offset_encounters", rng.normal(0, model.OFFSET, 4000), draws["measure_offset"][:, 0]),
        ("parameter.offset_preference", rng.normal(0, model.OFFSET, 4000), draws["measure_offset"][:, 1]),
        ("parameter.share_noise", np.exp(rng.normal(*model.NOISE, 4000)), draws["share_noise"]),
    ]
    evidence: list[Observations] = [o for o in result.evidence.values() if len(o)]
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="channel_share.method"),
        parts.parameter_table("channel_parameters", rows),
        parts.evidence_table("channel_evidence", evidence, "percent"),
        parts.forecasts(context, result.shares.values()),
    ]
