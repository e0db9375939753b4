"""Made-up evidence whose truth is known: draws from the priors that the models state, and figures about them.

Nothing of a model's own graph is used, only its constants and the plain formulas of the engine, so that a
mistake in the graph cannot hide in the data that test it.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from telemed_forecast.models import channel_share, internet_hospitals
from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.growth import CEILING_SOFTNESS, expected_growth, shock_scale
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.priors import GrowthPrior, growth_prior

Numbers = dict[str, np.ndarray]


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
) -> tuple[np.ndarray, np.ndarray]:
    """Log levels (time,) and deviations (time - 1,) without any wall at the ceiling."""
    law = {name: known[name] for name in ("rate", "theta", "innovation")}
    level, deviation = [start], []
    decay = known["rho"] ** step
    for k in range(len(log_ceiling) - 1):
        # As in `simulate`: a level that has all but vanished stays where numbers can hold it.
        expected = expected_growth(np.exp(max(level[-1] - log_ceiling[k], -50.0)), **law)
        shock = shock_scale(expected, sigma=known["sigma"], prior=prior, step=step) * rng.standard_t(prior.nu) / step
        # The first deviation has the stationary scale.
        deviation.append(decay * deviation[-1] + shock if deviation else shock / np.sqrt(1.0 - decay**2))
        level.append(level[-1] + step * (expected + deviation[-1]))
        if level[-1] > log_ceiling[k + 1] + 1.0:
            break  # far through the wall: it will be refused, and the law would overflow
    return np.array(level), np.array(deviation)


def below_the_wall(level: np.ndarray, log_ceiling: np.ndarray, rng: np.random.Generator) -> bool:
    """Accept a path with the probability that the soft wall gives it (rejection makes the prior exact)."""
    if len(level) < len(log_ceiling):
        return False
    gap = (log_ceiling - level) / CEILING_SOFTNESS
    return bool(np.log(rng.uniform()) < -np.logaddexp(0.0, -gap).sum())


def rounded(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell in which a value is published, when cells are as wide as a real figure's interval low..high.

    Cells tile the line from `low` on, whatever the value: that is what makes the interval likelihood exact.
    """
    width = high - low
    cell = low + np.floor((value - low) / width) * width
    return cell, cell + width


def internet_hospitals_truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw from the prior of the internet-hospitals model (dims as in its posterior, without sample)."""
    prior = growth_prior("penetration")
    while True:
        known = parameters(prior, rng)
        share = rng.normal(*internet_hospitals.CEILING_SHARE)
        log_ceiling = design["log_pool"] - np.log1p(np.exp(-share))
        start = rng.normal(design["count_guess"][0], prior.start_sd)
        level, deviation = growth_path(
            known, start=start, log_ceiling=log_ceiling, step=internet_hospitals.STEP, prior=prior, rng=rng
        )
        if below_the_wall(level, log_ceiling, rng):
            break
    spread = rng.lognormal(*internet_hospitals.ORIGIN_SPREAD)
    truth = {f"count_{name}": value for name, value in known.items()} | {
        "count_logit_ceiling": share,
        "count_log_level": level,
        "count_deviation": deviation,
        "origin_spread": spread,
        "origin_offset": spread * rng.standard_normal(internet_hospitals.ORIGINS),
        "reporting_noise": rng.lognormal(*internet_hospitals.REPORTING_NOISE),
    }
    return {name: np.asarray(value) for name, value in truth.items()}


def internet_hospitals_figures(truth: Numbers, design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """The arrays of a fit: the design's figures, with what they would have said about this truth."""
    offsets = np.concatenate([[0.0], truth["origin_offset"]])
    mu = on_grid(truth["count_log_level"], design["count_at"]) + offsets[design["count_origin"]]
    scale = np.sqrt(design["count_scale"] ** 2 + truth["reporting_noise"] ** 2)
    value = mu + scale * rng.standard_t(DEGREES_OF_FREEDOM, size=len(mu))
    low, high = rounded(value, design["count_low"], design["count_high"])
    return dict(design) | {"count_low": low, "count_high": high}


def channel_share_design() -> Numbers:
    """Evidence on every measure in many years: enough to show what a wrong likelihood does."""
    years = np.arange(channel_share.GRID)
    bounded = [channel_share.MEASURES.index(name) for name in ("encounters", "revenue")]
    new = len(channel_share.MEASURES)
    layout = [(y, m) for m in range(1, new) for y in years] + [(y, new) for y in years[::2]]
    at, measure = np.array(layout).T
    low = np.linspace(-0.02, 0.02, len(at))
    covariance = 0.05 + 0.02 * np.minimum.outer(years, years) + 0.001 * np.eye(len(years))
    return {
        "years": 2016.0 + years,
        "factor_mean": np.linspace(0.3, 1.0, len(years)),
        "factor_root": np.linalg.cholesky(covariance),
        "share_low": low,
        "share_high": low + np.where(np.isin(measure, bounded), 0.8, 0.1),
        "share_year": at,
        "share_measure": measure,
        "share_scale": np.where(np.isin(measure, bounded), channel_share.BOUND_SCALE, 0.05),
    }


def channel_share_ahead(design: Mapping[str, np.ndarray], years: int) -> tuple[np.ndarray, np.ndarray]:
    """Moments of the factor over the design's grid and some years more, in which it walks on from its last level."""
    grid = len(design["factor_mean"])
    chosen = np.minimum(np.arange(grid + years), grid - 1)
    covariance = (design["factor_root"] @ design["factor_root"].T)[np.ix_(chosen, chosen)]
    gone = np.maximum(np.arange(grid + years) - grid + 1, 0)
    return design["factor_mean"][chosen], covariance + 0.02 * np.minimum.outer(gone, gone)


def channel_share_truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw from the prior of the channel-share model (dims as in its posterior, without sample)."""
    measures = len(channel_share.MEASURES) - 1
    scale = rng.lognormal(*channel_share.WALK)
    walk = np.zeros((measures, channel_share.GRID))
    for year in range(1, channel_share.GRID):
        walk[:, year] = walk[:, year - 1] + rng.normal(0.0, scale, size=measures)
    covariance = design["factor_root"] @ design["factor_root"].T
    truth = {
        "factor": rng.multivariate_normal(design["factor_mean"], covariance),
        "measure_offset": rng.normal(0.0, channel_share.OFFSET, size=measures),
        "new_offset": rng.normal(*channel_share.NEW_OFFSET),
        "walk_scale": scale,
        "walk": walk,
        "share_noise": rng.lognormal(*channel_share.NOISE),
    }
    return {name: np.asarray(value) for name, value in truth.items()}


def channel_share_figures(truth: Numbers, design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """The arrays of a fit: the design's figures, with what they would have said about this truth."""
    mu = []
    for year, measure in zip(design["share_year"], design["share_measure"], strict=True):
        if measure == len(channel_share.MEASURES):
            beside = truth["new_offset"]
        else:
            beside = truth["measure_offset"][measure - 1] + truth["walk"][measure - 1, year]
        mu.append(truth["factor"][year] + beside)
    scale = np.sqrt(design["share_scale"] ** 2 + truth["share_noise"] ** 2)
    value = np.array(mu) + scale * rng.standard_t(DEGREES_OF_FREEDOM, size=len(mu))
    low, high = rounded(value, design["share_low"], design["share_high"])
    return dict(design) | {"share_low": low, "share_high": high}


def samples(draws: xr.DataTree | Numbers) -> xr.Dataset:
    """A fit (chains stacked) or one truth as a dataset with the dims (sample, ...)."""
    if isinstance(draws, xr.DataTree):
        posterior = draws["posterior"].to_dataset()
        stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
        return stacked.drop_vars(["sample", "chain", "draw"])
    return xr.Dataset(
        {
            name: (["sample", *(f"{name}_{k}" for k in range(np.ndim(value)))], np.asarray(value)[None])
            for name, value in draws.items()
        }
    )
