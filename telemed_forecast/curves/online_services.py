"""Other online services in China as a reference class: the same people, the same survey, the same years.

The ledger holds, beside online medical care, CNNIC's half-yearly counts of users of other services (shopping, payment,
meals ...). Each that has enough of them becomes a curve: users in percent of internet users at the end of each year.

What is decided here
--------------------
- *Share, not count.* The number of internet users grew eightfold meanwhile; a share has a ceiling. It comes from the
  printed rate, and from printed users over printed internet users; where both are known, from the values that both
  leave open. A rate printed as 37 beside users that say 37.8 was cut off, not rounded: then the narrower counts.
- *One survey.* Figures of other counters are not mixed in, even where they look alike.
- *One definition.* A curve begins after the last break of its definition (`SERVICES`). Ride hailing was two services
  until 2019 (taxis, private cars), which share users and cannot be added; its segments are not taken. Before the end of
  2007 an internet user was someone else (one hour a week or more), so no share is older.
- *Year ends.* A year that has no count at its end takes the share between the counts around it (straight on the
  log-odds) if they are at most a year apart. The count of December 2019 was taken in March 2020 instead, in the
  lockdown: nothing is interpolated across the outbreak, and 2019 stays a gap.
- Figures in which two prints of one survey conflict stay out, as everywhere (`use` in the ledger).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from telemed_forecast.curves import units
from telemed_forecast.curves.reference_class import MIN_POINTS, Curve
from telemed_forecast.curves.series import Frequency, Series
from telemed_forecast.evidence import ledger, observations, vintage

if TYPE_CHECKING:
    import pandas as pd

FAMILY = "chinese_online_services"
UNIT = "percent_of_internet_users"
SURVEY = "cnnic"
"""The origin whose figures are taken."""

OUTBREAK = dt.date(2020, 1, 23)
"""The lockdown of Wuhan: shares on either side of it say nothing about the days between."""

LONGEST_STEP = dt.timedelta(days=366)
"""Counts that are further apart than this leave a gap."""

_DENOMINATOR = "internet_users"
_COMPARABLE = dt.date(2007, 12, 31)


@dataclass(frozen=True)
class Service:
    """A service of the survey.

    Attributes
    ----------
    name
        Of its metrics in the ledger: ``<name>_users`` and ``<name>_usage_rate``.
    since
        Earlier figures are of another definition.
    why
        What changed then; empty when the definition of internet users did.
    """

    name: str
    since: dt.date = _COMPARABLE
    why: str = ""


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


def curves(
    as_of: str | dt.date | None = None,
    *,
    frame: pd.DataFrame | None = None,
    frequency: Literal["annual", "quarterly"] = "annual",
) -> list[Curve]:
    """Return the services as curves.

    Parameters
    ----------
    as_of
        Only what was known at the end of this day; everything by default.
    frame
        Rows of the ledger; the shipped ones by default.
    frequency
        annual: year ends. quarterly: every count on the quarter that ends with it, and nothing in between (most lie
        two quarters apart); more services have enough of these, and what the outbreak did to them is seen.

    Returns
    -------
    list of Curve
        By name (``online_payment__china``), in percent of internet users; a period stands for its last day. Services
        with fewer than `MIN_POINTS` periods are left out.

    Raises
    ------
    InputError
        When `as_of` is no date.
    """
    rows = vintage.as_of(ledger.load() if frame is None else frame, as_of)
    rows = rows[(rows["segment"] == "national") & (rows["origin"] == SURVEY)]
    known = _intervals(rows)
    taken = _year_ends if frequency == "annual" else _quarters
    found = [(service, taken(_shares(known, service))) for service in SERVICES]
    return [_curve(service, shares, frequency) for service, shares in found if len(shares) >= MIN_POINTS]


def _curve(service: Service, shares: dict[int, float], frequency: Frequency) -> Curve:
    series = Series(
        series_id=f"{service.name}__china",
        frequency=frequency,
        index=np.array(sorted(shares), dtype=np.int64),
        # The figures are printed to a tenth of a percent, or to about a thousandth of themselves.
        values=np.array([round(100 * shares[period], 2) for period in sorted(shares)]),
        unit=UNIT,
        measure="penetration",
        reference_class=FAMILY,
        bound=units.bound(UNIT),
    )
    return Curve(series, FAMILY, service.name.replace("_", " "), "China")


def _intervals(rows: pd.DataFrame) -> dict[str, dict[dt.date, Interval]]:
    """What the printed figures leave open, by metric and day."""
    names = [f"{service.name}_{kind}" for service in SERVICES for kind in ("users", "usage_rate")]
    seen = observations.intervals(rows[rows["metric"].isin([*names, _DENOMINATOR])])
    found: dict[str, dict[dt.date, list[Interval]]] = {name: {} for name in (*names, _DENOMINATOR)}
    each = zip(seen.metric.tolist(), seen.end.tolist(), seen.low.tolist(), seen.high.tolist(), strict=True)
    for metric, day, low, high in each:
        found[metric].setdefault(day, []).append((low, high))
    return {metric: {day: _agreed(given) for day, given in days.items()} for metric, days in found.items()}


def _agreed(given: list[Interval]) -> Interval:
    """The values that all intervals allow; the narrowest interval when they exclude each other."""
    low, high = max(low for low, _ in given), min(high for _, high in given)
    return (low, high) if low <= high else min(given, key=lambda interval: interval[1] - interval[0])


def _shares(known: dict[str, dict[dt.date, Interval]], service: Service) -> dict[dt.date, float]:
    """Users over internet users (0 to 1) on every day of a count."""
    counted = known[_DENOMINATOR]
    found: dict[dt.date, list[Interval]] = {}
    for day, (low, high) in known[f"{service.name}_usage_rate"].items():
        found.setdefault(day, []).append((low / 100, high / 100))
    for day, (low, high) in known[f"{service.name}_users"].items():
        if day in counted:
            fewest, most = counted[day]
            found.setdefault(day, []).append((low / most, high / fewest))
    agreed = {day: _agreed(given) for day, given in found.items() if day >= service.since}
    return {day: (low + high) / 2 for day, (low, high) in sorted(agreed.items())}


def _year_ends(shares: dict[dt.date, float]) -> dict[int, float]:
    """The share on the last day of each year: as counted, or between the counts around it."""
    found: dict[int, float] = {}
    days = sorted(shares)
    for year in range(days[0].year, days[-1].year + 1) if days else ():
        end = dt.date(year, 12, 31)
        before = max((day for day in days if day <= end), default=None)
        after = min((day for day in days if day >= end), default=None)
        if before is None or after is None:
            continue
        if before == after:
            found[year] = shares[end]
        elif after - before <= LONGEST_STEP and not before < OUTBREAK <= after:
            weight = (end - before) / (after - before)
            found[year] = _between(shares[before], shares[after], weight)
    return found


def _quarters(shares: dict[dt.date, float]) -> dict[int, float]:
    """The share at the end of each quarter that a count was taken at."""
    return {4 * day.year + (day.month - 1) // 3: share for day, share in shares.items()}


def _between(first: float, second: float, weight: float) -> float:
    """The share at a part of the way from one to another, straight on the log-odds."""
    odds = np.log([first / (1 - first), second / (1 - second)])
    return float(1 / (1 + np.exp(-(odds[0] + weight * (odds[1] - odds[0])))))
