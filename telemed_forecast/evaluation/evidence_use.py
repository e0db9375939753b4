"""Which published figure was used by which model, and why every other one was not.

A row of grade A to C that speaks of a modelled quantity is either in the evidence of a fit or has a written reason:
a rule of the curation (a copy, a forecast, context), a line of ``modelled.csv``, or a period that the model cannot
see. A row with neither is *undecided*, which is a fault.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import pandas as pd

from telemed_forecast.errors import TelemedError
from telemed_forecast.evidence import dictionary, observations
from telemed_forecast.evidence.rows import records
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Forecast

GRADES = ("A", "B", "C")
"""Grades that can be evidence; D is unsourced."""

UNDECIDED = ""
"""Reason of a row that was neither used nor decided on."""

WHOLE_YEAR = 365
"""Days of the shortest period that a yearly flow is compared with."""

_CURATED = {
    "restates": "copy",
    "forecast": "forecast",
    "context": "context",
    "excluded": "excluded",
    "no period": "undated",
}
"""How the reasons of `observations.left_out` begin, and their names here."""


def table(context: Context, results: Mapping[str, Forecast]) -> pd.DataFrame:
    """What became of every row of grade A to C that speaks of a modelled quantity (`decided`), by all forecasts."""
    claims = {name: MARKETS[name].claims(context, result) for name, result in results.items()}
    return decided(context.view, claims, {name: result.first_day for name, result in results.items()})


def decided(view: pd.DataFrame, claims: Mapping[str, Collection[str]], starts: Mapping[str, date]) -> pd.DataFrame:
    """What became of every row of grade A to C that speaks of a modelled quantity.

    `claims` are the ids of the rows that entered, `starts` the first day of the model, by report.

    Returns
    -------
    claim_id, metric, segment, period_start, period_end, origin, grade, report (whose model the quantity belongs to),
    used_by (reports, separated by blanks), reason (empty for a row that was used, and for one that is undecided),
    explanation; in the ledger's order.
    """
    lines = _lines()
    known = view[view["metric"].isin(list(lines))]
    rows = known[known["grade"].isin(GRADES)]
    curated: dict[Any, Any] = observations.left_out(known).set_index("claim_id")["reason"].to_dict()
    kinds: dict[Any, Any] = dictionary.segments()["kind"].to_dict()
    measures: dict[Any, Any] = dictionary.metrics()["measure"].to_dict()
    columns = ("claim_id", "metric", "segment", "period_start", "period_end", "origin", "grade")
    found = []
    for row in records(rows):
        line = _line(lines[row["metric"]], row, kinds)
        used_by = [name for name in MARKETS if row["claim_id"] in claims.get(name, ())]
        yearly = measures[row["metric"]] == "flow"
        why = (UNDECIDED, "") if used_by else _reason(row, line, curated, starts, yearly)
        found.append((*(row[name] for name in columns), line["report"], " ".join(used_by), *why))
    return pd.DataFrame(found, columns=[*columns, "report", "used_by", "reason", "explanation"])


def undecided(uses: pd.DataFrame) -> pd.DataFrame:
    """The rows of `decided` that were neither used nor left out for a reason: there must be none."""
    return uses[(uses["used_by"] == "") & (uses["reason"] == UNDECIDED)]


def counts(uses: pd.DataFrame) -> pd.DataFrame:
    """Rows by report: total, used, and left out by reason.

    Returns
    -------
    report, reason ("used" for the rows that were), rows; reports in their order, the most frequent first.
    """
    reason = uses["reason"].where(uses["used_by"] == "", "used")
    found = uses.assign(reason=reason).groupby(["report", "reason"]).size().rename("rows").reset_index()
    order = {name: k for k, name in enumerate(MARKETS)}
    return (
        found.assign(place=found["report"].map(order), first=found["reason"] != "used")
        .sort_values(["place", "first", "rows", "reason"], ascending=[True, True, False, True])
        .drop(columns=["place", "first"])
        .reset_index(drop=True)
    )


def _lines() -> dict[str, dict[str, dict[str, str]]]:
    """The lines of ``modelled.csv``: metric -> segments -> line."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for line in records(dictionary.modelled()):
        found.setdefault(line["metric"], {})[line["segments"]] = line
    return found


def _line(lines: Mapping[str, dict[str, str]], row: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, str]:
    """The most particular line for a row; a segment that no line speaks of is modelled without a reason."""
    segment = row["segment"]
    for name in (f"claim:{row['claim_id']}", segment, f"kind:{kinds.get(segment)}", "*"):
        if name in lines:
            return lines[name]
    first = next(iter(lines.values()))
    return {"report": first["report"], "reason": UNDECIDED, "explanation": ""}


def _reason(
    row: Mapping[str, Any],
    line: Mapping[str, str],
    curated: Mapping[str, str],
    starts: Mapping[str, date],
    yearly: bool,
) -> tuple[str, str]:
    """Why a row was not used: the curation's reason, then the line's, then what its period says."""
    if row["claim_id"] in curated:
        return _of_curation(row, curated[row["claim_id"]])
    if line["reason"]:
        return line["reason"], line["explanation"]
    start = starts.get(line["report"])
    if start is not None and row["period_end"] < pd.Timestamp(start):
        return "before_grid", f"the model's history begins on {start.isoformat()}"
    if yearly and (row["period_end"] - row["period_start"]).days + 1 < WHOLE_YEAR:
        return "short_period", "the model's periods are whole years"
    return UNDECIDED, ""


def _of_curation(row: Mapping[str, Any], text: str) -> tuple[str, str]:
    """The name of a reason of the curation, and what it says of the row."""
    for start, name in _CURATED.items():
        if text.startswith(start):
            return name, str(row["restates"] if name == "copy" else row["use_reason"])
    raise TelemedError(f"{row['claim_id']}: no name for the reason {text!r}")
