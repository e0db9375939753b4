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


def records(frame: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    """The rows of a frame, rounded."""
    for row in frame.itertuples(index=False, name=None):
        yield {str(name): rounded(value) for name, value in zip(frame.columns, row, strict=True)}


def line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of a table of plain text; a width below zero is that of text that begins on the left."""
    told = [f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
    return " ".join(told)


def write(file: Path, rows: Iterator[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write a table; its columns are those of its rows, and without any row those that are named."""
    first = next(rows, None)
    with files.replaced(file) as part, part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(first or columns), lineterminator="\n")
        writer.writeheader()
        if first is not None:
            writer.writerow(first)
            writer.writerows(rows)
