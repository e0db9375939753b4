r"""The growth engine: saturating growth with stochastic, autocorrelated deviations.

A latent level :math:`x_t > 0` below a ceiling :math:`K_t` grows at the rate

.. math::

   \frac{\log x_{t+1} - \log x_t}{\Delta} = g(u_t) + \xi_t, \qquad u_t = x_t / K_t,

   g(u) = r\,\frac{1 - u^\theta}{\theta} + p\,\frac{1 - u}{u}.

One formula holds the classical laws: logistic (:math:`\theta = 1, p = 0`), Gompertz (:math:`\theta \to 0`),
Richards (between them) and Bass (:math:`\theta = 1, p > 0`, with :math:`q = r`). The deviation :math:`\xi_t` is an
AR(1) whose innovations are Student-t with a scale that falls as growth slows,

.. math::

   \xi_t = \rho^\Delta \xi_{t-1} + e_t / \Delta, \qquad
   e_t \sim \sigma\,(c + |g(u_t)|)^\gamma \sqrt{\Delta}\; t_\nu.

A deterministic curve with noise around it is far too sure of itself: nothing in it says that growth itself may
turn. The deviations say so, and their size is learned from past adoptions.

The model is *centred*: the latent log levels are the free parameters and the innovations follow from them without
recursion, which is fast and suits precise evidence. Beyond the evidence, :func:`simulate` carries each posterior
draw forward with the same formula.

References
----------
Bass (1969), A new product growth for model consumer durables, Management Science 15(5).
Richards (1959), A flexible growth function for empirical use, Journal of Experimental Botany 10(2).
Boswijk & Franses (2005), On the econometrics of the Bass diffusion model, JBES 23(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from telemed_forecast.models.priors import GrowthPrior


def expected_growth(u: Any, *, rate: Any, theta: Any, innovation: Any, xp: Any = np) -> Any:
    """Expected growth of the log level, per year, at the share `u` of the ceiling.

    Parameters
    ----------
    u
        Level over ceiling, > 0 (values past 1 give negative growth: the level drifts back).
    rate
        r, the imitation rate per year.
    theta
        Shape in (0, 1]: 1 is logistic, towards 0 Gompertz.
    innovation
        p, the adoption that needs no example, per year (Bass's coefficient of innovation).
    xp
        numpy, or pytensor.tensor inside a model.
    """
    imitation = rate * (1.0 - xp.exp(theta * xp.log(u))) / theta
    return imitation + innovation * (1.0 - u) / u


def curve(time: Any, *, midpoint: float, rate: float, theta: float, ceiling: float) -> np.ndarray:
    """Richards' curve in closed form: the path of the engine without shocks and without innovation.

    Parameters
    ----------
    time
        Years. Dims: (time,).
    midpoint
        Year of the fastest growth in level.
    rate, theta, ceiling
        As in :func:`expected_growth`; the ceiling is in the unit of the level.
    """
    s = rate * (np.asarray(time, dtype=float) - midpoint)
    return ceiling * (1.0 + theta * np.exp(-s)) ** (-1.0 / theta)


def curve_rate(time: Any, *, midpoint: float, rate: float, theta: float, ceiling: float) -> np.ndarray:
    """Time derivative of :func:`curve` (level per year)."""
    x = curve(time, midpoint=midpoint, rate=rate, theta=theta, ceiling=ceiling)
    return x * expected_growth(x / ceiling, rate=rate, theta=theta, innovation=0.0)


@dataclass(frozen=True)
class GrowthProcess:
    """The tensors of one growth process inside a model.

    Attributes
    ----------
    log_level
        Latent log level (relative to the scale of the data). Dims: (time,).
    log_ceiling
        Log of the ceiling on the same scale. Dims: () or (time,).
    rate, theta, innovation, sigma, rho
        Parameters of the process. Dims: ().
    deviation
        xi, growth beyond what the law expects, per year. Dims: (time - 1,).
    """

    log_level: Any
    log_ceiling: Any
    rate: Any
    theta: Any
    innovation: Any
    sigma: Any
    rho: Any
    deviation: Any


def growth_process(
    name: str,
    *,
    guess: Any,
    log_ceiling: Any,
    step: float,
    prior: GrowthPrior,
    shock: Any = 0.0,
    sigma: Any = None,
    path: Any = None,
) -> GrowthProcess:
    """Add a growth process to the PyMC model on the context stack.

    Parameters
    ----------
    name
        Prefix of the variables: ``<name>_rate``, ``<name>_sigma``, ...
    guess
        Rough log levels around which the latent path is parametrised (data, not prior: the path itself has a flat
        base measure and gets its whole prior from the process). Dims: (time,).
    log_ceiling
        Log ceiling on the scale of `guess`. Dims: () or (time,).
    step
        Length of a step of the grid, in years.
    prior
        Reference-class prior of rate, shape, shock size and persistence.
    shock
        Dated, known-cause growth (policy events), log points per year. Dims: () or (time - 1,).
    sigma, path
        A model that gives its paths coordinates of its own passes the size of shocks, with its prior, and the log
        level, with a flat base measure; otherwise both are made here. Dims: (), (time,).
    """
    import pymc as pm
    import pytensor.tensor as pt

    rate = pm.LogNormal(f"{name}_rate", prior.log_rate[0], prior.log_rate[1])
    theta = pm.Beta(f"{name}_theta", prior.theta[0], prior.theta[1])
    innovation = pm.LogNormal(f"{name}_innovation", prior.log_innovation[0], prior.log_innovation[1])
    if sigma is None:
        sigma = pm.LogNormal(f"{name}_sigma", prior.log_sigma[0], prior.log_sigma[1])
    rho = pm.Beta(f"{name}_rho", prior.rho[0], prior.rho[1])
    if path is None:
        path = guess + PATH_UNIT * pm.Flat(f"{name}_path", shape=guess.shape)
    log_level = pm.Deterministic(f"{name}_log_level", path)
    ceiling = log_ceiling if log_ceiling.ndim == 0 else log_ceiling[:-1]
    expected = expected_growth(pt.exp(log_level[:-1] - ceiling), rate=rate, theta=theta, innovation=innovation, xp=pt)
    deviation = pm.Deterministic(f"{name}_deviation", pt.diff(log_level) / step - expected - shock)
    # The first deviation has the stationary scale of the AR(1); the others are innovations over it.
    decay = rho**step
    first = deviation[:1] * pt.sqrt(1.0 - decay**2)
    innovations = pt.concatenate([first, deviation[1:] - decay * deviation[:-1]]) * step
    scale = shock_scale(expected, sigma=sigma, prior=prior, step=step, xp=pt)
    t = pm.StudentT.dist(nu=prior.nu, mu=0.0, sigma=scale)
    # The path is the parameter: a density of innovations becomes one of levels by the derivative of each innovation
    # with respect to its level, which is 1 but for the first.
    jacobian = 0.5 * pt.log1p(-(decay**2))
    pm.Potential(f"{name}_innovations", pm.logp(t, innovations).sum() + jacobian)
    # The ceiling holds, in the past as in the future: a smooth wall keeps the sampler's geometry kind.
    gap = (log_ceiling - log_level) / CEILING_SOFTNESS
    pm.Potential(f"{name}_below_ceiling", -pt.softplus(-gap).sum())
    # The first level itself: a wide, unit-free prior around the first guess.
    pm.Potential(f"{name}_start", pm.logp(pm.Normal.dist(guess[0], prior.start_sd), log_level[0]))
    return GrowthProcess(log_level, log_ceiling, rate, theta, innovation, sigma, rho, deviation)


CEILING_SOFTNESS = 0.02
"""[log points] Width of the wall at the ceiling: the precision of the figures themselves."""

PATH_UNIT = 0.05
"""[log points] Unit of the sampler's path coordinates: about the size of the path's posterior uncertainty."""


def shock_scale(expected: Any, *, sigma: Any, prior: GrowthPrior, step: float, xp: Any = np) -> Any:
    """Scale of the innovations e_t (log points per step): larger when growth is fast, never zero."""
    smooth_abs = xp.sqrt(expected**2 + 1e-8)
    return sigma * (prior.floor + smooth_abs) ** prior.elasticity * np.sqrt(step)


def simulate(
    *,
    log_level: np.ndarray,
    deviation: np.ndarray,
    log_ceiling: np.ndarray,
    rate: np.ndarray,
    theta: np.ndarray,
    innovation: np.ndarray,
    sigma: np.ndarray,
    rho: np.ndarray,
    prior: GrowthPrior,
    step: float,
    rng: np.random.Generator,
    shock: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Carry draws of a growth process forward.

    Parameters
    ----------
    log_level, deviation
        The last log level and the last deviation of each draw. Dims: (draw,).
    log_ceiling
        Log ceiling at the start of each step. Dims: (draw, step).
    rate, theta, innovation, sigma, rho
        Parameters. Dims: (draw,).
    prior
        The prior whose fixed constants (max_growth, floor, elasticity, nu) the process uses.
    step
        Length of a step in years.
    rng
        Source of the innovations.
    shock
        Dated growth per year added to the expectation. Dims: () or (draw, step).

    Returns
    -------
    Log levels after each step. Dims: (draw, step).
    """
    steps = log_ceiling.shape[1]
    added = np.broadcast_to(shock, log_ceiling.shape)
    path = np.empty_like(log_ceiling)
    z, xi = log_level.copy(), deviation.copy()
    decay = rho**step
    for k in range(steps):
        # A level that has all but vanished stays where numbers can still hold it.
        u = np.exp(np.maximum(z - log_ceiling[:, k], -50.0))
        law = expected_growth(u, rate=rate, theta=theta, innovation=innovation)
        # A take-off does not go on at its rate; what has a known cause, and what is a shock, is not bounded.
        expected = prior.max_growth * np.tanh(law / prior.max_growth)
        scale = shock_scale(expected, sigma=sigma, prior=prior, step=step)
        xi = decay * xi + scale * rng.standard_t(prior.nu, size=z.shape) / step
        # The ceiling holds: a shock may carry the level up to it, not past it.
        z = np.minimum(z + step * (expected + added[:, k] + xi), log_ceiling[:, k])
        path[:, k] = z
    return path


def prior_paths(
    name: str,
    *,
    size: int,
    start: float,
    log_ceiling: np.ndarray,
    step: float,
    prior: GrowthPrior,
    rng: np.random.Generator,
    shock: np.ndarray | float = 0.0,
) -> dict[str, np.ndarray]:
    """Draws of a growth process from its prior: what :func:`growth_process` believes before any evidence.

    Parameters
    ----------
    name
        Prefix of the names, as in :func:`growth_process`.
    size
        Number of draws.
    start
        The first guess of the log level at the first grid point (``guess[0]``).
    log_ceiling
        Log ceiling on the grid. Dims: (time,) or (sample, time).
    step
        Length of a step of the grid, in years.
    prior
        Reference-class prior.
    rng
        Source of the draws.
    shock
        Dated growth per year. Dims: () or (time - 1,) or (sample, time - 1).

    Returns
    -------
    ``<name>_rate``, ``_theta``, ``_innovation``, ``_sigma``, ``_rho`` (sample,), ``_log_level`` (sample, time) and
    ``_deviation`` (sample, time - 1). The ceiling holds as in :func:`simulate`: a shock carries up to it, not past it.
    """
    law = {
        "rate": rng.lognormal(*prior.log_rate, size),
        "theta": rng.beta(*prior.theta, size),
        "innovation": rng.lognormal(*prior.log_innovation, size),
    }
    sigma, rho = rng.lognormal(*prior.log_sigma, size), rng.beta(*prior.rho, size)
    ceiling = np.broadcast_to(log_ceiling, (size, np.shape(log_ceiling)[-1]))
    steps = ceiling.shape[1] - 1
    added = np.broadcast_to(shock, (size, steps))
    level = np.empty_like(ceiling, dtype=float)
    deviation = np.empty((size, steps))
    level[:, 0] = np.minimum(rng.normal(start, prior.start_sd, size), ceiling[:, 0])
    decay = rho**step
    for k in range(steps):
        # A level that has all but vanished stays where numbers can still hold it.
        expected = expected_growth(np.exp(np.maximum(level[:, k] - ceiling[:, k], -50.0)), **law)
        innovation = shock_scale(expected, sigma=sigma, prior=prior, step=step) * rng.standard_t(prior.nu, size) / step
        # The first deviation has the stationary scale.
        xi = decay * deviation[:, k - 1] + innovation if k else innovation / np.sqrt(1.0 - decay**2)
        moved = level[:, k] + step * (expected + added[:, k] + xi)
        level[:, k + 1] = np.minimum(moved, ceiling[:, k + 1])
        deviation[:, k] = (level[:, k + 1] - level[:, k]) / step - expected - added[:, k]
    drawn = {**law, "sigma": sigma, "rho": rho, "log_level": level, "deviation": deviation}
    return {f"{name}_{key}": values for key, values in drawn.items()}
