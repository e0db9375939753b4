"""Frozen forecasts from the command line: what has been published since, scored, and what still waits."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telemed_forecast.errors import InputError
from telemed_forecast.runs import folders, parameters
from telemed_forecast.runs.tables import line, records, write

if TYPE_CHECKING:
    import pandas as pd

FILE = "backtest_releases.csv"

NEXT = 6
"""Forecasts that fall due next are listed up to that number."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What has become of a folder of releases."""

    day: date  # Day whose knowledge counts
    by: date  # Day by which a release must have been frozen; the last of all days for every release
    # What was frozen, the scores of what has come and what still waits, the next due first (`frozen_forecasts`)
    frozen: pd.DataFrame
    scores: pd.DataFrame
    waiting: pd.DataFrame
    unprinted: Mapping[str, int]  # Quantity of which nobody prints a figure -> its number of forecasts


def make(folder: Path, *, as_of: str = "", out: Path | None = None) -> Outcome:
    """Hold every frozen forecast of a folder of releases against what has been published since.

    `as_of` is the day whose knowledge counts, and by which a release must have been frozen: everything in the ledger
    and every release when empty. `out` is a folder for the table of scores. `InputError` when the date or a folder is
    none, `TelemedError` when a release is not as it was frozen.
    """
    if faults := folders.faults(out):
        raise InputError(faults)
    settings = parameters.from_texts(["user_adoption"], [("as_of", as_of)])["user_adoption"]
    from telemed_forecast.evaluation import frozen_forecasts
    from telemed_forecast.evaluation.scores import COVERAGE
    from telemed_forecast.forecast.context import Context

    context = Context(settings)
    by = context.settings.as_of_date if as_of else date.max
    frozen = frozen_forecasts.read(folder, by)
    scores, waiting = frozen_forecasts.score(frozen, context), frozen_forecasts.waiting(frozen, context)
    unprinted = frozen_forecasts.unprinted(frozen)
    if out is not None:
        covered = {name: name.replace("interval_coverage", "inside") for name in COVERAGE}
        names = {"forecast_date": "released", "day": "end", "publisher": "origin", "pit": "level", **covered}
        named = scores.drop(columns="log_score").rename(columns=names)  # it would need tails that nobody froze
        write(out / FILE, records(named), [str(name) for name in named])
    day = context.settings.as_of_date
    return Outcome(day=day, by=by, frozen=frozen, scores=scores, waiting=waiting, unprinted=unprinted)


def table(outcome: Outcome) -> Iterator[str]:
    """What came of the releases as lines of plain text, none wider than 120 columns."""
    if outcome.frozen.empty:
        yield "no forecast has been frozen yet" if outcome.by == date.max else f"nothing was frozen by {outcome.by}"
        return
    days = outcome.frozen.drop_duplicates("release")["forecast_date"]
    when = str(days.iloc[0]) if len(days) == 1 else f"{min(days)} to {max(days)}"
    yield f"releases: {len(days)} (frozen {when}), held against what was published by {outcome.day}"
    yield from _scores(outcome.scores)
    yield from _waiting(outcome.waiting, outcome.day)
    if outcome.unprinted:
        yield f"not scored: {sum(outcome.unprinted.values())} forecasts of what nobody prints, or under a second name"
        names = ", ".join(sorted(outcome.unprinted))
        yield from textwrap.wrap(names, 116, initial_indent="  ", subsequent_indent="  ")


def _scores(scores: pd.DataFrame) -> Iterator[str]:
    from telemed_forecast.evaluation.scores import COVERAGE

    if scores.empty:
        yield "scored: none, for nothing that was frozen has been published since"
        return
    yield f"scored: {len(scores)}, on the log scale (log odds for shares), lower is better"
    yield _line(("frozen", "target", "period", "forecast (80%)", "published", "50/80/90/95%", "CRPS", ""))
    yield from (_line(_cells(one)) for one in scores.itertuples())
    held = "/".join(f"{100 * scores[name].mean():.0f}" for name in COVERAGE)
    yield _line(("all", "", "", "", "", held, f"{scores['crps'].mean():.3f}", ""))
    if scores["doubtful"].any():
        yield "  * printed with so few digits that it may as well lie on the other side of the 80% interval's end"
    if scores["latent"].any():
        yield "  ~ frozen without the lean and noise of those who print it: its interval is too narrow for one figure"


WIDTHS = (-10, -33, -10, 20, 17, 13, 5, -2)


def _line(cells: Sequence[str]) -> str:
    return f"  {line(cells, WIDTHS)}".rstrip()


def _cells(one: Any) -> list[str]:
    from telemed_forecast.evaluation.scores import COVERAGE
    from telemed_forecast.exhibits.values import Value
    from telemed_forecast.render.numerals import number_text, range_text

    said = Value(value=one.median, unit=one.unit, low=one.low, high=one.high)
    came = Value(value=one.published, unit=one.unit, digits=4)
    held = "/".join("+" if getattr(one, name) else "-" for name in COVERAGE)
    told = [str(one.forecast_date), one.target, str(one.day), range_text(said, "en"), number_text(came, "en")]
    return [*told, held, f"{one.crps:.3f}", f"{'~' if one.latent else ''}{'*' if one.doubtful else ''}"]


def _waiting(waiting: pd.DataFrame, day: date) -> Iterator[str]:
    yield f"waiting: {len(waiting)} forecasts of {waiting['target'].nunique()} quantities"
    dated = waiting[waiting["due"].notna()]
    if len(dated):
        yield "next due, as long after their periods as such figures usually come:"
    one: Any
    for one in dated.head(NEXT).itertuples():
        yield f"  {one.target:<33} {one.day}  about {one.due}{' (late)' if one.due < day else ''}"
