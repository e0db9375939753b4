"""A number is called assumed where evidence left its prior in place and as wide, and only there."""

import numpy as np
import pytest

from telemed_forecast.exhibits.forecasts import parameter_table
from telemed_forecast.exhibits.numbers import basis

pytestmark = pytest.mark.unit

PRIOR = np.random.default_rng(1).normal(2.0, 0.5, 20_000)


@pytest.mark.parametrize(
    ("posterior", "rests"),
    [
        (PRIOR[::-1], "assumed"),
        (PRIOR + 0.02, "assumed"),
        (PRIOR + 0.2, "evidence"),  # moved, and as wide as before: variance alone would call it assumed
        (PRIOR - 0.2, "evidence"),
        (2.0 + 0.8 * (PRIOR - 2.0), "evidence"),
        (2.0 + 1.3 * (PRIOR - 2.0), "evidence"),
    ],
)
def test_assumed_is_judged_by_movement_and_by_spread(posterior, rests):
    assert basis(PRIOR, posterior) == rests


def test_a_table_of_parameters_marks_those_that_are_assumed():
    frame = parameter_table("parameters", [("kept", PRIOR, PRIOR), ("price", PRIOR, PRIOR + 1.0)]).frame
    assert frame["basis"].tolist() == ["assumed", "evidence"]
