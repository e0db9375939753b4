r"""The likelihood of interval evidence.

A published figure says that a quantity lay between `low` and `high`. With multiplicative noise of scale
:math:`\sigma` on the log (or logit) scale and a latent value :math:`\mu` on that scale, its likelihood is

.. math:: P(\text{low} < \mu + \sigma T < \text{high}), \qquad T \sim t_4.

Student's t with four degrees of freedom is the choice because outliers among published figures are common,
and because its distribution function is algebraic: with :math:`s = x / \sqrt{4 + x^2}`,
:math:`P(T > x) = (1 - s)^2 (2 + s) / 4`, exact and free of cancellation in the tails, so gradients stay
finite however far a figure lies from the latent path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DEGREES_OF_FREEDOM = 4
"""Tails of the noise on published figures: heavy enough that one wild figure does not drag the rest."""


def survival(x: Any, xp: Any = np) -> Any:
    """Upper tail P(T > x) of Student's t with four degrees of freedom, in (0, 1); any shape.

    `xp` is numpy, or pytensor.tensor inside a model.
    """
    s = x / xp.sqrt(4.0 + x**2)
    # 1 - s loses every digit for large x; (1 - s^2) / (1 + s) does not.
    upper = (4.0 / (4.0 + x**2)) / (1.0 + xp.abs(s))
    one_minus_s = xp.where(x > 0, upper, 1.0 - s)
    return 0.25 * one_minus_s**2 * (2.0 + s)


def interval_logp(low: Any, high: Any, mu: Any, scale: Any, xp: Any = np) -> Any:
    """Log probability that ``mu + scale * T`` falls between `low` and `high`. Dims: (..., obs).

    Parameters
    ----------
    low, high
        Ends on the scale of `mu` (log or logit); the caller replaces an open end by a far finite value. Dims: (obs,).
    mu, scale
        Latent value that each figure speaks of, and the scale of its noise, > 0. Dims: (..., obs).
    xp
        As for :func:`survival`.
    """
    a = (low - mu) / scale
    b = (high - mu) / scale
    # The density is symmetric: mirror so that the interval lies on the right, where `survival` is accurate.
    mirror = (a + b) < 0
    near = xp.where(mirror, -b, a)
    far = xp.where(mirror, -a, b)
    return xp.log(survival(near, xp) - survival(far, xp) + 1e-300)


def noise(scale: Any, own: Any, xp: Any = np) -> Any:
    """Scale of a figure's noise from that of its grade and that which a model learns."""
    return xp.sqrt(scale**2 + own**2)


NODES = np.linspace(-5.0, 5.0, 81)
"""Points of the quadrature over the standardised bias of an origin that a fit does not know: close enough together for
a noise of a tenth of the bias' spread, where Gauss-Hermite nodes lie too far apart."""


@dataclass(frozen=True)
class Printed:
    """What a model expects in the place of published figures, on the log scale (logit for shares).

    Attributes
    ----------
    mu, scale
        Place and noise scale. Dims: (sample, obs).
    spread
        Scale of the bias of an origin that the fit does not know; 0 when none is among these. Dims: (sample,).
    low, high
        The printed intervals on the same scale. Dims: (obs,).
    stranger
        Name of the origin where the fit does not know it and it has a bias, else empty. Dims: (obs,).
    inside
        Of all figures asked about, those of which the model speaks. Dims: (asked,).
    """

    mu: np.ndarray
    scale: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    stranger: np.ndarray
    inside: np.ndarray

    @property
    def middle(self) -> np.ndarray:
        """The middles of the printed intervals. Dims: (obs,)."""
        return 0.5 * (self.low + self.high)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """What would be printed in the place of all figures asked about; NaN where the model says nothing.

        The figures of one stranger share its bias. Dims: (sample, asked).
        """
        value = self.mu.copy()
        for name in dict.fromkeys(self.stranger[self.stranger != ""].tolist()):
            value[:, self.stranger == name] += (self.spread * rng.standard_normal(len(value)))[:, None]
        value += self.scale * rng.standard_t(DEGREES_OF_FREEDOM, size=value.shape)
        drawn = np.full((len(value), len(self.inside)), np.nan)
        drawn[:, self.inside] = value
        return drawn

    def log_likelihood(self) -> np.ndarray:
        """Log probability of figures of one origin together, its bias averaged out. Dims: (sample,)."""
        nodes = NODES if self.spread.any() else np.zeros(1)
        density = np.exp(-0.5 * nodes**2)
        weights = np.log(density / density.sum())
        at_node = [
            interval_logp(self.low, self.high, self.mu + (self.spread * node)[:, None], self.scale).sum(axis=1)
            for node in nodes
        ]
        return np.logaddexp.reduce(np.stack(at_node) + weights[:, None], axis=0)
