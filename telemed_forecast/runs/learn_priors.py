"""From a reference class to a file of priors, with where it came from."""

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from telemed_forecast import files
from telemed_forecast.errors import InputError
from telemed_forecast.runs import folders

if TYPE_CHECKING:
    from telemed_forecast.evidence.curves import Curve

FILES = {"adoption": "growth.json", "surge": "surge.json"}
"""File of the priors of each kind."""

LEARNERS = {"adoption": "learn_growth", "surge": "learn_retention"}
"""Module of `telemed_forecast.fits` that learns each kind."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asks for.

    Attributes
    ----------
    curves : Path or None
        A reference class (see `evidence.curves`); None with `world_bank`.
    out : Path
        Folder of the priors; made when it is not there.
    kind : str
        "adoption" or "surge".
    world_bank : bool
        Read the reference class from the World Bank's public interface instead.
    cache : Path or None
        Where its answers are kept; the project's own cache when None.
    refresh : bool
        Ask again what the cache holds.
    save : Path or None
        Where the reference class that was read is saved, to learn from again without the network.
    """

    curves: Path | None
    out: Path
    kind: str = "adoption"
    world_bank: bool = False
    cache: Path | None = None
    refresh: bool = False
    save: Path | None = None


def make(request: Request, *, stream: TextIO | None = None) -> Path:
    """Learn priors and write them, whole or not at all; return the file.

    The same reference class gives the same bytes: no date is written.

    Parameters
    ----------
    request : Request
    stream : TextIO, optional
        Where is said what is going on; standard error by default.

    Raises
    ------
    InputError
        The request or the reference class is wrong. Nothing has been written.
    """
    faults = list(_faults_of(request))
    if faults:
        raise InputError(faults)
    stream = stream or sys.stderr
    curves, provenance = _read(request)
    home = _at_home(request.kind)
    if home:
        from telemed_forecast.evidence.curves import fingerprint

        provenance["home"] = {"as_of": HOME_AS_OF, "series": len(home), "sha256": fingerprint(home)}
    families = len({curve.family for curve in curves})
    with _said(f"learning from {len(curves)} series of {families} families", stream):
        learn = import_module(f"telemed_forecast.fits.{LEARNERS[request.kind]}").learn
        known = [curve.series for curve in curves]
        content = learn(known, [curve.series for curve in home]) if home else learn(known)
    file = request.out / FILES[request.kind]
    return files.write(file, text_of({**content, "provenance": provenance}))


def text_of(content: Mapping[str, Any]) -> str:
    """Priors as JSON that people can read: a list of numbers on one line."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    inner = re.compile(r"\[[^\[\]{}\"]*\]")
    return inner.sub(lambda found: re.sub(r"\n\s*", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text) + "\n"


HOME_AS_OF = "2019-12-31"
"""Day by which the home-grown class must have been known: before the outbreak, whose wave is not growth, and before the
first day whose forecasts are scored, so that no score profits from what came later."""


def _at_home(kind: str) -> list["Curve"]:
    """What the engine learns from beside the reference class: other online services, from the project's own ledger."""
    if kind != "adoption":
        return []
    from telemed_forecast.evidence import online_services

    return online_services.curves(HOME_AS_OF, frequency="quarterly")


def _faults_of(request: Request) -> Iterator[str]:
    if request.kind not in FILES:
        yield f'--kind "{request.kind}" is not allowed: allowed {", ".join(FILES)}'
    if (request.curves is None) != request.world_bank:
        yield "either CURVES.csv or --world-bank is needed" + (", not both" if request.world_bank else "")
    if request.world_bank and request.kind == "surge":
        yield "--world-bank has no surges: --kind surge needs CURVES.csv"
    given = (("--cache", request.cache), ("--save", request.save), ("--refresh", request.refresh or None))
    for option, value in given:
        if value is not None and not request.world_bank:
            yield f"{option}{'' if value is True else f' {value}'} is for --world-bank alone"
    for option, folder in (("--out", request.out), ("--cache", request.cache)):
        yield from folders.faults(folder, option)
    if request.save is not None and (request.save.is_dir() or not request.save.parent.is_dir()):
        yield f"--save {request.save} cannot be written: it must be a file in a folder that exists"


def _read(request: Request) -> tuple[list["Curve"], dict[str, Any]]:
    """The reference class, and where it came from."""
    from telemed_forecast.evidence import curves

    command = f"telemed-forecast learn-priors {'--world-bank' if request.curves is None else request.curves.name}"
    told = {"command": command if request.kind == "adoption" else f"{command} --kind {request.kind}"}
    if request.curves is not None:
        found = curves.read(request.curves)
        checksum = hashlib.sha256(request.curves.read_bytes()).hexdigest()
        return found, {**told, "source": request.curves.name, "sha256": checksum, "series": len(found)}
    from telemed_forecast.evidence import world_bank

    found = world_bank.read(folder=request.cache, refresh=request.refresh)
    if request.save is not None:
        curves.write(request.save, found)
    read = [
        {name: one[name] for name in ("indicator", "url", "last_updated")}
        for one in world_bank.provenance(folder=request.cache)
    ]
    return found, {**told, "source": read, "sha256": curves.fingerprint(found), "series": len(found)}


def _said(what: str, stream: TextIO) -> AbstractContextManager[Any]:
    """Say what is going on, with a moving sign on a terminal."""
    if stream.isatty():
        from rich.console import Console

        return Console(file=stream).status(what)
    print(what, file=stream, flush=True)
    return nullcontext()
