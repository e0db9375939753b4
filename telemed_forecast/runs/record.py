"""Executed notebooks as a record: the same inputs give the same bytes.

papermill and nbformat write times, paths and random cell ids into a notebook. `prepared` removes the chance
before a notebook runs, `cleaned` removes what came in while it ran. Both work on plain JSON.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telemed_forecast.runs.worker import INJECTED_TAG

# IPython compiles cells under temporary file names which hold the kernel's process id and a hash.
_CELL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py")
# An object's place in memory differs from run to run.
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-f]{8,}")


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
    copy: dict[str, Any] = json.loads(json.dumps(notebook))
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


def _clean_text(text: str | list[str]) -> str:
    joined = text if isinstance(text, str) else "".join(text)
    return _ADDRESS.sub("0x...", _CELL_FILE.sub("<cell>", joined))


def write(notebook: Mapping[str, Any], file: Path) -> None:
    """Write a notebook as JSON with sorted keys."""
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")
