"""Make a run again from nothing, and hold its numbers against those that were written.

The run is made in a temporary folder with an empty store of fits, so that every model is compiled and sampled anew. The
same inputs, seed, lock file and processor give the same bytes in data/. On another processor draws are other draws of
the same posteriors: there the quantiles in the table of forecasts are held against each other within the Monte Carlo
error of both sides, from the worst effective sample size of either run, and the other tables are not compared.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.errors import InputError
from telemed_forecast.evaluation import monte_carlo
from telemed_forecast.runs import manifest, parameters, plan
from telemed_forecast.runs.publish import FORECASTS
from telemed_forecast.runs.report import Reports

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = "data/"
CENTRAL = (0.05, 0.95)
"""Quantiles between these are compared across processors: further out the density beside them is not known."""

UNKNOWN = "a processor that the run does not name"


@dataclass(frozen=True)
class Comparison:
    """A run and what it became when it was made again."""

    # The processors
    before: str
    now: str
    differences: list[str]  # One line a file, or a forecast, that came out differently

    @property
    def exact(self) -> bool:
        """Whether bytes were compared."""
        return self.before == self.now


def compare(folder: Path, reports: Reports) -> Comparison:
    """Make a run again and name what comes out differently.

    On the processor of the run every file of numbers is held against the old one byte by byte, elsewhere the forecasts
    within Monte Carlo error. `reports` says how runs are made here; its folder and its store of fits are not touched.
    An `InputError` names every change when the inputs of the run are not those of this project any more.
    """
    stated = manifest.read(folder)
    asked = plan.request(stated["notebooks"], _texts(stated), languages=stated["languages"])
    asked = replace(asked, formats=tuple(stated.get("formats", ())))
    [planned] = plan.runs(asked, reports.project)
    if planned.key != stated["key"]:
        changed = plan.changes(stated, planned) or ["its scenario's own file"]
        raise InputError([f"{folder} cannot be made again, because of what changed since: {line}" for line in changed])
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        project = replace(reports.project, cache=place / "cache")
        [made] = replace(reports, out=place / "reports", project=project, force=True).make(replace(asked, formats=()))
        before, now = (told["volatile"].get("processor", UNKNOWN) for told in (stated, made.manifest))
        if before == now:
            return Comparison(before, now, _numbers(folder, stated["outputs"], made.folder, made.manifest["outputs"]))
        return Comparison(before, now, _forecasts((folder, stated), (made.folder, made.manifest)))


def _forecasts(*runs: tuple[Path, Mapping[str, Any]]) -> list[str]:
    """One line for each forecast of two runs that only one has, or that lie apart beyond Monte Carlo error."""
    old, new = (_quantiles(folder / FORECASTS[0], worst_sample(told["gates"])) for folder, told in runs)
    both = old.merge(new, how="outer", on=list(FORECAST), suffixes=("_before", "_now"), indicator="sides")
    single = both["sides"] != "both"
    error = np.hypot(both["error_before"], both["error_now"])
    # Effective sizes are the worst of each run: errors are no smaller than these say.
    limit = monte_carlo.bound(max(len(both), 1), freedom=np.inf) * error + SMALLEST * both["value_before"].abs()
    off = single | ((both["value_before"] - both["value_now"]).abs() > limit)
    return [
        f"{FORECASTS[0]}: {row.target} at {row.target_end_date}, quantile {row.output_type_id:g}: "
        f"{row.value_before:.4g} comes out as {row.value_now:.4g}"
        for row in both[off].itertuples()
    ]


FORECAST = ("reference_date", "target", "target_end_date", "location", "output_type_id", "scenario", "model", "unit")
"""Columns that tell which quantile a row of the table of forecasts states."""

SMALLEST = 1e-6
"""Relative difference that rounding and the last bits explain."""


def worst_sample(gates: list[dict[str, Any]]) -> float:
    """The smallest effective sample size of a run's fits; a fit whose size is not known counts as one draw."""
    sizes = [gate[name] or 1.0 for gate in gates for name in ("ess_bulk_min", "ess_tail_min")]
    return min(sizes, default=1.0)


def _quantiles(file: Path, worth: float) -> "pd.DataFrame":
    """Central quantiles with their Monte Carlo error: that of the level, over the density beside it."""
    import pandas as pd

    table = pd.read_csv(file)
    table = table[table["output_type"] == "quantile"].astype({"output_type_id": float})
    ends = table.sort_values("output_type_id").groupby([name for name in FORECAST if name != "output_type_id"])
    rise = ends["value"].shift(-1) - ends["value"].shift(1)
    run = ends["output_type_id"].shift(-1) - ends["output_type_id"].shift(1)
    level = table["output_type_id"]
    # A fit on the moments of another one carries that one's error too: at most as much again.
    error = np.sqrt(2.0 * level * (1.0 - level) / worth) * rise / run
    return table.assign(error=error)[level.between(*CENTRAL)][[*FORECAST, "value", "error"]]


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
