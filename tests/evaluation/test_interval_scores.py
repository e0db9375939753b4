"""Scores of quantiles and of densities, held against the library of the field, closed forms and their own promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import norm

from telemed_forecast.evaluation import scores
from telemed_forecast.forecast.hub import QUANTILES

pytestmark = pytest.mark.unit

finite = st.floats(-100.0, 100.0)
some_quantiles = arrays.arrays(float, (len(QUANTILES), 2), elements=finite).map(lambda a: np.sort(a, axis=0))
some_truths = arrays.arrays(float, 2, elements=finite)
some_draws = arrays.arrays(float, (60, 2), elements=finite, unique=True)


def levels_of(number):
    """The middles of equal parts of (0, 1), with 1/2 among them when the number is odd."""
    return (np.arange(number) + 0.5) / number


def normal_quantiles(levels, mean=0.0, sd=1.0):
    return norm.ppf(levels, mean, sd)[:, None]


def mean_score(score, quantiles, levels, truth):
    return float(score(np.repeat(quantiles, len(truth), axis=1), levels, truth).mean())


def wis_total(quantiles, levels, truth):
    return scores.wis(quantiles, levels, truth)["wis"]


# -- by hand ----


@pytest.mark.parametrize(
    ("truth", "expected"),
    [(10.0, (0.0, 2.0, 0.0, 0.0)), (13.0, (0.0, 2.0, 0.0, 3.0)), (9.0, (0.0, 2.0, 1.0, 0.0))],
)
def test_one_interval_and_the_median_score_as_counted_by_hand(truth, expected):
    # The 50% interval 8..12 about 10: 1.5 WIS = |y - 10| / 2 + 4 / 4 + what lies beyond 8..12.
    part = scores.wis(np.array([[8.0], [10.0], [12.0]]), np.array([0.25, 0.5, 0.75]), np.array([truth]))
    beyond = max(truth - 12.0, 8.0 - truth, 0.0)
    assert 1.5 * part["wis"][0] == pytest.approx(0.5 * abs(truth - 10.0) + 1.0 + beyond)
    assert 1.5 * part["dispersion"][0] == pytest.approx(0.5 * expected[1])
    assert (part["overprediction"][0] > 0.0) == (expected[2] > 0.0)
    assert (part["underprediction"][0] > 0.0) == (expected[3] > 0.0)


def test_levels_that_are_no_intervals_about_the_median_are_refused():
    for levels in ([0.25, 0.75], [0.1, 0.5, 0.8]):
        with pytest.raises(ValueError, match="median and central intervals"):
            scores.wis(np.zeros((len(levels), 1)), np.array(levels), np.zeros(1))


# -- against the library of the field ----


@pytest.fixture(scope="module")
def library():
    import scoringrules

    scoringrules.backends.set_active("numpy")
    return scoringrules


@given(some_quantiles, some_truths)
def test_the_weighted_interval_score_is_that_of_the_librarys_interval_scores(library, quantiles, truth):
    # Its own sum of them is right on one of its engines only: on NumPy (0.11) it takes the median for its error.
    number = len(QUANTILES) // 2
    total = 0.5 * np.abs(truth - quantiles[number])
    for k, level in enumerate(QUANTILES[:number]):
        total += level * library.interval_score(truth, quantiles[k], quantiles[-1 - k], 2.0 * level)
    expected = total / (number + 0.5)
    assert scores.wis(quantiles, QUANTILES, truth)["wis"] == pytest.approx(expected, abs=1e-9)


@given(some_quantiles, some_truths)
def test_each_pinball_score_is_the_librarys(library, quantiles, truth):
    expected = [library.quantile_score(truth, q, level) for q, level in zip(quantiles, QUANTILES, strict=True)]
    assert scores.pinball(quantiles, QUANTILES, truth) == pytest.approx(np.array(expected), abs=1e-9)


@given(some_draws, some_truths)
def test_the_crps_of_draws_and_of_equal_quantiles_is_the_librarys(library, draws, truth):
    expected = library.crps_ensemble(truth, draws, m_axis=0, estimator="nrg")
    assert scores.crps(draws, truth) == pytest.approx(expected, abs=1e-9)
    ordered, levels = np.sort(draws, axis=0), levels_of(len(draws))
    assert scores.crps_of_quantiles(ordered, levels, truth) == pytest.approx(expected, abs=1e-9)
    assert library.crps_quantile(truth, ordered.T, levels) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(-2.0, 2.0))
def test_in_the_body_the_log_score_is_the_librarys(library, seed, truth):
    draws = np.random.default_rng(seed).standard_normal((800, 1))
    expected = library.logs_ensemble(np.array([truth]), draws, m_axis=0)
    assert scores.log_score(draws, np.array([truth])) == pytest.approx(expected, abs=0.05)


# -- promises ----


@given(some_quantiles, some_truths)
def test_the_parts_are_never_negative_and_sum_to_the_score(quantiles, truth):
    part = scores.wis(quantiles, QUANTILES, truth)
    parts = (part["dispersion"], part["overprediction"], part["underprediction"])
    assert all((one >= 0.0).all() for one in parts)
    assert sum(parts) == pytest.approx(part["wis"])
    assert not (np.minimum(part["overprediction"], part["underprediction"]) > 0.0).any(), "too high and too low at once"


@given(some_quantiles, some_truths)
def test_in_the_mirror_too_high_is_too_low(quantiles, truth):
    part, mirrored = (scores.wis(q, QUANTILES, y) for q, y in ((quantiles, truth), (-quantiles[::-1], -truth)))
    assert mirrored["overprediction"] == pytest.approx(part["underprediction"], abs=1e-9)
    assert mirrored["underprediction"] == pytest.approx(part["overprediction"], abs=1e-9)
    assert mirrored["dispersion"] == pytest.approx(part["dispersion"], abs=1e-9)


@given(some_quantiles, some_truths)
def test_the_weighted_interval_score_is_twice_the_mean_pinball_score(quantiles, truth):
    # Bracher et al. (2021), supplement: the identity by which it approaches the CRPS.
    expected = 2.0 * scores.pinball(quantiles, QUANTILES, truth).mean(axis=0)
    assert scores.wis(quantiles, QUANTILES, truth)["wis"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("score", [wis_total, scores.crps_of_quantiles])
@pytest.mark.parametrize("truth", [-2.5, 0.0, 1.0])
def test_with_more_quantiles_the_score_comes_to_the_crps(score, truth):
    z = truth
    exact = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)  # Gneiting & Raftery (2007), eq. 21
    numbers = (5, 23, 101, 1001)
    errors = [abs(score(normal_quantiles(levels_of(n)), levels_of(n), np.array([truth]))[0] - exact) for n in numbers]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3


def test_at_our_uneven_levels_the_crps_of_quantiles_is_nearer_to_the_crps_than_the_interval_score():
    truth = norm.ppf(levels_of(201))
    exact = mean_score(scores.crps_of_quantiles, normal_quantiles(levels_of(2001)), levels_of(2001), truth)
    crps = mean_score(scores.crps_of_quantiles, normal_quantiles(QUANTILES), QUANTILES, truth)
    wis = mean_score(wis_total, normal_quantiles(QUANTILES), QUANTILES, truth)
    assert abs(crps - exact) < 0.02 * exact
    assert abs(crps - exact) < abs(wis - exact)


@pytest.mark.parametrize("score", [wis_total, scores.crps_of_quantiles])
def test_honest_quantiles_have_the_best_score_on_average(score):
    truth = norm.ppf(levels_of(2001))
    honest = mean_score(score, normal_quantiles(QUANTILES), QUANTILES, truth)
    for mean, sd in ((0.0, 0.7), (0.0, 1.4), (0.4, 1.0), (-0.4, 1.0)):
        assert honest < mean_score(score, normal_quantiles(QUANTILES, mean, sd), QUANTILES, truth)


@given(st.floats(1.0, 1e9), st.floats(-0.5, 0.5), st.sampled_from(["CNY_million", "persons"]))
def test_the_same_relative_error_scores_the_same_in_any_unit(factor, error, unit):
    levels = QUANTILES
    quantiles = np.exp(normal_quantiles(levels, 10.0, 0.2))
    truth = np.array([np.exp(10.0 + error)])
    plain, rescaled = (
        scores.wis(scores.scaled(f * quantiles, unit), levels, scores.scaled(f * truth, unit)) for f in (1.0, factor)
    )
    assert rescaled["wis"] == pytest.approx(plain["wis"], abs=1e-9)
    assert rescaled["overprediction"] == pytest.approx(plain["overprediction"], abs=1e-9)


# -- the log score ----


@pytest.mark.parametrize("truth", [-2.0, 0.3, 1.5])
def test_the_log_score_of_normal_draws_is_that_of_a_normal_density_widened_by_the_kernel(truth):
    draws = normal_quantiles(levels_of(4001))
    width = 1.06 * 4001**-0.2
    assert scores.log_score(draws, np.array([truth])) == pytest.approx(
        -norm.logpdf(truth, 0, np.hypot(1, width)), abs=5e-3
    )


def test_the_honest_draws_have_the_best_log_score_on_average():
    truth = norm.ppf(levels_of(401))

    def mean(center, sd):
        draws = normal_quantiles(levels_of(1001), center, sd)
        return scores.log_score(np.repeat(draws, len(truth), axis=1), truth).mean()

    assert mean(0.0, 1.0) < min(mean(0.0, 0.7), mean(0.0, 1.4), mean(0.4, 1.0), mean(-0.4, 1.0))


def test_one_surprise_far_outside_costs_no_more_than_the_log_of_its_distance():
    draws = normal_quantiles(levels_of(1000))
    near, far = scores.log_score(np.repeat(draws, 2, axis=1), np.array([50.0, 500.0]))
    assert far - near == pytest.approx(2.0 * np.log(10.0), abs=0.01)
    assert near < 20.0


@given(some_draws, st.floats(0.1, 50.0))
def test_stretching_the_scale_adds_its_log_to_every_log_score(draws, factor):
    truth = draws[0] + 1.0
    plain = scores.log_score(draws, truth)
    assert scores.log_score(factor * draws, factor * truth) == pytest.approx(plain + np.log(factor), abs=1e-6)


def test_draws_of_a_single_value_have_no_density():
    assert np.isnan(scores.log_score(np.ones((10, 1)), np.array([1.0])))
