"""Tables of a command as CSV files: the same numbers give the same bytes, and a file is written whole or not at all."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

from telemed_forecast import files


def rounded(value: Any) -> Any:
    """A number with the ten digits that a table keeps; anything else as it is."""
    return float(f"{value:.10g}") if isinstance(value, float) else value


def records(frame: "pd.DataFrame", names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of a frame under the names that a table has: column -> its name there, in order."""
    for row in frame[list(names)].itertuples(index=False, name=None):
        yield {name: rounded(value) for name, value in zip(names.values(), row, strict=True)}


def write(file: Path, rows: Iterator[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write a table; its columns are those of its rows, and without any row those that are named."""
    first = next(rows, None)
    with files.replaced(file) as part, part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(first or columns), lineterminator="\n")
        writer.writeheader()
        if first is not None:
            writer.writerow(first)
            writer.writerows(rows)
