"""The growth law in innovations form: its likelihood, its shocks, what it takes from a series, and its paths."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from telemed_forecast.curves.innovations import (
    MIN_ROOM,
    NEGLIGIBLE,
    OFFSET,
    Draws,
    Law,
    Levels,
    carry_on,
    follow,
    levels,
    log_density,
    log_mass,
    readings,
    resolution,
    room,
    standard_shocks,
)

pytestmark = pytest.mark.unit

LAW = Law(theta=0.3, persistence=0.7, floor=0.02, elasticity=0.9, nu=4.0, skew=1.2, max_growth=0.8)
UNCAPPED = replace(LAW, max_growth=1e9)
"""Growth of a past is not bounded, that of a future is: where both are compared, the bound is out of reach."""

laws = st.builds(
    Law,
    theta=st.floats(0.02, 1.0),
    persistence=st.floats(0.05, 0.99),
    floor=st.floats(0.005, 0.1),
    elasticity=st.floats(0.5, 1.2),
    nu=st.floats(2.5, 30.0),
    skew=st.floats(0.7, 1.5),
    max_growth=st.just(1e9),
)
parameters = st.tuples(st.floats(0.01, 0.6), st.floats(-0.5, 3.0), st.floats(0.01, 0.99), st.floats(0.05, 2.0))
skews = st.sampled_from([0.6, 0.95, 1.0, 1.12, 1.3, 2.0])


def draws(*rows):
    """Draws of (rate, log ceiling, carry, sigma)."""
    return Draws(*np.array(rows, dtype=float).T)


def many(number, rate=0.2, log_ceiling=0.0, carry=0.4, sigma=0.3):
    return draws(*[(rate, log_ceiling, carry, sigma)] * number)


def known(z, years):
    return Levels(np.array(z, dtype=float), np.array(years, dtype=float), 1.0, 0.0)


# The likelihood of a past


def density(shock, law):
    """A Student-t cut at its mode, each half stretched by its own factor and the whole brought back to one."""
    factor = law.skew if shock > 0 else 1 / law.skew
    return 2 / (law.skew + 1 / law.skew) * stats.t.pdf(shock / factor, law.nu)


def step_by_step(z, years, row, law):
    """The likelihood of one parameter as the description of the law says it, a step at a time."""
    rate, log_ceiling, carry, sigma = row
    total, deviation = 0.0, 0.0
    for k, long in enumerate(years):
        gap = max(log_ceiling - z[k], -0.7)
        h = (1 - np.exp(-law.theta * gap)) / law.theta
        m = (rate + deviation) * h
        scale = sigma * (law.floor + abs(m)) ** law.elasticity * long**0.5
        e = z[k + 1] - z[k] - long * m
        total += np.log(density(e / scale, law) / scale)
        faded = law.persistence**long * deviation
        deviation = faded + carry * e / max(abs(h), 0.15) / (long if long > 1 else 1)
    return total, deviation


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-4, 1), st.sampled_from([1 / 12, 0.25, 1.0, 2.0, 3.5])), min_size=1, max_size=8),
    st.lists(parameters, min_size=1, max_size=3),
    laws,
)
def test_the_likelihood_of_a_past_is_that_of_its_steps(steps, rows, law):
    z, years = [-3.0, *(level for level, _ in steps)], [long for _, long in steps]
    found, deviation = follow(known(z, years), draws(*rows), law)
    expected = np.array([step_by_step(z, years, row, law) for row in rows])
    np.testing.assert_allclose(found, expected[:, 0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(deviation, expected[:, 1], rtol=1e-9, atol=1e-12)


def test_a_past_of_one_level_says_nothing():
    likelihood, deviation = follow(known([-1.0], []), many(3), LAW)
    assert (likelihood == 0).all() and (deviation == 0).all()


@given(st.floats(-8, 8))
def test_a_change_of_unit_moves_levels_and_ceiling_and_no_likelihood(shift):
    z, years = np.array([-2.0, -1.5, -1.2, -1.1]), [1, 1, 2]
    moved = follow(known(z + shift, years), many(1, log_ceiling=shift), LAW)
    np.testing.assert_allclose(moved, follow(known(z, years), many(1), LAW), atol=1e-9)


# Shocks


@given(skews, st.sampled_from([2.5, 4.0, 10.0]))
@settings(max_examples=18, deadline=None)
def test_the_density_of_shocks_sums_to_one(skew, nu):
    law = replace(LAW, skew=skew, nu=nu)
    halves = [integrate.quad(lambda x: np.exp(log_density(np.array(x), law)), *half)[0] for half in RANGES]
    assert sum(halves) == pytest.approx(1.0, abs=1e-6)


RANGES = ((-np.inf, 0.0), (0.0, np.inf))


@pytest.mark.parametrize("skew", [0.8, 1.0, 1.3])
def test_shocks_have_the_density_of_the_likelihood(skew):
    law = replace(LAW, skew=skew)
    shocks = standard_shocks(np.random.default_rng(1).uniform(size=20_000), law)
    below = 1 / (1 + skew**2)

    def cumulative(x):
        down = 2 * below * stats.t.cdf(np.minimum(x, 0) * skew, law.nu)
        up = (1 - below) * (2 * stats.t.cdf(np.maximum(x, 0) / skew, law.nu) - 1)
        return down + up

    # The closed form above is the integral of the density,
    for x in (-2.0, -0.3, 0.4, 3.0):
        part = integrate.quad(lambda v: np.exp(log_density(np.array(v), law)), x, 0.0)[0]
        assert cumulative(x) == pytest.approx(below - part, abs=1e-7)
    # and 20,000 shocks are spread as it says; with the skew of another law they are not.
    assert stats.kstest(shocks, cumulative).pvalue > 0.01
    other = standard_shocks(np.random.default_rng(1).uniform(size=20_000), replace(law, skew=skew + 0.1))
    assert stats.kstest(other, cumulative).pvalue < 1e-6


@given(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=2, max_size=20, unique=True), skews)
def test_a_larger_uniform_number_is_a_larger_shock(uniform, skew):
    shocks = standard_shocks(np.sort(uniform), replace(LAW, skew=skew))
    assert (np.diff(shocks) >= -1e-12).all() and np.isfinite(shocks).all()


def test_shocks_of_a_skewed_law_lean_upward():
    uniform = (np.arange(10_001) + 0.5) / 10_001
    high, none, low = (standard_shocks(uniform, replace(LAW, skew=skew)).mean() for skew in (1.3, 1.0, 0.8))
    assert high > 0.2 and none == pytest.approx(0.0, abs=1e-9) and low < -0.2


# What is taken from a series


def taken(values, years=None, **options):
    values = np.array(values, dtype=float)
    return levels(values, np.arange(len(values), dtype=float) if years is None else np.array(years), **options)


def test_levels_are_logs_above_a_part_of_the_largest():
    found = taken([1.0, 4.0, 10.0, 8.0])
    assert found.offset == OFFSET * 10.0
    np.testing.assert_allclose(found.z, np.log(np.array([1.0, 4.0, 10.0, 8.0]) + found.offset))
    assert list(found.years) == [1, 1, 1] and found.waiting == 0
    assert taken([1.0, 4.0], offset=0.5).offset == 2.0


@given(laws, st.floats(-6.0, 6.0), st.floats(0.01, 4.0))
def test_masses_of_neighbouring_steps_are_that_of_both_and_a_small_one_is_density_times_width(law, at, width):
    halves = log_mass(np.array([at - width / 4, at + width / 4]), np.full(2, width / 2), law)
    assert np.logaddexp(*halves) == pytest.approx(log_mass(np.array([at]), np.array([width]), law)[0], abs=1e-9)
    if abs(at) > 0.01:  # at its mode a skewed density has a kink
        small = log_mass(np.array([at]), np.array([1e-4]), law)[0]
        assert small - np.log(1e-4) == pytest.approx(log_density(np.array([at]), law)[0], abs=1e-3)


def test_the_masses_of_all_steps_sum_to_one():
    grid = 0.1 * np.arange(-40000, 40001)
    assert np.exp(log_mass(grid, np.full(len(grid), 0.1), LAW)).sum() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([18, 22, 25, 27, 28, 28], 1.0),
        ([600, 1100, 1600, 1700, 2700, 2700], 100.0),
        (np.round(100 * np.array([8, 8, 12, 13, 14, 19, 45]) / 692, 5), 100 / 692),
        ([1.2345, 1.2345, 3.4567, 7.8765], 0.0001),
        ([100, 100, 100, 100], 1.0),
        ([28.571428571428573] * 6, 28.571428571428573e-8),
    ],
)
def test_the_step_of_a_print_is_that_of_what_was_counted_else_of_its_digits(values, step):
    assert resolution(np.array(values, dtype=float)) == pytest.approx(step, rel=1e-3)


def test_a_series_without_repeats_has_one_reading_and_no_width():
    ((known, pattern),) = readings(np.array([1.0, 2.0, 4.0, 5.0]), np.arange(4.0))
    assert pattern == 0.0 and known.width is None and known.waiting == 0.0


def test_repeats_are_read_as_gaps_and_as_measurements():
    (gaps, pattern), (measured, none) = readings(np.array([2.0, 4.0, 5.0, 5.0, 5.0]), np.arange(5.0))
    assert (len(gaps.z), gaps.waiting, len(measured.z), measured.waiting) == (3, 2.0, 5, 0.0)
    assert pattern < none == 0.0
    # One unit beside levels above an offset of 1.
    np.testing.assert_allclose(measured.width, [1 / 5, 1 / 6, 1 / 6, 1 / 6])
    np.testing.assert_allclose(gaps.width, [1 / 5, 1 / 6])


def test_the_more_figures_are_repeated_the_less_likely_they_were_carried_forward():
    patterns = [readings(np.r_[1.0, 2.0, np.full(n, 3.0)], np.arange(n + 2.0))[0][1] for n in (2, 4, 8, 16)]
    assert patterns == sorted(patterns, reverse=True)


def test_a_series_that_never_moved_was_measured():
    ((known, _),) = readings(np.full(6, 7.0), np.arange(6.0))
    assert len(known.z) == 6 and (known.width > 0).all()


def test_a_repeated_figure_is_a_gap():
    steps, gaps = taken([1.0, 1.0, 1.0, 4.0, 9.0]), taken([1.0, 4.0, 9.0], [0.0, 3.0, 4.0])
    np.testing.assert_array_equal(steps.z, gaps.z)
    np.testing.assert_array_equal(steps.years, gaps.years)


def test_a_value_that_comes_back_later_is_no_repeat():
    assert len(taken([5.0, 8.0, 5.0, 8.0]).z) == 4


@given(st.integers(0, 6), st.sampled_from([1.0, 0.25]))
def test_years_since_the_last_new_figure_are_waited(repeats, step):
    values = [1.0, 3.0, 6.0] + [8.0] * (1 + repeats)
    found = taken(values, step * np.arange(len(values)))
    assert found.waiting == pytest.approx(step * repeats)
    assert len(found.z) == 4


def test_what_is_negligible_beside_the_last_value_is_left_out_at_the_start_only():
    values = [0.0, 0.001, 0.1, 5.0, 30.0, 0.2, 60.0, 100.0]
    found = taken(values)
    assert NEGLIGIBLE * 100.0 > 0.2, "the sixth value would be negligible at the start"
    np.testing.assert_allclose(np.exp(found.z) - found.offset, values[3:])


@given(st.lists(st.floats(0, 1e-4), min_size=0, max_size=6), st.lists(st.floats(1.0, 2.0), min_size=1, max_size=4))
def test_at_least_three_levels_stay_unless_they_repeat(small, large):
    values = np.array([*small, *large])
    found = taken(values)
    kept = values[-max(3, len(large)) :]
    kept = np.where(kept > 0, kept, kept[kept > 0].min() / 2)
    assert len(found.z) == 1 + np.count_nonzero(np.diff(kept))


def test_a_zero_between_others_is_half_of_the_smallest():
    found = taken([2.0, 0.0, 7.0, 0.0])
    np.testing.assert_allclose(np.exp(found.z) - found.offset, [2.0, 1.0, 7.0, 1.0])


@given(st.lists(st.floats(0.01, 100.0), min_size=3, max_size=12), st.sampled_from([2.0**-10, 2.0**10, 2.0**40]))
def test_the_unit_of_a_series_moves_its_levels_and_nothing_else(values, factor):
    one, other = taken(values), taken(np.array(values) * factor)
    np.testing.assert_allclose(other.z - np.log(factor), one.z, atol=1e-9)
    np.testing.assert_array_equal(other.years, one.years)
    assert other.waiting == one.waiting


# Paths


@settings(max_examples=60, deadline=None)
@given(laws, parameters, st.sampled_from([1.0, 0.25, 1 / 12]), st.integers(0, 10**6))
def test_a_path_that_is_followed_gives_back_its_own_shocks(law, row, step, seed):
    """The future is made as the past is read: the log density of a path is that of the shocks it was made of."""
    shocks = standard_shocks(np.random.default_rng(seed).uniform(size=(8, 1)), law)
    one = draws(row)
    path = carry_on(-2.0, np.zeros(1), one, law, steps=np.full(8, step), shocks=shocks, highest=np.inf)[:, 0]
    likelihood, _ = follow(known([-2.0, *path], [step] * 8), one, law)
    given_back = likelihood[0] + np.sum(np.log(scales(np.array([-2.0, *path]), step, row, law)))
    assert given_back == pytest.approx(log_density(shocks[:, 0], law).sum(), rel=1e-6, abs=1e-6)


def scales(path, step, row, law):
    """The scale of each shock on a path, by hand. Dims: (step,)."""
    rate, log_ceiling, carry, sigma = row
    found, deviation = [], 0.0
    for z, after in pairwise(path):
        h = room(np.array(log_ceiling - z), law.theta)
        m = (rate + deviation) * h
        found.append(sigma * (law.floor + abs(m)) ** law.elasticity * np.sqrt(step))
        deviation = law.persistence**step * deviation + carry * (after - z - step * m) / max(abs(h), MIN_ROOM)
    return np.array(found)


@settings(max_examples=40, deadline=None)
@given(st.floats(-1.0, 0.5), st.integers(0, 1000))
def test_no_path_passes_the_highest_level(highest, seed):
    shocks = standard_shocks(np.random.default_rng(seed).uniform(size=(10, 50)), LAW)
    wild = many(50, rate=0.5, log_ceiling=1.0, sigma=1.5)
    path = carry_on(-1.2, np.zeros(50), wild, LAW, steps=np.ones(10), shocks=shocks, highest=highest)
    assert path.max() <= highest


def quiet(z, *, steps, deviation=0.0, law=LAW, **row):
    """A path without shocks. Dims: (step,)."""
    none = np.zeros((len(steps), 1))
    one = many(1, **row)
    return carry_on(z, np.array([deviation]), one, law, steps=steps, shocks=none, highest=np.inf)[:, 0]


@given(st.floats(0.05, 3.0), st.floats(0.02, 0.5))
def test_a_level_past_its_ceiling_falls_towards_it_and_not_through(above, rate):
    path = quiet(above, steps=np.ones(30), rate=rate)
    assert (np.diff([above, *path]) < 0).all()
    assert (path > 0).all()


@given(st.floats(-5.0, -0.01), st.floats(0.02, 0.5))
def test_a_level_below_its_ceiling_rises_towards_it_and_not_through(below, rate):
    path = quiet(below, steps=np.ones(30), rate=rate)
    assert (np.diff([below, *path]) > 0).all()
    assert (path < 0).all()


@given(st.floats(-6.0, -0.1), st.floats(0.02, 2.0), st.floats(0.1, 1.0))
def test_expected_growth_of_a_future_is_capped(z, rate, cap):
    path = quiet(z, steps=np.ones(1), rate=rate, law=replace(LAW, max_growth=cap))
    assert path[0] - z <= cap * (1 + 1e-9)


def test_a_deviation_fades_at_the_pace_of_its_persistence():
    # So far below a ceiling that the room stays the same: growth above that of the rate alone is the deviation.
    law = replace(UNCAPPED, theta=1.0)
    growth = np.diff([-30.0, *quiet(-30.0, steps=np.ones(6), rate=0.1, deviation=0.05, law=law)])
    np.testing.assert_allclose(growth - 0.1, 0.05 * 0.7 ** np.arange(6), rtol=1e-9)


def test_a_part_of_a_shock_is_carried_on():
    law = replace(UNCAPPED, theta=1.0)
    for carry in (0.0, 0.5, 1.0):
        one = many(1, rate=0.1, carry=carry, sigma=0.2)
        shocks = np.array([[1.0], [0.0]])
        path = carry_on(-30.0, np.zeros(1), one, law, steps=np.ones(2), shocks=shocks, highest=np.inf)[:, 0]
        shock = 0.2 * (law.floor + 0.1) ** law.elasticity
        np.testing.assert_allclose(np.diff([-30.0, *path]), [0.1 + shock, 0.1 + carry * shock], rtol=1e-9)


@given(st.floats(0.02, 0.3), st.floats(-2.5, -0.3), st.sampled_from([0.05, 0.5, 1.0]))
def test_four_quarters_grow_as_a_year_does(rate, z, theta):
    """Without shocks both are Euler steps of one equation; the room shrinks meanwhile.

    Over a year the slope m = r h(D) falls by the factor r h'(D), and h' <= 1 below the ceiling: a single step misses
    at most half of r of its growth, and the quarters the same of a quarter as much.
    """
    law = replace(UNCAPPED, theta=theta)
    year = quiet(z, steps=np.ones(1), rate=rate, law=law)[-1] - z
    quarters = quiet(z, steps=np.full(4, 0.25), rate=rate, law=law)[-1] - z
    assert (1 - rate / 2) * year <= quarters <= year


def test_a_year_of_quarters_has_the_shocks_of_a_year():
    """Far below the ceiling, where nothing but shocks and their carrying on tells years from quarters."""
    rng = np.random.default_rng(4)
    law = replace(UNCAPPED, theta=1.0, nu=30.0, skew=1.0)
    one = many(20_000, rate=0.1, carry=0.0, sigma=0.2)

    def spread(steps):
        shocks = standard_shocks(rng.uniform(size=(len(steps), 20_000)), law)
        path = carry_on(-30.0, np.zeros(20_000), one, law, steps=steps, shocks=shocks, highest=np.inf)
        return path[-1].std()

    # The sd of 20,000 normal numbers is known to half a percent: four standard errors of the ratio are 0.03.
    assert spread(np.full(4, 0.25)) / spread(np.ones(1)) == pytest.approx(1.0, abs=0.03)
