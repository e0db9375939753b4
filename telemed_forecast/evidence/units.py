"""What is known of a quantity from the name of its unit alone."""

from __future__ import annotations

import re

_PERCENT = re.compile(r"%|(pct|percent|per[ _]cent|percentage)([ _]of[ _].*)?")
_FRACTION = re.compile(r"(fraction|proportion|share)([ _]of[ _].*)?")


def bound(unit: str) -> float | None:
    """Return the largest value that a unit allows.

    Parameters
    ----------
    unit
        Such as ``percent``, ``percent_of_population``, ``per_100_people`` or ``persons``; case does not matter.

    Returns
    -------
    float or None
        100 for a percentage, 1 for a fraction; None for everything else (subscriptions per 100 people pass 100).
    """
    name = unit.strip().lower()
    if _PERCENT.fullmatch(name):
        return 100.0
    return 1.0 if _FRACTION.fullmatch(name) else None
