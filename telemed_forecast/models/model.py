"""What a model states, each once; and what follows: its graph, its prior, its likelihood, and what would be printed.

A model's functions take parameters and curves by name (`p`), the arrays of a fit (`d`) and an array module. With
pytensor they make the graph, where a parameter has its own dims alone; with numpy they read draws, whose first dim is
the sample. A formula that ends every index with ``...`` in front is both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.models.growth import Growth
from telemed_forecast.models.likelihood import Printed, interval_logp
from telemed_forecast.models.priors import Prior

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.evidence.observations import Observations

Values = Mapping[str, Any]
"""Parameters and curves, or arrays, by name."""

type Posterior = Dataset | Mapping[str, np.ndarray]
"""Draws by name. Dims: (sample, ...)."""

Formulas = Callable[[Values, Values, Any], Mapping[str, Any]]
"""(parameters and curves, arrays, array module) -> something by name."""

CANDIDATES = 50, 20_000
"""Fewest and most candidates for draws of the prior at a time. Their number follows from how many were kept so far:
half of them where only a ceiling is passed, a few in a thousand where figures of two kinds have to agree."""


class Rows(dict[str, np.ndarray]):
    """The arrays of a fit, and beside them the claims behind each row of evidence.

    Attributes
    ----------
    claims
        By block, for each row the claim ids of the figures that it was made of.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], claims: Mapping[str, list[tuple[str, ...]]]) -> None:
        super().__init__(arrays)
        self.claims = claims


def claims_of(*parts: Observations) -> list[tuple[str, ...]]:
    """The claims behind rows that hold one figure each."""
    return [(str(claim),) for part in parts for claim in part.claim_id]


def draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """Draws by name. Dims: (sample, ...)."""
    return {str(name): np.asarray(values) for name, values in posterior.items()}


def _none(*_: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Model:
    """A probability model of published figures.

    Attributes
    ----------
    priors
        Arrays -> the parameters in the order of the graph; arrays of an earlier day may bring constants along
        (`telemed_forecast.models.constants`).
    observed
        By block of figures: the value that each figure speaks of and the scale of its noise. Dims: (..., obs). The ends
        of the figures are the arrays ``<block>_low`` and ``<block>_high``.
    growth
        The growth processes by name; the arrays hold a first guess of each path, ``<name>_guess``.
    paths
        (parameters, arrays) -> log levels of the processes, in a graph alone: in coordinates that suit the sampler.
    latent
        Curves that follow from parameters and paths, made anew whenever figures are looked at.
    derived
        Curves that follow from all these, and are stored with the draws.
    ties
        Further values that lie near none, each with its standard deviation.
    """

    priors: Callable[[Values], Mapping[str, Prior]]
    observed: Mapping[str, Callable[[Values, Values, Any], tuple[Any, Any]]]
    growth: Callable[[Values, Values, Any], Mapping[str, Growth]] = _none
    paths: Callable[[Values, Values], Mapping[str, Any]] = _none
    latent: Formulas = _none
    derived: Formulas = _none
    ties: Formulas = _none

    def graph(self, data: Mapping[str, np.ndarray]) -> Any:
        """The PyMC model, into which every array enters through ``pm.Data`` under its own name."""
        import pymc as pm
        import pytensor.tensor as pt

        # Constants enter as data: that they are scales above zero is tested, and need not be asked in every step.
        with pm.Model(check_bounds=False) as model:
            d = {name: pm.Data(name, value) for name, value in data.items()}
            p = {name: prior.variable(name) for name, prior in self.priors(d).items()}
            for name, path in self.paths(p, d).items():
                p[f"{name}_log_level"] = pm.Deterministic(f"{name}_log_level", path)
            for name, process in self.growth(p, d, pt).items():
                deviation = process.state(name, p, d[f"{name}_guess"][0])
                p[f"{name}_deviation"] = pm.Deterministic(f"{name}_deviation", deviation)
            p |= self.latent(p, d, pt)
            for name, value in self.derived(p, d, pt).items():
                p[name] = pm.Deterministic(name, value)
            for name, (value, sd) in self.ties(p, d, pt).items():
                pm.Potential(name, pm.logp(pm.Normal.dist(0.0, sd), value))
            for block, observe in self.observed.items():
                mu, scale = observe(p, d, pt)
                logp = interval_logp(d[f"{block}_low"], d[f"{block}_high"], mu, scale, pt)
                pm.Potential(f"{block}_evidence", logp.sum())
        return model

    def prior_sample(
        self, data: Mapping[str, np.ndarray], size: int, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Draws from the prior, under the posterior's names: what the graph believes before any figure.

        Parameters
        ----------
        data
            The arrays of a fit; its figures are not read.
        size
            Number of draws.
        rng
            Source of the draws.

        Returns
        -------
        Dims: (sample, ...). Exact: candidates are drawn without ceilings and ties and kept with the probability that
        these give them.
        """
        parts: list[dict[str, np.ndarray]] = []
        found, tried = 0, 0
        while found < size:
            wanted = 1.2 * (size - found) * tried / found if found else 2 * size + 10 * tried
            p, log_weight = self._candidates(data, int(np.clip(wanted, *CANDIDATES)), rng)
            kept = np.log(rng.uniform(size=len(log_weight))) < log_weight
            parts.append({name: values[kept] for name, values in p.items()})
            found, tried = found + int(kept.sum()), tried + len(kept)
        return {name: np.concatenate([part[name] for part in parts])[:size] for name in parts[0]}

    def _candidates(
        self, data: Mapping[str, np.ndarray], number: int, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Draws of the priors, and the log of the probability with which each is kept."""
        p = {name: one.draw(number, rng) for name, one in self.priors(data).items() if one.family != "Flat"}
        log_weight = np.zeros(number)
        # A candidate that runs off is refused; until then its numbers may overflow.
        with np.errstate(all="ignore"):
            for name, process in self.growth(p, data, np).items():
                paths, passing = process.prior_paths(name, p, data[f"{name}_guess"], rng)
                p, log_weight = p | paths, log_weight + passing
            derived = dict(self.derived({**p, **self.latent(p, data, np)}, data, np))
            for value, sd in self.ties(p | derived, data, np).values():
                log_weight = log_weight - 0.5 * (value / sd) ** 2
            for values in derived.values():
                log_weight[~np.isfinite(values.reshape(len(values), -1)).all(axis=1)] = -np.inf
        return {**p, **derived}, log_weight

    def expected(
        self, posterior: Posterior, data: Mapping[str, np.ndarray]
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """What every row of evidence speaks of and the scale of its noise, by block. Dims of each: (sample, row)."""
        p = draws(posterior)
        p |= self.latent(p, data, np)
        found = {}
        for block, observe in self.observed.items():
            mu, scale, _ = np.broadcast_arrays(*observe(p, data, np), data[f"{block}_low"])
            found[block] = mu, scale
        return found

    def log_likelihoods(self, posterior: Posterior, data: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Log probability of every row of evidence in every draw, by block. Dims: (sample, row)."""
        return {
            block: interval_logp(data[f"{block}_low"], data[f"{block}_high"], mu, scale)
            for block, (mu, scale) in self.expected(posterior, data).items()
        }

    def printed(
        self,
        block: str,
        posterior: Posterior,
        curves: Mapping[str, np.ndarray],
        rows: Mapping[str, np.ndarray],
        *,
        inside: np.ndarray,
        stranger: np.ndarray | None = None,
        spread: str = "",
    ) -> Printed:
        """What is expected in the place of figures, seen by the fit or not.

        Parameters
        ----------
        block
            What the figures are.
        posterior
            Draws of the parameters.
        curves
            What takes the place of the posterior's curves: the same over the periods of the figures.
        rows
            The arrays of the figures that lie within these periods.
        inside, stranger
            As :class:`Printed` has them; nobody is a stranger by default.
        spread
            The parameter that tells how far strangers lie off.
        """
        low, high = (rows[f"{block}_{end}"] for end in ("low", "high"))
        p = draws(posterior) | dict(curves)
        mu, scale = np.broadcast_arrays(*self.observed[block](p, rows, np))
        stranger = np.full(len(low), "", dtype=np.str_) if stranger is None else stranger
        off = p[spread] if (stranger != "").any() else np.zeros(len(mu))
        return Printed(mu, scale, off, low, high, stranger, inside)
