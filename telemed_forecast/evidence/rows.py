"""What must hold within a field, within a row and between rows of the ledger."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from telemed_forecast.errors import Fault
from telemed_forecast.evidence import decisions, dictionary
from telemed_forecast.evidence.days import span
from telemed_forecast.evidence.tables import nearest

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

_SIGNED = ("profit", "margin")
"""Words in the names of metrics that may be negative without being a change."""

_LARGEST = 1e15
"""No figure in any unit of the ledger is larger: it is ten times the yearly output of China in yuan."""

_FIRST_DAY, _LAST_DAY = "1900-01-01", "2100-12-31"
_WEB = re.compile(r"https?://[^\s<>\"]+")
_FILE = re.compile(r"[\w.-]+\.\w+")


def fill_use(frame: pd.DataFrame) -> pd.DataFrame:
    """Fill an empty `use`: forecasts are to be scored, grade D is excluded, all else is for models."""
    empty = frame["use"] == ""
    forecast, weak = frame["kind"] == "forecast", frame["grade"] == "D"
    frame.loc[empty, "use"] = "model"
    frame.loc[empty & weak, ["use", "use_reason"]] = ["excluded", "grade D"]
    frame.loc[empty & forecast, ["use", "use_reason"]] = ["forecast", "published before the period ended"]
    return frame


def records(text: pd.DataFrame) -> list[Row]:
    """The rows as dictionaries from column to value."""
    return [{str(name): value for name, value in row.items()} for row in text.to_dict("records")]


def faults(text: pd.DataFrame, *, earlier: Sequence[Row] = ()) -> list[Fault]:
    """Find every fault of a claims table: rows as text with `_file` and `_line`.

    `earlier` are rows that are right already (`records`); the new rows may restate them and must not reuse their names.
    """
    metrics = {row["metric"]: row for row in records(dictionary.metrics().reset_index())}
    segments = sorted(dictionary.segments().index)
    by_id = {row["claim_id"]: row for row in earlier}
    rows = records(text)
    found: list[Fault] = []
    for row in rows:
        for faults_of in (_figure, _days, _use, _address, _site):
            found += faults_of(row)
        found += _vocabulary(row, metrics, segments)
        found += _size(row, metrics.get(row["metric"]))
        first = by_id.setdefault(row["claim_id"], row)
        if first is not row:
            place = f"{first['_file']}, row {first['_line']}"
            found.append(_fault(row, "claim_id", f"a name not used before; {place} has it too"))
    for row in rows:
        found += _restates(row, by_id)
    # What is said of a row says more than what is said of its field alone.
    told = {(fault.file, fault.row, fault.column) for fault in found}
    return [f for f in _fields(text, rows) if (f.file, f.row, f.column) not in told] + found


def _fault(row: Row, column: str, expected: str) -> Fault:
    return Fault(file=row["_file"], row=int(row["_line"]), column=column, value=row[column], expected=expected)


def _fields(text: pd.DataFrame, rows: Sequence[Row]) -> Iterator[Fault]:
    """Fields that are not of their type; each different text is looked at once."""
    for name, field in dictionary.claim_fields().items():
        wrong = {value for value in text[name].unique() if not dictionary.holds(field, value)}
        yield from (_fault(row, name, dictionary.describe(field)) for row in rows if row[name] in wrong)


def _number(text: str) -> float | None:
    """The number of a field; None where it holds no finite one (the field's own check reports that)."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _vocabulary(row: Row, metrics: dict[str, Row], segments: Sequence[str]) -> Iterator[Fault]:
    metric = metrics.get(row["metric"])
    if metric is not None:
        units = metric["unit"].split("|")
        if row["unit"] not in units:
            yield _fault(row, "unit", f"{' or '.join(units)}, the unit of {row['metric']}")
        if row["topic"] != metric["topic"]:
            yield _fault(row, "topic", f"{metric['topic']}, the topic of {row['metric']}")
        value = _number(row["value"])
        share = metric["measure"] == "ratio" and row["unit"] == "percent"
        bounded = share and not row["metric"].startswith("gross_margin")
        if bounded and value is not None and not 0 <= value <= 100:
            yield _fault(row, "value", "a share between 0 and 100 percent")
    elif row["metric"]:
        yield _fault(row, "metric", "a metric of metrics.csv" + nearest(row["metric"], list(metrics)))
    if row["segment"] and row["segment"] not in segments:
        yield _fault(row, "segment", "a segment of segments.csv" + nearest(row["segment"], segments))


def _figure(row: Row) -> Iterator[Fault]:
    """A range has low <= high and no value; everything else has a value and no range."""
    between = row["relation"] == "between"
    needed, others = (("low", "high"), ("value",)) if between else (("value",), ("low", "high"))
    is_not = "is" if between else "is not"
    for column in needed:
        if row[column] == "":
            yield _fault(row, column, f"a number, because relation is {row['relation']}")
    for column in others:
        if row[column] != "":
            yield _fault(row, column, f"nothing, because relation {is_not} between")
    low, high = _number(row["low"]), _number(row["high"])
    if between and low is not None and high is not None and low > high:
        yield _fault(row, "low", f"at most high, which is {row['high']}")


def _size(row: Row, metric: Row | None) -> Iterator[Fault]:
    """No figure is beyond all reason, none is negative but a change or a profit, and none that is fitted is nothing."""
    signed = metric is None or metric["measure"] == "growth" or any(word in row["metric"] for word in _SIGNED)
    fitted = row["use"] == "model" and row["metric"] not in _shown_only()
    for column in ("value", "low", "high"):
        value = _number(row[column])
        if value is None:
            continue
        if not abs(value) <= _LARGEST:
            yield _fault(row, column, f"a number up to {_LARGEST:g}")
        elif value < 0 and not signed:
            yield _fault(row, column, f"0 or more, because {row['metric']} is no change and no profit")
        elif value == 0 and column != "low" and not signed and fitted:
            yield _fault(row, column, "more than 0, because models take its logarithm; or use = context with a reason")


def _days(row: Row) -> Iterator[Fault]:
    """Periods run forward, and nothing but a forecast is known or published before its period ended."""
    start, end, known = (_day(row[name]) for name in ("period_start", "period_end", "known_date"))
    if start and end and start > end:
        yield _fault(row, "period_start", f"a day not after period_end, which is {end}")
    for column in ("period_start", "period_end", "known_date"):
        day = _day(row[column])
        if day and not _FIRST_DAY <= day <= _LAST_DAY:
            yield _fault(row, column, f"a day from {_FIRST_DAY} to {_LAST_DAY}")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    if known and today < known <= _LAST_DAY:
        yield _fault(row, "known_date", f"a day not after today, {today}: nobody knows the figure yet")
    for column in ("period_start", "period_end"):
        if row["use"] == "model" and row[column] == "":
            yield _fault(row, column, "a date, because use is model (context needs none)")
    published = ""
    if row["source_date"]:
        try:
            published = span(row["source_date"])[1]
        except ValueError:
            yield _fault(row, "source_date", "a day of the calendar, such as 2021, 2021-12 or 2021-12-31")
    if row["kind"] in ("actual", "estimate") and end:
        if known and known < end:
            expected = f"a day not before period_end, which is {end}, unless kind is forecast"
            yield _fault(row, "known_date", expected)
        if published and published < end:
            expected = f"forecast, because source_date {row['source_date']} is before period_end {end}"
            yield _fault(row, "kind", expected)


def _day(text: str) -> str:
    """The text when it is an ISO date of the calendar, else nothing (the field's own check reports it)."""
    try:
        return span(text)[0] if len(text) == len("2021-12-31") else ""
    except ValueError:
        return ""


def _use(row: Row) -> Iterator[Fault]:
    forecast = row["kind"] == "forecast"
    if forecast != (row["use"] == "forecast"):
        yield _fault(row, "use", "forecast" if forecast else "model, context or excluded: kind is no forecast")
    elif row["grade"] == "D" and row["use"] in ("model", "context"):
        yield _fault(row, "use", "excluded, because grade is D")
    if row["use"] in ("context", "excluded") and row["use_reason"] == "":
        yield _fault(row, "use_reason", "a reason, because use is not model")


def _address(row: Row) -> Iterator[Fault]:
    """An address can be followed: that of a web page, or the name of a founding article's file."""
    if row["url"] and not _FILE.fullmatch(row["url"]) and not (_WEB.fullmatch(row["url"]) and _host(row["url"])):
        yield _fault(row, "url", "an address such as https://example.org/page without blanks, or nothing")


def _host(url: str) -> str:
    """The host of an address; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _site(row: Row) -> Iterator[Fault]:
    """No row links to a site that only copies, and what a report mill prints is unsourced."""
    host = _host(row["url"])
    site = _doubtful().get(host)
    if site is None:
        return
    if site["kind"] != "mill":
        original = f", such as that at {site['original']}" if site["original"] else ""
        yield _fault(row, "url", f"nothing, or the address of the original{original}: {host} {site['reason']}")
    elif row["grade"] != "D":
        yield _fault(row, "grade", f"D, because {host} {site['reason']}")


@cache
def _doubtful() -> dict[str, decisions.Row]:
    return {row["host"]: row for row in decisions.rows("doubtful_sites")}


@cache
def _shown_only() -> frozenset[str]:
    """Metrics of a report none of whose rows a model reads."""
    table = dictionary.modelled()
    return frozenset(table["metric"]) - frozenset(table.loc[table["reason"] == "", "metric"])


_STATEMENT = ("metric", "segment", "unit")


def said_twice(text: pd.DataFrame, *, earlier: Sequence[Row] = ()) -> list[str]:
    """Point out rows (as for :func:`faults`) that say what another primary row says, and so would count twice.

    Held against figures of the same voice and period, and of any other in that year when the digits are telling.
    """
    first: dict[tuple[object, ...], Row] = {}
    found = []
    for number, row in enumerate((*earlier, *records(text))):
        figure = tuple(_number(row[column]) for column in ("value", "low", "high"))
        if row["restates"] or row["use"] != "model" or not any(figure):
            continue
        said = (*(row[column] for column in _STATEMENT), *figure)
        keys = [(*said, row["origin"], row["period_start"], row["period_end"])]
        if _digits(row["value"]) >= _TELLING:  # a copy often gives another day of the year
            keys.append((*said, row["period_end"][:4]))
        same = next((first[key] for key in keys if key in first), row)
        for key in keys:
            first.setdefault(key, row)
        if same is not row and number >= len(earlier):
            place = f"{same['claim_id']} ({same['_file']}, row {same['_line']})"
            found.append(
                f"{row['_file']}, row {row['_line']}: says the same as {place}; if it repeats it, name it in restates"
            )
    return found


_TELLING = 3
"""Digits of a figure by which it is known: two voices that count for themselves hardly agree in so many."""


def _digits(text: str) -> int:
    """Significant digits of a printed number."""
    return len(text.lower().split("e")[0].lstrip("-0.").replace(".", "").rstrip("0"))


def _restates(row: Row, by_id: dict[str, Row]) -> Iterator[Fault]:
    name = row["restates"]
    if not name:
        return
    primary = by_id.get(name)
    if primary is None:
        yield _fault(row, "restates", "the claim_id of a row" + nearest(name, list(by_id)))
    elif primary["claim_id"] == row["claim_id"]:
        yield _fault(row, "restates", "another row than itself")
    elif primary["restates"]:
        yield _fault(row, "restates", f"a primary row; this one restates {primary['restates']!r}")
    else:
        for column in ("metric", "segment", "period_end"):
            if primary[column] != row[column]:
                yield _fault(row, column, f"{primary[column]}, as in the row it restates ({name})")
        if primary["grade"] > row["grade"]:
            yield _fault(row, "grade", f"not above {primary['grade']}, the grade of the row it restates ({name})")
        if (primary["kind"] == "forecast") != (row["kind"] == "forecast"):
            yield _fault(row, "kind", f"{primary['kind']}, as in the row it restates ({name})")
