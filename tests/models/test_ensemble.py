"""The ensemble: weights that follow scores as far as outcomes go, and a pool that draws by them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.models import ensemble

pytestmark = pytest.mark.unit

MEMBERS = ("ours", "prophet", "ets", "theta", "drift")

each_score = st.floats(1e-6, 1e3)
scores = st.dictionaries(st.sampled_from(MEMBERS), each_score, min_size=1)
outcomes = st.integers(0, 500)


@given(scores, outcomes)
def test_weights_are_shares_of_one_whole(scores, outcomes):
    weights = ensemble.weights(scores, outcomes)
    assert set(weights) == set(scores)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert min(weights.values()) >= 0.0


@given(each_score, outcomes)
def test_equal_scores_earn_equal_weights(score, outcomes):
    weights = ensemble.weights(dict.fromkeys(MEMBERS, score), outcomes)
    assert list(weights.values()) == pytest.approx([0.2] * 5)


@given(scores)
def test_without_outcomes_all_weigh_the_same(scores):
    assert set(ensemble.weights(scores, 0).values()) == {1.0 / len(scores)}


@given(scores, outcomes)
def test_a_better_score_never_weighs_less(scores, outcomes):
    weights = ensemble.weights(scores, outcomes)
    ranked = sorted(scores, key=scores.__getitem__)
    for better, worse in pairwise(ranked):
        assert weights[better] >= weights[worse] - 1e-12


@given(scores, st.floats(0.01, 100.0))
def test_the_unit_of_the_score_does_not_matter(scores, factor):
    scores = {name: score + 1e-3 for name, score in scores.items()}
    scaled = {name: factor * score for name, score in scores.items()}
    assert ensemble.weights(scaled, 30) == pytest.approx(ensemble.weights(scores, 30))


def test_more_outcomes_move_weights_further_from_equal():
    few, many = (ensemble.weights({"ours": 0.1, "drift": 0.2}, m)["ours"] for m in (2, 200))
    assert 0.5 < few < many < 0.8


def test_the_learned_part_follows_the_inverse_square_of_the_score():
    weight = ensemble.weights({"ours": 0.1, "drift": 0.2}, ensemble.PRIOR_OUTCOMES)["ours"]
    assert weight == pytest.approx(0.5 * 0.5 + 0.5 * 0.8)


def test_nobody_has_no_weight():
    assert ensemble.weights({}, 5) == {}


@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3), st.integers(1, 2000))
def test_the_pool_holds_each_member_as_often_as_its_weight_says(raw, size):
    shares = dict(zip("abc", np.array(raw) / sum(raw), strict=True))
    members = {name: np.full((7, 2), float(k)) for k, name in enumerate("abc")}
    drawn = ensemble.pool(members, shares, size=size, rng=np.random.default_rng(0))
    assert drawn.shape == (size, 2)
    for k, name in enumerate("abc"):
        assert abs((drawn[:, 0] == k).sum() - size * shares[name]) < 1.0


def test_a_member_without_draws_leaves_its_weight_to_the_others():
    members = {"ours": np.zeros((10, 1)), "drift": np.ones((10, 1))}
    drawn = ensemble.pool(members, {"ours": 0.3, "theta": 0.6, "drift": 0.1}, size=400, rng=np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(0.25)


def test_a_pool_of_nobody_is_refused():
    with pytest.raises(ValueError, match="member"):
        ensemble.pool({}, {"ours": 1.0}, size=5, rng=np.random.default_rng(0))


def test_a_path_of_the_pool_is_the_path_of_one_member():
    members = {"rising": np.tile([0.0, 1.0], (5, 1)), "falling": np.tile([1.0, 0.0], (5, 1))}
    drawn = ensemble.pool(members, {"rising": 0.5, "falling": 0.5}, size=100, rng=np.random.default_rng(0))
    assert (drawn.sum(axis=1) == 1.0).all()
