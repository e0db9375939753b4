"""Simulation-based calibration from the shipped record: how often models find a truth that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import calibration, calibration_record, uniformity
from telemed_forecast.evaluation.calibration import ERROR, Verdict
from telemed_forecast.evaluation.calibration_record import Record
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.forecasts import share_of
from telemed_forecast.exhibits.numbers import chance
from telemed_forecast.exhibits.values import Fact

DRAWN = 3
"""Quantities in a model's chart: those that come nearest to the edge of chance."""

STEPS_DRAWN = 40
"""Steps of a line in these charts, about."""


@dataclass(frozen=True)
class _Checked:
    """One model's check: what is on record, and whether it speaks of the model as it is now."""

    record: Record
    present: bool

    @cached_property
    def told(self) -> list[Verdict]:
        """Verdicts on its quantities, the most surprising first."""
        return sorted(calibration.verdicts(self.record.ranks), key=lambda one: (one.p, min(one.shape, one.width)))

    def verdict(self, one: Verdict) -> str:
        """Word for a verdict: a model that changed since has none."""
        return "stale" if not self.present else "calibrated" if one.calibrated else "not_calibrated"


def described(as_of: date, known: Mapping[str, Record] | None = None) -> tuple[Exhibits, dict[str, Fact]]:
    """The exhibits of the section on calibration, and the numbers of its prose.

    Parameters
    ----------
    as_of
        The report's date: a check that was laid out on what became known later is not shown.
    known
        What is on record, by model; the shipped record when None.
    """
    known = calibration_record.read() if known is None else known
    shown = {
        name: _Checked(one, calibration_record.is_present(name, one.fingerprint))
        for name, one in known.items()
        if date.fromisoformat(one.as_of) <= as_of
    }
    present = {name: one for name, one in shown.items() if one.present}
    numbers: dict[str, Fact] = {
        "sbc_known": len(known),
        "sbc_shown": len(shown),
        "sbc_later": len(known) - len(shown),
        "sbc_models": len(present),
        "sbc_stale": len(shown) - len(present),
        "sbc_simulations": min((len(one.record.ranks.places) for one in shown.values()), default=0),
        "sbc_failed": sum(not all(each.calibrated for each in one.told) for one in present.values()),
        "sbc_quantities": sum(len(one.told) for one in present.values()),
        "sbc_error": chance(ERROR),
        "sbc_drawn": DRAWN,
    }
    if not shown:
        return {}, numbers
    charts = [_chart(name, one) for name, one in present.items()]
    return named(_verdicts(shown), charts, _settings(shown), _quantities(shown)), numbers


def _verdicts(shown: Mapping[str, _Checked]) -> Exhibit:
    """The verdict on each model, by its most surprising quantity."""
    checks = shown.values()
    frame = pd.DataFrame(
        {
            "model": list(shown),
            "simulations": [len(one.record.ranks.places) for one in checks],
            "quantities": [len(one.told) for one in checks],
            "most_surprising": [one.told[0].quantity for one in checks],
            "p": [one.told[0].p for one in checks],
            "verdict": [one.verdict(one.told[0]) for one in checks],
        }
    )
    return Exhibit(name="calibration_verdicts", frame=frame, facts={"error": chance(ERROR)})


def _chart(name: str, one: _Checked) -> Exhibit:
    """Distribution of the ranks of the most surprising quantities less the even one, with the band for all."""
    places, names = one.record.ranks.places, one.record.ranks.quantities
    # The band of each quantity is as wide as all of them together need.
    band = uniformity.band(len(places), ERROR / len(names))
    drawn = [verdict.quantity for verdict in one.told[:DRAWN]]
    away = {name: uniformity.distribution(places[:, names.index(name)]) - band.at for name in drawn}
    # A page needs no more than these of some hundred steps; where a line lies farthest off is one of them.
    kept = np.arange(0, len(band.at), max(1, len(band.at) // STEPS_DRAWN))
    kept = np.union1d(kept, [np.abs(line).argmax() for line in away.values()])
    at = band.at[kept]
    lines = [_line(at, name, line[kept], line[kept], line[kept]) for name, line in away.items()]
    lines.append(_line(at, "band", np.zeros_like(at), band.low[kept] - at, band.high[kept] - at))
    return Exhibit(
        name=f"calibration_{name}",
        entry="calibration_ranks",
        frame=pd.concat(lines, ignore_index=True),
        facts={
            "model": f"@sbc.model.{name}",
            "number": len(names),
            "farthest": share_of(max(np.abs(line).max() for line in away.values())),
            "allowed": share_of((band.high - band.at).max()),
        },
    )


def _line(at: np.ndarray, series: str, *ends: np.ndarray) -> pd.DataFrame:
    """A line of a chart, in percent."""
    columns = dict(zip(("value", "low", "high"), (100.0 * end for end in ends), strict=True))
    return pd.DataFrame({"period": 100.0 * at, "series": series} | columns)


def _settings(shown: Mapping[str, _Checked]) -> Exhibit:
    """How the record was made, a row a model: two models may have been put on record on different days."""
    records = [one.record for one in shown.values()]
    frame = pd.DataFrame(
        {
            "model": list(shown),
            "day": [one.as_of for one in records],
            "simulations": [len(one.ranks.places) for one in records],
            "seed": [one.seed for one in records],
            "warm_up": [int(one.effort["short"]["tune"]) for one in records],
            "draws": [int(one.effort["short"]["draws"]) for one in records],
            "repeated": [one.ranks.repeated for one in records],
            "diverged": [one.ranks.divergences for one in records],
        }
    )
    return Exhibit(name="calibration_settings", frame=frame)


def _quantities(shown: Mapping[str, _Checked]) -> Exhibit:
    """Every quantity with its p-values, for a file."""
    columns = ("model", "quantity", "name", "p_shape", "p_width", "p_allowing_for_all", "verdict")
    rows: Sequence[tuple[Any, ...]] = [
        (name, each.quantity, each.quantity, *(float(f"{p:.3g}") for p in (each.shape, each.width, each.p)),
         one.verdict(each))
        for name, one in shown.items()
        for each in one.told
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(columns))
    return Exhibit(name="calibration_quantities", frame=frame, facts={"number": len(frame)})
