"""Our worst misses, and what can be said of each from the evidence: nothing here is a story told afterwards.

A miss is a figure outside of the 80% interval that was forecast for it. Of many forecasts that failed for one reason,
because one market was misread on one day, the worst speaks for all: no market and day, and no figure, comes twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.evaluation.rolling_origins import OURS, POOL, Origin, Score
from telemed_forecast.evidence import ledger
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import market_size
from telemed_forecast.models.adoption import WAVES

NATIONAL = "China (national)"
"""Events of one province move no national count by much."""

LEVEL = 0.8
"""A figure outside of this central interval is a miss."""


@dataclass(frozen=True)
class Miss:
    """One figure that the forecast had not expected.

    Attributes
    ----------
    market
        Name of the market.
    score
        Forecast and figure.
    quantity
        What the figure measures: the definition of a market's size, else the market.
    publisher, grade
        Who published the figure, and the grade of the row.
    factor
        Figure over median; for shares, of the odds.
    half_widths
        Distance of the figure from the median in half-widths of the 80% interval, on the scale of the scores.
    newest, newest_day, newest_value
        The newest figure of the quantity known on the day of the forecast, its own day and its value in the unit of
        the score; None where nothing was known.
    known
        Figures of the quantity known that day.
    new_voice
        Whether its publisher had published nothing on the quantity by that day.
    other_definition
        Whether the figure is of another definition or counter than the headline's own.
    events
        National policy events between the day of the forecast and the figure's, in order.
    wave
        Whether a wave of the epidemic began in between.
    rivals
        Other methods that had a forecast of the figure on that day; the ensemble is none of its own.
    better
        The nearest of them, if it was nearer than ours by CRPS.
    later, learned
        Later forecasts of ours of the same figure, and the first of them whose interval held it; None if none did.
    """

    market: str
    score: Score
    quantity: str
    publisher: str
    grade: str
    factor: float
    half_widths: float
    newest: str | None
    newest_day: date | None
    newest_value: float | None
    known: int
    new_voice: bool
    other_definition: bool
    events: tuple[str, ...]
    wave: bool
    rivals: int
    better: str | None
    later: int
    learned: date | None


def worst(
    context: Context, past: Mapping[str, Sequence[Origin]], found: Mapping[str, Sequence[Score]], number: int
) -> list[Miss]:
    """The worst misses of ours, by CRPS.

    Parameters
    ----------
    context
        The day of the report.
    past, found
        Origins and scores by market.
    number
        How many at most.
    """
    missed = [(market, one) for market, own in found.items() for one in own if is_miss(one)]
    seen: set[object] = set()
    chosen: list[Miss] = []
    for market, one in sorted(missed, key=lambda pair: (-pair[1].crps, pair[1].claim_id, pair[1].origin)):
        keys = {(market, one.origin), one.claim_id}
        if not keys & seen and len(chosen) < number:
            seen |= keys
            chosen.append(_explained(context, market, one, past[market], found[market]))
    return chosen


def is_miss(one: Score) -> bool:
    """Whether a forecast of ours did not hold what came."""
    return one.member == OURS and not one.inside[LEVEL]


def half_widths(one: Score) -> float:
    """Distance of the figure from the median in half-widths of the 80% interval on the figure's side."""
    low, median, high, came = scores.scaled([one.low, one.median, one.high, one.published], one.unit)
    reach = high - median if came > median else median - low
    return float(abs(came - median) / max(reach, 1e-9))


def _explained(context: Context, market: str, one: Score, origins: Sequence[Origin], found: Sequence[Score]) -> Miss:
    origin = next(origin for origin in origins if origin.day == one.origin)
    figure = origin.actuals.where(origin.actuals.claim_id == one.claim_id)
    publisher = str(figure.origin[0])
    rows = _same_quantity(market, MARKETS[market].module.headline(context.earlier(one.origin)), figure)
    at = int(np.argmax(rows.end)) if len(rows) else None
    median, came = scores.scaled([one.median, one.published], one.unit)
    same = [other for other in found if other.claim_id == one.claim_id]
    rivals = [other for other in same if other.origin == one.origin and other.member not in (OURS, POOL)]
    nearest = min(rivals, key=lambda other: other.crps, default=None)
    later = [other for other in same if other.member == OURS and other.origin > one.origin]
    return Miss(
        market=market,
        score=one,
        quantity=_quantity(market, figure),
        publisher=publisher,
        grade=str(figure.grade[0]),
        factor=float(np.exp(came - median)),
        half_widths=half_widths(one),
        newest=None if at is None else str(rows.claim_id[at]),
        newest_day=None if at is None else rows.end[at].astype(date),
        newest_value=None if at is None else float(0.5 * (rows.low[at] + rows.high[at])),
        known=len(rows),
        new_voice=publisher not in set(rows.origin.tolist()),
        other_definition=not one.comparable,
        events=events_between(one.origin, one.day),
        wave=any(one.origin < _day(wave) <= one.day for wave in WAVES),
        rivals=len(rivals),
        better=nearest.member if nearest is not None and nearest.crps < one.crps else None,
        later=len(later),
        learned=min((other.origin for other in later if other.inside[LEVEL]), default=None),
    )


def _quantity(market: str, figure: Observations) -> str:
    return market_size.DEFINITIONS[market_size.definitions(figure)[0]] if market == "market_size" else market


def _same_quantity(market: str, rows: Observations, figure: Observations) -> Observations:
    """Figures of the headline quantity in the unit of another one; of a market's size, of its definition too."""
    same = rows.unit == figure.unit[0]
    if market == "market_size":
        same &= market_size.definitions(rows) == market_size.definitions(figure)[0]
    return rows.where(same)


def events_between(first: date, last: date) -> tuple[str, ...]:
    """National policy events after a day and not after another one, in order; a vague date counts from its start."""
    events = ledger.policy_events()
    inside = (events["start"] > pd.Timestamp(first)) & (events["start"] <= pd.Timestamp(last))
    return tuple(events.loc[inside & (events["jurisdiction"] == NATIONAL), "event_id"])


def _day(year: float) -> date:
    """The day of a decimal year."""
    start = date(int(year), 1, 1)
    return date.fromordinal(start.toordinal() + round(365.25 * (year - int(year))))
