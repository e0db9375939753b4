"""Where published figures lie in what a model would have printed."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from telemed_forecast.evaluation.predictive_checks import check

pytestmark = pytest.mark.unit


def figures(low, high=None):
    low = np.asarray(low, dtype=float)
    return SimpleNamespace(low=low, high=low if high is None else np.asarray(high, dtype=float))


def test_figures_from_the_model_itself_have_uniform_ranks():
    rng = np.random.default_rng(1)
    ranks = check(rng.normal(size=(2000, 500)), figures(rng.normal(size=500))).rank
    assert stats.kstest(ranks, "uniform").pvalue > 0.01


def test_a_model_that_is_too_sure_finds_too_few_figures_inside():
    rng = np.random.default_rng(2)
    sure = check(0.3 * rng.normal(size=(2000, 500)), figures(rng.normal(size=500)))
    assert sure.inside(0.8) < 0.5
    assert sure.parts(5)[[0, 4]].sum() > 0.6 * 500


def test_a_figure_that_leaves_everything_open_says_nothing_either_way():
    assert check(np.linspace(0, 1, 101)[:, None], figures([-1.0], [2.0])).rank[0] == pytest.approx(0.5)


def test_a_figure_beyond_all_draws_is_the_most_surprising():
    draws = np.tile(np.linspace(0, 1, 1001)[:, None], (1, 3))
    assert check(draws, figures([0.5, 3.0, 0.01])).surprising(0.025).tolist() == [1, 2]


def test_a_figure_of_which_the_model_does_not_speak_is_not_counted():
    draws = np.stack([np.full(50, np.nan), np.linspace(0, 1, 50)], axis=1)
    found = check(draws, figures([1.0, 0.5]))
    assert np.isnan(found.rank[0])
    assert len(found.known) == 1
    assert found.parts(5).sum() == 1
