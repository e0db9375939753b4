"""Forecasts of the user's own series: thousands in one call, block by block.

A block is what a model is given at a time, and what memory holds. Blocks are shared out over processes and come back
in order, and a table is written as they come. What is said of a series depends on the series alone: not on its
neighbours in the file, on the size of the blocks or on the number of processes.
"""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import batched
from pathlib import Path
from typing import Any, Literal

import numpy as np

from telemed_forecast import hub_format
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import Fault, InputError, TelemedError

Kind = Literal["adoption", "surge"]

KINDS: dict[str, str] = {"adoption": "hypotheses", "surge": "retention"}
"""Module of `telemed_forecast.models` that forecasts each kind of series."""

HORIZONS = (1, 100)
"""Fewest and most periods ahead."""

BLOCK = 128
"""Series in a block: enough for what a model shares between them, few enough to keep all processes busy."""

ALONE = 16
"""Up to so many series are forecast in this process: others would take longer to start."""

FORMATS = (".csv", ".parquet")
"""Suffixes of a table."""

COLUMNS = (*hub_format.COLUMNS, "series_id")


@dataclass(frozen=True, eq=False)
class Forecast:
    """The forecast of one series.

    Attributes
    ----------
    series
        What was known.
    quantiles
        In the series' unit, at the levels `hub_format.QUANTILES`. Dims: (horizon, quantile).
    mean
        In the series' unit. Dims: (horizon,).
    """

    series: Series
    quantiles: np.ndarray
    mean: np.ndarray

    @property
    def last_days(self) -> np.ndarray:
        """Last day of each period that is forecast. Dims: (horizon,)."""
        return self.series.last_days(self.series.index[-1] + np.arange(1, len(self.mean) + 1))

    def rows(self, model: str) -> Iterator[dict[str, Any]]:
        """The rows of a table in the hub format.

        Parameters
        ----------
        model
            Name for the column of the same name.

        Notes
        -----
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
    """What came of some series.

    Attributes
    ----------
    size
        How many series they are.
    forecasts
        Of those that can be forecast, in their order.
    faults
        Of the others, by name; file and row are not known here.
    """

    size: int
    forecasts: tuple[Forecast, ...]
    faults: tuple[Fault, ...]


def forecast(
    series: Sequence[Series],
    horizon: int,
    *,
    kind: Kind = "adoption",
    seed: int = 0,
    jobs: int = 1,
    size: int = BLOCK,
) -> Iterator[Block]:
    """Forecast series, block by block, in their order.

    Parameters
    ----------
    series
        Of any length of period.
    horizon
        Periods ahead, each series in its own.
    kind
        ``adoption`` for what grows into its ceiling, ``surge`` for what is left after a wave.
    seed
        Seed of everything random.
    jobs
        Processes that share the blocks.
    size
        Series in a block, at most.
    """
    size = max(1, min(size, -(-len(series) // jobs)))
    work = ((kind, list(block), horizon, seed) for block in batched(series, size))
    if jobs == 1 or len(series) <= ALONE:
        yield from (_block(*task) for task in work)
    else:
        yield from _shared_out(work, jobs)


def classes(kind: Kind) -> tuple[str, ...] | None:
    """Technologies that a series of this kind may name; None when its model takes any name."""
    known = getattr(_model(kind), "classes", None)
    return None if known is None else tuple(known())


def _model(kind: Kind) -> Any:
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
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _block(kind: Kind, series: list[Series], horizon: int, seed: int) -> Block:
    """The forecasts of a block, in whichever process."""
    try:
        quantiles, means = _model(kind).forecast(series, horizon, levels=hub_format.QUANTILES, seed=seed)
    except InputError as error:
        if len(series) > 1:  # one by one, to tell those that cannot be forecast from the others
            single = [_block(kind, [one], horizon, seed) for one in series]
            return Block(
                len(series),
                tuple(forecast for block in single for forecast in block.forecasts),
                tuple(fault for block in single for fault in block.faults),
            )
        return Block(1, (), tuple(_fault(series[0], fault) for fault in error.faults))
    return Block(len(series), tuple(map(_checked, series, quantiles, means)), ())


def _fault(series: Series, found: Fault | str) -> Fault:
    expected = found.expected if isinstance(found, Fault) else found
    return Fault(file="", column="series_id", value=series.series_id, expected=expected)


def _checked(series: Series, quantiles: np.ndarray, mean: np.ndarray) -> Forecast:
    """A forecast that can be published: numbers, in order, and not beyond what the unit allows.

    Raises
    ------
    TelemedError
        It cannot; this is a mistake of the model, not of the user.
    """
    limit = np.inf if series.bound is None else series.bound
    numbers = np.isfinite(quantiles).all() and np.isfinite(mean).all()
    # Back from its logarithm a bound is met to the last digit but one.
    if not numbers or (quantiles < 0).any() or (quantiles > limit * (1 + 1e-9)).any() or (np.diff(quantiles) < 0).any():
        raise TelemedError(f"the model has no usable forecast of the series {series.series_id!r}")
    return Forecast(series, np.minimum(quantiles, limit), np.minimum(mean, limit))


class TableWriter:
    """A table on disk that grows row by row, CSV or Parquet by its suffix.

    Parameters
    ----------
    file
        Where it is written; use a temporary name and `os.replace`.
    suffix
        ``.csv`` or ``.parquet``.
    """

    def __init__(self, file: Path, suffix: str) -> None:
        self._parquet: Any = None
        if suffix == ".parquet":
            import pyarrow as pa
            from pyarrow import parquet

            types = {"horizon": pa.int64(), "value": pa.float64()}
            self._schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
            self._parquet = parquet.ParquetWriter(file, self._schema)
        else:
            self._text = file.open("w", encoding="utf-8", newline="")
            self._csv = csv.writer(self._text, lineterminator="\n")
            self._csv.writerow(COLUMNS)

    def add(self, forecasts: Iterable[Forecast], model: str) -> None:
        """Add the rows of some forecasts, made by the model of that name."""
        rows = (tuple(row.values()) for forecast in forecasts for row in forecast.rows(model))
        if self._parquet is None:
            self._csv.writerows(rows)
            return
        import pyarrow as pa

        columns = list(zip(*rows, strict=True))
        if columns:
            arrays = [pa.array(column, kind) for column, kind in zip(columns, self._schema.types, strict=True)]
            self._parquet.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Write what is still held."""
        (self._parquet or self._text).close()
