"""What a figure that nobody has published would teach."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.evaluation.information import KINDS, explained, ranked
from telemed_forecast.forecast.paths import Unpublished

pytestmark = pytest.mark.unit

NUMBER = 4000


@pytest.fixture(scope="module")
def draws():
    rng = np.random.default_rng(11)
    return {name: rng.normal(size=NUMBER) for name in ("x", "noise", "other")}


def test_noise_explains_nothing_on_average():
    rng = np.random.default_rng(1)
    found = [explained(rng.normal(size=500), rng.normal(size=500)) for _ in range(300)]
    # Without the correction for eight coefficients the mean would be 8 / 499 = 0.016.
    assert np.mean(found) == pytest.approx(0.0, abs=0.002)
    assert np.mean(np.array(found) < 0) > 0.4


@pytest.mark.parametrize("noise", [0.25, 1.0, 3.0])
def test_a_noisy_measurement_of_a_normal_target_explains_what_theory_says(draws, noise):
    measured = draws["x"] + noise * draws["noise"]
    assert explained(draws["x"], measured) == pytest.approx(1 / (1 + noise**2), abs=0.03)


def test_a_relation_that_turns_is_seen(draws):
    # The correlation of x and x^2 is nil.
    assert explained(draws["x"] ** 2, draws["x"]) > 0.95


def test_a_perfect_measurement_explains_everything(draws):
    assert explained(np.exp(draws["x"]), np.exp(draws["x"])) == pytest.approx(1.0)


@given(st.floats(1e-3, 1e6), st.floats(-1e3, 1e3))
def test_the_unit_of_a_measurement_does_not_matter(draws, factor, shift):
    plain = explained(draws["x"] + draws["other"], draws["x"])
    assert explained(draws["x"] + draws["other"], factor * draws["x"] + shift) == pytest.approx(plain, abs=1e-6)


def test_what_is_the_same_in_every_draw_teaches_nothing(draws):
    assert explained(draws["x"], np.ones(NUMBER)) == 0.0


def test_too_few_draws_are_refused():
    with pytest.raises(ValueError, match="99 draws are too few"):
        explained(np.arange(99.0), np.arange(99.0))


def taught(target, seed, **figures):
    """What figures would teach, by name: each a kind and what it measures."""
    asked = {Unpublished(name, kind, ""): quantity for name, (kind, quantity) in figures.items()}
    return ranked(target, asked, np.random.default_rng(seed)).set_index("figure")


def test_the_most_valuable_figure_comes_first_and_a_house_with_a_bias_teaches_less(draws):
    x, other = draws["x"], draws["other"]
    figures = {"other": ("official", other), "x_of_house": ("house", 0.5 * x)}
    found = taught(x + 0.3 * other, 2, **figures, x=("official", 0.5 * x), noise=("panel", draws["noise"]))
    assert found.index.tolist() == ["x", "x_of_house", "other", "noise"]
    assert found.loc["x", "removed"] == pytest.approx(1 / 1.09, abs=0.02)
    noise, bias = KINDS["house"]
    expected = 0.25 / (0.25 + 2 * noise**2 + bias**2) / 1.09
    assert found.loc["x_of_house", "removed"] == pytest.approx(expected, abs=0.03)
    assert abs(found.loc["noise", "removed"]) < 3 * found.loc["noise", "error"] + 0.01


def test_the_interval_narrows_with_the_root_of_the_variance_that_is_left(draws):
    half = taught(draws["x"], 3, half=("official", draws["x"] + draws["noise"])).loc["half"]
    assert half["removed"] == pytest.approx(0.5, abs=0.03)
    assert half["narrower"] == pytest.approx(1 - np.sqrt(0.5), abs=0.03)
