"""What may be cited: every claim of the ledger and every policy event, with the day on which it was known.

Read without pandas, because parameters are checked in processes that should start at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from telemed_forecast.evidence import tables
from telemed_forecast.evidence.days import span
from telemed_forecast.evidence.dictionary import resource, topics
from telemed_forecast.paths import EVIDENCE


@cache
def claims() -> Mapping[str, date]:
    """Day on which each claim was known, by claim id."""
    return MappingProxyType({row["claim_id"]: date.fromisoformat(row["known_date"]) for row in rows(*topics())})


@cache
def events() -> Mapping[str, date]:
    """Day on which each policy event was known, by event id: the last that its date allows."""
    return MappingProxyType(
        {row["event_id"]: date.fromisoformat(span(row["date"])[1]) for row in rows("policy_events")}
    )


def vintage_date(own: Sequence[Path] = ()) -> date:
    """The newest day on which a claim of the ledger became known; `own` are checked files that a user adds to it."""
    return max([*claims().values(), *(date.fromisoformat(row["known_date"]) for row in _read(own))])


def known_day(identity: str) -> date | None:
    """Day on which a claim or an event was known; None when there is neither."""
    return claims().get(identity) or events().get(identity)


def rows(*names: str) -> list[dict[str, str]]:
    """Rows of some resources of the data package."""
    return _read([EVIDENCE / resource(name)["path"] for name in names])


def _read(files: Sequence[Path]) -> list[dict[str, str]]:
    read = (tables.read(file) for file in files)
    return [dict(zip(table.header, row, strict=True)) for table in read for row in table.rows]
