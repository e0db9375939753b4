"""The likelihood of interval evidence: exact, finite everywhere, and without a preferred side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM, interval_logp, survival

pytestmark = pytest.mark.unit

t4 = stats.t(DEGREES_OF_FREEDOM)
levels = st.floats(-20, 20)
widths = st.floats(1e-3, 10)
scales = st.floats(0.01, 5)


def test_the_upper_tail_is_that_of_students_t_with_four_degrees_of_freedom():
    x = np.concatenate([np.linspace(-30, 30, 4001), np.geomspace(30, 1e4, 500), -np.geomspace(30, 1e4, 500)])
    # scipy's own relative error against 50 digits is 1e-15 in the body and 4e-14 in the tail.
    np.testing.assert_allclose(survival(x), t4.sf(x), rtol=1e-12, atol=0)


@pytest.mark.parametrize("x", [1e5, 1e8, 1e12])
def test_far_out_the_tail_falls_like_the_fourth_power(x):
    assert survival(np.array(x)) * x**4 == pytest.approx(3.0, rel=1e-9)


def test_the_two_tails_of_a_point_add_up_to_one():
    x = np.linspace(-50, 50, 1001)
    np.testing.assert_allclose(survival(x) + survival(-x), 1.0, rtol=0, atol=2e-16)


@pytest.mark.parametrize(
    ("low", "high", "mu", "scale"),
    [
        (-1.0, 1.0, 0.0, 1.0),
        (2.0, 2.1, 0.0, 0.5),
        (-9.0, -8.5, 3.0, 0.2),
        (0.0, 40.0, 1.0, 2.0),
        (5.0, 5.0005, 4.0, 0.07),
    ],
)
def test_the_interval_holds_the_integral_of_the_density(low, high, mu, scale):
    mass, _ = integrate.quad(lambda y: t4.pdf((y - mu) / scale) / scale, low, high, epsabs=0, epsrel=1e-11)
    assert interval_logp(low, high, mu, scale) == pytest.approx(np.log(mass), rel=1e-9)


@given(levels, widths, widths, levels, scales)
def test_adjacent_intervals_add_up(low, first, second, mu, scale):
    middle, high = low + first, low + first + second
    parts = np.logaddexp(interval_logp(low, middle, mu, scale), interval_logp(middle, high, mu, scale))
    # Far out a narrow cell is a difference of nearly equal tails, known to the rounding of x only.
    slack = 1e-14 * (1 + max(abs(low), abs(high), abs(mu)) / min(first, second)) * 100
    assert parts == pytest.approx(interval_logp(low, high, mu, scale), abs=slack)


@given(levels, widths, levels, scales)
def test_the_likelihood_has_no_preferred_side(low, width, mu, scale):
    right = interval_logp(low, low + width, mu, scale)
    left = interval_logp(-(low + width), -low, -mu, scale)
    assert right == left


@given(levels, widths, levels, scales, st.floats(0.1, 1000))
def test_the_unit_of_the_scale_does_not_matter(low, width, mu, scale, factor):
    one = interval_logp(low, low + width, mu, scale)
    other = interval_logp(factor * low, factor * (low + width), factor * mu, factor * scale)
    assert other == pytest.approx(one, rel=1e-6, abs=1e-6)


def test_a_figure_likes_the_latent_value_best_in_its_middle():
    mu = np.linspace(-1, 3, 401)
    best = mu[np.argmax(interval_logp(0.8, 1.2, mu, 0.3))]
    assert best == pytest.approx(1.0, abs=0.01)


def test_a_row_that_contains_almost_everything_says_almost_nothing():
    assert interval_logp(-1e6, 1e6, 0.0, 1.0) == pytest.approx(0.0, abs=1e-12)


@pytest.fixture(scope="module")
def value_and_slopes():
    """The likelihood and its derivatives by latent value and scale, as the sampler sees them."""
    import pytensor
    import pytensor.tensor as pt

    low, high, mu, scale = (pt.dscalar(name) for name in ("low", "high", "mu", "scale"))
    logp = interval_logp(low, high, mu, scale, pt)
    # The mode leaves no room for compiled rewrites to hide what the formula does.
    return pytensor.function([low, high, mu, scale], [logp, *pytensor.grad(logp, [mu, scale])], mode="FAST_COMPILE")


@pytest.mark.parametrize("distance", [0.0, 1.0, 30.0, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("width", [1e-4, 0.05, 3.0])
def test_value_and_gradient_stay_finite_however_far_a_figure_lies(value_and_slopes, distance, side, width):
    found = np.array(value_and_slopes(side * distance, side * distance + width, 0.0, 0.01))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("distance", [30.0, 1e3, 1e6])
def test_a_far_figure_still_pulls_the_latent_value_towards_it(value_and_slopes, distance):
    _, pull, _ = value_and_slopes(distance, distance + 0.5, 0.0, 0.1)
    # d log P / d mu of a tail like x^-5 is 5 / x.
    assert pull == pytest.approx(5.0 / (distance + 0.25), rel=0.01)


@given(st.floats(-5, 5), st.floats(0.01, 2), st.floats(0.05, 3))
def test_the_gradient_is_the_derivative(value_and_slopes, mu, width, scale):
    low, high, step = 0.3, 0.3 + width, 1e-5
    _, by_mu, by_scale = value_and_slopes(low, high, mu, scale)
    numeric = [
        (interval_logp(low, high, mu + step, scale) - interval_logp(low, high, mu - step, scale)) / (2 * step),
        (interval_logp(low, high, mu, scale + step) - interval_logp(low, high, mu, scale - step)) / (2 * step),
    ]
    assert [float(by_mu), float(by_scale)] == pytest.approx(numeric, rel=1e-4, abs=1e-4)
