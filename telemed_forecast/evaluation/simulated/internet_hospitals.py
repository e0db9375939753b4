"""Made-up internet hospitals of both sponsors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.evaluation.simulated.figures import Numbers, Speaking, log_likelihood
from telemed_forecast.evaluation.simulated.growth import process, shock_size
from telemed_forecast.models import internet_hospitals as model
from telemed_forecast.models import licensing_policy
from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.priors import growth_prior

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.forecast.context import Context

AHEAD = 6
"""Steps of half a year into the future."""


def design(context: Context) -> Numbers:
    """The layout of the figures known on the context's date."""
    from telemed_forecast.forecast import internet_hospitals as forecast

    return model.arrays(*forecast.inputs(context))[0]


def policy(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> tuple[Numbers, np.ndarray]:
    """One draw of what dated policy does, and the growth a year that it adds in each step. Dims: (time - 1,)."""
    size = np.abs(rng.normal(0.0, licensing_policy.SIZE, licensing_policy.EVENTS))
    fade, effect = rng.lognormal(*licensing_policy.FADE), size * design["event_direction"]
    # What of an effect has arrived by each point of the grid; the growth of a step is what arrives in it.
    arrived = 1.0 - np.exp(-design["event_since"] / fade)
    added = effect @ np.diff(arrived, axis=1) / model.STEP
    truth = {"event_size": size, "policy_fade": fade, "event_effect": effect}
    return {name: np.asarray(value) for name, value in truth.items()}, added


def truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw from the prior (dims as in the posterior, without sample)."""
    while True:
        # Policy acts on both sponsors: when a wall refuses one path, everything is drawn anew.
        found, added = policy(design, rng)
        share, ratio = rng.normal(*model.CEILING_SHARE), rng.normal(*model.FIRM_CEILING)
        found |= {"hospital_logit_ceiling": np.asarray(share), "firm_log_ceiling": np.asarray(ratio)}
        reach = {"hospital": -np.log1p(np.exp(-share)), "firm": ratio}
        paths = [
            process(
                name,
                start=design[f"{name}_guess"][0],
                log_ceiling=design["log_pool"] + reach[name],
                step=model.STEP,
                prior=growth_prior(model.CLASS),
                rng=rng,
                added=added,
            )
            for name in model.SPONSORS
        ]
        if all(path is not None for path in paths):
            break
    for path in paths:
        found |= path or {}
    spread = rng.lognormal(*model.ORIGIN_SPREAD)
    return found | {
        "origin_spread": np.asarray(spread),
        "origin_offset": spread * rng.standard_normal(model.ORIGINS),
        "reporting_noise": np.asarray(rng.lognormal(*model.REPORTING_NOISE)),
        "share_noise": np.asarray(rng.lognormal(*model.SHARE_NOISE)),
    }


def speak(draws: Dataset, design: Mapping[str, np.ndarray]) -> Speaking:
    """What counts and shares speak of, and their noise. Dims of each: (sample, obs)."""
    p = {str(name): np.asarray(values) for name, values in draws.items()}
    offsets = np.pad(p["origin_offset"], ((0, 0), (1, 0)))
    own = on_grid(p["hospital_log_level"], design["count_at"])
    both = np.logaddexp(own, on_grid(p["firm_log_level"], design["count_at"]))
    counted = np.where(design["count_part"] == 1, own, both) + offsets[:, design["count_origin"]]
    at = design["share_at"]
    odds = on_grid(p["hospital_log_level"], at) - on_grid(p["firm_log_level"], at)
    return {
        "count": (counted, np.hypot(design["count_scale"], p["reporting_noise"][:, None])),
        "share": (odds, np.hypot(design["share_scale"], p["share_noise"][:, None])),
    }


def quantities(draws: Dataset, data: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """What calibration is checked for. Dims: (sample,)."""
    names = [f"{who}_{name}" for who in model.SPONSORS for name in ("rate", "sigma", "rho")]
    names += ["hospital_logit_ceiling", "firm_log_ceiling", "policy_fade", "origin_spread", "reporting_noise"]
    own, firms = draws["hospital_log_level"].to_numpy(), draws["firm_log_level"].to_numpy()
    carried = model.project(draws, data, log_pool_ahead=data["log_pool"][-1] + 0.01 * np.arange(AHEAD + 1), rng=rng)
    reach = {
        "hospital": -np.log1p(np.exp(-draws["hospital_logit_ceiling"].to_numpy())),
        "firm": draws["firm_log_ceiling"].to_numpy(),
    }
    return {
        **{name: draws[name].to_numpy() for name in names},
        **{
            f"{who}_shocks": shock_size(
                draws,
                who,
                log_ceiling=data["log_pool"] + ceiling[:, None],
                step=model.STEP,
                prior=growth_prior(model.CLASS),
            )
            for who, ceiling in reach.items()
        },
        "first_level": own[:, 0],
        "last_level": np.logaddexp(own[:, -1], firms[:, -1]),
        "last_split": own[:, -1] - firms[:, -1],
        "event_effect": draws["event_effect"].to_numpy()[:, 2],
        "origin_offset": draws["origin_offset"].to_numpy()[:, 0],
        "three_years_ahead": carried["count"][:, -1],
        "figures": log_likelihood(speak, draws, data),
    }
