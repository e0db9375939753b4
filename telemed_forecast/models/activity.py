r"""The share of internet hospitals that truly operate: patients can consult there, and a doctor is online.

Nobody counts it. What is known are bounds on two dates (see :func:`bounds`), so the logit of the share is a random
walk without drift whose volatility has a prior and learns next to nothing:

.. math:: \operatorname{logit} a_t = \operatorname{logit} a_s + \omega \sqrt{t - s}\, \epsilon.

Few parameters and few figures: draws from the prior are weighted by how likely they make the figures, and drawn again.
No sampler is needed, and with no figure at all the answer is the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.models.odds import expit, logit
from telemed_forecast.models.timeline import decimal_year

FIRST = (0.0, 1.5)
"""Mean and sd of the logit at the first date: nearly flat between 8% and 92% (90%)."""

VOLATILITY = (-0.9, 0.5)
"""Mean and sd of the log of the yearly change's scale (logit): 0.4, 90% between 0.18 and 0.93. In three years, over the
epidemic, the median internet hospital went from no doctor online to 43; a share that stands at one half today is
between 27% and 73% four years later (80%)."""

NOISE = 0.5
"""Scale (logit) of what a bound may be off by: a doctor who is listed need not answer, one who is not may."""

PRIOR_DRAWS = 40_000
"""Draws from the prior that are weighted: the rarest evidence, two narrow bounds, keeps a few hundred of them."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """What figures say about the share on their days.

    Attributes
    ----------
    low, high
        Ends of the interval of the logit; an open end is far out. Dims: (obs,).
    day
        Days of the figures, datetime64[D]. Dims: (obs,).
    claims
        Claim ids of the rows behind each.
    """

    low: np.ndarray
    high: np.ndarray
    day: np.ndarray
    claims: tuple[str, ...]


OPEN = 12.0
"""Logit that stands for an open end: six in a million."""


def bounds(inactive: Observations, established: Observations, doctors: Observations) -> Bounds:
    """Read bounds on the share from what was counted.

    Parameters
    ----------
    inactive
        Internet hospitals where nobody could consult any more; the rest of those established on that day by the same
        origin are the most that operate.
    established
        Counts of internet hospitals.
    doctors
        Median number of doctors online at an internet hospital: with a median of none at most half operate, with a
        median above none at least half do.
    """
    rows: list[tuple[float, float, np.datetime64, str]] = []
    for k in range(len(inactive)):
        same = (established.origin == inactive.origin[k]) & (established.end == inactive.end[k])
        for j in np.flatnonzero(same):
            still = 1.0 - _middle(inactive)[k] / _middle(established)[j]
            rows.append((-OPEN, float(logit(still)), inactive.end[k], str(inactive.claim_id[k])))
    for k in range(len(doctors)):
        low, high = (0.0, OPEN) if _middle(doctors)[k] > 0.5 else (-OPEN, 0.0)
        rows.append((low, high, doctors.end[k], str(doctors.claim_id[k])))
    ends = np.array([row[:2] for row in rows], dtype=float).reshape(-1, 2)
    return Bounds(
        ends[:, 0],
        ends[:, 1],
        np.array([row[2] for row in rows], dtype="datetime64[D]"),
        tuple(row[3] for row in rows),
    )


def _middle(observations: Observations) -> np.ndarray:
    return 0.5 * (observations.low + observations.high)


def operating_share(
    found: Bounds, years: Sequence[float] | np.ndarray, *, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws of the share on a grid, given the bounds.

    Parameters
    ----------
    found
        The bounds; there may be none.
    years
        Decimal years, ascending. Dims: (time,).
    size
        Number of draws.
    rng
        Source of the draws.

    Returns
    -------
    Shares in (0, 1). Dims: (size, time).
    """
    grid = np.asarray(years, dtype=float)
    year = decimal_year(found.day)
    every = np.unique(np.concatenate([grid, year]))
    volatility = rng.lognormal(*VOLATILITY, PRIOR_DRAWS)
    steps = np.sqrt(np.diff(every)) * rng.standard_normal((PRIOR_DRAWS, len(every) - 1))
    start = rng.normal(*FIRST, (PRIOR_DRAWS, 1))
    walk = np.concatenate([start, start + volatility[:, None] * np.cumsum(steps, axis=1)], axis=1)
    at = walk[:, np.searchsorted(every, year)]
    weight = np.exp(interval_logp(found.low, found.high, at, NOISE).sum(axis=1))
    chosen = rng.choice(PRIOR_DRAWS, size=size, p=weight / weight.sum())
    return expit(walk[np.ix_(chosen, np.searchsorted(every, grid))])
