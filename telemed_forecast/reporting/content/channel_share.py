"""The report on channels: hospitals against third-party platforms, by measure, and the odds of each outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast import channel_share, founding_claim, platform_revenue
from telemed_forecast.forecast.channel_share import ChannelShare
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.founding_claim import Claim
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
from telemed_forecast.reporting.content import influence, parts, predictive_checks, rivals
from telemed_forecast.reporting.content import platform_revenue as platform_blocks
from telemed_forecast.reporting.content.parts import Sections, value

REPORT = "seed-yrd-hospbuilt"
"""A row of the university report whose expectation the page answers."""

CONTEXT = (
    REPORT,
    "gao-2016-hosp",
    "gao-2020-hosp",
    "gao-2016-priv",
    "gao-2020-priv",
    "ihshare-2020-07-xu-hospital",
    "ihshare-2020-07-xu-traditional",
    "kpmg-2020-doctors-invited-platform",
    "kpmg-2020-doctors-invited-hospital",
    "jdh-2024-consults",
    "idv-2024-nhc",
)
"""Figures on the channels that are shown; the web census contradicts itself and enters no likelihood."""

GOVERNMENT = (
    ("preference", ("liu2021-pubhosp",), ("liu2021-gov",), ("liu2021-dhc", "liu2021-ecom", "liu2021-oth")),
    ("projects", ("early-2020-hosp",), ("early-2020-gov",), ("early-2020-firm",)),
    (
        "census",
        ("ihshare-2020-07-xu-hospital",),
        ("ihshare-2020-07-xu-government",),
        ("ihshare-2020-07-xu-enterprise",),
    ),
)
"""Statements that name government beside hospitals and third parties: text, and the claim ids of the three."""


def sections(
    context: Context,
    result: ChannelShare,
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
    platforms = platform_revenue.run(context)
    claim = founding_claim.judge(result, platforms)
    made: Sections = {
        "summary": _summary(context, result, claim),
        "shares": _shares(context, result),
        "odds": _odds(context, result),
        "claim": _claim(context, result, claim, platforms.claims),
        "encounters": _bounds(context, result),
        "platforms": platform_blocks.revenue(context, platforms),
        "losses": platform_blocks.challenges(context, platforms),
        "rivals": rivals.blocks(context, "channel_share", result, past),
        "appendix": [*_appendix(context, result), *influence.blocks(context, weighed)],
    }
    made["appendix"] += platform_blocks.appendix(context, platforms)
    made["record"] = parts.record(context, made, parameters)
    return made


def key_figures(context: Context, result: ChannelShare) -> KeyFigures:
    """The headline numbers."""
    horizon, fits = context.settings.horizon, [result.fit, result.hospitals.fit]
    count, encounters, revenue = (result.shares[name] for name in ("count", "encounters", "revenue"))
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
            parts.key_figure(
                "revenue_majority",
                parts.chance(float(result.majority["revenue"][-1])),
                str(horizon),
                _revenue_claims(result) or claims,
                fits,
                note_key="figure.revenue_majority_note",
                note_values={"share": value(revenue.draws[:, revenue.last_known], "percent")},
            ),
        )
    )


def _claims(result: ChannelShare) -> list[str]:
    return list(dict.fromkeys(c for e in result.encounters for c in e.claims))


def _revenue_claims(result: ChannelShare) -> list[str]:
    return list(dict.fromkeys(c for r in result.revenues for c in r.claims))


def _summary(context: Context, result: ChannelShare, claim: Claim) -> list[Block]:
    horizon, asked = context.settings.horizon, REPORT in set(context.view["claim_id"])
    blocks: list[Block] = [
        Title(report="channel_share"),
        parts.gates(context, result.fit, result.hospitals.fit),
        key_figures(context, result),
        Paragraph(
            key="channel_share.answer" if asked else "channel_share.answer_plain",
            values={
                "grows": parts.chance(float(result.rising["count"][-1])),
                "majority": parts.chance(float(result.majority["count"][-1])),
                "encounters": parts.chance(float(result.majority["encounters"][-1])),
                "revenue": parts.chance(float(result.majority["revenue"][-1])),
                "horizon": horizon,
            },
            sources=(REPORT,) if asked else (),
        ),
    ]
    if claim.both is not None and claim.challenged is not None:
        values: dict[str, Value | str | int | float] = {
            "horizon": horizon,
            "both": parts.chance(float(claim.both["count"][-1])),
            "hospitals": parts.chance(float(claim.hospitals["count"][-1])),
            "challenged": parts.chance(float(claim.challenged[-1])),
        }
        blocks.append(Paragraph(key="channel_share.claim_answer", values=values))
    return blocks


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
    claims = [*parts.newest(result.evidence["counts"], 3), *_claims(result), *_revenue_claims(result)]
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
        *_government(context),
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


def _government(context: Context) -> list[Block]:
    """Hospital, government and third party side by side, where a source names all three."""
    view = context.view.set_index("claim_id")
    stated = [row for row in GOVERNMENT if all(claim in view.index for part in row[1:] for claim in part)]
    if not stated:
        return []
    columns = (
        Column(name="statement", key="column.statement"),
        Column(name="hospital", key="channel_column.by_hospitals"),
        Column(name="government", key="channel_column.by_government"),
        Column(name="third_party", key="channel_column.by_third_parties"),
    )
    rows = tuple(
        (
            f"@government.{name}",
            *(" + ".join(parts.printed_figure(view.loc[claim]) for claim in claims) for claims in sides),
        )
        for name, *sides in stated
    )
    return [
        Heading(key="channel_share.government", level=3),
        Paragraph(key="channel_share.government_text"),
        TableBlock(
            id="government",
            title_key="table.government.title",
            columns=columns,
            rows=rows,
            sources=tuple(claim for row in stated for part in row[1:] for claim in part),
        ),
    ]


def _odds(context: Context, result: ChannelShare) -> list[Block]:
    claims = tuple([*parts.newest(result.evidence["counts"], 3), *_claims(result)])
    return [
        Heading(key="channel_share.odds"),
        Paragraph(key="channel_share.odds_text"),
        _chances(context, "channel_odds", result, result.majority, claims),
        _table(result, "channel_odds", "majority", result.majority, claims),
        _table(result, "channel_rising", "rising", result.rising, claims),
        parts.context_table(context, "channels", CONTEXT),
    ]


def _chances(
    context: Context, name: str, result: ChannelShare, chances: dict[str, np.ndarray], claims: tuple[str, ...]
) -> Chart:
    """A probability by year and measure as lines."""
    count = result.shares["count"]
    ahead = range(count.last_known + 1, len(count.periods))
    rows = tuple(
        (count.periods[k].isoformat(), f"@measure.{m}", float(values[k]))
        for m, values in chances.items()
        for k in ahead
    )
    return Chart(
        id=f"{name}_chart",
        kind="lines",
        title_key=f"chart.{name}.title",
        alt_key=f"chart.{name}.alt",
        alt_values={m: parts.chance(float(values[-1])) for m, values in chances.items()}
        | {"end": count.periods[-1].isoformat()},
        unit="probability",
        data=Table(columns=("period", "series", "value"), rows=rows),
        sources=claims,
    )


def _table(
    result: ChannelShare, name: str, heading: str, chances: dict[str, np.ndarray], claims: tuple[str, ...]
) -> TableBlock:
    """A probability by year and measure as a table."""
    count = result.shares["count"]
    columns = [Column(name="year", key="column.year", unit="year")]
    columns += [Column(name=f"{heading}_{m}", key=f"channel_column.{heading}_{m}", unit="probability") for m in chances]
    rows = tuple(
        (count.periods[k].year, *(parts.chance(float(values[k])) for values in chances.values()))
        for k in range(count.last_known + 1, len(count.periods))
    )
    return TableBlock(id=name, title_key=f"table.{name}.title", columns=tuple(columns), rows=rows, sources=claims)


def _claim(context: Context, result: ChannelShare, claim: Claim, platforms: tuple[str, ...]) -> list[Block]:
    """The founding claim: what exactly is asked, and the probability by year and measure."""
    fast = Value(value=100.0 * founding_claim.FAST, unit="percent", digits=2)
    blocks: list[Block] = [
        Heading(key="channel_share.claim"),
        Paragraph(
            key="channel_share.claim_text",
            values={"fast": fast, "now": result.shares["count"].periods[result.shares["count"].last_known].year},
        ),
    ]
    if claim.both is None or claim.challenged is None:
        return [*blocks, Paragraph(key="channel_share.claim_no_platforms")]
    claims = (*parts.newest(result.evidence["counts"], 3), *platforms)
    skipped = np.full(result.shares["count"].last_known + 1, np.nan)
    columns = [
        Column(name="year", key="column.year", unit="year"),
        Column(name="fast", key="channel_column.claim_fast", unit="probability"),
        Column(name="challenged", key="channel_column.claim_challenged", unit="probability"),
    ]
    columns += [Column(name=f"claim_{m}", key=f"channel_column.claim_{m}", unit="probability") for m in claim.both]
    sides = (claim.fast, claim.challenged, *claim.both.values())
    rows = tuple((int(year), *(parts.chance(float(side[k])) for side in sides)) for k, year in enumerate(claim.years))
    return [
        *blocks,
        _chances(
            context,
            "founding_claim",
            result,
            {m: np.concatenate([skipped, values]) for m, values in claim.both.items()},
            claims,
        ),
        TableBlock(
            id="founding_claim",
            title_key="table.founding_claim.title",
            columns=tuple(columns),
            rows=rows,
            sources=claims,
        ),
    ]


def _bounds(context: Context, result: ChannelShare) -> list[Block]:
    """What bounds the shares of encounters and of revenue."""
    blocks: list[Block] = [
        Heading(key="channel_share.encounters"),
        Paragraph(
            key="channel_share.encounters_text",
            values={"multiple": model.PLATFORM_MULTIPLE},
            sources=tuple(_claims(result)),
        ),
    ]
    if result.encounters:
        blocks.append(_encounter_table(result))
    if not result.revenues:
        return [*blocks, Paragraph(key="channel_share.revenue_none")]
    newest = result.revenues[-1]
    values: dict[str, Value | str | int | float] = {
        "multiple": model.REVENUE_MULTIPLE,
        "fee_low": Value(value=newest.fees[0], unit="CNY", digits=2),
        "fee_high": Value(value=newest.fees[1], unit="CNY", digits=2),
    }
    text = Paragraph(key="channel_share.revenue_text", values=values, sources=tuple(_revenue_claims(result)))
    return [*blocks, text, _revenue_table(result)]


def _percent(share: float) -> Value:
    return Value(value=100.0 * share, unit="percent", digits=2)


def _encounter_table(result: ChannelShare) -> TableBlock:
    columns = (
        Column(name="year", key="column.year", unit="year"),
        Column(name="hospitals_low", key="column.hospital_encounters_low", unit="consultations"),
        Column(name="hospitals_high", key="column.hospital_encounters_high", unit="consultations"),
        Column(name="platform", key="column.largest_platform", unit="consultations", digits=3),
        Column(name="lowest", key="column.share_lowest", unit="percent"),
        Column(name="highest", key="column.share_highest", unit="percent"),
    )
    rows = tuple(
        (e.year, e.hospitals[0], e.hospitals[1], e.largest_platform, _percent(e.lowest), _percent(e.highest))
        for e in result.encounters
    )
    return TableBlock(
        id="encounter_bounds",
        title_key="table.encounter_bounds.title",
        columns=columns,
        rows=rows,
        sources=tuple(_claims(result)),
    )


def _revenue_table(result: ChannelShare) -> TableBlock:
    columns = (
        Column(name="year", key="column.year", unit="year"),
        Column(name="hospitals_low", key="channel_column.hospital_revenue_low", unit="CNY_million", digits=2),
        Column(name="hospitals_high", key="channel_column.hospital_revenue_high", unit="CNY_million", digits=2),
        Column(name="platforms", key="channel_column.listed_services", unit="CNY_million", digits=3),
        Column(name="lowest", key="column.share_lowest", unit="percent"),
        Column(name="highest", key="column.share_highest", unit="percent"),
    )
    rows = tuple(
        (r.year, r.hospitals[0], r.hospitals[1], r.platforms, _percent(r.lowest), _percent(r.highest))
        for r in result.revenues
    )
    return TableBlock(
        id="revenue_bounds",
        title_key="table.revenue_bounds.title",
        columns=columns,
        rows=rows,
        sources=tuple(_revenue_claims(result)),
    )


def _appendix(context: Context, result: ChannelShare) -> list[Block]:
    prior = model.prior_sample(result.fit.data, 4000, np.random.default_rng(1))
    draws = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    rows = [("parameter.walk_scale", prior["walk_scale"], draws["walk_scale"])]
    rows += [
        (f"parameter.offset_{name}", prior["measure_offset"][:, k], draws["measure_offset"][:, k])
        for k, name in enumerate(model.MEASURES[1:])
    ]
    rows += [(f"parameter.{name}", prior[name], draws[name]) for name in ("new_offset", "share_noise")]
    evidence: list[Observations] = [o for o in result.evidence.values() if len(o)]
    count = result.shares["count"]
    before, after = (
        Value(value=float(np.median(draws[:, count.last_known])), unit="percent", digits=3)
        for draws in (count.draws, result.factor)
    )
    observed = channel_share.headline(context)
    rng = context.generator("channel_share_checks")
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="channel_share.method", values={"before": before, "after": after}),
        parts.parameter_table("channel_parameters", rows),
        parts.evidence_table("channel_evidence", evidence, "percent"),
        *predictive_checks.blocks(
            "channel",
            count,
            channel_share.prior_predictive(result, rng),
            channel_share.predictive(result, observed, rng),
            observed,
        ),
        parts.forecasts(context, result.shares.values()),
    ]
