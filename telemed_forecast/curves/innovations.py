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

from dataclasses import dataclass, replace
from math import lgamma

import numpy as np

MIN_ROOM = 0.15
"""[log points] A shock is carried by the rate as if the room were at least this, or it would be boundless."""

DEEPEST = -0.7
"""[log points] Room that a level past its ceiling has at least: nothing falls by half at once."""

OFFSET = 0.2
"""Part of the largest known level that is added to all levels before logs are taken."""

CARRIED = (2.0, 3.0)
"""Beta distribution of the part of figures that are carried forward, in a series that has such."""

MOST_STEPS = 300
"""A common step is looked for down to this part of the smallest value."""

FINEST = 1e-8
"""Part of the largest value that the step of the print is at least, whatever the digits pretend."""

STILL = 1e-3
"""The same of a series that never moved, whose print shows no step."""

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
    waiting: float = 0.0
    """Years from the last level that says something to the last period of the series."""
    width: np.ndarray | None = None
    """How far apart two figures are that differ by one step of the print, at each level after the first [log points].
    Dims: (time - 1,); None where levels are taken as exact."""


def levels(values: np.ndarray, years: np.ndarray, *, offset: float = OFFSET) -> Levels:
    """Take what a series (values, at least one positive, and their time in years) says; leave out what it only repeats.

    Leading values that are negligible are dropped (at least three stay), a zero between others becomes half of the
    smallest positive value, and repeats are gaps. `offset` is the part of the largest value that is added.
    """
    kept, at, added = _kept(values, years, offset)
    new = np.r_[True, np.diff(kept) != 0]
    z = np.log(kept[new] + added)
    return Levels(z, np.diff(at[new]), added, float(years[-1] - at[new][-1]))


def readings(values: np.ndarray, years: np.ndarray) -> list[tuple[Levels, float]]:
    """Take a series in each way that its repeats allow: what it says, and the log probability of such repeats.

    A figure that repeats the last one to the last digit was either not measured again (surveys that are carried
    forward) or measured and found the same (counts, plateaus). In the first reading it is a gap, as every figure may be
    with a probability of which little is known; in the second each period has a likelihood, that of lying within
    the step of the print around its figure, so that many digits make an honest repeat incredible and few make it
    likely. A series without repeats has one reading.
    """
    gaps = levels(values, years)
    kept, at, added = _kept(values, years, OFFSET)
    repeats, moves = len(kept) - len(gaps.z), len(gaps.z) - 1
    if not repeats:
        return [(gaps, 0.0)]
    step = resolution(kept) if moves else max(resolution(kept), STILL * kept[-1])
    width = step / (kept + added)
    measured = Levels(np.log(kept + added), np.diff(at), added, 0.0, width[1:])
    if not moves:  # nothing shows that there were surveys which would have moved it
        return [(measured, 0.0)]
    new = np.r_[True, np.diff(kept) != 0]
    pattern = _log_beta(repeats + CARRIED[0], moves + CARRIED[1]) - _log_beta(*CARRIED)
    return [
        (replace(gaps, width=width[new][1:]), pattern),
        (measured, 0.0),
    ]


def _log_beta(first: float, second: float) -> float:
    return lgamma(first) + lgamma(second) - lgamma(first + second)


def resolution(values: np.ndarray) -> float:
    """The step of the print: the largest that all of these values are multiples of, as counts of few people show it.

    The smallest value over 1, 2, 3 ... is tried; of values that have no such step in common it is that of their digits.
    """
    positive = np.unique(values[values > 0])
    finest = max(FINEST * positive[-1], np.finfo(float).smallest_subnormal)
    digits = max(10.0 ** -_decimals(positive), finest)
    steps = positive[0] / np.arange(1, MOST_STEPS + 1)
    steps = steps[steps > 0]  # the smallest number there is has no half
    # Figures too far apart for a common step overflow, and have none.
    with np.errstate(over="ignore", invalid="ignore"):
        multiples = positive / steps[:, None]
        # A value is off by its own rounding and by its multiple of that of the smallest.
        off = 0.6 * digits * (1.0 + positive / positive[0])
        common = (np.abs(multiples - np.round(multiples)) <= off / steps[:, None]).all(axis=1) & (steps > 30 * off[-1])
    # Two or three values have a step nearly in common whatever they are.
    return float(steps[np.argmax(common)]) if common.any() and len(positive) > 3 else digits


def _decimals(values: np.ndarray) -> int:
    """Digits after the point that the values need; negative where all of several end in zeros."""
    for digits in range(-12 if len(values) > 3 else 0, 16):
        if (np.abs(np.round(values, digits) - values) <= 1e-12 * values).all():
            return digits
    return 16


def _kept(values: np.ndarray, years: np.ndarray, offset: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Values from the first that is not negligible, none of them zero; their years; what is added to them."""
    # A part of the smallest number that there is would be none.
    added = max(offset * values.max(), np.nextafter(0.0, 1.0))
    counts = np.flatnonzero((values > 0) & (values >= NEGLIGIBLE * values[-1]))
    first = min(int(counts[0]), max(len(values) - 3, 0))
    kept, at = values[first:], years[first:]
    positive = kept[kept > 0]
    smallest = positive.min() if len(positive) else values.max()
    return np.where(kept > 0, kept, smallest / 2), at, added


def follow(known: Levels, draws: Draws, law: Law) -> tuple[np.ndarray, np.ndarray]:
    """Go along a series with every draw: log-likelihood of the levels after the first, and delta after the last one."""
    likelihood = np.zeros_like(draws.rate)
    deviation = np.zeros_like(draws.rate)
    widths = np.zeros(len(known.years)) if known.width is None else known.width
    for z, after, years, width in zip(known.z[:-1], known.z[1:], known.years, widths, strict=True):
        free = room(draws.log_ceiling - z, law.theta)
        expected = (draws.rate + deviation) * free
        scale = draws.sigma * (law.floor + np.abs(expected)) ** law.elasticity * np.sqrt(years)
        shock = after - z - years * expected
        if width:
            # A print as coarse as its own figure says nothing, however wide that is.
            with np.errstate(over="ignore"):
                likelihood += log_mass(shock / scale, width / scale, law)
        else:
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


def log_mass(standard: np.ndarray, width: np.ndarray, law: Law) -> np.ndarray:
    """Log probability of standard shocks within half a width of a value. Dims in and out: any."""
    # Seen from below, where a tail is small and differences of it are exact: a skew seen from above is its reciprocal.
    skew = np.where(standard > 0, 1.0 / law.skew, law.skew)
    middle = -np.abs(standard)
    mass = _below(middle + width / 2, skew, law.nu) - _below(middle - width / 2, skew, law.nu)
    return np.log(np.maximum(mass, np.finfo(float).tiny))


def _below(standard: np.ndarray, skew: np.ndarray, nu: float) -> np.ndarray:
    """Probability of a standard shock below a value."""
    from scipy.special import stdtr

    up = standard > 0
    tail = 2.0 * stdtr(nu, np.where(up, -standard / skew, standard * skew)) / (1.0 + skew**2)
    return np.where(up, 1.0 - skew**2 * tail, tail)
