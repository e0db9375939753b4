"""A series of the user's own: values of one quantity, period by period.

Unlike a row of the ledger, such a value comes without words around it: it is taken as it stands, and what is known of
its unit (a percentage cannot pass 100) is all that is known of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Frequency = Literal["annual", "quarterly", "monthly"]

PERIODS_A_YEAR: dict[str, int] = {"annual": 1, "quarterly": 4, "monthly": 12}


@dataclass(frozen=True, eq=False)
class Series:
    """Values of one quantity."""

    series_id: str  # Name, unique in its file
    frequency: Frequency  # Length of a period
    # Number of each period, counted from year 0 in periods of this frequency (2020 is 2020, 2020-Q1 is 8080, 2020-01 is
    # 24240). Strictly increasing; a gap in it is a period that was not measured. Dims: (time,).
    index: np.ndarray
    values: np.ndarray  # Non-negative. Dims: (time,)
    # As given; empty when nothing was said
    unit: str = ""
    measure: str = ""
    reference_class: str = ""  # The technology as priors know it; empty for a new one
    # No value of this unit can be larger (100 for a percentage); None when nothing bounds it
    bound: float | None = None
    early: int = 0  # Months by which its periods end before those of the calendar (6 for years that end with June)
    # The technology in words and the place, of a series of a reference class
    technology: str = ""
    geo: str = ""

    @property
    def step(self) -> float:
        """Length of a period in years."""
        return 1.0 / PERIODS_A_YEAR[self.frequency]

    def last_days(self, index: np.ndarray) -> np.ndarray:
        """Last day of periods given by number. Dims in and out: (time,); dtype datetime64[D]."""
        months = 12 // PERIODS_A_YEAR[self.frequency]
        after = months * (np.asarray(index, dtype=np.int64) + 1) - self.early
        return (after - 12 * 1970).astype("datetime64[M]").astype("datetime64[D]") - np.timedelta64(1, "D")
