"""Dates, decimal years and the grids on which latent paths live.

A decimal year counts from the start of the year: 2021.0 is the end of 2020, 2021.5 the end of June 2021.
"""

from __future__ import annotations

from datetime import date

import numpy as np


def decimal_year(days: np.ndarray) -> np.ndarray:
    """Decimal years of days, each taken at its end (2020-12-31 -> 2021.0).

    Parameters
    ----------
    days
        datetime64[D]. Dims: (obs,).
    """
    ends = days.astype("datetime64[D]") + np.timedelta64(1, "D")
    years = ends.astype("datetime64[Y]")
    start = years.astype("datetime64[D]")
    length = ((years + np.timedelta64(1, "Y")).astype("datetime64[D]") - start).astype(float)
    return years.astype(int) + 1970.0 + (ends - start).astype(float) / length


def half_years(end: float, steps: int) -> np.ndarray:
    """Grid of `steps` half-years that ends at `end` (decimal year, a multiple of one half)."""
    return end - 0.5 * np.arange(steps)[::-1]


def half_year_at_or_after(year: float) -> float:
    """The first half-year's end that does not lie before a decimal year."""
    # Half a day of slack: mid-year ends fall on 0.4959 or 0.4973 of a year, not on 0.5.
    return float(np.ceil(2.0 * (year - 0.006)) / 2.0)


def period_end(year: float) -> date:
    """The last day of the half-year that ends at a decimal year (2031.0 -> 2030-12-31)."""
    whole, half = divmod(round(2 * year), 2)
    return date(whole, 6, 30) if half else date(whole - 1, 12, 31)
