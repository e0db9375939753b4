"""Forecasts that others published: who was right, and what our models would have said on the same day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.league import OUTCOME
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named, with_interval
from telemed_forecast.exhibits.forecasts import share_of
from telemed_forecast.exhibits.numbers import value
from telemed_forecast.exhibits.values import Fact, Value

WORST = 8
"""Published forecasts that are shown at once; the folded table holds all."""

CLOSE = 1.25
"""Factor within which a forecast counts as close."""


def exhibits(record: TrackRecord) -> Exhibits:
    """The published forecasts, their publishers, what is not scored, and ours of the same day."""
    found, left = record.league, record.unscored
    pairs = found[found["why_not"] == ""] if len(found) else found
    return named(
        _scored(found) if len(found) else None,
        _publishers(record.publishers) if len(found) else None,
        _unscored(left) if len(left) else None,
        _same_day(pairs.sort_values(["published", "claim_id"])) if record.pairs else None,
    )


def numbers(record: TrackRecord) -> dict[str, Fact]:
    """What the prose says of others' forecasts; counts of zero where there are none."""
    found, publishers = record.league, record.publishers
    told: dict[str, Fact] = {"league_number": len(found), "league_unscored": len(record.unscored)}
    if len(found):
        errors, kinds = found["median_error"].abs(), found["kind"].value_counts()
        told |= {
            "league_newest": tuple(found["claim_id"][:3]),
            "league_claims": claims(found),
            "league_publishers": found["publisher"].nunique(),
            "league_outcomes": len(found[OUTCOME].drop_duplicates()),
            "league_factor": typical_error(errors),
            "league_close": int((errors <= np.log(CLOSE)).sum()),
            "league_bound": share_of(CLOSE - 1.0),
            "league_double": int((errors >= np.log(2.0)).sum()),
            **{f"league_{verdict}": int((found["verdict"] == verdict).sum()) for verdict in ("high", "low", "open")},
            **{f"judged_{kind}": int(kinds.get(kind, 0)) for kind in ("count", "estimate", "between", "inferred")},
            "publishers_alone": int((publishers["occasions"] == 1).sum()),
            **{f"without_{why}": int((found["why_not"] == why).sum()) for why in ("undated", "early", "nothing")},
        }
    return told | _neutral(found) | _duel("duel", record.same_day) | _duel("own", record.same_day_by_us)


def _neutral(found: pd.DataFrame) -> dict[str, Fact]:
    """How far off published forecasts were by those who are no party; a count of zero where these know of none."""
    judged = found[found["judge"] != ""] if len(found) else found
    if judged.empty:
        return {"neutral_number": 0}
    errors = np.array(
        [float(scores.scaled(one.value, one.unit) - scores.scaled(one.settled, one.unit)) for one in rows(judged)]
    )
    return {
        "neutral_number": len(judged),
        "neutral_actual": int((judged["judge"] == "actual").sum()),
        "neutral_factor": multiple(np.median(np.abs(errors))),
        "neutral_high": int((errors > np.log(CLOSE)).sum()),
        "neutral_low": int((errors < -np.log(CLOSE)).sum()),
        "neutral_bound": share_of(CLOSE - 1.0),
    }


def closer(duel: dict[str, Any]) -> Value:
    """In how many of the votes ours was nearer, with its interval."""
    return Value(value=100.0 * duel["closer"], unit="percent", low=100.0 * duel["low"], high=100.0 * duel["high"])


def _duel(name: str, duel: dict[str, Any] | None) -> dict[str, Fact]:
    """Who was nearer; no pairs without any."""
    if duel is None:
        return {f"{name}_number": 0}
    return {
        f"{name}_number": duel["number"],
        f"{name}_outcomes": duel["outcomes"],
        f"{name}_votes": duel["votes"],
        f"{name}_houses": duel["houses"],
        f"{name}_actual": duel["actual"],
        f"{name}_closer": closer(duel),
        f"{name}_inside": duel["held"],
    }


def multiple(error: float) -> Value:
    """An error on the log scale as a factor."""
    return Value(value=float(np.exp(error)), unit="multiple", digits=3)


def typical_error(errors: pd.Series) -> Value:
    """The median absolute error as a factor."""
    return multiple(np.median(errors.abs()))


def claims(found: pd.DataFrame) -> tuple[str, ...]:
    """The forecasts and what they are held against."""
    pairs = zip(found["claim_id"], found["claims"], strict=True)
    return tuple(dict.fromkeys(claim for said, came in pairs for claim in (said, *came)))


def _quantity(one: Any) -> str:
    """What a forecast is about: a text key, or a company's name, which stands for its revenue."""
    if one.metric == "market_size":
        return f"@definition.{one.definition}"
    if one.metric == "revenue":
        return origin_name(one.segment)
    return f"@review.quantity.{one.metric}.{one.segment}"


def period(end: date) -> str:
    """A calendar year by its number, everything else by its last day."""
    return str(end.year) if end == date(end.year, 12, 31) else end.isoformat()


def _drawn(draws: np.ndarray, unit: str) -> Value:
    """A number known exactly, or the median and interval of its draws."""
    return Value(value=float(draws[0]), unit=unit) if len(draws) == 1 else value(draws, unit)


def _said(found: pd.DataFrame) -> pd.DataFrame:
    """What was forecast, by whom and when, and what came."""
    each = rows(found)
    return pd.DataFrame(
        {
            "origin": [origin_name(one.publisher) for one in each],
            "published_on": [one.published.isoformat()[:7] for one in each],
            "quantity": [_quantity(one) for one in each],
            "period": [period(one.end) for one in each],
            "forecast": found["value"].astype(float).to_numpy(),
            "forecast_unit": [one.unit for one in each],
            **with_interval(came=[_drawn(one.came, one.unit) for one in each]),
            "came_unit": [one.unit for one in each],
        }
    )


def _factors(errors: Iterable[np.ndarray | None]) -> list[Value | None]:
    return [None if error is None else _drawn(np.exp(error), "multiple") for error in errors]


def _scored(found: pd.DataFrame) -> list[Exhibit]:
    """Every forecast that is scored, and those that were furthest off."""
    ours = [None if why else error for why, error in zip(found["why_not"], found["our_error"], strict=True)]
    frame = pd.DataFrame(
        {
            **_said(found),
            **with_interval(ratio=_factors(found["error"])),
            "verdict": found["verdict"].to_list(),
            "judge": found["kind"].to_list(),
            **with_interval(ours=_factors(ours)),
            "claim_id": found["claim_id"].to_list(),
        }
    )
    # The row of the ledger is one column more than a screen has room for, and the sources name it anyway.
    worst, left_out = frame.head(WORST), ["judge", "ours", "ours_low", "ours_high", "claim_id"]
    number, cited = {"number": len(frame)}, claims(found)
    return [
        Exhibit(
            name="record_worst_published",
            frame=worst.drop(columns=left_out),
            claims=claims(found.head(WORST)),
            facts={"number": len(worst)},
        ),
        Exhibit(name="record_league", frame=frame, claims=cited, facts=number),
    ]


def _publishers(publishers: pd.DataFrame) -> list[Exhibit]:
    """The usual error of each publisher, and its record."""
    names = publishers["publisher"].map(origin_name)
    typical = publishers[["typical", "typical_low", "typical_high"]].astype(float).apply(np.exp)
    ends = [(name, *row) for name, row in zip(names, typical.to_numpy().tolist(), strict=True)]
    pairs = list(combinations(ends, 2))
    table = pd.DataFrame(
        {
            "origin": names,
            "number": publishers["number"],
            "outcomes": publishers["outcomes"],
            "absolute": np.exp(publishers["absolute"]),
            "lean": np.exp(publishers["lean"]),
            "high": publishers["high"],
            "low": publishers["low"],
            **typical,
            "better": publishers["better"].map(lambda chance: float(np.mean(chance))),
        }
    )
    return [
        Exhibit(
            name="record_publishers",
            frame=pd.DataFrame(ends, columns=["category", "value", "low", "high"]),
            claims=tuple(publishers["claims"].str[0]),
            facts={
                "first": ends[0][0],
                "last": ends[-1][0],
                "number": len(ends),
                "overlap": sum(a[2] <= b[3] and b[2] <= a[3] for a, b in pairs),
                "pairs": len(pairs),
            },
        ),
        Exhibit(name="record_publisher_table", frame=table, claims=tuple(publishers["claims"].explode())),
    ]


def _unscored(left: pd.DataFrame) -> list[Exhibit]:
    """What is not scored, and why: counts for the page, the whole list as a file."""
    # Of equal counts the reason that comes first.
    counts = left.groupby("reason", sort=False).size().sort_values(ascending=False, kind="stable")
    whole = left.assign(origin=left["publisher"].map(origin_name), period_end=left["end"].map(date.isoformat))
    columns = ["claim_id", "metric", "segment", "origin", "period_end", "reason"]
    return [
        Exhibit(name="record_unscored_reasons", frame=counts.rename("rows").reset_index()),
        Exhibit(name="record_unscored", frame=whole[columns], facts={"number": len(whole)}),
    ]


def _same_day(pairs: pd.DataFrame) -> Exhibit:
    """Published forecasts beside ours of the same day."""
    frame = _said(pairs)
    ours = pairs[["median", "low", "high"]].astype(float).set_axis(["ours", "ours_low", "ours_high"], axis=1)
    came = ["came", "came_low", "came_high", "came_unit"]
    shown = pd.DataFrame(
        {
            **frame.drop(columns=came),
            "made": pairs["forecast_date"].to_numpy(),
            **ours.reset_index(drop=True),
            "ours_unit": frame["forecast_unit"],
            **frame[came],
            "judge": pairs["judge"].replace("", "posterior").to_numpy(),
            "closer": pairs["nearer"].astype(float).fillna(pairs["closer"].astype(float)).to_numpy(),
        }
    )
    return Exhibit(name="record_same_day", frame=shown, claims=claims(pairs), facts={"number": len(pairs)})
