"""Rolling origins from the command line: forecasts of earlier year ends, scored, as a table and files."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from telemed_forecast.errors import InputError, did_you_mean
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.runs import folders, parameters
from telemed_forecast.runs.tables import line, records, rounded, write

if TYPE_CHECKING:
    import pandas as pd

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
    scores : DataFrame
        Every forecast of every later figure, by every forecaster (`rolling_origins.score`).
    summary : DataFrame
        One row a forecaster (`rolling_origins.summary`).
    """

    model: str
    scores: "pd.DataFrame"
    summary: "pd.DataFrame"


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
    from telemed_forecast.evaluation import needs, rolling_origins
    from telemed_forecast.evaluation.scores import COVERAGE
    from telemed_forecast.forecast.context import Context

    made = []
    for model in request.models or MARKETS:
        print(f"{model}: refitting as of earlier year ends", file=stream or sys.stderr, flush=True)
        context = Context(settings[model])
        wanted = needs.Needs(earlier=frozenset({model}))
        for fitted in wanted.models():
            needs.made(fitted, wanted, context)
        found = rolling_origins.score(rolling_origins.origins(context, model), model, seed=context.settings.seed)
        summary = rolling_origins.summary(found, context.settings.as_of_date)
        summary.insert(0, "model", model)
        made.append(Backtest(model=model, scores=found, summary=summary))
    if request.out is not None:
        write(request.out / FORECASTS, (row for one in made for row in _quantiles(one.scores)))
        covered = {name: name.replace("interval_coverage", "inside") for name in COVERAGE}
        names = {"market": "model", "forecast_date": "origin", **covered}
        scores = (one.scores.drop(columns=["publisher", "quantiles"]).rename(columns=names) for one in made)
        write(request.out / SCORES, (row for frame in scores for row in records(frame)))
        names = {name: name.removeprefix("interval_") for name in COVERAGE}
        summaries = (one.summary.rename(columns=names) for one in made)
        write(request.out / STANDINGS, (row for frame in summaries for row in records(frame)))
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
    """The summaries as lines of plain text, a block a model, none wider than 120 columns."""
    for one in made:
        if one.summary.empty:
            yield f"{one.model}: no figure came after any of the origins"
            continue
        days, common = sorted(set(one.scores["forecast_date"])), one.summary["common"].max()
        outcomes = one.scores["claim_id"].nunique()
        yield f"{one.model}: {len(days)} origins ({days[0]} to {days[-1]}), {outcomes} figures that came later"
        yield f"  {'all its own forecasts':<43}  |  the {common} forecasts that all members made"
        yield _line(HEADING)
        yield from (_line(_cells(row)) for row in one.summary.itertuples())
        yield from (f"  {line}" for line in _notes(one.summary))
        yield ""


HEADING = ("forecaster", "number", "in 50/80/90/95%", "bias", "CRPS", "WIS=wide+over+under", "log", "skill", "vs drift")
WIDTHS = (-10, 7, 16, 7, 2, 6, 21, 7, 7, 24)
"""Of the table's columns; the fifth is the bar between what counts all forecasts and what counts the shared ones."""


def _line(cells: Sequence[str]) -> str:
    return f"  {line([*cells[:4], ' |', *cells[4:]], WIDTHS)}".rstrip()


def _cells(row: Any) -> list[str]:
    """What the table says of one forecaster."""
    from telemed_forecast.evaluation.scores import COVERAGE

    held = "/".join(f"{100 * getattr(row, name):.0f}" for name in COVERAGE)
    own = [row.member, str(row.number), held, f"{row.bias:+.2f}"]
    if not row.common:
        return [*own, "-", "-", "-", "-", "-"]
    parts = f"{row.wis:.2f}={row.dispersion:.2f}+{row.overprediction:.2f}+{row.underprediction:.2f}"
    told = row.difference_high > row.difference_low  # none for drift itself, nor with too few days or years
    less = f"{row.difference:+.2f} ({row.difference_low:+.2f}..{row.difference_high:+.2f})" if told else "-"
    return [*own, f"{row.crps:.3f}", parts, f"{row.log_score:+.2f}", f"{row.skill:+.0%}", less]


def _notes(summary: "pd.DataFrame") -> Iterator[str]:
    """How the numbers are to be read."""
    from telemed_forecast.evaluation.score_summary import CONFIDENCE, FEW

    if not summary["common"].any():
        yield "No forecast was made by all members, so none of the shared scores can be told."
        return
    clusters = summary["clusters"].max()
    rough = f" ({clusters} of them: rough)" if clusters < FEW else ""
    yield "On the log scale (log odds for shares); lower is better, but for skill: one less CRPS over that of drift."
    level = f"{CONFIDENCE:.0%}"
    yield f"vs drift: CRPS less that of drift, with a {level} interval whose clusters are days and years{rough}."


def _quantiles(scores: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    """What was forecast of each figure, in the hub format's columns and a few of our own: nothing of what came."""
    from telemed_forecast.forecast import hub

    one: Any
    for one in scores.itertuples():
        days = {"reference_date": one.forecast_date, "target": one.market, "target_end_date": one.day}
        own = {"model": one.member, "unit": one.unit, "claim_id": one.claim_id}
        for level, value in zip(hub.QUANTILES, one.quantiles, strict=True):
            output = {"output_type": "quantile", "output_type_id": f"{level:g}", "value": rounded(value)}
            yield {**days, "location": hub.LOCATION, **output, **own}
