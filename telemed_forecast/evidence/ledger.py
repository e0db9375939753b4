"""The ledger of published figures: read, checked row by row, typed.

Every fault of every file is found in one go and named by file, row, column, value and expectation. The
columns come from the data dictionary (`evidence.dictionary`), the checks of rows from `evidence.rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from telemed_forecast.errors import Fault, InputError
from telemed_forecast.evidence import decisions, dictionary, rows, tables
from telemed_forecast.evidence.citations import vintage_date
from telemed_forecast.evidence.days import span
from telemed_forecast.evidence.dictionary import metrics, segments
from telemed_forecast.paths import EVIDENCE, ROOT

__all__ = ["check", "load", "metrics", "policy_events", "segments", "vintage_date"]


def load(files: Sequence[str | Path] | None = None) -> pd.DataFrame:
    """Read the ledger, with the user's own files (CSV, the columns of the ledger) added to it.

    Returns
    -------
    DataFrame
        One row a claim, the columns of the data dictionary: `value`, `low`, `high`, `resolution` as float64 in the
        row's `unit`; `period_start`, `period_end`, `known_date` as datetime64; all else text. The column `printed`
        keeps the value's digits as published (34.0 is not 34). An `InputError` has every fault of every file.
    """
    if not files:
        return _shipped().copy()
    text, faults = _read(files)
    if faults:
        raise InputError(faults, f"{len(faults)} fault(s) in the evidence")
    return _typed(text)


def check(files: Sequence[str | Path] | None = None) -> list[Fault]:
    """Every fault of the user's files; without any, of the shipped ledger and of the decisions beside it."""
    return _read(files)[1] if files else [*_shipped_text()[1], *decisions.faults()]


def remarks(files: Sequence[str | Path]) -> list[str]:
    """What is no fault of the user's files, but may be a mistake: statements that the ledger or they have already."""
    shipped, _ = _shipped_text()
    text, earlier = _read(files)[0], rows.records(shipped)
    return rows.said_twice(text.iloc[len(shipped) :], earlier=earlier)


def policy_events() -> pd.DataFrame:
    """The dated policy events, sorted by day.

    Columns: event_id, date (as precise as published), start and end (first and last day that the date allows), event,
    jurisdiction, expected_effect, url, note.
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
    files = [EVIDENCE / dictionary.resource(topic)["path"] for topic in dictionary.topics()]
    names = [str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file) for file in files]
    return _checked([tables.read(file, name=name) for file, name in zip(files, names, strict=True)], ())


def _read(files: Sequence[str | Path]) -> tuple[pd.DataFrame, list[Fault]]:
    """All rows as text, shipped ones first, and the faults of the user's files (of the ledger if it has any)."""
    shipped, faults = _shipped_text()
    text, found = _checked([tables.read(Path(file), name=str(file)) for file in files], rows.records(shipped))
    return pd.concat([shipped, text], ignore_index=True), faults + found


def _checked(read: Sequence[tables.Table], earlier: Sequence[dict[str, Any]]) -> tuple[pd.DataFrame, list[Fault]]:
    """The rows of some files with `_file` and `_line`, and every fault in the order of files and lines."""
    frames = [pd.DataFrame(columns=[*dictionary.claim_fields(), "_file", "_line"], dtype=str)]
    faults: list[Fault] = []
    for table in read:
        wrong = list(_header_faults(table)) if table.header else []
        faults += [*table.faults, *wrong]
        if table.header and not wrong:
            frame = pd.DataFrame(list(table.rows), columns=list(table.header), dtype=str)
            missing = [column for column in dictionary.OPTIONAL_COLUMNS if column not in frame]
            frame = frame.assign(**dict.fromkeys(missing, ""), _file=table.file, _line=list(table.lines))
            frames.append(rows.fill_use(frame))
    text = pd.concat(frames[1:], ignore_index=True) if len(frames) > 1 else frames[0]
    faults += rows.faults(text, earlier=earlier)
    position = {table.file: number for number, table in enumerate(read)}
    return text, sorted(dict.fromkeys(faults), key=lambda f: (position[f.file], f.row or 0, f.column or ""))


def _header_faults(table: tables.Table) -> Iterator[Fault]:
    known = list(dictionary.claim_fields())
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


def _typed(text: pd.DataFrame) -> pd.DataFrame:
    """Turn checked text into the typed frame that `load` returns."""
    frame = text[list(dictionary.claim_fields())].copy()
    frame["printed"] = frame["value"]
    for name, field in dictionary.claim_fields().items():
        if field["type"] == "number":
            frame[name] = pd.to_numeric(frame[name].replace("", None)).astype("float64")
        elif field["type"] == "date":
            frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d", errors="coerce")
    return frame
