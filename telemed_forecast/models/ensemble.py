r"""The ensemble: a linear pool of our model and its rivals.

Each member's weight follows its mean CRPS over past forecasts that have met their outcomes, shrunk towards equal
weights as far as there are few outcomes:

.. math::

   \hat w_i \propto s_i^{-k}, \qquad w_i = (1 - a) \frac{1}{n} + a\, \hat w_i, \qquad a = \frac{m}{m + m_0},

with :math:`s_i` the score of member i, n the number of members and m the number of different outcomes. The pool draws
from each member as often as its weight says: where members disagree, the pool is wide, and says so.

References
----------
Stone (1961), The opinion pool, Annals of Mathematical Statistics 32(4).
Claeskens, Magnus, Vasnev & Wang (2016), The forecast combination puzzle, International Journal of Forecasting 32(3).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

POWER = 2.0
"""k: a member with half the score of another gets four times its learned weight. Inverse squared errors are the classic
choice (Bates & Granger 1969, inverse variances); higher powers approach picking the winner."""

PRIOR_OUTCOMES = 20
"""m0: outcomes at which learned and equal weights count the same. Equal weights are hard to beat with fewer than some
dozens of outcomes (Claeskens et al. 2016), and ours are correlated."""

FLOOR = 1e-9
"""Scores below it count as it: a perfect member does not divide by zero."""


def weights(scores: Mapping[str, float], outcomes: int) -> dict[str, float]:
    """The weight of each member; they sum to 1.

    Parameters
    ----------
    scores
        Mean CRPS of each member over the same outcomes, lower is better; what they are without outcomes does not count.
    outcomes
        m, the number of different outcomes behind the scores.
    """
    if not scores:
        return {}
    equal = 1.0 / len(scores)
    if outcomes <= 0:
        return dict.fromkeys(scores, equal)
    # Relative to the best, so that no unit of score can overflow.
    floored = {name: max(score, FLOOR) for name, score in scores.items()}
    best = min(floored.values())
    learned = {name: (best / score) ** POWER for name, score in floored.items()}
    total = sum(learned.values())
    trust = outcomes / (outcomes + PRIOR_OUTCOMES)
    return {name: (1.0 - trust) * equal + trust * value / total for name, value in learned.items()}


def pool(
    members: Mapping[str, np.ndarray], shares: Mapping[str, float], *, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws of the linear pool.

    Parameters
    ----------
    members
        Draws of each member, dims (draw, ...), alike but for the number of draws.
    shares
        The weight of each member of the pool. Members without draws are left out, and the others keep their
        proportions.
    size
        Number of draws of the pool.
    rng
        Source of randomness.

    Returns
    -------
    Dims: (size, ...). Whole draws are taken, so that a path stays one member's path.

    Raises
    ------
    ValueError
        No member of positive weight has draws.
    """
    names = [name for name in shares if name in members and shares[name] > 0.0]
    if not names:
        raise ValueError("a pool needs a member with draws and a weight")
    chances = np.array([shares[name] for name in names])
    counts = _counts(chances / chances.sum(), size)
    return np.concatenate(
        [members[name][rng.integers(len(members[name]), size=n)] for name, n in zip(names, counts, strict=True)]
    )


def _counts(chances: np.ndarray, size: int) -> np.ndarray:
    """Draws of each member: as near to their shares as whole numbers can be (largest remainders)."""
    exact = chances * size
    counts = np.floor(exact).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: size - counts.sum()]] += 1
    return counts
