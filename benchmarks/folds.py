"""What may be learned from: never the task's own series, under either protocol.

Places left out: places are dealt into folds, all series of a place (every technology) into one; a task is forecast with
what the other folds teach, and its family may be named. Families left out: nothing of the task's family is learned
from, and the series is forecast as a new technology.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.tasks import Task
from telemed_forecast.curves.series import Series

Protocol = Literal["places", "families"]
PROTOCOLS: tuple[Protocol, ...] = ("places", "families")

FOLDS = 5

WAVES = {
    "electric_share_of_sales": "electric_cars",
    "electric_share_of_stock": "electric_cars",
    "battery_electric_share_of_new_cars": "electric_cars",
    "battery_electric_stock": "electric_cars",
    "plug_in_hybrid_stock": "electric_cars",
}
"""Families that are one wave of one technology, counted in several ways: left out together, and one family in every
average."""

AGGREGATES = frozenset(
    {"world", "national", "england", "england_spliced", "g20", "oceania", "europe", "asia", "africa"}
)
"""Places that hold others: under "places left out" nothing is learned from them."""

ALIASES = {"usa": "united_states", "us": "united_states", "uk": "united_kingdom", "united_arab_emirates": "uae"}
"""Other names of one place, as :func:`slug` writes them."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Tasks that are forecast with the same learning.

    Attributes
    ----------
    name
        What is left out, for messages.
    tasks
        Numbers of the tasks.
    curves
        What may be learned from.
    classes
        The `reference_class` of each task's series; empty where the family is to be new. Dims: (task,).
    """

    name: str
    tasks: tuple[int, ...]
    curves: tuple[Series, ...]
    classes: tuple[str, ...]

    def histories(self, tasks: Sequence[Task]) -> list[Series]:
        """Return the histories to forecast, each with the class that may be known of it."""
        pairs = zip(self.tasks, self.classes, strict=True)
        return [replace(tasks[number].series, reference_class=name) for number, name in pairs]


def folds(protocol: Protocol, tasks: Sequence[Task], curves: Sequence[Series]) -> list[Fold]:
    """Divide the tasks by what has to be left out of learning."""
    return _places(tasks, curves) if protocol == "places" else _families(tasks, curves)


def slug(place: str) -> str:
    """Return one spelling for the names of a place."""
    name = re.sub(r"[^a-z0-9]+", "_", place.lower()).strip("_")
    name = re.sub(r"^saint_", "st_", name)
    return ALIASES.get(name, name)


def place(task: Task, curves: Sequence[Series]) -> str:
    """Return the place of a task: as the reference class has it, else from the name of the series."""
    return _place(task, {curve.series_id: slug(curve.geo) for curve in curves})


def fold_of(places: Sequence[str]) -> dict[str, int]:
    """Deal places into folds: in the order of a hash, so that neither the alphabet nor a region makes a fold."""
    order = sorted(set(places), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return {name: number % FOLDS for number, name in enumerate(order)}


def wave(family: str) -> str:
    """Return the wave that a family is a count of; most are their own."""
    return WAVES.get(family, family)


def what(series_id: str) -> str:
    """Return what a series counts: families that share it are one and the same thing at other places or spacings."""
    return series_id.split("__")[0]


def _place(task: Task, known: dict[str, str]) -> str:
    if task.name in known:
        return known[task.name]
    parts = task.name.split("__")
    return slug(parts[1] if len(parts) > 1 else task.name)


def _places(tasks: Sequence[Task], curves: Sequence[Series]) -> list[Fold]:
    known = {curve.series_id: slug(curve.geo) for curve in curves}
    number = fold_of(list(known.values()))
    of_task = [number.get(_place(task, known)) for task in tasks]
    found = []
    for fold in (*range(FOLDS), None):
        own = tuple(i for i, its in enumerate(of_task) if its == fold)
        learned = tuple(
            curve for curve in curves if number[slug(curve.geo)] != fold and slug(curve.geo) not in AGGREGATES
        )
        families = {curve.reference_class for curve in learned}
        classes = tuple(tasks[i].family if tasks[i].family in families else "" for i in own)
        # A place that no curve is of leaves nothing out.
        name = "other places" if fold is None else f"places, fold {fold + 1} of {FOLDS}"
        if own:
            found.append(Fold(name, own, learned, classes))
    return found


def _families(tasks: Sequence[Task], curves: Sequence[Series]) -> list[Fold]:
    found = []
    for family in dict.fromkeys(wave(task.family) for task in tasks):
        own = tuple(i for i, task in enumerate(tasks) if wave(task.family) == family)
        names = {what(tasks[i].name) for i in own}
        names |= {what(curve.series_id) for curve in curves if wave(curve.reference_class) == family}
        learned = tuple(
            curve for curve in curves if wave(curve.reference_class) != family and what(curve.series_id) not in names
        )
        found.append(Fold(f"family {family}", own, learned, ("",) * len(own)))
    return found
