"""Frozen forecasts from the command line: what has been published since, scored, and what still waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.errors import InputError
from telemed_forecast.runs import folders, parameters
from telemed_forecast.runs.tables import rounded, write

if TYPE_CHECKING:
    from telemed_forecast.evaluation.frozen_forecasts import FrozenScore, Release, Waiting

FILE = "backtest_releases.csv"

NEXT = 6
"""Forecasts that fall due next are listed up to that number."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What has become of a folder of releases.

    Attributes
    ----------
    day : date
        Day whose knowledge counts.
    by : date
        Day by which a release must have been frozen; the last of all days for every release.
    releases : list of Release
    scores : list of FrozenScore
        One a figure that has come.
    waiting : list of Waiting
        The next due first.
    unprinted : dict
        Quantity of which nobody prints a figure -> its number of forecasts.
    """

    day: date
    by: date
    releases: list[Release]
    scores: list[FrozenScore]
    waiting: list[Waiting]
    unprinted: Mapping[str, int]


def make(folder: Path, *, as_of: str = "", out: Path | None = None) -> Outcome:
    """Hold every frozen forecast against what has been published since.

    Parameters
    ----------
    folder : Path
        Folder of the releases.
    as_of : str
        Day whose knowledge counts, and by which a release must have been frozen; everything in the ledger and every
        release when empty.
    out : Path, optional
        Folder for the table of scores.

    Raises
    ------
    InputError
        The date, or a folder, is not one.
    TelemedError
        A release is not as it was frozen.
    """
    if faults := folders.faults(out):
        raise InputError(faults)
    settings = parameters.from_texts(["user_adoption"], [("as_of", as_of)])["user_adoption"]
    from telemed_forecast.evaluation import frozen_forecasts
    from telemed_forecast.forecast.context import Context

    context = Context(settings)
    by = context.settings.as_of_date if as_of else date.max
    outcome = Outcome(
        day=context.settings.as_of_date,
        by=by,
        releases=frozen_forecasts.read(folder, by),
        scores=frozen_forecasts.score(folder, context, by),
        waiting=frozen_forecasts.waiting(folder, context, by),
        unprinted=frozen_forecasts.unprinted(folder, by),
    )
    if out is not None:
        columns = [field.name for field in fields(frozen_forecasts.FrozenScore) if field.name != "inside"]
        write(out / FILE, (_row(one) for one in outcome.scores), columns)
    return outcome


def table(outcome: Outcome) -> Iterator[str]:
    """What came of the releases as lines of plain text, none wider than 120 columns."""
    if not outcome.releases:
        yield "no forecast has been frozen yet" if outcome.by == date.max else f"nothing was frozen by {outcome.by}"
        return
    days = [release.released.isoformat() for release in outcome.releases]
    when = days[0] if len(days) == 1 else f"{min(days)} to {max(days)}"
    yield f"releases: {len(days)} (frozen {when}), held against what was published by {outcome.day}"
    yield from _scores(outcome.scores)
    yield from _waiting(outcome.waiting, outcome.day)
    if outcome.unprinted:
        yield f"not scored: {sum(outcome.unprinted.values())} forecasts of what nobody prints, or under a second name"
        yield from _wrapped(sorted(outcome.unprinted))


def _scores(scores: Sequence[FrozenScore]) -> Iterator[str]:
    if not scores:
        yield "scored: none, for nothing that was frozen has been published since"
        return
    yield f"scored: {len(scores)}, on the log scale (log odds for shares), lower is better"
    yield _line(("frozen", "target", "period", "forecast (80%)", "published", "50/80/90/95%", "CRPS", ""))
    yield from (_line(_cells(one)) for one in scores)
    levels = list(scores[0].inside)
    inside = "/".join(f"{100 * np.mean([one.inside[level] for one in scores]):.0f}" for level in levels)
    yield _line(("all", "", "", "", "", inside, f"{np.mean([one.crps for one in scores]):.3f}", ""))
    if any(one.doubtful for one in scores):
        yield "  * printed with so few digits that it may as well lie on the other side of the 80% interval's end"
    if any(one.latent for one in scores):
        yield "  ~ frozen without the lean and noise of those who print it: its interval is too narrow for one figure"


WIDTHS = (-10, -33, -10, 20, 17, 13, 5, -2)


def _line(cells: Sequence[str]) -> str:
    told = [f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True)]
    return ("  " + " ".join(told)).rstrip()


def _cells(one: FrozenScore) -> list[str]:
    from telemed_forecast.render.numerals import number_text, range_text
    from telemed_forecast.reporting.atoms import Value

    unit: Any = one.unit
    said = Value(value=one.median, unit=unit, low=one.low, high=one.high)
    came = Value(value=one.published, unit=unit, digits=4)
    inside = "/".join("+" if held else "-" for held in one.inside.values())
    told = [one.released.isoformat(), one.target, one.end.isoformat(), range_text(said, "en"), number_text(came, "en")]
    return [*told, inside, f"{one.crps:.3f}", f"{'~' if one.latent else ''}{'*' if one.doubtful else ''}"]


def _waiting(waiting: Sequence[Waiting], day: date) -> Iterator[str]:
    yield f"waiting: {len(waiting)} forecasts of {len({one.target for one in waiting})} quantities"
    dated = [one for one in waiting if one.due is not None]
    if dated:
        yield "next due, as long after their periods as such figures usually come:"
    for one in dated[:NEXT]:
        late = " (late)" if one.due is not None and one.due < day else ""
        yield f"  {one.target:<33} {one.end}  about {one.due}{late}"


def _wrapped(names: Sequence[str], width: int = 116) -> Iterator[str]:
    import textwrap

    yield from textwrap.wrap(", ".join(names), width, initial_indent="  ", subsequent_indent="  ")


def _row(one: FrozenScore) -> dict[str, Any]:
    inside = {f"inside_{100 * level:.0f}": held for level, held in one.inside.items()}
    return {name: rounded(value) for name, value in vars(one).items() if name != "inside"} | inside
