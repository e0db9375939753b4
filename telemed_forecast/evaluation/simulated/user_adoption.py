"""Made-up users of online medical services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.evaluation.simulated.figures import Numbers, Speaking, log_likelihood
from telemed_forecast.evaluation.simulated.growth import process, shock_size
from telemed_forecast.models import adoption as model
from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.odds import expit, logit
from telemed_forecast.models.priors import growth_prior, surge_prior

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.forecast.context import Context

AHEAD = 10
"""Steps of half a year into the future."""


def design(context: Context) -> Numbers:
    """The layout of the figures known on the context's date."""
    from telemed_forecast.forecast import user_adoption as forecast

    return model.arrays(**forecast.inputs(context))


def _accepted(
    name: str, *, start: float, log_ceiling: Callable[[], tuple[float, np.ndarray]], rng: np.random.Generator
) -> Numbers:
    """A growth process and its own ceiling, drawn together until the wall lets them pass."""
    while True:
        known_ceiling = log_ceiling()
        found = process(
            name,
            start=start,
            log_ceiling=known_ceiling[1],
            step=model.STEP,
            prior=growth_prior(model.CLASS[name]),
            rng=rng,
        )
        if found is not None:
            return found | {f"{name}_logit_ceiling": np.asarray(known_ceiling[0])}


def truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw from the prior (dims as in the posterior, without sample)."""

    def reach(bounds: tuple[float, float], top: np.ndarray) -> tuple[float, np.ndarray]:
        logit = rng.normal(*bounds)
        return logit, top - np.log1p(np.exp(-logit))

    surge, number = surge_prior(), len(design["grid"])
    offset = np.array(list(model.OFFSETS.values()))
    found = {
        **_accepted(
            "internet",
            start=design["internet_guess"][0],
            log_ceiling=lambda: reach(model.CEILING_INTERNET, design["log_population"]),
            rng=rng,
        ),
        **_accepted(
            "usage",
            start=design["usage_guess"][0],
            log_ceiling=lambda: reach(model.CEILING_USAGE, np.zeros(number)),
            rng=rng,
        ),
        "surge_logit_kept": rng.normal(*surge.logit_kept),
        "surge_half_life": rng.lognormal(*surge.log_half_life),
        "surge_gained": rng.beta(*surge.gained, len(model.WAVES)),
        "definition_offset": offset[:, 0] + offset[:, 1] * rng.standard_normal(len(offset)),
        "survey_noise": rng.lognormal(*model.SURVEY_NOISE),
        "regional_spread": rng.lognormal(*model.REGIONAL_SPREAD),
    }
    return {name: np.asarray(value) for name, value in found.items()}


def usage(p: Mapping[str, np.ndarray], design: Mapping[str, np.ndarray]) -> np.ndarray:
    """Usage rate: each wave wins a share of those missing below the ceiling, and loses some again.

    Dims in: (sample, ...); out: (sample, time).
    """
    ceiling, kept = (expit(p[name][:, None]) for name in ("usage_logit_ceiling", "surge_logit_kept"))
    missing = ceiling - np.exp(p["usage_log_level"])
    for share, start in zip(p["surge_gained"].T, design["wave"], strict=True):
        since = design["grid"] - start
        left = kept + (1.0 - kept) * 0.5 ** (np.maximum(since, 0.0) / p["surge_half_life"][:, None])
        missing = missing * np.where(since >= 0, 1.0 - share[:, None] * left, 1.0)
    return np.asarray(ceiling - missing)


def speak(draws: Dataset, design: Mapping[str, np.ndarray]) -> Speaking:
    """What counts of internet users and of users, surveys and awareness speak of, and their noise.

    Dims of each: (sample, obs).
    """
    p = {str(name): np.asarray(values) for name, values in draws.items()}
    rate = usage(p, design)
    users = on_grid(p["internet_log_level"] + np.log(rate), design["users_at"])
    gap, gap_sd = model.AWARENESS_GAP
    ceiling = p["usage_logit_ceiling"][:, None]
    said = {
        "internet": (on_grid(p["internet_log_level"], design["internet_at"]), np.zeros_like(ceiling)),
        "users": (users + p["definition_offset"] @ design["users_definition"].T, p["survey_noise"][:, None]),
        "survey": (on_grid(logit(rate), design["survey_at"]), p["regional_spread"][:, None]),
        "aware": (np.repeat(ceiling + gap, len(design["aware_low"]), axis=1), np.full_like(ceiling, gap_sd)),
    }
    return {block: (mu, np.hypot(design[f"{block}_scale"], noise)) for block, (mu, noise) in said.items()}


def quantities(draws: Dataset, data: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """What calibration is checked for. Dims: (sample,)."""
    names = [f"usage_{name}" for name in ("rate", "sigma", "rho", "logit_ceiling")]
    names += ["surge_logit_kept", "surge_half_life", "survey_noise", "regional_spread", "internet_rate"]
    carried = model.project(draws, data, log_population_ahead=np.full(AHEAD, data["log_population"][-1]), rng=rng)
    top = {"internet": data["log_population"], "usage": np.zeros(len(data["grid"]))}
    return {
        **{name: draws[name].to_numpy() for name in names},
        **{
            f"{name}_shocks": shock_size(
                draws,
                name,
                log_ceiling=above - np.log1p(np.exp(-draws[f"{name}_logit_ceiling"].to_numpy()))[:, None],
                step=model.STEP,
                prior=growth_prior(model.CLASS[name]),
            )
            for name, above in top.items()
        },
        "first_wave": draws["surge_gained"].to_numpy()[:, 0],
        "second_wave": draws["surge_gained"].to_numpy()[:, 1],
        "definition_2020": draws["definition_offset"].to_numpy()[:, 1],
        "first_level": carried["users"][:, 0],
        "last_level": carried["users"][:, model.GRID - 1],
        "five_years_ahead": carried["published"][:, -1],
        "figures": log_likelihood(speak, draws, data),
    }
