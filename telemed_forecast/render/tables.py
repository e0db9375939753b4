"""The data of a page's exhibits as data frames for CSV files, and its forecasts in hub format.

Numbers are rounded to ten significant digits, so that the same run writes the same bytes; dates are ISO days;
labels are in English; a `unit` column, or a column's name, states the unit. Where a fit behind the page missed its
gates, every table of numbers ends with a column `status` that says "directional", so that a number copied out of it
keeps its mark; key figures always have that column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telemed_forecast.render.texts import Catalogue, catalogue
from telemed_forecast.reporting.atoms import Cell, Table, Value
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    DataTable,
    Gates,
    KeyFigures,
    Sources,
    Status,
    TableBlock,
    Title,
)
from telemed_forecast.reporting.record import FORECAST_COLUMNS, ForecastTable

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 10

STATUS = "status"
"""Column that marks the numbers of a page whose fits missed their gates."""

_UNMARKED = (KeyFigures, Sources, Gates)
"""Blocks whose tables say it themselves, or hold no numbers of ours."""


def exhibit_name(report: str, identity: str) -> str:
    """File name of an exhibit's data."""
    return f"{report}-{identity}.csv" if report else f"{identity}.csv"


def exhibits(blocks: Sequence[Block], *, texts: Catalogue | None = None) -> dict[str, pd.DataFrame]:
    """Every figure's and table's data by file name, and the key figures, sources and gates.

    Parameters
    ----------
    blocks : sequence of Block
        A page's blocks.
    texts : Catalogue, optional
        Texts to use instead of the English ones.

    Returns
    -------
    dict of str to pandas.DataFrame
        In reading order. A fan's published figures and cross-check lines have files of their own
        (`-points`, `-lines`).
    """
    texts = texts or catalogue("en")
    report = next((block.report for block in blocks if isinstance(block, Title)), "")
    status = status_of(blocks)
    found: dict[str, pd.DataFrame] = {}
    for block in blocks:
        mark = {} if status == "gated-ok" or isinstance(block, _UNMARKED) else {STATUS: status}
        for identity, frame in _frames(block, texts):
            found[exhibit_name(report, identity)] = frame.assign(**mark)
    return found


def status_of(blocks: Sequence[Block]) -> Status:
    """Whether every fit behind a page passed its gates; a page without fits has none to fail."""
    return "gated-ok" if all(block.ok for block in blocks if isinstance(block, Gates)) else "directional"


def forecast_rows(blocks: Sequence[Block]) -> pd.DataFrame:
    """All forecast rows of a page, one after the other: the columns of the hub format and the page's status."""
    import pandas as pd

    tables = [block.data for block in blocks if isinstance(block, ForecastTable)]
    named = any("series_id" in table.columns for table in tables)
    columns = [*FORECAST_COLUMNS, *(["series_id"] if named else [])]
    rows = [[_rounded(record.get(name)) for name in columns] for table in tables for record in table.records()]
    return pd.DataFrame(rows, columns=columns).assign(**{STATUS: status_of(blocks)})


def all_forecasts(pages: Sequence[Sequence[Block]]) -> pd.DataFrame:
    """The forecast rows of several pages, each once; they have a status only where one of them is directional.

    The summary shows forecasts that the other pages show too. A row that stands on a page whose fits all passed rests
    on fits that passed, whatever else the summary rests on.
    """
    import numpy as np
    import pandas as pd

    found = [frame for frame in map(forecast_rows, pages) if not frame.empty]
    if not found:
        return pd.DataFrame(columns=[*FORECAST_COLUMNS])
    rows = pd.concat(found, ignore_index=True)
    names = [name for name in rows.columns if name != STATUS]
    rows["passed"] = rows.pop(STATUS) == "gated-ok"
    passed = rows.groupby(names, dropna=False, sort=False)["passed"].transform("any")
    rows = rows[names] if passed.all() else rows[names].assign(**{STATUS: np.where(passed, "gated-ok", "directional")})
    return rows.drop_duplicates(ignore_index=True)


def _frames(block: Block, texts: Catalogue) -> list[tuple[str, pd.DataFrame]]:
    if isinstance(block, Chart):
        tables = {"": block.data, "-points": block.points, "-lines": block.lines}
        return [(block.id + part, _chart(table, block, texts)) for part, table in tables.items() if table]
    if isinstance(block, TableBlock):
        return [(block.id, _table(block, texts))]
    if isinstance(block, DataTable):
        return [(block.id, _plain_table(block.data, texts))]
    if isinstance(block, KeyFigures):
        return [("key_figures", _key_figures(block, texts))]
    if isinstance(block, Sources):
        return [("sources", _records([row.model_dump() for row in block.rows]))]
    if isinstance(block, Gates):
        return [("gates", _records([fit.model_dump() for fit in block.fits]))]
    return []


def _chart(table: Table, block: Chart, texts: Catalogue) -> pd.DataFrame:
    return _plain_table(table, texts).assign(unit=block.unit)


def _plain_table(table: Table, texts: Catalogue) -> pd.DataFrame:
    return _records([{name: _plain(cell, texts) for name, cell in record.items()} for record in table.records()])


def _table(block: TableBlock, texts: Catalogue) -> pd.DataFrame:
    rows = []
    for cells in block.rows:
        row: dict[str, Any] = {}
        for column, cell in zip(block.columns, cells, strict=True):
            unit = column.unit or (cell.unit if isinstance(cell, Value) else None)
            name = f"{column.name}_{unit}" if unit and not column.name.endswith(unit) else column.name
            if isinstance(cell, Value):
                row |= {
                    name: _rounded(cell.value),
                    f"{name}_low": _rounded(cell.low),
                    f"{name}_high": _rounded(cell.high),
                }
            else:
                row[name] = _plain(cell, texts)
        rows.append(row)
    return _records(rows)


def _key_figures(block: KeyFigures, texts: Catalogue) -> pd.DataFrame:
    return _records(
        [
            {
                "id": item.id,
                "label": texts.text(item.key, item.values),
                "period": _plain(item.period, texts),
                "value": _rounded(item.value.value),
                "low": _rounded(item.value.low),
                "high": _rounded(item.value.high),
                "level": item.value.level if item.value.low is not None else None,
                "unit": item.value.unit,
                "status": item.status,
                "sources": " ".join(item.sources),
            }
            for item in block.items
        ]
    )


def _records(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A frame whose columns come in the order in which the rows name them."""
    import pandas as pd

    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame([[_rounded(row.get(name)) for name in columns] for row in rows], columns=columns)


def _plain(cell: Cell, texts: Catalogue) -> Any:
    return texts.label(cell) if isinstance(cell, str) else _rounded(cell)


def _rounded(cell: Any) -> Any:
    return float(f"{cell:.{_DIGITS}g}") if isinstance(cell, float) else cell
