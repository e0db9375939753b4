"""How a run tells what it is doing: two bars on a terminal, plain lines anywhere else."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TextIO

from telemed_forecast.runs.execute import FITS_OF
from telemed_forecast.runs.worker import Event


class Counts:
    """How many of a run's fits and notebooks are made, of how many; base of both displays.

    Fits are counted as models tell how many theirs are: those of a model that has not begun are not known yet.

    Parameters
    ----------
    tasks : iterable of str
        Names of the tasks of an execution.
    stream : TextIO
    """

    def __init__(self, tasks: Iterable[str], stream: TextIO) -> None:
        names = list(tasks)
        self.stream = stream
        self.fits: dict[str, tuple[int, int]] = {name: (0, 0) for name in names if name.startswith(FITS_OF)}
        self.notebooks: dict[str, bool] = {name: False for name in names if name not in self.fits}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def started(self, task: str) -> None:
        """A task's worker starts."""

    def cell(self, task: str, event: Event) -> None:
        """A cell, or a fit, begins."""
        if task in self.fits:
            self.fits[task] = (event.cell - 1, event.cells)

    def ended(self, task: str, seconds: float, ok: bool) -> None:
        """A task is finished, or has failed."""
        if ok and task in self.fits:
            self.fits[task] = (self.fits[task][1], self.fits[task][1])
        elif ok:
            self.notebooks[task] = True

    def made(self) -> tuple[int, int]:
        """Fits made, and fits known of."""
        return sum(made for made, _ in self.fits.values()), sum(known for _, known in self.fits.values())


class PlainLines(Counts):
    """One line for each task that starts or ends; for logs and pipes."""

    def started(self, task: str) -> None:
        """Say that a task starts."""
        print(f"{task}: started", file=self.stream, flush=True)

    def ended(self, task: str, seconds: float, ok: bool) -> None:
        """Say how a task ended."""
        super().ended(task, seconds, ok)
        count = f" ({self.fits[task][1]} fits)" if ok and task in self.fits else ""
        print(f"{task}: {'done' if ok else 'ended'} after {seconds:.1f} s{count}", file=self.stream, flush=True)


class LiveBars(Counts):
    """A bar for the fits and one for the notebooks, with what is being made and the time left; for terminals."""

    def __init__(self, tasks: Iterable[str], stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__(tasks, stream)
        self._progress = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[now]}"),
            console=Console(file=stream),
        )
        self._bars = {
            name: self._progress.add_task(name, total=total or None, now="", visible=total > 0)
            for name, total in (("fits", len(self.fits)), ("notebooks", len(self.notebooks)))
        }
        self._running: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, task: str) -> None:
        """Show what is being made."""
        self._running[task] = task
        self._show()

    def cell(self, task: str, event: Event) -> None:
        """Show how far it is."""
        super().cell(task, event)
        at = f" {event.line}" if task in self.fits else f" {event.cell}/{event.cells}"
        self._running[task] = task.removeprefix(FITS_OF) + at
        self._show()

    def ended(self, task: str, seconds: float, ok: bool) -> None:
        """Show that it is made, or leave the name of what failed."""
        super().ended(task, seconds, ok)
        self._running.pop(task, None)
        if not ok:
            self._running[task] = f"{task} ended"
        self._show()

    def _show(self) -> None:
        made, known = self.made()
        now: dict[bool, list[str]] = {True: [], False: []}
        for task, text in self._running.items():
            now[task in self.fits].append(text)
        self._progress.update(self._bars["fits"], completed=made, total=known or None, now=", ".join(now[True]))
        done = sum(self.notebooks.values())
        self._progress.update(self._bars["notebooks"], completed=done, now=", ".join(now[False]))


def for_stream(tasks: Iterable[str], stream: TextIO | None = None) -> Counts:
    """Choose bars for a terminal and plain lines for anything else."""
    stream = stream or sys.stderr
    return LiveBars(tasks, stream) if stream.isatty() else PlainLines(tasks, stream)
