"""Costs as ratios."""

import numpy as np
import pytest
import sample_tasks

from benchmarks import speed, tasks

pytestmark = pytest.mark.unit


def test_costs_are_told_as_ratios():
    costs = [
        speed.Cost("library", 566, 30.0, 400.0),
        speed.Cost("autoets", 566, 10.0, 200.0),
        speed.Cost("library", 500, 20.0, 400.0),
        speed.Cost("library", 2000, 90.0, 420.0),
    ]
    assert speed.printed(costs).splitlines() == [
        "566 series, library against autoets: 3.00 times the time, 2.00 times the memory",
        "2000 series against 500: 4.50 times the time (above 4.4), 1.05 times the memory",
    ]


def test_no_two_of_many_series_are_equal(tmp_path):
    few = tasks.read(sample_tasks.write(tmp_path / "t.csv", sample_tasks.all_rows()))
    many = speed.repeated(few, 50)
    assert len({task.series.series_id for task in many}) == 50
    assert len({task.series.values.tobytes() for task in many}) == 50
    assert many[21].series.values == pytest.approx(0.5 * few[0].series.values)
    assert all(np.max(task.series.values) <= 100 for task in many)
