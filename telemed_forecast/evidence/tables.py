"""CSV files as rows with line numbers: what is broken about a file is a fault, never a traceback."""

from __future__ import annotations

import csv
import io
import operator
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from telemed_forecast.errors import Fault


@dataclass(frozen=True)
class Table:
    """The text of one CSV file."""

    file: str  # The file as it is named in messages
    header: tuple[str, ...] = ()  # Column names
    rows: tuple[tuple[str, ...], ...] = ()  # Fields as text, in the header's order
    lines: tuple[int, ...] = ()  # Line number of each row as an editor shows it (the header is line 1)
    faults: tuple[Fault, ...] = ()  # Everything that kept rows from being read
    # Rows with too many or too few fields, by line; they are not among the rows
    ragged: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint such as ``; did you mean 'revenue'?``, whatever the case; an empty string when nothing is near."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.strip().lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[found[0]]!r}?" if found else ""


def read(path: Path, *, name: str | None = None) -> Table:
    """Read a UTF-8 CSV file as text, once (it may be a pipe); messages call it by `name`, or by its path.

    ``-`` is standard input. What a spreadsheet leaves around a table says nothing and is left out: rows without any
    text, columns without name and text, empty fields behind the last column.
    """
    file = name or ("standard input" if str(path) == "-" else str(path))

    def broken(expected: str, *, row: int | None = None, value: str | None = None) -> Table:
        return Table(file, faults=(Fault(file=file, row=row, value=value, expected=expected),))

    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        return broken(f"a CSV file that can be read ({error.strerror or error})")
    if data.startswith(_WORKBOOKS):
        return broken("a CSV file; this is an Excel workbook: save its sheet as CSV UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return broken(f"text in UTF-8; {_encoding(data)}", row=line, value=f"byte 0x{data[error.start]:02x}")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return broken(f"text in UTF-8 without NUL characters; {_SAVE_AS}", row=line, value="\0")
    if not text.strip():
        return broken("a header line and at least one row; the file is empty")
    first = text.lstrip().splitlines()[0].strip()
    row = text[: len(text) - len(text.lstrip())].count("\n") + 1
    if first.lower().startswith("sep="):
        return broken("the names of the columns; leave this line for Excel out", row=row, value=first)
    sign = next((sign for sign in _SEPARATORS if sign in first and "," not in first), None)
    if sign:
        return broken(f"columns separated by commas, not by {_SEPARATORS[sign]}", row=row, value=first)
    return _parse(file, text)


_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SAVE_AS = 'in Excel: save as "CSV UTF-8 (comma delimited)"'
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", "，": "the full-width comma ，"}
_NUMBER = re.compile(r"[+-]?[0-9.]+")


def _encoding(data: bytes) -> str:
    """Say what a text that is not UTF-8 looks like, and what to do."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return f"this looks like UTF-16 (Excel's Unicode text); {_SAVE_AS}"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return _SAVE_AS
    return f"this may be GBK, as Chinese Excel saves CSV; {_SAVE_AS}"


def _parse(file: str, text: str) -> Table:
    """Split the text into rows; a row with too many or too few fields is a fault of its own."""
    # Lines end where an editor and RFC 4180 end them: U+2028, NEL and form feed are text, unlike for str.splitlines.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: tuple[str, ...] = ()
    found: dict[int, tuple[str, ...]] = {}
    faults: list[Fault] = []
    first = 1
    try:
        for record in reader:
            fields = tuple(text.strip() for text in record)
            if not header:
                header = fields if any(fields) else ()
            elif any(fields):
                found[first] = fields
            first = reader.line_num + 1
    except csv.Error as error:
        broken = f"correct CSV quoting ({error}); is a quotation mark missing?"
        if "field limit" in str(error):
            broken = f"fields of at most {csv.field_size_limit():,} characters; is a quotation mark missing?"
        faults.append(Fault(file=file, row=first, expected=broken))
    if not found and not faults:
        faults.append(Fault(file=file, row=1, expected="at least one row below the header"))
    header, found = _without_blank_columns(header, found)
    ragged = {line: fields for line, fields in found.items() if len(fields) != len(header)}
    faults[:0] = [
        Fault(file=file, row=line, value=_many(len(fields)), expected=_many(len(header)) + _comma(fields, header))
        for line, fields in ragged.items()
    ]
    rows = {line: fields for line, fields in found.items() if line not in ragged}
    return Table(file, header, tuple(rows.values()), tuple(rows), tuple(faults), ragged)


def _without_blank_columns(
    header: tuple[str, ...], rows: dict[int, tuple[str, ...]]
) -> tuple[tuple[str, ...], dict[int, tuple[str, ...]]]:
    """Leave out empty fields behind the last named column, and columns that have neither a name nor a text."""
    wide = len(header)
    while wide and not header[wide - 1] and not any(any(row[wide - 1 :]) for row in rows.values()):
        wide -= 1
    return header[:wide], {line: row[:wide] if not any(row[wide:]) else row for line, row in rows.items()}


def _many(fields: int) -> str:
    return f"{fields} field{'' if fields == 1 else 's'}"


def _comma(fields: Sequence[str], header: Sequence[str]) -> str:
    """A hint for who writes numbers with commas."""
    numbers = [_NUMBER.fullmatch(field) is not None for field in fields]
    if len(fields) > len(header) and any(map(operator.and_, numbers, numbers[1:])):
        return "; is there a comma within a number? Write 12.5, not 12,5, and 1000, not 1,000"
    return ""
