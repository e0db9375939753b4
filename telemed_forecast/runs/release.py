"""Releases: the quantiles of a run, frozen, so that they can be scored when the truth is known.

A release is a folder of two files: `forecasts.csv`, byte for byte the run's table of forecasts, and `release.json`,
which says when it was frozen, what was known, from what it was made, and the hash of the table. The hash of that
statement itself closes it. A release is never edited: freezing the same run again changes nothing, and `differences`
names a file that is not as it was frozen.
"""

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telemed_forecast.errors import InputError, TelemedError, listed
from telemed_forecast.evaluation.frozen_files import STATEMENT, TABLE, all_in, differences, sealed
from telemed_forecast.runs import manifest, plan

__all__ = ["STATEMENT", "TABLE", "all_in", "differences", "freeze"]

SCHEMA = 1
_RUN_TABLE = Path("data") / TABLE
_STATED = ("run_id", "key", "as_of", "vintage", "scenario", "profile", "seeds", "parameters", "versions", "inputs")


def freeze(run: Path, releases: Path, *, today: dt.date) -> Path:
    """Freeze a finished run's forecasts on a day, and return the release's folder among the releases.

    One that is there already, as it was frozen, is left as it is; if it is not, a `TelemedError` says so. An
    `InputError` has every reason for which the run cannot be a release.
    """
    stated = manifest.read(run)
    if faults := _reasons_against(run, stated):
        raise InputError([f"{run} cannot be released: {fault}" for fault in faults])
    final = releases / str(stated["run_id"])
    if final.exists():
        if found := differences(final):
            raise TelemedError(listed(f"{final} is not as it was frozen", found))
        return final
    releases.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=releases))
    try:
        folder = temporary / "release"
        folder.mkdir()
        shutil.copyfile(run / _RUN_TABLE, folder / TABLE)
        statement = {name: stated[name] for name in _STATED} | {
            "schema": SCHEMA,
            "released": today.isoformat(),
            "forecasts": plan.file_hash(folder / TABLE),
        }
        (folder / STATEMENT).write_text(sealed(statement), encoding="utf-8")
        os.replace(folder, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return final


def _reasons_against(run: Path, stated: Mapping[str, Any]) -> list[str]:
    """Why a run's forecasts must not go on record."""
    faults = [f"it is not as it was written: {line}" for line in manifest.differences(run)]
    if not (run / _RUN_TABLE).exists():
        faults.append("it holds no forecasts")
    if stated["as_of"] != stated["vintage"]:
        # A forecast made as of an earlier day by people who know the later one is a backtest.
        faults.append(f"its date is {stated['as_of']}, but the evidence reaches to {stated['vintage']}")
    return faults + [f"a fit missed its gates: {line}" for line in manifest.missed_gates(stated)]
