"""The constants that people chose, as of any day: ``data/priors/constants.toml`` has each with its sources and its day.

A forecast that is made again for an earlier day may know nothing later, and that holds for what its author knew, too: a
prior that was argued from a figure of 2023 is hindsight in 2020. Before the day on which its argument became known, a
constant has a wider default.

A model reads its constants through the arrays of its fit (:func:`of`), which bring those of a day along
(:func:`arrays`): they enter its graph as data, so that one compiled graph serves every day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from telemed_forecast.models.priors import GrowthPrior, SurgePrior, growth_prior, surge_prior
from telemed_forecast.paths import PRIORS

FILE = PRIORS / "constants.toml"

LEARNED = "learned"
"""The section of the file on what curves taught."""

ARRAY = "constants"
"""The array that holds a model's constants of a day, one after the other. Dims: (number,)."""

type Constant = float | tuple[float, ...] | GrowthPrior | SurgePrior


@dataclass(frozen=True)
class Entry:
    """One constant.

    Attributes
    ----------
    value, default
        What is read from the day on which its argument was known, and before it.
    known
        That day; None for a constant whose argument names no dated figure.
    sources
        Claims and policy events that the argument rests on.
    why
        What the default says.
    """

    value: Any = None
    known: date | None = None
    sources: tuple[str, ...] = ()
    default: Any = None
    why: str = ""

    def on(self, day: date) -> Any:
        """What a forecast of a day may read."""
        return self.value if self.known is None or self.known <= day else self.default


@cache
def entries() -> Mapping[str, Mapping[str, Entry]]:
    """Every constant by model and name; of what was learned, a section of its own (`LEARNED`)."""
    with FILE.open("rb") as file:
        stated = tomllib.load(file)
    return {
        model: {name: Entry(**(told | {"sources": tuple(told.get("sources", ()))})) for name, told in own.items()}
        for model, own in stated.items()
    }


def pair(model: str, name: str) -> tuple[float, float]:
    """Both numbers of a constant today."""
    first, second = entries()[model][name].value
    return float(first), float(second)


def number(model: str, name: str) -> float:
    """The one number of a constant today."""
    return float(entries()[model][name].value)


def of(model: str, d: Mapping[str, Any]) -> dict[str, Any]:
    """The constants of a model by name: as they came with the arrays of a fit, today's where none came."""
    numbers = d[ARRAY] if ARRAY in d else arrays(model)[ARRAY]
    return {name: _given(numbers[place(model, name)], value) for name, value in _today(model).items()}


def arrays(model: str, day: date = date.max) -> dict[str, np.ndarray]:
    """The constants of a model as a forecast of a day may know them, as an array; today's by default."""
    return {ARRAY: np.concatenate([_numbers(_read(entry.on(day), day)) for entry in entries()[model].values()])}


@cache
def place(model: str, name: str) -> slice:
    """Where a constant stands in the array of its model."""
    now = _today(model)
    ends = np.cumsum([len(_numbers(value)) for value in now.values()])
    end = int(ends[list(now).index(name)])
    return slice(end - len(_numbers(now[name])), end)


def later_than(day: date) -> dict[tuple[str, str], Entry]:
    """The constants whose argument became known after a day, by model and name."""
    found = {(model, name): one for model, own in entries().items() for name, one in own.items()}
    return {key: one for key, one in found.items() if one.known is not None and one.known > day}


def digest(models: Iterable[str]) -> bytes:
    """All that today's graphs of some models read of the file: a change of it makes their fits stale."""
    return repr([(model, _today(model)) for model in models if model in entries()]).encode()


@cache
def _today(model: str) -> dict[str, Constant]:
    return {name: _read(one.value, date.max) for name, one in entries()[model].items()}


def _read(stated: Any, day: date) -> Constant:
    """A constant from what the file says of it, as of a day."""
    if stated is None:
        raise ValueError(f"a constant that became known after {day} states no default")
    if stated == "surge":
        return surge_prior()
    if isinstance(stated, str):
        learned = entries()[LEARNED][stated]
        known = learned.known is None or learned.known <= day
        pairs: dict[str, Any] = {} if known else {name: tuple(ends) for name, ends in learned.default.items()}
        return replace(growth_prior(stated), **pairs)
    return tuple(map(float, stated)) if isinstance(stated, list) else float(stated)


def _numbers(value: Constant) -> np.ndarray:
    """A constant as an array. Dims: (number,)."""
    stated = value.numbers() if isinstance(value, GrowthPrior | SurgePrior) else value
    return np.atleast_1d(np.asarray(stated, dtype=float))


def _given(numbers: Any, like: Constant) -> Any:
    """A constant from its array, which may be data of a graph, in the form that it has today."""
    if isinstance(like, GrowthPrior | SurgePrior):
        return type(like).from_numbers(numbers)
    return tuple(numbers[k] for k in range(len(like))) if isinstance(like, tuple) else numbers[0]
