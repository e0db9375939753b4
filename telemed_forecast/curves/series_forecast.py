"""From a file of the user's own series to a table of forecasts and a drawing, both written whole or not at all."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TextIO

from telemed_forecast.curves import own_series, series_file
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.curves.progress import bar
from telemed_forecast.errors import Fault, InputError
from telemed_forecast.files import replaced


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asks for."""

    file: Path
    """Series: columns series_id, date, value and, if wanted, unit, measure, reference_class."""
    horizon: int
    """Periods ahead, each series in its own."""
    kind: str = "adoption"
    """adoption or surge."""
    out: Path | None = None
    """The table, CSV or Parquet by its suffix; CSV to standard output when None."""
    plot: Path | None = None
    """A drawing, by its suffix in one of the formats of what draws."""
    skip_bad: bool = False
    """Forecast the series without faults although others have some."""
    jobs: int = 1
    """Processes."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    series: int
    """How many were forecast."""
    plotted: int
    """How many of them are in the drawing: the first ones."""
    skipped: tuple[Fault | str, ...]
    """Why others were not."""
    remarks: tuple[str, ...] = ()
    """What the user should know of how the file was read and drawn."""


class Drawing(Protocol):
    """What draws forecasts: this room knows no charts."""

    FORMATS: tuple[str, ...]
    MOST: int

    def draw(self, forecasts: Sequence[Forecast], file: Path, suffix: str) -> Sequence[str]:
        """Draw at most `MOST` forecasts, in one of `FORMATS`; returns what the user should know of the drawing."""


def make(request: Request, *, drawing: Drawing | None = None, stream: TextIO | None = None) -> Outcome:
    """Forecast the series of a file; what is wrong with the request or the file is refused, and nothing is written.

    Parameters
    ----------
    request
        What is asked for.
    drawing
        What draws; needed for a plot.
    stream
        Where progress is shown, if it is a terminal; standard error by default.
    """
    asked = list(_faults_of(request, drawing))
    classes = own_series.classes(request.kind) if request.kind in own_series.KINDS else None
    reading = series_file.read(request.file, classes=classes)
    if asked or not reading.series or (reading.faults and not request.skip_bad):
        raise InputError([*asked, *reading.faults])
    with ExitStack() as files:
        folder = Path(files.enter_context(tempfile.TemporaryDirectory()))
        table, plot = (
            files.enter_context(replaced(file)) if file else folder / "table" for file in (request.out, request.plot)
        )
        most = drawing.MOST if drawing and request.plot else 0
        made, shown, faults = _write_table(request, reading, table, most, stream or sys.stderr)
        if not made or (faults and not request.skip_bad):
            raise InputError([*reading.faults, *faults])
        told = drawing.draw(shown, plot, request.plot.suffix.lower()) if drawing and request.plot else ()
        if request.out is None:
            _print(table)
    return Outcome(made, len(shown), (*reading.faults, *faults), (*reading.remarks(), *told))


def _faults_of(request: Request, drawing: Drawing | None) -> Iterator[str]:
    fewest, most = own_series.HORIZONS
    if not fewest <= request.horizon <= most:
        yield f"--horizon {request.horizon} is out of range: allowed {fewest}..{most} [periods of each series]"
    if request.kind not in own_series.KINDS:
        yield f'--kind "{request.kind}" is not allowed: allowed {", ".join(own_series.KINDS)}'
    if request.jobs < 1:
        yield f"--jobs {request.jobs} is out of range: allowed 1 or more [processes]"
    drawn = drawing.FORMATS if drawing else ()
    for option, file, suffixes in (("--out", request.out, own_series.FORMATS), ("--plot", request.plot, drawn)):
        if file is None:
            continue
        if file.suffix.lower() not in suffixes:
            yield f"{option} {file} has no known suffix: allowed {', '.join(suffixes)}"
        if file.is_dir() or not file.parent.is_dir():
            yield f"{option} {file} cannot be written: it must be a file in a folder that exists"
        if file.exists() and request.file.exists() and file.samefile(request.file):
            yield f"{option} {file} is the file of the series, which would be lost"


def _write_table(
    request: Request, reading: series_file.Reading, file: Path, most: int, stream: TextIO
) -> tuple[int, list[Forecast], list[Fault]]:
    """Write the rows of all series; return how many, the first `most` of them, and why the model refused others."""
    made, done, shown, faults = 0, 0, list[Forecast](), list[Fault]()
    suffix = ".csv" if request.out is None else request.out.suffix.lower()
    blocks = own_series.forecast(reading.series, request.horizon, kind=request.kind, jobs=request.jobs)
    with own_series.table(file, suffix) as add, bar(len(reading.series), stream) as tell:
        for block in blocks:
            add(row for forecast in block.forecasts for row in forecast.rows(f"telemed_forecast_{request.kind}"))
            shown += block.forecasts[: most - len(shown)]
            made += len(block.forecasts)
            for fault in block.faults:
                faults.append(replace(fault, file=str(request.file), row=reading.lines[str(fault.value)]))
            done += block.size
            tell("series", done)
    return made, shown, faults


def _print(table: Path) -> None:
    """Copy a table to standard output: in UTF-8, as a file would be, whatever the terminal's encoding."""
    with table.open("rb") as stored:
        try:
            shutil.copyfileobj(stored, sys.stdout.buffer)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader (`head`) has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
