r"""Are numbers between 0 and 1 uniform? The simultaneous band of their distribution function, exactly.

At K points :math:`z_k` the number of values below each is binomial. A pointwise interval of error :math:`\gamma` at
every point holds all of them with a probability that is far below :math:`1 - \gamma`; the band takes the
:math:`\gamma` at which it is :math:`1 - \alpha`. The probability that uniform values stay inside is found by carrying
the counts from point to point as a Poisson process and conditioning on their total, without simulation, so that the
same recursion gives a p-value of any smallness: that of the narrowest band which the values leave.

References
----------
Säilynoja, Bürkner & Vehtari (2022), Graphical test for discrete uniformity and its applications in goodness-of-fit
evaluation and multiple sample comparison, Statistics and Computing 32(2).
Cook, Gelman & Rubin (2006), Validation of software for Bayesian models, JCGS 15(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

MOST_POINTS = 100
"""Points at which the distribution function is held against its band; as many as there are values when these are
fewer."""


@dataclass(frozen=True, eq=False)
class Band:
    """Simultaneous band of the empirical distribution function of uniform values.

    Attributes
    ----------
    at
        Points between 0 and 1, without the ends. Dims: (point,).
    low, high
        Bounds of the distribution function there. Dims: (point,).
    """

    at: np.ndarray
    low: np.ndarray
    high: np.ndarray


@lru_cache(maxsize=8)
def _tails(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Points, and twice the smaller tail of each count at each of them. Dims: (point,), (point, count)."""
    from scipy import stats

    points = min(number, MOST_POINTS)
    at = np.arange(1, points) / points
    count = np.arange(number + 1)
    below = stats.binom.cdf(count, number, at[:, None])
    above = stats.binom.sf(count - 1, number, at[:, None])
    return at, 2.0 * np.minimum(below, above)


def _leaving(number: int, gamma: float) -> float:
    """Probability that uniform values leave the band of pointwise error `gamma`."""
    from scipy import stats

    _, tails = _tails(number)
    step = stats.poisson.pmf(np.arange(number + 1), number / (len(tails) + 1))
    mass = np.zeros(number + 1)
    mass[0] = 1.0
    for inside in tails > gamma:
        mass = np.convolve(mass, step)[: number + 1] * inside
    held = np.convolve(mass, step)[number] / stats.poisson.pmf(number, number)
    return float(min(max(1.0 - held, 0.0), 1.0))


@lru_cache(maxsize=32)
def band(number: int, error: float) -> Band:
    """The band that `number` uniform values leave with the probability `error`, or just less.

    Parameters
    ----------
    number
        How many values.
    error
        Probability of leaving the band anywhere.
    """
    low, high = np.log(1e-15), 0.0
    # The pointwise error; 40 halvings of its logarithm are more than its steps can tell.
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _leaving(number, np.exp(middle)) <= error else (low, middle)
    at, tails = _tails(number)
    inside = tails > np.exp(low)
    return Band(at, inside.argmax(axis=1) / number, (number - inside[:, ::-1].argmax(axis=1)) / number)


def distribution(values: np.ndarray) -> np.ndarray:
    """Empirical distribution function of values at the points of their band. Dims in: (value,); out: (point,)."""
    at, _ = _tails(len(values))
    return np.searchsorted(np.sort(values), at, side="right") / len(values)


def shape_p(values: np.ndarray) -> float:
    """Probability that uniform values would leave their band by as much as these do. Dims in: (value,)."""
    _, tails = _tails(len(values))
    counts = np.rint(len(values) * distribution(values)).astype(int)
    return _leaving(len(values), float(tails[np.arange(len(tails)), counts].min()) * (1.0 + 1e-9))


def width_p(values: np.ndarray) -> float:
    """Probability that the spread of uniform values is as far from its own (Cook's chi-square on normal scores).

    It sees at once what the band sees late: values that crowd in the middle or at both ends, from intervals that are
    too wide or too narrow. Dims in: (value,).
    """
    from scipy import stats

    scores = stats.norm.ppf(np.clip(values, 1e-9, 1.0 - 1e-9))
    squares = float((scores**2).sum())
    number = len(values)
    return float(min(2.0 * min(stats.chi2.cdf(squares, number), stats.chi2.sf(squares, number)), 1.0))
