"""The days that a date as printed allows: a year, a month or a day."""

from __future__ import annotations

import calendar
import datetime as dt


def span(text: str) -> tuple[str, str]:
    """Return the first and last day (ISO) that a year, month or day allows; `ValueError` for any other text."""
    if len(text) not in (4, 7, 10):
        raise ValueError(f"{text!r} is no year, month or day")
    first = dt.date.fromisoformat((text + "-01-01")[:10])
    if len(text) == 10:
        last = first
    elif len(text) == 7:
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    else:
        last = dt.date(first.year, 12, 31)
    return str(first), str(last)
