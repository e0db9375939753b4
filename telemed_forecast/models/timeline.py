"""Dates, decimal years and the grids on which latent paths live.

A decimal year counts from the start of the year: 2021.0 is the end of 2020, 2021.5 the end of June 2021.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np


def decimal_year(days: np.ndarray) -> np.ndarray:
    """Decimal years of days (datetime64[D]), each taken at its end (2020-12-31 -> 2021.0). Dims: (obs,)."""
    ends = days.astype("datetime64[D]") + np.timedelta64(1, "D")
    years = ends.astype("datetime64[Y]")
    start = years.astype("datetime64[D]")
    length = ((years + np.timedelta64(1, "Y")).astype("datetime64[D]") - start).astype(float)
    return years.astype(int) + 1970.0 + (ends - start).astype(float) / length


def carried(days: np.ndarray, values: np.ndarray, years: np.ndarray, *, pace: float) -> np.ndarray:
    """A counted stock on a grid: interpolated (log scale) between its counts and carried on after the last.

    Parameters
    ----------
    days
        Days of the counts, datetime64[D]. Dims: (obs,).
    values
        The counts, > 0. Dims: (obs,).
    years
        Decimal years of the grid. Dims: (time,).
    pace
        Part of the latest known growth, over at least two years where there are as many, that goes on after the last
        count. Nothing but the counts given decides, so that an early vintage stays an early vintage.

    Returns
    -------
    The stock on the grid. Dims: (time,).
    """
    year = decimal_year(days)
    known, position = np.unique(year, return_index=True)
    log_value = np.log(values)[position]
    earlier = np.flatnonzero(known <= known[-1] - 1.99)
    base = earlier[-1] if len(earlier) else 0
    span = known[-1] - known[base]
    growth = (log_value[-1] - log_value[base]) / span if span > 0 else 0.0
    ahead = np.maximum(years - known[-1], 0.0)
    return np.exp(np.interp(years, known, log_value) + pace * growth * ahead)


def half_years(end: float, steps: int) -> np.ndarray:
    """Grid of `steps` half-years that ends at `end` (decimal year, a multiple of one half)."""
    return end - 0.5 * np.arange(steps)[::-1]


def within(days: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Which days lie on a grid of decimal years. Dims: (obs,)."""
    year = decimal_year(days)
    # Ends of Junes lie a few thousandths of a year off the grid's halves.
    return (year >= grid[0] - 0.01) & (year <= grid[-1] + 0.01)


def half_year_at_or_after(year: float) -> float:
    """The first half-year's end that does not lie before a decimal year."""
    # Half a day of slack: mid-year ends fall on 0.4959 or 0.4973 of a year, not on 0.5.
    return float(np.ceil(2.0 * (year - 0.006)) / 2.0)


def period_end(year: float) -> date:
    """The last day of the half-year that ends at a decimal year (2031.0 -> 2030-12-31)."""
    whole, half = divmod(round(2 * year), 2)
    return date(whole, 6, 30) if half else date(whole - 1, 12, 31)


def on_grid(path: Any, at: Any, xp: Any = np) -> Any:
    """Value of a path between grid points, by linear interpolation. Dims: (..., time), (obs,) -> (..., obs).

    Position 0 is the first point, 1.5 lies between the second and third; `xp` is numpy, or pytensor.tensor inside a
    model.
    """
    left = xp.floor(at).astype("int64")
    right = xp.minimum(left + 1, path.shape[-1] - 1)
    weight = at - left
    return path[..., left] * (1.0 - weight) + path[..., right] * weight
