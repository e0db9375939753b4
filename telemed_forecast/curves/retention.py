r"""What stays after a surge: the direct retention model.

A series with level :math:`y` had a surge at its height :math:`s = 0` [years] and a base :math:`b` before it. The share
of the excess that is still there after :math:`s` years is

.. math:: g(s) = \bigl(\rho + (1 - \rho)\, 2^{-s/\tau}\bigr)\, e^{\phi\, 2^{-s/\eta}},

where the last factor is the emergency itself, which is over within months (:math:`\eta` is a month).

The forecast is *direct*: from the level :math:`\ell` at the origin (an exponentially weighted mean of the last eight
seasonally adjusted logs, weights :math:`e^{-\lambda k}` for :math:`k` periods before the origin) straight to the
horizon :math:`h`, in periods of :math:`\Delta` years,

.. math::

   \log y_{h} \sim t_5\bigl(m_h + c_{h},\, S_h\bigr), \qquad
   m_h = \log\Bigl(b + (e^\ell - b)\,\tfrac{g(s + h\Delta)}{g(s)}\Bigr),

   S_h^2 = \omega^2 + \sigma^2 h\Delta + v\,\Delta\,(\alpha^2 + \beta^2 h) + \zeta^2\, 4^{-s/\theta}.

The excess decays from where the series *is*: there is no amplitude of an area and no curve to which it returns. A level
below the base drifts back to it, :math:`m_h = \ell + (\log b - \ell)(1 - e^{-\kappa h\Delta})`.
:math:`c` are seasonal factors (log points) of the family, :math:`v` [log points squared a year] is the series' own
volatility, shrunk towards its family's; :math:`\zeta` is what is unsure besides in the first months of a surge
(:math:`\theta` is half a year).

Families (a country and its payer) have their own parameters (:math:`\alpha, \beta, \zeta, \kappa` are common), drawn
from a population; a family never seen is one more draw from it. The learned values are in ``data/priors/surge.json``: a
mean and a covariance of each family's parameters on unbounded scales. They are a *composite* posterior: its likelihood
multiplies overlapping windows, and is tempered because they are not independent
(:mod:`telemed_forecast.curves.learn_retention`).

References
----------
Varin, Reid & Firth (2011), An overview of composite likelihood methods, Statistica Sinica 21.
Marcellino, Stock & Watson (2006), A comparison of direct and iterated multistep AR methods, J. Econometrics 135.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.curves.surges import Surge, smallest, surge_of
from telemed_forecast.errors import Fault, InputError
from telemed_forecast.paths import PRIORS

if TYPE_CHECKING:
    from telemed_forecast.curves.series import Series

LAGS = 8
"""Values from which the level at the origin is taken."""

NU = 5.0
"""Degrees of freedom of the predictive distribution."""

OWN_WEIGHT = 4.0
"""Number of changes of a series that tell as much of its volatility as its family does."""

FEWEST = 5
"""Values that a series must have."""

PARAMETERS = (
    "logit_kept",
    "log_half_life",
    "emergency",
    "log_forgetting",
    "log_spread",
    "log_drift",
    "log_noise",
    "log_walk",
    "log_unrest",
    "log_return",
    "log_volatility",
)
"""A family's parameters: logit rho, log tau, phi; logs of lambda, omega, sigma, alpha, beta, zeta, kappa and v."""

EMERGENCY = 1.0 / 12.0
"""[years] eta, the half-life of the emergency's own factor."""

UNREST = 0.5
"""[years] theta, the half-life of what is unsure in the first months."""

DRAWS = 400
"""Draws of the parameters over which a forecast is averaged."""

MEAN_BETWEEN = (0.01, 0.99)
"""Levels beyond which the mean does not look: a log-Student-t has no mean."""

STRATA = 16
"""Values of the Student-t for each draw."""


Window = dict[str, np.ndarray]
"""What the model sees of series at their origins: data only, no parameters. Dims: (window,) or (window, lag).

- logs: log of the last values over the series' scale, newest first, 0 where missing
- present: whether there is such a value after the surge
- lag: periods before the origin
- phase: period of the year of each value, from 0
- since: years from the height of the surge to the origin
- step: length of a period in years
- base: level before the surge over the series' scale
- changes: number of changes that `volatility` rests on
- volatility: mean square of these changes, a year
"""

Tensors = Mapping[str, Any]
"""Arrays by name, or tensors inside a model."""


def window(series: Series, surge: Surge) -> Window:
    """The window at the end of a series, scaled by the largest value so that its unit does not matter."""
    scale = float(np.max(series.values))
    z = np.log(np.maximum(series.values, smallest(series.values)) / scale)
    used = np.flatnonzero(series.index >= surge.height)
    last = used[-LAGS:][::-1]
    number, volatility = _volatility(np.diff(z[used]), np.diff(series.index[used]) * series.step)
    lagged = {
        "logs": z[last],
        "present": np.ones(last.size),
        "lag": (series.index[-1] - series.index[last]).astype(float),
        "phase": series.index[last] % round(1.0 / series.step),
    }
    single = {
        "since": (series.index[-1] - surge.height) * series.step,
        "step": series.step,
        "base": surge.base / scale,
        "changes": float(number),
        "volatility": volatility,
    }
    padded = {name: np.pad(values, (0, LAGS - last.size))[None] for name, values in lagged.items()}
    return padded | {name: np.array([value]) for name, value in single.items()}


def _volatility(changes: np.ndarray, years: np.ndarray) -> tuple[int, float]:
    """Number of changes and their mean square a year, around their mean; absolute deviations tame the outliers."""
    if changes.size < 2:
        return 0, 0.0
    scaled = changes / np.sqrt(years)
    absolute = np.abs(scaled - np.median(scaled)).mean() * np.sqrt(np.pi / 2)
    return changes.size - 1, float(absolute**2 * changes.size / (changes.size - 1))


def kept(since: Any, *, rho: Any, tau: Any, emergency: Any = 0.0, xp: Any = np) -> Any:
    """g: what is still there of the excess `since` years after the height, up to a constant with an emergency."""
    return (rho + (1.0 - rho) * xp.exp2(-since / tau)) * xp.exp(emergency * xp.exp2(-since / EMERGENCY))


def predictive(p: Tensors, w: Tensors, *, ahead: Any, season_then: Any, season_now: Any, xp: Any = np) -> Any:
    """Location and scale of the log level over the series' scale. Dims of each: (..., window, horizon).

    `p` are parameters by name (:data:`PARAMETERS`), broadcastable to (..., window, 1); `w` is a window, or the same
    names with tensors; `ahead` horizons in periods, dims (window, horizon) or (horizon,). `season_then` and
    `season_now` are the seasonal factors of each target and of each value of the window, broadcastable to (..., window,
    horizon or lag). `xp` is numpy, or pytensor.tensor inside a model.
    """
    rho, tau = 1.0 / (1.0 + xp.exp(-p["logit_kept"])), xp.exp(p["log_half_life"])
    retention = {"rho": rho, "tau": tau, "emergency": p["emergency"]}
    since, step, base = w["since"][:, None], w["step"][:, None], w["base"][:, None]
    years = ahead * step
    weight = w["present"] * xp.exp(-xp.exp(p["log_forgetting"]) * w["lag"])
    level = (weight * (w["logs"] - season_now)).sum(axis=-1)[..., None] / weight.sum(axis=-1)[..., None]
    decay = kept(since + years, **retention, xp=xp) / kept(since, **retention, xp=xp)
    excess = xp.exp(level) - base
    above = xp.log(base + xp.maximum(excess, 0.0) * decay)
    below = level + (xp.log(base) - level) * (1.0 - xp.exp(-xp.exp(p["log_return"]) * years))
    seen, own = w["changes"][:, None], OWN_WEIGHT * xp.exp(p["log_volatility"])
    own = (own + (w["changes"] * w["volatility"])[:, None]) / (OWN_WEIGHT + seen)
    noise = own * step * (xp.exp(2 * p["log_noise"]) + xp.exp(2 * p["log_walk"]) * ahead)
    unrest = xp.exp(2 * p["log_unrest"]) * xp.exp2(-2 * since / UNREST)
    variance = xp.exp(2 * p["log_spread"]) + xp.exp(2 * p["log_drift"]) * years + noise + unrest
    return xp.where(excess > 0, above, below) + season_then, xp.sqrt(variance)


@dataclass(frozen=True)
class Family:
    """Learned retention of one family, parameters on their unbounded scales in the order of :data:`PARAMETERS`."""

    classes: tuple[str, ...]  # Reference classes that belong to it
    mean: np.ndarray  # Dims: (parameter,)
    covariance: np.ndarray  # Dims: (parameter, parameter)
    # Seasonal factors in log points, one a period of the year; empty when none are known. Dims: (period,)
    season: np.ndarray
    pandemic: bool  # Its surge was that of spring 2020

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Family:
        """A family from its part of the file."""
        mean = np.array([row["mean"][name] for name in PARAMETERS])
        covariance, season = np.array(row["covariance"]), np.array(row["season"])
        return cls(tuple(row["classes"]), mean, covariance, season, bool(row["pandemic"]))


@dataclass(frozen=True)
class RetentionPrior:
    """Learned retention of all families and of a family never seen."""

    families: Mapping[str, Family]
    unseen: Family

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> RetentionPrior:
        """Read what ``learn_retention.learn`` returns and ``data/priors/surge.json`` holds."""
        own = content["retention"]
        return cls({name: Family.of(row) for name, row in own["families"].items()}, Family.of(own["unseen"]))

    def family(self, reference_class: str) -> Family:
        """The family of a class; the family never seen when the class is not known."""
        return next((f for f in self.families.values() if reference_class in f.classes), self.unseen)


@lru_cache(maxsize=1)
def shipped_prior() -> RetentionPrior:
    """The prior in ``data/priors/surge.json``."""
    return RetentionPrior.from_content(json.loads((PRIORS / "surge.json").read_text(encoding="utf-8")))


def forecast(
    series: Sequence[Series], horizon: int, *, levels: np.ndarray, seed: int = 0, prior: RetentionPrior | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast what stays after the surges of many series; every one that cannot be forecast is named in one error.

    A `reference_class` names the family whose retention is used (of `prior`, by default the shipped one); any other
    name, or none, stands for one never seen. The horizon counts periods after each series' last value.

    Returns
    -------
    quantiles, mean
        In the unit of each series, never above its bound. Dims: (series, horizon, level), (series, horizon). The mean
        is that of what is left when the outermost values are moved in to :data:`MEAN_BETWEEN`.
    """
    prior = prior or shipped_prior()
    families = [prior.family(s.reference_class) for s in series]
    surges = _checked_surges(series, families)
    quantiles = np.empty((len(series), horizon, len(levels)))
    mean = np.empty((len(series), horizon))
    for family in {id(f): f for f in families}.values():
        rng = np.random.default_rng(seed)
        p, t = _draws(family, rng)
        for n in (n for n, f in enumerate(families) if f is family):
            values, bound = _sample(series[n], surges[n], family, p, t, horizon), series[n].bound or np.inf
            quantiles[n] = np.minimum(np.quantile(values, levels, axis=0).T, bound)
            mean[n] = np.minimum(np.clip(values, *np.quantile(values, MEAN_BETWEEN, axis=0)), bound).mean(axis=0)
    return quantiles, mean


def _checked_surges(series: Sequence[Series], families: Sequence[Family]) -> list[Surge]:
    """The surge of every series, or one error for all that have none to forecast from."""
    faults, surges = [], []
    for s, family in zip(series, families, strict=True):
        if len(s.values) < FEWEST:
            faults.append(Fault(file=s.series_id, value=str(len(s.values)), expected=f"at least {FEWEST} values"))
        elif not np.any(s.values > 0):
            faults.append(Fault(file=s.series_id, column="value", value="0", expected="at least one value above zero"))
        else:
            surge = surge_of(s, pandemic=family.pandemic)
            surges.append(surge)
            if s.index[-1] < surge.height:
                faults.append(Fault(file=s.series_id, expected="values from the surge on (spring 2020)"))
    if faults:
        raise InputError(faults)
    return surges


def _draws(family: Family, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draws of the parameters (draw, 1, 1) and stratified values of the Student-t (draw, stratum)."""
    from scipy.special import stdtrit

    normal = rng.standard_normal((DRAWS // 2, len(PARAMETERS)))
    values, vectors = np.linalg.eigh(family.covariance)
    # Antithetic pairs: the draws' mean is the family's.
    x = family.mean + np.concatenate([normal, -normal]) * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    p = {name: x[:, k, None, None] for k, name in enumerate(PARAMETERS)}
    u = (np.arange(STRATA) + rng.permuted(np.linspace(0, 1, DRAWS + 2)[1:-1])[:, None]) / STRATA
    return p, stdtrit(NU, u)


def _sample(
    series: Series, surge: Surge, family: Family, p: Mapping[str, np.ndarray], t: np.ndarray, horizon: int
) -> np.ndarray:
    """Values of the predictive distribution in the unit of the series. Dims: (value, horizon)."""
    w = window(series, surge)
    ahead = np.arange(1, horizon + 1)
    periods = round(1.0 / series.step)
    season = family.season if family.season.size == periods else np.zeros(periods)
    then = season[(series.index[-1] + ahead) % periods]
    location, scale = predictive(p, w, ahead=ahead, season_then=then, season_now=season[w["phase"]])
    z = location[:, :, None, :] + scale[:, :, None, :] * t[:, None, :, None]
    return np.exp(z).reshape(-1, horizon) * float(np.max(series.values))
