r"""Rolling origins: what would have been said at each year's end, held against what was published later.

Each origin is a whole refit on the evidence of that day, so nothing later can leak into it. Our model forecasts what
would be printed for every later row of its headline quantity, with that row's definition, publisher and grade. Rivals
know one definition only and forecast its rows; they learn the noise of publishing from the figures themselves. All
are scored on the log scale (logit for shares), where an error of 10% costs the same in every market.

The ensemble is scored as it would have been made then: with weights from the scores that were known on that day.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from telemed_forecast.evaluation import clustered_mean, scores
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.gates import Gate
from telemed_forecast.forecast import hub
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.rivals import Known, rivals
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
    day
        The origin: the last day of a year.
    gate
        Verdict on our fit of that day.
    actuals
        Rows of the headline quantity published after the day, about days after the day.
    known
        Day on which each row became known. Dims: (obs,).
    comparable
        Rows of the definition that rivals know. Dims: (obs,); boolean.
    draws
        Forecaster -> draws of what would be printed, in the row's unit; NaN columns where it has nothing to say.
        Dims: (draw, obs).
    """

    day: date
    gate: Gate
    actuals: Observations
    known: tuple[date, ...]
    comparable: np.ndarray
    draws: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Score:
    """One forecast of one figure.

    Attributes
    ----------
    member
        Who forecast: one of `MEMBERS`, ``naive`` or ``ensemble``.
    origin
        Day of the forecast.
    claim_id
        The figure that came.
    day, known
        Last day of its period, and the day it became known.
    comparable
        Whether rivals are scored on it too.
    low, median, high
        Median and 80% interval of the forecast, in `unit`.
    published
        Middle of the figure's interval, in `unit`.
    unit
        Unit of the figure.
    crps, bias
        On the log (logit) scale.
    wis, dispersion, overprediction, underprediction
        Weighted interval score at the levels of our tables, and its three parts, on the same scale.
    log_score
        In nats, of the density on the same scale.
    pit
        Share of the forecast below the figure.
    inside
        Level -> whether the central interval of that probability held it.
    quantiles
        The forecast at the levels of our tables (`hub.QUANTILES`), in `unit`.
    """

    member: str
    origin: date
    claim_id: str
    day: date
    known: date
    comparable: bool
    low: float
    median: float
    high: float
    published: float
    unit: str
    crps: float
    wis: float
    dispersion: float
    overprediction: float
    underprediction: float
    log_score: float
    bias: float
    pit: float
    inside: Mapping[float, bool]
    quantiles: tuple[float, ...] = ()


LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Central intervals whose coverage is counted."""


def origins(context: Context, market: str) -> list[Origin]:
    """Forecasts of one market at every year's end before the context's date that has met outcomes by then.

    Parameters
    ----------
    context
        Its date decides which outcomes are known; horizon and seed are used as they are.
    market
        One of `MARKETS`.
    """
    return [_origin(context, market, day) for day in days(context, market)]


def days(context: Context, market: str) -> list[date]:
    """The ends of earlier years whose forecasts have met outcomes by the context's date."""
    rows = MARKETS[market].module.headline(context)
    ends = [date(year, 12, 31) for year in YEARS if date(year, 12, 31) < context.settings.as_of_date]
    return [day for day in ends if len(_later(context, rows, day)[0])]


def _origin(context: Context, market: str, day: date) -> Origin:
    module = MARKETS[market].module
    actuals, known = _later(context, module.headline(context), day)
    earlier = as_of(context, day)
    result = module.run(earlier)
    # Row by row, each with random numbers of its own: another outcome leaves the others' forecasts as they were.
    ours = [
        module.predictive(result, actuals.where([k]), earlier.generator(f"origin {actuals.claim_id[k]}"))
        for k in range(len(actuals))
    ]
    comparable = np.asarray(module.comparable(actuals), dtype=bool)
    draws = {OURS: np.concatenate(ours, axis=1)}
    for name, drawn in _rivals(result.known, actuals.end, day, earlier.settings.seed).items():
        draws[name] = np.where(comparable, drawn, np.nan)
    gate = replace(result.fit.gate, name=f"{result.fit.gate.name}, {day.isoformat()}")
    return Origin(day, gate, actuals, known, comparable, draws)


def as_of(context: Context, day: date) -> Context:
    """The context of an origin: an earlier vintage and fewer draws; the quick profile stays quick."""
    settings: Any = context.earlier(day).settings
    return Context(settings if settings.profile == "quick" else replace(settings, profile="origins"))


def _rivals(history: Known, ends: np.ndarray, day: date, seed: int) -> dict[str, np.ndarray]:
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


def score(made: Sequence[Origin], *, seed: int) -> list[Score]:
    """Score every forecast, and the ensemble with the weights that each origin's day could know.

    Parameters
    ----------
    made
        Origins of one market, in order of their days.
    seed
        Seed of the ensemble's draws.
    """
    found: list[Score] = []
    for origin in made:
        shares = weights(found, origin.day)
        pooled = _pooled(origin, shares, seed)
        for member, draws in [*origin.draws.items(), (POOL, pooled)]:
            found += _scored(origin, member, draws)
    return found


def _pooled(origin: Origin, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """The ensemble's draws, row by row from the members that forecast the row. Dims: (draw, obs)."""
    columns = []
    for k, claim in enumerate(origin.actuals.claim_id.tolist()):
        able = {name: draws[:, k] for name, draws in origin.draws.items() if np.isfinite(draws[:, k]).all()}
        there = set(able) & set(shares)
        rng = np.random.default_rng([seed, origin.day.year, zlib.crc32(claim.encode())])
        columns.append(ensemble.pool(able, shares, size=POOL_DRAWS, rng=rng) if there else np.full(POOL_DRAWS, np.nan))
    return np.stack(columns, axis=1)


def _scored(origin: Origin, member: str, draws: np.ndarray) -> list[Score]:
    rows = origin.actuals
    found = []
    for k in np.flatnonzero(np.isfinite(draws).all(axis=0)):
        unit = str(rows.unit[k])
        column = scores.scaled(draws[:, [k]], unit)
        # The middle of the printed interval on the scale of the score: its ends are a factor apart.
        truth = scores.scaled([rows.low[k], rows.high[k]], unit).mean(keepdims=True)
        quantiles = np.quantile(draws[:, k], hub.QUANTILES)
        low, median, high = (float(q) for q in np.quantile(draws[:, k], [0.1, 0.5, 0.9]))
        parts = scores.wis(scores.scaled(quantiles, unit)[:, None], hub.QUANTILES, truth)
        found.append(
            Score(
                member=member,
                origin=origin.day,
                claim_id=str(rows.claim_id[k]),
                day=rows.end[k].astype("datetime64[D]").item(),
                known=origin.known[k],
                comparable=bool(origin.comparable[k]),
                low=low,
                median=median,
                high=high,
                published=float(0.5 * (rows.low[k] + rows.high[k])),
                unit=unit,
                crps=float(scores.crps(column, truth)[0]),
                wis=float(parts.total[0]),
                dispersion=float(parts.dispersion[0]),
                overprediction=float(parts.overprediction[0]),
                underprediction=float(parts.underprediction[0]),
                log_score=float(scores.log_score(column, truth)[0]),
                bias=float(scores.bias(column, truth)[0]),
                pit=float(scores.pit(column, truth)[0]),
                inside={level: bool(scores.inside(column, truth, level)[0]) for level in LEVELS},
                quantiles=tuple(quantiles.tolist()),
            )
        )
    return found


def shared(found: Sequence[Score], members: Sequence[str] = MEMBERS) -> list[Score]:
    """The scores of the forecasts that all these members made: same origin, same figure, no one spared."""
    who: dict[tuple[date, str], set[str]] = {}
    for one in found:
        who.setdefault((one.origin, one.claim_id), set()).add(one.member)
    return [one for one in found if set(members) <= who[one.origin, one.claim_id]]


def weights(found: Sequence[Score], day: date) -> dict[str, float]:
    """The ensemble's weights on a day: from forecasts of earlier days whose outcomes were known by then.

    Returns
    -------
    Member -> weight, all of `MEMBERS`. Outcomes count once however many origins forecast them.
    """
    past = shared([one for one in found if one.origin < day and one.known <= day])
    outcomes = len({one.claim_id for one in past})
    means = {name: _mean([one.crps for one in past if one.member == name]) for name in MEMBERS}
    return ensemble.weights(means, outcomes)


@dataclass(frozen=True)
class Standing:
    """How good a forecaster was.

    Attributes
    ----------
    member
        Name.
    weight
        In the ensemble from now on; None for those that are no members.
    number, outcomes
        Forecasts made, and different figures among them.
    coverage
        Level -> share of all its forecasts whose central interval held the figure (0..1).
    bias
        Mean of the median forecast less the figure on the log (logit) scale.
    common
        Forecasts that all members made.
    crps, wis, dispersion, overprediction, underprediction, log_score
        Means over the common forecasts; NaN without any.
    skill
        One minus `crps` over that of the random walk with drift; NaN without any.
    difference, difference_low, difference_high
        `crps` less that of the random walk with drift, below zero when better, with its interval of probability
        `clustered_mean.LEVEL`: forecasts of one day, and forecasts of one year, may depend on each other in any way.
        NaN without common forecasts; the ends also with fewer than two days or years.
    clusters
        Days or years among the common forecasts, whichever are fewer.
    """

    member: str
    weight: float | None
    number: int
    outcomes: int
    coverage: Mapping[float, float]
    bias: float
    common: int
    crps: float
    wis: float
    dispersion: float
    overprediction: float
    underprediction: float
    log_score: float
    skill: float
    difference: float
    difference_low: float
    difference_high: float
    clusters: int


MEANS = ("crps", "wis", "dispersion", "overprediction", "underprediction", "log_score")
"""Scores whose mean over the common forecasts is told."""


def standings(found: Sequence[Score], day: date) -> list[Standing]:
    """The table of all forecasters, with the weights of a day; those without any forecast are missing."""
    shares = weights(found, day)
    common = shared(found)
    drift = {(one.origin, one.claim_id): one.crps for one in common if one.member == BENCHMARK}
    table = []
    for member in dict.fromkeys([*MEMBERS, "naive", POOL]):
        own = [one for one in found if one.member == member]
        counted = [one for one in common if one.member == member]
        if own:
            table.append(_standing(own, counted, drift, shares.get(member)))
    return table


def _standing(
    own: Sequence[Score], counted: Sequence[Score], drift: Mapping[tuple[date, str], float], weight: float | None
) -> Standing:
    """One line of the table: from all forecasts of a member, and from those that all members made."""
    means = {name: _mean([getattr(one, name) for one in counted]) for name in MEANS}
    less = clustered_mean.mean(
        [one.crps - drift[one.origin, one.claim_id] for one in counted],
        [one.origin for one in counted],
        [one.day.year for one in counted],
    )
    return Standing(
        member=own[0].member,
        weight=weight,
        number=len(own),
        outcomes=len({one.claim_id for one in own}),
        coverage={level: _mean([one.inside[level] for one in own]) for level in LEVELS},
        bias=_mean([one.bias for one in own]),
        common=len(counted),
        **means,
        skill=1.0 - means["crps"] / _mean(list(drift.values())),
        difference=less.mean,
        difference_low=less.low,
        difference_high=less.high,
        clusters=less.groups,
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
