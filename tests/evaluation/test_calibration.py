"""Simulation-based calibration: models whose truths come from their own prior pass, broken ones are caught.

Every model's record of many simulations is shipped (`test_calibration_record` reads it). Here the machinery runs: the
cheapest model in the quick tests, the others, and models that are broken on purpose, in the slow ones.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from simulators import Channels

from telemed_forecast.evaluation import calibration
from telemed_forecast.evaluation.calibrated import of_all, rising_factor
from telemed_forecast.evaluation.calibration import Ranks
from telemed_forecast.evaluation.monte_carlo import CHANCE
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import channel_share, growth
from telemed_forecast.models import model as model_module
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.runs.parameters import validate


def problem(name):
    """A model on the layout of the real ledger: dates, definitions, grades and widths."""
    return calibration.problem(name, Context(validate(name, {"as_of": "2026-11-21"})))


def surprise(one, *, simulations, seed):
    """p-value of the most surprising quantity, both of its tests and the number of quantities allowed for."""
    return calibration.worst(calibration.ranks(one, simulations=simulations, seed=seed)).p


def calibrated(one, *, simulations, seed):
    """Assert that nothing is as surprising as a calibrated model is once in ten thousand times."""
    assert surprise(one, simulations=simulations, seed=seed) > CHANCE


def caught(one, *, simulations, seed):
    """Assert that a fault is seen, and so clearly that other draws see it too."""
    assert surprise(one, simulations=simulations, seed=seed) < CHANCE**2


class WithTruthWhere(calibration.Problem):
    """A problem with truths that are drawn while `target.name` is `value`; fits and ranks know nothing of it."""

    def __init__(self, one, monkeypatch, target, name, value):
        super().__init__(one.what, one.design)
        self.__dict__.update(patching=monkeypatch, fault=(target, name, value))

    def truth(self, rng):
        with self.patching.context() as patch:
            patch.setattr(*self.fault)
            return super().truth(rng)


def rich(one):
    """A model of channels with evidence on every measure in many years."""
    return replace(one, design=Channels.rich(rising_factor()))


@pytest.mark.unit
def test_uniform_ranks_pass_and_crowded_ranks_do_not():
    u = np.random.default_rng(0).uniform(size=(100, 8))

    def passes(changed):
        places = u.copy()
        places[:, 0] = changed
        return calibration.worst(Ranks(tuple("abcdefgh"), places)).calibrated

    score = stats.norm.ppf(u[:, 0])
    assert passes(u[:, 0])
    assert not passes(stats.norm.cdf(1.4 * score)), "intervals 40% too narrow"
    assert not passes(stats.norm.cdf(0.6 * score)), "intervals too wide"
    assert not passes(stats.norm.cdf(0.6 + score)), "too low by half a standard deviation"


@pytest.mark.unit
def test_a_calibrated_model_is_called_uncalibrated_once_in_a_hundred():
    rng = np.random.default_rng(1)
    found = [calibration.worst(Ranks(tuple("abcdef"), rng.uniform(size=(60, 6)))).calibrated for _ in range(600)]
    # 6 of 600 expected; more than 14 would be a chance of one in a thousand.
    assert 600 - sum(found) <= 14


@pytest.mark.unit
def test_the_place_of_a_truth_among_draws_that_hang_together_is_uniform():
    # An AR(1) whose 300 draws are worth some 16: ranked among all of them the truth would too often be at an end.
    rng, found = np.random.default_rng(2), []
    for _ in range(400):
        noise = rng.standard_normal(1000)
        chain = np.empty(1000)
        chain[0] = noise[0]
        for k in range(1, 1000):
            chain[k] = 0.9 * chain[k - 1] + np.sqrt(1 - 0.9**2) * noise[k]
        draws = chain[-300:]
        found.append(calibration.place(rng.standard_normal(), draws, calibration.effective(draws), rng))
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert 0.9 < np.var(found) * 12 < 1.1


@pytest.mark.unit
@pytest.mark.parametrize("name", calibration.MODELS)
def test_the_true_values_explain_their_figures_better_than_other_values(name):
    one, rng = problem(name), np.random.default_rng(3)
    won = []
    for _ in range(10):
        truth, other = one.truth(rng), one.truth(rng)
        data = calibration.published(one.what.model, truth, one.design, rng)
        own, others = (of_all(one.what.model, p, data)["figures"][0] for p in (truth, other))
        won.append(own > others)
    assert all(won)


@pytest.mark.unit
@pytest.mark.parametrize("name", calibration.MODELS)
def test_made_up_figures_keep_the_layout_of_the_real_ones(name):
    one, rng = problem(name), np.random.default_rng(4)
    data = calibration.published(one.what.model, one.truth(rng), one.design, rng)
    assert set(data) == set(one.design)
    for key, values in one.design.items():
        block, _, end = key.rpartition("_")
        if end not in ("low", "high"):
            assert np.array_equal(data[key], values)
        elif end == "high":
            assert np.allclose(data[key] - data[f"{block}_low"], values - one.design[f"{block}_low"])


@pytest.mark.draws
def test_the_cheapest_model_is_calibrated_on_the_few_figures_that_there_are(sampler_seed):
    calibrated(problem("channel_share"), simulations=100, seed=sampler_seed)


@pytest.mark.draws
def test_a_prior_that_is_not_the_one_of_the_truths_is_caught(monkeypatch, sampler_seed):
    # The model's walks are a seventh as large.
    wild = (channel_share.WALK[0] + 2.0, channel_share.WALK[1])
    broken = WithTruthWhere(problem("channel_share"), monkeypatch, channel_share, "WALK", wild)
    caught(broken, simulations=60, seed=sampler_seed)


@pytest.mark.slow
@pytest.mark.draws
def test_the_channel_share_model_is_calibrated_where_evidence_is_rich(sampler_seed):
    calibrated(rich(problem("channel_share")), simulations=150, seed=sampler_seed)


@pytest.mark.slow
@pytest.mark.draws
def test_a_likelihood_that_counts_every_figure_three_times_is_caught(monkeypatch, sampler_seed):
    one = rich(problem("channel_share"))

    def counting_thrice(data):
        with monkeypatch.context() as patch:
            patch.setattr(model_module, "interval_logp", lambda *figures: 3 * interval_logp(*figures))
            return channel_share.build(data)

    spec = ModelSpec("channel_share_counting_thrice", counting_thrice)
    caught(replace(one, what=replace(one.what, spec=spec)), simulations=60, seed=sampler_seed)


@pytest.mark.slow
@pytest.mark.draws
def test_the_adoption_model_is_calibrated(sampler_seed):
    calibrated(problem("user_adoption"), simulations=100, seed=sampler_seed)


@pytest.mark.slow
@pytest.mark.draws
def test_the_market_size_model_is_calibrated(sampler_seed):
    calibrated(problem("market_size"), simulations=100, seed=sampler_seed)


@pytest.mark.slow
@pytest.mark.draws
def test_the_internet_hospitals_model_is_calibrated_and_shocks_a_quarter_as_large_as_believed_are_caught(
    monkeypatch, sampler_seed
):
    one = problem("internet_hospitals")
    calibrated(one, simulations=100, seed=sampler_seed)
    scale = growth.shock_scale
    broken = WithTruthWhere(
        one, monkeypatch, growth, "shock_scale", lambda *args, **options: 0.25 * scale(*args, **options)
    )
    caught(broken, simulations=20, seed=sampler_seed)
