"""A reference class: what happened to other technologies, for priors to be learned from.

`series_file` tells the columns. Of a file that is saved the text is canonical, so that the same curves have the same
fingerprint in whatever order they come: sorted by series and time, every digit that tells a number from its neighbours,
`year` when all curves are annual, else `date` (the first day of each period).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

from telemed_forecast import files
from telemed_forecast.curves import periods, series_file
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import InputError, TelemedError

COLUMNS = ("series_id", "family", "technology", "geo", "measure", "unit", "year", "value")


def read(path: Path, *, name: str | None = None) -> list[Series]:
    """Read a reference class, or refuse it with every fault; `name` is how messages call the file."""
    reading = series_file.read(path, series_file.REFERENCE_CLASS, name=name)
    if reading.faults:
        raise InputError(reading.faults, f"{len(reading.faults)} fault(s) in the reference class")
    return list(reading.series)


def write(path: Path, curves: Sequence[Series]) -> str:
    """Save a reference class, whole or not at all, and return its fingerprint: the SHA-256 of the file."""
    data = _canonical(curves)
    try:
        files.write(path, data)
    except OSError as error:
        raise TelemedError(f"{path}: the reference class cannot be written ({error.strerror or error})") from error
    return hashlib.sha256(data).hexdigest()


def fingerprint(curves: Sequence[Series]) -> str:
    """Return the SHA-256 of the curves' canonical text."""
    return hashlib.sha256(_canonical(curves)).hexdigest()


def _canonical(curves: Sequence[Series]) -> bytes:
    annual = all(one.frequency == "annual" for one in curves)
    at = periods.label if annual else periods.first_day
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS if annual else [name.replace("year", "date") for name in COLUMNS])
    for one in sorted(curves, key=lambda one: one.series_id):
        labels = (one.series_id, one.reference_class, one.technology, one.geo, one.measure, one.unit)
        for ordinal, value in zip(one.index, one.values, strict=True):
            writer.writerow([*labels, at(ordinal, one.frequency), repr(float(value))])
    return text.getvalue().encode()
