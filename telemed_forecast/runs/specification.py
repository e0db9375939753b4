"""What the parameters are: one object each, with type, unit, allowed range, default and meaning."""

import datetime as dt
import difflib
import functools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from telemed_forecast import paths, scenarios
from telemed_forecast.errors import InputError

# Every notebook that can be run.
NOTEBOOKS = (
    "executive_summary",
    "market_size",
    "internet_hospitals",
    "channel_share",
    "user_adoption",
    "track_record",
    "evidence_review",
)

EARLIEST_AS_OF = dt.date(2019, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What one parameter is.

    Attributes
    ----------
    name : str
    type : str
        `str`, `int`, `float`, `bool` or `list` (of str).
    unit : str
        The unit, or for a text what kind of text it is (date, name, ...); `-` for a pure number.
    default : object
    meaning : str
        A few words, without `=`, since papermill's own help cannot read a comment that holds one.
    low, high : int, float or None
        Allowed range of a number, both ends included.
    choices : tuple of str
        Allowed texts; empty when other checks apply.
    check : callable or None
        For texts that neither a range nor a list describes: returns the faults of a text.
    allowed : callable or None
        Says the allowed values in words, where neither range nor choices do.
    notebooks : tuple of str
        The notebooks which take it.
    """

    name: str
    type: str
    unit: str
    default: Any
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[str], list[str]] | None = None
    allowed: Callable[[], str] | None = None
    notebooks: tuple[str, ...] = NOTEBOOKS

    def allowed_values(self) -> str:
        """Say the allowed values, such as `2027..2035` or `quick, full`."""
        if self.low is not None and self.high is not None:
            return f"{self.low}..{self.high}"
        return ", ".join(self.choices) or (self.allowed() if self.allowed else "any")


@functools.cache
def vintage() -> dt.date:
    """Newest date at which a row of the shipped ledger was known (declared in its datapackage.json)."""
    package = json.loads((paths.DATA / "evidence" / "datapackage.json").read_text(encoding="utf-8"))
    return dt.date.fromisoformat(package["vintage"])


def _check_as_of(text: str) -> list[str]:
    """Accept an empty text or a full ISO date within the ledger's years."""
    if text == "":
        return []
    try:
        date = dt.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        date = None
    if date is not None and EARLIEST_AS_OF <= date <= vintage():
        return []
    return [f'as_of = "{text}" is not allowed: allowed {_as_of_allowed()} [date]']


def _as_of_allowed() -> str:
    return f'"" (everything in the ledger) or {EARLIEST_AS_OF}..{vintage()}'


def _check_scenario(text: str) -> list[str]:
    """Accept a shipped scenario or a readable scenario file."""
    try:
        scenarios.load(text)
    except InputError as error:
        return [str(fault) for fault in error.faults]
    return []


def _scenario_allowed() -> str:
    return ", ".join(scenarios.shipped()) + " or a TOML file"


SPECIFICATION = (
    Parameter(
        name="horizon",
        type="int",
        unit="year",
        default=2030,
        meaning="last year of the forecast",
        low=2027,
        high=2035,
    ),
    Parameter(
        name="as_of",
        type="str",
        unit="date",
        default="",
        meaning="use only what was published by this ISO date; empty for everything",
        check=_check_as_of,
        allowed=_as_of_allowed,
    ),
    Parameter(
        name="scenario",
        type="str",
        unit="name",
        default="base",
        meaning="a scenario of the scenarios folder, or the path of a TOML file",
        check=_check_scenario,
        allowed=_scenario_allowed,
    ),
    Parameter(
        name="profile",
        type="str",
        unit="name",
        default="full",
        meaning="how many draws a fit takes",
        choices=("quick", "full"),
    ),
    Parameter(
        name="seed",
        type="int",
        unit="-",
        default=20261121,
        meaning="seed of all random draws",
        low=0,
        high=2**31 - 1,
    ),
    Parameter(
        name="lang",
        type="str",
        unit="language",
        default="en",
        meaning="language of the results shown inside the notebook",
        choices=("en", "zh"),
    ),
    Parameter(
        name="currency",
        type="str",
        unit="currency",
        default="CNY",
        meaning="currency of the amounts of money",
        choices=("CNY", "USD"),
        notebooks=("market_size",),
    ),
    Parameter(
        name="prices",
        type="str",
        unit="prices",
        default="nominal",
        meaning="prices of each year, or real: those of the last full year known",
        choices=("nominal", "real"),
        notebooks=("market_size",),
    ),
)


def for_notebook(notebook: str) -> tuple[Parameter, ...]:
    """The parameters which a notebook takes, in the order of its parameters cell.

    Raises
    ------
    InputError
        There is no such notebook.
    """
    if notebook not in NOTEBOOKS:
        raise InputError([unknown_notebook(notebook)])
    return tuple(p for p in SPECIFICATION if notebook in p.notebooks)


def unknown_notebook(name: str) -> str:
    """The fault of a notebook's name that does not exist."""
    return f"there is no notebook {name}{did_you_mean(name, NOTEBOOKS)}; notebooks: {', '.join(NOTEBOOKS)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Name the nearest known name, or nothing when none is near."""
    nearest = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{nearest[0]}"?' if nearest else ""
