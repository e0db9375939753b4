"""Rolling origins from the command line: forecasts of earlier year ends, scored, as a table and files."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from telemed_forecast.errors import InputError, did_you_mean
from telemed_forecast.names import MARKETS
from telemed_forecast.runs import folders, parameters
from telemed_forecast.runs.tables import rounded, write

if TYPE_CHECKING:
    from telemed_forecast.evaluation.rolling_origins import Score, Standing

FORECASTS = "backtest_forecasts.csv"
SCORES = "backtest_scores.csv"
STANDINGS = "backtest_standings.csv"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for.

    Attributes
    ----------
    models : sequence of str
        Names; all when empty.
    profile : str
        ``quick``, or ``full`` for the effort that reports take for earlier dates.
    as_of : str
        Day whose knowledge counts as what came; everything in the ledger when empty.
    out : Path or None
        Folder for the tables; nothing is written when None.
    """

    models: Sequence[str] = ()
    profile: str = "full"
    as_of: str = ""
    out: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """What came of one model.

    Attributes
    ----------
    model : str
    scores : list of Score
        Every forecast of every later figure, by every forecaster.
    standings : list of Standing
        One a forecaster.
    """

    model: str
    scores: list["Score"]
    standings: list["Standing"]


def make(request: Request, *, stream: TextIO | None = None) -> list[Backtest]:
    """Refit the models as of earlier year ends, score their forecasts and those of their rivals.

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
    settings = _checked(request)
    from telemed_forecast.evaluation import rolling_origins
    from telemed_forecast.forecast.context import Context

    made = []
    for model in request.models or MARKETS:
        print(f"{model}: refitting as of earlier year ends", file=stream or sys.stderr, flush=True)
        context = Context(settings[model])
        found = rolling_origins.score(rolling_origins.origins(context, model), seed=context.settings.seed)
        standings = rolling_origins.standings(found, context.settings.as_of_date)
        made.append(Backtest(model=model, scores=found, standings=standings))
    if request.out is not None:
        write(request.out / FORECASTS, (row for one in made for s in one.scores for row in _quantiles(one.model, s)))
        write(request.out / SCORES, (_score_row(one.model, score) for one in made for score in one.scores))
        write(request.out / STANDINGS, (_standing_row(one.model, s) for one in made for s in one.standings))
    return made


def _checked(request: Request) -> dict[str, parameters.Settings]:
    faults = [
        f'--model "{name}" is not allowed{did_you_mean(name, MARKETS)}: allowed {", ".join(MARKETS)}'
        for name in request.models
        if name not in MARKETS
    ]
    faults += folders.faults(request.out)
    known = [name for name in request.models if name in MARKETS] or list(MARKETS)
    settings = {}
    try:
        settings = parameters.from_texts(known, [("profile", request.profile), ("as_of", request.as_of)])
    except InputError as error:
        faults += [str(fault) for fault in error.faults]
    if faults:
        raise InputError(faults)
    return settings


def table(made: Sequence[Backtest]) -> Iterator[str]:
    """The standings as lines of plain text, a block a model, none wider than 120 columns."""
    for one in made:
        if not one.standings:
            yield f"{one.model}: no figure came after any of the origins"
            continue
        days = sorted({score.origin for score in one.scores})
        outcomes = len({score.claim_id for score in one.scores})
        common = max(standing.common for standing in one.standings)
        yield f"{one.model}: {len(days)} origins ({days[0]} to {days[-1]}), {outcomes} figures that came later"
        yield f"  {'all its own forecasts':<43}  |  the {common} forecasts that all members made"
        yield _line(HEADING)
        yield from (_line(_cells(standing)) for standing in one.standings)
        yield from (f"  {line}" for line in _notes(one.standings, common))
        yield ""


HEADING = ("forecaster", "number", "in 50/80/90/95%", "bias", "CRPS", "WIS=wide+over+under", "log", "skill", "vs drift")
WIDTHS = (-10, 6, 15, 6, 5, 20, 6, 6, 23)
"""Of the table's columns; below zero for text that begins on the left."""


def _line(cells: Sequence[str]) -> str:
    """One line of the table, with a bar between what counts all forecasts and what counts the shared ones."""
    told = [f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True)]
    return ("  " + "  ".join(told[:4]) + "  |  " + "  ".join(told[4:])).rstrip()


def _cells(s: "Standing") -> list[str]:
    """What the table says of one forecaster."""
    own = [s.member, str(s.number), "/".join(f"{100 * share:.0f}" for share in s.coverage.values()), f"{s.bias:+.2f}"]
    if not s.common:
        return [*own, "-", "-", "-", "-", "-"]
    parts = f"{s.wis:.2f}={s.dispersion:.2f}+{s.overprediction:.2f}+{s.underprediction:.2f}"
    told = s.difference_high > s.difference_low  # none for drift itself, nor with too few days or years
    less = f"{s.difference:+.2f} ({s.difference_low:+.2f}..{s.difference_high:+.2f})" if told else "-"
    return [*own, f"{s.crps:.3f}", parts, f"{s.log_score:+.2f}", f"{s.skill:+.0%}", less]


def _notes(standings: Sequence["Standing"], common: int) -> Iterator[str]:
    """How the numbers are to be read."""
    from telemed_forecast.evaluation import clustered_mean

    if not common:
        yield "No forecast was made by all members, so none of the shared scores can be told."
        return
    clusters = max(standing.clusters for standing in standings)
    rough = f" ({clusters} of them: rough)" if clusters < clustered_mean.FEW else ""
    yield "On the log scale (log odds for shares); lower is better, but for skill: one less CRPS over that of drift."
    level = f"{clustered_mean.LEVEL:.0%}"
    yield f"vs drift: CRPS less that of drift, with a {level} interval whose clusters are days and years{rough}."


def _quantiles(model: str, score: "Score") -> Iterator[dict[str, Any]]:
    """What was forecast for one figure, in the hub format's columns and a few of our own: nothing of what came."""
    from telemed_forecast.forecast import hub

    fixed = {"reference_date": score.origin.isoformat(), "target": model, "target_end_date": score.day.isoformat()}
    own = {"model": score.member, "unit": score.unit, "claim_id": score.claim_id}
    for level, value in zip(hub.QUANTILES, score.quantiles, strict=True):
        output = {"output_type": "quantile", "output_type_id": f"{level:g}", "value": rounded(value)}
        yield {**fixed, "location": hub.LOCATION, **output, **own}


def _score_row(model: str, score: "Score") -> dict[str, Any]:
    inside = {f"inside_{100 * level:.0f}": held for level, held in score.inside.items()}
    plain = {name: value for name, value in vars(score).items() if name not in ("inside", "quantiles")}
    return {"model": model, **{name: rounded(value) for name, value in plain.items()}, **inside}


def _standing_row(model: str, standing: "Standing") -> dict[str, Any]:
    coverage = {f"coverage_{100 * level:.0f}": rounded(share) for level, share in standing.coverage.items()}
    plain = {name: value for name, value in vars(standing).items() if name != "coverage"}
    return {"model": model, **{name: rounded(value) for name, value in plain.items()}, **coverage}
