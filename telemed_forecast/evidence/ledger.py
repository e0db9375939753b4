"""The ledger of published figures: read, checked row by row, typed.

Every fault of every file is found in one go and named by file, row, column, value and expectation. The
columns come from the data dictionary (`evidence.dictionary`), the checks between rows from `evidence.rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from telemed_forecast.errors import Fault, InputError
from telemed_forecast.evidence import dictionary, rows, tables
from telemed_forecast.evidence.days import span
from telemed_forecast.paths import EVIDENCE, ROOT

__all__ = ["Fault", "check", "load", "metrics", "policy_events", "segments", "vintage_date"]

metrics = dictionary.metrics
segments = dictionary.segments


def vintage_date() -> date:
    """Return the newest day on which a row of the shipped ledger was read or published."""
    return dictionary.vintage_date()


def load(files: Sequence[str | Path] | None = None) -> pd.DataFrame:
    """Read the ledger, with the user's own files added to it.

    Parameters
    ----------
    files : sequence of str or Path, optional
        CSV files with the columns of the ledger (`resolution`, `use` and `use_reason` may be missing).

    Returns
    -------
    DataFrame
        One row a claim, the columns of the data dictionary: `value`, `low`, `high`, `resolution` as float64
        in the row's `unit`; `period_start`, `period_end`, `known_date` as datetime64; all else text. The
        column `printed` keeps the value's digits as published (34.0 is not 34).

    Raises
    ------
    InputError
        With every fault of every file.
    """
    if not files:
        return _shipped().copy()
    text, faults = _read(files)
    if faults:
        raise InputError(faults, f"{len(faults)} fault(s) in the evidence")
    return _typed(text)


def check(files: Sequence[str | Path] | None = None) -> list[Fault]:
    """Check files against the data dictionary and against the shipped ledger.

    Parameters
    ----------
    files : sequence of str or Path, optional
        The user's files; without any the shipped ledger itself is checked.

    Returns
    -------
    list of Fault
        Empty when everything is right; ordered by file and row.
    """
    return _read(files)[1] if files else list(_shipped_text()[1])


def policy_events() -> pd.DataFrame:
    """Return the dated policy events, sorted by day.

    Returns
    -------
    DataFrame
        event_id, date (as precise as published), start and end (first and last day that the date allows),
        event, jurisdiction, expected_effect, url, note.
    """
    events = pd.read_csv(EVIDENCE / "policy_events.csv", dtype=str, keep_default_na=False)
    spans = [span(text) for text in events["date"]]
    events.insert(2, "start", pd.to_datetime([first for first, _ in spans]))
    events.insert(3, "end", pd.to_datetime([last for _, last in spans]))
    return events.sort_values(["start", "end", "event_id"], ignore_index=True)


@cache
def _shipped() -> pd.DataFrame:
    text, faults = _shipped_text()
    if faults:
        raise InputError(faults, f"{len(faults)} fault(s) in the shipped ledger")
    return _typed(text)


@cache
def _shipped_text() -> tuple[pd.DataFrame, list[Fault]]:
    """The shipped ledger as text, and its faults; read once a process."""
    read = []
    for topic in dictionary.topics():
        path = EVIDENCE / dictionary.resource(topic)["path"]
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
        read.append(tables.read(path, name=name))
    return _checked(read, ())


def _read(files: Iterable[str | Path]) -> tuple[pd.DataFrame, list[Fault]]:
    """Read the user's files on top of the shipped ledger.

    Returns
    -------
    text : DataFrame
        All rows as text, shipped ones first, with the columns `_file` and `_line`.
    faults : list of Fault
        Those of the user's files, or those of the shipped ledger if it has any.
    """
    shipped, faults = _shipped_text()
    text, found = _checked([tables.read(Path(file), name=str(file)) for file in files], rows.records(shipped))
    return pd.concat([shipped, text], ignore_index=True), faults + found


def _checked(read: Sequence[tables.Table], earlier: Sequence[dict[str, Any]]) -> tuple[pd.DataFrame, list[Fault]]:
    """The rows of some files as one table, and every fault in the order of files and lines."""
    frames: list[pd.DataFrame] = []
    faults: list[Fault] = []
    for table in read:
        _take(table, frames, faults)
    columns = [field["name"] for field in dictionary.claim_fields()]
    if not frames:
        return pd.DataFrame(columns=[*columns, "_file", "_line"], dtype=str), faults
    text = pd.concat(frames, ignore_index=True)
    between = rows.faults(text, dictionary.metrics(), dictionary.segments(), earlier=earlier)
    told = {(fault.file, fault.row, fault.column) for fault in between}
    fields = _field_faults(text, columns)
    faults += [fault for fault in fields if (fault.file, fault.row, fault.column) not in told] + between
    position = {table.file: number for number, table in enumerate(read)}
    unique = dict.fromkeys(faults)
    return text, sorted(unique, key=lambda f: (position[f.file], f.row or 0, f.column or ""))


def _take(table: tables.Table, frames: list[pd.DataFrame], faults: list[Fault]) -> None:
    """Add one file's rows to `frames` when its columns are right, else its faults."""
    faults += table.faults
    if not table.header:
        return
    wrong = list(_header_faults(table))
    if wrong:
        faults += wrong
        return
    frame = pd.DataFrame(list(table.rows), columns=list(table.header), dtype=str)
    for column in dictionary.OPTIONAL_COLUMNS:
        if column not in frame:
            frame[column] = ""
    frame["_file"], frame["_line"] = table.file, list(table.lines)
    frames.append(rows.fill_use(frame))


def _header_faults(table: tables.Table) -> Iterator[Fault]:
    known = [field["name"] for field in dictionary.claim_fields()]
    for column in known:
        if column not in table.header and column not in dictionary.OPTIONAL_COLUMNS:
            hint = tables.nearest(column, [name for name in table.header if name not in known])
            hint = hint.replace("did you mean", "is it meant by").replace("?", "")
            yield Fault(file=table.file, row=1, column=column, expected="this column in the header" + hint)
    for column in table.header:
        if column not in known:
            hint = tables.nearest(column, known)
            yield Fault(file=table.file, row=1, column=column, expected="only columns of the data dictionary" + hint)
        elif table.header.count(column) > 1:
            yield Fault(file=table.file, row=1, column=column, expected="each column once")


def _field_faults(text: pd.DataFrame, columns: list[str]) -> list[Fault]:
    """Faults of single fields, by the pandera schema of the data dictionary, all at once."""
    if dictionary.fits(text):
        return []  # the same checks at once: pandera takes longer to import than the ledger to read
    from pandera.errors import SchemaErrors

    try:
        dictionary.schema().validate(text[columns], lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases[error.failure_cases["index"].notna()]
        return [
            Fault(
                file=str(text.at[at, "_file"]),
                row=int(str(text.at[at, "_line"])),
                column=str(column),
                value=str(value),
                expected=str(expected),
            )
            for at, column, value, expected in zip(
                cases["index"].astype(int),
                cases["column"],
                cases["failure_case"],
                cases["check"],
                strict=True,
            )
        ]
    return []


def _typed(text: pd.DataFrame) -> pd.DataFrame:
    """Turn checked text into the typed frame that `load` returns."""
    columns = [field["name"] for field in dictionary.claim_fields()]
    frame = text[columns].copy()
    frame["printed"] = frame["value"]
    for field in dictionary.claim_fields():
        name = field["name"]
        if field["type"] == "number":
            frame[name] = pd.to_numeric(frame[name].replace("", None)).astype("float64")
        elif field["type"] == "date":
            frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d", errors="coerce")
    return frame
