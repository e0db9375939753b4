"""The markets: one line each. What a market's model is and says stands in its module, the same names in each of them.

A module has ``SPEC`` and ``LEVERS`` (all that its forecast depends on), ``fit`` and ``run``, ``headline`` (the figures
that the forecast is about), ``comparable`` (which of them rivals learn from and are scored on), ``definitions`` (names
of what each of them counts), ``predictive`` and ``prior_predictive``,
``likelihoods`` (fits whose rows can be weighed), ``read_beside`` (claims that enter beside the
fit), ``TARGETS`` (quantities of which figures are printed), ``COVERED`` (metrics and segments that others forecast,
too) and ``UNPUBLISHED`` (figures that would teach most about it).

Importing this module is light: a model's own is imported when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    import numpy as np

    from telemed_forecast.evidence.observations import Observations
    from telemed_forecast.forecast.context import Context
    from telemed_forecast.forecast.paths import Forecast, Likelihood


@dataclass(frozen=True)
class Market:
    """One market's model.

    Attributes
    ----------
    name
        Name of the market, of its module and of its report.
    built_on
        The market of whose fit this model's arrays are made; empty for none.
    """

    name: str
    built_on: str = ""

    @property
    def module(self) -> Any:
        """Its module."""
        return import_module(f"{__package__}.{self.name}")

    @property
    def look_back(self) -> date | None:
        """A day whose forecast a page shows beside today's; None where its module names none (``LOOK_BACK``)."""
        day: date | None = getattr(self.module, "LOOK_BACK", None)
        return day

    def run(self, context: Context) -> Forecast:
        """Fit the model to what was known (a stored fit is read, not made again) and carry it to the horizon."""
        found: Forecast = self.module.run(context)
        return found

    def headline(self, context: Context) -> Observations:
        """The published figures that the forecast is about."""
        rows: Observations = self.module.headline(context)
        return rows

    def definitions(self, observations: Observations) -> np.ndarray:
        """Names of what figures count: the market, unless its module tells more apart. Dims: (obs,)."""
        import numpy as np

        tell = getattr(self.module, "definitions", None)
        return np.full(len(observations), self.name) if tell is None else np.asarray(tell(observations))

    def claims(self, context: Context, result: Forecast) -> set[str]:
        """Claim ids of every row that entered the fit, or the forecast beside it."""
        beside = getattr(self.module, "read_beside", None)
        return {*result.claims, *(beside(context, result) if beside is not None else ())}

    def likelihoods(self, result: Forecast) -> list[Likelihood]:
        """The fits behind a forecast whose rows of evidence can be weighed."""
        found: list[Likelihood] = self.module.likelihoods(result)
        return found

    def predictive(self, result: Forecast, observations: Observations, rng: np.random.Generator) -> np.ndarray:
        """Draws of what would be printed in the place of each figure. Dims: (sample, obs)."""
        drawn: np.ndarray = self.module.predictive(result, observations, rng)
        return drawn


MARKETS: Mapping[str, Market] = MappingProxyType(
    {
        market.name: market
        for market in (
            Market("market_size", built_on="user_adoption"),
            Market("internet_hospitals"),
            Market("channel_share", built_on="internet_hospitals"),
            Market("user_adoption"),
        )
    }
)
"""By name, in the order of the reports."""


def run(context: Context) -> dict[str, Forecast]:
    """The forecasts of all markets by name."""
    return {name: market.run(context) for name, market in MARKETS.items()}
