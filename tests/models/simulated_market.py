"""A made-up market whose truth is known, on the layout of the real evidence: a draw from the stated priors.

As in `simulated`, only the model's constants and plain formulas are used, never its graph.
"""

from collections.abc import Mapping

import numpy as np
import simulated

from telemed_forecast.models import market_size as model
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.priors import growth_prior

Numbers = dict[str, np.ndarray]


def _path(name: str, start: float, log_ceiling: np.ndarray, rng: np.random.Generator) -> Numbers | None:
    """One process, or None where its path runs into the wall."""
    prior = growth_prior("any")
    known = simulated.parameters(prior, rng)
    first = rng.normal(start, prior.start_sd)
    level, deviation = simulated.growth_path(
        known, start=first, log_ceiling=log_ceiling, step=model.STEP, prior=prior, rng=rng
    )
    if not simulated.below_the_wall(level, log_ceiling, rng):
        return None
    found = {f"{name}_{key}": np.asarray(value) for key, value in known.items()}
    return found | {f"{name}_log_level": level, f"{name}_deviation": deviation}


def truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw of everything, kept with the probability that the two coherence gaps have."""
    while True:
        distance = rng.lognormal(*growth_prior("any").log_distance)
        reach = rng.normal(*model.MEDICINE_CEILING)
        flat = np.full(model.GRID, design["consultation_guess"][-1] + distance)
        goods = design["log_medicine"] - np.log1p(np.exp(-reach))
        consultation = _path("consultation", design["consultation_guess"][0], flat, rng)
        pharmacy = _path("pharmacy", design["pharmacy_guess"][0], goods, rng)
        if consultation is None or pharmacy is None:
            continue
        below = _from_below(design, rng)
        gaps = (
            consultation["consultation_log_level"] - below["bottom_up"],
            pharmacy["pharmacy_log_level"] - below["pharmacy_bottom_up"],
        )
        if np.log(rng.uniform()) < sum(-0.5 * (gap[-1] / model.COHERENCE) ** 2 for gap in gaps):
            break
    other = rng.normal(*model.OTHER_SERVICES)
    spread = rng.lognormal(*model.BIAS_SPREAD)
    c, p = consultation["consultation_log_level"], pharmacy["pharmacy_log_level"]
    services = c + np.log1p(np.exp(other))
    steps = rng.lognormal(*model.SELLER_VOLATILITY) * rng.standard_normal(model.GRID - 1)
    back = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    rest = {
        "consultation_distance": distance,
        "pharmacy_logit_ceiling": reach,
        "other_services": other,
        "bias_spread": spread,
        "origin_bias": spread * rng.standard_normal(model.ORIGINS),
        "estimate_noise": rng.lognormal(*model.ESTIMATE_NOISE),
        "log_size": np.stack([c, services, np.logaddexp(services, p), p], axis=1),
        "seller_share": rng.normal(*model.SELLER_SHARE) - back,
        "second_seller": rng.normal(*model.SECOND_SELLER),
    }
    return consultation | pharmacy | below | {name: np.asarray(value) for name, value in rest.items()}


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
        "volume": volume,
        "online": online,
        "bottom_up": volume + price - np.log(1e6),
        "pharmacy_bottom_up": design["log_medicine"] - np.log1p(np.exp(-online)),
    }


def figures(known: Numbers, design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """The arrays of a fit: the design's figures, with what they would have said about this truth."""
    years = np.arange(model.GRID)
    sales = known["pharmacy_log_level"] - np.log1p(np.exp(-known["seller_share"]))
    at = design["size_year"], design["size_definition"]
    means = {
        "size": known["log_size"][at] + known["origin_bias"][design["size_origin"]],
        "volume": known["volume"][design["volume_year"]],
        "online": known["online"][design["online_year"]],
        "seller": np.interp(design["seller_at"], years, sales) + known["second_seller"] * design["seller_second"],
    }
    found = dict(design)
    for name, mu in means.items():
        scale = design[f"{name}_scale"]
        if name == "size":
            scale = np.hypot(scale, known["estimate_noise"])
        value = mu + scale * rng.standard_t(DEGREES_OF_FREEDOM, size=len(mu))
        low, high = simulated.rounded(value, design[f"{name}_low"], design[f"{name}_high"])
        found |= {f"{name}_low": low, f"{name}_high": high}
    return found
