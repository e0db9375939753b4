"""From a reference class to a file of priors, with where it came from."""

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from telemed_forecast import files
from telemed_forecast.errors import InputError

if TYPE_CHECKING:
    from telemed_forecast.curves.series import Series

FILES = {"adoption": "growth.json", "surge": "surge.json"}
"""File of the priors of each kind."""

LEARNERS = {"adoption": "learn_growth", "surge": "learn_retention"}
"""Module of this room that learns each kind."""

HOME_AS_OF = "2019-12-31"
"""Day by which the home-grown class must have been known: before the outbreak, whose wave is not growth, and before the
first day whose forecasts are scored, so that no score profits from what came later."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asks for."""

    curves: Path | None  # A reference class (see `series_file`); None with `world_bank`
    out: Path  # Folder of the priors; made when it is not there
    kind: str = "adoption"  # adoption or surge
    world_bank: bool = False  # Read the reference class from the World Bank's public interface instead
    cache: Path | None = None  # Where its answers are kept; the project's own cache when None
    refresh: bool = False  # Ask again what the cache holds
    # Where the reference class that was read is saved, to learn from again without the network
    save: Path | None = None


def make(request: Request, *, also: Sequence[str] = (), stream: TextIO | None = None) -> Path:
    """Learn priors and write them, whole or not at all; return the file. No date is in it: same curves, same bytes.

    `also` are faults of the request that were found already, told together with the others; what is going on is said to
    `stream` (standard error by default).
    """
    faults = [*_faults_of(request), *also]
    if faults:
        raise InputError(faults)
    curves, provenance = _read(request)
    learned_from = [curves]
    if request.kind == "adoption":
        # The engine learns from other online services at home, too, from the project's own ledger.
        from telemed_forecast.curves import online_services, reference_class

        home = online_services.curves(HOME_AS_OF)
        learned_from.append(home)
        fingerprint = reference_class.fingerprint(home)
        provenance["home"] = {"as_of": HOME_AS_OF, "series": len(home), "sha256": fingerprint}
    families = len({one.reference_class for one in curves})
    with _said(f"learning from {len(curves)} series of {families} families", stream or sys.stderr):
        content = import_module(f"telemed_forecast.curves.{LEARNERS[request.kind]}").learn(*learned_from)
    return files.write(request.out / FILES[request.kind], text_of({**content, "provenance": provenance}))


def text_of(content: Mapping[str, Any]) -> str:
    """Priors as JSON that people can read: a list of numbers on one line."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    inner = re.compile(r"\[[^\[\]{}\"]*\]")
    return inner.sub(lambda found: re.sub(r"\n\s*", " ", found[0]).replace("[ ", "[").replace(" ]", "]"), text) + "\n"


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
    if request.save is not None and (request.save.is_dir() or not request.save.parent.is_dir()):
        yield f"--save {request.save} cannot be written: it must be a file in a folder that exists"


def _read(request: Request) -> tuple[list["Series"], dict[str, Any]]:
    """The reference class, and where it came from."""
    from telemed_forecast.curves import reference_class

    command = f"telemed-forecast learn-priors {'--world-bank' if request.curves is None else request.curves.name}"
    source: Any
    if request.curves is not None:
        found = reference_class.read(request.curves)
        source, checksum = request.curves.name, hashlib.sha256(request.curves.read_bytes()).hexdigest()
    else:
        from telemed_forecast.curves import world_bank

        found = world_bank.read(folder=request.cache, refresh=request.refresh)
        if request.save is not None:
            reference_class.write(request.save, found)
        told = ("indicator", "url", "last_updated")
        source = [{name: one[name] for name in told} for one in world_bank.provenance(folder=request.cache)]
        checksum = reference_class.fingerprint(found)
    command += "" if request.kind == "adoption" else f" --kind {request.kind}"
    return found, {"command": command, "source": source, "sha256": checksum, "series": len(found)}


def _said(what: str, stream: TextIO) -> AbstractContextManager[Any]:
    """Say what is going on, with a moving sign on a terminal."""
    if stream.isatty():
        from rich.console import Console

        return Console(file=stream).status(what)
    print(what, file=stream, flush=True)
    return nullcontext()
