"""Published forecasts whose period has ended: which there are, and which are no forecast that can be scored.

A forecast is one statement of one house on one quantity and period. Who prints it again makes no second one: of a
statement and its copies the ledger's primary row counts, or, where a date knows only copies, the first of them, with
the earliest day on which any of them could be read. A house that revises its forecast makes another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.curated_forecasts import MADE, OTHER_SCOPE
from telemed_forecast.evidence import observations
from telemed_forecast.evidence.days import span
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.evidence.rows import records
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import market_size
from telemed_forecast.models.market_evidence import FULL_YEAR

COVERED: Mapping[str, tuple[str, ...]] = {
    "market_size": tuple(market_size.SEGMENTS),
    "internet_hospitals": ("national",),
    "internet_hospital_share": ("hospital_run",),
    "online_medical_users": ("national",),
    "online_medical_active_users": ("national",),
    "revenue": (),
}
"""Quantities that a model of ours covers: metric -> segments; every company for revenue."""

OTHER_BASE = ("online_share_of_medicine_sales",)
"""Metrics that a model of ours has, of another base than any house that forecasts them: parts of all medicine sales,
which ours takes from the ministry's seven kinds of goods and the houses from sales that they do not name."""

RATES = ("market_growth", "market_cagr")
"""Metrics that say the growth of another one: where a house prints both, it says one thing twice."""

UNSOURCED = "D"


@dataclass(frozen=True, eq=False)
class PublishedForecast:
    """What somebody said before it came.

    Attributes
    ----------
    claim_id, metric, segment, origin, grade
        Of the row that stands for the statement.
    first_day
        The first day on which it may have been read: the first that the date of its source, or of a reprint, allows,
        or what is known of its making (`curated_forecasts.MADE`). What we say to compare may know nothing later. None
        where a print without a date may be the first.
    published
        The day by which it was read.
    start, end
        Period that it speaks of.
    row
        The statement as an interval, money in yuan; of length one.
    copies
        Claim ids of the rows that print it again.
    """

    claim_id: str
    metric: str
    segment: str
    origin: str
    grade: str
    first_day: date | None
    published: date
    start: date
    end: date
    row: Observations
    copies: tuple[str, ...]

    @property
    def value(self) -> float:
        """Middle of the printed interval."""
        return float(0.5 * (self.row.low[0] + self.row.high[0]))

    @property
    def unit(self) -> str:
        """Unit of `value`; percent for shares."""
        return str(self.row.unit[0])

    @property
    def ahead(self) -> float:
        """Years from publication to the end of the period."""
        return (self.end - self.published).days / 365.25

    @property
    def definition(self) -> str:
        """What it measures: a definition of the market's model, or the segment."""
        if self.metric != "market_size":
            return self.segment
        return market_size.DEFINITIONS[market_size.definitions(self.row)[0]]

    @property
    def outcome(self) -> tuple[str, str, date]:
        """What came is the same for all forecasts that share this."""
        return self.metric, self.definition, self.end


@dataclass(frozen=True)
class Unscored:
    """A forecast whose period has ended and that is not scored.

    Attributes
    ----------
    claim_id, metric, segment, origin
        As in the ledger.
    end
        Last day of its period.
    reason
        ``unsourced``, ``not_modelled``, ``definition`` (of another scope than any model of ours), ``rate`` (growth of
        a quantity whose size the same house prints), ``copy`` (of a forecast that is scored), ``late`` (published after
        its period had ended), ``undated`` (nothing shows that it was published before), ``negative`` (no ratio to a
        loss), ``short`` (no full year), or ``no_outcome`` (nothing is known that it can be held against).
    """

    claim_id: str
    metric: str
    segment: str
    origin: str
    end: date
    reason: str


def ended(context: Context) -> tuple[list[PublishedForecast], list[Unscored]]:
    """Every forecast whose period ended by the context's date: those to be scored, and the others with the reason.

    Ordered by metric, end of the period and day of publication.
    """
    view = context.view
    rows = view[(view["kind"] == "forecast") & (view["period_end"] <= pd.Timestamp(context.settings.as_of_date))]
    rows = rows.sort_values(["metric", "period_end", "known_date", "claim_id"], kind="stable")
    rows = rows.assign(statement=rows["restates"].where(rows["restates"] != "", rows["claim_id"]))
    reasons, prints = _reasons(rows, view), _prints(rows)
    left = [_unscored(row, reasons[row["claim_id"]]) for row in records(rows) if reasons[row["claim_id"]]]
    kept = [row for row in records(rows) if not reasons[row["claim_id"]]]
    intervals = _intervals(rows, [row["claim_id"] for row in kept], view)
    return [_forecast(row, intervals[row["claim_id"]], prints[row["statement"]]) for row in kept], left


def _standing_for(rows: pd.DataFrame) -> dict[str, str]:
    """Statement -> the row that stands for it: the primary one, or the first known of its copies."""
    sourced = rows[rows["grade"] != UNSOURCED]
    ordered = sourced.assign(copy=sourced["restates"] != "").sort_values(["copy", "known_date", "claim_id"])
    first = ordered.drop_duplicates("statement")
    return dict(zip(first["statement"], first["claim_id"], strict=True))


def _reasons(rows: pd.DataFrame, view: pd.DataFrame) -> dict[str, str]:
    """Claim -> why it is not scored; empty when it is. Other prints of a statement share what keeps it out."""
    stands, prints = _standing_for(rows), _prints(rows)
    sizes = view[view["metric"] == "market_size"]
    printed = set(zip(sizes["origin"], sizes["segment"], sizes["period_end"], strict=True))
    own = {row["claim_id"]: _reason(row, prints[row["statement"]], printed) for row in records(rows)}
    found = {}
    for row in records(rows):
        claim, first = row["claim_id"], stands.get(row["statement"], "")
        found[claim] = own[claim] if claim == first or own[claim] == "unsourced" else own[first] or "copy"
    return found


def _reason(row: Mapping[str, Any], prints: Prints, printed: Collection[tuple[str, str, Any]]) -> str:
    """Why a row's own statement is not scored; empty when it is."""
    rate = row["metric"] in RATES
    segments = tuple(market_size.SEGMENTS) if rate else COVERED.get(row["metric"])
    size = (row["origin"], row["segment"], row["period_end"])
    elsewhere = row["claim_id"] in OTHER_SCOPE or row["metric"] in OTHER_BASE
    end = row["period_end"].date()
    largest = row["low"] if row["relation"] == "between" else row["value"]
    days = 1 if pd.isna(row["period_start"]) else (row["period_end"] - row["period_start"]).days + 1
    checks = {
        "unsourced": row["grade"] == UNSOURCED,
        "definition": elsewhere or (bool(segments) and row["segment"] not in (segments or ())),
        "rate": rate and size in printed,
        "not_modelled": rate or segments is None,
        "late": prints.earliest is not None and prints.earliest > end,
        "undated": prints.earliest is None and prints.published > end,
        "negative": not largest > 0.0,
        "short": row["metric"] in ("market_size", "revenue") and days < FULL_YEAR,
    }
    return next((reason for reason, holds in checks.items() if holds), "")


@dataclass(frozen=True)
class Prints:
    """Every print of one statement.

    Attributes
    ----------
    claims
        The rows.
    earliest
        The first day that the date of any of them allows; None when none has a date.
    published
        The day by which one of them was read.
    undated
        Whether one without a date may be the first of them.
    """

    claims: tuple[str, ...]
    earliest: date | None
    published: date
    undated: bool


def _prints(rows: pd.DataFrame) -> dict[str, Prints]:
    """Statement -> its prints.

    A copy without a date is not known before the statement that it copies (a rule of the ledger), unless the ledger
    knows it before that.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in records(rows):
        found.setdefault(row["statement"], []).append(row)
    return {statement: _of_statement(same) for statement, same in found.items()}


def _of_statement(same: Sequence[Mapping[str, Any]]) -> Prints:
    days = {row["claim_id"]: _first_day(row) for row in same}
    earliest = min((day for day in days.values() if day is not None), default=None)
    known = {row["claim_id"]: _known(row) for row in same}
    may_be_first = [
        row
        for row in same
        if days[row["claim_id"]] is None
        and (earliest is None or row["restates"] == "" or known[row["claim_id"]] < earliest)
    ]
    return Prints(tuple(days), earliest, min(known.values()), bool(may_be_first))


def _first_day(row: Mapping[str, Any]) -> date | None:
    """The first day on which a print may have been read; None when neither its date nor its note says it."""
    if row["claim_id"] in MADE:
        return MADE[row["claim_id"]].first_day
    text = str(row["source_date"] or "")
    return min(date.fromisoformat(span(text)[0]), row["known_date"].date()) if text else None


def _known(row: Mapping[str, Any]) -> date:
    """The day by which a print was read."""
    made = MADE.get(row["claim_id"])
    known: date = row["known_date"].date()
    return made.published if made is not None and made.published is not None else known


def _unscored(row: Mapping[str, Any], reason: str) -> Unscored:
    return Unscored(row["claim_id"], row["metric"], row["segment"], row["origin"], row["period_end"].date(), reason)


def _intervals(rows: pd.DataFrame, claims: list[str], view: pd.DataFrame) -> dict[str, Observations]:
    """Claim -> its interval: what keeps a forecast out of a likelihood is not its digits."""
    chosen = rows[rows["claim_id"].isin(claims)]
    plain = as_printed(chosen).assign(kind="actual", use="model", restates="")
    found = observations.to_cny(observations.intervals(plain), view)
    return {str(found.claim_id[k]): found.where(np.array([k])) for k in range(len(found))}


def as_printed(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Rows of forecasts whose printed number counts as it stands, also after "more than" or "nearly".

    As evidence "nearly 200" leaves everything from 100 to 200 open; its author, who will be held to it, said 200.
    """
    open_ended = ~forecasts["relation"].isin(["eq", "between"])
    return forecasts.assign(relation=forecasts["relation"].mask(open_ended, "eq"))


def _forecast(row: Mapping[str, Any], interval: Observations, prints: Prints) -> PublishedForecast:
    end = row["period_end"].date()
    return PublishedForecast(
        claim_id=row["claim_id"],
        metric=row["metric"],
        segment=row["segment"],
        origin=row["origin"],
        grade=row["grade"],
        first_day=None if prints.undated else prints.earliest,
        published=prints.published,
        start=end if pd.isna(row["period_start"]) else row["period_start"].date(),
        end=end,
        row=interval,
        copies=tuple(claim for claim in prints.claims if claim != row["claim_id"]),
    )
