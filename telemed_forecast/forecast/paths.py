"""A forecast as a value: draws of one quantity by period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

LEVELS = (0.5, 0.8, 0.95)
"""The intervals that every forecast shows."""


@dataclass(frozen=True)
class Path:
    """Draws of one quantity by period.

    Attributes
    ----------
    target
        What it is (``online_medical_users``).
    unit
        Unit of the draws (``persons``; shares are in ``percent``).
    periods
        Last day of each period, ascending.
    draws
        Dims: (sample, period).
    last_known
        Position of the last period for which evidence was known.
    step_months
        Length of a period.
    flow
        True when the quantity is a yearly flow, False when it is a stock on the period's last day.
    """

    target: str
    unit: str
    periods: tuple[date, ...]
    draws: np.ndarray
    last_known: int
    step_months: int
    flow: bool = False

    def position(self, period: date) -> int:
        """Position of the period that ends on a day (ValueError if there is none)."""
        return self.periods.index(period)

    def year_end(self, year: int) -> np.ndarray:
        """Draws of the period that ends with a year. Dims: (sample,)."""
        return self.draws[:, self.position(date(year, 12, 31))]

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles of every period. Dims in: (quantile,); out: (quantile, period)."""
        return np.quantile(self.draws, levels, axis=0)

    def scaled(self, factor: float | np.ndarray, unit: str) -> Path:
        """The same quantity in another unit; `factor` is a number or dims (period,)."""
        return Path(self.target, unit, self.periods, self.draws * factor, self.last_known, self.step_months, self.flow)


def interval(draws: np.ndarray, level: float = 0.8) -> tuple[float, float, float]:
    """Median and the ends of the central interval of draws (low, median, high)."""
    tail = (1.0 - level) / 2.0
    low, middle, high = np.quantile(draws, [tail, 0.5, 1.0 - tail])
    return float(low), float(middle), float(high)


def rounded(draws: np.ndarray) -> str:
    """Median to two significant digits: text for a check cell that only a real change moves."""
    return f"{float(f'{np.median(draws):.2g}'):,.10g}"
