"""The parts of the track record on forecasts that others published: who was right, and what we would have said."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.league import OUTCOME
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.reporting.blocks import Block, Chart, DataTable, Heading, Paragraph, Table, TableBlock, Value
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import multiple, percent

Values = dict[str, Value | str | int | float]

WORST = 8
"""Published forecasts that are shown at once; the folded table holds all."""

CLOSE = 1.25
"""Factor within which a forecast counts as close."""


def factor(error: np.ndarray) -> Value:
    """Draws of an error as a factor."""
    return multiple(error[0]) if len(error) == 1 else parts.value(np.exp(error), "multiple")


def quantity(one: Any) -> str:
    """What a forecast is about: a text key, or a company's name, which stands for its revenue."""
    if one.metric == "market_size":
        return f"@definition.{one.definition}"
    if one.metric == "revenue":
        return parts.origin_name(one.segment)
    return f"@review.quantity.{one.metric}.{one.segment}"


def period(one: Any) -> str:
    """A calendar year by its number, everything else by its last day."""
    return str(one.end.year) if one.end == date(one.end.year, 12, 31) else one.end.isoformat()


def came(one: Any) -> Value:
    """What came, with its interval unless it was counted."""
    return parts.printed(one.came[0], one.unit) if len(one.came) == 1 else parts.value(one.came, one.unit)


def claims(found: pd.DataFrame) -> tuple[str, ...]:
    """The forecasts and what they are held against."""
    pairs = zip(found["claim_id"], found["claims"], strict=True)
    return tuple(dict.fromkeys(claim for said, came in pairs for claim in (said, *came)))


SAID: parts.Cells = (
    ("origin", "record.column.publisher", None, lambda one: parts.origin_name(one.publisher)),
    ("published_on", "column.published_on", None, lambda one: one.published.isoformat()[:7]),
    ("quantity", "record.column.quantity", None, quantity),
    ("period", "record.column.period", None, period),
    ("forecast", "record.column.forecast", None, lambda one: parts.printed(one.value, one.unit)),
)

# The row of the ledger is one column more than a screen has room for, and the sources name it anyway.
WORST_COLUMNS: parts.Cells = (
    *SAID,
    ("came", "record.column.came", None, came),
    ("ratio", "record.column.ratio", "multiple", lambda one: factor(one.error)),
    ("verdict", "record.column.verdict", None, lambda one: f"@record.verdict.{one.verdict}"),
)

LEAGUE: parts.Cells = (
    *WORST_COLUMNS,
    ("judge", "record.column.judge", None, lambda one: f"@record.judge.{one.kind}"),
    ("ours", "record.column.ours_ratio", "multiple", lambda one: None if one.why_not else factor(one.our_error)),
    ("claim_id", "column.claim_id", None, lambda one: one.claim_id),
)

PAIRS: parts.Cells = (
    *SAID,
    ("made", "rivals.made", None, lambda one: one.forecast_date),
    ("ours", "record.column.ours", None, parts.said),
    ("came", "record.column.came", None, came),
    ("closer", "record.column.closer", "probability", lambda one: parts.chance(one.closer)),
)

PUBLISHERS: parts.Cells = (
    SAID[0],
    ("number", "record.column.forecasts", None, lambda one: one.number),
    ("outcomes", "record.column.outcomes", None, lambda one: one.outcomes),
    ("absolute", "record.column.absolute", "multiple", lambda one: multiple(one.absolute)),
    ("lean", "record.column.lean", "multiple", lambda one: multiple(one.lean)),
    ("high", "record.column.high", None, lambda one: one.high),
    ("low", "record.column.low", None, lambda one: one.low),
    ("typical", "record.column.typical", "multiple", lambda one: multiple(*_typical(one))),
    ("better", "record.column.better", "probability", lambda one: parts.chance(one.better)),
)

REASONS: parts.Cells = (
    ("reason", "record.column.reason", None, lambda row: f"@record.reason.{row[0]}"),
    ("rows", "record.column.forecasts", None, lambda row: row[1]),
)


def _typical(one: Any) -> tuple[float, float, float]:
    return one.typical, one.typical_low, one.typical_high


def league(record: TrackRecord) -> list[Block]:
    """Who was right, how far off, in which direction: by publisher and one by one."""
    found, publishers = record.league, record.publishers
    if found.empty:
        return [Heading(key="record.league"), Paragraph(key="record.league_none"), *_unscored(record)]
    kinds = found["kind"].value_counts()
    judges: Values = {kind: int(kinds.get(kind, 0)) for kind in ("count", "estimate", "between", "inferred")}
    alone: Values = {"publishers": len(publishers), "alone": int((publishers["occasions"] == 1).sum())}
    return [
        Heading(key="record.league"),
        Paragraph(key="record.league_text", values=_values(found), sources=claims(found)),
        Paragraph(key="record.league_judge", values=judges),
        _table("record_worst_published", found.head(WORST), WORST_COLUMNS, folded=False),
        Heading(key="record.publishers", level=3),
        Paragraph(key="record.publishers_text", values=alone),
        _publisher_chart(publishers),
        parts.table(
            "record_publisher_table",
            publishers,
            PUBLISHERS,
            sources=tuple(publishers["claims"].explode()),
            folded=True,
        ),
        _table("record_league", found, LEAGUE),
        *_unscored(record),
    ]


def typical_error(errors: pd.Series) -> Value:
    """The median absolute error as a factor."""
    return multiple(np.median(errors.abs()))


def verdicts(found: pd.DataFrame) -> Values:
    """How many were too high and too low for sure, and how many may be either."""
    return {verdict: int((found["verdict"] == verdict).sum()) for verdict in ("high", "low", "open")}


def _values(found: pd.DataFrame) -> Values:
    errors = found["median_error"].abs()
    return {
        "number": len(found),
        "publishers": found["publisher"].nunique(),
        "outcomes": len(found[OUTCOME].drop_duplicates()),
        "factor": typical_error(errors),
        "close": int((errors <= np.log(CLOSE)).sum()),
        "bound": percent(CLOSE - 1.0),
        "double": int((errors >= np.log(2.0)).sum()),
        **verdicts(found),
    }


def _table(name: str, found: pd.DataFrame, columns: parts.Cells, *, folded: bool = True) -> TableBlock:
    extra = {"title_values": {"number": len(found)}, "sources": claims(found), "folded": folded}
    return parts.table(name, found, columns, **extra)


def _publisher_chart(publishers: pd.DataFrame) -> Chart:
    ends = [(parts.origin_name(one.publisher), *np.exp(_typical(one)).tolist()) for one in rows(publishers)]
    pairs = list(combinations(ends, 2))
    overlap = sum(a[2] <= b[3] and b[2] <= a[3] for a, b in pairs)
    return Chart(
        id="record_publishers",
        kind="dots",
        title_key="chart.record_publishers.title",
        alt_key="chart.record_publishers.alt",
        alt_values={
            "first": ends[0][0],
            "last": ends[-1][0],
            "number": len(ends),
            "overlap": overlap,
            "pairs": len(pairs),
        },
        unit="multiple",
        data=Table(columns=("category", "value", "low", "high"), rows=tuple(ends)),
        sources=tuple(publishers["claims"].str[0]),
    )


def _unscored(record: TrackRecord) -> list[Block]:
    """What is not scored, and why: counts on the page, the whole list as a file."""
    left = record.unscored
    if left.empty:
        return []
    # Of equal counts the reason that comes first.
    counts = left.groupby("reason", sort=False).size().sort_values(ascending=False, kind="stable")
    whole = left.assign(origin=left["publisher"].map(parts.origin_name), period_end=left["end"].map(date.isoformat))
    columns = ("claim_id", "metric", "segment", "origin", "period_end", "reason")
    lines = tuple(whole[list(columns)].itertuples(index=False, name=None))
    return [
        parts.table("record_unscored_reasons", counts.items(), REASONS, note_key=None, folded=True),
        DataTable(
            id="record_unscored",
            key="record.unscored_file",
            values={"number": len(lines)},
            data=Table(columns=columns, rows=lines),
        ),
    ]


def same_day(record: TrackRecord) -> list[Block]:
    """What our models would have said on the day of each published forecast, and who was nearer."""
    heading = Heading(key="record.same_day")
    if record.same_day is None:
        return [heading, Paragraph(key="record.same_day_none")]
    why: Values = {name: int((record.league["why_not"] == name).sum()) for name in ("undated", "early", "nothing")}
    shown: list[Block] = [heading, Paragraph(key="record.same_day_text", values=_duel(record.same_day) | why)]
    if record.same_day_by_consensus is not None:
        shown.append(Paragraph(key="record.same_day_others", values=_duel(record.same_day_by_consensus)))
    pairs = record.league[record.league["why_not"] == ""]
    by_day = pairs.sort_values(["published", "claim_id"])
    extra = {"title_values": {"number": len(pairs)}, "sources": claims(pairs), "folded": True}
    return [*shown, parts.table("record_same_day", by_day, PAIRS, **extra)]


def _duel(duel: dict[str, Any]) -> Values:
    return {
        "number": duel["number"],
        "outcomes": duel["outcomes"],
        "closer": percent(duel["closer"], duel["low"], duel["high"]),
        "ours": multiple(duel["ours"]),
        "theirs": multiple(duel["theirs"]),
        "inside": duel["held"],
    }
