"""Other online services in China as a reference class: the same people, the same survey, the same years.

The ledger holds, beside online medical care, CNNIC's half-yearly counts of users of other services (shopping, payment,
meals ...). Each that has enough of them becomes a curve: users in percent of internet users in the quarters that end
with a count, and nothing in between (most lie two quarters apart).

What is decided here
--------------------
- *Share, not count.* The number of internet users grew eightfold meanwhile; a share has a ceiling. It comes from the
  printed rate, and from printed users over printed internet users; where both are known, from the values that both
  leave open. A rate printed as 37 beside users that say 37.8 was cut off, not rounded: then the narrower counts.
- *One survey.* Figures of other counters are not mixed in, even where they look alike.
- *One definition.* A curve begins after the last break of its definition (`SERVICES`). Ride hailing was two services
  until 2019 (taxis, private cars), which share users and cannot be added; its segments are not taken. Before the end of
  2007 an internet user was someone else (one hour a week or more), so no share is older.
- Figures in which two prints of one survey conflict stay out, as everywhere (`use` in the ledger).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from telemed_forecast.curves import units
from telemed_forecast.curves.series import Series
from telemed_forecast.curves.series_file import FEWEST
from telemed_forecast.evidence import ledger, observations, vintage

if TYPE_CHECKING:
    import pandas as pd

FAMILY = "chinese_online_services"
UNIT = "percent_of_internet_users"
SURVEY = "cnnic"
"""The origin whose figures are taken."""

_DENOMINATOR = "internet_users"
_COMPARABLE = dt.date(2007, 12, 31)


class Service(NamedTuple):
    """A service of the survey, ``<name>_users`` and ``<name>_usage_rate`` in the ledger."""

    name: str
    since: dt.date = _COMPARABLE  # Earlier figures are of another definition
    why: str = ""  # What changed then; empty when the definition of internet users did


SERVICES = (
    Service("bike_sharing"),
    Service("ecommerce_livestream"),
    Service("instant_messaging"),
    Service("internet_wealth_management"),
    Service("livestream", dt.date(2020, 1, 1), "counts streams that sell goods too"),
    Service("online_banking"),
    Service("online_education"),
    Service("online_fitness"),
    Service("online_food_delivery"),
    Service("online_government", dt.date(2018, 1, 1), "fell from 485 to 394 million in a year of growth"),
    Service("online_office"),
    Service("online_payment"),
    Service("online_shopping"),
    Service("online_travel_booking"),
    Service("ride_hailing", dt.date(2020, 1, 1), "one series in place of taxis and private cars"),
    Service("short_video"),
)
"""Every service of the survey that the ledger knows, other than online medical care itself."""

Interval = tuple[float, float]


def curves(as_of: str | dt.date | None = None, *, frame: pd.DataFrame | None = None) -> list[Series]:
    """Return the services as curves by name (``online_payment__china``), in percent of internet users.

    Only what was known at the end of the day `as_of`; `frame` are rows of the ledger, the shipped ones by default.
    """
    rows = vintage.as_of(ledger.load() if frame is None else frame, as_of)
    rows = rows[(rows["segment"] == "national") & (rows["origin"] == SURVEY)]
    known = _intervals(rows)
    found = [(service, _shares(known, service)) for service in SERVICES]
    return [_curve(service, shares) for service, shares in found if len(shares) >= FEWEST]


def _curve(service: Service, shares: dict[int, float]) -> Series:
    return Series(
        series_id=f"{service.name}__china",
        frequency="quarterly",
        index=np.array(sorted(shares), dtype=np.int64),
        # The figures are printed to a tenth of a percent, or to about a thousandth of themselves.
        values=np.array([round(100 * shares[period], 2) for period in sorted(shares)]),
        unit=UNIT,
        measure="penetration",
        reference_class=FAMILY,
        bound=units.bound(UNIT),
        technology=service.name.replace("_", " "),
        geo="China",
    )


def _intervals(rows: pd.DataFrame) -> dict[str, dict[dt.date, Interval]]:
    """What the printed figures leave open, by metric and day."""
    names = [f"{service.name}_{kind}" for service in SERVICES for kind in ("users", "usage_rate")]
    found: dict[str, dict[dt.date, list[Interval]]] = {name: {} for name in (*names, _DENOMINATOR)}
    seen = observations.intervals(rows[rows["metric"].isin(list(found))])
    each = zip(seen.metric.tolist(), seen.end.tolist(), seen.low.tolist(), seen.high.tolist(), strict=True)
    for metric, day, low, high in each:
        found[metric].setdefault(day, []).append((low, high))
    return {metric: {day: _agreed(given) for day, given in days.items()} for metric, days in found.items()}


def _agreed(given: list[Interval]) -> Interval:
    """The values that all intervals allow; the narrowest interval when they exclude each other."""
    low, high = max(low for low, _ in given), min(high for _, high in given)
    return (low, high) if low <= high else min(given, key=lambda interval: interval[1] - interval[0])


def _shares(known: dict[str, dict[dt.date, Interval]], service: Service) -> dict[int, float]:
    """Users over internet users (0 to 1) in every quarter that ends with a count."""
    counted, users = known[_DENOMINATOR], known[f"{service.name}_users"]
    rates = {day: [(low / 100, high / 100)] for day, (low, high) in known[f"{service.name}_usage_rate"].items()}
    for day in users.keys() & counted.keys():
        (low, high), (fewest, most) = users[day], counted[day]
        rates.setdefault(day, []).append((low / most, high / fewest))
    agreed = {day: _agreed(given) for day, given in sorted(rates.items()) if day >= service.since}
    return {4 * day.year + (day.month - 1) // 3: (low + high) / 2 for day, (low, high) in agreed.items()}
