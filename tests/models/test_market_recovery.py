"""A made-up market's sizes, biases and shares are found again from figures laid out as the real ones are."""

import numpy as np
import pytest

from telemed_forecast.evaluation.simulated import market_size as simulated
from telemed_forecast.evaluation.simulated.figures import publish, samples
from telemed_forecast.forecast.market_size import SPEC
from telemed_forecast.inference.sampling import Profile, fit
from telemed_forecast.models import market_size

PROFILE = Profile(chains=2, tune=700, draws=1000, target_accept=0.95)
TRUTHS = 3
"""Markets drawn from the prior: one fit each after one compilation."""

SCALARS = (
    "consultation_rate",
    "pharmacy_rate",
    "pharmacy_logit_ceiling",
    "other_services",
    "bias_spread",
    "estimate_noise",
    "encounters",
    "price",
    "online_share",
    "second_seller",
)


@pytest.fixture(scope="module")
def recovered(arrays_on):
    design = arrays_on("2026-11-21")["market_size"]
    rng, found = np.random.default_rng(7), []
    for number in range(TRUTHS):
        known = simulated.truth(design, rng)
        tree = fit(SPEC, publish(simulated.speak, known, design, rng), profile=PROFILE, seed=number)
        found.append((known, design, samples(tree)))
    return found


def inside(draws, true, level=0.95):
    low, high = np.quantile(np.asarray(draws), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return (low <= true) & (true <= high)


@pytest.mark.slow
def test_true_parameters_lie_in_their_intervals(recovered):
    hits = [inside(post[name], known[name]) for known, _, post in recovered for name in SCALARS]
    # 1.5 of 30 are expected outside of their 95% intervals; more than five would be a surprise of one in 100.
    assert np.sum(hits) >= len(hits) - 5


@pytest.mark.slow
def test_true_sizes_lie_in_their_intervals_and_are_narrow_where_figures_are_many(recovered):
    hits = [inside(post["log_size"], known["log_size"]).mean() for known, _, post in recovered]
    assert np.mean(hits) >= 0.85
    for _, design, post in recovered:
        sd = np.asarray(post["log_size"]).std(axis=0)
        seen = np.unique(design["size_year"][design["size_definition"] == 3])
        assert sd[seen[-3:], 3].max() < 0.5


@pytest.mark.slow
def test_true_biases_of_publishers_with_several_figures_lie_in_their_intervals(recovered):
    for known, design, post in recovered:
        often = np.flatnonzero(np.bincount(design["size_origin"]) >= 3)
        assert inside(post["origin_bias"].values[:, often], known["origin_bias"][often]).mean() >= 0.6
        empty = post["origin_bias"].values[:, -1] / post["bias_spread"].values
        assert abs(empty.mean()) < 0.2 and 0.8 < empty.std() < 1.2


@pytest.mark.slow
def test_drug_sales_stay_below_all_medicine_sales_in_every_draw(recovered):
    for _, design, post in recovered:
        assert (np.asarray(post["pharmacy_log_level"]) < design["log_medicine"]).all()
        assert post["pharmacy_log_level"].shape[1] == market_size.GRID
