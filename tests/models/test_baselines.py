"""Rivals: one protocol for all, on a regular grid that invents no figures."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.models import baselines

pytestmark = pytest.mark.unit

STEPWISE = [name for name in baselines.RIVALS if name != "prophet"]
DAYS = np.array([f"{y}-12-31" for y in range(2012, 2022)], dtype="datetime64[D]")
AHEAD = np.array(["2022-12-31", "2024-12-31", "2026-12-31"], dtype="datetime64[D]")
WOBBLE = np.random.default_rng(4).normal(0.0, 0.03, len(DAYS)).cumsum()
GROWING = np.exp(3.0 + 0.1 * np.arange(len(DAYS)) + WOBBLE)

each_rival = pytest.mark.parametrize("rival", baselines.RIVALS)
each_stepwise = pytest.mark.parametrize("rival", STEPWISE)


def run(rival, days=DAYS, values=GROWING, future=AHEAD, **options):
    return baselines.forecast(rival, days, values, future, **{"seed": 5, "draws": 400} | options)


@each_rival
def test_a_rival_answers_with_positive_draws_for_each_day(rival):
    drawn = run(rival)
    assert drawn.shape == (400, 3)
    assert np.isfinite(drawn).all()
    assert (drawn > 0).all()


@each_rival
def test_the_same_seed_gives_the_same_draws(rival):
    assert np.array_equal(run(rival), run(rival))


@pytest.mark.parametrize("rival", ["prophet", "theta", "drift", "naive"])
def test_the_future_is_less_certain_the_further_it_lies(rival):
    # Not so for exponential smoothing, which may settle on a fixed trend with errors around it.
    spread = np.log(run(rival)).std(axis=0)
    assert (np.diff(spread) > 0).all()


@each_rival
@pytest.mark.parametrize("number", [0, 1, 3])
def test_too_short_a_history_has_no_forecast(rival, number):
    assert run(rival, DAYS[:number], GROWING[:number]) is None


@each_rival
def test_figures_of_one_day_are_one_point(rival):
    assert run(rival, np.repeat(DAYS[:3], 3), np.repeat(GROWING[:3], 3)) is None


@each_rival
def test_shares_stay_between_nothing_and_all(rival):
    shares = 1.0 / (1.0 + np.exp(-np.linspace(1.0, 4.0, len(DAYS)) - WOBBLE))
    drawn = run(rival, values=shares, share=True)
    assert ((drawn > 0.0) & (drawn < 1.0)).all()


@each_stepwise
def test_the_unit_does_not_matter(rival):
    assert run(rival, values=1000.0 * GROWING) == pytest.approx(1000.0 * run(rival), rel=0.02)


@each_stepwise
def test_the_order_of_the_figures_does_not_matter(rival):
    turned = run(rival, DAYS[::-1], GROWING[::-1])
    assert np.array_equal(turned, run(rival))


@each_stepwise
def test_nothing_is_said_about_days_up_to_the_newest_figure(rival):
    drawn = run(rival, future=np.array(["2019-06-30", "2021-12-31", "2022-12-31"], dtype="datetime64[D]"))
    assert np.isnan(drawn[:, :2]).all()
    assert np.isfinite(drawn[:, 2]).all()


@pytest.mark.parametrize("rival", ["drift", "naive", "theta"])
def test_a_day_between_two_steps_is_on_the_straight_line_of_its_path(rival):
    drawn = np.log(run(rival, future=np.array(["2022-12-31", "2023-07-01", "2023-12-31"], dtype="datetime64[D]")))
    assert drawn[:, 1] == pytest.approx(0.5 * (drawn[:, 0] + drawn[:, 2]), abs=0.01)


def test_a_ceiling_keeps_prophet_down():
    free, held = run("prophet"), run("prophet", ceilings=np.array([70.0, 80.0]))
    assert np.median(held[:, -1]) < np.median(free[:, -1])
    assert np.median(held[:, -1]) < 85.0


def test_prophet_leaves_the_global_generator_as_it_was():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    run("prophet")
    assert np.array_equal(np.random.get_state()[1], before)


def test_the_drift_is_the_mean_change_and_its_spread_holds_the_slopes_own():
    drawn = np.log(run("drift", draws=40_000))
    changes = np.diff(np.log(GROWING))
    n, h = len(changes), np.array([1.0, 3.0, 5.0])
    assert drawn.mean(axis=0) == pytest.approx(np.log(GROWING[-1]) + h * changes.mean(), abs=0.003)
    assert drawn.std(axis=0) == pytest.approx(changes.std(ddof=1) * np.sqrt(h * (1 + h / n)), rel=0.02)


def test_naive_stays_where_it_is():
    assert np.median(run("naive", draws=4000), axis=0) == pytest.approx(GROWING[-1], rel=0.03)


def test_the_theta_rival_follows_half_the_slope_of_the_straight_line():
    drawn = np.log(run("theta", draws=20_000)).mean(axis=0)
    slope = np.polyfit(np.arange(len(GROWING)), np.log(GROWING), 1)[0]
    assert np.diff(drawn) == pytest.approx([slope, slope], rel=0.05)  # two steps at half the slope


def test_exponential_smoothing_takes_a_trend_where_there_is_one_and_none_where_there_is_not():
    far = np.array(["2026-12-31"], dtype="datetime64[D]")
    flat = np.exp(3.0 + np.random.default_rng(1).normal(0.0, 0.03, len(DAYS)))
    assert np.median(run("ets", future=far)) > 1.2 * GROWING[-1]
    assert np.median(run("ets", values=flat, future=far)) == pytest.approx(np.exp(3.0), rel=0.1)


def test_exponential_smoothing_says_nothing_on_four_points_where_its_criterion_has_no_value():
    assert run("ets", DAYS[:4], GROWING[:4]) is None
    assert run("ets", DAYS[:5], GROWING[:5]) is not None


@each_stepwise
def test_a_short_history_raises_no_warning(rival):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(rival, DAYS[:5], GROWING[:5])


@given(
    st.lists(st.floats(2010.0, 2025.0), min_size=2, max_size=30, unique_by=lambda y: round(y, 2)), st.floats(-1.0, 1.0)
)
def test_the_grid_ends_with_the_newest_figure_and_stays_within_the_figures(years, slope):
    years = np.array(years)
    known, step = baselines.regular(years, slope * years)
    assert step in (0.5, 1.0)
    assert known[-1] == pytest.approx(slope * years.max())
    assert known.min() >= (slope * years).min() - 1e-9
    assert known.max() <= (slope * years).max() + 1e-9
    assert len(known) <= (years.max() - years.min() + baselines.SLACK) / step + 1


def test_half_yearly_surveys_are_on_a_grid_of_half_years_and_yearly_ones_on_one_of_years():
    half = np.array([2020.99, 2021.49, 2021.99, 2022.49, 2022.99])
    known, step = baselines.regular(half, np.arange(5.0))
    assert (step, known.tolist()) == (0.5, pytest.approx([0, 1, 2, 3, 4], abs=0.05))
    assert baselines.regular(half[::2], np.arange(3.0)) == (pytest.approx([0, 1, 2], abs=0.05), 1.0)


def test_a_missing_year_lies_on_the_line_between_its_neighbours():
    known, _ = baselines.regular(np.array([2018.0, 2019.0, 2021.0, 2022.0]), np.array([1.0, 2.0, 4.0, 8.0]))
    assert known.tolist() == [1.0, 2.0, 3.0, 4.0, 8.0]


def test_figures_of_one_day_are_averaged():
    known, _ = baselines.regular(np.array([2018.0, 2019.0, 2019.0]), np.array([1.0, 2.0, 4.0]))
    assert known.tolist() == [1.0, 3.0]
