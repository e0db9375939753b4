"""Scores against figures worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import scoring

pytestmark = pytest.mark.unit

LEVELS = np.array([0.25, 0.5, 0.75])


def test_the_relative_crps_is_that_worked_out_by_hand():
    truth = np.array([[8.0, 12.0]])  # level 10
    quantiles = np.array([[[6.0, 8.0, 12.0], [10.0, 14.0, 16.0]]])
    # Pinball: 0.5, 0, 1 and 0.5, 1, 1; means 1.5 / 3 and 2.5 / 3; twice, over 10.
    assert scoring.relative_crps(quantiles, truth, LEVELS) == pytest.approx(np.array([[0.1, 1 / 6]]))
    assert scoring.task_scores(scoring.relative_crps(quantiles, truth, LEVELS)) == pytest.approx([2 / 15])


def test_a_task_costs_at_most_five_times_its_level():
    truth = np.array([[1.0, 1.0], [0.0, 0.0]])
    quantiles = np.full((2, 2, 3), 1000.0)
    assert scoring.task_scores(scoring.relative_crps(quantiles, truth, LEVELS)).tolist() == [5.0, 5.0]


def test_a_family_counts_as_one_and_so_does_a_part():
    scores = np.array([0.2, 0.4, 0.9, 5.0])
    groups = [("one", "x"), ("one", "x"), ("one", "y"), ("two", "z")]
    assert scoring.average(scores, groups) == pytest.approx(((0.3 + 0.9) / 2 + 5.0) / 2)


def test_what_is_not_known_yet_is_not_scored():
    truth = np.array([[8.0, np.nan]])
    quantiles = np.array([[[6.0, 8.0, 12.0], [0.0, 0.0, 0.0]]])
    each = scoring.relative_crps(quantiles, truth, LEVELS)
    assert np.isnan(each[0, 1])
    assert scoring.task_scores(each) == pytest.approx([1.0 / 8.0])


def test_an_interval_holds_its_ends_and_nothing_beyond():
    levels = np.array([0.05, 0.1, 0.5, 0.9, 0.95])
    quantiles = np.broadcast_to([1.0, 2.0, 3.0, 4.0, 5.0], (1, 5, 5))
    truth = np.array([[1.0, 1.9, 2.0, 4.5, np.nan]])
    assert scoring.inside(quantiles, truth, levels, 0.8)[0, :4].tolist() == [0, 0, 1, 0]
    assert scoring.inside(quantiles, truth, levels, 0.9)[0, :4].tolist() == [1, 1, 1, 1]
    assert np.isnan(scoring.inside(quantiles, truth, levels, 0.8)[0, 4])


def test_a_resample_draws_series_with_all_their_origins_within_their_family():
    names = ["a", "a", "b", "c", "c"]
    groups = [("p", "x")] * 3 + [("p", "y")] * 2
    weights = scoring.resampled(names, groups, times=50, seed=1)
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 3:] == 1).all()
    assert (weights[:, 0] + weights[:, 2] == 2).all() and len(np.unique(weights[:, 0])) == 3


def test_weights_count_a_task_as_often_as_it_is_drawn():
    scores, groups = np.array([0.2, 0.6, 1.0]), [("p", "x"), ("p", "x"), ("p", "y")]
    weights = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0]])
    assert scoring.average(scores, groups, weights) == pytest.approx([0.7, 0.6])


@given(st.floats(1e-3, 1e6), st.integers(0, 1000))
def test_the_unit_does_not_matter(unit, seed):
    rng = np.random.default_rng(seed)
    truth, quantiles = rng.gamma(2.0, size=(4, 3)), np.sort(rng.gamma(2.0, size=(4, 3, 3)), axis=-1)
    here = scoring.relative_crps(quantiles, truth, LEVELS)
    assert scoring.relative_crps(unit * quantiles, unit * truth, LEVELS) == pytest.approx(here)
