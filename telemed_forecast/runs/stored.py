"""What is stored: runs in a folder of reports, and scratch files; listed and removed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telemed_forecast.errors import InputError, did_you_mean
from telemed_forecast.runs import manifest

KINDS = {
    "fits": "fits by content: made anew when they are missing",
    "failed": "half-run notebooks and logs of what failed",
    "compare": "pages of `compare`",
    "world_bank": "answers of the World Bank",
    "pytensor": "compiled models",
    "numba": "compiled functions",
    "matplotlib": "settings and fonts of charts",
}
"""Folders of the cache that have a name of their own, and what they hold."""


def runs(reports: Path) -> list[str]:
    """A line a run, newest first: what tells it apart from others."""
    return [_line(reports, made) for made in manifest.all_in(reports)]


def _line(reports: Path, made: dict[str, Any]) -> str:
    common = {name: value for values in made["parameters"].values() for name, value in values.items()}
    names = ("profile", "horizon", "currency", "prices", "evidence")
    said = [f"{name}={common[name]}" for name in names if common.get(name)]
    when = str(made["volatile"]["created"])[:16].replace("T", " ")
    size = _in_words(_size(reports / made["run_id"]))
    return f"{made['run_id']}  {when}  {size}  {' '.join(said)}  {' '.join(made['notebooks'])}"


def remove_runs(reports: Path, names: Sequence[str]) -> list[Path]:
    """Remove runs by name; when one of them is none, an `InputError` names the nearest and nothing is removed."""
    known = [str(made["run_id"]) for made in manifest.all_in(reports)]
    faults = [f"{reports} holds no run {name}{did_you_mean(name, known)}" for name in names if name not in known]
    if faults:
        raise InputError(faults)
    folders = [reports / name for name in dict.fromkeys(names)]
    for folder in folders:
        (folder / manifest.NAME).unlink()  # a folder without one is no run, should this be stopped half way
        shutil.rmtree(folder)
    return folders


def cache(folder: Path) -> list[str]:
    """A line for each part of the cache: how many files, how large, what for."""
    lines = [f"{folder}"]
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        number = sum(file.is_file() for file in part.rglob("*")) if part.is_dir() else 1
        what, many = KINDS.get(part.name, ""), "" if number == 1 else "s"
        lines.append(f"  {part.name}: {number:,} file{many}, {_in_words(_size(part))}  {what}".rstrip())
    return lines


def clear(folder: Path, kinds: Sequence[str] = ()) -> list[Path]:
    """Remove parts of the cache (`KINDS`, all of them by default); `InputError` when there is no such kind."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        known = ", ".join(KINDS)
        raise InputError([f"the cache has no part {kind}{did_you_mean(kind, KINDS)}: {known}" for kind in unknown])
    gone = [folder / kind for kind in kinds or KINDS if (folder / kind).is_dir()]
    for part in gone:
        shutil.rmtree(part)
    return gone


def _size(place: Path) -> int:
    return sum(file.stat().st_size for file in (place, *place.rglob("*")) if file.is_file())


def _in_words(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
