"""Exhibits and numbers in a notebook: shown to whoever runs it, and read back from its outputs for the pages.

Whether a notebook ran is judged by its cells alone: each code cell has an execution count and no error among
its outputs. (The metadata that papermill leaves behind calls cells complete that never ran.)
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telemed_forecast.errors import InputError
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, facts_json, facts_of
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.render.html import fragment
from telemed_forecast.render.page import RECORD
from telemed_forecast.render.texts import catalogue

EXHIBIT, NUMBERS, FIGURES = (
    f"application/vnd.telemed-forecast.{kind}+json" for kind in ("exhibit", "numbers", "figures")
)
"""Types of the outputs that a page is made of."""

CHECK = "nbval-check-output"
"""Tag of a notebook's check cell."""

_language: Language = LANGUAGES[0]


def use_language(lang: Language) -> None:
    """Set the language in which notebooks show what they show (the data in it has none)."""
    global _language
    if lang not in LANGUAGES:
        raise ValueError(f"unknown language {lang!r}: expected one of {', '.join(LANGUAGES)}")
    _language = lang


@dataclass(frozen=True)
class Shown:
    """What an executed notebook shows, each by name.

    Attributes
    ----------
    exhibits
        Tables, charts and files, and the record that the report ends with.
    numbers
        What prose is told.
    figures
        Key figures in their order.
    printed
        What cells print as text, which none does as shipped: an edited notebook's own words.
    """

    exhibits: Exhibits = field(default_factory=dict)
    numbers: dict[str, Fact] = field(default_factory=dict)
    figures: dict[str, KeyFigure] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)


def show(*given: Any) -> None:
    """Show exhibits, numbers and key figures in a notebook, one output each; None shows nothing.

    Parameters
    ----------
    given
        An exhibit, or a mapping of exhibits, of key figures or of numbers by name.
    """
    from IPython.display import display

    for one in given:
        for bundle in () if one is None else _bundles(one):
            display(bundle, raw=True)


def read(path: Path) -> Shown:
    """What an executed notebook shows.

    Raises
    ------
    InputError
        When a code cell was not executed, shows an error or something faulty; names every such cell.
    """
    cells = enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"])
    ran = [(k, cell) for k, cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    faults = [f"cell {k}: {fault}" for k, cell in ran for fault in _failures(cell)]
    shown = Shown()
    for k, cell in ran:
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream" and output["name"] == "stdout" and not _checks(cell):
                shown.printed.append("".join(output["text"]))
            try:
                _take(output.get("data", {}), shown)
            except (KeyError, TypeError, ValueError) as error:
                faults.append(f"cell {k}: {error}")
    if faults:
        raise InputError(faults, heading=f"{path.name} was not executed from top to bottom without error")
    return shown


def _take(data: Mapping[str, Any], shown: Shown) -> None:
    """Add what one output shows."""
    if EXHIBIT in data:
        exhibit = Exhibit.from_json(data[EXHIBIT])
        shown.exhibits[exhibit.name] = exhibit
    shown.numbers.update(facts_of(data.get(NUMBERS, {})))
    figures = [KeyFigure.model_validate(one) for one in data.get(FIGURES, ())]
    shown.figures.update({figure.id: figure for figure in figures})


def _checks(cell: Mapping[str, Any]) -> bool:
    """Whether a cell compares what was found with what is on record: its words are for tests."""
    return CHECK in cell.get("metadata", {}).get("tags", ())


def _failures(cell: Mapping[str, Any]) -> Iterator[str]:
    if cell.get("execution_count") is None:
        yield "not executed"
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            yield f"{output.get('ename', 'error')}: {output.get('evalue', '')}"


def _bundles(one: Any) -> Iterator[dict[str, Any]]:
    """Data of the outputs that show something."""
    if isinstance(one, Exhibit):
        yield {EXHIBIT: one.to_json(), "text/html": _exhibit_html(one), "text/plain": f"Exhibit({one.name})"}
    elif isinstance(one, Mapping) and all(isinstance(value, Exhibit) for value in one.values()):
        for exhibit in one.values():
            yield from _bundles(exhibit)
    elif isinstance(one, Mapping) and all(isinstance(value, KeyFigure) for value in one.values()):
        # A list: a notebook's file sorts the names of a mapping.
        told = [figure.model_dump(mode="json") for figure in one.values()]
        plain = ", ".join(f"{name}={one[name].value.value:.4g} {one[name].value.unit}" for name in one)
        yield {FIGURES: told, "text/html": fragment([*one.values()], _language), "text/plain": plain}
    elif isinstance(one, Mapping):
        yield {NUMBERS: facts_json(one), "text/html": _numbers_html(one), "text/plain": f"{len(one)} numbers"}
    else:
        raise TypeError(f"neither exhibit nor numbers: {type(one).__name__}")


def _exhibit_html(exhibit: Exhibit) -> str:
    if exhibit.name in RECORD:
        return str(exhibit.frame.to_html(index=False, max_rows=20))
    return fragment(exhibit, _language)


def _numbers_html(numbers: Mapping[str, Fact]) -> str:
    texts = catalogue(_language)
    told = {name: texts.full(fact) if isinstance(fact, Value) else str(fact) for name, fact in numbers.items()}
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in told.items())
    return f"<table>{rows}</table>"
