r"""Nominal against actual coverage at every level, with the band that chance allows.

A calibrated forecaster's probability integral transforms :math:`p` are uniform, and so are
:math:`u = |2p - 1|`: the central interval of probability :math:`L` holds what came where :math:`u \le L`. The curve of
actual against nominal coverage is the empirical distribution of :math:`u`, and its simultaneous band is found by
simulating calibrated forecasters: pointwise quantiles with tails so small that the band of all levels together holds
the wanted part of the simulated curves (the simulation of Saeilynoja, Buerkner & Vehtari 2022).

Forecasts of a track record are not independent. Those of one outcome miss together, and so do those of one day. The
wide band says what chance allows if all forecasts of a group share one :math:`u`: the strongest dependence there is.
It is made for both groupings, and the wider one counts at every level.

References
----------
Saeilynoja, Buerkner & Vehtari (2022), Graphical test for discrete uniformity and its applications in goodness-of-fit
evaluation and multiple sample comparison, Statistics and Computing 32.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

NOMINAL = np.arange(5, 100, 5) / 100.0
"""Levels of the curve."""

BAND = 0.9
"""Part of the calibrated forecasters whose whole curve lies within the band."""

SIMULATED = 4000
"""Simulated forecasters: the tails of the band are known to about a twentieth of themselves."""


def coverage(pit: Sequence[float], *groupings: Sequence[Hashable], seed: int) -> pd.DataFrame:
    """The curve of a forecaster, with both bands, from probability integral transforms (0..1; at least one).

    Each grouping gives the group of every forecast; the seed is that of the simulated forecasters.

    Returns
    -------
    A row a level (index ``nominal``), all numbers parts of one: ``actual``; ``low`` and ``high``, what chance allows to
    as many independent forecasts; ``wide_low`` and ``wide_high``, the same if forecasts of a group stand and fall
    together; ``alone_low`` and ``alone_high``, that for each level alone, for a reader who looks at one.
    """
    ranks = np.asarray(pit, dtype=float)
    if not len(ranks):
        raise ValueError("coverage of no forecast at all")
    even = np.full(len(ranks), 1.0 / len(ranks))
    rng = np.random.default_rng(seed)
    low, high = band(simulated(even, rng))
    curves = [simulated(_weights(groups), rng) for groups in groupings]
    # With a handful of groups a single level can allow more than the band of all, which is there to hold whole curves.
    ends = [0.5 - BAND / 2, 0.5 + BAND / 2]
    alone = np.array([np.quantile(one, ends, axis=0, method="inverted_cdf") for one in curves] or [[low, high]])
    wide = np.array([[low, high], *alone, *(band(one) for one in curves)])
    columns = {
        "actual": _curves(np.abs(2.0 * ranks - 1.0)[None, :], even)[0],
        **{"low": low, "high": high},
        **{"wide_low": wide[:, 0].min(axis=0), "wide_high": wide[:, 1].max(axis=0)},
        **{"alone_low": alone[:, 0].min(axis=0), "alone_high": alone[:, 1].max(axis=0)},
    }
    return pd.DataFrame(columns, index=pd.Index(NOMINAL, name="nominal"))


def _weights(groups: Sequence[Hashable]) -> np.ndarray:
    """Part of all forecasts that each group holds. Dims: (group,)."""
    names = {name: position for position, name in enumerate(dict.fromkeys(groups))}
    counts = np.bincount([names[group] for group in groups])
    return counts / counts.sum()


def simulated(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coverage of calibrated forecasters; all forecasts of a group share one uniform number.

    Dims in: (group,), the part of the forecasts that each group holds; out: (curve, level).
    """
    return _curves(rng.uniform(size=(SIMULATED, len(weights))), weights)


def band(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end of the band that holds the part `BAND` of whole curves, equally far out at every level.

    Dims in: (curve, level); out, each: (level,).
    """
    ordered = np.sort(curves, axis=0)
    # How far out a curve is at its most extreme level: the smaller of both tails, counted among all curves.
    below, above = (
        np.stack([np.searchsorted(ordered[:, k], own, side=side) for k, own in enumerate(curves.T)])
        for side in ("right", "left")
    )
    # The same rank from either end at every level: no curve at it or nearer to the middle is outside.
    out = np.minimum(below, len(curves) - above).min(axis=0)
    rank = int(np.quantile(out, 1.0 - BAND, method="lower"))
    return ordered[rank - 1], ordered[len(curves) - rank]


def _curves(ranks: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted part of the ranks not above each level. Dims in: (curve, group), (group,); out: (curve, level)."""
    # A hair of slack, so that a rank that ties with a level counts as covered, as in `scores.Predicted`.
    return np.stack([(ranks <= level + 1e-12) @ weights for level in NOMINAL], axis=1)


def histogram(pit: Sequence[float], bins: int) -> np.ndarray:
    """Part of the forecasts in each bin of equal width; a calibrated forecaster has the same in all. Dims: (bin,)."""
    counts, _ = np.histogram(np.clip(pit, 0.0, 1.0), bins=bins, range=(0.0, 1.0))
    return np.asarray(counts / max(len(pit), 1))
