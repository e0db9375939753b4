"""Figures that nobody has published yet, as each headline's model would see them: what `information` ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.evaluation.information import Candidate, Information, logit, ranked
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Forecast, Unpublished


@dataclass(frozen=True)
class Wanted:
    """What new figures would teach about one headline.

    Attributes
    ----------
    report
        The model.
    spread
        Width of the headline's 80% interval at the horizon: its upper over its lower end.
    figures
        The most valuable first.
    """

    report: str
    spread: float
    figures: tuple[Information, ...]


def wanted(context: Context, results: Mapping[str, Forecast]) -> dict[str, Wanted]:
    """What new figures would teach about the headlines at the horizon, by report."""
    found = {}
    for report, result in results.items():
        asked: tuple[Unpublished, ...] = getattr(MARKETS[report].module, "UNPUBLISHED", ())
        if not asked:
            continue
        draws = result.path.year_end(context.settings.horizon)
        low, high = np.quantile(draws, [0.1, 0.9])
        # What a date cannot know yet (what stays of a wave to come) is the same in every draw, or no number.
        candidates = [Candidate(one.name, one.kind, _measured(context, result, one)) for one in asked]
        figures = [c for c in candidates if np.ptp(c.quantity) > 0]
        ordered = ranked(_log(draws), figures, context.generator(f"information {report}"))
        found[report] = Wanted(report, float(high / low), tuple(ordered))
    return found


OUTSIDE = 0.01
"""Part of the draws at each end that is pulled in to the rest: shocks have fat tails, and without this the variance of
a headline would be that of a draw or two in which a market vanishes."""


def _log(draws: np.ndarray) -> np.ndarray:
    """Log of draws without their outermost ends. Dims: (sample,)."""
    inside = np.clip(draws, *np.quantile(draws, [OUTSIDE, 1.0 - OUTSIDE]))
    return np.log(np.maximum(inside, np.finfo(float).tiny))


def _measured(context: Context, result: Forecast, figure: Unpublished) -> np.ndarray:
    """What a figure would measure, on the log scale (logit for a share). Dims: (sample,)."""
    path = result.paths.get(figure.quantity)
    if path is None:
        return np.asarray(result.fit.posterior[figure.quantity])
    days = {"last": date(context.last_year, 12, 31), "next": date(context.last_year + 1, 12, 31)}
    draws = path.draws[:, path.position(days.get(figure.when, result.last_period))]
    return logit(draws) if path.unit == "percent" else _log(draws)
