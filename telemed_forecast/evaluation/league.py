r"""The league of published forecasts, each held against what came and what our models would have said that day.

Errors are on the scale of all our scores: the log of the forecast over what came for amounts, log odds for shares, so
that a factor of two is the same mistake in every market and every year. Where what came is itself uncertain, an error
is a set of draws, and the verdict is the probability that the forecast was too high.

Who was nearer is judged by neutral judges: counts and accounts, and for the market's size, which nobody counts, what
other houses estimated after the year had ended. Our own posterior is a party; what it says is kept apart.

Our own forecast is that of the last year-end at or before the first day on which theirs may have been read
(`rolling_origins.YEARS`): up to a year older than theirs and never newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.published_forecasts import ended
from telemed_forecast.evaluation.quantities import Truth, Voice, consensus_estimate, truth
from telemed_forecast.evaluation.rolling_origins import as_of, year_ends
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evaluation.scores import LEVEL
from telemed_forecast.forecast.context import Context

SURE = 0.9
"""A verdict is open unless it has this probability."""

OUTCOME = ["metric", "definition", "end"]
"""What came is the same for all forecasts that share these."""

OURS = (*("forecast_date", "low", "median", "high", "our_error", "our_median_error", "held", "closer", "nearer"),)
"""What a row of the league says of our forecast of that day; empty where there is none."""

VOTE = ["publisher", *OUTCOME]
"""A house has one vote on a target, however often it said something of it."""

COLUMNS = (
    *("claim_id", "statement", "metric", "segment", "definition", "publisher", "grade", "first_day", "published"),
    *("end", "value", "unit", "kind", "claims", "came", "error", "median_error", "verdict", "why_not"),
    *("judge", "settled", *OURS),
)


def judged(context: Context) -> tuple[pd.DataFrame, pd.DataFrame, Voice]:
    """Every published forecast whose period has ended, held against what came; those that are not scored; our voice.

    Returns
    -------
    The judged forecasts with the worst first: the columns of `published_forecasts.ended`; ``kind``, ``came`` (draws)
    and ``claims`` as in `quantities.Truth`; ``error`` (forecast less what came on the scale of scores, draws) and its
    ``median_error``; ``verdict`` (``high``, ``low``, or ``open`` when neither is sure); the neutral ``judge``
    (``actual``, ``houses``: what other houses estimated later, or none) and the number that it ``settled`` on. Of ours,
    where there is one: the day when it was ``made``, its ``low``, ``median`` and ``high`` (80%), ``our_error`` and its
    median, whether the interval ``held`` the middle of what came, the probability that its median lay ``closer`` to
    that, and ``nearer``, the same by the neutral judge (NaN without one); else ``why_not``: ``undated`` (nobody knows
    since when theirs could be read), ``early`` (before the first origin) or ``nothing`` (our models of that day say
    nothing of it).

    Then the others with the reason, ``no_outcome`` where nothing is known that a forecast can be held against, and the
    models of the context's own day.
    """
    forecasts = ended(context)
    now = Voice(context.in_scenario("base"))
    earlier = {day: Voice(as_of(context, day)) for day in year_ends(context)}
    found, unknown = [], []
    for one in rows(forecasts[forecasts["reason"] == ""]):
        came = truth(now, one)
        if came is None:
            unknown.append(one.statement)
        else:
            found.append(_judged(one, came, now, earlier))
    table = pd.DataFrame(found, columns=COLUMNS)
    order = table.assign(size=-table["median_error"].abs()).sort_values(["size", "claim_id"]).index
    # A copy of what cannot be scored is no copy of something scored.
    left = forecasts.assign(
        reason=forecasts["reason"].mask(forecasts["statement"].isin(unknown), "no_outcome"),
        first=forecasts["reason"] == "",
    )
    left = left[left["reason"] != ""].sort_values("first", kind="stable").drop(columns="first")
    return table.loc[order].reset_index(drop=True), left.reset_index(drop=True), now


def _judged(one: Any, came: Truth, now: Voice, earlier: Mapping[date, Voice]) -> dict[str, Any]:
    error = scaled_error(one.value, came.draws, one.unit)
    consensus = consensus_estimate(now, one)
    judge = "actual" if came.kind == "count" else "" if consensus is None else "houses"
    settled = came.draws if judge == "actual" else np.array([np.nan if consensus is None else consensus])
    ours = _same_day(one, came, earlier)
    if judge and "median" in ours:
        ours["nearer"] = _nearer(one, ours["median"], settled)
    return one._asdict() | {
        "kind": came.kind,
        "claims": came.claims,
        "came": came.draws,
        "error": error,
        "median_error": float(np.median(error)),
        "verdict": verdict(error),
        "why_not": "",
        "judge": judge,
        "settled": float(np.median(settled)),
        **ours,
    }


def _nearer(one: Any, ours: float, came: np.ndarray) -> float:
    """The probability that ours lay nearer to what came than theirs; a tie is half of it."""
    own, theirs = (np.abs(scaled_error(said, came, one.unit)) for said in (ours, one.value))
    return float((own < theirs).mean() + 0.5 * (own == theirs).mean())


def verdict(error: np.ndarray) -> str:
    """Too ``high``, too ``low``, or ``open``: not sure."""
    too_high = float((error > 0.0).mean() + 0.5 * (error == 0.0).mean())
    return "high" if too_high >= SURE else "low" if too_high <= 1.0 - SURE else "open"


def scaled_error(forecast: float, came: np.ndarray | float, unit: str) -> np.ndarray:
    """Forecast less what came on the scale of the scores; dims of `came`."""
    return scores.scaled(forecast, unit) - scores.scaled(came, unit)


def _same_day(one: Any, came: Truth, earlier: Mapping[date, Voice]) -> dict[str, Any]:
    """Our forecast of that day, or why there is none."""
    if one.first_day is None:
        return {"why_not": "undated"}
    before = [day for day in earlier if day <= one.first_day]
    if not before:
        return {"why_not": "early"}
    made = max(before)
    draws = earlier[made].predict(one)
    if draws is None or not np.isfinite(draws).all():
        return {"why_not": "nothing"}
    low, median, high = np.quantile(draws, [0.1, 0.5, 0.9]).tolist()
    own = scaled_error(median, came.draws, one.unit)
    return {
        "forecast_date": made,
        **{"low": low, "median": median, "high": high},
        "our_error": own,
        "our_median_error": float(np.median(own)),
        "held": low <= float(np.median(came.draws)) <= high,
        "closer": _nearer(one, median, came.draws),
    }


def head_to_head(found: pd.DataFrame, *, by: str = "nearer") -> dict[str, Any] | None:
    r"""Who was nearer, over the forecasts for which we would have had one on that day.

    A house has one vote on a target (`VOTE`): the mean over its forecasts of it. Votes on one outcome are not several
    trials: what was nearer to it once was nearer to it again. So the interval of the chance :math:`p` that ours is
    nearer is that of a beta distribution, :math:`p \sim B(\tfrac12 + s, \tfrac12 + n - s)` with :math:`n` the number of
    outcomes and :math:`s` the part of the votes that ours won, times n (Jeffreys' prior); it reaches to 0 or 1 where
    none or all were won, as Brown, Cai and DasGupta (2001) have it. Outcomes of one market share its shocks still: the
    interval is rather too narrow than too wide.

    The judge is neutral, or with `by` = ``closer`` our own posterior, where it is the only one.

    Returns
    -------
    ``number`` of pairs, ``votes``, ``houses`` and ``outcomes``; the part of the votes in which ours was ``closer``,
    with ``low`` and ``high`` end; pairs in which our interval ``held`` what came, and those judged by an ``actual``.
    None without a pair.
    """
    pairs = found[found["forecast_date"].notna()]
    pairs = pairs[pairs["nearer"].notna()] if by == "nearer" else pairs[pairs["nearer"].isna()]
    if pairs.empty:
        return None
    from scipy.stats import beta

    votes = pairs.assign(won=pairs[by].astype(float)).groupby(VOTE, sort=False)["won"].mean()
    part, number = float(votes.mean()), len(pairs[OUTCOME].drop_duplicates())
    ends = [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
    low, high = beta.ppf(ends, 0.5 + part * number, 0.5 + (1.0 - part) * number)
    return {
        "number": len(pairs),
        "votes": len(votes),
        "houses": pairs["publisher"].nunique(),
        "outcomes": number,
        "closer": part,
        "low": min(float(low), part),
        "high": max(float(high), part),
        "held": int(pairs["held"].sum()),
        "actual": int((pairs["judge"] == "actual").sum()),
    }
