"""A figure acts through its likelihood alone: nothing else that a fit reads is anchored to it.

The sampler starts around a first guess made of the figures. Only the guess of the first step is part of the model: the
first level lies around it with a standard deviation of one on the log scale, whatever came later.
"""

import numpy as np
import pytest
from real_arrays import arrays

from telemed_forecast.evidence import ledger

pytestmark = pytest.mark.unit

DAY = "2026-11-29"
NEWEST = 3
"""Figures that are looked at, the newest that enter."""

FIGURES = {
    "user_adoption": "online_medical_users",
    "internet_hospitals": "internet_hospitals",
    "market_size": "market_size",
}


def fitted_rows(market):
    """The rows of a market's main figure that are fitted, in the order of their periods."""
    claims = ledger.load()
    fitted = (claims["metric"] == FIGURES[market]) & (claims["use"] == "model") & (claims["restates"] == "")
    return claims[fitted & claims["value"].notna()].sort_values("period_end").index


def times_four(row):
    claims = ledger.load().copy()
    claims.loc[row, ["value", "low", "high"]] *= 4.0
    claims.loc[row, "printed"] = f"{claims.loc[row, 'value']:.10g}"
    return claims


@pytest.mark.parametrize("market", FIGURES)
def test_a_figure_times_four_changes_its_own_ends_and_no_anchor(market):
    known, moved = arrays(DAY, markets=[market])[market], 0
    for row in fitted_rows(market)[::-1]:
        if moved == NEWEST:
            break
        changed = arrays(DAY, times_four(row), markets=[market])[market]
        different = {name for name in known if not np.array_equal(known[name], changed[name])}
        assert {name for name in different if not name.endswith(("_low", "_high", "_guess"))} == set(), row
        for name in (name for name in different if name.endswith("_guess")):
            assert changed[name][0] == known[name][0], (row, name)
        ends = [changed[name] - known[name] for name in different if name.endswith("_low")]
        moved += len(ends)
        assert sum(int((np.abs(end) > 0.1).sum()) for end in ends) <= 1, row
    assert moved == NEWEST
