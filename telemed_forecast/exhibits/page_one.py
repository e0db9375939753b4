"""Page one: each headline by year, the players' shares, ours beside what others published, and what a release said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path as Folder
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import frozen_forecasts
from telemed_forecast.evaluation.published_sizes import PublishedSize, published
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits.evidence import claims_of, origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.numbers import value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.money import Telling
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.forecast.platform_series import Reported, reported
from telemed_forecast.paths import RELEASES

LARGEST = 6
"""Players named one by one; the others are summed."""

REPORTING = 2
"""A company whose newest fiscal year lies further back than this many years is no present player."""

WHOLESALE = ("ysb",)
"""Companies that sell to pharmacies, not to patients: their revenue is no part of the market."""

CLOSE = 0.1
"""Distance, as part of ours, within which a published outlook counts as near."""


@dataclass(frozen=True)
class Headline:
    """One quantity of page one: its path, and the published figures that are held to be actuals."""

    path: Path
    actuals: Observations
    grows: bool = True


def headline_years(context: Context, headlines: Sequence[Headline], dollars: Telling, last: int) -> Exhibit:
    """The newest published figure of each headline, the last full year, the next one and the horizon, with growth.

    Parameters
    ----------
    context
        Settings and evidence.
    headlines
        The quantities, in reading order.
    dollars
        Turns an amount of yuan into one of dollars, which gets a row below it.
    last
        The last full year.
    """
    horizon = context.settings.horizon
    years = {"now": last, "next": last + 1, "then": horizon}
    if years["next"] >= horizon:
        del years["next"]
    rows = [row for one in headlines for row in _told(context, one, dollars)]
    columns: dict[str, list[Any]] = {
        "quantity": [f"@headline.{one.path.target}" for one, _ in rows],
        "newest": ["" if actual is None else f"{actual.year}A" for _, actual in rows],
        "actual": [None if actual is None else actual.printed.value for _, actual in rows],
        "actual_unit": [one.path.unit for one, _ in rows],
        "actual_digits": [None if actual is None else actual.printed.digits for _, actual in rows],
    }
    for name, year in years.items():
        columns |= with_interval(**{name: [_at(one.path, year) for one, _ in rows]})
        columns[f"{name}_unit"] = [one.path.unit for one, _ in rows]
    columns |= with_interval(growth=[_growth(one, last, horizon) for one, _ in rows])
    facts: dict[str, Fact] = {"now": last, "next": last + 1, "then": horizon}
    claims = dict.fromkeys(actual.claim for _, actual in rows if actual)
    return Exhibit(name="headline_years", frame=pd.DataFrame(columns), claims=tuple(claims), facts=facts)


@dataclass(frozen=True)
class _Actual:
    """The newest published figure of a quantity, as it was printed."""

    year: int
    printed: Value
    claim: str


def _told(context: Context, one: Headline, dollars: Telling) -> list[tuple[Headline, _Actual | None]]:
    """A headline with its newest figure; an amount of money in yuan and in dollars."""
    actual = _newest(context, one)
    if one.path.unit != "CNY_million":
        return [(one, actual)]
    converted = None
    if actual is not None:
        worth = actual.printed.value * dollars.constant(actual.year)
        converted = replace(actual, printed=Value(value=worth, unit=dollars.unit, digits=3))
    return [(one, actual), (replace(one, path=dollars.path(one.path)), converted)]


def _newest(context: Context, one: Headline) -> _Actual | None:
    """The figure of the newest day; of several the better grade, then the one published last."""
    found = one.actuals.where(one.actuals.bounded)
    if not len(found):
        return None
    view = context.view.set_index("claim_id")
    known = view.loc[list(found.claim_id), "known_date"].to_numpy("datetime64[D]").astype(int)
    better = np.array([-ord(str(grade)[0]) for grade in found.grade])
    k = int(np.lexsort((known, better, found.end.astype(int)))[-1])
    claim, row = str(found.claim_id[k]), view.loc[str(found.claim_id[k])].to_dict()
    as_printed = row["unit"] == one.path.unit and row["relation"] in ("eq", "approx") and pd.notna(row["value"])
    number = float(row["value"]) if as_printed else 0.5 * float(found.low[k] + found.high[k])
    printed = Value(value=number, unit=one.path.unit, digits=None if as_printed else 3)
    end = found.end[k].astype(date)
    return _Actual(end.year, printed, claim)


def _at(path: Path, year: int) -> Value | None:
    day = date(year, 12, 31)
    return value(path.year_end(year), path.unit) if day in path.periods else None


def _growth(one: Headline, last: int, horizon: int) -> Value | None:
    """Mean growth a year from the last full year to the horizon; None for what is a share already."""
    if not one.grows or date(last, 12, 31) not in one.path.periods or horizon <= last:
        return None
    grown = growth(one.path, last, horizon)
    # What had vanished in some draw has no growth there.
    return value(grown, "percent") if np.isfinite(grown).all() else None


def growth(path: Path, first: int, last: int) -> np.ndarray:
    """Draws of the mean growth a year, in percent. Dims: (sample,)."""
    return np.asarray(100.0 * ((path.year_end(last) / path.year_end(first)) ** (1.0 / (last - first)) - 1.0))


def market_players(context: Context, market: Path) -> Exhibit | None:
    """Revenue of the largest companies in their newest fiscal year, and its part of our market of that year."""
    recent = [one for one in reported(context, "revenue") if _present(one, context.last_year, market)]
    ranked = sorted(recent, key=lambda one: -one.series.values[-1])
    if not ranked:
        return None
    named, others = ranked[:LARGEST], ranked[LARGEST:]
    rows = [(origin_name(one.company), _fiscal_end(one), *_sold([one], market)) for one in named]
    if others:
        rows.append(("@player.others", "", *_sold(others, market)))
        rows.append(("@player.all", "", *_sold(ranked, market)))
    companies, ends, revenue, shares = zip(*rows, strict=True)
    columns = {"company": companies, "fiscal_end": ends, "reported": revenue} | with_interval(share=shares)
    facts: dict[str, Fact] = {"number": len(ranked), "others": len(others)}
    claims = tuple(one.claims[-1] for one in ranked)
    return Exhibit(name="market_players", frame=pd.DataFrame(columns), claims=claims, facts=facts)


def _present(one: Reported, last_year: int, market: Path) -> bool:
    known = date(_year(one), 12, 31) in market.periods
    return one.company not in WHOLESALE and known and last_year - _year(one) <= REPORTING


def _fiscal_end(one: Reported) -> str:
    return str(one.series.last_days(one.series.index[-1:])[0])


def _year(one: Reported) -> int:
    """The calendar year that holds most of the newest fiscal year."""
    end = date.fromisoformat(_fiscal_end(one))
    return end.year if end.month > 6 else end.year - 1


def _sold(companies: Sequence[Reported], market: Path) -> tuple[float, Value]:
    """Revenue of companies, each in its newest fiscal year, and its part of the market of those years."""
    parts = [100.0 * one.series.values[-1] / market.year_end(_year(one)) for one in companies]
    return float(sum(one.series.values[-1] for one in companies)), value(np.sum(parts, axis=0), "percent")


def outlooks(context: Context, market: Forecast) -> list[PublishedSize]:
    """Published forecasts of a definition of ours for the last full year and later, the newest first."""
    rows = [
        row
        for row in published(context, market)
        if row.forecast and row.grade < "D" and row.ratio is not None and row.year >= context.last_year
    ]
    return sorted(rows, key=lambda row: (row.published_on, row.year), reverse=True)


def published_outlooks(market: Forecast, rows: Sequence[PublishedSize]) -> Exhibit | None:
    """What others expect of the last full year and later, beside ours of the same year and definition."""
    if not rows:
        return None
    ours = [value(market[f"market_size_{row.definition}"].year_end(row.year), "CNY_million") for row in rows]
    frame = pd.DataFrame(
        {
            "origin": [origin_name(row.origin) for row in rows],
            "published_on": [row.published_on[:7] for row in rows],
            "year": [row.year for row in rows],
            "definition": [row.definition for row in rows],
            "published": [row.size for row in rows],
            **with_interval(ours=ours, ratio=[value(_ratio(row), "multiple") for row in rows]),
        }
    )
    claims = tuple(row.claim_id for row in rows)
    return Exhibit(name="published_outlooks", frame=frame, claims=claims, facts={"number": len(rows)})


def outlook_numbers(rows: Sequence[PublishedSize]) -> dict[str, Fact]:
    """How many published outlooks lie above ours, below, and near; and which is the newest."""
    if not rows:
        return {"outlooks": 0}
    ratios = np.array([np.median(_ratio(row)) for row in rows])
    newest = rows[0]
    return {
        "outlooks": len(rows),
        "outlooks_above": int((ratios > 1.0 + CLOSE).sum()),
        "outlooks_below": int((ratios < 1.0 - CLOSE).sum()),
        "outlooks_near": int((np.abs(ratios - 1.0) <= CLOSE).sum()),
        "outlooks_factor": Value(value=100.0 * CLOSE, unit="percent", digits=2),
        "outlook_last": max(row.year for row in rows),
        "outlook_origin": origin_name(newest.origin),
        "outlook_on": newest.published_on,
        "outlook_year": newest.year,
        "outlook_size": Value(value=newest.size, unit="CNY_million"),
        "outlook_claims": tuple(row.claim_id for row in rows),
    }


def _ratio(row: PublishedSize) -> np.ndarray:
    return np.asarray(row.ratio, dtype=float)


def since_release(context: Context, paths: Iterable[Path], releases: Folder = RELEASES) -> Exhibit | None:
    """The newest release of this scenario beside the present forecast at the horizon; None where there is none."""
    frozen = _last_release(context, releases)
    day = date(context.settings.horizon, 12, 31)
    rows = []
    for path in paths:
        said = frozen[(frozen["target"] == path.target) & (frozen["day"] == day)].set_index("level")["value"]
        if {0.1, 0.5, 0.9} <= {*said.index} and day in path.periods:
            then = Value(value=said[0.5], low=said[0.1], high=said[0.9], unit=path.unit)
            rows.append((path, then, value(path.year_end(day.year), path.unit)))
    if not rows:
        return None
    shown, before, now = zip(*rows, strict=True)
    columns: dict[str, Any] = {"quantity": [f"@headline.{path.target}" for path in shown]}
    columns |= with_interval(before=before, present=now)
    columns |= {f"{name}_unit": [path.unit for path in shown] for name in ("before", "present")}
    columns["change"] = [100.0 * (b.value / a.value - 1.0) for a, b in zip(before, now, strict=True)]
    facts: dict[str, Fact] = {
        "horizon": day.year,
        "released": str(frozen["forecast_date"].iloc[0])[:10],
        "largest": Value(value=max(map(abs, columns["change"])), unit="percent", digits=2),
    }
    return Exhibit(name="since_release", frame=pd.DataFrame(columns), facts=facts)


def _last_release(context: Context, releases: Folder) -> pd.DataFrame:
    """The rows of the newest release of this scenario; none where none counts, or one was altered."""
    try:
        frozen = frozen_forecasts.read(releases, context.settings.as_of_date) if releases.is_dir() else pd.DataFrame()
    except TelemedError:
        frozen = pd.DataFrame()
    if frozen.empty:
        return pd.DataFrame(columns=frozen_forecasts.RELEASED)
    own = frozen[frozen["scenario"] == context.scenario.name]
    return own[own["release"] == own["release"].iloc[-1]] if len(own) else own


def sources(headlines: Iterable[Headline]) -> tuple[str, ...]:
    """Claim ids of the published figures behind headlines."""
    return claims_of(*(one.actuals for one in headlines))
