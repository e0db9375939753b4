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

from typing import Any

import numpy as np

DEGREES_OF_FREEDOM = 4
"""Tails of the noise on published figures: heavy enough that one wild figure does not drag the rest."""


def survival(x: Any, xp: Any = np) -> Any:
    """Upper tail P(T > x) of Student's t with four degrees of freedom.

    Parameters
    ----------
    x
        Array or tensor of any shape.
    xp
        The array module: numpy, or pytensor.tensor inside a model.

    Returns
    -------
    Array or tensor of the same shape, in (0, 1).
    """
    s = x / xp.sqrt(4.0 + x**2)
    # 1 - s loses every digit for large x; (1 - s^2) / (1 + s) does not.
    upper = (4.0 / (4.0 + x**2)) / (1.0 + xp.abs(s))
    one_minus_s = xp.where(x > 0, upper, 1.0 - s)
    return 0.25 * one_minus_s**2 * (2.0 + s)


def interval_logp(low: Any, high: Any, mu: Any, scale: Any, xp: Any = np) -> Any:
    """Log probability that ``mu + scale * T`` falls between `low` and `high`.

    Parameters
    ----------
    low, high
        Ends of the interval on the scale of `mu` (log or logit); ``-inf``/``inf`` for an open end must be
        replaced by a far finite value by the caller. Dims: (obs,).
    mu
        Latent value that each observation speaks of. Dims: (obs,).
    scale
        Noise scale of each observation, > 0. Dims: (obs,).
    xp
        numpy, or pytensor.tensor inside a model.

    Returns
    -------
    Log probabilities. Dims: (obs,).
    """
    a = (low - mu) / scale
    b = (high - mu) / scale
    # The density is symmetric: mirror so that the interval lies on the right, where `survival` is accurate.
    mirror = (a + b) < 0
    near = xp.where(mirror, -b, a)
    far = xp.where(mirror, -a, b)
    return xp.log(survival(near, xp) - survival(far, xp) + 1e-300)
