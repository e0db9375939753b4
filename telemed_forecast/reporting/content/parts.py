"""Blocks that every report has: key figures, fan charts with their evidence, and the record at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from telemed_forecast.evidence import ledger
from telemed_forecast.exhibits.evidence import origin_name, printed_figure
from telemed_forecast.exhibits.numbers import chance, share, status, value
from telemed_forecast.forecast import hub
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path, interval
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    ForecastTable,
    GateResult,
    Gates,
    KeyFigure,
    Provenance,
    SourceRow,
    Sources,
    Table,
    TableBlock,
    Value,
)
from telemed_forecast.reporting.catalogue import catalogue

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations
    from telemed_forecast.fits.store import Fit

Sections = dict[str, list[Block]]

__all__ = ["chance", "interval", "origin_name", "printed_figure", "share", "value"]

PACKAGES = ("pymc", "nutpie", "arviz", "prophet", "pandas", "numpy", "telemed-forecast")


def percent(share: float, low: float | None = None, high: float | None = None, level: float = 0.8) -> Value:
    """A part of one as a percentage, with its interval where it has one."""
    if low is None or high is None:
        return Value(value=100.0 * float(share), unit="percent", digits=2)
    return Value(value=100.0 * share, unit="percent", low=100.0 * low, high=100.0 * high, level=level)


def multiple(error: float, low: float = np.nan, high: float = np.nan, level: float = 0.8) -> Value:
    """An error on the log scale as a factor, with its interval where it has one."""
    factor, first, last = np.exp([error, low, high]).tolist()
    if np.isnan(low):
        return Value(value=factor, unit="multiple", digits=3)
    return Value(value=factor, unit="multiple", low=first, high=last, level=level)


def printed(figure: float, unit: Any) -> Value:
    """A figure as it was printed."""
    return Value(value=float(figure), unit=unit, digits=4)


def said(one: Any) -> Value:
    """Median and 80% interval of a row of scores."""
    return Value(value=one.median, unit=one.unit, low=one.low, high=one.high)


def ratio(number: float) -> Value:
    """A score, or another number without a unit."""
    return Value(value=float(number), unit="ratio", digits=2)


Cells = Sequence[tuple[str, str, Any, Callable[[Any], Any]]]
"""Columns of a table: name, text key of the heading, unit (or None), and row -> cell."""


def table(name: str, rows: pd.DataFrame | Iterable[Any], columns: Cells, **extra: Any) -> TableBlock:
    """A table whose every column is told in one place; texts are ``table.<name>.title`` and ``.note`` unless given."""
    each = rows.itertuples(index=False) if isinstance(rows, pd.DataFrame) else rows
    texts = {"title_key": f"table.{name}.title", "note_key": f"table.{name}.note"}
    return TableBlock(
        id=name,
        columns=tuple(Column(name=column, key=key, unit=unit) for column, key, unit, _ in columns),
        rows=tuple(tuple(cell(row) for *_, cell in columns) for row in each),
        **(texts | extra),
    )


def key_figure(
    name: str, figure: Value, period: str, sources: Sequence[str], fits: Sequence[Fit], **extra: Any
) -> KeyFigure:
    """A headline number; its label is the text ``figure.<name>``."""
    return KeyFigure(
        id=name,
        key=f"figure.{name.rsplit('_', 1)[0] if name[-1].isdigit() else name}",
        value=figure,
        period=period,
        sources=tuple(sources),
        status=status(*fits),
        **extra,
    )


def newest(observations: Observations, number: int = 1, *instead: Observations) -> list[str]:
    """Claim ids of the newest figures; those of the first that has any `instead` when an early date knows none."""
    if not len(observations) and instead:
        return newest(instead[0], number, *instead[1:])
    order = np.argsort(observations.end, kind="stable")[::-1][:number]
    return [str(observations.claim_id[k]) for k in order]


def fan(
    name: str,
    path: Path,
    *,
    as_of: date,
    since: int,
    evidence: Observations | None = None,
    factor: float = 1.0,
    prophet: np.ndarray | None = None,
    sources: Sequence[str] = (),
    **texts: Any,
) -> Chart:
    """A forecast with its bands, the published intervals and Prophet's median.

    Parameters
    ----------
    name
        Id of the chart; texts are ``chart.<name>.title`` and ``.alt``.
    path
        The forecast.
    as_of
        Where knowledge ends.
    since
        First year shown.
    evidence
        Published figures, multiplied by `factor` into the path's unit.
    prophet
        Predictive draws of Prophet, dims (draw, period); its median is drawn as a line.
    """
    shown = [k for k, day in enumerate(path.periods) if day.year >= since]
    q = path.quantiles(np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]))[:, shown]
    family = "exhibit" if f"exhibit.{name}.title" in catalogue("en").texts else "chart"
    days = [path.periods[k].isoformat() for k in shown]
    names = ("low95", "low80", "low50", "median", "high50", "high80", "high95")
    data = {"period": days} | {n: q[k] for k, n in enumerate(names)}
    return Chart(
        id=name,
        kind="fan",
        title_key=f"{family}.{name}.title",
        alt_key=f"{family}.{name}.alt",
        alt_values={
            "now": value(path.draws[:, path.last_known], path.unit),
            "known": path.periods[path.last_known].isoformat(),
            "then": value(path.draws[:, -1], path.unit),
            "end": path.periods[-1].isoformat(),
        },
        unit=path.unit,
        data=Table.model_validate(data),
        points=None if evidence is None else published_points(evidence, factor, since),
        lines=None if prophet is None else _median_line(prophet, path, shown),
        as_of=as_of,
        x="year" if path.flow else "year_end",
        sources=tuple(sources),
        **texts,
    )


def published_points(evidence: Observations, factor: float, since: int) -> Table:
    """Published intervals since a year, multiplied by a factor, as the marks of a fan chart."""
    rows = [
        (
            str(evidence.end[k])[:10],
            evidence.low[k] * factor,
            evidence.high[k] * factor,
            str(evidence.grade[k]),
            str(evidence.claim_id[k]),
            origin_name(evidence.origin[k]),
        )
        for k in range(len(evidence))
        if int(str(evidence.end[k])[:4]) >= since
    ]
    return Table(columns=("period", "low", "high", "grade", "claim_id", "label"), rows=tuple(rows))


def _median_line(prophet: np.ndarray, path: Path, shown: Sequence[int]) -> Table:
    median = np.median(prophet, axis=0)
    rows = tuple((path.periods[k].isoformat(), "@series.prophet", float(median[k])) for k in shown)
    return Table(columns=("period", "series", "value"), rows=rows)


def year_table(name: str, paths: Sequence[Path], years: Sequence[int], sources: Sequence[str]) -> TableBlock:
    """Median and 80% interval of several quantities at chosen year-ends; headings are ``target.<target>``."""
    columns = [Column(name="year", key="column.year", unit="year")]
    columns += [Column(name=p.target, key=f"target.{p.target}", unit=p.unit) for p in paths]
    rows = [(y, *(value(p.year_end(y), p.unit) for p in paths)) for y in years]
    return TableBlock(
        id=name, title_key=f"table.{name}.title", columns=tuple(columns), rows=tuple(rows), sources=tuple(sources)
    )


def parameter_table(name: str, rows: Iterable[tuple[str, np.ndarray, np.ndarray]]) -> TableBlock:
    """What the evidence taught: prior and posterior of parameters (median, 80%), and how much narrower it became.

    Parameters
    ----------
    rows
        (text key of the parameter, prior draws, posterior draws).
    """
    columns = (
        Column(name="parameter", key="column.parameter"),
        Column(name="prior", key="column.prior", unit="ratio"),
        Column(name="posterior", key="column.posterior", unit="ratio"),
        Column(name="learned", key="column.learned", unit="percent"),
    )
    table = []
    for key, prior, posterior in rows:
        learned = 100.0 * max(0.0, 1.0 - float(np.var(posterior) / np.var(prior)))
        table.append(
            (
                f"@{key}",
                value(prior, "ratio"),
                value(posterior, "ratio"),
                Value(value=learned, unit="percent", digits=2),
            )
        )
    return TableBlock(
        id=name,
        title_key="table.parameters.title",
        note_key="table.parameters.note",
        columns=columns,
        rows=tuple(table),
    )


def evidence_table(name: str, evidence: Sequence[Observations], unit: str, factor: float = 1.0) -> TableBlock:
    """The figures that entered the likelihood, as intervals."""
    columns = (
        Column(name="day", key="column.day"),
        Column(name="low", key="column.low", unit=unit),
        Column(name="high", key="column.high", unit=unit),
        Column(name="origin", key="column.origin"),
        Column(name="grade", key="column.grade"),
        Column(name="claim_id", key="column.claim_id"),
    )
    rows = [
        (
            str(o.end[k])[:10],
            float(o.low[k] * factor),
            float(o.high[k] * factor),
            origin_name(o.origin[k]),
            str(o.grade[k]),
            str(o.claim_id[k]),
        )
        for o in evidence
        for k in range(len(o))
    ]
    claims = tuple(dict.fromkeys(str(c) for o in evidence for c in o.claim_id))
    return TableBlock(
        id=name,
        title_key="table.evidence.title",
        note_key="table.evidence.note",
        columns=columns,
        rows=tuple(sorted(rows)),
        sources=claims,
    )


def context_table(context: Context, name: str, claims: Sequence[str]) -> TableBlock:
    """Published figures that no likelihood uses, with what they say; texts are ``context.<claim id>``."""
    columns = (
        Column(name="statement", key="column.statement"),
        Column(name="published", key="column.published"),
        Column(name="origin", key="column.origin"),
        Column(name="grade", key="column.grade"),
    )
    view = context.view.set_index("claim_id")
    known = [c for c in claims if c in view.index]
    rows = []
    for claim in known:
        row = view.loc[claim]
        rows.append((f"@context.{claim}", printed_figure(row), origin_name(str(row["origin"])), str(row["grade"])))
    return TableBlock(id=name, title_key=f"table.{name}.title", columns=columns, rows=tuple(rows), sources=tuple(known))


def gates(context: Context, *fits: Fit) -> Gates:
    """The gates of every fit behind the page."""
    return Gates(fits=tuple(GateResult(**fit.gate.to_dict(), profile=context.settings.profile) for fit in fits))


def forecasts(context: Context, paths: Iterable[Path]) -> ForecastTable:
    """The hub-format rows of the page."""
    settings = context.settings
    rows = hub.rows(paths, reference=settings.as_of_date, scenario=context.scenario.name, model="telemed_forecast")
    columns = tuple(rows[0])
    return ForecastTable(data=Table(columns=columns, rows=tuple(tuple(r.values()) for r in rows)))


def _address(url: str) -> str:
    """The address of a source on the web; the founding articles are files and have none."""
    return url if url.startswith(("http://", "https://")) else ""


def record(context: Context, sections: Sections, parameters: dict[str, Any]) -> list[Block]:
    """Sources of everything cited in the sections, and how the numbers were made."""
    cited = dict.fromkeys(c for blocks in sections.values() for block in blocks for c in block.claims())
    view, events = context.view.set_index("claim_id"), ledger.policy_events().set_index("event_id")
    rows = tuple(_event_row(c, events.loc[c]) if c in events.index else _claim_row(c, view.loc[c]) for c in cited)
    settings = context.settings
    provenance = Provenance(
        as_of=settings.as_of_date,
        vintage=ledger.vintage_date(),
        scenario=context.scenario.name,
        seed=settings.seed,
        profile=settings.profile,
        versions={name: metadata.version(name) for name in PACKAGES},
        # Where a file of the user's own lies is nobody's business.
        parameters={**parameters, "scenario": context.scenario.name},
    )
    return [Sources(rows=rows), provenance]


def _claim_row(claim: str, row: Any) -> SourceRow:
    return SourceRow(
        claim_id=claim,
        origin=origin_name(str(row["origin"])),
        title=str(row["source_title"] or row["publisher"] or claim),
        url=_address(str(row["url"])),
        date=str(row["source_date"] or "")[:10],
        grade=str(row["grade"]),
    )


def _event_row(event: str, row: Any) -> SourceRow:
    return SourceRow(
        claim_id=event,
        origin=str(row["jurisdiction"]),
        title=str(row["event"]),
        url=_address(str(row["url"])),
        date=str(row["date"]),
    )
