"""The report on the market's size: three nested definitions, two directions, and the money it is told in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.evaluation.sensitivity import drivers
from telemed_forecast.forecast import doctor_supply
from telemed_forecast.forecast import market_size as forecast
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.market_size import MarketSize
from telemed_forecast.forecast.money import Telling
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.models import market_size as model
from telemed_forecast.models.odds import expit
from telemed_forecast.models.priors import growth_prior
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
from telemed_forecast.reporting.content import (
    influence,
    market_directions,
    market_doctors,
    market_estimates,
    parts,
    rivals,
)
from telemed_forecast.reporting.content import predictive_checks as checks
from telemed_forecast.reporting.content.parts import Sections, value

NESTED = ("consultation", "services", "healthcare")


def sections(
    context: Context,
    result: MarketSize,
    parameters: dict[str, Any],
    past: Sequence[Origin] = (),
    weighed: Sequence[Influence] = (),
) -> Sections:
    """The report's sections in reading order: name -> blocks.

    Parameters
    ----------
    parameters
        The notebook's parameters; ``currency`` and ``prices`` name the money in which the page speaks.
    past
        Earlier forecasts and what came of them.
    weighed
        What the headline owes to each published figure.
    """
    money = Telling(parameters.get("currency", "CNY"), parameters.get("prices", "nominal"), result.money)
    supply = doctor_supply.run(context, result)
    made: Sections = {
        "summary": _summary(context, result, money),
        "sizes": _sizes(context, result, money),
        "coherence": market_directions.blocks(context, result, money),
        "doctors": market_doctors.blocks(context, result, supply),
        "origins": market_estimates.blocks(context, result, money),
        "drivers": _drivers(context, result, money),
        "rivals": rivals.blocks(
            context, "market_size", result, past, path=money.path(result.sizes["healthcare"]), worth=money.constant
        ),
        "appendix": [*_appendix(context, result, money), *influence.blocks(context, weighed)],
    }
    made["record"] = parts.record(context, made, parameters)
    return made


def nominal_yuan(result: MarketSize) -> Telling:
    """The money in which estimates are published, and in which other reports repeat these numbers."""
    return Telling("CNY", "nominal", result.money)


def key_figures(context: Context, result: MarketSize, money: Telling | None = None) -> KeyFigures:
    """The headline numbers, in nominal yuan unless another money is given."""
    money = money or nominal_yuan(result)
    horizon, fits, last = context.settings.horizon, [result.fit, result.users_fit], result.last_year
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
                note_key="figure.market_note" if money.plain else "figure.market_note_converted",
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
                value(result.gap("healthcare")[:, -1], "multiple"),
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


def _summary(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    horizon, last = context.settings.horizon, result.last_year
    path = money.path(result.sizes["healthcare"])
    now, then = (path.year_end(y) for y in (last, horizon))
    growth = 100.0 * ((then / now) ** (1.0 / (horizon - last)) - 1.0)
    return [
        Title(report="market_size"),
        parts.gates(context, result.fit, result.users_fit),
        key_figures(context, result, money),
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
        _money_paragraph(result, money),
    ]


def _money_paragraph(result: MarketSize, money: Telling) -> Paragraph:
    """In which money the page speaks, and what stays in yuan."""
    base = int(result.last_year - result.money.years[0])
    values: dict[str, Any] = {
        "base": result.last_year,
        "rate": Value(value=float(np.median(result.money.rate[:, base])), unit="ratio", digits=3),
        "rate_then": value(result.money.rate[:, -1], "ratio"),
        "prices_then": value(100.0 * (result.money.level[:, -1] - 1.0), "percent"),
        "end": int(result.money.years[-1]),
    }
    return Paragraph(
        key=f"market_size.money_{money.currency.lower()}_{money.prices}",
        values=values,
        sources=result.money.claims[-4:],
    )


def _sizes(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    as_of, horizon = context.settings.as_of_date, context.settings.horizon
    broad = result.evidence.where(model.definitions(result.evidence) == model.DEFINITIONS.index("healthcare"))
    claims = tuple(str(c) for c in result.evidence.claim_id)
    path = result.sizes["healthcare"]
    drawn = prophet(result.known, path.periods, context.settings.seed)
    if drawn is not None:
        drawn = drawn * np.array([money.constant(p.year) for p in path.periods])
    years = [2019, *range(result.last_year, horizon + 1)]
    years = [y for y in years if any(p.year == y for p in path.periods)]
    paths = [money.path(result.sizes[name]) for name in (*NESTED, "pharmacy")]
    return [
        Heading(key="market_size.sizes"),
        Paragraph(key="market_size.sizes_text"),
        parts.fan(
            f"market_path{_suffix(money)}",
            money.path(path),
            as_of=as_of,
            since=2014,
            evidence=money.published(broad),
            prophet=drawn,
        ),
        Chart(
            id="nested_sizes",
            kind="lines",
            title_key=f"chart.nested_sizes{_suffix(money)}.title",
            alt_key="chart.nested_sizes.alt",
            unit=money.unit,
            data=Table(columns=("period", "series", "value", "low", "high"), rows=_nested_rows(result, money)),
            as_of=as_of,
            x="year",
            log=True,
            sources=claims,
        ),
        parts.year_table(f"sizes_by_year{_suffix(money)}", paths, years, claims),
    ]


def _suffix(money: Telling) -> str:
    """Ending of the texts that say whether amounts are nominal."""
    return "" if money.prices == "nominal" else "_real"


def _nested_rows(result: MarketSize, money: Telling) -> tuple[tuple[str, str, float, float, float], ...]:
    rows = []
    for name in NESTED:
        path = money.path(result.sizes[name])
        low, middle, high = np.quantile(path.draws, [0.1, 0.5, 0.9], axis=0)
        rows += [
            (day.isoformat(), f"@definition.{name}", float(middle[k]), float(low[k]), float(high[k]))
            for k, day in enumerate(path.periods)
            if day.year >= 2015
        ]
    return tuple(rows)


def market_drivers(
    context: Context, result: MarketSize, money: Telling | None = None
) -> list[tuple[str, float, float, float]]:
    """What the size at the horizon hangs on: (text key, median if low, median if high, part explained)."""
    path = (money or nominal_yuan(result)).path(result.sizes["healthcare"])
    posterior = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    quantities = {
        "driver.pharmacy_now": result.sizes["pharmacy"].year_end(result.last_year),
        "driver.pharmacy_ceiling": posterior["pharmacy_logit_ceiling"],
        "driver.pharmacy_rate": posterior["pharmacy_rate"],
        "driver.consultation_now": result.sizes["consultation"].year_end(result.last_year),
        "driver.consultation_ceiling": posterior["consultation_distance"],
        "driver.other_services": posterior["other_services"],
        "driver.price": posterior["price"],
        "driver.encounters": posterior["encounters"],
    }
    return [(d.name, d.low, d.high, d.explained) for d in drivers(path.year_end(context.settings.horizon), quantities)]


def _drivers(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    return [
        Heading(key="market_size.drivers"),
        Paragraph(key="market_size.drivers_text"),
        drivers_chart(context, result, money),
    ]


def drivers_chart(context: Context, result: MarketSize, money: Telling | None = None) -> Chart:
    """Bars of how far the median moves when a quantity is in its lowest and in its highest fifth."""
    money = money or nominal_yuan(result)
    middle = float(np.median(money.path(result.sizes["healthcare"]).year_end(context.settings.horizon)))
    rows = tuple(
        (f"@{name}", end - middle, f"@series.{series}")
        for name, low, high, _ in market_drivers(context, result, money)
        for series, end in (("when_low", low), ("when_high", high))
    )
    return Chart(
        id="market_drivers",
        kind="bars",
        title_key="chart.market_drivers.title",
        title_values={"horizon": context.settings.horizon},
        alt_key="chart.market_drivers.alt",
        unit=money.unit,
        data=Table(columns=("category", "value", "series"), rows=rows),
        sources=tuple(str(c) for c in result.evidence.claim_id),
    )


def _parameters(result: MarketSize) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Text key, prior and posterior draws of what the evidence could teach."""
    rng = np.random.default_rng(1)
    drawn = {k: np.asarray(v) for k, v in result.fit.posterior.items()}
    growth = growth_prior("any")

    def log_normal(pair: tuple[float, float]) -> np.ndarray:
        return np.exp(rng.normal(*pair, 4000))

    def part(pair: tuple[float, float]) -> np.ndarray:
        return expit(rng.normal(*pair, 4000))

    return [
        ("parameter.encounters", log_normal(model.ENCOUNTERS), np.exp(drawn["encounters"])),
        ("parameter.price", log_normal(model.PRICE), np.exp(drawn["price"])),
        ("parameter.other_services", log_normal(model.OTHER_SERVICES), np.exp(drawn["other_services"])),
        ("parameter.online_share", part(model.ONLINE_SHARE), expit(drawn["online_share"])),
        ("parameter.seller_share", part(model.SELLER_SHARE), expit(drawn["seller_level"])),
        ("parameter.bias_spread", log_normal(model.BIAS_SPREAD), drawn["bias_spread"]),
        ("parameter.estimate_noise", log_normal(model.ESTIMATE_NOISE), drawn["estimate_noise"]),
        ("parameter.medicine_ceiling", part(model.MEDICINE_CEILING), expit(drawn["pharmacy_logit_ceiling"])),
        ("parameter.consultation_distance", log_normal(growth.log_distance), drawn["consultation_distance"]),
        ("parameter.pharmacy_rate", log_normal(growth.log_rate), drawn["pharmacy_rate"]),
        ("parameter.consultation_rate", log_normal(growth.log_rate), drawn["consultation_rate"]),
    ]


def _appendix(context: Context, result: MarketSize, money: Telling) -> list[Block]:
    rng = np.random.default_rng(2)
    path = result.sizes["healthcare"]
    early = [money.constant(p.year) for p in path.periods[: model.GRID]]
    evidence = money.published(result.evidence)
    worth = evidence.low / result.evidence.low
    broad = model.definitions(result.evidence) == model.DEFINITIONS.index("healthcare")
    return [
        Heading(key="appendix.heading"),
        Paragraph(key="market_size.method", sources=result.goods.claims),
        parts.parameter_table("market_parameters", _parameters(result)),
        *checks.blocks(
            "market",
            money.path(path),
            forecast.prior_predictive(result, rng) * early,
            forecast.predictive(result, result.evidence, rng) * worth,
            evidence,
            evidence.where(broad),
        ),
        *market_estimates.every_estimate(context, result, money),
        parts.evidence_table("market_evidence", [evidence], money.unit),
        parts.forecasts(context, [_named(money.path(p), money) for p in result.sizes.values()]),
    ]


def _named(path: Path, money: Telling) -> Path:
    """The path under a name that says which prices: real amounts of one year are another quantity."""
    return path if money.prices == "nominal" else replace(path, target=f"{path.target}_real_{money.money.base}")
