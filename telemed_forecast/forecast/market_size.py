"""The market's size in three nested definitions: fit, forecast, and the money it is told in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.fits.store import Fit, fitted
from telemed_forecast.forecast import doctor_supply, user_adoption
from telemed_forecast.forecast.channel_share import bounds
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.money import Money
from telemed_forecast.forecast.paths import Forecast, Likelihood, Path, Target, Unpublished, by_target
from telemed_forecast.forecast.rivals import history
from telemed_forecast.models import market_size
from telemed_forecast.models.channel_share import Encounters
from telemed_forecast.models.likelihood import Printed
from telemed_forecast.models.market_evidence import (
    FULL_YEAR,
    SELLERS,
    WHOLE,
    Medicine,
    arrays,
    calendar_year,
    entering,
    joined,
    medicine,
    of_all_medicine,
    own_sales,
    size_rows,
)

SPEC = ModelSpec("market_size", market_size.build, drawn=("users_mean", "users_sd"))

LEVERS = (*user_adoption.LEVERS, "first_visits", "price", "payers", "prescription_drugs")
"""The levers that the forecast depends on."""

USERS = "online_medical_users_latent"
"""The path of users that encounters are counted from."""


@dataclass(frozen=True)
class Evidence:
    """The rows that the model reads, before they become arrays (money in CNY million).

    Attributes
    ----------
    sizes, volumes, encounters
        Published sizes that observe a definition, national online consultations a year, and encounters at hospitals and
        the largest platform by year.
    goods, shares, bases, sellers
        All medicine sales, parts of them sold online (percent), the sales on which shares of a part of the trade were
        printed, and own sales of the listed sellers.
    services
        The revenue of services that was taken off where sellers' accounts do not name their own sales.
    """

    sizes: Observations
    volumes: Observations
    goods: Medicine
    encounters: list[Encounters]
    shares: Observations
    bases: Observations
    sellers: Observations
    services: Observations

    @property
    def claims(self) -> tuple[str, ...]:
        """Claim ids of every row behind the fit, but for those of the users' model."""
        rows = (self.sizes, self.volumes, self.shares, self.bases, self.sellers, self.services)
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
    sellers, services = own_sales(
        *(context.observed(metric, *SELLERS) for metric in ("revenue_drug_sales", WHOLE, "revenue_platform_services"))
    )
    return Evidence(
        sizes=headline(context),
        volumes=_on_grid(context.observed("online_consultations", "national"), goods),
        goods=goods,
        encounters=bounds(context),
        shares=_on_grid(joined([context.observed("online_share_of_medicine_sales", "national"), *converted]), goods),
        bases=joined(used),
        sellers=sellers,
        services=services,
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


def definitions(observations: Observations) -> np.ndarray:
    """Names of what figures count. Dims: (obs,)."""
    return np.array(market_size.DEFINITIONS)[market_size.definitions(observations)]


def fit(context: Context) -> Fit:
    """The model fitted to what was known."""
    data, _ = _arrays(context, evidence(context), user_adoption.fit(context))
    return fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)


def _arrays(context: Context, rows: Evidence, users: Fit) -> tuple[dict[str, np.ndarray], list[str]]:
    """The model's arrays, and the names of the origins."""
    return arrays(
        rows.sizes,
        rows.volumes,
        rows.encounters,
        user_adoption.yearly_log_users(users),
        rows.goods,
        rows.shares,
        rows.sellers,
        rows.services,
        context.constants("market_size"),
    )


def run(context: Context) -> Forecast:
    """Fit the model to what was known and carry it to the horizon."""
    adoption, rows = user_adoption.run(context), evidence(context)
    data, origins = _arrays(context, rows, adoption.fit)
    model = fit(context)
    beside = paired(np.asarray(model.posterior["users_standard"]), adoption[USERS].year_end(context.last_year))
    users = replace(adoption[USERS], draws=adoption[USERS].draws[beside])
    ahead, size = context.settings.horizon - context.last_year, model.posterior.sizes["sample"]
    years = np.arange(context.last_year - market_size.GRID + 1, context.settings.horizon + 1)
    periods = tuple(date(int(y), 12, 31) for y in years)
    last = int(np.searchsorted(years, calendar_year(rows.sizes).max()))
    rng = context.generator("market_size")
    ahead_medicine = rows.goods.ahead(size, ahead, rng)
    draws = market_size.project(
        model.posterior,
        data,
        log_medicine_ahead=ahead_medicine,
        rng=rng,
        price_growth=context.scenario["price"],
        encounters_growth=context.scenario["first_visits"],
        payers_growth=context.scenario["payers"],
        drug_pace=context.scenario["prescription_drugs"],
        users_factor=_users_factor(context, adoption[USERS]),
    )

    broad = rows.sizes.where(market_size.definitions(rows.sizes) == market_size.DEFINITIONS.index("healthcare"))
    volume = _volume(context, model, users, periods)
    drawn = {f"market_size_{name}": ("CNY_million", values) for name, values in draws.items()}
    drawn["online_encounters"] = ("consultations", volume)
    return Forecast(
        market="market_size",
        as_of=context.settings.as_of_date,
        paths=by_target(drawn, periods, last, 12, flow=True),
        headline="market_size_healthcare",
        evidence={"sizes": rows.sizes, "shares": rows.shares, "sellers": rows.sellers},
        claims=tuple(dict.fromkeys((*rows.claims, *adoption.claims))),
        fit=model,
        known=history(broad, "log", market_size.ceiling(model.posterior, data)),
        built_on={"user_adoption": adoption},
        # By definition, the size from below by year of history (CNY million).
        draws=market_size.bottom_up(model.posterior),
        extras={
            "origins": origins,
            # The draws that go with the market's.
            "users": users,
            "goods": rows.goods,
            "medicine": _medicine(rows.goods, ahead_medicine),
            "money": Money.draw(context, years, size),
        },
    )


def gap(result: Forecast, definition: str) -> np.ndarray:
    """What is seen of a definition from above over what is from below, by year of history. Dims: (sample, year).

    From below are users x encounters x price, medicine sales x online share, and their sums (CNY million).
    """
    above = result[f"market_size_{definition}"].draws[:, : market_size.GRID]
    return np.asarray(above / result.draws[definition])


def read_beside(context: Context, result: Forecast) -> set[str]:
    """Claims of what stands beside the fit: the capacity of doctors and the conversion of money."""
    supply = doctor_supply.run(context, result)
    return {*result.extras["money"].claims, *(supply.claims if supply is not None else ())}


def _sizes(context: Context, definition: str) -> Observations:
    rows = context.observed("market_size", *market_size.SEGMENTS)
    whole = (rows.end - rows.start).astype(int) + 1 >= FULL_YEAR
    return rows.where((definitions(rows) == definition) & whole)


TARGETS: Mapping[str, Target] = {
    f"market_size_{name}": Target(partial(_sizes, definition=name), latent=True, flow=True)
    for name in market_size.DEFINITIONS
}

COVERED = {"market_size": tuple(market_size.SEGMENTS)}

UNPUBLISHED = (
    Unpublished("pharmacy_official", "official", "market_size_pharmacy", "last"),
    Unpublished("pharmacy_next_official", "official", "market_size_pharmacy", "next"),
    Unpublished("pharmacy_house", "house", "market_size_pharmacy", "last"),
    Unpublished("healthcare_house", "house", "market_size_healthcare", "last"),
    Unpublished("services_accounts", "accounts", "market_size_services", "last"),
    Unpublished("consultation_accounts", "accounts", "market_size_consultation", "last"),
    Unpublished("volume_official", "official", "online_encounters", "last"),
    Unpublished("price_panel", "panel", "price"),
)


def likelihoods(result: Forecast) -> list[Likelihood]:
    """The fit, whose rows are weighed by all three definitions."""
    sizes = [result[f"market_size_{name}"] for name in ("healthcare", "services", "consultation")]
    return [Likelihood(market_size.MODEL, result.fit, lambda *_: sizes)]


def printed(result: Forecast, observations: Observations, *, heard: bool = True) -> Printed:
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
    sizes = result.family("market_size")
    years = np.array([period.year for period in sizes["healthcare"].periods])
    days = (observations.end - observations.start).astype(int) + 1
    inside = np.isin(observations.segment, list(market_size.SEGMENTS)) & (days >= FULL_YEAR)
    inside &= np.isin(calendar_year(observations), years)
    rows, known = observations.where(inside), result.extras["origins"] if heard else []
    arrays_of = size_rows(rows, years, known)
    drawn = np.stack([sizes[name].draws for name in market_size.DEFINITIONS], axis=2)
    # The last slot is that of a publisher whose bias is not known.
    bias = np.pad(np.asarray(result.fit.posterior["origin_bias"]), ((0, 0), (0, 1)))
    return market_size.MODEL.printed(
        "size",
        result.fit.posterior,
        {"log_size": np.log(drawn), "origin_bias": bias},
        arrays_of,
        inside=inside,
        stranger=np.where(arrays_of["size_origin"] < 0, rows.origin, ""),
        spread="bias_spread",
    )


def predictive(result: Forecast, observations: Observations, rng: np.random.Generator) -> np.ndarray:
    """Draws of what would be printed in place of each size (CNY million; NaN outside). Dims: (sample, obs)."""
    return np.exp(printed(result, observations).draw(rng))


def prior_predictive(result: Forecast, rng: np.random.Generator, size: int = 1000) -> np.ndarray:
    """The healthcare definition on the history's years under the prior (CNY million). Dims: (size, year)."""
    drawn = market_size.prior_sample(result.fit.data, size, rng)
    return np.exp(drawn["log_size"][:, :, market_size.DEFINITIONS.index("healthcare")])


def _medicine(goods: Medicine, log_ahead: np.ndarray) -> np.ndarray:
    """All medicine sales, past and future (CNY million). Dims: (sample, year)."""
    past = np.broadcast_to(goods.log_sales[:-1], (len(log_ahead), len(goods.log_sales) - 1))
    return np.asarray(np.exp(np.concatenate([past, log_ahead], axis=1)))


def _volume(context: Context, fit: Fit, users: Path, periods: tuple[date, ...]) -> np.ndarray:
    """Online encounters of each year, past and future. Dims: (sample, year).

    After the last year of history: users of the users' model x encounters per user on their trend.
    """
    p = {name: np.asarray(fit.posterior[name]) for name in ("users_standard", "encounters", "encounters_trend")}
    ahead = np.arange(1, len(periods) - market_size.GRID + 1)
    yearly = fit.data["users_mean"] + p["users_standard"][:, None] * fit.data["users_sd"]
    past = yearly + p["encounters"][:, None] + p["encounters_trend"][:, None] * fit.data["age"]
    last = users.year_end(context.last_year)
    growth = np.stack([np.log(users.year_end(y.year) / last) for y in periods[market_size.GRID :]], axis=1)
    trend = p["encounters_trend"][:, None] + context.scenario["first_visits"]
    return np.exp(np.concatenate([past, past[:, -1:] + growth + trend * ahead], axis=1))


def paired(standard: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Which draw of the users' model goes with each draw of the market, so that both are draws of one joint posterior.

    The market knows the users by one number, how far they lie from their mean: draws of the same rank belong together.

    Parameters
    ----------
    standard
        The market's draws of that number. Dims: (sample,).
    users
        The users' model's draws of the users of the last year. Dims: (draw,), of a length of its own.

    Returns
    -------
    Positions of draws of users. Dims: (sample,).
    """
    rank = np.argsort(np.argsort(standard, kind="stable"), kind="stable")
    return np.argsort(users, kind="stable")[((rank + 0.5) * len(users) / len(standard)).astype(int)]


def _users_factor(context: Context, users: Path) -> np.ndarray:
    """Users of the scenario relative to the base scenario, at each future year's end. Dims: (year,)."""
    base = user_adoption.run(context.in_scenario("base"))[USERS]
    years = range(context.last_year + 1, context.settings.horizon + 1)
    medians = [[np.median(path.year_end(y)) for y in years] for path in (users, base)]
    return np.array(medians[0]) / np.array(medians[1])
