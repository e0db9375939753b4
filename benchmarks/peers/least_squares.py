r"""Growth curves by least squares, with a residual bootstrap: what textbooks on diffusion teach.

.. math::

   \text{logistic}\; \frac{K}{1 + e^{-r (t - m)}}, \qquad \text{Gompertz}\; K e^{-e^{-r (t - m)}}, \qquad
   \text{Bass}\; K \frac{1 - e^{-(p + r) t}}{1 + (r / p)\, e^{-(p + r) t}}.

References
----------
Bass (1969), A new product growth for model consumer durables, Management Science 15(5).
Efron & Tibshirani (1993), An introduction to the bootstrap, chapter 9.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.peers import LEVELS, SEED
from telemed_forecast.curves.series import Series

REFITS = 40
"""Bootstrap samples, each fitted anew."""

NOISES = 10
"""Paths with residual noise for each refitted curve."""

CEILINGS = (1.3, 4.0)
"""First guesses of K, as multiples of the highest value: the sum of squares has several minima."""

MAX_CEILING, MAX_RATE, MIN_RATE = 20.0, 3.0, 0.01
"""Bounds of K (times the highest value) and of r [1/year]: without them a short series has no minimum at all."""


def forecast(series: Sequence[Series], horizon: int, curves: Sequence[Series] = (), *, law: str) -> np.ndarray:
    """Forecast with one law.

    Parameters
    ----------
    law
        ``logistic``, ``gompertz`` or ``bass``.
    """
    rng = np.random.default_rng(SEED)
    return np.stack([_one(one, horizon, law, rng) for one in series])


def level(parameters: np.ndarray, time: np.ndarray, law: str) -> np.ndarray:
    """Level of a law at times in years since the first value; parameters log K, log r and m (Bass: log p)."""
    ceiling, rate, third = np.exp(parameters[0]), np.exp(parameters[1]), parameters[2]
    if law == "bass":
        innovation = np.exp(third)
        # Cumulative adoption is nothing at time 0; the first value closes the first period.
        left = np.exp(-np.minimum((innovation + rate) * (time + 1.0), 50.0))
        return ceiling * (1.0 - left) / (1.0 + rate / innovation * left)
    decay = np.exp(-np.clip(rate * (time - third), -50.0, 50.0))
    return ceiling / (1.0 + decay) if law == "logistic" else ceiling * np.exp(-decay)


def _one(series: Series, horizon: int, law: str, rng: np.random.Generator) -> np.ndarray:
    last = int(series.index[-1])
    unit = series.values.max() or 1.0
    values = series.values / unit
    time = (series.index - series.index[0]) * series.step
    ahead = (np.arange(last + 1, last + horizon + 1) - series.index[0]) * series.step
    starts = [_start(ceiling, time, law) for ceiling in CEILINGS]
    best = min((_fit(values, time, law, start) for start in starts), key=lambda found: found[1])[0]
    fitted = level(best, time, law)
    free = max(len(values) - 3, 1)
    residuals = (values - fitted) * np.sqrt(len(values) / free)
    paths = []
    for _ in range(REFITS):
        again = np.maximum(fitted + rng.choice(residuals, len(values)), 0.0)
        refitted = level(_fit(again, time, law, best)[0], ahead, law)
        paths.append(refitted + rng.choice(residuals, (NOISES, horizon)))
    return unit * np.quantile(np.concatenate(paths), LEVELS, axis=0).T


def _start(ceiling: float, time: np.ndarray, law: str) -> np.ndarray:
    return np.array([np.log(ceiling), np.log(0.5), np.log(0.01) if law == "bass" else time[-1]])


def _fit(values: np.ndarray, time: np.ndarray, law: str, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Parameters with the least squares from one start, and their cost."""
    from scipy.optimize import least_squares

    span = time[-1] + 1.0
    third = (np.log(1e-6), np.log(0.5)) if law == "bass" else (-5.0 * span, 6.0 * span)
    low = np.array([np.log(max(values.max(), 1e-6)), np.log(MIN_RATE), third[0]])
    high = np.array([np.log(max(values.max(), 1e-6) * MAX_CEILING), np.log(MAX_RATE), third[1]])
    inner = 1e-6 * (high - low)
    found = least_squares(
        lambda parameters: level(parameters, time, law) - values,
        np.clip(start, low + inner, high - inner),
        bounds=(low, high),
        max_nfev=60,
    )
    return found.x, float(found.cost)
