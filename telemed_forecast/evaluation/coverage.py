r"""Nominal against actual coverage at every level, with the band that chance allows.

A calibrated forecaster's probability integral transforms :math:`p` are uniform, and so are
:math:`u = |2p - 1|`: the central interval of probability :math:`L` holds what came where :math:`u \le L`. The curve of
actual against nominal coverage is the empirical distribution of :math:`u`, and its simultaneous band is found by
simulating calibrated forecasters: pointwise quantiles with tails so small that the band of all levels together holds
the wanted part of the simulated curves (the simulation of Saeilynoja, Buerkner & Vehtari 2022).

Forecasts of a track record are not independent. Those of one outcome miss together, and so do those of one origin. The
wide band says what chance allows if all forecasts of a group share one :math:`u`: the strongest dependence there is.
It is made for both groupings, and the wider one counts at every level.

References
----------
Saeilynoja, Buerkner & Vehtari (2022), Graphical test for discrete uniformity and its applications in goodness-of-fit
evaluation and multiple sample comparison, Statistics and Computing 32.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

NOMINAL = np.arange(5, 100, 5) / 100.0
"""Levels of the curve."""

BAND = 0.9
"""Part of the calibrated forecasters whose whole curve lies within the band."""

SIMULATED = 4000
"""Simulated forecasters: the tails of the band are known to about a twentieth of themselves."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Coverage by level; all arrays have the dims (level,), all numbers are parts of one.

    Attributes
    ----------
    nominal, actual
        Probability of the interval, and part of the forecasts whose interval held what came.
    low, high
        What chance allows to as many independent forecasts.
    wide_low, wide_high
        What it allows if forecasts of a group stand and fall together.
    alone_low, alone_high
        The same for each level alone, without regard to the others: for a reader who looks at one level.
    number
        Forecasts.
    groups
        Groups of each grouping, in the order given.
    """

    nominal: np.ndarray
    actual: np.ndarray
    low: np.ndarray
    high: np.ndarray
    wide_low: np.ndarray
    wide_high: np.ndarray
    alone_low: np.ndarray
    alone_high: np.ndarray
    number: int
    groups: tuple[int, ...]

    def at(self, level: float) -> int:
        """Position of a level."""
        return int(np.argmin(np.abs(self.nominal - level)))


def coverage(pit: Sequence[float], *groupings: Sequence[Hashable], seed: int) -> Coverage:
    """The curve of a forecaster, with both bands.

    Parameters
    ----------
    pit
        Probability integral transforms, 0..1.
    groupings
        For each grouping the group of every forecast.
    seed
        Seed of the simulated forecasters.

    Raises
    ------
    ValueError
        Without any forecast.
    """
    ranks = np.asarray(pit, dtype=float)
    if not len(ranks):
        raise ValueError("coverage of no forecast at all")
    actual = _curves(np.abs(2.0 * ranks - 1.0)[None, :], np.full(len(ranks), 1.0 / len(ranks)))[0]
    rng = np.random.default_rng(seed)
    even = np.full(len(ranks), 1.0 / len(ranks))
    low, high = band(simulated(even, rng))
    curves = [simulated(_weights(groups), rng) for groups in groupings]
    bands = [band(one) for one in curves]
    tails = [np.quantile(one, [0.5 - BAND / 2, 0.5 + BAND / 2], axis=0, method="inverted_cdf") for one in curves]
    # With a handful of groups a single level can allow more than the band of all, which is there to hold whole curves.
    alone_low = np.min([one[0] for one in tails], axis=0) if tails else low
    alone_high = np.max([one[1] for one in tails], axis=0) if tails else high
    return Coverage(
        nominal=NOMINAL,
        actual=actual,
        low=low,
        high=high,
        wide_low=np.min([low, alone_low, *(one for one, _ in bands)], axis=0),
        wide_high=np.max([high, alone_high, *(one for _, one in bands)], axis=0),
        alone_low=alone_low,
        alone_high=alone_high,
        number=len(ranks),
        groups=tuple(len(set(groups)) for groups in groupings),
    )


def _weights(groups: Sequence[Hashable]) -> np.ndarray:
    """Part of all forecasts that each group holds. Dims: (group,)."""
    names = list(dict.fromkeys(groups))
    counts = np.bincount([names.index(group) for group in groups])
    return counts / counts.sum()


def simulated(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coverage of calibrated forecasters.

    Parameters
    ----------
    weights
        Part of the forecasts that each group holds; all of a group share one uniform number. Dims: (group,).
    rng
        Source of the simulated forecasters.

    Returns
    -------
    Dims: (curve, level).
    """
    return _curves(rng.uniform(size=(SIMULATED, len(weights))), weights)


def band(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The band that holds the part `BAND` of whole curves, equally far out at every level.

    Parameters
    ----------
    curves
        Of calibrated forecasters. Dims: (curve, level).

    Returns
    -------
    Low and high ends. Dims of each: (level,).
    """
    ordered = np.sort(curves, axis=0)
    # How far out a curve is at its most extreme level: the smaller of both tails, counted among all curves.
    below = np.stack([np.searchsorted(ordered[:, k], curves[:, k], side="right") for k in range(curves.shape[1])])
    above = np.stack(
        [len(curves) - np.searchsorted(ordered[:, k], curves[:, k], side="left") for k in range(curves.shape[1])]
    )
    # The same rank from either end at every level: no curve at it or nearer to the middle is outside.
    rank = int(np.quantile(np.minimum(below, above).min(axis=0), 1.0 - BAND, method="lower"))
    return ordered[rank - 1], ordered[len(curves) - rank]


def _curves(ranks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted part of the ranks not above each level. Dims in: (curve, group), (group,); out: (curve, level)."""
    # A hair of slack, so that a rank that ties with a level counts as inside, as `scores.inside` has it.
    return np.stack([(ranks <= level + 1e-12) @ weights for level in NOMINAL], axis=1)


def histogram(pit: Sequence[float], bins: int) -> np.ndarray:
    """Part of the forecasts in each bin of equal width; a calibrated forecaster has the same in all. Dims: (bin,)."""
    counts, _ = np.histogram(np.clip(pit, 0.0, 1.0), bins=bins, range=(0.0, 1.0))
    return np.asarray(counts / max(len(pit), 1))
