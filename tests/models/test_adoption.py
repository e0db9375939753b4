"""Users: waves that come and partly stay, and the arrays that the model reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.forecast.context import Context
from telemed_forecast.models import adoption
from telemed_forecast.models.adoption import retention, usage
from telemed_forecast.models.odds import expit
from telemed_forecast.models.timeline import on_grid
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.unit

shares = st.floats(0.001, 0.999)
half_lives = st.floats(0.05, 20.0)


@given(shares, half_lives)
def test_a_wave_is_whole_when_it_comes_and_absent_before(kept, half_life):
    since = np.array([-3.0, -1e-9, 0.0])
    assert retention(since, kept=kept, half_life=half_life).tolist() == pytest.approx([0.0, 0.0, 1.0])


@given(shares, half_lives)
def test_after_one_half_life_half_of_what_leaves_has_left(kept, half_life):
    left = retention(np.array([half_life]), kept=kept, half_life=half_life)[0]
    assert left == pytest.approx((1 + kept) / 2)


@given(shares, half_lives)
def test_in_the_end_only_the_kept_part_stays(kept, half_life):
    assert retention(np.array([60 * half_life]), kept=kept, half_life=half_life)[0] == pytest.approx(kept)


@given(shares, shares, half_lives)
def test_a_wave_only_ever_shrinks_and_a_stickier_one_stays_larger(one, other, half_life):
    since = np.linspace(0, 15, 61)
    low, high = (retention(since, kept=kept, half_life=half_life) for kept in sorted([one, other]))
    assert (np.diff(low) <= 0).all() and (np.diff(high) <= 0).all()
    assert (high >= low).all()


base_paths = st.lists(st.floats(0.01, 1.0), min_size=12, max_size=12)


@given(base_paths, st.floats(0.1, 0.9), shares, shares, shares, half_lives)
def test_usage_stays_between_its_base_and_its_ceiling(parts, ceiling, first, second, kept, half_life):
    base = ceiling * np.sort(parts)
    since = np.arange(12.0)
    stays = [retention(since - start, kept=kept, half_life=half_life) for start in (2.5, 7.0)]
    rate = usage(base, ceiling=ceiling, gained=[first, second], stays=stays)
    assert (rate >= base - 1e-12).all() and (rate <= ceiling + 1e-12).all()
    assert rate[:3] == pytest.approx(base[:3]), "a wave shows before it came"


@given(st.floats(0.05, 0.4), shares, shares)
def test_each_wave_adds_and_their_order_at_one_moment_does_not_matter(base, first, second):
    here, ceiling = np.array([base]), 0.5
    both = usage(here, ceiling=ceiling, gained=[first, second], stays=[np.ones(1), np.ones(1)])
    swapped = usage(here, ceiling=ceiling, gained=[second, first], stays=[np.ones(1), np.ones(1)])
    alone = usage(here, ceiling=ceiling, gained=[first], stays=[np.ones(1)])
    none = usage(here, ceiling=ceiling, gained=[], stays=[])
    assert both == pytest.approx(swapped)
    assert both[0] > alone[0] > none[0] == pytest.approx(base)


def test_the_waves_come_in_order_and_inside_the_grid_of_today(arrays_on):
    grid = arrays_on("2026-11-21")["user_adoption"]["grid"]
    assert list(adoption.WAVES) == sorted(adoption.WAVES)
    assert grid[0] < adoption.WAVES[0] and adoption.WAVES[-1] < grid[-1]


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(0, 3))
def test_a_level_between_two_grid_points_lies_on_the_line_between_them(values, at):
    path = np.array(values)
    found = on_grid(path, np.array([at]))
    assert found == pytest.approx(np.interp([at], np.arange(4), path), abs=1e-12)


@pytest.fixture(scope="module")
def posterior():
    """A handful of made-up draws, one of each shape that `project` needs."""
    import xarray as xr

    rng = np.random.default_rng(8)
    number, time = 200, adoption.GRID

    def path(first, last):
        return np.linspace(first, last, time) + 0.02 * rng.standard_normal((number, time))

    draws = {
        "internet_log_level": np.log(1.4e9) + np.minimum(path(-0.7, -0.25), -0.2),
        "internet_logit_ceiling": rng.normal(2.2, 0.1, number),
        "usage_log_level": path(-2.2, -1.2),
        "usage_logit_ceiling": rng.normal(0.4, 0.2, number),
        "surge_logit_kept": rng.normal(0.0, 0.5, number),
        "surge_half_life": rng.lognormal(-0.5, 0.3, number),
        "surge_gained": rng.beta(2, 8, (number, 2)),
        "survey_noise": rng.lognormal(-3.5, 0.3, number),
    }
    for name in ("internet", "usage"):
        draws |= {
            f"{name}_deviation": rng.normal(0, 0.02, (number, time - 1)),
            f"{name}_rate": rng.lognormal(-2, 0.3, number),
            f"{name}_theta": rng.beta(3, 3, number),
            f"{name}_innovation": rng.lognormal(-6, 0.3, number),
            f"{name}_sigma": rng.lognormal(-1, 0.3, number),
            f"{name}_rho": rng.beta(4, 5, number),
        }
    return xr.Dataset({k: (["sample", *(f"{k}_{i}" for i in range(v.ndim - 1))], v) for k, v in draws.items()})


@pytest.fixture(scope="module")
def history():
    grid = 2026.0 - 0.5 * np.arange(adoption.GRID)[::-1]
    return {
        "grid": grid,
        "wave": np.array(adoption.WAVES),
        "log_population": np.full(adoption.GRID, np.log(1.4e9)),
    }


def carried(posterior, history, **levers):
    ahead = np.full(10, history["log_population"][-1])
    return adoption.project(posterior, history, log_population_ahead=ahead, rng=np.random.default_rng(1), **levers)


def test_a_wave_that_had_not_come_yet_is_in_no_forecast(posterior, history):
    early = history | {"grid": history["grid"] - 5.0}
    draws = carried(posterior, early)
    assert early["grid"][-1] < adoption.WAVES[1] < draws["grid"][-1]
    assert (draws["wave_gain"][:, 0] > 0).all()
    assert (draws["wave_gain"][:, 1] == 0).all()
    assert (draws["stays"][:, :, 1] == 0).all()


def test_the_parts_of_the_users_add_up(posterior, history):
    draws = carried(posterior, history)
    np.testing.assert_allclose(draws["base"] + draws["kept"] + draws["passing"], draws["users"], rtol=1e-12)
    assert min(draws[name].min() for name in ("base", "kept", "passing")) >= -1e-6


def test_users_never_outnumber_the_internet_users_nor_these_the_population(posterior, history):
    draws = carried(posterior, history)
    assert (draws["users"] <= draws["internet"]).all()
    assert (draws["internet"] <= 1.4e9).all()
    assert ((draws["usage"] > 0) & (draws["usage"] < 1)).all()


def test_stickier_waves_and_a_higher_ceiling_bring_users_in_the_future_only(posterior, history):
    plain = carried(posterior, history)["users"]
    sticky = carried(posterior, history, kept_odds=3.0)["users"]
    higher = carried(posterior, history, ceiling_odds=1.5)["users"]
    now = adoption.GRID
    for moved in (sticky, higher):
        np.testing.assert_array_equal(moved[:, :now], plain[:, :now])
    assert (sticky[:, now:] >= plain[:, now:]).all()
    assert (np.median(sticky[:, now:], axis=0) > np.median(plain[:, now:], axis=0)).all()
    # A higher ceiling also makes faster growth and larger shocks: more users, but not in every draw.
    assert (np.median(higher[:, now:], axis=0) > np.median(plain[:, now:], axis=0)).all()


def test_trust_that_is_won_brings_users_sooner_and_never_past_the_ceiling(posterior, history):
    plain, faster = carried(posterior, history), carried(posterior, history, usage_pace=2.0)
    slower = carried(posterior, history, usage_pace=0.5)
    now = adoption.GRID
    np.testing.assert_array_equal(faster["users"][:, :now], plain["users"][:, :now])
    middle = [np.median(draws["users"][:, now:], axis=0) for draws in (slower, plain, faster)]
    assert (middle[0] < middle[1]).all() and (middle[1] < middle[2]).all()
    ceiling = 1.0 / (1.0 + np.exp(-posterior["usage_logit_ceiling"].values))
    assert (faster["base"] <= faster["internet"] * ceiling[:, None] * (1 + 1e-9))[:, now:].all()


def test_neutral_levers_change_nothing(posterior, history):
    plain = carried(posterior, history)
    neutral = carried(posterior, history, kept_odds=1.0, ceiling_odds=1.0, usage_pace=1.0)
    for name in plain:
        np.testing.assert_array_equal(plain[name], neutral[name])


def test_a_survey_prints_the_truth_with_noise_around_it(posterior, history):
    draws = carried(posterior, history)
    error = np.log(draws["published"] / draws["users"])
    assert abs(np.median(error)) < 0.002
    assert 0.02 < error.std() < 0.08


def test_draws_from_the_prior_carry_everything_that_a_projection_reads(arrays_on, history):
    data = arrays_on("2026-11-21")["user_adoption"]
    draws = adoption.prior_sample(data, 300, np.random.default_rng(3))
    carried_on = adoption.project(
        draws, data, log_population_ahead=np.full(4, data["log_population"][-1]), rng=np.random.default_rng(4)
    )
    past = carried_on["users"][:, : adoption.GRID]
    # The wall at the ceiling lets a level through by a hair; a projection takes it for full.
    below = draws["usage_log_level"] <= np.log(expit(draws["usage_logit_ceiling"]))[:, None]
    assert below.mean() > 0.99
    np.testing.assert_allclose(past[below], np.exp(draws["log_users"])[below], rtol=1e-9)
    # The wall at the ceiling is a fiftieth of a log point wide.
    assert (past <= 1.1 * np.exp(data["log_population"])).all()


def test_a_survey_stands_at_the_middle_of_its_window_in_log_odds(arrays_on):
    data = arrays_on("2026-11-21")["user_adoption"]
    at = data["grid"][0] + adoption.STEP * data["survey_at"]
    # The Yangtze River Delta: 22.07% in a window from January 2020 to January 2021.
    k = int(np.argmin(np.abs(data["survey_low"] - np.log(0.2207 / 0.7793))))
    assert data["survey_low"][k] < np.log(0.2207 / 0.7793) < data["survey_high"][k]
    assert at[k] == pytest.approx(2020.5, abs=0.03)
    assert data["aware_low"][0] < np.log(0.8095 / 0.1905) < data["aware_high"][0]


def test_surveys_enter_only_once_published(arrays_on):
    sizes = [len(arrays_on(day)["user_adoption"]["survey_low"]) for day in ("2019-12-31", "2021-08-18", "2026-11-21")]
    assert sizes[0] == 0 < sizes[1] < sizes[2]
    assert len(arrays_on("2020-06-30")["user_adoption"]["aware_low"]) == 0


def test_counts_before_the_survey_renamed_the_service_have_an_offset_and_later_ones_have_none():
    counted = Context(validate("user_adoption", {})).observed("online_medical_users", "national")
    renamed = adoption.definitions(counted)[:, list(adoption.OFFSETS).index("name_until_2022")]
    np.testing.assert_array_equal(renamed == 1.0, counted.end < np.datetime64("2022-12-31"))
    assert 0 < renamed.sum() < len(counted)
