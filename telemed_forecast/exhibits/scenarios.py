"""Scenarios: the headline numbers in each, weighed together, and which lever does how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    sources, market = lever_sources(context, comparison.scenarios), comparison.effects_on("market")
    both = [effects for effects in market if effects.scenario in COMPARED]
    own = [effects for effects in market if effects.scenario not in COMPARED]
    return [
        _forest(context, comparison, sources),
        _headlines(context, comparison, sources),
        _bars("lever_tornado", context, both, sources, [one.alone for one in both]),
        _bars("scenario_parts", context, both, sources, [_with_total(one) for one in both]),
        *(_bars("own_scenario_parts", context, [one], sources, [_with_total(one)]) for one in own),
        _effects(context, comparison, sources),
        _levers(comparison, sources),
        _reasons(context, comparison, sources),
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


def _forest(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> Exhibit:
    """The market in each scenario."""
    names, ends = _names(comparison), [interval(headline.market) for headline in comparison.headlines]
    frame = pd.DataFrame(
        {
            "category": [names[headline.scenario] for headline in comparison.headlines],
            "value": [middle for _, middle, _ in ends],
            "low": [low for low, _, _ in ends],
            "high": [high for _, _, high in ends],
        }
    )
    facts: dict[str, Fact] = {"horizon": context.settings.horizon}
    return Exhibit(name="scenario_market", frame=frame, claims=sources, facts=facts)


def _headlines(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> Exhibit:
    """The headline numbers in each scenario, and its weight."""
    names, found = _names(comparison), comparison.headlines
    columns = with_interval(
        market=[value(one.market, "CNY_million") for one in found],
        services=[value(one.services, "CNY_million") for one in found],
        hospitals=[value(one.hospitals, "hospitals") for one in found],
        users=[value(one.users, "persons") for one in found],
    )
    scenarios, weights = [names[one.scenario] for one in found], [one.weight for one in found]
    return Exhibit(
        name="scenario_headlines",
        frame=pd.DataFrame({"scenario": scenarios, "weight": weights} | columns),
        claims=sources,
        facts={"horizon": context.settings.horizon},
    )


def _ranked(effects: Sequence[Effects]) -> list[str]:
    """Levers, the one with the largest effect alone first."""
    swing = {name: max(abs(one.alone[name].value) for one in effects) for name in effects[0].alone}
    return sorted(swing, key=lambda name: -swing[name])


def _with_total(effects: Effects) -> dict[str, Effect]:
    return {**effects.parts, TOTAL: effects.total}


def _bars(
    name: str,
    context: Context,
    effects: Sequence[Effects],
    sources: tuple[str, ...],
    shown: Sequence[Mapping[str, Effect]],
) -> Exhibit:
    """Effects on the market by lever, a bar a scenario; the levers in the order of their effect alone."""
    order = [lever for lever in (*_ranked(effects), TOTAL) if lever in shown[0]]
    rows = [
        (lever, one[lever].value, f"@scenario.{e.scenario}" if e.scenario in COMPARED else e.scenario)
        for lever in order
        for e, one in zip(effects, shown, strict=True)
    ]
    drawn = [lever for lever in order if lever != TOTAL]
    facts: dict[str, Fact] = {"horizon": context.settings.horizon, "drawn": len(drawn), "levers": len(LEVERS)}
    if len(effects) == 1:
        facts["scenario"] = effects[0].scenario
    frame = pd.DataFrame(rows, columns=["category", "value", "series"])
    return Exhibit(name=name, frame=frame, claims=sources, facts=facts)


def _effects(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> Exhibit:
    """What each lever does to each headline number, in percent of the number when all levers are neutral."""
    market = comparison.effects_on("market")
    ends = [one.scenario if one.scenario in COMPARED else "own" for one in market]
    levers = [(quantity, lever) for quantity in ACTS_ON for lever in comparison.effects_on(quantity)[0].parts]
    shown = [row for quantity in ACTS_ON for row in (*(one for one in levers if one[0] == quantity), (quantity, TOTAL))]
    columns: dict[str, list[Value | None]] = {}
    for kind in ("alone", "part"):
        for k, end in enumerate(ends):
            columns[f"{kind}_{end}"] = [
                _percent(_effect(comparison.effects_on(quantity)[k], kind, lever), comparison.effects_on(quantity)[k])
                for quantity, lever in shown
            ]
    labels = {"quantity": [quantity for quantity, _ in shown], "lever": [lever for _, lever in shown]}
    return Exhibit(
        name="lever_effects",
        frame=pd.DataFrame(labels | with_interval(**columns)),
        claims=sources,
        facts={"horizon": context.settings.horizon},
    )


def _effect(effects: Effects, kind: str, lever: str) -> Effect | None:
    """What a lever does alone, or its part of the whole; nothing alone is like all together."""
    if lever == TOTAL:
        return effects.total if kind == "part" else None
    return effects.parts[lever] if kind == "part" else effects.alone[lever]


def _percent(effect: Effect | None, effects: Effects) -> Value | None:
    if effect is None:
        return None
    low, middle, high = (100.0 * number / effects.base for number in (effect.low, effect.value, effect.high))
    if low == high:
        return Value(value=middle, unit="percent", digits=2)
    return Value(value=middle, unit="percent", low=low, high=high)


def _levers(comparison: Comparison, sources: tuple[str, ...]) -> Exhibit:
    """Each lever: what it moves, its unit, and its value in each scenario."""
    values = {
        "own" if scenario.own else scenario.name: [setting(scenario.levers[name]) for name in LEVERS]
        for scenario in comparison.scenarios
    }
    units = [spec.unit.replace(" ", "_") for spec in LEVERS.values()]
    frame = pd.DataFrame({"lever": list(LEVERS), "moves": list(LEVERS), "unit": units} | values)
    return Exhibit(name="levers", frame=frame, claims=sources)


def _reasons(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> Exhibit:
    """Why each lever has its value: a reason and the ids of the evidence, those known later left out and counted."""
    rows = []
    for name in LEVERS:
        for scenario in comparison.scenarios:
            lever = scenario.levers[name]
            reason = reason_of(comparison, lever)
            # What the user's own scenario inherits is told once, at the scenario it comes from.
            if lever.value == LEVERS[name].neutral or (scenario.own and reason.startswith("@")):
                continue
            known = ", ".join(identity for identity in lever.evidence if _known(context, identity))
            rows.append((name, name_of(scenario), setting(lever), reason, known, _when(context, lever)))
    frame = pd.DataFrame(rows, columns=["lever", "scenario", "value", "reason", "claims", "known"])
    if not any(lever.known_later(context.settings.as_of_date) for lever in _moved(comparison)):
        frame = frame.drop(columns="known")
    return Exhibit(name="lever_reasons", frame=frame, claims=sources)


def _when(context: Context, lever: Lever) -> str:
    """Whether the evidence of a lever was known on the as-of date."""
    later = lever.known_later(context.settings.as_of_date)
    return "none" if len(later) == len(lever.evidence) else "some" if later else "all"
