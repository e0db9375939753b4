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

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.evaluation import frozen_files, scores
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evaluation.scores import LEVEL, Predicted
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Target

TARGETS: Mapping[str, Target] = MappingProxyType(
    {target: told for market in MARKETS.values() for target, told in market.module.TARGETS.items()}
)
"""What is scored. Of all else that a release holds (the same quantity under a second name, what lies behind the printed
counts, parts that nobody counts) no figure is printed."""


RELEASED = ["release", "as_of", "forecast_date", "scenario", "target", "day", "level", "value", "unit"]
"""Columns of what was frozen."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """Releases that were frozen by a day, and what came of them (:func:`score`, :func:`waiting`).

    With `altered` one of them is not as it was frozen, so that none of them counts. `listed` has a row a release: the
    day whose knowledge is in it (``as_of``), the one on which it was frozen (``forecast_date``), and how many forecasts
    it holds of which figures are printed.
    """

    releases: tuple[str, ...]
    scores: pd.DataFrame
    waiting: pd.DataFrame
    altered: bool = False
    listed: pd.DataFrame = field(default_factory=pd.DataFrame)


def record(folder: Path, context: Context) -> Frozen:
    """The releases that were frozen by the context's date: no later one can be scored with what was known then."""
    altered = False
    frozen = pd.DataFrame(columns=RELEASED)
    if folder.is_dir():
        try:
            frozen = read(folder, context.settings.as_of_date)
        except TelemedError:
            altered = True
    return Frozen(
        tuple(frozen["release"].unique()), score(frozen, context), waiting(frozen, context), altered, _listed(frozen)
    )


def _listed(frozen: pd.DataFrame) -> pd.DataFrame:
    printed = frozen[frozen["target"].isin(list(TARGETS))].drop_duplicates(["release", "target", "day"])
    return printed.groupby(["release", "as_of", "forecast_date"]).size().rename("number").reset_index()


def read(folder: Path, by: date = date.max) -> pd.DataFrame:
    """The releases of a folder that were frozen by a day, in the order of their names.

    Parameters
    ----------
    folder
        Folder of the releases (`paths.RELEASES`); what has no statement in it is no release.
    by
        Later ones are not looked at: nothing about them can change what is said of an earlier day. When every release
        is asked for, one that lost its statement is refused too.

    Returns
    -------
    A row a frozen quantile: the release, the day whose knowledge is in it (``as_of``) and the one on which it was
    frozen (``forecast_date``), scenario, target, last ``day`` of its period, level, value and unit.

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
    return pd.concat([_release(path) for path in found]) if found else pd.DataFrame(columns=RELEASED)


def _faults(folder: Path) -> list[str]:
    undated = [] if frozen_files.frozen_on(folder) else [f"{frozen_files.STATEMENT}: has no day"]
    return frozen_files.differences(folder) or undated


def _release(folder: Path) -> pd.DataFrame:
    stated = json.loads((folder / frozen_files.STATEMENT).read_text(encoding="utf-8"))
    table = pd.read_csv(folder / frozen_files.TABLE, dtype=str, keep_default_na=False)
    if missing := {"target", "target_end_date", "output_type", "output_type_id", "value"} - set(table):
        raise TelemedError(f"{folder / frozen_files.TABLE} has no column {', '.join(sorted(missing))}")
    table = table[table["output_type"] == "quantile"]
    told: dict[str, Any] = {
        "release": folder.name,
        "as_of": date.fromisoformat(stated["as_of"]),
        "forecast_date": date.fromisoformat(stated["released"]),
        "day": table["target_end_date"].map(date.fromisoformat),
        "level": table["output_type_id"].astype(float),
        "value": table["value"].astype(float),
    }
    return table.assign(**told)[RELEASED]


def _held(frozen: pd.DataFrame, context: Context) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The quantiles of each release and target, and the figures of the target with the frozen day each ``settles``."""
    own: pd.DataFrame
    target: Any
    for (_, target), own in frozen[frozen["target"].isin(list(TARGETS))].groupby(["release", "target"], sort=False):
        figures = TARGETS[target].figures(context).frame().rename(columns={"end": "day", "origin": "publisher"})
        known = context.view.set_index("claim_id")["known_date"]
        figures["day"], figures["known"] = figures["day"].dt.date, figures["claim_id"].map(known).dt.date
        yield own, figures.assign(settles=_settled(own, figures, flow=TARGETS[target].flow))


def _settled(own: pd.DataFrame, figures: pd.DataFrame, *, flow: bool) -> np.ndarray:
    """The frozen day that each figure settles; None where it is none that a release is held against."""
    days, released = sorted(set(own["day"])), own["forecast_date"].iloc[0]
    early = figures[figures["known"] <= released]
    before = set(zip(early["publisher"], early["day"], strict=True))
    found: list[date | None] = []
    for one in rows(figures):
        new = one.known > released and (one.publisher, one.day) not in before
        usable = np.isfinite(one.high) and one.low > 0.0 and one.unit == own["unit"].iloc[0]
        within = one.day in days or (not flow and days[0] < one.day < days[-1])
        # A count within a half-year settles the forecast of the half-year's end that is nearest.
        nearest = min(days, key=lambda day: (abs(day - one.day), day))
        found.append(nearest if new and usable and within else None)
    return np.array(found, dtype=object)


def score(frozen: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Score every frozen forecast (:func:`read`) whose figure has come by the context's date.

    Returns
    -------
    A row a figure: release, forecast_date, scenario, target and unit as frozen; the figure (last ``day`` of its period,
    claim_id, publisher, grade, the day when it became ``known``, ``published``: the middle of the printed interval);
    ``latent`` as in `paths.Target`; ``rounding`` and ``doubtful``; the forecast (low, median, high) and every metric
    of `scores.METRICS`.
    """
    found = [
        _scored(own, one)
        for own, figures in _held(frozen, context)
        for one in rows(figures[figures["settles"].notna()])
    ]
    types = dict.fromkeys([*scores.COVERAGE, "latent", "doubtful"], bool)
    return pd.DataFrame(found, columns=SCORED).astype(types)


SCORED = (
    *("release", "forecast_date", "scenario", "target", "unit", "day", "claim_id", "publisher", "grade", "known"),
    *("latent", "published", "rounding", "doubtful", "low", "median", "high", *scores.METRICS),
)


def _scored(own: pd.DataFrame, figure: Any) -> dict[str, Any]:
    """The score of one figure, by the quantiles of its day, which may lie between the frozen ones."""
    first: Any = own.iloc[0]
    wide = own.pivot(index="level", columns="day", values="value").sort_index(axis=0).sort_index(axis=1)
    days, at = [date.toordinal(day) for day in sorted(set(own["day"]))], figure.day.toordinal()
    scaled = scores.scaled(wide.to_numpy(), first["unit"])
    forecast = Predicted(np.array([[np.interp(at, days, level)] for level in scaled]), wide.index.to_numpy())
    ends = scores.scaled([figure.low, figure.high], first["unit"])
    names = {"low": 0.1, "median": 0.5, "high": 0.9}
    return {
        **first[["release", "forecast_date", "scenario", "target"]],
        **{name: getattr(figure, name) for name in ("day", "claim_id", "publisher", "grade", "known")},
        "latent": TARGETS[first["target"]].latent,
        "rounding": float(0.5 * (ends[1] - ends[0])),
        "doubtful": len(set(forecast.interval_coverage(ends, LEVEL).tolist())) > 1,
        **{name: scores.unscaled(forecast.quantile(level), first["unit"]).item() for name, level in names.items()},
        **scores.score(forecast, figure.low, figure.high, first["unit"]),
    }


def waiting(frozen: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Every frozen forecast whose figure has not come, the next due first.

    Returns
    -------
    release, target, last ``day`` of its period, and when such a figure usually comes (``due``): so long after its
    period as the median figure of this target became known; None when there has been none.
    """
    found: list[tuple[Any, ...]] = []
    for own, figures in _held(frozen, context):
        lags = [(one.known - one.day).days for one in rows(figures)]
        lag = timedelta(days=int(np.median(lags))) if lags else None
        for day in sorted(set(own["day"]) - set(figures["settles"])):
            found.append((*own[["release", "target"]].iloc[0], day, None if lag is None else day + lag))
    found.sort(key=lambda row: (row[3] or date.max, row[1], row[0], row[2]))
    return pd.DataFrame(found, columns=["release", "target", "day", "due"])


def unprinted(frozen: pd.DataFrame) -> dict[str, int]:
    """Frozen quantities of which nobody prints a figure, with how many forecasts of each there are."""
    rest = frozen[~frozen["target"].isin(list(TARGETS))].drop_duplicates(["release", "target", "day"])
    return {str(target): int(number) for target, number in rest["target"].value_counts(sort=False).items()}
