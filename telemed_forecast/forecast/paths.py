"""A forecast as a value: draws of quantities by period, and what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations
    from telemed_forecast.fits.store import Fit
    from telemed_forecast.forecast.context import Context
    from telemed_forecast.forecast.rivals import History
    from telemed_forecast.models.model import Model

LEVELS = (0.5, 0.8, 0.95)
"""The intervals that every forecast shows."""


@dataclass(frozen=True)
class Path:
    """Draws of one quantity by period.

    Attributes
    ----------
    target
        What it is (``online_medical_users``).
    unit
        Unit of the draws (``persons``; shares are in ``percent``).
    periods
        Last day of each period, ascending.
    draws
        Dims: (sample, period).
    last_known
        Position of the last period for which evidence was known.
    step_months
        Length of a period.
    flow
        True when the quantity is a yearly flow, False when it is a stock on the period's last day.
    """

    target: str
    unit: str
    periods: tuple[date, ...]
    draws: np.ndarray
    last_known: int
    step_months: int
    flow: bool = False

    def position(self, period: date) -> int:
        """Position of the period that ends on a day (ValueError if there is none)."""
        return self.periods.index(period)

    def year_end(self, year: int) -> np.ndarray:
        """Draws of the period that ends with a year. Dims: (sample,)."""
        return self.draws[:, self.position(date(year, 12, 31))]

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles of every period. Dims in: (quantile,); out: (quantile, period)."""
        return np.quantile(self.draws, levels, axis=0)

    def scaled(self, factor: float | np.ndarray, unit: str) -> Path:
        """The same quantity in another unit; `factor` is a number or dims (period,)."""
        return Path(self.target, unit, self.periods, self.draws * factor, self.last_known, self.step_months, self.flow)


def by_target(
    drawn: Mapping[str, tuple[str, np.ndarray]],
    periods: tuple[date, ...],
    last_known: int,
    step_months: int,
    *,
    flow: bool = False,
) -> dict[str, Path]:
    """Paths of the same periods.

    Parameters
    ----------
    drawn
        Target -> unit and draws; those of a share (``percent``) are parts of one.
    periods, last_known, step_months, flow
        As of :class:`Path`.
    """
    told = {target: (unit, 100.0 * draws if unit == "percent" else draws) for target, (unit, draws) in drawn.items()}
    return {
        target: Path(target, unit, periods, draws, last_known, step_months, flow)
        for target, (unit, draws) in told.items()
    }


@dataclass(frozen=True)
class Likelihood:
    """One fit behind a forecast, whose rows can be weighed.

    Attributes
    ----------
    model, fit
        The model and its fit.
    targets
        Block and number of a row -> the paths that the row is weighed by; none when it speaks of nothing shown.
    """

    model: Model
    fit: Fit
    targets: Callable[[str, int], Sequence[Path]]


@dataclass(frozen=True)
class Forecast:
    """What a market's model says on a day; ``forecast[target]`` is one of its paths.

    Attributes
    ----------
    market
        Its name, as in `markets.MARKETS`.
    as_of
        The day: nothing published later is in it.
    paths
        Target -> its path.
    headline
        Target of the path that the market is known by.
    evidence
        Name -> the published figures that entered.
    claims
        Claim ids of every row that the fit read, its own or through the forecast that it is built on.
    fit
        The fitted model.
    known
        History of the headline as rivals see it.
    built_on
        Market -> its forecast, of whose fit this model's arrays are made.
    draws
        Name -> draws that are no path. Dims: (sample, ...).
    extras
        Name -> what else was read that a page speaks of: bounds, policy, money, the order of origins' offsets.
    """

    market: str
    as_of: date
    paths: Mapping[str, Path]
    headline: str
    evidence: Mapping[str, Observations]
    claims: tuple[str, ...]
    fit: Fit
    known: History
    built_on: Mapping[str, Forecast] = field(default_factory=dict)
    draws: Mapping[str, np.ndarray] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, target: str) -> Path:
        return self.paths[target]

    @property
    def path(self) -> Path:
        """The path that the market is known by."""
        return self.paths[self.headline]

    def family(self, stem: str) -> dict[str, Path]:
        """The paths whose targets begin with a stem, by the rest of it (``market_size``: by definition)."""
        return {target.removeprefix(f"{stem}_"): p for target, p in self.paths.items() if target.startswith(f"{stem}_")}

    @property
    def first_day(self) -> date:
        """The first day of the model's history: older rows cannot enter it."""
        first = self.path.periods[0]
        return first.replace(month=1, day=1) if self.path.step_months == 12 else first

    @property
    def last_period(self) -> date:
        """The last period for which a figure was known."""
        return self.path.periods[self.path.last_known]

    @property
    def last_year(self) -> int:
        """The last calendar year that had ended; later ones are inferred, not seen."""
        return last_full_year(self.as_of)

    @property
    def dated_fit(self) -> Fit:
        """The fit under a name that tells its day."""
        return replace(self.fit, gate=replace(self.fit.gate, name=f"{self.fit.gate.name}, {self.as_of.isoformat()}"))


@dataclass(frozen=True)
class Target:
    """A quantity of which figures are printed.

    Attributes
    ----------
    figures
        Context -> the printed figures of this definition, known by its date.
    latent
        Whether its path is without the lean and the noise of those who print it.
    flow
        Whether it is of a whole year rather than of a day.
    """

    figures: Callable[[Context], Observations]
    latent: bool
    flow: bool = False


@dataclass(frozen=True)
class Unpublished:
    """A figure that nobody has published and somebody could.

    Attributes
    ----------
    name
        Its name.
    kind
        Who would publish it: a key of `information.KINDS`.
    quantity
        Target of a path, or a parameter of the posterior on the log scale (logit for shares).
    when
        For a path: the ``last`` full year's end, the ``next`` one, or the last period with a ``known`` figure.
    """

    name: str
    kind: str
    quantity: str
    when: Literal["last", "next", "known", ""] = ""


def last_full_year(day: date) -> int:
    """The last calendar year that has ended on a day."""
    return day.year if (day.month, day.day) == (12, 31) else day.year - 1


def interval(draws: np.ndarray, level: float = 0.8) -> tuple[float, float, float]:
    """Median and the ends of the central interval of draws (low, median, high)."""
    tail = (1.0 - level) / 2.0
    low, middle, high = np.quantile(draws, [tail, 0.5, 1.0 - tail])
    return float(low), float(middle), float(high)


def rounded(draws: np.ndarray) -> str:
    """Median to two significant digits: text for a check cell that only a real change moves."""
    return f"{float(f'{np.median(draws):.2g}'):,.10g}"
