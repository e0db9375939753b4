"""Time and memory of this library, told as ratios: seconds depend on the machine, ratios much less so.

Each figure is that of a fresh process, from its start to its end: imports, compilation and forecasts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import peers, run, tasks
from benchmarks.tasks import Task
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import TelemedError

FEW, MANY = 500, 2000
"""Series whose cost is compared."""

MOST_TIME = 4.4
"""[-] `MANY` series may cost at most this many times what `FEW` cost."""

FLOORS = ("autoets", "drift")
"""Peers whose time ours is divided by: a fitted one, and the cheapest there is."""


@dataclass(frozen=True)
class Cost:
    """What one process cost.

    Attributes
    ----------
    model, series
        Who forecast how many series.
    seconds
        By the clock, from start to end.
    megabytes
        Most memory it (or a process it waited for) held at one time.
    """

    model: str
    series: int
    seconds: float
    megabytes: float


def measure(path: Path, kind: str, *, jobs: int, tell: Callable[[str], None] = print) -> list[Cost]:
    """Take time and memory of the library and of the peers at hand on the tasks, and of the library on more series."""
    number = len(tasks.read(path))
    able = [name for name in FLOORS if not _peer(name).missing()]
    wanted = [(name, number) for name in ("library", *able)] + [("library", FEW), ("library", MANY)]
    found = []
    for name, series in wanted:
        found.append(_cost(path, kind, name, series, jobs))
        tell(f"{name}, {series} series: {found[-1].seconds:.1f} s, {found[-1].megabytes:.0f} MB")
    return found


def printed(costs: Sequence[Cost]) -> str:
    """Return the ratios as text."""
    own, *floors, few, many = costs
    lines = [
        f"{own.series} series, library against {floor.model}: {own.seconds / floor.seconds:.2f} times the time, "
        f"{own.megabytes / floor.megabytes:.2f} times the memory"
        for floor in floors
    ]
    ratio = many.seconds / few.seconds
    verdict = "within" if ratio <= MOST_TIME else "above"
    lines.append(
        f"{many.series} series against {few.series}: {ratio:.2f} times the time ({verdict} {MOST_TIME}), "
        f"{many.megabytes / few.megabytes:.2f} times the memory"
    )
    return "\n".join(lines)


def _cost(path: Path, kind: str, name: str, series: int, jobs: int) -> Cost:
    order = json.dumps({"path": str(path), "kind": kind, "name": name, "series": series, "jobs": jobs})
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.speed", order], stderr=subprocess.PIPE)
    said = child.stderr.read() if child.stderr else b""
    # The child's own account; the sum over all children could not tell one from the next.
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise TelemedError(f"{name} on {series} series ended with {child.returncode}: {last[0]}")
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return Cost(name, series, time.perf_counter() - start, used.ru_maxrss / unit)


def repeated(asked: Sequence[Task], number: int) -> list[Task]:
    """Return as many tasks as asked for; those that come again are scaled, so that none equals another."""
    found = []
    for k in range(number):
        task, factor = asked[k % len(asked)], 1.0 / (1 + k // len(asked))
        series: Series = replace(task.series, series_id=f"{task.task_id}#{k}", values=factor * task.series.values)
        found.append(replace(task, task_id=series.series_id, series=series, truth=factor * task.truth))
    return found


def _peer(name: str) -> peers.Peer:
    return next(peer for peer in peers.PEERS if peer.name == name)


def _forecast(order: dict[str, object]) -> None:
    """What the child does: the library with the priors that it ships, a peer as in the table."""
    asked = repeated(tasks.read(str(order["path"])), int(str(order["series"])))
    if order["name"] != "library":
        jobs = int(str(order["jobs"]))
        (result,) = run.run([_peer(str(order["name"]))], asked, (), kind="", jobs=jobs, fresh=True, tell=_nothing)
        if result.error:
            raise TelemedError(result.error)
        return
    from benchmarks.peers import library

    quantiles = library.shipped([task.series for task in asked], tasks.horizon(asked), str(order["kind"]))
    if not np.isfinite(quantiles).all():
        raise TelemedError("a quantile that is no number")


def _nothing(line: str) -> None:
    """Tell nobody."""


if __name__ == "__main__":
    _forecast(json.loads(sys.argv[1]))
