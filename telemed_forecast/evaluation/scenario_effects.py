"""What scenarios do to the headline numbers, and which lever does how much of it.

The fits are the same in every scenario, and so are the random shocks of the forecast (common random numbers): a
difference between two scenarios is the levers' doing, draw by draw. Each lever is shown twice: alone, all others
neutral (a tornado), and as its part of a whole scenario (a decomposition, whose parts add up to the total exactly).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from telemed_forecast import scenarios
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.scenarios import COMPARED, Scenario

MIXTURE = "mixture"
"""Name of the row that pools the compared scenarios by their weights."""

HEADLINES: Mapping[str, tuple[str, str]] = {
    "market": ("market_size", "market_size_healthcare"),
    "services": ("market_size", "market_size_services"),
    "users": ("user_adoption", "online_medical_users_latent"),
    "hospitals": ("internet_hospitals", "internet_hospitals_latent"),
}
"""The headline numbers: market and target."""

ACTS_ON: Mapping[str, tuple[str, ...]] = {
    name: MARKETS[market].module.LEVERS for name, (market, _) in HEADLINES.items() if name != "services"
}
"""Levers that each headline number depends on; the others leave its draws as they are, bit by bit."""


@dataclass(frozen=True)
class Headline:
    """Draws of the `HEADLINES` at the horizon in one scenario, or in the `MIXTURE`. Dims of each: (sample,)."""

    scenario: str
    weight: float | None  # the probability that its file gives a compared scenario; None for all others
    market: np.ndarray
    services: np.ndarray
    hospitals: np.ndarray
    users: np.ndarray


@dataclass(frozen=True)
class Effect:
    """What something adds to a headline number's median, in its unit."""

    value: float
    low: float  # with `high` the central 80% of the differences draw by draw, widened to hold `value`
    high: float


@dataclass(frozen=True)
class Effects:
    """The levers of one scenario and one headline number."""

    scenario: str
    quantity: str
    # The number's median with every lever neutral, and what the whole scenario adds
    base: float
    total: Effect
    # What each lever adds when all others are neutral, and within the scenario, where the values add up to `total`
    alone: Mapping[str, Effect]
    parts: Mapping[str, Effect]


@dataclass(frozen=True)
class Comparison:
    """Scenarios side by side: those compared, then the run's own.

    The mixture's headlines come after those of the compared ones; effects are of each scenario off neutral.
    """

    scenarios: tuple[Scenario, ...]
    headlines: tuple[Headline, ...]
    effects: tuple[Effects, ...]

    def effects_on(self, quantity: str) -> list[Effects]:
        """The effects on one headline number, scenario by scenario."""
        return [effects for effects in self.effects if effects.quantity == quantity]


def compare(context: Context) -> Comparison:
    """The compared scenarios and the run's own: headline numbers, and what each lever does to them."""
    shown = [scenarios.load(name) for name in COMPARED]
    shown += [context.scenario] if context.scenario.own else []
    draws = _Draws(context)
    made = [_headline(draws, scenario) for scenario in shown]
    made.insert(len(COMPARED), mixture(made[: len(COMPARED)]))
    effects = [
        _effects(draws, scenario, quantity)
        for scenario in shown
        for quantity in ACTS_ON
        if any(lever.value != scenarios.LEVERS[name].neutral for name, lever in scenario.levers.items())
    ]
    return Comparison(tuple(shown), tuple(made), tuple(effects))


class _Draws:
    """Draws of the headline numbers by lever settings, each computed once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.year = context.settings.horizon
        self.made: dict[tuple[str, tuple[float, ...]], dict[str, np.ndarray]] = {}

    def of(self, quantity: str, scenario: Scenario) -> np.ndarray:
        """A headline number under a scenario's levers. Dims: (sample,)."""
        name, target = HEADLINES[quantity]
        key = name, tuple(scenario[lever] for lever in MARKETS[name].module.LEVERS)
        if key not in self.made:
            paths = MARKETS[name].run(self.context.with_levers(scenario)).paths
            told = [own for market, own in HEADLINES.values() if market == name]
            self.made[key] = {own: paths[own].year_end(self.year) for own in told}
        return self.made[key][target]


def _headline(draws: _Draws, scenario: Scenario) -> Headline:
    numbers = {quantity: draws.of(quantity, scenario) for quantity in HEADLINES}
    return Headline(scenario.name, None if scenario.own else scenario.weight, **numbers)


def mixture(headlines: Sequence[Headline]) -> Headline:
    """Pool scenarios by their weights, which sum to 1.

    They are made from the same shocks: each draw lies in one scenario, the same one for all headline numbers.
    """
    pooled = {}
    for name in HEADLINES:
        by_scenario = np.stack([getattr(headline, name) for headline in headlines])
        chosen = shared_out([headline.weight or 0.0 for headline in headlines], by_scenario.shape[1])
        pooled[name] = by_scenario[chosen, np.arange(by_scenario.shape[1])]
    return Headline(MIXTURE, None, **pooled)


def shared_out(weights: Sequence[float], size: int) -> np.ndarray:
    """Give each draw to one scenario, evenly mixed and in proportion to the weights. Dims: (sample,)."""
    # Multiples of the golden ratio fill the unit interval evenly however many are taken.
    at = (np.arange(size) + 0.5) * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0
    ends = np.cumsum(weights)
    return np.minimum(np.searchsorted(ends, at, side="right"), len(weights) - 1)


def _effects(draws: _Draws, scenario: Scenario, quantity: str) -> Effects:
    def outcome(names: Collection[str]) -> np.ndarray:
        return draws.of(quantity, scenario.only(names))

    levers = ACTS_ON[quantity]
    neutral = outcome(())
    return Effects(
        scenario=scenario.name,
        quantity=quantity,
        base=float(np.median(neutral)),
        total=_effect([(neutral, outcome(levers))]),
        alone={name: _effect([(neutral, outcome((name,)))]) for name in levers},
        parts=decomposed(levers, outcome),
    )


def decomposed(levers: Sequence[str], outcome: Callable[[Collection[str]], np.ndarray]) -> dict[str, Effect]:
    """Share out the difference that all levers together make to a number's median among them.

    A lever's part is what it adds when the levers are set one after the other, averaged over this order and its
    reverse. Every pair of levers is met in either order once, so that parts are Shapley values as far as levers
    interact in pairs; whatever the interactions, they add up to the whole. `outcome` gives the number's draws with some
    levers set and all others neutral.

    References
    ----------
    Shapley, L. S. (1953), A value for n-person games.
    """
    steps: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in levers}
    for order in (tuple(levers), tuple(reversed(levers))):
        for k, name in enumerate(order):
            steps[name].append((outcome(order[:k]), outcome(order[: k + 1])))
    return {name: _effect(pairs) for name, pairs in steps.items()}


def _effect(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> Effect:
    """The mean effect of several steps, each from draws before to draws after."""
    value = float(np.mean([np.median(after) - np.median(before) for before, after in pairs]))
    low, high = np.quantile(np.mean([after - before for before, after in pairs], axis=0), [0.1, 0.9])
    return Effect(value, min(float(low), value), max(float(high), value))
