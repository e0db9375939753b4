r"""Rolling origins: what would have been said at each year's end, held against what was published later.

Each origin is a whole refit on the evidence of that day, so nothing later can leak into it, and with the constants that
could have been known (:mod:`telemed_forecast.models.constants`): a prior that was argued from a later figure has its
wider default. The same with today's constants shows how much of the record is hindsight. Our model forecasts what
would be printed for every later row of its headline quantity, with that row's definition, publisher and grade. Rivals
know one definition only and forecast its rows; they learn the noise of publishing from the figures themselves. All
are scored on the log scale (logit for shares), where an error of 10% costs the same in every market.

The ensemble is scored as it would have been made then: with weights from the scores that were known on that day.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.score_summary import FIGURE, SPREAD, summarise
from telemed_forecast.evaluation.scores import Predicted
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.gates import Gate
from telemed_forecast.forecast import hub
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.rivals import History, rivals
from telemed_forecast.models import ensemble

YEARS = range(2019, 2025)
"""Origins are the ends of these years: before 2019 hardly anything was published, after 2024 little has come yet."""

OURS = "ours"
POOL = "ensemble"

MEMBERS = (OURS, "prophet", "ets", "theta", "drift")
"""Members of the ensemble; `naive` is scored beside them as the least that a forecast must beat."""

BENCHMARK = "drift"
"""Skill is one minus the score over that of the random walk with drift."""

POOL_DRAWS = 4000
"""Draws of the ensemble."""

MONTHLY_YEARS = 10
"""[years] Rivals are asked for that long after an origin; what is about a later day finds them silent."""

NEAR = np.timedelta64(15, "D")
"""A day up to that long after a month's end counts as that end, any other as the end of its own month."""


@dataclass(frozen=True, eq=False)
class Origin:
    """The forecasts of one day, and what came.

    Attributes
    ----------
    gate
        Verdict on our fit of that day.
    actuals, known, comparable
        Rows of the headline quantity published after the day, about days after the day; when each became known, and
        whether it is of the definition that rivals know. Dims: (obs,).
    draws
        Forecaster -> draws of what would be printed, in the row's unit; NaN columns where it has nothing to say.
        Dims: (draw, obs).
    """

    forecast_date: date
    gate: Gate
    actuals: Observations
    known: tuple[date, ...]
    comparable: np.ndarray
    draws: Mapping[str, np.ndarray]


def origins(context: Context, market: str, *, hindsight: bool = False) -> list[Origin]:
    """Forecasts of one market at every year's end before the context's date that has met outcomes by then.

    With `hindsight` the models are as they are designed today, else as they could have been known on each day.
    """
    return [_origin(as_of(context, day, hindsight=hindsight), context, market) for day in days(context, market)]


def year_ends(context: Context) -> list[date]:
    """The ends of `YEARS` before the context's date."""
    return [day for year in YEARS if (day := date(year, 12, 31)) < context.settings.as_of_date]


def days(context: Context, market: str) -> list[date]:
    """The ends of earlier years whose forecasts have met outcomes by the context's date."""
    rows = MARKETS[market].headline(context)
    return [day for day in year_ends(context) if len(_later(context, rows, day)[0])]


def _origin(earlier: Context, context: Context, name: str) -> Origin:
    market, day = MARKETS[name], earlier.settings.as_of_date
    actuals, known = _later(context, market.headline(context), day)
    result = market.run(earlier)
    # Row by row, each with random numbers of its own: another outcome leaves the others' forecasts as they were.
    ours = [
        market.predictive(result, actuals.where([k]), earlier.generator(f"origin {actuals.claim_id[k]}"))
        for k in range(len(actuals))
    ]
    comparable = np.asarray(market.module.comparable(actuals), dtype=bool)
    draws = {OURS: np.concatenate(ours, axis=1)}
    for name, drawn in _rivals(result.known, actuals.end, day, earlier.settings.seed).items():
        draws[name] = np.where(comparable, drawn, np.nan)
    return Origin(day, result.dated_fit.gate, actuals, known, comparable, draws)


def as_of(context: Context, day: date, *, hindsight: bool = False) -> Context:
    """The context of an origin: an earlier vintage and fewer draws; the quick profile stays quick."""
    settings: Any = context.earlier(day).settings
    settings = settings if settings.profile == "quick" else replace(settings, profile="origins")
    return Context(settings, hindsight=hindsight)


def _rivals(history: History, ends: np.ndarray, day: date, seed: int) -> dict[str, np.ndarray]:
    """What rivals say for the month in which each figure's period ends. Name -> draws, dims (draw, obs).

    They are asked for every month's end from the newest figure on, whatever came: Prophet and AutoETS draw for all
    days at once, so that one more figure would change the draws for all others, and Prophet takes the days that it is
    asked for to be evenly spaced when it works out how uncertain its trend is.
    """
    if not history.days:
        return {}
    newest = np.datetime64(history.days[-1])
    month = np.timedelta64(1, "M")
    months = np.arange(newest.astype("M8[M]"), np.datetime64(day, "M") + (12 * MONTHLY_YEARS + 1) * month)
    days = (months + month).astype("M8[D]") - np.timedelta64(1, "D")
    days = days[days > newest]
    at = np.searchsorted(days, ends - NEAR)
    drawn = rivals(history, tuple(days.tolist()), seed)
    beyond = at >= len(days)
    return {name: np.where(beyond, np.nan, own[:, np.where(beyond, 0, at)]) for name, own in drawn.items()}


def _later(context: Context, rows: Observations, day: date) -> tuple[Observations, tuple[date, ...]]:
    """Levels that became known after a day and speak of days after it, with the days they became known."""
    known = context.view.set_index("claim_id")["known_date"]
    published = np.array([known[claim] for claim in rows.claim_id.tolist()], dtype="datetime64[D]")
    limit = np.datetime64(day)
    usable = np.isfinite(rows.high) & (rows.low > 0.0) & (rows.unit != "ratio")
    chosen = np.flatnonzero(usable & (published > limit) & (rows.end > limit))
    return rows.where(chosen), tuple(published[chosen].tolist())


def score(past: Sequence[Origin], market: str, *, seed: int) -> pd.DataFrame:
    """Score every forecast, and the ensemble with the weights that each origin's day could know.

    Parameters
    ----------
    past
        Origins of one market, in order of their days.
    market
        Its name.
    seed
        Of the ensemble's draws.

    Returns
    -------
    A frame of scores (`score_summary`), with the day on which each figure became known, who published it, whether
    rivals are scored on it too (``comparable``) and the forecast at the levels of our tables (``quantiles``).
    """
    rows: list[dict[str, Any]] = []
    for origin in past:
        pooled = _pooled(origin, weights(frame(rows), origin.forecast_date), seed)
        for member, draws in [*origin.draws.items(), (POOL, pooled)]:
            rows += [{"market": market, "member": member, **one} for one in _scored(origin, draws)]
    return frame(rows)


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of scores from its rows, with every column also where there is no row."""
    names = ("market", "member", "forecast_date", "claim_id", "day", "known", "publisher", "comparable")
    ends = ("low", "median", "high", "published")
    columns = [*names, *ends, "unit", *scores.METRICS, "quantiles"]
    types = dict.fromkeys([*ends, *scores.METRICS], float) | dict.fromkeys(["comparable", *scores.COVERAGE], bool)
    return pd.DataFrame(list(rows), columns=columns).astype(types)


def _pooled(origin: Origin, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """The ensemble's draws, row by row from the members that forecast the row. Dims: (draw, obs)."""
    columns = []
    for k, claim in enumerate(origin.actuals.claim_id.tolist()):
        able = {name: draws[:, k] for name, draws in origin.draws.items() if np.isfinite(draws[:, k]).all()}
        there = set(able) & set(shares)
        rng = np.random.default_rng([seed, origin.forecast_date.year, zlib.crc32(claim.encode())])
        columns.append(ensemble.pool(able, shares, size=POOL_DRAWS, rng=rng) if there else np.full(POOL_DRAWS, np.nan))
    return np.stack(columns, axis=1)


def _scored(origin: Origin, draws: np.ndarray) -> Iterator[dict[str, Any]]:
    rows = origin.actuals
    for k in np.flatnonzero(np.isfinite(draws).all(axis=0)):
        unit, quantiles = str(rows.unit[k]), np.quantile(draws[:, k], hub.QUANTILES)
        forecast = Predicted(scores.scaled(quantiles, unit)[:, None], hub.QUANTILES, scores.scaled(draws[:, [k]], unit))
        low, median, high = np.quantile(draws[:, k], [0.1, 0.5, 0.9]).tolist()
        yield {
            "forecast_date": origin.forecast_date,
            "claim_id": str(rows.claim_id[k]),
            "day": rows.end[k].astype("datetime64[D]").item(),
            "known": origin.known[k],
            "publisher": str(rows.origin[k]),
            "comparable": bool(origin.comparable[k]),
            **{"low": low, "median": median, "high": high},
            **scores.score(forecast, rows.low[k], rows.high[k], unit),
            "quantiles": tuple(quantiles.tolist()),
        }


def shared(found: pd.DataFrame, members: Sequence[str] = MEMBERS) -> pd.DataFrame:
    """The scores of the forecasts that all these members made: same day, same figure, no one spared."""
    made = found[found["member"].isin(members)].groupby(FIGURE)["member"].nunique()
    return found[pd.MultiIndex.from_frame(found[FIGURE]).isin(made.index[made == len(members)])]


def weights(found: pd.DataFrame, day: date) -> dict[str, float]:
    """The ensemble's weights on a day: from forecasts of earlier days whose outcomes were known by then.

    Returns
    -------
    Member -> weight, all of `MEMBERS`. Outcomes count once however many origins forecast them.
    """
    past = shared(found[(found["forecast_date"] < day) & (found["known"] <= day)])
    means = summarise(past, ["member"]).set_index("member")["crps"].reindex(list(MEMBERS))
    return ensemble.weights({str(name): float(mean) for name, mean in means.items()}, past["claim_id"].nunique())


def summary(found: pd.DataFrame, day: date) -> pd.DataFrame:
    """How good each forecaster was; those without any forecast are missing.

    Returns
    -------
    `score_summary.summarise` by member: number, outcomes, coverage and bias of all its forecasts, every other metric,
    skill and difference over those that all members made (``common``, NaN without any) against the random walk with
    drift; and ``weight`` in the ensemble from that day on (None for those that are no members).
    """
    shares, order = weights(found, day), [*MEMBERS, "naive", POOL]
    own = summarise(found, ["member"]).set_index("member")
    common = summarise(shared(found), ["member"], benchmark=BENCHMARK).set_index("member")
    told = ["number", "outcomes", "bias", *scores.COVERAGE]
    common = common.drop(columns=[*told[1:], "pit", *SPREAD]).rename(columns={"number": "common"})
    table = own[told].join(common).reindex([name for name in order if name in own.index])
    counts = table[["common", "clusters"]].fillna(0).astype(int)
    weight = pd.Series([shares.get(name) for name in table.index], index=table.index, dtype=object)
    columns = ["member", "weight", *told[:3], *common.columns, *scores.COVERAGE]
    return table.assign(weight=weight, **counts).reset_index()[columns]
