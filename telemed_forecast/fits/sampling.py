"""Compile a model once, fit it many times.

A :class:`ModelSpec` builds a PyMC model from arrays that all enter through ``pm.Data``; the compiled function is kept
for the life of the process, and each further fit only changes the data (other evidence, another as-of date, simulated
data for calibration).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.fits.compilation import share_scalar_functions
from telemed_forecast.paths import CACHE

if TYPE_CHECKING:
    from xarray import DataTree

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Profile:
    """Effort of the sampler: what `quick` and `full` mean.

    Attributes
    ----------
    chains, tune, draws
        Number of chains; warm-up and kept draws of each.
    target_accept
        Acceptance rate that step-size adaptation aims at.
    attempts
        How often a fit is made, each time with twice the effort, until it meets the gates.
    few
        Whether chains that agree without a divergence are enough, however few independent draws they hold.
    """

    chains: int
    tune: int
    draws: int
    target_accept: float
    attempts: int = 1
    few: bool = False

    def attempt(self, number: int) -> Profile:
        """The effort of an attempt, counted from 0: each has twice the steps and half the rejections of the last."""
        times = 2**number
        rejected = (1.0 - self.target_accept) / times
        return Profile(self.chains, self.tune * times, self.draws * times, 1.0 - rejected)


PROFILES = {
    # With half of the warm-up one fit in some twenty had a chain that found the posterior late (R-hat 1.1).
    "quick": Profile(chains=2, tune=1000, draws=1000, target_accept=0.95),
    "full": Profile(chains=4, tune=1000, draws=1250, target_accept=0.95, attempts=3),
    # Refits of past dates, many of them. The spread of shocks mixes slowly where figures are few, and some met not
    # all gates with four times the draws either. How many pass is told beside the scores.
    "origins": Profile(chains=2, tune=1000, draws=2000, target_accept=0.95, attempts=3, few=True),
}


@dataclass(frozen=True)
class ModelSpec:
    """A model as a value.

    Attributes
    ----------
    name
        Unique name; also the first part of the cache's key.
    build
        Arrays -> PyMC model. Every array enters through ``pm.Data`` under its own name.
    drawn
        Names of the arrays that are made of another fit's draws: they differ between processors, all others do not.
    """

    name: str
    build: Callable[[Arrays], Any]
    drawn: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """A model's compiled functions and the names of its free parameters."""

    sampler: Any
    free: tuple[str, ...]


_compiled: dict[str, Compiled] = {}

SECONDS: dict[str, float] = {}
"""How long the compilation of each model took in this process."""


def compiled(spec: ModelSpec, data: Arrays) -> Compiled:
    """The compiled model, made once a process from the first arrays it meets."""
    if spec.name not in _compiled:
        start = time.monotonic()
        # Compiled code belongs to the project's own cache, also where no Makefile has said so.
        os.environ.setdefault("PYTENSOR_FLAGS", f"base_compiledir={CACHE / 'pytensor'}")
        import nutpie
        import pytensor

        # A function read from numba's disk cache rounds differently in the last bit than one just compiled, and chains
        # drift apart from there: the same seed would give other draws in the second process. Compiling anew costs
        # a minute once a process; fits themselves are stored. Tests, which compare what is drawn within its Monte
        # Carlo error, take the cache.
        if "numba__cache" not in os.environ["PYTENSOR_FLAGS"]:
            pytensor.config.numba__cache = False
        share_scalar_functions()
        logging.getLogger("pymc").setLevel(logging.ERROR)
        model = spec.build(data)
        free = tuple(variable.name for variable in model.free_RVs)
        _compiled[spec.name] = Compiled(nutpie.compile_pymc_model(model), free)
        SECONDS[spec.name] = SECONDS.get(spec.name, 0.0) + time.monotonic() - start
    return _compiled[spec.name]


def reference_point(size: int) -> np.ndarray:
    """The unconstrained point at which a density is put on record: small, and no two coordinates alike."""
    return 0.3 * np.cos(1.0 + np.arange(float(size)))


def density(spec: ModelSpec, data: Arrays) -> float:
    """Log density of a model at its :func:`reference_point`, with ones in place of what was drawn.

    No sampler has a part in it: any processor gives the same number but for its last digits, and a change of a prior, a
    figure or a formula of the likelihood moves it. NaN where the density is not finite.
    """
    fixed = {name: np.ones_like(values) if name in spec.drawn else values for name, values in data.items()}
    model = compiled(spec, data).sampler.with_data(**fixed)
    point, gradient, value = reference_point(model.n_dim), np.empty(model.n_dim), np.empty(1)
    addresses = (array.ctypes.data for array in (point, gradient, value, model.user_data))
    failed = model.compiled_logp_func.ctypes(model.n_dim, *map(_pointer, addresses))
    return float("nan") if failed else float(value[0])


def _pointer(address: int) -> Any:
    import ctypes

    return ctypes.cast(address, ctypes.POINTER(ctypes.c_double))


def fit(spec: ModelSpec, data: Arrays, *, profile: Profile, seed: int) -> DataTree:
    """Sample the posterior with nutpie.

    Parameters
    ----------
    spec
        The model.
    data
        Its arrays. Shapes of observations may differ between calls; the grid's length may not.
    profile
        Chains, warm-up, draws.
    seed
        Seed of the sampler: same seed, same draws on one processor model; elsewhere other draws of the same posterior.

    Returns
    -------
    DataTree with the groups ``posterior`` (dims chain, draw, ...) and ``sample_stats``.
    """
    import nutpie

    sampler = compiled(spec, data).sampler.with_data(**data)
    return nutpie.sample(
        sampler,
        chains=profile.chains,
        tune=profile.tune,
        draws=profile.draws,
        target_accept=profile.target_accept,
        seed=seed,
        # Random-walk paths make the posterior strongly correlated: a low-rank mass matrix needs a quarter of the
        # gradient steps for more effective draws than a diagonal one.
        adaptation="low_rank",
        cores=min(2, profile.chains),
        progress_bar=False,
        save_warmup=False,
    )
