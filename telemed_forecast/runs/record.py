"""Executed notebooks as a record: the same inputs give the same bytes.

papermill and nbformat write times, paths and random cell ids into a notebook. `prepared` removes the chance
before a notebook runs, `cleaned` removes what came in while it ran. Both work on plain JSON.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telemed_forecast import files
from telemed_forecast.paths import PACKAGE, ROOT
from telemed_forecast.runs.worker import INJECTED_TAG

# IPython compiles cells under temporary file names which hold the kernel's process id and a hash.
_CELL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py")
# An object's place in memory differs from run to run.
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-f]{8,}")

# Where this project, its environment and its user live is nobody's business (warnings print paths).
_HERE = sorted(
    {str(place) for place in (ROOT, PACKAGE.parent, sys.prefix, Path.home()) if len(str(place)) > 1},
    key=len,
    reverse=True,
)
_MACHINE = re.compile("|".join(re.escape(f"{place}{os.sep}") for place in _HERE))


def prepared(file: Path) -> dict[str, Any]:
    """Read a notebook for execution: JSON (nbformat 4.5) without outputs, and with stable cell ids."""
    notebook: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    for number, cell in enumerate(notebook["cells"], start=1):
        cell.setdefault("id", f"cell-{number}")
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    notebook["nbformat"], notebook["nbformat_minor"] = 4, max(5, notebook.get("nbformat_minor", 5))
    return notebook


def cleaned(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an executed notebook without times, machine paths and random ids, and with papermill's parameters."""
    copy: dict[str, Any] = json.loads(_without_folders(notebook))
    papermill = copy["metadata"].pop("papermill", {})
    copy["metadata"]["papermill"] = {"parameters": papermill.get("parameters", {})}
    for cell in copy["cells"]:
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
        if INJECTED_TAG in cell["metadata"].get("tags", []):
            cell["id"] = INJECTED_TAG
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                output["text"] = _clean_text(output["text"])
            if "text/plain" in output.get("data", {}):
                output["data"]["text/plain"] = _clean_text(output["data"]["text/plain"])
    return copy


def _without_folders(notebook: Mapping[str, Any]) -> str:
    """The JSON of a notebook in which files that were injected as parameters have lost their folders."""
    text = json.dumps(notebook)
    parameters = notebook["metadata"].get("papermill", {}).get("parameters", {})
    for path in (one for value in parameters.values() for one in (value if isinstance(value, list) else [value])):
        if isinstance(path, str) and Path(path).is_absolute():
            name = json.dumps(Path(path).name)[1:-1]
            # As a value, and within the source of a cell, where it is quoted once more.
            for source in (json.dumps(path)[1:-1], json.dumps(path, ensure_ascii=False)[1:-1], path):
                text = text.replace(json.dumps(source)[1:-1], name)
    return text


def _clean_text(text: str | list[str]) -> str:
    joined = text if isinstance(text, str) else "".join(text)
    return _MACHINE.sub("", _ADDRESS.sub("0x...", _CELL_FILE.sub("<cell>", joined)))


def write(notebook: Mapping[str, Any], file: Path) -> None:
    """Write a notebook as JSON with sorted keys, in one step."""
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    files.write(file, text + "\n")
