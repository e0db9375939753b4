"""How far a printed figure may be from what was counted.

A figure is read from its printed digits. Its *step* is one unit of its last significant digit:

- with a decimal point every printed digit counts: the step of 34.0 is 0.1, that of 22.07 is 0.01;
- without one, trailing zeros do not count: the step of 3,756 is 1, of 1,600 is 100, of 298,000,000 a million;
- in scientific notation the digits of the mantissa count: the step of 3.00e8 is a million;
- a row's `resolution` says it outright, where zeros mislead (300,000,000 users "rounded to 1 million").

All arithmetic is decimal, so that ten times the figure is ten times the interval.
"""

from __future__ import annotations

from decimal import Decimal

APPROX_SHARE = Decimal("0.05")
"""A figure printed as "about" is off by at least this part of itself."""


def step(printed: str) -> Decimal:
    """Return one unit of the last significant digit of a printed number."""
    number = Decimal(printed)
    exponent = int(number.as_tuple().exponent)
    if "." in printed or "e" in printed.lower():
        return Decimal(1).scaleb(exponent)
    digits = printed.lstrip("-")
    return Decimal(1).scaleb(len(digits) - len(digits.rstrip("0"))) if digits.strip("0") else Decimal(1)


def interval(printed: str, relation: str, *, resolution: str | float | None = None) -> tuple[float, float]:
    """Return the values that a printed figure leaves open: low and high, in its unit.

    By its relation, eq: half a step to either side. approx: one step, and at least 5 percent. gt, ge ("more than"): up
    to the next figure of the same roundness, 1,600 to 1,700. lt, le ("nearly"): down to the figure before it, 60 to 70.
    Below a power of ten figures are ten times finer: nearly 100 is 90 to 100, about 100 is 90 to 200. floor: from the
    number on, without an upper end. `ValueError` for any other. The interval of a figure that is not negative does not
    reach below zero. `resolution` is the step, when the printed digits do not tell it.
    """
    value = Decimal(printed)
    unit = Decimal(str(resolution)) if resolution else step(printed)
    if relation == "eq":
        low, high = value - unit / 2, value + unit / 2
    elif relation == "approx":
        least = APPROX_SHARE * abs(value)
        low, high = value - max(_step_below(value, unit), least), value + max(unit, least)
    elif relation in ("gt", "ge"):
        low, high = value, value + unit
    elif relation in ("lt", "le"):
        low, high = value - _step_below(value, unit), value
    elif relation == "floor":
        low, high = value, Decimal("Infinity")
    else:
        raise ValueError(f"relation {relation!r} is not one of eq, approx, gt, ge, lt, le, floor")
    if value >= 0:
        low = max(low, Decimal(0))
    return float(low), float(high)


def _step_below(value: Decimal, unit: Decimal) -> Decimal:
    """The step of the figures just below: a tenth of the unit below a power of ten."""
    return unit / 10 if value == unit else unit
