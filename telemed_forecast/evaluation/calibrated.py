"""What is calibrated: each model on the layout of the real ledger, and the quantities whose truths are ranked.

References
----------
Modrak et al. (2023), Simulation-based calibration checking for Bayesian computation: the choice of test quantities
shapes sensitivity, Bayesian Analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.forecast import channel_share as forecast_share
from telemed_forecast.forecast import internet_hospitals as forecast_hospitals
from telemed_forecast.forecast import market_size as forecast_market
from telemed_forecast.forecast import user_adoption as forecast_users
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import adoption, channel_share, internet_hospitals, market_evidence, market_size
from telemed_forecast.models.model import Model

Numbers = Mapping[str, np.ndarray]
"""Draws with the dims (sample, ...), or arrays of a fit, by name."""

LAW = ("rate", "sigma", "rho")
"""Parameters of a growth process that are looked at."""


@dataclass(frozen=True)
class Calibrated:
    """One model to be calibrated.

    Attributes
    ----------
    spec, model
        What is fitted, and what it states.
    design
        The layout of the figures known on a context's date: arrays of a fit.
    quantities
        (draws, arrays, generator) -> what is ranked beside :func:`of_all`. Dims: (sample,).
    """

    spec: ModelSpec
    model: Model
    design: Callable[[Context], Numbers]
    quantities: Callable[[Numbers, Numbers, np.random.Generator], Numbers]


def of_all(model: Model, p: Numbers, d: Numbers) -> dict[str, np.ndarray]:
    """Quantities of parameters and paths, or of parameters and figures, together. Dims: (sample,).

    ``<process>_shocks`` is the mean of log(1 + z^2 / nu) over the shocks z of a path in units of their stated scale,
    the exponent of their density: figures that are few say little about it, but a path that is calmer or wilder than
    its own parameters state is seen in it at once. ``figures``, the joint log likelihood, sees what ranks of parameters
    cannot, such as figures that are left out.
    """
    found = {}
    for name, process in model.growth(p, d, np).items():
        _, innovations, scale, _ = process.shocks(name, p)
        found[f"{name}_shocks"] = np.log1p((innovations / scale) ** 2 / process.prior.nu).mean(axis=1)
    terms = model.log_likelihoods(p, d).values()
    return found | {"figures": np.sum([term.sum(axis=1) for term in terms], axis=0)}


def _users(p: Numbers, d: Numbers, rng: np.random.Generator) -> dict[str, np.ndarray]:
    names = [f"usage_{name}" for name in (*LAW, "logit_ceiling")]
    names += ["surge_logit_kept", "surge_half_life", "survey_noise", "regional_spread", "internet_rate"]
    # Five years ahead, of a population that stands still.
    carried = adoption.project(p, d, log_population_ahead=np.full(10, d["log_population"][-1]), rng=rng)
    return {name: p[name] for name in names} | {
        "first_wave": p["surge_gained"][:, 0],
        "second_wave": p["surge_gained"][:, 1],
        "definition_2020": p["definition_offset"][:, 1],
        "name_until_2022": p["definition_offset"][:, 2],
        "first_level": carried["users"][:, 0],
        "last_level": carried["users"][:, adoption.GRID - 1],
        "five_years_ahead": carried["published"][:, -1],
    }


def _hospitals(p: Numbers, d: Numbers, rng: np.random.Generator) -> dict[str, np.ndarray]:
    names = [f"{sponsor}_{name}" for sponsor in internet_hospitals.SPONSORS for name in LAW]
    names += ["hospital_logit_ceiling", "firm_log_ceiling", "policy_fade", "origin_spread", "reporting_noise"]
    own, firms = p["hospital_log_level"], p["firm_log_level"]
    pool = d["log_pool"][-1] + 0.01 * np.arange(7)
    return {name: p[name] for name in names} | {
        "first_level": own[:, 0],
        "last_level": np.logaddexp(own[:, -1], firms[:, -1]),
        "last_split": own[:, -1] - firms[:, -1],
        "event_effect": p["event_effect"][:, 2],
        "origin_offset": p["origin_offset"][:, 0],
        "three_years_ahead": internet_hospitals.project(p, d, log_pool_ahead=pool, rng=rng)["count"][:, -1],
    }


def _channels(p: Numbers, d: Numbers, rng: np.random.Generator) -> dict[str, np.ndarray]:
    carried = channel_share.project(p, ahead(d, 3), rng=rng)
    steps = np.diff(p["walk"], axis=2) / p["walk_scale"][:, None, None]
    return {name: p[name] for name in ("walk_scale", "new_offset", "share_noise")} | {
        # Steps in units of their stated scale: what shocks are to a growth process.
        "walk_steps": np.mean(steps**2, axis=(1, 2)),
        "first_level": p["factor"][:, 0],
        "last_level": p["factor"][:, -1],
        "measure_offset": p["measure_offset"][:, 1],
        "walk": p["walk"][:, 0, -1],
        "encounters_ahead": carried["encounters"][:, -1],
        "revenue_ahead": carried["revenue"][:, -1],
    }


def ahead(d: Numbers, years: int) -> tuple[np.ndarray, np.ndarray]:
    """Moments of the factor over a layout's grid and some years more, in which it walks on from its last level."""
    grid = len(d["factor_mean"])
    chosen = np.minimum(np.arange(grid + years), grid - 1)
    covariance = (d["factor_root"] @ d["factor_root"].T)[np.ix_(chosen, chosen)]
    gone = np.maximum(np.arange(grid + years) - grid + 1, 0)
    return d["factor_mean"][chosen], covariance + 0.02 * np.minimum.outer(gone, gone)


def _market(p: Numbers, d: Numbers, rng: np.random.Generator) -> dict[str, np.ndarray]:
    names = [f"{which}_{name}" for which in ("consultation", "pharmacy") for name in LAW]
    names += ["consultation_distance", "pharmacy_logit_ceiling", "other_services", "bias_spread", "estimate_noise"]
    names += ["common_bias", "encounters", "price", "online_share", "second_seller", "seller_volatility"]
    medicine = np.tile(d["log_medicine"][-1] + 0.03 * np.arange(6), (len(p["price"]), 1))
    carried = market_size.project(p, d, log_medicine_ahead=medicine, rng=rng)
    steps = np.diff(p["seller_share"], axis=1) / p["seller_volatility"][:, None]
    broad, narrow = (p["log_size"][..., market_size.DEFINITIONS.index(n)] for n in ("healthcare", "consultation"))
    return {name: p[name] for name in names} | {
        "seller_steps": np.mean(steps**2, axis=1),
        "first_level": broad[:, 0],
        "last_level": broad[:, -1],
        "last_consultation": narrow[:, -1],
        # Of the publisher with the most figures.
        "origin_bias": p["origin_bias"][:, np.bincount(d["size_origin"]).argmax()],
        "coherence_gap": p["coherence_gap"][:, -1],
        "five_years_ahead": carried["healthcare"][:, -1],
    }


def _design_of_users(context: Context) -> Numbers:
    return forecast_users.arrays(context)


def _design_of_hospitals(context: Context) -> Numbers:
    return forecast_hospitals.arrays(context)[0]


def _design_of_channels(context: Context) -> Numbers:
    """The factor's moments, which the model takes from the fit of internet hospitals, are made up."""
    shares = forecast_share.published_shares(context)
    bounds = forecast_share.bounds(context), forecast_share.revenue_bounds(context)
    return channel_share.arrays(rising_factor(), shares["new"], shares["preference"], *bounds, context.last_year)


def rising_factor() -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a factor that rises, known to about 20% points. Dims: (time,), (time, time)."""
    years = np.arange(channel_share.GRID)
    covariance = 0.05 + 0.02 * np.minimum.outer(years, years) + 0.001 * np.eye(len(years))
    return np.linspace(0.3, 1.0, len(years)), covariance


def _design_of_market(context: Context) -> Numbers:
    """The users, which the model takes from their own fit, are made up: 100 million in 2015, 400 in 2026, to 5%."""
    rows, years = forecast_market.evidence(context), np.arange(2015, 2027)
    users = years, np.log(np.linspace(1e8, 4e8, len(years))), np.full(len(years), 0.05)
    figures = rows.sizes, rows.volumes, rows.encounters, users, rows.goods, rows.shares, rows.sellers, rows.services
    return market_evidence.arrays(*figures)[0]


MODELS: Mapping[str, Calibrated] = MappingProxyType(
    {
        "market_size": Calibrated(forecast_market.SPEC, market_size.MODEL, _design_of_market, _market),
        "internet_hospitals": Calibrated(
            forecast_hospitals.SPEC, internet_hospitals.MODEL, _design_of_hospitals, _hospitals
        ),
        "channel_share": Calibrated(forecast_share.SPEC, channel_share.MODEL, _design_of_channels, _channels),
        "user_adoption": Calibrated(forecast_users.SPEC, adoption.MODEL, _design_of_users, _users),
    }
)
"""Models that are calibrated, in the order of the reports."""
