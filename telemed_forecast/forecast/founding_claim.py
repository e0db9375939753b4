"""The founding claim as a probability: hospital-run grows fast, third-party platforms face challenges.

Made precise, for the end of a year and a measure of the share:

- hospital-run grows fast: the number of hospital-run internet hospitals has grown by more than `FAST` a year on average
  since the last full year, and the hospitals' share in the measure lies above its level of then;
- platforms face challenges: at least half of the listed platforms' revenue has grown by less than `FAST` a year on
  average over the same time.

Both at once: the two sides' draws come from different evidence and are taken as independent of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.forecast.platform_revenue import PlatformRevenue

FAST = 0.10
"""Growth a year that divides fast from slow, the same for both sides: two digits."""


@dataclass(frozen=True, eq=False)
class Claim:
    """Probabilities by year ahead. Dims of each: (year,).

    Attributes
    ----------
    fast, challenged
        That hospital-run internet hospitals grow by more than `FAST` a year; that at least half of the platforms grow
        by less, None when no platform is summed.
    hospitals, both
        By measure: that hospital-run grows fast and its share rises; the whole claim, None when no platform is summed.
    """

    years: np.ndarray
    fast: np.ndarray
    challenged: np.ndarray | None
    hospitals: dict[str, np.ndarray]
    both: dict[str, np.ndarray] | None


def judge(result: Forecast, platforms: PlatformRevenue) -> Claim:
    """The probability of the claim and of its parts, for each year after the last full one."""
    count, shares = result.path, result.family("hospital_share")
    now = count.last_known
    ahead = range(now + 1, len(count.periods))
    years = np.array([count.periods[k].year for k in ahead])
    own = result.built_on["internet_hospitals"]["internet_hospitals_hospital_run"]
    at = [own.position(count.periods[k]) for k in (now, *ahead)]
    since = years - count.periods[now].year
    fast = own.draws[:, at[1:]] > own.draws[:, at[:1]] * (1.0 + FAST) ** since
    by_measure = {
        name: np.array([_together(result, name, fast[:, j], now, k) for j, k in enumerate(ahead)]) for name in shares
    }
    slow = challenged(platforms, count.periods[now].year, years)
    return Claim(
        years=years,
        fast=fast.mean(axis=0),
        challenged=slow,
        hospitals=by_measure,
        both=None if slow is None else {name: p * slow for name, p in by_measure.items()},
    )


def _together(result: Forecast, name: str, fast: np.ndarray, now: int, k: int) -> float:
    """Probability that hospital-run grows fast and the share in a measure rises by period `k`.

    The number's draws and those of the other measures come from two fits with one quantity in common, the share by
    count: they are paired by the rank of its change.
    """
    share = result[f"hospital_share_{name}"].draws
    rises = share[:, k] > share[:, now]
    if name == "count":
        return float((fast & rises).mean())
    ours = result.path.draws
    order, other = (np.argsort(draws[:, k] - draws[:, now], kind="stable") for draws in (ours, result.draws["factor"]))
    level = (np.arange(max(len(order), len(other))) + 0.5) / max(len(order), len(other))
    pick, match = ((level * len(rank)).astype(int) for rank in (order, other))
    return float((fast[order[pick]] & rises[other[match]]).mean())


def challenged(platforms: PlatformRevenue, base: int, years: np.ndarray) -> np.ndarray | None:
    """Probability that at least half of the platforms have grown by less than `FAST` a year since a base year.

    The companies' draws are paired. Dims: (year,); None when no platform is summed.
    """
    if platforms.total is None:
        return None
    first = platforms.total.periods[0].year
    slow = np.mean([_slow(draws, base - first, years - first) for draws in platforms.parts.values()], axis=0)
    return np.asarray((slow >= 0.5).mean(axis=0))


def _slow(draws: np.ndarray, base: int, at: np.ndarray) -> np.ndarray:
    """Which draws of a company's revenue grow by less than `FAST` a year. Dims: (draw, year)."""
    bound = draws[:, base : base + 1] * (1.0 + FAST) ** (at - base)
    return draws[:, at] < bound
