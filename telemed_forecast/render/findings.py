"""What a chart's title may say, computed from the frame that the chart shows: where it ends, what is largest.

The catalogue writes the sentence (`exhibit.<name>.finding`); these are the numbers and labels that it may name:

a fan
    `now` (`known`) and `then` (`end`), `moves`, `growth` a year; `later`, what was published after the forecast was
    made, on `later_day`, and what the forecast had said of it, `said`
lines
    the last number of each series by the series' name; of all, `top` and `bottom` with `top_value`, `bottom_value`
items
    each item's number by its name where names are plain; `top` with its numbers; how many there are (`items`), how many
    intervals lie off the reference (`apart`), and of pairs how many intervals held what came (`held`)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telemed_forecast.exhibits.exhibit import records
from telemed_forecast.exhibits.values import Fact, Value

if TYPE_CHECKING:
    from telemed_forecast.render.readable import Readable, Row

STEADY = 0.02
"""A change of less than that is none to speak of."""

_AMOUNTS = ("persons", "hospitals", "consultations", "CNY_million", "USD_million")
_SUM = "total"


def found(shown: Readable) -> dict[str, Fact]:
    """Facts of a chart by name."""
    finders = {"fan": _fan, "lines": _lines, "panels": _lines, "bars": _bars, "dots": _dots, "slopes": _slopes}
    rows = records(shown.exhibit.frame)
    return finders[shown.look.kind](shown, rows) if rows and shown.look.kind in finders else {}


def _fan(shown: Readable, rows: Sequence[Row]) -> dict[str, Fact]:
    by_day = {row["period"]: row for row in rows}
    last, known = rows[-1], shown.exhibit.facts.get("known")
    facts: dict[str, Fact] = {"then": _spread(shown, last), "end": last["period"], "year": int(last["period"][:4])}
    if known in by_day:
        now = by_day[known]
        facts |= {"now": _spread(shown, now), "known_year": int(str(known)[:4])}
        facts |= _moved(shown, now["median"], last["median"], int(last["period"][:4]) - int(str(known)[:4]))
    return facts | _said_before(shown, rows)


def _moved(shown: Readable, now: float, then: float, years: int) -> dict[str, Fact]:
    """Whether a number rises, and by how much a year."""
    change = then / now - 1.0 if now > 0 else 0.0
    way = "up" if change > STEADY else "down" if change < -STEADY else "flat"
    facts: dict[str, Fact] = {"moves": f"@moves.{way}"}
    if now > 0 and years > 0 and shown.unit in _AMOUNTS:
        rate = 100.0 * ((then / now) ** (1.0 / years) - 1.0)
        facts["growth"] = Value(value=rate, unit="percent", digits=2)
    return facts


def _said_before(shown: Readable, rows: Sequence[Row]) -> dict[str, Fact]:
    """The newest figure published for a day after the forecast was made, and what the forecast had said of that day."""
    as_of, points = shown.exhibit.as_of, shown.exhibit.layers.get("points")
    if as_of is None or points is None:
        return {}
    ahead = [
        row for row in records(points) if row["period"] > as_of.isoformat() and None not in (row["low"], row["high"])
    ]
    if not ahead:
        return {}
    newest = max(ahead, key=lambda row: row["period"])
    near = min(rows, key=lambda row: abs(_day(row["period"]) - _day(newest["period"])))
    middle = (newest["low"] + newest["high"]) / 2
    return {"later": _plain(shown, middle, 4), "later_day": newest["period"], "said": _spread(shown, near)}


def _lines(shown: Readable, rows: Sequence[Row]) -> dict[str, Fact]:
    last = {row["series"]: row for row in sorted(rows, key=lambda row: row["period"])}
    facts: dict[str, Fact] = {_plain_name(name): _number(shown, row) for name, row in last.items()}
    order = sorted(last, key=lambda name: -last[name]["value"])
    for end, name in (("top", order[0]), ("bottom", order[-1])):
        facts |= {end: _label(shown, "series", name), f"{end}_value": _number(shown, last[name])}
    end = max(row["period"] for row in rows)
    facts |= {"end": end, "year": int(end[:4])} if isinstance(end, str) else {"reach": float(end)}
    return facts


def _bars(shown: Readable, rows: Sequence[Row]) -> dict[str, Fact]:
    parts = [row for row in rows if row["category"] != _SUM] or rows
    largest = max(parts, key=lambda row: abs(row["value"]))["category"]
    values = [row["value"] for row in parts if row["category"] == largest]
    return {
        "items": len({row["category"] for row in parts}),
        "top": _label(shown, "category", largest),
        "top_value": _plain(shown, max(values, key=abs)),
        "top_low": _plain(shown, min(values)),
        "top_high": _plain(shown, max(values)),
    }


def _dots(shown: Readable, rows: Sequence[Row]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {_plain_name(row["category"]): _number(shown, row) for row in rows}
    reference = shown.reference
    spans = [(row["low"], row["high"]) for row in rows if row.get("low") is not None and row.get("high") is not None]
    apart = sum(low > reference or high < reference for low, high in spans) if reference is not None else None
    return {**facts, "items": len(rows), "apart": apart}


def _slopes(shown: Readable, rows: Sequence[Row]) -> dict[str, Fact]:
    said = {row["category"]: row for row in rows if row["low"] is not None}
    came = {row["category"]: row["value"] for row in rows if row["low"] is None}
    both = [name for name in said if name in came]
    held = sum(said[name]["low"] <= came[name] <= said[name]["high"] for name in both)
    return {"items": len(both), "held": held}


def _number(shown: Readable, row: Row) -> Value:
    low, high = row.get("low"), row.get("high")
    if low is None or high is None or low == high:
        return _plain(shown, row["value"])
    return Value(value=row["value"], unit=shown.unit, low=low, high=high)


def _spread(shown: Readable, row: Row) -> Value:
    return Value(value=row["median"], unit=shown.unit, low=row["low80"], high=row["high80"])


def _plain(shown: Readable, number: float, digits: int = 2) -> Value:
    return Value(value=number, unit=shown.unit, digits=digits)


def _label(shown: Readable, column: str, name: str) -> str:
    """A label as the catalogue's words name it."""
    words = shown.look.words.get(column, "")
    return f"@{words}.{name}" if words and not name.startswith("@") else name


def _plain_name(label: str) -> str:
    """A label as the name of a fact: the last part of a text's key."""
    return re.sub(r"\W", "_", label.rsplit(".", 1)[-1])


def _day(day: Any) -> int:
    year, month, of_month = (int(part) for part in str(day).split("-"))
    return 372 * year + 31 * month + of_month
