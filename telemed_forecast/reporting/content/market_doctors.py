"""Whether the doctors who practise online can serve the encounters that the model counts, and at which price."""

from __future__ import annotations

from datetime import date

import numpy as np

from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.doctor_supply import DoctorSupply
from telemed_forecast.forecast.market_size import MarketSize
from telemed_forecast.forecast.paths import Path
from telemed_forecast.reporting.blocks import Block, Chart, Column, Heading, Paragraph, Table, TableBlock
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value

INPUTS = (
    "physicians-per-1000-2024",
    "seed-jdh-online-docs",
    "fped2022-shanghai-use",
    "bmjopen2021-jiangsu-oms",
    "chunyu-2025-06-doctors",
    "haodf-2017-load",
    "fped2022-shanghai-lt5",
    "fped2022-shanghai-lt1h",
    "dj2020-dxy-rec-month",
    "seed-tencent-doctor",
    "pagd-2018-inhouse",
    "pagd-2018-consults",
    "seed-jdh-income",
)
"""What is printed about doctors online: inputs, and what they can be compared with."""


def blocks(context: Context, result: MarketSize, supply: DoctorSupply | None) -> list[Block]:
    """The capacity check; a line that says why not on a date that knows too little."""
    heading = Heading(key="market_size.doctors")
    table = parts.context_table(context, "doctors", INPUTS)
    if supply is None:
        return [heading, Paragraph(key="market_size.doctors_unknown"), table]
    horizon, last = context.settings.horizon, result.last_year
    online = supply.share * supply.physicians[supply.capacity.position(date(last, 12, 31))]
    return [
        heading,
        Paragraph(
            key="market_size.doctors_text",
            values={
                "last": last,
                "horizon": horizon,
                "online": value(online, "persons"),
                "per_day": value(supply.per_day, "ratio"),
                "capacity": value(supply.capacity.year_end(last), "consultations"),
                "demand": value(supply.demand.year_end(last), "consultations"),
                "ratio": value(supply.ratio.year_end(last), "multiple"),
                "suffices": parts.chance(supply.suffices(last)),
                "ratio_then": value(supply.ratio.year_end(horizon), "multiple"),
                "suffices_then": parts.chance(supply.suffices(horizon)),
            },
            sources=supply.claims,
        ),
        _chart(context, supply),
        _by_year(supply, [y for y in (2020, *range(last, horizon + 1)) if y >= supply.ratio.periods[0].year]),
        Paragraph(
            key="market_size.doctors_price",
            values={
                "income_price": value(supply.income_price, "CNY"),
                "model_price": value(supply.model_price, "CNY"),
                "ratio": value(supply.price_ratio, "multiple"),
                "above": parts.chance(supply.price_ratio > 1.0),
            },
            sources=supply.claims,
        ),
        table,
    ]


def _chart(context: Context, supply: DoctorSupply) -> Chart:
    rows = []
    for name, path in (("capacity", supply.capacity), ("demand", supply.demand)):
        low, middle, high = np.quantile(path.draws, [0.1, 0.5, 0.9], axis=0)
        rows += [
            (day.isoformat(), f"@series.consultation_{name}", float(middle[k]), float(low[k]), float(high[k]))
            for k, day in enumerate(path.periods)
        ]
    return Chart(
        id="doctor_capacity",
        kind="lines",
        title_key="chart.doctor_capacity.title",
        alt_key="chart.doctor_capacity.alt",
        unit="consultations",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=tuple(rows)),
        as_of=context.settings.as_of_date,
        x="year",
        log=True,
        sources=supply.claims,
    )


def _by_year(supply: DoctorSupply, years: list[int]) -> TableBlock:
    columns = [Column(name="year", key="column.year", unit="year")]
    paths: tuple[Path, ...] = (supply.capacity, supply.demand, supply.ratio)
    columns += [Column(name=p.target, key=f"target.{p.target}", unit=p.unit) for p in paths]
    columns.append(Column(name="suffices", key="column.suffices", unit="probability"))
    rows = tuple((y, *(value(p.year_end(y), p.unit) for p in paths), parts.chance(supply.suffices(y))) for y in years)
    return TableBlock(
        id="doctor_capacity_by_year",
        title_key="table.doctor_capacity_by_year.title",
        note_key="table.doctor_capacity_by_year.note",
        columns=tuple(columns),
        rows=rows,
        sources=supply.claims,
    )
