"""CSV files of series, a value a row: a user's own, or a reference class to learn from. Read with every fault.

::

    series_id,date,value[,unit,measure,reference_class]                  a user's own series
    series_id,family,unit,value,year|date[,technology,geo,measure]       a reference class; its family is the technology

Columns and rows may stand in any order; other columns are not read. A place that is not given is taken from the name
of the series (``<what>__<place>`` or ``<what>__<place>__<more>``).

How the length of a period is decided
-------------------------------------
Dates are years (``2019``), quarters (``2019-Q1``), months (``2019-03``) or days (``2019-03-31``), or their Chinese
forms (``2019年``, ``2019年3月``, ``2019年3月31日``). Of annual, quarterly
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
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
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

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
"""Full-width characters (U+FF01 to U+FF5E) to those of ASCII."""
_SCALED = re.compile(r"[0-9.,]+\s*[千万亿]+")
_NO_NUMBER = {"", "na", "n/a", "nan", "null", "none", "-", ".", ".."}
_YEARS = (1000, 2999)
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_NO_DATE = (-1, False, False)


@dataclass(frozen=True)
class Layout:
    """Columns of a file beside series_id and value."""

    times: tuple[str, ...]  # Names that the column of dates may have
    labels: tuple[str, ...]  # What is the same in all rows of a series
    needed: tuple[str, ...] = ()  # Labels that must be there and not be empty
    technology: str = "reference_class"  # The label that priors know a technology by
    measures: tuple[str, ...] = ()  # What `measure` may say; anything when empty

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, in the order in which faults of a row are told."""
        return ("series_id", *self.times, "value", *self.labels)


OWN = Layout(("date",), ("unit", "measure", "reference_class"), measures=units.MEASURES)
REFERENCE_CLASS = Layout(
    ("year", "date"), ("family", "technology", "geo", "measure", "unit"), needed=("family", "unit"), technology="family"
)


@dataclass(frozen=True)
class Reading:
    """What a file holds."""

    series: tuple[Series, ...]  # Those without any fault, in the order in which the file first names them
    faults: tuple[Fault, ...]  # Everything that is wrong, by row
    lines: Mapping[str, int]  # Line of the first row of each of the series, by name

    def remarks(self) -> Iterator[str]:
        """What is no fault, but what the user should know: how dates were read, and values that look mistyped.

        Nothing is said of series that are all annual: there is nothing to guess.
        """
        lengths = Counter(one.frequency for one in self.series)
        if set(lengths) - {"annual"}:
            yield "periods, by the dates: " + ", ".join(f"{lengths[length]} series {length}" for length in lengths)
        for one in self.series:
            for remark in (_gappy(one), _jump(one), _plateau(one)):
                if remark:
                    yield f"{one.series_id} (row {self.lines[one.series_id]}): {remark}"


def read(
    file: Path, layout: Layout = OWN, *, name: str | None = None, classes: Collection[str] | None = None
) -> Reading:
    """Read a file of series (UTF-8), which messages call by `name` (its path by default).

    `classes` are the names that `reference_class` may have; None allows any.
    """
    return of_table(tables.read(file, name=name), layout, classes=classes)


def of_table(table: Table, layout: Layout = OWN, *, classes: Collection[str] | None = None) -> Reading:
    """What a table that was read already holds; see `read`."""
    header = list(_header_faults(table, layout))
    readable = bool(_times(table, layout)) and {"series_id", "value", *layout.needed} <= set(table.header)
    by_series: dict[str, list[_Row]] = {}
    for row in _rows(table, layout) if readable else ():
        by_series.setdefault(row.text["series_id"], []).append(row)
    found = {name: list(_faults(table.file, rows, layout, classes)) for name, rows in by_series.items()}
    everything = [*table.faults, *header, *(fault for own in found.values() for fault in own)]
    place = {column: k for k, column in enumerate((None, *layout.columns))}
    everything.sort(key=lambda fault: (fault.row or 0, place.get(fault.column, len(place))))
    whole = all(fault.value is not None for fault in table.faults)  # else the file was not read to its end
    broken = _named_in_ragged_rows(table) if readable else set()
    good = [name for name, own in found.items() if not own and name not in broken] if whole and not header else []
    return Reading(
        series=tuple(_series(by_series[name], layout) for name in good),
        faults=tuple(everything),
        lines={name: by_series[name][0].line for name in good},
    )


def _times(table: Table, layout: Layout) -> list[str]:
    return [column for column in layout.times if column in table.header]


def _header_faults(table: Table, layout: Layout) -> Iterator[Fault]:
    header, tell = table.header, partial(Fault, file=table.file, row=1)
    if not header:
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


def _named_in_ragged_rows(table: Table) -> set[str]:
    """Series that have a row with too many or too few fields: they lack a value, so they are not whole."""
    at = table.header.index("series_id")
    return {fields[at] for fields in table.ragged.values() if len(fields) > at}


@dataclass(frozen=True)
class _Row:
    """A row of a table whose columns are right."""

    line: int
    text: Mapping[str, str]  # By column; empty where the file has no such column
    time: str  # Its column of dates
    number: float  # nan where the text is no finite number
    month: int  # Of the date, counted from year 0; -1 where the text is no date
    is_year: bool  # A year alone
    ends: bool  # The last day of a month


def _rows(table: Table, layout: Layout) -> Iterator[_Row]:
    missing, time = dict.fromkeys(layout.labels, ""), _times(table, layout)[0]
    for line, fields in zip(table.lines, table.rows, strict=True):
        text = missing | dict(zip(table.header, fields, strict=True))
        # Text of Chinese and Japanese keyboards: the digits are the same, only wider. Names stay as they are.
        text |= {column: text[column].translate(_NARROW) for column in ("value", time)}
        number = float(text["value"]) if _NUMBER.fullmatch(text["value"]) else math.nan
        day = _day(text[time]) if time != "year" or len(text[time]) == len("2019") else _NO_DATE
        yield _Row(line, text, time, number if math.isfinite(number) else math.nan, *day)


@lru_cache(maxsize=65536)
def _day(text: str) -> tuple[int, bool, bool]:
    """Month counted from year 0, whether the text is a year, whether it ends a month."""
    try:
        text = periods.iso(text)
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


def _series(rows: Sequence[_Row], layout: Layout) -> Series:
    """One series from its rows, which have no fault."""
    rows = sorted(rows, key=lambda row: row.month)
    text, months = rows[0].text, np.array([row.month for row in rows])
    frequency = periods.frequency(months.tolist())
    length = 12 // PERIODS_A_YEAR[frequency]
    early = int(length - 1 - months[0] % length) if all(row.ends for row in rows) else 0
    name = text["series_id"]
    return Series(
        series_id=name,
        frequency=frequency,
        index=periods.ordinals(months + early, frequency),
        values=np.array([row.number for row in rows]),
        unit=text["unit"],
        measure=text["measure"],
        reference_class=text[layout.technology],
        bound=units.bound(text["unit"]),
        early=early,
        technology=text.get("technology", ""),
        geo=text.get("geo") or (name.split("__")[1] if "__" in name else ""),
    )


_JUMP = 30.0
"""A value so many times its neighbour is pointed out: nothing that grows into a ceiling does so in one period."""


def _gappy(one: Series) -> str:
    """Say that a series is read in periods that none of its neighbouring dates are apart by."""
    steps = np.diff(one.index)
    if one.frequency == "annual" or steps.min() == 1:
        return ""
    months = 12 // PERIODS_A_YEAR[one.frequency]
    apart = ", ".join(str(months * step) for step in np.unique(steps))
    return f"its dates are {apart} months apart, taken as {one.frequency} with gaps; the horizon counts these periods"


def _jump(one: Series) -> str:
    """Say which value is out of all proportion to the one before it, the last such."""
    before, after = one.values[:-1], one.values[1:]
    wide = (np.minimum(before, after) > 0) & (np.maximum(before, after) >= _JUMP * np.minimum(before, after))
    if not wide.any():
        return ""
    k = int(np.flatnonzero(wide)[-1])
    period = periods.label(one.index[k + 1], one.frequency)
    return f"{after[k]:g} in {period} comes after {before[k]:g}; is the unit the same, and the decimal point right?"


def _plateau(one: Series) -> str:
    """Say that the last value is repeated, which may mean two things."""
    same = int(np.argmin(np.append((one.values == one.values[-1])[::-1], False)))
    if same < 3:
        return ""
    return (
        f"its last {same} values are the same: taken as measured and found the same as far as that is likely, else as "
        "carried forward without a measurement, the likelier the more digits are repeated"
    )


def _faults(file: str, rows: Sequence[_Row], layout: Layout, classes: Collection[str] | None) -> Iterator[Fault]:
    """Everything that is wrong with the rows of one series, in no special order."""

    def tell(row: _Row, column: str, expected: str) -> Fault:
        return Fault(file=file, row=row.line, column=column, value=row.text[column], expected=expected)

    for row in rows:
        for column in ("series_id", *layout.needed):
            if not row.text[column]:
                yield tell(row, column, "the name of a series" if column == "series_id" else "a name")
        if row.text["series_id"].startswith(_FORMULA):
            yield tell(row, "series_id", "a name that no spreadsheet takes for a formula: not with = + - or @ in front")
        if expected := _value_expected(row):
            yield tell(row, "value", expected)
        if row.month < 0:
            form = "a year such as 2020" if row.time == "year" else periods.EXPECTED
            yield tell(row, row.time, f"{form}, from {_YEARS[0]} to {_YEARS[1]}")
    if not rows[0].text["series_id"]:
        return
    for row, expected in _periods_expected([row for row in rows if row.month >= 0]):
        yield tell(row, row.time, expected)
    for label in layout.labels:
        # Each text that a series has for a label is told once.
        first = {row.text[label]: row for row in reversed(rows)}
        for text, row in first.items():
            if text != rows[0].text[label]:
                yield tell(row, label, f"{rows[0].text[label]!r}, as in row {rows[0].line}: one {label} a series")
            if expected := _label_expected(label, text, layout, classes):
                yield tell(row, label, expected)
    if len(rows) < FEWEST:
        many = f"{len(rows)} row{'' if len(rows) == 1 else 's'}"
        yield tell(rows[0], "series_id", f"at least {FEWEST} values of a series, not {many}")
    if all(row.number == 0 for row in rows):
        yield tell(rows[0], "value", "at least one value of the series above 0")


def _value_expected(row: _Row) -> str:
    """What would have been right in place of a value; empty when it is."""
    text, bound = row.text["value"], units.bound(row.text["unit"])
    if row.number < 0:
        return "0 or more"
    if bound is not None and row.number > bound:
        return f"at most {bound:g}, because the unit is {row.text['unit']}"
    if row.number >= 0:
        return ""
    if text.lower() in _NO_NUMBER:
        return "a number; leave the row out when nothing was measured"
    if _NUMBER.fullmatch(text) or text.lower().lstrip("+-") in ("inf", "infinity"):
        return "a finite number"
    if _SCALED.fullmatch(text):
        return "a number such as 1234.5; 万 and 亿 belong into the unit, such as 万人 or 亿元"
    if text.count(",") == 1 and text.replace(",", "").isdigit():
        return "a number such as 1234.5: a point before decimals, without separators of thousands"
    return "a number such as 1234.5, without separators, signs of percent or words"


def _periods_expected(rows: Sequence[_Row]) -> Iterator[tuple[_Row, str]]:
    """Years beside months or days in one series, and two dates in one month (once, with a count of the others)."""
    last: dict[int, _Row] = {}
    twice: list[tuple[_Row, _Row]] = []
    for row in rows:
        other = last.get(row.month)
        last[row.month] = row
        if row.is_year != rows[0].is_year:
            form = "a year alone" if rows[0].is_year else "a date with its month"
            yield row, f"{form}, as in row {rows[0].line}: one length of period a series"
        elif other is not None and row.text[row.time] == other.text[row.time]:
            yield row, f"a date that no other row of the series has; row {other.line} has it too"
        elif other is not None:
            twice.append((row, other))
    if twice:
        row, other = twice[0]
        others = f"; so have {len(twice) - 1} further rows of the series" if len(twice) > 1 else ""
        why = "periods are months at the shortest: add up days or weeks to months"
        yield row, f"a month (row {other.line} has {other.text[row.time]}) that no other row has{others}; {why}"


def _label_expected(label: str, text: str, layout: Layout, classes: Collection[str] | None) -> str:
    """What would have been right in place of a unit, measure or technology; empty when it is."""
    if label == "unit" and not units.known(text):
        return "a known unit" + units.nearest(text)
    if label == "measure" and layout.measures and text and text not in layout.measures:
        return f"one of {', '.join(layout.measures)}, or nothing" + nearest(text, layout.measures)
    if label == "reference_class" and classes is not None and text and text not in classes:
        names = sorted(classes)
        known = f"one of {', '.join(names)}, or nothing for a new technology" if names else "nothing"
        return known + nearest(text, names)
    return ""
