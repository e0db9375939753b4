"""Names that every room shares."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Languages of the pages; the first is the one whose files carry no mark."""

FORECAST_COLUMNS = (
    "reference_date",
    "target",
    "horizon",
    "target_end_date",
    "location",
    "output_type",
    "output_type_id",
    "value",
    "scenario",
    "model",
    "unit",
)
"""Columns of every table of forecasts: the hub format's, and three of our own."""
