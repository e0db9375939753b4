"""Revenue of listed platforms: every company's series forecast, looked back upon, and summed.

Each series is forecast by the engine for own series (:mod:`telemed_forecast.curves.hypotheses`) and by Prophet, side by
side. A first half that is known of a year still to be forecast weighs the engine's draws of that year. Rolling origins
forecast the past from every year with enough of them before it. They also tell how far the companies miss in the same
direction, which the sum needs: summed as if independent the interval is too narrow, summed as if all rose and fell
together too wide; both are shown beside the sum with the common shock that the past errors have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from telemed_forecast.curves import hypotheses
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.platform_series import (
    FEWEST,
    METRICS,
    Reported,
    Result,
    calendar_weights,
    reported,
    results,
)
from telemed_forecast.models import baselines

DRAWS = 4000
"""Draws kept of each forecast."""

RECENT = 3
"""A company whose newest fiscal year lies further back than this many years is forecast, but not summed: nothing says
that it still reports."""

HALF_SPREAD = 0.15
"""sd of the logit of the first half's part of a year, when fewer than `FEWEST_HALVES` years show it."""

FEWEST_HALVES = 5

COMMON = 0.5
"""Correlation of the companies' forecast errors before any are seen: the middle between independence and unison."""

COMMON_PAIRS = 10
"""Pairs of errors that `COMMON` is worth."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """The forecast of one company's series: CNY million by fiscal year ahead, draws of equal weight, dims (draw, year).

    Prophet's draws are None with too few figures.
    """

    reported: Reported
    years: np.ndarray
    draws: np.ndarray
    prophet: np.ndarray | None

    @property
    def path(self) -> Path:
        """Known years and forecast as one path on the company's fiscal years."""
        series = self.reported.series
        index = np.concatenate([series.index, self.years])
        periods = tuple(day.astype(date) for day in series.last_days(index))
        known = np.broadcast_to(series.values, (len(self.draws), len(series.values)))
        draws = np.concatenate([known, self.draws], axis=1)
        return Path(f"{series.series_id}", "CNY_million", periods, draws, len(series.index) - 1, 12, flow=True)


@dataclass(frozen=True, eq=False)
class Past:
    """A forecast from an earlier year beside what was reported later (CNY million).

    Attributes
    ----------
    origin, ahead
        Last fiscal year that was known, and fiscal years from it to the one forecast.
    draws, prophet
        The engine's and Prophet's, who is None with too few figures. Dims: (draw,).
    """

    company: str
    metric: str
    origin: int
    ahead: int
    actual: float
    draws: np.ndarray
    prophet: np.ndarray | None

    @property
    def normal(self) -> float:
        """The figure's rank among the engine's draws as a standard normal number."""
        from scipy import special

        below = (self.draws < self.actual).sum() + 0.5 * (self.draws == self.actual).sum()
        return float(special.ndtri((below + 0.5) / (len(self.draws) + 1)))


@dataclass(frozen=True, eq=False)
class PlatformRevenue:
    """The forecast of the platforms' revenue.

    Attributes
    ----------
    outlooks, left_out
        By metric and company; and (company, metric, fiscal years known) of series that are too short.
    total, alone, together
        Sum of the companies that still report, by calendar year (CNY million): with the common shock, with independent
        companies, and with all in unison.
    parts
        Calendar-year revenue of each summed company, its draws paired with `total`. Dims of each: (draw, year).
    correlation
        Of the common shock.
    past, results
        Forecasts from every earlier year with enough figures before it; profits and losses as reported.
    """

    outlooks: dict[tuple[str, str], Outlook]
    left_out: tuple[tuple[str, str, int], ...]
    total: Path | None
    alone: Path | None
    together: Path | None
    parts: dict[str, np.ndarray]
    correlation: float
    past: tuple[Past, ...]
    results: tuple[Result, ...]

    @property
    def claims(self) -> tuple[str, ...]:
        """Claim ids of every figure in a series."""
        return tuple(dict.fromkeys(c for one in self.outlooks.values() for c in one.reported.claims))


def run(context: Context) -> PlatformRevenue:
    """Forecast every series that is long enough, score earlier forecasts and sum the companies."""
    found = [one for metric in METRICS for one in reported(context, metric)]
    series = [one for one in found if len(one.series.index) >= FEWEST]
    halves = first_half_law([one for one in found if one.metric == "revenue"])
    seed, horizon = context.settings.seed, context.settings.horizon
    outlooks = {
        # A fiscal year that ends early needs one more to fill the last calendar year.
        (one.metric, one.company): outlook(one, horizon + (one.series.early > 0), halves=halves, seed=seed)
        for one in series
    }
    past = tuple(made for one in series for made in look_back(one, seed=seed))
    common = correlation([made for made in past if made.metric == "revenue" and made.ahead == 1])
    summed = {
        company: one
        for (metric, company), one in outlooks.items()
        if metric == "revenue" and one.reported.last >= context.last_year - RECENT
    }
    rng = context.generator("platform_revenue")
    sums = {rho: _sum(summed, horizon, rho=rho, rng=rng) for rho in (common, 0.0, 1.0)} if summed else {}
    total, alone, together = (_path(sums.get(rho), horizon, context.last_year) for rho in (common, 0.0, 1.0))
    return PlatformRevenue(
        outlooks=outlooks,
        left_out=tuple((o.company, o.metric, len(o.series.index)) for o in found if len(o.series.index) < FEWEST),
        total=total,
        alone=alone,
        together=together,
        parts=sums.get(common, {}),
        correlation=common,
        past=past,
        results=tuple(results(context)),
    )


def outlook(one: Reported, last: int, *, halves: tuple[float, float], seed: int) -> Outlook:
    """Forecast one series to a last fiscal year, with halves as :func:`first_half_law` returns them."""
    years = np.arange(one.last + 1, last + 1)
    numbers = hypotheses.uniform(hypotheses.DRAWS, len(years), seed)
    paths, weights = hypotheses.sample(one.series, len(years), prior=hypotheses.shipped(), numbers=numbers)
    before = np.vstack([np.full(paths.shape[1], one.series.values[-1]), paths[:-1]])
    for k, year in enumerate(years):
        if int(year) in one.first_halves:
            weights = weights * _first_half(one.first_halves[int(year)], paths[k], before[k], halves)
    days = one.series.last_days(one.series.index)
    prophet = baselines.forecast("prophet", days, one.series.values, one.series.last_days(years), seed=seed)
    return Outlook(one, years, paths[:, _resampled(weights, seed)].T, prophet)


def _resampled(weights: np.ndarray, seed: int) -> np.ndarray:
    """Positions of draws of equal weight, by systematic resampling in random order. Dims: (DRAWS,)."""
    rng = np.random.default_rng(seed)
    reached = np.cumsum(weights) / weights.sum()
    position = np.searchsorted(reached, (np.arange(DRAWS) + rng.uniform()) / DRAWS)
    return rng.permutation(np.minimum(position, len(weights) - 1))


def first_half_law(series: Sequence[Reported]) -> tuple[float, float]:
    r"""How large a part of a year its first half is: season and spread, learned from all years with both.

    In a year that grows by :math:`g` (log) the second half is about :math:`e^{g/2}` times the first, so

    .. math:: \operatorname{logit}(\text{first half} / \text{year}) = -g / 2 + \text{season} + \text{spread}\; t_4.

    Returns
    -------
    season, spread
        On the logit scale.
    """
    found = []
    for one in series:
        known = dict(zip(one.series.index.tolist(), one.series.values.tolist(), strict=True))
        for year, half in one.first_halves.items():
            if year in known and year - 1 in known and half < known[year]:
                found.append(_logit(half / known[year]) + 0.5 * np.log(known[year] / known[year - 1]))
    if len(found) < FEWEST_HALVES:
        return 0.0, HALF_SPREAD
    season = float(np.median(found))
    # The mean absolute deviation of t4 is its scale: as robust as the likelihood itself.
    return season, float(np.mean(np.abs(np.array(found) - season)))


def _first_half(half: float, year: np.ndarray, before: np.ndarray, halves: tuple[float, float]) -> np.ndarray:
    """Likelihood of a first half for draws of its year and of the year before. Dims: (draw,)."""
    season, spread = halves
    larger = year > half
    part = np.where(larger, half / np.maximum(year, 1e-9), 0.5)
    off = (_logit(part) + 0.5 * np.log(np.maximum(year, 1e-9) / np.maximum(before, 1e-9)) - season) / spread
    return np.where(larger, (1.0 + off**2 / 4.0) ** -2.5, 0.0) + 1e-300


def _logit(share: np.ndarray | float) -> np.ndarray:
    return np.log(share) - np.log1p(-np.asarray(share))


def look_back(one: Reported, *, seed: int) -> list[Past]:
    """Forecast one and two fiscal years from every year that has `FEWEST` figures up to it.

    The figures are those known now: what is tested is the forecast, not the first release. Half-years help no forecast
    of the past, so the test is harder than the present.
    """
    known = dict(zip(one.series.index.tolist(), one.series.values.tolist(), strict=True))
    found = []
    for origin in one.series.index[FEWEST - 1 : -1].tolist():
        targets = [year for year in (origin + 1, origin + 2) if year in known]
        if not targets:
            continue
        made = outlook(replace(one.until(origin), first_halves={}), origin + 2, halves=(0.0, 1.0), seed=seed)
        for year in targets:
            at = year - origin - 1
            theirs = None if made.prophet is None else made.prophet[:, at]
            found.append(Past(one.company, one.metric, origin, at + 1, known[year], made.draws[:, at], theirs))
    return found


def correlation(past: Sequence[Past]) -> float:
    """Correlation of different companies' errors in the same fiscal year, shrunk to `COMMON`, between 0 and 0.95."""
    errors = [(made.company, made.origin + made.ahead, made.normal) for made in past]
    products = [
        z * other
        for k, (company, year, z) in enumerate(errors)
        for rival, same, other in errors[k + 1 :]
        if company != rival and year == same
    ]
    size = float(np.mean([z**2 for *_, z in errors])) if errors else 1.0
    found = (sum(products) / size + COMMON * COMMON_PAIRS) / (len(products) + COMMON_PAIRS)
    return float(np.clip(found, 0.0, 0.95))


def _sum(summed: Mapping[str, Outlook], horizon: int, *, rho: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Calendar-year revenue of each company, whole paths paired by a Gaussian copula. Dims of each: (draw, year)."""
    first = max(int(one.reported.series.index[0]) for one in summed.values())
    years = range(first, horizon + 1)
    shock = rng.standard_normal(DRAWS)
    found = {}
    for company, one in summed.items():
        own = np.sqrt(rho) * shock + np.sqrt(1.0 - rho) * rng.standard_normal(DRAWS)
        # A whole path stays whole: the higher ones go to the higher shocks.
        height = np.log(np.maximum(one.draws, 1e-9)).mean(axis=1)
        paired = np.empty(DRAWS, dtype=int)
        paired[np.argsort(own)] = np.argsort(height, kind="stable")
        found[company] = _calendar(one, paired, years)
    return found


def _calendar(one: Outlook, order: np.ndarray, years: range) -> np.ndarray:
    """Draws by calendar year; years that were passed over are interpolated on the log scale. Dims: (draw, year)."""
    series = one.reported.series
    fiscal = np.arange(years[0], years[-1] + 2)
    known = np.exp(np.interp(fiscal, series.index, np.log(series.values)))
    by_year = np.tile(known, (len(order), 1))
    ahead = (fiscal > series.index[-1]) & (fiscal <= one.years[-1])
    by_year[:, ahead] = one.draws[order][:, np.isin(one.years, fiscal[ahead])]
    weights = np.array([calendar_weights(year, series.early) for year in years])
    return by_year[:, :-1] * weights[:, 0] + by_year[:, 1:] * weights[:, 1]


def _path(parts: Mapping[str, np.ndarray] | None, horizon: int, last_year: int) -> Path | None:
    if not parts:
        return None
    total = np.sum(list(parts.values()), axis=0)
    years = range(horizon + 1 - total.shape[1], horizon + 1)
    periods = tuple(date(year, 12, 31) for year in years)
    known = min(max(0, last_year - years[0]), len(years) - 1)
    return Path("platform_revenue", "CNY_million", periods, total, known, 12, flow=True)
