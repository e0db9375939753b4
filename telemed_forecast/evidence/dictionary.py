"""The data dictionary (``datapackage.json``): the one source of truth for columns, types and vocabularies."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from telemed_forecast.paths import EVIDENCE

if TYPE_CHECKING:
    import pandera.pandas as pa

OPTIONAL_COLUMNS = ("resolution", "use", "use_reason")
"""Columns that a user's own file may leave out; they are then filled by rule."""

_NUMBER = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@cache
def package() -> dict[str, Any]:
    """Return the parsed data package descriptor."""
    descriptor: dict[str, Any] = json.loads((EVIDENCE / "datapackage.json").read_text(encoding="utf-8"))
    return descriptor


def resource(name: str) -> dict[str, Any]:
    """Return the descriptor of one resource of the package."""
    return next(item for item in package()["resources"] if item["name"] == name)


@cache
def topics() -> tuple[str, ...]:
    """Return the names of the resources that hold claims, in the order of the package."""
    return tuple(r["name"] for r in package()["resources"] if r["schema"].get("primaryKey") == ["claim_id"])


def claim_fields() -> list[dict[str, Any]]:
    """Return the field descriptors of a claim, with `topic` open to every topic."""
    fields = [dict(field) for field in resource(topics()[0])["schema"]["fields"]]
    for field in fields:
        if field["name"] == "topic":
            field["constraints"] = {"required": True, "enum": list(topics())}
    return fields


def vintage_date() -> date:
    """Return the newest day on which a row of the shipped ledger was read or published."""
    return date.fromisoformat(package()["vintage"])


@cache
def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(EVIDENCE / resource(name)["path"], dtype=str, keep_default_na=False)


def metrics() -> pd.DataFrame:
    """Return the vocabulary of quantities, indexed by metric.

    Columns: unit (allowed units joined by a bar, the canonical one first), measure, topic, modelled, base,
    definition.
    """
    return _table("metrics").set_index("metric")


def segments() -> pd.DataFrame:
    """Return the vocabulary of segments, indexed by segment. Columns: kind, name, definition."""
    return _table("segments").set_index("segment")


def modelled() -> pd.DataFrame:
    """Return which report models a quantity, and why its rows that are not fitted are not.

    Columns: metric, segments (``claim:<claim_id>``, a segment, ``kind:<kind>`` or ``*``), report, reason (empty where
    rows are fitted), explanation.
    """
    return _table("modelled")


def describe(field: dict[str, Any]) -> str:
    """Say in words what a field may hold."""
    constraints = field.get("constraints", {})
    if "enum" in constraints:
        return "one of " + ", ".join(constraints["enum"])
    kind = {"date": "a date such as 2021-12-31", "number": "a number such as 1600 or 22.07"}.get(field["type"])
    if kind is None:
        pattern = constraints.get("pattern", "")
        kind = "a year, month or day such as 2021, 2021-12 or 2021-12-31" if "{4}" in pattern else "text"
        if pattern and "{4}" not in pattern:
            kind = "letters, digits and _.- only, without blanks"
    if "minimum" in constraints:
        kind += f" of at least {constraints['minimum']}"
    return kind if constraints.get("required") else kind + ", or nothing"


def _valid(field: dict[str, Any], text: pd.Series) -> pd.Series:
    """Which values are empty or of the field's type and within its constraints."""
    constraints = field.get("constraints", {})
    good = pd.Series(True, index=text.index)
    if field["type"] == "date":
        good &= text.str.fullmatch(_DATE) & pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").notna()
    elif field["type"] == "number":
        good &= text.str.fullmatch(_NUMBER)
        if "minimum" in constraints:
            good &= pd.to_numeric(text, errors="coerce") >= constraints["minimum"]
    if "pattern" in constraints:
        good &= text.str.fullmatch(constraints["pattern"].strip("^$"))
    if "enum" in constraints:
        good &= text.isin(constraints["enum"])
    return good | (text == "")


def fits(text: pd.DataFrame) -> bool:
    """Whether every field of a claims table (text columns) passes the checks of `schema`."""
    for field in claim_fields():
        column = text[field["name"]]
        if field.get("constraints", {}).get("required") and (column == "").any():
            return False
        if not _valid(field, column).all():
            return False
    return True


def schema() -> pa.DataFrameSchema:
    """Build the pandera schema of a claims table (text columns) from the data dictionary.

    Returns
    -------
    pandera.pandas.DataFrameSchema
        One column a field; the `error` of each check says what was expected, for messages.
    """
    import pandera.pandas as pa

    columns = {}
    for field in claim_fields():
        expected = describe(field)
        checks = [pa.Check(lambda text, field=field: _valid(field, text), error=expected)]
        if field.get("constraints", {}).get("required"):
            checks.append(pa.Check(lambda text: text != "", error=expected))
        columns[field["name"]] = pa.Column(checks=checks)
    return pa.DataFrameSchema(columns, strict=True)
