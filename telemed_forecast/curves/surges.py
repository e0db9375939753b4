"""Where in a series the surge lies, and what there was before it.

The pandemic's surge has a known date: telehealth rose in the second half of March 2020. Any other surge is found from
the series itself: the largest jump of the level (the median of a quarter of a year) above both the year before and the
value just before. A single wild month is no surge, nor is steady growth: the jump must stand out from the series' other
changes, and come in few steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from telemed_forecast.curves.series import Frequency, Series

SMALLEST_JUMP = np.log(1.5)
"""[log points] A rise by less than half is no surge."""

STANDS_OUT = 4.0
"""A surge is at least so many times as large as the series' ordinary change from one value to the next."""

ABRUPT = 0.3
"""At least this part of a surge comes in one step: one that starts within a month takes two or three."""

ASSUMED_BASE = 0.1
"""Share of the first value that a series had before its surge, when it starts in it: an assumption. US Medicare,
whose series start in the quarter of the surge, had next to none before."""

SMALLEST_VALUE = 1e-3
"""Share of a series' largest value below which values are not told apart (zeros have no logarithm)."""

SMALLEST_OF_A_SURGE = 0.05
"""Share of the largest value below which a surge is not looked for: the first case after years of none is none."""

PANDEMIC_ONSET: dict[Frequency, int] = {"annual": 2020, "quarterly": 2020 * 4, "monthly": 2020 * 12 + 2}
"""Period in which the pandemic's surge began: 2020, its first quarter, March."""

PANDEMIC_HEIGHT: dict[Frequency, int] = {"annual": 2020, "quarterly": 2020 * 4 + 1, "monthly": 2020 * 12 + 3}
"""First whole period of the pandemic's surge, where its clock starts: 2020, its second quarter, April."""


@dataclass(frozen=True)
class Surge:
    """A surge in a series."""

    height: int  # Period in which the surge was at its height: its clock starts there
    base: float  # Level before the surge, in the unit of the series, > 0
    # dated when the calendar says when it was, found when the series does, assumed when neither does and the series is
    # taken to start at the height.
    how: Literal["dated", "found", "assumed"]


def smallest(values: np.ndarray) -> float:
    """The level below which the values of a series are not told apart, in its unit."""
    return SMALLEST_VALUE * float(np.max(values))


def surge_of(series: Series, *, pandemic: bool = False) -> Surge:
    """The surge of a series (the largest, when there were several) with at least one value above zero.

    A `pandemic` series belongs to a class whose surge was that of spring 2020; a surge that is found within a quarter
    of a year of that date counts as the same one.
    """
    onset = None if pandemic else _onset(series)
    known = PANDEMIC_ONSET[series.frequency], PANDEMIC_HEIGHT[series.frequency]
    if pandemic or (onset is not None and known[0] <= series.index[onset] <= known[1]):
        return Surge(known[1], _base(series, known[0]), "dated")
    if onset is None:
        return Surge(int(series.index[0]), ASSUMED_BASE * _first(series), "assumed")
    near = series.index < series.index[onset] + _quarter(series) + 1
    height = onset + int(np.argmax(series.values[onset:][near[onset:]]))
    return Surge(int(series.index[height]), _base(series, int(series.index[onset])), "found")


def _quarter(series: Series) -> int:
    """Periods in a quarter of a year: how far the height may lie behind the onset."""
    return round(0.25 / series.step)


def _first(series: Series) -> float:
    return float(series.values[np.argmax(series.values > 0)])


def _base(series: Series, onset: int) -> float:
    """Median of the last year before the surge; a tenth of the first value where nothing is known of it."""
    year = round(1.0 / series.step)
    before = series.values[(series.index < onset) & (series.index >= onset - year)]
    if before.size == 0:
        before = series.values[series.index < onset][-1:]
    level = float(np.median(before)) if before.size else ASSUMED_BASE * _first(series)
    return max(level, smallest(series.values))


def _onset(series: Series) -> int | None:
    """Position of the value with which the surge begins; None when there is none."""
    floor = np.log(SMALLEST_OF_A_SURGE * np.max(series.values))
    z = np.log(np.maximum(series.values, np.exp(floor)))
    changes = np.diff(z)
    year, quarter = round(1.0 / series.step), _quarter(series)
    jumps = np.full(z.size, -np.inf)
    for k in range(1, z.size):
        at = series.index[k]
        before = z[:k][series.index[:k] >= min(at - year, series.index[k - 1])]
        after = z[k:][series.index[k:] < at + max(quarter, 1)]
        # The value just before counts too: what has risen already does not rise again.
        jumps[k] = np.median(after) - max(np.median(before), z[k - 1])
    k = int(np.argmax(jumps))
    # The onset is the first step up, not a value before it that shares the window with what follows.
    window = np.arange(k, min(k + max(quarter, 1), z.size))
    step = float(np.max(changes[window - 1]))
    others = np.abs(changes[(np.arange(changes.size) != k - 1) & (np.maximum(z[1:], z[:-1]) > floor)])
    ordinary = float(np.median(others)) if others.size else 0.0
    if jumps[k] < max(SMALLEST_JUMP, STANDS_OUT * ordinary) or step < ABRUPT * jumps[k]:
        return None
    return int(window[np.argmax(changes[window - 1] >= ABRUPT * step)])
