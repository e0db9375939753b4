"""A thinned part of the draws with the shocks of the forecast: what a projection needs to be made again elsewhere.

A projection is a function of the posterior's draws, of the shocks, and of the levers. Whoever has the first two can
move the levers and gets what this package would have got for these draws, with no model and no sampler.

Draws are thinned evenly over the number that a market is known by, at the horizon, and within its bands over a second
one: these keep their quantiles almost exactly, every other number keeps what chance leaves of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import inputs as hospital_inputs
from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.models import adoption, internet_hospitals, later_waves, licensing_policy, market_size, odds
from telemed_forecast.models.growth import PARAMETERS
from telemed_forecast.models.model import draws
from telemed_forecast.models.priors import growth_prior, surge_prior

SIZE = 2000
"""Draws that are kept of each market; all of them where there are fewer."""

BANDS = 50
"""Bands of equally many draws: the ends of an 80% interval, and the median, lie between two of them."""

SECOND = {"market_size": "market_size_services"}
"""What the draws of a market are kept for beside the number that it is known by."""

Columns = dict[str, np.ndarray]
"""Numbers by name, of each draw, (draw,) or (draw, step), or the same for all, (1, step).

A growth process has ``<name>_log_rate``, ``_theta``, ``_log_innovation``, ``_log_sigma``, ``_rho``, ``_level`` (log, at
the end of the past or over it), ``_deviation`` (the last), ``_shock`` and ``_ceiling`` (log, by step), and ``_law``:
length of a step, floor, elasticity and largest growth.
"""


def thinned(numbers: np.ndarray, second: np.ndarray | None = None, size: int = SIZE) -> np.ndarray:
    """Positions of the draws to keep, ascending. Dims: (draw,).

    Parameters
    ----------
    numbers
        What the draws are first of all kept for: of each of `BANDS` of it equally many are.
    second
        Of each band every so many by this number; by the first where there is no second.
    size
        How many to keep; all where there are fewer.
    """
    count = min(size, len(numbers))
    rank = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
    order = np.lexsort((numbers if second is None else second, rank * BANDS // len(numbers)))
    return np.asarray(np.sort(order[((np.arange(count) + 0.5) * len(numbers) / count).astype(int)]))


def kept(context: Context, results: Mapping[str, Forecast], size: int = SIZE) -> dict[str, Columns]:
    """The draws of the markets that levers move, by market: size, users, hospitals.

    Parameters
    ----------
    context
        The settings: their seed gives the shocks.
    results
        Market -> its forecast, in any scenario: draws and shocks are those of all of them.
    size
        At most so many draws of each.
    """
    horizon = context.settings.horizon
    made = {"market_size": _market, "user_adoption": _users, "internet_hospitals": _hospitals}
    found = {}
    for name, columns in made.items():
        result, own = results[name], columns(context, results[name])
        second = result[SECOND[name]].year_end(horizon) if name in SECOND else None
        chosen = thinned(result.path.year_end(horizon), second, size)
        found[name] = {key: value if len(value) == 1 else value[chosen] for key, value in own.items()}
    return found


def _market(context: Context, result: Forecast) -> Columns:
    p, count = draws(result.fit.posterior), result.fit.posterior.sizes["sample"]
    steps = context.settings.horizon - context.last_year
    rng = context.generator("market_size")
    log_medicine = result.extras["goods"].ahead(count, steps, rng)
    nu, money = growth_prior("any").nu, result.extras["money"]
    # In the order in which `market_size.project` asks for them.
    shocks = {name: rng.standard_t(nu, (steps, count)).T for name in ("pharmacy", "consultation")}
    reach = odds.log_expit(p["pharmacy_logit_ceiling"])[:, None]
    level = p["consultation_log_level"]
    return {
        **_growth("pharmacy", "any", market_size.STEP, p, shocks["pharmacy"]),
        "pharmacy_level": p["pharmacy_log_level"],
        "pharmacy_ceiling": log_medicine[:, :-1] + reach,
        **_growth("consultation", "any", market_size.STEP, p, shocks["consultation"]),
        "consultation_level": level,
        "consultation_ceiling": level[:, -1] + p["consultation_distance"],
        "other_services": p["other_services"],
        "log_prices": np.log(money.level),
        "log_rate": np.log(money.rate),
    }


def _users(context: Context, result: Forecast) -> Columns:
    p, data = draws(result.fit.posterior), result.fit.data
    count, last = result.fit.posterior.sizes["sample"], float(data["grid"][-1])
    steps = len(result.path.periods) - adoption.GRID
    ahead = last + adoption.STEP * np.arange(steps)
    population = np.log(adoption.residents(result.evidence["population"], ahead))
    rng, surge = context.generator("user_adoption"), surge_prior()
    # In the order in which `adoption.project` asks for them.
    shocks = {name: rng.standard_t(growth_prior(kind).nu, (steps, count)).T for name, kind in adoption.CLASS.items()}
    known = int((data["wave"] <= last).sum())
    at = later_waves.arrivals(known=known, last=last, size=count, rng=rng)
    share = later_waves.gained(p, known=known, prior=surge, rng=rng)
    # Waves after the horizon never come here; their day is of no interest.
    end = last + adoption.STEP * steps + 1.0
    come = (at < end).any(axis=0)
    return {
        **_growth("internet", adoption.CLASS["internet"], adoption.STEP, p, shocks["internet"]),
        "internet_level": p["internet_log_level"][:, -1:],
        "internet_ceiling": odds.log_expit(p["internet_logit_ceiling"])[:, None] + population,
        **_growth("usage", adoption.CLASS["usage"], adoption.STEP, p, shocks["usage"]),
        "usage_level": p["usage_log_level"][:, -1:],
        "logit_ceiling": p["usage_logit_ceiling"],
        "logit_kept": p["surge_logit_kept"],
        "log_half_life": np.log(p["surge_half_life"]),
        "gained": p["surge_gained"],
        "wave": np.asarray(data["wave"], dtype=float)[None],
        "later_at": np.minimum(at, end)[:, come],
        "later_gained": share[:, come],
        "grid": (last + adoption.STEP * np.arange(steps + 1))[None],
    }


def _hospitals(context: Context, result: Forecast) -> Columns:
    p, count = draws(result.fit.posterior), result.fit.posterior.sizes["sample"]
    counts, pool, _, events = hospital_inputs(context)
    end, steps = internet_hospitals.grid_end(counts), len(result.path.periods) - internet_hospitals.GRID
    ahead = end + internet_hospitals.STEP * np.arange(steps + 1)
    log_pool = np.log(internet_hospitals.eligible(pool, ahead))[:-1]
    reach, rng = internet_hospitals.log_reach(p), context.generator("internet_hospitals")
    columns: Columns = {
        "policy": internet_hospitals.policy_shock(
            p["event_effect"], p["policy_fade"], licensing_policy.years_since(events, ahead)
        ),
        "grid": ahead[None],
    }
    # In the order in which `internet_hospitals.project` asks for shocks.
    nu = growth_prior(internet_hospitals.CLASS).nu
    for sponsor in internet_hospitals.SPONSORS:
        shocks = rng.standard_t(nu, (steps, count)).T
        columns |= _growth(sponsor, internet_hospitals.CLASS, internet_hospitals.STEP, p, shocks)
        columns[f"{sponsor}_level"] = p[f"{sponsor}_log_level"][:, -1:]
        columns[f"{sponsor}_ceiling"] = log_pool + reach[sponsor][:, None]
    return columns


def _growth(name: str, kind: str, step: float, p: Mapping[str, np.ndarray], shocks: np.ndarray) -> Columns:
    """The parameters of a process, those that are positive as logs, the state at its end, its shocks, and its law."""
    prior = growth_prior(kind)
    stated = {key: p[f"{name}_{key}"] for key in PARAMETERS}
    own = {
        **{f"log_{key}": np.log(stated.pop(key)) for key in ("rate", "innovation", "sigma")},
        **stated,
        "deviation": p[f"{name}_deviation"][:, -1],
        "shock": shocks,
        "law": np.array([[step, prior.floor, prior.elasticity, prior.max_growth]]),
    }
    return {f"{name}_{key}": value for key, value in own.items()}
