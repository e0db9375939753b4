"""Our worst misses, and what can be said of each from the evidence: nothing here is a story told afterwards.

A miss is a figure outside of the 80% interval that was forecast for it. Of many forecasts that failed for one reason,
because one market was misread on one day, the worst speaks for all: no market and day, and no figure, comes twice.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.rolling_origins import OURS, POOL
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evaluation.scores import HELD
from telemed_forecast.evidence import ledger
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.models.adoption import WAVES

NATIONAL = "China (national)"
"""Events of one province move no national count by much."""


def worst(context: Context, found: pd.DataFrame, number: int) -> pd.DataFrame:
    """So many of our worst misses at most, by CRPS, among the scores of every forecaster and market.

    Returns
    -------
    The row of scores of each; ``quantity`` (the definition of a market's size, else the market) and ``grade`` of the
    figure; ``factor`` (figure over median; for shares, of the odds) and ``half_widths`` (:func:`half_widths`);
    ``newest``, ``newest_day`` and ``newest_value``: the newest figure of the quantity known on the day of the forecast,
    None where there was none, and how many ``figures`` were known; ``new_publisher`` (had published nothing on it by
    then) and ``other_definition`` (than the headline's own); national policy ``events`` between the day of the forecast
    and the figure's, and whether a ``wave`` of the epidemic began in between; how many ``rivals`` had a forecast that
    day (the ensemble is none of its own) and which of them was ``better``, the nearest, None if ours was; how many
    ``later`` forecasts of ours there are of the same figure, and the first day on which one of them held it
    (``learned``).
    """
    missed = found[(found["member"] == OURS) & ~found[HELD]]
    missed = missed.sort_values(["crps", "claim_id", "forecast_date"], ascending=[False, True, True])
    seen: set[object] = set()
    chosen: list[dict[str, Any]] = []
    for one in rows(missed):
        keys = {(one.market, one.forecast_date), one.claim_id}
        if not keys & seen and len(chosen) < number:
            seen |= keys
            chosen.append(one._asdict() | _explained(context, one, found[found["claim_id"] == one.claim_id]))
    return pd.DataFrame(chosen)


def half_widths(one: Any) -> float:
    """Distance of the figure from the median in half-widths of the 80% interval on its side, on the scale of scores."""
    low, median, high, came = scores.scaled([one.low, one.median, one.high, one.published], one.unit)
    reach = high - median if came > median else median - low
    return float(abs(came - median) / max(reach, 1e-9))


def _explained(context: Context, one: Any, same: pd.DataFrame) -> dict[str, Any]:
    """What the evidence says of a miss; `same` are the scores of the same figure."""
    market = MARKETS[one.market]
    figure = market.headline(context)
    figure = figure.where(figure.claim_id == one.claim_id)
    quantity = str(market.definitions(figure)[0])
    rows = market.headline(context.earlier(one.forecast_date))
    rows = rows.where(rows.bounded & (rows.unit == figure.unit[0]) & (market.definitions(rows) == quantity))
    at = int(np.argmax(rows.end)) if len(rows) else None
    median, came = scores.scaled([one.median, one.published], one.unit)
    rivals = same[(same["forecast_date"] == one.forecast_date) & ~same["member"].isin([OURS, POOL])]
    nearer = rivals[rivals["crps"] < one.crps].sort_values("crps", kind="stable")
    later = same[(same["member"] == OURS) & (same["forecast_date"] > one.forecast_date)]
    return {
        "quantity": quantity,
        "grade": str(figure.grade[0]),
        "factor": float(np.exp(came - median)),
        "half_widths": half_widths(one),
        "newest": None if at is None else str(rows.claim_id[at]),
        "newest_day": None if at is None else rows.end[at].astype(date),
        "newest_value": None if at is None else float(0.5 * (rows.low[at] + rows.high[at])),
        "figures": len(rows),
        "new_publisher": one.publisher not in set(rows.origin.tolist()),
        "other_definition": not one.comparable,
        "events": events_between(one.forecast_date, one.day),
        "wave": any(one.forecast_date < _day(wave) <= one.day for wave in WAVES),
        "rivals": len(rivals),
        "better": next(iter(nearer["member"]), None),
        "later": len(later),
        "learned": min(later.loc[later[HELD], "forecast_date"], default=None),
    }


def events_between(first: date, last: date) -> tuple[str, ...]:
    """National policy events after a day and not after another one, in order; a vague date counts from its start."""
    events = ledger.policy_events()
    inside = (events["start"] > pd.Timestamp(first)) & (events["start"] <= pd.Timestamp(last))
    return tuple(events.loc[inside & (events["jurisdiction"] == NATIONAL), "event_id"])


def _day(year: float) -> date:
    """The day of a decimal year."""
    start = date(int(year), 1, 1)
    return date.fromordinal(start.toordinal() + round(365.25 * (year - int(year))))
