"""Simulation-based calibration: over truths from the prior, the truth's rank among the draws is uniform.

Each simulation draws a truth from the prior that the model states, makes figures of it as the real ledger has them,
refits the one compiled model and ranks the truth of several quantities among the draws. Each quantity's ranks are
tested for the shape of their distribution and for its width (see :mod:`telemed_forecast.evaluation.uniformity`); the
p-values are those after allowing for both tests and for the number of quantities.

Draws of a chain hang together, and a rank among them is only uniform when they do not: every quantity is thinned to
as many draws as its chain is worth. Where a chain is worth next to nothing the fit is repeated, longer.

References
----------
Talts et al. (2018), Validating Bayesian inference algorithms with simulation-based calibration, arXiv:1804.06788
(thinning: its algorithm 2).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.evaluation import calibrated, uniformity
from telemed_forecast.evaluation.calibrated import Calibrated, Numbers
from telemed_forecast.fits import cluster
from telemed_forecast.fits.refits import Effort, refit
from telemed_forecast.fits.sampling import ModelSpec, compiled
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.model import Model, draws

if TYPE_CHECKING:
    from xarray import DataTree

    from telemed_forecast.forecast.context import Context

SHORT = Effort(tune=250, draws=250, target_accept=0.8, depth=6)
"""Of every fit."""

LONG = Effort(tune=500, draws=800, target_accept=0.9, depth=7)
"""Of a fit that is repeated."""

FEWEST = 5
"""Nearly independent draws of every quantity, or the fit is repeated."""

MOST = 100
"""Nearly independent draws among which a truth is ranked."""

THREADS = 2

ERROR = 0.01
"""Chance that a calibrated model is called uncalibrated, all its quantities and both tests together."""

MODELS = tuple(calibrated.MODELS)
"""Models that are calibrated, in the order of the reports."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is calibrated, on one layout.

    Attributes
    ----------
    what
        The model and the quantities that are ranked.
    design
        Arrays of a fit: the layout that made-up figures have.
    """

    what: Calibrated
    design: Numbers

    def truth(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """One draw from the prior; its dim sample has the length one."""
        return self.what.model.prior_sample(self.design, 1, rng)

    def quantities(self, p: Numbers, data: Numbers, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """What is ranked. Dims: (sample,)."""
        return {**self.what.quantities(p, data, rng), **calibrated.of_all(self.what.model, p, data)}


def spec(name: str) -> ModelSpec:
    """The model of that name."""
    return calibrated.MODELS[name].spec


def problem(name: str, context: Context) -> Problem:
    """The calibration of one of `MODELS` on the layout of the figures known on the context's date."""
    what = calibrated.MODELS[name]
    return Problem(what, what.design(context))


def published(model: Model, truth: Numbers, design: Numbers, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The arrays of a fit: the design's figures, with what they would have said about this truth."""
    data = dict(design)
    for block, (mu, scale) in model.expected(truth, design).items():
        low, high = (design[f"{block}_{end}"] for end in ("low", "high"))
        value = mu[0] + scale[0] * rng.standard_t(DEGREES_OF_FREEDOM, size=len(low))
        data[f"{block}_low"], data[f"{block}_high"] = rounded(value, low, high)
    return data


def rounded(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell in which a value is published, when cells are as wide as a real figure's interval low..high.

    Cells tile the line from `low` on, whatever the value: that is what makes the interval likelihood exact.
    """
    width = high - low
    cell = low + np.floor((value - low) / width) * width
    return cell, cell + width


def stacked(tree: DataTree) -> dict[str, np.ndarray]:
    """The draws of a fit, chains stacked. Dims: (sample, ...)."""
    return {
        name: values.reshape(-1, *values.shape[2:]) for name, values in draws(tree["posterior"].to_dataset()).items()
    }


@dataclass(frozen=True, eq=False)
class Ranks:
    """Where the truths lie among the draws.

    Attributes
    ----------
    quantities
        Names.
    places
        Rank over number of draws, in (0, 1), ties broken at random. Dims: (simulation, quantity).
    repeated
        How many fits were repeated.
    divergences
        How many draws diverged, over all fits.
    """

    quantities: tuple[str, ...]
    places: np.ndarray
    repeated: int = 0
    divergences: int = 0


def compile_for(problem: Problem) -> None:
    """Compile the model; later calls of :func:`ranks` in this process find it done."""
    compiled(problem.what.spec, problem.design)


def ranks(problem: Problem, *, simulations: int, seed: int) -> Ranks:
    """Rank the truth of every quantity in `simulations` simulations.

    Parameters
    ----------
    problem
        What is simulated and fitted.
    simulations
        How many.
    seed
        Seed of everything: each simulation has random numbers of its own, so that their order is of no matter.
    """
    if not cluster.elsewhere():
        compile_for(problem)
    streams = [np.random.default_rng([seed, number]) for number in range(simulations)]
    truths = [problem.truth(rng) for rng in streams]

    # No lock of Python's is held while a chain runs: two threads keep two cores busy, or each a worker of a cluster.
    with ThreadPoolExecutor(cluster.width(THREADS)) as threads:
        found = list(threads.map(lambda truth, rng: cluster.run(_one, problem, truth, rng), truths, streams))
    return Ranks(
        tuple(found[0].places),
        np.array([list(one.places.values()) for one in found]),
        sum(one.repeated for one in found),
        sum(one.divergences for one in found),
    )


@dataclass(frozen=True)
class _One:
    """One simulation: place of each truth, whether the fit was repeated, draws that diverged."""

    places: dict[str, float]
    repeated: bool
    divergences: int


def _one(problem: Problem, truth: Numbers, rng: np.random.Generator) -> _One:
    model = compiled(problem.what.spec, problem.design)
    data = published(problem.what.model, truth, problem.design, rng)
    right = problem.quantities(truth, data, rng)
    for effort in (SHORT, LONG):
        tree = refit(model, data, effort=effort, seed=int(rng.integers(2**31)))
        found = problem.quantities(stacked(tree), data, rng)
        worth = {name: effective(values) for name, values in found.items()}
        if min(worth.values()) >= FEWEST:
            break
    places = {name: place(right[name][0], values, worth[name], rng) for name, values in found.items()}
    return _One(places, effort is LONG, int(tree["sample_stats"]["diverging"].sum()))


def effective(values: np.ndarray) -> float:
    """Number of independent draws that those of a chain are worth (of their ranks). Dims in: (sample,)."""
    from arviz_stats.base import array_stats

    worth = float(array_stats.ess(values[None], chain_axis=0, draw_axis=1, method="bulk"))
    # Draws that are all the same have no answer, and one is as good as all.
    return worth if np.isfinite(worth) else float(len(values))


def place(truth: float, draws: np.ndarray, worth: float, rng: np.random.Generator) -> float:
    """Place of a truth among the draws that a chain is worth, in (0, 1)."""
    number = int(np.clip(worth, 1, min(MOST, len(draws))))
    kept = draws[np.linspace(0, len(draws) - 1, number).round().astype(int)]
    return float(((kept < truth).sum() + rng.uniform() * (1 + (kept == truth).sum())) / (number + 1))


@dataclass(frozen=True)
class Verdict:
    """What the ranks of one quantity say.

    Attributes
    ----------
    quantity
        Its name.
    shape, width
        p-values of both tests, as they are.
    p
        The smaller one after allowing for two tests and for the number of quantities (Holm).
    calibrated
        Whether it is at least `ERROR`.
    """

    quantity: str
    shape: float
    width: float
    p: float

    @property
    def calibrated(self) -> bool:
        """Whether chance explains it."""
        return self.p >= ERROR


def verdicts(found: Ranks) -> list[Verdict]:
    """The verdict on every quantity, in their order."""
    shape, width = (
        np.array([test(values) for values in found.places.T]) for test in (uniformity.shape_p, uniformity.width_p)
    )
    smaller = 2.0 * np.minimum(shape, width)
    order = np.argsort(smaller)
    allowed = np.empty(len(order))
    allowed[order] = np.minimum(np.maximum.accumulate(smaller[order] * np.arange(len(order), 0, -1)), 1.0)
    return [
        Verdict(name, float(s), float(w), float(p))
        for name, s, w, p in zip(found.quantities, shape, width, allowed, strict=True)
    ]


def worst(found: Ranks) -> Verdict:
    """The verdict on the most surprising quantity: when it is calibrated the model is."""
    return min(verdicts(found), key=lambda one: (one.p, min(one.shape, one.width)))
