"""Scores of draws, held against closed forms and their own definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import norm

from telemed_forecast.evaluation import scores

pytestmark = pytest.mark.unit

finite = st.floats(-100.0, 100.0)
some_draws = arrays.arrays(float, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=finite)


def normal_crps(mean, sd, truth):
    """Gneiting & Raftery (2007), equation 21."""
    z = (truth - mean) / sd
    return sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))


def quantiles_of(mean, sd, number=20_001):
    return norm.ppf((np.arange(number) + 0.5) / number, mean, sd)[:, None]


@pytest.mark.parametrize("truth", [-3.0, 0.0, 0.4, 5.0])
@pytest.mark.parametrize("sd", [0.1, 2.0])
def test_the_crps_of_normal_draws_is_that_of_the_normal_distribution(truth, sd):
    score = scores.crps(quantiles_of(0.5, sd), np.array([truth]))
    assert score == pytest.approx(normal_crps(0.5, sd, truth), rel=1e-3)


@given(some_draws, finite)
def test_the_crps_is_its_own_definition(draws, truth):
    pairs = np.abs(draws[:, None] - draws[None]).mean(axis=(0, 1))
    expected = np.abs(draws - truth).mean(axis=0) - 0.5 * pairs
    assert scores.crps(draws, np.full(draws.shape[1], truth)) == pytest.approx(expected, abs=1e-9)


@given(finite, finite)
def test_the_crps_of_one_number_is_its_error(forecast, truth):
    assert scores.crps(np.array([[forecast]]), np.array([truth])) == pytest.approx(abs(forecast - truth))


@given(some_draws, finite, st.floats(-50.0, 50.0))
def test_the_crps_is_never_negative_and_does_not_care_where_zero_is(draws, truth, shift):
    truths = np.full(draws.shape[1], truth)
    score = scores.crps(draws, truths)
    assert (score >= -1e-9).all()
    assert scores.crps(draws + shift, truths + shift) == pytest.approx(score, abs=1e-8)


def test_the_honest_forecast_has_the_best_crps_on_average():
    truth = quantiles_of(0.0, 1.0, 2001)[:, 0]

    def mean(center, sd):
        return scores.crps(np.repeat(quantiles_of(center, sd, 501), len(truth), axis=1), truth).mean()

    honest = mean(0.0, 1.0)
    assert honest < min(mean(0.0, 0.5), mean(0.0, 2.0), mean(0.5, 1.0))


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_central_intervals_hold_as_many_truths_as_their_level_says(level):
    truth = quantiles_of(0.0, 1.0, 2001)[:, 0]
    draws = np.repeat(quantiles_of(0.0, 1.0, 2001), len(truth), axis=1)
    assert scores.interval_coverage(draws, truth, level).mean() == pytest.approx(level, abs=0.005)


def test_the_pit_is_the_share_below_with_ties_halved():
    draws = np.array([[1.0], [2.0], [2.0], [3.0]])
    assert scores.pit(draws, np.array([2.0])) == pytest.approx([0.5])
    assert scores.pit(draws, np.array([0.0])) == pytest.approx([0.0])
    assert scores.pit(draws, np.array([9.0])) == pytest.approx([1.0])


def test_too_high_a_forecast_has_a_positive_bias():
    forecast = scores.Predicted(np.zeros((0, 1)), np.zeros(0), np.array([[4.0], [5.0], [6.0]]))
    assert forecast.bias(np.array([3.0])) == pytest.approx([2.0])


@given(st.floats(0.01, 1e9), st.floats(0.1, 10.0))
def test_an_error_of_ten_percent_costs_the_same_in_a_large_market(amount, factor):
    step = scores.scaled([amount, amount * factor], "CNY_million")
    assert np.diff(step) == pytest.approx(np.log(factor), abs=1e-9)


@given(st.floats(0.01, 99.99), st.sampled_from(["percent", "persons"]))
def test_what_is_scaled_can_be_told_in_its_unit_again(value, unit):
    assert scores.unscaled(scores.scaled(value, unit), unit) == pytest.approx(value, rel=1e-9)


@given(st.floats(0.0, 100.0))
def test_shares_are_scored_on_the_logit_scale_and_stay_finite_at_its_ends(share):
    value = scores.scaled(share, "percent")
    assert np.isfinite(value)
    assert scores.scaled(100.0 - share, "percent") == pytest.approx(-value, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("truth", [-2.5, -0.4, 0.3, 1.9])
def test_a_forecast_told_by_quantiles_scores_as_its_draws_do(truth):
    levels = np.arange(1, 200) / 200
    draws, quantiles = quantiles_of(0.0, 1.0), norm.ppf(levels)[:, None]
    told, drawn = scores.Predicted(quantiles, levels), scores.Predicted(quantiles, levels, draws)
    for name, metric in scores.METRICS.items():
        if name != "log_score":  # the tails would have to be made up
            assert metric(told, np.array([truth])) == pytest.approx(metric(drawn, np.array([truth])), abs=0.01), name
    assert np.isnan(told.log_score(np.array([truth])))


def test_a_row_of_scores_holds_the_figure_and_every_metric():
    draws = quantiles_of(np.log(100.0), 0.1, 2001)
    row = scores.score(scores.Predicted(draws[::100], np.linspace(0.0, 1.0, 21), draws), 90.0, 110.0, "persons")
    assert set(row) == {"published", "unit", *scores.METRICS}
    assert row["published"] == 100.0 and row["interval_coverage_50"] and row["bias"] == pytest.approx(0.005, abs=1e-3)
