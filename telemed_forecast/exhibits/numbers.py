"""Numbers for prose and key figures: medians, intervals and chances from draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.exhibits.values import Facts, KeyFigure, Status, Value
from telemed_forecast.forecast.paths import interval

if TYPE_CHECKING:
    from datetime import date

    from telemed_forecast.evidence.observations import Observations
    from telemed_forecast.fits.store import Fit


def value(draws: np.ndarray, unit: str, level: float = 0.8) -> Value:
    """Median and central interval of draws."""
    low, middle, high = interval(draws, level)
    return Value(value=middle, unit=unit, low=low, high=high, level=level)


def share(draws: np.ndarray, level: float = 0.8) -> Value:
    """Median and central interval of shares from 0 to 1, in percent."""
    return value(100.0 * draws, "percent", level)


def chance(events: np.ndarray | float) -> Value:
    """A probability from indicator draws, or a probability as it stands."""
    return Value(value=float(np.mean(events)), unit="probability", digits=2)


ASSUMED = 0.1
"""Part of a prior's spread by which evidence has to move a number, or to change its spread; below it, it is assumed."""


def basis(prior: np.ndarray, posterior: np.ndarray) -> str:
    """``evidence``, or ``assumed`` where a number stands where its prior had it, and is as wide."""
    spread = float(np.std(prior))
    moved = abs(float(np.median(posterior) - np.median(prior))) / spread
    return "assumed" if moved < ASSUMED and abs(1.0 - float(np.std(posterior)) / spread) < ASSUMED else "evidence"


def learned(prior: np.ndarray, posterior: np.ndarray) -> float:
    """Part of a prior's variance that evidence removed; 0 where it removed none."""
    return max(0.0, 1.0 - float(np.var(posterior) / np.var(prior)))


def counted(counts: Observations, day: date, unit: str) -> Value | None:
    """The official count (grade A) of a day, as it was counted; None where there is none."""
    found = counts.where((counts.end == np.datetime64(day)) & (counts.grade == "A") & counts.bounded)
    return Value(value=float(0.5 * (found.low[0] + found.high[0])), unit=unit) if len(found) else None


def status(*fits: Fit) -> Status:
    """The word that marks every number of a fit."""
    return "gated-ok" if all(fit.gate.ok for fit in fits) else "directional"


def by_id(figures: Iterable[KeyFigure]) -> dict[str, KeyFigure]:
    """Headline numbers by name, in their order."""
    return {figure.id: figure for figure in figures}


def key_figure(
    name: str,
    figure: Value,
    period: str,
    sources: Sequence[str],
    fits: Sequence[Fit],
    note: Facts | None = None,
    note_text: str = "",
) -> KeyFigure:
    """A headline number.

    Its label is the text ``figure.<name>``, without the year that ends the name. It has a note when `note` says what
    that tells: the text ``figure.<name>_note``, or `note_text`.
    """
    stem = name.rsplit("_", 1)[0] if name[-1].isdigit() else name
    return KeyFigure(
        id=name,
        key=f"figure.{stem}",
        value=figure,
        period=period,
        sources=tuple(sources),
        note_key=None if note is None else note_text or f"figure.{stem}_note",
        note_values=dict(note or {}),
        status=status(*fits),
    )
