"""The growth engine: its law, its curves, the density of its paths, and its forecasts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from simulators import growth_path, parameters

from telemed_forecast.models.growth import (
    CEILING_SOFTNESS,
    PATH_UNIT,
    Growth,
    expected_growth,
    priors,
    shock_scale,
)
from telemed_forecast.models.model import Model
from telemed_forecast.models.priors import growth_prior

pytestmark = pytest.mark.unit

PRIOR = growth_prior("penetration")

rates = st.floats(0.02, 2.0)
shapes = st.floats(0.01, 1.0)
ceilings = st.floats(1e-3, 1e12)
laws = st.fixed_dictionaries({"rate": rates, "theta": shapes, "innovation": st.floats(0.0, 0.1)})
curves = st.fixed_dictionaries({"midpoint": st.floats(2000, 2040), "rate": rates, "theta": shapes, "ceiling": ceilings})


def curve(time, *, midpoint, rate, theta, ceiling):
    """Richards' curve in closed form: the path of the engine without shocks and without innovation."""
    return ceiling * (1.0 + theta * np.exp(-rate * (np.asarray(time, dtype=float) - midpoint))) ** (-1.0 / theta)


def curve_rate(time, **parameters):
    """Its derivative by time as the law has it."""
    x = curve(time, **parameters)
    law = {"rate": parameters["rate"], "theta": parameters["theta"], "innovation": 0.0}
    return x * expected_growth(x / parameters["ceiling"], **law)


def lifetime(parameters):
    """Years from long before take-off to saturation of a curve. Dims: (time,)."""
    return parameters["midpoint"] + np.linspace(-8, 12, 81) / parameters["rate"]


def draws(number=400, *, level=-2.0, ceiling=0.0, steps=12, **changes):
    """Equal draws of one process, and its ceiling."""
    known = {
        "rate": 0.4,
        "theta": 0.5,
        "innovation": 0.002,
        "sigma": 0.3,
        "rho": 0.5,
        "deviation": 0.02,
    } | changes
    return {name: np.full(number, value) for name, value in known.items()} | {
        "log_level": np.full(number, level),
        "log_ceiling": np.full((number, steps), ceiling),
    }


def carried(arguments, *, seed=1, step=0.5, prior=PRIOR, shock=0.0):
    """What comes after the last level."""
    p = {f"x_{name}": values for name, values in arguments.items()}
    p |= {f"x_{name}": arguments[name][:, None] for name in ("log_level", "deviation")}
    growth = Growth(prior, step, arguments["log_ceiling"], shock)
    return growth.ahead("x", p, np.random.default_rng(seed))[:, 1:]


# The law and its curves


@given(curves)
def test_a_curve_never_falls_and_never_passes_its_ceiling(parameters):
    path = curve(lifetime(parameters), **parameters)
    assert (np.diff(path) >= 0).all()
    assert (path >= 0).all() and (path <= parameters["ceiling"]).all()


@given(curves)
def test_the_rate_of_a_curve_is_its_derivative(parameters):
    time, step = lifetime(parameters), 1e-4 / parameters["rate"]
    ahead, back = curve(time + step, **parameters), curve(time - step, **parameters)
    fastest = curve_rate(parameters["midpoint"], **parameters)
    # Midpoints near 2000 leave eleven digits for differences of a ten-thousandth of a lifetime.
    np.testing.assert_allclose((ahead - back) / (2 * step), curve_rate(time, **parameters), atol=1e-6 * fastest)


@given(curves)
def test_a_curve_grows_as_the_law_expects(parameters):
    time, step = lifetime(parameters), 1e-3 / parameters["rate"]
    ahead, back = (np.log(curve(time + h, **parameters)) for h in (step, -step))
    share = curve(time, **parameters) / parameters["ceiling"]
    law = expected_growth(share, rate=parameters["rate"], theta=parameters["theta"], innovation=0.0)
    np.testing.assert_allclose((ahead - back) / (2 * step), law, rtol=1e-4, atol=1e-6 * parameters["rate"])


@given(curves)
def test_a_curve_grows_fastest_at_its_midpoint(parameters):
    around = parameters["midpoint"] + np.linspace(-3, 3, 601) / parameters["rate"]
    fastest = around[np.argmax(curve_rate(around, **parameters))]
    assert abs(fastest - parameters["midpoint"]) <= 0.011 / parameters["rate"]


@given(curves, st.floats(1e-6, 1e6))
def test_the_unit_of_a_curve_does_not_matter(parameters, factor):
    time, scaled = lifetime(parameters), parameters | {"ceiling": factor * parameters["ceiling"]}
    np.testing.assert_allclose(curve(time, **scaled), factor * curve(time, **parameters), rtol=1e-12)
    one, other = curve_rate(time, **parameters), curve_rate(time, **scaled)
    # At the ceiling the rate is a rounding error of one: what counts is its size against the fastest growth.
    np.testing.assert_allclose(other, factor * one, rtol=1e-9, atol=1e-10 * other.max())


@given(laws, st.floats(1e-6, 1.0), st.floats(1e-6, 1.0))
def test_growth_slows_as_the_ceiling_comes_near(law, one, other):
    low, high = sorted([one, other])
    growth = expected_growth(np.array([low, high, 1.0, 1.5]), **law)
    assert growth[0] >= growth[1] >= growth[2] == 0 > growth[3]


@given(rates, st.floats(1e-6, 0.999))
def test_the_law_holds_logistic_gompertz_and_bass(rate, share):
    def law(theta, innovation=0.0):
        return expected_growth(share, rate=rate, theta=theta, innovation=innovation)

    assert law(1.0) == pytest.approx(rate * (1 - share), rel=1e-12)
    assert law(1e-7) == pytest.approx(-rate * np.log(share), rel=1e-5)
    assert law(0.5) == pytest.approx(2 * rate * (1 - np.sqrt(share)), rel=1e-12)
    assert share * law(1.0, 0.03) == pytest.approx((0.03 + rate * share) * (1 - share), rel=1e-12)


@pytest.mark.parametrize(("imitation", "innovation"), [(0.38, 0.03), (0.8, 0.01), (0.1, 0.2)])
def test_integrated_from_nothing_the_law_is_bass_closed_form(imitation, innovation):
    def slope(_, log_share):
        return expected_growth(np.exp(log_share), rate=imitation, theta=1.0, innovation=innovation)

    def bass(t):
        decay = np.exp(-(innovation + imitation) * t)
        return (1 - decay) / (1 + imitation / innovation * decay)

    t = np.linspace(0.1, 25, 50)
    solved = integrate.solve_ivp(slope, (t[0], t[-1]), [np.log(bass(t[0]))], t_eval=t, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.exp(solved.y[0]), bass(t), rtol=1e-7)


@pytest.mark.parametrize("theta", [0.02, 0.3, 1.0])
def test_integrated_without_innovation_the_law_is_richards_closed_form(theta):
    parameters = {"midpoint": 2020.0, "rate": 0.4, "theta": theta, "ceiling": 7.0}
    time = lifetime(parameters)

    def slope(_, log_level):
        return expected_growth(np.exp(log_level) / 7.0, rate=0.4, theta=theta, innovation=0.0)

    expected = np.log(curve(time, **parameters))
    solved = integrate.solve_ivp(slope, (time[0], time[-1]), [expected[0]], t_eval=time, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(solved.y[0], expected, atol=1e-6)


@given(st.floats(-0.6, 0.6), st.floats(0.01, 2.0), st.floats(0.1, 1.0))
def test_shocks_are_larger_when_growth_is_fast_and_never_nothing(expected, sigma, step):
    def scale(growth):
        return shock_scale(growth, sigma=sigma, prior=PRIOR, step=step)

    assert scale(expected) > 0
    assert scale(2 * expected) >= scale(expected) == scale(-expected)
    assert scale(expected) == pytest.approx(2 * shock_scale(expected, sigma=sigma, prior=PRIOR, step=step / 4))


# The density of a path inside a model


def start_guess(scale=1.0):
    return np.log(scale) + np.array([-1.9, -1.7, -1.4, -1.2, -1.05])


@pytest.fixture(scope="module")
def log_density():
    """The engine's log density of parameters and path, as a function; neither compiled nor rewritten."""
    import pymc as pm
    from pytensor.compile.mode import Mode

    alone = Model(
        priors=lambda _: priors("x", PRIOR, 5),
        observed={},
        growth=lambda p, d, xp: {"x": Growth(PRIOR, 0.5, d["ceiling"])},
        paths=lambda p, d: {"x": d["x_guess"] + PATH_UNIT * p["x_path"]},
    )
    model = alone.graph({"x_guess": start_guess(), "ceiling": np.zeros(5)})
    compiled = model.compile_logp(mode=Mode(linker="py", optimizer="fast_compile"), jacobian=False)

    def density(known, log_level, log_ceiling, scale=1.0):
        pm.set_data({"x_guess": start_guess(scale), "ceiling": log_ceiling + np.log(scale)}, model=model)
        logs = {f"x_{name}_log__": np.array(np.log(known[name])) for name in ("rate", "innovation", "sigma")}
        logits = {f"x_{name}_logodds__": np.array(np.log(known[name] / (1 - known[name]))) for name in ("theta", "rho")}
        path = {"x_path": (log_level + np.log(scale) - start_guess(scale)) / PATH_UNIT}
        return float(compiled(logs | logits | path))

    return density


def by_hand(known, log_level, log_ceiling):
    """The same density from the description of the engine, transition by transition."""
    step, decay = 0.5, known["rho"] ** 0.5
    law = {name: known[name] for name in ("rate", "theta", "innovation")}
    total = stats.norm.logpdf(log_level[0], start_guess()[0], PRIOR.start_sd)
    before = None
    for k in range(4):
        expected = expected_growth(np.exp(log_level[k] - log_ceiling[k]), **law)
        scale = shock_scale(expected, sigma=known["sigma"], prior=PRIOR, step=step)
        # Level k + 1 is Student-t around what law and persistence expect; the first has the stationary scale.
        middle = log_level[k] + step * (expected + (0.0 if before is None else decay * before))
        width = scale / np.sqrt(1 - decay**2) if before is None else scale
        total += stats.t.logpdf(log_level[k + 1], PRIOR.nu, middle, width)
        before = (log_level[k + 1] - log_level[k]) / step - expected
    total += -np.logaddexp(0, (log_level - log_ceiling) / CEILING_SOFTNESS).sum()
    for name in ("rate", "innovation", "sigma"):
        mean, sd = getattr(PRIOR, f"log_{name}")
        total += stats.lognorm.logpdf(known[name], sd, scale=np.exp(mean))
    return total + sum(stats.beta.logpdf(known[name], *getattr(PRIOR, name)) for name in ("theta", "rho"))


PARAMETERS = st.fixed_dictionaries(
    {
        "rate": rates,
        "theta": st.floats(0.05, 0.95),
        "innovation": st.floats(1e-4, 0.05),
        "sigma": st.floats(0.05, 2.0),
        "rho": st.floats(0.02, 0.98),
    }
)
PATHS = st.lists(st.floats(-3, 0.05), min_size=5, max_size=5).map(np.array)


@settings(deadline=None, max_examples=60)
@given(PARAMETERS, PATHS, PARAMETERS, PATHS)
def test_the_density_of_a_path_is_that_of_its_transitions(log_density, known, log_level, other, elsewhere):
    # Differences between two points: PyMC keeps the normalising constants of its Betas in single precision.
    ceiling = np.linspace(-0.1, 0.1, 5)
    model = log_density(known, log_level, ceiling) - log_density(other, elsewhere, ceiling)
    expected = by_hand(known, log_level, ceiling) - by_hand(other, elsewhere, ceiling)
    assert model == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(PARAMETERS, PATHS, st.sampled_from([1e-3, 1e3, 1e9]))
def test_the_density_does_not_know_the_unit(log_density, known, log_level, factor):
    one = log_density(known, log_level, np.zeros(5))
    assert log_density(known, log_level, np.zeros(5), factor) == pytest.approx(one, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("position", range(5))
def test_no_level_of_the_past_may_pass_the_ceiling_not_even_the_newest(log_density, position):
    known = {"rate": 0.4, "theta": 0.5, "innovation": 0.002, "sigma": 2.0, "rho": 0.5}
    below, above = np.full(5, -0.3), np.full(5, -0.3)
    below[position], above[position] = -0.1, 0.1
    assert log_density(known, above, np.zeros(5)) < log_density(known, below, np.zeros(5)) - 4


# Forecasts


@settings(max_examples=40, deadline=None)
@given(laws, st.floats(0.05, 3.0), st.floats(0.05, 0.95), st.floats(-6.0, 0.0), st.integers(0, 10**6))
def test_a_forecast_never_passes_its_ceiling(law, sigma, rho, level, seed):
    path = carried(draws(50, level=level, sigma=sigma, rho=rho, **law), seed=seed)
    assert np.isfinite(path).all()
    assert (path <= 0.0).all()


def test_a_forecast_stays_below_a_ceiling_that_moves():
    arguments = draws(300, sigma=2.0)
    arguments["log_ceiling"] = np.broadcast_to(np.linspace(0.0, -1.0, 12), (300, 12))
    assert (carried(arguments) <= arguments["log_ceiling"]).all()


def test_the_same_seed_gives_the_same_forecast_and_another_seed_another():
    assert np.array_equal(carried(draws(), seed=3), carried(draws(), seed=3))
    assert not np.array_equal(carried(draws(), seed=3), carried(draws(), seed=4))


def test_a_forecast_leaves_its_inputs_alone():
    arguments = draws()
    before = {name: values.copy() for name, values in arguments.items()}
    carried(arguments)
    assert all(np.array_equal(arguments[name], before[name]) for name in before)


@given(st.floats(-9, 9))
@settings(max_examples=20, deadline=None)
def test_the_unit_of_a_forecast_does_not_matter(shift):
    arguments = draws()
    moved = carried(arguments | {name: arguments[name] + shift for name in ("log_level", "log_ceiling")})
    np.testing.assert_allclose(moved - shift, carried(arguments), atol=1e-10)


def test_without_shocks_a_forecast_follows_the_curve():
    # Slow enough that the cap on expected growth (a tenth of a percent here) does not show.
    law = {"rate": 0.03, "theta": 0.6, "innovation": 0.0}
    step = 0.1
    arguments = draws(1, level=np.log(0.2), steps=1500, sigma=1e-12, deviation=0.0, **law)
    path = np.exp(carried(arguments, step=step)[0])
    # The curve through 0.2 now, solved for its midpoint.
    growth = (0.2**-0.6 - 1) / 0.6
    expected = curve(step * np.arange(1, 1501), midpoint=np.log(growth) / 0.03, rate=0.03, theta=0.6, ceiling=1.0)
    np.testing.assert_allclose(path, expected, rtol=0.005)


@given(laws, st.floats(-30.0, -1.0), st.floats(-5.0, 0.5))
@settings(max_examples=60, deadline=None)
def test_what_the_law_expects_is_capped_in_a_forecast_and_a_known_cause_comes_on_top(law, level, push):
    arguments = draws(1, level=level, steps=1, sigma=1e-12, deviation=0.0, **law)
    alone, pushed = (carried(arguments, shock=shock)[0, 0] for shock in (0.0, push))
    assert abs(alone - level) <= 0.5 * PRIOR.max_growth * (1 + 1e-9)
    assert pushed == pytest.approx(min(alone + 0.5 * push, 0.0), abs=1e-9)


def test_a_deviation_fades_at_the_pace_of_its_persistence():
    quiet = {"sigma": 1e-12, "rate": 1e-9, "innovation": 0.0, "rho": 0.25}
    path = carried(draws(1, level=-20.0, deviation=0.4, **quiet))
    # Half a year's decay is sqrt(rho) = 0.5.
    np.testing.assert_allclose(np.diff(path[0, :4]), 0.5 * 0.4 * 0.5 ** np.arange(2, 5), rtol=1e-6)


@pytest.mark.parametrize("horizon", [1, 5, 11])
def test_larger_shocks_widen_a_forecast(horizon):
    def width(sigma):
        low, high = np.quantile(carried(draws(4000, level=-3.0, sigma=sigma))[:, horizon], [0.1, 0.9])
        return high - low

    assert width(0.1) < width(0.2) < width(0.4) < width(0.8)


def test_far_below_its_ceiling_a_forecast_widens_with_its_horizon():
    path = carried(draws(4000, level=-10.0))
    widths = np.subtract(*np.quantile(path, [0.9, 0.1], axis=0))
    assert (np.diff(widths) > 0).all()


def test_persistent_deviations_widen_a_far_forecast():
    def spread(rho):
        return carried(draws(4000, level=-3.0, rho=rho, deviation=0.0))[:, -1].std()

    assert spread(0.9) > 1.3 * spread(0.1)


def test_heavier_tails_bring_more_surprises():
    def kurtosis(nu):
        prior = replace(PRIOR, nu=nu)
        return stats.kurtosis(carried(draws(20_000, level=-3.0), prior=prior)[:, 0])

    assert kurtosis(5.1) > kurtosis(100.0) + 0.5


@pytest.mark.parametrize("step", [0.5, 1.0])
def test_the_forecast_and_the_density_of_the_past_are_one_process(step):
    """One step of `ahead` is a draw from the transition that the density of a path is made of."""
    arguments = draws(20_000, level=-1.2, steps=1, deviation=0.1)
    after = carried(arguments | {"log_ceiling": np.zeros((20_000, 1))}, step=step)[:, 0]
    law = expected_growth(np.exp(-1.2), rate=0.4, theta=0.5, innovation=0.002)
    capped = PRIOR.max_growth * np.tanh(law / PRIOR.max_growth)
    scale = shock_scale(capped, sigma=0.3, prior=PRIOR, step=step)
    middle = -1.2 + step * (capped + 0.5**step * 0.1)
    assert stats.kstest(after, stats.t(PRIOR.nu, middle, scale).cdf).pvalue > 0.01


def test_the_made_up_paths_of_the_other_tests_come_from_the_same_process():
    """`growth_path` is written apart from the engine; their medians and spreads agree."""
    rng = np.random.default_rng(5)
    known = {"rate": 0.02, "theta": 0.5, "innovation": 1e-5, "sigma": 0.2, "rho": 0.5}
    law = {"log_ceiling": np.zeros(7), "step": 0.5, "prior": PRIOR}
    paths = [growth_path(known, start=-5.0, rng=rng, **law) for _ in range(4000)]
    second = np.array([level[1] for level, _ in paths])
    first = np.array([deviation[0] for _, deviation in paths])
    arguments = draws(4000, steps=5, **known) | {"log_level": second, "deviation": first}
    # Growth is slow here, so that the cap on expected growth in forecasts (0.2% of it) does not show.
    ahead = carried(arguments, seed=6)[:, -1]
    assert stats.ks_2samp([level[6] for level, _ in paths], ahead).pvalue > 0.01


def from_prior(log_ceiling, *, size, rng, start=0.0, shock=0.0):
    """A process drawn from its prior, and the probability with which the wall lets each path pass."""
    growth = Growth(PRIOR, 0.5, log_ceiling, shock)
    p = {name: one.draw(size, rng) for name, one in priors("x", PRIOR).items()}
    paths, passing = growth.prior_paths("x", p, np.full(len(log_ceiling), start), rng)
    return growth, p | paths, np.exp(passing)


def test_paths_from_the_prior_follow_the_law_that_is_written_apart_from_the_engine():
    rng, far = np.random.default_rng(8), np.full(9, 6.0)  # a ceiling so far off that its wall plays no part
    _, ours, _ = from_prior(far, size=4000, rng=rng)
    theirs = []
    for _ in range(4000):
        known = parameters(PRIOR, rng)
        start = rng.normal(0.0, PRIOR.start_sd)
        level, _ = growth_path(known, start=start, log_ceiling=far, step=0.5, prior=PRIOR, rng=rng)
        theirs.append(level[4] if len(level) > 4 else np.inf)
    assert stats.ks_2samp(ours["x_log_level"][:, 4], theirs).pvalue > 0.01


def test_paths_from_the_prior_are_refused_above_their_ceiling_and_explain_themselves():
    rng, ceiling = np.random.default_rng(9), np.linspace(-1.0, -0.5, 12)
    growth, found, passing = from_prior(ceiling, size=500, rng=rng, start=-1.2, shock=0.1)
    above = (found["x_log_level"] - ceiling).max(axis=1)
    assert (above > 0.2).any() and (passing[above > 0.2] < 1e-4).all()
    assert (passing[above < -0.2] > 0.999).all()
    below = {name: values[above < 0.0] for name, values in found.items()}
    deviation, innovations, scale, _ = growth.shocks("x", below)
    np.testing.assert_allclose(deviation, below["x_deviation"], atol=1e-9)
    assert stats.kstest((innovations / scale).ravel(), stats.t(PRIOR.nu).cdf).statistic < 0.1
