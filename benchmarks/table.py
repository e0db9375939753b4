"""The figures of a run: one row a model and slice, printed as tables and written for the track record."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scoring
from benchmarks.folds import wave
from benchmarks.peers import LEVELS
from benchmarks.run import Result
from benchmarks.tasks import Task, truths
from telemed_forecast import files
from telemed_forecast.curves.series import Series

RESAMPLES = 1000
SEED = 0
RANGE = (0.05, 0.95)
"""Quantiles of the bootstrap that are told as a ratio's range."""

STAGES = ("before half", "after half")


@dataclass(frozen=True)
class Row:
    """Figures of one model on one slice of the tasks.

    Attributes
    ----------
    model, left_out
        Name of the peer, and what its learning left out (empty when it learns nothing).
    by, slice
        ``all``; or ``part``, ``family``, ``stage``, ``horizon`` and which one.
    tasks, values
        How many were scored.
    missing
        Values without a forecast.
    score
        [-] Relative CRPS.
    ratio, ratio_low, ratio_high
        [-] To the reference peer on the same slice; the range (bootstrap over series) for ``all`` and ``family``.
    inside_50, inside_80, inside_90, inside_95
        [-] Shares of truths inside the central intervals, averaged within families, then over them.
    """

    model: str
    left_out: str
    by: str
    slice: str
    tasks: int
    values: int
    missing: int
    score: float
    ratio: float
    ratio_low: float
    ratio_high: float
    inside_50: float
    inside_80: float
    inside_90: float
    inside_95: float


@dataclass(frozen=True, eq=False)
class Stages:
    """How far each task's origin has come.

    Attributes
    ----------
    of_task
        One of `STAGES` for each task.
    from_curves
        Number of tasks whose final level is the highest value of their whole curve; that of the others is the last
        value of the task.
    """

    of_task: tuple[str, ...]
    from_curves: int


def stages(tasks: Sequence[Task], curves: Sequence[Series]) -> Stages:
    """Tell whether each origin lies before or after half of the final level."""
    highest = {curve.series_id: float(curve.values.max()) for curve in curves}
    found = []
    for task in tasks:
        final = highest.get(task.name, float(task.truth[-1]))
        found.append(STAGES[int(task.series.values[-1] >= 0.5 * final)])
    return Stages(tuple(found), sum(task.name in highest for task in tasks))


def better(results: Sequence[Result], tasks: Sequence[Task], names: Sequence[str]) -> str:
    """Return which of these peers scores best: the one that ratios are taken to; the first of them if none ran."""
    truth = truths(tasks)
    scores = {
        result.peer.name: float(scoring.average(_task_scores(result, truth), _groups(tasks)))
        for result in results
        if result.peer.name in names
    }
    return min(scores, key=lambda name: _order(scores[name]), default=names[0])


def _groups(tasks: Sequence[Task]) -> list[tuple[str, str]]:
    """What averages are taken over: (part, wave) of each task."""
    return [(task.part, wave(task.family)) for task in tasks]


def _task_scores(result: Result, truth: np.ndarray) -> np.ndarray:
    return scoring.task_scores(scoring.relative_crps(result.quantiles, truth, LEVELS))


def rows(results: Sequence[Result], tasks: Sequence[Task], stage: Stages, reference: str) -> list[Row]:
    """Score every result on every slice.

    Parameters
    ----------
    reference
        Name of the peer that ratios are taken to.
    """
    truth = truths(tasks)
    groups = _groups(tasks)
    weights = scoring.resampled([task.name for task in tasks], groups, times=RESAMPLES, seed=SEED)
    slices = _slices(tasks, stage, truth.shape[1])
    base = next((result for result in results if result.peer.name == reference), None)
    found = []
    for result in results:
        for by, name, mask in slices:
            own = _Slice(result, truth, mask, groups)
            against = None if base is None else _Slice(base, truth, mask, groups)
            found.append(own.row(by, name, against, weights if by in ("all", "family") else None))
    return found


def _slices(tasks: Sequence[Task], stage: Stages, horizon: int) -> list[tuple[str, str, np.ndarray]]:
    """(kind, name, mask) of every slice; masks have dims (task, horizon)."""
    whole = np.ones((len(tasks), horizon), dtype=bool)

    def where(labels: Iterable[str], label: str) -> np.ndarray:
        return whole & np.array([one == label for one in labels])[:, None]

    found = [("all", "all", whole)]
    for by in ("part", "family"):
        labels = [getattr(task, by) for task in tasks]
        found += [(by, name, where(labels, name)) for name in dict.fromkeys(labels)]
    found += [("stage", name, where(stage.of_task, name)) for name in STAGES if name in stage.of_task]
    found += [("horizon", str(h + 1), whole & (np.arange(horizon) == h)) for h in range(horizon)]
    return found


class _Slice:
    """One result on some of the values; a task's level is that of all its values, whatever the slice."""

    def __init__(self, result: Result, truth: np.ndarray, mask: np.ndarray, groups: Sequence[tuple[str, str]]) -> None:
        self.result, self.truth, self.mask, self.groups = result, truth, mask, groups
        each = scoring.relative_crps(result.quantiles, truth, LEVELS)
        self.scores = scoring.task_scores(np.where(mask, each, np.nan))
        self.forecast = np.isfinite(result.quantiles).all(axis=-1)

    def row(self, by: str, name: str, against: _Slice | None, weights: np.ndarray | None) -> Row:
        score = float(scoring.average(self.scores, self.groups))
        ratio, low, high = np.nan, np.nan, np.nan
        if against is not None:
            ratio = score / float(scoring.average(against.scores, self.groups))
        if against is not None and weights is not None:
            with np.errstate(invalid="ignore"):
                mine = scoring.average(self.scores, self.groups, weights)
                low, high = np.quantile(mine / scoring.average(against.scores, self.groups, weights), RANGE)
        asked = self.mask & np.isfinite(self.truth)
        held = [self._inside(coverage) for coverage in scoring.COVERAGES]
        return Row(
            model=self.result.peer.name,
            left_out=self.result.protocol,
            by=by,
            slice=name,
            tasks=int(asked.any(axis=1).sum()),
            values=int(asked.sum()),
            missing=int((asked & ~self.forecast).sum()),
            score=score,
            ratio=float(ratio),
            ratio_low=float(low),
            ratio_high=float(high),
            inside_50=held[0],
            inside_80=held[1],
            inside_90=held[2],
            inside_95=held[3],
        )

    def _inside(self, coverage: float) -> float:
        """Share of values inside, averaged within families, then over them: long families do not hide short ones."""
        held = scoring.inside(self.result.quantiles, self.truth, LEVELS, coverage)
        of_family: dict[str, list[np.ndarray]] = {}
        for row, mask, (_, family) in zip(held, self.mask, self.groups, strict=True):
            of_family.setdefault(family, []).append(row[mask & np.isfinite(row)])
        shares = [known.mean() for known in map(np.concatenate, of_family.values()) if len(known)]
        return float(np.mean(shares)) if shares else np.nan


def printed(found: Sequence[Row], results: Sequence[Result], kind: str, reference: str) -> str:
    """Return the tables as text.

    Parameters
    ----------
    kind
        ``adoption`` or ``surge``: whether what is left out is called countries or areas.
    """
    places = "countries" if kind == "adoption" else "areas"
    titles = {(r.peer.name, r.protocol): _title(r, places) for r in results}
    of = {(row.model, row.left_out, row.by, row.slice): row for row in found}
    models = sorted(titles, key=lambda model: _order(of[(*model, "all", "all")].score))
    parts = [_main(models, titles, of, reference)]
    for by, heading in (
        ("part", "part"),
        ("family", "family"),
        ("stage", "stage of the origin"),
        ("horizon", "horizon"),
    ):
        names = list(dict.fromkeys(row.slice for row in found if row.by == by))
        if len(names) > 1:
            parts.append(_by(models, titles, of, by, names, heading))
    return "\n\n".join(parts)


def _title(result: Result, places: str) -> str:
    left_out = {"": "", "places": f", {places} left out", "families": ", families left out"}
    return result.peer.title + left_out[result.protocol]


def _order(score: float) -> float:
    return score if np.isfinite(score) else np.inf


Model = tuple[str, str]


def _main(
    models: Sequence[Model], titles: dict[Model, str], of: dict[tuple[str, str, str, str], Row], reference: str
) -> str:
    heading = ["relative CRPS", "score", f"x {reference}", "[5%, 95%]", "50", "80", "90", "95"]
    heading += [f"{level} {stage}" for stage in STAGES for level in (80, 90)] + ["missing"]
    lines = [heading]
    for model in models:
        row = of[(*model, "all", "all")]
        held = [row.inside_50, row.inside_80, row.inside_90, row.inside_95]
        for stage in STAGES:
            at = of.get((*model, "stage", stage))
            held += [at.inside_80, at.inside_90] if at else [np.nan, np.nan]
        span = f"[{_number(row.ratio_low, 2)}, {_number(row.ratio_high, 2)}]"
        shares = [_number(share, 2) for share in held]
        lines.append([titles[model], _number(row.score), _number(row.ratio), span, *shares, str(row.missing)])
    return aligned(lines)


def _by(
    models: Sequence[Model],
    titles: dict[Model, str],
    of: dict[tuple[str, str, str, str], Row],
    by: str,
    names: Sequence[str],
    heading: str,
) -> str:
    lines = [[f"relative CRPS by {heading}", *names]]
    for model in models:
        lines.append([titles[model], *(_number(of[(*model, by, name)].score) for name in names)])
    return aligned(lines)


def _number(value: float, digits: int = 3) -> str:
    return "-" if not np.isfinite(value) else f"{value:.{digits}f}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns of text: the first to the left, numbers to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(line, widths, strict=True)) for line in lines)
    )


def write(folder: Path, found: Sequence[Row], about: dict[str, Any], name: str) -> list[Path]:
    """Write the figures as ``<name>.csv``, and with what they rest on as ``<name>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    dicts = [{key: _plain(value) for key, value in asdict(row).items()} for row in found]
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in dicts)
    record = json.dumps(about | {"rows": dicts}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return [files.write(folder / f"{name}.csv", text.getvalue()), files.write(folder / f"{name}.json", record)]


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value
