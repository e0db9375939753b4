r"""Scores of quantile forecasts, relative to the level that was forecast.

The score of a value :math:`y` under quantiles :math:`q_k` at levels :math:`\tau_k` is twice the mean pinball loss, the
CRPS as far as the levels show it. Divided by the mean true level of its task it has no unit; averaged over the task's
horizon and clipped at `CLIP`, so that no single task rules a mean, it is averaged within each family, then over the
families of a part, then over parts: a family counts as one however many series it has.

References
----------
Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, JASA 102(477).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CLIP = 5.0
"""[-] The most a task can cost: five times its level."""

COVERAGES = (0.5, 0.8, 0.9, 0.95)
"""Central intervals whose coverage is told."""


def relative_crps(quantiles: np.ndarray, truth: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Relative CRPS of every value.

    Parameters
    ----------
    quantiles
        Forecasts. Dims: (task, horizon, level).
    truth
        What came, nan where nothing is known. Dims: (task, horizon).
    levels
        In (0, 1). Dims: (level,).

    Returns
    -------
    [-] Dims: (task, horizon); nan where the truth or the forecast is. Infinite where all truths of a task are zero.
    """
    above = truth[..., None] - quantiles
    pinball = np.maximum(levels * above, (levels - 1.0) * above)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2.0 * pinball.mean(axis=-1) / _mean(truth)[:, None]


def task_scores(each: np.ndarray) -> np.ndarray:
    """Mean over the horizon, clipped at `CLIP`; nan where nothing was scored. Dims: (task, horizon) -> (task,)."""
    return np.minimum(_mean(each), CLIP)


def average(scores: np.ndarray, groups: Sequence[tuple[str, str]], weights: np.ndarray | None = None) -> np.ndarray:
    """Mean within families, then over the families of a part, then over parts.

    Parameters
    ----------
    scores
        Task scores; nan is left out. Dims: (task,).
    groups
        (part, family) of each task.
    weights
        How often each task counts (bootstrap). Dims: (..., task).

    Returns
    -------
    Dims: those of `weights` without the last.
    """
    counts = np.ones(len(scores)) if weights is None else weights
    scored = np.isfinite(scores)
    counts = counts * scored
    values = np.where(scored, scores, 0.0)
    parts: dict[str, list[np.ndarray]] = {}
    for part, family in dict.fromkeys(groups):
        own = np.array([group == (part, family) for group in groups])
        with np.errstate(invalid="ignore"):
            mean = (counts[..., own] @ values[own]) / counts[..., own].sum(axis=-1)
        parts.setdefault(part, []).append(mean)
    return _mean(np.stack([_mean(np.stack(means, axis=-1)) for means in parts.values()], axis=-1))


def inside(quantiles: np.ndarray, truth: np.ndarray, levels: np.ndarray, coverage: float) -> np.ndarray:
    """Tell for every value whether the central interval holds it: 1, 0, or nan where truth or forecast is unknown."""
    lower, upper = (int(np.argmin(np.abs(levels - level))) for level in ((1 - coverage) / 2, (1 + coverage) / 2))
    low, high = quantiles[..., lower], quantiles[..., upper]
    known = np.isfinite(truth) & np.isfinite(low) & np.isfinite(high)
    return np.where(known, (truth >= low) & (truth <= high), np.nan)


def resampled(names: Sequence[str], groups: Sequence[tuple[str, str]], *, times: int, seed: int) -> np.ndarray:
    """Bootstrap weights: series are drawn with replacement within their family, with all their origins.

    Parameters
    ----------
    names
        The series of each task.
    groups
        (part, family) of each task.
    times
        Number of resamples.
    seed
        Of the draws.

    Returns
    -------
    How often each task is drawn. Dims: (times, task).
    """
    rng = np.random.default_rng(seed)
    weights = np.zeros((times, len(names)))
    for group in dict.fromkeys(groups):
        own = [task for task, its in enumerate(groups) if its == group]
        series, which = np.unique([names[task] for task in own], return_inverse=True)
        drawn = rng.multinomial(len(series), np.full(len(series), 1.0 / len(series)), size=times)
        weights[:, own] = drawn[:, which]
    return weights


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is a number; nan where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=-1) / known.sum(axis=-1)
