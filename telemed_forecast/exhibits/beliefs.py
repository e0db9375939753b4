"""What the headline owes to what was believed before any figure."""

from __future__ import annotations

from typing import Any

from telemed_forecast.evaluation.sensitivity import prior_moves
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.forecast.context import Context

SHOWN = 1.0
"""[percent] Beliefs that move no headline so far are in the file alone."""


def exhibits(context: Context, name: str, result: Any) -> dict[str, Exhibit]:
    """The beliefs that move a headline of a market, and all of them."""
    frame = prior_moves(context, name, result)
    strong = frame[frame[["lower", "higher"]].abs().max(axis=1) >= SHOWN].drop(columns="khat").reset_index(drop=True)
    if strong["target"].nunique() == 1:
        strong = strong.drop(columns="target")
    facts = {"number": len(frame), "untold": int(frame["lower"].isna().sum())}
    every = Exhibit(name="beliefs", frame=frame, facts=facts)
    return {"beliefs": every} | ({"beliefs_most": Exhibit(name="beliefs_most", frame=strong)} if len(strong) else {})
