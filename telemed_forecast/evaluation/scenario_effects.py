"""What the shipped scenarios do to the headline numbers: the same fits, other levers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemed_forecast import scenarios
from telemed_forecast.forecast import internet_hospitals, market_size, user_adoption
from telemed_forecast.forecast.context import Context


@dataclass(frozen=True)
class Headline:
    """Draws of the headline numbers at the horizon in one scenario.

    Attributes
    ----------
    scenario
        Its name.
    weight
        Probability that the scenario file gives it; None for a scenario outside the shipped set.
    market, services
        Healthcare and services definition, CNY million a year. Dims: (sample,).
    hospitals, users
        Internet hospitals and users (persons) at the year's end. Dims: (sample,).
    """

    scenario: str
    weight: float | None
    market: np.ndarray
    services: np.ndarray
    hospitals: np.ndarray
    users: np.ndarray


SHIPPED = ("bear", "base", "bull")
"""The scenarios that every report compares, worst first."""


def headlines(context: Context) -> list[Headline]:
    """The headline numbers in the shipped scenarios, and in the run's own where that is another."""
    weights = scenarios.weights(SHIPPED)
    made = [_headline(context.in_scenario(name), name, weights[name]) for name in SHIPPED]
    if context.scenario.name not in SHIPPED:
        made.append(_headline(context, context.scenario.name, None))
    return made


def _headline(context: Context, name: str, weight: float | None) -> Headline:
    year = context.settings.horizon
    market = market_size.run(context)
    return Headline(
        scenario=name,
        weight=weight,
        market=market.sizes["healthcare"].year_end(year),
        services=market.sizes["services"].year_end(year),
        hospitals=internet_hospitals.run(context).published.year_end(year),
        users=user_adoption.run(context).published.year_end(year),
    )
