"""The executive summary: the five questions on one screen, and what would change the answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from telemed_forecast.evaluation.scenario_effects import Comparison
from telemed_forecast.exhibits import internet_hospitals, user_adoption
from telemed_forecast.forecast.channel_share import ChannelShare
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import InternetHospitals
from telemed_forecast.forecast.market_size import MarketSize
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import History, prophet
from telemed_forecast.forecast.user_adoption import UserAdoption
from telemed_forecast.models import market_size as model
from telemed_forecast.reporting.blocks import (
    Block,
    Heading,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Title,
    Value,
)
from telemed_forecast.reporting.content import (
    channel_share,
    market_size,
    parts,
    scenarios,
)
from telemed_forecast.reporting.content.parts import Sections, value


@dataclass(frozen=True)
class Markets:
    """The four results that the summary speaks of."""

    users: UserAdoption
    hospitals: InternetHospitals
    channels: ChannelShare
    market: MarketSize


def sections(context: Context, markets: Markets, comparison: Comparison, parameters: dict[str, Any]) -> Sections:
    """The report's sections in reading order: name -> blocks."""
    made: Sections = {
        "summary": _summary(context, markets),
        "change": _change(context, markets),
        "scenarios": scenarios.section(context, comparison),
        "paths": _paths(context, markets),
        "trust": _trust(context, markets),
        "appendix": [
            Heading(key="appendix.heading"),
            Paragraph(key="executive_summary.method"),
            parts.forecasts(
                context,
                [
                    markets.market.sizes["healthcare"],
                    markets.market.sizes["services"],
                    markets.hospitals.published,
                    markets.channels.shares["count"],
                    markets.users.published,
                ],
            ),
        ],
    }
    made["record"] = parts.record(context, made, parameters)
    return made


def _summary(context: Context, markets: Markets) -> list[Block]:
    fits = (markets.market.fit, markets.hospitals.fit, markets.channels.fit, markets.users.fit)
    # From each report the figures that answer its question, in the reports' own words and numbers.
    market = market_size.key_figures(context, markets.market).items
    hospitals = internet_hospitals.key_figures(context, markets.hospitals)
    channels = channel_share.key_figures(context, markets.channels).items
    users, horizon = user_adoption.key_figures(context, markets.users), context.settings.horizon
    chosen = (
        _with_note(market[1], "figure.now_note", now=market[0]),
        _with_note(hospitals[f"hospitals_{horizon}"], "figure.now_note", now=hospitals["hospitals_now"]),
        _share_card(context, markets, channels[0], channels[2]),
        _with_note(users[f"users_{horizon}"], "figure.now_note", now=users["users_now"]),
        users["wave_left"],
        _largest_driver(context, markets),
    )
    return [
        Title(report="executive_summary"),
        parts.gates(context, *fits),
        KeyFigures(items=chosen),
        _answer(context, markets, tuple(dict.fromkeys(c for figure in chosen for c in figure.sources))),
    ]


def _with_note(figure: KeyFigure, key: str, **others: KeyFigure) -> KeyFigure:
    """A figure with others of the same report in its note, so that one card answers one question."""
    values = {name: other.value for name, other in others.items()}
    period = next(iter(others.values())).period
    return figure.model_copy(update={"note_key": key, "note_values": values | {"period": period}})


def _share_card(context: Context, markets: Markets, now: KeyFigure, grows: KeyFigure) -> KeyFigure:
    """The hospitals' share today, with the chance that it grows and the age of the newest evidence."""
    counts = markets.channels.evidence["counts"]
    newest = str(counts.end.max())[:10] if len(counts) else now.period
    values = {"grows": grows.value, "horizon": context.settings.horizon, "newest": newest}
    return now.model_copy(update={"note_key": "figure.grows_note", "note_values": values})


def _largest_driver(context: Context, markets: Markets) -> KeyFigure:
    """What would change the answer most: the quantity whose knowledge removes the largest part of the uncertainty."""
    name, low, high, part = market_size.market_drivers(context, markets.market)[0]
    market = market_size.key_figures(context, markets.market).items[1]
    return parts.key_figure(
        f"driver_{context.settings.horizon}",
        parts.chance(part),
        market.period,
        market.sources,
        [markets.market.fit, markets.market.users_fit],
        values={"driver": f"@{name}"},
        note_key="figure.driver_note",
        note_values={
            "low": Value(value=low, unit="CNY_million", digits=2),
            "high": Value(value=high, unit="CNY_million", digits=2),
        },
    ).model_copy(update={"value": Value(value=100.0 * part, unit="percent", digits=2)})


def _answer(context: Context, markets: Markets, sources: tuple[str, ...]) -> Paragraph:
    horizon = context.settings.horizon
    market, last = markets.market, markets.market.last_year
    broad = market.sizes["healthcare"]
    share = markets.channels.shares["count"]
    users = markets.users
    return Paragraph(
        key="executive_summary.answer",
        values={
            "market_now": value(broad.year_end(last), "CNY_million"),
            "market_then": value(broad.year_end(horizon), "CNY_million"),
            "services": value(market.sizes["services"].year_end(horizon), "CNY_million"),
            "hospitals": value(markets.hospitals.published.year_end(horizon), "hospitals"),
            "share": value(share.draws[:, share.last_known], "percent"),
            "grows": parts.chance(float(markets.channels.rising["count"][-1])),
            "users": value(users.published.year_end(horizon), "persons"),
            "kept": parts.share(users.stays[:, users.users.last_known, 0]),
            "last": last,
            "horizon": horizon,
            "newest_market": market_size.newest_year(market, "healthcare"),
        },
        sources=sources,
    )


def _change(context: Context, markets: Markets) -> list[Block]:
    largest = market_size.market_drivers(context, markets.market)[0]
    return [
        Heading(key="executive_summary.change"),
        Paragraph(
            key="executive_summary.change_text",
            values={"driver": f"@{largest[0]}", "part": parts.chance(largest[3]), "horizon": context.settings.horizon},
        ),
        market_size.drivers_chart(context, markets.market),
    ]


def _paths(context: Context, markets: Markets) -> list[Block]:
    as_of, seed = context.settings.as_of_date, context.settings.seed
    market = markets.market
    read_as = model.definitions(market.evidence)
    broad = market.evidence.where(read_as == model.DEFINITIONS.index("healthcare"))
    return [
        Heading(key="executive_summary.paths"),
        parts.fan(
            "market_path",
            market.sizes["healthcare"],
            as_of=as_of,
            since=2014,
            evidence=broad,
            prophet=prophet(market.known, market.sizes["healthcare"].periods, seed),
        ),
        parts.fan(
            "hospitals_path",
            markets.hospitals.published,
            as_of=as_of,
            since=2017,
            evidence=markets.hospitals.evidence,
            prophet=prophet(markets.hospitals.known, markets.hospitals.published.periods, seed),
        ),
        parts.fan(
            "hospital_share_path",
            markets.channels.shares["count"],
            as_of=as_of,
            since=2017,
            evidence=markets.channels.evidence["counts"],
            prophet=prophet(markets.channels.known, markets.channels.shares["count"].periods, seed),
        ),
        parts.fan(
            "users_path",
            markets.users.published,
            as_of=as_of,
            since=2015,
            evidence=markets.users.evidence["users"],
            prophet=prophet(markets.users.known, markets.users.published.periods, seed),
        ),
    ]


def _trust(context: Context, markets: Markets) -> list[Block]:
    def median(known: History, path: Path) -> Value | str:
        draws = prophet(known, path.periods, context.settings.seed)
        if draws is None:
            return "–"
        at = path.position(date(context.settings.horizon, 12, 31))
        return Value(value=float(np.median(draws[:, at])), unit=path.unit, digits=2)

    return [
        Heading(key="executive_summary.trust"),
        Paragraph(
            key="executive_summary.trust_text",
            values={
                "scenario": scenarios.name_of(context.scenario),
                "prophet_market": median(markets.market.known, markets.market.sizes["healthcare"]),
                "prophet_hospitals": median(markets.hospitals.known, markets.hospitals.published),
                "prophet_users": median(markets.users.known, markets.users.published),
                "horizon": context.settings.horizon,
            },
        ),
    ]
