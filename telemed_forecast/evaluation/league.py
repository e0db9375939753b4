r"""The league of published forecasts, each held against what came and what our models would have said that day.

Errors are on the scale of all our scores: the log of the forecast over what came for amounts, log odds for shares, so
that a factor of two is the same mistake in every market and every year. Where what came is itself uncertain, an error
is a set of draws, and the verdict is the probability that the forecast was too high.

Our own forecast is that of the last year-end at or before the first day on which theirs may have been read
(`rolling_origins.YEARS`): up to a year older than theirs and never newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np

from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.published_forecasts import PublishedForecast, Unscored, ended
from telemed_forecast.evaluation.quantities import Truth, Voice, told_by_others, truth
from telemed_forecast.evaluation.rolling_origins import YEARS, as_of
from telemed_forecast.forecast.context import Context

SURE = 0.9
"""A verdict is open unless it has this probability."""

LEVEL = 0.8
"""Probability of the intervals of counts and shares."""


WhyNot = Literal["", "undated", "early", "nothing"]
"""Why there is no forecast of ours beside a published one."""


@dataclass(frozen=True, eq=False)
class SameDay:
    """What our models would have said when somebody else published a forecast.

    Attributes
    ----------
    origin
        The day of our forecast.
    low, median, high
        Our median and 80% interval, in the forecast's unit.
    error
        Of our median. Dims: (sample,).
    inside
        Whether our 80% interval held the middle of what came.
    closer
        Probability that our median lay nearer to what came than the published forecast.
    """

    origin: date
    low: float
    median: float
    high: float
    error: np.ndarray
    inside: bool
    closer: float


@dataclass(frozen=True, eq=False)
class Judged:
    """A published forecast and what became of it.

    Attributes
    ----------
    forecast
        What was said.
    truth
        What came.
    error
        Forecast less what came on the scale of the scores. Dims: (sample,).
    ours
        Our forecast of that day; None where there is none.
    why_not
        Why: ``undated`` (nobody knows since when theirs could be read), ``early`` (before the first origin) or
        ``nothing`` (our models of that day say nothing of it); else empty.
    by_others
        Error against what other houses estimated later, where they did.
    ours_by_others
        The same of our forecast.
    """

    forecast: PublishedForecast
    truth: Truth
    error: np.ndarray
    ours: SameDay | None
    why_not: WhyNot
    by_others: float | None
    ours_by_others: float | None

    @property
    def off(self) -> float:
        """The error's middle."""
        return float(np.median(self.error))

    @property
    def too_high(self) -> float:
        """Probability that the forecast was too high."""
        return float((self.error > 0.0).mean() + 0.5 * (self.error == 0.0).mean())

    @property
    def verdict(self) -> Literal["high", "low", "open"]:
        """Too high, too low, or not sure."""
        return "high" if self.too_high >= SURE else "low" if self.too_high <= 1.0 - SURE else "open"


@dataclass(frozen=True)
class HeadToHead:
    """Our forecasts of the same day against the published ones.

    Attributes
    ----------
    number, outcomes
        Pairs, and different outcomes among them.
    closer
        Part of the outcomes in which ours was nearer: each outcome counts once, however many forecast it.
    low, high
        Interval of probability `LEVEL` of the chance that ours is nearer.
    ours, theirs
        Median absolute error over the pairs.
    inside
        Pairs in which our 80% interval held what came.
    """

    number: int
    outcomes: int
    closer: float
    low: float
    high: float
    ours: float
    theirs: float
    inside: int


def judged(context: Context) -> tuple[list[Judged], list[Unscored], Voice]:
    """Every published forecast whose period has ended, held against what came; those that are not scored; our voice.

    Returns
    -------
    The judged forecasts with the worst first, the others with the reason, and the models of the context's own day.
    """
    forecasts, left = ended(context)
    now = Voice(context.in_scenario("base"))
    earlier = {day: Voice(as_of(context, day)) for day in _days(context)}
    found = []
    for one in forecasts:
        came = truth(now, one)
        if came is None:
            # A copy of what cannot be scored is no copy of something scored.
            left = [replace(row, reason="no_outcome") if row.claim_id in one.copies else row for row in left]
            left.append(Unscored(one.claim_id, one.metric, one.segment, one.origin, one.end, "no_outcome"))
        else:
            found.append(_judged(one, came, now, earlier))
    return sorted(found, key=lambda one: (-abs(one.off), one.forecast.claim_id)), left, now


def _days(context: Context) -> list[date]:
    return [date(year, 12, 31) for year in YEARS if date(year, 12, 31) < context.settings.as_of_date]


def _judged(one: PublishedForecast, came: Truth, now: Voice, earlier: dict[date, Voice]) -> Judged:
    error = scaled_error(one.value, came.draws, one.unit)
    told = told_by_others(now, one)
    ours, why_not = _same_day(one, came, error, earlier)
    return Judged(
        forecast=one,
        truth=came,
        error=error,
        ours=ours,
        why_not=why_not,
        by_others=None if told is None else float(scaled_error(one.value, told, one.unit)),
        ours_by_others=None if told is None or ours is None else float(scaled_error(ours.median, told, one.unit)),
    )


def scaled_error(forecast: float, came: np.ndarray | float, unit: str) -> np.ndarray:
    """Forecast less what came on the scale of the scores; dims of `came`."""
    return scores.scaled(forecast, unit) - scores.scaled(came, unit)


def _same_day(
    one: PublishedForecast, came: Truth, error: np.ndarray, earlier: dict[date, Voice]
) -> tuple[SameDay | None, WhyNot]:
    if one.first_day is None:
        return None, "undated"
    before = [day for day in earlier if day <= one.first_day]
    if not before:
        return None, "early"
    day = max(before)
    draws = earlier[day].says(one)
    if draws is None or not np.isfinite(draws).all():
        return None, "nothing"
    low, median, high = (float(q) for q in np.quantile(draws, [0.1, 0.5, 0.9]))
    own = scaled_error(median, came.draws, one.unit)
    nearer = (np.abs(own) < np.abs(error)).mean() + 0.5 * (np.abs(own) == np.abs(error)).mean()
    inside = low <= float(np.median(came.draws)) <= high
    return SameDay(day, low, median, high, own, inside, float(nearer)), ""


def head_to_head(found: Sequence[Judged], *, by_others: bool = False) -> HeadToHead | None:
    r"""Who was nearer, over the forecasts for which we would have had one on that day.

    Several forecasts of one outcome are not several trials: what was nearer to it once was nearer to it again. So each
    outcome counts once, by the mean over its pairs, and the interval of the chance :math:`p` that ours is nearer is
    that of a beta distribution, :math:`p \sim B(\tfrac12 + s, \tfrac12 + n - s)` with :math:`s` the sum over the
    :math:`n` outcomes (Jeffreys' prior); it reaches to 0 or 1 where none or all were won, as Brown, Cai and DasGupta
    (2001) have it. Outcomes of one market share its shocks still: the interval is rather too
    narrow than too wide.

    Parameters
    ----------
    found
        Judged forecasts.
    by_others
        Let other houses' later estimates be the judge instead of `Truth`; only where there are any.
    """
    pairs = [one for one in found if one.ours is not None and (not by_others or one.ours_by_others is not None)]
    if not pairs:
        return None
    from scipy.stats import beta

    won: dict[tuple[str, str, date], list[float]] = {}
    for one in pairs:
        won.setdefault(one.forecast.outcome, []).append(_closer(one, by_others))
    shares = [float(np.mean(parts)) for parts in won.values()]
    total, number = sum(shares), len(shares)
    low, high = beta.ppf([0.5 - LEVEL / 2, 0.5 + LEVEL / 2], 0.5 + total, 0.5 + number - total)
    errors = [_errors(one, by_others) for one in pairs]
    return HeadToHead(
        number=len(pairs),
        outcomes=number,
        closer=total / number,
        low=min(float(low), total / number),
        high=max(float(high), total / number),
        ours=float(np.median([own for own, _ in errors])),
        theirs=float(np.median([other for _, other in errors])),
        inside=sum(one.ours is not None and one.ours.inside for one in pairs),
    )


def _errors(one: Judged, by_others: bool) -> tuple[float, float]:
    """Absolute error of ours and of theirs."""
    if by_others:
        return abs(one.ours_by_others or 0.0), abs(one.by_others or 0.0)
    return abs(float(np.median(one.ours.error))) if one.ours else 0.0, abs(one.off)


def _closer(one: Judged, by_others: bool) -> float:
    """How far ours was nearer: a probability, or one, one half or zero."""
    if not by_others:
        return one.ours.closer if one.ours else 0.0
    ours, theirs = _errors(one, by_others)
    return 0.5 if ours == theirs else float(ours < theirs)
