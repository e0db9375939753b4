"""A reference class: what happened to other technologies, for priors to be learned from.

A file holds one value a row, either annual (`year`) or at any spacing (`date`)::

    series_id,family,technology,geo,measure,unit,year,value     adoption
    series_id,family,date,value,unit                            surges, and what was left of them

Columns may stand in any order, rows too. `technology`, `geo` and `measure` may be missing; a place that is not given
is taken from the name of the series (``<what>__<place>`` or ``<what>__<place>__<more>``).
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from telemed_forecast import files
from telemed_forecast.errors import Fault, InputError, TelemedError
from telemed_forecast.evidence import periods, tables, units
from telemed_forecast.evidence.series import Series

MIN_POINTS = 5
"""A curve with fewer values than this says nothing that a prior could learn."""

REQUIRED = ("series_id", "family", "unit", "value")
OPTIONAL = ("technology", "geo", "measure")
TIMES = ("year", "date")
COLUMNS = ("series_id", "family", "technology", "geo", "measure", "unit", "year", "value")
"""Columns of an annual reference class, as :func:`write` orders them."""

_LABELS = ("family", "technology", "geo", "measure", "unit")


@dataclass(frozen=True, eq=False)
class Curve:
    """One series of a reference class, with what folds are made of.

    Attributes
    ----------
    series
        The values; its `reference_class` is the family.
    family
        The technology as priors know it, such as ``internet_users``: what is left out when a new technology is meant.
    technology
        The technology in words; may be empty.
    geo
        The place: what is left out when a new place is meant. Curves of one place share it across families.
    """

    series: Series
    family: str
    technology: str = ""
    geo: str = ""


def read(path: str | Path, *, name: str | None = None) -> list[Curve]:
    """Read a reference class.

    Parameters
    ----------
    path
        A CSV file in one of the two layouts above.
    name
        How messages call the file; the path as given by default.

    Returns
    -------
    list of Curve
        In the order in which the series first appear; the values of each in the order of time. A period that has no
        row is a gap; the length of a period comes from the spacing of the dates (`evidence.periods`).

    Raises
    ------
    InputError
        With every fault of the file: columns, values that are no number, negative or above what the unit allows,
        units that are not known, periods that cannot be read or come twice, labels that change within a series, series
        of fewer than `MIN_POINTS` values or without any above zero.
    """
    table = tables.read(Path(path), name=name or str(path))
    faults = list(table.faults)
    if table.header:
        faults += _header_faults(table)
    if not table.rows or any(fault.row == 1 for fault in faults):
        raise _refusal(faults)
    columns = dict(zip(table.header, zip(*table.rows, strict=True), strict=True))
    values = _values(table, columns, faults)
    months = _months(table, columns, faults)
    rows_of: dict[str, list[int]] = {}
    for row, series_id in enumerate(columns["series_id"]):
        rows_of.setdefault(series_id, []).append(row)
    _check_names(table, columns, faults)
    found = [_curve(table, columns, rows, values, months, faults) for rows in rows_of.values()]
    if faults:
        raise _refusal(sorted(set(faults), key=lambda fault: (fault.row or 0, fault.column or "", fault.expected)))
    return found


def write(path: str | Path, curves: Sequence[Curve]) -> str:
    """Save a reference class so that what is learned from it can be learned again.

    Parameters
    ----------
    path
        Replaced as a whole, or not at all.
    curves
        Of which :func:`read` gives back the same values.

    Returns
    -------
    str
        The fingerprint of the curves, which is the SHA-256 of the file.

    Raises
    ------
    TelemedError
        When the file cannot be written.
    """
    path = Path(path)
    data = canonical(curves).encode()
    try:
        files.write(path, data)
    except OSError as error:
        raise TelemedError(f"{path}: the reference class cannot be written ({error.strerror or error})") from error
    return hashlib.sha256(data).hexdigest()


def fingerprint(curves: Sequence[Curve]) -> str:
    """Return the SHA-256 of the curves' canonical text: it does not depend on the order they come in."""
    return hashlib.sha256(canonical(curves).encode()).hexdigest()


def canonical(curves: Sequence[Curve]) -> str:
    """Return the curves as CSV: sorted by series and time, every digit that tells a number from its neighbours.

    Notes
    -----
    The time column is `year` when all curves are annual, else `date` (the first day of each period).
    """
    annual = all(curve.series.frequency == "annual" for curve in curves)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS if annual else [name.replace("year", "date") for name in COLUMNS])
    for curve in sorted(curves, key=lambda curve: curve.series.series_id):
        series = curve.series
        labels = (series.series_id, curve.family, curve.technology, curve.geo, series.measure, series.unit)
        at = periods.label if annual else periods.first_day
        for ordinal, value in zip(series.index, series.values, strict=True):
            writer.writerow([*labels, at(ordinal, series.frequency), repr(float(value))])
    return text.getvalue()


def _refusal(faults: list[Fault]) -> InputError:
    return InputError(faults, f"{len(faults)} fault(s) in the reference class")


def _header_faults(table: tables.Table) -> Iterator[Fault]:
    known = (*REQUIRED, *OPTIONAL, *TIMES)
    unknown = [name for name in table.header if name not in known]
    for name, times in Counter(table.header).items():
        if times > 1:
            yield Fault(file=table.file, row=1, column=name, expected="each column once")
    for name in REQUIRED:
        if name not in table.header:
            hint = tables.nearest(name, unknown).replace("did you mean", "is it meant by").replace("?", "")
            yield Fault(file=table.file, row=1, column=name, expected="this column in the header" + hint)
    if sum(name in table.header for name in TIMES) != 1:
        expected = "one of the columns year (annual curves) and date in the header"
        yield Fault(file=table.file, row=1, column="year", expected=expected)
    for name in unknown:
        expected = "only columns of a reference class" + tables.nearest(name, known)
        yield Fault(file=table.file, row=1, column=name, expected=expected)


def _values(table: tables.Table, columns: dict[str, tuple[str, ...]], faults: list[Fault]) -> list[float]:
    """Every value as a number; nan where it is at fault."""
    found = []
    bounds = {unit: units.bound(unit) for unit in set(columns["unit"])}
    for line, text, unit in zip(table.lines, columns["value"], columns["unit"], strict=True):
        value, bound = _number(text), bounds[unit]
        if not math.isfinite(value):
            expected = "a number (a period that was not measured has no row)"
        elif value < 0:
            expected = "a number that is not negative"
        elif bound is not None and value > bound:
            expected = f"at most {bound:g} in the unit {unit}"
        else:
            found.append(value)
            continue
        found.append(math.nan)
        faults.append(Fault(file=table.file, row=line, column="value", value=text, expected=expected))
    return found


def _number(text: str) -> float:
    """The number a text stands for; nan when it stands for none (Python also reads 1_000)."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def _months(table: tables.Table, columns: dict[str, tuple[str, ...]], faults: list[Fault]) -> list[int | None]:
    """The month each row's period begins in; None where the text is at fault."""
    column = "year" if "year" in columns else "date"
    expected = "a year such as 2020" if column == "year" else periods.EXPECTED
    found: list[int | None] = []
    for line, text in zip(table.lines, columns[column], strict=True):
        try:
            if column == "year" and len(text) != 4:
                raise ValueError(text)
            found.append(periods.month(text))
        except ValueError:
            found.append(None)
            faults.append(Fault(file=table.file, row=line, column=column, value=text, expected=expected))
    return found


def _check_names(table: tables.Table, columns: dict[str, tuple[str, ...]], faults: list[Fault]) -> None:
    """Refuse empty names (a curve without a family would be a technology of its own) and units nobody knows."""
    for column in ("series_id", "family", "unit"):
        for line, text in zip(table.lines, columns[column], strict=True):
            if not text:
                faults.append(Fault(file=table.file, row=line, column=column, value="", expected="a name"))
    # A mistyped unit would silently lift its bound; told once, at its first row.
    first = dict(reversed(list(zip(columns["unit"], table.lines, strict=True))))
    for unit, line in first.items():
        if not units.known(unit):
            expected = "a known unit" + units.nearest(unit)
            faults.append(Fault(file=table.file, row=line, column="unit", value=unit, expected=expected))


def _curve(
    table: tables.Table,
    columns: dict[str, tuple[str, ...]],
    rows: list[int],
    values: list[float],
    months: list[int | None],
    faults: list[Fault],
) -> Curve:
    """One series from its rows; its faults are added to `faults`."""
    labels = {name: columns[name][rows[0]] if name in columns else "" for name in _LABELS}
    faults += _changed_labels(table, columns, rows, labels)
    series_id = columns["series_id"][rows[0]]
    dated = [(month, row) for row in rows if (month := months[row]) is not None]
    faults += _repeated(table, columns, dated)
    good = [values[row] for row in rows if not math.isnan(values[row])]
    line = table.lines[rows[0]]
    if len(rows) < MIN_POINTS:
        expected = f"at least {MIN_POINTS} values a series, not {len(rows)}"
        faults.append(Fault(file=table.file, row=line, column="series_id", value=series_id, expected=expected))
    elif good and not any(good):
        expected = "a value above zero in every series"
        faults.append(Fault(file=table.file, row=line, column="series_id", value=series_id, expected=expected))
    dated.sort()
    kind = periods.frequency(month for month, _ in dated) if "date" in columns else "annual"
    series = Series(
        series_id=series_id,
        frequency=kind,
        index=periods.ordinals((month for month, _ in dated), kind),
        values=np.array([values[row] for _, row in dated]),
        unit=labels["unit"],
        measure=labels["measure"],
        reference_class=labels["family"],
        bound=units.bound(labels["unit"]),
    )
    return Curve(series, labels["family"], labels["technology"], labels["geo"] or _place(series_id))


def _changed_labels(
    table: tables.Table, columns: dict[str, tuple[str, ...]], rows: list[int], labels: dict[str, str]
) -> Iterator[Fault]:
    """The first row of a series at which a label is another than in the series' first row."""
    for name, label in labels.items():
        changed = next((row for row in rows if name in columns and columns[name][row] != label), None)
        if changed is not None:
            expected = f"one {name} a series ({label!r} in row {table.lines[rows[0]]})"
            value = columns[name][changed]
            yield Fault(file=table.file, row=table.lines[changed], column=name, value=value, expected=expected)


def _repeated(
    table: tables.Table, columns: dict[str, tuple[str, ...]], dated: list[tuple[int, int]]
) -> Iterator[Fault]:
    """Every row whose period an earlier row of the series has already."""
    column = "year" if "year" in columns else "date"
    first: dict[int, int] = {}
    for month, row in dated:
        if month in first:
            expected = f"each period once a series (row {table.lines[first[month]]} has it)"
            value = columns[column][row]
            yield Fault(file=table.file, row=table.lines[row], column=column, value=value, expected=expected)
        first.setdefault(month, row)


def _place(series_id: str) -> str:
    """The place in the name of a series; empty when it names none."""
    parts = series_id.split("__")
    return parts[1] if len(parts) > 1 else ""
