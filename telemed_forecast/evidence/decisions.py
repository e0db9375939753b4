"""Decisions about the evidence that stand in tables beside the ledger, each with its reason.

A table is checked when it is read: types and vocabularies as the data dictionary has them, keys, rows of the ledger and
policy events that exist, and what the fields of one line say together. Read without pandas, because modules that name
what they show read them when they are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from telemed_forecast.errors import Fault, InputError
from telemed_forecast.evidence import citations, dictionary, tables
from telemed_forecast.paths import EVIDENCE, ROOT

Row = Mapping[str, str]

DEFINITIONS = ("consultation", "services", "healthcare", "pharmacy")
"""Scopes of a published market size that the market's model has; any other says what the size is instead."""


def rows(name: str) -> tuple[Row, ...]:
    """The rows of a table of the data package, in its order; an `InputError` has every fault of the table."""
    found, wrong = _shipped(name)
    if wrong:
        raise InputError(wrong, f"{len(wrong)} fault(s) in the decisions on the evidence")
    return found


def shown(name: str) -> tuple[str, ...]:
    """Claims (or policy events) of a list of ``shown.csv``, in its order."""
    return tuple(row["cites"] for row in _list(name))


def labels(name: str) -> Mapping[str, str]:
    """Claims of a list of ``shown.csv`` and the label that each has there."""
    return MappingProxyType({row["cites"]: row["label"] for row in _list(name)})


def parts(name: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Statements of a list of ``shown.csv`` that are made of several claims: label -> part -> claims."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in _list(name):
        sides = found.setdefault(row["label"], {})
        sides[row["part"]] = (*sides.get(row["part"], ()), row["cites"])
    return MappingProxyType(found)


def scopes() -> Mapping[str, str]:
    """What a published market size covers: segment, or ``claim:<claim_id>`` for a single row -> scope."""
    return MappingProxyType({row["segments"]: row["scope"] for row in rows("modelled") if row["scope"]})


def faults() -> list[Fault]:
    """Every fault of every table beside the ledger, in the order of the data package."""
    return [fault for name in _names() for fault in _shipped(name)[1]]


def check(name: str, file: Path, *, said: str | None = None) -> tuple[tuple[Row, ...], tuple[Fault, ...]]:
    """Read a file as one of the tables: its rows, and every fault; messages call the file by `said`."""
    table = tables.read(file, name=said)
    schema = dictionary.resource(name)["schema"]
    fields = {field["name"]: field for field in schema["fields"]}
    if table.header and table.header != tuple(fields):
        expected = "the columns " + ", ".join(fields)
        return (), (*table.faults, Fault(file=table.file, row=1, value=", ".join(table.header), expected=expected))
    found = tuple(dict(zip(table.header, row, strict=True)) for row in table.rows)
    wrong = list(table.faults)
    seen: dict[tuple[str, ...], int] = {}
    for line, row in zip(table.lines, found, strict=True):
        told = {c: dictionary.describe(field) for c, field in fields.items() if not dictionary.holds(field, row[c])}
        told |= {c: expected for c, expected in _unknown(row) if c not in told}
        told |= {c: expected for c, expected in _RULES.get(name, lambda _: ())(row) if c not in told}
        if key := schema.get("primaryKey"):
            first = seen.setdefault(tuple(row[column] for column in key), line)
            if first != line:
                told.setdefault(key[-1], f"a line of its own; row {first} has the same {', '.join(key)}")
        wrong += [
            Fault(file=table.file, row=line, column=column, value=row[column], expected=expected)
            for column, expected in told.items()
        ]
    return found, tuple(wrong)


def _list(name: str) -> list[Row]:
    found = [row for row in rows("shown") if row["list"] == name]
    if not found:
        known = sorted({row["list"] for row in rows("shown")})
        raise InputError([Fault(file="shown.csv", column="list", value=name, expected=f"one of {', '.join(known)}")])
    return found


def _names() -> list[str]:
    """The tables of the data package that hold no claims."""
    return [item["name"] for item in dictionary.package()["resources"] if item["name"] not in dictionary.topics()]


@cache
def _shipped(name: str) -> tuple[tuple[Row, ...], tuple[Fault, ...]]:
    file = EVIDENCE / dictionary.resource(name)["path"]
    return check(name, file, said=str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file))


def _unknown(row: Row) -> Iterator[tuple[str, str]]:
    """Columns that name a row of the ledger or an event which there is not, and what was expected."""
    claims, events = citations.claims, citations.events
    known: dict[str, Callable[[], Mapping[str, object]]] = {"claim_id": claims}
    if "date" not in row:  # The list of events itself gives them their names.
        known["event_id"] = events
    for column, names in known.items():
        if row.get(column) and row[column] not in names():
            yield column, f"the {column} of a row{tables.nearest(row[column], list(names()))}"
    if row.get("cites") and citations.known_day(row["cites"]) is None:
        yield "cites", "a claim_id or event_id" + tables.nearest(row["cites"], [*claims(), *events()])


def _modelled(row: Row) -> Iterator[tuple[str, str]]:
    """A line speaks of something that there is, and says why its rows are not fitted, or what they are read as."""
    of, scope, reason = row["segments"], row["scope"], row["reason"]
    kind, _, name = of.rpartition(":")
    known = {"claim": set(citations.claims()), "kind": set(_segments().values()), "": set(_segments())}[kind]
    if of != "*" and name not in known:
        yield "segments", "a segment, kind:<kind>, claim:<claim_id> or *" + tables.nearest(name, sorted(known))
    if (scope != "") != (row["metric"] == "market_size" and of != "*"):
        yield "scope", "a scope on each line of market_size but *, and nowhere else"
    elif scope and (scope in DEFINITIONS) != (reason == ""):
        yield "reason", f"{'nothing' if reason else 'a reason'}, because scope is {scope}"
    if (reason or scope) and not row["explanation"]:
        yield "explanation", "the decision in words"


@cache
def _segments() -> dict[str, str]:
    return {row["segment"]: row["kind"] for row in citations.rows("segments")}


def _published(row: Row) -> Iterator[tuple[str, str]]:
    """A day by which a forecast was made goes with the decision that says so."""
    dated = row["decision"] == "made_between"
    if dated != (row["earliest"] != ""):
        yield "earliest", "a date" if dated else "nothing, because decision is other_scope"
    if row["latest"] and not (dated and row["earliest"] <= row["latest"]):
        yield "latest", f"a date not before {row['earliest']}" if dated else "nothing, because decision is other_scope"


_RULES: Mapping[str, Callable[[Row], Iterable[tuple[str, str]]]] = {
    "modelled": _modelled,
    "published_forecasts": _published,
}
"""What the fields of a line say together, by table."""
