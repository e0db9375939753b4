"""Amounts of money in yuan or dollars, at the prices of each year or of one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.models import price_level


@dataclass(frozen=True)
class Money:
    """What turns nominal yuan of a year into other money.

    Attributes
    ----------
    years
        Calendar years. Dims: (time,).
    base
        Year of real prices: the last full one.
    level
        Consumer prices relative to the base year's. Dims: (sample, time).
    rate
        Yuan per dollar. Dims: (sample, time).
    claims
        Rows behind both.
    """

    years: np.ndarray
    base: int
    level: np.ndarray
    rate: np.ndarray
    claims: tuple[str, ...]

    @classmethod
    def draw(cls, context: Context, years: np.ndarray, size: int) -> Money:
        """Prices and rates known on the context's date, and draws for the years that it does not know."""
        rng = context.generator("money")
        changes, rates = context.observed("cpi_change", "national"), context.observed("fx_cny_per_usd", "national")
        return cls(
            years=years,
            base=context.last_year,
            level=price_level.price_level(changes, years, context.last_year, size, rng),
            rate=price_level.exchange_rate(rates, years, size, rng),
            claims=tuple(str(c) for rows in (changes, rates) for c in rows.claim_id),
        )

    def factor(self, currency: str, prices: str) -> np.ndarray:
        """What one nominal yuan of each year is worth. Dims: (sample, time).

        Real dollars are real yuan at the base year's rate: no later rate enters them.
        """
        base = int(self.base - self.years[0])
        factor = np.ones_like(self.level)
        if prices == "real":
            factor = factor / self.level
        if currency == "USD":
            factor = factor / (self.rate[:, [base]] if prices == "real" else self.rate)
        return factor


@dataclass(frozen=True)
class Telling:
    """The money in which a page speaks: ``CNY`` or ``USD``, ``nominal`` or ``real``."""

    currency: str
    prices: str
    money: Money

    @property
    def unit(self) -> str:
        """Unit of the amounts."""
        return f"{self.currency}_million"

    @property
    def plain(self) -> bool:
        """Nominal yuan, as estimates are published."""
        return self.currency == "CNY" and self.prices == "nominal"

    def path(self, path: Path) -> Path:
        """A path of nominal yuan in this money."""
        if self.plain:
            return path
        return path.scaled(self.money.factor(self.currency, self.prices), self.unit)

    def at(self, draws: np.ndarray, year: int) -> np.ndarray:
        """Draws of nominal yuan (million) of one year in this money. Dims: (sample,)."""
        return draws * self.money.factor(self.currency, self.prices)[:, int(year - self.money.years[0])]

    def constant(self, year: int) -> float:
        """Median worth of one nominal yuan of a year; the nearest year's where there is none."""
        at = int(np.clip(year - self.money.years[0], 0, len(self.money.years) - 1))
        return float(np.median(self.money.factor(self.currency, self.prices)[:, at]))

    def published(self, observations: Observations) -> Observations:
        """Published amounts of nominal yuan (million) in this money, at the median worth of their years."""
        years = observations.end.astype("datetime64[Y]").astype(int) + 1970
        worth = np.array([self.constant(int(y)) for y in years])
        unit = np.full(len(observations), self.unit)
        return replace(observations, low=observations.low * worth, high=observations.high * worth, unit=unit)
