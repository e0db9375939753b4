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
import difflib
import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from telemed_forecast import paths
from telemed_forecast.errors import InputError
from telemed_forecast.evidence import citations

COMPARED = ("bear", "base", "bull")
"""The scenarios that every report compares, worst first; their weights sum to 1."""


@dataclass(frozen=True, kw_only=True)
class LeverSpecification:
    """What a lever is.

    Attributes
    ----------
    name, unit, meaning : str
    low, high : float
        Allowed range, both ends included, in `unit`.
    neutral : float
        The value that changes nothing.
    """

    name: str
    unit: str
    meaning: str
    low: float
    high: float
    neutral: float


@dataclass(frozen=True, kw_only=True)
class Lever:
    """A lever's setting in one scenario.

    Attributes
    ----------
    name, unit : str
    value : float
        In `unit`.
    evidence : tuple of str
        Ids of the claims and policy events of the ledger which make the value arguable; empty only at the neutral
        value.
    reason : str
        One sentence that leads from the evidence to the value.
    """

    name: str
    unit: str
    value: float
    evidence: tuple[str, ...]
    reason: str

    def known_later(self, day: date) -> tuple[str, ...]:
        """The part of the evidence that was not yet known on a day."""
        return tuple(i for i in self.evidence if (known := citations.known_day(i)) is not None and known > day)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A complete set of lever settings; `scenario["retention"]` is a lever's value.

    Attributes
    ----------
    name : str
        The file's stem.
    meaning : str
    weight : float or None
        Probability in a set of scenarios whose weights sum to 1; None when the file states none.
    levers : Mapping of str to Lever
        Every lever of `LEVERS`, inherited or neutral where the file says nothing.
    files : tuple of Path
        The file itself, then those it inherits from: what a run's key has to cover.
    """

    name: str
    meaning: str
    weight: float | None
    levers: Mapping[str, Lever]
    files: tuple[Path, ...]

    def __getitem__(self, lever: str) -> float:
        return self.levers[lever].value

    @property
    def own(self) -> bool:
        """Whether it is the user's, not one of those that every report compares."""
        return self.name not in COMPARED or self.files[0].parent != paths.SCENARIOS

    def only(self, names: Collection[str]) -> Scenario:
        """The scenario with every other lever at its neutral value."""
        kept = {name: lever if name in names else neutral(LEVERS[name]) for name, lever in self.levers.items()}
        return replace(self, levers=MappingProxyType(kept))


LEVERS: Mapping[str, LeverSpecification] = MappingProxyType(
    {
        lever.name: lever
        for lever in (
            LeverSpecification(
                name="retention",
                unit="odds ratio",
                meaning="multiplies the odds that users of a surge who are still there stay for good",
                low=0.1,
                high=10.0,
                neutral=1.0,
            ),
            LeverSpecification(
                name="trust",
                unit="ratio",
                meaning="multiplies the imitation rate of the usage rate (trust in online care)",
                low=0.2,
                high=5.0,
                neutral=1.0,
            ),
            LeverSpecification(
                name="insurance",
                unit="odds ratio",
                meaning="multiplies the odds of the ceiling of the usage rate (insurance for online visits)",
                low=0.2,
                high=5.0,
                neutral=1.0,
            ),
            LeverSpecification(
                name="first_visits",
                unit="per year",
                meaning="added to the yearly growth (log points) of encounters per user (first visits online)",
                low=-0.2,
                high=0.2,
                neutral=0.0,
            ),
            LeverSpecification(
                name="price",
                unit="per year",
                meaning="added to the yearly growth (log points, nominal) of the price of an online consultation",
                low=-0.2,
                high=0.2,
                neutral=0.0,
            ),
            LeverSpecification(
                name="payers",
                unit="per year",
                meaning="added to the yearly growth (log points) of telemedicine services beyond consultations"
                " (commercial insurers and drug makers as payers)",
                low=-0.2,
                high=0.2,
                neutral=0.0,
            ),
            LeverSpecification(
                name="prescription_drugs",
                unit="ratio",
                meaning="multiplies the imitation rate of online drug sales (rules on prescription drugs)",
                low=0.2,
                high=5.0,
                neutral=1.0,
            ),
            LeverSpecification(
                name="licensing",
                unit="ratio",
                meaning="multiplies the imitation rate of the number of internet hospitals",
                low=0.2,
                high=5.0,
                neutral=1.0,
            ),
        )
    }
)

_TOP_LEVEL = {"inherits": str, "weight": (int, float), "meaning": str, "levers": dict}
_IN_A_LEVER = {"value": (int, float), "unit": str, "evidence": list, "reason": str}


def neutral(spec: LeverSpecification) -> Lever:
    """A lever at the value that changes nothing."""
    return Lever(name=spec.name, unit=spec.unit, value=spec.neutral, evidence=(), reason="")


def shipped() -> list[str]:
    """Names of the scenarios that come with the project, in alphabetical order."""
    return sorted(file.stem for file in paths.SCENARIOS.glob("*.toml"))


def load(scenario: str) -> Scenario:
    """Read a scenario with everything it inherits.

    Parameters
    ----------
    scenario : str
        The name of a shipped scenario, or the path of a TOML file.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        With every fault: no such scenario, unknown keys or levers (with the nearest name), wrong types or
        units, values out of range (with the range and unit), a value off neutral without evidence, evidence that
        is not in the ledger (with the nearest id), circular inheritance.
    """
    file = locate(scenario)
    faults: list[str] = []
    layers = _layers(file, faults)
    levers = {name: neutral(spec) for name, spec in LEVERS.items()}
    for layer_file, table in reversed(layers):
        levers.update(_levers(layer_file, table, faults))
    if faults:
        raise InputError(faults)
    top = layers[0][1]
    weight = top.get("weight")
    return Scenario(
        name=file.stem,
        meaning=top.get("meaning", ""),
        weight=None if weight is None else float(weight),
        levers=MappingProxyType(levers),
        files=tuple(layer_file for layer_file, _ in layers),
    )


def weights(scenarios: Sequence[str] | None = None) -> dict[str, float]:
    """Probability weights of a set of scenarios.

    Parameters
    ----------
    scenarios : sequence of str, optional
        Names or files; those that every report compares when left out.

    Returns
    -------
    dict of str to float
        By scenario name; they sum to 1.

    Raises
    ------
    InputError
        A scenario has no weight, or the weights do not sum to 1 (to within one part in a million).
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
    """Check the weights of scenarios that are asked for together.

    Those that every report compares need no check: each is a run of its own, whatever its weight among the three. The
    user's own may leave weights out; once one of several states a weight, all of them are a set, and its weights have
    to sum to 1.

    Parameters
    ----------
    chosen : sequence of str
        Names or files that can be loaded.

    Raises
    ------
    InputError
        As :func:`weights`.
    """
    own = [scenario for scenario in map(load, chosen) if scenario.own]
    if len(chosen) > 1 and any(scenario.weight is not None for scenario in own):
        weights(chosen)


def locate(scenario: str) -> Path:
    """Find the file of a scenario given by name or by path.

    Raises
    ------
    InputError
        Neither a shipped scenario nor a file; the message lists the names and the nearest one.
    """
    names = shipped()
    if scenario in names:
        return paths.SCENARIOS / f"{scenario}.toml"
    # A text that is no path at all (too long, an unknown user's home) is no file either.
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        file = Path(scenario).expanduser()
        if file.suffix == ".toml" and file.is_file():
            return file.resolve()
    nearest = difflib.get_close_matches(scenario, names, n=1)
    hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
    raise InputError([f'scenario = "{scenario}": allowed are {", ".join(names)} or a TOML file{hint}'])


def _layers(file: Path, faults: list[str]) -> list[tuple[Path, dict[str, Any]]]:
    """Read a file and its ancestors, nearest first; a broken ancestor ends the line with a fault."""
    layers: list[tuple[Path, dict[str, Any]]] = []
    current: Path | None = file
    while current is not None:
        if current in [seen for seen, _ in layers]:
            faults.append(f"{current.name}: inherits from itself through {layers[-1][0].name}")
            break
        table = _table(current, faults)
        layers.append((current, table))
        current = _parent(current, table.get("inherits"), faults)
    return layers


def _parent(file: Path, inherits: object, faults: list[str]) -> Path | None:
    """Find the file that another one inherits from: beside it, or among the shipped ones."""
    if not isinstance(inherits, str):
        return None
    beside = file.parent / (inherits if inherits.endswith(".toml") else f"{inherits}.toml")
    if beside.is_file():
        return beside.resolve()
    try:
        return locate(inherits)
    except InputError:
        faults.append(f'{file.name}: inherits = "{inherits}": no such scenario (shipped: {", ".join(shipped())})')
        return None


def _table(file: Path, faults: list[str]) -> dict[str, Any]:
    """Read one TOML file and check its top level; what is wrong is left out and reported."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.append(f"{file.name}: {error}")
        return {}
    kept = _typed(file.name, "key", table, _TOP_LEVEL, faults)
    weight = kept.get("weight")
    if weight is not None and not 0 <= weight <= 1:
        faults.append(f"{file.name}: weight = {weight:g} is out of range: allowed 0..1 [probability]")
    return kept


def _levers(file: Path, table: Mapping[str, Any], faults: list[str]) -> dict[str, Lever]:
    """Check the levers of one layer."""
    found = {}
    for name, fields in table.get("levers", {}).items():
        where = f"{file.name}: levers.{name}"
        spec = LEVERS.get(name)
        if spec is None:
            faults.append(f"{file.name}: unknown lever {name}{_nearest(name, LEVERS)}")
        elif not isinstance(fields, dict):
            faults.append(f"{where}: a table with {', '.join(_IN_A_LEVER)} is expected")
        else:
            missing = [f"{where}: {field} is missing" for field in ("value", "unit") if field not in fields]
            faults.extend(missing)
            found[name] = _lever(where, spec, _typed(where, "field", fields, _IN_A_LEVER, faults), faults)
    return found


def _lever(where: str, spec: LeverSpecification, fields: Mapping[str, Any], faults: list[str]) -> Lever:
    """Check one lever's value, unit and evidence against its specification."""
    value, unit = fields.get("value"), fields.get("unit")
    evidence = tuple(str(identity) for identity in fields.get("evidence", []))
    faults.extend(
        f"{where}: evidence {identity!r} {_not_in_the_ledger(identity)}"
        for identity in evidence
        if citations.known_day(identity) is None
    )
    if value is not None and not spec.low <= value <= spec.high:
        faults.append(f"{where}: value = {value:g} is out of range: allowed {spec.low:g}..{spec.high:g} [{spec.unit}]")
    elif value not in (None, spec.neutral) and not evidence:
        faults.append(f"{where}: a value other than {spec.neutral:g} needs evidence (ids of claims or events)")
    if unit not in (None, spec.unit):
        faults.append(f'{where}: unit = "{unit}": expected "{spec.unit}"')
    return Lever(
        name=spec.name,
        unit=spec.unit,
        value=spec.neutral if value is None else float(value),
        evidence=evidence,
        reason=fields.get("reason", ""),
    )


def _not_in_the_ledger(identity: str) -> str:
    """Say that no claim and no event has this id, and which come nearest."""
    known = [*citations.claims(), *citations.events()]
    nearest = difflib.get_close_matches(identity, known, n=1, cutoff=0.5)
    hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
    return f"is neither a claim nor a policy event of the ledger{hint}"


def _typed(
    where: str, what: str, table: Mapping[str, Any], types: Mapping[str, Any], faults: list[str]
) -> dict[str, Any]:
    """Keep the known fields of the right type and report the others."""
    kept = {}
    for name, value in table.items():
        if name not in types:
            faults.append(f"{where}: unknown {what} {name}{_nearest(name, types)}")
        elif not isinstance(value, types[name]) or isinstance(value, bool):
            faults.append(f"{where}: {name} = {value!r} has the wrong type")
        else:
            kept[name] = value
    return kept


def _nearest(name: str, known: Mapping[str, object]) -> str:
    """Say the nearest known name and all of them."""
    nearest = difflib.get_close_matches(name, known, n=1)
    return (f'; did you mean "{nearest[0]}"?' if nearest else "") + f" (known: {', '.join(known)})"
