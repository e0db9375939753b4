"""Parameters: each declared once, as a field of `Settings`; values converted and checked with every fault at once.

Values may come from a notebook's own cells (`from_notebook`), from `-p NAME=TEXT` on the command line (`from_texts`),
or from Python (`validate`). All three end in the same checks against `SPECIFICATION`, which the fields of `Settings`
make up, as does the parameters cell of a notebook: one line a parameter, `name: type = value  # [unit] meaning`.
Importing this module costs a few milliseconds: it is the first thing each notebook does.
"""

import ast
import contextlib
import datetime as dt
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Annotated, Any, get_args, get_type_hints

from telemed_forecast import scenarios
from telemed_forecast.errors import InputError, collecting, did_you_mean
from telemed_forecast.evidence import own
from telemed_forecast.evidence.citations import vintage_date
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.names import LANGUAGES

NOTEBOOKS = ("executive_summary", *MARKETS, "track_record", "evidence_review")
"""Every notebook that can be run, in the order of reading."""

EARLIEST_AS_OF = dt.date(2019, 1, 1)

ENVIRONMENT = {"profile": "TELEMED_PROFILE", "seed": "TELEMED_SEED"}
"""Environment variables that set another default: a run of the tests takes the quick profile, or another seed."""

INJECTED_FIRST_LINE = "# Parameters"
"""papermill begins the cell that it injects with this comment."""


@dataclass(frozen=True)
class Parameter:
    """What one parameter is; its name, type and default are those of the field of `Settings` that declares it."""

    unit: str  # The unit, or for a text what kind of text it is (date, name, ...); `-` for a pure number
    meaning: str  # A few words, without `=`, since papermill's own help cannot read a comment that holds one
    # Allowed range of a number, both ends included
    low: float | None = None
    high: float | None = None
    choices: Sequence[str] = ()  # Allowed texts; empty when other checks apply
    # For texts that no list describes: gives the faults of a text; says the allowed values in words
    check: Callable[[str], list[str]] | None = None
    allowed: Callable[[], str] | None = None
    notebooks: tuple[str, ...] = NOTEBOOKS  # The notebooks which take it
    name: str = ""
    type: type = str
    default: Any = None

    def allowed_values(self) -> str:
        """Say the allowed values, such as `2027..2035` or `quick, full`."""
        if self.low is not None and self.high is not None:
            return f"{self.low}..{self.high}"
        return ", ".join(self.choices) or (self.allowed() if self.allowed else "any")

    def faults(self, value: object) -> list[str]:
        """What is wrong with a value."""
        suffix = f"allowed {self.allowed_values()} [{self.unit}]"
        shown = f"{self.name} = {json.dumps(value, ensure_ascii=False, default=repr)}"
        if type(value) is not self.type:
            return [f"{shown} is not of type {self.type.__name__}: {suffix}"]
        if isinstance(value, float) and not math.isfinite(value):
            return [f"{shown} is not a finite number: {suffix}"]
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            return [f"{shown} holds something else than texts: {suffix}"]
        if isinstance(value, int | float):
            low, high = (end if end is not None else value for end in (self.low, self.high))
            return [] if low <= value <= high else [f"{shown} is out of range: {suffix}"]
        if isinstance(value, str) and self.choices and value not in self.choices:
            return [f"{shown} is not allowed{did_you_mean(value, self.choices)}: {suffix}"]
        return self.check(value) if self.check and isinstance(value, str) else []


def _check_as_of(text: str) -> list[str]:
    """Accept an empty text or a full ISO date within the ledger's years."""
    with contextlib.suppress(ValueError):
        full = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)
        if text == "" or (full and EARLIEST_AS_OF <= dt.date.fromisoformat(text) <= vintage_date()):
            return []
    return [f'as_of = "{text}" is not allowed: allowed {_as_of_allowed()} [date]']


def _as_of_allowed() -> str:
    return f'"" (everything in the ledger) or {EARLIEST_AS_OF}..{vintage_date()}'


def _faults_of(read: Callable[[str], object], text: str) -> list[str]:
    """What is wrong with a text that something is read from."""
    faults: list[object] = []
    with collecting(faults):
        read(text)
    return [str(fault) for fault in faults]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Validated parameter values of one notebook."""

    notebook: str
    horizon: Annotated[int, Parameter("year", "last year of the forecast", low=vintage_date().year + 1, high=2035)] = (
        2030
    )
    as_of: Annotated[
        str,
        Parameter(
            "date",
            "use only what was published by this ISO date; empty for everything",
            check=_check_as_of,
            allowed=_as_of_allowed,
        ),
    ] = ""
    scenario: Annotated[
        str,
        Parameter(
            "name",
            "a scenario of the scenarios folder, or the path of a TOML file",
            check=lambda text: _faults_of(scenarios.load, text),
            allowed=lambda: ", ".join(scenarios.shipped()) + " or a TOML file",
        ),
    ] = "base"
    evidence: Annotated[
        str,
        Parameter(
            "files",
            "CSV files of your own that add rows to the ledger, separated by semicolons",
            check=lambda text: [str(fault) for fault in own.faults(text)] if text else [],
            allowed=lambda: '"" or files with the columns of the ledger',
        ),
    ] = ""
    profile: Annotated[str, Parameter("name", "how many draws a fit takes", choices=("quick", "full"))] = "full"
    seed: Annotated[int, Parameter("-", "seed of all random draws", low=0, high=2**31 - 1)] = 20261121
    lang: Annotated[
        str, Parameter("language", "language of the results shown inside the notebook", choices=LANGUAGES)
    ] = "en"
    currency: Annotated[
        str,
        Parameter("currency", "currency of the amounts of money", choices=("CNY", "USD"), notebooks=("market_size",)),
    ] = "CNY"
    prices: Annotated[
        str,
        Parameter(
            "prices",
            "prices of each year, or real: those of the last full year known",
            choices=("nominal", "real"),
            notebooks=("market_size",),
        ),
    ] = "nominal"

    @property
    def as_of_date(self) -> dt.date:
        """The date whose knowledge counts: `as_of`, or the ledger's vintage when that is empty."""
        return dt.date.fromisoformat(self.as_of) if self.as_of else self.vintage

    @property
    def vintage(self) -> dt.date:
        """The newest day on which a row of the ledger, or of the user's own files, became known."""
        return vintage_date(own.files(self.evidence))

    def values(self) -> dict[str, Any]:
        """The notebook's parameters and their values, in the order of the specification."""
        return {p.name: getattr(self, p.name) for p in for_notebook(self.notebook)}


def _specification() -> Iterable[Parameter]:
    hints = get_type_hints(Settings, include_extras=True)
    for field in fields(Settings):
        if field.default is not MISSING:
            kind, declared = get_args(hints[field.name])
            yield replace(declared, name=field.name, type=kind, default=field.default)


SPECIFICATION = tuple(_specification())
"""Every parameter, in the order of the parameters cells."""


class ParametersRefused(InputError):
    """An `InputError` which IPython shows as its message alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


def refused(faults: Iterable[object]) -> ParametersRefused:
    """Make the error that names these faults, each once."""
    different = list(dict.fromkeys(str(fault) for fault in faults))
    many = "" if len(different) == 1 else "s"
    return ParametersRefused(different, heading=f"{len(different)} fault{many} in the parameters")


def for_notebook(notebook: str) -> tuple[Parameter, ...]:
    """The parameters which a notebook takes, in the order of its cell; `InputError` without such a notebook."""
    if notebook not in NOTEBOOKS:
        raise InputError([_unknown_notebook(notebook)])
    return tuple(p for p in SPECIFICATION if notebook in p.notebooks)


def _unknown_notebook(name: str) -> str:
    return f"there is no notebook {name}{did_you_mean(name, NOTEBOOKS)}; notebooks: {', '.join(NOTEBOOKS)}"


def _unknown(name: str, notebooks: Sequence[str]) -> str:
    """The fault of a name that none of the notebooks takes."""
    elsewhere = [p for p in SPECIFICATION if p.name == name]
    known = list(dict.fromkeys(p.name for notebook in notebooks for p in for_notebook(notebook)))
    who = notebooks[0] if len(notebooks) == 1 else "any of " + ", ".join(notebooks)
    hint = f"; taken by {', '.join(elsewhere[0].notebooks)}" if elsewhere else did_you_mean(name, known)
    return f"{name} is not a parameter of {who}{hint}; parameters: {', '.join(known)}"


def validate(notebook: str, values: Mapping[str, object]) -> Settings:
    """Check a notebook's parameters; what is not given takes its default.

    An `InputError` has every fault: unknown names (with the nearest name and the list), wrong types, values out of
    range (with the range and unit).
    """
    parameters = {p.name: p for p in for_notebook(notebook)}
    faults = [_unknown(name, [notebook]) for name in values if name not in parameters]
    checked: dict[str, Any] = {}
    for name, parameter in parameters.items():
        value = values[name] if name in values else _default(parameter)
        if name == "horizon":  # on an earlier date there are years to forecast that have ended since
            parameter = replace(parameter, low=_first_horizon(values.get("as_of")))
        # A whole number is a number, too.
        checked[name] = float(value) if parameter.type is float and type(value) is int else value
        where = "" if name in values else f" (from the environment: {ENVIRONMENT.get(name)})"
        faults += [fault + where for fault in parameter.faults(checked[name])]
    if faults:
        raise refused(faults)
    # Notebooks run in another folder than the command: the paths of files become absolute.
    if checked["scenario"] not in scenarios.shipped():
        checked["scenario"] = str(scenarios.locate(checked["scenario"]))
    checked["evidence"] = own.text(own.files(checked["evidence"]))
    return Settings(notebook=notebook, **checked)


def _first_horizon(as_of: object) -> int:
    """The year after that of `as_of`; of the ledger's newest day where it is none or no date."""
    latest = vintage_date()
    given = isinstance(as_of, str) and as_of != "" and not _check_as_of(as_of)
    return min(latest.year, dt.date.fromisoformat(str(as_of)).year if given else latest.year) + 1


def _default(parameter: Parameter) -> object:
    """A parameter's default; the environment may set another one (see `ENVIRONMENT`)."""
    text = os.environ.get(ENVIRONMENT.get(parameter.name, ""))
    return convert(parameter, text) if text else parameter.default


def from_texts(notebooks: Sequence[str], texts: Iterable[tuple[str, str]]) -> dict[str, Settings]:
    """Convert and check the `-p NAME=TEXT` of a command line, names and texts as typed, for some notebooks.

    A parameter goes to those of them which take it. The specification alone decides the type: `007` stays a text where
    a text is due. An `InputError` has every fault, each once.
    """
    faults: list[object] = [_unknown_notebook(name) for name in notebooks if name not in NOTEBOOKS]
    known = [name for name in notebooks if name in NOTEBOOKS] or list(NOTEBOOKS)
    own = {notebook: {p.name: p for p in for_notebook(notebook)} for notebook in known}
    taken = {name: p for parameters in own.values() for name, p in parameters.items()}
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
        with collecting(faults):
            settings[notebook] = validate(notebook, {n: v for n, v in values.items() if n in own[notebook]})
    if faults:
        raise refused(faults)
    return settings


def convert(parameter: Parameter, text: str) -> object:
    """Convert a text to a parameter's type; a text that cannot be converted comes back as it is.

    `validate` then names it as a value of the wrong type. A list is written with commas, a truth value as
    `true` or `false`.
    """
    if parameter.type is int and re.fullmatch(r"[+-]?\d+", text.strip(), flags=re.ASCII):
        return int(text)
    if parameter.type is float:
        with contextlib.suppress(ValueError):
            return float(text)
    if parameter.type is bool:
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if parameter.type is list:
        return [item.strip() for item in text.split(",")] if text.strip() else []
    return text


def to_text(value: object) -> str:
    """Write a value the way `convert` reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


# -- inside a notebook ----


def cell_source(notebook: str) -> str:
    """The source of a notebook's parameters cell, as the specification wants it."""
    return "\n".join(map(_declaration, for_notebook(notebook)))


def _declaration(p: Parameter) -> str:
    """One line of a parameters cell, as ruff formats it: texts in double quotes (JSON's escapes are Python's too)."""
    text = json.dumps(p.default, ensure_ascii=False) if isinstance(p.default, str | list) else repr(p.default)
    return f"{p.name}: {p.type.__name__} = {text}  # [{p.unit}] {p.meaning}"


def from_notebook(notebook: str, namespace: Mapping[str, Any]) -> Settings:
    """Check the parameters of a running notebook, of which `namespace` is the `globals()`; the second cell's only call.

    IPython's `In` in it tells which names the parameters cell declared and which papermill injected, so that a misspelt
    one is found; other variables are left alone. IPython shows the `InputError`, which has every fault, without a
    traceback.
    """
    taken = {p.name: p for p in for_notebook(notebook)}
    declared, injected = _given_names(namespace.get("In", ()), set(taken))
    values = {n: namespace[n] for n in namespace if n in taken or n in declared | injected}
    # A notebook's own "full" is the default and yields to the environment; an injected "full" does not.
    for name in ENVIRONMENT:
        if name not in injected and values.get(name) == taken[name].default:
            del values[name]
    return validate(notebook, values)


def _given_names(history: Sequence[str], known: set[str]) -> tuple[set[str], set[str]]:
    """Names that the newest parameters cell declared, and those that papermill injected after it.

    Only the newest counts, so that somebody who corrects a misspelt name in JupyterLab and runs the two cells again
    is not told about the old spelling for ever.
    """
    declared: set[str] = set()
    injected: set[str] = set()
    for source in history:
        assigned = _plain_assignments(source)
        if source.lstrip().startswith(INJECTED_FIRST_LINE):
            injected |= assigned
        elif assigned & known:
            declared, injected = assigned, set()
    return declared, injected


def _plain_assignments(source: str) -> set[str]:
    """Names assigned by a cell that does nothing but assign to names; none of any other cell."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):  # a cell magic, or a cell that never ran
        return set()
    assigned: set[str] = set()
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or not all(isinstance(t, ast.Name) for t in targets):
            return set()
        assigned |= {target.id for target in targets if isinstance(target, ast.Name)}
    return assigned
