"""Rows of a file of series, column by column, and everything that can be wrong with them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from telemed_forecast.curves import periods, units
from telemed_forecast.errors import Fault
from telemed_forecast.evidence.tables import Table, nearest

REQUIRED = ("series_id", "date", "value")
OPTIONAL = ("unit", "measure", "reference_class")
"""Columns of a file of series."""

FEWEST = 5
"""Values that a series must have: fewer say nothing that the prior does not say."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NO_NUMBER = {"", "na", "n/a", "nan", "null", "none", "-", ".", ".."}
_YEARS = (1000, 2999)
_DATE_EXPECTED = f"{periods.EXPECTED}, from {_YEARS[0]} to {_YEARS[1]}"


class Rows:
    """The rows of a table whose columns are right.

    Attributes
    ----------
    ids, unit, measure, reference_class
        Text of each row.
    numbers
        Values; nan where the text is no finite number. Dims: (row,).
    months
        Month of each date, counted from year 0 (January for a year); -1 where the text is no date. Dims: (row,).
    is_year, is_month_end
        Whether a date is given as a year alone; whether it is the last day of a month. Dims: (row,).
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        column = {name: [row[at] for row in table.rows] for at, name in enumerate(table.header)}
        missing = [""] * len(table.rows)
        self.ids, self._dates, self._values = (column[name] for name in REQUIRED)
        self.unit, self.measure, self.reference_class = (column.get(name, missing) for name in OPTIONAL)
        self.numbers = np.array([_number(text) for text in self._values], dtype=float)
        days = [_day(text) for text in self._dates]
        self.months, is_year, is_end = np.array(days, dtype=np.int64).reshape(-1, 3).T
        self.is_year, self.is_month_end = is_year.astype(bool), is_end.astype(bool)
        names: dict[str, int] = {}
        self._codes = np.array([names.setdefault(name, len(names)) for name in self.ids], dtype=np.int64)
        self._order = np.lexsort((np.arange(len(days)), self.months, self._codes))

    def by_series(self) -> list[np.ndarray]:
        """Positions of the rows of each series, by date; series in the order in which the file first names them."""
        cuts = np.flatnonzero(np.diff(self._codes[self._order])) + 1
        return np.split(self._order, cuts)

    def named_by(self, faults: Iterable[Fault]) -> set[str]:
        """Names of the series in whose rows the faults are."""
        at_line = {line: at for at, line in enumerate(self.table.lines)}
        return {self.ids[at_line[fault.row]] for fault in faults if fault.row in at_line}

    def faults(self, classes: Collection[str] | None = None) -> list[Fault]:
        """Everything that is wrong, in no special order.

        Parameters
        ----------
        classes
            Names that `reference_class` may have; None allows any.
        """
        checks = (self._unnamed(), self._no_values(), self._no_dates(), self._repeated(), self._mixed_dates())
        found = [fault for check in checks for fault in check]
        for column, texts in zip(OPTIONAL, (self.unit, self.measure, self.reference_class), strict=True):
            found += self._mixed_texts(column, texts)
        found += self._unknown("unit", self.unit, units.known, lambda text: "a known unit" + units.nearest(text))
        if classes is not None:
            names = sorted(classes)
            known = f"one of {', '.join(names)}, or nothing for a new technology" if names else "nothing"
            found += self._unknown(
                "reference_class",
                self.reference_class,
                lambda text: not text or text in classes,
                lambda text: known + nearest(text, names),
            )
        return [*found, *self._short(), *self._nothing_but_zeros()]

    def _fault(self, at: int, column: str, value: str, expected: str) -> Fault:
        return Fault(file=self.table.file, row=self.table.lines[at], column=column, value=value, expected=expected)

    def _unnamed(self) -> Iterator[Fault]:
        for at, name in enumerate(self.ids):
            if not name:
                yield self._fault(at, "series_id", name, "the name of a series")

    def _no_values(self) -> Iterator[Fault]:
        limits = np.array([np.inf if (own := units.bound(unit)) is None else own for unit in self.unit])
        with np.errstate(invalid="ignore"):
            wrong = np.isnan(self.numbers) | (self.numbers < 0) | (self.numbers > limits)
        for at in _positions(wrong):
            text, number = self._values[at], self.numbers[at]
            if not np.isnan(number):
                expected = "0 or more" if number < 0 else f"at most {limits[at]:g}, because the unit is {self.unit[at]}"
            elif text.lower() in _NO_NUMBER:
                expected = "a number; leave the row out when nothing was measured"
            elif _NUMBER.fullmatch(text) or text.lower().lstrip("+-") in ("inf", "infinity"):
                expected = "a finite number"
            else:
                expected = "a number such as 1234.5, without separators, signs of percent or words"
            yield self._fault(at, "value", text, expected)

    def _no_dates(self) -> Iterator[Fault]:
        for at in _positions(self.months < 0):
            yield self._fault(at, "date", self._dates[at], _DATE_EXPECTED)

    def _repeated(self) -> Iterator[Fault]:
        """Two dates of one series in one month."""
        codes, months = self._codes[self._order], self.months[self._order]
        same = (np.diff(codes) == 0) & (np.diff(months) == 0) & (months[1:] >= 0)
        for after in np.flatnonzero(same) + 1:
            before, at = self._order[after - 1], int(self._order[after])
            if self.is_year[before] != self.is_year[at]:
                continue  # told as mixed dates
            line, other = self.table.lines[before], self._dates[before]
            period = "date" if other == self._dates[at] else f"month (row {line} has {other})"
            expected = f"a {period} that no other row of the series has"
            expected += f"; row {line} has it too" if period == "date" else "; periods are months at the shortest"
            yield self._fault(at, "date", self._dates[at], expected)

    def _mixed_dates(self) -> Iterator[Fault]:
        """Years beside months or days in one series."""
        first: dict[str, int] = {}
        for at in _positions(self.months >= 0):
            other = first.setdefault(self.ids[at], at)
            if self.is_year[at] != self.is_year[other]:
                form = "a year alone" if self.is_year[other] else "a date with its month"
                expected = f"{form}, as in row {self.table.lines[other]}: one length of period a series"
                yield self._fault(at, "date", self._dates[at], expected)

    def _mixed_texts(self, column: str, texts: Sequence[str]) -> Iterator[Fault]:
        first: dict[str, int] = {}
        for name, text, at in self._kinds(texts):
            other = first.setdefault(name, at)
            if other != at:
                expected = f"{texts[other]!r}, as in row {self.table.lines[other]}: one {column} a series"
                yield self._fault(at, column, text, expected)

    def _unknown(
        self, column: str, texts: Sequence[str], known: Callable[[str], bool], expected: Callable[[str], str]
    ) -> Iterator[Fault]:
        for _, text, at in self._kinds(texts):
            if not known(text):
                yield self._fault(at, column, text, expected(text))

    def _kinds(self, texts: Sequence[str]) -> Iterator[tuple[str, str, int]]:
        """Each text that a series has, with its first row, so that a fault is told once a series."""
        seen: dict[tuple[str, str], int] = {}
        for at, key in enumerate(zip(self.ids, texts, strict=True)):
            seen.setdefault(key, at)
        for (name, text), at in seen.items():
            if name:
                yield name, text, at

    def _short(self) -> Iterator[Fault]:
        for rows in self.by_series():
            at = int(rows.min())
            if len(rows) < FEWEST and self.ids[at]:
                many = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
                yield self._fault(at, "series_id", self.ids[at], f"at least {FEWEST} values of a series, not {many}")

    def _nothing_but_zeros(self) -> Iterator[Fault]:
        for rows in self.by_series():
            at = int(rows.min())
            if self.ids[at] and (self.numbers[rows] == 0).all():
                yield self._fault(at, "value", self._values[at], "at least one value of the series above 0")


def _positions(mask: np.ndarray) -> list[int]:
    return [int(at) for at in np.flatnonzero(mask)]


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        return np.nan
    number = float(text)
    return number if np.isfinite(number) else np.nan


@lru_cache(maxsize=65536)
def _day(text: str) -> tuple[int, bool, bool]:
    """Month counted from year 0, whether the text is a year, whether it ends a month; -1 for what is no date."""
    try:
        month = periods.month(text)
    except ValueError:
        return -1, False, False
    year, place = divmod(month, 12)
    if not _YEARS[0] <= year <= _YEARS[1]:
        return -1, False, False
    last = calendar.monthrange(year, place + 1)[1]
    # Who writes the 28th of February every year means the month's end, in a leap year too.
    ends = len(text) == len("2019-02-28") and int(text[-2:]) >= (28 if place == 1 else last)
    return month, len(text) == len("2019"), ends
