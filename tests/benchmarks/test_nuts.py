"""The fast path of adoption forecasts against NUTS."""

from dataclasses import replace

import numpy as np
import pytest
import sample_tasks

from benchmarks import nuts, tasks
from benchmarks.peers import LEVELS
from telemed_forecast.curves import hypotheses
from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import monte_carlo
from telemed_forecast.evaluation.monte_carlo import Estimate


@pytest.fixture
def asked(tmp_path):
    return tasks.read(sample_tasks.write(tmp_path / "tasks.csv", sample_tasks.all_rows()))


@pytest.mark.unit
def test_quantiles_of_weighted_draws_are_those_of_the_draws_repeated():
    rng = np.random.default_rng(1)
    values, times = rng.random((1, 20_000)), rng.integers(0, 5, 20_000)
    expected = np.quantile(np.repeat(values, times), LEVELS)
    assert nuts.quantiles(values, times / times.sum())[0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.unit
def test_a_difference_of_a_whole_interval_counts_as_one():
    reference = np.stack([LEVELS, 10 * LEVELS])
    assert nuts.differences(reference + 0.9 * np.array([[1.0], [10.0]]), reference) == pytest.approx(1.0)


@pytest.mark.unit
def test_a_sample_holds_every_family_as_often_and_tells_half_of_the_technologies(asked):
    named = [replace(task, family=list(hypotheses.classes())[k % 3]) for k, task in enumerate(asked)]
    sample = nuts.chosen(named, 12, hypotheses.shipped())
    families = [task.family for task in sample]
    assert {families.count(family) for family in families} == {4}
    assert sum(task.series.reference_class == task.family for task in sample) == 6
    assert len({task.task_id for task in sample}) == 12


DRAWS, REPEATS = 4000, 16
"""Draws of each chain of NUTS; forecasts of the fast path, each with a seed of its own."""

RARE = 5
"""Divergent transitions of a task at most. There was none in 24 runs: fewer than 0.4 each, or one would have been seen
but for a chance of 1e-4; more than five are then seen in three of a million runs (Poisson)."""


def places(task, prior, found, seed):
    """Where quantiles of the fast path lie in the future of NUTS, beside the levels where they belong.

    Both carry their errors: of NUTS that of the mean, over its chains, of the part of each draw's futures that is below
    a quantile; of the fast path that of the mean over seeds. Quantiles are those at 10, 50 and 90% one period and all
    periods ahead.
    """
    levels, horizon = np.array([0.1, 0.5, 0.9]), int(task.ahead[-1])
    repeats = [
        hypotheses.forecast([task.series], horizon, levels=levels, seed=seed + k, prior=prior)[0][0]
        for k in range(REPEATS)
    ]
    # Dims: (futures, draw); the weights of a draw's futures sum to one.
    weights = (found.weights * nuts.CHAINS * DRAWS).reshape(-1, nuts.CHAINS * DRAWS)
    compared = []
    for ahead in (0, horizon - 1):
        paths = found.paths[ahead].reshape(weights.shape)
        for k, level in enumerate(levels):
            below = np.array([((paths < one[ahead, k]) * weights).sum(axis=0) for one in repeats])
            own = monte_carlo.mean(below.mean(axis=0), chains=nuts.CHAINS)
            fast = below.mean(axis=1).std(ddof=1) / np.sqrt(REPEATS)
            compared.append((Estimate(own.value, np.hypot(own.error, fast)), Estimate(level, 0.0)))
    return compared


@pytest.mark.slow
@pytest.mark.draws
def test_the_fast_path_finds_what_nuts_finds_and_not_what_another_power_would_give(asked, monkeypatch, sampler_seed):
    family, *_ = hypotheses.classes()
    known, new, amount = asked[0], asked[8], asked[16]
    known = replace(known, series=replace(known.series, reference_class=family))
    new = replace(new, series=replace(new.series, frequency="quarterly"))
    # Without a natural scale, every hypothesis sets the ceiling from the last level; and there is a gap.
    values = amount.series.values[:8]
    index = amount.series.index + (np.arange(8) > 2)
    amount = replace(amount, series=replace(amount.series, unit="persons", bound=None, values=values, index=index))
    prior, sampled, posterior = hypotheses.shipped(), [], nuts.posterior

    def noted(*args, **options):
        sampled.append(posterior(*args, **options))
        return sampled[-1]

    monkeypatch.setattr(nuts, "SEED", sampler_seed)
    monkeypatch.setattr(nuts, "posterior", noted)
    tasks_asked = (known, new, amount)
    for task in tasks_asked:
        one = nuts._compared(task, prior, longest=9, draws=DRAWS)
        # Half-chains are worth some 500 draws for R-hat, which passes 1.01 when an F(7, oo) passes 11: once in 1e13.
        assert one.density_error < nuts.SAME and one.r_hat < nuts.R_HAT and one.divergences <= RARE
        # Over 24 runs the mean was 0.0066 with an sd of 0.0024, the scores' ratio 1.0005 with one of 0.0054: nine of
        # their sds, which a Student-t of 23 degrees passes once in a hundred million runs. `places` is the sharper.
        assert one.mean < 0.03
        assert one.fast_score == pytest.approx(one.nuts_score, rel=0.05)

    def all_places(prior):
        pairs = zip(tasks_asked, sampled, strict=True)
        return [pair for task, found in pairs for pair in places(task, prior, found, sampler_seed)]

    assert monte_carlo.agree(all_places(prior))
    assert not monte_carlo.agree(all_places(replace(prior, power=0.5 * prior.power)))


@pytest.mark.slow
@pytest.mark.draws
def test_another_model_is_told_from_the_fast_path(asked, monkeypatch, sampler_seed):
    monkeypatch.setattr(nuts, "SEED", sampler_seed)
    arrays = nuts._arrays

    def half_the_power(*inputs):
        return arrays(*inputs) | {"power": np.array(0.5 * hypotheses.shipped().power)}

    monkeypatch.setattr(nuts, "_arrays", half_the_power)
    with pytest.raises(TelemedError, match="log densities differ"):
        nuts.posterior(asked[0].series, 2, prior=hypotheses.shipped(), longest=9, draws=100)
