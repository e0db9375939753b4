"""Numbers as people read them: 411 million in English, 4.11亿人 in Chinese, no finer than the interval allows.

Digits follow the rule of the Particle Data Group: half the interval keeps two digits when they start with 1
to 3.5, else one; the value stops at the same decimal place (https://pdg.lbl.gov, Introduction, 5.3).
Numbers with intervals that stand in one column or chart stop at one place in common (`shared_place`), so that what a
reader works out from two of them, such as growth, is about what the unrounded ones give.
A number without interval is a published figure and is shown as published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from telemed_forecast.exhibits.values import Unit, Value
from telemed_forecast.names import Language

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
_PUBLISHED_DIGITS = 6
_MAX_DIGITS = 4
DIFFERENT = Decimal("0.03")
"""Part of the larger of two numbers by which they differ visibly: then they are not written alike."""

_SCALES: dict[Language, tuple[tuple[int, str], ...]] = {
    "en": ((12, "trillion"), (9, "billion"), (6, "million"), (0, "")),
    "zh": ((12, "万亿"), (8, "亿"), (4, "万"), (0, "")),
}
_TALLIES = ("persons", "hospitals", "consultations", "count")
_PLAIN_BELOW_MILLION = ("hospitals", "count", "CNY")
_SHIFT: dict[str, int] = {"CNY_million": 6, "USD_million": 6, "probability": 2}
_PREFIX: dict[Language, dict[str, str]] = {
    "en": {"CNY": "CNY ", "CNY_million": "CNY ", "USD_million": "USD ", "multiple": "×"},
    "zh": {},
}
_SUFFIX: dict[Language, dict[str, str]] = {
    "en": {"percent": "%", "probability": "%", "years": " years"},
    "zh": {
        "percent": "%",
        "probability": "%",
        "years": "年",
        "year": "年",
        "multiple": "倍",
        "CNY": "元",
        "CNY_million": "元",
        "USD_million": "美元",
        "persons": "人",
        "hospitals": "家",
        "consultations": "次",
    },
}
_TO: dict[Language, str] = {"en": " to ", "zh": "至"}
_ENDS: dict[Language, tuple[str, str]] = {
    "en": ("less than 1%", "more than 99%"),
    "zh": ("不到1%", "99%以上"),
}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Power of ten (of the base unit: persons, yuan, per cent) in which a number is written, and its word."""

    power: int
    word: str


def base(number: float, unit: Unit) -> Decimal:
    """The number in its base unit: yuan for millions of yuan, per cent for a probability."""
    return Decimal(repr(float(number))).scaleb(_SHIFT.get(unit, 0))


def scale_for(number: float, unit: Unit, lang: Language) -> Scale:
    """The largest scale word that leaves at least one digit before the point."""
    size = abs(base(number, unit))
    scaled = unit in _TALLIES or unit in ("CNY", "CNY_million", "USD_million")
    if not scaled or (unit in _PLAIN_BELOW_MILLION and size < Decimal(10) ** 6):
        return Scale(power=0, word="")
    power, word = next(((p, w) for p, w in _SCALES[lang] if size >= Decimal(10) ** p), (0, ""))
    return Scale(power=power, word=word)


def digits(number: Decimal, place: int) -> str:
    """The number rounded to 10**place, with thousands separators and a true minus sign."""
    rounded = number.quantize(Decimal(1).scaleb(place), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{max(0, -place)}f}"
    return (MINUS if rounded < 0 else "") + text


def place_of(value: Value) -> int:
    """Decimal place (power of ten, base unit) at which a number with an interval stops."""
    low, number, high = (base(x, value.unit) for x in _triple(value))
    place = ((high - low) / 7).adjusted() if high > low else _published_place(value)
    largest = max(abs(low), abs(number), abs(high))
    place = max(place, largest.adjusted() - _MAX_DIGITS + 1) if largest else place
    return max(place, _finest(value.unit))


def number_text(value: Value, lang: Language) -> str:
    """The number with its unit's sign and scale word, without its interval.

    Returns
    -------
    str
        Such as "411 million", "CNY 385 billion", "37.9%", "×2.3"; "4.11亿", "3,850亿元", "2.3倍".
    """
    number = base(value.value, value.unit)
    if value.unit == "probability" and not 1 <= number <= 99:
        return _ENDS[lang][0 if number < 1 else 1]
    scale = scale_for(value.value, value.unit, lang)
    place = _refined(place_of(value), number, value.unit) if has_interval(value) else _published_place(value)
    return _dress(_written(number, place, scale, value.unit), scale, value, lang)


def range_text(value: Value, lang: Language) -> str:
    """Both ends of the interval with the unit: "310-480 million" with an en dash, "3.1-4.8亿" in Chinese."""
    if value.low is None or value.high is None:
        raise ValueError(f"{value.value} {value.unit} has no interval")
    low, high = base(value.low, value.unit), base(value.high, value.unit)
    if value.unit == "probability" and (low < 1 or high > 99):
        return _probability_range(low, high, lang)
    scale = _range_scale(value, low, high, lang)
    place = place_of(value)
    left, right = (_written(x, _refined(place, x, value.unit), scale, value.unit) for x in (low, high))
    return _dress(left + (_TO[lang] if low < 0 else DASH) + right, scale, value, lang)


def in_scale(number: float, unit: Unit, scale: Scale, place: int) -> str:
    """Bare digits of a number in a scale chosen for a whole table or axis; `place` as in `place_of`."""
    exact = base(number, unit)
    return _written(exact, _refined(place, exact, unit), scale, unit)


def bare_text(value: Value, scale: Scale) -> str:
    """The number's digits alone, in a scale that its surroundings state."""
    place = place_of(value) if has_interval(value) else _published_place(value)
    return in_scale(value.value, value.unit, scale, place)


def bare_range(value: Value, scale: Scale, place: int | None = None) -> str:
    """The digits of both ends of an interval, in a scale that its surroundings state; by default at its own place."""
    if value.low is None or value.high is None:
        raise ValueError(f"{value.value} {value.unit} has no interval")
    place = place_of(value) if place is None else place
    left, right = (in_scale(x, value.unit, scale, place) for x in (value.low, value.high))
    return left + (f" {DASH} " if value.low < 0 else DASH) + right


def shared_place(values: Sequence[Value]) -> int | None:
    """Decimal place at which numbers with intervals stop that stand together; None when there are none.

    It is that of the narrowest interval, but leaves the largest number two digits at least and three at most; three
    where two numbers that differ would else be written alike.
    """
    exact = [base(value.value, value.unit) for value in values]
    largest = max(map(abs, exact), default=Decimal(0)).adjusted() if any(exact) else None
    if largest is None:
        return min(map(place_of, values), default=None)
    finest = _finest(values[0].unit)
    place = min(max(min(map(place_of, values)), largest - 2), largest - 1)
    while place > max(largest - 2, finest) and _alike(exact, place):
        place -= 1
    return max(place, finest)


def _alike(numbers: Sequence[Decimal], place: int) -> bool:
    """Whether two numbers that differ visibly (`DIFFERENT`) are written alike at a place."""
    ordered = sorted(numbers)
    for one, other in pairwise(ordered):
        told = [digits(x, min(place, x.adjusted()) if x else place) for x in (one, other)]
        if told[0] == told[1] and other - one > DIFFERENT * max(abs(one), abs(other)):
            return True
    return False


def has_interval(value: Value) -> bool:
    """Whether there is an interval of some width."""
    return value.low is not None and value.high is not None and value.low < value.high


def column_place(numbers: list[float], unit: Unit, significant: int | None = None) -> int:
    """Decimal place at which the largest of some numbers without interval shows its significant digits.

    By default four digits for what is counted and three for what is measured.
    """
    largest = max((abs(base(number, unit)) for number in numbers), default=Decimal(0))
    wanted = significant or (4 if unit in (*_TALLIES, "year") else 3)
    own = min((_exponent(base(number, unit)) for number in numbers), default=0)
    return max(largest.adjusted() - wanted + 1, own, _finest(unit)) if largest else 0


def _triple(value: Value) -> tuple[float, float, float]:
    low = value.value if value.low is None else value.low
    high = value.value if value.high is None else value.high
    return low, value.value, high


def _finest(unit: Unit) -> int:
    return 0 if unit in (*_TALLIES, "year", "probability") else -6


def _published_place(value: Value) -> int:
    number = base(value.value, value.unit).normalize()
    if value.unit == "probability":
        return 0
    shown = value.digits or (10 if value.unit in _PLAIN_BELOW_MILLION and abs(number) < 10**6 else _PUBLISHED_DIGITS)
    return max(_exponent(number), number.adjusted() - shown + 1) if number else 0


def _exponent(number: Decimal) -> int:
    """Decimal place of the last digit that is not a trailing zero."""
    return int(number.normalize().as_tuple().exponent) if number else 0


def _refined(place: int, number: Decimal, unit: Unit) -> int:
    """A finer place for a number that would vanish: the low end of a wide interval keeps one digit."""
    return max(min(place, number.adjusted()), _finest(unit)) if number else place


def _written(number: Decimal, place: int, scale: Scale, unit: Unit) -> str:
    if unit == "year":
        return digits(number, 0).replace(",", "")
    rounded = number.quantize(Decimal(1).scaleb(place), rounding=ROUND_HALF_UP)
    return digits(rounded.scaleb(-scale.power), min(place - scale.power, 0))


def _range_scale(value: Value, low: Decimal, high: Decimal, lang: Language) -> Scale:
    """The value's scale, or a smaller one when the low end would start with two zeros."""
    scale = scale_for(value.value, value.unit, lang)
    smaller = [Scale(power=p, word=w) for p, w in _SCALES[lang] if p < scale.power]
    for candidate in smaller:
        too_small = low != 0 and abs(low) < Decimal(10) ** (scale.power - 1)
        if too_small and high < Decimal(10) ** (candidate.power + 5):
            scale = candidate
    return scale


def _dress(written: str, scale: Scale, value: Value, lang: Language) -> str:
    space = " " if lang == "en" and scale.word else ""
    suffix = _SUFFIX[lang].get(value.unit, "")
    if lang == "en" and value.unit == "years" and written == "1":
        suffix = " year"
    return _PREFIX[lang].get(value.unit, "") + written + space + scale.word + suffix


def _probability_range(low: Decimal, high: Decimal, lang: Language) -> str:
    less, more = _ENDS[lang]
    left = less if low < 1 else more if low > 99 else digits(low, 0) + "%"
    right = more if high > 99 else less if high < 1 else digits(high, 0) + "%"
    return left if left == right else left + _TO[lang] + right
