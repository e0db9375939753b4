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

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd

from telemed_forecast.evidence.observations import GRADE_SCALE
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Forecast, Unpublished
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.odds import logit

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


OUTSIDE = 0.01
"""Part of the draws at each end that is pulled in to the rest: shocks have fat tails, and without this the variance of
a headline would be that of a draw or two in which a market vanishes."""

COLUMNS = ("report", "figure", "kind", "removed", "error", "narrower", "spread")


def wanted(context: Context, results: Mapping[str, Forecast]) -> pd.DataFrame:
    """What new figures would teach about the headlines at the horizon.

    Returns
    -------
    A row a figure, market by market and the most valuable first: ``report``, ``figure``, ``kind``; the part of the
    headline's variance (log scale) that is ``removed`` on average, about 0 for noise, and its standard ``error``; the
    part by which the headline's interval is ``narrower`` there; ``spread``, upper over lower end of its interval today.
    """
    found = []
    for name, result in results.items():
        draws = result.path.year_end(context.settings.horizon)
        low, high = np.quantile(draws, [0.1, 0.9])
        figures = {one: _measured(context, result, one) for one in getattr(MARKETS[name].module, "UNPUBLISHED", ())}
        # What a date cannot know yet (what stays of a wave to come) is the same in every draw, or no number.
        figures = {one: measured for one, measured in figures.items() if np.ptp(measured) > 0}
        if figures:
            own = ranked(_log(draws), figures, context.generator(f"information {name}"))
            found.append(own.assign(report=name, spread=float(high / low)))
    return pd.concat(found, ignore_index=True)[list(COLUMNS)] if found else pd.DataFrame(columns=COLUMNS)


def _log(draws: np.ndarray) -> np.ndarray:
    """Log of draws without their outermost ends. Dims: (sample,)."""
    inside = np.clip(draws, *np.quantile(draws, [OUTSIDE, 1.0 - OUTSIDE]))
    return np.log(np.maximum(inside, np.finfo(float).tiny))


def _measured(context: Context, result: Forecast, figure: Unpublished) -> np.ndarray:
    """What a figure would measure, on the log scale (logit for a share). Dims: (sample,)."""
    path = result.paths.get(figure.quantity)
    if path is None:
        return np.asarray(result.fit.posterior[figure.quantity])
    days = {"last": date(context.last_year, 12, 31), "next": date(context.last_year + 1, 12, 31)}
    draws = path.draws[:, path.position(days.get(figure.when, result.last_period))]
    return logit(draws / 100.0, edge=1e-6) if path.unit == "percent" else _log(draws)


def ranked(target: np.ndarray, figures: Mapping[Unpublished, np.ndarray], rng: np.random.Generator) -> pd.DataFrame:
    """What each figure would teach about a target, the most valuable first: the inner columns of :func:`wanted`.

    Target and figures are draws of the headline and of what each figure measures, on the same scale: log, or logit for
    a share. Dims of each: (sample,).
    """
    found = []
    for figure, quantity in figures.items():
        removed, error = _removed(target, quantity, figure.kind, rng)
        narrower = float(1.0 - np.sqrt(1.0 - np.clip(removed, 0.0, 1.0)))
        found.append((figure.name, figure.kind, removed, error, narrower))
    return pd.DataFrame(found, columns=COLUMNS[1:6]).sort_values(["removed", "figure"], ascending=[False, True])


def _removed(target: np.ndarray, quantity: np.ndarray, kind: str, rng: np.random.Generator) -> tuple[float, float]:
    """The part of the target's variance that a figure would remove, and its standard error."""
    (noise, bias), removed, blocks = KINDS[kind], [], []
    size = len(quantity)
    for _ in range(REPEATS):
        measured = quantity + noise * rng.standard_t(DEGREES_OF_FREEDOM, size) + bias * rng.standard_normal(size)
        removed.append(explained(target, measured))
        # Draws of one chain stand together and depend on each other: blocks, not single draws, tell the error.
        parts = zip(np.array_split(target, BLOCKS), np.array_split(measured, BLOCKS), strict=True)
        blocks.append([explained(x, y) for x, y in parts] if len(target) >= BLOCKS * LEAST_DRAWS else [np.nan])
    spread = np.std(np.mean(blocks, axis=0), ddof=1) / np.sqrt(BLOCKS) if len(blocks[0]) > 1 else np.nan
    return float(np.mean(removed)), float(np.nan_to_num(spread))


def explained(target: np.ndarray, measured: np.ndarray) -> float:
    """Part of the target's variance that a measurement explains, corrected for the regression's freedom.

    At most 1; about 0 for noise, and as often below it as above; 0 when either does not vary. `ValueError` with fewer
    draws than `LEAST_DRAWS`. Dims of both: (sample,).
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
