"""CSV files of series, a value a row: a user's own, or a reference class to learn from. Read with every fault.

::

    series_id,date,value[,unit,measure,reference_class]                  a user's own series
    series_id,family,unit,value,year|date[,technology,geo,measure]       a reference class; its family is the technology

Columns and rows may stand in any order; other columns are not read. A place that is not given is taken from the name
of the series (``<what>__<place>`` or ``<what>__<place>__<more>``).

How the length of a period is decided
-------------------------------------
Dates are years (``2019``), quarters (``2019-Q1``), months (``2019-03``) or days (``2019-03-31``). Of annual, quarterly
and monthly the coarsest is taken that keeps every date of a series in a period of its own, at the same place in it:

- years are annual, and so are dates that all lie in one month of different years;
- otherwise, dates in months that are a multiple of three apart are quarterly;
- everything else is monthly.

Gaps are allowed, so half-yearly dates are quarterly ones with gaps. Two dates in one month are a fault: there is no
shorter period than a month. A period is the calendar's year, quarter or month in which the date lies, unless all dates
of the series are last days of months: then each *ends* its period (2019-06-30 and 2020-06-30 end years of their own).
"""

from __future__ import annotations

import calendar
import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from telemed_forecast.curves import periods, units
from telemed_forecast.curves.series import PERIODS_A_YEAR, Series
from telemed_forecast.errors import Fault
from telemed_forecast.evidence import tables
from telemed_forecast.evidence.tables import Table, nearest

FEWEST = 5
"""Values that a series must have: fewer say nothing that the prior does not say, and teach it nothing."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NO_NUMBER = {"", "na", "n/a", "nan", "null", "none", "-", ".", ".."}
_YEARS = (1000, 2999)
_NO_DATE = (-1, False, False)


@dataclass(frozen=True)
class Layout:
    """Columns of a file beside series_id and value."""

    times: tuple[str, ...]
    """Names that the column of dates may have."""
    labels: tuple[str, ...]
    """What is the same in all rows of a series."""
    needed: tuple[str, ...] = ()
    """Labels that must be there and not be empty."""
    technology: str = "reference_class"
    """The label that priors know a technology by."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, in the order in which faults of a row are told."""
        return ("series_id", *self.times, "value", *self.labels)


OWN = Layout(("date",), ("unit", "measure", "reference_class"))
REFERENCE_CLASS = Layout(
    ("year", "date"), ("family", "technology", "geo", "measure", "unit"), needed=("family", "unit"), technology="family"
)


@dataclass(frozen=True)
class Reading:
    """What a file holds."""

    series: tuple[Series, ...]
    """Those without any fault, in the order in which the file first names them."""
    faults: tuple[Fault, ...]
    """Everything that is wrong, by row."""
    lines: Mapping[str, int]
    """Line of the first row of each of the series, by name."""


def read(
    file: Path, layout: Layout = OWN, *, name: str | None = None, classes: Collection[str] | None = None
) -> Reading:
    """Read a file of series.

    Parameters
    ----------
    file
        UTF-8.
    layout
        `OWN` or `REFERENCE_CLASS`.
    name
        How messages call the file; the path as given by default.
    classes
        Names that `reference_class` may have; None allows any.
    """
    table = tables.read(file, name=name)
    header = list(_header_faults(table, layout))
    readable = bool(table.rows) and {"series_id", "value"} < set(table.header) and _times(table, layout)
    rows = _Rows(table, layout) if readable and set(layout.needed) <= set(table.header) else None
    found = rows.faults(classes) if rows else []
    faults = sorted([*table.faults, *header, *found], key=partial(_place, layout))
    whole = all(fault.value is not None for fault in table.faults)  # else the file was not read to its end
    if rows is None or header or not whole:
        return Reading((), tuple(faults), {})
    at_line = {line: at for at, line in enumerate(table.lines)}
    broken = {rows.ids[at_line[fault.row]] for fault in found if fault.row in at_line}
    broken |= _named_in_ragged_rows(file, table)
    good = [at for at in rows.by_series() if rows.ids[at[0]] not in broken]
    lines = {rows.ids[at[0]]: table.lines[at.min()] for at in good}
    return Reading(tuple(rows.series(at) for at in good), tuple(faults), lines)


def _place(layout: Layout, fault: Fault) -> tuple[int, int]:
    columns = (None, *layout.columns)
    return fault.row or 0, columns.index(fault.column) if fault.column in columns else len(columns)


def _times(table: Table, layout: Layout) -> list[str]:
    return [column for column in layout.times if column in table.header]


def _header_faults(table: Table, layout: Layout) -> Iterator[Fault]:
    header, tell = table.header, partial(Fault, file=table.file, row=1)
    if not header:
        return
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|"):
        yield tell(value=header[0], expected="columns separated by commas")
        return
    others = [column for column in header if column not in layout.columns]
    times = _times(table, layout)
    missing = [column for column in ("series_id", "value", *layout.needed) if column not in header]
    for column in [*missing, *(layout.times[:1] if len(times) != 1 else ())]:
        hint = nearest(column, others).replace("did you mean", "is it meant by")
        what = "one of the columns year (annual curves) and date" if column == "year" else "this column"
        yield tell(column=column, expected=f"{what} in the header{hint}")
    for column in layout.columns:
        if header.count(column) > 1:
            yield tell(column=column, expected="each column once")
    for column in others:
        # Not to read a unit because its column is mistyped would silently lift a bound.
        hint = nearest(column, [label for label in layout.labels if label not in (*header, *layout.needed)])
        if hint:
            yield tell(column=column, expected="another name for a column of your own" + hint)


def _named_in_ragged_rows(file: Path, table: Table) -> set[str]:
    """Series that have a row with too many or too few fields: they lack a value, so they are not whole."""
    ragged = [fault.row for fault in table.faults if fault.row is not None]
    if not ragged:
        return set()
    lines, at = file.read_text(encoding="utf-8-sig").splitlines(), table.header.index("series_id")
    fields = [next(csv.reader([lines[row - 1]]), []) for row in ragged]
    return {own[at].strip() for own in fields if len(own) > at}


class _Rows:
    """Rows of a table whose columns are right: what they hold, and everything that is wrong with them."""

    def __init__(self, table: Table, layout: Layout) -> None:
        self.table, self.layout, self.time = table, layout, _times(table, layout)[0]
        empty = ("",) * len(table.rows)
        self.text = dict.fromkeys(layout.labels, empty)
        self.text |= dict(zip(table.header, zip(*table.rows, strict=True), strict=True))
        self.ids = self.text["series_id"]
        self.numbers = np.array([_number(text) for text in self.text["value"]])
        """nan where the text is no finite number."""
        days = [_day(text) if len(text) == 4 or self.time != "year" else _NO_DATE for text in self.text[self.time]]
        self.months, self.is_year, self.is_end = np.array(days, dtype=np.int64).T
        """Month counted from year 0 (-1 for no date), whether it is a year alone, whether it is a month's last day."""
        names: dict[str, int] = {}
        self._codes = np.array([names.setdefault(name, len(names)) for name in self.ids])
        self._order = np.lexsort((np.arange(len(days)), self.months, self._codes))

    def by_series(self) -> list[np.ndarray]:
        """Positions of the rows of each series, by date; series in the order in which the file first names them."""
        return np.split(self._order, np.flatnonzero(np.diff(self._codes[self._order])) + 1)

    def series(self, at: np.ndarray) -> Series:
        """One series from its rows (positions, by date) that have no fault."""
        first, months = at[0], self.months[at]
        label = {name: self.text[name][first] for name in self.layout.labels}
        frequency = periods.frequency(months.tolist())
        length = 12 // PERIODS_A_YEAR[frequency]
        early = int(length - 1 - months[0] % length) if self.is_end[at].all() else 0
        name = self.ids[first]
        return Series(
            series_id=name,
            frequency=frequency,
            index=periods.ordinals(months + early, frequency),
            values=self.numbers[at],
            unit=label["unit"],
            measure=label["measure"],
            reference_class=label[self.layout.technology],
            bound=units.bound(label["unit"]),
            early=early,
            technology=label.get("technology", ""),
            geo=label.get("geo") or (name.split("__")[1] if "__" in name else ""),
        )

    def faults(self, classes: Collection[str] | None) -> list[Fault]:
        """Everything that is wrong, in no special order; `classes` are the names of technologies, None allows any."""
        found = [*self._unnamed(), *self._values(), *self._repeated(), *self._mixed_dates()]
        for label in self.layout.labels:
            found += self._labels(label, classes)
        return [*found, *self._too_little()]

    def _fault(self, at: int, column: str, expected: str) -> Fault:
        text = self.text[column][at]
        return Fault(file=self.table.file, row=self.table.lines[at], column=column, value=text, expected=expected)

    def _unnamed(self) -> Iterator[Fault]:
        for column in ("series_id", *self.layout.needed):
            expected = "the name of a series" if column == "series_id" else "a name"
            for at, text in enumerate(self.text[column]):
                if not text:
                    yield self._fault(at, column, expected)

    def _values(self) -> Iterator[Fault]:
        bounds = {unit: units.bound(unit) for unit in set(self.text["unit"])}
        limits = np.array([np.inf if bounds[unit] is None else bounds[unit] for unit in self.text["unit"]], dtype=float)
        for at in np.flatnonzero(~((self.numbers >= 0) & (self.numbers <= limits))).tolist():
            text, number = self.text["value"][at], self.numbers[at]
            if number < 0:
                expected = "0 or more"
            elif number > limits[at]:
                expected = f"at most {limits[at]:g}, because the unit is {self.text['unit'][at]}"
            elif text.lower() in _NO_NUMBER:
                expected = "a number; leave the row out when nothing was measured"
            elif _NUMBER.fullmatch(text) or text.lower().lstrip("+-") in ("inf", "infinity"):
                expected = "a finite number"
            else:
                expected = "a number such as 1234.5, without separators, signs of percent or words"
            yield self._fault(at, "value", expected)
        form = "a year such as 2020" if self.time == "year" else periods.EXPECTED
        for at in np.flatnonzero(self.months < 0).tolist():
            yield self._fault(at, self.time, f"{form}, from {_YEARS[0]} to {_YEARS[1]}")

    def _repeated(self) -> Iterator[Fault]:
        """Two dates of one series in one month."""
        codes, months = self._codes[self._order], self.months[self._order]
        same = (np.diff(codes) == 0) & (np.diff(months) == 0) & (months[1:] >= 0)
        for before, at in zip(self._order[:-1][same].tolist(), self._order[1:][same].tolist(), strict=True):
            line, other = self.table.lines[before], self.text[self.time][before]
            if self.is_year[before] != self.is_year[at]:
                continue  # told as mixed dates
            if other == self.text[self.time][at]:
                expected = f"a date that no other row of the series has; row {line} has it too"
            else:
                expected = f"a month (row {line} has {other}) that no other row of the series has"
                expected += "; periods are months at the shortest"
            yield self._fault(at, self.time, expected)

    def _mixed_dates(self) -> Iterator[Fault]:
        """Years beside months or days in one series."""
        first: dict[str, int] = {}
        for at in np.flatnonzero(self.months >= 0).tolist():
            other = first.setdefault(self.ids[at], at)
            if self.is_year[at] != self.is_year[other]:
                form = "a year alone" if self.is_year[other] else "a date with its month"
                expected = f"{form}, as in row {self.table.lines[other]}: one length of period a series"
                yield self._fault(at, self.time, expected)

    def _labels(self, label: str, classes: Collection[str] | None) -> Iterator[Fault]:
        """Each text that a series has for a label, told once: no second one, and no unknown unit or technology."""
        seen: dict[tuple[str, str], int] = {}
        for at, key in enumerate(zip(self.ids, self.text[label], strict=True)):
            seen.setdefault(key, at)
        first: dict[str, int] = {}
        for (name, text), at in seen.items():
            if not name:
                continue
            other = first.setdefault(name, at)
            if other != at:
                line = self.table.lines[other]
                yield self._fault(at, label, f"{self.text[label][other]!r}, as in row {line}: one {label} a series")
            if label == "unit" and not units.known(text):
                yield self._fault(at, label, "a known unit" + units.nearest(text))
            if label == "reference_class" and classes is not None and text and text not in classes:
                names = sorted(classes)
                known = f"one of {', '.join(names)}, or nothing for a new technology" if names else "nothing"
                yield self._fault(at, label, known + nearest(text, names))

    def _too_little(self) -> Iterator[Fault]:
        for rows in self.by_series():
            at = int(rows.min())
            if not self.ids[at]:
                continue
            if len(rows) < FEWEST:
                many = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
                yield self._fault(at, "series_id", f"at least {FEWEST} values of a series, not {many}")
            if (self.numbers[rows] == 0).all():
                yield self._fault(at, "value", "at least one value of the series above 0")


def _number(text: str) -> float:
    number = float(text) if _NUMBER.fullmatch(text) else np.nan
    return number if np.isfinite(number) else np.nan


@lru_cache(maxsize=65536)
def _day(text: str) -> tuple[int, bool, bool]:
    """Month counted from year 0, whether the text is a year, whether it ends a month; -1 for what is no date."""
    try:
        month = periods.month(text)
    except ValueError:
        return _NO_DATE
    year, place = divmod(month, 12)
    if not _YEARS[0] <= year <= _YEARS[1]:
        return _NO_DATE
    last = calendar.monthrange(year, place + 1)[1]
    # Who writes the 28th of February every year means the month's end, in a leap year too.
    ends = len(text) == len("2019-02-28") and int(text[-2:]) >= (28 if place == 1 else last)
    return month, len(text) == len("2019"), ends
