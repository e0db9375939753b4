"""The four reports' models by name: how each is run, and which of its paths is the headline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType, ModuleType
from typing import Any

from telemed_forecast.forecast import channel_share, internet_hospitals, market_size, user_adoption
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path


@dataclass(frozen=True)
class Market:
    """One report's model.

    Attributes
    ----------
    name
        The report's name.
    module
        Its forecast module, with ``run``, ``headline`` and ``predictive``.
    path
        Result -> the path of the headline quantity.
    """

    name: str
    module: ModuleType
    path: Callable[[Any], Path]

    def first_day(self, result: Any) -> date:
        """The first day of the model's history: older rows cannot enter it."""
        path = self.path(result)
        first = path.periods[0]
        return first.replace(month=1, day=1) if path.step_months == 12 else first


MARKETS: Mapping[str, Market] = MappingProxyType(
    {
        market.name: market
        for market in (
            Market("market_size", market_size, lambda result: result.sizes["healthcare"]),
            Market("internet_hospitals", internet_hospitals, lambda result: result.published),
            Market("channel_share", channel_share, lambda result: result.shares["count"]),
            Market("user_adoption", user_adoption, lambda result: result.published),
        )
    }
)
"""The models in the order of the reports."""


def run(context: Context) -> dict[str, Any]:
    """The results of all models by name (fits that are stored are read, not made again)."""
    return {name: market.module.run(context) for name, market in MARKETS.items()}
