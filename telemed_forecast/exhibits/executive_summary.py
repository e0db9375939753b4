"""The five questions on one screen, in the other reports' own numbers, and what would change the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from telemed_forecast.evaluation.scenario_effects import Comparison
from telemed_forecast.exhibits import (
    channel_share,
    internet_hospitals,
    market_size,
    page_one,
    scenarios,
    user_adoption,
)
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.forecasts import headline
from telemed_forecast.exhibits.numbers import by_id, value
from telemed_forecast.exhibits.page_one import Headline
from telemed_forecast.exhibits.values import ANSWER, Fact, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.money import Telling
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.forecast.rivals import History, prophet
from telemed_forecast.models import market_size as model

DRIVERS = 3
"""Drivers on page one; the report on the market's size shows all."""

MEDICINE_PART = "medicine_part"
"""Name of the part of the broad market that is medicines and health goods sold online."""


@dataclass(frozen=True)
class Markets:
    """The four results that the summary speaks of."""

    users: Forecast
    hospitals: Forecast
    channels: Forecast
    market: Forecast


def exhibits(context: Context, markets: Markets, comparison: Comparison) -> Exhibits:
    """The report's tables and charts by name."""
    market = markets.market
    broad, dollars = market["market_size_healthcare"], Telling("USD", "nominal", market.extras["money"])
    return named(
        page_one.headline_years(context, _headlines(markets), dollars, market.last_year),
        page_one.market_players(context, broad),
        page_one.published_outlooks(market, page_one.outlooks(context, market)),
        page_one.since_release(context, [one.path for one in _headlines(markets)]),
        _drivers(context, markets),
        scenarios.exhibits(context, comparison),
        _paths(context, markets),
    )


def key_figures(context: Context, markets: Markets, comparison: Comparison) -> dict[str, KeyFigure]:
    """From each report the figures that answer its question, in the reports' own words and numbers."""
    horizon = context.settings.horizon
    market = market_size.key_figures(context, markets.market)
    hospitals = internet_hospitals.key_figures(context, markets.hospitals)
    channels = channel_share.key_figures(context, markets.channels)
    users = user_adoption.key_figures(context, markets.users)
    chosen = (
        _answer(context, markets, comparison, market[f"market_{horizon}"]),
        _with_note(hospitals[f"hospitals_{horizon}"], hospitals["hospitals_now"]),
        _share_card(context, markets, channels),
        _with_note(users[f"users_{horizon}"], users["users_now"]),
    )
    return by_id(chosen)


def numbers(context: Context, markets: Markets, comparison: Comparison) -> dict[str, Fact]:
    """What the prose says, by name."""
    horizon, market, users = context.settings.horizon, markets.market, markets.users
    broad = market["market_size_healthcare"]
    figures = key_figures(context, markets, comparison)
    return {
        "horizon": horizon,
        "last_year": market.last_year,
        "newest_estimate": market_size.newest_year(market, "healthcare"),
        "figure_claims": tuple(dict.fromkeys(claim for figure in figures.values() for claim in figure.sources)),
        **_driver_numbers(_drivers(context, markets)),
        **page_one.outlook_numbers(page_one.outlooks(context, market)),
        **scenarios.numbers(context, comparison),
        "prophet_market": _median(context, market.known, broad),
        "prophet_hospitals": _median(context, markets.hospitals.known, markets.hospitals.path),
        "prophet_users": _median(context, users.known, users.path),
    }


def fits(markets: Markets) -> list[Fit]:
    """The fits behind the report."""
    return [markets.market.fit, markets.hospitals.fit, markets.channels.fit, markets.users.fit]


def forecasts(markets: Markets) -> list[Path]:
    """The quantities that the report forecasts."""
    return [
        markets.market["market_size_healthcare"],
        markets.market["market_size_services"],
        markets.hospitals.path,
        markets.channels["hospital_share_count"],
        markets.users.path,
    ]


def _paths(context: Context, markets: Markets) -> list[Exhibit]:
    """The headline of each report with its evidence, and Prophet's median for comparison."""
    market, hospitals, channels, users = markets.market, markets.hospitals, markets.channels, markets.users
    shown = (
        ("market_path", market["market_size_healthcare"], 2014, market_size.broad_evidence(market), market.known),
        (
            "hospitals_path",
            hospitals.path,
            internet_hospitals.SINCE,
            hospitals.evidence["counts"],
            hospitals.known,
        ),
        ("hospital_share_path", channels["hospital_share_count"], 2017, channels.evidence["counts"], channels.known),
        ("users_path", users.path, user_adoption.SINCE, users.evidence["users"], users.known),
    )
    return [headline(context, *one) for one in shown]


def _headlines(markets: Markets) -> list[Headline]:
    """The quantities of page one, with the figures that count as their actuals."""
    market, hospitals, channels, users = markets.market, markets.hospitals, markets.channels, markets.users
    sizes = market.evidence["sizes"]
    services = sizes.where(model.definitions(sizes) == model.DEFINITIONS.index("services"))
    broad, medicines = market["market_size_healthcare"], market["market_size_pharmacy"]
    part = replace(medicines, target=MEDICINE_PART, unit="percent", draws=100.0 * medicines.draws / broad.draws)
    return [
        Headline(broad, market_size.broad_evidence(market)),
        Headline(part, sizes.where(np.zeros(len(sizes), dtype=bool)), grows=False),
        Headline(market["market_size_services"], services),
        Headline(users.path, users.evidence["users"]),
        Headline(hospitals.path, hospitals.evidence["counts"]),
        Headline(channels["hospital_share_count"], channels.evidence["counts"], grows=False),
    ]


def _drivers(context: Context, markets: Markets) -> Exhibit:
    """The quantities that move the market most."""
    every = market_size.market_drivers(context, markets.market, market_size.nominal_yuan(markets.market))
    largest = list(dict.fromkeys(every.frame["category"]))[:DRIVERS]
    return replace(every, frame=every.frame[every.frame["category"].isin(largest)].reset_index(drop=True))


def _driver_numbers(shown: Exhibit) -> dict[str, Fact]:
    """What each driver of page one does to the median, in its lowest and in its highest fifth."""
    told: dict[str, Fact] = {}
    for place, (driver, rows) in enumerate(shown.frame.groupby("category", sort=False), start=1):
        told[f"driver_{place}"] = f"@driver.{driver}"
        for series, moved in zip(rows["series"], rows["value"], strict=True):
            end = series.removeprefix("when_")
            told[f"driver_{place}_{end}"] = Value(value=float(moved), unit="CNY_million", digits=2)
    return told


def _answer(context: Context, markets: Markets, comparison: Comparison, figure: KeyFigure) -> KeyFigure:
    """The market at the horizon with the answer as its note: now, then, growth, scenarios, what it is made of."""
    market, horizon = markets.market, context.settings.horizon
    broad, last = market["market_size_healthcare"], market.last_year
    ends = {one.scenario: float(np.median(one.market)) for one in comparison.headlines}
    medicines = next(one.path for one in _headlines(markets) if one.path.target == MEDICINE_PART)
    note: dict[str, Value | str | int | float] = {
        "now": value(broad.year_end(last), "CNY_million"),
        "last": last,
        "then": figure.value,
        "horizon": horizon,
        "growth": value(page_one.growth(broad, last, horizon), "percent"),
        "medicines": value(medicines.year_end(last), "percent"),
        "newest": market_size.newest_year(market, "healthcare"),
        **{name: Value(value=ends[name], unit="CNY_million", digits=2) for name in ("bear", "bull")},
    }
    return figure.model_copy(update={"note_key": ANSWER, "note_values": note})


def _with_note(figure: KeyFigure, now: KeyFigure) -> KeyFigure:
    """A figure with the present one of the same report in its note, so that one card answers one question."""
    note = {"now": now.value, "period": now.period}
    key = "figure.now_note" if now.value.low is not None else "figure.counted_note"
    return figure.model_copy(update={"note_key": key, "note_values": note})


def _share_card(context: Context, markets: Markets, channels: Mapping[str, KeyFigure]) -> KeyFigure:
    """The hospitals' share today, with the chance that it grows and the age of the newest evidence."""
    now, counts = channels["hospital_share_now"], markets.channels.evidence["counts"]
    newest = str(counts.end.max())[:10] if len(counts) else now.period
    grows = channels["hospital_share_grows"].value
    note = {"grows": grows, "horizon": context.settings.horizon, "newest": newest}
    return now.model_copy(update={"note_key": "figure.grows_note", "note_values": note})


def _median(context: Context, known: History, path: Path) -> Value | str:
    """Prophet's median at the horizon; a dash where it has too few figures."""
    draws = prophet(known, path.periods, context.settings.seed)
    if draws is None:
        return "–"
    at = path.position(date(context.settings.horizon, 12, 31))
    return Value(value=float(np.median(draws[:, at])), unit=path.unit, digits=2)
