"""One grid of what was said and what happened: our earlier forecasts and those of named houses, misses first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.league import VOTE
from telemed_forecast.evaluation.misses import half_widths
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evaluation.scores import HELD
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.published_league import CLOSE, period

EACH = 3
"""Forecasts of ours, and of houses, that the grid shows of a market: those furthest off."""

MARKET_OF = {
    "market_size": "market_size",
    "internet_hospitals": "internet_hospitals",
    "internet_hospital_share": "channel_share",
    "online_medical_users": "user_adoption",
    "online_medical_active_users": "user_adoption",
    "revenue": "revenue",
}
"""Metric of a published forecast -> the market that the grid shows it in; accounts of companies are a market here."""


def said_and_happened(record: TrackRecord) -> Exhibit | None:
    """The grid: what actuals and other houses say happened, never our own posterior; None where nothing has come."""
    found = [*_ours(record.ours), *_houses(record.league)]
    if not found:
        return None
    table = pd.DataFrame(found)
    places = {name: k for k, name in enumerate(dict.fromkeys(MARKET_OF.values()))}
    order = table.assign(
        place=table["market"].map(places), kept=table["outcome"] != "missed", far=-np.abs(np.log(table["factor"]))
    ).sort_values(["place", "kept", "far"], kind="stable")
    # Of each side the same number, so that the grid says nothing of who errs more often.
    shown = order.groupby(["market", "ours"], sort=False).head(EACH).reset_index(drop=True)
    return Exhibit(
        name="record_grid",
        frame=shown.drop(columns=["place", "kept", "far", "ours", "claims"]).assign(
            market=[f"@record.market.{name}" for name in shown["market"]]
        ),
        claims=tuple(dict.fromkeys(claim for own in shown["claims"] for claim in own)),
        facts={"number": len(shown), "missed": int((shown["outcome"] == "missed").sum()), "each": EACH},
    )


def _ours(ours: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Of each market and day of forecast the one that was furthest off, in its interval or not."""
    worst = ours.assign(far=[half_widths(one) for one in rows(ours)]).sort_values("far", ascending=False, kind="stable")
    for one in rows(worst.drop_duplicates(["market", "forecast_date"])):
        ends = {"said_low": one.low, "said_high": one.high}
        told = {"ours": True, "outcome": "held" if getattr(one, HELD) else "missed", "claims": (one.claim_id,)}
        yield _row(one.market, "@record.who.ours", one.forecast_date, one.day, one.median, one.published, one.unit) | (
            ends | told
        )


def _houses(league: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What named houses said, where a neutral judge knows what came: of each house and target the worst."""
    for one in rows(league[league["judge"] != ""].drop_duplicates(VOTE)):
        row = _row(
            MARKET_OF[one.metric], origin_name(one.publisher), one.published, one.end, one.value, one.settled, one.unit
        )
        close = max(row["factor"], 1.0 / row["factor"]) <= CLOSE
        told = {"ours": False, "outcome": "close" if close else "missed", "claims": (one.claim_id, *one.claims)}
        yield row | {"said_low": np.nan, "said_high": np.nan} | told


def _row(market: str, who: str, made: Any, day: Any, said: float, came: float, unit: str) -> dict[str, Any]:
    """What both sides have; the ends of an interval stand between what was said and its unit."""
    return {
        "market": market,
        "origin": who,
        "made": made.isoformat()[:7],
        "period": period(day),
        **{"said": said, "said_low": np.nan, "said_high": np.nan, "said_unit": unit},
        **{"happened": came, "happened_unit": unit},
        "factor": float(np.exp(scores.scaled(said, unit) - scores.scaled(came, unit))),
    }
