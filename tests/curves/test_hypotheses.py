"""Forecasts of adoption from hypotheses about the ceiling, with the prior that is shipped."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from telemed_forecast.curves import innovations
from telemed_forecast.curves.hypotheses import (
    DRAWS,
    KINDS,
    PARAMETERS,
    WAITING,
    _drawn,
    classes,
    forecast,
    hypotheses,
    law_of,
    sample,
    shipped,
    uniform,
)
from telemed_forecast.curves.series import PERIODS_A_YEAR, Series
from telemed_forecast.errors import InputError
from telemed_forecast.hub_format import QUANTILES

pytestmark = pytest.mark.unit

LOW, MEDIAN, HIGH = (int(np.flatnonzero(level == QUANTILES)[0]) for level in (0.05, 0.5, 0.95))
FEW = 512
"""Draws where it is not numbers that count but what holds for any."""


def series(values, unit="percent", *, frequency="annual", bound=None, **more):
    values = np.array(values, dtype=float)
    return Series("made up", frequency, 8000 + np.arange(len(values)), values, unit, bound=bound, **more)


def curve(years=8, frequency="annual", *, ceiling=80.0, rate=0.25, middle=8.0):
    """A Gompertz curve without noise."""
    time = (1 + np.arange(years * PERIODS_A_YEAR[frequency])) / PERIODS_A_YEAR[frequency]
    return ceiling * np.exp(-np.exp(-rate * (time - middle)))


def path(seed, years=8, frequency="monthly"):
    """A path of the law itself, percent of something, with shocks of a usual size."""
    periods = PERIODS_A_YEAR[frequency]
    law = shipped().laws["any"]
    one = innovations.Draws(*np.array([[0.12], [np.log(90.0)], [0.4], [0.4]]))
    rng = np.random.default_rng(seed)
    shocks = innovations.standard_shocks(rng.uniform(size=(years * periods, 1)), law)
    steps = np.full(years * periods, 1 / periods)
    z = innovations.carry_on(np.log(4.0), np.zeros(1), one, law, steps=steps, shocks=shocks, highest=np.inf)
    return np.exp(z[:, 0])


def quantiles(one, horizon=5, **options):
    return forecast([one], horizon, levels=QUANTILES, **options)[0][0]


def effective(one, horizon=5, seed=0):
    """Number of draws that the weights amount to."""
    _, weights = sample(one, horizon, prior=shipped(), numbers=uniform(DRAWS, horizon, seed))
    return 1.0 / (weights @ weights)


STAGES = {
    "early": curve(5),
    "middle": curve(9),
    "late": curve(18),
    "falling": np.array([10.0, 25.0, 48.0, 70.0, 80.0, 78.0, 71.0, 63.0]),
    "steps": np.array([1.0, 1.0, 3.0, 3.0, 7.0, 7.0, 12.0]),
    "zeros": np.array([0.0, 0.0, 0.5, 0.0, 2.0, 5.0]),
}
each_stage = pytest.mark.parametrize("stage", STAGES)
each_unit = pytest.mark.parametrize(("unit", "bound"), [("", None), ("percent", 100.0), ("per_100_people", None)])

values = st.lists(st.floats(0.0, 100.0), min_size=5, max_size=15).filter(lambda own: max(own) > 0)


# What holds for any series


@settings(max_examples=60, deadline=None)
@given(values, st.sampled_from([("", None), ("percent", 100.0), ("per_100_people", None)]), st.sampled_from([*KINDS]))
@example([0.0, 0.0, 0.0, 0.0, 5e-324], ("", None), "penetration")
def test_quantiles_are_finite_ordered_and_between_zero_and_the_bound(own, unit, measure):
    one = series(own, unit[0], bound=unit[1], measure=measure)
    q, mean = forecast([one], 5, levels=QUANTILES, draws=FEW)
    assert q.shape == (1, 5, 23) and mean.shape == (1, 5)
    assert np.isfinite(q).all() and np.isfinite(mean).all()
    assert (np.diff(q, axis=2) >= 0).all() and q.min() >= 0
    assert max(q.max(), mean.max()) <= (np.inf if unit[1] is None else unit[1] * (1 + 1e-12))


@each_stage
@each_unit
def test_intervals_widen_with_the_horizon(stage, unit, bound):
    one = series(STAGES[stage], unit, bound=bound)
    q = quantiles(one, 6)
    reaches_the_bound = q[:, HIGH] >= 0.98 * (bound or np.inf)
    widths = np.diff(q[:, [LOW, HIGH]], axis=1)[~reaches_the_bound, 0]
    assert (np.diff(widths) > 0).all() and len(widths) >= 2


@each_stage
@each_unit
def test_the_mean_is_within_the_interval_however_far_ahead(stage, unit, bound):
    q, mean = forecast([series(STAGES[stage], unit, bound=bound)], 20, levels=QUANTILES)
    assert (mean > q[..., LOW]).all() and (mean < q[..., HIGH]).all()


@each_stage
@pytest.mark.parametrize("factor", [1e3, 1e-3, 2.0**20])
def test_where_the_unit_has_no_scale_a_change_of_it_changes_nothing(stage, factor):
    one, other = quantiles(series(STAGES[stage], "")), quantiles(series(STAGES[stage] * factor, ""))
    np.testing.assert_allclose(other / factor, one, rtol=1e-9, atol=1e-12 * one.max())


@each_stage
def test_a_percentage_and_a_share_are_one_forecast(stage):
    percent = quantiles(series(STAGES[stage], "percent", bound=100.0))
    share = quantiles(series(STAGES[stage] / 100.0, "share", bound=1.0))
    np.testing.assert_allclose(100.0 * share, percent, rtol=1e-9, atol=1e-9)


def test_per_100_may_pass_100_and_a_percentage_may_not():
    late = curve(14, ceiling=105.0, middle=5.0)
    assert quantiles(series(np.minimum(late, 100.0), "percent", bound=100.0))[:, HIGH].max() <= 100.0 + 1e-9
    assert quantiles(series(late, "per_100_people"))[:, HIGH].max() > 105.0


def test_what_is_said_of_a_series_depends_on_it_alone():
    many = [series(STAGES[stage], unit) for stage in STAGES for unit in ("", "percent")]
    together, means = forecast(many, 4, levels=QUANTILES, seed=3)
    backwards, _ = forecast(many[::-1], 4, levels=QUANTILES, seed=3)
    for k, one in enumerate(many):
        alone, mean = forecast([one], 4, levels=QUANTILES, seed=3)
        np.testing.assert_array_equal(alone[0], together[k])
        np.testing.assert_array_equal(alone[0], backwards[-1 - k])
        np.testing.assert_array_equal(mean[0], means[k])


def test_the_same_seed_gives_the_same_numbers():
    one = series(STAGES["middle"])
    np.testing.assert_array_equal(quantiles(one, seed=1), quantiles(one, seed=1))
    assert not np.array_equal(quantiles(one, seed=1), quantiles(one, seed=2))


@pytest.mark.parametrize("stage", ["early", "middle", "late"])
@each_unit
def test_another_seed_moves_quantiles_by_their_own_error_at_most(stage, unit, bound):
    """A quantile p of n independent draws has the standard error sqrt(p (1 - p) / n) over the density at it.

    With the density of a normal distribution and n the number of draws that the weights amount to, two seeds differ
    by the square root of two such errors; the draws fill the space evenly and should do better. Four of them leave
    one pair in ten thousand outside.
    """
    one = series(STAGES[stage], unit, bound=bound)
    inner = slice(LOW, HIGH + 1)
    first, other = (quantiles(one, seed=seed)[:, inner] for seed in (1, 2))
    p = QUANTILES[inner]
    sd = (first[:, [-1]] - first[:, [0]]) / (2 * stats.norm.ppf(0.95))
    error = sd * np.sqrt(p * (1 - p) / effective(one)) / stats.norm.pdf(stats.norm.ppf(p))
    # Near a bound the distribution is far from normal: there only the size of the interval is a measure.
    assert (np.abs(other - first) < np.maximum(4 * np.sqrt(2) * error, 0.1 * sd)).all()


# What is known of a series beside its values


def test_a_known_technology_is_forecast_as_such():
    new = quantiles(series(STAGES["early"], "per_100_people", measure="stock_per_100"))
    for name in ("mobile_subscriptions", "fixed_telephone"):
        own = quantiles(series(STAGES["early"], "per_100_people", measure="stock_per_100", reference_class=name))
        assert np.abs(np.log(own[-1, MEDIAN] / new[-1, MEDIAN])) > 0.02
    fast, slow = (
        quantiles(series(STAGES["early"], "per_100_people", reference_class=name))[-1, MEDIAN]
        for name in ("mobile_subscriptions", "fixed_telephone")
    )
    assert fast > 1.2 * slow


def test_a_technology_of_any_other_name_is_new():
    nameless, other = (series(STAGES["early"], reference_class=name) for name in ("", "flying_carpets"))
    np.testing.assert_array_equal(quantiles(nameless), quantiles(other))
    assert "flying_carpets" not in classes()
    assert set(classes()) == set(shipped().families)


def test_an_unknown_measure_is_of_any_kind():
    prior = shipped()
    unknown = series(STAGES["early"], measure="rate")
    assert law_of(unknown, prior) == prior.laws["any"]
    for each in hypotheses(unknown, prior):
        np.testing.assert_array_equal(each.mean, prior.new["any"][0])
    np.testing.assert_array_equal(quantiles(unknown), quantiles(series(STAGES["early"])))


@pytest.mark.parametrize("measure", ["", "nonsense", *KINDS])
@pytest.mark.parametrize("unit", ["", "persons", "percent", "share", "per_100_people"])
@pytest.mark.parametrize("reference_class", ["", "mobile_subscriptions", "wind_share_of_electricity"])
def test_the_weights_of_the_hypotheses_sum_to_one(measure, unit, reference_class):
    found = hypotheses(series(STAGES["early"], unit, measure=measure, reference_class=reference_class), shipped())
    assert sum(each.weight for each in found) == pytest.approx(1.0)
    assert all(each.weight > 0 for each in found)
    # Nothing but the level seen can say where a ceiling is that no unit bounds.
    scaled = unit in ("percent", "share", "per_100_people")
    assert sum(each.distance is None for each in found) == (2 if scaled else 0)
    assert len(found) == (4 if scaled else 3)


def test_the_weights_of_the_draws_sum_to_one():
    for one in (series(STAGES["late"]), series(STAGES["zeros"], "")):
        paths, weights = sample(one, 4, prior=shipped(), numbers=uniform(FEW, 4, 0))
        assert paths.shape == (4, FEW) and weights.sum() == pytest.approx(1.0) and (weights >= 0).all()


def test_with_no_power_the_values_weigh_nothing_and_with_more_they_weigh_more():
    one = series(STAGES["middle"])

    def draws_left(power):
        _, weights = sample(one, 4, prior=replace(shipped(), power=power), numbers=uniform(DRAWS, 4, 0))
        return 1.0 / (weights @ weights)

    assert draws_left(0.0) == pytest.approx(DRAWS)
    assert DRAWS > draws_left(0.2) > draws_left(0.4) > draws_left(1.0)


@pytest.mark.parametrize("unit", ["", "percent", "per_100_people"])
def test_parameters_are_drawn_with_the_means_and_covariances_of_the_hypotheses(unit):
    prior = shipped()
    one = series(STAGES["middle"], unit, measure="penetration")
    known = innovations.levels(one.values, one.index * one.step)
    found_all = hypotheses(one, prior)
    before = np.cumsum([0.0, *[each.weight for each in found_all]])
    for k, chosen in enumerate(found_all):
        # One hypothesis at a time: each is a stretch of the first column.
        numbers = uniform(DRAWS, 1, 0).copy()
        numbers[:, 0] = before[k] + 0.5 * chosen.weight
        drawn = _drawn(one, known, prior, numbers[:, : 1 + len(PARAMETERS)])
        carry, ceiling = np.log(drawn.carry / (1 - drawn.carry)), drawn.log_ceiling
        if chosen.distance is None:
            third = np.log((np.exp(ceiling) - known.offset) / 100.0)
            rows, expected = [0, 1, 2, 3], chosen.covariance
            found = np.array([np.log(drawn.rate), third, carry, np.log(drawn.sigma)])
        else:
            rows = [0, 2, 3]
            found, expected = np.array([np.log(drawn.rate), carry, np.log(drawn.sigma)]), chosen.covariance
            distance = np.log(ceiling - known.z[-1])
            np.testing.assert_allclose([distance.mean(), distance.std()], chosen.distance, atol=0.02)
        sd = np.sqrt(np.diag(expected))[rows]
        # Even numbers give moments far better than the 0.016 that independent ones would.
        np.testing.assert_allclose((found.mean(axis=1) - chosen.mean[rows]) / sd, 0.0, atol=0.016)
        error = (np.cov(found) - expected[np.ix_(rows, rows)]) / np.outer(sd, sd)
        np.testing.assert_allclose(error, 0.0, atol=0.03)


# What the values say


def test_a_series_that_grows_fast_is_forecast_to_grow_faster():
    slow, fast = (quantiles(series(20.0 * np.exp(rate * np.arange(-7, 1)), "")) for rate in (0.05, 0.3))
    assert (fast[:, LOW] < fast[:, MEDIAN]).all() and (fast[:, MEDIAN] > 1.1 * slow[:, MEDIAN]).all()


def test_a_series_that_slows_down_is_forecast_below_its_own_drift():
    late = STAGES["late"]
    drift = late[-1] + np.diff(late).mean() * np.arange(1, 6)
    assert (quantiles(series(late, bound=100.0))[:, MEDIAN] < drift).all()


def test_a_wild_series_gets_wider_intervals_than_a_smooth_one():
    rng = np.random.default_rng(1)
    smooth, wild = (series(curve(10) * np.exp(sd * rng.standard_normal(10)), "") for sd in (0.01, 0.3))
    widths = [np.log(q[:, HIGH] / q[:, LOW]) for q in (quantiles(smooth), quantiles(wild))]
    assert (widths[1] > 1.3 * widths[0]).all()


PLATEAU = [18.0, 22.0, 25.0, 27.0, 28.0, 28.0, 28.0, 28.0]


@pytest.mark.parametrize(("unit", "bound"), [("percent", 100.0), ("hospitals", None)])
def test_a_plateau_stays_a_plateau(unit, bound):
    q, mean = forecast([series(PLATEAU, unit, bound=bound)], 3, levels=QUANTILES)
    assert (np.abs(q[0, :, MEDIAN] / 28.0 - 1.0) < 0.08).all()
    assert (q[0, :, LOW] > 22.0).all() and (q[0, :, HIGH] < 42.0).all() and (q[0, :, HIGH] > 28.0).all()
    assert (np.abs(mean[0] / 28.0 - 1.0) < 0.12).all()


@pytest.mark.parametrize("years", [8, 30])
@pytest.mark.parametrize("level", [7.0, 7.12345, 100.0, 2700.0])
@pytest.mark.parametrize(("unit", "bound"), [("", None), ("percent", 100.0)])
def test_a_constant_stays_a_constant(years, level, unit, bound):
    if bound is not None and level > bound:
        return
    q, mean = forecast([series([level] * years, unit, bound=bound)], 5, levels=QUANTILES)
    assert (np.abs(q[0, :, MEDIAN] / level - 1.0) < 0.12).all()
    assert (q[0, :, LOW] > 0.7 * level).all() and (q[0, :, HIGH] < 2.0 * level).all()
    assert (np.abs(mean[0] / level - 1.0) < 0.35).all()


def test_a_plateau_is_held_more_firmly_the_longer_it_lasts():
    widths = [
        np.diff(quantiles(series(np.r_[PLATEAU[:4], [28.0] * years], ""), 3)[-1, [LOW, HIGH]]) for years in (2, 4, 8)
    ]
    assert widths[0] > widths[1] > widths[2]


@pytest.mark.parametrize(
    ("own", "unit"),
    [
        # Counts of adopters among 692 farms and of states among 50, as percentages; internet hospitals.
        (np.array([8, 8, 8, 12, 13, 13, 14, 19, 19]) / 6.92, "percent"),
        ([2.0, 2.0, 4.0, 6.0, 6.0, 6.0, 8.0, 8.0], "percent"),
        ([1100, 1600, 1700, 1700, 1700, 2700], "hospitals"),
    ],
)
def test_repeated_counts_are_measurements(own, unit):
    assert carried_forward(own, unit) < 0.5


@pytest.mark.parametrize(
    "own", [[1.2345, 1.2345, 3.4567, 3.4567, 7.8765, 7.8765, 12.3456], np.repeat(curve(8), 2), np.repeat(curve(6), 3)]
)
def test_repeats_of_many_digits_were_not_measured(own):
    assert carried_forward(own, "percent") > 0.95


def carried_forward(own, unit):
    """Weight of the reading that repeats are figures carried forward."""
    _, weights = sample(series(own, unit), 3, prior=shipped(), numbers=uniform(FEW, 3, 0))
    assert len(weights) == 2 * FEW
    return weights[:FEW].sum()


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_figure_that_was_not_measured_again_widens_the_forecast(repeats):
    once = STAGES["middle"]
    again = np.r_[once, [once[-1]] * repeats]
    width = [np.diff(quantiles(series(own, ""), 3)[:, [LOW, HIGH]], axis=1)[:, 0] for own in (once, again)]
    assert (width[1] > 1.1 * width[0]).all()


@pytest.mark.parametrize("repeats", [1, 3, 7])
def test_the_periods_of_a_repeated_figure_have_passed(repeats):
    """The next period is where the one after as many more would have been, but for what is not known of them."""
    once = STAGES["middle"]
    again = quantiles(series(np.r_[once, [once[-1]] * repeats], ""), 3)[:, MEDIAN]
    ahead = quantiles(series(once, ""), 3 + repeats)[repeats:, MEDIAN]
    np.testing.assert_allclose(again, ahead, rtol=0.05)


def test_one_path_seen_by_month_by_quarter_or_by_year_is_one_forecast():
    """The three see nearly the same: their medians for a year ahead lie well inside the interval of each other."""
    for seed in range(8):
        months = path(seed)
        q = {}
        for frequency, every in (("monthly", 1), ("quarterly", 3), ("annual", 12)):
            own = months[every - 1 :: every]
            q[frequency] = quantiles(series(own, frequency=frequency, bound=100.0), 12 // every)[-1]
        medians = [each[MEDIAN] for each in q.values()]
        half = min((each[HIGH] - each[LOW]) / 2 for each in q.values())
        assert max(medians) - min(medians) < half


@pytest.mark.parametrize("frequency", ["annual", "quarterly", "monthly"])
@pytest.mark.parametrize("years", [5, 10])
def test_enough_draws_are_left_whatever_the_length_of_a_period(frequency, years):
    """A 5% quantile of a hundred draws still rests on five of them."""
    own = path(3, years)[12 // PERIODS_A_YEAR[frequency] - 1 :: 12 // PERIODS_A_YEAR[frequency]]
    assert effective(series(own, frequency=frequency)) > 100


@pytest.mark.parametrize("frequency", ["quarterly", "monthly"])
def test_enough_draws_are_left_of_a_smooth_series_of_short_periods(frequency):
    assert effective(series(curve(10, frequency), frequency=frequency)) > 100


def test_every_series_without_a_value_above_zero_is_named_at_once():
    good, dead, gone = (series(own) for own in (STAGES["early"], [0.0] * 6, [0.0] * 9))
    with pytest.raises(InputError) as caught:
        forecast([replace(dead, series_id="dead"), good, replace(gone, series_id="gone")], 3, levels=QUANTILES)
    text = str(caught.value)
    assert "2 faults" in text and "dead" in text and "gone" in text and "made up" not in text


def test_numbers_fill_the_space_evenly():
    numbers = uniform(DRAWS, 5, 0)
    assert numbers.shape == (DRAWS, 1 + len(PARAMETERS) + 5 + WAITING) and 0 < numbers.min() and numbers.max() < 1
    # Independent numbers would miss these means by 0.0045, one standard error.
    np.testing.assert_allclose(numbers.mean(axis=0), 0.5, atol=0.001)
