"""The hub format: columns, quantile levels and digits of every table of forecasts.

References
----------
Hubverse documentation, model output format (columns, output types).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from telemed_forecast.names import FORECAST_COLUMNS as COLUMNS

__all__ = ["COLUMNS", "QUANTILES", "SIGNIFICANT", "period"]

QUANTILES = np.array([0.01, 0.025, *np.round(np.arange(0.05, 0.951, 0.05), 2), 0.975, 0.99])
"""The quantile levels of every table."""

_LEVEL_IDS = [f"{level:g}" for level in QUANTILES]

SIGNIFICANT = 10
"""Digits that a table keeps: far beyond any meaning, few enough that equal inputs give equal bytes."""


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


def _round(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT}g}")
