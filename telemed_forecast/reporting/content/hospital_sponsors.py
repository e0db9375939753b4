"""Sections on who runs internet hospitals, and on what policy did for licensing."""

from __future__ import annotations

from urllib.parse import urlsplit

import numpy as np

from telemed_forecast.evidence import ledger
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import InternetHospitals
from telemed_forecast.models import licensing_policy
from telemed_forecast.reporting.blocks import Block, Chart, Column, Heading, Paragraph, Table, TableBlock, Value
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value

CONTEXT = (
    "ih-lai-public",
    "ih-lai-tertiary_hospitals",
    "ih-lai-secondary_hospitals",
    "xu2021-hospital-n",
    "xu2021-government-n",
    "ih-2022-09-wedoctor",
    "ih-2017-03-yinchuan",
    "ih-zhejiang_ningbo_private_other",
)
"""Counts of one sponsor; only the first enters the model."""

CENSUS = ("xu2021-hospital-n", "xu2021-government-n")
"""Those of the web census that contradicts itself on who is who."""


def claims(result: InternetHospitals) -> tuple[str, ...]:
    """Rows that tell the sponsors apart."""
    return tuple(str(c) for o in (result.own, result.shares) for c in o.claim_id)


def sponsors(context: Context, result: InternetHospitals, years: list[int]) -> list[Block]:
    """Hospital-run and third-party-run, as numbers and as a share."""
    share, now = result.hospital_share, result.hospital_share.last_known
    then = share.year_end(context.settings.horizon)
    values: dict[str, Value | str | int | float] = {
        "day": result.last_period.isoformat(),
        "now": value(share.draws[:, now], "percent"),
        "then": value(then, "percent"),
        "horizon": str(context.settings.horizon),
        "grows": parts.chance(then > share.draws[:, now]),
    }
    known = claims(result)
    if known:
        newest = max(str(o.end.max()) for o in (result.own, result.shares) if len(o))
        values |= {"number": len(known), "newest": newest[:10]}
    return [
        Heading(key="sponsors.heading"),
        Paragraph(key="sponsors.text" if known else "sponsors.text_none", values=values, sources=known),
        _chart(context, result),
        parts.year_table(
            "sponsors_by_year", [result.hospital_run, result.third_party, result.hospital_share], years, claims(result)
        ),
        *_single_counts(context),
    ]


def _single_counts(context: Context) -> list[Block]:
    """Counts of one sponsor, and why most are not used; nothing before the first was published."""
    if not context.view["claim_id"].isin(CONTEXT).any():
        return []
    census = context.view["claim_id"].isin(CENSUS).any()
    return [
        *([Paragraph(key="sponsors.founders")] if census else []),
        parts.context_table(context, "sponsor_counts", CONTEXT),
    ]


def _chart(context: Context, result: InternetHospitals) -> Chart:
    """Both sponsors by half-year, with 80% intervals."""
    shown = [k for k, day in enumerate(result.count.periods) if day.year >= 2017]
    rows = []
    for name, path in (("hospital_run", result.hospital_run), ("third_party", result.third_party)):
        low, middle, high = path.quantiles(np.array([0.1, 0.5, 0.9]))
        rows += [
            (path.periods[k].isoformat(), f"@sponsor.{name}", float(middle[k]), float(low[k]), float(high[k]))
            for k in shown
        ]
    return Chart(
        id="hospitals_by_sponsor",
        kind="lines",
        title_key="chart.hospitals_by_sponsor.title",
        alt_key="chart.hospitals_by_sponsor.alt",
        alt_values={
            "end": result.count.periods[-1].isoformat(),
            "own": value(result.hospital_run.draws[:, -1], "hospitals"),
            "firms": value(result.third_party.draws[:, -1], "hospitals"),
        },
        unit="hospitals",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=tuple(rows)),
        as_of=context.settings.as_of_date,
        sources=claims(result),
    )


def policy(result: InternetHospitals) -> list[Block]:
    """The dated events that act, and what each added."""
    heading = Heading(key="policy.heading")
    if not result.events.event_id:
        return [heading, Paragraph(key="policy.none")]
    posterior = result.fit.posterior
    fade = np.asarray(posterior["policy_fade"])
    return [
        heading,
        Paragraph(
            key="policy.text",
            values={
                "fade": value(fade, "years"),
                "newest": str(result.events.day.max()),
                "number": len(result.events.event_id),
            },
        ),
        _events_table(result, np.asarray(posterior["event_effect"])),
    ]


def _events_table(result: InternetHospitals, effect: np.ndarray) -> TableBlock:
    listed = ledger.policy_events().set_index("event_id")
    rng = np.random.default_rng(1)
    rows: list[tuple[str | Value, ...]] = []
    for k, name in enumerate(result.events.event_id):
        prior = result.events.direction[k] * np.abs(rng.normal(0.0, licensing_policy.SIZE, 4000))
        rows.append(
            (
                f"@event.{name}",
                value(100.0 * np.expm1(effect[:, k]), "percent"),
                value(100.0 * np.expm1(prior), "percent"),
                str(listed.loc[name, "date"]),
                str(urlsplit(str(listed.loc[name, "url"])).hostname).removeprefix("www."),
            )
        )
    return TableBlock(
        id="policy_events",
        title_key="table.policy_events.title",
        note_key="table.policy_events.note",
        columns=(
            Column(name="event", key="policy_column.event"),
            Column(name="effect", key="column.posterior", unit="percent"),
            Column(name="before", key="column.prior", unit="percent"),
            Column(name="day", key="column.day"),
            Column(name="source", key="policy_column.source"),
        ),
        rows=tuple(rows),
        sources=result.events.event_id,
    )
