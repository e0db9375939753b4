"""The data of a page's exhibits as data frames for CSV files, and its forecasts in hub format.

Numbers are rounded to ten significant digits, so that the same run writes the same bytes; dates are ISO days;
labels are in English; a `unit` column, or a column's name, states the unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telemed_forecast.reporting.atoms import Cell, Table, Value
from telemed_forecast.reporting.blocks import Block, Chart, DataTable, Gates, KeyFigures, Sources, TableBlock, Title
from telemed_forecast.reporting.catalogue import Catalogue, catalogue
from telemed_forecast.reporting.record import FORECAST_COLUMNS, ForecastTable

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 10


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
    found: dict[str, pd.DataFrame] = {}
    for block in blocks:
        for identity, frame in _frames(block, texts):
            found[exhibit_name(report, identity)] = frame
    return found


def forecast_rows(blocks: Sequence[Block]) -> pd.DataFrame:
    """All forecast rows of a page, one after the other, in the columns of the hub format."""
    import pandas as pd

    tables = [block.data for block in blocks if isinstance(block, ForecastTable)]
    named = any("series_id" in table.columns for table in tables)
    columns = [*FORECAST_COLUMNS, *(["series_id"] if named else [])]
    rows = [[_rounded(record.get(name)) for name in columns] for table in tables for record in table.records()]
    return pd.DataFrame(rows, columns=columns)


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
