"""Simulation-based calibration from the shipped record: how often models find a truth that is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import numpy as np

from telemed_forecast.evaluation import calibration, calibration_record, uniformity
from telemed_forecast.evaluation.calibration import ERROR, Verdict
from telemed_forecast.evaluation.calibration_record import Record
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    DataTable,
    Heading,
    Paragraph,
    Table,
    TableBlock,
    Value,
)

DRAWN = 3
"""Quantities in a model's chart: those that come nearest to the edge of chance."""


def blocks(as_of: date, record: Mapping[str, Record] | None = None) -> list[Block]:
    """The section on calibration.

    Parameters
    ----------
    as_of
        The report's date: a check that was laid out on what became known later is not shown.
    record
        What is on record, by model; the shipped record when None.
    """
    known = calibration_record.read() if record is None else record
    if not known:
        return []
    shown = {name: one for name, one in known.items() if date.fromisoformat(one.as_of) <= as_of}
    if not shown:
        return [Heading(key="sbc.heading"), Paragraph(key="sbc.later")]
    told = {name: _by_surprise(calibration.verdicts(one.ranks)) for name, one in shown.items()}
    present = {name: told[name] for name, one in shown.items() if calibration_record.is_present(name, one.fingerprint)}
    return [
        Heading(key="sbc.heading"),
        Paragraph(key="sbc.what", values={"simulations": min(len(one.ranks.places) for one in shown.values())}),
        *_left_out(len(known), len(shown), len(present)),
        *_said(present),
        _verdict_table(shown, told, present),
        *([Paragraph(key="sbc.charts", values={"drawn": DRAWN, "error": _chance(ERROR)})] if present else []),
        *(_chart(name, shown[name], found) for name, found in present.items()),
        Paragraph(key="sbc.limits"),
        _made(shown),
        _file(told, present),
    ]


def _left_out(known: int, shown: int, present: int) -> list[Block]:
    """How many models the verdicts do not count: checked on later figures, or changed since."""
    found: list[Block] = []
    if known > shown:
        found.append(Paragraph(key="sbc.some_later", values={"later": known - shown, "models": known}))
    if shown > present:
        values: dict[str, Value | str | int | float] = {"stale": shown - present, "models": shown}
        found.append(Paragraph(key="sbc.some_stale" if present else "sbc.all_stale", values=values))
    return found


def _said(present: Mapping[str, Sequence[Verdict]]) -> list[Block]:
    """Whether the models pass, those alone that are still as they were checked."""
    if not present:
        return []
    failed = [name for name, found in present.items() if not all(one.calibrated for one in found)]
    return [Paragraph(key="sbc.some_failed" if failed else "sbc.all_passed", values=_count(present, failed))]


def _verdict(calibrated: bool, present: bool) -> str:
    """Key of a verdict: a model that changed since has none."""
    return "@sbc.stale" if not present else "@sbc.calibrated" if calibrated else "@sbc.not_calibrated"


def _by_surprise(found: Sequence[Verdict]) -> list[Verdict]:
    return sorted(found, key=lambda one: (one.p, min(one.shape, one.width)))


def _chance(p: float) -> Value:
    return Value(value=p, unit="probability", digits=2)


def model(name: str) -> str:
    """Key of a model's name."""
    return f"@sbc.model.{name}"


def quantity(name: str) -> str:
    """Key of what a quantity is called."""
    return f"@sbc.quantity.{name}"


def _count(told: Mapping[str, Sequence[Verdict]], failed: Sequence[str]) -> dict[str, Value | str | int | float]:
    return {
        "models": len(told),
        "failed": len(failed),
        "quantities": sum(len(found) for found in told.values()),
        "error": _chance(ERROR),
    }


def _verdict_table(
    shown: Mapping[str, Record], told: Mapping[str, Sequence[Verdict]], present: Collection[str]
) -> TableBlock:
    columns = (
        Column(name="model", key="sbc.column.model"),
        Column(name="simulations", key="sbc.column.simulations", unit="count"),
        Column(name="quantities", key="sbc.column.quantities", unit="count"),
        Column(name="most_surprising", key="sbc.column.most_surprising"),
        Column(name="p", key="sbc.column.p", unit="probability", digits=2),
        Column(name="verdict", key="sbc.column.verdict"),
    )
    rows = tuple(
        (
            model(name),
            len(shown[name].ranks.places),
            len(found),
            quantity(found[0].quantity),
            found[0].p,
            _verdict(found[0].calibrated, name in present),
        )
        for name, found in told.items()
    )
    return TableBlock(
        id="calibration_verdicts",
        title_key="table.calibration_verdicts.title",
        note_key="table.calibration_verdicts.note",
        note_values={"error": _chance(ERROR)},
        columns=columns,
        rows=rows,
    )


def _chart(name: str, record: Record, found: Sequence[Verdict]) -> Chart:
    """Distribution of the ranks of the most surprising quantities less the even one, with the band for all."""
    places, names = record.ranks.places, record.ranks.quantities
    # The band of each quantity is as wide as all of them together need.
    band = uniformity.band(len(places), ERROR / len(names))
    lines = []
    for one in found[:DRAWN]:
        away = uniformity.distribution(places[:, names.index(one.quantity)]) - band.at
        lines.append((quantity(one.quantity), away, away, away))
    farthest = max(float(np.abs(away).max()) for _, away, _, _ in lines)
    lines.append(("@sbc.band", np.zeros_like(band.at), band.low - band.at, band.high - band.at))
    rows = tuple(
        (100.0 * float(at), label, *(100.0 * float(end[k]) for end in (middle, low, high)))
        for label, middle, low, high in lines
        for k, at in enumerate(band.at)
    )
    return Chart(
        id=f"calibration_{name}",
        kind="lines",
        title_key="chart.calibration_ranks.title",
        title_values={"model": model(name), "number": len(names)},
        alt_key="chart.calibration_ranks.alt",
        alt_values={
            "model": model(name),
            "farthest": Value(value=100.0 * farthest, unit="percent", digits=2),
            "allowed": Value(value=100.0 * float((band.high - band.at).max()), unit="percent", digits=2),
        },
        unit="percent",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=rows),
        x_key="sbc.axis",
    )


def _made(shown: Mapping[str, Record]) -> TableBlock:
    """How the record was made, a row a model: two models may have been put on record on different days."""
    counts = ("simulations", "seed", "warm_up", "draws", "repeated", "diverged")
    columns = (
        Column(name="model", key="sbc.column.model"),
        Column(name="day", key="sbc.column.day"),
        *(Column(name=name, key=f"sbc.column.{name}") for name in counts),
    )
    rows = tuple(
        (
            model(name),
            one.as_of,
            len(one.ranks.places),
            one.seed,
            int(one.effort["short"]["tune"]),
            int(one.effort["short"]["draws"]),
            one.ranks.repeated,
            one.ranks.divergences,
        )
        for name, one in shown.items()
    )
    return TableBlock(
        id="calibration_settings",
        title_key="table.calibration_settings.title",
        note_key="table.calibration_settings.note",
        columns=columns,
        rows=rows,
        folded=True,
    )


def _file(told: Mapping[str, Sequence[Verdict]], present: Collection[str]) -> DataTable:
    """Every quantity with its p-values."""
    rows = tuple(
        (
            model(name),
            quantity(one.quantity),
            one.quantity,
            *(float(f"{p:.3g}") for p in (one.shape, one.width, one.p)),
            _verdict(one.calibrated, name in present),
        )
        for name, found in told.items()
        for one in found
    )
    columns = ("model", "quantity", "name", "p_shape", "p_width", "p_allowing_for_all", "verdict")
    return DataTable(
        id="calibration_quantities",
        key="sbc.file",
        values={"number": len(rows)},
        data=Table(columns=columns, rows=rows),
    )
