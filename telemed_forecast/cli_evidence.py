"""The commands on published figures: `telemed-forecast evidence`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from telemed_forecast.errors import InputError, collecting

app = typer.Typer(help="Check and show the published figures.", rich_markup_mode=None, no_args_is_help=True)


@app.command("check")
def evidence_check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="CSV files; the shipped ledger when none."),
    ] = None,
) -> None:
    """Check files of evidence row by row."""
    from telemed_forecast.evidence import ledger

    faults = ledger.check(files or None)
    if faults:
        many = "" if len(faults) == 1 else "s"
        raise InputError(faults, heading=f"{len(faults)} fault{many} in the evidence")
    for remark in ledger.remarks(files) if files else ():
        print(f"note: {remark}", file=sys.stderr)
    print("no faults in " + (", ".join(map(str, files)) if files else "the ledger"))


@app.command("show")
def evidence_show(
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="Name of a metric of the ledger.")],
    segment: Annotated[str | None, typer.Option(help="Only this segment.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Only what was published by this ISO date.")] = None,
    evidence: Annotated[
        list[Path] | None, typer.Option(metavar="FILE.csv", help="Show rows of your own among them.")
    ] = None,
) -> None:
    """Show the published figures of a metric, each with its source and its use in the models."""
    from telemed_forecast.evidence import ledger, observations, vintage

    frame, shipped = ledger.load(evidence), set(ledger.load()["claim_id"])
    faults: list[object] = []
    known = table = frame
    with collecting(faults):
        known = vintage.as_of(frame, as_of)
    with collecting(faults):
        table = observations.summary(known, metric, segment)
    if faults:
        raise InputError([str(fault) for fault in faults])
    for row in table.to_dict("records"):
        print(_claim(row, own=row["claim_id"] not in shipped))
    print(f"{len(table)} rows")


def _claim(row: Mapping[Any, Any], *, own: bool) -> str:
    """Write a published figure: what it says and what becomes of it, then where it comes from."""
    figure = f"{row['relation']} {row['printed']} {row['unit']} [{row['low']:,.12g}, {row['high']:,.12g}]"
    return "\n    ".join(
        line
        for line in (
            f"{row['period_start']:%Y-%m-%d}..{row['period_end']:%Y-%m-%d} {row['segment']}: {figure}",
            f"{row['kind']}, grade {row['grade']}, {row['status']}{', own evidence' if own else ''}",
            f"{row['claim_id']}: {row['origin']}, known {row['known_date']:%Y-%m-%d}, {row['source_title']}",
            row["url"],
        )
        if line
    )
