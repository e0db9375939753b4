"""Simulation-based calibration from the command line: simulate, put on record, tell the verdicts."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from telemed_forecast.errors import InputError, did_you_mean
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.runs import folders, parameters

if TYPE_CHECKING:
    from telemed_forecast.evaluation.calibration_record import Record

SIMULATIONS = 200
"""What the shipped record has of each model, at least."""

FEWEST = 20
"""Fewer show nothing but the gravest faults."""

MOST = 10_000
SEED = 1


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for.

    Attributes
    ----------
    models : sequence of str
        Names; all when empty.
    simulations : int
        Of each model.
    out : Path or None
        Folder of the record; the shipped one when None, which takes `SIMULATIONS` or more.
    """

    models: Sequence[str] = ()
    simulations: int = SIMULATIONS
    out: Path | None = None


def make(request: Request, *, stream: TextIO | None = None) -> "dict[str, Record]":
    """Simulate every model and put it on record as soon as it is done.

    Parameters
    ----------
    request : Request
    stream : TextIO, optional
        Where is said what is going on; standard error by default.

    Raises
    ------
    InputError
        With every fault, before anything is fitted.
    """
    _check(request)
    from telemed_forecast.evaluation import calibration, calibration_record
    from telemed_forecast.fits import cluster
    from telemed_forecast.forecast.context import Context

    made = {}
    for name in request.models or MARKETS:
        print(f"{name}: {request.simulations} simulations", file=stream or sys.stderr, flush=True)
        context = Context(parameters.validate(name, {}))
        problem = calibration.problem(name, context)
        begun = time.monotonic()
        if not cluster.elsewhere():
            calibration.compile_for(problem)
        compiled = time.monotonic()
        ranks = calibration.ranks(problem, simulations=request.simulations, seed=SEED)
        day = context.settings.as_of_date.isoformat()
        made[name] = calibration_record.made_now(ranks, problem.what.spec, as_of=day, seed=SEED)
        calibration_record.write({name: made[name]}, request.out or calibration_record.FOLDER)
        took = f"{compiled - begun:.0f} s to compile, {time.monotonic() - compiled:.0f} s to simulate"
        print(f"{name}: done, {took}", file=stream or sys.stderr, flush=True)
    return made


def _check(request: Request) -> None:
    faults = [
        f'--model "{name}" is not allowed{did_you_mean(name, MARKETS)}: allowed {", ".join(MARKETS)}'
        for name in request.models
        if name not in MARKETS
    ]
    if not FEWEST <= request.simulations <= MOST:
        faults.append(f"--simulations {request.simulations} is out of range: allowed {FEWEST} to {MOST}")
    elif request.out is None and request.simulations < SIMULATIONS:
        faults.append(
            f"--simulations {request.simulations} without --out would replace the shipped record with a weaker one: "
            f"allowed {SIMULATIONS} to {MOST}, or any number with --out FOLDER"
        )
    faults += folders.faults(request.out)
    if faults:
        raise InputError(faults)


def table(made: "Mapping[str, Record]") -> Iterator[str]:
    """The verdicts as lines of plain text, a block a model, the most surprising quantities first."""
    from telemed_forecast.evaluation import calibration

    for name, record in made.items():
        found = sorted(calibration.verdicts(record.ranks), key=lambda one: (one.p, min(one.shape, one.width)))
        held = sum(one.calibrated for one in found)
        yield f"{name}: {held} of {len(found)} quantities calibrated, {len(record.ranks.places)} simulations"
        yield f"  {'quantity':<26} {'shape':>9} {'width':>9} {'allowing for all':>17}"
        for one in found:
            said = "" if one.calibrated else "  not calibrated"
            yield f"  {one.quantity:<26} {one.shape:>9.2g} {one.width:>9.2g} {one.p:>17.2g}{said}"
        yield ""


def uncalibrated(made: "Mapping[str, Record]") -> list[str]:
    """The quantities that chance does not explain, as model: quantity."""
    from telemed_forecast.evaluation import calibration

    return [
        f"{name}: {one.quantity} (p = {one.p:.2g})"
        for name, record in made.items()
        for one in calibration.verdicts(record.ranks)
        if not one.calibrated
    ]
