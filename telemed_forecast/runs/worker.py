"""One notebook, or one model's fits, in a process of its own: `python -m telemed_forecast.runs.worker`.

The process that started it writes one line of JSON (a `Job`) to its standard input and keeps the pipe open.
When the pipe closes, for whatever reason, the worker ends its kernel and itself. Events go to standard output
as JSON, one a line (`Event`). Whatever else is printed goes to standard error, which the starter keeps.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TextIO

INJECTED_TAG = "injected-parameters"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A notebook to execute.

    Attributes
    ----------
    source, output : str
        The notebook, and where the executed one goes.
    parameters : Mapping
        Values that papermill injects.
    cwd : str
        Working directory of the kernel.
    pages : Mapping
        Arguments of :func:`telemed_forecast.runs.publish.write_pages`: whoever executed a notebook draws its pages,
        beside the others. Empty when there are none to draw.
    """

    source: str
    output: str
    parameters: Mapping[str, Any]
    cwd: str
    pages: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class FitsJob:
    """Fits of one model to make; those that are stored are not made again.

    Attributes
    ----------
    model : str
        Its name.
    needs : Mapping
        The fields of :class:`telemed_forecast.evaluation.needs.Needs`.
    notebook : str
        A notebook, with `parameters`: their date, seed and profile count.
    made : str
        File that takes the names of the stored fits in the end, and the processors that they were drawn on.
    dask : str
        Address of a Dask scheduler whose workers make them; empty for this process.
    """

    model: str
    needs: Mapping[str, Any]
    notebook: str
    parameters: Mapping[str, Any]
    made: str
    dask: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a worker says.

    Attributes
    ----------
    kind : str
        `kernel` (it has started), `cell` (one begins, or a fit), `done`, or `failed`.
    pid : int
        Process id of the kernel, with `kernel`.
    cell, cells : int
        Number of a cell in the notebook as it was given (the first is 1), or of a fit, and how many there are.
    line : str
        The first line of that cell, or what the fit is of.
    message : str
        With `failed`: the error, and behind it what else is known.
    compiling : float
        With `done`, after fits: seconds that compiling the model took of them.
    """

    kind: Literal["kernel", "cell", "done", "failed"]
    pid: int = 0
    cell: int = 0
    cells: int = 0
    line: str = ""
    message: str = ""
    compiling: float = 0.0


def main() -> int:
    """Run the notebook, or make the fits, that standard input names."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # what a library prints must not look like an event
    kernel: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: _end(kernel))
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_starter, args=(kernel,), daemon=True).start()
    last = _fit(FitsJob(**asked), events) if "model" in asked else _run(Job(**asked), events, kernel)
    _send(events, last)
    return 0 if last.kind == "done" else 1


def _send(events: TextIO, event: Event) -> None:
    events.write(json.dumps(asdict(event), ensure_ascii=False) + "\n")
    events.flush()


def _end_with_the_starter(kernel: list[int]) -> None:
    """Wait until the starter's end of the pipe is gone, then end everything."""
    sys.stdin.read()
    _end(kernel)


def _end(kernel: list[int]) -> None:
    """End the kernel and this process at once; nothing here is worth saving."""
    for pid in kernel:
        try:
            os.killpg(pid, signal.SIGKILL)  # a kernel leads a process group: its own workers go with it
        except ProcessLookupError:
            pass
    os._exit(143)


def _fit(job: FitsJob, events: TextIO) -> Event:
    """Make the fits of a model, one after the other, each stored as it ends."""
    from telemed_forecast import files
    from telemed_forecast.evaluation import needs
    from telemed_forecast.fits import cluster, sampling, store
    from telemed_forecast.forecast.context import Context
    from telemed_forecast.runs import parameters

    def event(at: needs.Place, kind: Literal["cell", "failed"] = "cell", message: str = "") -> Event:
        return Event(kind=kind, cell=at[0], cells=at[1], line=at[2], message=message)

    try:
        context = Context(parameters.validate(job.notebook, job.parameters))
        with cluster.on(job.dask):
            wanted = needs.Needs.of(job.needs)
            made = needs.made(job.model, wanted, context, begins=lambda at: _send(events, event(at)))
        names = [store.file_name(job.model, key) for key, _ in made]
        record = {"fits": names, "drawn_on": sorted({processor for _, processor in made})}
        files.write(Path(job.made), json.dumps(record))
    except needs.FitFailed as error:
        return event(error.at, "failed", str(error))
    except Exception as error:  # before the first fit, or when the record cannot be written
        return Event(kind="failed", message=f"{type(error).__name__}: {error}")
    return Event(kind="done", cells=len(made), compiling=sampling.SECONDS.get(job.model, 0.0))


def _run(job: Job, events: TextIO, kernel: list[int]) -> Event:
    """Execute the notebook and judge it; never raises for what happens inside the notebook."""
    import papermill
    from jupyter_client.manager import AsyncKernelManager

    class TellingKernelManager(AsyncKernelManager):
        """Tells which process the kernel is, so that it can be ended from outside."""

        async def _async_post_start_kernel(self, **kwargs: Any) -> None:
            await super()._async_post_start_kernel(**kwargs)
            pid = getattr(self.provisioner, "pid", None)
            if pid:
                kernel[:] = [pid]
                _send(events, Event(kind="kernel", pid=pid))

        post_start_kernel = _async_post_start_kernel

    current = Event(kind="cell")
    total = len(json.loads(Path(job.source).read_text(encoding="utf-8"))["cells"])

    def tell_cell(cell: Any, cell_index: int) -> None:
        nonlocal current
        injected = INJECTED_TAG in cell.metadata.get("tags", [])
        number = current.cell if injected else current.cell + 1
        first = next((line for line in cell.source.splitlines() if line.strip()), "")
        current = Event(kind="cell", cell=number, cells=total, line=first)
        _send(events, current)

    def failed(message: str) -> Event:
        return Event(kind="failed", cell=current.cell, cells=total, line=current.line, message=message)

    try:
        notebook = papermill.execute_notebook(
            _literal_path(job.source),
            _literal_path(job.output),
            parameters=dict(job.parameters),
            kernel_name="python3",
            cwd=job.cwd,
            progress_bar=False,
            on_cell_start=tell_cell,
            record_timing=False,
            kernel_manager_class=TellingKernelManager,
        )
    except papermill.PapermillExecutionError as error:
        return failed(f"{error.ename}: {error.evalue}" if error.evalue else str(error.ename))
    except Exception as error:  # a dead kernel, a port taken, a file that is no notebook: all are reported
        return failed(f"{type(error).__name__}: {error}")
    complaint = unfinished(notebook)
    if complaint:
        return failed(complaint)
    try:
        _draw(job)
    except Exception as error:  # the page says what it misses; a fault of ours comes with its type
        return replace(failed(f"its page cannot be made: {type(error).__name__}: {error}"), line="")
    return Event(kind="done", cells=total)


def _draw(job: Job) -> None:
    if job.pages:
        from telemed_forecast.runs import publish

        publish.write_pages(job.output, **job.pages)


def _literal_path(path: str) -> str:
    """Guard a path against papermill, which formats it with the parameters."""
    return path.replace("{", "{{").replace("}", "}}")


def unfinished(notebook: Mapping[str, Any]) -> str:
    """Say why a notebook does not count as executed; empty when it does.

    papermill's own record is not asked: it calls every cell completed after a kernel's death. A notebook
    counts when each cell with code has an execution count and no output is an error.
    """
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] != "code" or not "".join(cell["source"]).strip():
            continue
        if any(output["output_type"] == "error" for output in cell["outputs"]):
            return f"cell {number} of the executed notebook holds an error"
        if cell["execution_count"] is None:
            return f"cell {number} of the executed notebook did not run"
    return ""


if __name__ == "__main__":
    sys.exit(main())
