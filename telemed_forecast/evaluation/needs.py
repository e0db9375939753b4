"""Which fits notebooks read: today's, those of earlier days, and those without a publisher.

A notebook declares its needs in its metadata (`telemed_forecast.fits`), so that they are made before it runs, each
model's in one process that compiles it once. What a notebook does not declare it makes itself.

Importing this module is light: a command reads what notebooks declare before it decides whether anything is to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from telemed_forecast.errors import TelemedError
from telemed_forecast.forecast.markets import MARKETS

if TYPE_CHECKING:
    from telemed_forecast.forecast.context import Context

FEEDS = {market.built_on: name for name, market in MARKETS.items() if market.built_on}
"""Model -> the model whose arrays are made of its fit."""

Place = tuple[int, int, str]
"""The number of a fit among those of its model, how many they are, and what it is of."""

MODELS = (*FEEDS, *(name for name in MARKETS if name not in FEEDS))
"""All models, those that feed others first."""


@dataclass(frozen=True)
class Needs:
    """The fits that some notebooks read, by the names of models."""

    # Fitted to everything known on the notebooks' date, as of the end of each earlier year that has met outcomes since,
    # and as of the day that a page looks back on, with the effort of today's.
    today: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    designed: frozenset[str] = frozenset()  # As of the same earlier days, with today's constants
    look_back: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()  # Fitted again without each publisher whose part weights of draws cannot tell

    @classmethod
    def of(cls, declared: Mapping[str, Iterable[str]]) -> Needs:
        """The needs of a mapping of kinds to models."""
        return cls(**{field.name: frozenset(declared.get(field.name, ())) for field in fields(cls)})

    def __or__(self, other: Needs) -> Needs:
        """What either needs."""
        return Needs(*(getattr(self, field.name) | getattr(other, field.name) for field in fields(self)))

    def to_dict(self) -> dict[str, list[str]]:
        """Plain types, for JSON: what :meth:`of` reads."""
        return {field.name: sorted(getattr(self, field.name)) for field in fields(self)}

    def models(self) -> tuple[str, ...]:
        """Every model that has to be fitted, those that feed others first."""
        named = self.today | self.earlier | self.designed | self.look_back | self.without
        return tuple(model for model in MODELS if model in named or FEEDS.get(model) in named)


def contexts(model: str, needs: Needs, context: Context) -> Iterator[tuple[str, Context]]:
    """The contexts in which a model is fitted, for itself or for the one that it feeds, each with a name for people."""
    from telemed_forecast.evaluation import conflict, rolling_origins

    read = {model, FEEDS.get(model)}
    if read & (needs.today | needs.without):
        yield "today", context
    for asked, hindsight in ((needs.earlier, False), (needs.designed, True)):
        days = {day for name in read & asked for day in rolling_origins.days(context, str(name))}
        for day in sorted(days):
            name = f"{day}, as designed today" if hindsight else day.isoformat()
            yield name, rolling_origins.as_of(context, day, hindsight=hindsight)
    then = MARKETS[model].look_back
    if model in needs.look_back and then is not None and then < context.settings.as_of_date:
        yield f"{then}, for the page", context.earlier(then)
    if model in FEEDS and read & needs.without and conflict.fits_again(context):
        yield "today, quickly", conflict.in_short(context)


def without_publishers(model: str, needs: Needs, context: Context) -> list[tuple[str, Context]]:
    """The contexts of fits without a publisher; today's fit decides which, so it has to be stored by then."""
    from telemed_forecast.evaluation import conflict

    if model not in needs.without or not conflict.fits_again(context):
        return []
    return [(f"without {publisher}", other) for publisher, other in conflict.untold(context, model)]


class FitFailed(TelemedError):
    """A fit could not be made; `at` is its place: its number among those of its model, how many, and its name."""

    def __init__(self, at: Place, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.at = at


def made(
    model: str, needs: Needs, context: Context, *, begins: Callable[[Place], None] = lambda _: None
) -> list[tuple[str, str]]:
    """Make the fits of a model, each stored as it ends: one after the other, or as many at once as a cluster takes.

    Parameters
    ----------
    model, needs, context
        As for :func:`contexts`.
    begins
        Hears of each fit that begins.

    Returns
    -------
    The key of each fit, and the processor that it was drawn on.

    Raises
    ------
    FitFailed
        The first one that failed.
    """
    from concurrent.futures import ThreadPoolExecutor

    from telemed_forecast.fits import cluster

    found: list[tuple[str, str]] = []
    ended = total = 0

    def one(named: tuple[str, Context]) -> tuple[str, str]:
        nonlocal ended
        at = (ended + 1, total, named[0])
        begins(at)
        try:
            fit = MARKETS[model].module.fit(named[1])
        except Exception as error:  # whatever it is, it is said which fit it was
            raise FitFailed(at, error) from error
        ended += 1
        return fit.key, fit.drawn_on

    threads = ThreadPoolExecutor(width := cluster.width())
    try:
        # The second needs what the first makes.
        for these in (contexts, without_publishers):
            waiting = list(these(model, needs, context))
            total += len(waiting)
            # In this thread where only one is made at a time: Ctrl-C ends a fit there at once.
            found += threads.map(one, waiting) if width > 1 else map(one, waiting)
    finally:
        # What is on its way is lost with the cluster's connection; to wait for it would take minutes.
        threads.shutdown(wait=False, cancel_futures=True)
    return found
