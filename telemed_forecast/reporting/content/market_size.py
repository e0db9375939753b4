"""The report on the market's size: three nested definitions, two directions, and every origin's bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from telemed_forecast.evaluation.sensitivity import drivers
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.market_size import MarketSize
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.models import market_size as model
from telemed_forecast.models.priors import growth_prior
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

NESTED = ("consultation", "services", "healthcare")


def sections(context: Context, result: MarketSize, parameters: dict[str, Any], currency: str = "CNY") -> Sections:
    """The report's sections in reading order: name -> blocks.

    Parameters
    ----------
    currency
        ``CNY``, or ``USD`` at the last year's average rate for every year.
    """
    money = _Money(result, currency)
    made: Sections = {
        "summary": _summary(context, result, money),
        "sizes": _sizes(context, result, money),
        "coherence": _coherence(context, result),
        "origins": _origins(context, result),
        "drivers": _drivers(context, result, money),
        "appendix": _appendix(context, result, money),
    }
    made["record"] = parts.record(context, made, parameters)
    return made


class _Money:
    """The currency in which the page speaks."""

    def __init__(self, result: MarketSize, currency: str) -> None:
        self.unit = "CNY_million" if currency == "CNY" else "USD_million"
        self.factor = 1.0 if currency == "CNY" else 1.0 / result.cny_per_usd

    def path(self, path: Path) -> Path:
        return path if self.factor == 1.0 else path.scaled(self.factor, self.unit)


def key_figures(context: Context, result: MarketSize, currency: str = "CNY") -> KeyFigures:
    """The headline numbers."""
    money, horizon, fits = _Money(result, currency), context.settings.horizon, [result.fit, result.users_fit]
    last = result.last_year
    broad, services = money.path(result.sizes["healthcare"]), money.path(result.sizes["services"])
    claims = _newest(result, "internet_healthcare") or parts.newest(result.evidence, 2)
    tele = _newest(result, "telemedicine") or claims
    return KeyFigures(
        items=(
            parts.key_figure(
                "market_now",
                value(broad.year_end(last), money.unit),
                str(last),
                claims,
                fits,
                note_key="figure.market_note",
                note_values={"newest": newest_year(result, "healthcare")},
            ),
            parts.key_figure(
                f"market_{horizon}", value(broad.year_end(horizon), money.unit), str(horizon), claims, fits
            ),
            parts.key_figure(
                f"services_{horizon}",
                value(services.year_end(horizon), money.unit),
                str(horizon),
                tele,
                fits,
                note_key="figure.services_note",
                note_values={"now": value(services.year_end(last), money.unit)},
            ),
            parts.key_figure(
                "coherence",
                value(np.exp(result.gap[:, -1]), "multiple"),
                str(last),
                claims,
                fits,
                note_key="figure.coherence_note",
            ),
        )
    )


def newest_year(result: MarketSize, *definitions: str) -> int:
    """Year of the newest published estimate of the definitions (of any, where they have none)."""
    read_as = model.definitions(result.evidence)
    chosen = np.isin(read_as, [model.DEFINITIONS.index(name) for name in definitions])
    ends = result.evidence.end[chosen] if chosen.any() else result.evidence.end
    return int(str(ends.max())[:4])


def _spread(result: MarketSize) -> float:
    """Largest ratio of two estimates of one year and definition that entered."""
    read_as = model.definitions(result.evidence)
    year = result.evidence.end.astype("datetime64[Y]")
    middle = 0.5 * (np.log(result.evidence.low) + np.log(result.evidence.high))
    same = [(year == y) & (read_as == d) for y in np.unique(year) for d in np.unique(read_as)]
    return float(np.exp(max(np.ptp(middle[chosen]) for chosen in same if chosen.any())))


def _newest(result: MarketSize, segment: str, number: int = 2) -> list[str]:
    rows = result.evidence.where(result.evidence.segment == segment)
    return parts.newest(rows, number) if len(rows) else []


def _summary(context: Context, result: MarketSize, money: _Money) -> list[Block]:
    horizon, last = context.settings.horizon, result.last_year
    now, then = (result.sizes["healthcare"].year_end(y) for y in (last, horizon))
    growth = 100.0 * ((then / now) ** (1.0 / (horizon - last)) - 1.0)
    return [
        Title(report="market_size"),
        parts.gates(context, result.fit, result.users_fit),
        key_figures(context, result, "CNY" if money.factor == 1.0 else "USD"),
        Paragraph(
            key="market_size.answer",
            values={
                "growth": value(growth, "percent"),
                "grows": parts.chance(then > now),
                "last": last,
                "horizon": horizon,
                "newest": newest_year(result, "healthcare"),
                "spread": f"{_spread(result):.2g}",
            },
            sources=tuple(_newest(result, "internet_healthcare", 4)),
        ),
    ]


def _sizes(context: Context, result: MarketSize, money: _Money) -> list[Block]:
    as_of, horizon = context.settings.as_of_date, context.settings.horizon
    broad = result.evidence.where(model.definitions(result.evidence) == model.DEFINITIONS.index("healthcare"))
    rows = []
    for name in NESTED:
        path = money.path(result.sizes[name])
        low, middle, high = np.quantile(path.draws, [0.1, 0.5, 0.9], axis=0)
        rows += [
            (day.isoformat(), f"@definition.{name}", float(middle[k]), float(low[k]), float(high[k]))
            for k, day in enumerate(path.periods)
            if day.year >= 2015
        ]
    claims = tuple(str(c) for c in result.evidence.claim_id)
    years = [2019, *range(result.last_year, horizon + 1)]
    drawn = prophet(result.known, result.sizes["healthcare"].periods, context.settings.seed)
    paths = [money.path(result.sizes[name]) for name in (*NESTED, "pharmacy")]
    years = [y for y in years if any(p.year == y for p in paths[0].periods)]
    return [
        Heading(key="market_size.sizes"),
        Paragraph(key="market_size.sizes_text", values={"rate": Value(value=result.cny_per_usd, unit="ratio")}),
        parts.fan(
            "market_path",
            money.path(result.sizes["healthcare"]),
            as_of=as_of,
            since=2014,
            evidence=broad,
            factor=money.factor,
            prophet=None if drawn is None else drawn * money.factor,
        ),
        Chart(
            id="nested_sizes",
            kind="lines",
            title_key="chart.nested_sizes.title",
            alt_key="chart.nested_sizes.alt",
            unit=money.unit,
            data=Table(columns=("period", "series", "value", "low", "high"), rows=tuple(rows)),
            as_of=as_of,
            x="year",
            log=True,
            sources=claims,
        ),
        parts.year_table("sizes_by_year", paths, years, claims),
    ]


def _coherence(context: Context, result: MarketSize) -> list[Block]:
    bottom = result.bottom_up[:, -1]
    top = result.sizes["consultation"].year_end(result.last_year)
    gap = np.exp(result.gap[:, -1])
    posterior = result.fit.posterior
    return [
        Heading(key="market_size.coherence"),
        Paragraph(
            key="market_size.coherence_text",
            values={
                "top": value(top, "CNY_million"),
                "bottom": value(bottom, "CNY_million"),
                "gap": value(gap, "multiple"),
                "above": parts.chance(gap > 1.0),
                "encounters": value(np.exp(np.asarray(posterior["encounters"])), "ratio"),
                "price": value(np.exp(np.asarray(posterior["price"])), "CNY"),
                "year": result.last_year,
                "newest": newest_year(result, "consultation"),
            },
            sources=tuple(_newest(result, "online_consultation", 3)),
        ),
        parts.context_table(context, "prices", PRICES),
    ]


PRICES = (
    "li2019-haodf-price",
    "dj2020-dxy-price",
    "people-2020-05-shanghai-ninth-fee",
    "ih-2017-03-median-fee",
    "ih-2020-07-median-fee-other",
    "seed-gma-market",
)
"""Prices and sizes that bear on the bottom-up side; shown with their sources."""


def _origins(context: Context, result: MarketSize) -> list[Block]:
    bias = np.asarray(result.fit.posterior["origin_bias"])[:, : len(result.origins)]
    rows = []
    for k in np.argsort(np.median(bias, axis=0)):
        low, middle, high = np.quantile(np.exp(bias[:, k]), [0.1, 0.5, 0.9])
        rows.append((parts.origin_name(result.origins[k]), float(middle), float(low), float(high)))
    claims = tuple(str(c) for c in result.evidence.claim_id)
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
            sources=claims,
        ),
        _estimates(result, bias),
    ]


def _estimates(result: MarketSize, bias: np.ndarray) -> TableBlock:
    """Every estimate that entered, beside the size that all of them together imply."""
    columns = (
        Column(name="year", key="column.year", unit="year"),
        Column(name="definition", key="column.definition"),
        Column(name="origin", key="column.origin"),
        Column(name="published", key="column.published", unit="CNY_million", digits=4),
        Column(name="ours", key="column.ours", unit="CNY_million"),
        Column(name="bias", key="column.bias", unit="multiple"),
    )
    read_as = model.definitions(result.evidence)
    rows = []
    for k in range(len(result.evidence)):
        definition = model.DEFINITIONS[read_as[k]]
        year = int(str(result.evidence.end[k])[:4])
        origin = str(result.evidence.origin[k])
        rows.append(
            (
                year,
                f"@definition.{definition}",
                parts.origin_name(origin),
                float(0.5 * (result.evidence.low[k] + result.evidence.high[k])),
                value(result.sizes[definition].year_end(year), "CNY_million"),
                value(np.exp(bias[:, result.origins.index(origin)]), "multiple"),
            )
        )
    rows.sort(key=lambda row: (str(row[1]), int(row[0]), str(row[2])))
    return TableBlock(
        id="estimates",
        title_key="table.estimates.title",
        note_key="table.estimates.note",
        columns=columns,
        rows=tuple(rows),
        sources=tuple(str(c) for c in result.evidence.claim_id),
    )


def market_drivers(context: Context, result: MarketSize, factor: float = 1.0) -> list[tuple[str, float, float, float]]:
    """What the size at the horizon hangs on: (text key, median if low, median if high, part explained)."""
    target = result.sizes["healthcare"].year_end(context.settings.horizon) * factor
    posterior = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    now = result.sizes["pharmacy"].year_end(result.last_year)
    quantities = {
        "driver.pharmacy_now": now,
        "driver.pharmacy_ceiling": posterior["pharmacy_distance"],
        "driver.pharmacy_rate": posterior["pharmacy_rate"],
        "driver.consultation_now": result.sizes["consultation"].year_end(result.last_year),
        "driver.consultation_ceiling": posterior["consultation_distance"],
        "driver.other_services": posterior["other_services"],
        "driver.price": posterior["price"],
        "driver.encounters": posterior["encounters"],
    }
    return [(d.name, d.low, d.high, d.explained) for d in drivers(target, quantities)]


def _drivers(context: Context, result: MarketSize, money: _Money) -> list[Block]:
    return [
        Heading(key="market_size.drivers"),
        Paragraph(key="market_size.drivers_text"),
        drivers_chart(context, result, money.factor, money.unit),
    ]


def drivers_chart(context: Context, result: MarketSize, factor: float = 1.0, unit: str = "CNY_million") -> Chart:
    """Bars of how far the median moves when a quantity is in its lowest and in its highest fifth."""
    middle = float(np.median(result.sizes["healthcare"].year_end(context.settings.horizon)) * factor)
    rows = tuple(
        (f"@{name}", end - middle, f"@series.{series}")
        for name, low, high, _ in market_drivers(context, result, factor)
        for series, end in (("when_low", low), ("when_high", high))
    )
    return Chart(
        id="market_drivers",
        kind="bars",
        title_key="chart.market_drivers.title",
        title_values={"horizon": context.settings.horizon},
        alt_key="chart.market_drivers.alt",
        unit=unit,
        data=Table(columns=("category", "value", "series"), rows=rows),
        sources=tuple(str(c) for c in result.evidence.claim_id),
    )


def _appendix(context: Context, result: MarketSize, money: _Money) -> list[Block]:
    rng = np.random.default_rng(1)
    growth = growth_prior("any")
    draws = {k: np.asarray(v) for k, v in result.fit.posterior.items()}

    def log_normal(pair: tuple[float, float]) -> np.ndarray:
        return np.exp(rng.normal(*pair, 4000))

    rows = [
        ("parameter.encounters", log_normal(model.ENCOUNTERS), np.exp(draws["encounters"])),
        ("parameter.price", log_normal(model.PRICE), np.exp(draws["price"])),
        ("parameter.other_services", log_normal(model.OTHER_SERVICES), np.exp(draws["other_services"])),
        ("parameter.bias_spread", log_normal(model.BIAS_SPREAD), draws["bias_spread"]),
        ("parameter.estimate_noise", log_normal(model.ESTIMATE_NOISE), draws["estimate_noise"]),
        ("parameter.pharmacy_distance", log_normal(growth.log_distance), draws["pharmacy_distance"]),
        ("parameter.consultation_distance", log_normal(growth.log_distance), draws["consultation_distance"]),
        ("parameter.pharmacy_rate", log_normal(growth.log_rate), draws["pharmacy_rate"]),
        ("parameter.consultation_rate", log_normal(growth.log_rate), draws["consultation_rate"]),
    ]
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="market_size.method"),
        parts.parameter_table("market_parameters", rows),
        parts.evidence_table("market_evidence", [result.evidence], "CNY_million"),
        parts.forecasts(context, [money.path(p) for p in result.sizes.values()]),
    ]
