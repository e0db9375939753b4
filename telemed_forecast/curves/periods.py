"""Periods as whole numbers: 2020 is 2020, its first quarter 8080, its January 24240.

A date says when a period begins (or ends, or any day of it), not how long it is. The length is that of the longest
period which tells all the dates of a series apart: dates that lie whole years apart are years, dates that lie three
months apart quarters. So a series that is measured every third month is a quarterly one, whatever it is called.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from telemed_forecast.curves.series import PERIODS_A_YEAR, Frequency

EXPECTED = "a year (2020), a quarter (2020-Q1), a month (2020-01) or a day (2020-01-31)"
"""What :func:`month` reads, in words."""

_QUARTER = re.compile(r"([0-9]{4})-?[Qq]([1-4])")
_CHINESE = re.compile(r"([0-9]{4})年(?:([0-9]{1,2})月(?:([0-9]{1,2})[日号])?)?")


def iso(text: str) -> str:
    """Return a Chinese date (2020年, 2020年1月, 2020年1月31日) as an ISO one; any other text as it is."""
    found = _CHINESE.fullmatch(text)
    return "-".join(part.zfill(2) for part in found.groups() if part) if found else text


def month(text: str) -> int:
    """Return the number of the month, counted from January of year 0, that a period begins in (`EXPECTED`)."""
    quarter = _QUARTER.fullmatch(text)
    if quarter:
        return int(quarter[1]) * 12 + 3 * (int(quarter[2]) - 1)
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", text):
        raise ValueError(f"{text!r} is not {EXPECTED}")
    day = dt.date.fromisoformat((text + "-01-01")[:10])
    return day.year * 12 + day.month - 1


def frequency(months: Iterable[int]) -> Frequency:
    """Return the length of period that the months of a series (see :func:`month`), in any order, are told apart by."""
    ordered = sorted(months)
    step = math.gcd(*(later - earlier for earlier, later in pairwise(ordered)))
    if step % 12 == 0:
        return "annual"
    return "quarterly" if step % 3 == 0 else "monthly"


def ordinals(months: Iterable[int], frequency: Frequency) -> npt.NDArray[np.int64]:
    """Return the numbers of the periods that months lie in, counted from year 0 in periods of this length."""
    return np.fromiter(months, dtype=np.int64) * PERIODS_A_YEAR[frequency] // 12


def label(ordinal: int, frequency: Frequency) -> str:
    """Return a period as text: 2020, 2020-Q1 or 2020-01."""
    year, part = divmod(int(ordinal), PERIODS_A_YEAR[frequency])
    if frequency == "annual":
        return f"{year:04d}"
    return f"{year:04d}-Q{part + 1}" if frequency == "quarterly" else f"{year:04d}-{part + 1:02d}"


def first_day(ordinal: int, frequency: Frequency) -> str:
    """Return the day a period begins on (ISO 8601)."""
    year, part = divmod(int(ordinal), PERIODS_A_YEAR[frequency])
    return f"{year:04d}-{part * 12 // PERIODS_A_YEAR[frequency] + 1:02d}-01"
