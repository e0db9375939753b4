"""Dated policy that can move the licensing of internet hospitals, and how its effect arrives.

Which events count follows from a rule, not from the counts that they are to explain:

1. The event holds for the whole country (jurisdiction "China (national)").
2. It comes from a body that licenses internet hospitals or pays for their visits: the State Council, the health
   commission, the healthcare security administration.
3. Its subject is who may hold a licence, a call on hospitals to build one, or payment for the visits held there.
   Rules on drugs, on first visits alone, on doctors' conduct in other services and general plans do not count.
4. It is in force. A draft counts only where it would withdraw licences that exist.
5. Notices of one body on one subject within a month count as one, dated by the one that names internet diagnosis.

The direction is the one that the event's own text implies: it opens or pays, or it withdraws or inspects.
An event's effect arrives from its day on (from the last day that a vague date allows) at a rate that fades, on the
growth of both kinds of sponsor alike. Only events known by the as-of date act, and none is assumed for the future: what
policy will do there is in the engine's own shocks and in the lever on licensing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.evidence import decisions
from telemed_forecast.models import constants
from telemed_forecast.models.timeline import decimal_year

if TYPE_CHECKING:
    import pandas as pd

RESTRAINT = -0.3
"""Direction of an event that restrains, against 1 of one that opens. What opens may multiply licences; what restrains
can at most stop the growth that there is without policy, as after the draft of May 2017, but takes no licences away:
a few hundredths of a log point in all against the tenth or two that an opening may add."""

DIRECTIONS: Mapping[str, float] = MappingProxyType(
    {
        row["event_id"]: {"opens": 1.0, "restrains": RESTRAINT}[row["direction"]]
        for row in decisions.rows("licensing_events")
    }
)
"""The events that the rule above picks from the list of policy events, and their direction."""

EVENTS = 12
"""Slots for events; the number is fixed so that one compiled model serves every date. An empty slot acts on nothing."""

SIZE = constants.number("internet_hospitals", "event_size")
"""[log points] Scale of the half-normal of each event's own effect, in all. The list says of the notice of March 2020
that over a hundred internet hospitals were added in the months after it, to some five hundred by April: two tenths of a
log point, shared with at least one other notice of those weeks. It is small on purpose, and not learned in common: the
growth that past adoptions teach, shocks included, holds the policies that drove them, so this is what comes on top. A
common size takes the whole surge of 2020 for policy, which the epidemic made too, and then expects next to no growth
once the events have faded: as of the end of 2022 it put 97% of its draws below the count of 2025."""

FADE = constants.pair("internet_hospitals", "policy_fade")
"""Mean and sd of the log of the years over which an event's effect fades (to a third): 1.2, 90% between 0.5 and 2.8.
The notices of spring 2020 worked within months; the insurance rules of 2019 had a "slow local rollout", province by
province."""


@dataclass(frozen=True, eq=False)
class Events:
    """Events that act.

    Attributes
    ----------
    event_id
        As in the list of policy events.
    day
        Day on which each begins to act, datetime64[D]. Dims: (event,).
    direction
        1 where it opens, `RESTRAINT` where it restrains. Dims: (event,).
    """

    event_id: tuple[str, ...]
    day: np.ndarray
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
    return Events(
        names, chosen["end"].to_numpy("datetime64[D]"), np.array([DIRECTIONS[name] for name in names], dtype=float)
    )


NO_EVENTS = Events((), np.zeros(0, dtype="datetime64[D]"), np.zeros(0))
"""A country without policy: made-up data start from it."""


def years_since(events: Events, grid: np.ndarray) -> np.ndarray:
    """Years since each event at each point of a grid, 0 before it. Dims: (EVENTS, time).

    Parameters
    ----------
    events
        At most `EVENTS`. An empty slot never happens: 0 everywhere.
    grid
        Decimal years. Dims: (time,).
    """
    since = np.zeros((EVENTS, len(grid)))
    since[: len(events.day)] = np.maximum(grid - decimal_year(events.day)[:, None], 0.0)
    return since


def acting(since: Any, fade: Any, step: float, xp: Any = np) -> Any:
    r"""Part of an event's whole effect that arrives in each step, per year. Dims: (..., time) -> (..., time - 1).

    An effect arrives at a rate that fades, so that :math:`1 - e^{-t/\tau}` of it has arrived after :math:`t` years:
    `since` is t (0 before the event), `fade` is tau [years], broadcastable to it; `step` [years].
    """
    left = xp.exp(-since / fade)
    return (left[..., :-1] - left[..., 1:]) / step


def directions(events: Events) -> np.ndarray:
    """The direction of each slot, 0 for an empty one. Dims: (EVENTS,)."""
    padded = np.zeros(EVENTS)
    padded[: len(events.direction)] = events.direction
    return padded
