"""What a headline number hangs on: the target in draws where a driver is low against draws where it is high."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

PART = 0.2
"""Part of the draws at each end of a driver that is compared."""


class Driver(NamedTuple):
    """One uncertain quantity: medians of a target among the draws with its lowest and with its highest fifth.

    `explained` is the squared rank correlation with the target: about the part of its variance that knowing the
    quantity would remove.
    """

    name: str
    low: float
    high: float
    explained: float

    @property
    def swing(self) -> float:
        """Distance between the two medians."""
        return abs(self.high - self.low)


def drivers(target: np.ndarray, quantities: Mapping[str, np.ndarray]) -> list[Driver]:
    """Rank quantities by the part of a target that they explain, largest first.

    Parameters
    ----------
    target
        Draws of the headline number. Dims: (sample,).
    quantities
        Draws of each uncertain quantity from the same fit. Dims: (sample,).
    """
    found = []
    for name, values in quantities.items():
        low, high = np.quantile(values, [PART, 1.0 - PART])
        below, above = (float(np.median(target[chosen])) for chosen in (values <= low, values >= high))
        found.append(Driver(name, below, above, _rank_correlation(target, values) ** 2))
    return sorted(found, key=lambda d: -d.explained)


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    ranks = [np.argsort(np.argsort(x)) for x in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
