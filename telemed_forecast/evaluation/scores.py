r"""Scores of forecasts given as draws, each a plain function.

Amounts are scored on the log scale and shares on the logit scale (:func:`scaled`), where an error of 10% costs the same
however large the market; a CRPS of 0.1 is then about an error of 10%.

References
----------
Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, JASA 102(477).
Bosse et al. (2023), Scoring epidemiological forecasts on transformed scales, PLOS Computational Biology 19(8).
"""

from __future__ import annotations

from typing import Any

import numpy as np

EDGE = 1e-6
"""Shares nearer to 0 or 1 than this count as this far, for the logit has no value there."""


def scaled(values: Any, unit: str) -> np.ndarray:
    """Values on the scale of scores: the logit of percentages, the log of everything else."""
    if unit != "percent":
        return np.log(np.asarray(values, dtype=float))
    share = np.clip(np.asarray(values, dtype=float) / 100.0, EDGE, 1.0 - EDGE)
    return np.log(share / (1.0 - share))


def crps(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    r"""Continuous ranked probability score of the draws' empirical distribution; lower is better.

    :math:`E|X - y| - \tfrac12 E|X - X'|`, the second term from the sorted draws in one pass.

    Parameters
    ----------
    draws
        Dims: (draw, obs).
    truth
        What came. Dims: (obs,).

    Returns
    -------
    In the unit of the values. Dims: (obs,).
    """
    number = len(draws)
    ordered = np.sort(draws, axis=0)
    rank = np.arange(1, number + 1)[:, None]
    spread = ((2.0 * rank - number - 1.0) * ordered).sum(axis=0) / number**2
    return np.abs(ordered - truth).mean(axis=0) - spread


def inside(draws: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """Whether the central interval of that probability holds what came. Dims as in :func:`crps`; boolean."""
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return (truth >= low) & (truth <= high)


def pit(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Probability integral transform: the share of the draws below what came, ties halved. Dims: (obs,)."""
    return (draws < truth).mean(axis=0) + 0.5 * (draws == truth).mean(axis=0)


def bias(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Median of the forecast less what came: above zero when too much was forecast. Dims: (obs,)."""
    return np.median(draws, axis=0) - truth
