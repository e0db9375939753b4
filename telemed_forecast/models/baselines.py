"""Baselines beside our models: what a common tool says about the same published figures."""

from __future__ import annotations

import logging

import numpy as np

FEWEST_DAYS = 3
"""Different days that Prophet is given at least."""

CEILING_LEVELS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
"""Quantiles of our ceiling's posterior at which Prophet's logistic growth is fitted."""


def prophet(
    days: np.ndarray,
    values: np.ndarray,
    future: np.ndarray,
    *,
    seed: int,
    ceilings: np.ndarray | None = None,
    share: bool = False,
    draws: int = 1000,
) -> np.ndarray | None:
    """Predictive draws of Prophet.

    Parameters
    ----------
    days
        Days of the figures, datetime64[D]. Dims: (obs,); at least two different ones.
    values
        The figures: positive, or shares in (0, 1) when `share`.
    future
        Days to predict. Dims: (time,).
    seed
        Seed of Prophet's predictive draws (it uses numpy's global generator).
    ceilings
        Ceilings for logistic growth, such as quantiles of our posterior: one fit each, draws pooled. Without them the
        trend is linear on the log (or logit) scale, which has no ceiling at all.
    share
        Model the logit instead of the log.
    draws
        Number of predictive draws in all.

    Returns
    -------
    Draws on the scale of `values`, dims (draw, time); None with fewer than `FEWEST_DAYS` different days, where a trend
    with changepoints has nothing to hold on to.

    References
    ----------
    Taylor & Letham (2018), Forecasting at scale, The American Statistician 72(1).
    """
    if len(np.unique(days)) < FEWEST_DAYS:
        return None
    for name in ("cmdstanpy", "prophet"):
        # Their level is reset inside `fit`; only `disabled` keeps clock times out of notebooks.
        logging.getLogger(name).disabled = True
    state = np.random.get_state()
    try:
        np.random.seed(seed)
        if ceilings is None:
            scaled = np.log(values / (1.0 - values)) if share else np.log(values)
            paths = _paths(days, scaled, future, seed=seed, ceiling=None, draws=draws)
            return 1.0 / (1.0 + np.exp(-paths)) if share else np.exp(paths)
        each = draws // len(ceilings)
        above = np.maximum(ceilings, 1.02 * values.max())
        return np.concatenate([_paths(days, values, future, seed=seed, ceiling=c, draws=each) for c in above])
    finally:
        np.random.set_state(state)


def _paths(
    days: np.ndarray, values: np.ndarray, future: np.ndarray, *, seed: int, ceiling: float | None, draws: int
) -> np.ndarray:
    """Draws of one Prophet fit. Dims: (draw, time)."""
    import pandas as pd
    from prophet import Prophet

    history = pd.DataFrame({"ds": pd.to_datetime(days), "y": values}).groupby("ds", as_index=False).mean()
    ahead = pd.DataFrame({"ds": pd.to_datetime(future)})
    if ceiling is not None:
        history["cap"] = ahead["cap"] = ceiling
    model = Prophet(
        growth="linear" if ceiling is None else "logistic",
        yearly_seasonality=False,
        weekly_seasonality=False,
        daily_seasonality=False,
        uncertainty_samples=draws,
        n_changepoints=min(5, max(len(history) - 2, 0)),
    )
    model.fit(history, seed=seed)
    return np.asarray(model.predictive_samples(ahead)["yhat"]).T
