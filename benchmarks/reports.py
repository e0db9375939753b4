"""How long reports take, as ratios to notebooks that only import what ours do.

The floor is papermill running as many notebooks, two at a time, that import pandas, pymc, arviz and prophet and do
nothing else. Everything is timed in one run on one machine, each as whole processes from start to end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat

from telemed_forecast.errors import TelemedError
from telemed_forecast.runs.parameters import NOTEBOOKS

JOBS = 2
"""Notebooks at a time."""

IMPORTS = "import pandas, pymc, arviz, prophet"

CHANGED = "market_size"
"""The report that is made again when one thing changes."""

STEPS: Mapping[str, Sequence[str]] = {
    "cold: everything from nothing": (),
    "nothing changed": (),
    "a lever changed, one report": (CHANGED, "-p", "scenario=bull"),
    "the horizon changed, one report": (CHANGED, "-p", "horizon=2031"),
    "the currency changed, one report": (CHANGED, "-p", "currency=USD"),
}
"""What is timed, in this order, and its arguments: each step finds what the ones before it stored."""


@dataclass(frozen=True)
class Timing:
    """One step.

    Attributes
    ----------
    what
        Its name.
    seconds
        By the clock.
    floor
        Seconds of the floor for as many notebooks.
    parts
        Seconds of processes by kind of work; two processes run at a time.
    """

    what: str
    seconds: float
    floor: float
    parts: Mapping[str, float]


def measure(*, profile: str, tell: Callable[[str], None] = print) -> list[Timing]:
    """Time the floor and every step in a store and a folder of their own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        floors = {number: _floor(folder, number) for number in (1, len(NOTEBOOKS))}
        tell(f"floor: {floors[len(NOTEBOOKS)]:.1f} s, one notebook {floors[1]:.1f} s")
        found = []
        for what, arguments in STEPS.items():
            before = set((folder / "reports").glob("*/manifest.json"))
            seconds = _command(folder, ["report", *arguments, "--profile", profile])
            new = set((folder / "reports").glob("*/manifest.json")) - before
            floor = floors[1 if arguments else len(NOTEBOOKS)]
            found.append(Timing(what, seconds, floor, _parts(next(iter(new))) if new else {}))
            tell(f"{what}: {seconds:.1f} s")
        return found


def _floor(folder: Path, number: int) -> float:
    """Seconds that papermill takes for notebooks that only import."""
    empty = folder / "empty.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(IMPORTS)]), empty)
    commands = [
        [sys.executable, "-m", "papermill", "-k", "python3", str(empty), str(folder / f"out-{k}.ipynb")]
        for k in range(number)
    ]
    start = time.monotonic()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(lambda command: _run(command, {}), commands))
    return time.monotonic() - start


def _command(folder: Path, arguments: Sequence[str]) -> float:
    caches = {"NUMBA_CACHE_DIR": "numba", "MPLCONFIGDIR": "matplotlib", "TELEMED_CACHE": "cache"}
    environment = {name: str(folder / place) for name, place in caches.items()}
    environment["PYTENSOR_FLAGS"] = f"base_compiledir={folder / 'pytensor'}"
    start = time.monotonic()
    out = ["--out", str(folder / "reports"), "--jobs", str(JOBS)]
    _run([sys.executable, "-m", "telemed_forecast.cli", *arguments, *out], environment)
    return time.monotonic() - start


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TelemedError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def _parts(manifest: Path) -> dict[str, float]:
    """Seconds of the run's processes by kind of work."""
    seconds = json.loads(manifest.read_text(encoding="utf-8"))["volatile"]["seconds"]
    compiling = sum(value for name, value in seconds.items() if name.startswith("compiling"))
    fits = sum(value for name, value in seconds.items() if name.startswith("fits of"))
    notebooks = sum(value for name, value in seconds.items() if name in NOTEBOOKS)
    return {"compiling": compiling, "sampling": fits - compiling, "notebooks and pages": notebooks}


def printed(found: Sequence[Timing]) -> str:
    """The table."""
    lines = [f"{'':36}{'seconds':>9}{'x floor':>9}   of the processes' time"]
    for one in found:
        parts = ", ".join(f"{name} {value:.0f} s" for name, value in one.parts.items() if value >= 0.5)
        lines.append(f"{one.what:36}{one.seconds:9.1f}{one.seconds / one.floor:9.2f}   {parts}")
    return "\n".join(lines)
