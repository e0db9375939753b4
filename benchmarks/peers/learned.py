r"""What a reference class alone gives: nearest analogues, and quantiles by gradient boosting.

Both see an origin as a window: the last values on the scale :math:`z = \log(y + 0.2 \max y)`, on which growth from
almost nothing is not a growth rate, and both predict the change of z over a horizon. Windows are taken from every
origin of every curve that may be learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.peers import LEVELS, SEED
from telemed_forecast.curves.series import PERIODS_A_YEAR, Series

OFFSET = 0.2
"""[-] Share of the highest value that is added before the log."""

LAGS = 6
"""Changes that a window holds, newest first; before the first value nothing changed."""

NEIGHBOURS = 200
"""Windows that a forecast is made of, or a `NEAREST` part of all where that is less."""

NEAREST = 0.1

LEVEL_WEIGHT = 0.25
"""Weight of the level itself beside that of each change, once both have unit spread."""

FITTED = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
"""Levels at which trees are grown; those between are interpolated on the normal's scale."""

MAX_ROWS = 20_000
"""Rows for boosting; more are thinned at random."""


@dataclass(frozen=True)
class Windows:
    """Origins as features, and what came after them.

    Attributes
    ----------
    features
        Changes of z, newest first, then the log level in the unit of the series. Dims: (window, LAGS + 1).
    change
        Change of z from the origin, nan beyond the end of the curve. Dims: (window, horizon).
    """

    features: np.ndarray
    change: np.ndarray


def recent(series: Sequence[Series], horizon: int, curves: Sequence[Series]) -> np.ndarray:
    """Go on as over the last three differences, with the errors that this made on the curves, by horizon.

    An error is taken relative to the mean size of the last three differences and a hundredth of the level.
    """
    errors: list[list[float]] = [[] for _ in range(horizon)]
    for curve in curves:
        for at in range(4, len(curve.values)):
            slope, size = _recent(curve.values[:at])
            ahead = curve.index[at : at + horizon] - curve.index[at - 1]
            for k, value in zip(ahead, curve.values[at : at + horizon], strict=False):
                if k <= horizon and size > 0:
                    errors[k - 1].append((value - curve.values[at - 1] - k * slope) / size)
    known = np.array([np.quantile(own, LEVELS) if own else np.zeros(len(LEVELS)) for own in errors])
    steps = np.arange(1, horizon + 1)[:, None]
    found = []
    for one in series:
        slope, size = _recent(one.values)
        found.append(np.maximum(one.values[-1] + steps * slope + size * known, 0.0))
    return np.stack(found)


def _recent(values: np.ndarray) -> tuple[float, float]:
    """Mean of the last three differences, and the size of errors to expect."""
    last = np.diff(values[-4:])
    return float(last.mean()), float(np.abs(last).mean() + 0.01 * values[-1])


def analogues(series: Sequence[Series], horizon: int, curves: Sequence[Series]) -> np.ndarray:
    """Forecast with the changes that followed the nearest windows, each horizon by itself."""
    found = np.empty((len(series), horizon, len(LEVELS)))
    for frequency, numbers in _by_frequency(series).items():
        known = _windows([at_spacing(curve, frequency) for curve in curves], horizon)
        unit = known.features.std(axis=0) + 1e-9
        weight = np.array([1.0] * LAGS + [LEVEL_WEIGHT]) / unit
        for number in numbers:
            own = _features(series[number].values)
            distance = (((known.features - own) * weight) ** 2).sum(axis=1)
            order = np.argsort(distance, kind="stable")
            change = np.stack([_nearest(known.change[order, h]) for h in range(horizon)])
            found[number] = _levels(series[number], change)
    return found


def boosted(series: Sequence[Series], horizon: int, curves: Sequence[Series]) -> np.ndarray:
    """Forecast with quantile regression by boosted trees; the horizon is one of the features."""
    found = np.empty((len(series), horizon, len(LEVELS)))
    for frequency, numbers in _by_frequency(series).items():
        known = _windows([at_spacing(curve, frequency) for curve in curves], horizon)
        asked = np.stack([_features(series[number].values) for number in numbers])
        change = _boost(known, asked, horizon)
        for number, own in zip(numbers, change, strict=True):
            found[number] = _levels(series[number], own)
    return found


def _boost(known: Windows, asked: np.ndarray, horizon: int) -> np.ndarray:
    """Quantiles of the change. Dims: (asked, horizon, level)."""
    from scipy.special import ndtri
    from sklearn.ensemble import HistGradientBoostingRegressor

    ahead = np.arange(1, horizon + 1)
    rows = np.argwhere(np.isfinite(known.change))
    rng = np.random.default_rng(SEED)
    if len(rows) > MAX_ROWS:
        rows = rows[np.sort(rng.choice(len(rows), MAX_ROWS, replace=False))]
    x = np.column_stack([known.features[rows[:, 0]], ahead[rows[:, 1]]])
    y = known.change[rows[:, 0], rows[:, 1]]
    wanted = np.column_stack([np.repeat(asked, horizon, axis=0), np.tile(ahead, len(asked))])
    fitted = []
    for level in FITTED:
        model = HistGradientBoostingRegressor(
            loss="quantile", quantile=level, max_iter=80, max_leaf_nodes=12, min_samples_leaf=40, random_state=SEED
        )
        fitted.append(model.fit(x, y).predict(wanted))
    sorted_ = np.sort(np.stack(fitted, axis=-1), axis=-1)
    scores = ndtri(LEVELS)
    between = np.stack([np.interp(scores, ndtri(FITTED), row) for row in sorted_])
    return between.reshape(len(asked), horizon, len(LEVELS))


def at_spacing(series: Series, frequency: str) -> Series:
    """Return the series at another spacing: means of whole periods, or values drawn out between them."""
    step = PERIODS_A_YEAR[series.frequency] / PERIODS_A_YEAR[frequency]
    if step > 1:
        period = series.index // round(step)
        whole, first, count = np.unique(period, return_index=True, return_counts=True)
        means = np.add.reduceat(series.values, first) / count
        full = count == round(step)
        return replace(series, frequency=frequency, index=whole[full], values=means[full])  # type: ignore[arg-type]
    # A period's value is that of its middle.
    middle = (series.index + 0.5) / step
    index = np.arange(int(np.ceil(middle[0] - 0.5)), int(np.floor(middle[-1] - 0.5)) + 1)
    values = np.interp(index + 0.5, middle, series.values)
    return replace(series, frequency=frequency, index=index, values=values)  # type: ignore[arg-type]


def _by_frequency(series: Sequence[Series]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, one in enumerate(series):
        found.setdefault(one.frequency, []).append(number)
    return found


def _windows(series: Sequence[Series], horizon: int) -> Windows:
    features, change = [], []
    for one in series:
        for end in range(LAGS, len(one.values)):
            known, after = one.values[:end], one.values[end : end + horizon]
            offset = OFFSET * known.max()
            if offset <= 0:
                continue
            z = np.log(after + offset) - np.log(known[-1] + offset)
            features.append(_features(known))
            change.append(np.pad(z, (0, horizon - len(z)), constant_values=np.nan))
    return Windows(np.stack(features), np.stack(change))


def _features(values: np.ndarray) -> np.ndarray:
    offset = OFFSET * values.max()
    z = np.log(values[-LAGS - 1 :] + offset + 1e-12)
    changes = np.diff(z)[::-1]
    return np.append(np.pad(changes, (0, LAGS - len(changes))), np.log(values[-1] + 1e-3))


def _nearest(change: np.ndarray) -> np.ndarray:
    """Quantiles of the first changes that are known; nothing changes where none is."""
    known = change[np.isfinite(change)]
    number = min(NEIGHBOURS, int(np.ceil(NEAREST * len(known))))
    return np.quantile(known[:number], LEVELS) if number else np.zeros(len(LEVELS))


def _levels(series: Series, change: np.ndarray) -> np.ndarray:
    """Changes of z as levels of the series, within what its unit allows."""
    offset = OFFSET * series.values.max()
    level = (series.values[-1] + offset) * np.exp(change) - offset
    return np.clip(level, 0.0, series.bound)
