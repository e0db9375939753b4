"""All data files of a run in one zip: CSVs that a spreadsheet opens as they are, and a dictionary of their columns."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from telemed_forecast.names import LANGUAGES
from telemed_forecast.render import tables
from telemed_forecast.render.page import Page

DICTIONARY = "columns.csv"
BOM = b"\xef\xbb\xbf"
"""Without it a spreadsheet takes Chinese for another encoding."""

_DAY = (1980, 1, 1, 0, 0, 0)


def archive(pages: Sequence[Page], folder: Path) -> bytes:
    """The zip of a run's data.

    Parameters
    ----------
    pages
        The run's reports, in any language.
    folder
        Its data files.

    Returns
    -------
    The same bytes for the same files.
    """
    texts = {file.name: file.read_bytes() for file in folder.iterdir()}
    texts[DICTIONARY] = dictionary(pages, folder).to_csv(index=False, lineterminator="\n").encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, content in sorted(texts.items()):
            entry = zipfile.ZipInfo(f"data/{name}", date_time=_DAY)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            made.writestr(entry, BOM + content if name.endswith(".csv") else content)
    return packed.getvalue()


def dictionary(pages: Sequence[Page], folder: Path) -> pd.DataFrame:
    """What stands in every column of every CSV file, a row each, in both languages; the unit where it is always one."""
    known = {file: told for page in pages for file, told in tables.described(page).items()}
    rows = [row for file in sorted(folder.glob("*.csv")) for row in _columns(file, known)]
    return pd.DataFrame(rows, columns=["file", "exhibit", "column", "unit", *(f"meaning_{lang}" for lang in LANGUAGES)])


def _columns(file: Path, known: Mapping[str, tables.Described]) -> Iterator[list[str]]:
    """The rows of a file."""
    told = known.get(file.name) or tables.Described()
    for column in pd.read_csv(file, nrows=0).columns:
        meanings = [told.heading(column, lang) for lang in LANGUAGES]
        yield [file.name, told.title, column, told.units.get(column, ""), *meanings]
