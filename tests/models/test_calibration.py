"""Simulation-based calibration: over truths from the prior, the truth's rank among the draws is uniform.

Each simulation draws a truth from the prior that the model states, makes figures of it, refits the one compiled
model and ranks the truth of several quantities among the draws. Two tests look at the ranks of each quantity:
whether they are uniform at all (Kolmogorov-Smirnov, the simultaneous band of the empirical distribution
function) and whether they crowd in the middle or at the ends (Cook's chi-square on normal scores: intervals too
wide or too narrow).

References
----------
Talts et al. (2018), Validating Bayesian inference algorithms with SBC, arXiv:1804.06788.
Cook, Gelman & Rubin (2006), Validation of software for Bayesian models, JCGS 15(3).
"""

import numpy as np
import pytest
import simulated
from scipy import stats

from telemed_forecast.forecast.channel_share import SPEC as SHARE
from telemed_forecast.forecast.internet_hospitals import SPEC as HOSPITALS
from telemed_forecast.forecast.user_adoption import SPEC as USERS
from telemed_forecast.inference.sampling import ModelSpec, Profile, fit
from telemed_forecast.models import adoption, channel_share, internet_hospitals
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.models.priors import growth_prior

SMALL = Profile(chains=2, tune=500, draws=500, target_accept=0.95)
THIN = 10
"""Every tenth draw is ranked: nearly independent, as the tests of uniformity assume."""

ERROR = 0.01
"""Chance that a calibrated model is called uncalibrated, all quantities together."""


class Hospitals:
    """The internet-hospitals model on the layout of the real ledger: dates, counters, grades and widths."""

    spec = HOSPITALS

    def __init__(self, arrays_on):
        self.design = arrays_on("2026-11-21")["internet_hospitals"]
        self.ahead = self.design["log_pool"][-1] + 0.01 * np.arange(7)

    def truth(self, rng):
        return simulated.internet_hospitals_truth(self.design, rng)

    def figures(self, truth, rng):
        return simulated.internet_hospitals_figures(truth, self.design, rng)

    def quantities(self, draws, rng):
        names = [f"{who}_{name}" for who in ("hospital", "firm") for name in ("rate", "sigma", "rho")]
        names += ["hospital_logit_ceiling", "firm_log_ceiling", "policy_fade"]
        found = {name: draws[name].values for name in [*names, "origin_spread", "reporting_noise"]}
        own, firms = draws["hospital_log_level"].values, draws["firm_log_level"].values
        ahead = internet_hospitals.project(draws, self.design, log_pool_ahead=self.ahead, rng=rng)
        return found | {
            **self._shocks(draws),
            "first level": own[:, 0],
            "last level": np.logaddexp(own[:, -1], firms[:, -1]),
            "last split": own[:, -1] - firms[:, -1],
            "an effect": draws["event_effect"].values[:, 2],
            "an offset": draws["origin_offset"].values[:, 0],
            "three years ahead": ahead["count"][:, -1],
        }

    def _shocks(self, draws):
        reach = {
            "hospital": -np.log1p(np.exp(-draws["hospital_logit_ceiling"].values)),
            "firm": draws["firm_log_ceiling"].values,
        }
        known = {"step": internet_hospitals.STEP, "prior": growth_prior(internet_hospitals.CLASS)}
        return {
            f"{who} shocks": simulated.shock_size(
                draws, who, log_ceiling=self.design["log_pool"] + ceiling[:, None], **known
            )
            for who, ceiling in reach.items()
        }


class Users:
    """The adoption model on the layout of the real ledger: dates, definitions, grades and widths."""

    spec = USERS

    def __init__(self, arrays_on):
        self.design = arrays_on("2026-11-21")["user_adoption"]
        self.ahead = np.full(10, self.design["log_population"][-1])

    def truth(self, rng):
        return simulated.adoption_truth(self.design, rng)

    def figures(self, truth, rng):
        return simulated.adoption_figures(truth, self.design, rng)

    def quantities(self, draws, rng):
        names = [f"usage_{name}" for name in ("rate", "sigma", "rho", "logit_ceiling")]
        names += ["surge_logit_kept", "surge_half_life", "survey_noise", "regional_spread", "internet_rate"]
        found = {name: draws[name].values for name in names}
        carried = adoption.project(draws, self.design, log_population_ahead=self.ahead, rng=rng)
        return found | {
            "first wave": draws["surge_gained"].values[:, 0],
            "second wave": draws["surge_gained"].values[:, 1],
            "definition of June 2020": draws["definition_offset"].values[:, 1],
            "first users": carried["users"][:, 0],
            "last users": carried["users"][:, adoption.GRID - 1],
            "five years ahead": carried["published"][:, -1],
        }


class Share:
    """The channel-share model, on a layout with evidence in many years unless another is given."""

    spec = SHARE

    def __init__(self, design=None):
        self.design = design or simulated.channel_share_design()
        self.ahead = simulated.channel_share_ahead(self.design, 3)

    def truth(self, rng):
        return simulated.channel_share_truth(self.design, rng)

    def figures(self, truth, rng):
        return simulated.channel_share_figures(truth, self.design, rng)

    def quantities(self, draws, rng):
        found = {name: draws[name].values for name in ("walk_scale", "new_offset", "share_noise")}
        ahead = channel_share.project(draws, self.ahead, rng=rng)
        return found | {
            "first level": draws["factor"].values[:, 0],
            "last level": draws["factor"].values[:, -1],
            "an offset": draws["measure_offset"].values[:, 1],
            "a walk": draws["walk"].values[:, 0, -1],
            "encounters in three years": ahead["encounters"][:, -1],
            "revenue in three years": ahead["revenue"][:, -1],
        }


def ranks(problem, *, spec=None, truth=None, simulations, seed):
    """Rank of each truth among its draws, in (0, 1), by quantity. Dims: (simulation,)."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(simulations):
        known = (truth or problem.truth)(rng)
        posterior = fit(spec or problem.spec, problem.figures(known, rng), profile=SMALL, seed=number)
        right = problem.quantities(simulated.samples(known), rng)
        for name, values in problem.quantities(simulated.samples(posterior), rng).items():
            thinned = values[::THIN]
            below = (thinned < right[name][0]).sum()
            found.setdefault(name, []).append((below + rng.uniform()) / (len(thinned) + 1))
    return {name: np.array(values) for name, values in found.items()}


def surprises(uniform):
    """p-values of both tests of each quantity."""
    found = {}
    for name, u in uniform.items():
        found[f"{name}: uniform"] = stats.kstest(u, "uniform").pvalue
        cook = stats.chi2.cdf((stats.norm.ppf(u) ** 2).sum(), len(u))
        found[f"{name}: width"] = 2 * min(cook, 1 - cook)
    return found


def verdict(uniform):
    """The most surprising test, its p-value, and the smallest p-value that passes."""
    found = surprises(uniform)
    worst = min(found, key=found.get)
    return worst, found[worst], ERROR / len(found)


@pytest.mark.unit
def test_uniform_ranks_pass_and_crowded_ranks_do_not():
    rng = np.random.default_rng(0)
    u = rng.uniform(size=(8, 100))
    calibrated = {str(k): values for k, values in enumerate(u)}

    def passes(changed):
        _, p, bound = verdict(calibrated | {"0": changed})
        return p > bound

    assert passes(u[0])
    assert not passes(stats.norm.cdf(1.4 * stats.norm.ppf(u[0]))), "intervals 40% too narrow"
    assert not passes(stats.norm.cdf(0.6 * stats.norm.ppf(u[0]))), "intervals too wide"
    assert not passes(stats.norm.cdf(0.6 + stats.norm.ppf(u[0]))), "too low by half a standard deviation"


@pytest.mark.slow
def test_the_internet_hospitals_model_is_calibrated(arrays_on):
    worst, p, bound = verdict(ranks(Hospitals(arrays_on), simulations=100, seed=1))
    assert p > bound, worst


@pytest.mark.slow
def test_the_adoption_model_is_calibrated(arrays_on):
    worst, p, bound = verdict(ranks(Users(arrays_on), simulations=16, seed=1))
    assert p > bound, worst


@pytest.mark.slow
def test_the_channel_share_model_is_calibrated():
    worst, p, bound = verdict(ranks(Share(), simulations=150, seed=1))
    assert p > bound, worst


@pytest.mark.slow
def test_a_likelihood_that_counts_every_figure_three_times_is_caught(monkeypatch):
    monkeypatch.setattr(channel_share, "interval_logp", lambda *figures: 3 * interval_logp(*figures))
    broken = ModelSpec("channel_share_counting_thrice", channel_share.build)
    _, p, bound = verdict(ranks(Share(), spec=broken, simulations=60, seed=1))
    assert p < bound / 100


@pytest.mark.slow
def test_a_prior_that_is_not_the_one_of_the_truths_is_caught(arrays_on, monkeypatch):
    # On the real layout: where figures are few, the prior counts.
    problem = Share(arrays_on("2026-11-21")["channel_share"])

    def truth(rng):
        with monkeypatch.context() as patch:
            # The model's walks are a seventh as large.
            patch.setattr(channel_share, "WALK", (channel_share.WALK[0] + 2.0, channel_share.WALK[1]))
            return problem.truth(rng)

    uniform = ranks(problem, truth=truth, simulations=60, seed=1)
    _, _, bound = verdict(uniform)
    assert surprises(uniform)["walk_scale: uniform"] < bound / 100


@pytest.mark.slow
def test_the_channel_share_model_is_calibrated_on_the_few_figures_that_there_are(arrays_on):
    problem = Share(arrays_on("2026-11-21")["channel_share"])
    worst, p, bound = verdict(ranks(problem, simulations=100, seed=2))
    assert p > bound, worst


@pytest.mark.slow
def test_shocks_a_quarter_as_large_as_believed_are_caught(arrays_on, monkeypatch):
    problem = Hospitals(arrays_on)
    scale = simulated.shock_scale

    def truth(rng):
        with monkeypatch.context() as patch:
            patch.setattr(simulated, "shock_scale", lambda *args, **options: 0.25 * scale(*args, **options))
            return problem.truth(rng)

    _, p, bound = verdict(ranks(problem, truth=truth, simulations=60, seed=1))
    assert p < bound
