"""Who said what: the newest figure of each modelled quantity, voices and copies, and origins in contradiction."""

from __future__ import annotations

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.evidence_use import GRADES, WHOLE_YEAR
from telemed_forecast.evidence import dictionary, observations
from telemed_forecast.models.market_size import SERVICES_ONLY

SAME_MOMENT = "Q"
"""Stocks are compared within a quarter: in a growing count, figures of one year differ without contradiction."""

QUANTITY = ["metric", "segment"]

SERVICES_SEGMENT = "telemedicine"
"""Segment under which the market's model reads the rows of a broader one whose stated scope is services alone."""


def quantities() -> list[tuple[str, str, str]]:
    """Metric, segment and report of every series that a line of ``modelled.csv`` says is fitted."""
    lines = dictionary.modelled()
    named = lines[(lines["reason"] == "") & ~lines["segments"].str.contains(r"[:*]")]
    return list(named[["metric", "segments", "report"]].itertuples(index=False, name=None))


def fitting(view: pd.DataFrame) -> pd.DataFrame:
    """The rows of those series that may enter a likelihood, as intervals in yuan.

    Returns
    -------
    claim_id, metric, segment, origin, grade, unit, low, high, start, end, and year (of the end).
    """
    named = pd.MultiIndex.from_tuples([q[:2] for q in quantities()])
    rows = view[pd.MultiIndex.from_frame(view[QUANTITY]).isin(named)]
    found = observations.to_cny(observations.intervals(rows), view)
    frame = found.where(found.bounded).frame()
    narrow = frame["claim_id"].isin(SERVICES_ONLY)
    segment = frame["segment"].mask(narrow, SERVICES_SEGMENT)
    return frame.assign(segment=segment, year=frame["end"].dt.year).drop(columns=["base_start", "base_end"])


def newest(view: pd.DataFrame, last_year: int) -> pd.DataFrame:
    """What is known of each fitted series: its newest figure and how much stands behind it.

    Returns
    -------
    metric, segment, report, claim_id, origin, grade, unit, low, high, end (of the newest figure; of several of
    that day the one with the best grade), rows, origins, first_year, gaps (tuple of the years since the first
    without any figure, up to `last_year`). In the order of ``modelled.csv``; series without a row are left out.
    """
    rows = fitting(view).sort_values(["end", "grade"], ascending=[False, True], kind="stable")
    found = []
    for metric, segment, report in quantities():
        own = rows[(rows["metric"] == metric) & (rows["segment"] == segment)]
        if own.empty:
            continue
        years = set(own["year"].tolist())
        top = own.iloc[0]
        found.append(
            {"metric": metric, "segment": segment, "report": report}
            | {name: top[name] for name in ("claim_id", "origin", "grade", "unit", "low", "high", "end")}
            | {"rows": len(own), "origins": own["origin"].nunique(), "first_year": min(years)}
            | {"gaps": tuple(y for y in range(min(years), last_year + 1) if y not in years)}
        )
    return pd.DataFrame(found)


def contradictions(view: pd.DataFrame) -> pd.DataFrame:
    """Where two origins give different figures for one quantity and one period.

    Returns
    -------
    metric, segment, unit, period (last day), rows, origins, ratio (the largest figure over the smallest of another
    origin, between the ends of their intervals that face each other; 1 where the intervals meet), and of both
    low_claim, low_origin, high_claim, high_origin; the largest ratio first. Flows are compared with flows of the
    same period, stocks within a quarter.
    """
    rows = fitting(view)
    measures = dictionary.metrics()["measure"]
    stock = rows["metric"].map(measures) != "flow"
    span = rows["start"].dt.strftime("%Y-%m-%d") + "/" + rows["end"].dt.strftime("%Y-%m-%d")
    rows = rows.assign(span=span.mask(stock, rows["end"].dt.to_period(SAME_MOMENT).astype(str)))
    rows = rows[(rows["low"] > 0) & (rows["unit"] != "ratio")]
    found = [
        {"metric": metric, "segment": segment, "unit": unit, **pair}
        for (metric, segment, unit, _), own in rows.groupby([*QUANTITY, "unit", "span"])
        if (pair := _furthest(own)) is not None
    ]
    columns = ["metric", "segment", "unit", "period", "rows", "origins", "ratio"]
    columns += [f"{end}_{name}" for end in ("low", "high") for name in _NAMES]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["ratio", "metric", "period"], ascending=[False, True, True], ignore_index=True)


def _furthest(own: pd.DataFrame) -> dict[str, object] | None:
    """The two figures of different origins that lie furthest apart; None with a single origin."""
    smallest, largest = own.sort_values(["high", "claim_id"]), own.sort_values(["low", "claim_id"], ascending=False)
    pairs = smallest.merge(largest, how="cross", suffixes=("_of_low", "_of_high"))
    pairs = pairs[pairs["origin_of_low"] != pairs["origin_of_high"]]
    if pairs.empty:
        return None
    ratio = (pairs["low_of_high"] / pairs["high_of_low"]).clip(lower=1.0)
    pair = pairs.iloc[int(ratio.to_numpy().argmax())]
    return {
        "period": own["end"].max(),
        "rows": len(own),
        "origins": own["origin"].nunique(),
        "ratio": float(ratio.max()),
        **{f"{end}_{name}": pair[f"{column}_of_{end}"] for end in ("low", "high") for name, column in _NAMES.items()},
    }


_NAMES = {"claim": "claim_id", "origin": "origin"}


def spans(view: pd.DataFrame) -> pd.DataFrame:
    """What was published as the size of the whole market, whatever its definition, by year.

    Returns
    -------
    year, rows, origins, smallest, median, largest (CNY million), claims (tuple); years with two origins or more.
    """
    sizes = view[(view["metric"] == "market_size") & view["segment"].isin(WHOLE_MARKET)]
    rows = observations.to_cny(observations.intervals(sizes), view).frame()
    rows = rows[(rows["end"] - rows["start"]).dt.days + 1 >= WHOLE_YEAR]
    rows = rows.assign(year=rows["end"].dt.year, middle=0.5 * (rows["low"] + rows["high"]))
    found = rows.groupby("year").agg(
        rows=("middle", "size"),
        origins=("origin", "nunique"),
        smallest=("middle", "min"),
        median=("middle", "median"),
        largest=("middle", "max"),
        claims=("claim_id", tuple),
    )
    return found[found["origins"] > 1].reset_index()


WHOLE_MARKET = (
    "internet_healthcare",
    "digital_health_narrow",
    "digital_health_wide",
    "digital_health_askci",
    "mobile_health",
)
"""Segments under which houses print the size of the whole market."""


def voices(view: pd.DataFrame, uses: pd.DataFrame) -> pd.DataFrame:
    """How much each origin said of the modelled quantities, and how often others repeated it.

    `uses` is what became of the ledger's rows (`evidence_use.decided`).

    Returns
    -------
    origin, own (statements), copies (rows that print one of them again), used (rows in a fit), best (its best
    grade); the origin with the most statements first.
    """
    copied = uses["claim_id"].map(view.set_index("claim_id")["restates"]).fillna("") != ""
    table = uses.assign(own=~copied, copy=copied, used=uses["used_by"] != "").groupby("origin")
    found = table.agg(own=("own", "sum"), copies=("copy", "sum"), used=("used", "sum"), best=("grade", "min"))
    return found.reset_index().sort_values(["own", "origin"], ascending=[False, True], ignore_index=True)


def echoes(view: pd.DataFrame, uses: pd.DataFrame) -> pd.DataFrame:
    """The statements that others repeat most.

    Returns
    -------
    claim_id of the statement, copies; most repeated first.
    """
    rows = view[view["claim_id"].isin(uses["claim_id"]) & (view["restates"] != "")]
    found = rows.groupby("restates").size().rename("copies").rename_axis("claim_id").reset_index()
    return found.sort_values(["copies", "claim_id"], ascending=[False, True], ignore_index=True)


def grades(view: pd.DataFrame) -> pd.DataFrame:
    """Rows by topic and grade, of the whole ledger. Columns: topic, A, B, C, D."""
    table = view.groupby(["topic", "grade"]).size().unstack(fill_value=0)
    return table.reindex(columns=[*GRADES, "D"], fill_value=0).reset_index()


def age(day: pd.Timestamp, as_of: np.datetime64) -> float:
    """Years between a figure's day and the report's."""
    return float((np.datetime64(as_of, "D") - np.datetime64(day, "D")).astype(int) / 365.2425)
