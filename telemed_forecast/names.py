"""Names that every room shares."""

from __future__ import annotations

from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""Languages of the pages; the first is the one whose files carry no mark."""

MARKETS = ("market_size", "internet_hospitals", "channel_share", "user_adoption")
"""The markets that are modelled, each the name of its report, in their order."""

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
