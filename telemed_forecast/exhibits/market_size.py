"""The market's size: three nested definitions, two directions, and the money in which it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evaluation.sensitivity import Driver, drivers
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits import checks, influence, market_estimates, market_sides
from telemed_forecast.exhibits.evidence import claims_of, evidence_table, newest
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.forecasts import fan, lines, parameter_table, year_table
from telemed_forecast.exhibits.numbers import by_id, chance, key_figure, value
from telemed_forecast.exhibits.values import Fact, Facts, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import market_size as forecast
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.doctor_supply import DoctorSupply
from telemed_forecast.forecast.money import Telling
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.forecast.rivals import prophet
from telemed_forecast.models import market_size as model
from telemed_forecast.models.odds import expit
from telemed_forecast.models.priors import growth_prior

NESTED = ("consultation", "services", "healthcare")
"""Definitions, each inside the next."""

WORKINGS_SINCE = 2019
"""First year whose size is taken apart: the users' model knows earlier ones badly."""


def exhibits(
    context: Context, result: Forecast, supply: DoctorSupply | None, money: Telling, weighed: Sequence[Influence] = ()
) -> Exhibits:
    """The report's tables and charts by name; what nobody had published by then is not among them.

    `supply` is None on a date that knows too little of doctors online; `money` is what amounts are told in.
    """
    evidence, broad = (money.published(rows) for rows in (result.evidence["sizes"], broad_evidence(result)))
    prior, drawn = _checked(result, money)
    return named(
        _sizes(context, result, money),
        market_sides.exhibits(context, result, supply, money),
        market_drivers(context, result, money),
        workings(context, result),
        parameter_table("market_parameters", _parameters(result)),
        market_estimates.exhibits(context, result, money),
        checks.exhibits("market", money.path(result["market_size_healthcare"]), prior, drawn, evidence, broad),
        evidence_table("market_evidence", [evidence], money.unit),
        influence.exhibits(context, weighed),
    )


def key_figures(context: Context, result: Forecast, money: Telling | None = None) -> dict[str, KeyFigure]:
    """The headline numbers by name, in nominal yuan unless another money is given."""
    money = money or nominal_yuan(result)
    horizon, last, told = context.settings.horizon, result.last_year, _headline(context, result, money)
    claims = _newest(result, "internet_healthcare") or newest(result.evidence["sizes"], 2)
    tele = _newest(result, "telemedicine") or claims
    converted = "figure.market_note" if money.plain else "figure.market_note_converted"
    estimate: Facts = {"newest": newest_year(result, "healthcare")}
    now, then, figure = str(last), str(horizon), partial(key_figure, fits=fits(result))
    return by_id(
        [
            figure("market_now", told["market_now"], now, claims, note=estimate, note_text=converted),
            figure(f"market_{horizon}", told["market_then"], then, claims),
            figure(f"services_{horizon}", told["services_then"], then, tele, note={"now": told["services_now"]}),
            figure("coherence", told["coherence"], now, claims, note={}),
        ]
    )


def numbers(
    context: Context, result: Forecast, supply: DoctorSupply | None, money: Telling, weighed: Sequence[Influence] = ()
) -> dict[str, Fact]:
    """What the prose says, by name; None for what was not known."""
    horizon, last, path = context.settings.horizon, result.last_year, money.path(result["market_size_healthcare"])
    now, then = (path.year_end(year) for year in (last, horizon))
    return {
        "horizon": horizon,
        "last_year": last,
        **_headline(context, result, money),
        "market_growth": value(100.0 * ((then / now) ** (1.0 / (horizon - last)) - 1.0), "percent"),
        "market_grows": chance(then > now),
        "newest_estimate": newest_year(result, "healthcare"),
        "estimates_spread": f"{_spread(result):.2g}",
        "broad_claims": _newest(result, "internet_healthcare", 4),
        **_money_numbers(result, money),
        **market_sides.numbers(context, result, supply, money),
        **market_estimates.numbers(context, result),
        "goods_claims": tuple(result.extras["goods"].claims),
        **checks.numbers(_checked(result, money)[1], money.published(result.evidence["sizes"])),
        **influence.numbers(weighed),
    }


def fits(result: Forecast) -> list[Fit]:
    """The fits behind the report."""
    return [result.fit, result.built_on["user_adoption"].fit]


def forecasts(result: Forecast, money: Telling) -> list[Path]:
    """The quantities that the report forecasts; real amounts of one year are another quantity and named so."""
    paths = [money.path(path) for path in result.family("market_size").values()]
    if money.prices == "nominal":
        return paths
    return [replace(path, target=f"{path.target}_real_{money.money.base}") for path in paths]


def nominal_yuan(result: Forecast) -> Telling:
    """The money in which estimates are published, and in which other reports repeat these numbers."""
    return Telling("CNY", "nominal", result.extras["money"])


def newest_year(result: Forecast, *definitions: str) -> int:
    """Year of the newest published estimate of the definitions (of any, where they have none)."""
    sizes = result.evidence["sizes"]
    chosen = np.isin(forecast.definitions(sizes), definitions)
    return int(str((sizes.end[chosen] if chosen.any() else sizes.end).max())[:4])


def ranked_drivers(context: Context, result: Forecast, money: Telling) -> list[Driver]:
    """What the size at the horizon hangs on, the quantity that explains most first."""
    path = money.path(result["market_size_healthcare"])
    posterior = {str(name): np.asarray(drawn) for name, drawn in result.fit.posterior.items()}
    quantities = {
        "pharmacy_now": result["market_size_pharmacy"].year_end(result.last_year),
        "pharmacy_ceiling": posterior["pharmacy_logit_ceiling"],
        "pharmacy_rate": posterior["pharmacy_rate"],
        "consultation_now": result["market_size_consultation"].year_end(result.last_year),
        "consultation_ceiling": posterior["consultation_distance"],
        "other_services": posterior["other_services"],
        "price": posterior["price"],
        "encounters": posterior["encounters"],
    }
    return drivers(path.year_end(context.settings.horizon), quantities)


def market_drivers(context: Context, result: Forecast, money: Telling) -> Exhibit:
    """How far the median moves when a quantity is in its lowest and in its highest fifth."""
    horizon = context.settings.horizon
    middle = float(np.median(money.path(result["market_size_healthcare"]).year_end(horizon)))
    rows = [
        (driver.name, end - middle, series)
        for driver in ranked_drivers(context, result, money)
        for series, end in (("when_low", driver.low), ("when_high", driver.high))
    ]
    return Exhibit(
        name="market_drivers",
        frame=pd.DataFrame(rows, columns=["category", "value", "series"]),
        claims=claims_of(result.evidence["sizes"]),
        units={"value": money.unit},
        facts={"horizon": horizon},
    )


def workings(context: Context, result: Forecast) -> Exhibit:
    """What each year's size is made of, in nominal yuan whatever money the report speaks: medians and 80% intervals."""
    family, users = result.family("market_size"), result.extras["users"]
    periods = family["healthcare"].periods
    counted = [k for k, period in enumerate(periods) if period.year >= WORKINGS_SINCE]
    sizes = {name: path.draws[:, counted] for name, path in family.items()}
    encounters, medicine = result["online_encounters"].draws[:, counted], result.extras["medicine"][:, counted]
    people = np.stack([users.year_end(periods[k].year) for k in counted], axis=1)
    drawn = {
        "users_persons": people,
        "encounters_per_user": encounters / people,
        "price_CNY": 1e6 * sizes["consultation"] / encounters,
        "consultation_CNY_million": sizes["consultation"],
        "other_services_ratio": sizes["services"] / sizes["consultation"] - 1.0,
        "services_CNY_million": sizes["services"],
        "medicine_CNY_million": medicine,
        "online_share_percent": 100.0 * sizes["pharmacy"] / medicine,
        "pharmacy_CNY_million": sizes["pharmacy"],
        "healthcare_CNY_million": sizes["healthcare"],
    }
    columns: dict[str, Any] = {"year": [periods[k].year for k in counted]}
    for name, draws in drawn.items():
        low, middle, high = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
        columns |= {name: middle, f"{name}_low": low, f"{name}_high": high}
    return Exhibit(name="market_workings", frame=pd.DataFrame(columns), claims=result.claims)


def broad_evidence(result: Forecast) -> Observations:
    """Published estimates of the broad definition."""
    sizes = result.evidence["sizes"]
    return sizes.where(forecast.definitions(sizes) == "healthcare")


def _sizes(context: Context, result: Forecast, money: Telling) -> list[Exhibit]:
    """The broad market with its evidence, the nested definitions, and sizes by year."""
    day, path, claims = (
        context.settings.as_of_date,
        result["market_size_healthcare"],
        claims_of(result.evidence["sizes"]),
    )
    drawn = prophet(result.known, path.periods, context.settings.seed)
    if drawn is not None:
        drawn = drawn * np.array([money.constant(period.year) for period in path.periods])
    known = {period.year for period in path.periods}
    years = [year for year in (2019, *range(result.last_year, context.settings.horizon + 1)) if year in known]
    told = {name: money.path(result[f"market_size_{name}"]) for name in (*NESTED, "pharmacy")}
    nested, published = {name: told[name] for name in NESTED}, money.published(broad_evidence(result))
    # The words say whether amounts are nominal.
    real = "" if money.prices == "nominal" else "_real"
    return [
        fan(f"market_path{real}", told["healthcare"], as_of=day, since=2014, evidence=published, prophet=drawn),
        lines(f"nested_sizes{real}", nested, as_of=day, since=2015, claims=claims),
        year_table(f"sizes_by_year{real}", [*told.values()], years, claims),
    ]


def _headline(context: Context, result: Forecast, money: Telling) -> dict[str, Value]:
    """The numbers that answer the report's question."""
    years = {"now": result.last_year, "then": context.settings.horizon}
    told = {
        f"{name}_{when}": value(money.path(result[f"market_size_{definition}"]).year_end(year), money.unit)
        for name, definition in (("market", "healthcare"), ("services", "services"))
        for when, year in years.items()
    }
    return {**told, "coherence": value(forecast.gap(result, "healthcare")[:, -1], "multiple")}


def _money_numbers(result: Forecast, money: Telling) -> dict[str, Fact]:
    """In which money the report speaks, and what prices and the dollar do."""
    told = result.extras["money"]
    now = told.rate[:, int(result.last_year - told.years[0])]
    return {
        "currency": money.currency,
        "prices": money.prices,
        "rate": Value(value=float(np.median(now)), unit="ratio", digits=3),
        "rate_then": value(told.rate[:, -1], "ratio"),
        "prices_then": value(100.0 * (told.level[:, -1] - 1.0), "percent"),
        "money_end": int(told.years[-1]),
        "money_claims": tuple(told.claims[-4:]),
    }


def _spread(result: Forecast) -> float:
    """Largest ratio of two estimates of one year and definition that entered."""
    sizes = result.evidence["sizes"]
    middle = pd.Series(0.5 * (np.log(sizes.low) + np.log(sizes.high)))
    alike = middle.groupby([sizes.end.astype("datetime64[Y]"), forecast.definitions(sizes)])
    return float(np.exp((alike.max() - alike.min()).max()))


def _newest(result: Forecast, segment: str, number: int = 2) -> tuple[str, ...]:
    sizes = result.evidence["sizes"]
    return newest(sizes.where(sizes.segment == segment), number)


def _checked(result: Forecast, money: Telling) -> tuple[np.ndarray, np.ndarray]:
    """The prior of the headline, and what the model would have printed in place of each estimate, as told."""
    rng, path = np.random.default_rng(2), result["market_size_healthcare"]
    early = [money.constant(period.year) for period in path.periods[: model.GRID]]
    worth = money.published(result.evidence["sizes"]).low / result.evidence["sizes"].low
    prior = forecast.prior_predictive(result, rng) * early
    return prior, forecast.predictive(result, result.evidence["sizes"], rng) * worth


def _parameters(result: Forecast) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Prior and posterior draws of what the evidence could teach."""
    rng = np.random.default_rng(1)
    drawn = {str(name): np.asarray(draws) for name, draws in result.fit.posterior.items()}
    growth = growth_prior("any")
    shown = (
        ("encounters", model.ENCOUNTERS, np.exp, np.exp(drawn["encounters"])),
        ("price", model.PRICE, np.exp, np.exp(drawn["price"])),
        ("other_services", model.OTHER_SERVICES, np.exp, np.exp(drawn["other_services"])),
        ("online_share", model.ONLINE_SHARE, expit, expit(drawn["online_share"])),
        ("seller_share", model.SELLER_SHARE, expit, expit(drawn["seller_level"])),
        ("bias_spread", model.BIAS_SPREAD, np.exp, drawn["bias_spread"]),
        ("common_bias", model.COMMON_BIAS, np.exp, np.exp(drawn["common_bias"])),
        ("estimate_noise", model.ESTIMATE_NOISE, np.exp, drawn["estimate_noise"]),
        ("medicine_ceiling", model.MEDICINE_CEILING, expit, expit(drawn["pharmacy_logit_ceiling"])),
        ("consultation_distance", growth.log_distance, np.exp, drawn["consultation_distance"]),
        ("pharmacy_rate", growth.log_rate, np.exp, drawn["pharmacy_rate"]),
        ("consultation_rate", growth.log_rate, np.exp, drawn["consultation_rate"]),
    )
    return [(name, change(rng.normal(*prior, 4000)), posterior) for name, prior, change, posterior in shown]
