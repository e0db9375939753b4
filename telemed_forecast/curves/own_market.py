"""A market of the user's own: what several sources published about any country or service, as series to forecast.

::

    series_id,date,value,publisher,known_date[,relation,grade,url,unit,measure,reference_class]

Rows are those of a file of series (`series_file`), and say besides who published a figure, when anybody could know it,
and how it was worded. So there may be several figures of one period: one of them enters the series, that of the best
grade and among these the newest; the others are kept, each with the reason. A figure that leaves values open ("more
than 1,600", see `evidence.figures`) enters as the middle of its interval.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from telemed_forecast import hub_format
from telemed_forecast.curves import own_series, periods, series_file
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import Fault, InputError
from telemed_forecast.evidence import figures, tables

NEEDED = ("publisher", "known_date")
"""Columns that such a file has beside those of a series."""

USUAL = {"relation": "eq", "grade": "B", "url": ""}
"""What is taken where a column, or a field of it, is empty."""

RELATIONS = ("eq", "approx", "gt", "ge", "lt", "le")
GRADES = ("A", "B", "C", "D")

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")
_DRAWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One published figure, as a row has it."""

    series_id: str
    date: str
    value: str
    """As printed."""
    relation: str
    low: float
    high: float
    unit: str
    publisher: str
    known_date: str
    grade: str
    url: str
    standing: str
    """used, later (known only after the date of the market), unsourced (grade D), another (of the period is better)."""


@dataclass(frozen=True, eq=False)
class Market:
    """What is known of a market on a date."""

    figures: tuple[Figure, ...]
    """In the order of the file."""
    series: tuple[Series, ...]
    """One value a period, of the figures that are used."""
    remarks: tuple[str, ...] = ()
    """What is no fault, but may be a mistake."""

    def forecast(self, horizon: int, *, seed: int = 0) -> list[Forecast]:
        """Each series so many of its periods ahead."""
        blocks = list(own_series.forecast(self.series, horizon, seed=seed))
        if faults := [fault for block in blocks for fault in block.faults]:
            raise InputError(faults)
        return [forecast for block in blocks for forecast in block.forecasts]


def read(file: Path, as_of: str = "") -> Market:
    """Read a market's figures as they were known on a date (everything when it is empty).

    Raises
    ------
    InputError
        With every fault of the file.
    """
    day = _day(as_of)
    table = tables.read(file)
    faults = list(_faults(table))
    rows = [dict(zip(table.header, fields, strict=True)) for fields in table.rows] if not _missing(table) else []
    standing = _standing(rows, day) if not faults else []
    kept = [k for k, told in enumerate(standing) if told == "used"]
    entering = replace(
        table,
        rows=tuple(_entering(table, k) for k in kept) if standing else table.rows,
        lines=tuple(table.lines[k] for k in kept) if standing else table.lines,
    )
    reading = series_file.of_table(entering, classes=own_series.classes("adoption"))
    if faults or reading.faults:
        # Of a file with faults of its own only what a row says is told: which rows would enter is not known.
        told = reading.faults if standing else [fault for fault in reading.faults if fault.column in (None, "value")]
        raise InputError([*faults, *told])
    return Market(
        tuple(_figure(row, told) for row, told in zip(rows, standing, strict=True)),
        reading.series,
        tuple(reading.remarks()),
    )


def require(horizon: int, size: str = "", scale: float = 1.0, *, also: Sequence[str] = ()) -> None:
    """Refuse, with every fault, what no market is sized with; `also` are faults that were found elsewhere."""
    fewest, most = own_series.HORIZONS
    faults = list(also)
    if not fewest <= horizon <= most:
        faults.append(f"--horizon {horizon} is out of range: allowed {fewest}..{most} [periods of each series]")
    if size and not all(_names(size)):
        faults.append(f'--size "{size}" is not of the form "A * B" with names of series')
    if not (np.isfinite(scale) and scale > 0):
        faults.append(f"--scale {scale:g} is out of range: allowed above 0")
    if faults:
        raise InputError(faults)


def sized(forecasts: Sequence[Forecast], size: str, *, unit: str = "", scale: float = 1.0) -> list[Forecast]:
    """The forecasts behind that of the size, which is their product: ``users * spending``; as they are when empty."""
    if not size:
        return list(forecasts)
    by_name = {one.series.series_id: one for one in forecasts}
    if unknown := [name for name in _names(size) if name not in by_name]:
        known = list(by_name)
        raise InputError([f"--size: there is no series {name!r}{tables.nearest(name, known)}" for name in unknown])
    return [product([by_name[name] for name in _names(size)], name=size, unit=unit, scale=scale), *forecasts]


def _names(size: str) -> list[str]:
    return [name.strip() for name in size.split("*")]


def product(factors: Sequence[Forecast], *, name: str, unit: str = "", scale: float = 1.0) -> Forecast:
    """The forecast of a product, such as users times spending a user.

    The factors are taken as independent of each other; where they rise and fall together the product is less certain
    than this. Between its quantiles a factor is taken as log-linear, and nothing is drawn beyond the outermost ones.

    Parameters
    ----------
    factors
        Of one length of period and one last period.
    name, unit
        Of the product.
    scale
        Multiplies it, such as 0.001 for thousands.
    """
    first, horizon = factors[0].series, min(len(one.mean) for one in factors)
    ends = {(one.series.frequency, int(one.series.index[-1]), one.series.early) for one in factors}
    if len(ends) > 1:
        last = ", ".join(f"{f.series.series_id} {f.series.last_days(f.series.index[-1:])[0]}" for f in factors)
        raise InputError([f"{name}: its factors end on different days or have periods of different length: {last}"])
    both = [set(one.series.index.tolist()) for one in factors]
    index = np.array(sorted(set.intersection(*both)))
    known = np.prod([one.series.values[np.isin(one.series.index, index)] for one in factors], axis=0)
    drawn = scale * np.prod([_drawn(one, horizon, seed) for seed, one in enumerate(factors)], axis=0)
    series = replace(
        first,
        series_id=name,
        index=index,
        values=scale * known,
        unit=unit,
        measure="",
        reference_class="",
        bound=None,
    )
    return Forecast(series, np.quantile(drawn, hub_format.QUANTILES, axis=1).T, drawn.mean(axis=1))


def _drawn(one: Forecast, horizon: int, seed: int) -> np.ndarray:
    """Evenly spread values of a forecast in an order of their own. Dims: (horizon, draw)."""
    levels = (np.arange(_DRAWS) + 0.5) / _DRAWS
    logs = np.log(np.maximum(one.quantiles[:horizon], np.finfo(float).tiny))
    order = np.random.default_rng(seed).permutation(_DRAWS)
    return np.exp([np.interp(levels, hub_format.QUANTILES, row)[order] for row in logs])


def _day(as_of: str) -> str:
    try:
        return dt.date.fromisoformat(as_of).isoformat() if as_of else "9999-12-31"
    except ValueError as error:
        raise InputError([f'as_of = "{as_of}" is not a date such as 2024-12-31']) from error


def _missing(table: tables.Table) -> list[str]:
    return [name for name in ("series_id", "date", "value", *NEEDED) if name not in table.header]


def _faults(table: tables.Table) -> Iterator[Fault]:
    """What is wrong with the columns that a series does not have."""
    for name in NEEDED if table.header else ():
        if name not in table.header:
            yield Fault(file=table.file, row=1, column=name, expected="this column in the header")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    for line, fields in zip(table.lines, table.rows, strict=True):
        row = dict(zip(table.header, fields, strict=True))
        known = _known(row.get("known_date", ""), today)
        for column, expected in (
            ("publisher", "" if row.get("publisher") else "who published the figure"),
            ("known_date", "" if known else f"a day such as 2024-03-31, up to {today}"),
            ("relation", _one_of(row.get("relation", ""), RELATIONS)),
            ("grade", _one_of(row.get("grade", ""), GRADES)),
            ("url", _address(row.get("url", ""))),
        ):
            if expected and column in row:
                yield Fault(file=table.file, row=line, column=column, value=row[column], expected=expected)


def _known(text: str, today: str) -> bool:
    try:
        return len(text) == len(today) and dt.date.fromisoformat(text).isoformat() <= today
    except ValueError:
        return False


def _one_of(text: str, allowed: Sequence[str]) -> str:
    return "" if text in ("", *allowed) else f"one of {', '.join(allowed)}, or nothing" + tables.nearest(text, allowed)


def _address(text: str) -> str:
    found = not text or _ADDRESS.fullmatch(text)
    return "" if found else "an address such as https://example.org/page without blanks, or nothing"


def _standing(rows: Sequence[dict[str, str]], day: str) -> list[str]:
    """What becomes of each row."""
    best: dict[tuple[str, str], tuple[str, int, int]] = {}
    told = []
    for k, row in enumerate(rows):
        grade = row.get("grade") or USUAL["grade"]
        told.append("later" if row["known_date"] > day else "unsourced" if grade == "D" else "another")
        if told[-1] == "another":
            known = dt.date.fromisoformat(row["known_date"]).toordinal()
            period = (row["series_id"], periods.iso(row["date"]))
            best[period] = min(best.get(period, ("Z", 0, 0)), (grade, -known, k))
    for _, _, k in best.values():
        told[k] = "used"
    return told


def _interval(row: dict[str, str]) -> tuple[float, float]:
    """Values that a figure leaves open; none where its text is no plain number, which the series' own checks tell."""
    text = row["value"]
    if not _NUMBER.fullmatch(text):
        return float("nan"), float("nan")
    return figures.interval(text, row.get("relation") or USUAL["relation"])


def _entering(table: tables.Table, k: int) -> tuple[str, ...]:
    """A row as it enters its series: an exact figure as it stands, any other as the middle of its interval."""
    row = dict(zip(table.header, table.rows[k], strict=True))
    low, high = _interval(row)
    if (row.get("relation") or USUAL["relation"]) != "eq" and np.isfinite(high):
        row["value"] = repr((low + high) / 2)
    return tuple(row[name] for name in table.header)


def _figure(row: dict[str, str], standing: str) -> Figure:
    low, high = _interval(row)
    given = {name: row.get(name, "") or usual for name, usual in USUAL.items()}
    plain = {name: row.get(name, "") for name in ("series_id", "date", "value", "unit", *NEEDED)}
    return Figure(**plain, **given, low=low, high=high, standing=standing)
