"""The market's size in three nested definitions: fit, forecast, and the money it is told in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.fits.store import Fit, fitted
from telemed_forecast.forecast import user_adoption
from telemed_forecast.forecast.channel_share import bounds
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.money import Money
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import History, history
from telemed_forecast.forecast.user_adoption import UserAdoption
from telemed_forecast.models import market_size
from telemed_forecast.models.channel_share import Encounters
from telemed_forecast.models.likelihood import Printed
from telemed_forecast.models.market_evidence import (
    FULL_YEAR,
    SELLERS,
    Medicine,
    arrays,
    calendar_year,
    entering,
    joined,
    medicine,
    of_all_medicine,
    size_rows,
)

SPEC = ModelSpec("market_size", market_size.build, drawn=("users_mean", "users_sd"))


@dataclass(frozen=True)
class MarketSize:
    """The forecast of the market's size.

    Attributes
    ----------
    sizes
        By definition (consultation, services, healthcare, pharmacy): CNY million a year, nominal.
    bottom_up
        The same from below, by year of history: users x encounters x price, medicine sales x online share, and their
        sums (CNY million). Dims: (sample, year).
    volume
        Online encounters a year.
    origins
        Names of the origins, in the order of the posterior's biases.
    known
        The estimates of the healthcare definition as rivals see them (CNY million a year).
    evidence
        The estimates that entered, in CNY million.
    shares, sellers
        Printed online shares of all medicine sales (percent), and the sellers' accounts (CNY million).
    goods
        All medicine sales.
    money
        Prices and exchange rates of every year.
    last_year
        Last full year of the grid; years after the newest estimate are inferred, not seen.
    claims
        Claim ids of every row that the fit read.
    fit, users_fit
        The fitted model, and the fit of the users that it builds on.
    """

    sizes: dict[str, Path]
    bottom_up: dict[str, np.ndarray]
    volume: Path
    origins: list[str]
    known: History
    evidence: Observations
    shares: Observations
    sellers: Observations
    goods: Medicine
    money: Money
    last_year: int
    claims: tuple[str, ...]
    fit: Fit
    users_fit: Fit

    def gap(self, definition: str) -> np.ndarray:
        """Coherence gap of a definition by year of history: what is seen from above over what is from below.

        Dims: (sample, year).
        """
        return self.sizes[definition].draws[:, : market_size.GRID] / self.bottom_up[definition]


@dataclass(frozen=True)
class Evidence:
    """The rows that the model reads, before they become arrays.

    Attributes
    ----------
    sizes
        Published sizes that observe a definition (CNY million).
    volumes
        National online consultations a year.
    encounters
        Encounters at hospitals and the largest platform by year.
    goods
        All medicine sales.
    shares
        Parts of all medicine sales sold online (percent).
    bases
        Sales on which the shares of a part of the trade were printed (CNY million).
    sellers
        Own sales of the listed sellers (CNY million).
    """

    sizes: Observations
    volumes: Observations
    goods: Medicine
    encounters: list[Encounters]
    shares: Observations
    bases: Observations
    sellers: Observations

    @property
    def claims(self) -> tuple[str, ...]:
        """Claim ids of every row behind the fit, but for those of the users' model."""
        rows = (self.sizes, self.volumes, self.shares, self.bases, self.sellers)
        paired = [c for e in self.encounters for c in e.claims]
        return tuple(dict.fromkeys([*(str(c) for o in rows for c in o.claim_id), *paired, *self.goods.claims]))


def evidence(context: Context) -> Evidence:
    """Read the rows known on the context's date."""
    goods = medicine(
        context.observed("drug_circulation_sales", "national"),
        context.observed("total_health_expenditure", "national"),
        np.arange(context.last_year - market_size.GRID + 1, context.last_year + 1),
    )
    pairs = [
        (context.observed("online_share_of_pharmacy_retail", "national"), ("pharmacy_retail_sales", "national")),
        (
            context.observed("digital_share_of_out_of_hospital_drugs", "national"),
            ("market_size", "out_of_hospital_drug_circulation"),
        ),
    ]
    based = [(share, context.observed(*base)) for share, base in pairs]
    converted = [of_all_medicine(share, base, goods) for share, base in based]
    # Only the base of a share's own year speaks.
    used = [
        base.where(np.isin(calendar_year(base), calendar_year(share)))
        for share, (_, base) in zip(converted, based, strict=True)
    ]
    return Evidence(
        sizes=headline(context),
        volumes=_on_grid(context.observed("online_consultations", "national"), goods),
        goods=goods,
        encounters=bounds(context),
        shares=_on_grid(joined([context.observed("online_share_of_medicine_sales", "national"), *converted]), goods),
        bases=joined(used),
        sellers=context.observed("revenue_drug_sales", *SELLERS),
    )


def _on_grid(rows: Observations, goods: Medicine) -> Observations:
    """The rows of the model's years."""
    return rows.where(np.isin(calendar_year(rows), goods.years))


def headline(context: Context) -> Observations:
    """The published sizes that may enter the likelihood, in CNY million."""
    return entering(context.observed("market_size", *market_size.SEGMENTS), context.last_year)


def comparable(observations: Observations) -> np.ndarray:
    """Which are of the broad definition and a whole year: what rivals learn from and are scored on. Dims: (obs,)."""
    broad = market_size.definitions(observations) == market_size.DEFINITIONS.index("healthcare")
    return broad & (observations.end - observations.start > np.timedelta64(300, "D"))


def fit(context: Context) -> Fit:
    """The model fitted to what was known."""
    data, _ = _arrays(evidence(context), user_adoption.fit(context))
    return fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)


def _arrays(rows: Evidence, users: Fit) -> tuple[dict[str, np.ndarray], list[str]]:
    """The model's arrays, and the names of the origins."""
    return arrays(
        rows.sizes,
        rows.volumes,
        rows.encounters,
        user_adoption.yearly_log_users(users),
        rows.goods,
        rows.shares,
        rows.sellers,
    )


def run(context: Context) -> MarketSize:
    """Fit the model to what was known and carry it to the horizon."""
    adoption, rows = user_adoption.run(context), evidence(context)
    data, origins = _arrays(rows, adoption.fit)
    model = fit(context)
    ahead, size = context.settings.horizon - context.last_year, model.posterior.sizes["sample"]
    years = np.arange(context.last_year - market_size.GRID + 1, context.settings.horizon + 1)
    periods = tuple(date(int(y), 12, 31) for y in years)
    last = int(np.searchsorted(years, calendar_year(rows.sizes).max()))
    rng = context.generator("market_size")
    draws = market_size.project(
        model.posterior,
        data,
        log_medicine_ahead=rows.goods.ahead(size, ahead, rng),
        rng=rng,
        price_growth=context.scenario["price"],
        encounters_growth=context.scenario["first_visits"],
        payers_growth=context.scenario["payers"],
        drug_pace=context.scenario["prescription_drugs"],
        users_factor=_users_factor(context, adoption),
    )

    def path(target: str, unit: str, values: np.ndarray) -> Path:
        return Path(target, unit, periods, values, last, 12, flow=True)

    read_as = market_size.definitions(rows.sizes)
    broad = rows.sizes.where(read_as == market_size.DEFINITIONS.index("healthcare"))
    return MarketSize(
        sizes={name: path(f"market_size_{name}", "CNY_million", values) for name, values in draws.items()},
        bottom_up=market_size.bottom_up(model.posterior),
        volume=path("online_encounters", "consultations", _volume(context, model, adoption, periods)),
        origins=origins,
        known=history(broad, "log", market_size.ceiling(model.posterior, data)),
        evidence=rows.sizes,
        shares=rows.shares,
        sellers=rows.sellers,
        goods=rows.goods,
        money=Money.draw(context, years, size),
        last_year=context.last_year,
        claims=tuple(dict.fromkeys((*rows.claims, *adoption.claims))),
        fit=model,
        users_fit=adoption.fit,
    )


def printed(result: MarketSize, observations: Observations, *, heard: bool = True) -> Printed:
    """What is expected to be printed in place of each published size.

    Parameters
    ----------
    result
        The forecast.
    observations
        Published sizes (CNY million), seen by the fit or not.
    heard
        Whether the fit has heard of the publishers; without, each has a bias of which nothing is known.

    Returns
    -------
    Log CNY million, for full years of the forecast in a segment that is a definition.
    """
    years = np.array([period.year for period in result.sizes["healthcare"].periods])
    days = (observations.end - observations.start).astype(int) + 1
    inside = np.isin(observations.segment, list(market_size.SEGMENTS)) & (days >= FULL_YEAR)
    inside &= np.isin(calendar_year(observations), years)
    rows, known = observations.where(inside), result.origins if heard else []
    arrays_of = size_rows(rows, years, known)
    sizes = np.stack([result.sizes[name].draws for name in market_size.DEFINITIONS], axis=2)
    # The last slot is that of a publisher whose bias is not known.
    bias = np.pad(np.asarray(result.fit.posterior["origin_bias"]), ((0, 0), (0, 1)))
    return market_size.MODEL.printed(
        "size",
        result.fit.posterior,
        {"log_size": np.log(sizes), "origin_bias": bias},
        arrays_of,
        inside=inside,
        stranger=np.where(arrays_of["size_origin"] < 0, rows.origin, ""),
        spread="bias_spread",
    )


def predictive(result: MarketSize, observations: Observations, rng: np.random.Generator) -> np.ndarray:
    """Draws of what would be printed in place of each size (CNY million; NaN outside). Dims: (sample, obs)."""
    return np.exp(printed(result, observations).draw(rng))


def prior_predictive(result: MarketSize, rng: np.random.Generator, size: int = 1000) -> np.ndarray:
    """The healthcare definition on the history's years under the prior (CNY million). Dims: (size, year)."""
    drawn = market_size.prior_sample(result.fit.data, size, rng)
    return np.exp(drawn["log_size"][:, :, market_size.DEFINITIONS.index("healthcare")])


def _volume(context: Context, fit: Fit, adoption: UserAdoption, periods: tuple[date, ...]) -> np.ndarray:
    """Online encounters of each year, past and future. Dims: (sample, year).

    After the last year of history: users of the users' model (independent draws) x encounters per user on their trend.
    """
    p = {name: np.asarray(fit.posterior[name]) for name in ("users_standard", "encounters", "encounters_trend")}
    ahead = np.arange(1, len(periods) - market_size.GRID + 1)
    users = fit.data["users_mean"] + p["users_standard"][:, None] * fit.data["users_sd"]
    past = users + p["encounters"][:, None] + p["encounters_trend"][:, None] * fit.data["age"]
    last = adoption.users.year_end(context.last_year)
    growth = np.stack([np.log(adoption.users.year_end(y.year) / last) for y in periods[market_size.GRID :]], axis=1)
    trend = p["encounters_trend"][:, None] + context.scenario["first_visits"]
    return np.exp(np.concatenate([past, past[:, -1:] + growth + trend * ahead], axis=1))


def _users_factor(context: Context, adoption: UserAdoption) -> np.ndarray:
    """Users of the scenario relative to the base scenario, at each future year's end. Dims: (year,)."""
    base = user_adoption.run(context.in_scenario("base"))
    years = range(context.last_year + 1, context.settings.horizon + 1)
    medians = [[np.median(result.users.year_end(y)) for y in years] for result in (adoption, base)]
    return np.array(medians[0]) / np.array(medians[1])
