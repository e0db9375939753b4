"""Revenue of listed platforms: ahead, looking back, and the losses that are visible already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import scores
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.forecasts import fan, line
from telemed_forecast.exhibits.numbers import value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.founding_claim import FAST
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.platform_revenue import PlatformRevenue
from telemed_forecast.forecast.platform_series import FEWEST, METRICS, Result

SHOWN = 6
"""Companies in one chart: more lines cannot be told apart."""

SINCE = 2017
"""First year of the charts."""

PUBLIC_AFTER = timedelta(days=365 + 120)
"""Time from a fiscal year's end until the accounts of the next year are public: exchanges allow four months."""


def exhibits(context: Context, platforms: PlatformRevenue) -> list[Exhibit | None]:
    """What the platforms will earn, how good such forecasts were, and who loses money."""
    results = newest_results(platforms.results)
    return [
        *(_ahead(context, platforms, platforms.total) if platforms.total else ()),
        platform_challenges(context, platforms) if results else None,
        platform_profits(platforms, results) if results else None,
        platform_look_back(platforms),
        platforms_left_out(platforms),
    ]


def numbers(context: Context, platforms: PlatformRevenue) -> dict[str, Fact]:
    """What the prose says of the platforms; None where there is nothing to forecast."""
    total, results = platforms.total, newest_results(platforms.results)
    return {
        "platforms_number": len(platforms.parts),
        "platforms_year": total.periods[total.last_known].year if total else None,
        "platforms_now": value(total.draws[:, total.last_known], "CNY_million") if total else None,
        "platforms_then": value(total.year_end(context.settings.horizon), "CNY_million") if total else None,
        "platforms_correlation": Value(value=platforms.correlation, unit="ratio", digits=1),
        "platforms_fewest": FEWEST,
        "results_number": len(results),
        "results_losing": sum(one.profit < 0 for one in results),
        "results_claims": tuple(one.claim for one in results),
    }


def _ahead(context: Context, platforms: PlatformRevenue, total: Path) -> list[Exhibit | None]:
    day, claims = context.settings.as_of_date, _claims(platforms, "revenue")
    return [
        fan("platform_revenue_path", total, as_of=day, since=SINCE, claims=claims),
        platform_sum(platforms, total),
        company_revenue(context, platforms),
        _companies("company_forecasts", context, platforms, METRICS[:1]),
        _companies("part_forecasts", context, platforms, METRICS[1:]),
        platform_scores(platforms),
    ]


def _claims(platforms: PlatformRevenue, metric: str) -> tuple[str, ...]:
    found = [one.reported.claims[-1] for (name, _), one in platforms.outlooks.items() if name == metric]
    return tuple(dict.fromkeys(found))


def platform_sum(platforms: PlatformRevenue, total: Path) -> Exhibit:
    """The sum under three assumptions on how the companies move."""
    paths = {"total": total, "alone": platforms.alone, "together": platforms.together}
    shown = range(total.last_known, len(total.periods))
    columns = {name: [value(path.draws[:, k], "CNY_million") for k in shown] for name, path in paths.items() if path}
    frame = pd.DataFrame({"year": [total.periods[k].year for k in shown]} | with_interval(**columns))
    return Exhibit(name="platform_sum", frame=frame, claims=_claims(platforms, "revenue"))


def company_revenue(context: Context, platforms: PlatformRevenue) -> Exhibit:
    """The largest companies' revenue on their fiscal years, reported and forecast."""
    ours = [one for name in platforms.parts if (one := platforms.outlooks.get(("revenue", name)))]
    largest = sorted(ours, key=lambda one: -one.reported.series.values[-1])[:SHOWN]
    rows = [line(origin_name(one.reported.company), one.path.periods, one.path.draws) for one in largest]
    found = pd.concat(rows, ignore_index=True)
    years = found["period"].map(lambda day: day.year)
    shown = found[years.between(SINCE, context.settings.horizon) & (found["low"] > 0)]
    return Exhibit(
        name="company_revenue",
        frame=shown.reset_index(drop=True),
        claims=tuple(one.reported.claims[-1] for one in largest),
        as_of=context.settings.as_of_date,
    )


def _companies(name: str, context: Context, platforms: PlatformRevenue, metrics: Sequence[str]) -> Exhibit | None:
    """Each series: the newest figure, the next year and the horizon, by us and by Prophet."""
    horizon = context.settings.horizon
    ours = [one for metric in metrics for (of, _), one in platforms.outlooks.items() if of == metric]
    if not ours:
        return None
    reported, draws, prophet = ([getattr(one, what) for one in ours] for what in ("reported", "draws", "prophet"))
    at = [int(np.flatnonzero(one.years == horizon)[0]) for one in ours]
    newest = np.array([one.series.values[-1] for one in reported], dtype=float)

    def growth(forecasts: Sequence[np.ndarray | None]) -> list[Value | None]:
        """Mean growth a year from the newest figure to the horizon."""
        each = zip(forecasts, at, newest, strict=True)
        return [
            None if one is None else value(100.0 * ((one[:, k] / last) ** (1.0 / (k + 1)) - 1.0), "percent")
            for one, k, last in each
        ]

    columns: dict[str, Any] = {
        "company": [origin_name(one.company) for one in reported],
        "metric": [one.metric for one in reported],
        "fiscal_end": [str(one.series.last_days(one.series.index[-1:])[0]) for one in reported],
        "reported": newest,
        **with_interval(
            next_ours=[value(one[:, 0], "CNY_million") for one in draws],
            next_prophet=[None if one is None else value(one[:, 0], "CNY_million") for one in prophet],
            last_ours=[value(one[:, k], "CNY_million") for one, k in zip(draws, at, strict=True)],
            growth_ours=growth(draws),
            growth_prophet=growth(prophet),
        ),
    }
    if len(metrics) == 1:  # of all revenue there is no part to name
        del columns["metric"]
    claims = tuple(dict.fromkeys(one.claims[-1] for one in reported))
    due = [date.fromisoformat(end) + PUBLIC_AFTER <= context.settings.as_of_date for end in columns["fiscal_end"]]
    facts: dict[str, Fact] = {"horizon": horizon, "number": len(due), "late": sum(due)}
    return Exhibit(name=name, frame=pd.DataFrame(columns), claims=claims, facts=facts)


def platform_scores(platforms: PlatformRevenue) -> Exhibit | None:
    """How forecasts of the same kind would have done in earlier years; None where none can be checked."""
    rows = []
    for metric, ahead in product(METRICS, (1, 2)):
        past = [one for one in platforms.past if (one.metric, one.ahead) == (metric, ahead)]
        if past:
            ours, prophets = ([(one.actual, getattr(one, who)) for one in past] for who in ("draws", "prophet"))
            rows.append((metric, ahead, len(past), *_score(ours), *_score(prophets)))
    columns = ["metric", "ahead", "number", "crps", "inside", "crps_prophet", "inside_prophet"]
    return Exhibit(name="platform_scores", frame=pd.DataFrame(rows, columns=columns)) if rows else None


def _score(forecasts: Sequence[tuple[float, np.ndarray | None]]) -> tuple[float | None, float | None]:
    """Mean CRPS on the log scale, and the percentage of 80% intervals that held the figure, of those there are."""
    crps, inside = [], []
    for actual, draws in forecasts:
        if draws is not None:
            truth = scores.scaled(np.array([actual]), "CNY_million")
            scaled = scores.scaled(np.maximum(draws, 1e-6), "CNY_million")[:, None]
            crps.append(scores.crps(scaled, truth)[0])
            low, high = np.quantile(scaled, [0.1, 0.9])
            inside.append(low <= truth[0] <= high)
    return (float(np.mean(crps)), 100.0 * float(np.mean(inside))) if crps else (None, None)


def newest_results(results: Sequence[Result]) -> list[Result]:
    """Each company's newest result, in the order of first results; of a year and its second half the year."""
    companies = dict.fromkeys(one.company for one in results)
    own = ([one for one in results if one.company == company] for company in companies)
    return [max(known, key=lambda one: (one.end, one.months)) for known in own]


def platform_profits(platforms: PlatformRevenue, newest: Sequence[Result]) -> Exhibit:
    """The newest profit or loss of each company, and how many of its years ended with a loss."""
    rows = []
    for one in sorted(newest, key=lambda one: one.profit):
        years = [year.profit for year in platforms.results if year.company == one.company and year.months == 12]
        losses = sum(profit < 0 for profit in years)
        rows.append((origin_name(one.company), one.end.isoformat(), one.months, one.profit, len(years), losses))
    frame = pd.DataFrame(rows, columns=["company", "end", "months", "profit", "years", "losses"])
    return Exhibit(name="platform_profits", frame=frame, claims=tuple(one.claim for one in newest))


def platform_challenges(context: Context, platforms: PlatformRevenue) -> Exhibit | None:
    """By fiscal year: how many companies grew slowly, and how many lost money; None where neither is known."""
    series = [one.reported.series for (metric, _), one in platforms.outlooks.items() if metric == "revenue"]
    growth = [
        (int(year), after / before - 1.0)
        for one in series
        for year, last, before, after in zip(one.index[1:], one.index, one.values, one.values[1:], strict=False)
        if year == last + 1
    ]
    profit = [(one.end.year, one.profit) for one in platforms.results if one.months == 12]
    rows = []
    for year in range(SINCE, context.last_year + 1):
        grown = [rate for at, rate in growth if at == year]
        earned = [amount for at, amount in profit if at == year]
        if grown or earned:
            slow, lost = sum(rate < FAST for rate in grown), sum(amount < 0 for amount in earned)
            rows.append((year, len(grown), slow, len(earned), lost))
    frame = pd.DataFrame(rows, columns=["year", "grown", "slow", "earned", "lost"])
    return Exhibit(name="platform_challenges", frame=frame, claims=platforms.claims) if rows else None


def platform_look_back(platforms: PlatformRevenue) -> Exhibit | None:
    """Each forecast of the past beside what was reported; None where there is none."""
    past = platforms.past
    if not past:
        return None
    rows = [(origin_name(one.company), one.metric, one.origin, one.origin + one.ahead, one.actual) for one in past]
    both = with_interval(
        ours=[value(one.draws, "CNY_million") for one in past],
        prophet=[None if one.prophet is None else value(one.prophet, "CNY_million") for one in past],
    )
    frame = pd.DataFrame(rows, columns=["company", "metric", "origin", "year", "actual"]).join(pd.DataFrame(both))
    return Exhibit(name="platform_look_back", frame=frame, claims=platforms.claims)


def platforms_left_out(platforms: PlatformRevenue) -> Exhibit | None:
    """Series too short for a forecast; None where there is none."""
    rows = [(origin_name(company), metric, years) for company, metric, years in platforms.left_out]
    frame = pd.DataFrame(rows, columns=["company", "metric", "years"])
    return Exhibit(name="platforms_left_out", frame=frame) if rows else None
