"""When a fit may be published.

A fit passes when its chains agree, hold enough independent draws in bulk and tail, give the ends of its intervals to a
tenth of their spread, saw no divergence, moved freely between energies and were seldom cut off on their way. A report
on a fit that does not pass says so at its top and calls its numbers directional.

References
----------
Vehtari et al. (2021), Rank-normalization, folding, and localization: an improved R-hat, Bayesian Analysis 16(2).
Betancourt (2016), Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo, arXiv:1604.00695.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xarray import Dataset, DataTree

RHAT_MAX = 1.01
ESS_MIN = 400.0
BFMI_MIN = 0.3
MCSE_MAX = 0.1
SATURATED_MAX = 0.01

DEEPEST = 10
"""Doublings after which the sampler cuts a trajectory off."""

ENDS = (0.1, 0.9)
"""The quantiles that an 80% interval prints."""


@dataclass(frozen=True)
class Gate:
    """Diagnostics of one fit and the verdict.

    Attributes
    ----------
    name
        Name of the model.
    ok
        True when every bound holds.
    rhat_max, ess_bulk_min, ess_tail_min, bfmi_min
        The worst value over the free parameters (and chains); None when one cannot be computed, as for a parameter
        that never moved. A fit of which that is true does not pass.
    divergences
        Number of divergent transitions after warm-up.
    chains, draws
        Size of the fit.
    mcse_max
        The largest Monte Carlo error of an end of an 80% interval, in standard deviations, over the free parameters and
        the last levels of the paths, from which forecasts start.
    saturated
        Share of transitions after warm-up that were cut off before they turned.
    """

    name: str
    ok: bool
    rhat_max: float | None
    ess_bulk_min: float | None
    ess_tail_min: float | None
    divergences: int
    bfmi_min: float | None
    chains: int
    draws: int
    mcse_max: float | None = None
    saturated: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether the chains agree and none diverged, however many independent draws they hold."""
        return self.rhat_max is not None and self.rhat_max < RHAT_MAX and self.divergences == 0

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)


def judge(name: str, fitted: DataTree, free: Sequence[str]) -> Gate:
    """Look at a fit's diagnostics.

    Parameters
    ----------
    name
        Name of the model, for the report.
    fitted
        With the groups ``posterior`` and ``sample_stats``.
    free
        Names of the free parameters. Deterministic curves are left out: constant stretches in them trip R-hat.
    """
    import arviz as az
    import xarray as xr

    everything = fitted["posterior"].to_dataset()
    posterior = everything[list(free)]
    stats = fitted["sample_stats"].to_dataset()
    rhat = _worst(az.rhat(posterior), np.max)
    bulk = _worst(az.ess(posterior, method="bulk"), np.min)
    tail = _worst(az.ess(posterior, method="tail"), np.min)
    error = _worst(_error_of_ends(xr.merge([posterior, _last_levels(everything)])), np.max)
    divergences = int(stats["diverging"].sum())
    saturated = float((stats["depth"] >= DEEPEST).mean())
    bfmi = _bfmi(stats["energy"].to_numpy())
    ok = (
        (rhat is not None and rhat < RHAT_MAX)
        and (bulk is not None and bulk > ESS_MIN)
        and (tail is not None and tail > ESS_MIN)
        and (error is not None and error < MCSE_MAX)
        and (bfmi is not None and bfmi > BFMI_MIN)
        and saturated < SATURATED_MAX
        and divergences == 0
    )
    chains, draws = stats["diverging"].shape
    return Gate(name, ok, rhat, bulk, tail, divergences, bfmi, chains, draws, error, saturated)


def _last_levels(posterior: Dataset) -> Dataset:
    """The ends of the paths."""
    paths = [name for name in posterior.data_vars if str(name).endswith("_log_level")]
    return posterior[paths].map(lambda path: path[..., -1])


def _error_of_ends(posterior: Dataset) -> Dataset:
    """Monte Carlo error of both ends of an 80% interval, in standard deviations."""
    import arviz as az
    import xarray as xr

    spread = posterior.std(("chain", "draw"))
    ends = [az.mcse(posterior, method="quantile", prob=end) / spread for end in ENDS]
    return xr.concat(ends, dim="end")


def _worst(values: Any, pick: Any) -> float | None:
    """The worst of a diagnostic's values; a single one that is not a number leaves none."""
    dataset = values.to_dataset() if hasattr(values, "to_dataset") else values
    worst = float(pick([pick(dataset[v].to_numpy()) for v in dataset.data_vars]))
    return worst if np.isfinite(worst) else None


def _bfmi(energy: np.ndarray) -> float | None:
    """Smallest Bayesian fraction of missing information over the chains. Dims: (chain, draw)."""
    variance = np.var(energy, axis=1)
    if not (variance > 0).all():
        return None
    return float(np.min(np.mean(np.diff(energy, axis=1) ** 2, axis=1) / variance))
