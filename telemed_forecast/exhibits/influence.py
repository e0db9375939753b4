"""What the headline owes to each published figure: the strongest on the page, all in a file."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import Fact
from telemed_forecast.forecast.context import Context

SHOWN = 8
"""Figures on the page; all of them are in the file."""

WIDTH = NormalDist().inv_cdf(0.9)
"""Half the width of a normal 80% interval, in standard errors."""


def exhibits(context: Context, found: Sequence[Influence]) -> list[Exhibit]:
    """The figures that move the headline most, and all; nothing when that was not asked."""
    told = [one for one in found if one.told == "yes"][:SHOWN]
    return [*([_strongest(context, told)] if told else []), *([_all(context, found)] if found else [])]


def numbers(found: Sequence[Influence]) -> dict[str, Fact]:
    """How many figures were weighed, and why the others were not."""
    # A figure with rows on several quantities is one figure.
    weighed = {one.claim for one in found if one.told == "yes"}
    return {
        "influence_told": len(weighed),
        "influence_unreliable": len({one.claim for one in found if one.told == "unreliable"} - weighed),
        "influence_no_row": sum(one.told == "no_row" for one in found),
        "influence_not_shown": sum(one.told == "not_shown" for one in found),
    }


def _strongest(context: Context, told: Sequence[Influence]) -> Exhibit:
    """The figures that move the headline most; the quantity is named only where a report has several."""
    frame = _rows(context, told)
    error = (frame["half_widths"] / frame["moved"]).abs() * frame["moved_error"] * WIDTH
    around = error.where(frame["moved"] != 0.0, 0.0)
    half_widths = frame["half_widths"]
    shown = pd.DataFrame(
        {
            "claim_id": frame["claim_id"],
            "moved": frame["moved"],
            "moved_unit": frame["unit"],
            "half_widths": half_widths,
            "half_widths_low": half_widths - around,
            "half_widths_high": half_widths + around,
            "target": frame["target"],
            "origin": [origin_name(origin) for origin in frame["origin"]],
            "day": frame["period_end"],
            "grade": frame["grade"],
        }
    )
    if shown["target"].nunique() == 1:
        shown = shown.drop(columns="target")
    return Exhibit(name="influence_most", frame=shown, claims=tuple(dict.fromkeys(one.claim for one in told)))


def _all(context: Context, found: Sequence[Influence]) -> Exhibit:
    """Every figure, also those whose effect is not told."""
    return Exhibit(name="influence", frame=_rows(context, found), facts={"number": len(found)})


def _rows(context: Context, found: Sequence[Influence]) -> pd.DataFrame:
    rows = context.view.set_index("claim_id").loc[[one.claim for one in found]]
    return pd.DataFrame(
        {
            "claim_id": rows.index,
            "metric": [str(name) for name in rows["metric"]],
            "segment": [str(name) for name in rows["segment"]],
            "period_end": [str(day)[:10] for day in rows["period_end"]],
            "origin": [str(origin) for origin in rows["origin"]],
            "grade": [str(grade) for grade in rows["grade"]],
            "target": [one.path.target if one.path else None for one in found],
            "unit": [one.path.unit if one.path else None for one in found],
            "moved": [one.moved for one in found],
            "moved_error": [one.error for one in found],
            "half_widths": [one.half_widths for one in found],
            "khat": [one.khat if np.isfinite(one.khat) else None for one in found],
            "told": [one.told for one in found],
        }
    )
