"""Errors a user of the package can meet.

Everything the package raises on purpose is a `TelemedError`. What the user can mend is an `InputError`:
it carries *all* faults that were found, so that one run is enough to see everything that has to change.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


class TelemedError(Exception):
    """Base class of every error raised on purpose by this package."""


def listed(heading: str, lines: Iterable[object]) -> str:
    """A heading and its lines, as messages show them."""
    return "\n".join([f"{heading}:", *(f"  - {line}" for line in lines)])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong in the user's input.

    Attributes
    ----------
    file : str
        The file as the user named it, or a word such as "parameters" when there is no file.
    row : int or None
        Line number as an editor shows it (the header is line 1); None when the whole file is meant.
    column : str or None
        Column or parameter; None when the whole row or file is meant.
    value : str or None
        The value that was read, as text.
    expected : str
        What would have been right, in words.
    """

    file: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    expected: str

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        found = "" if self.value is None else f"value {self.value!r}; "
        return f"{', '.join(place)}: {found}expected {self.expected}"


class InputError(TelemedError, ValueError):
    """The user's input is wrong; the message names every fault.

    Parameters
    ----------
    faults : iterable of Fault or str
        Everything that was found. Strings are for inputs that have no rows, such as parameters.
    heading : str, optional
        First line of the message; a count of the faults by default.
    """

    def __init__(self, faults: Iterable[Fault | str], heading: str | None = None) -> None:
        self.faults: list[Fault | str] = list(faults)
        number = len(self.faults)
        self.heading = heading or f"{number} fault{'' if number == 1 else 's'} in the input"
        super().__init__(listed(self.heading, self.faults))


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
