"""Make a run again from nothing, and hold its numbers against those that were written.

The run is made in a temporary folder with an empty store of fits, so that every model is compiled and sampled anew.
Numbers are the files in data/: the same inputs, seed and lock file give the same bytes on one machine.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from telemed_forecast.errors import InputError
from telemed_forecast.runs import manifest, parameters, plan
from telemed_forecast.runs.report import Reports

NUMBERS = "data/"


def differences(folder: Path, reports: Reports) -> list[str]:
    """Name the files of numbers that come out differently when a run is made again.

    Parameters
    ----------
    folder : Path
        The run.
    reports : Reports
        How runs are made here; its folder and its store of fits are not touched.

    Returns
    -------
    list of str
        One line a file, with the first line of it that differs; empty when all numbers are the same.

    Raises
    ------
    InputError
        The folder is not a run, or its inputs are not those of this project any more: every change is named.
    """
    stated = manifest.read(folder)
    asked = plan.request(stated["notebooks"], _texts(stated), languages=stated["languages"])
    [planned] = plan.runs(asked, reports.project)
    if planned.key != stated["key"]:
        changed = plan.changes(stated, planned) or ["its scenario's own file"]
        raise InputError([f"{folder} cannot be made again, because of what changed since: {line}" for line in changed])
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        project = replace(reports.project, cache=place / "cache")
        [made] = replace(reports, out=place / "reports", project=project, force=True).make(asked)
        return _numbers(folder, stated["outputs"], made.folder, made.manifest["outputs"])


def _texts(stated: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parameters of a run as somebody would type them, each once."""
    values = {name: value for own in stated["parameters"].values() for name, value in own.items()}
    return [(name, parameters.to_text(value)) for name, value in values.items()]


def _numbers(before: Path, old: Mapping[str, str], after: Path, new: Mapping[str, str]) -> list[str]:
    """One line for each file of numbers whose hashes differ."""
    names = sorted(name for name in old.keys() | new.keys() if name.startswith(NUMBERS))
    found = [f"{name}: comes out no more" for name in names if name not in new]
    found += [f"{name}: comes out anew" for name in names if name not in old]
    changed = [name for name in names if name in old and name in new and old[name] != new[name]]
    return found + [f"{name}: {_first_difference(before / name, after / name)}" for name in changed]


def _first_difference(before: Path, after: Path) -> str:
    """The first line that differs between two tables; Parquet is not read line by line."""
    if before.suffix != ".csv":
        return "other bytes"
    pairs = zip_longest(*(file.read_text(encoding="utf-8").splitlines() for file in (before, after)))
    number, (one, other) = next((k, pair) for k, pair in enumerate(pairs, start=1) if pair[0] != pair[1])
    return f"line {number} was {one!r} and comes out as {other!r}"
