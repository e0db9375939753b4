"""Errors a user of the package can meet.

Everything the package raises on purpose is a `TelemedError`. What the user can mend is an `InputError`:
it carries *all* faults that were found, so that one run is enough to see everything that has to change.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


class TelemedError(Exception):
    """Base class of every error raised on purpose by this package."""


def listed(heading: str, lines: Iterable[object]) -> str:
    """A heading and its lines, as messages show them."""
    return "\n".join([f"{heading}:", *(f"  - {line}" for line in lines)])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong in the user's input."""

    file: str  # The file as the user named it, or a word such as "parameters" when there is no file
    # Line number as an editor shows it (the header is line 1); None when the whole file is meant
    row: int | None = None
    column: str | None = None  # Column or parameter; None when the whole row or file is meant
    value: str | None = None  # The value that was read, as text
    expected: str  # What would have been right, in words

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        found = "" if self.value is None else f"value {_shortened(self.value)!r}; "
        return f"{', '.join(place)}: {found}expected {self.expected}"


def _shortened(value: str) -> str:
    """A value as a message shows it: of a long one its beginning."""
    return value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}… ({len(value):,} characters)"


class InputError(TelemedError, ValueError):
    """The user's input is wrong; the message names every fault.

    Faults are strings for inputs that have no rows, such as parameters. The heading counts the faults by default.
    """

    def __init__(self, faults: Iterable[Fault | str], heading: str | None = None) -> None:
        self.faults: list[Fault | str] = list(faults)
        number = len(self.faults)
        self.heading = heading or f"{number} fault{'' if number == 1 else 's'} in the input"
        super().__init__(listed(self.heading, spelt_out(self.faults)))


MOST_SHOWN = 200
"""Characters of a value in a message."""

MOST_SPELT_OUT = 20
"""Lines of a message that lists faults; the rest is counted."""

_LIKEWISE = 3
"""So many faults of one kind are told one by one; more of them as one line with its rows."""


def spelt_out(faults: Sequence[Fault | str]) -> list[str]:
    """The lines of a message: what is wrong in the same way in many rows once, and no more than a screen of it."""
    alike: dict[object, list[Fault | str]] = {}
    for number, fault in enumerate(faults):
        one = isinstance(fault, str) or fault.row is None
        alike.setdefault(number if one else (fault.file, fault.column, fault.expected), []).append(fault)  # type: ignore[union-attr]
    lines: list[tuple[int, str]] = []
    for group in alike.values():
        together = len(group) > _LIKEWISE
        lines += [(len(group), _likewise(group))] if together else [(1, str(fault)) for fault in group]
    if len(lines) <= MOST_SPELT_OUT:
        return [line for _, line in lines]
    rest = sum(number for number, _ in lines[MOST_SPELT_OUT:])
    return [line for _, line in lines[:MOST_SPELT_OUT]] + [f"and {rest:,} more"]


def _likewise(group: Sequence[Fault | str]) -> str:
    rows = [str(fault.row) for fault in group if isinstance(fault, Fault)]
    shown = ", ".join(rows[1:9]) + (", ..." if len(rows) > 9 else "")
    return f"{group[0]} (and so in {len(rows) - 1:,} other rows: {shown})"


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Name the nearest known name, or nothing when none is near."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f'; did you mean "{nearest[0]}"?' if nearest else ""


@contextmanager
def collecting(faults: list[object]) -> Iterator[None]:
    """Add the faults of an `InputError` to others, so that all of them come in one message."""
    try:
        yield
    except InputError as error:
        faults.extend(error.faults)
