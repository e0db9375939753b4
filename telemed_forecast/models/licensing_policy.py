"""Dated policy that can move the licensing of internet hospitals, as exposures of a time grid.

Which events count follows from a rule, not from the counts that they are to explain:

1. The event holds for the whole country (jurisdiction "China (national)").
2. It comes from a body that licenses internet hospitals or pays for their visits: the State Council, the health
   commission, the healthcare security administration.
3. Its subject is who may hold a licence, a call on hospitals to build one, or payment for the visits held there.
   Rules on drugs, on first visits alone, on doctors' conduct in other services and general plans do not count.
4. It is in force. A draft counts only where it would withdraw licences that exist.
5. Notices of one body on one subject within a month count as one, dated by the one that names internet diagnosis.

The direction is the one that the event's own text implies: it opens or pays, or it withdraws or inspects.
An event acts for a year from its day on (from the last day that a vague date allows), on the growth of both kinds of
sponsor alike. Only events known by the as-of date act, and none is assumed for the future: what policy will do
there is in the engine's own shocks and in the lever on licensing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.models.timeline import decimal_year

if TYPE_CHECKING:
    import pandas as pd

RESTRAINT = -0.3
"""Direction of an event that restrains, against 1 of one that opens. What opens may multiply licences; what restrains
can at most stop the growth that there is without policy, as after the draft of May 2017, but takes no licences away:
a tenth or two a year of expected growth against a quarter to a half that an opening may add."""

DIRECTIONS: Mapping[str, float] = MappingProxyType(
    {
        "2017-05-09-leaked-draft-rules-would-cancel": RESTRAINT,
        "2018-04-25-state-council-general-office-opinions": 1.0,
        "2018-07-17-nhc-and-tcm-administration-issue": 1.0,
        "2019-08-30-nhsa-guiding-opinions-on-internet": 1.0,
        "2020-02-06-nhc-notice-on-internet-diagnosis": 1.0,
        "2020-03-02-nhsa-and-nhc-guiding-opinions": 1.0,
        "2020-05-nhc-circular-asks-hospitals-to": 1.0,
        "2020-11-nhsa-guiding-opinions-on-actively": 1.0,
        "2022-06-09-nhc-and-tcm-administration-detailed": RESTRAINT,
    }
)
"""The events that the rule above picks from the list of policy events, and their direction."""

EVENTS = 12
"""Slots for events; the number is fixed so that one compiled model serves every date. An empty slot acts on nothing."""

YEARS = 1.0
"""[years] How long an event acts: the quickest effect on record, over 100 new internet hospitals after the insurance
notice of March 2020, came within months, and a province's own rules follow a national text within about a year."""

SIZE = 0.25
"""[log points a year] Scale of the half-normal for the size that events have in common. The list says of the notice of
March 2020 that over a hundred internet hospitals were added in the months after it, to about two hundred: four tenths
of a log point, which it shares with at least one other notice of those weeks."""

VARIETY = 0.5
"""Standard deviation of one event's effect around what its direction says, in units of that effect: one event in forty
acts against its direction."""


@dataclass(frozen=True, eq=False)
class Events:
    """Events that act.

    Attributes
    ----------
    event_id
        As in the list of policy events.
    year
        Decimal year from which each acts. Dims: (event,).
    direction
        1 where it opens, `RESTRAINT` where it restrains. Dims: (event,).
    """

    event_id: tuple[str, ...]
    year: np.ndarray
    direction: np.ndarray


def events_by(listed: pd.DataFrame, day: np.datetime64) -> Events:
    """The events of the rule that had happened by a day.

    Parameters
    ----------
    listed
        The policy events (see :func:`telemed_forecast.evidence.ledger.policy_events`).
    day
        As-of date. An event whose date is vague counts from the last day that it allows.
    """
    chosen = listed[listed["event_id"].isin(DIRECTIONS) & (listed["end"] <= np.datetime64(day))]
    names = tuple(chosen["event_id"])
    year = decimal_year(chosen["end"].to_numpy("datetime64[D]"))
    return Events(names, year, np.array([DIRECTIONS[name] for name in names], dtype=float))


NO_EVENTS = Events((), np.zeros(0), np.zeros(0))
"""A country without policy: made-up data start from it."""


def exposure(events: Events, grid: np.ndarray) -> np.ndarray:
    """Part of each step of a grid during which each event acts. Dims: (EVENTS, step).

    Parameters
    ----------
    events
        At most `EVENTS`.
    grid
        Decimal years. Dims: (step + 1,).
    """
    start, end = grid[:-1], grid[1:]
    since = events.year[:, None]
    overlap = np.minimum(end, since + YEARS) - np.maximum(start, since)
    acting = np.zeros((EVENTS, len(start)))
    acting[: len(events.year)] = np.clip(overlap / (end - start), 0.0, 1.0)
    return acting


def directions(events: Events) -> np.ndarray:
    """The direction of each slot, 0 for an empty one. Dims: (EVENTS,)."""
    padded = np.zeros(EVENTS)
    padded[: len(events.direction)] = events.direction
    return padded
