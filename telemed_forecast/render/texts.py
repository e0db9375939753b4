"""Texts of a report by key, in the reader's language, with numbers written into their placeholders.

TOML files lie in `text/` (the pages' own words) and in `catalogue/` (the exhibits'), one a language.
A key is dotted (`report.user_adoption.title`). A placeholder is named and may ask for a form of its value:
`{users}` the number, `{users:range}` its interval alone, `{users:interval}` the interval with its level,
`{users:full}` both, `{day:date}` a date, `{day:period}` a period.
Both languages hold the same keys with the same placeholders: `differences` lists where they do not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from telemed_forecast.errors import TelemedError
from telemed_forecast.exhibits.values import Unit, Value
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.render.numerals import Scale, has_interval, number_text, range_text

TEXTS = Path(__file__).parent / "text"
EXHIBITS = Path(__file__).parent / "catalogue"

_MONTHS = ("January February March April May June July August September October November December").split()
_FORMATTER = Formatter()


class TextError(TelemedError, LookupError):
    """A text or a placeholder's value is missing."""


class Catalogue:
    """The texts of one language.

    Parameters
    ----------
    lang : {"en", "zh"}
        Language.
    texts : mapping of str to str
        Dotted key to text.
    """

    def __init__(self, lang: Language, texts: Mapping[str, str]) -> None:
        self.lang = lang
        self.texts = dict(texts)

    def text(self, key: str, values: Mapping[str, Any] | None = None, *, escape: Callable[[str], str] = str) -> str:
        """The text of `key` with its placeholders filled.

        Parameters
        ----------
        key : str
            Dotted key.
        values : mapping, optional
            Value, number, or str ("@key" names another text) by placeholder.
        escape : callable
            Applied to every value written into the text (not to the text).

        Raises
        ------
        TextError
            When the key, or a value for one of its placeholders, is missing.
        """
        if key not in self.texts:
            raise TextError(f"no text {key!r} in {self.lang}.toml")
        parts = []
        for literal, name, form, _ in _FORMATTER.parse(self.texts[key]):
            parts.append(literal)
            if name is None:
                continue
            if name not in (values or {}):
                raise TextError(f"text {key!r} ({self.lang}) needs a value for {{{name}}}")
            parts.append(escape(self.write((values or {})[name], form or "", where=f"{key} {{{name}}}")))
        return "".join(parts)

    def write(self, value: Any, form: str = "", *, where: str = "") -> str:
        """One value in the form that a placeholder asks for (see the module's docstring)."""
        if isinstance(value, Value):
            forms = {"": self.number, "range": self.range, "interval": self.interval, "full": self.full}
            if form in forms:
                return forms[form](value)
        elif isinstance(value, str | date) and form in ("date", "period"):
            return self.date(value) if form == "date" else self.period(str(value))
        elif form == "":
            return (
                self.label(value)
                if isinstance(value, str)
                else f"{value:.6g}"
                if isinstance(value, float)
                else str(value)
            )
        raise TextError(f"{where or 'text'}: no form {form!r} for {value!r}")

    def label(self, text: str) -> str:
        """`text` itself, or the text it names when it starts with "@"."""
        return self.text(text[1:]) if text.startswith("@") else text

    def number(self, value: Value) -> str:
        """The number with its unit, without interval."""
        return number_text(value, self.lang)

    def range(self, value: Value) -> str:
        """The interval's two ends with the unit."""
        return range_text(value, self.lang)

    def interval(self, value: Value) -> str:
        """The interval with its level; for a number without one, whether it was published or computed."""
        if not has_interval(value):
            return self.text("number.published" if value.digits is None else "number.computed")
        return self.text("number.interval", {"level": self.level(value.level), "range": self.range(value)})

    def full(self, value: Value) -> str:
        """Number and interval."""
        if not has_interval(value):
            return self.number(value)
        return self.text("number.full", {"number": self.number(value), "interval": self.interval(value)})

    def level(self, level: float) -> str:
        """A probability level as a whole per cent (80%), or finer where needed (99.5%)."""
        return f"{level * 100:.6g}%"

    def noun(self, unit: Unit) -> str:
        """What a number in this unit counts; empty where the number already says it."""
        return self.text(f"unit.{unit}.noun")

    def unit(self, unit: Unit, scale: Scale | None = None) -> str:
        """The unit as an axis or a table heading states it: "million people", "亿元"."""
        word = scale.word if scale else ""
        label = self.text(f"unit.{unit}.label", {"scale": f"{word} " if word and self.lang == "en" else word})
        return label.rstrip(" ,，（")

    def date(self, day: str | date) -> str:
        """A date as people write it; a month or a year alone stays one."""
        parts = [int(part) for part in str(day)[:10].split("-")]
        if self.lang == "zh":
            return "".join(f"{part}{unit}" for part, unit in zip(parts, "年月日", strict=False))
        year, *rest = parts
        return " ".join([*(str(d) for d in rest[1:]), *(_MONTHS[m - 1] for m in rest[:1]), str(year)])

    def period(self, period: str) -> str:
        """A period: a year, a span of years, a day, the end of a year, or the text that "@" names."""
        if period.startswith("@"):
            return self.label(period)
        if re.fullmatch(r"\d{4}", period):
            return self.text("period.year", {"year": period})
        if "/" in period:
            first, last = period.split("/")
            return self.text("period.span", {"first": first, "last": last})
        if period.endswith("-12-31"):
            return self.text("period.year_end", {"year": period[:4]})
        return self.date(period)


@lru_cache
def catalogue(lang: Language) -> Catalogue:
    """The catalogue of a language, read once."""
    if lang not in LANGUAGES:
        raise TextError(f"no catalogue for language {lang!r}: there are {', '.join(LANGUAGES)}")
    own, exhibits = (read(folder / f"{lang}.toml") for folder in (TEXTS, EXHIBITS))
    if twice := sorted(own.keys() & exhibits.keys()):
        raise TextError(f"texts of {lang} that two files hold: {', '.join(twice)}")
    return Catalogue(lang, own | exhibits)


def read(path: Path) -> dict[str, str]:
    """Dotted keys and texts of a TOML file."""
    return dict(_flat(tomllib.loads(path.read_text(encoding="utf-8")), ()))


def placeholders(text: str) -> frozenset[str]:
    """Names of the placeholders in a text."""
    return frozenset(name for _, name, _, _ in _FORMATTER.parse(text) if name is not None)


def differences(left: Catalogue, right: Catalogue) -> list[str]:
    """Every key or placeholder that one catalogue has and the other has not."""
    faults = []
    for one, other in ((left, right), (right, left)):
        faults += [f"{key}: in {one.lang}.toml only" for key in sorted(one.texts.keys() - other.texts.keys())]
    for key in sorted(left.texts.keys() & right.texts.keys()):
        ours, theirs = placeholders(left.texts[key]), placeholders(right.texts[key])
        if ours != theirs:
            faults.append(f"{key}: {left.lang} has {sorted(ours)}, {right.lang} has {sorted(theirs)}")
    return faults


def _flat(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, node in tree.items():
        if isinstance(node, Mapping):
            yield from _flat(node, (*path, name))
        elif isinstance(node, str):
            yield ".".join((*path, name)), node
        else:
            raise TextError(f"{'.'.join((*path, name))}: a text is a string, not {node!r}")
