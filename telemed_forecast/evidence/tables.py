"""CSV files as rows with line numbers: what is broken about a file is a fault, never a traceback."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from telemed_forecast.errors import Fault


@dataclass(frozen=True)
class Table:
    """The text of one CSV file.

    Attributes
    ----------
    file : str
        The file as it is named in messages.
    header : tuple of str
        Column names.
    rows : tuple of tuple of str
        Fields as text, in the header's order.
    lines : tuple of int
        Line number of each row as an editor shows it (the header is line 1).
    faults : tuple of Fault
        Everything that kept rows from being read.
    """

    file: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint such as ``; did you mean 'revenue'?``, whatever the case; an empty string when nothing is near."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.strip().lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[found[0]]!r}?" if found else ""


def read(path: Path, *, name: str | None = None) -> Table:
    """Read a UTF-8 CSV file as text; messages call it by `name`, or by its path."""
    file = name or str(path)

    def broken(expected: str, *, row: int | None = None, value: str | None = None) -> Table:
        return Table(file, faults=(Fault(file=file, row=row, value=value, expected=expected),))

    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        return broken(f"a CSV file that can be read ({error.strerror or error})")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return broken("text in UTF-8", row=line, value=f"byte 0x{data[error.start]:02x}")
    if not text.strip():
        return broken("a header line and at least one row; the file is empty")
    return _parse(file, text)


def _parse(file: str, text: str) -> Table:
    """Split the text into rows; a row with too many or too few fields is a fault of its own."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    header: tuple[str, ...] = ()
    rows: dict[int, tuple[str, ...]] = {}
    faults: list[Fault] = []
    first = 1
    try:
        for fields in reader:
            if not header:
                header = tuple(field.strip() for field in fields)
            elif fields and len(fields) != len(header):
                seen = f"{len(fields)} fields"
                faults.append(Fault(file=file, row=first, value=seen, expected=f"{len(header)} fields"))
            elif fields:
                rows[first] = tuple(field.strip() for field in fields)
            first = reader.line_num + 1
    except csv.Error as error:
        faults.append(Fault(file=file, row=first, expected=f"correct CSV quoting ({error})"))
    if not rows and not faults:
        faults.append(Fault(file=file, row=1, expected="at least one row below the header"))
    return Table(file, header, tuple(rows.values()), tuple(rows), tuple(faults))
