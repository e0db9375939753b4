"""The market's size in three nested definitions: fit and forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast import user_adoption
from telemed_forecast.forecast.channel_share import bounds
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import Known, known
from telemed_forecast.forecast.user_adoption import UserAdoption
from telemed_forecast.inference.cache import Fit, fitted
from telemed_forecast.inference.sampling import ModelSpec
from telemed_forecast.models import market_size

SPEC = ModelSpec("market_size", market_size.build)


@dataclass(frozen=True)
class MarketSize:
    """The forecast of the market's size.

    Attributes
    ----------
    sizes
        By definition (consultation, services, healthcare, pharmacy): CNY million a year, nominal.
    origins
        Names of the origins, in the order of the posterior's biases.
    gap
        Coherence gap by year of history: log of the top-down over the bottom-up consultation market.
        Dims: (sample, year).
    bottom_up
        Bottom-up consultation market by year of history (CNY million). Dims: (sample, year).
    known
        The estimates of the healthcare definition as rivals see them (CNY million a year).
    evidence
        The estimates that entered, in CNY million.
    cny_per_usd
        Yuan per dollar of the last year with a rate: the rate at which future years are converted.
    last_year
        Last full year of the grid; years after the newest estimate are inferred, not seen.
    fit, users_fit
        The fitted model, and the fit of the users that it builds on.
    """

    sizes: dict[str, Path]
    origins: list[str]
    gap: np.ndarray
    bottom_up: np.ndarray
    known: Known
    evidence: Observations
    cny_per_usd: float
    last_year: int
    fit: Fit
    users_fit: Fit


def run(context: Context) -> MarketSize:
    """Fit the model to what was known and carry it to the horizon."""
    adoption = user_adoption.run(context)
    users = user_adoption.yearly_log_users(adoption.fit)
    data, origins, sizes = market_size.arrays(
        context.observed("market_size", *market_size.SEGMENTS),
        context.observed("online_consultations", "national"),
        bounds(context),
        users,
        context.last_year,
    )
    fit = fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)
    ahead = context.settings.horizon - context.last_year
    draws = market_size.project(
        fit.posterior,
        data,
        years_ahead=ahead,
        rng=context.generator("market_size"),
        price_growth=context.scenario["price"],
        encounters_growth=context.scenario["first_visits"],
        payers_growth=context.scenario["payers"],
        drug_pace=context.scenario["prescription_drugs"],
        users_factor=_users_factor(context, adoption),
    )
    years = np.arange(context.last_year - market_size.GRID + 1, context.settings.horizon + 1)
    periods = tuple(date(int(y), 12, 31) for y in years)
    last = int(np.searchsorted(years, int(str(sizes.end.max())[:4])))
    broad = sizes.where(market_size.definitions(sizes) == market_size.DEFINITIONS.index("healthcare"))
    rates = context.rows("fx_cny_per_usd").sort_values("period_end")
    return MarketSize(
        sizes={
            name: Path(f"market_size_{name}", "CNY_million", periods, values, last, 12, flow=True)
            for name, values in draws.items()
        },
        origins=origins,
        gap=np.asarray(fit.posterior["coherence_gap"]),
        bottom_up=np.exp(np.asarray(fit.posterior["bottom_up"])),
        known=known(broad, "log", market_size.ceiling(fit.posterior, data)),
        evidence=sizes,
        cny_per_usd=float(rates["value"].astype(float).iloc[-1]),
        last_year=context.last_year,
        fit=fit,
        users_fit=adoption.fit,
    )


def _users_factor(context: Context, adoption: UserAdoption) -> np.ndarray:
    """Users of the scenario relative to the base scenario, at each future year's end. Dims: (year,)."""
    base = user_adoption.run(context.in_scenario("base"))
    years = range(context.last_year + 1, context.settings.horizon + 1)
    medians = [[np.median(result.users.year_end(y)) for y in years] for result in (adoption, base)]
    return np.array(medians[0]) / np.array(medians[1])
