"""The section on how good a forecast has been: against what came, beside what common tools would have said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.evaluation import clustered_mean
from telemed_forecast.evaluation import rolling_origins as rolling
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.evaluation.rolling_origins import OURS, POOL, Origin, Score, Standing
from telemed_forecast.forecast.rivals import Known, rivals
from telemed_forecast.models import ensemble
from telemed_forecast.reporting.blocks import Block, Chart, Column, Heading, Paragraph, Table, TableBlock, Value
from telemed_forecast.reporting.content import parts

if TYPE_CHECKING:
    from telemed_forecast.forecast.context import Context
    from telemed_forecast.forecast.paths import Path

_PERCENT = [100.0 * level for level in rolling.LEVELS]

WIDE = 8.0
"""A chart whose largest number is that many times its smallest gets a logarithmic axis."""


def blocks(
    context: Context,
    market: str,
    result: Any,
    past: Sequence[Origin] = (),
    *,
    path: Path | None = None,
    worth: Callable[[int], float] | None = None,
) -> list[Block]:
    """The section of one market's report.

    Parameters
    ----------
    context
        Its date decides which origins and outcomes there are.
    market
        Name of the market, as in `MARKETS`.
    result
        The market's forecast.
    past
        Earlier forecasts and what came of them (`rolling_origins.origins`).
    path
        The headline quantity in the page's own money; as it was fitted when left out.
    worth
        Year -> what a unit of that year's figures is worth in the page's money.
    """
    told = _Told(path or MARKETS[market].path(result), worth or (lambda year: 1.0))
    found = rolling.score(past, seed=context.settings.seed)
    table = rolling.standings(found, context.settings.as_of_date)
    ours = [one for one in found if one.member == OURS]
    shown: list[Block] = [Heading(key="rivals.heading")]
    if not ours:
        shown.append(Paragraph(key="rivals.nothing"))
    else:
        claims = tuple(dict.fromkeys(one.claim_id for one in ours))
        shown.append(Paragraph(key="rivals.text", values=_values(ours, past), sources=claims))
        shown += _chart(market, ours, past, told)
        shown += [
            _standing_table(market, table),
            *_sureness(table),
            Paragraph(key="rivals.weights_text", values=_rule()),
        ]
    shown += [_verdict(table), _horizon_table(context, market, result.known, found, told)]
    return [*shown, *_all(market, ours, past, told)]


@dataclass(frozen=True)
class _Told:
    """The money in which the page speaks, for a market of money; everything else is told as it is."""

    path: Path
    worth: Callable[[int], float]

    def value(self, one: Score) -> Value:
        """The forecast that was made then."""
        low, median, high = (end * self.worth(one.day.year) for end in (one.low, one.median, one.high))
        return Value(value=median, unit=self.unit, low=low, high=high)

    def published(self, one: Score) -> float:
        """The figure that came."""
        return one.published * self.worth(one.day.year)

    @property
    def unit(self) -> Any:
        """Unit of both."""
        return self.path.unit


def _values(ours: Sequence[Score], made: Sequence[Origin]) -> dict[str, Value | str | int | float]:
    worst = max((origin.gate.rhat_max for origin in made if origin.gate.rhat_max is not None), default=None)
    return {
        "rhat": "–" if worst is None else Value(value=worst, unit="ratio", digits=3),
        "forecasts": len(ours),
        "outcomes": len({one.claim_id for one in ours}),
        "origins": len(made),
        "first": made[0].day.isoformat(),
        "last": made[-1].day.isoformat(),
        "inside": _percent(np.mean([one.inside[0.8] for one in ours])),
        "half": _percent(np.mean([one.inside[0.5] for one in ours])),
        "passed": sum(origin.gate.ok for origin in made),
    }


def _rule() -> dict[str, Value | str | int | float]:
    return {"power": int(ensemble.POWER), "prior": ensemble.PRIOR_OUTCOMES}


def _percent(share: float | np.floating) -> Value:
    return Value(value=100.0 * float(share), unit="percent", digits=2)


def _chart(market: str, ours: Sequence[Score], made: Sequence[Origin], told: _Told) -> list[Block]:
    """Each figure of the headline's own definition beside the last forecast made before its period ended."""
    newest: dict[tuple[date, str], Score] = {}
    names = _names(made)
    for one in sorted(ours, key=lambda one: (one.day, one.origin)):
        if one.comparable:
            newest[one.day, names[one.claim_id]] = one
    if not newest:
        return []
    rows: list[tuple[Any, ...]] = []
    alone = len({name for _, name in newest}) == 1
    for (day, name), one in newest.items():
        category = day.isoformat() if alone else f"{day.isoformat()}, {name}"
        then = told.value(one)
        rows.append((category, "@rivals.forecast", then.value, then.low, then.high))
        rows.append((category, "@rivals.published", told.published(one), None, None))
    ends = [end for one in newest.values() for end in (one.low, one.high, one.published)]
    held = sum(one.inside[0.8] for one in newest.values())
    chart = Chart(
        id=f"{market}_track",
        kind="dots",
        title_key="rivals.chart_title",
        alt_key="rivals.chart_alt",
        alt_values={"number": len(newest), "held": held},
        unit=told.unit,
        data=Table(columns=("category", "series", "value", "low", "high"), rows=tuple(rows)),
        log=told.unit != "percent" and max(ends) > WIDE * min(ends),
        sources=tuple(dict.fromkeys(one.claim_id for one in newest.values())),
    )
    return [chart]


def _names(made: Sequence[Origin]) -> dict[str, str]:
    """Claim id -> who published it."""
    return {
        str(claim): parts.origin_name(str(who))
        for origin in made
        for claim, who in zip(origin.actuals.claim_id, origin.actuals.origin, strict=True)
    }


def _standing_table(market: str, table: Sequence[Standing]) -> TableBlock:
    columns = (
        Column(name="member", key="rivals.member"),
        Column(name="weight", key="rivals.weight", unit="percent"),
        Column(name="crps", key="rivals.crps", unit="ratio"),
        Column(name="skill", key="rivals.skill", unit="percent"),
        Column(name="difference", key="rivals.difference", unit="ratio"),
        *(Column(name=f"inside{level:.0f}", key=f"rivals.inside{level:.0f}", unit="percent") for level in _PERCENT),
        Column(name="forecasts", key="rivals.forecasts"),
    )
    rows = tuple(
        (
            f"@rivals.{row.member}",
            None if row.weight is None else _percent(row.weight),
            Value(value=row.crps, unit="ratio", digits=2) if row.common else None,
            _percent(row.skill) if row.common else None,
            _difference(row),
            *(_percent(row.coverage[level]) for level in rolling.LEVELS),
            row.number,
        )
        for row in table
    )
    return TableBlock(
        id=f"{market}_rivals",
        title_key="rivals.table_title",
        note_key="rivals.table_note",
        note_values={"common": max((row.common for row in table), default=0)},
        columns=columns,
        rows=rows,
    )


def _difference(row: Standing) -> Value | None:
    """Score less that of the random walk with drift; nothing where no interval can be given."""
    if not np.isfinite(row.difference_low) or row.member == rolling.BENCHMARK:
        return None
    return Value(value=row.difference, unit="ratio", digits=2, low=row.difference_low, high=row.difference_high)


def _sureness(table: Sequence[Standing]) -> list[Block]:
    """How the intervals of the differences are meant, where there are any."""
    if all(_difference(row) is None for row in table):
        return []
    clusters = max(row.clusters for row in table)
    values: dict[str, Value | str | int | float] = {"level": _percent(clustered_mean.LEVEL), "clusters": clusters}
    return [Paragraph(key="rivals.difference_text", values=values)]


def _verdict(table: Sequence[Standing]) -> Paragraph:
    """Why ours is the headline, or why that is a close call."""
    crps = {row.member: row.crps for row in table if row.common}
    if OURS not in crps or POOL not in crps:
        return Paragraph(key="rivals.verdict_none")
    values: dict[str, Value | str | int | float] = {
        "ours": Value(value=crps[OURS], unit="ratio", digits=2),
        "pool": Value(value=crps[POOL], unit="ratio", digits=2),
        "common": next(row.common for row in table if row.member == OURS),
    }
    return Paragraph(key="rivals.verdict_ours" if crps[OURS] <= crps[POOL] else "rivals.verdict_pool", values=values)


def _horizon_table(context: Context, market: str, known: Known, found: Sequence[Score], told: _Told) -> TableBlock:
    """What each says for the horizon; the pool is of those that have anything to say."""
    horizon = context.settings.horizon
    path = told.path
    # For all periods, as the page's own chart asks for Prophet's: each rival is fitted once.
    drawn = rivals(known, path.periods, context.settings.seed)
    at = path.position(date(horizon, 12, 31))
    said: dict[str, np.ndarray] = {OURS: path.year_end(horizon)}
    said |= {name: told.worth(horizon) * draws[:, at] for name, draws in drawn.items()}
    shares: Mapping[str, float] = rolling.weights(found, context.settings.as_of_date)
    pooled = ensemble.pool(said, shares, size=rolling.POOL_DRAWS, rng=context.generator(f"pool {market}"))
    order = [OURS, POOL, *(name for name in said if name != OURS)]
    said[POOL] = pooled
    return TableBlock(
        id=f"{market}_members",
        title_key="rivals.horizon_title",
        title_values={"horizon": horizon},
        note_key="rivals.horizon_note" if len(said) > 2 else "rivals.horizon_alone",
        columns=(
            Column(name="member", key="rivals.member"),
            Column(name="value", key="rivals.value", unit=told.unit),
        ),
        rows=tuple((f"@rivals.{name}", parts.value(said[name], told.unit)) for name in order),
    )


def _all(market: str, ours: Sequence[Score], made: Sequence[Origin], told: _Told) -> list[Block]:
    """Every forecast of ours with what came, folded."""
    if not ours:
        return []
    names = _names(made)
    columns = (
        Column(name="made", key="rivals.made"),
        Column(name="day", key="column.day"),
        Column(name="forecast", key="rivals.forecast", unit=told.unit),
        Column(name="published", key="rivals.published", unit=told.unit),
        Column(name="held", key="rivals.held"),
        Column(name="origin", key="column.origin"),
        Column(name="claim_id", key="column.claim_id"),
    )
    rows = tuple(
        (
            one.origin.isoformat(),
            one.day.isoformat(),
            told.value(one),
            Value(value=told.published(one), unit=told.unit, digits=4),
            "@rivals.yes" if one.inside[0.8] else "@rivals.no",
            names[one.claim_id],
            one.claim_id,
        )
        for one in ours
    )
    return [
        TableBlock(
            id=f"{market}_forecasts_then",
            title_key="rivals.all_title",
            note_key="rivals.all_note",
            columns=columns,
            rows=rows,
            sources=tuple(dict.fromkeys(one.claim_id for one in ours)),
            folded=True,
        )
    ]
