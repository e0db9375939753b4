"""Learning growth: known truths come back, every curve counts or is left out for a reason, and the file is whole."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import special

from telemed_forecast.curves import hypotheses, innovations, learn_growth
from telemed_forecast.curves.hypotheses import PARAMETERS, Prior
from telemed_forecast.curves.innovations import Draws, Levels
from telemed_forecast.curves.learn_growth import LAWS, LONGEST, PROPOSAL_MEAN, PROPOSAL_SD, WITHIN_GUESS, fit, learn
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import InputError
from telemed_forecast.models.priors import GrowthPrior, growth_prior
from telemed_forecast.paths import PRIORS

LAW = LAWS["penetration"]

MEANS = {
    "bread": np.array([-2.6, 0.0, -0.2, -1.0]),
    "cheese": np.array([-3.4, 0.4, -1.5, -0.6]),
    "olives": np.array([-2.9, -0.6, 0.3, -0.9]),
    "wine": np.array([-3.2, 0.2, -1.0, -0.4]),
}
"""Log rate, log ceiling, logit carry and log sigma of made-up technologies."""

WITHIN = np.diag([0.25, 0.1, 1.0, 0.1])
WITHIN[0, 1] = WITHIN[1, 0] = -0.06


def draws_of(values):
    """Parameters as the law takes them. Dims of values: (draw, parameter)."""
    return Draws(np.exp(values[:, 0]), values[:, 1], special.expit(values[:, 2]), np.exp(values[:, 3]))


def made_up(number, *, seed, years=20, within=WITHIN):
    """Curves of each technology, made with the law itself: (technology, levels) of each."""
    rng = np.random.default_rng(seed)
    found = []
    for name, mean in MEANS.items():
        for values in rng.multivariate_normal(mean, within, number):
            shocks = innovations.standard_shocks(rng.uniform(size=(years, 1)), replace(LAW, max_growth=1e9))
            start, one = values[1] - rng.uniform(1.5, 3.0), draws_of(values[None])
            path = innovations.carry_on(
                start, np.zeros(1), one, replace(LAW, max_growth=1e9), steps=np.ones(years), shocks=shocks, highest=9.0
            )
            found.append((name, Levels(np.r_[start, path[:, 0]], np.ones(years), 0.0, 0.0)))
    return found


KINDS = {"bread": "penetration", "cheese": "penetration", "olives": "share", "wine": "share"}


def series(number=6, *, seed=0, years=14):
    """The same as annual series in percent."""
    index = 2000 + np.arange(years + 1)
    return [
        Series(f"{name} {k}", "annual", index, 100 * np.exp(own.z), "percent", KINDS[name], name)
        for k, (name, own) in enumerate(made_up(number, seed=seed, years=years))
    ]


@pytest.fixture(scope="module")
def hierarchy():
    """What is found from 4 x 30 curves of a known hierarchy, and the draws that it is found with."""
    from scipy.stats import qmc

    uniform = np.clip(qmc.Sobol(len(PARAMETERS), rng=0).random(learn_growth.DRAWS), 1e-6, 1 - 1e-6)
    draws = PROPOSAL_MEAN + PROPOSAL_SD * special.ndtri(uniform)
    curves = made_up(30, seed=5)
    likelihood = np.array([innovations.follow(own, draws_of(draws), LAW)[0] for _, own in curves])
    names = [name for name, _ in curves]
    return names, draws, fit(names, likelihood, draws)


def posterior_covariances(found, draws):
    """Covariance of each curve's parameters under its weights. Dims: (curve, parameter, parameter)."""
    means = found.weights @ draws
    return [(draws - mean).T @ ((draws - mean) * own[:, None]) for mean, own in zip(means, found.weights, strict=True)]


# Known truths come back


@pytest.mark.unit
def test_the_means_of_technologies_come_back(hierarchy):
    """The squared error of the sixteen means, in their standard errors, is a chi-square: below its 99.9% point.

    A curve that tells its parameters up to a covariance V tells of their mean W^-1 - W^-1 V W^-1 (Louis 1982): less
    than the parameters themselves would. None of the sixteen is more than four standard errors off.
    """
    names, draws, found = hierarchy
    inverse, own = np.linalg.inv(found.within), posterior_covariances(found, draws)
    squared = 0.0
    for name, truth in MEANS.items():
        information = sum(inverse - inverse @ v @ inverse for v, its in zip(own, names, strict=True) if its == name)
        error = found.means[name] - truth
        squared += error @ information @ error
        assert (np.abs(error) < 4 * np.sqrt(np.diag(np.linalg.inv(information)))).all(), name
    assert squared < 39.3


@pytest.mark.unit
def test_the_covariance_between_curves_comes_back(hierarchy):
    """Within three standard errors of where the weak prior leaves it.

    A variance from n curves that show a part f of it has the relative standard error sqrt(2 / n) / f. The prior counts
    as five curves, and as f grows smaller it is asked more often: the pull of one round over f.
    """
    names, draws, found = hierarchy
    number, truth = len(names), np.diag(WITHIN)
    blurred = np.mean([np.diag(v) for v in posterior_covariances(found, draws)], axis=0)
    shown = 1.0 - blurred / np.diag(found.within)
    pulled = truth + 5 / (number + 5) * (WITHIN_GUESS - truth) / shown
    error = pulled * np.sqrt(2 / number) / shown
    assert (np.abs(np.diag(found.within) - pulled) < 3 * error).all()
    assert found.within[0, 1] < 0, "what grows fast ends early"
    assert np.linalg.eigvalsh(found.within).min() > 0
    assert np.linalg.eigvalsh(found.between).min() > 0


@pytest.mark.unit
def test_what_differs_between_technologies_is_told_from_what_differs_within(hierarchy):
    _, _, found = hierarchy
    order = sorted(MEANS, key=lambda name: MEANS[name][0])
    assert sorted(found.means, key=lambda name: found.means[name][0]) == order


@pytest.mark.unit
def test_every_curve_has_weights_that_sum_to_one_and_most_rest_on_many_draws(hierarchy):
    """A lone curve may rest on a few draws (its own mean is then rough): it is one of thirty of its technology."""
    _, _, found = hierarchy
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0)
    assert np.median(1 / (found.weights**2).sum(axis=1)) > 30


# What counts


@pytest.mark.unit
def test_every_curve_counts_unless_it_is_left_out_for_a_stated_reason(monkeypatch):
    """Annual, of a unit with a natural scale and a known measure, five values once repeats are left out: no other."""
    good = series(2)
    one = good[0]
    left_out = [
        replace(one, series_id="quarterly", frequency="quarterly"),
        replace(one, series_id="a count", unit="persons"),
        replace(one, series_id="no unit", unit=""),
        replace(one, series_id="unknown measure", measure="rate"),
        replace(one, series_id="short", index=one.index[:4], values=one.values[:4]),
        replace(one, series_id="repeats", values=np.repeat(one.values[:4], 4)[: len(one.index)]),
        replace(one, series_id="nothing", values=0 * one.values),
    ]
    counted = []
    fitted = learn_growth.fit

    def watched(names, likelihood, draws):
        counted.append((len(names), likelihood.shape[0]))
        return fitted(names, likelihood, draws)

    monkeypatch.setattr(learn_growth, "fit", watched)
    monkeypatch.setattr(learn_growth, "DRAWS", 256)
    learn([*good, *left_out])
    # Once for each form of the law.
    assert counted == [(len(good), len(good))] * 2


@pytest.mark.unit
@pytest.mark.parametrize("kept", [(), ("bread",)])
def test_one_technology_is_too_few_and_the_error_says_so(kept):
    with pytest.raises(InputError, match=f"{len(kept)} technologies have curves to learn from: expected 2"):
        learn([one for one in series(2) if one.reference_class in kept])


@pytest.mark.unit
@pytest.mark.parametrize("names", [("bread", "wine"), ("bread", "cheese"), ("olives", "wine")])
def test_two_technologies_are_enough_of_whatever_kind(names):
    content = learn([one for one in series(2) if one.reference_class in names])
    assert set(content["forecast"]["families"]) == set(names)
    Prior.from_content(content)


@pytest.mark.unit
def test_zeros_before_the_start_and_decades_after_it_tell_nothing():
    long = series(2, years=30)
    cut = [replace(one, index=one.index[:LONGEST], values=one.values[:LONGEST]) for one in long]
    padded = [
        replace(one, index=np.r_[one.index[0] - 2, one.index[0] - 1, one.index], values=np.r_[0, 0, one.values])
        for one in long
    ]
    # The scores that a skew is chosen by look at whole curves, as a forecast would.
    one, other, another = (without_skews(learn(curves)) for curves in (long, cut, padded))
    assert one == other == another


def without_skews(content):
    for family in content["forecast"]["families"].values():
        del family["skew"]
    return content


@pytest.mark.unit
def test_the_unit_of_a_curve_does_not_matter():
    percent = series(2)
    share = [replace(one, values=one.values / 100, unit="share") for one in percent]
    assert learn(percent) == learn(share)


# What comes out


@pytest.fixture(scope="module")
def learned():
    return learn(series())


@pytest.mark.unit
def test_the_same_curves_give_the_same_numbers_in_any_order(learned):
    assert json.dumps(learn(series())) == json.dumps(learned)
    backwards = learn(series()[::-1])
    for name, family in learned["forecast"]["families"].items():
        np.testing.assert_allclose(backwards["forecast"]["families"][name]["mean"], family["mean"], atol=1e-4)


@pytest.mark.unit
def test_the_content_is_json_and_a_prior(learned):
    content = json.loads(json.dumps(learned))
    prior = Prior.from_content(content)
    assert set(prior.families) == set(MEANS)
    assert prior.laws == LAWS
    for name, family in prior.families.items():
        np.testing.assert_array_equal(family.mean, learned["forecast"]["families"][name]["mean"])
        assert family.kind == KINDS[name] and family.skew in learn_growth.SKEWS
    one = series(1, seed=9)[0]
    (q,), _ = hypotheses.forecast([one], 3, levels=np.array([0.1, 0.5, 0.9]), prior=prior, draws=256)
    assert np.isfinite(q).all() and (np.diff(q, axis=1) > 0).all()


@pytest.mark.unit
def test_a_technology_left_out_changes_what_a_new_one_is_thought_to_be(learned):
    fewer = learn([one for one in series() if one.reference_class != "olives"])
    assert "olives" not in fewer["forecast"]["families"]
    whole, rest = (np.array(its["forecast"]["new"]["share"]["mean"]) for its in (learned, fewer))
    # Olives have the lowest ceiling: without them a new technology is thought to reach further.
    assert rest[1] > whole[1] + 0.1


@pytest.mark.unit
def test_a_new_technology_is_less_certain_than_any_known(learned):
    prior = Prior.from_content(learned)
    for _, covariance in prior.new.values():
        # More than the spread within, widened: technologies differ too.
        assert np.linalg.eigvalsh(covariance - learn_growth.UNSURE * prior.within).min() > 0.01


@pytest.mark.unit
def test_services_at_home_teach_the_engine_what_one_more_of_them_is_like_and_no_forecast(learned):
    home = [one for one in series() if one.reference_class == "olives"][:3]
    also = learn(series(), home)
    assert learn_growth.HOME not in learned
    assert also["forecast"] == learned["forecast"]
    mean, sd = also[learn_growth.HOME]["log_rate"]
    (own, _), (_, new) = (np.array(its) for its in (also["share"]["log_rate"], also["any"]["log_rate"]))
    # One more of a known class is more certain than a technology that was never seen.
    assert sd < new
    assert np.isfinite([mean, own]).all()


@pytest.mark.unit
def test_sources_are_named_for_every_technology(learned):
    assert [line.split(":")[0] for line in learned["sources"]] == sorted(MEANS)
    assert all(line.endswith(learn_growth.GIVEN) for line in learned["sources"])


# What ships


def shipped():
    return json.loads((PRIORS / "growth.json").read_text(encoding="utf-8"))


@pytest.mark.unit
@pytest.mark.parametrize("kind", [*LAWS, learn_growth.HOME])
def test_the_shipped_file_has_every_number_of_the_engine(kind, learned):
    for content in (shipped(), learned):
        if kind in content:
            assert set(content[kind]) == {field.name for field in fields(GrowthPrior)}
    prior = growth_prior(kind)
    for name in ("log_rate", "log_innovation", "log_sigma", "log_distance"):
        assert getattr(prior, name)[1] > 0
    assert min(*prior.theta, *prior.rho, prior.start_sd, prior.floor, prior.elasticity, prior.nu) > 0


@pytest.mark.unit
def test_the_shipped_forecast_is_the_one_that_the_code_would_learn_today():
    """Constants are kept in the file; a change of one without learning anew would go unseen."""
    prior = hypotheses.shipped()
    assert prior.laws == LAWS
    assert prior.power == learn_growth.POWER and prior.weights == learn_growth.WEIGHTS
    assert prior.near == learn_growth.NEAR and prior.far == learn_growth.FAR
    assert [line.split(":")[0] for line in shipped()["sources"]] == [*sorted(prior.families), learn_growth.HOME]
    assert len(shipped()["provenance"]["sha256"]) == 64


@pytest.mark.unit
def test_the_shipped_covariances_are_covariances():
    prior = hypotheses.shipped()
    for covariance in (prior.within, *(its for _, its in prior.new.values())):
        np.testing.assert_allclose(covariance, covariance.T)
        assert np.linalg.eigvalsh(covariance).min() > 0
