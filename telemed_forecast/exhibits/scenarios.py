"""Scenarios: the headline numbers in each, weighed together, and which lever does how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import pandas as pd

from telemed_forecast.evaluation.scenario_effects import ACTS_ON, MIXTURE, Comparison, Effect, Effects
from telemed_forecast.evidence import citations
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.numbers import chance, value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import interval
from telemed_forecast.scenarios import COMPARED, LEVERS, Lever, Scenario

TOTAL = "total"
"""Name of the row that holds what all levers do together."""


def exhibits(context: Context, comparison: Comparison) -> list[Exhibit]:
    """What the scenarios say, the charts of the levers, and the tables behind them."""
    market = comparison.effects_on("market")
    both = [effects for effects in market if effects.scenario in COMPARED]
    own = [effects for effects in market if effects.scenario not in COMPARED]
    frames = {
        "scenario_market": _forest(comparison),
        "scenario_headlines": _headlines(comparison),
        "lever_tornado": _bars(both, [one.alone for one in both]),
        "scenario_parts": _bars(both, [_with_total(one) for one in both]),
        **({"own_scenario_parts": _bars(own, [_with_total(one) for one in own])} if own else {}),
        "lever_effects": _effects(comparison),
    }
    sources = lever_sources(context, comparison.scenarios)
    drawn = len(both[0].alone)
    facts: dict[str, Fact] = {"horizon": context.settings.horizon, "drawn": drawn, "levers": len(LEVERS)}
    mine: dict[str, dict[str, Fact]] = {"own_scenario_parts": {"scenario": own[0].scenario}} if own else {}
    return [
        *(
            Exhibit(name=name, frame=frame, claims=sources, facts=facts | mine.get(name, {}))
            for name, frame in frames.items()
        ),
        Exhibit(name="levers", frame=_levers(comparison), claims=sources),
        Exhibit(name="lever_reasons", frame=_reasons(context, comparison), claims=sources),
    ]


def numbers(context: Context, comparison: Comparison) -> dict[str, Fact]:
    """What the prose says of the scenarios."""
    market = [effects for effects in comparison.effects_on("market") if effects.scenario in COMPARED]
    mixed = next(headline for headline in comparison.headlines if headline.scenario == MIXTURE)
    weights = {f"weight_{one.scenario}": chance(one.weight) for one in comparison.headlines if one.weight}
    largest, own, moved = _ranked(market)[0], comparison.headlines[-1], _moved(comparison)
    return {
        **weights,
        "market_mixture": value(mixed.market, "CNY_million"),
        "largest_lever": f"@lever.{largest}",
        "lever_low": _plain(market[0].alone[largest].value),
        "lever_high": _plain(market[-1].alone[largest].value),
        "levers_moved": len(moved),
        "levers_later": sum(bool(lever.known_later(context.settings.as_of_date)) for lever in moved),
        "lever_claims": lever_sources(context, comparison.scenarios),
        "scenario": name_of(context.scenario),
        "own_scenario": own.scenario if context.scenario.own else None,
        "own_meaning": context.scenario.meaning or None,
        "own_market": value(own.market, "CNY_million") if context.scenario.own else None,
    }


def lever_sources(context: Context, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """The claims and events behind all levers that were known on the as-of date."""
    evidence = dict.fromkeys(i for scenario in scenarios for lever in scenario.levers.values() for i in lever.evidence)
    return tuple(identity for identity in evidence if _known(context, identity))


def name_of(scenario: Scenario) -> str:
    """A scenario's name for a reader: a text of the catalogue, or what the user called it."""
    return scenario.name if scenario.own else f"@scenario.{scenario.name}"


def setting(lever: Lever) -> str:
    """A lever's value as text that needs no translation: ×1.4, or +5% for what is added to yearly growth."""
    if lever.unit == "per year":
        return f"{100.0 * lever.value:+.3g}%".replace("-", "\N{MINUS SIGN}").replace("+0%", "0%")
    return f"×{lever.value:g}"


def reason_of(comparison: Comparison, lever: Lever) -> str:
    """The reason of a lever: a text of the catalogue where a compared scenario gives it, else as the file says it."""
    for scenario in comparison.scenarios:
        if not scenario.own and scenario.levers[lever.name] == lever:
            return f"@lever_reason.{scenario.name}.{lever.name}"
    return lever.reason


def _known(context: Context, identity: str) -> bool:
    day = citations.known_day(identity)
    return day is not None and day <= context.settings.as_of_date


def _names(comparison: Comparison) -> dict[str, str]:
    return {scenario.name: name_of(scenario) for scenario in comparison.scenarios} | {MIXTURE: "@scenarios.mixture"}


def _plain(amount: float) -> Value:
    return Value(value=amount, unit="CNY_million", digits=2)


def _moved(comparison: Comparison) -> list[Lever]:
    """Every lever of every scenario that is off its neutral value."""
    settings = [lever for scenario in comparison.scenarios for lever in scenario.levers.values()]
    return [lever for lever in settings if lever.value != LEVERS[lever.name].neutral]


def _forest(comparison: Comparison) -> pd.DataFrame:
    """The market in each scenario."""
    names = _names(comparison)
    rows = [(names[one.scenario], *interval(one.market)) for one in comparison.headlines]
    return pd.DataFrame(rows, columns=["category", "low", "value", "high"])[["category", "value", "low", "high"]]


def _headlines(comparison: Comparison) -> pd.DataFrame:
    """The headline numbers in each scenario, and its weight."""
    names, found = _names(comparison), comparison.headlines
    columns = with_interval(
        market=[value(one.market, "CNY_million") for one in found],
        services=[value(one.services, "CNY_million") for one in found],
        hospitals=[value(one.hospitals, "hospitals") for one in found],
        users=[value(one.users, "persons") for one in found],
    )
    scenarios, weights = [names[one.scenario] for one in found], [one.weight for one in found]
    return pd.DataFrame({"scenario": scenarios, "weight": weights} | columns)


def _ranked(effects: Sequence[Effects]) -> list[str]:
    """Levers, the one with the largest effect alone first."""
    swing = {name: max(abs(one.alone[name].value) for one in effects) for name in effects[0].alone}
    return sorted(swing, key=lambda name: -swing[name])


def _with_total(effects: Effects) -> dict[str, Effect]:
    return {**effects.parts, TOTAL: effects.total}


def _bars(effects: Sequence[Effects], shown: Sequence[Mapping[str, Effect]]) -> pd.DataFrame:
    """Effects on the market by lever, a bar a scenario; the levers in the order of their effect alone."""
    order = [lever for lever in (*_ranked(effects), TOTAL) if lever in shown[0]]
    names = [f"@scenario.{one.scenario}" if one.scenario in COMPARED else one.scenario for one in effects]
    rows = [(lever, one[lever].value, name) for lever in order for name, one in zip(names, shown, strict=True)]
    return pd.DataFrame(rows, columns=["category", "value", "series"])


def _effects(comparison: Comparison) -> pd.DataFrame:
    """What each lever does to each headline number, in percent of the number when all levers are neutral."""
    by_quantity = {quantity: comparison.effects_on(quantity) for quantity in ACTS_ON}
    shown = [(quantity, lever) for quantity, found in by_quantity.items() for lever in (*found[0].parts, TOTAL)]
    columns: dict[str, list[Value | None]] = {}
    for kind, (k, market) in product(("alone", "part"), enumerate(by_quantity["market"])):
        end = market.scenario if market.scenario in COMPARED else "own"
        columns[f"{kind}_{end}"] = [_percent(by_quantity[quantity][k], kind, lever) for quantity, lever in shown]
    labels = {name: list(own) for name, own in zip(("quantity", "lever"), zip(*shown, strict=True), strict=True)}
    return pd.DataFrame(labels | with_interval(**columns))


def _percent(effects: Effects, kind: str, lever: str) -> Value | None:
    """What a lever does alone, or its part of the whole; nothing alone is like all together."""
    effect = {"part": _with_total(effects), "alone": effects.alone}[kind].get(lever)
    if effect is None:
        return None
    low, middle, high = (100.0 * number / effects.base for number in (effect.low, effect.value, effect.high))
    if low == high:
        return Value(value=middle, unit="percent", digits=2)
    return Value(value=middle, unit="percent", low=low, high=high)


def _levers(comparison: Comparison) -> pd.DataFrame:
    """Each lever: what it moves, its unit, and its value in each scenario."""
    values = {
        "own" if scenario.own else scenario.name: [setting(scenario.levers[name]) for name in LEVERS]
        for scenario in comparison.scenarios
    }
    units = [spec.unit.replace(" ", "_") for spec in LEVERS.values()]
    return pd.DataFrame({"lever": list(LEVERS), "moves": list(LEVERS), "unit": units} | values)


def _reasons(context: Context, comparison: Comparison) -> pd.DataFrame:
    """Why each lever has its value: a reason and the ids of the evidence, those known later left out and counted."""
    rows = []
    for name, scenario in product(LEVERS, comparison.scenarios):
        lever = scenario.levers[name]
        reason = reason_of(comparison, lever)
        # What the user's own scenario inherits is told once, at the scenario it comes from.
        if lever.value == LEVERS[name].neutral or (scenario.own and reason.startswith("@")):
            continue
        later = lever.known_later(context.settings.as_of_date)
        known = [identity for identity in lever.evidence if _known(context, identity)]
        when = "none" if len(later) == len(lever.evidence) else "some" if later else "all"
        rows.append((name, name_of(scenario), setting(lever), reason, ", ".join(known), when))
    frame = pd.DataFrame(rows, columns=["lever", "scenario", "value", "reason", "claims", "known"])
    if not any(lever.known_later(context.settings.as_of_date) for lever in _moved(comparison)):
        frame = frame.drop(columns="known")
    return frame
