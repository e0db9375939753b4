"""Notebooks executed in processes, several at a time, and judged by what they hold afterwards.

Each notebook has a worker process (see `worker`) and the worker has the kernel. Whatever happens to either,
the outcome is a finished notebook or a `NotebookFailed` that names notebook and cell: never a hang, and never
a success that was none.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from telemed_forecast.errors import TelemedError
from telemed_forecast.runs import record
from telemed_forecast.runs.worker import Event, Job

TIMEOUT = 3600.0
"""Seconds after which a notebook is given up."""

# Processes already fill the cores: threads inside them would only compete.
ONE_THREAD = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
    )
}
_PORT_TAKEN = "Address already in use"
_CLOSING = 1.0
"""[seconds] That the pipes of a process that has ended may take to close; a stray child may hold one open."""

_LONGEST_EVENT = 2**24  # bytes; an exception's text may be long


@dataclass(frozen=True, kw_only=True)
class Task:
    """A notebook to execute.

    Attributes
    ----------
    notebook : str
        Its name.
    source, output : Path
        The notebook, and where the executed one goes when it succeeded.
    parameters : Mapping
        Values to inject.
    waits_for : tuple of str
        Names of the tasks that have to end first.
    """

    notebook: str
    source: Path
    output: Path
    parameters: Mapping[str, Any]
    waits_for: tuple[str, ...] = ()


class Listener(Protocol):
    """Hears how the execution goes."""

    def started(self, notebook: str) -> None:
        """A notebook's worker starts."""

    def cell(self, notebook: str, event: Event) -> None:
        """A cell begins."""

    def ended(self, notebook: str, seconds: float, ok: bool) -> None:
        """A notebook is finished, or has failed."""


class NotebookFailed(TelemedError):
    """A notebook failed.

    Attributes
    ----------
    notebook : str
    cell : int
        Number of the cell in the notebook's file, the first being 1; 0 when none had begun.
    kept : Path or None
        Where the half-run notebook was kept.
    """

    def __init__(self, notebook: str, event: Event, kept: Path | None) -> None:
        self.notebook, self.cell, self.kept = notebook, event.cell, kept
        where = (
            f"{notebook}, cell {event.cell} of {event.cells}" if event.cell else f"{notebook}, before its first cell"
        )
        line = f"\n    {event.line.strip()}" if event.line else ""
        keeping = f"\nThe half-run notebook is kept as {kept}" if kept else ""
        super().__init__(f"{where} failed: {event.message}{line}{keeping}")


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How notebooks are executed.

    Attributes
    ----------
    scratch : Path
        An existing folder for half-run notebooks and logs; the caller removes it.
    keep : Path
        Folder that takes a failed notebook and its log.
    environment : Mapping of str to str
        Added to the environment of the workers.
    jobs : int
        Notebooks at a time.
    timeout : float
        Seconds that a notebook may take.
    listener : Listener or None
    """

    scratch: Path
    keep: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    jobs: int = 1
    timeout: float = TIMEOUT
    listener: Listener | None = None

    def run(self, tasks: Sequence[Task]) -> dict[str, float]:
        """Execute notebooks.

        Parameters
        ----------
        tasks : sequence of Task

        Returns
        -------
        dict of str to float
            Seconds that each notebook took, by name.

        Raises
        ------
        NotebookFailed
            The first one that failed; the others have been ended.
        """
        return asyncio.run(self._run(tasks))

    async def _run(self, tasks: Sequence[Task]) -> dict[str, float]:
        finished = {task.notebook: asyncio.Event() for task in tasks}
        free = asyncio.Semaphore(self.jobs)
        seconds: dict[str, float] = {}

        async def one(task: Task) -> None:
            for name in task.waits_for:
                await finished[name].wait()
            async with free:
                seconds[task.notebook] = await self._timed(task)
            finished[task.notebook].set()

        try:
            async with asyncio.TaskGroup() as group:
                for task in tasks:
                    group.create_task(one(task))
        except* NotebookFailed as failures:
            raise failures.exceptions[0] from None
        return {task.notebook: seconds[task.notebook] for task in tasks}

    async def _timed(self, task: Task) -> float:
        start = time.monotonic()
        ok = False
        if self.listener is not None:
            self.listener.started(task.notebook)
        try:
            await self._execute(task)
            ok = True
        finally:
            if self.listener is not None:
                self.listener.ended(task.notebook, time.monotonic() - start, ok)
        return round(time.monotonic() - start, 3)

    async def _execute(self, task: Task) -> None:
        """Execute one notebook; once more when another process took its kernel's port."""
        folder = self.scratch / task.notebook
        for attempt in (1, 2):
            folder.mkdir()
            event = await self._attempt(task, folder)
            if event.kind == "done":
                executed = json.loads((folder / "executed.ipynb").read_text(encoding="utf-8"))
                record.write(record.cleaned(executed), task.output)
                return
            if attempt == 2 or _PORT_TAKEN not in event.message + _text(folder / "worker.log"):
                raise NotebookFailed(task.notebook, event, self._keep(task, folder))
            folder.rename(folder.with_name(f"{task.notebook}.first-attempt"))

    async def _attempt(self, task: Task, folder: Path) -> Event:
        """Start a worker, follow its events to the end and leave no process behind."""
        record.write(record.prepared(task.source), folder / "source.ipynb")
        job = Job(
            source=str(folder / "source.ipynb"),
            output=str(folder / "executed.ipynb"),
            parameters=dict(task.parameters),
            cwd=str(task.source.parent),
        )
        with (folder / "worker.log").open("wb") as log:
            worker = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # the working directory must not shadow modules
                "-m",
                "telemed_forecast.runs.worker",
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=folder,
                env=self._environment(folder),
                limit=_LONGEST_EVENT,
                start_new_session=True,  # Ctrl-C is ours to hand on
            )
        heard: list[Event] = []
        try:
            async with asyncio.timeout(self.timeout):
                await self._follow(task, worker, job, heard)
        except TimeoutError:
            return _failure(heard, f"still running after {self.timeout:g} s, the time limit of a notebook")
        finally:
            await _end(worker, heard)
        if heard and heard[-1].kind in ("done", "failed"):
            return heard[-1]
        code = worker.returncode or 0
        how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with code {code}"
        return _failure(heard, f"the worker process {how}{_last_lines(folder / 'worker.log')}")

    async def _follow(self, task: Task, worker: Process, job: Job, heard: list[Event]) -> None:
        """Hand the job over and collect events until the worker closes its output."""
        if worker.stdin is None or worker.stdout is None:
            raise TelemedError("the worker has no pipes")
        try:
            worker.stdin.write((json.dumps(asdict(job)) + "\n").encode())
            await worker.stdin.drain()
        except ConnectionError:
            pass  # it died at once: its exit code and its log say why
        async for line in worker.stdout:
            event = Event(**json.loads(line))
            heard.append(event)
            if event.kind == "cell" and self.listener is not None:
                self.listener.cell(task.notebook, event)
        await worker.wait()

    def _environment(self, folder: Path) -> dict[str, str]:
        """Environment of a worker: one thread, and nothing of the user's Jupyter settings."""
        return {
            **os.environ,
            **ONE_THREAD,
            "PYTHONHASHSEED": "0",
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
            **self.environment,
        }

    def _keep(self, task: Task, folder: Path) -> Path | None:
        """Move what a failed notebook left behind to where the user finds it."""
        self.keep.mkdir(parents=True, exist_ok=True)
        os.replace(folder / "worker.log", self.keep / f"{task.notebook}.log")
        half_run = folder / "executed.ipynb"
        if not half_run.exists():
            return None
        kept = self.keep / f"{task.notebook}.ipynb"
        os.replace(half_run, kept)
        return kept


def _failure(heard: Sequence[Event], message: str) -> Event:
    """Make the event of a failure in the cell that was heard of last."""
    cells = [event for event in heard if event.kind == "cell"]
    last = cells[-1] if cells else Event(kind="cell")
    return Event(kind="failed", cell=last.cell, cells=last.cells, line=last.line, message=message)


async def _end(worker: Process, heard: Sequence[Event]) -> None:
    """End a worker that is still there, and the kernel that it could not end itself."""
    if worker.returncode is None:
        _kill_group(worker.pid)
    if not heard or heard[-1].kind not in ("done", "failed"):
        for event in heard:
            if event.kind == "kernel" and event.pid:
                _kill_group(event.pid)
    await worker.wait()
    # Its pipes close before the loop does: what still holds one when it is collected prints a traceback.
    if worker.stdin is not None and worker.stdout is not None:
        worker.stdin.close()
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await worker.stdin.wait_closed()
                await worker.stdout.read()


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def _last_lines(log: Path, number: int = 3) -> str:
    lines = [line for line in _text(log).splitlines() if line.strip()]
    return "".join(f"\n    {line}" for line in lines[-number:])
