"""Made-up evidence whose truth is known: draws from the priors that the models state, and figures about them.

Nothing of a model's own graph is used, only its constants and the plain formulas of the engine, so that a
mistake in the graph cannot hide in the data that test it.
"""

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from telemed_forecast.models import adoption, channel_share, internet_hospitals, licensing_policy
from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.growth import CEILING_SOFTNESS, expected_growth, shock_scale
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.priors import GrowthPrior, growth_prior, surge_prior

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
    added: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Log levels (time,) and deviations (time - 1,) without any wall at the ceiling; `added` is dated growth a year."""
    law = {name: known[name] for name in ("rate", "theta", "innovation")}
    level, deviation = [start], []
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


def shock_size(draws: xr.Dataset, name: str, *, log_ceiling: np.ndarray, step: float, prior: GrowthPrior) -> np.ndarray:
    """Mean of log(1 + z^2 / nu) over the shocks z of a path, each in units of its stated scale. Dims: (sample,).

    A quantity of parameters and path together, the exponent of the shocks' density. Figures that are few say little
    about it, but a path that is calmer or wilder than its own parameters state is seen in it at once (Modrak et al.
    2023, Simulation-based calibration checking for Bayesian computation, Bayesian Analysis).
    """
    p = {key: draws[f"{name}_{key}"].values[:, None] for key in ("rate", "theta", "innovation", "sigma", "rho")}
    level, deviation = draws[f"{name}_log_level"].values, draws[f"{name}_deviation"].values
    gap = np.maximum((level - log_ceiling)[:, :-1], -50.0)
    expected = expected_growth(np.exp(gap), **{key: p[key] for key in ("rate", "theta", "innovation")})
    decay = p["rho"] ** step
    first = deviation[:, :1] * np.sqrt(1.0 - decay**2)
    shocks = np.concatenate([first, deviation[:, 1:] - decay * deviation[:, :-1]], axis=1) * step
    standard = shocks / shock_scale(expected, sigma=p["sigma"], prior=prior, step=step)
    return np.log1p(standard**2 / prior.nu).mean(axis=1)


def rounded(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell in which a value is published, when cells are as wide as a real figure's interval low..high.

    Cells tile the line from `low` on, whatever the value: that is what makes the interval likelihood exact.
    """
    width = high - low
    cell = low + np.floor((value - low) / width) * width
    return cell, cell + width


def policy_truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> tuple[Numbers, np.ndarray]:
    """One draw of what dated policy does, and the growth a year that it adds in each step. Dims: (time - 1,)."""
    size = np.abs(rng.normal(0.0, licensing_policy.SIZE, licensing_policy.EVENTS))
    fade, effect = rng.lognormal(*licensing_policy.FADE), size * design["event_direction"]
    # What of an effect has arrived by each point of the grid; the growth of a step is what arrives in it.
    arrived = 1.0 - np.exp(-design["event_since"] / fade)
    added = effect @ np.diff(arrived, axis=1) / internet_hospitals.STEP
    truth = {"event_size": size, "policy_fade": fade, "event_effect": effect}
    return {name: np.asarray(value) for name, value in truth.items()}, added


def internet_hospitals_truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw from the prior of the internet-hospitals model (dims as in its posterior, without sample)."""
    prior = growth_prior(internet_hospitals.CLASS)
    while True:
        # Policy acts on both sponsors: when a wall refuses one path, everything is drawn anew.
        truth, added = policy_truth(design, rng)
        share, ratio = rng.normal(*internet_hospitals.CEILING_SHARE), rng.normal(*internet_hospitals.FIRM_CEILING)
        truth |= {"hospital_logit_ceiling": np.asarray(share), "firm_log_ceiling": np.asarray(ratio)}
        passed = True
        for name, reach in (("hospital", -np.log1p(np.exp(-share))), ("firm", ratio)):
            known, ceiling = parameters(prior, rng), design["log_pool"] + reach
            start = rng.normal(design[f"{name}_guess"][0], prior.start_sd)
            level, deviation = growth_path(
                known, start=start, log_ceiling=ceiling, step=internet_hospitals.STEP, prior=prior, rng=rng, added=added
            )
            passed = passed and below_the_wall(level, ceiling, rng)
            drawn = known | {"log_level": level, "deviation": deviation}
            truth |= {f"{name}_{key}": np.asarray(value) for key, value in drawn.items()}
        if passed:
            break
    spread = rng.lognormal(*internet_hospitals.ORIGIN_SPREAD)
    return truth | {
        "origin_spread": np.asarray(spread),
        "origin_offset": spread * rng.standard_normal(internet_hospitals.ORIGINS),
        "reporting_noise": np.asarray(rng.lognormal(*internet_hospitals.REPORTING_NOISE)),
        "share_noise": np.asarray(rng.lognormal(*internet_hospitals.SHARE_NOISE)),
    }


def internet_hospitals_figures(truth: Numbers, design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """The arrays of a fit: the design's figures, with what they would have said about this truth."""
    offsets = np.concatenate([[0.0], truth["origin_offset"]])
    own = on_grid(truth["hospital_log_level"], design["count_at"])
    both = np.log(np.exp(own) + np.exp(on_grid(truth["firm_log_level"], design["count_at"])))
    mu = np.where(design["count_part"] == 1, own, both) + offsets[design["count_origin"]]
    scale = np.sqrt(design["count_scale"] ** 2 + truth["reporting_noise"] ** 2)
    value = mu + scale * rng.standard_t(DEGREES_OF_FREEDOM, size=len(mu))
    low, high = rounded(value, design["count_low"], design["count_high"])
    at = design["share_at"]
    odds = on_grid(truth["hospital_log_level"], at) - on_grid(truth["firm_log_level"], at)
    noise = np.sqrt(design["share_scale"] ** 2 + truth["share_noise"] ** 2)
    share = odds + noise * rng.standard_t(DEGREES_OF_FREEDOM, size=len(odds))
    share_low, share_high = rounded(share, design["share_low"], design["share_high"])
    return dict(design) | {"count_low": low, "count_high": high, "share_low": share_low, "share_high": share_high}


def _accepted(
    name: str, *, start: float, log_ceiling: Callable[[], tuple[float, np.ndarray]], rng: np.random.Generator
) -> Numbers:
    """A growth process of the adoption model and its own ceiling, drawn together until the wall lets them pass."""
    prior = growth_prior(adoption.CLASS[name])
    while True:
        known = parameters(prior, rng)
        logit, ceiling = log_ceiling()
        level, deviation = growth_path(
            known,
            start=rng.normal(start, prior.start_sd),
            log_ceiling=ceiling,
            step=adoption.STEP,
            prior=prior,
            rng=rng,
        )
        if below_the_wall(level, ceiling, rng):
            drawn = known | {"logit_ceiling": logit, "log_level": level, "deviation": deviation}
            return {f"{name}_{key}": np.asarray(value) for key, value in drawn.items()}


def adoption_truth(design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """One draw from the prior of the adoption model (dims as in its posterior, without sample)."""

    def reach(bounds: tuple[float, float], top: np.ndarray) -> tuple[float, np.ndarray]:
        logit = rng.normal(*bounds)
        return logit, top - np.log1p(np.exp(-logit))

    surge, number = surge_prior(), len(design["grid"])
    offset = np.array(list(adoption.OFFSETS.values()))
    truth = {
        **_accepted(
            "internet",
            start=design["internet_guess"][0],
            log_ceiling=lambda: reach(adoption.CEILING_INTERNET, design["log_population"]),
            rng=rng,
        ),
        **_accepted(
            "usage",
            start=design["usage_guess"][0],
            log_ceiling=lambda: reach(adoption.CEILING_USAGE, np.zeros(number)),
            rng=rng,
        ),
        "surge_logit_kept": rng.normal(*surge.logit_kept),
        "surge_half_life": rng.lognormal(*surge.log_half_life),
        "surge_gained": rng.beta(*surge.gained, len(adoption.WAVES)),
        "definition_offset": offset[:, 0] + offset[:, 1] * rng.standard_normal(len(offset)),
        "survey_noise": rng.lognormal(*adoption.SURVEY_NOISE),
        "regional_spread": rng.lognormal(*adoption.REGIONAL_SPREAD),
    }
    return {name: np.asarray(value) for name, value in truth.items()}


def usage_path(truth: Numbers, design: Mapping[str, np.ndarray]) -> np.ndarray:
    """Usage rate of a truth: each wave wins a share of those missing below the ceiling, and loses some again."""
    ceiling, kept = (1.0 / (1.0 + np.exp(-truth[name])) for name in ("usage_logit_ceiling", "surge_logit_kept"))
    missing = ceiling - np.exp(truth["usage_log_level"])
    for share, start in zip(truth["surge_gained"], design["wave"], strict=True):
        since = design["grid"] - start
        left = kept + (1.0 - kept) * 0.5 ** (np.maximum(since, 0.0) / truth["surge_half_life"])
        missing = missing * np.where(since >= 0, 1.0 - share * left, 1.0)
    return ceiling - missing


def adoption_figures(truth: Numbers, design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """The arrays of a fit: the design's figures, with what they would have said about this truth."""
    rate = usage_path(truth, design)
    users = on_grid(truth["internet_log_level"] + np.log(rate), design["users_at"])
    gap, gap_sd = adoption.AWARENESS_GAP
    said = {
        "internet": (on_grid(truth["internet_log_level"], design["internet_at"]), 0.0),
        "users": (users + design["users_definition"] @ truth["definition_offset"], truth["survey_noise"]),
        "survey": (on_grid(np.log(rate / (1.0 - rate)), design["survey_at"]), truth["regional_spread"]),
        "aware": (np.full(len(design["aware_low"]), truth["usage_logit_ceiling"] + gap), gap_sd),
    }
    data = dict(design)
    for block, (mu, noise) in said.items():
        scale = np.sqrt(design[f"{block}_scale"] ** 2 + noise**2)
        value = mu + scale * rng.standard_t(DEGREES_OF_FREEDOM, size=len(mu))
        low, high = rounded(value, design[f"{block}_low"], design[f"{block}_high"])
        data |= {f"{block}_low": low, f"{block}_high": high}
    return data


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
