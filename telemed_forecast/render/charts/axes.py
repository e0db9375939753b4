"""Axes: where a number or a day stands on a chart, and which of them are written beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log10

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """A straight axis from pixel `start` to pixel `end`, even or logarithmic, with its ticks in the axis' own unit."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()
    log: bool = False

    def at(self, number: float) -> float:
        """Pixel of a number; what lies beyond the axis stands at its end."""
        number = min(max(number, self.low), self.high)
        if self.high <= self.low:
            return (self.start + self.end) / 2
        if self.log:
            part = log(number / self.low) / log(self.high / self.low)
        else:
            part = (number - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def even(numbers: Sequence[float], start: float, end: float, *, ticks: int = 5, zero: bool = True) -> Axis:
    """An axis that ends at round numbers; with `zero` it holds zero, so that lengths are to scale."""
    low, high = min([*numbers, 0.0] if zero else numbers), max([*numbers, 0.0] if zero else numbers)
    if high <= low:
        low, high = low - 1.0, high + 1.0
    raw = (high - low) / ticks
    scale = 10.0 ** floor(log10(raw))
    step = next(one for one in _STEPS if one * scale >= raw * 0.999) * scale
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return Axis(first * step, last * step, start, end, tuple(k * step for k in range(first, last + 1)))


def logarithmic(numbers: Sequence[float], start: float, end: float) -> Axis:
    """A logarithmic axis over the numbers, with powers of ten, and twice and five times them where there is room."""
    low, high = min(numbers), max(numbers)
    if high <= low:
        low, high = low / 2, high * 2
    low, high = low / (high / low) ** 0.04, high * (high / low) ** 0.04
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    every = max(1, len(powers) // 6)
    ticks = [float(f"{one}e{power}") for power in powers if power % every == 0 for one in steps]
    return Axis(low, high, start, end, tuple(tick for tick in ticks if low <= tick <= high), log=True)


def plain(tick: float) -> str:
    """A tick without exponent, with thousands separated."""
    text = f"{tick:,.6f}".rstrip("0").rstrip(".") if abs(tick) < 1e6 else f"{tick:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(tick) else "0"
