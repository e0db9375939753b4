"""From a file of the user's own series to a table of forecasts and a drawing, both written whole or not at all."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from telemed_forecast.errors import Fault, InputError

if TYPE_CHECKING:
    from telemed_forecast.evidence.series_file import Reading
    from telemed_forecast.forecast.own_series import Forecast


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asks for.

    Attributes
    ----------
    file : Path
        Series: columns series_id, date, value and, if wanted, unit, measure, reference_class.
    horizon : int
        Periods ahead, each series in its own.
    kind : str
        "adoption" or "surge".
    out : Path or None
        The table, CSV or Parquet by its suffix; CSV to standard output when None.
    plot : Path or None
        A drawing, PNG, SVG or HTML by its suffix.
    skip_bad : bool
        Forecast the series without faults although others have some.
    jobs : int or None
        Processes; as many as there are cores when None.
    """

    file: Path
    horizon: int
    kind: str = "adoption"
    out: Path | None = None
    plot: Path | None = None
    skip_bad: bool = False
    jobs: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    series : int
        How many were forecast.
    plotted : int
        How many of them are in the drawing: the first ones.
    skipped : tuple of Fault
        Why others were not.
    """

    series: int
    plotted: int
    skipped: tuple[Fault | str, ...]


def make(request: Request, *, stream: TextIO | None = None) -> Outcome:
    """Forecast the series of a file.

    Parameters
    ----------
    request : Request
    stream : TextIO, optional
        Where progress is shown, if it is a terminal; standard error by default.

    Raises
    ------
    InputError
        The request or the file is wrong (with `skip_bad`: no series is right). Nothing has been written.
    """
    from telemed_forecast.evidence import series_file
    from telemed_forecast.forecast import own_series

    asked = list(_faults_of(request))
    classes = own_series.classes(request.kind) if request.kind in own_series.KINDS else None  # type: ignore[arg-type]
    reading = series_file.read(request.file, classes=classes)
    if asked or not reading.series or (reading.faults and not request.skip_bad):
        raise InputError([*asked, *reading.faults])
    with _written_whole(request) as (table, drawing):
        made, shown, faults = _write_table(request, reading, table, stream or sys.stderr)
        if not made or (faults and not request.skip_bad):
            raise InputError([*reading.faults, *faults])
        if request.plot is not None:
            from telemed_forecast.render.charts import small_multiples

            small_multiples.draw(shown, drawing, request.plot.suffix.lower())
    return Outcome(made, len(shown), (*reading.faults, *faults))


def _faults_of(request: Request) -> Iterator[str]:
    from telemed_forecast.forecast import own_series

    fewest, most = own_series.HORIZONS
    if not fewest <= request.horizon <= most:
        yield f"--horizon {request.horizon} is out of range: allowed {fewest}..{most} [periods of each series]"
    if request.kind not in own_series.KINDS:
        yield f'--kind "{request.kind}" is not allowed: allowed {", ".join(own_series.KINDS)}'
    if request.jobs is not None and request.jobs < 1:
        yield f"--jobs {request.jobs} is out of range: allowed 1 or more [processes]"
    files: list[tuple[str, Path, tuple[str, ...]]] = []
    if request.out is not None:
        files.append(("--out", request.out, own_series.FORMATS))
    if request.plot is not None:
        from telemed_forecast.render.charts import small_multiples

        files.append(("--plot", request.plot, small_multiples.FORMATS))
    for option, file, suffixes in files:
        if file.suffix.lower() not in suffixes:
            yield f"{option} {file} has no known suffix: allowed {', '.join(suffixes)}"
        if file.is_dir() or not file.parent.is_dir():
            yield f"{option} {file} cannot be written: it must be a file in a folder that exists"
        if file.exists() and request.file.exists() and file.samefile(request.file):
            yield f"{option} {file} is the file of the series, which would be lost"


def _write_table(
    request: Request, reading: "Reading", table: Path, stream: TextIO
) -> tuple[int, list["Forecast"], list[Fault]]:
    """Write the rows of all series.

    Returns
    -------
    made : int
        Series that were forecast.
    shown : list of Forecast
        The first of them, as many as a drawing holds; none when no drawing is wanted.
    faults : list of Fault
        Why the model refused others.
    """
    from telemed_forecast.forecast import own_series
    from telemed_forecast.runs.report import usable_cores

    made, most, faults = 0, _most_drawn(request), list[Fault]()
    shown: list[Forecast] = []
    writer = own_series.TableWriter(table, ".csv" if request.out is None else request.out.suffix.lower())
    jobs = request.jobs or usable_cores()
    blocks = own_series.forecast(reading.series, request.horizon, kind=request.kind, jobs=jobs)  # type: ignore[arg-type]
    try:
        with _progress(len(reading.series), stream) as advance:
            for block in blocks:
                writer.add(block.forecasts, f"telemed_forecast_{request.kind}")
                shown += block.forecasts[: most - len(shown)]
                made += len(block.forecasts)
                for fault in block.faults:
                    faults.append(replace(fault, file=str(request.file), row=reading.lines[str(fault.value)]))
                advance(block.size)
    finally:
        writer.close()
    return made, shown, faults


def _most_drawn(request: Request) -> int:
    if request.plot is None:
        return 0
    from telemed_forecast.render.charts import small_multiples

    return small_multiples.MOST


@contextmanager
def _written_whole(request: Request) -> Iterator[tuple[Path, Path]]:
    """Temporary files for the table and the drawing; they take their names when all has gone well."""
    files = [file for file in (request.out, request.plot) if file is not None]
    parts = {file: file.with_name(f".{file.name}.{os.getpid()}.part") for file in files}
    with tempfile.TemporaryDirectory() as folder:
        table = parts[request.out] if request.out else Path(folder) / "table"
        drawing = parts[request.plot] if request.plot else Path(folder) / "drawing"
        try:
            yield table, drawing
            for file, part in parts.items():
                os.replace(part, file)
            if request.out is None:
                _print(table)
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)


def _print(table: Path) -> None:
    """Copy a table to standard output."""
    with table.open(encoding="utf-8", newline="") as text:
        try:
            shutil.copyfileobj(text, sys.stdout)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader (`head`) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _progress(total: int, stream: TextIO) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing anywhere else; gives the function that moves it on."""
    if not stream.isatty():
        yield lambda number: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("series"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        bar = progress.add_task("series", total=total)
        yield lambda number: progress.advance(bar, number)
