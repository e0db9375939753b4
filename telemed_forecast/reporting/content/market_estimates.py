"""Whose figures lie high, whose low: publishers' biases, past forecasts against what became of them, every estimate."""

from __future__ import annotations

import numpy as np

from telemed_forecast.evaluation.published_sizes import PublishedSize, past_forecasts, published
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.market_size import MarketSize
from telemed_forecast.forecast.money import Telling
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    DataTable,
    Heading,
    Paragraph,
    Table,
    TableBlock,
    Value,
)
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value

WORST = 15
"""Past forecasts shown on the page; the appendix has every row."""

CLOSE = 1.5
"""Factor within which a past forecast counts as close."""


def blocks(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    """Biases by publisher and the worst of the past forecasts."""
    bias = np.asarray(result.fit.posterior["origin_bias"])[:, : len(result.origins)]
    rows = []
    for k in np.argsort(np.median(bias, axis=0)):
        low, middle, high = np.quantile(np.exp(bias[:, k]), [0.1, 0.5, 0.9])
        rows.append((parts.origin_name(result.origins[k]), float(middle), float(low), float(high)))
    return [
        Heading(key="market_size.origins"),
        Paragraph(key="market_size.origins_text"),
        Chart(
            id="origin_biases",
            kind="dots",
            title_key="chart.origin_biases.title",
            alt_key="chart.origin_biases.alt",
            unit="multiple",
            data=Table(columns=("category", "value", "low", "high"), rows=tuple(rows)),
            reference=1.0,
            reference_key="reference.no_bias",
            sources=tuple(str(c) for c in result.evidence.claim_id),
        ),
        *_forecasts(context, result, money),
    ]


def _forecasts(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    """How past forecasts turned out; nothing on a date that knows none whose year has ended."""
    ended = past_forecasts(context, result)
    if not ended:
        return []
    ratios = np.array([np.median(row.ratio) for row in ended if row.ratio is not None])
    claims = tuple(row.claim_id for row in ended)
    return [
        Heading(key="market_size.past", level=3),
        Paragraph(
            key="market_size.past_text",
            values={
                "number": len(ended),
                "above": int((ratios > 1.0).sum()),
                "median": Value(value=float(np.median(ratios)), unit="multiple", digits=2),
                "close": int((np.abs(np.log(ratios)) < np.log(CLOSE)).sum()),
                "factor": f"{CLOSE:g}",
                "last": result.last_year,
            },
            sources=claims,
        ),
        TableBlock(
            id="past_forecasts",
            title_key="table.past_forecasts.title",
            title_values={"number": min(WORST, len(ended))},
            note_key="table.past_forecasts.note",
            columns=(
                Column(name="origin", key="column.origin"),
                Column(name="published_on", key="column.published_on"),
                Column(name="year", key="column.year", unit="year"),
                Column(name="definition", key="column.definition"),
                Column(name="published", key="column.published", unit=money.unit, digits=4),
                Column(name="ours", key="column.ours", unit=money.unit),
                Column(name="ratio", key="column.forecast_ratio", unit="multiple"),
            ),
            rows=tuple(
                (
                    parts.origin_name(row.origin),
                    row.published_on[:7],
                    row.year,
                    f"@definition.{row.definition}",
                    row.size * money.constant(row.year),
                    _ours(row, result, money),
                    None if row.ratio is None else value(row.ratio, "multiple"),
                )
                for row in ended[:WORST]
            ),
            sources=claims,
        ),
    ]


def _ours(row: PublishedSize, result: MarketSize, money: Telling) -> Value | None:
    if row.ratio is None or row.definition is None:
        return None
    return value(money.at(result.sizes[row.definition].year_end(row.year), row.year), money.unit)


def every_estimate(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    """Every published size: those that entered as a table, all of them with what became of them as a file."""
    found = published(context, result)
    columns = (
        Column(name="year", key="column.year", unit="year"),
        Column(name="definition", key="column.definition"),
        Column(name="origin", key="column.origin"),
        Column(name="published", key="column.published", unit=money.unit, digits=4),
        Column(name="ours", key="column.ours", unit=money.unit),
        Column(name="ratio", key="column.published_ratio", unit="multiple"),
        Column(name="bias", key="column.bias", unit="multiple"),
    )
    used = sorted((row for row in found if row.use == "used"), key=lambda row: (str(row.definition), row.year))
    rows = tuple(
        (
            row.year,
            f"@definition.{row.definition}",
            parts.origin_name(row.origin),
            row.size * money.constant(row.year),
            _ours(row, result, money),
            None if row.ratio is None else value(row.ratio, "multiple"),
            None if row.bias is None else value(row.bias, "multiple"),
        )
        for row in used
    )
    return [
        TableBlock(
            id="estimates",
            title_key="table.estimates.title",
            note_key="table.estimates.note",
            columns=columns,
            rows=rows,
            sources=tuple(row.claim_id for row in used),
        ),
        DataTable(
            id="published_sizes",
            key="market_size.every_size",
            values={"number": len(found), "used": len(used), "forecasts": sum(row.forecast for row in found)},
            data=Table(columns=EVERY_COLUMNS, rows=tuple(_row(row, result, money) for row in found)),
        ),
    ]


EVERY_COLUMNS = (
    "year",
    "segment",
    "origin",
    "grade",
    "kind",
    "known_since",
    "used",
    "published",
    "unit",
    "ours",
    "ours_low80",
    "ours_high80",
    "published_over_ours",
    "published_over_ours_low80",
    "published_over_ours_high80",
    "bias",
    "bias_low80",
    "bias_high80",
    "claim_id",
)
"""Columns of the file with every published size; amounts are in the page's money, ratios and biases are factors."""


def _row(row: PublishedSize, result: MarketSize, money: Telling) -> tuple[str | int | float | None, ...]:
    def three(draws: np.ndarray | None) -> tuple[float | None, ...]:
        if draws is None:
            return None, None, None
        return tuple(float(f"{end:.4g}") for end in np.quantile(draws, [0.5, 0.1, 0.9]))

    ours = None
    if row.definition is not None and row.ratio is not None:
        ours = money.at(result.sizes[row.definition].year_end(row.year), row.year)
    return (
        row.year,
        f"@segment.{row.segment}",
        parts.origin_name(row.origin),
        row.grade,
        "@kind.forecast" if row.forecast else "@kind.estimate",
        row.published_on,
        f"@use.{row.use}",
        float(f"{row.size * money.constant(row.year):.6g}"),
        money.unit,
        *three(ours),
        *three(row.ratio),
        *three(row.bias),
        row.claim_id,
    )
