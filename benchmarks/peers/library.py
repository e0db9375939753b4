"""The library itself: learned from what a protocol leaves, then forecast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.peers import LEVELS, SEED
from telemed_forecast.curves.series import Series


def adoption(series: Sequence[Series], horizon: int, curves: Sequence[Series]) -> np.ndarray:
    """Forecast growth with the hypotheses' pool; what has not begun, which the library refuses, as nothing."""
    from telemed_forecast.curves import hypotheses, learn_growth

    prior = hypotheses.Prior.from_content(learn_growth.learn(curves))
    begun = np.array([bool(np.any(one.values > 0)) for one in series])
    found = np.zeros((len(series), horizon, len(LEVELS)))
    own = [one for one, its in zip(series, begun, strict=True) if its]
    found[begun] = hypotheses.forecast(own, horizon, levels=LEVELS, prior=prior, seed=SEED)[0]
    return found


def surge(series: Sequence[Series], horizon: int, curves: Sequence[Series]) -> np.ndarray:
    """Forecast what stays after a surge."""
    from telemed_forecast.curves import learn_retention, retention

    prior = retention.RetentionPrior.from_content(learn_retention.learn(curves))
    return retention.forecast(series, horizon, levels=LEVELS, prior=prior, seed=SEED)[0]


def shipped(series: Sequence[Series], horizon: int, kind: str) -> np.ndarray:
    """Forecast with the priors that the package ships, as a user's own series are forecast."""
    if kind == "surge":
        from telemed_forecast.curves import retention

        return retention.forecast(series, horizon, levels=LEVELS, seed=SEED)[0]
    from telemed_forecast.curves import hypotheses

    return hypotheses.forecast(series, horizon, levels=LEVELS, seed=SEED)[0]
