r"""The fast path of adoption forecasts beside full NUTS: whether the importance sampler finds the posterior.

The model of :mod:`telemed_forecast.curves.hypotheses` is written a second time, in PyTensor, and sampled by NUTS. Its
draws are carried on by the fast path's own code, so that forecasts differ by the way draws are found and nothing else.

Each hypothesis :math:`k` turns four standard normal numbers :math:`e` into the parameters of a series, so that
:math:`e` has one and the same prior under all of them and the hypothesis can be summed out exactly:

.. math::

   p(e) \propto \phi(e) \sum_k w_k \exp\{\alpha\, \ell_k(e)\}, \qquad
   p(k \mid e) \propto w_k \exp\{\alpha\, \ell_k(e)\}.

NUTS moves in :math:`e`; each draw then stands for all hypotheses, each with the weight :math:`p(k \mid e)`. Where the
ceiling is as far above the last level as :math:`e_2` says, the other parameters depend on that same number: nothing has
to be inverted, and no Jacobian is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from benchmarks import scoring, tasks
from benchmarks.peers import LEVELS, SEED
from benchmarks.tasks import Task
from telemed_forecast.curves import hypotheses, innovations, units
from telemed_forecast.curves.hypotheses import PARAMETERS, Prior
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import TelemedError

CHAINS, TUNE, TARGET_ACCEPT = 4, 500, 0.95

FUTURES = 4
"""Futures of each draw of NUTS: most of the noise in a quantile is that of the shocks to come."""

LONG = 16
"""How many times the draws the importance sampler gets to show what it tends to."""

SAME = 1e-6
"""Log densities that differ by less are the same: the numbers pass through a distribution function and back."""

R_HAT = 1.01


@dataclass(frozen=True, eq=False)
class Posterior:
    """What NUTS found of a series.

    Attributes
    ----------
    paths
        Its future, in the unit of the series. Dims: (horizon, draw).
    weights
        They sum to one. Dims: (draw,).
    chain
        Chain of each draw. Dims: (draw,).
    density_error
        Largest difference, over draws of NUTS, between its log density and that of the fast path, but for a constant.
    r_hat
        Largest of the four numbers.
    divergences
        Number of divergent transitions.
    """

    paths: np.ndarray
    weights: np.ndarray
    chain: np.ndarray
    density_error: float
    r_hat: float
    divergences: int


@dataclass(frozen=True)
class Comparison:
    """One task by both.

    Differences are between quantiles at the levels and horizons of the table, in units of the width of the 90% interval
    of NUTS at that horizon.

    Attributes
    ----------
    task_id
        The task.
    technology
        ``known`` when the forecast was told the technology, else ``new``.
    levels
        How many levels of the series say something.
    effective
        Effective sample size of the importance weights.
    mean, largest
        Differences of the fast path to NUTS.
    inner
        Largest difference of quantiles between the levels 5% and 95%: the outermost rest on few draws.
    long
        Mean difference to NUTS with `LONG` times the draws: what is left is no noise of the importance sampler.
    halves
        Mean difference between two halves of the chains of NUTS: its own noise.
    fast_score, nuts_score
        Relative CRPS of each.
    density_error, r_hat, divergences
        See :class:`Posterior`.
    """

    task_id: str
    technology: str
    levels: int
    effective: float
    mean: float
    largest: float
    inner: float
    long: float
    halves: float
    fast_score: float
    nuts_score: float
    density_error: float
    r_hat: float
    divergences: int


def compare(
    asked: Sequence[Task], *, number: int, draws: int, prior: Prior | None = None, tell: Callable[[str], None] = print
) -> list[Comparison]:
    """Forecast a sample of tasks by both.

    Parameters
    ----------
    asked
        Tasks to choose from; see :func:`chosen`.
    number
        How many tasks.
    draws
        Kept draws of each of the `CHAINS` chains.
    prior
        What past adoptions teach; the shipped one when None.
    tell
        Gets a line whenever a task is done.
    """
    known = hypotheses.shipped() if prior is None else prior
    sample = chosen(asked, number, known)
    longest = max(len(_levels(task.series).z) for task in sample)
    found = []
    for task in sample:
        found.append(_compared(task, known, longest, draws))
        tell(f"{task.task_id}: mean difference {found[-1].mean:.3f} of the interval")
    return found


def chosen(asked: Sequence[Task], number: int, prior: Prior) -> list[Task]:
    """Choose tasks at random, as many of each family as of any other, and tell every second its technology.

    Those with repeated figures are left out: they are read in two ways, and the compiled model knows one.
    """
    asked = [task for task in asked if _one_reading(task.series)]
    rng = np.random.default_rng(SEED)
    of_family: dict[str, list[Task]] = {family: [] for family in sorted({task.family for task in asked})}
    for k in rng.permutation(len(asked)):
        of_family[asked[k].family].append(asked[k])
    # (turn, family): the first of every family, then the second of every family, ...
    order = {(turn, f): task for f, own in enumerate(of_family.values()) for turn, task in enumerate(own)}
    return [_told(order[place], prior, sum(place) % 2 == 1) for place in sorted(order)[:number]]


def _one_reading(one: Series) -> bool:
    return bool(np.any(one.values > 0)) and len(innovations.readings(one.values, one.index * one.step)) == 1


def _told(task: Task, prior: Prior, told: bool) -> Task:
    name = task.family if told and task.family in prior.families else ""
    return replace(task, series=replace(task.series, reference_class=name))


def _compared(task: Task, prior: Prior, longest: int, draws: int) -> Comparison:
    one, horizon = task.series, int(task.ahead[-1])
    fast = hypotheses.forecast([one], horizon, levels=LEVELS, seed=SEED, prior=prior)[0][0]
    nuts = posterior(one, horizon, prior=prior, longest=longest, draws=draws)
    odd = nuts.chain % 2 == 1
    whole = quantiles(nuts.paths, nuts.weights)
    halves = [quantiles(nuts.paths[:, half], nuts.weights[half]) for half in (odd, ~odd)]
    _, weights = hypotheses.sample(
        one, horizon, prior=prior, numbers=hypotheses.uniform(hypotheses.DRAWS, horizon, SEED)
    )
    more = hypotheses.uniform(LONG * hypotheses.DRAWS, horizon, SEED + 1)
    long = quantiles(*hypotheses.sample(one, horizon, prior=prior, numbers=more))
    apart = differences(fast, whole)
    return Comparison(
        task_id=task.task_id,
        technology="known" if one.reference_class in prior.families else "new",
        levels=len(_levels(one).z),
        effective=float(1.0 / (weights @ weights)),
        mean=float(apart.mean()),
        largest=float(apart.max()),
        inner=float(apart[:, (LEVELS > 0.049) & (LEVELS < 0.951)].max()),
        long=float(differences(long, whole).mean()),
        halves=float(differences(*halves).mean()),
        fast_score=_score(fast, task),
        nuts_score=_score(whole, task),
        density_error=nuts.density_error,
        r_hat=nuts.r_hat,
        divergences=nuts.divergences,
    )


def _score(found: np.ndarray, task: Task) -> float:
    each = scoring.relative_crps(found[None], tasks.truths([task]), LEVELS)
    return float(scoring.task_scores(each)[0])


def posterior(one: Series, horizon: int, *, prior: Prior, longest: int, draws: int) -> Posterior:
    """Sample a series' posterior by NUTS and carry it on.

    Parameters
    ----------
    one
        The series.
    horizon
        Periods ahead.
    prior
        What past adoptions teach.
    longest
        Number of levels that the model is compiled for; at least those of the series.
    draws
        Kept draws of each chain.

    Raises
    ------
    TelemedError
        The log density of NUTS is not that of the fast path: two models were compared, not two samplers.
    """
    import arviz as az

    from telemed_forecast.fits import sampling

    spec = sampling.ModelSpec(f"adoption_of_{longest}_levels", _build)
    profile = sampling.Profile(CHAINS, TUNE, draws, TARGET_ACCEPT)
    tree = sampling.fit(spec, _arrays(one, prior, longest), profile=profile, seed=SEED)
    normal = tree["posterior"]["e"].to_numpy()
    paths, weights, density = _carried_on(one, horizon, prior, normal.reshape(-1, len(PARAMETERS)))
    offset = tree["sample_stats"]["logp"].to_numpy().ravel() - density
    error = float(np.max(np.abs(offset - np.median(offset))))
    if error > SAME:
        raise TelemedError(f"{one.series_id}: the two log densities differ by up to {error:.2g}")
    chain = np.repeat(np.arange(CHAINS), draws)
    return Posterior(
        paths=paths,
        weights=weights,
        chain=np.tile(chain, len(weights) // len(chain)),
        density_error=error,
        r_hat=float(az.rhat(tree["posterior"].to_dataset())["e"].max()),
        divergences=int(tree["sample_stats"]["diverging"].sum()),
    )


def _carried_on(
    one: Series, horizon: int, prior: Prior, normal: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Carry draws on under every hypothesis, with the fast path's own code.

    Parameters
    ----------
    normal
        e. Dims: (draw, parameter).

    Returns
    -------
    paths, weights
        Dims: (horizon, all), (all,), where all is hypothesis by future by draw.
    density
        Log density of each draw, but for a constant. Dims: (draw,).
    """
    from scipy import special

    each = np.array([hypothesis.weight for hypothesis in hypotheses.hypotheses(one, prior)])
    # The first number chooses the hypothesis: one in the middle of what leads to it.
    middle = np.cumsum(each) - each / 2
    dims = (len(each), FUTURES, len(normal))
    rest = horizon + hypotheses.WAITING
    numbers = np.empty((*dims, 1 + len(PARAMETERS) + rest))
    numbers[..., 0] = middle[:, None, None]
    numbers[..., 1 : 1 + len(PARAMETERS)] = special.ndtr(normal)
    numbers[..., 1 + len(PARAMETERS) :] = np.random.default_rng(SEED).random((*dims, rest))
    numbers = np.clip(numbers, 1e-300, 1.0 - 1e-16).reshape(-1, numbers.shape[-1])
    paths, found = hypotheses.sample(one, horizon, prior=prior, numbers=numbers)
    likelihood = each[:, None, None] * found.reshape(dims)
    total = likelihood.sum(axis=0)
    density = np.log(total[0]) - 0.5 * (normal**2).sum(axis=1)
    return paths, (likelihood / total / (FUTURES * len(normal))).ravel(), density


def quantiles(paths: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return weighted quantiles at `LEVELS`. Dims of the paths: (horizon, draw). Dims: (horizon, level)."""
    found = []
    for values in paths:
        order = np.argsort(values)
        reached = np.cumsum(weights[order])
        found.append(np.interp(LEVELS * reached[-1], reached - weights[order] / 2, values[order]))
    return np.array(found)


def differences(one: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return how far quantiles are from those of a reference, in widths of its 90% interval.

    Dims in and out: (horizon, level).
    """
    low, high = (int(np.argmin(np.abs(LEVELS - level))) for level in (0.05, 0.95))
    return np.abs(one - reference) / (reference[:, high] - reference[:, low])[:, None]


def _levels(one: Series) -> innovations.Levels:
    return innovations.levels(one.values, one.index * one.step)


def _arrays(one: Series, prior: Prior, longest: int) -> dict[str, np.ndarray]:
    """What the compiled model takes; levels are repeated up to its length, and the repeats not seen."""
    known, law, found = _levels(one), hypotheses.law_of(one, prior), hypotheses.hypotheses(one, prior)
    more = longest - len(known.z)
    scale = units.scale(one.unit)
    distance = [each.distance for each in found]
    arrays = {
        "z": np.pad(known.z, (0, more), mode="edge"),
        "years": np.pad(known.years, (0, more), constant_values=1.0),
        "seen": np.pad(np.ones(len(known.years)), (0, more)),
        "weight": [each.weight for each in found],
        "mean": [each.mean for each in found],
        "root": [np.linalg.cholesky(each.covariance) for each in found],
        "is_distance": [each is not None for each in distance],
        "distance": [each or (0.0, 0.0) for each in distance],
        "ceiling_of": [1.0 if scale is None else scale, known.offset],
        "law": [law.theta, law.persistence, law.floor, law.elasticity, law.nu, law.skew],
        "power": hypotheses.power_of(one, prior),
    }
    return {name: np.asarray(value, dtype=float) for name, value in arrays.items()}


def _build(arrays: Mapping[str, np.ndarray]) -> Any:
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        data = {name: pm.Data(name, value) for name, value in arrays.items()}
        normal = pm.Normal("e", shape=len(PARAMETERS))
        values = data["mean"] + (data["root"] * normal).sum(axis=-1)
        scale, offset = data["ceiling_of"][0], data["ceiling_of"][1]
        # Repeats of the last level stand behind it.
        distance = data["z"][-1] + pt.exp(data["distance"][:, 0] + data["distance"][:, 1] * normal[1])
        ceiling = pt.switch(data["is_distance"] > 0, distance, pt.log(scale * pt.exp(values[:, 1]) + offset))
        likelihood = _likelihood(data, values, ceiling, len(arrays["years"]))
        pm.Potential("series", pt.logsumexp(pt.log(data["weight"]) + data["power"] * likelihood))
    return model


def _likelihood(data: Mapping[str, Any], values: Any, ceiling: Any, steps: int) -> Any:
    """Log-likelihood of the levels after the first under each hypothesis: `innovations.follow` in PyTensor.

    The deviation after a step is linear in the one before it, so that only this recursion goes step by step; all else
    is done for all steps at once, which is far quicker to compile.
    """
    import pytensor.tensor as pt

    theta, persistence, floor, elasticity, nu, skew = (data["law"][k] for k in range(6))
    rate, carry, sigma = pt.exp(values[:, 0]), pt.sigmoid(values[:, 2]), pt.exp(values[:, 3])
    z, change, years = data["z"][:-1], data["z"][1:] - data["z"][:-1], data["years"]
    room = (1 - pt.exp(-theta * pt.maximum(ceiling[:, None] - z, innovations.DEEPEST))) / theta
    part = carry[:, None] / (pt.maximum(pt.abs(room), innovations.MIN_ROOM) * pt.maximum(years, 1.0))
    kept, added = persistence**years - part * years * room, part * (change - years * rate[:, None] * room)
    deviation = [pt.zeros_like(rate)]
    for k in range(steps - 1):
        deviation.append(kept[:, k] * deviation[k] + added[:, k])
    expected = (rate[:, None] + pt.stack(deviation, axis=1)) * room
    scale = sigma[:, None] * (floor + pt.abs(expected)) ** elasticity * pt.sqrt(years)
    standard = (change - years * expected) / scale
    squeezed = pt.switch(standard > 0, standard / skew, standard * skew)
    constant = pt.gammaln((nu + 1) / 2) - pt.gammaln(nu / 2) - pt.log(nu * np.pi) / 2 + pt.log(2 / (skew + 1 / skew))
    density = constant - (nu + 1) / 2 * pt.log1p(squeezed**2 / nu) - pt.log(scale)
    return (data["seen"] * density).sum(axis=1)


def printed(found: Sequence[Comparison]) -> str:
    """Return the comparison as text."""
    from benchmarks import table

    heading = ["fast path - NUTS, in 90% widths", "technology", "levels", "mean", "largest", "largest 5-95%"]
    heading += [f"mean of {LONG}x draws", "NUTS halves", "effective", "score", "NUTS score", "R-hat", "divergent"]
    lines = table.aligned([heading, *(_line(one) for one in found)])
    every = {field.name: np.array([getattr(one, field.name) for one in found]) for field in fields(Comparison)}
    own, other = every["fast_score"].mean(), every["nuts_score"].mean()
    rough = [one.task_id for one in found if one.r_hat > R_HAT or one.divergences]
    summary = [
        f"{len(found)} tasks: mean difference {every['mean'].mean():.4f} of the 90% interval's width (worst task "
        f"{every['mean'].max():.4f}); single quantiles up to {every['largest'].max():.2f}, those from 5% to 95% up to "
        f"{every['inner'].max():.2f}.",
        f"With {LONG} times the draws the mean is {every['long'].mean():.4f}; between two halves of NUTS it is "
        f"{every['halves'].mean():.4f}.",
        f"Relative CRPS {own:.5f}, by NUTS {other:.5f}: {own - other:+.5f} ({100 * (own / other - 1):+.2f}%). The "
        "priors that ship may have seen these curves, so scores compare the two samplers and nothing else.",
        f"Effective draws of {hypotheses.DRAWS}: median {np.median(every['effective']):.0f}, fewest "
        f"{every['effective'].min():.0f}. Log densities agree to {every['density_error'].max():.0e}.",
        f"Not converged (R-hat above {R_HAT} or divergent): {', '.join(rough) or 'none'}.",
    ]
    return "\n".join([lines, "", *summary])


def _line(one: Comparison) -> list[str]:
    apart = [f"{value:.4f}" for value in (one.mean, one.largest, one.inner, one.long, one.halves)]
    scores = [f"{value:.4f}" for value in (one.fast_score, one.nuts_score)]
    fit = [f"{one.r_hat:.3f}", str(one.divergences)]
    return [one.task_id, one.technology, str(one.levels), *apart, f"{one.effective:.0f}", *scores, *fit]
