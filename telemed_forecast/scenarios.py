"""Scenarios: a few named levers on the models, each with a unit, a range and the evidence behind it.

A scenario is a TOML file. It may inherit from another one and then states only what differs:

    inherits = "base"
    weight = 0.25
    meaning = "..."

    [levers.retention]
    value = 0.7
    unit = "odds ratio"
    evidence = ["claim or event id", ...]
    reason = "..."

A lever at its neutral value changes nothing; in `base` all of them are neutral. What a value rests on is named by the
ids of claims and policy events of the ledger (data/evidence), also in a file of the user's own.
"""

from __future__ import annotations

import contextlib
import math
import re
import sys
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from telemed_forecast import paths
from telemed_forecast.errors import InputError, did_you_mean
from telemed_forecast.evidence import citations

_LONGEST_NAME = 40
"""Letters of a scenario's name that names of runs hold."""

COMPARED = ("bear", "base", "bull")
"""The scenarios that every report compares, worst first; their weights sum to 1."""


@dataclass(frozen=True)
class LeverSpecification:
    """What a lever is."""

    name: str
    unit: str
    meaning: str
    # Allowed range, both ends included, in `unit`
    low: float
    high: float
    neutral: float  # The value that changes nothing


def _factor(name: str, of: str, unit: str = "ratio", largest: float = 5.0) -> LeverSpecification:
    return LeverSpecification(name, unit, f"multiplies {of}", 1.0 / largest, largest, 1.0)


def _growth(name: str, of: str, scale: str = "log points") -> LeverSpecification:
    return LeverSpecification(name, "per year", f"added to the yearly growth ({scale}) of {of}", -0.2, 0.2, 0.0)


_LEVERS = (
    _factor("retention", "the odds that users of a surge who are still there stay for good", "odds ratio", 10.0),
    _factor("trust", "the imitation rate of the usage rate (trust in online care)"),
    _factor("insurance", "the odds of the ceiling of the usage rate (insurance for online visits)", "odds ratio"),
    _growth("first_visits", "encounters per user (first visits online)"),
    _growth("price", "the price of an online consultation", "log points, nominal"),
    _growth("payers", "telemedicine services beyond consultations (commercial insurers and drug makers as payers)"),
    _factor("prescription_drugs", "the imitation rate of online drug sales (rules on prescription drugs)"),
    _factor("licensing", "the imitation rate of the number of internet hospitals"),
)
LEVERS: Mapping[str, LeverSpecification] = MappingProxyType({lever.name: lever for lever in _LEVERS})


@dataclass(frozen=True, kw_only=True)
class Lever:
    """A lever's setting in one scenario."""

    name: str
    unit: str
    value: float  # In `unit`
    # Ids of the claims and policy events of the ledger which make the value arguable; empty only at the neutral value
    evidence: tuple[str, ...] = ()
    reason: str = ""  # One sentence that leads from the evidence to the value

    def known_later(self, day: date) -> tuple[str, ...]:
        """The part of the evidence that was not yet known on a day."""
        return tuple(i for i in self.evidence if (known := citations.known_day(i)) is not None and known > day)


NEUTRAL: Mapping[str, Lever] = MappingProxyType(
    {name: Lever(name=name, unit=spec.unit, value=spec.neutral) for name, spec in LEVERS.items()}
)
"""Every lever at the value that changes nothing."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A complete set of lever settings; `scenario["retention"]` is a lever's value."""

    name: str  # See :func:`name_of`
    meaning: str
    weight: float | None  # Probability in a set of scenarios whose weights sum to 1; None when the file states none
    levers: Mapping[str, Lever]  # Every lever of `LEVERS`, inherited or neutral where the file says nothing
    files: tuple[Path, ...]  # The file itself, then those it inherits from: what a run's key has to cover

    def __getitem__(self, lever: str) -> float:
        return self.levers[lever].value

    @property
    def own(self) -> bool:
        """Whether it is the user's, not one of those that every report compares."""
        return self.name not in COMPARED or self.files[0].parent != paths.SCENARIOS

    def only(self, names: Collection[str]) -> Scenario:
        """The scenario with every other lever at its neutral value."""
        kept = {name: lever if name in names else NEUTRAL[name] for name, lever in self.levers.items()}
        return replace(self, levers=MappingProxyType(kept))


def shipped() -> list[str]:
    """Names of the scenarios that come with the project, in alphabetical order."""
    return sorted(file.stem for file in paths.SCENARIOS.glob("*.toml"))


def locate(scenario: str) -> Path:
    """Find the file of a scenario given by name or by path; an `InputError` lists the names and the nearest one."""
    names = shipped()
    if scenario in names:
        return paths.SCENARIOS / f"{scenario}.toml"
    # A text that is no path at all (too long, an unknown user's home) is no file either.
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        file = Path(scenario).expanduser()
        if file.suffix == ".toml" and file.is_file():
            return file.resolve()
    allowed = f"allowed are {', '.join(names)} or a TOML file{did_you_mean(scenario, names)}"
    tried = f"there is no file {Path.cwd() / scenario}; " if scenario.endswith(".toml") else ""
    raise InputError([f'scenario = "{scenario}": {tried}{allowed}'])


def name_of(scenario: str | Path) -> str:
    """A scenario's name: as shipped, or that of its file, made fit for a folder's name.

    A file of the user's own never has the name of a shipped one.
    """
    file = Path(scenario)
    if file.suffix != ".toml" or file.parent == paths.SCENARIOS:
        return file.stem if file.suffix == ".toml" else str(scenario)
    name = re.sub(r"[^\w.-]+", "-", file.stem)[:_LONGEST_NAME]
    return f"own-{name}" if name in shipped() else name


def load(scenario: str) -> Scenario:
    """Read a scenario, by its name or the path of a TOML file, with everything it inherits.

    An `InputError` has every fault: no such scenario, unknown keys or levers (with the nearest name), wrong types or
    units, values out of range (with the range and unit), a value off neutral without evidence, evidence that is not in
    the ledger (with the nearest id), circular inheritance.
    """
    file = locate(scenario)
    reading = _Reading()
    layers = reading.layers(file)
    levers = dict(NEUTRAL)
    for layer, table in reversed(layers.items()):
        levers |= reading.levers(layer, table)
    if reading.faults:
        raise InputError(reading.faults)
    top = layers[file]
    return Scenario(
        name=name_of(file),
        meaning=top.get("meaning", ""),
        weight=float(top["weight"]) if "weight" in top else None,
        levers=MappingProxyType(levers),
        files=tuple(layers),
    )


def weights(scenarios: Sequence[str] | None = None) -> dict[str, float]:
    """Probability weights, by name, of scenarios (names or files; those that every report compares by default).

    An `InputError` says which has none, or that they do not sum to 1 (to within one part in a million).
    """
    loaded = [load(scenario) for scenario in (COMPARED if scenarios is None else scenarios)]
    faults = [f"scenario {s.name} states no weight" for s in loaded if s.weight is None]
    stated = [(s.name, s.weight) for s in loaded if s.weight is not None]
    total = math.fsum(weight for _, weight in stated)
    if not faults and not math.isclose(total, 1.0, abs_tol=1e-6):
        listed = ", ".join(f"{name} {weight:g}" for name, weight in stated)
        faults.append(f"the weights of the scenarios sum to {total:g} instead of 1 ({listed})")
    if faults:
        raise InputError(faults)
    return dict(stated)


def check_set(chosen: Sequence[str]) -> None:
    """Check the weights (see :func:`weights`) of scenarios that are asked for together and can be loaded.

    Those that every report compares need no check: each is a run of its own, whatever its weight among the three. The
    user's own may leave weights out; once one of several states a weight, all of them are a set, whose weights sum to
    1.
    """
    own = [scenario for scenario in map(load, chosen) if scenario.own]
    if len(chosen) > 1 and any(scenario.weight is not None for scenario in own):
        weights(chosen)


_TOP_LEVEL = {"inherits": str, "weight": (int, float), "meaning": str, "levers": dict}
_IN_A_LEVER = {"value": (int, float), "unit": str, "evidence": list, "reason": str}


class _Reading:
    """Reads files and collects what is wrong with them; a faulty part is left out."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def layers(self, file: Path) -> dict[Path, dict[str, Any]]:
        """A file and its ancestors, nearest first; a broken ancestor ends the line."""
        layers: dict[Path, dict[str, Any]] = {}
        current: Path | None = file
        while current is not None:
            if current in layers:
                self.faults.append(f"{current.name}: inherits from itself through {list(layers)[-1].name}")
                break
            layers[current] = self._table(current)
            current = self._parent(current, layers[current].get("inherits"))
        return layers

    def _table(self, file: Path) -> dict[str, Any]:
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            told = "expected text in UTF-8" if isinstance(error, UnicodeDecodeError) else error
            self.faults.append(f"{file.name}: {told}")
            return {}
        kept = self._typed(file.name, "key", table, _TOP_LEVEL)
        if not 0 <= kept.get("weight", 0) <= 1:
            self.faults.append(f"{file.name}: weight = {kept['weight']:g} is out of range: allowed 0..1 [probability]")
        return kept

    def _parent(self, file: Path, inherits: str | None) -> Path | None:
        """The file that another one inherits from: beside it, or among the shipped ones."""
        if inherits is None:
            return None
        beside = file.parent / (inherits if inherits.endswith(".toml") else f"{inherits}.toml")
        if beside.is_file():
            return beside.resolve()
        try:
            return locate(inherits)
        except InputError:
            names = ", ".join(shipped())
            self.faults.append(f'{file.name}: inherits = "{inherits}": no such scenario (shipped: {names})')
            return None

    def levers(self, file: Path, table: Mapping[str, Any]) -> dict[str, Lever]:
        """The levers that one layer sets."""
        found = {}
        for name, fields in table.get("levers", {}).items():
            where = f"{file.name}: levers.{name}"
            if name not in LEVERS:
                self._unknown(file.name, "lever", name, LEVERS)
            elif not isinstance(fields, dict):
                self.faults.append(f"{where}: a table with {', '.join(_IN_A_LEVER)} is expected")
            else:
                self.faults += [f"{where}: {field} is missing" for field in ("value", "unit") if field not in fields]
                found[name] = self._lever(where, LEVERS[name], self._typed(where, "field", fields, _IN_A_LEVER))
        return found

    def _lever(self, where: str, spec: LeverSpecification, fields: Mapping[str, Any]) -> Lever:
        """Check one lever's value, unit and evidence against its specification."""
        value, unit = fields.get("value", spec.neutral), fields.get("unit", spec.unit)
        evidence = tuple(str(identity) for identity in fields.get("evidence", []))
        told = []
        for identity in evidence:
            if citations.known_day(identity) is None:
                hint = did_you_mean(identity, [*citations.claims(), *citations.events()], cutoff=0.5)
                told.append(f"evidence {identity!r} is neither a claim nor a policy event of the ledger{hint}")
        if not spec.low <= value <= spec.high:
            told.append(f"value = {value:g} is out of range: allowed {spec.low:g}..{spec.high:g} [{spec.unit}]")
        elif value != spec.neutral and not evidence:
            told.append(f"a value other than {spec.neutral:g} needs evidence (ids of claims or events)")
        if unit != spec.unit:
            told.append(f'unit = "{unit}": expected "{spec.unit}"')
        self.faults += [f"{where}: {fault}" for fault in told]
        reason = fields.get("reason", "")
        return Lever(name=spec.name, unit=spec.unit, value=float(value), evidence=evidence, reason=reason)

    def _typed(self, where: str, what: str, table: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
        """Keep the known fields of the right type and report the others."""
        kept = {}
        for name, value in table.items():
            if name not in types:
                self._unknown(where, what, name, types)
            elif not isinstance(value, types[name]) or isinstance(value, bool):
                self.faults.append(f"{where}: {name} = {value!r} has the wrong type")
            else:
                kept[name] = math.inf if isinstance(value, int) and abs(value) > sys.float_info.max else value
        return kept

    def _unknown(self, where: str, what: str, name: str, known: Collection[str]) -> None:
        """Say the nearest known name and all of them."""
        self.faults.append(f"{where}: unknown {what} {name}{did_you_mean(name, known)} (known: {', '.join(known)})")
