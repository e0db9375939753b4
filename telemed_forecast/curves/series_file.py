"""A file of series of the user's own: read whole, or refused with every fault.

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

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from telemed_forecast.curves import periods, units
from telemed_forecast.curves.series import PERIODS_A_YEAR, Series
from telemed_forecast.curves.series_rows import OPTIONAL, REQUIRED, Rows
from telemed_forecast.errors import Fault
from telemed_forecast.evidence import tables


@dataclass(frozen=True)
class Reading:
    """What a file holds.

    Attributes
    ----------
    series
        Those without any fault, in the order in which the file first names them.
    faults
        Everything that is wrong, by row.
    lines
        Line of the first row of each of the series, by name.
    """

    series: tuple[Series, ...]
    faults: tuple[Fault, ...]
    lines: Mapping[str, int]


def read(file: str | Path, *, classes: Collection[str] | None = None) -> Reading:
    """Read a CSV file with the columns series_id, date, value and, if wanted, unit, measure, reference_class.

    Parameters
    ----------
    file
        UTF-8, a row a value, rows in any order; other columns are not read.
    classes
        Names that `reference_class` may have; None allows any.
    """
    table = tables.read(Path(file))
    header = list(_header_faults(table))
    if not table.rows or header:
        faults = [*table.faults, *header]
        if table.rows and set(REQUIRED) <= set(table.header):
            faults += Rows(table).faults(classes)
        return Reading((), tuple(sorted(faults, key=_place)), {})
    rows = Rows(table)
    found = rows.faults(classes)
    broken = rows.named_by(found) | _named_in_ragged_rows(Path(file), table)
    whole = all(fault.value is not None for fault in table.faults)  # else the file was not read to its end
    good = [at for at in rows.by_series() if rows.ids[at[0]] not in broken] if whole else []
    return Reading(
        series=tuple(_series(rows, at) for at in good),
        faults=tuple(sorted([*table.faults, *found], key=_place)),
        lines={rows.ids[at[0]]: table.lines[at.min()] for at in good},
    )


def _place(fault: Fault) -> tuple[int, int]:
    columns = (None, *REQUIRED, *OPTIONAL)
    return fault.row or 0, columns.index(fault.column) if fault.column in columns else len(columns)


def _header_faults(table: tables.Table) -> Iterator[Fault]:
    header = table.header
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|"):
        yield Fault(file=table.file, row=1, value=header[0], expected="columns separated by commas")
        return
    others = [name for name in header if name not in (*REQUIRED, *OPTIONAL)]
    for column in REQUIRED:
        if header and column not in header:
            hint = tables.nearest(column, others).replace("did you mean", "is it meant by")
            yield Fault(file=table.file, row=1, column=column, expected="this column in the header" + hint)
    for column in (*REQUIRED, *OPTIONAL):
        if header.count(column) > 1:
            yield Fault(file=table.file, row=1, column=column, expected="each column once")
    for column in others:
        # Not to read a unit because its column is mistyped would silently lift a bound.
        hint = tables.nearest(column, [name for name in OPTIONAL if name not in header])
        if hint:
            yield Fault(file=table.file, row=1, column=column, expected="another name for a column of your own" + hint)


def _named_in_ragged_rows(file: Path, table: tables.Table) -> set[str]:
    """Series that have a row with too many or too few fields: they lack a value, so they are not whole."""
    ragged = [fault.row for fault in table.faults if fault.row is not None]
    if not ragged:
        return set()
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    at = table.header.index("series_id")
    fields = [next(csv.reader([lines[row - 1]]), []) for row in ragged]
    return {own[at].strip() for own in fields if len(own) > at}


def _series(rows: Rows, at: np.ndarray) -> Series:
    """One series from its rows (positions, by date) that have no fault."""
    first = int(at[0])
    months, unit = rows.months[at], rows.unit[first]
    frequency = periods.frequency(months.tolist())
    length = 12 // PERIODS_A_YEAR[frequency]
    early = int(length - 1 - months[0] % length) if rows.is_month_end[at].all() else 0
    return Series(
        series_id=rows.ids[first],
        frequency=frequency,
        index=periods.ordinals(months + early, frequency),
        values=rows.numbers[at],
        unit=unit,
        measure=rows.measure[first],
        reference_class=rows.reference_class[first],
        bound=units.bound(unit),
        early=early,
    )
