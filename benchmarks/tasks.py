"""Rolling-origin tasks: what was known at an origin, and what came after it.

A file holds one value a row::

    task_id,part,family,n,year,value,role,unit,measure[,date]

`role` is ``history`` or ``future``. `year` counts periods; where it is not the calendar's, `date` says when each period
begins. A task is named ``<series>@<origin>``, and a series ``<what>__<place>[__<more>]``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from telemed_forecast.curves import periods, units
from telemed_forecast.curves.series import Frequency, Series
from telemed_forecast.errors import Fault, InputError
from telemed_forecast.evidence import tables

COLUMNS = ("task_id", "part", "family", "n", "year", "value", "role", "unit", "measure")
ROLES = ("history", "future")
MIN_HISTORY = 3
"""The drift's interval needs two differences."""

Columns = dict[str, tuple[str, ...]]
"""The file's text by column."""

_LABELS = ("part", "family", "unit", "measure")
_WHOLE = {
    "year": "a whole number that counts periods, such as 2020",
    "n": "a whole number: how many values were known at the origin",
}


@dataclass(frozen=True, eq=False)
class Task:
    """One origin of one series.

    Attributes
    ----------
    task_id, part, family
        As in the file. Scores are averaged within a family, then over the families of a part, then over parts.
    series
        The history, and nothing after it; its `reference_class` is empty: a protocol says whether it may be named.
    ahead
        Periods from the origin to each value of `truth`, from 1 on. Dims: (future,).
    truth
        What came after the origin. Dims: (future,).
    years
        The file's `year` of each value of `truth`. Dims: (future,).
    """

    task_id: str
    part: str
    family: str
    series: Series
    ahead: np.ndarray
    truth: np.ndarray
    years: np.ndarray

    @property
    def name(self) -> str:
        """The series that the task is an origin of."""
        return self.task_id.rpartition("@")[0] or self.task_id


def horizon(tasks: Sequence[Task]) -> int:
    """Return the most periods ahead that any task asks for."""
    return max(int(task.ahead[-1]) for task in tasks)


def truths(tasks: Sequence[Task]) -> np.ndarray:
    """Return what came after every origin, nan where nothing is known. Dims: (task, horizon)."""
    known = np.full((len(tasks), horizon(tasks)), np.nan)
    for row, task in zip(known, tasks, strict=True):
        row[task.ahead - 1] = task.truth
    return known


def read(path: str | Path) -> list[Task]:
    """Read a file of tasks, in the order in which they first appear.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    table = tables.read(Path(path), name=str(path))
    faults: list[Fault] = list(table.faults)
    if table.header:
        faults += _header_faults(table)
    if not table.rows or any(fault.row == 1 for fault in faults):
        raise InputError(faults)
    columns = dict(zip(table.header, zip(*table.rows, strict=True), strict=True))
    faults += _field_faults(table, columns)
    broken = {fault.row for fault in faults}
    of_task: dict[str, list[int]] = {}
    for row, name in enumerate(columns["task_id"]):
        of_task.setdefault(name, []).append(row)
    for rows in of_task.values():
        # Rows that cannot be read would bring faults that are none.
        if not any(table.lines[row] in broken for row in rows):
            faults += _task_faults(table, columns, rows)
    if faults:
        faults.sort(key=lambda fault: fault.row or 0)
        raise InputError(faults)
    return [_task(columns, rows) for rows in of_task.values()]


def _header_faults(table: tables.Table) -> Iterator[Fault]:
    known = (*COLUMNS, "date")
    for name in COLUMNS:
        if name not in table.header:
            yield Fault(file=table.file, row=1, column=name, expected="this column in the header")
    for name, times in Counter(table.header).items():
        if times > 1:
            yield Fault(file=table.file, row=1, column=name, expected="each column once")
        if name not in known:
            yield Fault(
                file=table.file, row=1, column=name, expected="only columns of tasks" + tables.nearest(name, known)
            )


def _field_faults(table: tables.Table, columns: Columns) -> Iterator[Fault]:
    """Faults that a field shows by itself."""
    for column in ("task_id", "family"):
        yield from _at_fault(table, columns, column, bool, "a name")
    for column, expected in _WHOLE.items():
        yield from _at_fault(table, columns, column, _is_whole, expected)
    yield from _at_fault(table, columns, "value", _is_amount, "a number that is not negative")
    yield from _at_fault(table, columns, "role", ROLES.__contains__, "history or future")
    if "date" in columns:
        yield from _at_fault(table, columns, "date", _is_period, periods.EXPECTED)


def _at_fault(
    table: tables.Table, columns: Columns, column: str, good: Callable[[str], bool], expected: str
) -> Iterator[Fault]:
    for line, text in zip(table.lines, columns[column], strict=True):
        if not good(text):
            yield Fault(file=table.file, row=line, column=column, value=text, expected=expected)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit()


def _is_amount(text: str) -> bool:
    try:
        return "_" not in text and 0 <= float(text) < math.inf
    except ValueError:
        return False


def _is_period(text: str) -> bool:
    try:
        periods.month(text)
    except ValueError:
        return False
    return True


def _task_faults(table: tables.Table, columns: Columns, rows: list[int]) -> Iterator[Fault]:
    """Faults that only the rows of a task together show."""
    first = table.lines[rows[0]]

    def fault(row: int, column: str, expected: str) -> Fault:
        value = columns[column][row]
        return Fault(file=table.file, row=table.lines[row], column=column, value=value, expected=expected)

    for column in _LABELS:
        changed = [row for row in rows if columns[column][row] != columns[column][rows[0]]]
        if changed:
            yield fault(changed[0], column, f"one {column} a task ({columns[column][rows[0]]!r} in row {first})")
    seen: dict[int, int] = {}
    for row in rows:
        year = int(columns["year"][row])
        if year in seen:
            yield fault(row, "year", f"each period once a task (row {table.lines[seen[year]]} has it)")
        seen.setdefault(year, row)
    history = [row for row in rows if columns["role"][row] == "history"]
    future = [row for row in rows if columns["role"][row] == "future"]
    if len(history) < MIN_HISTORY:
        yield fault(rows[0], "task_id", f"at least {MIN_HISTORY} rows of history a task, not {len(history)}")
    if not future:
        yield fault(rows[0], "task_id", "at least one row of the future a task")
    origin = max((int(columns["year"][row]) for row in history), default=-math.inf)
    for row in future:
        if int(columns["year"][row]) < origin:
            yield fault(row, "year", f"a future that begins after the history ends ({origin})")
    yield from _date_faults(columns, rows, fault)


def _date_faults(columns: Columns, rows: list[int], fault: Callable[[int, str, str], Fault]) -> Iterator[Fault]:
    """Dates that do not run as the count of periods does."""
    if "date" not in columns or len(rows) < 2:
        return
    ordered = sorted(rows, key=lambda row: int(columns["year"][row]))
    months = [periods.month(columns["date"][row]) for row in ordered]
    for earlier, later, row in zip(months, months[1:], ordered[1:], strict=False):
        if later <= earlier:
            yield fault(row, "date", "dates that run as `year` does")


def _task(columns: Columns, rows: list[int]) -> Task:
    rows = sorted(rows, key=lambda row: int(columns["year"][row]))
    first = rows[0]
    years = np.array([int(columns["year"][row]) for row in rows])
    values = np.array([float(columns["value"][row]) for row in rows])
    known = np.array([columns["role"][row] == "history" for row in rows])
    frequency: Frequency = "annual"
    index = years
    if "date" in columns:
        months = [periods.month(columns["date"][row]) for row in rows]
        frequency = periods.frequency(months)
        index = periods.ordinals(months, frequency)
    unit = columns["unit"][first]
    bound = units.bound(unit)
    history = Series(
        series_id=columns["task_id"][first],
        frequency=frequency,
        index=index[known],
        values=values[known],
        unit=unit,
        measure=columns["measure"][first],
        # A file that passes its unit's bound is scored all the same, without the help of a bound.
        bound=bound if bound is None or values[known].max() <= bound else None,
    )
    return Task(
        task_id=columns["task_id"][first],
        part=columns["part"][first],
        family=columns["family"][first],
        series=history,
        ahead=index[~known] - index[known][-1],
        truth=values[~known],
        years=years[~known],
    )
