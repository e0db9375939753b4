r"""Scores of forecasts given as draws or as quantiles, each a plain function.

Amounts are scored on the log scale and shares on the logit scale (:func:`scaled`), where an error of 10% costs the same
however large the market; a CRPS of 0.1 is then about an error of 10%. All scores are lower for the better forecast and,
but for the log score, in the unit of the values.

Dims are the same everywhere: draws (draw, obs), quantiles (level, obs) at ascending levels (level,) between 0 and 1,
what came, ``truth``, (obs,), and a score (obs,).

The formulas stand here, a line or two each: the library of the field (scoringrules 0.11) takes seconds to import, does
not split the weighted interval score into its parts and, without numba, sums it wrongly. The tests hold every formula
against the library's.

References
----------
Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, JASA 102(477).
Bracher, Ray, Gneiting & Reich (2021), Evaluating epidemic forecasts in an interval format, PLOS Comp. Biology 17(2).
Bosse et al. (2023), Scoring epidemiological forecasts on transformed scales, PLOS Computational Biology 19(8).
Krueger, Lerch, Thorarinsdottir & Gneiting (2021), Predictive inference based on Markov chain Monte Carlo output,
International Statistical Review 89(2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from telemed_forecast.models.odds import logit

EDGE = 1e-6
"""Shares nearer to 0 or 1 than this count as this far, for the logit has no value there."""


def scaled(values: Any, unit: str) -> np.ndarray:
    """Values on the scale of scores: the logit of percentages, the log of everything else."""
    if unit != "percent":
        return np.log(np.asarray(values, dtype=float))
    return logit(np.asarray(values, dtype=float) / 100.0, edge=EDGE)


def unscaled(values: Any, unit: str) -> np.ndarray:
    """Back from the scale of scores to the unit: the inverse of :func:`scaled`."""
    values = np.asarray(values, dtype=float)
    return 100.0 / (1.0 + np.exp(-values)) if unit == "percent" else np.exp(values)


def crps(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    r"""Continuous ranked probability score of the draws' empirical distribution; lower is better.

    :math:`E|X - y| - \tfrac12 E|X - X'|`, the second term from the sorted draws in one pass.
    """
    number = len(draws)
    ordered = np.sort(draws, axis=0)
    rank = np.arange(1, number + 1)[:, None]
    spread = ((2.0 * rank - number - 1.0) * ordered).sum(axis=0) / number**2
    return np.abs(ordered - truth).mean(axis=0) - spread


def pinball(quantiles: np.ndarray, levels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Quantile (pinball) score of each quantile. Dims: (level, obs)."""
    return ((truth < quantiles) - np.asarray(levels)[:, None]) * (quantiles - truth)


def crps_of_quantiles(quantiles: np.ndarray, levels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    r"""CRPS of a forecast of which some quantiles are known.

    The CRPS is twice the integral of the pinball score over all levels. Each level stands for the part of (0, 1) that
    is nearer to it than to any other, so uneven levels get their due; at the levels :math:`(k - 1/2) / K` this is the
    CRPS of the K quantiles as draws. As a sum of pinball scores it rewards honest quantiles, whatever the levels.
    Beyond the outermost levels the tails count as if they ended there: a bit too little for wide tails.
    """
    levels = np.asarray(levels)
    ends = np.concatenate([[0.0], 0.5 * (levels[1:] + levels[:-1]), [1.0]])
    return 2.0 * (np.diff(ends)[:, None] * pinball(quantiles, levels, truth)).sum(axis=0)


def wis(quantiles: np.ndarray, levels: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    r"""Weighted interval score of the median and K central intervals, with its parts (Bracher et al. 2021, eq. 1-3).

    .. math::

       \frac{1}{K + 1/2} \Bigl( \frac12 |y - m| + \sum_k \Bigl[ \frac{\alpha_k}{2} (u_k - l_k)
       + (l_k - y)_+ + (y - u_k)_+ \Bigr] \Bigr)

    The median's error counts as over- or underprediction by its sign. The levels are symmetric about 1/2, which is
    among them.

    Returns
    -------
    ``wis`` and the three parts that it is the sum of: ``dispersion`` for the width of the intervals, the price of not
    being sure; ``overprediction`` and ``underprediction`` for what came below, or above, what the forecast allowed.

    Raises
    ------
    ValueError
        When the levels are no median and central intervals.
    """
    levels = np.asarray(levels)
    number = len(levels) // 2
    if len(levels) % 2 == 0 or not np.allclose(levels + levels[::-1], 1.0):
        raise ValueError(f"levels {levels.tolist()} are not the median and central intervals about it")
    low, median, high = quantiles[:number], quantiles[number], quantiles[: -number - 1 : -1]
    whole = number + 0.5
    dispersion = (levels[:number, None] * (high - low)).sum(axis=0) / whole
    over = (np.maximum(low - truth, 0.0).sum(axis=0) + 0.5 * np.maximum(median - truth, 0.0)) / whole
    under = (np.maximum(truth - high, 0.0).sum(axis=0) + 0.5 * np.maximum(truth - median, 0.0)) / whole
    parts = {"dispersion": dispersion, "overprediction": over, "underprediction": under}
    return {"wis": dispersion + over + under, **parts}


def log_score(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    r"""Minus the log of the density that the draws give to what came; lower is better, in nats.

    Draws have no density; this one is a Gaussian kernel estimate with the normal reference rule
    (:math:`1.06\,\min(s, \mathrm{IQR}/1.34)\,n^{-1/5}`, robust to fat tails), which comes to the score of the
    predictive density as draws grow (Krueger et al. 2021). Their caution is about the tails: beyond the last draw
    the kernels fall off like no forecast does, and one surprise would outweigh everything else. Of what is rarer than
    one in n, n draws say nothing, so one part in n + 1 of the density is a Cauchy distribution with the draws'
    quartiles: in the body it changes the score by less than 1/n, far out it keeps it to the log of the distance.

    On the log (logit) scale the density is one of logs: differences between forecasters are the same on every scale.
    For quantiles there is no such score: their tails would have to be made up. NaN where the middle half of the draws
    is a single value.
    """
    number = len(draws)
    quartiles = np.quantile(draws, [0.25, 0.5, 0.75], axis=0)
    half = 0.5 * (quartiles[2] - quartiles[0])
    half = np.where(half > 0.0, half, np.nan)
    spread = draws.std(axis=0, ddof=1) if number > 1 else np.full(draws.shape[1], np.nan)
    width = 1.06 * np.minimum(spread, half / 0.67) * number**-0.2
    kernels = np.exp(-0.5 * ((truth - draws) / width) ** 2) / (np.sqrt(2.0 * np.pi) * width)
    tail = 1.0 / (np.pi * half * (1.0 + ((truth - quartiles[1]) / half) ** 2))
    return -np.log((number * kernels.mean(axis=0) + tail) / (number + 1.0))


def interval_coverage(draws: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """Whether the central interval of that probability holds what came; boolean."""
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return (truth >= low) & (truth <= high)


def pit(draws: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Probability integral transform: the share of the draws below what came, ties halved. Dims: (obs,)."""
    return (draws < truth).mean(axis=0) + 0.5 * (draws == truth).mean(axis=0)


@dataclass(frozen=True, eq=False)
class Predicted:
    """What was forecast, on the scale of scores; without draws where only quantiles are known, as of a frozen table."""

    quantiles: np.ndarray
    levels: np.ndarray
    draws: np.ndarray | None = None

    def quantile(self, level: float) -> np.ndarray:
        """The quantile of the draws, or the known one that is nearest. Dims: (obs,)."""
        if self.draws is not None:
            return np.asarray(np.quantile(self.draws, level, axis=0))
        return np.asarray(self.quantiles[int(np.argmin(np.abs(self.levels - level)))])

    def crps(self, truth: np.ndarray) -> np.ndarray:
        """CRPS of the draws, or as far as quantiles tell it."""
        if self.draws is not None:
            return crps(self.draws, truth)
        return crps_of_quantiles(self.quantiles, self.levels, truth)

    def log_score(self, truth: np.ndarray) -> np.ndarray:
        """Log score of the draws; NaN without, for the tails would have to be made up."""
        return np.full(len(truth), np.nan) if self.draws is None else log_score(self.draws, truth)

    def bias(self, truth: np.ndarray) -> np.ndarray:
        """Median less what came: above zero when too much was forecast."""
        return self.quantile(0.5) - truth

    def pit(self, truth: np.ndarray) -> np.ndarray:
        """Probability integral transform; among quantiles no nearer to 0 or 1 than the outermost."""
        if self.draws is not None:
            return pit(self.draws, truth)
        pairs = zip(truth, self.quantiles.T, strict=True)
        return np.array([np.interp(came, own, self.levels) for came, own in pairs])

    def interval_coverage(self, truth: np.ndarray, level: float) -> np.ndarray:
        """Whether the central interval of that probability holds what came; boolean."""
        if self.draws is not None:
            return interval_coverage(self.draws, truth, level)
        return (self.quantile((1.0 - level) / 2.0) <= truth) & (truth <= self.quantile((1.0 + level) / 2.0))


def covered(level: float) -> str:
    """Name of the metric that says whether a central interval held what came."""
    return f"interval_coverage_{100 * level:.0f}"


LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Central intervals whose coverage is counted."""

LEVEL = 0.8
"""Probability of the interval that pages show; a figure outside of it is a miss."""

HELD = covered(LEVEL)

COVERAGE = tuple(covered(level) for level in LEVELS)

Metric = Callable[[Predicted, np.ndarray], np.ndarray]


def _part(name: str) -> Metric:
    return lambda forecast, truth: wis(forecast.quantiles, forecast.levels, truth)[name]


METRICS: Mapping[str, Metric] = {
    "crps": Predicted.crps,
    **{name: _part(name) for name in ("wis", "dispersion", "overprediction", "underprediction")},
    "log_score": Predicted.log_score,
    "bias": Predicted.bias,
    "pit": Predicted.pit,
    **{covered(level): partial(Predicted.interval_coverage, level=level) for level in LEVELS},
}
"""Every metric of a forecast against what came, by its name in a frame of scores. Dims of each: (obs,)."""


def score(forecast: Predicted, low: float, high: float, unit: str) -> dict[str, Any]:
    """One forecast of one printed figure: a row of a frame of scores, but for who forecast what and when.

    The middle of the printed interval on the scale of scores is what came: its ends are a factor apart.
    """
    truth = scaled([low, high], unit).mean(keepdims=True)
    return {"published": float(0.5 * (low + high)), "unit": unit} | {
        name: metric(forecast, truth)[0].item() for name, metric in METRICS.items()
    }
