r"""A frame of scores in short: means, coverage, skill and intervals by any grouping.

A frame of scores has a row for each forecast of a figure by a member: market, member, forecast_date, claim_id, day
(last of the figure's period), the forecast (low, median, high), the figure (published, unit) and a column for each of
`scores.METRICS`.

Scores are not independent draws. Forecasts made on one day share one fit and its mistake; forecasts of one year share
what happened in it, whoever made them and when. So the variance of their mean is that of Cameron, Gelbach & Miller for
two crossed groupings,

.. math::

   V = V_{\text{day}} + V_{\text{outcome}} - V_{\text{both}}, \qquad
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
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.scores import METRICS

CONFIDENCE = 0.9
"""Probability of the intervals of means."""

FEW = 10
"""With fewer groups an interval is called rough."""

FIGURE = ["market", "forecast_date", "claim_id"]
"""What a forecast is of: members that share these forecast the same figure on the same day."""


def rows(frame: pd.DataFrame) -> list[Any]:
    """The rows of a frame with their columns as attributes."""
    return list(frame.itertuples(index=False))


def clusters(scores: pd.DataFrame) -> tuple[list[Hashable], list[Hashable]]:
    """What forecasts may share: the market and the year of what came, and the market and the day of the forecast."""
    each = rows(scores)
    return [(one.market, one.day.year) for one in each], [(one.market, one.forecast_date) for one in each]


def clustered_mean(
    values: Sequence[float], first: Sequence[Hashable], second: Sequence[Hashable]
) -> tuple[float, float, float, int]:
    """The mean of numbers in two crossed groupings, with its interval of probability `CONFIDENCE`.

    Parameters
    ----------
    values
        The numbers, such as differences of scores.
    first, second
        The groups of each number: those that share either may depend on each other.

    Returns
    -------
    Mean (NaN without any number), low and high end (NaN with fewer than two groups of either kind), and the fewer of
    the two kinds' numbers of groups.
    """
    if not len(values):
        return np.nan, np.nan, np.nan, 0
    numbers = np.asarray(values, dtype=float)
    middle = float(numbers.mean())
    groups = min(len(set(first)), len(set(second)))
    if groups < 2:
        return middle, np.nan, np.nan, groups
    from scipy.stats import t

    left = numbers - middle
    one, other = _variance(left, first), _variance(left, second)
    both = _variance(left, list(zip(first, second, strict=True)))
    half = float(t.ppf(0.5 + 0.5 * CONFIDENCE, groups - 1)) * float(np.sqrt(max(one + other - both, one, other)))
    return middle, middle - half, middle + half, groups


def _variance(left: np.ndarray, groups: Sequence[Hashable]) -> float:
    """Variance of the mean of numbers that depend on each other within their groups; `left` sums to zero."""
    names = {name: position for position, name in enumerate(dict.fromkeys(groups))}
    sums = np.bincount([names[name] for name in groups], weights=left)
    return float(np.sum(sums**2) / len(left) ** 2 * len(names) / (len(names) - 1))


def summarise(scores: pd.DataFrame, by: Sequence[str], *, benchmark: str = "") -> pd.DataFrame:
    """Forecasts in groups.

    Parameters
    ----------
    scores
        A frame of scores.
    by
        Columns that make a group; none for all forecasts together.
    benchmark
        A member of the frame to hold the others against, on the same figures and days.

    Returns
    -------
    A row a group, in the order in which they come: the columns of `by`, ``number`` of forecasts, ``outcomes``
    (different figures), the mean of each metric, ``bias_low`` and ``bias_high`` (interval of the mean),
    ``typical_error`` (median absolute bias); with a benchmark also ``skill`` (one less the CRPS over the benchmark's),
    ``difference`` (CRPS less the benchmark's) with its interval ``difference_low`` and ``difference_high``, and the
    ``clusters`` behind that.
    """
    if benchmark:
        base = scores.loc[scores["member"] == benchmark].set_index(FIGURE)["crps"]
        scores = scores.assign(base=base.reindex(pd.MultiIndex.from_frame(scores[FIGURE])).to_numpy())
    groups: Any = scores.groupby(list(by), sort=False) if by else [((), scores)]
    found = [dict(zip(by, key, strict=True)) | _summary(own) for key, own in groups if len(own)]
    names = ["number", "outcomes", *METRICS, *SPREAD]
    return pd.DataFrame(found, columns=[*by, *names, *(VERSUS if benchmark else ())])


SPREAD = ("bias_low", "bias_high", "typical_error")
VERSUS = ("skill", "difference", "difference_low", "difference_high", "clusters")


def _summary(own: pd.DataFrame) -> dict[str, Any]:
    made: dict[str, Any] = {"number": len(own), "outcomes": own["claim_id"].nunique()}
    # Summed in numpy's order, for a mean here is a weight's digits elsewhere.
    made |= {name: float(np.mean(own[name].to_numpy(dtype=float))) for name in METRICS if name in own}
    _, low, high, _ = clustered_mean(own["bias"].tolist(), *clusters(own))
    made |= dict(zip(SPREAD, (low, high, float(np.median(np.abs(own["bias"])))), strict=True))
    if "base" in own:
        skill = 1.0 - made["crps"] / float(np.mean(own["base"].to_numpy()))
        difference = clustered_mean((own["crps"] - own["base"]).tolist(), *clusters(own))
        made |= dict(zip(VERSUS, (skill, *difference), strict=True))
    return made
