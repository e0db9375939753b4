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


def automatic(series: Sequence[Series], horizon: int, curves: Sequence[Series] = (), *, model: str) -> np.ndarray:
    """Fit a model of statsforecast, without a season; where it fails, the random walk with drift stands in.

    Parameters
    ----------
    model
        Class of ``statsforecast.models``; after a colon, the form of exponential smoothing that is meant, damped.
    """
    from statsforecast import models

    name, _, form = model.partition(":")
    options = {"model": form, "damped": True} if form else {}
    found = []
    for one in series:
        fitted = getattr(models, name)(season_length=1, **options)
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
