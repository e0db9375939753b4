"""Whether draws show that a truth, or a width, is not what they should hold: beyond Monte Carlo error.

Made-up figures are the same on every processor, and so is the posterior that they have; what differs is the sample of
it. A check therefore fails when the draws show, beyond the error of a sample of their effective size, that the exact
posterior does not have the property: with the chance `monte_carlo.CHANCE` where it has.
"""

import numpy as np
from arviz_stats.base import array_stats
from scipy import stats

from telemed_forecast.evaluation import monte_carlo

CHAINS = 2


def by_chain(draws):
    return np.asarray(draws, dtype=float).reshape(CHAINS, -1)


def shown_outside(draws, truth, *, level=0.95, comparisons=1):
    """Whether fewer draws lie beyond a truth than its lying on the interval's end would leave by chance."""
    tail, draws = (1.0 - level) / 2.0, np.asarray(draws, dtype=float)
    beyond = min((draws < truth).mean(), (draws > truth).mean())
    worth = min(
        float(array_stats.ess(by_chain(draws), chain_axis=0, draw_axis=1, method="quantile", prob=prob))
        for prob in (tail, 1.0 - tail)
    )
    # Of so many independent draws, those beyond the interval's end are binomial.
    return stats.binom.cdf(np.floor(beyond * worth), np.floor(worth), tail) < monte_carlo.CHANCE / comparisons


def outside(draws, truths):
    """How many truths are shown to lie outside their 95% intervals. Dims: (sample, truth), (truth,)."""
    truths = np.ravel(truths)
    columns = np.asarray(draws).reshape(len(draws), -1).T
    return sum(shown_outside(own, true, comparisons=len(truths)) for own, true in zip(columns, truths, strict=True))


def width(draws, level=0.95):
    """Width of a central interval, with its error."""
    low, high = (monte_carlo.quantile(draws, q, chains=CHAINS) for q in ((1 - level) / 2, (1 + level) / 2))
    return monte_carlo.Estimate(high.value - low.value, float(np.hypot(low.error, high.error)))


def spread(draws):
    """Standard deviation, with its error."""
    draws = by_chain(draws)
    error = array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="sd")
    return monte_carlo.Estimate(float(draws.std()), float(error))


def shown_below(one, limit, *, comparisons=1):
    """Whether an estimate lies below a limit (a number or an estimate) beyond their errors."""
    value, error = (limit.value, limit.error) if isinstance(limit, monte_carlo.Estimate) else (limit, 0.0)
    return one.value + monte_carlo.bound(comparisons) * np.hypot(one.error, error) < value
