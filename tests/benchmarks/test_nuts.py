"""The fast path of adoption forecasts against NUTS."""

from dataclasses import replace

import numpy as np
import pytest
import sample_tasks

from benchmarks import nuts, tasks
from benchmarks.peers import LEVELS
from telemed_forecast.errors import TelemedError
from telemed_forecast.models import hypotheses


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


@pytest.mark.slow
def test_the_fast_path_finds_what_nuts_finds(asked):
    family, *_ = hypotheses.classes()
    known, new, amount = asked[0], asked[8], asked[16]
    known = replace(known, series=replace(known.series, reference_class=family))
    new = replace(new, series=replace(new.series, frequency="quarterly"))
    # Without a natural scale, every hypothesis sets the ceiling from the last level; a gap and a repeat shorten it.
    values = np.r_[amount.series.values[:5], amount.series.values[4:7]]
    index = amount.series.index + (np.arange(8) > 2)
    amount = replace(amount, series=replace(amount.series, unit="persons", bound=None, values=values, index=index))
    prior = hypotheses.shipped()
    for task in (known, new, amount):
        one = nuts._compared(task, prior, longest=9, draws=2000)
        assert one.density_error < nuts.SAME and one.r_hat < nuts.R_HAT and one.divergences == 0
        # Thousands of draws carry noise of one percent of the interval; sixteen times as many a quarter of it.
        assert one.mean < 0.03 and one.long < 0.015
        assert one.fast_score == pytest.approx(one.nuts_score, rel=0.05)


@pytest.mark.slow
def test_another_model_is_told_from_the_fast_path(asked, monkeypatch):
    arrays = nuts._arrays

    def half_the_power(*inputs):
        return arrays(*inputs) | {"power": np.array(0.5 * hypotheses.shipped().power)}

    monkeypatch.setattr(nuts, "_arrays", half_the_power)
    with pytest.raises(TelemedError, match="log densities differ"):
        nuts.posterior(asked[0].series, 2, prior=hypotheses.shipped(), longest=9, draws=100)
