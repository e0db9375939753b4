"""The data dictionary (``datapackage.json``): the one source of truth for columns, types and vocabularies.

Importing it costs nothing: pandas is read when a vocabulary is asked for.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from telemed_forecast.paths import EVIDENCE

if TYPE_CHECKING:
    import pandas as pd

OPTIONAL_COLUMNS = ("resolution", "use", "use_reason")
"""Columns that a user's own file may leave out; they are then filled by rule."""

LONGEST = 1000
"""Characters of a field: three times the longest of the ledger. A page or a PDF cannot set a text without an end."""

_NUMBER = r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@cache
def package() -> dict[str, Any]:
    """The parsed data package descriptor."""
    descriptor: dict[str, Any] = json.loads((EVIDENCE / "datapackage.json").read_text(encoding="utf-8"))
    return descriptor


def resource(name: str) -> dict[str, Any]:
    """The descriptor of one resource of the package."""
    return next(item for item in package()["resources"] if item["name"] == name)


@cache
def topics() -> tuple[str, ...]:
    """Names of the resources that hold claims, in the order of the package."""
    return tuple(r["name"] for r in package()["resources"] if r["schema"].get("primaryKey") == ["claim_id"])


@cache
def claim_fields() -> dict[str, dict[str, Any]]:
    """Field descriptors of a claim by column, with `topic` open to every topic."""
    fields = {field["name"]: field for field in resource(topics()[0])["schema"]["fields"]}
    return fields | {"topic": fields["topic"] | {"constraints": {"required": True, "enum": list(topics())}}}


@cache
def _table(name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(EVIDENCE / resource(name)["path"], dtype=str, keep_default_na=False)


def metrics() -> pd.DataFrame:
    """The vocabulary of quantities, indexed by metric.

    Columns: unit (allowed units joined by a bar, the canonical one first), measure, topic, modelled, base,
    definition.
    """
    return _table("metrics").set_index("metric")


def segments() -> pd.DataFrame:
    """The vocabulary of segments, indexed by segment. Columns: kind, name, definition."""
    return _table("segments").set_index("segment")


def modelled() -> pd.DataFrame:
    """Which report models a quantity, what its rows are read as, and why those that are not fitted are not.

    Columns: metric, segments (``claim:<claim_id>``, a segment, ``kind:<kind>`` or ``*``), report, scope (of a market
    size), reason (empty where rows are fitted), explanation.
    """
    return _table("modelled")


def describe(field: dict[str, Any]) -> str:
    """Say in words what a field may hold."""
    constraints = field.get("constraints", {})
    if "enum" in constraints:
        return "one of " + ", ".join(constraints["enum"])
    pattern = constraints.get("pattern", "")
    if field["type"] == "date":
        kind = "a date such as 2021-12-31"
    elif field["type"] == "number":
        kind = "a number such as 1600 or 22.07"
    elif "{4}" in pattern:
        kind = "a year, month or day such as 2021, 2021-12 or 2021-12-31"
    else:
        kind = "letters, digits and _.- only, without blanks" if pattern else f"text of at most {LONGEST:,} characters"
    if "minimum" in constraints:
        kind += f" of at least {constraints['minimum']}"
    return kind if constraints.get("required") else kind + ", or nothing"


def holds(field: dict[str, Any], text: str) -> bool:
    """Whether a text is of the field's type and within its constraints."""
    constraints = field.get("constraints", {})
    if text == "" or len(text) > LONGEST:
        return text == "" and not constraints.get("required")
    if field["type"] == "date":
        try:
            dt.date.fromisoformat(text if re.fullmatch(_DATE, text) else "no date")
        except ValueError:
            return False
    if field["type"] == "number":
        number = float(text) if re.fullmatch(_NUMBER, text) else math.nan
        if not math.isfinite(number) or number < constraints.get("minimum", number):
            return False
    return bool(re.fullmatch(constraints.get("pattern", ".*"), text, re.DOTALL)) and text in constraints.get(
        "enum", (text,)
    )
