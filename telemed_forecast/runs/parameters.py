"""Parameter values: converted, checked and typed, with every fault named at once.

Values may come from a notebook's own cells (`from_notebook`), from `-p NAME=TEXT` on the command line
(`from_texts`), or from Python (`validate`). All three end in the same checks against `specification`.
Importing this module costs a few milliseconds: it is the first thing each notebook does.
"""

import datetime as dt
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telemed_forecast import scenarios
from telemed_forecast.errors import InputError
from telemed_forecast.runs import cells
from telemed_forecast.runs.specification import (
    NOTEBOOKS,
    SPECIFICATION,
    Parameter,
    did_you_mean,
    for_notebook,
    unknown_notebook,
    vintage,
)

ENVIRONMENT = {"profile": "TELEMED_PROFILE", "seed": "TELEMED_SEED"}
"""Environment variables that set another default: a run of the tests takes the quick profile, or another seed."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Validated parameter values of one notebook.

    Attributes
    ----------
    notebook : str
    horizon : int
        Last forecast year.
    as_of : str
        "" for everything in the ledger, else an ISO date: nothing published later may influence the result.
    scenario : str
        A shipped scenario's name, or the absolute path of a TOML file.
    profile : str
        `quick` or `full`: how many draws a fit takes.
    seed : int
    lang : str
        `en` or `zh`: the language in which blocks show themselves inside the notebook.
    currency : str
        `CNY` or `USD`.
    prices : str
        `nominal` or `real`: prices of each year, or of the last full year known.
    """

    notebook: str
    horizon: int
    as_of: str
    scenario: str
    profile: str
    seed: int
    lang: str
    currency: str = "CNY"
    prices: str = "nominal"

    @property
    def as_of_date(self) -> dt.date:
        """The date whose knowledge counts: `as_of`, or the ledger's vintage when that is empty."""
        return dt.date.fromisoformat(self.as_of) if self.as_of else vintage()

    def values(self) -> dict[str, Any]:
        """The notebook's parameters and their values, in the order of the specification."""
        return {p.name: getattr(self, p.name) for p in for_notebook(self.notebook)}


class ParametersRefused(InputError):
    """An `InputError` which IPython shows as its message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


def cell_source(notebook: str) -> str:
    """The source of a notebook's parameters cell, as the specification wants it."""
    return cells.cell_source(for_notebook(notebook))


def validate(notebook: str, values: Mapping[str, object]) -> Settings:
    """Check a notebook's parameters; what is not given takes its default.

    Parameters
    ----------
    notebook : str
        One of `NOTEBOOKS`.
    values : Mapping of str to object
        Parameter values by name.

    Returns
    -------
    Settings

    Raises
    ------
    InputError
        With every fault: unknown names (with the nearest name and the list), wrong types, values out of range
        (with the range and unit).
    """
    parameters = {p.name: p for p in for_notebook(notebook)}
    faults = [_unknown(name, [notebook]) for name in values if name not in parameters]
    checked: dict[str, Any] = {}
    for name, parameter in parameters.items():
        given = values[name] if name in values else _default(parameter)
        typed, fault = _check(parameter, given)
        if fault:
            faults.append(fault + ("" if name in values else f" (from the environment: {ENVIRONMENT[name]})"))
        checked[name] = typed
    if faults:
        raise refused(faults)
    checked["scenario"] = _without_working_directory(checked["scenario"])
    return Settings(notebook=notebook, **checked)


def from_texts(notebooks: Sequence[str], texts: Iterable[tuple[str, str]]) -> dict[str, Settings]:
    """Convert and check the `-p NAME=TEXT` of a command line for one or more notebooks.

    Parameters
    ----------
    notebooks : sequence of str
        The notebooks to run. A parameter goes to those of them which take it.
    texts : iterable of (str, str)
        Names and texts as typed. The specification alone decides the type: `007`
        stays a text where a text is due.

    Returns
    -------
    dict of str to Settings
        By notebook.

    Raises
    ------
    InputError
        With every fault, each once.
    """
    faults = [unknown_notebook(name) for name in notebooks if name not in NOTEBOOKS]
    known = [name for name in notebooks if name in NOTEBOOKS] or list(NOTEBOOKS)
    taken = {p.name: p for notebook in known for p in for_notebook(notebook)}
    values: dict[str, object] = {}
    for name, text in texts:
        if name not in taken:
            faults.append(_unknown(name, known))
        elif name in values:
            faults.append(f"{name} is given more than once")
        else:
            values[name] = convert(taken[name], text)
    settings = {}
    for notebook in known:
        own = {p.name for p in for_notebook(notebook)}
        try:
            settings[notebook] = validate(notebook, {n: v for n, v in values.items() if n in own})
        except InputError as error:
            faults.extend(str(fault) for fault in error.faults)
    if faults:
        raise refused(faults)
    return settings


def convert(parameter: Parameter, text: str) -> object:
    """Convert a text to a parameter's type; a text that cannot be converted comes back as it is.

    `validate` then names it as a value of the wrong type. A list is written with commas, a truth value as
    `true` or `false`.
    """
    if parameter.type == "int" and re.fullmatch(r"[+-]?\d+", text.strip(), flags=re.ASCII):
        return int(text)
    if parameter.type == "float":
        try:
            return float(text)
        except ValueError:
            return text
    if parameter.type == "bool":
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if parameter.type == "list":
        return [item.strip() for item in text.split(",")] if text.strip() else []
    return text


def to_text(value: object) -> str:
    """Write a value the way `convert` reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def from_notebook(notebook: str, namespace: Mapping[str, Any]) -> Settings:
    """Check the parameters of a running notebook; the second cell's only call.

    Parameters
    ----------
    notebook : str
        The notebook's name.
    namespace : Mapping of str to object
        Its `globals()`. IPython's `In` in it tells which names the parameters cell declared and which
        papermill injected, so that a misspelt one is found; other variables are left alone.

    Returns
    -------
    Settings

    Raises
    ------
    InputError
        With every fault; IPython shows the message without a traceback.
    """
    taken = {p.name: p for p in for_notebook(notebook)}
    declared, injected = cells.given_names(namespace.get("In", ()), taken)
    values = {n: namespace[n] for n in namespace if n in taken or n in declared | injected}
    # A notebook's own "full" is the default and yields to the environment; an injected "full" does not.
    for name in ENVIRONMENT:
        if name not in injected and values.get(name) == taken[name].default:
            del values[name]
    return validate(notebook, values)


def refused(faults: Iterable[object]) -> ParametersRefused:
    """Make the error that names these faults, each once."""
    different = list(dict.fromkeys(str(fault) for fault in faults))
    many = "" if len(different) == 1 else "s"
    return ParametersRefused(different, heading=f"{len(different)} fault{many} in the parameters")


def _default(parameter: Parameter) -> object:
    """A parameter's default; the environment may set another one (see `ENVIRONMENT`)."""
    text = os.environ.get(ENVIRONMENT.get(parameter.name, ""))
    return convert(parameter, text) if text else parameter.default


def _check(parameter: Parameter, value: object) -> tuple[object, str]:
    """Hold one value against its specification; return the typed value and the fault, if any."""
    typed = float(value) if parameter.type == "float" and type(value) is int else value
    suffix = f"allowed {parameter.allowed_values()} [{parameter.unit}]"
    shown = f"{parameter.name} = {json.dumps(value, ensure_ascii=False, default=repr)}"
    if type(typed).__name__ != parameter.type:
        return value, f"{shown} is not of type {parameter.type}: {suffix}"
    if isinstance(typed, float) and not math.isfinite(typed):
        return value, f"{shown} is not a finite number: {suffix}"
    if isinstance(typed, list) and not all(isinstance(item, str) for item in typed):
        return value, f"{shown} holds something else than texts: {suffix}"
    if isinstance(typed, int | float) and not _within(parameter, typed):
        return value, f"{shown} is out of range: {suffix}"
    if isinstance(typed, str) and parameter.choices and typed not in parameter.choices:
        return value, f"{shown} is not allowed{did_you_mean(typed, parameter.choices)}: {suffix}"
    if parameter.check is not None and isinstance(typed, str):
        return typed, "; ".join(parameter.check(typed))
    return typed, ""


def _within(parameter: Parameter, value: float) -> bool:
    above = parameter.low is None or value >= parameter.low
    return above and (parameter.high is None or value <= parameter.high)


def _unknown(name: str, notebooks: Sequence[str]) -> str:
    """The fault of a name that none of the notebooks takes."""
    elsewhere = [p for p in SPECIFICATION if p.name == name]
    known = list(dict.fromkeys(p.name for notebook in notebooks for p in for_notebook(notebook)))
    who = notebooks[0] if len(notebooks) == 1 else "any of " + ", ".join(notebooks)
    hint = f"; taken by {', '.join(elsewhere[0].notebooks)}" if elsewhere else did_you_mean(name, known)
    return f"{name} is not a parameter of {who}{hint}; parameters: {', '.join(known)}"


def _without_working_directory(scenario: str) -> str:
    """Make a scenario file's path absolute: notebooks run in another folder than the command."""
    return scenario if scenario in scenarios.shipped() else str(scenarios.locate(scenario))
