"""The command line: `telemed-forecast`.

Every command imports what it needs when it runs, so that help and a refusal come at once. Exit codes: 0 done,
2 the user's input is wrong (one message with every fault), 1 anything else. TELEMED_DEBUG=1 shows tracebacks.
"""

import errno
import io
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from telemed_forecast import __version__, cli_evidence
from telemed_forecast.errors import InputError, TelemedError, listed, spelt_out

DEBUG_VARIABLE = "TELEMED_DEBUG"

# Without rich's markup the help takes a third of the time.
app = typer.Typer(
    help="Bayesian market sizing and forecasts for online medical care in China.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
runs_app = typer.Typer(help="List and remove finished runs.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(runs_app, name="runs")
cache_app = typer.Typer(help="Show and clear what is stored.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(cache_app, name="cache")
app.add_typer(cli_evidence.app, name="evidence")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; the one place where errors become messages.

    Parameters
    ----------
    arguments : sequence of str, optional
        As typed behind the program's name; those of this process when left out.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="telemed-forecast")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        print("telemed-forecast: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        cause = _cause(error)
        lines = [f"telemed-forecast: {_told(cause)}", *getattr(cause, "__notes__", [])]
        print("\n".join(lines), file=sys.stderr)
        return 2 if isinstance(cause, InputError) else 1
    return 0


_OF_THE_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "there is no permission",
}


def _cause(error: Exception) -> Exception:
    """What happened first in work that went on side by side."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _told(error: Exception) -> str:
    """An error in the user's terms; one that nobody foresaw comes with its type."""
    if isinstance(error, TelemedError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        where = f": {error.filename}" if error.filename else ""
        return f"{_OF_THE_DISK[error.errno]}{where}; what was not finished is not written"
    return f"{error} ({type(error).__name__}; {DEBUG_VARIABLE}=1 shows where)"


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Bayesian market sizing and forecasts for online medical care in China."""


_Dask = Annotated[
    str,
    typer.Option("--dask", metavar="ADDRESS", help="Make fits on a Dask cluster: its scheduler, tcp://host:8786."),
]


@app.command()
def report(
    notebooks: Annotated[
        list[str] | None,
        typer.Argument(metavar="NOTEBOOK", help="Notebooks to run; all when none is named."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the reports (default: reports/).")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="Set a parameter; see `params`."),
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(metavar="NAME|FILE", help="Scenario; give it again for more runs.")
    ] = None,
    as_of: Annotated[
        list[str] | None,
        typer.Option(metavar="DATE", help="Use only what was published by this ISO date; again for more runs."),
    ] = None,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.csv", help="Add rows of your own to the ledger; give it again for more files."),
    ] = None,
    profile: Annotated[str | None, typer.Option(metavar="quick|full", help="How many draws a fit takes.")] = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Notebooks at a time (default: cores).")] = None,
    dask: _Dask = "",
    lang: Annotated[
        list[str] | None, typer.Option(metavar="en|zh", help="Language of the pages (default: both).")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Draw pages as PDF.")] = True,
    workbook: Annotated[bool, typer.Option("--workbook/--no-workbook", help="Write model.xlsx.")] = True,
    explorer: Annotated[bool, typer.Option("--explorer/--no-explorer", help="Write explorer.html.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Make the run anew even when nothing changed.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be fitted and run, and what is stored.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Name every input that changed since their last run.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 when a fit misses its gates; the reports are written.")
    ] = False,
) -> None:
    """Run notebooks and write a folder of reports; print its path.

    Several scenarios and dates make a run for each combination.
    """
    from telemed_forecast import paths
    from telemed_forecast.evidence import own
    from telemed_forecast.runs import folders, plan

    texts, faults = _pairs(parameter or [])
    files = own.text(evidence) if evidence else None
    texts += [(name, text) for name, text in (("evidence", files), ("profile", profile)) if text is not None]
    if jobs is not None and jobs < 1:
        faults.append(f"--jobs {jobs} is out of range: allowed 1 or more [processes]")
    faults += folders.faults(out)
    asked = plan.request(
        notebooks or [], texts, scenario=scenario or [], as_of=as_of or [], languages=lang or [], also=faults
    )
    for line in dict.fromkeys(line for run in asked.settings for line in own.told(*plan.evidence_of(run))):
        print(line, file=sys.stderr)
    from telemed_forecast.runs import manifest
    from telemed_forecast.runs.publish import Pages, formats
    from telemed_forecast.runs.report import Reports

    missed: list[str] = []
    folder = (out or paths.REPORTS).resolve()
    reports = Reports(publisher=Pages(), out=folder, jobs=jobs, force=force, explain=explain, dask=dask)
    asked = replace(asked, formats=formats(pdf=pdf, workbook=workbook, explorer=explorer))
    if dry_run:
        for run, why, missing in reports.plan(asked):
            print(f"{run.run_id}: {why or 'stored, nothing changed'}")
            for what, names in (("would fit", missing), ("would run", run.settings if why else ())):
                if names:
                    print(f"  {what} {', '.join(names)}")
        return
    with _cluster(dask):
        made = reports.make(asked)
    for outcome in made:
        if outcome.reused:
            print("nothing changed:", file=sys.stderr)
        print(outcome.folder)
        missed += [f"{outcome.manifest['run_id']}: {line}" for line in manifest.missed_gates(outcome.manifest)]
    if strict and missed:
        raise TelemedError(listed("fits that missed their gates", missed))


def _cluster(address: str) -> AbstractContextManager[None]:
    """Where fits are made in a block; this process needs nothing of Dask's when no address is given."""
    if not address:
        return nullcontext()
    from telemed_forecast.fits import cluster

    return cluster.on(address)


def _pairs(parameters: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Split NAME=VALUE; also return a fault for each text without `=`."""
    pairs = [(name.strip(), value) for name, sign, value in (p.partition("=") for p in parameters) if sign]
    return pairs, [f'-p "{text}" is not of the form NAME=VALUE' for text in parameters if "=" not in text]


@app.command()
def params(
    notebook: Annotated[str | None, typer.Argument(metavar="NOTEBOOK", help="Show only what it takes.")] = None,
) -> None:
    """List every parameter: type, unit, allowed range, default, meaning."""
    from telemed_forecast.runs import parameters

    wanted = parameters.SPECIFICATION if notebook is None else parameters.for_notebook(notebook)
    for parameter in wanted:
        print(f"{parameter.name}  {parameter.type.__name__} [{parameter.unit}]")
        print(f"    {parameter.meaning}")
        print(f"    allowed: {parameter.allowed_values()}")
        print(f"    default: {parameter.default!r}".replace("'", '"'))
        if parameter.notebooks != parameters.NOTEBOOKS:
            print(f"    only in: {', '.join(parameter.notebooks)}")


@app.command()
def forecast(
    file: Annotated[Path, typer.Argument(metavar="SERIES.csv", help="Columns: see above; - is standard input.")],
    horizon: Annotated[int, typer.Option(metavar="N", help="Periods ahead, each series in its own.")],
    out: Annotated[Path | None, typer.Option(help="Table to write, .csv or .parquet (default: print CSV).")] = None,
    kind: Annotated[
        str, typer.Option(metavar="adoption|surge", help="What grows, or what is left after a wave.")
    ] = "adoption",
    plot: Annotated[Path | None, typer.Option(help="Drawing to write, .png, .svg or .html.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Forecast the good series; only report the faults of the others.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes (default: cores).")] = None,
) -> None:
    """Forecast any series of yours: quantiles in the hub format.

    SERIES.csv has the columns series_id, date (2019, 2019-Q1, 2019-03 or 2019-03-31) and value, and may have unit,
    measure and reference_class (a known technology; empty for a new one). At least 5 values a series.

    A measure is one of penetration, share, share_of_sales, share_of_stock, stock, stock_per_100, stock_per_100000,
    surge, or empty. The length of a period follows from the dates, and is said.
    """
    from telemed_forecast.curves import series_forecast
    from telemed_forecast.runs.report import usable_cores

    drawing: Any = None
    if plot is not None:
        from telemed_forecast.render.charts import small_multiples as drawing
    cores = usable_cores() if jobs is None else jobs
    asked = series_forecast.Request(
        file=file, horizon=horizon, kind=kind, out=out, plot=plot, skip_bad=skip_bad, jobs=cores
    )
    outcome = series_forecast.make(asked, drawing=drawing)
    for remark in spelt_out(outcome.remarks):
        print(remark, file=sys.stderr)
    if outcome.skipped:
        print(
            InputError(outcome.skipped, heading=f"skipped, because of {len(outcome.skipped):,} faults"), file=sys.stderr
        )
    if plot is not None and outcome.plotted < outcome.series:
        print(f"{plot} shows the first {outcome.plotted} of {outcome.series} series", file=sys.stderr)


@app.command()
def market(
    file: Annotated[Path, typer.Argument(metavar="FIGURES.csv", help="Columns: see above; - is standard input.")],
    horizon: Annotated[int, typer.Option(metavar="N", help="Periods ahead, each series in its own.")],
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("market"),
    as_of: Annotated[str, typer.Option(metavar="DATE", help="Use only what was published by this ISO date.")] = "",
    size: Annotated[str, typer.Option(metavar="'A * B'", help="Series whose product is the size of the market.")] = "",
    unit: Annotated[str, typer.Option(help="Unit of the size.")] = "",
    scale: Annotated[float, typer.Option(help="Multiplies the size, such as 0.001 for thousands.")] = 1.0,
    title: Annotated[str, typer.Option(help="Title of the report.")] = "",
) -> None:
    """Size any market of yours: published figures in, a report in English and Chinese out; print its path.

    FIGURES.csv has the columns series_id, date, value, publisher and known_date, and may have relation (eq, approx,
    gt, ge, lt, le), grade (A to D), url, and those of `forecast`. There may be several figures of one period.
    """
    from telemed_forecast.curves import own_market
    from telemed_forecast.runs import folders

    own_market.require(horizon, size, scale, also=folders.faults(out))
    known = own_market.read(file, as_of)
    forecasts = own_market.sized(known.forecast(horizon), size, unit=unit, scale=scale)
    from telemed_forecast.render import own_market as report

    for remark in known.remarks:
        print(remark, file=sys.stderr)
    print(report.write(known, forecasts, out, title)[0])


@app.command()
def backtest(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="With --releases: their folder (default: releases/).")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Market to look back on; all when none is named.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables of scores (default: none are written).")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="quick|full", help="How many draws a refit takes (default: full).")
    ] = None,
    as_of: Annotated[str, typer.Option(metavar="DATE", help="Count as known only what was published by then.")] = "",
    dask: _Dask = "",
    releases: Annotated[
        bool, typer.Option("--releases", help="Score what was frozen instead; say what still waits.")
    ] = False,
) -> None:
    """Score forecasts as of the ends of 2019 to 2024 against what was published later, beside their rivals."""
    if releases:
        given = {"--model": model, "--profile": profile, "--dask": dask}
        faults = [f"{option} has no meaning with --releases" for option, value in given.items() if value]
        _score_releases(folder, as_of, out, faults)
        return
    if folder is not None:
        raise InputError([f"{folder}: a folder is only taken with --releases"])
    from telemed_forecast.runs import backtest as looking_back

    asked = looking_back.Request(models=model or (), profile=profile or "full", as_of=as_of, out=out)
    with _cluster(dask):
        made = looking_back.make(asked)
    for line in looking_back.table(made):
        print(line)


def _score_releases(folder: Path | None, as_of: str, out: Path | None, faults: Sequence[str]) -> None:
    """Hold what was frozen against what has been published since."""
    if faults:
        raise InputError(faults)
    from telemed_forecast import paths
    from telemed_forecast.runs import score_releases

    for line in score_releases.table(score_releases.make(folder or paths.RELEASES, as_of=as_of, out=out)):
        print(line)


@app.command()
def calibrate(
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Model to simulate; all when none is named.")
    ] = None,
    simulations: Annotated[int, typer.Option(metavar="N", help="Of each model; fewer only with --out.")] = 200,
    out: Annotated[Path | None, typer.Option(help="Folder of the record (default: data/calibration).")] = None,
    dask: _Dask = "",
) -> None:
    """Check each model against truths drawn from its own prior, put the ranks on record and print the verdicts."""
    from telemed_forecast.runs import calibrate as calibrating

    with _cluster(dask):
        made = calibrating.make(calibrating.Request(models=model or (), simulations=simulations, out=out))
    for line in calibrating.table(made):
        print(line)
    if found := calibrating.uncalibrated(made):
        raise TelemedError(listed("not calibrated", found))


@app.command("learn-priors")
def learn_priors(
    curves: Annotated[
        Path | None,
        typer.Argument(metavar="CURVES.csv", help="A reference class: series_id, family, unit, value, year or date."),
    ] = None,
    kind: Annotated[
        str, typer.Option(metavar="adoption|surge", help="What grew, or what was left after waves.")
    ] = "adoption",
    out: Annotated[Path | None, typer.Option(help="Folder of the priors (default: data/priors).")] = None,
    world_bank: Annotated[
        bool, typer.Option("--world-bank", help="Learn from the World Bank's indicators, every country.")
    ] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps the World Bank's answers.")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the World Bank again what the cache holds.")] = False,
    save: Annotated[Path | None, typer.Option(help="Save what --world-bank read as CURVES.csv.")] = None,
) -> None:
    """Learn priors from what became of other technologies; print the file they are in."""
    from telemed_forecast import paths
    from telemed_forecast.curves import learn_priors
    from telemed_forecast.runs import folders

    asked = learn_priors.Request(
        curves=curves,
        kind=kind,
        out=out or paths.PRIORS,
        world_bank=world_bank,
        cache=cache,
        refresh=refresh,
        save=save,
    )
    found = [*folders.faults(asked.out, "--out"), *folders.faults(cache, "--cache")]
    print(learn_priors.make(asked, also=found))


def _folder_of(run: str) -> Path:
    """A run's folder, given as such or by its name in reports/."""
    from telemed_forecast import paths

    return Path(run) if Path(run).is_dir() else paths.REPORTS / run


@app.command()
def verify(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or its name in reports/.")],
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Also make it again from nothing and compare the numbers.")
    ] = False,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Also end with 1 when its inputs are no longer those of this project.")
    ] = False,
) -> None:
    """Recompute the hashes in a run's manifest; name what differs, and end with 1.

    Inputs that have changed in this project since the run was made are named too; that is no fault of the run.
    """
    from telemed_forecast.runs import manifest
    from telemed_forecast.runs.plan import Project

    folder = _folder_of(run)
    manifest.require_as_written(folder)
    print(f"{folder}: {len(manifest.outputs_in(folder))} files as they were written")
    since = manifest.changed_inputs(manifest.read(folder), Project())
    changed = listed(f"{folder} was made from other inputs than this project holds now", since)
    if since and inputs:
        raise TelemedError(changed)
    print(changed if since else f"{folder}: its inputs are those of this project")
    if not rerun:
        return
    from telemed_forecast.runs import rerun as again
    from telemed_forecast.runs.publish import Pages
    from telemed_forecast.runs.report import Reports

    held = again.compare(folder, Reports(publisher=Pages()))
    where = f"on {held.now}" if held.exact else f"on {held.now}, first made on {held.before}"
    if held.differences:
        raise TelemedError(listed(f"{folder} comes out differently, made again {where}", held.differences))
    how = "with the same numbers" if held.exact else "with the same forecasts within Monte Carlo error"
    print(f"{folder}: made again from nothing {where}, {how}")


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="RUN_A", help="A run's folder, or its name in reports/.")],
    second: Annotated[str, typer.Argument(metavar="RUN_B", help="The run to hold against it.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page and its tables (default: .cache/compare).")
    ] = None,
) -> None:
    """Say what changed between two runs: key figures, assumptions, evidence; print the page's path."""
    from telemed_forecast import paths
    from telemed_forecast.runs import compare as comparing
    from telemed_forecast.runs import folders

    if faults := folders.faults(out):
        raise InputError(faults)
    a, b = (comparing.read(_folder_of(run)) for run in (first, second))
    for line in comparing.lines(a, b):
        print(line)
    print(comparing.write(a, b, out or paths.CACHE / "compare")[0])


@app.command()
def release(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or its name in reports/.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the releases (default: releases/).")] = None,
) -> None:
    """Freeze a run's forecasts, to be scored when the truth is known; print the folder."""
    import datetime as dt

    from telemed_forecast import paths
    from telemed_forecast.runs import folders
    from telemed_forecast.runs import release as releasing

    if faults := folders.faults(out):
        raise InputError(faults)
    print(releasing.freeze(_folder_of(run), out or paths.NEW_RELEASES, today=dt.datetime.now(dt.UTC).date()))


_Out = Annotated[Path | None, typer.Option("--out", help="Folder of the reports (default: reports/).")]


@runs_app.command("list")
def runs_list(out: _Out = None) -> None:
    """List finished runs, newest first: name, time, size, and the parameters that tell them apart."""
    from telemed_forecast import paths
    from telemed_forecast.runs import stored

    for line in stored.runs(out or paths.REPORTS):
        print(line)


@runs_app.command("remove")
def runs_remove(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Names of runs, as `runs list` shows them.")],
    out: _Out = None,
) -> None:
    """Remove finished runs; print their folders. Fits stay in the cache."""
    from telemed_forecast import paths
    from telemed_forecast.runs.publish import Pages
    from telemed_forecast.runs.report import Reports

    for folder in Reports(publisher=Pages(), out=(out or paths.REPORTS).resolve()).remove(runs):
        print(folder)


@cache_app.command("info")
def cache_info() -> None:
    """Say where the cache is, and how much of what it holds."""
    from telemed_forecast import paths
    from telemed_forecast.runs import stored

    for line in stored.cache(paths.CACHE):
        print(line)


@cache_app.command("clear")
def cache_clear(
    kinds: Annotated[
        list[str] | None, typer.Argument(metavar="PART", help="As `cache info` shows; all if none.")
    ] = None,
) -> None:
    """Remove what can be made anew: fits, compiled code, pages of comparisons, logs of failures. Runs stay."""
    from telemed_forecast import paths
    from telemed_forecast.runs import stored

    for folder in stored.clear(paths.CACHE, kinds or ()):
        print(folder)


if __name__ == "__main__":
    sys.exit(main())
