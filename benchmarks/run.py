"""Forecasts of all tasks by all peers, in parallel, each peer with what it may learn from."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks import folds
from benchmarks.peers import LEVELS, Peer
from benchmarks.tasks import Task, horizon
from telemed_forecast import files
from telemed_forecast.curves.series import Series
from telemed_forecast.paths import CACHE

CHUNKS = 8
"""Parts that the tasks of a peer without learning are divided into, for several processes to work at."""

DISTRIBUTIONS = {"sklearn": "scikit-learn"}
"""Packages that are installed under another name than they are imported by."""


Timed = Callable[..., tuple[np.ndarray, float]]
"""A forecaster that also tells its seconds."""


@dataclass(frozen=True, eq=False)
class Result:
    """Forecasts of all tasks by one peer.

    Attributes
    ----------
    peer
        Who.
    protocol
        What was left out of its learning; empty when it learns nothing.
    quantiles
        Dims: (task, horizon, level); nan where it gave none.
    seconds
        Time of all parts together, learning and imports included, as the clock of each process showed it.
    error
        Why it gave none, where it gave none.
    """

    peer: Peer
    protocol: str
    quantiles: np.ndarray
    seconds: float
    error: str = ""


def run(
    peers: Sequence[Peer],
    tasks: Sequence[Task],
    curves: Sequence[Series],
    *,
    kind: str,
    jobs: int,
    fresh: bool = False,
    tell: Callable[[str], None] = print,
) -> list[Result]:
    """Forecast.

    Parameters
    ----------
    peers, tasks, curves
        Who forecasts what, and what may be learned from.
    kind
        ``adoption`` or ``surge``: which of the library's models is meant.
    jobs
        Number of processes.
    fresh
        Do not use forecasts that an earlier run kept.
    tell
        Gets a line whenever a peer is done.
    """
    found = []
    for peer in peers:
        forecaster = _forecaster(peer, kind)
        for protocol in folds.PROTOCOLS if peer.learns else ("",):
            kept = _kept(peer, protocol, tasks, curves)
            result = None if fresh else _load(kept, peer, protocol)
            note = " (kept from an earlier run)" if result else ""
            if result is None:
                result = _forecast(forecaster, peer, protocol, tasks, curves, jobs)
                _save(kept, result)
            found.append(result)
            tell(f"{peer.title}{', ' + protocol + ' left out' if protocol else ''}: {result.seconds:.1f} s{note}")
    return found


def _prepare() -> None:
    """Hold numerical libraries to one thread a process: the processes share the processors already."""
    logging.getLogger("prophet.plot").disabled = True  # it complains on import that there is no plotly
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _forecaster(peer: Peer, kind: str) -> Timed:
    function = kind if peer.name == "library" else peer.function
    return partial(_call, f"benchmarks.peers.{peer.module}", function, dict(peer.arguments))


def _call(module: str, function: str, arguments: dict[str, str], *inputs: object) -> tuple[np.ndarray, float]:
    """Run a forecaster in this process; returns its quantiles and the seconds it took."""
    start = time.perf_counter()
    quantiles = getattr(import_module(module), function)(*inputs, **arguments)
    return quantiles, time.perf_counter() - start


def _forecast(
    forecaster: Timed, peer: Peer, protocol: str, tasks: Sequence[Task], curves: Sequence[Series], jobs: int
) -> Result:
    ahead = horizon(tasks)
    quantiles = np.full((len(tasks), ahead, len(LEVELS)), np.nan)
    seconds, errors = 0.0, []
    # Fresh interpreters for each peer: what one imports, or how one dies, does not weigh on another.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        waiting = {
            pool.submit(forecaster, histories, ahead, learned): (name, list(numbers))
            for name, numbers, histories, learned in _parts(protocol, tasks, curves)
        }
        for future in as_completed(waiting):
            name, numbers = waiting[future]
            try:
                quantiles[numbers], taken = future.result()
                seconds += taken
            except Exception as error:  # one part of one peer must not cost the others their table
                errors.append(f"{name}: {type(error).__name__}: {error}")
    return Result(peer, protocol, quantiles, seconds, "; ".join(errors))


def _parts(
    protocol: str, tasks: Sequence[Task], curves: Sequence[Series]
) -> list[tuple[str, Sequence[int], list[Series], Sequence[Series]]]:
    """What is forecast in one go: (name, numbers of the tasks, histories, curves to learn from)."""
    if protocol:
        divided = folds.folds(protocol, tasks, curves)  # type: ignore[arg-type]
        return [(fold.name, fold.tasks, fold.histories(tasks), fold.curves) for fold in divided]
    numbers = np.array_split(np.arange(len(tasks)), min(CHUNKS, len(tasks)))
    bare = [replace(task.series, reference_class="") for task in tasks]
    return [(f"tasks from {own[0]}", own.tolist(), [bare[i] for i in own], ()) for own in numbers]


def _kept(peer: Peer, protocol: str, tasks: Sequence[Task], curves: Sequence[Series]) -> Path | None:
    """Where the forecasts of a peer are kept: by everything that they depend on."""
    if not peer.cached:
        return None
    text = hashlib.sha256()
    source = Path(__file__).parent / "peers" / f"{peer.module}.py"
    text.update(source.read_bytes())
    text.update(repr((peer, protocol)).encode())
    text.update(repr([version(DISTRIBUTIONS.get(name, name)) for name in (*peer.needs, "numpy")]).encode())
    for task in tasks:
        series = task.series
        text.update(repr((task.task_id, task.family, series.frequency, series.bound, horizon([task]))).encode())
        text.update(series.index.tobytes() + series.values.tobytes())
    if peer.learns:
        text.update((Path(__file__).parent / "folds.py").read_bytes())
        for curve in curves:
            text.update(repr((curve.series_id, curve.reference_class, curve.geo)).encode())
            text.update(curve.index.tobytes() + curve.values.tobytes())
    return CACHE / "benchmarks" / f"{peer.name}-{text.hexdigest()[:24]}.npz"


def _load(path: Path | None, peer: Peer, protocol: str) -> Result | None:
    if path is None or not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return Result(peer, protocol, file["quantiles"], float(file["seconds"]))
    except (OSError, ValueError, KeyError):
        return None


def _save(path: Path | None, result: Result) -> None:
    if path is None or result.error:
        return
    data = io.BytesIO()
    np.savez_compressed(data, quantiles=result.quantiles, seconds=result.seconds)
    files.write(path, data.getvalue())
