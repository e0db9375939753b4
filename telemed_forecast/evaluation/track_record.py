"""The track record: our forecasts of earlier days and those of others, held against what came.

Everything here is measured on the context's date with what was known by then. Our forecasts are those of
`rolling_origins`: whole refits on the evidence of each year's end, in which nothing later can take part.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import clustered_mean, frozen_forecasts, league, misses, publishers, rolling_origins
from telemed_forecast.evaluation.clustered_mean import ClusteredMean
from telemed_forecast.evaluation.coverage import Coverage, coverage, histogram
from telemed_forecast.evaluation.frozen_forecasts import FrozenScore, Waiting
from telemed_forecast.evaluation.league import HeadToHead, Judged
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.evaluation.misses import Miss
from telemed_forecast.evaluation.published_forecasts import Unscored
from telemed_forecast.evaluation.publishers import Publisher
from telemed_forecast.evaluation.rolling_origins import OURS, Origin, Score, Standing
from telemed_forecast.forecast.context import Context
from telemed_forecast.paths import RELEASES

WORST = 5
"""Misses that are explained."""

BINS = 10
"""Bins of the histogram of probability integral transforms."""

HORIZONS = (1.0, 2.0, 3.0)
"""[years] Where one group of horizons ends and the next begins."""


@dataclass(frozen=True)
class Slice:
    """Our forecasts of one kind.

    Attributes
    ----------
    name
        The group: a market, a year of origin, or a position among `HORIZONS`.
    number, outcomes
        Forecasts, and different figures among them.
    inside
        Level -> part of the forecasts whose central interval held the figure.
    bias
        Mean of the median forecast less the figure on the scale of the scores, with an interval that lets forecasts of
        one day, and of one year, depend on each other.
    allowed
        Ends of the part inside the interval of `misses.LEVEL` that chance allows to so many forecasts of so few
        outcomes and days (`coverage.Coverage.alone_low`).
    crps, wis
        Means.
    typical
        Median absolute error of the median forecast.
    """

    name: Any
    number: int
    outcomes: int
    inside: Mapping[float, float]
    allowed: tuple[float, float]
    bias: ClusteredMean
    crps: float
    wis: float
    typical: float


@dataclass(frozen=True)
class Frozen:
    """Releases: forecasts that were frozen before their figures came.

    Attributes
    ----------
    releases
        Names of those frozen by the context's date.
    scores
        Their forecasts whose figures have come.
    waiting
        Those whose figures have not, the next due first.
    altered
        Whether one of them is not as it was frozen, so that none of them counts.
    """

    releases: tuple[str, ...]
    scores: tuple[FrozenScore, ...]
    waiting: tuple[Waiting, ...]
    altered: bool


@dataclass(frozen=True, eq=False)
class TrackRecord:
    """What was forecast, by us and by others, and what came.

    Attributes
    ----------
    results
        Our models' results of today by market: in a market that nobody counts they are what came.
    past, scores, standings
        By market: origins, scores of every forecaster, and their table.
    by_market, by_horizon, by_origin
        Our forecasts in groups.
    coverage, histogram
        Of our forecasts of all markets; None and empty without any.
    misses
        Our worst, one a market and day.
    missed
        Our forecasts whose 80% interval did not hold the figure.
    league, unscored
        Published forecasts, the worst first, and those that are not scored.
    publishers
        The record of each, the one that is usually nearest first.
    same_day, same_day_by_others
        Our forecasts of the same days beside the published ones: with `quantities.Truth`, and with other houses' later
        estimates, as the judge; None without a pair.
    frozen
        Releases.
    """

    results: Mapping[str, Any]
    past: Mapping[str, list[Origin]]
    scores: Mapping[str, list[Score]]
    standings: Mapping[str, list[Standing]]
    by_market: list[Slice]
    by_horizon: list[Slice]
    by_origin: list[Slice]
    coverage: Coverage | None
    histogram: np.ndarray
    misses: list[Miss]
    missed: int
    league: list[Judged]
    unscored: list[Unscored]
    publishers: list[Publisher]
    same_day: HeadToHead | None
    same_day_by_others: HeadToHead | None
    frozen: Frozen

    @property
    def pairs(self) -> int:
        """Published forecasts beside which ours of the same day stands."""
        return self.same_day.number if self.same_day is not None else 0

    @property
    def outcomes(self) -> int:
        """Different outcomes of these pairs."""
        return self.same_day.outcomes if self.same_day is not None else 0

    @property
    def latest(self) -> dict[str, np.ndarray]:
        """What we said last about the first figure that came, by market. Dims: (sample,)."""
        last = {market: made[-1] for market, made in self.past.items() if made}
        return {
            f"{market} of {one.day}: {one.actuals.claim_id[0]}": one.draws[OURS][:, 0] for market, one in last.items()
        }

    @property
    def chains(self) -> int:
        """Chains of the fits of earlier days."""
        return next((made[-1].gate.chains for made in self.past.values() if made), 1)

    @property
    def ours(self) -> list[tuple[str, Score]]:
        """Every forecast of ours with its market."""
        return [(market, one) for market, own in self.scores.items() for one in own if one.member == OURS]


def run(context: Context, *, releases: Path = RELEASES) -> TrackRecord:
    """The track record as of the context's date.

    Parameters
    ----------
    context
        Settings and evidence.
    releases
        Folder of the releases.
    """
    seed = context.settings.seed
    past = {market: rolling_origins.origins(context, market) for market in MARKETS}
    found = {market: rolling_origins.score(made, seed=seed) for market, made in past.items()}
    ours = [(market, one) for market, own in found.items() for one in own if one.member == OURS]
    judged, unscored, now = league.judged(context)
    pit = [one.pit for _, one in ours]
    return TrackRecord(
        results={market: now.result(market) for market in MARKETS},
        past=past,
        scores=found,
        standings={m: rolling_origins.standings(own, context.settings.as_of_date) for m, own in found.items()},
        by_market=slices(ours, lambda market, one: market, seed=seed),
        by_horizon=slices(ours, lambda market, one: horizon(one), seed=seed),
        by_origin=slices(ours, lambda market, one: one.origin.year, seed=seed),
        coverage=coverage(pit, *groupings(ours), seed=seed) if pit else None,
        histogram=histogram(pit, BINS),
        misses=misses.worst(context, past, found, WORST),
        missed=sum(misses.is_miss(one) for _, one in ours),
        league=judged,
        unscored=unscored,
        publishers=publishers.table(judged, seed=seed),
        same_day=league.head_to_head(judged),
        same_day_by_others=league.head_to_head(judged, by_others=True),
        frozen=frozen_by(releases, context),
    )


def frozen_by(folder: Path, context: Context) -> Frozen:
    """The releases that were frozen by the context's date: no later one can be scored with what was known then."""
    if not folder.is_dir():
        return Frozen((), (), (), altered=False)
    day = context.settings.as_of_date
    try:
        known = frozen_forecasts.read(folder, day)
    except TelemedError:
        return Frozen((), (), (), altered=True)
    return Frozen(
        releases=tuple(release.name for release in known),
        scores=tuple(frozen_forecasts.score(folder, context, day)),
        waiting=tuple(frozen_forecasts.waiting(folder, context, day)),
        altered=False,
    )


def horizon(one: Score) -> int:
    """Position of a forecast's horizon among `HORIZONS`: 0 up to a year, and so on."""
    ahead = (one.day - one.origin).days / 365.25
    return int(np.searchsorted(HORIZONS, ahead - 0.01))


def groupings(ours: Sequence[tuple[str, Score]]) -> tuple[list[Hashable], list[Hashable]]:
    """What forecasts may share: the market and the year of what came, and the market and the day of the forecast."""
    return (
        [(market, one.day.year) for market, one in ours],
        [(market, one.origin) for market, one in ours],
    )


def slices(ours: Sequence[tuple[str, Score]], kind: Callable[[str, Score], Any], *, seed: int) -> list[Slice]:
    """Our forecasts in groups, in the order of the groups' names, or of the markets.

    Parameters
    ----------
    ours
        Market and forecast.
    kind
        The group of each.
    seed
        Seed of the band that chance allows.
    """
    groups: dict[Any, list[tuple[str, Score]]] = {}
    for market, one in ours:
        groups.setdefault(kind(market, one), []).append((market, one))
    order = list(MARKETS)
    names = sorted(groups, key=lambda name: order.index(name) if name in order else name)
    return [_slice(name, groups[name], seed) for name in names]


def _slice(name: Any, own: Sequence[tuple[str, Score]], seed: int) -> Slice:
    by_outcome, by_origin = groupings(own)
    only = [one for _, one in own]
    curve = coverage([one.pit for one in only], by_outcome, by_origin, seed=seed)
    at = curve.at(misses.LEVEL)
    return Slice(
        name=name,
        number=len(own),
        outcomes=len({one.claim_id for one in only}),
        inside={level: float(np.mean([one.inside[level] for one in only])) for level in rolling_origins.LEVELS},
        allowed=(float(curve.alone_low[at]), float(curve.alone_high[at])),
        bias=clustered_mean.mean([one.bias for one in only], by_outcome, by_origin),
        crps=float(np.mean([one.crps for one in only])),
        wis=float(np.mean([one.wis for one in only])),
        typical=float(np.median([abs(one.bias) for one in only])),
    )
