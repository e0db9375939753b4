r"""What a model expects to be printed, taken apart: place, noise and bias of every published figure in every draw.

A forecast's ``predictive`` draws what would be printed in the place of a row,
:math:`\log v = \mu + \beta\,\sigma_\beta + \sigma T` (logit for shares), with :math:`T` Student's t and, for an origin
that the fit does not know, a fresh bias :math:`\beta` from a normal. Called with chosen numbers in the place of random
ones, the same function tells :math:`\mu`, :math:`\sigma` and :math:`\sigma_\beta`, so no model has to write its
likelihood twice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.models.odds import logit

STRANGER = "an_origin_that_no_fit_knows"
"""Name under which an origin is asked for as if it had never been heard of."""

NODES = np.linspace(-5.0, 5.0, 81)
"""Points of the quadrature over the standardised bias of an origin that is left out: close enough together for a noise
of a tenth of the bias' spread, where Gauss-Hermite nodes lie too far apart."""


@dataclass(frozen=True)
class Chosen:
    """Stands in for a random generator: every Student-t number is `noise`, every normal one is `bias`."""

    noise: float = 0.0
    bias: float = 0.0

    def standard_t(self, df: float, size: Any = None) -> Any:
        """The chosen noise."""
        return np.full(size, self.noise) if size is not None else self.noise

    def standard_normal(self, size: Any = None) -> Any:
        """The chosen bias."""
        return np.full(size, self.bias) if size is not None else self.bias


@dataclass(frozen=True)
class Printed:
    """What the model expects in the place of each row, on the log scale (logit for shares in percent).

    Attributes
    ----------
    mu, scale
        Place and noise scale. Dims: (sample, obs).
    spread
        Scale of the bias that the rows share, because the fit would not know their origin; 0 for an origin that
        defines the quantity. Dims: (sample,).
    low, high
        The printed intervals on the same scale. Dims: (obs,).
    """

    mu: np.ndarray
    scale: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        """The middles of the printed intervals. Dims: (obs,)."""
        return 0.5 * (self.low + self.high)

    def log_likelihood(self) -> np.ndarray:
        """Log probability of the rows together, the bias averaged out. Dims: (sample,)."""
        nodes = NODES if self.spread.any() else np.zeros(1)
        density = np.exp(-0.5 * nodes**2)
        weights = np.log(density / density.sum())
        at_node = np.stack(
            [
                interval_logp(self.low, self.high, self.mu + (self.spread * node)[:, None], self.scale).sum(axis=1)
                for node in nodes
            ]
        )
        return np.logaddexp.reduce(at_node + weights[:, None], axis=0)


def predict_new_source(module: Any, result: Any, rows: Observations) -> Printed | None:
    """What the model would expect of rows of one origin, had it never heard of the origin.

    Parameters
    ----------
    module
        A forecast module with ``predictive``.
    result
        Its result.
    rows
        Rows of one origin, within the model's periods or not.

    Returns
    -------
    Rows outside of the periods are dropped; None when none is left.
    """
    stranger = _renamed(rows)
    # An origin that defines the quantity has no bias of its own: under another name it would be somebody else.
    known, unknown = (_drawn(module, result, o, Chosen()) for o in (rows, stranger))
    asked = rows if np.array_equal(known, unknown, equal_nan=True) else stranger
    mu = known if asked is rows else unknown
    inside = np.isfinite(mu).all(axis=0) & rows.bounded
    if not inside.any():
        return None
    scale = _drawn(module, result, asked, Chosen(noise=1.0)) - mu
    spread = _drawn(module, result, asked, Chosen(bias=1.0)) - mu
    low, high = (_on_scale(ends, rows.unit)[inside] for ends in (rows.low, rows.high))
    return Printed(mu[:, inside], scale[:, inside], spread[:, inside].mean(axis=1), low, high)


def _drawn(module: Any, result: Any, rows: Observations, chosen: Chosen) -> np.ndarray:
    """The model's predictive with chosen numbers, on the log or logit scale. Dims: (sample, obs)."""
    return _on_scale(module.predictive(result, rows, cast(np.random.Generator, chosen)), rows.unit)


def _on_scale(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Log of amounts, logit of shares in percent, kept off the ends."""
    amount = np.maximum(values, 1e-9)
    return np.where(unit == "percent", logit(values / 100.0, edge=1e-3), np.log(amount))


def _renamed(rows: Observations) -> Observations:
    changed = {field.name: getattr(rows, field.name) for field in fields(rows)}
    return Observations(**(changed | {"origin": np.full(len(rows), STRANGER)}))
