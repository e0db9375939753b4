"""Blocks out of an executed notebook, which is the whole record of a report.

Whether a notebook ran is judged by its cells alone: each code cell has an execution count and no error among
its outputs. (The metadata that papermill leaves behind calls cells complete that never ran.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from telemed_forecast.errors import InputError
from telemed_forecast.reporting.blocks import MIME, Block, Markdown, parse

LAB_ONLY = "lab-only"


def blocks_of(path: str | Path) -> list[Block]:
    """The blocks that an executed notebook shows, in order; Markdown cells too, unless tagged `lab-only`.

    Parameters
    ----------
    path : str or pathlib.Path
        The executed notebook.

    Raises
    ------
    InputError
        When a code cell was not executed, shows an error or a faulty block; names every such cell.
    """
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    faults: list[str] = []
    blocks: list[Block] = []
    for index, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            blocks += _markdown(cell)
        elif cell["cell_type"] == "code" and _source(cell).strip():
            faults += [f"cell {index}: {fault}" for fault in _failures(cell)]
            for data in _shown(cell, MIME):
                try:
                    blocks.append(parse(data))
                except ValidationError as error:
                    faults.append(f"cell {index}: a block of type {data.get('type')!r}: {error}")
    if faults:
        raise InputError(faults, heading=f"{Path(path).name} was not executed from top to bottom without error")
    return blocks


def outputs_of(path: str | Path, mime: str) -> list[Mapping[str, Any]]:
    """The data of one type that a notebook's cells show, in order."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    return [data for cell in cells if cell["cell_type"] == "code" for data in _shown(cell, mime)]


def _markdown(cell: Mapping[str, Any]) -> list[Block]:
    tags = cell.get("metadata", {}).get("tags", [])
    text = _source(cell).strip()
    return [Markdown(text=text)] if text and LAB_ONLY not in tags else []


def _failures(cell: Mapping[str, Any]) -> Iterator[str]:
    if cell.get("execution_count") is None:
        yield "not executed"
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            yield f"{output.get('ename', 'error')}: {output.get('evalue', '')}"


def _shown(cell: Mapping[str, Any], mime: str) -> Iterator[Mapping[str, Any]]:
    for output in cell.get("outputs", []):
        data = output.get("data", {}).get(mime)
        if data is not None:
            yield json.loads("".join(data)) if isinstance(data, str | list) else data


def _source(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])
