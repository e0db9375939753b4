"""The main job: from a request to finished runs, each a folder that is written whole or not at all.

A run is made in a hidden folder beside its final place and moved there with one rename. A run with the same key that is
there already, unharmed, is used again; of one that was stopped half way, or of which a notebook failed, those notebooks
are used that were finished. One command at a time works on a folder of reports; a second one waits and then finds the
work done.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from telemed_forecast import files, paths
from telemed_forecast.errors import TelemedError
from telemed_forecast.runs import manifest, plan, stored
from telemed_forecast.runs.plan import Project, Request, Run
from telemed_forecast.runs.publish import Published, Publisher

if TYPE_CHECKING:
    from telemed_forecast.runs.fits import Stage

INDEX = "index.html"
TEMPORARY = ".tmp-"
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_REASONS_SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one run.

    Attributes
    ----------
    folder : Path
    manifest : Mapping
    reused : bool
        Nothing had changed, so nothing was done.
    """

    folder: Path
    manifest: Mapping[str, Any]
    reused: bool


class Interrupted(TelemedError):
    """The command was ended by a signal; nobody sees anything of the unfinished run."""


@dataclass(frozen=True, kw_only=True)
class Reports:
    """A folder of reports and how runs are made in it.

    Attributes
    ----------
    out : Path
        The folder.
    project : Project
    jobs : int or None
        Notebooks at a time; the number of usable cores when None.
    timeout : float or None
        Seconds that a notebook may take; `execute.TIMEOUT` when None.
    force : bool
        Make runs anew even when nothing changed.
    explain : bool
        Name every input that changed since the last run, not only the first few.
    dask : str
        Address of a Dask scheduler whose workers make the fits; empty for this machine.
    publisher : Publisher
        Makes pages, data and index.
    say : callable
        Takes one line at a time for the person who waits.
    """

    publisher: Publisher
    out: Path = paths.REPORTS
    project: Project = field(default_factory=Project)
    jobs: int | None = None
    timeout: float | None = None
    force: bool = False
    explain: bool = False
    dask: str = ""
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)

    def make(self, asked: Request) -> list[Outcome]:
        """Make the runs of a request, or find them made.

        Parameters
        ----------
        asked : Request

        Returns
        -------
        list of Outcome
            One for each run, in the request's order.

        Raises
        ------
        TaskFailed
            A notebook, or a fit, failed: nothing of its run is published, and what was finished of it is kept for the
            same command.
        Interrupted
            SIGINT, SIGTERM or SIGHUP came.
        TelemedError
            A notebook is missing.
        """
        planned = plan.runs(asked, self.project)
        if not self.force:
            found = [self._finished(run) for run in planned]
            if all(found) and self._index_is_current():
                return [outcome for outcome in found if outcome]
        with _signals_interrupt(), self._alone({run.run_id for run in planned}):
            outcomes: list[Outcome] = []
            try:
                # Planned anew: the files may have changed while another command held the lock.
                for run in plan.runs(asked, self.project):
                    outcomes.append(self._reused_or_made(run))
            finally:
                # Runs that were finished before one failed are there to be read.
                if outcomes and not self._index_is_current():
                    self._write_index()
            return outcomes

    def remove(self, names: Sequence[str]) -> list[Path]:
        """Remove runs by name, and list the others anew.

        Raises
        ------
        InputError
            A name is that of no run here; then none is removed.
        """
        with self._alone():
            gone = stored.remove_runs(self.out, names)
            self._write_index()
        return gone

    def plan(self, asked: Request) -> list[tuple[Run, str, list[str]]]:
        """Say what :meth:`make` would do: each run, why it is made (nothing when it is there), and models to fit."""
        found = []
        for run in plan.runs(asked, self.project):
            there = not self.force and self._finished(run) is not None
            found.append((run, "", []) if there else (run, self.why(run), self._fits(run).missing))
        return found

    def _reused_or_made(self, run: Run) -> Outcome:
        finished = None if self.force else self._finished(run)
        if finished:
            return finished
        self.say(f"{run.run_id}: {self.why(run)}")
        return self._made(run)

    def _finished(self, run: Run) -> Outcome | None:
        """Find the run of this key; one whose files were changed does not count."""
        folder = self.out / run.run_id
        if not (folder / manifest.NAME).exists():
            return None
        with contextlib.suppress(TelemedError, KeyError):
            found = manifest.read(folder)
            if found["key"] == run.key and not manifest.differences(folder):
                return Outcome(folder=folder, manifest=found, reused=True)
        return None

    def why(self, run: Run) -> str:
        """Say why a run is made: what changed since the newest run of the same notebooks, all of it if `explain`."""
        if self.force:
            return "made anew, as asked"
        before = manifest.closest(run, manifest.all_in(self.out))
        if before is None:
            return "first run of these notebooks"
        if before["key"] == run.key:
            return "made anew, because its files are not as they were written"
        reasons = plan.changes(before, run) or ["nothing that the manifest names"]
        if self.explain:
            return "\n".join([f"since {before['run_id']}:", *(f"  - {reason}" for reason in reasons)])
        more = len(reasons) - _REASONS_SHOWN
        shown = "; ".join(reasons[:_REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        return f"since {before['run_id']}: {shown}"

    def _made(self, run: Run) -> Outcome:
        """Make a run in a hidden folder, go on with what is there of it already, and move it to its place."""
        temporary = self.out / f"{TEMPORARY}{run.run_id}"
        if self.force:
            _remove(temporary)
        folder, scratch = temporary / "run", temporary / "scratch"
        try:
            (folder / "notebooks").mkdir(parents=True, exist_ok=True)
            # What a killed command was about to write.
            for stale in [folder / "data", scratch, temporary / "replaced", *folder.rglob(".*.part")]:
                _remove(stale)
            seconds = self._execute(run, folder / "notebooks", scratch)
            start = time.monotonic()
            published = self._publish(run, folder)
            seconds["pages"] = round(time.monotonic() - start, 3)
            self._refuse_changed_inputs(run)
            drawn_on = self._fits(run).drawn_on()
            about = {"gates": published.gates, "key_figures": published.key_figures}
            built = manifest.build(run, folder, **about, seconds=seconds, drawn_on=drawn_on)
            manifest.write(built, folder)
            final = self.out / run.run_id
            if final.exists():
                os.replace(final, temporary / "replaced")
            os.replace(folder, final)
            return Outcome(folder=final, manifest=built, reused=False)
        finally:
            finished = any(folder.glob("notebooks/[!.]*.ipynb"))
            _remove(scratch if finished else temporary)

    def _refuse_changed_inputs(self, run: Run) -> None:
        """A run must not carry the key of files that were edited while it was made."""
        now = plan.inputs_of(self.project, run.settings, run.common.as_of_date) | plan.own_inputs(run.common)
        changed = sorted(name for name, value in now.items() if run.inputs.get(name) != value)
        if changed:
            _remove(self.out / f"{TEMPORARY}{run.run_id}")
            raise TelemedError(f"changed while the run was made: {', '.join(changed[:4])}; make the report again")

    def _execute(self, run: Run, notebooks: Path, scratch: Path) -> dict[str, float]:
        """Make the fits that a run reads and execute its notebooks; their clean records go to `notebooks`.

        A record that is there is that of a notebook which an earlier command finished, with its pages.
        """
        from telemed_forecast.runs import execute, progress

        sources = self._sources(run)
        stage = self._fits(run)
        there = [name for name in sources if (notebooks / f"{name}.ipynb").exists()]
        if there:
            self.say(f"{run.run_id}: goes on where a command was stopped; finished: {', '.join(there)}")
        tasks: list[execute.Task | execute.Fits] = list(stage.tasks) if len(there) < len(sources) else []
        tasks += [
            execute.Task(
                notebook=name,
                source=source,
                output=notebooks / f"{name}.ipynb",
                parameters=run.settings[name].values(),
                waits_for=stage.waits_for(name),
                pages=self.publisher.pages_of(run, name),
            )
            for name, source in sources.items()
            if name not in there
        ]
        scratch.mkdir()
        with progress.for_stream([task.name for task in tasks]) as listener:
            execution = execute.Execution(
                scratch=scratch,
                keep=self._failed(run),
                environment=_caches(self.project.cache),
                jobs=self.jobs or usable_cores(),
                timeout=self.timeout or execute.TIMEOUT,
                listener=listener,
            )
            try:
                return execution.run(tasks)
            except execute.TaskFailed as failure:
                if finished := [name for name in sources if (notebooks / f"{name}.ipynb").exists()]:
                    failure.add_note(f"Finished, and kept for the same command: {', '.join(finished)}")
                raise

    def _sources(self, run: Run) -> dict[str, Path]:
        """The files of a run's notebooks, by name."""
        return {name: self.project.notebooks / f"{name}.ipynb" for name in run.settings}

    def _fits(self, run: Run) -> "Stage":
        """The fits that a run's notebooks read."""
        from telemed_forecast.runs import fits

        declared = {name: fits.declared(source) for name, source in self._sources(run).items()}
        return fits.Stage(run, declared, self.project.cache, self.dask)

    def _publish(self, run: Run, folder: Path) -> Published:
        """Make pages and data; when that fails, keep the executed notebooks, which cost the most."""
        try:
            return self.publisher.run(run, folder)
        except Exception as error:
            keep = self._failed(run) / "executed"
            with contextlib.suppress(OSError):
                shutil.rmtree(keep, ignore_errors=True)
                shutil.copytree(folder / "notebooks", keep)
                error.add_note(f"The executed notebooks are kept in {keep}")
            raise

    def _failed(self, run: Run) -> Path:
        return self.project.cache / "failed" / run.run_id

    @contextlib.contextmanager
    def _alone(self, going_on: Collection[str] = ()) -> Iterator[None]:
        """Hold the folder's lock, and clear away what stopped commands left, but for the runs that go on now."""
        from filelock import FileLock, Timeout

        self.out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(self.out / ".lock"))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            self.say(f"waiting for another report command on {self.out}")
            lock.acquire()
        try:
            # Only the holder of the lock makes temporary folders: any that is there is nobody's.
            wanted = {f"{TEMPORARY}{name}" for name in going_on}
            for stale in [*self.out.glob(f"{TEMPORARY}*"), *self.out.glob(".*.part")]:
                if stale.name not in wanted:
                    _remove(stale)
            yield
        finally:
            lock.release()

    def _index_is_current(self) -> bool:
        index = self.out / INDEX
        return index.exists() and index.read_text(encoding="utf-8").endswith(_stamp(manifest.all_in(self.out)))

    def _write_index(self) -> None:
        """Write the pages that list all runs, each in one step; the one with the stamp comes last."""
        manifests = manifest.all_in(self.out)
        pages = self.publisher.index(manifests)
        for name in sorted(pages, key=lambda name: name == INDEX):
            stamp = _stamp(manifests) if name == INDEX else ""
            files.write(self.out / name, pages[name] + stamp)


def _caches(cache: Path) -> dict[str, str]:
    """Keep what libraries compile and remember inside the project, unless the user has a place for it."""
    places = {
        "NUMBA_CACHE_DIR": str(cache / "numba"),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "PYTENSOR_FLAGS": f"base_compiledir={cache / 'pytensor'}",
    }
    unset = {name: place for name, place in places.items() if name not in os.environ}
    return {"TELEMED_CACHE": str(cache), **unset}


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _stamp(manifests: Sequence[Mapping[str, Any]]) -> str:
    """Mark an index with the runs that it lists, so that a stale one is recognised."""
    listed = [(m["run_id"], m["key"], m["volatile"]["created"]) for m in manifests]
    return f"\n<!-- runs {hashlib.sha256(json.dumps(listed).encode()).hexdigest()} -->\n"


def usable_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Turn the signals that end a command into `Interrupted`: everything is cleaned up on the way out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, _: FrameType | None) -> None:
        # SystemExit passes through asyncio and through `except Exception` alike.
        raise SystemExit(signal.Signals(number).name)

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    except SystemExit as ended:
        raise Interrupted(f"ended by {ended.code}; the reports are as they were before") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
