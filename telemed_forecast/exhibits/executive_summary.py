"""The five questions on one screen, in the other reports' own numbers, and what would change the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.evaluation.scenario_effects import Comparison
from telemed_forecast.exhibits import channel_share, internet_hospitals, market_size, scenarios, user_adoption
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.forecasts import headline
from telemed_forecast.exhibits.numbers import by_id, chance, value
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import channel_share as forecast
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.forecast.rivals import History, prophet


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
    return named(
        market_size.market_drivers(context, market, market_size.nominal_yuan(market)),
        scenarios.exhibits(context, comparison),
        _paths(context, markets),
    )


def key_figures(context: Context, markets: Markets) -> dict[str, KeyFigure]:
    """From each report the figures that answer its question, in the reports' own words and numbers."""
    horizon = context.settings.horizon
    market = market_size.key_figures(context, markets.market)
    hospitals = internet_hospitals.key_figures(context, markets.hospitals)
    channels = channel_share.key_figures(context, markets.channels)
    users = user_adoption.key_figures(context, markets.users)
    chosen = (
        _with_note(market[f"market_{horizon}"], market["market_now"]),
        _with_note(hospitals[f"hospitals_{horizon}"], hospitals["hospitals_now"]),
        _share_card(context, markets, channels),
        _with_note(users[f"users_{horizon}"], users["users_now"]),
    )
    return by_id(chosen)


def numbers(context: Context, markets: Markets, comparison: Comparison) -> dict[str, Fact]:
    """What the prose says, by name."""
    horizon, market, users = context.settings.horizon, markets.market, markets.users
    broad, count = market["market_size_healthcare"], markets.channels["hospital_share_count"]
    largest = market_size.ranked_drivers(context, market, market_size.nominal_yuan(market))[0]
    figures = key_figures(context, markets)
    return {
        "horizon": horizon,
        "last_year": market.last_year,
        "market_now": value(broad.year_end(market.last_year), "CNY_million"),
        "market_then": value(broad.year_end(horizon), "CNY_million"),
        "services_then": value(market["market_size_services"].year_end(horizon), "CNY_million"),
        "hospitals_then": value(markets.hospitals.path.year_end(horizon), "hospitals"),
        "count_share_now": value(count.draws[:, count.last_known], "percent"),
        "count_grows": chance(float(forecast.rising(markets.channels)["count"][-1])),
        "users_then": value(users.path.year_end(horizon), "persons"),
        "newest_estimate": market_size.newest_year(market, "healthcare"),
        "figure_claims": tuple(dict.fromkeys(claim for figure in figures.values() for claim in figure.sources)),
        "largest_driver": f"@driver.{largest.name}",
        "largest_driver_part": chance(largest.explained),
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
