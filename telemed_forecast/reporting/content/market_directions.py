"""Seen from both sides: each definition from above and from below, and two sellers' accounts as a floor."""

from __future__ import annotations

import numpy as np

from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.market_size import MarketSize
from telemed_forecast.forecast.money import Telling
from telemed_forecast.models import market_size as model
from telemed_forecast.models.market_evidence import FULL_YEAR, accounts
from telemed_forecast.models.odds import expit
from telemed_forecast.reporting.blocks import Block, Column, Heading, Paragraph, TableBlock, Value
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value

PRICES = (
    "li2019-haodf-price",
    "dj2020-dxy-price",
    "people-2020-05-shanghai-ninth-fee",
    "ih-2017-03-median-fee",
    "ih-2020-07-median-fee-other",
    "obese-wtp",
    "seed-gma-market",
)
"""Prices and sizes that bear on the bottom-up side; shown with their sources."""


def blocks(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    """Text and tables of both directions."""
    posterior, year = result.fit.posterior, result.last_year
    gap = result.gap("consultation")[:, -1]
    drugs = result.gap("pharmacy")[:, -1]
    consultations = result.evidence.where(result.evidence.segment == "online_consultation")
    return [
        Heading(key="market_size.coherence"),
        Paragraph(
            key="market_size.coherence_text",
            values={
                "top": value(money.at(result.sizes["consultation"].year_end(year), year), money.unit),
                "bottom": value(money.at(result.bottom_up["consultation"][:, -1], year), money.unit),
                "gap": value(gap, "multiple"),
                "above": parts.chance(gap > 1.0),
                "encounters": value(np.exp(np.asarray(posterior["encounters"])), "ratio"),
                "price": value(np.exp(np.asarray(posterior["price"])), "CNY"),
                "year": year,
            },
            sources=tuple(parts.newest(consultations, 3)) if len(consultations) else (),
        ),
        Paragraph(
            key="market_size.drugs_text",
            values={
                "share": parts.share(expit(np.asarray(posterior["online_share"]))),
                "medicine": Value(
                    value=float(np.exp(result.goods.log_sales[-1])) * money.constant(year), unit=money.unit, digits=2
                ),
                "bottom": value(money.at(result.bottom_up["pharmacy"][:, -1], year), money.unit),
                "top": value(money.at(result.sizes["pharmacy"].year_end(year), year), money.unit),
                "gap": value(drugs, "multiple"),
                "above": parts.chance(drugs > 1.0),
                "year": year,
            },
            sources=tuple(dict.fromkeys([*map(str, result.shares.claim_id), *result.goods.claims[:3]])),
        ),
        _gaps(result, money),
        _sellers(result, money),
        parts.context_table(context, "prices", PRICES),
    ]


def _gaps(result: MarketSize, money: Telling) -> TableBlock:
    """Top-down, bottom-up and their ratio by definition in the last full year."""
    columns = (
        Column(name="definition", key="column.definition"),
        Column(name="top_down", key="column.top_down", unit=money.unit),
        Column(name="bottom_up", key="column.bottom_up", unit=money.unit),
        Column(name="gap", key="column.gap", unit="multiple"),
        Column(name="above", key="column.above", unit="probability"),
        Column(name="newest", key="column.newest_estimate", unit="year"),
    )
    year, read_as = result.last_year, model.definitions(result.evidence)
    rows = []
    for name in ("consultation", "services", "pharmacy", "healthcare"):
        gap = result.gap(name)[:, -1]
        seen = result.evidence.end[read_as == model.DEFINITIONS.index(name)]
        rows.append(
            (
                f"@definition.{name}",
                value(money.at(result.sizes[name].year_end(year), year), money.unit),
                value(money.at(result.bottom_up[name][:, -1], year), money.unit),
                value(gap, "multiple"),
                parts.chance(gap > 1.0),
                int(str(seen.max())[:4]) if len(seen) else None,
            )
        )
    return TableBlock(
        id="directions",
        title_key="table.directions.title",
        title_values={"year": year},
        note_key="table.directions.note",
        columns=columns,
        rows=tuple(rows),
        sources=tuple(str(c) for c in result.evidence.claim_id),
    )


def _sellers(result: MarketSize, money: Telling) -> TableBlock:
    """What the listed sellers sold on their own account, and which part of all online drug sales that is."""
    columns = (
        Column(name="day", key="column.day"),
        Column(name="seller", key="column.seller"),
        Column(name="sold", key="column.sold", unit=money.unit, digits=3),
        Column(name="part", key="column.part_of_drugs", unit="percent"),
    )
    yearly, middle = accounts(result.sellers)
    full = (yearly.end - yearly.start).astype(int) + 1 >= FULL_YEAR
    yearly, middle = yearly.where(full), middle[full]
    path = result.sizes["pharmacy"]
    first = path.periods[0].year
    rows, shown = [], []
    for k in range(len(yearly)):
        at = np.clip(middle[k] - 0.5 - first, 0, result.last_year - first)
        left = int(np.floor(at))
        right = min(left + 1, result.last_year - first)
        drugs = path.draws[:, left] ** (1 - (at - left)) * path.draws[:, right] ** (at - left)
        sold = 0.5 * (yearly.low[k] + yearly.high[k])
        day = str(yearly.end[k])[:10]
        rows.append(
            (
                day,
                parts.origin_name(yearly.segment[k]),
                float(sold * money.constant(int(np.floor(middle[k])))),
                parts.share(sold / drugs),
            )
        )
        shown.append(str(yearly.claim_id[k]))
    return TableBlock(
        id="seller_parts",
        title_key="table.seller_parts.title",
        note_key="table.seller_parts.note",
        columns=columns,
        rows=tuple(sorted(rows, key=lambda row: row[:2])),
        sources=tuple(shown),
    )
