"""The report as data: frozen, language-neutral blocks that a notebook shows and a page is made of.

A block holds numbers with their units and keys of texts, never a sentence: each language's renderer writes
both. A block survives a round trip through JSON, which is how an executed notebook carries it (`MIME`). A bad
block is refused where it is made: a number outside its interval, a NaN, a chart without text alternative.

Importing this module costs pydantic only; charts and pages are imported when something is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, field_validator, model_validator

from telemed_forecast.exhibits.values import KeyFigure, Status
from telemed_forecast.reporting.atoms import (
    MIME,
    UNITS,
    Block,
    Cell,
    ClaimId,
    Frozen,
    Id,
    Language,
    Table,
    TextKey,
    Unit,
    Value,
    Values,
    check_columns,
    check_numbers,
    check_order,
    plain_cell,
    refuse_nan,
    use_language,
)
from telemed_forecast.reporting.record import (
    FORECAST_COLUMNS,
    DataTable,
    ForecastTable,
    GateResult,
    Gates,
    Provenance,
    SourceRow,
    Sources,
)

__all__ = [
    "FAN_COLUMNS",
    "FORECAST_COLUMNS",
    "LINE_COLUMNS",
    "MIME",
    "POINT_COLUMNS",
    "UNITS",
    "AnyBlock",
    "Block",
    "Chart",
    "Column",
    "DataTable",
    "ForecastTable",
    "GateResult",
    "Gates",
    "Heading",
    "KeyFigure",
    "KeyFigures",
    "Language",
    "Markdown",
    "Paragraph",
    "Provenance",
    "SourceRow",
    "Sources",
    "Status",
    "Table",
    "TableBlock",
    "Title",
    "Value",
    "parse",
    "show",
    "use_language",
]

ChartKind = Literal["fan", "lines", "bars", "dots", "stack"]

FAN_COLUMNS = ("period", "median", "low50", "high50", "low80", "high80", "low95", "high95")
"""Columns of a fan chart's data, besides which nothing is needed."""

_NEEDED: dict[str, tuple[str, ...]] = {
    "fan": FAN_COLUMNS,
    "lines": ("period", "series", "value"),
    "bars": ("category", "value"),
    "dots": ("category", "value", "low", "high"),
    "stack": ("period", "series", "value"),
}
_ALLOWED: dict[str, tuple[str, ...]] = {
    "fan": FAN_COLUMNS,
    "lines": ("period", "series", "value", "low", "high"),
    "bars": ("category", "value", "low", "high", "series"),
    "dots": ("category", "value", "low", "high", "series"),
    "stack": ("period", "series", "value"),
}
_NUMBERS = ("low95", "low80", "low50", "low", "median", "value", "high", "high50", "high80", "high95")
POINT_COLUMNS = ("period", "low", "high", "grade", "claim_id", "label")
LINE_COLUMNS = ("period", "series", "value")


class Title(Block):
    """Name of the report; texts `report.<report>.title` and `.subtitle`."""

    type: Literal["title"] = "title"
    report: Id


class Heading(Block):
    """A section's heading (level 2) or a part's (level 3)."""

    type: Literal["heading"] = "heading"
    key: TextKey
    values: Values = Field(default_factory=dict)
    level: Literal[2, 3] = 2


class Paragraph(Block):
    """A text of the catalogue (Markdown) with numbers in its placeholders, and the claims it rests on."""

    type: Literal["paragraph"] = "paragraph"
    key: TextKey
    values: Values = Field(default_factory=dict)
    sources: tuple[ClaimId, ...] = ()

    def claims(self) -> tuple[str, ...]:
        """Claim ids that the paragraph cites."""
        return self.sources


class Markdown(Block):
    """A Markdown cell of a notebook, as it stands (English)."""

    type: Literal["markdown"] = "markdown"
    text: str


class KeyFigures(Block):
    """The headline numbers, at the top of the page."""

    type: Literal["key_figures"] = "key_figures"
    items: tuple[KeyFigure, ...] = Field(min_length=1)

    @field_validator("items")
    @classmethod
    def _ids_once(cls, items: tuple[KeyFigure, ...]) -> tuple[KeyFigure, ...]:
        ids = [item.id for item in items]
        if len(set(ids)) != len(ids):
            raise ValueError(f"a key figure's id occurs twice: {', '.join(ids)}")
        return items

    def claims(self) -> tuple[str, ...]:
        """Claim ids of all figures."""
        return tuple(claim for item in self.items for claim in item.sources)

    def summary(self) -> str:
        """One line with the ids and the numbers."""
        return "KeyFigures(" + ", ".join(f"{i.id}={i.value.value:.4g} {i.value.unit}" for i in self.items) + ")"


class Chart(Block):
    """A figure with its data; see `FAN_COLUMNS` and the module `charts` for the kinds.

    Attributes
    ----------
    id : str
        Unique on the page; also the name of the CSV file.
    kind : ChartKind
        fan: forecast with bands; lines; bars; dots: forest of intervals; stack: areas that add up.
    title_key, title_values
        What is shown. The unit is added by the renderer.
    alt_key, alt_values
        Text alternative: what a reader who does not see the figure should know.
    unit : Unit
        Unit of every number in `data`, `points` and `lines`.
    data : Table
        Columns by kind. `period` is an ISO day, or a number with `x_key`. Text that starts with "@" is a key.
    points, lines : Table or None
        Fan only: published figures (`POINT_COLUMNS`; low or high may be None) and cross-check lines.
    as_of : date or None
        Fan and lines: where knowledge ends and the forecast begins.
    x : {"year_end", "year"}
        How a day is named on the axis: a stock at the year's end, or a flow over the year.
    x_key : str or None
        Text key of the horizontal axis' title; needed when `period` is a number.
    reference : float or None
        A value to compare with, drawn as a rule (a ratio's 1, a difference's 0), named by `reference_key`.
    log : bool
        Logarithmic value axis.
    sources : tuple of str
        Claim ids behind the figure (those of `points` are added).
    """

    type: Literal["chart"] = "chart"
    id: Id
    kind: ChartKind
    title_key: TextKey
    title_values: Values = Field(default_factory=dict)
    alt_key: TextKey
    alt_values: Values = Field(default_factory=dict)
    caption_key: TextKey | None = None
    caption_values: Values = Field(default_factory=dict)
    unit: Unit
    data: Table
    points: Table | None = None
    lines: Table | None = None
    as_of: date | None = None
    x: Literal["year_end", "year"] = "year_end"
    x_key: TextKey | None = None
    reference: float | None = None
    reference_key: TextKey | None = None
    log: bool = False
    sources: tuple[ClaimId, ...] = ()

    @model_validator(mode="after")
    def _data_fits_kind(self) -> Chart:
        check_columns(f"chart {self.id}, kind {self.kind}", self.data, _NEEDED[self.kind], _ALLOWED[self.kind])
        if not self.data.rows:
            raise ValueError(f"chart {self.id}: no rows")
        if self.kind != "fan" and (self.points is not None or self.lines is not None):
            raise ValueError(f"chart {self.id}: points and lines belong to a fan, not to {self.kind}")
        if (self.reference is None) != (self.reference_key is None):
            raise ValueError(f"chart {self.id}: a reference needs both a value and a text")
        self._check_tables()
        self._check_periods()
        return self

    def _check_tables(self) -> None:
        layers = (
            ("data", self.data, ()),
            ("points", self.points, POINT_COLUMNS),
            ("lines", self.lines, LINE_COLUMNS),
        )
        for name, table, columns in layers:
            if table is None:
                continue
            where = f"chart {self.id}, {name}"
            if columns:
                check_columns(where, table, columns, columns)
            check_numbers(where, table, tuple(c for c in table.columns if c in _NUMBERS))
            check_order(where, table, tuple(c for c in _NUMBERS if c in table.columns))
            if self.log and any(isinstance(n, int | float) and n <= 0 for c in _NUMBERS for n in table.column(c)):
                raise ValueError(f"{where}: a logarithmic axis has no place for 0 or less")

    def _check_periods(self) -> None:
        periods = [p for table in (self.data, self.points, self.lines) if table for p in table.column("period")]
        days = [p for p in periods if isinstance(p, str)]
        for day in days:
            date.fromisoformat(day)
        if days and len(days) != len(periods):
            raise ValueError(f"chart {self.id}: periods mix days and numbers")
        if periods and not days and self.x_key is None:
            raise ValueError(f"chart {self.id}: a period in numbers needs x_key, the title of the axis")

    def claims(self) -> tuple[str, ...]:
        """Claim ids of the figure and of its published points."""
        points = self.points.column("claim_id") if self.points is not None else []
        return tuple(dict.fromkeys([*self.sources, *(str(claim) for claim in points if claim)]))


class Column(Frozen):
    """A table's column: its name in the CSV file, the text key of its heading, and the unit of its numbers.

    `digits` are the significant digits of the column's largest number; None shows numbers as published.
    """

    name: Id
    key: TextKey
    unit: Unit | None = None
    digits: int | None = Field(default=None, ge=1, le=10)


class TableBlock(Block):
    """A table on the page. A cell is text ("@key" for the catalogue's), a number, a Value or None.

    A folded one shows its title only, until the reader opens it; paper leaves it out.
    """

    type: Literal["table"] = "table"
    id: Id
    title_key: TextKey
    title_values: Values = Field(default_factory=dict)
    note_key: TextKey | None = None
    note_values: Values = Field(default_factory=dict)
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[tuple[Value | Cell, ...], ...]
    sources: tuple[ClaimId, ...] = ()
    folded: bool = False

    @field_validator("rows", mode="before")
    @classmethod
    def _plain_rows(cls, rows: Any) -> Any:
        return [[cell if isinstance(cell, Value | Mapping) else plain_cell(cell) for cell in row] for row in rows]

    @model_validator(mode="after")
    def _cells_fit_columns(self) -> TableBlock:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.id}: row {index} has {len(row)} cells for {len(self.columns)} columns")
            for column, cell in zip(self.columns, row, strict=True):
                refuse_nan(column.name, index, cell)
                if isinstance(cell, Value) and column.unit not in (None, cell.unit):
                    raise ValueError(f"table {self.id}, column {column.name}: {cell.unit} in a column of {column.unit}")
        return self

    def claims(self) -> tuple[str, ...]:
        """Claim ids that the table cites."""
        return self.sources


AnyBlock = Annotated[
    Title
    | Heading
    | Paragraph
    | Markdown
    | KeyFigures
    | Chart
    | TableBlock
    | Sources
    | Gates
    | Provenance
    | ForecastTable
    | DataTable,
    Field(discriminator="type"),
]
_ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyBlock)


def parse(data: Mapping[str, Any]) -> Block:
    """The block that `data` (JSON of a notebook's output) describes.

    Raises
    ------
    pydantic.ValidationError
        When it describes none, with every fault.
    """
    block: Block = _ADAPTER.validate_python(data)
    return block


def show(*blocks: Block | list[Block] | tuple[Block, ...]) -> None:
    """Show blocks in a notebook, one output each; lists are unpacked."""
    from IPython.display import display

    for block in _flat(blocks):
        display(block)


def _flat(blocks: Any) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Block):
            yield block
        elif isinstance(block, list | tuple):
            yield from _flat(block)
        else:
            raise TypeError(f"not a block: {type(block).__name__}")
