"""What changed between two runs: key figures, assumptions, evidence, and what the runs were made of.

Key figures come sorted by how far they moved, in units of the first run's own uncertainty, so that what matters stands
first; the figures of the executive summary lead. Assumptions are the parameters that somebody set and the priors of
every model; evidence is compared row by row, by claim id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telemed_forecast.reporting.blocks import Block, Column, Heading, KeyFigure, Paragraph, TableBlock, Title, Value
from telemed_forecast.reporting.catalogue import catalogue, placeholders

Interval = tuple[float, float]
Row = Mapping[str, str]


@dataclass(frozen=True)
class Side:
    """One of the two runs, as far as it is compared.

    Attributes
    ----------
    manifest
        What the run says of itself.
    evidence
        Rows of the tables of figures that entered a model: claim id -> interval and unit.
    assumptions
        Rows of the tables of parameters: (report, parameter) -> columns as written.
    """

    manifest: Mapping[str, Any]
    evidence: Mapping[str, tuple[Interval, str]]
    assumptions: Mapping[tuple[str, str], Row]

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.manifest["run_id"])

    @property
    def figures(self) -> dict[str, KeyFigure]:
        """Key figures by id, those of the summary first; the same figure on two pages counts once."""
        found: dict[str, KeyFigure] = {}
        for stated in self.manifest["key_figures"]:
            figure = KeyFigure.model_validate({name: value for name, value in stated.items() if name != "notebook"})
            found.setdefault(figure.id, figure)
        return found


@dataclass(frozen=True)
class Moved:
    """A key figure of both runs.

    Attributes
    ----------
    before, after
        The figure in each run.
    distance
        Change of the value over half the width of the first run's interval (over the value without one); 1 means
        that the new value lies at the end of the old interval.
    """

    before: KeyFigure
    after: KeyFigure

    @property
    def distance(self) -> float:
        """How far the value moved, in half-widths of the first interval."""
        old, new = self.before.value, self.after.value
        half = 0.5 * (old.high - old.low) if old.low is not None and old.high is not None else abs(old.value)
        moved = abs(new.value - old.value)
        return moved / half if half > 0 else float(moved > 0)


def moved(a: Side, b: Side) -> list[Moved]:
    """Key figures that both runs state in the same unit, the one that moved most first."""
    ours, theirs = a.figures, b.figures
    shared = [name for name in ours if name in theirs and ours[name].value.unit == theirs[name].value.unit]
    return sorted((Moved(ours[name], theirs[name]) for name in shared), key=lambda one: -one.distance)


def settings(a: Side, b: Side) -> list[tuple[str, str, str]]:
    """Parameters, scenario, software and input files that differ: (what, in the first run, in the second)."""
    found = [
        (f"{notebook}: {name}", _text(old.get(name)), _text(new.get(name)))
        for notebook, old, new in _paired(a.manifest["parameters"], b.manifest["parameters"])
        for name in _union(old, new)
        if old.get(name) != new.get(name)
    ]
    for part in ("as_of", "vintage", "python"):
        if a.manifest[part] != b.manifest[part]:
            found.append((part, _text(a.manifest[part]), _text(b.manifest[part])))
    for part, shown in (("versions", _text), ("inputs", _short)):
        old, new = a.manifest[part], b.manifest[part]
        found += [
            (name, shown(old.get(name)), shown(new.get(name)))
            for name in _union(old, new)
            if old.get(name) != new.get(name)
        ]
    return found


def evidence(a: Side, b: Side) -> list[tuple[str, str, str]]:
    """Rows of evidence that one run uses and the other does not, or reads otherwise."""
    return [
        (claim, _interval(a.evidence.get(claim)), _interval(b.evidence.get(claim)))
        for claim in _union(a.evidence, b.evidence)
        if a.evidence.get(claim) != b.evidence.get(claim)
    ]


def assumptions(a: Side, b: Side) -> list[tuple[str, str, str, str]]:
    """Priors that differ: (report, parameter, in the first run, in the second)."""
    found = []
    for key in _union(a.assumptions, b.assumptions):
        old, new = (_prior(side.assumptions.get(key)) for side in (a, b))
        if old != new:
            found.append((*key, old, new))
    return found


def blocks(a: Side, b: Side) -> list[Block]:
    """The page of a comparison."""
    changes = moved(a, b)
    shown: list[Block] = [
        Title(report="compare"),
        Paragraph(key="compare.intro", values={"first": a.name, "second": b.name, "figures": len(changes)}),
        Heading(key="compare.figures"),
        _figures_table(changes),
    ]
    for name, rows, first in (
        ("settings", settings(a, b), ("what",)),
        ("assumptions", assumptions(a, b), ("report", "parameter")),
        ("evidence", evidence(a, b), ("claim",)),
    ):
        shown.append(Heading(key=f"compare.{name}"))
        shown.append(_plain_table(name, first, rows) if rows else Paragraph(key="compare.same"))
    return shown


def _figures_table(changes: Sequence[Moved]) -> TableBlock:
    columns = (
        Column(name="figure", key="compare.column_figure"),
        Column(name="period", key="compare.column_period"),
        Column(name="before", key="compare.column_before"),
        Column(name="after", key="compare.column_after"),
        Column(name="distance", key="compare.column_distance", unit="multiple"),
    )
    rows = tuple(
        (
            _label(one.before),
            one.before.period,
            one.before.value,
            one.after.value,
            Value(value=one.distance, unit="multiple", digits=2),
        )
        for one in changes
    )
    return TableBlock(
        id="compare_figures",
        title_key="compare.figures_title",
        note_key="compare.figures_note",
        columns=columns,
        rows=rows,
    )


def _plain_table(name: str, first: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> TableBlock:
    columns = tuple(Column(name=column, key=f"compare.column_{column}") for column in (*first, "before", "after"))
    return TableBlock(id=f"compare_{name}", title_key=f"compare.{name}_title", columns=columns, rows=tuple(rows))


def _label(figure: KeyFigure) -> str:
    """The figure's own label; its name where the label needs numbers of one run."""
    return figure.id if placeholders(catalogue("en").texts[figure.key]) else f"@{figure.key}"


def _paired(
    old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    return ((name, old.get(name, {}), new.get(name, {})) for name in _union(old, new))


def _union[Key](old: Mapping[Key, Any], new: Mapping[Key, Any]) -> list[Key]:
    """Keys of both, in the order of the first."""
    return list(dict.fromkeys([*old, *new]))


NONE = "–"
"""Where a run has nothing."""


def _text(value: Any) -> str:
    return NONE if value in (None, "") else str(value)


def _short(sha256: str | None) -> str:
    return NONE if sha256 is None else sha256[:8]


def _interval(found: tuple[Interval, str] | None) -> str:
    if found is None:
        return NONE
    (low, high), unit = found
    return f"{low:,.6g} to {high:,.6g} {unit}"


def _prior(row: Row | None) -> str:
    if row is None:
        return NONE
    middle, low, high = (float(row[name]) for name in ("prior_ratio", "prior_ratio_low", "prior_ratio_high"))
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"
