"""Exhibits and numbers in a notebook: shown to whoever runs it, and read back from its outputs for the pages."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, facts_json, facts_of
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.render.html import fragment
from telemed_forecast.render.notebook_reader import blocks_of, outputs_of
from telemed_forecast.render.placed import RECORD, block_of
from telemed_forecast.render.texts import catalogue
from telemed_forecast.reporting.atoms import display_language
from telemed_forecast.reporting.blocks import Block, KeyFigures

EXHIBIT = "application/vnd.telemed-forecast.exhibit+json"
NUMBERS = "application/vnd.telemed-forecast.numbers+json"


@dataclass(frozen=True)
class Shown:
    """What an executed notebook shows.

    Attributes
    ----------
    exhibits
        By name.
    numbers
        What prose is told, by name.
    blocks
        Key figures, and sections of reports that are not exhibits, in their order.
    """

    exhibits: Exhibits = field(default_factory=dict)
    numbers: dict[str, Fact] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


def show(*given: Any) -> None:
    """Show exhibits, numbers and key figures in a notebook, one output each; None shows nothing.

    Parameters
    ----------
    given
        An exhibit, a mapping of exhibits, of key figures or of numbers by name, or a list of blocks.
    """
    from IPython.display import display

    for one in given:
        if isinstance(one, Block):
            display(one)
        elif isinstance(one, list):
            show(*one)
        elif one is not None:
            for bundle in _bundles(one):
                display(bundle, raw=True)


def read(path: Path) -> Shown:
    """What an executed notebook shows.

    Raises
    ------
    InputError
        When a code cell was not executed, shows an error or something faulty; names every such cell.
    """
    blocks = blocks_of(path)
    exhibits = [Exhibit.from_json(data) for data in outputs_of(path, EXHIBIT)]
    numbers: dict[str, Fact] = {}
    for data in outputs_of(path, NUMBERS):
        numbers |= facts_of(data)
    return Shown({one.name: one for one in exhibits}, numbers, blocks)


def _bundles(one: Any) -> Iterator[dict[str, Any]]:
    """Data of the outputs that show something."""
    if isinstance(one, Exhibit):
        yield {EXHIBIT: one.to_json(), "text/html": _exhibit_html(one), "text/plain": f"Exhibit({one.name})"}
    elif isinstance(one, Mapping) and all(isinstance(value, Exhibit) for value in one.values()):
        for exhibit in one.values():
            yield from _bundles(exhibit)
    elif isinstance(one, Mapping) and all(isinstance(value, KeyFigure) for value in one.values()):
        yield KeyFigures(items=tuple(one.values()))._repr_mimebundle_()
    elif isinstance(one, Mapping):
        yield {NUMBERS: facts_json(one), "text/html": _numbers_html(one), "text/plain": f"{len(one)} numbers"}
    else:
        raise TypeError(f"neither exhibit nor numbers: {type(one).__name__}")


def _exhibit_html(exhibit: Exhibit) -> str:
    if exhibit.name in RECORD:
        return str(exhibit.frame.to_html(index=False, max_rows=20))
    return fragment(block_of(exhibit), display_language())


def _numbers_html(numbers: Mapping[str, Fact]) -> str:
    texts = catalogue(display_language())
    told = {name: texts.full(fact) if isinstance(fact, Value) else str(fact) for name, fact in numbers.items()}
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in told.items())
    return f"<table>{rows}</table>"
