"""Compile once, fit many: what a fit depends on, and what it does not."""

from dataclasses import replace

import numpy as np
import pytest
import toy

from telemed_forecast.evaluation.monte_carlo import Estimate, agree, mean
from telemed_forecast.fits.sampling import PROFILES, ModelSpec, Profile, compiled, fit

MANY = Profile(chains=2, tune=500, draws=1000, target_accept=0.95)


def draws(data, *, seed=1):
    return toy.fingerprint(fit(toy.TOY, data, profile=toy.TINY, seed=seed)["posterior"].to_dataset())


def level(data, *, seed, spec=toy.TOY):
    """The middle of the path, with its Monte Carlo error."""
    path = fit(spec, data, profile=MANY, seed=seed)["posterior"]["path"]
    return mean(path.to_numpy().mean(axis=-1).ravel(), chains=MANY.chains)


def test_another_process_gives_the_same_draws_and_so_does_a_refit_after_other_data(asked_at_once):
    # Two processes compiled the model for these data; the third compiled and fitted it for others first.
    assert len({line.split()[1] for line in (*asked_at_once.printed, asked_at_once.after_others)}) == 1


@pytest.mark.draws
def test_another_seed_gives_other_draws_around_the_same_answer(sampler_seed):
    seeds = (sampler_seed, sampler_seed + 1)
    assert draws(toy.numbers(2), seed=seeds[0]) != draws(toy.numbers(2), seed=seeds[1])
    one, other = (level(toy.numbers(2), seed=seed) for seed in seeds)
    assert agree([(one, other)])
    assert not agree([(one, level(toy.numbers(4), seed=seeds[0]))]), "the answer to other data"


@pytest.mark.draws
@pytest.mark.parametrize("centre", [1, 9])
def test_a_refit_answers_to_the_new_data_and_not_to_the_old(centre, sampler_seed):
    old = level(toy.numbers(4), seed=sampler_seed)
    again = level(toy.numbers(centre), seed=sampler_seed)
    fresh = level(toy.numbers(centre), seed=sampler_seed + 1, spec=ModelSpec(f"toy for {centre}", toy.build))
    assert agree([(again, fresh)]) and not agree([(old, fresh)])


def test_fitting_the_first_data_again_after_others_gives_the_first_draws_again():
    first = draws(toy.numbers(3))
    assert draws(toy.numbers(7, 50)) != first
    assert draws(toy.numbers(3)) == first


def test_a_fit_leaves_the_data_and_the_global_random_numbers_alone():
    data, state = toy.numbers(2), np.random.get_state()[1].copy()
    before = {name: values.copy() for name, values in data.items()}
    fit(toy.TOY, data, profile=toy.TINY, seed=1)
    assert all(np.array_equal(data[name], before[name]) for name in data)
    assert np.array_equal(np.random.get_state()[1], state)


def test_free_parameters_are_those_that_are_sampled():
    tree = fit(toy.TOY, toy.numbers(2), profile=toy.TINY, seed=1)
    assert set(compiled(toy.TOY, toy.numbers(2)).free) == {"scale", "raw"}
    assert tree["posterior"]["raw"].shape == (toy.TINY.chains, toy.TINY.draws, 4)


def test_a_full_fit_has_more_draws_and_goes_on_until_its_gates_are_met():
    quick, full = PROFILES["quick"], PROFILES["full"]
    assert full.chains * full.draws > quick.chains * quick.draws
    assert full.attempts > quick.attempts == 1


def test_each_attempt_takes_twice_the_effort_of_the_last():
    first, third = (PROFILES["full"].attempt(number) for number in (0, 2))
    assert first == replace(PROFILES["full"], attempts=1)
    assert (third.tune, third.draws) == (4 * first.tune, 4 * first.draws)
    assert 1.0 - third.target_accept == pytest.approx((1.0 - first.target_accept) / 4)


@pytest.mark.slow
@pytest.mark.draws
def test_refitting_the_real_model_equals_compiling_it_anew(sampler_seed):
    from telemed_forecast.forecast import channel_share
    from telemed_forecast.models import channel_share as channel_share_model

    small = Profile(chains=2, tune=200, draws=200, target_accept=0.95)
    rng = np.random.default_rng(0)
    grid = channel_share_model.GRID
    one, other = (
        {
            "years": np.arange(2026.0 - grid, 2026.0),
            "factor_mean": np.full(grid, 0.3),
            "factor_root": 0.8 * np.eye(grid),
            "share_low": (low := rng.normal(0, 1, size)),
            "share_high": low + 0.2,
            "share_year": np.arange(size) % grid,
            "share_measure": 1 + np.arange(size) % 4,
            "share_scale": np.full(size, 0.05),
        }
        for size in (6, 15)
    )
    build = channel_share.SPEC.build
    first = ModelSpec("first compiled for other data", build)
    fit(first, one, profile=small, seed=1)
    refitted = fit(first, other, profile=small, seed=1)["posterior"].to_dataset()
    fresh = fit(ModelSpec("compiled for these data", build), other, profile=small, seed=1)
    assert toy.fingerprint(refitted) == toy.fingerprint(fresh["posterior"].to_dataset())
    # Nothing published yet: the same compiled model samples its prior, normal with these moments.
    empty = {name: values[:0] if name.startswith("share_") else values for name, values in other.items()}
    start = fit(first, empty, profile=MANY, seed=sampler_seed)["posterior"]["factor"][..., 0].to_numpy().ravel()

    def prior(start):
        squares = mean((start - 0.3) ** 2, chains=MANY.chains)
        return agree([(mean(start, chains=MANY.chains), Estimate(0.3, 0.0)), (squares, Estimate(0.64, 0.0))])

    assert prior(start)
    assert not prior(0.3 + 0.5 * (start - 0.3)), "half as wide, as if figures were still there"
