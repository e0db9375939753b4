r"""Learning what past adoptions teach about the next: the priors of growth.

Each curve of a reference class has parameters of its own, each technology a mean of them, and technologies differ:

.. math::

   y_i \mid \phi_i \sim \text{the law of growth}, \quad \phi_i \sim N(\mu_{f(i)}, W), \quad \mu_f \sim N(\mu, B).

The hierarchy is fitted by expectation and maximisation. The likelihood of each curve is known exactly and is computed
once, at draws that cover whatever is plausible; every expectation is then a weighting of these draws (importance
sampling), so that nothing is sampled anew and the same curves give the same numbers. A weak prior on the covariances
keeps them positive.

A technology that was not among them gets the mean of its kind and the spread within plus between technologies: what
makes a forecast for something new honest. The spread between technologies rests on few of them, so that of the kind is
averaged with that of all.

Two forms of the law are learned from: the one that forecasts series of the user's own
(:mod:`telemed_forecast.curves.innovations`), and the AR(1) form of the engine (:mod:`telemed_forecast.models.growth`)
that the markets' models are built on.

References
----------
Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39(1).
Wei & Tanner (1990), A Monte Carlo implementation of the EM algorithm, JASA 85(411).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.curves import hypotheses, innovations, units
from telemed_forecast.curves.hypotheses import KINDS, Prior
from telemed_forecast.curves.innovations import Draws, Law, Levels
from telemed_forecast.errors import InputError

if TYPE_CHECKING:
    from telemed_forecast.curves.series import Series

_ITU = "World Bank / ITU indicators through Gapminder (CC BY 4.0)"
_OWID = "Our World in Data (CC BY 4.0, terms of the original sources)"
SOURCES = {
    "fixed_broadband": _ITU,
    "fixed_telephone": _ITU,
    "internet_users": _ITU,
    "mobile_subscriptions": _ITU,
    "personal_computers": _ITU,
    "hybrid_share_of_new_cars": _OWID,
    "us_household_technologies": _OWID,
    "wind_share_of_electricity": _OWID,
}
"""Where the curves of the technologies that ship are from."""

GIVEN = "given by the user"

# -- the fit

SEED = 3

DRAWS = 16384
"""Draws at which the likelihood of each curve is computed: half of the curves then rest on 160 or more."""

ITERATIONS = 60
"""Rounds of expectation and maximisation: ceilings that the curves tell little of move slowly."""

LONGEST = 22
"""[points] A curve counts up to so many points from its start: decades near a ceiling tell nothing new of growth."""

PROPOSAL_MEAN = np.array([-2.9, -0.2, -0.8, -0.8])
PROPOSAL_SD = np.array([1.1, 1.2, 3.0, 0.8])
"""Where the draws lie, in the order of `hypotheses.PARAMETERS`: wider than what technologies were found to be, or a few
draws would bear all the weight."""

WITHIN_GUESS = np.array([0.5, 0.5, 1.0, 0.15])
BETWEEN_GUESS = np.array([0.2, 0.3, 0.3, 0.05])
"""Variances that the covariances are drawn towards, with the weight of five curves and of two technologies."""

# -- what is learned from it

UNSURE = 1.3
"""Factor on a new technology's covariance: the hierarchy's own numbers are estimates from few technologies."""

OTHER_KIND = 0.1
"""Weight of a technology of the other kind beside one of the same, for the mean of a new one."""

AGE = 15
"""[points] Age of a curve at which the engine's distance to the ceiling is learned: that of China's online markets."""

HOME = "online_service"
"""Kind of the engine's prior for one more service of the home-grown class."""

SKEWS = (0.95, 1.05, 1.12, 1.2, 1.3)
"""Skews that are tried for each technology."""

ORIGINS = (6, 9, 12)
"""[points] Where forecasts begin that a skew is chosen by."""

AHEAD = 5
"""[years] How far these forecasts go."""

SCORED_DRAWS = 512
"""Draws of such a forecast."""

# -- what is decided: by score over rolling origins, argued in docs/growth.md

_COMMON = {"theta": 0.05, "persistence": 0.8, "floor": 0.02, "elasticity": 0.95, "nu": 4.0}
LAWS = {
    "penetration": Law(**_COMMON, skew=1.12, max_growth=0.8),
    "share": Law(**_COMMON, skew=0.95, max_growth=0.4),
    "any": Law(**_COMMON, skew=1.0, max_growth=0.5),
}
"""Constants of the law, by kind."""

POWER = 0.4
"""Power of the likelihood in a forecast."""

WEIGHTS = {
    "known": {"own": 0.85, "other": 0.1, "near": 0.05},
    "new": {"own": 0.7, "other": 0.1, "near": 0.2},
    "without_scale": {"far": 0.95, "near": 0.05},
}
"""Of the hypotheses about the ceiling: of a technology that was never seen, less is taken for granted."""

FAR = (0.8, 1.0)
"""Mean and sd of log log(ceiling / level) where the unit has no natural scale. By score: what the curves themselves
say (0.1 and 0.9 for penetrations, 1.2 and 0.3 for shares) forecasts too little."""

NEAR = (-0.6, 0.7)
"""Mean and sd of log log(ceiling / level) when growth is soon over: about as much as there is now is still to come."""

ENGINE_LAW = Law(theta=0.3, persistence=1.0, floor=0.03, elasticity=1.05, nu=4.0, skew=1.0, max_growth=np.inf)
"""Of the engine's AR(1) form: its own persistence is learned for each curve."""

ENGINE_FIXED = {"theta": [1.5, 3.0], "log_innovation": [-8.0, 1.0], "start_sd": 1.0}
"""Priors of the engine that the curves say nothing of: adoption without example is too small to be told from none."""


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """What was found."""

    means: dict[str, np.ndarray]
    """Of each technology. Dims: (parameter,)."""
    within: np.ndarray
    between: np.ndarray
    """Covariances. Dims: (parameter, parameter)."""
    weights: np.ndarray
    """Of the draws, for each curve. Dims: (curve, draw)."""


def learn(curves: Sequence[Series], home: Sequence[Series] = ()) -> dict[str, Any]:
    """Learn the priors of growth from a reference class: the content of ``data/priors/growth.json``.

    Parameters
    ----------
    curves
        Annual curves; `reference_class` is the technology. Those without a natural scale of their unit, without a
        known measure or with fewer than five usable values are left out.
    home
        Curves of other services of the same people (`online_services`), one class: the engine learns from them too,
        and what it learns of a further one of them is kept as the kind `HOME`. Forecasts of any series are not touched.

    Raises
    ------
    InputError
        Fewer than two technologies are left.
    """
    used = [one for one in curves if _usable(one)]
    kinds = {one.reference_class: KINDS[one.measure] for one in used}
    if len(kinds) < 2:
        expected = "expected 2 (annual, in percent or per 100)"
        raise InputError([f"{len(kinds)} technologies have curves to learn from: {expected}"])
    from scipy import special

    draws = _draws()
    parameters = Draws(np.exp(draws[:, 0]), draws[:, 1], special.expit(draws[:, 2]), np.exp(draws[:, 3]))
    names, known = [one.reference_class for one in used], [_levels(one) for one in used]
    likelihood = [
        innovations.follow(own, parameters, LAWS[kinds[name]])[0] for own, name in zip(known, names, strict=True)
    ]
    carried = fit(names, np.array(likelihood), draws)
    levels = [*known, *(_levels(one) for one in home)]
    likelihood = [_autoregressive(own, parameters, ENGINE_LAW) for own in levels]
    engine = fit([*names, *[HOME] * len(home)], np.array(likelihood), draws)
    distance = _distances(known, names, kinds, engine.weights[: len(known)], draws)
    content: dict[str, Any] = {
        "about": "What past adoptions teach (see telemed_forecast/curves/learn_growth.py for the meaning).",
        "sources": [f"{name}: {SOURCES.get(name, GIVEN)}" for name in sorted(kinds)],
        "forecast": {
            "laws": {kind: asdict(law) for kind, law in LAWS.items()},
            "families": {
                name: {"kind": kinds[name], "mean": _rounded(mean), "skew": LAWS[kinds[name]].skew}
                for name, mean in carried.means.items()
            },
            "within": _rounded(carried.within),
            "new": {
                kind: dict(zip(("mean", "covariance"), map(_rounded, _new(carried, kinds, kind)), strict=True))
                for kind in LAWS
            },
            "far": list(FAR),
            "near": list(NEAR),
            "power": POWER,
            "weights": WEIGHTS,
        },
        **{kind: _engine(*_new(engine, kinds, kind), distance[kind], kind) for kind in LAWS},
    }
    if home:
        # One more of a class that is known: what its members have in common is uncertain too.
        covariance = UNSURE * engine.within * (1.0 + 1.0 / len(home))
        content[HOME] = _engine(engine.means[HOME], covariance, distance["penetration"], "penetration")
        content["sources"].append(f"{HOME}: other online services in the project's own ledger, as far as known in time")
    for name, skew in _skews(used, Prior.from_content(content)).items():
        content["forecast"]["families"][name]["skew"] = skew
    return content


def fit(names: Sequence[str], likelihood: np.ndarray, draws: np.ndarray) -> Hierarchy:
    """Fit the hierarchy.

    Parameters
    ----------
    names
        Technology of each curve. Dims: (curve,).
    likelihood
        Log-likelihood of each curve at each draw. Dims: (curve, draw).
    draws
        Parameters. Dims: (draw, parameter).
    """
    families = sorted(set(names))
    members = {family: np.flatnonzero(np.array(names) == family) for family in families}
    proposal = _log_normal(draws, PROPOSAL_MEAN, np.diag(PROPOSAL_SD**2))
    means = {family: PROPOSAL_MEAN.copy() for family in families}
    centre, within, between = PROPOSAL_MEAN.copy(), np.diag(PROPOSAL_SD**2), np.diag(BETWEEN_GUESS)
    weights = np.empty_like(likelihood)
    for _ in range(ITERATIONS):
        spread, errors = np.zeros_like(within), np.zeros_like(between)
        for family, own in members.items():
            weights[own] = _normalised(likelihood[own] + _log_normal(draws, means[family], within) - proposal)
            error = np.linalg.inv(np.linalg.inv(between) + len(own) * np.linalg.inv(within))
            average = (weights[own] @ draws).mean(axis=0)
            means[family] = error @ (np.linalg.solve(between, centre) + len(own) * np.linalg.solve(within, average))
            apart = draws - means[family]
            spread += (apart * weights[own].sum(axis=0)[:, None]).T @ apart + len(own) * error
            errors += error
        within = (spread + 5 * np.diag(WITHIN_GUESS)) / (len(names) + 5)
        found = np.array([means[family] for family in families])
        centre = found.mean(axis=0)
        apart = found - centre
        between = (apart.T @ apart + errors + 2 * np.diag(BETWEEN_GUESS)) / (len(families) + 1)
    return Hierarchy(means, within, between, weights)


def _usable(one: Series) -> bool:
    """Whether a curve is annual, of a known kind and long enough once repeats are left out."""
    if one.frequency != "annual" or one.measure not in KINDS or units.scale(one.unit) is None:
        return False
    return bool(np.any(one.values > 0)) and len(_levels(one).z) >= 5


def _levels(one: Series) -> Levels:
    """A curve from its start, relative to the natural scale of its unit (`_usable` has seen to it that it has one)."""
    first = int(np.argmax(one.values > 0))
    chosen = slice(first, first + LONGEST)
    return innovations.levels(one.values[chosen] / (units.scale(one.unit) or np.nan), one.index[chosen] * one.step)


def _draws() -> np.ndarray:
    """Parameters at which likelihoods are computed. Dims: (draw, parameter)."""
    from scipy import special
    from scipy.stats import qmc

    uniform = np.clip(qmc.Sobol(len(PROPOSAL_MEAN), rng=SEED).random(DRAWS), 1e-6, 1 - 1e-6)
    return PROPOSAL_MEAN + PROPOSAL_SD * special.ndtri(uniform)


def _autoregressive(known: Levels, draws: Draws, law: Law) -> np.ndarray:
    """Log-likelihood of the engine's form: what growth deviates by is an AR(1) beside the law."""
    likelihood = np.zeros_like(draws.rate)
    deviation = np.zeros_like(draws.rate)
    for z, after, years in zip(known.z[:-1], known.z[1:], known.years, strict=True):
        expected = draws.rate * innovations.room(draws.log_ceiling - z, law.theta)
        scale = draws.sigma * (law.floor + np.abs(expected)) ** law.elasticity / np.sqrt(years)
        next_deviation = (after - z) / years - expected
        shock = (next_deviation - draws.carry**years * deviation) / scale
        likelihood += innovations.log_density(shock, law) - np.log(scale)
        deviation = next_deviation
    return likelihood


def _distances(
    known: Sequence[Levels], names: Sequence[str], kinds: Mapping[str, str], weights: np.ndarray, draws: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Mean and sd of log log(ceiling / level) of a grown curve, each technology weighing the same."""
    moments: dict[str, list[tuple[float, float]]] = {}
    for one, name, own in zip(known, names, weights, strict=True):
        gap = draws[:, 1] - one.z[min(AGE, len(one.z)) - 1]
        above = gap > 0
        log_gap, weight = np.log(np.maximum(gap[above], 0.02)), own[above] / own[above].sum()
        moments.setdefault(name, []).append((float(weight @ log_gap), float(weight @ log_gap**2)))
    of_family = {name: np.mean(values, axis=0) for name, values in moments.items()}
    found = {}
    for kind in LAWS:
        own = [its for name, its in of_family.items() if kind in (kinds[name], "any")]
        first, second = np.mean(own or list(of_family.values()), axis=0)
        found[kind] = (float(first), float(np.sqrt(second - first**2)))
    return found


def _skews(curves: Sequence[Series], prior: Prior) -> dict[str, float]:
    """The skew of each technology that would have forecast its own curves best (CRPS relative to the level).

    The likelihood looks one step ahead and would take any skew that a lone jump suggests; what counts is where several
    such steps lead.
    """
    numbers = hypotheses.uniform(SCORED_DRAWS, AHEAD, SEED)
    scores: dict[str, list[list[float]]] = {}
    for one in curves:
        start, name = int(np.argmax(one.values > 0)), one.reference_class
        for at in (start + origin for origin in ORIGINS if start + origin < len(one.values)):
            known = replace(one, index=one.index[:at], values=one.values[:at])
            ahead = one.index[at : at + AHEAD] - one.index[at - 1]
            truth = one.values[at : at + AHEAD][ahead == np.arange(1, len(ahead) + 1)]  # a gap ends it
            if len(truth) >= 3:
                tried = [_with_skew(prior, name, skew) for skew in SKEWS]
                scores.setdefault(name, []).append([_score(known, truth, each, numbers) for each in tried])
    return {name: SKEWS[int(np.argmin(np.mean(own, axis=0)))] for name, own in scores.items()}


def _with_skew(prior: Prior, name: str, skew: float) -> Prior:
    return replace(prior, families={**prior.families, name: replace(prior.families[name], skew=skew)})


def _score(known: Series, truth: np.ndarray, prior: Prior, numbers: np.ndarray) -> float:
    """CRPS of a forecast from weighted draws, relative to the mean level that came, at most 5 as in the benchmarks."""
    paths, weights = hypotheses.sample(known, AHEAD, prior=prior, numbers=numbers)
    score = 0.0
    for values, level in zip(paths, truth, strict=False):
        order = np.argsort(values)
        reached = np.cumsum(weights[order])[:-1]
        apart = float(np.diff(values[order]) @ (reached * (1.0 - reached)))
        score += weights @ np.abs(values - level) - apart
    return min(float(score / truth.sum()), 5.0)


def _new(found: Hierarchy, kinds: Mapping[str, str], kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a technology that was not among those learned from."""
    technologies = [name for name in found.means if name in kinds]
    means = np.array([found.means[name] for name in technologies])
    share = np.array([1.0 if kind in (kinds[name], "any") else OTHER_KIND for name in technologies])
    share /= share.sum()
    mean = share @ means
    between = ((means - mean) * share[:, None]).T @ (means - mean)
    effective = 1.0 / (share @ share)
    return mean, UNSURE * (found.within + (between + found.between) / 2 * (1.0 + 1.0 / effective))


def _engine(mean: np.ndarray, covariance: np.ndarray, distance: tuple[float, float], kind: str) -> dict[str, Any]:
    """The prior of the engine from a technology's mean and covariance (see `priors.GrowthPrior`)."""
    sd = np.sqrt(np.diag(covariance))
    return {
        "log_rate": _rounded([mean[0], sd[0]]),
        "log_sigma": _rounded([mean[3], sd[3]]),
        "rho": _rounded(_beta(mean[2], sd[2])),
        "log_distance": _rounded(distance),
        "floor": ENGINE_LAW.floor,
        "elasticity": ENGINE_LAW.elasticity,
        "nu": ENGINE_LAW.nu,
        "max_growth": LAWS[kind].max_growth,
        **ENGINE_FIXED,
    }


def _beta(mean: float, sd: float) -> tuple[float, float]:
    """The Beta distribution with the mean and variance of a number whose logit is normal."""
    from scipy import special

    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    values, weights = special.expit(mean + sd * nodes), weights / weights.sum()
    first, second = weights @ values, weights @ values**2
    size = first * (1 - first) / (second - first**2) - 1
    return first * size, (1 - first) * size


def _log_normal(values: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Log density of a normal, but for a constant. Dims of values: (draw, parameter)."""
    root = np.linalg.cholesky(covariance)
    apart = np.linalg.solve(root, (values - mean).T)
    return -0.5 * (apart**2).sum(axis=0) - np.log(np.diag(root)).sum()


def _normalised(log_weights: np.ndarray) -> np.ndarray:
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _rounded(values: Any) -> list[Any]:
    """Numbers as they are kept: to four decimals, far finer than they are known."""
    return np.round(values, 4).tolist()
