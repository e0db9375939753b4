"""Published forecasts whose period has ended: which there are, and which are no forecast that can be scored.

A forecast is one statement of one house on one quantity and period. Who prints it again makes no second one: of a
statement and its copies the ledger's primary row counts, or, where a date knows only copies, the first of them, with
the earliest day on which any of them could be read. A house that revises its forecast makes another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from telemed_forecast.evidence import decisions, observations
from telemed_forecast.evidence.days import span
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.models import market_size
from telemed_forecast.models.market_evidence import FULL_YEAR

COVERED: Mapping[str, tuple[str, ...]] = {
    metric: segments for market in MARKETS.values() for metric, segments in market.module.COVERED.items()
}
"""Quantities that a model of ours covers: metric -> segments; every company for revenue."""

OTHER_BASE = ("online_share_of_medicine_sales",)
"""Metrics that a model of ours has, of another base than any house that forecasts them: parts of all medicine sales,
which ours takes from the ministry's seven kinds of goods and the houses from sales that they do not name."""

RATES = ("market_growth", "market_cagr")
"""Metrics that say the growth of another one: where a house prints both, it says one thing twice."""

UNSOURCED = "D"

_DECIDED = decisions.rows("published_forecasts")

OTHER_SCOPE: Mapping[str, str] = {
    row["claim_id"]: row["reason"] for row in _DECIDED if row["decision"] == "other_scope"
}
"""Forecasts filed under a definition of ours whose stated scope is none of ours, read off the row's own definition and
note or off rows of the same page: claim -> why."""

MADE: Mapping[str, tuple[date, date | None, str]] = {
    row["claim_id"]: (
        date.fromisoformat(row["earliest"]),
        date.fromisoformat(row["latest"]) if row["latest"] else None,
        row["reason"],
    )
    for row in _DECIDED
    if row["decision"] == "made_between"
}
"""Forecasts that were made earlier than their source's date, or whose source has none: claim -> the first day on which
it may have been read, the day by which it was (None leaves that to the ledger), and where that is known from."""


def ended(context: Context) -> pd.DataFrame:
    """Every forecast whose period ended by the context's date, ordered by metric, end and day of publication.

    Returns
    -------
    claim_id, metric, segment, publisher, grade; ``statement`` (the claim that it prints, its own or another's);
    ``first_day`` (the first day on which the statement may have been read: what we say to compare may know nothing
    later; None where a print without a date may be the first) and ``published`` (the day by which it was); ``start``
    and ``end`` of the period; ``reason`` why it is not scored, empty when it is: ``unsourced``, ``not_modelled``,
    ``definition`` (of another scope than any model of ours), ``rate`` (growth of a quantity whose size the same house
    prints), ``copy`` (of a forecast that is scored), ``late`` (published after its period had ended), ``undated``
    (nothing shows that it was published before), ``negative`` (no ratio to a loss) or ``short`` (no full year). Of
    those to be scored also ``definition`` (of the market's model, or the segment), ``value`` (middle of the printed
    interval) and ``unit``; money is in yuan.
    """
    view = context.view
    rows = view[(view["kind"] == "forecast") & (view["period_end"] <= pd.Timestamp(context.settings.as_of_date))]
    rows = rows.sort_values(["metric", "period_end", "known_date", "claim_id"], kind="stable")
    rows = rows.assign(statement=rows["restates"].where(rows["restates"] != "", rows["claim_id"]))
    rows = rows.assign(**_days(rows))
    rows = rows.assign(reason=_reasons(rows, view))
    end = rows["period_end"].dt.date
    first = rows["earliest"].where(rows["earliest"].notna() & ~rows["undated"])
    told = {
        "publisher": rows["origin"],
        "first_day": first.dt.date.astype(object).where(first.notna(), None),
        "published": rows["read"].dt.date,
        "start": rows["period_start"].dt.date.where(rows["period_start"].notna(), end),
        "end": end,
    }
    found = rows.assign(**told)[["claim_id", "statement", "metric", "segment", "grade", "reason", *told]]
    return found.join(_values(rows, view).set_index("claim_id"), on="claim_id").reset_index(drop=True)


def _days(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """What the prints of each statement say of its day.

    Returns
    -------
    ``earliest`` (the first day that the date of any of them allows; NaT when none has a date), ``read`` (the day by
    which one of them was), and ``undated`` (whether one without a date may be the first: a copy is not known before
    what it copies, a rule of the ledger, unless the ledger knows it before that).
    """
    known = rows["known_date"]
    dates = [pd.Timestamp(span(str(text))[0]) if text else pd.NaT for text in rows["source_date"].fillna("")]
    first = pd.Series(dates, index=rows.index, dtype=known.dtype)
    first = first.where(first.isna() | (first < known), known)
    first = _made(rows, 0).fillna(first)
    read = _made(rows, 1).fillna(known)
    statement = rows["statement"]
    earliest = first.groupby(statement).transform("min")
    may_be_first = first.isna() & (earliest.isna() | (rows["restates"] == "") | (read < earliest))
    return {
        "earliest": earliest,
        "read": read.groupby(statement).transform("min"),
        "undated": may_be_first.groupby(statement).transform("any"),
    }


def _made(rows: pd.DataFrame, which: Literal[0, 1]) -> pd.Series:
    """A day of `MADE` by row; NaT where it names none."""
    return pd.to_datetime(rows["claim_id"].map({claim: days[which] for claim, days in MADE.items()}))


def _reasons(rows: pd.DataFrame, view: pd.DataFrame) -> pd.Series:
    """Why each row is not scored. Other prints of a statement share what keeps it out."""
    own = _own_reasons(rows, view)
    sourced = rows[rows["grade"] != UNSOURCED]
    ordered = sourced.assign(copy=sourced["restates"] != "").sort_values(["copy", "known_date", "claim_id"])
    # The primary row stands for a statement, or the first known of its copies.
    stands = rows["statement"].map(ordered.drop_duplicates("statement").set_index("statement")["claim_id"])
    shared = stands.map(own.set_axis(rows["claim_id"])).replace("", "copy")
    return own.where((rows["claim_id"] == stands) | (own == "unsourced"), shared)


def _own_reasons(rows: pd.DataFrame, view: pd.DataFrame) -> pd.Series:
    """Why each row's own statement is not scored; empty when it is."""
    metric, end = rows["metric"], rows["period_end"]
    rate = metric.isin(RATES)
    sizes = view[view["metric"] == "market_size"]
    size = ["origin", "segment", "period_end"]
    printed = pd.MultiIndex.from_frame(rows[size]).isin(pd.MultiIndex.from_frame(sizes[size]))
    allowed = {**COVERED} | dict.fromkeys(RATES, tuple(market_size.SEGMENTS))
    pairs = zip(metric, rows["segment"], strict=True)
    foreign = np.array([bool(allowed.get(name)) and one not in allowed[name] for name, one in pairs], dtype=bool)
    checks = {
        "unsourced": rows["grade"] == UNSOURCED,
        "definition": rows["claim_id"].isin(list(OTHER_SCOPE)) | metric.isin(OTHER_BASE) | foreign,
        "rate": rate & printed,
        "not_modelled": rate | ~metric.isin(list(COVERED)),
        "late": rows["earliest"] > end,
        "undated": rows["earliest"].isna() & (rows["read"] > end),
        "negative": ~(rows["low"].where(rows["relation"] == "between", rows["value"]) > 0.0),
        "short": metric.isin(["market_size", "revenue"])
        & ((end - rows["period_start"]).dt.days.fillna(0) + 1 < FULL_YEAR),
    }
    found = pd.Series("", index=rows.index, dtype=object)
    for reason, holds in checks.items():
        found = found.mask((found == "") & holds, reason)
    return found


def _values(rows: pd.DataFrame, view: pd.DataFrame) -> pd.DataFrame:
    """The middle of what each scored row prints: what keeps a forecast out of a likelihood is not its digits."""
    plain = as_printed(rows[rows["reason"] == ""]).assign(kind="actual", use="model", restates="")
    found = observations.to_cny(observations.intervals(plain), view)
    frame = found.frame().assign(definition=found.segment.astype(object), value=0.5 * (found.low + found.high))
    sizes = found.metric == "market_size"
    names = [market_size.DEFINITIONS[k] for k in market_size.definitions(found.where(sizes))]
    frame.loc[sizes, "definition"] = names
    return frame[["claim_id", "definition", "value", "unit"]]


def as_printed(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Rows of forecasts whose printed number counts as it stands, also after "more than" or "nearly".

    As evidence "nearly 200" leaves everything from 100 to 200 open; its author, who will be held to it, said 200.
    """
    open_ended = ~forecasts["relation"].isin(["eq", "between"])
    return forecasts.assign(relation=forecasts["relation"].mask(open_ended, "eq"))
