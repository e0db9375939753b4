"""What our models say about a quantity that somebody else forecast, as of any day, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast import platform_revenue, platform_series
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import at_days
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.models import market_size
from telemed_forecast.models.market_evidence import calendar_year

STEPS = 401
"""Points by which a published interval is drawn: evenly, because its digits prefer none of its values."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What came, as far as it is known.

    Attributes
    ----------
    kind
        ``count``: counted, surveyed or filed. ``estimate``: our posterior in a year for which sizes of this definition
        were estimated. ``between``: our posterior in a year that only lies between such years. ``inferred``: our
        posterior in a year that none of them has reached.
    draws
        In the forecast's unit. Dims: (sample,).
    claims
        The rows that it rests on; of a posterior those of the same definition and year.
    """

    kind: Literal["count", "estimate", "between", "inferred"]
    draws: np.ndarray
    claims: tuple[str, ...]


@dataclass(eq=False)
class Voice:
    """Our models on one day.

    Attributes
    ----------
    context
        The day and what was known on it.
    results
        Results by market; made when they are first asked for.
    """

    context: Context
    results: dict[str, Forecast] = field(default_factory=dict)

    def result(self, market: str) -> Forecast:
        """A market's result."""
        if market not in self.results:
            self.results[market] = MARKETS[market].run(self.context)
        return self.results[market]

    def predict(self, asked: Any) -> np.ndarray | None:
        """What the models of this day say of the quantity that a forecast is about.

        Parameters
        ----------
        asked
            A row of `published_forecasts.ended`.

        Returns
        -------
        Draws in the forecast's unit, dims (sample,); None where they say nothing: a year that they do not hold, a
        company with too few accounts, a panel that no path follows.
        """
        if asked.metric == "revenue":
            return self._revenue(asked)
        if asked.metric == "market_size":
            return self._of_market(asked)
        paths = {
            "internet_hospitals": ("internet_hospitals", "internet_hospitals_latent"),
            "internet_hospital_share": ("internet_hospitals", "internet_hospitals_hospital_share"),
            "online_medical_users": ("user_adoption", "online_medical_users_latent"),
        }
        if asked.metric not in paths:
            return None
        market, name = paths[asked.metric]
        draws = at_days(self.result(market)[name], np.array([asked.end], dtype="datetime64[D]"))[:, 0]
        return draws if np.isfinite(draws).all() else None

    def _of_market(self, asked: Any) -> np.ndarray | None:
        result = self.result("market_size")
        year = asked.end.year
        if year not in {day.year for day in result.path.periods}:
            return None
        return result[f"market_size_{asked.definition}"].year_end(year)

    def _revenue(self, asked: Any) -> np.ndarray | None:
        """The forecast of a company's accounts with what was reported by this day."""
        series = platform_series.reported(self.context, "revenue")
        one = next((one for one in series if one.company == asked.segment), None)
        year = asked.end.year
        if one is None or len(one.series.index) < platform_series.FEWEST or one.last >= year:
            return None
        halves = platform_revenue.first_half_law(series)
        seed = self.context.settings.seed
        return platform_revenue.outlook(one, year, halves=halves, seed=seed).draws[:, -1]


def truth(now: Voice, asked: Any) -> Truth | None:
    """What came of the quantity that a forecast is about, as the models and the counts of today have it.

    A count, a survey or a company's accounts are the truth where they exist. No one counts the market: there it is our
    posterior, whose own width says how sure a verdict can be. None where neither is known.
    """
    if asked.metric == "revenue":
        return _filed(now.context, asked)
    if asked.metric != "market_size":
        counted = _counted(now.context, asked)
        if counted is not None or asked.metric == "online_medical_active_users":
            return counted
    draws = now.predict(asked)
    if draws is None:
        return None
    if asked.metric != "market_size":
        return Truth("inferred", draws, ())
    evidence = now.result("market_size").evidence["sizes"]
    claims = tuple(str(claim) for claim in _estimates(evidence, asked).claim_id)
    return Truth(_kind(evidence, asked), draws, claims)


def _kind(evidence: Observations, asked: Any) -> Literal["estimate", "between", "inferred"]:
    """What a posterior rests on in the year of a forecast."""
    years = calendar_year(_of_definition(evidence, asked.definition))
    if asked.end.year in years:
        return "estimate"
    return "between" if (years < asked.end.year).any() and (years > asked.end.year).any() else "inferred"


def _filed(context: Context, asked: Any) -> Truth | None:
    """The figure of a company's accounts for the fiscal year, as last reported; what is printed as "about" is open."""
    for one in platform_series.reported(context, "revenue"):
        days = one.series.last_days(one.series.index).tolist()
        if one.company == asked.segment and asked.end in days:
            at = days.index(asked.end)
            return Truth("count", one.series.values[at] * _openness(context, one.claims[at]), (one.claims[at],))
    return None


def _openness(context: Context, claim: str) -> np.ndarray:
    """The values that a figure of accounts leaves open, over its middle: one value unless it is printed as about.

    Of a year made of two halves the second stands for both.
    """
    rows = context.observed("revenue")
    rows = rows.where(rows.claim_id == claim)
    exact = context.view.set_index("claim_id").loc[claim, "relation"] == "eq"
    if exact or not len(rows):
        return np.ones(1)
    middle = 0.5 * (rows.low[0] + rows.high[0])
    return np.linspace(rows.low[0] / middle, rows.high[0] / middle, STEPS)


def _counted(context: Context, asked: Any) -> Truth | None:
    """The counts of the same quantity within the forecast's period, each with the same weight."""
    rows = context.observed(asked.metric, asked.segment)
    first, last = (np.datetime64(day) for day in (asked.start, asked.end))
    rows = rows.where((rows.start >= first) & (rows.end <= last) & np.isfinite(rows.high))
    if not len(rows):
        return None
    draws = np.linspace(rows.low, rows.high, STEPS)
    return Truth("count", draws.ravel(), tuple(str(claim) for claim in rows.claim_id))


def _of_definition(evidence: Observations, definition: str) -> Observations:
    return evidence.where(market_size.definitions(evidence) == market_size.DEFINITIONS.index(definition))


def _estimates(evidence: Observations, asked: Any) -> Observations:
    """The estimates of the same definition and year."""
    same = _of_definition(evidence, asked.definition)
    return same.where(calendar_year(same) == asked.end.year)


def consensus_estimate(now: Voice, asked: Any) -> float | None:
    """The middle of what other houses estimated later for the same definition and year; None where nobody did.

    A judge that is not our model: the geometric mean of each other house's estimates, and the median over houses. Only
    estimates that became known after the year had ended and after the forecast was published are later ones.
    """
    if asked.metric != "market_size":
        return None
    rows = _estimates(now.result("market_size").evidence["sizes"], asked)
    known = now.context.view.set_index("claim_id")["known_date"].loc[rows.claim_id.tolist()].dt.date.to_numpy()
    later = np.array([day > max(asked.end, asked.published) for day in known], dtype=bool)
    rows = rows.where(later & (rows.origin != asked.publisher))
    if not len(rows):
        return None
    middles = 0.5 * (np.log(rows.low) + np.log(rows.high))
    houses = [middles[rows.origin == name].mean() for name in np.unique(rows.origin)]
    return float(np.exp(np.median(houses)))
