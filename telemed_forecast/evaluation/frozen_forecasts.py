"""What was frozen, held against what has been published since.

A release (`frozen_files`) holds quantiles, so its scores are those of quantiles: CRPS, weighted interval score with its
parts, coverage, and the level at which the figure lies; a log score would need tails that nobody froze.

Which figure counts is decided here, and by nothing in the figure's value:

1. It became known after the day of the release, and the same publisher had not printed that period's figure before.
2. It is of the same definition: the rows that the model itself reads as this quantity (`TARGETS`), without copies,
   forecasts and rows of grade D. Rows of another definition are left out rather than moved by an estimated offset, for
   that estimate is the model's own.
3. A yearly flow is of that very year. A stock counted on a day between two frozen period ends is held against the
   quantiles interpolated between them, level by level, on the scale of the scores.

A figure is printed with so many digits, and so stands for an interval: the score is that of the interval's middle, as
everywhere in this project, `rounding` says how wide the interval is on the scale of the scores, and `doubtful` whether
it lies across an end of the 80% interval. Targets of which people print figures with a lean and a noise of their own
(`latent`: market sizes, shares) were frozen without either, so that their intervals are too narrow for single figures;
nothing is added to them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.evaluation import frozen_files, scores
from telemed_forecast.evaluation.rolling_origins import LEVELS
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast import channel_share, internet_hospitals, user_adoption
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import internet_hospitals as hospitals_model
from telemed_forecast.models import market_size as market_model
from telemed_forecast.models.market_evidence import FULL_YEAR

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Target:
    """A frozen quantity of which figures are printed.

    Attributes
    ----------
    figures
        Context -> the printed figures of this definition, known by its date.
    latent
        Whether the frozen quantiles are without the lean and the noise of those who print it.
    flow
        Whether it is of a whole year rather than of a day.
    """

    figures: Callable[[Context], Observations]
    latent: bool
    flow: bool = False


def _users(context: Context, metric: str) -> Observations:
    rows = context.observed(metric, "national")
    return rows.where(user_adoption.comparable(rows))


def _hospitals(context: Context) -> Observations:
    rows = internet_hospitals.headline(context)
    return rows.where(internet_hospitals.comparable(rows))


def _sizes(context: Context, definition: str) -> Observations:
    rows = context.observed("market_size", *market_model.SEGMENTS)
    read_as = market_model.definitions(rows) == market_model.DEFINITIONS.index(definition)
    whole = (rows.end - rows.start).astype(int) + 1 >= FULL_YEAR
    return rows.where(read_as & whole)


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "online_medical_users": Target(partial(_users, metric="online_medical_users"), latent=False),
        "online_medical_usage_rate": Target(partial(_users, metric="online_medical_usage_rate"), latent=True),
        "internet_users": Target(lambda context: context.observed("internet_users", "national"), latent=True),
        "internet_hospitals": Target(_hospitals, latent=False),
        "internet_hospitals_hospital_run": Target(
            lambda context: context.observed("internet_hospitals", hospitals_model.HOSPITAL_RUN), latent=True
        ),
        "internet_hospitals_hospital_share": Target(channel_share.headline, latent=True),
        **{
            f"market_size_{name}": Target(partial(_sizes, definition=name), latent=True, flow=True)
            for name in market_model.DEFINITIONS
        },
    }
)
"""What is scored. Of all else that a release holds (the same quantity under a second name, what lies behind the printed
counts, parts that nobody counts) no figure is printed."""


@dataclass(frozen=True, eq=False)
class Release:
    """A release that is as it was frozen.

    Attributes
    ----------
    name
        Of its folder.
    as_of, released
        Day whose knowledge is in it, and day on which it was frozen.
    table
        Its table of forecasts, all columns as text.
    """

    name: str
    as_of: date
    released: date
    table: pd.DataFrame


@dataclass(frozen=True)
class FrozenScore:
    """One frozen forecast and one figure that came.

    Attributes
    ----------
    release, released
        Which release, and its day.
    scenario, target, unit
        As frozen.
    end
        Last day of the figure's period.
    claim_id, origin, grade, known
        The figure: who printed it, with which grade, and when it became known.
    latent
        See :class:`Target`.
    published
        Middle of the printed interval, in `unit`.
    rounding
        Half the width of the printed interval on the log (logit) scale.
    doubtful
        Whether the printed interval lies across an end of the forecast's 80% interval.
    low, median, high
        Median and 80% interval of the forecast, in `unit`.
    crps, wis, dispersion, overprediction, underprediction, bias
        On the log (logit) scale.
    level
        The level at which the figure lies among the quantiles, no nearer to 0 or 1 than the outermost.
    inside
        Level -> whether the central interval of that probability held it.
    """

    release: str
    released: date
    scenario: str
    target: str
    unit: str
    end: date
    claim_id: str
    origin: str
    grade: str
    known: date
    latent: bool
    published: float
    rounding: float
    doubtful: bool
    low: float
    median: float
    high: float
    crps: float
    wis: float
    dispersion: float
    overprediction: float
    underprediction: float
    bias: float
    level: float
    inside: Mapping[float, bool]


@dataclass(frozen=True)
class Waiting:
    """A frozen forecast of something that will be printed and has not been yet.

    Attributes
    ----------
    release, target, end
        Which forecast, and the last day of its period.
    due
        When such a figure usually comes: so long after its period as the median figure of this target became known;
        None when there has been none.
    """

    release: str
    target: str
    end: date
    due: date | None


def read(folder: Path, by: date = date.max) -> list[Release]:
    """The releases of a folder that were frozen by a day, in the order of their names.

    Parameters
    ----------
    folder
        Folder of the releases; what has no statement in it is no release.
    by
        Later ones are not looked at: nothing about them can change what is said of an earlier day. When every release
        is asked for, one that lost its statement is refused too.

    Raises
    ------
    InputError
        The folder is none.
    TelemedError
        One of them is not as it was frozen, or has no day: with every difference.
    """
    if not folder.is_dir():
        raise InputError([f"{folder} is not a folder of releases"])
    found = frozen_files.frozen_by(folder, by)
    if by == date.max:
        found = sorted({*found, *(table.parent for table in folder.glob(f"[!.]*/{frozen_files.TABLE}"))})
    faults = [f"{path.name}/{line}" for path in found for line in _faults(path)]
    if faults:
        raise TelemedError("\n".join([f"{folder} is not as it was frozen:", *(f"  - {line}" for line in faults)]))
    return [_release(path) for path in found]


def _faults(folder: Path) -> list[str]:
    undated = [] if frozen_files.frozen_on(folder) else [f"{frozen_files.STATEMENT}: has no day"]
    return frozen_files.differences(folder) or undated


def _release(folder: Path) -> Release:
    import json

    import pandas as pd

    stated = json.loads((folder / frozen_files.STATEMENT).read_text(encoding="utf-8"))
    table = pd.read_csv(folder / frozen_files.TABLE, dtype=str, keep_default_na=False)
    if missing := {"target", "target_end_date", "output_type", "output_type_id", "value"} - set(table):
        raise TelemedError(f"{folder / frozen_files.TABLE} has no column {', '.join(sorted(missing))}")
    as_of, released = (date.fromisoformat(stated[name]) for name in ("as_of", "released"))
    return Release(folder.name, as_of, released, table[table["output_type"] == "quantile"])


def score(folder: Path, context: Context, by: date = date.max) -> list[FrozenScore]:
    """Score every frozen forecast whose figure has come.

    Parameters
    ----------
    folder
        Folder of the releases (`paths.RELEASES`).
    context
        Its date decides what has come.
    by
        Day by which a release must have been frozen.
    """
    found = []
    for release in read(folder, by):
        for target, own in release.table.groupby("target", sort=False):
            if str(target) in TARGETS:
                found += _scored(release, _Frozen.of(own), context)
    return found


def waiting(folder: Path, context: Context, by: date = date.max) -> list[Waiting]:
    """Every frozen forecast whose figure has not come, the next due first. Parameters as for :func:`score`."""
    found = []
    for release in read(folder, by):
        for target, own in release.table.groupby("target", sort=False):
            if str(target) not in TARGETS:
                continue
            frozen, figures = _Frozen.of(own), TARGETS[str(target)].figures(context)
            came = {day for _, day in _came(release, frozen, figures, context)}
            lag = _lag(figures, context)
            due = [day + lag if lag is not None else None for day in frozen.days]
            found += [
                Waiting(release.name, frozen.target, day, when)
                for day, when in zip(frozen.days, due, strict=True)
                if day not in came
            ]
    return sorted(found, key=lambda one: (one.due or date.max, one.target, one.release, one.end))


def unprinted(folder: Path, by: date = date.max) -> dict[str, int]:
    """Frozen quantities of which nobody prints a figure, with how many forecasts of each there are."""
    count: dict[str, int] = {}
    for release in read(folder, by):
        rest = release.table[~release.table["target"].isin(list(TARGETS))]
        for (target, _), _own in rest.groupby(["target", "target_end_date"], sort=False):
            count[str(target)] = count.get(str(target), 0) + 1
    return count


@dataclass(frozen=True, eq=False)
class _Frozen:
    """The frozen quantiles of one target: dims (level, day), on the scale of the scores."""

    target: str
    scenario: str
    unit: str
    levels: np.ndarray
    days: list[date]
    quantiles: np.ndarray

    @classmethod
    def of(cls, own: pd.DataFrame) -> _Frozen:
        """From the rows of one target."""
        wide = own.assign(level=own["output_type_id"].astype(float), number=own["value"].astype(float))
        wide = (
            wide.pivot(index="level", columns="target_end_date", values="number").sort_index(axis=0).sort_index(axis=1)
        )
        first = own.iloc[0]
        return cls(
            target=first["target"],
            scenario=first["scenario"],
            unit=first["unit"],
            levels=wide.index.to_numpy(),
            days=[date.fromisoformat(day) for day in wide.columns],
            quantiles=scores.scaled(wide.to_numpy(), first["unit"]),
        )

    def at(self, day: date) -> np.ndarray:
        """Quantiles of a day between the first and the last, on the scale of the scores. Dims: (level, 1)."""
        numbers = [one.toordinal() for one in self.days]
        return np.array([[np.interp(day.toordinal(), numbers, own)] for own in self.quantiles])


def _came(release: Release, frozen: _Frozen, figures: Observations, context: Context) -> list[tuple[int, date]]:
    """Positions of the figures that a release is held against, and the frozen day that each settles."""
    known = _known(figures, context)
    ends = figures.end.astype("datetime64[D]").tolist()
    usable = np.isfinite(figures.high) & (figures.low > 0.0) & (figures.unit == frozen.unit)
    before = {(who, end) for who, end, day in zip(figures.origin, ends, known, strict=True) if day <= release.released}
    found = []
    for k in np.flatnonzero(usable):
        if known[k] <= release.released or (figures.origin[k], ends[k]) in before:
            continue
        if ends[k] in frozen.days or (not TARGETS[frozen.target].flow and frozen.days[0] < ends[k] < frozen.days[-1]):
            # A count within a half-year settles the forecast of the half-year's end that is nearest.
            found.append((int(k), min(frozen.days, key=lambda day: (abs(day - ends[k]), day))))
    return found


def _known(figures: Observations, context: Context) -> list[date]:
    """The day on which each figure became known."""
    known = context.view.set_index("claim_id")["known_date"]
    return [known[claim].date() for claim in figures.claim_id.tolist()]


def _lag(figures: Observations, context: Context) -> timedelta | None:
    """How long after its period the median figure became known."""
    ends = figures.end.astype("datetime64[D]").tolist()
    days = [(known - end).days for known, end in zip(_known(figures, context), ends, strict=True)]
    return timedelta(days=int(np.median(days))) if days else None


def _scored(release: Release, frozen: _Frozen, context: Context) -> list[FrozenScore]:
    figures = TARGETS[frozen.target].figures(context)
    known = _known(figures, context)
    return [_one(release, frozen, figures.where([k]), known[k]) for k, _ in _came(release, frozen, figures, context)]


def _one(release: Release, frozen: _Frozen, figure: Observations, known: date) -> FrozenScore:
    """The score of one figure."""
    end = figure.end.astype("datetime64[D]").tolist()[0]
    quantiles, ends = frozen.at(end), scores.scaled([figure.low[0], figure.high[0]], frozen.unit)
    truth = ends.mean(keepdims=True)
    parts = scores.wis(quantiles, frozen.levels, truth)

    def at(level: float) -> float:
        return float(quantiles[int(np.argmin(np.abs(frozen.levels - level))), 0])

    def within(value: float, level: float) -> bool:
        return at((1.0 - level) / 2.0) <= value <= at((1.0 + level) / 2.0)

    return FrozenScore(
        release=release.name,
        released=release.released,
        scenario=frozen.scenario,
        target=frozen.target,
        unit=frozen.unit,
        end=end,
        claim_id=str(figure.claim_id[0]),
        origin=str(figure.origin[0]),
        grade=str(figure.grade[0]),
        known=known,
        latent=TARGETS[frozen.target].latent,
        published=float(0.5 * (figure.low[0] + figure.high[0])),
        rounding=float(0.5 * (ends[1] - ends[0])),
        doubtful=len({within(float(value), 0.8) for value in ends}) > 1,
        low=float(scores.unscaled(at(0.1), frozen.unit)),
        median=float(scores.unscaled(at(0.5), frozen.unit)),
        high=float(scores.unscaled(at(0.9), frozen.unit)),
        crps=float(scores.crps_of_quantiles(quantiles, frozen.levels, truth)[0]),
        wis=float(parts.total[0]),
        dispersion=float(parts.dispersion[0]),
        overprediction=float(parts.overprediction[0]),
        underprediction=float(parts.underprediction[0]),
        bias=at(0.5) - float(truth[0]),
        level=float(np.interp(truth[0], quantiles[:, 0], frozen.levels)),
        inside={level: within(float(truth[0]), level) for level in LEVELS},
    )
