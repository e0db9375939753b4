"""Files of a user's own that add rows to the ledger for a run.

A run knows them as one text, their paths separated by semicolons: the parameter `evidence` of every notebook.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from telemed_forecast.errors import Fault
from telemed_forecast.evidence import dictionary, tables

if TYPE_CHECKING:
    import pandas as pd

SEPARATOR = ";"


def files(evidence: str) -> tuple[Path, ...]:
    """The files of a parameter `evidence`, each once."""
    names = dict.fromkeys(name.strip() for name in evidence.split(SEPARATOR) if name.strip())
    return tuple(Path(name).expanduser() for name in names)


def text(paths: Sequence[str | Path]) -> str:
    """The parameter that names files: their absolute paths."""
    return SEPARATOR.join(str(Path(path).expanduser().resolve()) for path in paths)


def names(evidence: str) -> str:
    """The parameter without folders: where a user's files lie is nobody's business."""
    return SEPARATOR.join(file.name for file in files(evidence))


def described(evidence: str) -> str:
    """Say which files they are, such as ``mine.csv, 3 rows``; empty without any."""
    counts = [(file.name, len(tables.read(file).rows)) for file in files(evidence)]
    return "; ".join(f"{name}, {rows} row{'' if rows == 1 else 's'}" for name, rows in counts)


def faults(evidence: str) -> list[Fault | str]:
    """What is wrong with the files; the whole ledger is read for that."""
    from telemed_forecast.evidence import ledger

    paths = files(evidence)
    found = [f"evidence: there is no file {Path.cwd() / file}" for file in paths if not file.is_file()]
    return [*found] if found or not paths else [*ledger.check(paths)]


def ledger_with(evidence: str = "") -> pd.DataFrame:
    """The ledger with the rows of the files."""
    return _ledger(tuple((file, _changed(file)) for file in files(evidence)))


@lru_cache(maxsize=2)
def _ledger(stamped: tuple[tuple[Path, int], ...]) -> pd.DataFrame:
    from telemed_forecast.evidence import ledger

    return ledger.load([file for file, _ in stamped])


def _changed(file: Path) -> int:
    """When a file was changed: who edits one in a running notebook gets its new rows."""
    with contextlib.suppress(OSError):
        return file.stat().st_mtime_ns
    return 0


def _read_by(metric: str, status: str) -> str:
    """A row's status, but for metrics that no model reads."""
    table = dictionary.modelled()
    reasons = table.loc[table["metric"] == metric, ["reason", "explanation"]]
    if status != "fitted" or (reasons["reason"] == "").any():
        return status
    return f"shown, not fitted ({reasons['explanation'].iloc[0]})" if len(reasons) else "in no model or report"


def told(evidence: str, day: date) -> list[str]:
    """What becomes of each row of the files in a run of a day, a line a row; then what the ledger says already."""
    from telemed_forecast.evidence import ledger, observations
    from telemed_forecast.evidence.rows import records

    paths = files(evidence)
    if not paths:
        return []
    frame, shipped = ledger_with(evidence), set(ledger.load()["claim_id"])
    own = frame[~frame["claim_id"].isin(shipped)]
    lines = []
    for row in records(own):
        name, known = row["claim_id"], row["known_date"].date()
        status = str(observations.summary(frame, row["metric"]).set_index("claim_id")["status"][name])
        used = f"not used, known only on {known}, after {day}" if known > day else _read_by(row["metric"], status)
        lines.append(f"own evidence {name} ({row['metric']}, {row['segment']}): {used}")
    return [*lines, *(f"note: {remark}" for remark in ledger.remarks(paths))]
