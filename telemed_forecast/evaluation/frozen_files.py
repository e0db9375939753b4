"""The files of a release, and whether they are as they were frozen."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLE = "forecasts.csv"
"""The run's table of forecasts, byte for byte."""

STATEMENT = "release.json"
"""When it was frozen, what was known, from what it was made, and the hash of the table; sealed by its own hash."""


def differences(folder: Path) -> list[str]:
    """Hold a release against its own statement: one line for each file that changed, is missing or is extra."""
    present = {file.name for file in folder.iterdir() if file.is_file()}
    found = [f"{name}: missing" for name in (TABLE, STATEMENT) if name not in present]
    found += [f"{name}: does not belong to a release" for name in sorted(present - {TABLE, STATEMENT})]
    if STATEMENT not in present:
        return found
    try:
        text = (folder / STATEMENT).read_bytes()  # read as text, one end of a line would pass for another
        statement = json.loads(text)
        del statement["seal"]
    except (ValueError, KeyError, TypeError):
        return [*found, f"{STATEMENT}: cannot be read"]
    if text != sealed(statement).encode():
        return [*found, f"{STATEMENT}: changed"]  # what it says of the table says nothing any more
    if TABLE in present and hashlib.sha256((folder / TABLE).read_bytes()).hexdigest() != statement.get("forecasts"):
        found.append(f"{TABLE}: changed")
    return found


def all_in(releases: Path) -> list[Path]:
    """Folders of all releases, in the order of their names (which begin with their date)."""
    return sorted(file.parent for file in releases.glob(f"[!.]*/{STATEMENT}"))


def frozen_by(releases: Path, day: dt.date) -> list[Path]:
    """Folders of the releases that were frozen by a day, in the order of their names.

    What has no statement in it is no release. One whose day cannot be read counts: nobody knows that it came later.
    """
    return [folder for folder in all_in(releases) if (frozen_on(folder) or dt.date.min) <= day]


def frozen_on(folder: Path) -> dt.date | None:
    """The day on which a release says that it was frozen; None when that cannot be read."""
    try:
        stated = json.loads((folder / STATEMENT).read_text(encoding="utf-8"))
        return dt.date.fromisoformat(stated["released"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def sealed(statement: Mapping[str, Any]) -> str:
    """The one text of a statement, with the sha256 of what it says."""
    said = json.dumps(statement, ensure_ascii=False, sort_keys=True)
    seal = hashlib.sha256(said.encode()).hexdigest()
    return json.dumps({**statement, "seal": seal}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
