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
recursion, which is fast and suits precise evidence. Beyond the evidence, :meth:`Growth.ahead` carries each posterior
draw forward with the same formula.

References
----------
Bass (1969), A new product growth for model consumer durables, Management Science 15(5).
Richards (1959), A flexible growth function for empirical use, Journal of Experimental Botany 10(2).
Boswijk & Franses (2005), On the econometrics of the Bass diffusion model, JBES 23(3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from telemed_forecast.models.priors import GrowthPrior, Prior


def expected_growth(u: Any, *, rate: Any, theta: Any, innovation: Any, xp: Any = np) -> Any:
    """Expected growth of the log level, per year, at the share `u` > 0 of the ceiling (past 1 the level drifts back).

    Parameters
    ----------
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


PARAMETERS = ("rate", "theta", "innovation", "sigma", "rho")
"""Of every process, named ``<name>_rate`` and so on."""


def priors(name: str, prior: GrowthPrior, steps: int | None = None) -> dict[str, Prior]:
    """Priors of the parameters of a process.

    Parameters
    ----------
    name
        Prefix of the names.
    prior
        Reference-class prior.
    steps
        Length of the grid: the coordinates of the path, ``<name>_path``, come with it. They have a flat base measure
        and get their whole prior from the process. None for a model that gives its paths coordinates of its own.
    """
    stated = {
        "rate": Prior("LogNormal", prior.log_rate),
        "theta": Prior("Beta", prior.theta),
        "innovation": Prior("LogNormal", prior.log_innovation),
        "sigma": Prior("LogNormal", prior.log_sigma),
        "rho": Prior("Beta", prior.rho),
    }
    path = {} if steps is None else {"path": Prior("Flat", shape=steps)}
    return {f"{name}_{key}": one for key, one in (stated | path).items()}


@dataclass(frozen=True)
class Growth:
    """One growth process of a model, for the tensors of a graph or for arrays of draws.

    Attributes
    ----------
    prior
        Reference-class prior of rate, shape, shock size and persistence.
    step
        Length of a step of the grid, in years.
    log_ceiling
        Log ceiling on the scale of the path. Dims: (..., time), or (..., 1) when it stands still. None for one that is
        known relative to the level alone: ``<name>_distance`` (the prior's `log_distance`) above the end of the path.
    shock
        Dated, known-cause growth (policy events), log points per year. Dims: () or (..., time - 1).
    """

    prior: GrowthPrior
    step: float
    log_ceiling: Any = None
    shock: Any = 0.0

    def ceiling(self, name: str, p: Mapping[str, Any]) -> Any:
        """Log ceiling. Dims: (..., time) or (..., 1)."""
        if self.log_ceiling is not None:
            return self.log_ceiling
        return p[f"{name}_log_level"][..., -1:] + p[f"{name}_distance"][..., None]

    def shocks(self, name: str, p: Mapping[str, Any], xp: Any = np) -> tuple[Any, Any, Any, Any]:
        """What a path owes to chance: deviations, innovations e_t, their scale, and the log of their volume.

        Parameters
        ----------
        name
            Prefix of the names.
        p
            Parameters and ``<name>_log_level``. Dims: (...), (..., time).
        xp
            numpy, or pytensor.tensor inside a model.

        Returns
        -------
        Dims: (..., time - 1), the last (...). The first deviation has the stationary scale of the AR(1). A density of
        innovations becomes one of levels by the derivative of each innovation with respect to its level, which is 1 but
        for the first.
        """
        rate, theta, innovation, sigma = (p[f"{name}_{key}"][..., None] for key in PARAMETERS[:4])
        level = p[f"{name}_log_level"]
        share = xp.exp(level[..., :-1] - _but_last(self.ceiling(name, p)))
        expected = expected_growth(share, rate=rate, theta=theta, innovation=innovation, xp=xp)
        deviation = xp.diff(level) / self.step - expected - self.shock
        decay = p[f"{name}_rho"] ** self.step
        first = deviation[..., :1] * xp.sqrt(1.0 - decay**2)[..., None]
        later = deviation[..., 1:] - decay[..., None] * deviation[..., :-1]
        scale = shock_scale(expected, sigma=sigma, prior=self.prior, step=self.step, xp=xp)
        innovations = xp.concatenate([first, later], axis=-1) * self.step
        return deviation, innovations, scale, 0.5 * xp.log1p(-(decay**2))

    def state(self, name: str, p: Mapping[str, Any], start: Any) -> Any:
        """Add the density of a path to the PyMC model on the context stack.

        Parameters
        ----------
        name, p
            As for :meth:`shocks`, without further dims.
        start
            First guess of the first log level. Dims: ().

        Returns
        -------
        The deviations. Dims: (time - 1,).
        """
        import pymc as pm
        import pytensor.tensor as pt

        level = p[f"{name}_log_level"]
        deviation, innovations, scale, log_volume = self.shocks(name, p, pt)
        t = pm.StudentT.dist(nu=self.prior.nu, mu=0.0, sigma=scale)
        pm.Potential(f"{name}_innovations", pm.logp(t, innovations).sum() + log_volume)
        # The ceiling holds, in the past as in the future: a smooth wall keeps the sampler's geometry kind.
        gap = (self.ceiling(name, p) - level) / CEILING_SOFTNESS
        pm.Potential(f"{name}_below_ceiling", -pt.softplus(-gap).sum())
        # The first level itself: a wide, unit-free prior around the first guess.
        pm.Potential(f"{name}_start", pm.logp(pm.Normal.dist(start, self.prior.start_sd), level[0]))
        return deviation

    def prior_paths(
        self, name: str, p: Mapping[str, np.ndarray], guess: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Paths from their prior: what :meth:`state` believes before any evidence.

        Parameters
        ----------
        name, p
            As for :meth:`shocks`; the dims are (sample, ...).
        guess
            First guess of the path; only its start is used. Dims: (time,).
        rng
            Source of the shocks.

        Returns
        -------
        ``<name>_log_level`` (sample, time) and ``_deviation`` (sample, time - 1), drawn as if there were no wall at the
        ceiling; and the log of the probability with which the wall lets each path pass. Dims: (sample,).
        A ceiling that is known relative to the path's end is proposed evenly over `PROPOSED`, and each path passes with
        the probability, relative to the highest, that its distance has; ``<name>_distance`` then comes with it.
        """
        law = {key: p[f"{name}_{key}"] for key in ("rate", "theta", "innovation")}
        size, steps = len(law["rate"]), len(guess) - 1
        wall = self.log_ceiling
        if wall is None:
            wall = guess[0] + rng.uniform(*PROPOSED, (size, 1))
        ceiling = np.broadcast_to(wall, (size, steps + 1))
        added = np.broadcast_to(self.shock, (size, steps))
        level, deviation = np.empty((size, steps + 1)), np.empty((size, steps))
        level[:, 0] = rng.normal(guess[0], self.prior.start_sd, size)
        decay = p[f"{name}_rho"] ** self.step
        for k in range(steps):
            # A level that has all but vanished stays where numbers can still hold it, and one that is far through the
            # wall, which refuses it, where the law can.
            share = np.exp(np.clip(level[:, k] - ceiling[:, k], -50.0, 1.0))
            expected = expected_growth(share, **law)
            scale = shock_scale(expected, sigma=p[f"{name}_sigma"], prior=self.prior, step=self.step)
            chance = scale * rng.standard_t(self.prior.nu, size) / self.step
            # The first deviation has the stationary scale.
            deviation[:, k] = decay * deviation[:, k - 1] + chance if k else chance / np.sqrt(1.0 - decay**2)
            level[:, k + 1] = level[:, k] + self.step * (expected + added[:, k] + deviation[:, k])
        passing = -np.logaddexp(0.0, (level - ceiling) / CEILING_SOFTNESS).sum(axis=1)
        found = {f"{name}_log_level": level, f"{name}_deviation": deviation}
        if self.log_ceiling is None:
            distance = ceiling[:, -1] - level[:, -1]
            passing = passing + _relative_density(distance, *self.prior.log_distance)
            found[f"{name}_distance"] = distance
        return found, passing

    def ahead(
        self, name: str, p: Mapping[str, np.ndarray], rng: np.random.Generator, *, pace: float = 1.0
    ) -> np.ndarray:
        """Carry draws forward from the end of their paths.

        Parameters
        ----------
        name
            Prefix of the names.
        p
            Draws of the parameters, of ``<name>_log_level`` and ``_deviation``.
        rng
            Source of the innovations.
        pace
            Factor on the imitation rate.

        Returns
        -------
        Log levels of the past and after each future step, for which the process has its ceiling at the step's start
        (sample, step) and its shock. Dims: (sample, time).
        """
        rate, theta, innovation, sigma, rho = (p[f"{name}_{key}"] for key in PARAMETERS)
        past, xi = p[f"{name}_log_level"], p[f"{name}_deviation"][:, -1]
        added = np.broadcast_to(self.shock, self.log_ceiling.shape)
        path, z = np.empty_like(self.log_ceiling), past[:, -1]
        decay, most = rho**self.step, self.prior.max_growth
        for k in range(path.shape[1]):
            ceiling = self.log_ceiling[:, k]
            # A level that has all but vanished stays where numbers can still hold it.
            u = np.exp(np.maximum(z - ceiling, -50.0))
            law = expected_growth(u, rate=pace * rate, theta=theta, innovation=innovation)
            # A take-off does not go on at its rate; what has a known cause, and what is a shock, is not bounded.
            expected = most * np.tanh(law / most)
            scale = shock_scale(expected, sigma=sigma, prior=self.prior, step=self.step)
            xi = decay * xi + scale * rng.standard_t(self.prior.nu, size=z.shape) / self.step
            # The ceiling holds: a shock may carry the level up to it, not past it.
            z = np.minimum(z + self.step * (expected + added[:, k] + xi), ceiling)
            path[:, k] = z
        return np.concatenate([past, path], axis=1)


PROPOSED = (-4.0, 16.0)
"""[log points] Where a ceiling that nothing but the level bounds is looked for, from the first guess of the start on:
four sd of the start below it, and nine million times as much."""


def _relative_density(x: np.ndarray, mean: float, sd: float) -> np.ndarray:
    """Log of a log-normal's density over its highest value; minus infinity where it has none."""
    log_x = np.log(np.where(x > 0.0, x, 1.0))
    found = -0.5 * ((log_x - mean) / sd) ** 2 - log_x + mean - 0.5 * sd**2
    return np.where(x > 0.0, found, -np.inf)


def _but_last(path: Any) -> Any:
    """A path without its last point; one that stands still has a single point and keeps it."""
    width = path.type.shape[-1] if hasattr(path, "type") else path.shape[-1]
    return path if width == 1 else path[..., :-1]


CEILING_SOFTNESS = 0.02
"""[log points] Width of the wall at the ceiling: the precision of the figures themselves."""

PATH_UNIT = 0.05
"""[log points] Unit of the sampler's path coordinates: about the size of the path's posterior uncertainty."""


def shock_scale(expected: Any, *, sigma: Any, prior: GrowthPrior, step: float, xp: Any = np) -> Any:
    """Scale of the innovations e_t (log points per step): larger when growth is fast, never zero."""
    smooth_abs = xp.sqrt(expected**2 + 1e-8)
    return sigma * (prior.floor + smooth_abs) ** prior.elasticity * np.sqrt(step)
