r"""The growth law in innovations form: for levels that are known as they are printed.

Where the engine of :mod:`telemed_forecast.models.growth` has to find the path behind imprecise figures, a series of
exact levels leaves nothing to find: each level gives the shock that led to it, and the likelihood of all parameters
follows in one pass. Thousands of parameter draws are followed at a time, without a sampler.

With :math:`z = \log(x + o)`, the room below the ceiling :math:`D_t = \log K - z_t` and
:math:`h(D) = (1 - e^{-\theta D}) / \theta` (Gompertz for :math:`\theta \to 0`, logistic for :math:`\theta = 1`),

.. math::

   z_{t+\Delta} = z_t + \Delta\, m_t + e_t, \qquad m_t = (r + \delta_t)\, h(D_t), \qquad
   e_t \sim \sigma\,(c + |m_t|)^\gamma \sqrt{\Delta}\; t_\nu,

   \delta_{t+\Delta} = \rho^\Delta \delta_t + \beta\, e_t / |h(D_t)|.

A part :math:`\beta` of each shock is carried on by the rate and fades with :math:`\rho`; the rest moves the level
alone. It is the law of the engine with its stochastic deviation in the rate rather than beside it: on past adoptions
this predicts a little better (a shock to the rate dies out at the ceiling of itself), while the engine's form suits its
sampler.

The offset :math:`o`, a part of the largest level known, says that growth from almost nothing is not yet a growth rate.

References
----------
Hyndman, Koehler, Ord & Snyder (2008), Forecasting with Exponential Smoothing: The State Space Approach (single source
of error).
Fernández & Steel (1998), On Bayesian modeling of fat tails and skewness, JASA 93(441).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MIN_ROOM = 0.15
"""[log points] A shock is carried by the rate as if the room were at least this, or it would be boundless."""

DEEPEST = -0.7
"""[log points] Room that a level past its ceiling has at least: nothing falls by half at once."""

OFFSET = 0.2
"""Part of the largest known level that is added to all levels before logs are taken."""

NEGLIGIBLE = 0.02
"""Levels before the first that reaches this part of the last are left out: trials, not adoption."""


@dataclass(frozen=True)
class Law:
    """What all series have in common."""

    theta: float
    """Shape of the law: near 0 Gompertz, 1 logistic."""
    persistence: float
    """rho, the part of a rate's deviation that is left after a year."""
    floor: float
    """c [log points a year] of the scale of shocks."""
    elasticity: float
    """gamma of the scale of shocks."""
    nu: float
    """Degrees of freedom of shocks."""
    skew: float
    """lambda: shocks upward are this many times as wide as symmetric ones, shocks downward as many times narrower."""
    max_growth: float
    """[log points a year] Smooth bound on expected growth in a forecast: a take-off does not go on at its rate."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Parameters of one series, many draws of them. Dims of each: (draw,)."""

    rate: np.ndarray
    """r [1/year]."""
    log_ceiling: np.ndarray
    """log(K + o) on the scale of the levels."""
    carry: np.ndarray
    """beta, the part of a shock that the rate carries on, between 0 and 1."""
    sigma: np.ndarray
    """Size of shocks."""


@dataclass(frozen=True, eq=False)
class Levels:
    """What is known of a series, as the law takes it."""

    z: np.ndarray
    """log(x + o). Dims: (time,)."""
    years: np.ndarray
    """Years from each level to the next. Dims: (time - 1,)."""
    offset: float
    """o, in the unit of the levels."""
    waiting: float
    """Years from the last level that says something to the last period of the series: a figure repeated to the last
    digit is one that was not measured again."""


def levels(values: np.ndarray, years: np.ndarray, *, offset: float = OFFSET) -> Levels:
    """Take what a series (values, at least one positive, and their time in years) says; leave out what it only repeats.

    Leading values that are negligible are dropped (at least three stay), a zero between others becomes half of the
    smallest positive value, and repeats are gaps. `offset` is the part of the largest value that is added.
    """
    # A part of the smallest number that there is would be none.
    added = max(offset * values.max(), np.nextafter(0.0, 1.0))
    counts = np.flatnonzero((values > 0) & (values >= NEGLIGIBLE * values[-1]))
    first = min(int(counts[0]), max(len(values) - 3, 0))
    kept, at = values[first:], years[first:]
    positive = kept[kept > 0]
    smallest = positive.min() if len(positive) else values.max()
    kept = np.where(kept > 0, kept, smallest / 2)
    new = np.r_[True, np.diff(kept) != 0]
    z = np.log(kept[new] + added)
    return Levels(z, np.diff(at[new]), added, float(years[-1] - at[new][-1]))


def follow(known: Levels, draws: Draws, law: Law) -> tuple[np.ndarray, np.ndarray]:
    """Go along a series with every draw: log-likelihood of the levels after the first, and delta after the last one."""
    likelihood = np.zeros_like(draws.rate)
    deviation = np.zeros_like(draws.rate)
    for z, after, years in zip(known.z[:-1], known.z[1:], known.years, strict=True):
        free = room(draws.log_ceiling - z, law.theta)
        expected = (draws.rate + deviation) * free
        scale = draws.sigma * (law.floor + np.abs(expected)) ** law.elasticity * np.sqrt(years)
        shock = after - z - years * expected
        likelihood += log_density(shock / scale, law) - np.log(scale)
        deviation = _carried(deviation, shock, free, years, draws, law)
    return likelihood, deviation


def carry_on(
    z: float, deviation: np.ndarray, draws: Draws, law: Law, *, steps: np.ndarray, shocks: np.ndarray, highest: float
) -> np.ndarray:
    """Carry every draw on beyond the last level `z`, from the `deviation` that :func:`follow` returns.

    `steps` are in years (step,), `shocks` those of :func:`standard_shocks` (step, draw); no level is above `highest`.
    Returns levels after each step, as log(x + o). Dims: (step, draw).
    """
    path = np.empty((len(steps), len(draws.rate)))
    level = np.full_like(draws.rate, z)
    for k, years in enumerate(steps):
        free = room(draws.log_ceiling - level, law.theta)
        growth = (draws.rate + deviation) * free
        expected = law.max_growth * np.tanh(growth / law.max_growth)
        scale = draws.sigma * (law.floor + np.abs(expected)) ** law.elasticity * np.sqrt(years)
        shock = scale * shocks[k]
        deviation = _carried(deviation, shock, free, years, draws, law)
        level = np.minimum(level + years * expected + shock, highest)
        path[k] = level
    return path


def standard_shocks(uniform: np.ndarray, law: Law) -> np.ndarray:
    """Turn uniform numbers into standard shocks: a t, stretched above its mode and pressed below it."""
    from scipy import stats

    above = law.skew**2 / (1.0 + law.skew**2)
    below = 1.0 - above
    # Position within its half, from the mode outwards.
    up = uniform >= below
    outward = np.where(up, (uniform - below) / above, 1.0 - uniform / below)
    size = stats.t.isf(np.clip((1.0 - outward) / 2.0, 1e-12, 0.5), law.nu)
    return np.where(up, law.skew * size, -size / law.skew)


def room(gap: np.ndarray, theta: float) -> np.ndarray:
    """Return h(D), the growth per unit of the rate that a gap [log points] to the ceiling leaves."""
    return -np.expm1(-theta * np.maximum(gap, DEEPEST)) / theta


def _carried(
    deviation: np.ndarray, shock: np.ndarray, free: np.ndarray, years: float, draws: Draws, law: Law
) -> np.ndarray:
    """Return the deviation after a step; a shock that took more than a year counts as its yearly mean."""
    carried = draws.carry * shock / (np.maximum(np.abs(free), MIN_ROOM) * max(years, 1.0))
    return law.persistence**years * deviation + carried


def log_density(standard: np.ndarray, law: Law) -> np.ndarray:
    """Log density of standard shocks (see :func:`standard_shocks`). Dims in and out: any."""
    from scipy.special import gammaln

    nu = law.nu
    constant = gammaln((nu + 1.0) / 2.0) - gammaln(nu / 2.0) - 0.5 * np.log(nu * np.pi)
    constant += np.log(2.0 / (law.skew + 1.0 / law.skew))
    squeezed = np.where(standard > 0, standard / law.skew, standard * law.skew)
    return constant - (nu + 1.0) / 2.0 * np.log1p(squeezed**2 / nu)
