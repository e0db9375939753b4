"""From published figures to intervals a likelihood can use (section 0 of the statistical specification).

Each row becomes the interval of values that its printed digits leave open (`figures`), with its period, its
origin and its grade. Growth rates and multiples become an interval on the ratio of two periods. Forecasts,
rows of grade D and rows that restate another row never enter; `left_out` names every row left out, and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from telemed_forecast.errors import Fault, InputError
from telemed_forecast.evidence import dictionary, figures
from telemed_forecast.evidence.rows import records
from telemed_forecast.evidence.tables import nearest

GRADE_SCALE: Mapping[str, float] = MappingProxyType({"A": 0.01, "B": 0.05, "C": 0.15})
"""Default scale of the noise of a figure by grade, on the log scale: 0.05 is about 5 percent."""

FX_WIDENING = 0.03
"""Relative widening of an exchange rate taken from the nearest year because the period has none."""

_DAYS_PER_YEAR = 365.2425
_TEXTS = ("claim_id", "metric", "segment", "origin", "grade", "unit")

Strings = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Observations:
    """Published figures as intervals; one-dimensional arrays of one length."""

    # As in the ledger; `unit` is "ratio" for growth rates and multiples
    claim_id: Strings
    metric: Strings
    segment: Strings
    origin: Strings
    grade: Strings
    unit: Strings
    # The interval, in `unit`. An end that is open is 0 or inf
    low: Floats
    high: Floats
    # Period of the figure; for a growth rate that of the later level
    start: Days
    end: Days
    # Period of the earlier level of a ratio; NaT for levels, and for ratios to a base that has no dates
    base_start: Days
    base_end: Days

    def __len__(self) -> int:
        return len(self.claim_id)

    def where(self, mask: npt.ArrayLike) -> Observations:
        """Return the observations for which a boolean mask (or an array of positions) holds."""
        chosen = np.asarray(mask)
        return Observations(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @property
    def bounded(self) -> npt.NDArray[np.bool_]:
        """Which have an upper end: a floor bounds a level, but is none."""
        return np.isfinite(self.high)

    def frame(self) -> pd.DataFrame:
        """Return a table with one column an attribute."""
        return pd.DataFrame({field.name: getattr(self, field.name) for field in fields(self)})

    def scale(self, scales: Mapping[str, float] = GRADE_SCALE) -> Floats:
        """Return the noise scale (log scale) of each observation by its grade."""
        return np.array([scales[grade] for grade in self.grade], dtype=np.float64)


def intervals(frame: pd.DataFrame, *, include_context: bool = False) -> Observations:
    """Turn rows of the ledger, or of a view of it, into observations, in the order of the frame.

    A row that restates another is left out when its primary row is in the frame; where it is not (a view of an early
    date), the first known of the copies stands in for it. Rows whose `use` is context (shown, not fitted) enter only
    when asked for.
    """
    reasons = _reasons(frame, include_context=include_context)
    chosen = frame[reasons == ""]
    vocabulary = dictionary.metrics()[["measure", "base"]].to_dict("index")
    found: list[dict[str, Any]] = []
    for row in records(chosen):
        low, high = _interval(row)
        metric = vocabulary.get(row["metric"], {})
        if metric.get("measure") == "growth":
            found.append(_ratio(row, low, high, metric["base"]))
        else:
            share = metric.get("measure") == "ratio" and row["unit"] == "percent"
            found.append(_level(row, low, min(high, 100.0) if share else high))
    return _observations(found)


def left_out(frame: pd.DataFrame, *, include_context: bool = False) -> pd.DataFrame:
    """Every row that `intervals` leaves out of the same frame (claim_id, metric, segment, origin, grade, reason)."""
    reasons = _reasons(frame, include_context=include_context)
    columns = ["claim_id", "metric", "segment", "origin", "grade"]
    return frame.loc[reasons != "", columns].assign(reason=reasons[reasons != ""])


def _reasons(frame: pd.DataFrame, *, include_context: bool) -> pd.Series:
    """Why each row is left out; an empty text when it enters."""
    reasons = pd.Series("", index=frame.index, dtype=str)
    reasons[_is_copy(frame)] = "restates another row of the frame"
    context = frame["use"] == "context"
    if not include_context:
        reasons[context] = "context: " + frame.loc[context, "use_reason"].astype(str)
    undated = frame["period_end"].isna()
    reasons[undated] = "no period"
    excluded = frame["use"] == "excluded"
    reasons[excluded] = "excluded: " + frame.loc[excluded, "use_reason"].astype(str)
    reasons[frame["grade"] == "D"] = "grade D: unsourced or machine-written"
    reasons[(frame["kind"] == "forecast") | (frame["use"] == "forecast")] = "forecast: to be scored, not fitted"
    return reasons


def _is_copy(frame: pd.DataFrame) -> pd.Series:
    """Which rows say again what another row of the frame says."""
    copies = frame["restates"] != ""
    if not copies.any():
        return copies
    usable = (frame["grade"] != "D") & (frame["use"] != "excluded") & (frame["kind"] != "forecast")
    orphans = frame[copies & usable & ~frame["restates"].isin(frame["claim_id"])]
    stand_in = orphans.sort_values(["known_date", "claim_id"]).drop_duplicates("restates").index
    copies = copies.copy()
    copies[stand_in] = False
    return copies


def _interval(row: Mapping[str, Any]) -> tuple[float, float]:
    if row["relation"] == "between":
        return float(row["low"]), float(row["high"])
    resolution = row.get("resolution")
    known = None if resolution is None or pd.isna(resolution) else resolution
    return figures.interval(row.get("printed") or repr(row["value"]), row["relation"], resolution=known)


def _level(row: Mapping[str, Any], low: float, high: float) -> dict[str, Any]:
    end = row["period_end"]
    start = end if pd.isna(row["period_start"]) else row["period_start"]
    dates = {"start": start, "end": end, "base_start": pd.NaT, "base_end": pd.NaT}
    return {name: row[name] for name in _TEXTS} | {"low": low, "high": high} | dates


def _ratio(row: Mapping[str, Any], low: float, high: float, base: str) -> dict[str, Any]:
    """A growth rate (percent) or a multiple as the ratio of the later level to the earlier one."""
    if row["unit"] == "percent":
        low, high = 1 + low / 100, 1 + high / 100
    level = _level(row, low, high) | {"unit": "ratio"}
    start, end = level["start"], level["end"]
    year, day = pd.DateOffset(years=1), pd.Timedelta(days=1)
    if base == "first_day":
        return level | {"start": end, "base_start": start, "base_end": start}
    if base == "year_before":
        return level | {"base_start": start - year, "base_end": end - year}
    if base == "first_year":
        years = round((end - start).days / _DAYS_PER_YEAR) - 1
        dates = {"start": end - year + day, "base_start": start, "base_end": start + year - day}
        return level | {"low": low**years, "high": high**years} | dates
    return level


def _observations(found: Sequence[Mapping[str, Any]]) -> Observations:
    def days(name: str) -> Days:
        return pd.to_datetime(pd.Series([r[name] for r in found], dtype="datetime64[s]")).to_numpy("datetime64[D]")

    columns: dict[str, Any] = {name: np.array([r[name] for r in found], dtype=np.str_) for name in _TEXTS}
    columns |= {name: np.array([r[name] for r in found], dtype=np.float64) for name in ("low", "high")}
    columns |= {name: days(name) for name in ("start", "end", "base_start", "base_end")}
    return Observations(**columns)


def to_cny(observations: Observations, ledger: pd.DataFrame) -> Observations:
    """Convert amounts in USD or USD_million to CNY or CNY_million at the ledger's own exchange rates.

    The rate of a period is the mean of the rates (`fx_cny_per_usd` in the same view of the ledger) that overlap it,
    weighted by days. Outside of them the nearest rate is taken and the interval widened by `FX_WIDENING` to either
    side. An `InputError` when the ledger holds no rate and there are dollars.
    """
    dollars = np.char.startswith(observations.unit, "USD")
    if not dollars.any():
        return observations
    rates = ledger[(ledger["metric"] == "fx_cny_per_usd") & (ledger["kind"] == "actual")]
    if rates.empty:
        raise InputError([Fault(file="ledger", column="metric", expected="rows of fx_cny_per_usd known by then")])
    low, high = observations.low.copy(), observations.high.copy()
    for position in np.flatnonzero(dollars):
        rate, widening = _rate(rates, observations.start[position], observations.end[position])
        low[position] *= rate * (1 - widening)
        high[position] *= rate * (1 + widening)
    unit = np.where(dollars, np.char.replace(observations.unit, "USD", "CNY"), observations.unit)
    return replace(observations, low=low, high=high, unit=unit)


def _rate(rates: pd.DataFrame, start: np.datetime64, end: np.datetime64) -> tuple[float, float]:
    """Yuan per dollar of a period, and the widening that goes with it."""
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    begin, stop = rates["period_start"], rates["period_end"]
    overlap = stop.where(stop < last, last) - begin.where(begin > first, first)
    days = (overlap.dt.days + 1).clip(lower=0).to_numpy(dtype=float)
    values = rates["value"].to_numpy(dtype=float)
    if days.sum() > 0:
        return float(np.average(values, weights=days)), 0.0
    middle = rates["period_start"] + (rates["period_end"] - rates["period_start"]) / 2
    target = first + (last - first) / 2
    return float(values[int(np.argmin((middle - target).abs().to_numpy()))]), FX_WIDENING


def summary(frame: pd.DataFrame, metric: str, segment: str | None = None) -> pd.DataFrame:
    """Table of the rows of a metric, for `evidence show`, sorted by segment and period.

    Its columns are those of the ledger, with `low` and `high`, the interval in the unit of the row, and `status`:
    "fitted" or why not. An `InputError` suggests the nearest name when the metric or the segment is not in the
    vocabulary.
    """
    faults = list(_unknown("metric", metric, dictionary.metrics().index))
    if segment is not None:
        faults += _unknown("segment", segment, dictionary.segments().index)
    if faults:
        raise InputError(faults)
    chosen = frame[frame["metric"] == metric]
    reasons = _reasons(frame, include_context=False).loc[chosen.index].replace("", "fitted")
    if segment is not None:
        chosen = chosen[chosen["segment"] == segment]
    bounds = np.array([_interval(row) for row in records(chosen)]).reshape(-1, 2)
    table = chosen.assign(low=bounds[:, 0], high=bounds[:, 1], status=reasons.loc[chosen.index])
    table = table.sort_values(["segment", "period_end", "known_date", "claim_id"], ignore_index=True)
    columns = ["segment", "period_start", "period_end", "printed", "relation", "low", "high", "unit", "kind"]
    columns += ["origin", "grade", "known_date", "status", "claim_id", "source_title", "url"]
    return table[columns]


def _unknown(column: str, name: str, known: pd.Index) -> list[Fault]:
    if name in known:
        return []
    expected = f"a {column} of the vocabulary" + nearest(name, list(known))
    return [Fault(file="evidence show", column=column, value=name, expected=expected)]
