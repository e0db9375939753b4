"""Leave one source out, on a model whose answer is known."""

import numpy as np
import pytest
from scipy import stats

from telemed_forecast.evaluation import conflict
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import likelihood
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.unit

DRAWS = 8000
NOISE = 0.1


def printed_by(mu, scale, spread, low, high):
    """What a model expects of rows of one origin, all of which it speaks of."""
    number = len(low)
    stranger = np.full(number, "house" if np.any(spread) else "")
    return likelihood.Printed(mu, scale, spread, low, high, stranger, np.ones(number, dtype=bool))


def test_the_bias_is_averaged_out_of_the_likelihood():
    number = 200_000
    rng = np.random.default_rng(3)
    low, high = np.array([0.4, 0.5]), np.array([0.45, 0.6])
    printed = printed_by(np.zeros((1, 2)), np.full((1, 2), 0.2), np.array([0.5]), low, high)
    bias = 0.5 * rng.standard_normal(number)
    ends = [stats.t.cdf((end[:, None] - bias) / 0.2, 4) for end in (low, high)]
    assert printed.log_likelihood()[0] == pytest.approx(np.log((ends[1] - ends[0]).prod(axis=0).mean()), abs=0.01)


def normal_case(seed, *, far=0.0, origins=8):
    """Posterior of a normal mean seen by some origins, one of which may lie far off; and the exact one without it.

    The noise has nearly normal tails only in the middle, so the origin that is left out is kept there.
    """
    rng = np.random.default_rng(seed)
    values = rng.normal(0.0, 0.1, origins)
    values[0] = far
    grid = np.linspace(-1.5, 1.5, 4001)
    log_each = stats.t.logpdf((values[:, None] - grid[None, :]) / NOISE, 4)

    def drawn(log_density):
        weights = np.exp(log_density - log_density.max())
        return rng.choice(grid, size=DRAWS, p=weights / weights.sum()) + rng.uniform(-4e-4, 4e-4, DRAWS)

    prior = stats.norm.logpdf(grid, 0.0, 1.0)
    return values, drawn(prior + log_each.sum(axis=0)), drawn(prior + log_each[1:].sum(axis=0))


@pytest.mark.parametrize("far", [0.0, 0.3])
def test_weighted_draws_are_those_of_the_posterior_without_the_origin(far):
    values, full, left_out = normal_case(2, far=far)
    printed = printed_by(
        full[:, None], np.full((DRAWS, 1), NOISE), np.zeros(DRAWS), values[:1] - 1e-4, values[:1] + 1e-4
    )
    weights, khat = conflict.without(printed)
    assert khat < conflict.RELIABLE
    assert weights.sum() == pytest.approx(1.0)
    levels = (0.1, 0.5, 0.9)
    assert conflict.quantiles(full, weights, levels) == pytest.approx(np.quantile(left_out, levels), abs=0.006)


def test_weights_that_rest_on_a_few_draws_say_so():
    # Ten rows of one origin know the level far better than all others together.
    level = np.random.default_rng(4).normal(0.0, 0.01, 2000)
    mu, scale = np.repeat(level[:, None], 10, axis=1), np.full((2000, 10), 0.005)
    printed = printed_by(mu, scale, np.zeros(2000), np.full(10, -1e-4), np.full(10, 1e-4))
    _, khat = conflict.without(printed)
    assert khat > conflict.RELIABLE


def equal(number):
    return np.full(number, 1.0 / number)


def test_an_origin_that_says_what_the_others_say_lies_in_the_middle_and_one_far_off_in_the_tail():
    rng = np.random.default_rng(6)
    mu, scale, spread = np.zeros((DRAWS, 1)), np.full((DRAWS, 1), 0.01), np.full(DRAWS, 0.3)
    ratio, below = conflict.against(printed_by(mu, scale, spread, np.zeros(1), np.zeros(1)), equal(DRAWS), rng)
    assert below == pytest.approx(0.5, abs=0.02)
    assert ratio[0] == pytest.approx(1.0, abs=0.02)
    off = np.full(1, np.log(2.0))
    ratio, below = conflict.against(printed_by(mu, scale, spread, off, off), equal(DRAWS), rng)
    assert ratio[0] == pytest.approx(2.0, rel=0.02)
    assert ratio[1:] == pytest.approx(2.0 * np.exp(0.3 * np.array([-1.2816, 1.2816])), rel=0.03)
    assert below == pytest.approx(stats.norm.cdf(np.log(2.0) / 0.3), abs=0.005)


def test_rows_of_one_origin_share_its_bias():
    # Ten equal rows of one stranger surprise as much as one of them does.
    rng = np.random.default_rng(7)
    off = np.full(10, np.log(1.5))
    spread = np.full(DRAWS, 0.3)
    ten = printed_by(np.zeros((DRAWS, 10)), np.full((DRAWS, 10), 0.01), spread, off, off)
    _, below = conflict.against(ten, equal(DRAWS), rng)
    assert below == pytest.approx(stats.norm.cdf(np.log(1.5) / 0.3), abs=0.01)


def test_the_effect_on_a_headline_is_the_change_of_its_median_and_of_its_width():
    before = np.random.default_rng(8).normal(0.0, 1.0, DRAWS)
    assert conflict.effect(before, before, equal(DRAWS)) == pytest.approx((1.0, 1.0))
    assert conflict.effect(before, 2 * before + np.log(3), equal(DRAWS)) == pytest.approx((3.0, 2.0), rel=0.05)


def test_the_deviation_of_a_figure_in_the_middle_is_nil_and_that_of_a_sure_surprise_is_a_number():
    assert conflict.deviation(0.5) == pytest.approx(0.0)
    assert conflict.deviation(stats.norm.cdf(1.5)) == pytest.approx(1.5)
    assert 4 < conflict.deviation(1.0) < 10 and -10 < conflict.deviation(0.0) < -4


def test_a_context_without_an_origin_has_none_of_its_rows_about_the_quantity_and_all_others():
    context = Context(validate("market_size", {"profile": "quick"}))
    rows = context.view
    own = (rows["origin"] == "analysys") & (rows["metric"] == "market_size")
    bare = conflict.Without(context.settings, "analysys", ("market_size",))
    assert own.sum() > 5
    assert bare.view["claim_id"].tolist() == rows[~own]["claim_id"].tolist()
    # Another scenario of the same question must not bring the origin back.
    assert bare.in_scenario("bull").view["claim_id"].tolist() == bare.view["claim_id"].tolist()
    assert "analysys" not in bare.observed("market_size", "internet_healthcare").origin
    assert "analysys" in context.observed("market_size", "internet_healthcare").origin
