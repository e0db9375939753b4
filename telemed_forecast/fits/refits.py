"""Many short fits of one compiled model, as calibration needs them: one chain each, two at a time.

A fit for a report has several long chains and small steps. Hundreds of fits to made-up figures ask for something else:
each only has to place one known value among nearly independent draws. What costs most in a short fit is its beginning,
when steps are small against a posterior whose shape is not known yet; trees of at most 63 steps bound that, and give
nothing away once the shape is learned, when trees have 15 to 31.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemed_forecast.fits.sampling import Arrays, Compiled

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True)
class Effort:
    """How long a short fit samples.

    Attributes
    ----------
    tune, draws
        Warm-up and kept draws of its one chain.
    target_accept
        Acceptance rate that step-size adaptation aims at.
    depth
        Doublings of a tree at most.
    """

    tune: int
    draws: int
    target_accept: float
    depth: int


def refit(model: Compiled, data: Arrays, *, effort: Effort, seed: int) -> DataTree:
    """Sample the posterior with one chain. Threads may call this at once: sampling holds no lock of Python's.

    Parameters
    ----------
    model
        What :func:`telemed_forecast.fits.sampling.compiled` gives.
    data
        The arrays; shapes of observations may differ from those of the compilation.
    effort
        Length of the chain.
    seed
        Seed of the sampler.
    """
    import nutpie

    return nutpie.sample(
        model.sampler.with_data(**data),
        chains=1,
        cores=1,
        tune=effort.tune,
        draws=effort.draws,
        target_accept=effort.target_accept,
        maxdepth=effort.depth,
        seed=seed,
        adaptation="low_rank",
        progress_bar=False,
        save_warmup=False,
    )
