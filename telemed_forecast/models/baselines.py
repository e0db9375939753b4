r"""Rivals: what common tools make of the same published figures, all behind one protocol.

A rival is given days and figures and answers with draws for later days; it knows no origins, grades, waves or
policies, and the ceiling only where it asks for one. It works on the log scale (logit for shares).

Prophet takes irregular days as they are. The others count steps, so their history is put on a regular grid first
(:func:`regular`): figures of one day are averaged, the grid ends with the newest figure and steps back by half a year
or a year, whichever the gaps between figures are nearer to, and its values are read off straight lines between figures.
A finer grid would invent figures, smooth ones, and make every tool too sure of itself. A day between two steps ahead
is read off each draw's path in the same way.

References
----------
Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, chapters 5 and 8.
Assimakopoulos & Nikolopoulos (2000), The theta model, International Journal of Forecasting 16(4).
Taylor & Letham (2018), Forecasting at scale, The American Statistician 72(1).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import numpy as np

from telemed_forecast.models.odds import expit, logit
from telemed_forecast.models.timeline import decimal_year

FEWEST = 4
"""Different days, and steps of the regular grid, that a rival is given at least."""

HALF_YEARLY = 0.75
"""[years] Figures whose median gap is shorter are put on a grid of half-years, others on one of years."""

SLACK = 0.1
"""[years] A grid's first step may lie that much before the first figure: half-years are not of one length."""

CEILING_LEVELS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
"""Quantiles of our ceiling's posterior at which Prophet's logistic growth is fitted."""

ETS_VARIANTS: tuple[dict[str, bool | str | None], ...] = (
    {"trend": None},
    {"trend": "add"},
    {"trend": "add", "damped_trend": True},
)
"""Trends that AutoETS chooses from; errors are additive on the log scale, and half-years show no season."""


def forecast(
    rival: str,
    days: np.ndarray,
    values: np.ndarray,
    future: np.ndarray,
    *,
    seed: int,
    ceilings: np.ndarray | None = None,
    share: bool = False,
    draws: int = 1000,
) -> np.ndarray | None:
    """Predictive draws of a rival.

    Parameters
    ----------
    rival
        One of `RIVALS`.
    days
        Days of the figures, datetime64[D], in any order; several may share a day. Dims: (obs,).
    values
        The figures: positive, or shares in (0, 1) when `share`.
    future
        Days to predict. Dims: (time,).
    seed
        Seed of everything random.
    ceilings
        Ceilings for Prophet's logistic growth, such as quantiles of our posterior: one fit each, draws pooled. Without
        them its trend is linear on the log (or logit) scale, which has no ceiling at all. The others need none.
    share
        Work on the logit instead of the log.
    draws
        Number of predictive draws.

    Returns
    -------
    Draws on the scale of `values`, dims (draw, time); for all but Prophet NaN up to the newest figure. None where the
    history is shorter than `FEWEST`.
    """
    if len(np.unique(days)) < FEWEST:
        return None
    if rival == "prophet":
        return _prophet(days, values, future, seed=seed, ceilings=ceilings, share=share, draws=draws)
    known, step = regular(decimal_year(days), _scaled(values, share))
    if len(known) < FEWEST:
        return None
    ahead = decimal_year(future) - decimal_year(days).max()
    steps = max(1, int(np.ceil(ahead.max(initial=0.0) / step - 1e-9)))
    paths = _STEPWISE[rival](known, steps, draws, np.random.default_rng(seed))
    if paths is None:
        return None
    # The newest figure itself is where every path starts.
    walks = np.column_stack([np.full(draws, known[-1]), paths])
    position = np.clip(ahead / step, 0.0, steps)
    low = np.minimum(position.astype(int), steps - 1)
    between = walks[:, low] + (position - low) * (walks[:, low + 1] - walks[:, low])
    return np.where(ahead > 0.0, _unscaled(between, share), np.nan)


def regular(years: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float]:
    """Irregular figures on a regular grid that ends with the newest of them.

    Parameters
    ----------
    years
        Decimal years, at least two different ones. Dims: (obs,).
    values
        On the scale on which a rival works. Dims: (obs,).

    Returns
    -------
    Values on the grid, dims (step,), and the length of a step in years.
    """
    different, which = np.unique(years, return_inverse=True)
    means = np.bincount(which, weights=values) / np.bincount(which)
    step = 0.5 if np.median(np.diff(different)) < HALF_YEARLY else 1.0
    number = int((different[-1] - different[0] + SLACK) / step) + 1
    grid = different[-1] - step * np.arange(number)[::-1]
    return np.interp(grid, different, means), step


def _scaled(values: np.ndarray, share: bool) -> np.ndarray:
    return logit(values) if share else np.log(values)


def _unscaled(scaled: np.ndarray, share: bool) -> np.ndarray:
    return expit(scaled) if share else np.exp(scaled)


def _errors(rng: np.random.Generator, steps: int, draws: int) -> np.ndarray:
    """Standard normal errors, dims (draw, step): asking for a later day leaves those of the earlier ones alone."""
    return rng.standard_normal((steps, draws)).T


def _auto_ets(known: np.ndarray, steps: int, draws: int, rng: np.random.Generator) -> np.ndarray | None:
    """Exponential smoothing with the trend that AICc prefers; None where no variant has figures enough for one."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short histories end on a parameter's bound: that is an answer too
        fits = [ETSModel(known, error="add", **variant).fit(disp=False) for variant in ETS_VARIANTS]
        # Its own value divides by n - k - 1, which is no penalty but a reward once n is not above k + 1.
        usable = [fit for fit in fits if fit.nobs_effective > fit.df_model + 1 and np.isfinite(fit.aicc)]
        if not usable:
            return None
        best = min(usable, key=lambda fit: fit.aicc)
        paths = best.simulate(steps, anchor="end", repetitions=draws, rng=rng)
    return np.asarray(paths, dtype=float).reshape(steps, draws).T


def _theta(known: np.ndarray, steps: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Theta: exponential smoothing with half the slope of the straight line as its drift.

    The spread is that of its own errors one step ahead, with the smoothing and the slope taken off their number.
    (statsmodels has the spread of an ARIMA model with the whole slope, smaller than the errors that Theta makes.)

    References
    ----------
    Hyndman & Billah (2003), Unmasking the Theta method, International Journal of Forecasting 19(2).
    """
    from statsmodels.tsa.forecasting.theta import ThetaModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ThetaModel(known, period=1, deseasonalize=False).fit()
        middle = np.asarray(fit.forecast(steps), dtype=float)
    alpha, slope = float(fit.params["alpha"]), 0.5 * float(fit.params["b0"])
    level, errors = known[0], []
    for value in known[1:]:
        errors.append(value - level - slope)
        level += slope + alpha * errors[-1]
    spread = np.sqrt(np.sum(np.square(errors)) / (len(errors) - 2))
    ahead = spread * _errors(rng, steps, draws)
    return middle + ahead + alpha * (np.cumsum(ahead, axis=1) - ahead)


def _drift(known: np.ndarray, steps: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    r"""Random walk with drift: the spread after h steps is :math:`s \sqrt{h (1 + h / (n - 1))}`."""
    differences = np.diff(known)
    slope, spread = differences.mean(), differences.std(ddof=1)
    slopes = slope + spread / np.sqrt(len(differences)) * rng.standard_normal((draws, 1))
    return known[-1] + np.cumsum(slopes + spread * _errors(rng, steps, draws), axis=1)


def _naive(known: np.ndarray, steps: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Random walk: the newest figure stays, give or take the size of past changes."""
    spread = np.sqrt(np.mean(np.diff(known) ** 2))
    return known[-1] + np.cumsum(spread * _errors(rng, steps, draws), axis=1)


_STEPWISE: dict[str, Callable[[np.ndarray, int, int, np.random.Generator], np.ndarray | None]] = {
    "ets": _auto_ets,
    "theta": _theta,
    "drift": _drift,
    "naive": _naive,
}

RIVALS = ("prophet", *_STEPWISE)
"""Names of the rivals."""


def _prophet(
    days: np.ndarray,
    values: np.ndarray,
    future: np.ndarray,
    *,
    seed: int,
    ceilings: np.ndarray | None,
    share: bool,
    draws: int,
) -> np.ndarray:
    """Prophet: logistic growth under each ceiling, or linear on the log (or logit) scale. Dims: (draw, time)."""
    for name in ("cmdstanpy", "prophet", "prophet.plot"):
        # Their level is reset inside `fit`; only `disabled` keeps clock times out of notebooks, and what is said at the
        # import, which is heard only where nothing is stored yet.
        logging.getLogger(name).disabled = True
    state = np.random.get_state()  # it draws from numpy's global generator
    with warnings.catch_warnings():
        # About widgets for its progress bar, which nobody is shown.
        warnings.filterwarnings("ignore", message="IProgress not found")
        try:
            np.random.seed(seed)
            if ceilings is None:
                paths = _prophet_paths(days, _scaled(values, share), future, seed=seed, ceiling=None, draws=draws)
                return _unscaled(paths, share)
            each = draws // len(ceilings)
            above = np.maximum(ceilings, 1.02 * values.max())
            return np.concatenate(
                [_prophet_paths(days, values, future, seed=seed, ceiling=c, draws=each) for c in above]
            )
        finally:
            np.random.set_state(state)


def _prophet_paths(
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
