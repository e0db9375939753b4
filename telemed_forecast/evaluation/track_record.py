"""The track record: our forecasts of earlier days and those of others, held against what came.

Everything here is measured on the context's date with what was known by then. Our forecasts are those of
`rolling_origins`: whole refits on the evidence of each year's end, in which nothing later can take part, neither a
figure nor a constant that was argued from one. Beside them stand those with the models as they are designed today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import frozen_forecasts, league, misses, publishers, rolling_origins
from telemed_forecast.evaluation.coverage import coverage
from telemed_forecast.evaluation.frozen_forecasts import Frozen
from telemed_forecast.evaluation.rolling_origins import OURS, Origin
from telemed_forecast.evaluation.score_summary import clusters, summarise
from telemed_forecast.evaluation.scores import HELD, LEVEL
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.paths import RELEASES

WORST = 5
"""Misses that are explained."""

HORIZONS = (1.0, 2.0, 3.0)
"""[years] Where one group of horizons ends and the next begins."""


@dataclass(frozen=True, eq=False)
class TrackRecord:
    """What was forecast, by us and by others, and what came.

    Attributes
    ----------
    results, past
        Our forecasts of today by market (in a market that nobody counts they are what came), and origins.
    scores, ours
        Scores of every forecaster in all markets, and ours among them, with the ``year`` of the forecast and its
        ``horizon``: 0 up to a year, and so on (`HORIZONS`).
    misses
        Our worst, one a market and day.
    league, unscored, publishers
        Published forecasts, the worst first, those that are not scored, and the record of each publisher.
    designed, with_hindsight
        Our origins with the models as they are designed today, and their scores: how much of the record is hindsight.
    same_day, same_day_by_us
        Our forecasts of the same days beside the published ones, with neutral judges, and those of which our own
        posterior is the only judge; None without a pair.
    frozen
        Releases: forecasts that were frozen before their figures came.
    """

    results: Mapping[str, Forecast]
    past: Mapping[str, list[Origin]]
    scores: pd.DataFrame
    ours: pd.DataFrame
    misses: pd.DataFrame
    league: pd.DataFrame
    unscored: pd.DataFrame
    publishers: pd.DataFrame
    designed: Mapping[str, list[Origin]]
    with_hindsight: pd.DataFrame
    same_day: dict[str, Any] | None
    same_day_by_us: dict[str, Any] | None
    frozen: Frozen
    seed: int

    @property
    def missed(self) -> pd.DataFrame:
        """Our forecasts whose 80% interval did not hold the figure."""
        return self.ours[~self.ours[HELD]]

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """Coverage of our forecasts of all markets by level."""
        return coverage(self.ours["pit"].tolist(), *clusters(self.ours), seed=self.seed)

    def by(self, column: str) -> pd.DataFrame:
        """Our forecasts by ``market``, ``year`` or ``horizon`` (`summarise`), with what chance allows to so few."""
        groups = [(name, own) for name, own in self.ours.groupby(column, sort=column != "market")]
        curves = [coverage(own["pit"].tolist(), *clusters(own), seed=self.seed) for _, own in groups]
        allowed = pd.DataFrame([curve.loc[LEVEL, ["alone_low", "alone_high"]] for curve in curves])
        table = summarise(pd.concat([own for _, own in groups]), [column])
        return table.join(allowed.reset_index(drop=True))

    @property
    def pairs(self) -> int:
        """Published forecasts beside which ours of the same day stands."""
        return int(self.league["forecast_date"].notna().sum())

    @property
    def outcomes(self) -> int:
        """Different outcomes of these pairs."""
        return len(self.league.loc[self.league["forecast_date"].notna(), league.OUTCOME].drop_duplicates())

    @property
    def latest(self) -> dict[str, np.ndarray]:
        """What we say last, as designed today, about the first figure that came, by market. Dims: (sample,)."""
        last = {market: made[-1] for market, made in self.designed.items() if made}
        return {
            f"{market} of {one.forecast_date}: {one.actuals.claim_id[0]}": one.draws[OURS][:, 0]
            for market, one in last.items()
        }

    @property
    def chains(self) -> int:
        """Chains of the fits of earlier days."""
        return next((made[-1].gate.chains for made in self.past.values() if made), 1)


def run(context: Context, *, releases: Path = RELEASES) -> TrackRecord:
    """The track record as of the context's date, with what a folder of releases froze."""
    seed = context.settings.seed
    past, designed = (
        {market: rolling_origins.origins(context, market, hindsight=hindsight) for market in MARKETS}
        for hindsight in (False, True)
    )
    scores, hindsight = (
        pd.concat([rolling_origins.score(origins, market, seed=seed) for market, origins in made.items()])
        for made in (past, designed)
    )
    judged, unscored, now = league.judged(context)
    return TrackRecord(
        results={market: now.result(market) for market in MARKETS},
        past=past,
        designed=designed,
        with_hindsight=_with_horizon(hindsight[hindsight["member"] == OURS]),
        scores=scores,
        ours=_with_horizon(scores[scores["member"] == OURS]),
        misses=misses.worst(context, scores, WORST),
        league=judged,
        unscored=unscored,
        publishers=publishers.table(judged, seed=seed),
        same_day=league.head_to_head(judged),
        same_day_by_us=league.head_to_head(judged, by="closer"),
        frozen=frozen_forecasts.record(releases, context),
        seed=seed,
    )


def _with_horizon(ours: pd.DataFrame) -> pd.DataFrame:
    ahead = [(day - made).days / 365.25 for day, made in zip(ours["day"], ours["forecast_date"], strict=True)]
    years = [made.year for made in ours["forecast_date"]]
    return ours.assign(year=years, horizon=np.searchsorted(HORIZONS, np.array(ahead) - 0.01))
