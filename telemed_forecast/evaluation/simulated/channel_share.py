"""Made-up shares of hospital-run services by measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.evaluation.simulated.figures import Numbers, Speaking, log_likelihood
from telemed_forecast.models import channel_share as model

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.forecast.context import Context

AHEAD = 3
"""Years into the future."""


def design(context: Context) -> Numbers:
    """The layout of the figures known on the context's date: six of them.

    The factor's moments, which the model takes from the fit of internet hospitals, are made up: see :func:`rich`.
    """
    from telemed_forecast.forecast import channel_share as forecast

    new = context.observed("internet_hospital_new_share", "hospital_run")
    preference = context.observed("preferred_sponsor_share", "hospital_run")
    bounds = forecast.bounds(context), forecast.revenue_bounds(context)
    return model.arrays(_moments(), new, preference, *bounds, context.last_year)


def _moments() -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a factor that rises, known to about 20% points. Dims: (time,), (time, time)."""
    years = np.arange(model.GRID)
    covariance = 0.05 + 0.02 * np.minimum.outer(years, years) + 0.001 * np.eye(len(years))
    return np.linspace(0.3, 1.0, len(years)), covariance


def rich() -> Numbers:
    """A layout with evidence on every measure in many years: enough to show what a wrong likelihood does."""
    years = np.arange(model.GRID)
    bounded = [model.MEASURES.index(name) for name in ("encounters", "revenue")]
    new = len(model.MEASURES)
    layout = [(y, m) for m in range(1, new) for y in years] + [(y, new) for y in years[::2]]
    at, measure = np.array(layout).T
    low = np.linspace(-0.02, 0.02, len(at))
    mean, covariance = _moments()
    return {
        "years": 2016.0 + years,
        "factor_mean": mean,
        "factor_root": np.linalg.cholesky(covariance),
        "share_low": low,
        "share_high": low + np.where(np.isin(measure, bounded), 0.8, 0.1),
        "share_year": at,
        "share_measure": measure,
        "share_scale": np.where(np.isin(measure, bounded), model.BOUND_SCALE, 0.05),
    }


def ahead(design: Mapping[str, np.ndarray], years: int) -> tuple[np.ndarray, np.ndarray]:
    """Moments of the factor over the design's grid and some years more, in which it walks on from its last level."""
    grid = len(design["factor_mean"])
    chosen = np.minimum(np.arange(grid + years), grid - 1)
    covariance = (design["factor_root"] @ design["factor_root"].T)[np.ix_(chosen, chosen)]
    gone = np.maximum(np.arange(grid + years) - grid + 1, 0)
    return design["factor_mean"][chosen], covariance + 0.02 * np.minimum.outer(gone, gone)


def truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw from the prior (dims as in the posterior, without sample)."""
    measures = len(model.MEASURES) - 1
    scale = rng.lognormal(*model.WALK)
    walk = np.zeros((measures, model.GRID))
    for year in range(1, model.GRID):
        walk[:, year] = walk[:, year - 1] + rng.normal(0.0, scale, size=measures)
    covariance = design["factor_root"] @ design["factor_root"].T
    found = {
        "factor": rng.multivariate_normal(design["factor_mean"], covariance),
        "measure_offset": rng.normal(0.0, model.OFFSET, size=measures),
        "new_offset": rng.normal(*model.NEW_OFFSET),
        "walk_scale": scale,
        "walk": walk,
        "share_noise": rng.lognormal(*model.NOISE),
    }
    return {name: np.asarray(value) for name, value in found.items()}


def speak(draws: Dataset, design: Mapping[str, np.ndarray]) -> Speaking:
    """What each share speaks of (logit), and its noise. Dims of each: (sample, obs)."""
    p = {str(name): np.asarray(values) for name, values in draws.items()}
    mu = np.empty((len(p["walk_scale"]), len(design["share_year"])))
    for k, (year, measure) in enumerate(zip(design["share_year"], design["share_measure"], strict=True)):
        if measure == len(model.MEASURES):
            beside = p["new_offset"]
        else:
            beside = p["measure_offset"][:, measure - 1] + p["walk"][:, measure - 1, year]
        mu[:, k] = p["factor"][:, year] + beside
    return {"share": (mu, np.hypot(design["share_scale"], p["share_noise"][:, None]))}


def quantities(draws: Dataset, data: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """What calibration is checked for. Dims: (sample,)."""
    carried = model.project(draws, ahead(data, AHEAD), rng=rng)
    steps = np.diff(draws["walk"].to_numpy(), axis=2) / draws["walk_scale"].to_numpy()[:, None, None]
    return {
        **{name: draws[name].to_numpy() for name in ("walk_scale", "new_offset", "share_noise")},
        # Steps in units of their stated scale: what `shock_size` is to a growth process.
        "walk_steps": np.mean(steps**2, axis=(1, 2)),
        "first_level": draws["factor"].to_numpy()[:, 0],
        "last_level": draws["factor"].to_numpy()[:, -1],
        "measure_offset": draws["measure_offset"].to_numpy()[:, 1],
        "walk": draws["walk"].to_numpy()[:, 0, -1],
        "encounters_ahead": carried["encounters"][:, -1],
        "revenue_ahead": carried["revenue"][:, -1],
        "figures": log_likelihood(speak, draws, data),
    }
