"""Blocks that record where a page's numbers come from: sources, gates, provenance, forecast rows."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from telemed_forecast.names import FORECAST_COLUMNS
from telemed_forecast.reporting.atoms import (
    Block,
    ClaimId,
    Frozen,
    Id,
    Table,
    TextKey,
    Values,
    check_columns,
    check_quantiles,
)


class SourceRow(Frozen):
    """A published source behind a number, as the ledger of evidence knows it; a policy event has no grade."""

    claim_id: ClaimId
    origin: str = Field(min_length=1)
    title: str = Field(min_length=1)
    url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    date: str = Field(default="", pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")
    grade: Literal["A", "B", "C", "D"] | None = None


class Sources(Block):
    """The rows of the ledger that the page cites; every claim id on the page must be among them."""

    type: Literal["sources"] = "sources"
    rows: tuple[SourceRow, ...]

    @field_validator("rows", mode="before")
    @classmethod
    def _from_frame(cls, rows: Any) -> Any:
        if hasattr(rows, "itertuples"):
            rows = Table.model_validate(rows).records()
        return rows

    def summary(self) -> str:
        """One line with the number of rows."""
        return f"Sources({len(self.rows)} rows)"


class GateResult(Frozen):
    """Whether one fit may be published, with the diagnostics that decide (None: could not be computed)."""

    name: str = Field(min_length=1)
    ok: bool
    rhat_max: float | None
    ess_bulk_min: float | None
    ess_tail_min: float | None
    divergences: int | None
    bfmi_min: float | None
    draws: int
    chains: int
    profile: str


class Gates(Block):
    """The gates of every fit behind the page; one that failed makes the whole page directional."""

    type: Literal["gates"] = "gates"
    fits: tuple[GateResult, ...]

    @property
    def ok(self) -> bool:
        """Whether all fits passed."""
        return all(fit.ok for fit in self.fits)

    def summary(self) -> str:
        """One line with the verdict."""
        return f"Gates({sum(fit.ok for fit in self.fits)} of {len(self.fits)} passed)"


class Provenance(Block):
    """How the numbers were made: enough to make them again."""

    type: Literal["provenance"] = "provenance"
    as_of: date
    vintage: date
    scenario: str
    seed: int
    profile: str
    versions: dict[str, str] = Field(default_factory=dict)
    parameters: dict[str, str | int | float | bool | list[str] | list[float] | None] = Field(default_factory=dict)

    def summary(self) -> str:
        """One line with what identifies the run."""
        return f"Provenance(as of {self.as_of}, scenario {self.scenario}, seed {self.seed}, {self.profile})"


class ForecastTable(Block):
    """Forecast rows in hub format. They go to `data/forecasts.*`; the page only links there."""

    type: Literal["forecasts"] = "forecasts"
    data: Table

    @model_validator(mode="after")
    def _hub_rows(self) -> ForecastTable:
        check_columns("forecast table", self.data, FORECAST_COLUMNS, (*FORECAST_COLUMNS, "series_id"))
        check_quantiles(self.data)
        return self

    def summary(self) -> str:
        """One line with the number of rows."""
        return f"ForecastTable({len(self.data.rows)} rows)"


class DataTable(Block):
    """A table too long for a page: it goes to `data/<report>-<id>.csv`, and the page says so and links there.

    Attributes
    ----------
    id : str
        Unique on the page; also the name of the CSV file.
    key, values
        What the page says of it.
    data : Table
        The rows. Text that starts with "@" is a key.
    """

    type: Literal["data_table"] = "data_table"
    id: Id
    key: TextKey
    values: Values = Field(default_factory=dict)
    data: Table
