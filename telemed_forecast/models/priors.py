"""Priors: how one is stated, and what past adoptions say before the first figure of a new one is read.

The numbers of the reference classes live in ``data/priors`` with their source; this module gives them names and types.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, replace
from typing import Any, Literal

import numpy as np

from telemed_forecast.paths import PRIORS


@dataclass(frozen=True)
class Prior:
    """The prior of one parameter: a variable of a graph, and draws.

    Attributes
    ----------
    family
        PyMC's name; a flat one has no draws of its own.
    parameters
        In PyMC's order; numbers or arrays.
    shape
        Dims of the parameter.
    """

    family: Literal["Normal", "LogNormal", "HalfNormal", "Beta", "Flat"]
    parameters: tuple[Any, ...] = ()
    shape: int | tuple[int, ...] | None = None

    def variable(self, name: str) -> Any:
        """The variable in the PyMC model on the context stack."""
        import pymc as pm

        return getattr(pm, self.family)(name, *self.parameters, **({} if self.shape is None else {"shape": self.shape}))

    @property
    def stands_for_itself(self) -> bool:
        """Whether moving it means something: not for a flat one, nor for standard normals that others scale."""
        scaled = self.family == "Normal" and self.shape is not None and self.parameters == (0.0, 1.0)
        return self.family != "Flat" and not scaled

    def moved(self, by: float) -> Prior:
        """The same prior with its middle moved by so many of its standard deviations (at most one).

        On the scale on which it is stated: that of the log for a log-normal, of the log odds for a Beta, whose density
        is tilted. A half-normal is stretched until its mean has moved so far.
        """
        first, *rest = self.parameters
        if self.family == "HalfNormal":
            # Its mean is 0.80 of its scale, its sd 0.60.
            return replace(self, parameters=(first * (1.0 + by * np.sqrt(np.pi / 2.0 - 1.0)),))
        if self.family == "Beta":
            from scipy.optimize import brentq
            from scipy.special import digamma, polygamma

            second, sd = rest[0], np.sqrt(polygamma(1, first) + polygamma(1, rest[0]))
            goal = digamma(first) - digamma(second) + by * sd
            tilt = brentq(lambda t: digamma(first + t) - digamma(second - t) - goal, 1e-9 - first, second - 1e-9)
            return replace(self, parameters=(first + tilt, second - tilt))
        return replace(self, parameters=(np.asarray(first) + by * np.asarray(rest[0]), *rest))

    def log_density(self, values: np.ndarray) -> np.ndarray:
        """Log density of draws, up to what no parameter changes. Dims: (sample, ...) -> (sample,)."""
        from scipy import stats

        first, *rest = self.parameters
        match self.family:
            case "Normal":
                found = stats.norm.logpdf(values, first, rest[0])
            case "LogNormal":
                found = stats.norm.logpdf(np.log(values), first, rest[0])
            case "HalfNormal":
                found = stats.halfnorm.logpdf(values, scale=first)
            case "Beta":
                found = stats.beta.logpdf(values, first, rest[0])
            case _:
                raise ValueError(f"a {self.family} prior has no density")
        return np.asarray(found.reshape(len(values), -1).sum(axis=1))

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Draws. Dims: (size, ...)."""
        own = np.shape(self.parameters[0]) if self.shape is None else np.atleast_1d(self.shape)
        dims = (size, *map(int, own))
        if self.family == "HalfNormal":
            return np.abs(rng.normal(0.0, self.parameters[0], dims))
        return np.asarray(getattr(rng, self.family.lower())(*self.parameters, dims))


@dataclass(frozen=True)
class GrowthPrior:
    """Prior of a growth process (see :mod:`telemed_forecast.models.growth`).

    Pairs are (mean, sd) of a normal on the log scale, or (alpha, beta) of a Beta distribution.

    Attributes
    ----------
    log_rate, log_innovation, log_sigma
        Normal on the log of r, p [1/year] and of the shock size sigma [-].
    theta, rho
        Beta of the law's shape and of the persistence of deviations over one year.
    log_distance
        Normal on log log(ceiling / last level): how far off a ceiling lies that nothing else bounds.
    start_sd
        [log points] sd of the first latent level around the first guess.
    floor, elasticity, nu
        Fixed constants of the shock's scale and tails.
    max_growth
        [log points a year] Bound (smooth) on what the law alone expects in a forecast.
    """

    log_rate: tuple[float, float]
    log_innovation: tuple[float, float]
    log_sigma: tuple[float, float]
    theta: tuple[float, float]
    rho: tuple[float, float]
    log_distance: tuple[float, float]
    start_sd: float
    floor: float
    elasticity: float
    nu: float
    max_growth: float

    def numbers(self) -> np.ndarray:
        """All of it in one row, pair by pair. Dims: (number,)."""
        return np.hstack(astuple(self))

    @classmethod
    def from_numbers(cls, row: Any) -> GrowthPrior:
        """Back from one row, which may be data of a graph."""
        own: list[Any] = [(row[2 * k], row[2 * k + 1]) for k in range(6)]
        return cls(*own, *(row[12 + k] for k in range(5)))


@dataclass(frozen=True)
class SurgePrior:
    """Prior of what stays after a surge, for a family of services not seen before.

    Attributes
    ----------
    logit_kept
        Normal on logit(rho), rho the share of the surge that stays for good.
    log_half_life
        Normal on log(tau), tau [years] the half-life of the part that goes.
    gained
        Beta of the share of the not-yet-users that a wave brings in.
    """

    logit_kept: tuple[float, float]
    log_half_life: tuple[float, float]
    gained: tuple[float, float]

    def numbers(self) -> np.ndarray:
        """All of it in one row, pair by pair. Dims: (number,)."""
        return np.hstack(astuple(self))

    @classmethod
    def from_numbers(cls, row: Any) -> SurgePrior:
        """Back from one row, which may be data of a graph."""
        return cls(*((row[2 * k], row[2 * k + 1]) for k in range(3)))


def _read(name: str, key: str) -> dict[str, object]:
    with (PRIORS / name).open(encoding="utf-8") as file:
        values = json.load(file)[key]
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def growth_prior(kind: str) -> GrowthPrior:
    """The prior of a class of growth curves (`kind` is a key of ``data/priors/growth.json``)."""
    return GrowthPrior(**_read("growth.json", kind))  # type: ignore[arg-type]


def surge_prior() -> SurgePrior:
    """The prior of retention for a new family of services (``data/priors/surge.json``)."""
    return SurgePrior(**_read("surge.json", "new_family"))  # type: ignore[arg-type]
