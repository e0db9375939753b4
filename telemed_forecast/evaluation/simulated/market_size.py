"""A made-up market: sizes from above and from below, publishers' biases, sellers' accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.evaluation.simulated.figures import Numbers, Speaking, log_likelihood
from telemed_forecast.evaluation.simulated.growth import process, shock_size
from telemed_forecast.models import market_evidence
from telemed_forecast.models import market_size as model
from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.priors import growth_prior

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.forecast.context import Context

AHEAD = 5
"""Years into the future."""


def design(context: Context) -> Numbers:
    """The layout of the figures known on the context's date.

    The users, which the model takes from their own fit, are made up: 100 million in 2015, 400 in 2026, known to 5%.
    """
    from telemed_forecast.forecast import market_size as forecast

    rows, years = forecast.evidence(context), np.arange(2015, 2027)
    users = years, np.log(np.linspace(1e8, 4e8, len(years))), np.full(len(years), 0.05)
    return market_evidence.arrays(
        rows.sizes, rows.volumes, rows.encounters, users, rows.goods, rows.shares, rows.sellers
    )[0]


def truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw of everything, kept with the probability that the two coherence gaps have."""
    while True:
        found = _from_above(design, rng)
        if found is None:
            continue
        below = _from_below(design, rng)
        gaps = (
            found["consultation_log_level"] - below["bottom_up"],
            found["pharmacy_log_level"] - below["pharmacy_bottom_up"],
        )
        if np.log(rng.uniform()) < sum(-0.5 * (gap[-1] / model.COHERENCE) ** 2 for gap in gaps):
            break
    other = rng.normal(*model.OTHER_SERVICES)
    spread = rng.lognormal(*model.BIAS_SPREAD)
    c, p = found["consultation_log_level"], found["pharmacy_log_level"]
    services = c + np.log1p(np.exp(other))
    volatility = rng.lognormal(*model.SELLER_VOLATILITY)
    steps = volatility * rng.standard_normal(model.GRID - 1)
    back = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    rest = {
        "other_services": other,
        "bias_spread": spread,
        "origin_bias": spread * rng.standard_normal(model.ORIGINS),
        "estimate_noise": rng.lognormal(*model.ESTIMATE_NOISE),
        "log_size": np.stack([c, services, np.logaddexp(services, p), p], axis=1),
        "seller_volatility": volatility,
        "seller_share": rng.normal(*model.SELLER_SHARE) - back,
        "second_seller": rng.normal(*model.SECOND_SELLER),
    }
    return found | below | {name: np.asarray(value) for name, value in rest.items()}


def _from_above(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers | None:
    """Both growth processes and their ceilings, or None where a path runs into its wall."""
    distance = rng.lognormal(*growth_prior("any").log_distance)
    reach = rng.normal(*model.MEDICINE_CEILING)
    ceilings = {
        "consultation": np.full(model.GRID, design["consultation_guess"][-1] + distance),
        "pharmacy": design["log_medicine"] - np.log1p(np.exp(-reach)),
    }
    found = {"consultation_distance": np.asarray(distance), "pharmacy_logit_ceiling": np.asarray(reach)}
    for name, ceiling in ceilings.items():
        start, prior = design[f"{name}_guess"][0], growth_prior("any")
        path = process(name, start=start, log_ceiling=ceiling, step=model.STEP, prior=prior, rng=rng)
        if path is None:
            return None
        found |= path
    return found


def _from_below(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    age = design["age"]
    drawn = {
        name: rng.normal(*pair)
        for name, pair in {
            "encounters": model.ENCOUNTERS,
            "encounters_trend": model.ENCOUNTERS_TREND,
            "price": model.PRICE,
            "price_trend": model.PRICE_TREND,
            "online_share": model.ONLINE_SHARE,
            "online_share_trend": model.ONLINE_SHARE_TREND,
        }.items()
    }
    users = rng.standard_normal() * design["users_sd"] + design["users_mean"]
    volume = users + drawn["encounters"] + drawn["encounters_trend"] * age
    price = drawn["price"] + drawn["price_trend"] * age
    online = drawn["online_share"] + drawn["online_share_trend"] * age
    return {name: np.asarray(value) for name, value in drawn.items()} | {
        "bottom_up": volume + price - np.log(1e6),
        "pharmacy_bottom_up": design["log_medicine"] - np.log1p(np.exp(-online)),
    }


def speak(draws: Dataset, design: Mapping[str, np.ndarray]) -> Speaking:
    """What sizes, volumes, online shares and sellers' accounts speak of, and their noise. Dims: (sample, obs)."""
    p = {str(name): np.asarray(values) for name, values in draws.items()}
    age = design["age"]
    sales = p["pharmacy_log_level"] - np.log1p(np.exp(-p["seller_share"]))
    sizes = p["log_size"][:, design["size_year"], design["size_definition"]]
    price = p["price"][:, None] + p["price_trend"][:, None] * age
    volume = p["bottom_up"] - price + np.log(1e6)
    online = p["online_share"][:, None] + p["online_share_trend"][:, None] * age
    second = p["second_seller"][:, None] * design["seller_second"]
    none = np.zeros((1, 1))
    said = {
        "size": (sizes + p["origin_bias"][:, design["size_origin"]], p["estimate_noise"][:, None]),
        "volume": (volume[:, design["volume_year"]], none),
        "online": (online[:, design["online_year"]], none),
        "seller": (on_grid(sales, design["seller_at"]) + second, none),
    }
    return {
        block: (mu, np.broadcast_to(np.hypot(design[f"{block}_scale"], noise), mu.shape))
        for block, (mu, noise) in said.items()
    }


def quantities(draws: Dataset, data: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """What calibration is checked for. Dims: (sample,)."""
    names = [f"{which}_{name}" for which in ("consultation", "pharmacy") for name in ("rate", "sigma", "rho")]
    names += ["consultation_distance", "pharmacy_logit_ceiling", "other_services", "bias_spread", "estimate_noise"]
    names += ["encounters", "price", "online_share", "second_seller", "seller_volatility"]
    number = len(draws["price"])
    ahead = np.tile(data["log_medicine"][-1] + 0.03 * np.arange(AHEAD + 1), (number, 1))
    carried = model.project(draws, data, log_medicine_ahead=ahead, rng=rng)
    reach = -np.log1p(np.exp(-draws["pharmacy_logit_ceiling"].to_numpy()))[:, None]
    distance = draws["consultation_distance"].to_numpy()[:, None]
    ceilings = {
        "consultation": np.repeat(data["consultation_guess"][-1] + distance, model.GRID, axis=1),
        "pharmacy": data["log_medicine"] + reach,
    }
    steps = np.diff(draws["seller_share"].to_numpy(), axis=1) / draws["seller_volatility"].to_numpy()[:, None]
    size = draws["log_size"].to_numpy()
    return {
        **{name: draws[name].to_numpy() for name in names},
        **{
            f"{name}_shocks": shock_size(draws, name, log_ceiling=ceiling, step=model.STEP, prior=growth_prior("any"))
            for name, ceiling in ceilings.items()
        },
        # Steps in units of their stated scale: what `shock_size` is to a growth process.
        "seller_steps": np.mean(steps**2, axis=1),
        "first_level": size[:, 0, model.DEFINITIONS.index("healthcare")],
        "last_level": size[:, -1, model.DEFINITIONS.index("healthcare")],
        "last_consultation": size[:, -1, model.DEFINITIONS.index("consultation")],
        # Of the publisher with the most figures.
        "origin_bias": draws["origin_bias"].to_numpy()[:, np.bincount(data["size_origin"]).argmax()],
        "coherence_gap": size[:, -1, 0] - draws["bottom_up"].to_numpy()[:, -1],
        "five_years_ahead": carried["healthcare"][:, -1],
        "figures": log_likelihood(speak, draws, data),
    }
