r"""The value of information: which figure that nobody has published would narrow a forecast most.

A measurement that does not exist yet is simulated from the posterior: :math:`y_s = m_s + \epsilon_s`, where
:math:`m_s` is the measured quantity in draw :math:`s` and :math:`\epsilon_s` the noise of a figure of the stated kind.
What it would teach about a target :math:`x` is the part of the target's variance that knowing :math:`y` would remove on
average,

.. math:: \frac{\operatorname{Var} \operatorname{E}[x \mid y]}{\operatorname{Var} x},

with :math:`\operatorname{E}[x \mid y]` from a regression on a piecewise linear function of :math:`y`, and the explained
part corrected for the number of coefficients, so that pure noise explains nothing on average (it may fall below zero).

References
----------
Strong, Oakley and Brennan (2014), Estimating multiparameter partial expected value of perfect information from a
probabilistic sensitivity analysis sample, Medical Decision Making 34(3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from telemed_forecast.evidence.observations import GRADE_SCALE
from telemed_forecast.models import odds
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM

KNOTS = 7
"""Inner knots of the piecewise linear regression, at equally spaced quantiles of the measurement."""

REPEATS = 5
"""Simulated measurements of each draw over which the result is averaged."""

BLOCKS = 8
"""Blocks of consecutive draws from which the error of a result is told."""

LEAST_DRAWS = 100
"""Fewer draws than this carry no regression."""

HOUSE_BIAS = 0.37
"""Scale (log) by which a research house's own definition moves its figures: the middle of the prior spread between
origins in the market's model."""

KINDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "official": (GRADE_SCALE["A"], 0.0),
        "accounts": (GRADE_SCALE["B"], 0.0),
        "house": (GRADE_SCALE["B"], HOUSE_BIAS),
        "panel": (0.1, 0.0),
    }
)
"""Noise and bias (log or logit scale) of a new figure by who would publish it: a count by a primary body; a sum of
companies' accounts; a research house with a definition of its own; a panel of some hundred people (ten percent)."""


@dataclass(frozen=True)
class Candidate:
    """A figure that could be published.

    Attributes
    ----------
    name
        Name of the figure; its text is ``figure_wanted.<name>``.
    kind
        Who would publish it: a key of `KINDS`.
    quantity
        The measured quantity in each draw, on the log scale (logit for shares). Dims: (sample,).
    """

    name: str
    kind: str
    quantity: np.ndarray

    def simulated(self, rng: np.random.Generator) -> np.ndarray:
        """The figure as it would be printed, one for each draw. Dims: (sample,)."""
        noise, bias = KINDS[self.kind]
        size = len(self.quantity)
        return self.quantity + noise * rng.standard_t(DEGREES_OF_FREEDOM, size) + bias * rng.standard_normal(size)


@dataclass(frozen=True)
class Information:
    """What one figure would teach.

    Attributes
    ----------
    name, kind
        As of the candidate.
    removed
        Part of the target's variance (log scale) that it would remove on average; noise gives about 0.
    error
        Standard error of that part, from blocks of draws.
    """

    name: str
    kind: str
    removed: float
    error: float

    @property
    def narrower(self) -> float:
        """Part by which the target's interval would become narrower on the log scale."""
        return float(1.0 - np.sqrt(1.0 - np.clip(self.removed, 0.0, 1.0)))


def ranked(target: np.ndarray, candidates: Iterable[Candidate], rng: np.random.Generator) -> list[Information]:
    """What each figure would teach about a target, the most valuable first.

    Parameters
    ----------
    target
        Draws of the headline on the log scale (logit for a share). Dims: (sample,).
    candidates
        Figures measured in the same draws.
    rng
        Source of the measurement noise.
    """
    found = [_information(target, candidate, rng) for candidate in candidates]
    return sorted(found, key=lambda information: (-information.removed, information.name))


def _information(target: np.ndarray, candidate: Candidate, rng: np.random.Generator) -> Information:
    removed, blocks = [], []
    for _ in range(REPEATS):
        measured = candidate.simulated(rng)
        removed.append(explained(target, measured))
        # Draws of one chain stand together and depend on each other: blocks, not single draws, tell the error.
        parts = zip(np.array_split(target, BLOCKS), np.array_split(measured, BLOCKS), strict=True)
        blocks.append([explained(x, y) for x, y in parts] if len(target) >= BLOCKS * LEAST_DRAWS else [np.nan])
    spread = np.std(np.mean(blocks, axis=0), ddof=1) / np.sqrt(BLOCKS) if len(blocks[0]) > 1 else np.nan
    return Information(candidate.name, candidate.kind, float(np.mean(removed)), float(np.nan_to_num(spread)))


def explained(target: np.ndarray, measured: np.ndarray) -> float:
    """Part of the target's variance that a measurement explains, corrected for the regression's freedom.

    Parameters
    ----------
    target, measured
        Dims: (sample,).

    Returns
    -------
    float
        At most 1; about 0 for noise, and as often below it as above. 0 when either does not vary.

    Raises
    ------
    ValueError
        With fewer draws than `LEAST_DRAWS`.
    """
    if len(target) < LEAST_DRAWS:
        raise ValueError(f"{len(target)} draws are too few: at least {LEAST_DRAWS} are needed")
    total = np.var(target)
    if total <= 0 or np.var(measured) <= 0:
        return 0.0
    design = _piecewise_linear(measured)
    coefficients, *_ = np.linalg.lstsq(design, target, rcond=None)
    residual = np.var(target - design @ coefficients)
    count, freedom = design.shape
    return float(1.0 - residual / total * (count - 1) / (count - freedom))


def _piecewise_linear(x: np.ndarray) -> np.ndarray:
    """Columns of a continuous piecewise linear function with knots at quantiles. Dims: (sample, column)."""
    x = (x - x.mean()) / x.std()
    knots = np.unique(np.quantile(x, np.linspace(0.0, 1.0, KNOTS + 2)[1:-1]))
    hinges = np.maximum(x[:, None] - knots[None, :], 0.0)
    return np.column_stack([np.ones(len(x)), x, hinges])


def logit(percent: np.ndarray) -> np.ndarray:
    """Log odds of a share in percent, kept off the ends."""
    return odds.logit(percent / 100.0, edge=1e-6)
