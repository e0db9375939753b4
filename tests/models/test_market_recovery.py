"""A made-up market is found again from figures laid out as the real ones are.

Whether intervals of sizes and biases hold the truth as often as they say is asked of a hundred truths, by their ranks
(`tests/evaluation/test_calibration.py`): within one market they are wrong together, so that three markets cannot tell.
"""

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
def test_sizes_are_narrow_where_figures_are_many(recovered):
    for _, design, post in recovered:
        sd = np.asarray(post["log_size"]).std(axis=0)
        seen = np.unique(design["size_year"][design["size_definition"] == 3])
        assert sd[seen[-3:], 3].max() < 0.5


@pytest.mark.slow
def test_the_bias_of_a_publisher_without_figures_stays_as_wide_as_all_publishers_are(recovered):
    for _, _, post in recovered:
        empty = post["origin_bias"].values[:, -1] / post["bias_spread"].values
        assert abs(empty.mean()) < 0.2 and 0.8 < empty.std() < 1.2


@pytest.mark.slow
def test_drug_sales_stay_below_all_medicine_sales_in_every_draw(recovered):
    for _, design, post in recovered:
        assert (np.asarray(post["pharmacy_log_level"]) < design["log_medicine"]).all()
        assert post["pharmacy_log_level"].shape[1] == market_size.GRID
