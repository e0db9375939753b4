"""Which fits may be published."""

import json

import numpy as np
import pytest
import xarray as xr

from telemed_forecast.fits import gates
from telemed_forecast.fits.gates import judge

pytestmark = pytest.mark.unit

CHAINS, DRAWS = 4, 1000


def tree(draws, *, diverging=None, energy=None, depth=None, path=None):
    """A made-up fit. Dims of `draws`: (chain, draw)."""
    rng = np.random.default_rng(11)
    shape = draws.shape
    posterior = {
        "free": (["chain", "draw"], draws),
        "vector": (["chain", "draw", "dim"], rng.normal(size=(*shape, 3))),
        "curve": (["chain", "draw", "time"], np.ones((*shape, 2))),
        "use_log_level": (["chain", "draw", "time"], rng.normal(size=(*shape, 2)) if path is None else path),
    }
    stats = {
        "diverging": np.zeros(shape, dtype=bool) if diverging is None else diverging,
        "energy": rng.normal(size=shape) if energy is None else energy,
        "depth": np.full(shape, 5) if depth is None else depth,
    }
    sample_stats = {name: (["chain", "draw"], values) for name, values in stats.items()}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(posterior), "sample_stats": xr.Dataset(sample_stats)})


def noise(seed=0, chains=CHAINS, draws=DRAWS):
    return np.random.default_rng(seed).normal(size=(chains, draws))


def verdict(made_up, free=("free", "vector")):
    return judge("made_up", made_up, free)


def test_independent_draws_pass_and_the_numbers_say_so():
    gate = verdict(tree(noise()))
    assert gate.ok
    assert gate.rhat_max < gates.RHAT_MAX and gate.bfmi_min > gates.BFMI_MIN
    assert min(gate.ess_bulk_min, gate.ess_tail_min) > 0.5 * CHAINS * DRAWS
    assert (gate.divergences, gate.chains, gate.draws) == (0, CHAINS, DRAWS)


def test_one_chain_that_sits_elsewhere_fails():
    draws = noise()
    draws[2] += 1.0
    gate = verdict(tree(draws))
    assert not gate.ok and gate.rhat_max > gates.RHAT_MAX


def test_one_element_of_a_vector_is_enough_to_fail():
    made_up = tree(noise())
    made_up["posterior"]["vector"][1, :, 2] += 3.0
    assert not verdict(made_up).ok


def test_frozen_chains_fail():
    frozen = np.repeat(np.arange(CHAINS, dtype=float)[:, None], DRAWS, axis=1)
    assert not verdict(tree(frozen)).ok


def test_a_parameter_that_never_moved_fails_without_a_number_for_it():
    gate = verdict(tree(np.ones((CHAINS, DRAWS))))
    assert (gate.ok, gate.rhat_max) == (False, None)


def test_one_frozen_element_of_a_vector_is_enough_to_fail():
    made_up = tree(noise())
    made_up["posterior"]["vector"][:, :, 1] = 2.0
    assert not verdict(made_up).ok


def test_draws_that_are_not_numbers_fail():
    draws = noise()
    draws[0, 10] = np.nan
    gate = verdict(tree(draws))
    assert (gate.ok, gate.ess_bulk_min) == (False, None)


def test_a_chain_without_energy_fails():
    energy = noise(4)
    energy[0] = 7.0
    gate = verdict(tree(noise(), energy=energy))
    assert (gate.ok, gate.bfmi_min) == (False, None)


def test_too_few_draws_fail():
    gate = verdict(tree(noise(draws=80)))
    assert not gate.ok
    assert gate.ess_bulk_min < gates.ESS_MIN and gate.rhat_max < 1.05


def test_a_slow_walk_fails_for_lack_of_independent_draws():
    walk, rng = noise(), np.random.default_rng(3)
    for t in range(1, DRAWS):
        walk[:, t] = 0.97 * walk[:, t - 1] + np.sqrt(1 - 0.97**2) * rng.normal(size=CHAINS)
    gate = verdict(tree(walk))
    assert not gate.ok and gate.ess_bulk_min < gates.ESS_MIN


def test_a_single_divergence_fails():
    diverging = np.zeros((CHAINS, DRAWS), dtype=bool)
    diverging[3, 7] = True
    gate = verdict(tree(noise(), diverging=diverging))
    assert (gate.ok, gate.divergences) == (False, 1)


def test_transitions_that_are_cut_off_fail():
    depth = np.full((CHAINS, DRAWS), 5)
    depth[:, : DRAWS // 50] = gates.DEEPEST
    gate = verdict(tree(noise(), depth=depth))
    assert not gate.ok and gate.saturated == pytest.approx(0.02)


def test_a_forecast_that_starts_from_a_level_hardly_known_fails_though_the_parameters_mix():
    path = np.random.default_rng(5).normal(size=(CHAINS, DRAWS, 2))
    # Each chain stays long on either side of the middle.
    path[:, :, -1] = np.repeat(path[:, :: DRAWS // 8, -1], DRAWS // 8, axis=1)
    gate = verdict(tree(noise(), path=path))
    assert not gate.ok and gate.mcse_max > gates.MCSE_MAX
    assert gate.ess_bulk_min > gates.ESS_MIN


def test_one_chain_that_hardly_changes_its_energy_fails():
    energy = noise(4)
    energy[1] = np.cumsum(energy[1])
    gate = verdict(tree(noise(), energy=energy))
    assert not gate.ok and gate.bfmi_min < gates.BFMI_MIN


def test_curves_that_are_not_free_parameters_are_not_judged():
    made_up = tree(noise())
    assert verdict(made_up).ok
    assert not verdict(made_up, free=("free", "curve")).ok


def test_a_verdict_goes_through_json():
    for draws in (noise(), np.ones((CHAINS, DRAWS))):
        gate = verdict(tree(draws))
        assert gates.Gate(**json.loads(json.dumps(gate.to_dict(), allow_nan=False))) == gate
