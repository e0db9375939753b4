"""Compile a model once, fit it many times.

A :class:`ModelSpec` builds a PyMC model from arrays that all enter through ``pm.Data``; the compiled function is kept
for the life of the process, and each further fit only changes the data (other evidence, another as-of date, simulated
data for calibration).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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
    """

    chains: int
    tune: int
    draws: int
    target_accept: float


PROFILES = {
    "quick": Profile(chains=2, tune=500, draws=500, target_accept=0.95),
    "full": Profile(chains=4, tune=1500, draws=2500, target_accept=0.99),
    # Refits of past dates, many of them: enough for scores and intervals, not for the numbers of a page.
    "origins": Profile(chains=2, tune=1000, draws=1000, target_accept=0.95),
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
    """

    name: str
    build: Callable[[Arrays], Any]


@dataclass(frozen=True)
class _Compiled:
    sampler: Any
    free: tuple[str, ...]


_compiled: dict[str, _Compiled] = {}


def free_variables(spec: ModelSpec) -> tuple[str, ...]:
    """Names of the free parameters of a model that this process has fitted."""
    return _compiled[spec.name].free


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
        Seed of the sampler: same seed, same draws on one machine.

    Returns
    -------
    DataTree with the groups ``posterior`` (dims chain, draw, ...) and ``sample_stats``.
    """
    # Compiled code belongs to the project's own cache, also where no Makefile has said so.
    os.environ.setdefault("PYTENSOR_FLAGS", f"base_compiledir={CACHE / 'pytensor'}")
    import nutpie
    import pytensor

    # A function read from numba's disk cache rounds differently in the last bit than one just compiled, and chains
    # drift apart from there: the same seed would give other draws in the second process. Compiling anew costs
    # half a minute once a process; fits themselves are stored.
    pytensor.config.numba__cache = False
    logging.getLogger("pymc").setLevel(logging.ERROR)
    known = _compiled.get(spec.name)
    if known is None:
        model = spec.build(data)
        free = tuple(variable.name for variable in model.free_RVs)
        known = _compiled[spec.name] = _Compiled(nutpie.compile_pymc_model(model), free)
        sampler = known.sampler
    else:
        sampler = known.sampler.with_data(**data)
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
