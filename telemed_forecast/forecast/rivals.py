"""What common tools make of the same published figures: rivals of our models, fitted once and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits import sources
from telemed_forecast.fits.kept import kept
from telemed_forecast.fits.processor import processor
from telemed_forecast.models import baselines


@dataclass(frozen=True)
class History:
    """The history of a headline quantity as rivals see it: one number a day, no origins and no grades.

    Attributes
    ----------
    days
        Days of the figures, ascending; a yearly flow has the last day of its year. Several figures may share a day.
    values
        Middles of the published intervals, in `unit`.
    scale
        ``log`` for what is positive, ``logit`` for shares in percent: the scale on which rivals work.
    unit
        Unit of `values` and of the draws.
    ceilings
        Quantiles of our ceiling's posterior in `unit`, for tools that want a ceiling; None where there is none.
    """

    days: tuple[date, ...]
    values: tuple[float, ...]
    scale: Literal["log", "logit"]
    unit: str
    ceilings: tuple[float, ...] | None = None


def history(observations: Observations, scale: Literal["log", "logit"], ceiling: np.ndarray | None = None) -> History:
    """The history of observations of one unit.

    Parameters
    ----------
    observations
        Rows of the official definition only: a rival knows no offsets between definitions.
    scale
        See :class:`History`.
    ceiling
        Posterior draws of our ceiling, in the unit of the observations. Dims: (sample,).
    """
    order = np.argsort(observations.end, kind="stable")
    middles = 0.5 * (observations.low + observations.high)
    quantiles = None if ceiling is None else np.quantile(ceiling, baselines.CEILING_LEVELS)
    return History(
        days=tuple(observations.end[order].astype("datetime64[D]").tolist()),
        values=tuple(middles[order].tolist()),
        scale=scale,
        unit=str(observations.unit[0]) if len(observations) else "",
        ceilings=None if quantiles is None else tuple(quantiles.tolist()),
    )


def rivals(history: History, periods: Sequence[date], seed: int) -> dict[str, np.ndarray]:
    """Predictive draws of every rival at the end of each period, in the unit of the history.

    Returns
    -------
    Name -> draws, dims (draw, period): NaN up to the newest figure for those that do not smooth the past. Those whose
    history is too short are missing.
    """
    drawn = {name: _drawn(name, history, tuple(periods), seed) for name in baselines.RIVALS}
    return {name: draws for name, draws in drawn.items() if draws is not None}


def prophet(history: History, periods: Sequence[date], seed: int) -> np.ndarray | None:
    """Prophet's draws alone, as in :func:`rivals`; None where the history is too short."""
    return _drawn("prophet", history, tuple(periods), seed)


@lru_cache(maxsize=128)
def _drawn(rival: str, history: History, periods: tuple[date, ...], seed: int) -> np.ndarray | None:
    """The draws of one rival, from the store or fitted; None is stored as no draws at all."""
    versions = [f"{name} {metadata.version(name)}" for name in ("prophet", "statsmodels", "numpy")]
    code = [file.read_bytes() for file in (Path(__file__), *sources.files(baselines.__name__))]
    made_of = [processor(), versions, code, rival, history, periods, seed]

    def make() -> dict[str, np.ndarray]:
        made = _forecast(rival, history, periods, seed)
        return {"draws": np.empty((0, len(periods))) if made is None else made}

    draws = kept(f"rival-{rival}", made_of, make)["draws"]
    draws.flags.writeable = False
    return draws if len(draws) else None


def _forecast(rival: str, history: History, periods: tuple[date, ...], seed: int) -> np.ndarray | None:
    """What the rival says in the unit of the history."""
    unit = 100.0 if history.scale == "logit" else 1.0
    draws = baselines.forecast(
        rival,
        np.array(history.days, dtype="datetime64[D]"),
        np.array(history.values) / unit,
        np.array(periods, dtype="datetime64[D]"),
        seed=seed,
        ceilings=None if history.ceilings is None else np.array(history.ceilings) / unit,
        share=history.scale == "logit",
    )
    return None if draws is None else unit * draws
