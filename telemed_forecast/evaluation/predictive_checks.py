"""Whether a model, before and after the evidence, says things like what was published.

The prior predictive check asks whether the published figures lie within what the model thought possible before it saw
any of them: a prior that rules them out, or that spreads over impossible sizes, is wrong whatever the fit
says. The posterior predictive check puts each published figure into the distribution of figures that the fitted model
would print in its place: the probability integral transform (PIT), uniform for a model that is right, and crowded in
the middle when the same figures were fitted.

References
----------
Gabry et al. (2019), Visualization in Bayesian workflow, JRSS A 182(2).
Gelman, Meng & Stern (1996), Posterior predictive assessment of model fitness via realized discrepancies, Statistica
Sinica 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations


@dataclass(frozen=True)
class Check:
    """Where published figures lie in what a model would have printed."""

    # PIT of each figure in 0..1: the share of the draws below its interval plus half of those inside; NaN where the
    # model has nothing to say. Dims: (obs,).
    rank: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """The ranks of the figures of which the model speaks. Dims: (known obs,)."""
        return self.rank[np.isfinite(self.rank)]

    def inside(self, level: float) -> float:
        """Share of the figures inside the central interval of that probability; NaN without any figure."""
        return float(np.mean(np.abs(self.known - 0.5) <= level / 2.0)) if len(self.known) else float("nan")

    def parts(self, number: int) -> np.ndarray:
        """How many figures fall into each of `number` equal parts of 0..1. Dims: (number,)."""
        return np.histogram(self.known, bins=number, range=(0.0, 1.0))[0]

    def surprising(self, tail: float) -> np.ndarray:
        """Positions of the figures with less than `tail` of the draws on one side, the most surprising first."""
        distance = np.minimum(self.rank, 1.0 - self.rank)
        found = np.flatnonzero(distance < tail)
        return found[np.argsort(distance[found], kind="stable")]


def check(predictive: np.ndarray, observations: Observations) -> Check:
    """Rank published figures among the draws of what would have been printed in their place.

    The draws are in the unit of the figures; NaN where the model has nothing to say. Dims: (sample, obs).
    """
    below = (predictive < observations.low).mean(axis=0)
    above = (predictive > observations.high).mean(axis=0)
    silent = ~np.isfinite(predictive).all(axis=0)
    return Check(np.where(silent, np.nan, below + 0.5 * (1.0 - below - above)))
