"""Growth processes drawn from their prior step by step, apart from the engine's graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.models.growth import CEILING_SOFTNESS, expected_growth, shock_scale
from telemed_forecast.models.priors import GrowthPrior

if TYPE_CHECKING:
    from xarray import Dataset

PARAMETERS = ("rate", "theta", "innovation", "sigma", "rho")


def parameters(prior: GrowthPrior, rng: np.random.Generator) -> dict[str, float]:
    """One draw of the parameters of a growth process."""
    return {
        "rate": rng.lognormal(*prior.log_rate),
        "theta": rng.beta(*prior.theta),
        "innovation": rng.lognormal(*prior.log_innovation),
        "sigma": rng.lognormal(*prior.log_sigma),
        "rho": rng.beta(*prior.rho),
    }


def growth_path(
    known: Mapping[str, float],
    *,
    start: float,
    log_ceiling: np.ndarray,
    step: float,
    prior: GrowthPrior,
    rng: np.random.Generator,
    added: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Log levels (time,) and deviations (time - 1,) without any wall at the ceiling; `added` is dated growth a year."""
    law = {name: known[name] for name in ("rate", "theta", "innovation")}
    level, deviation = [start], list[float]()
    decay = known["rho"] ** step
    dated = np.broadcast_to(added, (len(log_ceiling) - 1,))
    for k in range(len(log_ceiling) - 1):
        # As in `simulate`: a level that has all but vanished stays where numbers can hold it.
        expected = expected_growth(np.exp(max(level[-1] - log_ceiling[k], -50.0)), **law)
        shock = shock_scale(expected, sigma=known["sigma"], prior=prior, step=step) * rng.standard_t(prior.nu) / step
        # The first deviation has the stationary scale.
        deviation.append(decay * deviation[-1] + shock if deviation else shock / np.sqrt(1.0 - decay**2))
        level.append(level[-1] + step * (expected + dated[k] + deviation[-1]))
        if level[-1] > log_ceiling[k + 1] + 1.0:
            break  # far through the wall: it will be refused, and the law would overflow
    return np.array(level), np.array(deviation)


def below_the_wall(level: np.ndarray, log_ceiling: np.ndarray, rng: np.random.Generator) -> bool:
    """Accept a path with the probability that the soft wall gives it (rejection makes the prior exact)."""
    if len(level) < len(log_ceiling):
        return False
    gap = (log_ceiling - level) / CEILING_SOFTNESS
    return bool(np.log(rng.uniform()) < -np.logaddexp(0.0, -gap).sum())


def process(
    name: str,
    *,
    start: float,
    log_ceiling: np.ndarray,
    step: float,
    prior: GrowthPrior,
    rng: np.random.Generator,
    added: np.ndarray | float = 0.0,
) -> dict[str, np.ndarray] | None:
    """Parameters, log level and deviation of one process from its prior; None where the wall refuses the path.

    Parameters
    ----------
    name
        Prefix of the names.
    start
        Mean of the first log level.
    log_ceiling, step, prior, rng, added
        As for :func:`growth_path`.
    """
    known = parameters(prior, rng)
    first = rng.normal(start, prior.start_sd)
    level, deviation = growth_path(
        known, start=first, log_ceiling=log_ceiling, step=step, prior=prior, rng=rng, added=added
    )
    passed = below_the_wall(level, log_ceiling, rng)
    drawn = {**known, "log_level": level, "deviation": deviation}
    return {f"{name}_{key}": np.asarray(value) for key, value in drawn.items()} if passed else None


def shock_size(draws: Dataset, name: str, *, log_ceiling: np.ndarray, step: float, prior: GrowthPrior) -> np.ndarray:
    """Mean of log(1 + z^2 / nu) over the shocks z of a path, each in units of its stated scale. Dims: (sample,).

    A quantity of parameters and path together, the exponent of the shocks' density. Figures that are few say little
    about it, but a path that is calmer or wilder than its own parameters state is seen in it at once (Modrak et al.
    2023). Its `log_ceiling` has the dims (sample, time).
    """
    p = {key: draws[f"{name}_{key}"].to_numpy()[:, None] for key in PARAMETERS}
    level, deviation = draws[f"{name}_log_level"].to_numpy(), draws[f"{name}_deviation"].to_numpy()
    gap = np.maximum((level - log_ceiling)[:, :-1], -50.0)
    expected = expected_growth(np.exp(gap), **{key: p[key] for key in ("rate", "theta", "innovation")})
    decay = p["rho"] ** step
    first = deviation[:, :1] * np.sqrt(1.0 - decay**2)
    shocks = np.concatenate([first, deviation[:, 1:] - decay * deviation[:, :-1]], axis=1) * step
    standard = shocks / shock_scale(expected, sigma=p["sigma"], prior=prior, step=step)
    return np.asarray(np.log1p(standard**2 / prior.nu).mean(axis=1))
