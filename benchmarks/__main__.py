"""The command: ``python -m benchmarks``."""

from __future__ import annotations

import hashlib
import platform
import sys
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from telemed_forecast.errors import InputError, TelemedError

app = typer.Typer(
    help="Score this library beside its peers on rolling-origin tasks.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

REFERENCES = {"adoption": ("drift", "naive"), "surge": ("theta",)}
"""What scores are related to: the better of these common tools on each kind of task. They always run."""


class Kind(StrEnum):
    """What the tasks are about."""

    adoption = "adoption"
    surge = "surge"


@app.callback()
def _options() -> None:
    """Score this library beside its peers on rolling-origin tasks."""


@app.command()
def growth(
    tasks: Annotated[
        list[Path],
        typer.Option(help="Tasks (CSV): task_id,part,family,n,year,value,role,unit,measure[,date]; may be repeated."),
    ],
    curves: Annotated[
        list[Path],
        typer.Option(help="Reference class to learn from (CSV), may be repeated; a task's own series is left out."),
    ],
    kind: Annotated[Kind, typer.Option(help="What the tasks are about.")] = Kind.adoption,
    out: Annotated[Path | None, typer.Option(help="Folder for the figures (CSV and JSON); none by default.")] = None,
    peer: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only these peers (may be repeated).")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not use peers' forecasts kept from earlier runs.")] = False,
) -> None:
    """Score forecasts by family, stage and horizon, with what is learned from never holding the task's own series."""
    from benchmarks import peers, run, table
    from benchmarks import tasks as task_files
    from telemed_forecast.curves import reference_class as curve_files

    chosen, missing = peers.choose(peer or [], REFERENCES[kind])
    asked, known = _read(task_files.read, tasks, curve_files.read, curves)
    stage = table.stages(asked, known)
    print(_what(asked, known, stage, kind))
    for name, packages in missing.items():
        print(f"Missing: {name} needs {', '.join(packages)}, which is not installed.")
    if missing:
        print(f"To install them: {peers.INSTALL}")
    results = run.run(chosen, asked, known, kind=kind.value, jobs=jobs, fresh=fresh, tell=_tell)
    for result in results:
        if result.error:
            print(f"{result.peer.title} failed: {result.error}", file=sys.stderr)
    reference = table.better(results, asked, REFERENCES[kind])
    rows = table.rows(results, asked, stage, reference)
    print("\n" + table.printed(rows, results, kind.value, reference))
    if out is not None:
        about = _about(tasks, curves, kind, reference, stage, results, missing)
        for path in table.write(out, rows, about, kind.value):
            print(f"wrote {path}")


@app.command()
def speed(
    tasks: Annotated[Path, typer.Option(help="Tasks (CSV), as of `growth`.")],
    kind: Annotated[Kind, typer.Option(help="What the tasks are about.")] = Kind.adoption,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that peers may use.")] = 2,
) -> None:
    """Take the time and memory of this library, as ratios to its peers and of many series to few."""
    from benchmarks import speed as clock

    print(clock.printed(clock.measure(tasks, kind.value, jobs=jobs, tell=_tell)))


@app.command()
def report(
    profile: Annotated[str, typer.Option(help="quick or full.")] = "full",
) -> None:
    """Take the time of reports: cold, with one thing changed, with nothing changed; as ratios to bare notebooks."""
    from benchmarks import reports

    print(reports.printed(reports.measure(profile=profile, tell=_tell)))


@app.command()
def nuts(
    tasks: Annotated[Path, typer.Option(help="Tasks (CSV) of adoption, as of `growth`.")],
    sample: Annotated[int, typer.Option(min=1, help="Tasks, drawn at random, as many of each family.")] = 24,
    draws: Annotated[int, typer.Option(min=100, help="Draws of each chain.")] = 4000,
) -> None:
    """Check adoption forecasts against full NUTS on a sample of tasks: how far their quantiles and scores differ."""
    from benchmarks import nuts as check
    from benchmarks import tasks as task_files

    print(check.printed(check.compare(task_files.read(tasks), number=sample, draws=draws, tell=_tell)))


def _read(read_tasks: Any, tasks: list[Path], read_curves: Any, curves: list[Path]) -> tuple[list[Any], list[Any]]:
    """Read all files, so that one message holds the faults of all."""
    found: tuple[list[Any], list[Any]] = ([], [])
    faults: list[Any] = []
    for rows, read, paths in zip(found, (read_tasks, read_curves), (tasks, curves), strict=True):
        for path in paths:
            try:
                rows += read(path)
            except InputError as error:
                faults += error.faults
    if faults:
        raise InputError(faults)
    return found


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _what(asked: Any, known: Any, stage: Any, kind: str) -> str:
    series, families = {task.name for task in asked}, {task.family for task in asked}
    final = (
        f"the curve's highest value for {stage.from_curves} tasks, the task's last for {len(asked) - stage.from_curves}"
    )
    return "\n".join(
        [
            f"{len(asked)} {kind} tasks of {len(series)} series in {len(families)} families; "
            f"{len(known)} curves to learn from.",
            f"Before and after half: the last value known against half of the final level ({final}).",
            "Score: relative CRPS, averaged within families, then over them (one wave is one family), as are the",
            "shares inside. Ranges: bootstrap over series.",
        ]
    )


def _about(
    tasks: list[Path], curves: list[Path], kind: str, reference: str, stage: Any, results: Any, missing: Any
) -> dict[str, Any]:
    """What the figures rest on."""
    return {
        "kind": str(kind),
        "reference": reference,
        "tasks": [_file(path) for path in tasks],
        "curves": [_file(path) for path in curves],
        "stage": {
            "final_level_from_curves": stage.from_curves,
            "from_last_value": len(stage.of_task) - stage.from_curves,
        },
        "peers": [
            {
                "model": r.peer.name,
                "title": r.peer.title,
                "left_out": r.protocol,
                "seconds": round(r.seconds, 2),
                "error": r.error,
            }
            for r in results
        ],
        "missing": missing,
        "python": platform.python_version(),
        "versions": {
            name: _version(name) for name in ("telemed-forecast", "numpy", "statsforecast", "prophet", "scikit-learn")
        },
    }


def _file(path: Path) -> dict[str, str]:
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def main() -> int:
    """Run the command line and return its exit code: 2 when the input is wrong, 1 when anything else went wrong."""
    try:
        app(prog_name="python -m benchmarks")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except TelemedError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
