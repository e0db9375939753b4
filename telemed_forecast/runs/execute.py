"""Fits and notebooks made in processes, several at a time, and judged by what they left behind.

Each notebook has a worker process (see `worker`) and the worker has the kernel; the fits of a model have a worker
that compiles it once. Whatever happens to either, the outcome is a finished notebook or a `TaskFailed` that names
notebook and cell, or model and fit: never a hang, and never a success that was none. What does not read what failed is
finished all the same.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from telemed_forecast.errors import TelemedError
from telemed_forecast.runs import record
from telemed_forecast.runs.worker import Event, FitsJob, Job

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
FITS_OF = "fits of "
"""Begin of the name of a task that makes fits."""

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
    pages : Mapping
        Arguments of :func:`telemed_forecast.runs.publish.write_pages`; no pages are drawn when empty.
    """

    notebook: str
    source: Path
    output: Path
    parameters: Mapping[str, Any]
    waits_for: tuple[str, ...] = ()
    pages: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What others wait for."""
        return self.notebook

    def begin(self, folder: Path) -> Job:
        """Lay the notebook out in a scratch folder."""
        record.write(record.prepared(self.source), folder / "source.ipynb")
        return Job(
            source=str(folder / "source.ipynb"),
            output=str(folder / "executed.ipynb"),
            parameters=dict(self.parameters),
            cwd=str(self.source.parent),
            pages={**self.pages, "folder": str(self.output.parent.parent)} if self.pages else {},
        )

    def finish(self, folder: Path) -> None:
        """Take the executed notebook from the scratch folder."""
        executed = json.loads((folder / "executed.ipynb").read_text(encoding="utf-8"))
        record.write(record.cleaned(executed), self.output)

    def failure(self, event: Event, kept: Path | None) -> "TaskFailed":
        """The error that says where it failed."""
        return NotebookFailed(self.notebook, event, kept)


@dataclass(frozen=True, kw_only=True)
class Fits:
    """The fits of one model.

    Attributes
    ----------
    job : FitsJob
    waits_for : tuple of str
        Names of the tasks that have to end first.
    """

    job: FitsJob
    waits_for: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What others wait for."""
        return fits_of(self.job.model)

    def begin(self, folder: Path) -> FitsJob:
        """Nothing to lay out."""
        return self.job

    def finish(self, folder: Path) -> None:
        """Nothing to take: each fit is stored as it ends."""

    def failure(self, event: Event, kept: Path | None) -> "TaskFailed":
        """The error that says which fit failed."""
        which = f", fit {event.cell} ({event.line})" if event.cell else ", before the first"
        return TaskFailed(f"{self.name}{which} failed: {event.message}")


def _compiling(task: Task | Fits) -> str:
    return f"compiling, in {task.name}"


def fits_of(model: str) -> str:
    """Name of the task that makes a model's fits."""
    return FITS_OF + model


class Listener(Protocol):
    """Hears how the execution goes."""

    def started(self, task: str) -> None:
        """A task's worker starts."""

    def cell(self, task: str, event: Event) -> None:
        """A cell, or a fit, begins."""

    def ended(self, task: str, seconds: float, ok: bool) -> None:
        """A task is finished, or has failed."""


class TaskFailed(TelemedError):
    """The fits of a model, or a notebook, failed."""


class NotebookFailed(TaskFailed):
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

    def run(self, tasks: Sequence[Task | Fits]) -> dict[str, float]:
        """Make fits and execute notebooks.

        Parameters
        ----------
        tasks : sequence of Task or Fits
            Those that wait for none start in this order.

        Returns
        -------
        dict of str to float
            Seconds that each task took, by name.

        Raises
        ------
        TaskFailed
            One that failed, or with the messages of all. The others are finished, but for those that wait for it.
        """
        return asyncio.run(self._run(tasks))

    async def _run(self, tasks: Sequence[Task | Fits]) -> dict[str, float]:
        ended = {task.name: asyncio.Event() for task in tasks}
        free = asyncio.Semaphore(self.jobs)
        seconds: dict[str, float] = {}
        failed: dict[str, TaskFailed] = {}

        async def one(task: Task | Fits) -> None:
            for name in task.waits_for:
                await ended[name].wait()
            try:
                if lacking := [name for name in task.waits_for if name not in seconds]:
                    raise TaskFailed(f"{task.name} was not begun, for it reads {', '.join(lacking)}")
                async with free:
                    took, compiling = await self._timed(task)
                seconds[task.name] = took
                if compiling:
                    seconds[_compiling(task)] = round(compiling, 3)
            except TaskFailed as failure:
                failed[task.name] = failure
            ended[task.name].set()

        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(one(task))
        if failed:
            raise _together(list(failed.values()))
        order = [name for task in tasks for name in (task.name, _compiling(task)) if name in seconds]
        return {name: seconds[name] for name in order}

    async def _timed(self, task: Task | Fits) -> tuple[float, float]:
        """Carry out one task; return its seconds, and those that went into compiling."""
        start = time.monotonic()
        ok = False
        if self.listener is not None:
            self.listener.started(task.name)
        try:
            compiling = await self._execute(task)
            ok = True
        finally:
            if self.listener is not None:
                self.listener.ended(task.name, time.monotonic() - start, ok)
        return round(time.monotonic() - start, 3), compiling

    async def _execute(self, task: Task | Fits) -> float:
        """Carry out one task; once more when another process took its kernel's port. Seconds of compiling."""
        folder = self.scratch / task.name
        for attempt in (1, 2):
            event = Event(kind="failed")
            try:
                folder.mkdir()
                event = await self._attempt(task, folder)
                if event.kind == "done":
                    task.finish(folder)
                    return event.compiling
            except OSError as error:
                event = replace(event, kind="failed", cell=event.cells, message=f"{type(error).__name__}: {error}")
            if attempt == 2 or _PORT_TAKEN not in event.message + _text(folder / "worker.log"):
                raise task.failure(event, self._keep(task, folder))
            folder.rename(folder.with_name(f"{task.name}.first-attempt"))
        raise AssertionError("the second attempt returns or raises")

    async def _attempt(self, task: Task | Fits, folder: Path) -> Event:
        """Start a worker, follow its events to the end and leave no process behind."""
        job = task.begin(folder)
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

    async def _follow(self, task: Task | Fits, worker: Process, job: Job | FitsJob, heard: list[Event]) -> None:
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
                self.listener.cell(task.name, event)
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

    def _keep(self, task: Task | Fits, folder: Path) -> Path | None:
        """Move what a failed notebook left behind to where the user finds it, if there is room."""
        half_run, kept = folder / "executed.ipynb", self.keep / f"{task.name}.ipynb"
        try:
            self.keep.mkdir(parents=True, exist_ok=True)
            shutil.move(folder / "worker.log", self.keep / f"{task.name}.log")
            return Path(shutil.move(half_run, kept)) if half_run.exists() else None
        except OSError:
            return None


def _together(failures: Sequence[TaskFailed]) -> TaskFailed:
    """One error for all."""
    return failures[0] if len(failures) == 1 else TaskFailed("\n".join(map(str, failures)))


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
    try:
        await worker.wait()
        if worker.stdin is not None and worker.stdout is not None:
            worker.stdin.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await worker.stdin.wait_closed()
                    await worker.stdout.read()
    finally:
        # Also where a second cancellation comes, or a stray child holds a pipe open: its pipes close before the loop
        # does, for what still holds one when it is collected prints a traceback.
        worker._transport.close()  # type: ignore[attr-defined]


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
