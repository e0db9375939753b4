"""How a run tells what it is doing: a live table on a terminal, plain lines anywhere else."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TextIO

from telemed_forecast.runs.worker import Event


class PlainLines:
    """One line for each notebook that starts or ends; for logs and pipes.

    Parameters
    ----------
    notebooks : iterable of str
    stream : TextIO
    """

    def __init__(self, notebooks: Iterable[str], stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def started(self, notebook: str) -> None:
        """Say that a notebook starts."""
        print(f"{notebook}: started", file=self._stream, flush=True)

    def cell(self, notebook: str, event: Event) -> None:
        """Say nothing: a line for each cell would bury the others."""

    def ended(self, notebook: str, seconds: float, ok: bool) -> None:
        """Say how a notebook ended."""
        print(f"{notebook}: {'done' if ok else 'ended'} after {seconds:.1f} s", file=self._stream, flush=True)


class LiveBars:
    """A bar for each notebook with its state, cells and elapsed time; for terminals.

    Parameters
    ----------
    notebooks : iterable of str
        In the order shown.
    stream : TextIO
    """

    def __init__(self, notebooks: Iterable[str], stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            TextColumn("{task.fields[state]:<8}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(file=stream),
            transient=False,
        )
        self._bars = {
            name: self._progress.add_task(name, start=False, total=None, state="waiting") for name in notebooks
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, notebook: str) -> None:
        """Start a notebook's clock."""
        self._progress.start_task(self._bars[notebook])
        self._progress.update(self._bars[notebook], state="running")

    def cell(self, notebook: str, event: Event) -> None:
        """Show how many cells are behind."""
        self._progress.update(self._bars[notebook], total=event.cells, completed=event.cell - 1)

    def ended(self, notebook: str, seconds: float, ok: bool) -> None:
        """Stop a notebook's clock."""
        bar = self._bars[notebook]
        total = self._progress.tasks[bar].total
        self._progress.update(bar, state="done" if ok else "ended")
        if ok:
            self._progress.update(bar, completed=total)
        self._progress.stop_task(bar)


def for_stream(notebooks: Iterable[str], stream: TextIO | None = None) -> PlainLines | LiveBars:
    """Choose bars for a terminal and plain lines for anything else."""
    stream = stream or sys.stderr
    return LiveBars(notebooks, stream) if stream.isatty() else PlainLines(notebooks, stream)
