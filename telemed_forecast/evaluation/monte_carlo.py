"""How far two runs of one sampler may lie apart when nothing but chance is between them.

Draws of one seed are the same on one processor model. Elsewhere, and with another seed, they are other draws of the
same posterior, so that a quantile of theirs differs by its Monte Carlo error. What is compared across seeds or machines
is compared within that error, of both sides.

References
----------
Vehtari et al. (2021), Rank-normalization, folding, and localization: an improved R-hat, Bayesian Analysis 16(2)
(effective sample size and Monte Carlo error of a quantile).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CHANCE = 1e-4
"""Chance that a comparison, or a set of them, calls two runs different when they are not."""

FREEDOM = 12
"""Degrees of freedom of an error that is itself estimated, from the order of some hundred effective draws. Simulated
chains leave t-quantiles of 12 degrees about as often as they should, those of a normal distribution far too often; a
test holds the bound against such chains."""


@dataclass(frozen=True)
class Estimate:
    """A number that was drawn, and its Monte Carlo standard error."""

    value: float
    error: float


def quantile(draws: np.ndarray, level: float = 0.5, *, chains: int = 1) -> Estimate:
    """A quantile of draws with its Monte Carlo error.

    Parameters
    ----------
    draws
        Chains stacked in order. Dims: (sample,).
    level
        Which quantile.
    chains
        How many chains there are.
    """
    from arviz_stats.base import array_stats

    by_chain = np.asarray(draws, dtype=float).reshape(chains, -1)
    error = array_stats.mcse(by_chain, chain_axis=0, draw_axis=1, method="quantile", prob=level)
    return Estimate(float(np.quantile(by_chain, level)), float(error))


def mean(draws: np.ndarray, *, chains: int = 1) -> Estimate:
    """The mean of draws with its Monte Carlo error; parameters as for :func:`quantile`."""
    from arviz_stats.base import array_stats

    by_chain = np.asarray(draws, dtype=float).reshape(chains, -1)
    return Estimate(float(by_chain.mean()), float(array_stats.mcse(by_chain, chain_axis=0, draw_axis=1, method="mean")))


def apart(one: Estimate, other: Estimate) -> float:
    """Distance of two estimates in standard errors of their difference; a number without error is apart or equal."""
    if one.value == other.value:
        return 0.0
    error = float(np.hypot(one.error, other.error))
    return abs(one.value - other.value) / error if error > 0.0 else float("inf")


def bound(comparisons: int = 1, *, chance: float = CHANCE, freedom: float = FREEDOM) -> float:
    """Standard errors that the farthest of so many comparisons passes with the probability `chance` at most.

    Parameters
    ----------
    comparisons
        How many.
    chance
        Over all of them.
    freedom
        Degrees of freedom of the errors; infinite where they are known, or known to be no smaller.
    """
    from scipy import stats

    return float(stats.t.isf(0.5 * chance / comparisons, freedom))


def agree(pairs: Sequence[tuple[Estimate, Estimate]], *, chance: float = CHANCE) -> bool:
    """Whether all pairs lie within their Monte Carlo error; the chance that any does not is shared among them."""
    return all(apart(*pair) <= bound(len(pairs), chance=chance) for pair in pairs)


def agree_in_quantiles(
    one: np.ndarray,
    other: np.ndarray,
    levels: Sequence[float] = (0.1, 0.5, 0.9),
    *,
    chains: int = 1,
    chance: float = CHANCE,
) -> bool:
    """Whether two runs of one sampler have the same quantiles.

    Parameters
    ----------
    one, other
        Draws; chains stacked in order. Dims: (sample, ...): whatever follows is compared number by number.
    levels
        Quantiles.
    chains
        Chains of either.
    chance
        Chance that a difference is seen where there is none, over all numbers.
    """
    columns = [np.asarray(draws).reshape(len(draws), -1).T for draws in (one, other)]
    pairs = [
        (quantile(a, level, chains=chains), quantile(b, level, chains=chains))
        for a, b in zip(*columns, strict=True)
        for level in levels
    ]
    return agree(pairs, chance=chance)
