"""Forecasts of the user's own series: thousands in one call, block by block.

A block is what a model is given at a time, and what memory holds. Blocks are shared out over processes and come back
in order, and a table is written as they come. What is said of a series depends on the series alone: not on its
neighbours in the file, on the size of the blocks or on the number of processes.
"""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np

from telemed_forecast import hub_format
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import Fault, InputError, TelemedError

KINDS = {"adoption": "hypotheses", "surge": "retention"}
"""Module of this room that forecasts each kind of series: what grows into its ceiling, what is left after a wave."""

HORIZONS = (1, 100)
"""Fewest and most periods ahead."""

BLOCK = 128
"""Series in a block: enough for what a model shares between them, few enough to keep all processes busy."""

ALONE = 16
"""Up to so many series are forecast in this process: others would take longer to start."""

FORMATS = (".csv", ".parquet")
"""Suffixes of a table."""

COLUMNS = (*hub_format.COLUMNS, "series_id")

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, eq=False)
class Forecast:
    """The forecast of one series, in its unit."""

    series: Series
    """What was known."""
    quantiles: np.ndarray
    """At the levels `hub_format.QUANTILES`. Dims: (horizon, quantile)."""
    mean: np.ndarray
    """Dims: (horizon,)."""

    @property
    def last_days(self) -> np.ndarray:
        """Last day of each period that is forecast. Dims: (horizon,)."""
        return self.series.last_days(self.series.index[-1] + np.arange(1, len(self.mean) + 1))

    def rows(self, model: str) -> Iterator[dict[str, Any]]:
        """The rows of a table in the hub format, with `model` in the column of that name.

        The target is the name of the series, so that the columns of the hub format alone tell all rows apart. The
        reference date is the last day of the last known period.
        """
        series = self.series
        reference = str(series.last_days(series.index[-1:])[0])
        extra = {"scenario": "base", "model": model, "unit": series.unit, "series_id": series.series_id}
        for k, day in enumerate(self.last_days):
            fixed = {
                "reference_date": reference,
                "target": series.series_id,
                "horizon": k + 1,
                "target_end_date": str(day),
                "location": "",
            }
            yield from hub_format.period(fixed, extra, self.quantiles[k], self.mean[k])


@dataclass(frozen=True, eq=False)
class Block:
    """What came of some series."""

    size: int
    """How many series they are."""
    forecasts: tuple[Forecast, ...]
    """Of those that can be forecast, in their order."""
    faults: tuple[Fault, ...]
    """Of the others, by name; file and row are not known here."""


def forecast(
    series: Sequence[Series], horizon: int, *, kind: str = "adoption", seed: int = 0, jobs: int = 1, size: int = BLOCK
) -> Iterator[Block]:
    """Forecast series of any length of period, block by block, in their order.

    Parameters
    ----------
    series, horizon
        What is known, and how many periods ahead, each series in its own.
    kind
        One of `KINDS`.
    seed
        Seed of everything random.
    jobs, size
        Processes that share the blocks, and series in a block, at most.
    """
    size = max(1, min(size, -(-len(series) // jobs)))
    work = ((kind, list(block), horizon, seed) for block in batched(series, size))
    if jobs == 1 or len(series) <= ALONE:
        yield from (_block(*task) for task in work)
    else:
        yield from _shared_out(work, jobs)


def classes(kind: str) -> tuple[str, ...] | None:
    """Technologies that a series of this kind may name; None when its model takes any name."""
    known = getattr(_model(kind), "classes", None)
    return None if known is None else tuple(known())


def _model(kind: str) -> Any:
    return import_module(f"telemed_forecast.curves.{KINDS[kind]}")


def _shared_out(work: Iterable[tuple[Any, ...]], jobs: int) -> Iterator[Block]:
    """Blocks from several processes, in order; only a few are under way or waiting at any time."""
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing import get_context

    # Not forked: the libraries of this process may have threads, which a copy of it would lack.
    with _one_thread(), ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        under_way: deque[Future[Block]] = deque()
        try:
            for task in work:
                under_way.append(pool.submit(_block, *task))
                if len(under_way) > 2 * jobs:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for waiting in under_way:
                waiting.cancel()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes that are started meanwhile compute on one thread each: there is one for every core."""
    before = {name: os.environ[name] for name in _THREADS if name in os.environ}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name in _THREADS:
            del os.environ[name]
        os.environ.update(before)


def _block(kind: str, series: list[Series], horizon: int, seed: int) -> Block:
    """The forecasts of a block, in whichever process."""
    try:
        quantiles, means = _model(kind).forecast(series, horizon, levels=hub_format.QUANTILES, seed=seed)
    except InputError as error:
        if len(series) == 1:
            return Block(1, (), tuple(_fault(series[0], fault) for fault in error.faults))
        # One by one, to tell those that cannot be forecast from the others.
        single = [_block(kind, [one], horizon, seed) for one in series]
        return Block(
            len(series),
            tuple(forecast for block in single for forecast in block.forecasts),
            tuple(fault for block in single for fault in block.faults),
        )
    return Block(len(series), tuple(map(_checked, series, quantiles, means)), ())


def _fault(series: Series, found: Fault | str) -> Fault:
    expected = found.expected if isinstance(found, Fault) else found
    return Fault(file="", column="series_id", value=series.series_id, expected=expected)


def _checked(series: Series, quantiles: np.ndarray, mean: np.ndarray) -> Forecast:
    """A forecast that can be published: numbers, in order, and not beyond what the unit allows.

    Anything else is a mistake of the model, not of the user.
    """
    limit = np.inf if series.bound is None else series.bound
    numbers = np.isfinite(quantiles).all() and np.isfinite(mean).all()
    # Back from its logarithm a bound is met to the last digit but one.
    if not numbers or (quantiles < 0).any() or (quantiles > limit * (1 + 1e-9)).any() or (np.diff(quantiles) < 0).any():
        raise TelemedError(f"the model has no usable forecast of the series {series.series_id!r}")
    return Forecast(series, np.minimum(quantiles, limit), np.minimum(mean, limit))


Add = Callable[[Iterable[dict[str, Any]]], None]
"""Takes further rows of a table."""


@contextmanager
def table(file: Path, suffix: str) -> Iterator[Add]:
    """A table on disk that grows row by row, CSV or Parquet by the suffix; gives the function that adds rows."""
    if suffix == ".csv":
        with file.open("w", encoding="utf-8", newline="") as text:
            lines = csv.writer(text, lineterminator="\n")
            lines.writerow(COLUMNS)
            yield lambda rows: lines.writerows(row.values() for row in rows)
        return
    import pyarrow as pa
    from pyarrow import parquet

    types = {"horizon": pa.int64(), "value": pa.float64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])

    def add(rows: Iterable[dict[str, Any]]) -> None:
        found = pa.Table.from_pylist(list(rows), schema=schema)
        if found.num_rows:
            writer.write_table(found)

    with parquet.ParquetWriter(file, schema) as writer:
        yield add
