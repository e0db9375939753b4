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
        Probability that the scenario file gives it.
    market, services
        Healthcare and services definition, CNY million a year. Dims: (sample,).
    hospitals, users
        Internet hospitals and users (persons) at the year's end. Dims: (sample,).
    """

    scenario: str
    weight: float
    market: np.ndarray
    services: np.ndarray
    hospitals: np.ndarray
    users: np.ndarray


def headlines(context: Context) -> list[Headline]:
    """The headline numbers in every shipped scenario, in the order bear, base, bull where they exist."""
    weights = scenarios.weights()
    order = sorted(
        weights, key=lambda name: ("bear", "base", "bull").index(name) if name in ("bear", "base", "bull") else 3
    )
    return [_headline(context.in_scenario(name), name, weights[name]) for name in order]


def _headline(context: Context, name: str, weight: float) -> Headline:
    year = context.settings.horizon
    market = market_size.run(context)
    return Headline(
        scenario=name,
        weight=weight,
        market=market.sizes["healthcare"].year_end(year),
        services=market.sizes["services"].year_end(year),
        hospitals=internet_hospitals.run(context).count.year_end(year),
        users=user_adoption.run(context).published.year_end(year),
    )
