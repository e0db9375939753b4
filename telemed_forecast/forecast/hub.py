"""Forecast tables in the hub format.

References
----------
Hubverse documentation, model output format (columns, output types).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import numpy as np

from telemed_forecast.forecast.paths import Path

QUANTILES = np.array([0.01, 0.025, *np.round(np.arange(0.05, 0.951, 0.05), 2), 0.975, 0.99])
"""The quantile levels of every table."""

COLUMNS = (
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
"""Columns of every table: the hub format's, and three of our own."""

_LEVEL_IDS = [f"{level:g}" for level in QUANTILES]

SIGNIFICANT = 10
"""Digits that a table keeps: far beyond any meaning, few enough that equal inputs give equal bytes."""

LOCATION = "CN"


def rows(paths: Iterable[Path], *, reference: date, scenario: str, model: str) -> list[dict[str, Any]]:
    """Quantiles and mean of every period after the last known one.

    Parameters
    ----------
    paths
        The forecasts.
    reference
        Day of the forecast: nothing published later is in it.
    scenario, model
        Names for the columns of the same name.

    Returns
    -------
    One dict a row, keys in the order of the table. ``horizon`` counts periods from the one in which the reference day
    lies (0); a period that ended before it but was not yet published is negative.
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


def period(
    fixed: dict[str, Any], extra: dict[str, Any], quantiles: np.ndarray, mean: float
) -> Iterator[dict[str, Any]]:
    """The rows of one period: a row a quantile, then the mean.

    Parameters
    ----------
    fixed, extra
        Columns before and behind those of the output, the same in every row.
    quantiles
        At the levels `QUANTILES`. Dims: (quantile,).
    mean
        In the same unit.
    """
    for level, value in zip(_LEVEL_IDS, quantiles, strict=True):
        yield {**fixed, "output_type": "quantile", "output_type_id": level, "value": _round(value), **extra}
    yield {**fixed, "output_type": "mean", "output_type_id": "", "value": _round(mean), **extra}


def _horizon(reference: date, end: date, step_months: int) -> int:
    months = 12 * (end.year - reference.year) + end.month - reference.month
    return months // step_months


def _round(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT}g}")
