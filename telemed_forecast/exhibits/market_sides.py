"""The market from above and from below: the gaps, sellers' accounts as a floor, and whether doctors can serve it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from telemed_forecast.evidence import decisions
from telemed_forecast.exhibits.evidence import claims_of, context_table, newest, origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.forecasts import lines, year_table
from telemed_forecast.exhibits.numbers import chance, share, value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast import market_size as forecast
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.doctor_supply import DoctorSupply
from telemed_forecast.forecast.money import Telling
from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.models.market_evidence import FULL_YEAR, accounts
from telemed_forecast.models.odds import expit

PRICES = decisions.shown("prices")
"""Prices and sizes that bear on the bottom-up side; shown with their sources."""

INPUTS = decisions.shown("doctors")
"""What is printed about doctors online: inputs, and what they can be compared with."""


def exhibits(context: Context, result: Forecast, supply: DoctorSupply | None, money: Telling) -> list[Exhibit]:
    """Both directions, the sellers' accounts, prices, and the doctors."""
    both = [directions(result, money), seller_parts(result, money), context_table(context, "prices", PRICES)]
    return [*both, *_doctors(context, result, supply), context_table(context, "doctors", INPUTS)]


def numbers(context: Context, result: Forecast, supply: DoctorSupply | None, money: Telling) -> dict[str, Fact]:
    """What the prose says of both directions and of the doctors; None where too little was known."""
    posterior, year, goods = result.fit.posterior, result.last_year, result.extras["goods"]
    medicine = float(np.exp(goods.log_sales[-1])) * money.constant(year)
    consultations = result.evidence["sizes"].where(result.evidence["sizes"].segment == "online_consultation")
    online = np.asarray(posterior["online_share"])
    return {
        **_direction("consultation", result, money),
        **_direction("pharmacy", result, money),
        "encounters": value(np.exp(np.asarray(posterior["encounters"])), "ratio"),
        "price": value(np.exp(np.asarray(posterior["price"])), "CNY"),
        "consultation_claims": newest(consultations, 3),
        "online_share": share(expit(online)),
        "medicine": Value(value=medicine, unit=money.unit, digits=2),
        "drugs_claims": tuple(dict.fromkeys([*map(str, result.evidence["shares"].claim_id), *goods.claims[:3]])),
        **(_doctor_numbers(context, result, supply) if supply else {"doctors_claims": ()}),
    }


def _direction(name: str, result: Forecast, money: Telling) -> dict[str, Value]:
    """A definition in the last full year: from above, from below, and the first relative to the second."""
    year, gap = result.last_year, forecast.gap(result, name)[:, -1]
    return {
        f"{name}_top": value(money.at(result[f"market_size_{name}"].year_end(year), year), money.unit),
        f"{name}_bottom": value(money.at(result.draws[name][:, -1], year), money.unit),
        f"{name}_gap": value(gap, "multiple"),
        f"{name}_above": chance(gap > 1.0),
    }


def directions(result: Forecast, money: Telling) -> Exhibit:
    """Top-down, bottom-up and their ratio by definition in the last full year."""
    year, sizes = result.last_year, result.evidence["sizes"]
    names, read_as = ("consultation", "services", "pharmacy", "healthcare"), forecast.definitions(sizes)
    both = [_direction(name, result, money) for name in names]
    top, bottom, gap, above = zip(*(one.values() for one in both), strict=True)
    columns = with_interval(top_down=top, bottom_up=bottom, gap=gap) | {"above": [odds.value for odds in above]}
    seen = [sizes.end[read_as == name] for name in names]
    years = [int(str(ends.max())[:4]) if len(ends) else None for ends in seen]
    return Exhibit(
        name="directions",
        frame=pd.DataFrame({"definition": names} | columns | {"newest": years}),
        claims=claims_of(sizes),
        units={"top_down": money.unit, "bottom_up": money.unit},
        facts={"year": year},
    )


def seller_parts(result: Forecast, money: Telling) -> Exhibit:
    """What the listed sellers sold on their own account, and which part of all online drug sales that is."""
    yearly, middle = accounts(result.evidence["sellers"])
    full = (yearly.end - yearly.start).astype(int) + 1 >= FULL_YEAR
    yearly, middle = yearly.where(full), middle[full]
    sold = 0.5 * (yearly.low + yearly.high)
    columns = {
        "day": yearly.end.astype(str),
        "seller": [origin_name(seller) for seller in yearly.segment],
        "sold": sold * [money.constant(int(year)) for year in middle],
        **with_interval(part=[share(amount / _at(result, year)) for amount, year in zip(sold, middle, strict=True)]),
    }
    return Exhibit(
        name="seller_parts",
        frame=pd.DataFrame(columns).sort_values(["day", "seller"], kind="stable", ignore_index=True),
        claims=claims_of(yearly),
        units={"sold": money.unit},
    )


def _at(result: Forecast, middle: float) -> np.ndarray:
    """All drugs sold online in a year around a decimal middle: between calendar years, on the log scale."""
    path = result["market_size_pharmacy"]
    first, last = path.periods[0].year, result.last_year
    at = np.clip(middle - 0.5 - first, 0, last - first)
    left = int(np.floor(at))
    right = min(left + 1, last - first)
    return np.asarray(path.draws[:, left] ** (1 - (at - left)) * path.draws[:, right] ** (at - left))


def _doctors(context: Context, result: Forecast, supply: DoctorSupply | None) -> list[Exhibit]:
    """Capacity beside demand, and whether it suffices; nothing on a date that knows too little."""
    if supply is None:
        return []
    first = supply.ratio.periods[0].year
    years = [year for year in (2020, *range(result.last_year, context.settings.horizon + 1)) if year >= first]
    table = year_table("doctor_capacity_by_year", [supply.capacity, supply.demand, supply.ratio], years, supply.claims)
    table.frame["suffices"] = [float(np.mean(supply.suffices(year))) for year in years]
    drawn = {"consultation_capacity": supply.capacity, "consultation_demand": supply.demand}
    return [lines("doctor_capacity", drawn, as_of=context.settings.as_of_date, claims=supply.claims), table]


def _doctor_numbers(context: Context, result: Forecast, supply: DoctorSupply) -> dict[str, Fact]:
    horizon, last = context.settings.horizon, result.last_year
    online = supply.share * supply.physicians[supply.capacity.position(date(last, 12, 31))]
    return {
        "doctors_claims": tuple(supply.claims),
        "doctors_online": value(online, "persons"),
        "doctors_per_day": value(supply.per_day, "ratio"),
        "doctors_capacity": value(supply.capacity.year_end(last), "consultations"),
        "doctors_demand": value(supply.demand.year_end(last), "consultations"),
        "doctors_ratio": value(supply.ratio.year_end(last), "multiple"),
        "doctors_suffice": chance(supply.suffices(last)),
        "doctors_ratio_then": value(supply.ratio.year_end(horizon), "multiple"),
        "doctors_suffice_then": chance(supply.suffices(horizon)),
        "income_price": value(supply.income_price, "CNY"),
        "model_price": value(supply.model_price, "CNY"),
        "price_ratio": value(supply.price_ratio, "multiple"),
        "price_above": chance(supply.price_ratio > 1.0),
    }
