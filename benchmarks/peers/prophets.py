"""Prophet with its defaults on the values as they are, without seasons."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.peers import LEVELS, SEED
from telemed_forecast.curves.series import Series

DRAWS = 500
HEADROOM = 3.0
"""Ceiling of logistic growth where the unit has none, as a multiple of the highest value: Prophet must be told one."""


def forecast(series: Sequence[Series], horizon: int, curves: Sequence[Series] = (), *, growth: Any) -> np.ndarray:
    """Forecast with Prophet.

    Parameters
    ----------
    growth
        ``linear``, or ``logistic`` below the unit's bound (else below `HEADROOM` times the highest value).
    """
    for name in ("cmdstanpy", "prophet"):
        logging.getLogger(name).disabled = True
    return np.stack([_one(one, horizon, growth) for one in series])


def _one(series: Series, horizon: int, growth: Any) -> np.ndarray:
    import pandas as pd
    from prophet import Prophet

    last = int(series.index[-1])
    history = pd.DataFrame({"ds": _days(series, series.index), "y": series.values})
    ahead = pd.DataFrame({"ds": _days(series, np.arange(last + 1, last + horizon + 1))})
    if growth == "logistic":
        ceiling = series.bound or HEADROOM * series.values.max()
        history["cap"] = ahead["cap"] = max(ceiling, 1.05 * series.values.max())
    model = Prophet(
        growth=growth,
        yearly_seasonality=False,
        weekly_seasonality=False,
        daily_seasonality=False,
        uncertainty_samples=DRAWS,
    )
    np.random.seed(SEED)  # Prophet draws its predictions from numpy's global generator
    model.fit(history, seed=SEED)
    draws = model.predictive_samples(ahead)["yhat"]
    return np.quantile(draws, LEVELS, axis=1).T


def _days(series: Series, index: np.ndarray) -> np.ndarray:
    """First days of periods."""
    months = np.asarray(index, dtype=np.int64) * round(12 * series.step)
    return (months - 12 * 1970).astype("datetime64[M]").astype("datetime64[ns]")
