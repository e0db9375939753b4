r"""The mean of numbers that hang together in two ways, with an interval that says so.

Scores of forecasts are not independent draws. Forecasts made on one day share one fit and its mistake; forecasts of one
year share what happened in it, whoever made them and when. Treating them as independent would make every comparison
look sure. So the variance of their mean is that of Cameron, Gelbach & Miller for two crossed groupings,

.. math::

   V = V_{\text{origin}} + V_{\text{outcome}} - V_{\text{both}}, \qquad
   V_g = \frac{G}{G - 1} \frac{1}{n^2} \sum_{c} \Bigl( \sum_{i \in c} (x_i - \bar x) \Bigr)^2,

which allows any dependence between numbers that share either group. In small samples V can come out below one of its
one-way parts, even below zero; the largest of the three counts. The interval is Student's with one degree of freedom
less than the fewer groups, as they advise.

In simulations of six days and seven years it held the truth in 87% to 94% of 600 trials, whatever the day or the year
shared; an interval for independent numbers held it in 51% to 89% (tests). It remains rough: what neighbouring days or
years share beyond their groups is not in it. A bootstrap over so few groups has only a handful of distinct resamples,
and brings random numbers with it.

References
----------
Cameron, Gelbach & Miller (2011), Robust inference with multiway clustering, J. of Business & Economic Statistics 29(2).
Cameron & Miller (2015), A practitioner's guide to cluster-robust inference, Journal of Human Resources 50(2).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.9
"""Probability of the interval."""

FEW = 10
"""With fewer groups an interval is called rough."""


@dataclass(frozen=True)
class ClusteredMean:
    """A mean and its interval, in the unit of the numbers.

    Attributes
    ----------
    mean
        NaN without any number.
    low, high
        Ends of the interval of probability `LEVEL`; NaN with fewer than two groups of either kind.
    groups
        The fewer of the two kinds' numbers of groups.
    """

    mean: float
    low: float
    high: float
    groups: int


def mean(values: Sequence[float], first: Sequence[Hashable], second: Sequence[Hashable]) -> ClusteredMean:
    """The mean of numbers in two crossed groupings.

    Parameters
    ----------
    values
        The numbers, such as differences of scores.
    first, second
        The groups of each number: those that share either may depend on each other.
    """
    if not len(values):
        return ClusteredMean(float("nan"), float("nan"), float("nan"), 0)
    numbers = np.asarray(values, dtype=float)
    middle = float(numbers.mean())
    groups = min(len(set(first)), len(set(second)))
    if groups < 2:
        return ClusteredMean(middle, float("nan"), float("nan"), groups)
    from scipy.stats import t

    left = numbers - middle
    one, other = _variance(left, first), _variance(left, second)
    both = _variance(left, list(zip(first, second, strict=True)))
    half = float(t.ppf(0.5 + 0.5 * LEVEL, groups - 1)) * float(np.sqrt(max(one + other - both, one, other)))
    return ClusteredMean(middle, middle - half, middle + half, groups)


def _variance(left: np.ndarray, groups: Sequence[Hashable]) -> float:
    """Variance of the mean of numbers that depend on each other within their groups; `left` sums to zero."""
    names = {name: position for position, name in enumerate(dict.fromkeys(groups))}
    sums = np.bincount([names[name] for name in groups], weights=left)
    return float(np.sum(sums**2) / len(left) ** 2 * len(names) / (len(names) - 1))
