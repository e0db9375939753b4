"""Sections on how many internet hospitals truly operate, and on where they are."""

from __future__ import annotations

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import InternetHospitals, at_days
from telemed_forecast.reporting.blocks import Block, Chart, Column, Heading, Paragraph, Table, TableBlock, Value
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value

CONTEXT = (
    "ih-2017-03-inactive",
    "ih-2017-03-median-doctors",
    "ih-2020-07-median-doctors",
    "ih-2017-03-insured",
    "ih-2022-09-wedoctor-insured",
    "sichuan-2021-nodata",
    "ih-zombie-kangxin",
    "seed-yrd-docs",
    "seed-yrd-hospbuilt",
    "seed-jdh-online-docs",
    "seed-jdh-income",
    "seed-jdh-depts",
    "seed-jdh-experience",
    "pmc-tertiary-share",
    "huang2024-licence",
    "seed-gma-invest",
    "seed-gma-provinces",
)
"""What surveys and reports say of supply and activity; shown with their sources. The first three bound the share that
operates; the two of grade D are shown because they say what no better source does, and enter nothing."""

PRESS = "ihshare-2021-08-seed-public"
"""A figure of the article that says that few truly operate; the saying itself has none."""

PLACES = (
    "shandong",
    "zhejiang_platform",
    "hainan",
    "shanghai",
    "guangdong_platform",
    "ningbo",
    "yinchuan",
)
"""Segments that count internet hospitals in one place."""

FOUNDED = ("internet_hospitals_of_tertiary_hospitals", "internet_hospitals_of_secondary_hospitals")
"""Internet hospitals that hospitals of a level founded, by province."""

MOST = 10
"""Provinces shown in the chart."""


def activity(context: Context, result: InternetHospitals) -> list[Block]:
    """How many of the licensed operate: bounds, a share with its interval, and the number that follows."""
    share, horizon = result.operating_share, context.settings.horizon
    return [
        Heading(key="activity.heading"),
        Paragraph(
            key="activity.text" if result.activity.claims else "activity.text_none",
            values=({"newest": str(result.activity.day.max())} if result.activity.claims else {})
            | {
                "day": result.last_period.isoformat(),
                "share": value(share.draws[:, share.last_known], "percent"),
                "now": value(result.operating.draws[:, share.last_known], "hospitals"),
                "then": value(result.operating.year_end(horizon), "hospitals"),
                "horizon": str(horizon),
            },
            sources=result.activity.claims,
        ),
        parts.fan(
            "operating_share",
            share,
            as_of=context.settings.as_of_date,
            since=2017,
            sources=result.activity.claims,
        ),
        *([Paragraph(key="activity.press", sources=(PRESS,))] if (context.view["claim_id"] == PRESS).any() else []),
        Paragraph(key="activity.context"),
        parts.context_table(context, "supply", CONTEXT),
    ]


def provinces(context: Context, result: InternetHospitals) -> list[Block]:
    """What was counted in single provinces and cities, beside the national estimate of the day."""
    counts = context.observed("internet_hospitals", *PLACES)
    shown: list[Block] = [Heading(key="provinces.heading")]
    if not len(counts):
        return [*shown, Paragraph(key="provinces.none")]
    shown += [Paragraph(key="provinces.text"), _places_table(context, result, counts)]
    founded = [context.observed(metric) for metric in FOUNDED]
    chart = _founded_chart(founded)
    return shown if chart is None else [*shown, chart]


def _places_table(context: Context, result: InternetHospitals, counts: Observations) -> TableBlock:
    counts = counts.where(np.argsort(counts.end, kind="stable"))
    national = at_days(result.count, counts.end)
    view = context.view.set_index("claim_id")
    rng = np.random.default_rng(1)
    columns = (
        Column(name="place", key="provinces.place"),
        Column(name="day", key="column.day"),
        Column(name="count", key="column.published"),
        Column(name="national", key="provinces.national", unit="hospitals"),
        Column(name="part", key="provinces.part", unit="percent"),
        Column(name="origin", key="column.origin"),
        Column(name="grade", key="column.grade"),
    )
    rows: list[tuple[str | Value | None, ...]] = []
    for k in range(len(counts)):
        known = bool(np.isfinite(national[:, k]).all())
        # "More than 100" is some number up to 200: each as likely as any other, on the log scale.
        own = np.exp(rng.uniform(np.log(counts.low[k]), np.log(counts.high[k]), len(national)))
        rows.append(
            (
                f"@place.{counts.segment[k]}",
                str(counts.end[k])[:10],
                parts.printed_figure(view.loc[str(counts.claim_id[k])]),
                value(national[:, k], "hospitals") if known else None,
                value(100.0 * own / national[:, k], "percent") if known else None,
                parts.origin_name(counts.origin[k]),
                str(counts.grade[k]),
            )
        )
    return TableBlock(
        id="hospitals_by_place",
        title_key="table.hospitals_by_place.title",
        note_key="table.hospitals_by_place.note",
        columns=columns,
        rows=tuple(rows),
        sources=tuple(str(c) for c in counts.claim_id),
    )


def _founded_chart(founded: list[Observations]) -> Chart | None:
    """Internet hospitals that tertiary and secondary hospitals had founded, by province; None when nobody counted."""
    number: dict[str, float] = {}
    claims: list[str] = []
    for level in founded:
        for k in np.flatnonzero(level.segment != "national"):
            place = str(level.segment[k])
            number[place] = number.get(place, 0.0) + round(0.5 * float(level.low[k] + level.high[k]))
            claims.append(str(level.claim_id[k]))
    if not number:
        return None
    most = sorted(number, key=lambda place: (-number[place], place))[:MOST]
    return Chart(
        id="hospitals_by_province",
        kind="bars",
        title_key="chart.hospitals_by_province.title",
        alt_key="chart.hospitals_by_province.alt",
        alt_values={"first": f"@place.{most[0]}", "number": int(number[most[0]]), "all": int(sum(number.values()))},
        unit="hospitals",
        data=Table(columns=("category", "value"), rows=tuple((f"@place.{p}", number[p]) for p in most)),
        sources=tuple(claims),
    )
