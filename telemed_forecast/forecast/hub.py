"""Forecast tables of the markets in the hub format."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from telemed_forecast.forecast.paths import Path
from telemed_forecast.hub_format import COLUMNS, QUANTILES, period

__all__ = ["COLUMNS", "LOCATION", "QUANTILES", "rows"]

LOCATION = "CN"


def rows(paths: Iterable[Path], *, reference: date, scenario: str, model: str) -> list[dict[str, Any]]:
    """Quantiles and mean of every period after the last known one, a dict a row, keys in the order of the table.

    ``horizon`` counts periods from the one in which the reference day lies (0); a period that ended before it but was
    not yet published is negative.
    """
    table: list[dict[str, Any]] = []
    for path in paths:
        values = path.quantiles(QUANTILES)
        means = path.draws.mean(axis=0)
        for k in range(path.last_known + 1, len(path.periods)):
            fixed = {
                "reference_date": reference.isoformat(),
                "target": path.target,
                "horizon": _horizon(reference, path.periods[k], path.step_months),
                "target_end_date": path.periods[k].isoformat(),
                "location": LOCATION,
            }
            extra = {"scenario": scenario, "model": model, "unit": path.unit}
            table += period(fixed, extra, values[:, k], means[k])
    return table


def _horizon(reference: date, end: date, step_months: int) -> int:
    months = 12 * (end.year - reference.year) + end.month - reference.month
    return months // step_months
