"""Forecasts as exhibits: a fan with its evidence, tables by year, and what the evidence taught."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits.evidence import origin_name, published_points
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.numbers import basis, learned, value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.forecast.rivals import History, prophet

BANDS = {"low95": 0.025, "low80": 0.1, "low50": 0.25, "median": 0.5, "high50": 0.75, "high80": 0.9, "high95": 0.975}
"""Columns of a fan and the quantiles that they hold."""


def bands(periods: Sequence[date], draws: np.ndarray) -> pd.DataFrame:
    """Quantiles by period. Dims of the draws: (sample, period)."""
    quantiles = np.quantile(draws, list(BANDS.values()), axis=0)
    days = [day.isoformat() for day in periods]
    return pd.DataFrame({"period": days} | dict(zip(BANDS, quantiles, strict=True)))


def fan(
    name: str,
    path: Path,
    *,
    as_of: date,
    since: int,
    evidence: Observations | None = None,
    factor: float = 1.0,
    prophet: np.ndarray | None = None,
    claims: Sequence[str] = (),
) -> Exhibit:
    """A forecast with its bands, the published intervals and Prophet's median.

    Parameters
    ----------
    name
        Name of the exhibit.
    path
        The forecast.
    as_of
        Where knowledge ends.
    since
        First year shown.
    evidence
        Published figures, multiplied by `factor` into the path's unit.
    prophet
        Predictive draws of Prophet, dims (draw, period); its median is drawn as a line.
    claims
        Claim ids behind the forecast, beside those of the evidence shown.
    """
    shown = [k for k, day in enumerate(path.periods) if day.year >= since]
    frame = bands([path.periods[k] for k in shown], path.draws[:, shown])
    layers = {} if evidence is None else {"points": published_points(evidence, factor, since)}
    if prophet is not None:
        median = np.median(prophet, axis=0)[shown]
        layers["lines"] = pd.DataFrame({"period": frame["period"], "series": "prophet", "value": median})
    return Exhibit(
        name=name,
        frame=frame,
        claims=tuple(claims),
        units={"median": path.unit},
        facts={
            "now": value(path.draws[:, path.last_known], path.unit),
            "known": path.periods[path.last_known].isoformat(),
            "then": value(path.draws[:, -1], path.unit),
            "end": path.periods[-1].isoformat(),
        },
        layers=layers,
        as_of=as_of,
    )


def lines(
    name: str, paths: Mapping[str, Path], *, as_of: date, since: int = 0, claims: Sequence[str] = (), **facts: Fact
) -> Exhibit:
    """Median and 80% interval of several quantities by period, a line each."""
    frames = []
    for series, path in paths.items():
        shown = [k for k, day in enumerate(path.periods) if day.year >= since]
        frames.append(line(series, [path.periods[k].isoformat() for k in shown], path.draws[:, shown]))
    unit = next(iter(paths.values())).unit
    frame = pd.concat(frames, ignore_index=True)
    return Exhibit(name=name, frame=frame, claims=tuple(claims), units={"value": unit}, facts=facts, as_of=as_of)


def headline(context: Context, name: str, path: Path, since: int, evidence: Observations, known: History) -> Exhibit:
    """The fan of a headline with its evidence, and Prophet's median for comparison."""
    drawn = prophet(known, path.periods, context.settings.seed)
    return fan(name, path, as_of=context.settings.as_of_date, since=since, evidence=evidence, prophet=drawn)


def line(series: str, periods: Sequence[Any], draws: np.ndarray) -> pd.DataFrame:
    """Median and 80% interval by period, as a line of a chart. Dims of the draws: (sample, period)."""
    low, middle, high = np.quantile(draws, [0.1, 0.5, 0.9], axis=0)
    return pd.DataFrame({"period": list(periods), "series": series, "value": middle, "low": low, "high": high})


def forest(name: str, origins: Sequence[str], draws: np.ndarray, claims: Sequence[str]) -> Exhibit:
    """Median and 80% interval of a factor for each publisher. Dims of the draws: (sample, publisher)."""
    frame = line("", [origin_name(origin) for origin in origins], draws)
    frame = frame.rename(columns={"period": "category"}).drop(columns="series")
    return Exhibit(name=name, frame=frame, claims=tuple(claims))


def year_table(name: str, paths: Sequence[Path], years: Sequence[int], claims: Sequence[str]) -> Exhibit:
    """Median and 80% interval of several quantities at chosen year-ends; a column a target."""
    columns = with_interval(**{p.target: [value(p.year_end(year), p.unit) for year in years] for p in paths})
    return Exhibit(
        name=name,
        frame=pd.DataFrame({"year": list(years)} | columns),
        claims=tuple(claims),
        units={p.target: p.unit for p in paths},
    )


def parameter_table(name: str, parameters: Iterable[tuple[str, np.ndarray, np.ndarray]]) -> Exhibit:
    """What the evidence taught: prior and posterior of parameters, how much narrower they became, which are assumed.

    Parameters
    ----------
    name
        Name of the exhibit.
    parameters
        (parameter, prior draws, posterior draws).
    """
    names, priors, posteriors = zip(*parameters, strict=True)
    removed = [100.0 * learned(before, after) for before, after in zip(priors, posteriors, strict=True)]
    columns = with_interval(
        prior=[value(draws, "ratio") for draws in priors], posterior=[value(draws, "ratio") for draws in posteriors]
    )
    rests = [basis(before, after) for before, after in zip(priors, posteriors, strict=True)]
    told = {"parameter": names} | columns | {"learned": removed, "basis": rests}
    return Exhibit(name=name, frame=pd.DataFrame(told))


def share_of(number: float | np.floating) -> Value:
    """A computed share (0 to 1) in percent, to two digits."""
    return Value(value=100.0 * float(number), unit="percent", digits=2)


def years_shown(context: Context, result: Forecast) -> list[int]:
    """The year-ends that a market's tables show: from the last known period to the horizon."""
    candidates = range(result.last_period.year, context.settings.horizon + 1)
    return [year for year in candidates if date(year, 12, 31) in result.path.periods]
