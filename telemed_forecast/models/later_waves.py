r"""Waves that may still come: a forecast that knows of none would be too sure of itself.

Nobody knew in 2019 or in 2021 that a wave was near, but that waves come was known: epidemics bring people online. Waves
arrive at random with a rate that is itself uncertain,

.. math:: \lambda \mid n, T \sim \mathrm{Gamma}(a + n,\; b + T),

with :math:`n` waves in the :math:`T` years on record by the last survey known. A later wave brings in such a share of
those who are not yet users as the known ones did (or as their prior says when none is known); of those it brings
in as many stay as of the others.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from telemed_forecast.models.priors import SurgePrior

RATE = (0.5, 5.0)
"""Shape and years of the Gamma prior of the arrivals: a tenth of a wave a year, worth five years of record. In the
twelve years before online medical services were counted there was one outbreak that kept people at home (2003)."""

SINCE = 2015.0
"""[year] Where the record begins: the year whose end the first survey of online medical users describes."""

MOST = 8
"""Later waves that a draw can hold; fewer than one draw in a hundred would hold so many within ten years."""


def arrivals(*, known: int, last: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """Decimal years at which later waves come, ascending. Dims: (sample, wave).

    Parameters
    ----------
    known
        Number of waves that had come by the last survey known.
    last
        Decimal year of that survey.
    size
        Number of draws.
    rng
        Source of the draws.
    """
    shape, years = RATE
    rate = rng.gamma(shape + known, 1.0 / (years + max(last - SINCE, 0.0)), size)
    # A rate that underflows means that no wave comes within any horizon.
    gaps = rng.exponential(1.0, (size, MOST)) / np.maximum(rate, 1e-9)[:, None]
    return last + np.cumsum(gaps, axis=1)


def gained(p: Mapping[str, np.ndarray], *, known: int, prior: SurgePrior, rng: np.random.Generator) -> np.ndarray:
    """Share of those not yet users that each later wave brings in. Dims: (sample, wave).

    Parameters
    ----------
    p
        Posterior draws; ``surge_gained`` holds the waves in the order in which they came. Dims: (sample, wave).
    known
        Number of waves that had come by the last survey known: only they say how large waves are.
    prior
        What is believed of a wave while none is known.
    rng
        Source of the draws.
    """
    seen = p["surge_gained"]
    if not known:
        return rng.beta(*prior.gained, (len(seen), MOST))
    which = rng.integers(known, size=(len(seen), MOST))
    return np.take_along_axis(seen, which, axis=1)


def left_out(
    grid: np.ndarray, *, at: np.ndarray, share: np.ndarray, kept: np.ndarray, half_life: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Part of those outside that no later wave holds, now and for good. Dims: (sample, time) each.

    Parameters
    ----------
    grid
        Decimal years. Dims: (time,).
    at, share
        As from :func:`arrivals` and :func:`gained`. Dims: (sample, wave).
    kept, half_life
        Share that stays for good, and half-life [years] of the rest. Dims: (sample,).
    """
    since = grid[None, :, None] - at[:, None, :]
    come = since >= 0
    for_good = np.where(come, kept[:, None, None], 0.0)
    passing = np.where(come, np.exp2(-np.maximum(since, 0.0) / half_life[:, None, None]), 0.0) * (
        1.0 - kept[:, None, None]
    )
    outside = 1.0 - share[:, None, :] * (for_good + passing)
    settled = 1.0 - share[:, None, :] * for_good
    return outside.prod(axis=2), settled.prod(axis=2)
