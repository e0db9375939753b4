"""Figures about a truth, published as the real ones are, and how well draws explain them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM, interval_logp

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

Numbers = dict[str, np.ndarray]

Speaking = dict[str, tuple[np.ndarray, np.ndarray]]
"""By block of figures: the value that each figure speaks of and the scale of its noise. Dims of each: (sample, obs)."""

Speak = Callable[["Dataset", Mapping[str, np.ndarray]], Speaking]
"""What a model's figures speak of, for draws and a layout."""


def publish(speak: Speak, truth: Numbers, design: Mapping[str, np.ndarray], rng: np.random.Generator) -> Numbers:
    """The arrays of a fit: the design's figures, with what they would have said about this truth."""
    data = dict(design)
    for block, (mu, scale) in speak(samples(truth), design).items():
        value = mu[0] + scale[0] * rng.standard_t(DEGREES_OF_FREEDOM, size=mu.shape[1])
        low, high = rounded(value, design[f"{block}_low"], design[f"{block}_high"])
        data |= {f"{block}_low": low, f"{block}_high": high}
    return data


def rounded(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cell in which a value is published, when cells are as wide as a real figure's interval low..high.

    Cells tile the line from `low` on, whatever the value: that is what makes the interval likelihood exact.
    """
    width = high - low
    cell = low + np.floor((value - low) / width) * width
    return cell, cell + width


def log_likelihood(speak: Speak, draws: Dataset, data: Mapping[str, np.ndarray]) -> np.ndarray:
    """Joint log likelihood of all figures. Dims: (sample,).

    As a quantity whose rank is looked at it hangs on the data as well as on the parameters, and sees what ranks of
    parameters cannot, such as figures that are left out (Modrak et al. 2023).
    """
    return np.sum(
        [
            interval_logp(data[f"{block}_low"], data[f"{block}_high"], mu, scale).sum(axis=1)
            for block, (mu, scale) in speak(draws, data).items()
        ],
        axis=0,
    )


def samples(draws: DataTree | Numbers) -> Dataset:
    """A fit (chains stacked) or one truth as a dataset with the dims (sample, ...)."""
    import xarray as xr

    if isinstance(draws, xr.DataTree):
        posterior = draws["posterior"].to_dataset()
        stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
        return stacked.drop_vars(["sample", "chain", "draw"])
    return xr.Dataset(
        {
            name: (["sample", *(f"{name}_{k}" for k in range(np.ndim(value)))], np.asarray(value)[None])
            for name, value in draws.items()
        }
    )
