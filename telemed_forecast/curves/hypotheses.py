r"""Forecasts of adoption for any series: hypotheses about the ceiling, averaged by how well each predicts.

Five to fifty points do not tell where growth will end. So several hypotheses stand side by side: the ceiling is that of
the series' own technology or kind of measure; it is that of the other kind; it is near; it is reached. Where the unit
has no natural scale (a count, a sum of money) the ceiling is as far above the level seen as ceilings were, or near, or
reached. Repeated figures are read in both ways that they allow (:func:`telemed_forecast.curves.innovations.readings`).
Draws from the priors are followed along the series (:mod:`telemed_forecast.curves.innovations`) and weighted by

.. math:: w \propto \exp\{\alpha \log p(\text{series} \mid \text{draw})\},

a *tempered* likelihood: with :math:`\alpha < 1` the weights are no posterior of the model as it stands but one that
allows for its being wrong, as past adoptions showed it to be (with :math:`\alpha = 1` its intervals held too little).
Forecasts are weighted quantiles of the draws carried on: importance sampling, in milliseconds a series.

References
----------
Grünwald & van Ommen (2017), Inconsistency of Bayesian inference for misspecified linear models, and a proposal for
repairing it, Bayesian Analysis 12(4) (tempered likelihoods).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.curves import innovations, units
from telemed_forecast.curves.innovations import Draws, Law
from telemed_forecast.errors import Fault, InputError
from telemed_forecast.paths import PRIORS

if TYPE_CHECKING:
    from telemed_forecast.curves.series import Series

PARAMETERS = ("log_rate", "log_ceiling", "logit_carry", "log_sigma")
"""What differs between series. A ceiling is relative to the natural scale of its unit (100 for a percentage)."""

KINDS = {
    "penetration": "penetration",
    "stock_per_100": "penetration",
    "share": "share",
    "share_of_sales": "share",
    "share_of_stock": "share",
}
"""Measure -> kind of ceiling: how many have it, or which part of something it is."""

OTHERS = {"penetration": "share", "share": "penetration", "any": "any"}
"""The other kind; a series whose measure says nothing is of any."""

REACHED = (-3.0, 1.0)
"""Mean and sd of log log(ceiling / last level) when growth is over: a twentieth is still to come, or a seventh."""

REACHED_WEIGHT = 0.1
"""Weight of that hypothesis where a prior gives none (``reached``): the others share the rest as they were."""

WAITING = 8
"""Steps that periods without a measurement before the first forecast are taken in, at most."""

OUTERMOST = 0.005
"""Part of the draws on each side that a mean takes at its edge."""

DRAWS = 8192
"""Draws a series: on average a quantile is then off by less than a hundredth of the 90% interval's width, the outermost
(1 and 99%) by several times that (``python -m benchmarks nuts``)."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A prior of one series' parameters, normal in the order of `PARAMETERS`."""

    weight: float  # Before anything is seen
    mean: np.ndarray  # Dims: (parameter,)
    covariance: np.ndarray  # Dims: (parameter, parameter)
    # (mean, sd) of the normal log of log(ceiling / last level) when the ceiling is relative to the level seen; None
    # when it is relative to the unit's natural scale.
    distance: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Family:
    """A known technology."""

    kind: str  # Its kind of ceiling
    mean: np.ndarray  # Of its series' parameters. Dims: (parameter,)
    skew: float  # Of its shocks (see :class:`telemed_forecast.curves.innovations.Law`)


@dataclass(frozen=True, eq=False)
class Prior:
    """What past adoptions teach (``forecast`` in ``data/priors/growth.json``)."""

    laws: Mapping[str, Law]  # Common law of each kind
    families: Mapping[str, Family]  # Known technologies, by name
    within: np.ndarray  # Covariance between the series of a technology. Dims: (parameter, parameter)
    new: Mapping[str, tuple[np.ndarray, np.ndarray]]  # A technology not seen before, of each kind: (mean, covariance)
    far: tuple[float, float]
    # How far the ceiling is above the last level where nothing else tells, and when growth is soon over (see
    # :class:`Hypothesis`).
    near: tuple[float, float]
    power: float  # alpha, the power of the likelihood
    # Of the hypotheses own, other and near, for a ``known`` technology and a ``new`` one; of far and near for a unit
    # ``without_scale``.
    weights: Mapping[str, Mapping[str, float]]

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Prior:
        """Read it from what `learn_growth.learn` returns, or a file of it holds."""
        own = content["forecast"]
        return cls(
            laws={kind: Law(**values) for kind, values in own["laws"].items()},
            families={
                name: Family(its["kind"], np.array(its["mean"]), its["skew"]) for name, its in own["families"].items()
            },
            within=np.array(own["within"]),
            new={kind: (np.array(its["mean"]), np.array(its["covariance"])) for kind, its in own["new"].items()},
            far=(own["far"][0], own["far"][1]),
            near=(own["near"][0], own["near"][1]),
            power=own["power"],
            weights=own["weights"],
        )


@lru_cache
def shipped() -> Prior:
    """Return the prior in ``data/priors``."""
    return Prior.from_content(json.loads((PRIORS / "growth.json").read_text(encoding="utf-8")))


def classes() -> tuple[str, ...]:
    """Return the technologies that the shipped prior knows, by name."""
    return tuple(sorted(shipped().families))


def forecast(
    series: Sequence[Series],
    horizon: int,
    *,
    levels: np.ndarray,
    seed: int = 0,
    prior: Prior | None = None,
    draws: int = DRAWS,
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast series, each on its own, at quantile levels and in the mean.

    Series may have periods of any length, and have at least one value above zero. One whose `reference_class` the prior
    (by default the shipped one) knows is of that technology; any other is new. The horizon counts each series' own
    periods.

    Returns
    -------
    quantiles, mean
        In the unit of each series. Dims: (series, horizon, level), (series, horizon). For the mean, draws beyond the
        outermost half percent count as its edge: growth with the shocks of a Student-t has no mean that numbers could
        settle on.
    """
    dead = [one.series_id for one in series if not np.any(one.values > 0)]
    if dead:
        raise InputError(Fault(file="series", column=name, expected="at least one value above zero") for name in dead)
    known = shipped() if prior is None else prior
    numbers = uniform(draws, horizon, seed)
    quantiles = np.empty((len(series), horizon, len(levels)))
    means = np.empty((len(series), horizon))
    for i, one in enumerate(series):
        paths, weights = sample(one, horizon, prior=known, numbers=numbers)
        quantiles[i] = [_quantiles(values, weights, levels) for values in paths]
        means[i] = [_mean(values, weights) for values in paths]
    return quantiles, means


def sample(one: Series, horizon: int, *, prior: Prior, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted draws of a series' future: paths in its unit (horizon, draw), weights that sum to one (draw,).

    A series with repeated figures has all draws twice, once in each reading of them. `numbers` are those of
    :func:`uniform`. Dims: (draw, 1 + parameter + horizon + waiting).
    """
    paths: list[np.ndarray] = []
    logs: list[np.ndarray] = []
    for known, pattern in innovations.readings(one.values, one.index * one.step):
        path, weight = _followed(one, known, prior, numbers, horizon)
        paths.append(path)
        logs.append(weight + pattern)
    log_weights = np.concatenate(logs)
    weights = np.exp(log_weights - log_weights.max())
    return np.concatenate(paths, axis=1), weights / weights.sum()


def _followed(
    one: Series, known: innovations.Levels, prior: Prior, numbers: np.ndarray, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Paths of one reading of a series (horizon, draw), and their log weights but for a constant (draw,)."""
    law = law_of(one, prior)
    parameters = _drawn(one, known, prior, numbers[:, : 1 + len(PARAMETERS)])
    likelihood, deviation = innovations.follow(known, parameters, law)
    # Periods that only repeated a figure have passed already, without a measurement.
    waited = min(round(known.waiting / one.step), WAITING)
    steps = np.r_[np.full(waited, known.waiting / max(waited, 1)), np.full(horizon, one.step)]
    ahead, before = np.split(numbers[:, 1 + len(PARAMETERS) :], [horizon], axis=1)
    shocks = innovations.standard_shocks(np.c_[before[:, :waited], ahead].T, law)
    highest = np.inf if one.bound is None else np.log(one.bound + known.offset)
    path = innovations.carry_on(known.z[-1], deviation, parameters, law, steps=steps, shocks=shocks, highest=highest)
    return np.maximum(np.exp(path[waited:]) - known.offset, 0.0), power_of(one, prior) * likelihood


def law_of(one: Series, prior: Prior) -> Law:
    """Return the law of a series: that of its kind, with the shocks of its technology where that is known."""
    family = prior.families.get(one.reference_class)
    return prior.laws[_kind(one)] if family is None else replace(prior.laws[family.kind], skew=family.skew)


def power_of(one: Series, prior: Prior) -> float:
    """Return the power of a series' likelihood: a year tells as much however often it was measured.

    What the law misses lasts longer than a month.
    """
    return prior.power * min(one.step, 1.0)


def hypotheses(one: Series, prior: Prior) -> list[Hypothesis]:
    """Return what is thought possible of a series before its values are read, the weights summing to one."""
    family = prior.families.get(one.reference_class)
    kind = _kind(one) if family is None else family.kind
    new = prior.new[kind]
    own = new if family is None else (family.mean, prior.within)
    # What else a known technology could be is a new one of its kind.
    other = prior.new[OTHERS[kind]] if family is None else new
    if units.scale(one.unit) is None:
        weights = prior.weights["without_scale"]
        found = [Hypothesis(weights["far"], *own, distance=prior.far)]
    else:
        weights = prior.weights["new" if family is None else "known"]
        found = [Hypothesis(weights["own"], *own), Hypothesis(weights["other"], *other)]
    found.append(Hypothesis(weights["near"], *own, distance=prior.near))
    reached = weights.get("reached", REACHED_WEIGHT)
    left = (1.0 - reached) / sum(each.weight for each in found)
    return [
        *(replace(each, weight=each.weight * left) for each in found),
        Hypothesis(reached, *own, distance=REACHED),
    ]


def _kind(one: Series) -> str:
    return KINDS.get(one.measure, "any")


def _drawn(one: Series, known: innovations.Levels, prior: Prior, numbers: np.ndarray) -> Draws:
    """Draw the parameters of a series from its hypotheses, each as often as its weight says."""
    from scipy import special

    found = hypotheses(one, prior)
    chosen = np.searchsorted(np.cumsum([each.weight for each in found])[:-1], numbers[:, 0])
    normal = special.ndtri(numbers[:, 1:])
    values = np.empty_like(normal)
    ceiling = np.empty(len(normal))
    scale = units.scale(one.unit)
    for k, each in enumerate(found):
        these = chosen == k
        values[these] = each.mean + normal[these] @ np.linalg.cholesky(each.covariance).T
        if each.distance is not None:
            ceiling[these] = known.z[-1] + np.exp(each.distance[0] + each.distance[1] * normal[these, 1])
        elif scale is not None:
            ceiling[these] = np.log(scale * np.exp(values[these, 1]) + known.offset)
    return Draws(
        rate=np.exp(values[:, 0]), log_ceiling=ceiling, carry=special.expit(values[:, 2]), sigma=np.exp(values[:, 3])
    )


@lru_cache(maxsize=4)
def uniform(draws: int, horizon: int, seed: int) -> np.ndarray:
    """Return uniform numbers for :func:`sample` that fill the space evenly (Sobol). Dims: (draw, dimension)."""
    from scipy.stats import qmc

    numbers = qmc.Sobol(1 + len(PARAMETERS) + horizon + WAITING, rng=seed).random(draws)
    return np.clip(numbers, 1e-9, 1.0 - 1e-9)


def _quantiles(values: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - weights[order] / 2
    return np.interp(levels, reached, values[order])


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    low, high = _quantiles(values, weights, np.array([OUTERMOST, 1.0 - OUTERMOST]))
    return float(np.clip(values, low, high) @ weights)
