"""What was known on a date: a view of the ledger that nothing published later can change."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from telemed_forecast.errors import Fault, InputError


def as_of(frame: pd.DataFrame, date: str | dt.date | pd.Timestamp | None) -> pd.DataFrame:
    """Return a copy with the rows of the ledger that were known at the end of a day (every row without one).

    Only `known_date` decides. An `InputError` when a text is no ISO date.
    """
    if date is None or date == "":
        return frame.copy()
    return frame[frame["known_date"] <= _day(date)].copy()


def _day(date: str | dt.date | pd.Timestamp) -> pd.Timestamp:
    try:
        day = pd.Timestamp(dt.date.fromisoformat(date) if isinstance(date, str) else date)
    except (TypeError, ValueError) as error:
        fault = Fault(file="as_of", value=str(date), expected="an ISO date such as 2021-07-01")
        raise InputError([fault]) from error
    return day.normalize()
