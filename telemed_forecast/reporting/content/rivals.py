"""The section on how good a forecast has been: against what came, beside what common tools would have said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import rolling_origins as rolling
from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.rolling_origins import OURS, POOL, Origin
from telemed_forecast.evaluation.score_summary import CONFIDENCE, rows
from telemed_forecast.evaluation.scores import HELD
from telemed_forecast.forecast.rivals import History, rivals
from telemed_forecast.models import ensemble
from telemed_forecast.reporting.blocks import Block, Chart, Heading, Paragraph, Table, TableBlock, Value
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import percent, ratio

if TYPE_CHECKING:
    from telemed_forecast.forecast.context import Context
    from telemed_forecast.forecast.paths import Path

Values = dict[str, Value | str | int | float]

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
        Name of the market, as in `markets.MARKETS`.
    result
        The market's forecast.
    past
        Earlier forecasts and what came of them (`rolling_origins.origins`).
    path
        The headline quantity in the page's own money; as it was fitted when left out.
    worth
        Year -> what a unit of that year's figures is worth in the page's money.
    """
    told = _Told(path or result.path, worth or (lambda year: 1.0))
    found = rolling.score(past, market, seed=context.settings.seed)
    table = rolling.summary(found, context.settings.as_of_date)
    ours = found[found["member"] == OURS]
    shown: list[Block] = [Heading(key="rivals.heading")]
    if ours.empty:
        shown.append(Paragraph(key="rivals.nothing"))
    else:
        claims = tuple(ours["claim_id"].unique())
        rule: Values = {"power": int(ensemble.POWER), "prior": ensemble.PRIOR_OUTCOMES}
        shown += [
            Paragraph(key="rivals.text", values=_values(ours, past), sources=claims),
            *_chart(market, ours, told),
            _summary_table(market, table),
            *_sureness(table),
            Paragraph(key="rivals.weights_text", values=rule),
        ]
    shown += [_verdict(table), _horizon_table(context, market, result.known, found, told)]
    return [*shown, *_all(market, ours, told)]


@dataclass(frozen=True)
class _Told:
    """The money in which the page speaks, for a market of money; everything else is told as it is."""

    path: Path
    worth: Callable[[int], float]

    def value(self, one: Any) -> Value:
        """The forecast that was made then."""
        low, median, high = (end * self.worth(one.day.year) for end in (one.low, one.median, one.high))
        return Value(value=median, unit=self.unit, low=low, high=high)

    def published(self, one: Any) -> float:
        """The figure that came."""
        return float(one.published * self.worth(one.day.year))

    @property
    def unit(self) -> Any:
        """Unit of both."""
        return self.path.unit


def _values(ours: pd.DataFrame, past: Sequence[Origin]) -> Values:
    worst = max((origin.gate.rhat_max for origin in past if origin.gate.rhat_max is not None), default=None)
    return {
        "rhat": "–" if worst is None else Value(value=worst, unit="ratio", digits=3),
        "forecasts": len(ours),
        "outcomes": ours["claim_id"].nunique(),
        "origins": len(past),
        "first": past[0].forecast_date.isoformat(),
        "last": past[-1].forecast_date.isoformat(),
        "inside": percent(ours[HELD].mean()),
        "half": percent(ours[scores.covered(0.5)].mean()),
        "passed": sum(origin.gate.ok for origin in past),
    }


def _chart(market: str, ours: pd.DataFrame, told: _Told) -> list[Block]:
    """Each figure of the headline's own definition beside the last forecast made before its period ended."""
    named = ours.assign(name=ours["publisher"].map(parts.origin_name))[ours["comparable"]]
    by_day = named.sort_values(["day", "forecast_date"], kind="stable").groupby(["day", "name"], sort=False)
    newest = by_day.last().reset_index()
    if newest.empty:
        return []
    alone = newest["name"].nunique() == 1
    points: list[tuple[Any, ...]] = []
    for one in rows(newest):
        category = one.day.isoformat() if alone else f"{one.day.isoformat()}, {one.name}"
        then = told.value(one)
        points.append((category, "@rivals.forecast", then.value, then.low, then.high))
        points.append((category, "@rivals.published", told.published(one), None, None))
    ends = newest[["low", "high", "published"]].to_numpy()
    chart = Chart(
        id=f"{market}_track",
        kind="dots",
        title_key="rivals.chart_title",
        alt_key="rivals.chart_alt",
        alt_values={"number": len(newest), "held": int(newest[HELD].sum())},
        unit=told.unit,
        data=Table(columns=("category", "series", "value", "low", "high"), rows=tuple(points)),
        log=told.unit != "percent" and bool(ends.max() > WIDE * ends.min()),
        sources=tuple(newest["claim_id"].unique()),
    )
    return [chart]


def _summary_table(market: str, table: pd.DataFrame) -> TableBlock:
    columns = [
        ("member", "rivals.member", None, lambda row: f"@rivals.{row.member}"),
        ("weight", "rivals.weight", "percent", lambda row: None if row.weight is None else percent(row.weight)),
        ("crps", "rivals.crps", "ratio", lambda row: ratio(row.crps) if row.common else None),
        ("skill", "rivals.skill", "percent", lambda row: percent(row.skill) if row.common else None),
        ("difference", "rivals.difference", "ratio", _difference),
        *(
            (f"inside{100 * level:.0f}", f"rivals.inside{100 * level:.0f}", "percent", _coverage(scores.covered(level)))
            for level in scores.LEVELS
        ),
        ("forecasts", "rivals.forecasts", None, lambda row: row.number),
    ]
    return parts.table(
        f"{market}_rivals",
        table,
        columns,
        title_key="rivals.table_title",
        note_key="rivals.table_note",
        note_values={"common": int(table["common"].max()) if len(table) else 0},
    )


def _coverage(name: str) -> Callable[[Any], Value]:
    return lambda row: percent(getattr(row, name))


def _difference(row: Any) -> Value | None:
    """Score less that of the random walk with drift; nothing where no interval can be given."""
    if not np.isfinite(row.difference_low) or row.member == rolling.BENCHMARK:
        return None
    return Value(value=row.difference, unit="ratio", digits=2, low=row.difference_low, high=row.difference_high)


def _sureness(table: pd.DataFrame) -> list[Block]:
    """How the intervals of the differences are meant, where there are any."""
    if all(_difference(row) is None for row in rows(table)):
        return []
    values: Values = {"level": percent(CONFIDENCE), "clusters": int(table["clusters"].max())}
    return [Paragraph(key="rivals.difference_text", values=values)]


def _verdict(table: pd.DataFrame) -> Paragraph:
    """Why ours is the headline, or why that is a close call."""
    shared = table[table["common"] > 0].set_index("member")
    if not {OURS, POOL} <= set(shared.index):
        return Paragraph(key="rivals.verdict_none")
    ours, pool = shared["crps"][[OURS, POOL]]
    values: Values = {"ours": ratio(ours), "pool": ratio(pool), "common": int(shared["common"][OURS])}
    return Paragraph(key="rivals.verdict_ours" if ours <= pool else "rivals.verdict_pool", values=values)


def _horizon_table(context: Context, market: str, known: History, found: pd.DataFrame, told: _Told) -> TableBlock:
    """What each says for the horizon; the pool is of those that have anything to say."""
    horizon = context.settings.horizon
    path = told.path
    # For all periods, as the page's own chart asks for Prophet's: each rival is fitted once.
    drawn = rivals(known, path.periods, context.settings.seed)
    at = path.position(date(horizon, 12, 31))
    said: dict[str, np.ndarray] = {OURS: path.year_end(horizon)}
    said |= {name: told.worth(horizon) * draws[:, at] for name, draws in drawn.items()}
    shares = rolling.weights(found, context.settings.as_of_date)
    pooled = ensemble.pool(said, shares, size=rolling.POOL_DRAWS, rng=context.generator(f"pool {market}"))
    rows = [(OURS, said.pop(OURS)), (POOL, pooled), *said.items()]
    return parts.table(
        f"{market}_members",
        rows,
        [
            ("member", "rivals.member", None, lambda row: f"@rivals.{row[0]}"),
            ("value", "rivals.value", told.unit, lambda row: parts.value(row[1], told.unit)),
        ],
        title_key="rivals.horizon_title",
        title_values={"horizon": horizon},
        note_key="rivals.horizon_note" if len(rows) > 2 else "rivals.horizon_alone",
    )


def _all(market: str, ours: pd.DataFrame, told: _Told) -> list[Block]:
    """Every forecast of ours with what came, folded."""
    if ours.empty:
        return []
    columns = [
        ("made", "rivals.made", None, lambda one: one.forecast_date),
        ("day", "column.day", None, lambda one: one.day),
        ("forecast", "rivals.forecast", told.unit, told.value),
        ("published", "rivals.published", told.unit, lambda one: parts.printed(told.published(one), told.unit)),
        ("held", "rivals.held", None, held),
        ("origin", "column.origin", None, lambda one: parts.origin_name(one.publisher)),
        ("claim_id", "column.claim_id", None, lambda one: one.claim_id),
    ]
    return [
        parts.table(
            f"{market}_forecasts_then",
            ours,
            columns,
            title_key="rivals.all_title",
            note_key="rivals.all_note",
            sources=tuple(ours["claim_id"].unique()),
            folded=True,
        )
    ]


def held(one: Any) -> str:
    """Whether the 80% interval of a forecast held the figure."""
    return "@rivals.yes" if getattr(one, HELD) else "@rivals.no"
