"""A made-up market is found again from figures laid out as the real ones are.

Whether intervals of sizes and biases hold the truth as often as they say is asked of a hundred truths, by their ranks
(`tests/evaluation/test_calibration.py`): within one market they are wrong together, so that three markets cannot tell.
"""

import numpy as np
import pytest
from scipy import stats
from truths import CHAINS, shown_below, shown_outside, spread, width

from telemed_forecast.evaluation import monte_carlo
from telemed_forecast.evaluation.calibration import published, stacked
from telemed_forecast.evaluation.monte_carlo import CHANCE, Estimate
from telemed_forecast.fits.sampling import Profile, fit
from telemed_forecast.forecast.market_size import SPEC
from telemed_forecast.models import market_size
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM

pytestmark = [pytest.mark.slow, pytest.mark.draws]

PROFILE = Profile(chains=CHAINS, tune=700, draws=1000, target_accept=0.95)
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
def recovered(arrays_on, sampler_seed):
    design = arrays_on("2026-11-21")["market_size"]
    rng, found = np.random.default_rng(7), []
    for number in range(TRUTHS):
        known = market_size.prior_sample(design, 1, rng)
        data = published(market_size.MODEL, known, design, rng)
        found.append((known, design, stacked(fit(SPEC, data, profile=PROFILE, seed=sampler_seed + number))))
    return found


def numbers(market):
    """What is looked for: the scalars, and consultation and drug sales of the last year."""
    sizes = np.asarray(market["log_size"])[..., -1, [0, 3]]
    return [np.asarray(market[name]) for name in SCALARS] + [sizes[..., 0], sizes[..., 1]]


def test_true_parameters_lie_in_their_intervals_and_those_of_another_market_do_not(recovered):
    number = TRUTHS * (len(SCALARS) + 2)
    # Truths are drawn from the prior, so that each lies outside of its 95% interval once in twenty.
    allowed = int(stats.binom.isf(CHANCE, number, 0.05))

    def missed(shift):
        return sum(
            shown_outside(draws, true, comparisons=number)
            for k, (_, _, post) in enumerate(recovered)
            for draws, true in zip(numbers(post), numbers(recovered[(k + shift) % TRUTHS][0]), strict=True)
        )

    assert missed(0) <= allowed
    assert missed(1) + missed(2) > 2 * allowed, "figures of one market, truths of the two others"


def test_sizes_are_known_better_than_by_one_figure_alone_where_figures_are_many(recovered, sampler_seed):
    rng = np.random.default_rng(sampler_seed)
    for _, design, post in recovered:
        seen = np.unique(design["size_year"][design["size_definition"] == 3])[-3:]
        number, scale = len(post["price"]), design["size_scale"].min()
        # What a figure of the best grade leaves: the bias of its publisher and its noise.
        common = rng.normal(*market_size.COMMON_BIAS, number)
        bias = common + post["bias_spread"] * rng.standard_normal(number)
        noise = np.hypot(post["estimate_noise"], scale) * rng.standard_t(DEGREES_OF_FREEDOM, number)
        alone = width(bias + noise)

        def too_wide(log_size, seen=seen, alone=alone):
            return any(shown_below(alone, width(own), comparisons=TRUTHS * len(seen)) for own in log_size[:, seen, 3].T)

        assert not too_wide(post["log_size"])
        assert too_wide(market_size.prior_sample(design, number, rng)["log_size"]), "figures that do not arrive"


def test_the_bias_of_a_publisher_without_figures_stays_as_wide_as_all_publishers_are(recovered):
    standard, none = Estimate(1.0, 0.0), Estimate(0.0, 0.0)
    for _, _, post in recovered:
        empty = post["origin_bias"][:, -1] / post["bias_spread"]
        pairs = [(monte_carlo.mean(empty, chains=CHAINS), none), (spread(empty), standard)]
        assert monte_carlo.agree(pairs, chance=CHANCE / TRUTHS)
        assert not monte_carlo.agree([(spread(0.5 * empty), standard)], chance=CHANCE / TRUTHS), "half as wide"


def test_drug_sales_stay_below_all_medicine_sales_in_every_draw(recovered):
    for _, design, post in recovered:
        assert (np.asarray(post["pharmacy_log_level"]) < design["log_medicine"]).all()
        assert post["pharmacy_log_level"].shape[1] == market_size.GRID
