"""Scenarios on the page: the headline numbers in each, weighed together, and which lever does how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from telemed_forecast.evaluation.scenario_effects import ACTS_ON, MIXTURE, Comparison, Effect, Effects, Headline
from telemed_forecast.evidence import citations
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import interval
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    Heading,
    Paragraph,
    Table,
    TableBlock,
    Value,
)
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value
from telemed_forecast.scenarios import COMPARED, LEVERS, Lever, Scenario

TOTAL = "total"
"""Name of the row that holds what all levers do together."""


def section(context: Context, comparison: Comparison) -> list[Block]:
    """The section on scenarios: what they say, the two charts of the levers, and the tables behind them."""
    sources = lever_sources(context, comparison.scenarios)
    market = comparison.effects_on("market")
    both = [effects for effects in market if effects.scenario in COMPARED]
    own = [effects for effects in market if effects.scenario not in COMPARED]
    return [
        Heading(key="scenarios.heading"),
        _text(context, comparison, both, sources),
        *_own(context, comparison, sources),
        _forest(context, comparison, sources),
        _headlines(context, comparison, sources),
        _bars("lever_tornado", context, both, sources, [e.alone for e in both]),
        _bars("scenario_parts", context, both, sources, [_with_total(e) for e in both]),
        *(_bars("own_scenario_parts", context, [e], sources, [_with_total(e)]) for e in own),
        _effects(context, comparison, sources),
        _levers(comparison, sources),
        _reasons(context, comparison, sources),
    ]


def lever_sources(context: Context, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """The claims and events behind all levers that were known on the as-of date."""
    evidence = dict.fromkeys(i for scenario in scenarios for lever in scenario.levers.values() for i in lever.evidence)
    return tuple(identity for identity in evidence if _known(context, identity))


def name_of(scenario: Scenario) -> str:
    """A scenario's name for a reader: a text of the catalogue, or what the user called it."""
    return scenario.name if scenario.own else f"@scenario.{scenario.name}"


def _known(context: Context, identity: str) -> bool:
    day = citations.known_day(identity)
    return day is not None and day <= context.settings.as_of_date


def _names(comparison: Comparison) -> dict[str, str]:
    return {scenario.name: name_of(scenario) for scenario in comparison.scenarios} | {MIXTURE: "@scenarios.mixture"}


def _text(context: Context, comparison: Comparison, market: Sequence[Effects], sources: tuple[str, ...]) -> Paragraph:
    mixed = next(headline for headline in comparison.headlines if headline.scenario == MIXTURE)
    largest = _ranked(market)[0]
    later = sum(bool(lever.known_later(context.settings.as_of_date)) for lever in _moved(comparison))
    values = {headline.scenario: parts.chance(headline.weight) for headline in comparison.headlines if headline.weight}
    return Paragraph(
        key="scenarios.text_later" if later else "scenarios.text",
        values=values
        | {
            "horizon": context.settings.horizon,
            "mixture": value(mixed.market, "CNY_million"),
            "lever": f"@lever.{largest}",
            "low": _plain(market[0].alone[largest].value),
            "high": _plain(market[-1].alone[largest].value),
        }
        | ({"later": later, "moved": len(_moved(comparison))} if later else {}),
        sources=sources,
    )


def _own(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> list[Block]:
    """What the user's own scenario means, in the user's words, and its market."""
    if not context.scenario.own:
        return []
    own = comparison.headlines[-1]
    values = {"scenario": own.scenario, "horizon": context.settings.horizon, "market": value(own.market, "CNY_million")}
    meaning = {"meaning": context.scenario.meaning} if context.scenario.meaning else {}
    key = "scenarios.own_meaning" if meaning else "scenarios.own"
    return [Paragraph(key=key, values=values | meaning, sources=sources)]


def _plain(amount: float) -> Value:
    return Value(value=amount, unit="CNY_million", digits=2)


def _moved(comparison: Comparison) -> list[Lever]:
    """Every lever of every scenario that is off its neutral value."""
    settings = [lever for scenario in comparison.scenarios for lever in scenario.levers.values()]
    return [lever for lever in settings if lever.value != LEVERS[lever.name].neutral]


def _forest(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> Chart:
    names = _names(comparison)
    rows = []
    for headline in comparison.headlines:
        low, middle, high = interval(headline.market)
        rows.append((names[headline.scenario], middle, low, high))
    return Chart(
        id="scenario_market",
        kind="dots",
        title_key="chart.scenario_market.title",
        title_values={"horizon": context.settings.horizon},
        alt_key="chart.scenario_market.alt",
        unit="CNY_million",
        data=Table(columns=("category", "value", "low", "high"), rows=tuple(rows)),
        sources=sources,
    )


def _headlines(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> TableBlock:
    names = _names(comparison)
    columns = (
        Column(name="scenario", key="column.scenario"),
        Column(name="weight", key="column.weight", unit="probability"),
        Column(name="market", key="target.market_size_healthcare", unit="CNY_million"),
        Column(name="services", key="target.market_size_services", unit="CNY_million"),
        Column(name="hospitals", key="target.internet_hospitals", unit="hospitals"),
        Column(name="users", key="target.online_medical_users", unit="persons"),
    )

    def row(headline: Headline) -> tuple[str | Value | None, ...]:
        return (
            names[headline.scenario],
            None if headline.weight is None else parts.chance(headline.weight),
            value(headline.market, "CNY_million"),
            value(headline.services, "CNY_million"),
            value(headline.hospitals, "hospitals"),
            value(headline.users, "persons"),
        )

    return TableBlock(
        id="scenario_headlines",
        title_key="table.scenario_headlines.title",
        title_values={"horizon": context.settings.horizon},
        note_key="table.scenario_headlines.note",
        columns=columns,
        rows=tuple(row(headline) for headline in comparison.headlines),
        sources=sources,
        folded=True,
    )


def _ranked(effects: Sequence[Effects]) -> list[str]:
    """Levers, the one with the largest effect alone first."""
    swing = {name: max(abs(e.alone[name].value) for e in effects) for name in effects[0].alone}
    return sorted(swing, key=lambda name: -swing[name])


def _with_total(effects: Effects) -> dict[str, Effect]:
    return {**effects.parts, TOTAL: effects.total}


def _bars(
    name: str,
    context: Context,
    effects: Sequence[Effects],
    sources: tuple[str, ...],
    shown: Sequence[Mapping[str, Effect]],
) -> Chart:
    """Effects on the market by lever, a bar a scenario; the levers in the order of their effect alone."""
    order = [lever for lever in (*_ranked(effects), TOTAL) if lever in shown[0]]
    rows = [
        (f"@lever.{lever}", one[lever].value, f"@scenario.{e.scenario}" if e.scenario in COMPARED else e.scenario)
        for lever in order
        for e, one in zip(effects, shown, strict=True)
    ]
    single = len(effects) == 1
    return Chart(
        id=name,
        kind="bars",
        title_key=f"chart.{name}.title",
        title_values={"horizon": context.settings.horizon} | ({"scenario": effects[0].scenario} if single else {}),
        alt_key=f"chart.{name}.alt",
        caption_key=f"chart.{name}.caption",
        unit="CNY_million",
        data=Table(columns=("category", "value", "series"), rows=tuple(rows)),
        sources=sources,
    )


def _effects(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> TableBlock:
    """What each lever does to each headline number, in percent of the number when all levers are neutral."""
    ends = [e.scenario if e.scenario in COMPARED else "own" for e in comparison.effects_on("market")]
    columns = [Column(name="quantity", key="column.quantity"), Column(name="lever", key="column.lever")]
    columns += [
        Column(name=f"{kind}_{end}", key=f"column.lever_{kind}_{end}", unit="percent")
        for kind in ("alone", "part")
        for end in ends
    ]
    rows = []
    for quantity in ACTS_ON:
        found = comparison.effects_on(quantity)
        for lever in found[0].parts:
            cells = [_percent(e.alone[lever], e.base) for e in found]
            cells += [_percent(e.parts[lever], e.base) for e in found]
            rows.append((f"@scenarios.{quantity}", f"@lever.{lever}", *cells))
        total = [_percent(e.total, e.base) for e in found]
        rows.append((f"@scenarios.{quantity}", f"@lever.{TOTAL}", *(None for _ in found), *total))
    return TableBlock(
        id="lever_effects",
        title_key="table.lever_effects.title",
        title_values={"horizon": context.settings.horizon},
        note_key="table.lever_effects.note",
        columns=tuple(columns),
        rows=tuple(rows),
        sources=sources,
        folded=True,
    )


def _percent(effect: Effect, base: float) -> Value:
    low, middle, high = (100.0 * number / base for number in (effect.low, effect.value, effect.high))
    if low == high:
        return Value(value=middle, unit="percent", digits=2)
    return Value(value=middle, unit="percent", low=low, high=high)


def setting(lever: Lever) -> str:
    """A lever's value as text that needs no translation: ×1.4, or +5% for what is added to yearly growth."""
    if lever.unit == "per year":
        return f"{100.0 * lever.value:+.3g}%".replace("-", "\N{MINUS SIGN}").replace("+0%", "0%")
    return f"×{lever.value:g}"


def _levers(comparison: Comparison, sources: tuple[str, ...]) -> TableBlock:
    """Each lever: what it moves, its unit, and its value in each scenario."""
    columns = [
        Column(name="lever", key="column.lever"),
        Column(name="moves", key="column.lever_moves"),
        Column(name="unit", key="column.lever_unit"),
    ]
    for scenario in comparison.scenarios:
        key = "column.lever_own" if scenario.own else f"scenario.{scenario.name}"
        columns.append(Column(name="own" if scenario.own else scenario.name, key=key))
    rows = [
        (
            f"@lever.{name}",
            f"@lever_moves.{name}",
            f"@lever_unit.{spec.unit.replace(' ', '_')}",
            *(setting(scenario.levers[name]) for scenario in comparison.scenarios),
        )
        for name, spec in LEVERS.items()
    ]
    return TableBlock(
        id="levers",
        title_key="table.levers.title",
        columns=tuple(columns),
        rows=tuple(rows),
        sources=sources,
        folded=True,
    )


def _reasons(context: Context, comparison: Comparison, sources: tuple[str, ...]) -> TableBlock:
    """Why each lever has its value: a reason and the ids of the evidence, those known later left out and counted."""
    columns = [
        Column(name="lever", key="column.lever"),
        Column(name="scenario", key="column.scenario"),
        Column(name="value", key="column.lever_value"),
        Column(name="reason", key="column.lever_reason"),
        Column(name="claims", key="column.claim_id"),
    ]
    later = any(lever.known_later(context.settings.as_of_date) for lever in _moved(comparison))
    rows = []
    for name in LEVERS:
        for scenario in comparison.scenarios:
            lever = scenario.levers[name]
            reason = reason_of(comparison, lever)
            # What the user's own scenario inherits is told once, at the scenario it comes from.
            if lever.value == LEVERS[name].neutral or (scenario.own and reason.startswith("@")):
                continue
            known = [identity for identity in lever.evidence if _known(context, identity)]
            row = [f"@lever.{name}", name_of(scenario), setting(lever), reason, ", ".join(known)]
            rows.append((*row, *([_when(context, lever)] if later else [])))
    return TableBlock(
        id="lever_reasons",
        title_key="table.lever_reasons.title",
        note_key="table.lever_reasons.note",
        columns=(*columns, *([Column(name="known", key="column.lever_known")] if later else [])),
        rows=tuple(rows),
        sources=sources,
        folded=True,
    )


def _when(context: Context, lever: Lever) -> str:
    """Whether the evidence of a lever was known on the as-of date."""
    later = lever.known_later(context.settings.as_of_date)
    return f"@lever_known.{'none' if len(later) == len(lever.evidence) else 'some' if later else 'all'}"


def reason_of(comparison: Comparison, lever: Lever) -> str:
    """The reason of a lever: a text of the catalogue where a compared scenario gives it, else as the file says it."""
    for scenario in comparison.scenarios:
        if not scenario.own and scenario.levers[lever.name] == lever:
            return f"@lever_reason.{scenario.name}.{lever.name}"
    return lever.reason
