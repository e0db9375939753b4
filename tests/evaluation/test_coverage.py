"""The coverage curve and its bands: calibrated forecasters stay inside, others do not, groups widen the band."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemed_forecast.evaluation.coverage import BAND, NOMINAL, band, coverage, histogram, simulated

pytestmark = pytest.mark.unit


def inside(curve, low, high):
    return bool(((curve.actual >= low) & (curve.actual <= high)).all())


def test_the_band_holds_the_stated_part_of_calibrated_forecasters():
    rng = np.random.default_rng(1)
    even = np.full(40, 1 / 40)
    low, high = band(simulated(even, rng))
    curves = simulated(even, rng)
    held = ((curves >= low - 1e-9) & (curves <= high + 1e-9)).all(axis=1).mean()
    # A curve of 40 forecasts moves in steps: the band may hold a few more than it promises, never fewer but by chance.
    assert BAND - 3 * np.sqrt(2 * BAND * (1 - BAND) / len(curves)) < held < BAND + 0.05


def test_forecasters_who_share_their_luck_by_group_need_the_wide_band():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(8), 10)
    curve = coverage(rng.uniform(size=8)[groups], groups.tolist(), seed=4)
    curves = simulated(np.full(8, 1 / 8), rng)
    low, high, wide_low, wide_high = curve[["low", "high", "wide_low", "wide_high"]].to_numpy().T
    narrow = ((curves >= low) & (curves <= high)).all(axis=1).mean()
    wide = ((curves >= wide_low - 1e-9) & (curves <= wide_high + 1e-9)).all(axis=1).mean()
    assert narrow < 0.5
    assert wide > 0.87


@pytest.mark.parametrize("pit", [np.full(60, 0.5), np.tile([0.01, 0.99], 30)])
def test_intervals_that_are_far_too_wide_or_too_narrow_leave_the_band(pit):
    curve = coverage(pit, seed=5)
    assert not inside(curve, curve.low, curve.high)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60), st.integers(1, 10))
def test_curves_rise_and_bands_nest(pit, number):
    groups = [k % number for k in range(len(pit))]
    curve = coverage(pit, groups, seed=6)
    assert (np.diff(curve.actual) >= 0).all()
    assert (curve.wide_low <= curve.low).all() and (curve.low <= curve.high).all()
    assert (curve.high <= curve.wide_high).all()
    assert (curve.alone_low >= curve.wide_low - 1e-12).all() and (curve.alone_high <= curve.wide_high + 1e-12).all()


def test_actual_coverage_counts_central_intervals():
    curve = coverage([0.5, 0.3, 0.05, 0.99], seed=7)
    assert curve.actual[0.5] == 0.5
    assert curve.actual[0.9] == 0.75
    assert len(curve.actual) == len(NOMINAL)


def test_without_forecasts_there_is_no_curve():
    with pytest.raises(ValueError, match="no forecast"):
        coverage([], seed=1)


def test_the_histogram_is_of_parts_and_holds_both_ends():
    parts = histogram([0.0, 0.05, 0.5, 1.0], 10)
    assert parts.sum() == pytest.approx(1.0)
    assert (parts[0], parts[-1]) == (0.5, 0.25)
