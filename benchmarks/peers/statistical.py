"""Random walks of our own, and the automatic models of statsforecast on the same histories.

All of them count values, not periods: a gap is not there for them, as in their own libraries' default use.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from benchmarks.peers import LEVELS, SEED
from telemed_forecast.curves.series import Series


def drift(series: Sequence[Series], horizon: int, curves: Sequence[Series] = ()) -> np.ndarray:
    r"""Random walk with drift.

    The mean :math:`h` values after :math:`y_n` is :math:`y_n + h b` with :math:`b = (y_n - y_1) / (n - 1)`; its
    standard error :math:`s \sqrt{h (1 + h / (n - 1))}` holds the walk's own spread and the slope's, with
    :math:`s^2` the mean square of the :math:`n - 1` residuals. (Dividing by the :math:`n - 2` that are free would be
    right for regression; statsforecast, which people use, divides by :math:`n - 1`.)

    References
    ----------
    Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, section 5.5.
    """
    return np.stack([_walk(one.values, horizon, slope=True) for one in series])


def naive(series: Sequence[Series], horizon: int, curves: Sequence[Series] = ()) -> np.ndarray:
    r"""Random walk: the mean is the last value, the standard error :math:`s \sqrt h`."""
    return np.stack([_walk(one.values, horizon, slope=False) for one in series])


def _walk(values: np.ndarray, horizon: int, *, slope: bool) -> np.ndarray:
    from scipy.special import ndtri

    steps = np.arange(1, horizon + 1)
    differences = np.diff(values)
    rate = differences.mean() if slope else 0.0
    spread = np.sqrt(((differences - rate) ** 2).mean())
    error = spread * np.sqrt(steps * (1 + slope * steps / len(differences)))
    return (values[-1] + rate * steps)[:, None] + error[:, None] * ndtri(LEVELS)


def damped_holt(series: Sequence[Series], horizon: int, curves: Sequence[Series] = ()) -> np.ndarray:
    r"""Holt's linear trend, damped: the parameters of a grid with the least squares of one step.

    Our own, for that of statsforecast refuses series as short as most tasks are. With
    :math:`\phi_j = \phi + \dots + \phi^j` the mean :math:`h` values ahead is :math:`l + \phi_h b`, its variance
    :math:`s^2 (1 + \sum_{j<h} (\alpha (1 + \beta \phi_j))^2)`.

    References
    ----------
    Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, sections 8.2 and 8.7.
    """
    return np.stack([_damped(one.values, horizon) for one in series])


def _damped(values: np.ndarray, horizon: int) -> np.ndarray:
    from scipy.special import ndtri

    grid = np.meshgrid(np.linspace(0.1, 1.0, 10), np.linspace(0.0, 1.0, 11), [0.8, 0.85, 0.9, 0.95, 0.98])
    alpha, beta, phi = (each.ravel() for each in grid)
    level, trend = np.full(len(alpha), values[0]), np.full(len(alpha), values[1] - values[0])
    squares = np.zeros(len(alpha))
    for value in values[1:]:
        expected = level + phi * trend
        squares += (value - expected) ** 2
        after = expected + alpha * (value - expected)
        trend = beta * (after - level) + (1.0 - beta) * phi * trend
        level = after
    best = int(np.argmin(squares))
    damping = np.cumsum(phi[best] ** np.arange(1, horizon + 1))
    carried = np.cumsum(np.r_[0.0, (alpha[best] * (1.0 + beta[best] * damping[:-1])) ** 2])
    error = np.sqrt(squares[best] / (len(values) - 1) * (1.0 + carried))
    return (level[best] + damping * trend[best])[:, None] + error[:, None] * ndtri(LEVELS)


def automatic(series: Sequence[Series], horizon: int, curves: Sequence[Series] = (), *, model: str) -> np.ndarray:
    """Fit a model of statsforecast, without a season; where it fails, the random walk with drift stands in.

    Parameters
    ----------
    model
        Class of ``statsforecast.models``.
    """
    from statsforecast import models

    found = []
    for one in series:
        fitted = getattr(models, model)(season_length=1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(_quantiles(fitted, one.values, horizon))
        except Exception:  # any failure of a peer's fit: its own library offers the same way out
            found.append(_walk(one.values, horizon, slope=True))
    return np.stack(found)


def _quantiles(fitted: object, values: np.ndarray, horizon: int) -> np.ndarray:
    """Quantiles from the central intervals that statsforecast gives."""
    widths = [round(200 * abs(level - 0.5), 6) for level in LEVELS]
    np.random.seed(SEED)  # some of its intervals are simulated
    if type(fitted).__name__ == "MFLES":
        return _widened(fitted, values, horizon)
    answer = fitted.forecast(  # type: ignore[attr-defined]
        y=values.astype(float), h=horizon, level=sorted({width for width in widths if width > 0})
    )
    columns = []
    for level, width in zip(LEVELS, widths, strict=True):
        columns.append(answer["mean"] if width == 0 else answer[f"{'lo' if level < 0.5 else 'hi'}-{width}"])
    found = np.stack(columns, axis=-1)
    if not np.isfinite(found).all():
        raise ValueError("a quantile that is no number")
    return found


def _widened(fitted: object, values: np.ndarray, horizon: int) -> np.ndarray:
    r"""Quantiles of a model whose own intervals need more values: the size of its residuals times :math:`\sqrt h`."""
    from scipy.special import ndtri

    answer = fitted.forecast(y=values.astype(float), h=horizon, fitted=True)  # type: ignore[attr-defined]
    spread = np.sqrt(((values - answer["fitted"]) ** 2).mean())
    error = spread * np.sqrt(np.arange(1, horizon + 1))
    found = answer["mean"][:, None] + error[:, None] * ndtri(LEVELS)
    if not np.isfinite(found).all():
        raise ValueError("a quantile that is no number")
    return found
