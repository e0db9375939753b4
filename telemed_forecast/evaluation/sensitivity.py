r"""What a headline number hangs on: uncertain quantities, and what was believed before any figure.

A driver is told by the target in draws where it is low against draws where it is high. A belief is told by moving one
prior by its own standard deviation: the posterior under the moved prior comes from the stored draws, each weighted by
the ratio of the two priors, the largest weights smoothed by a generalised Pareto tail. Where the shape :math:`\hat k`
of that tail says that the weights rest on too few draws, nothing is told.

References
----------
Kallioinen, Paananen, Bürkner and Vehtari (2023), Detecting and diagnosing prior and likelihood sensitivity with
power-scaling, Statistics and Computing 34.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import conflict
from telemed_forecast.evaluation.influence import reliable
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Forecast, Likelihood, Path
from telemed_forecast.models.model import Rows, draws
from telemed_forecast.models.priors import Prior

PART = 0.2
"""Part of the draws at each end of a driver that is compared."""


class Driver(NamedTuple):
    """One uncertain quantity: medians of a target among the draws with its lowest and with its highest fifth.

    `explained` is the squared rank correlation with the target: about the part of its variance that knowing the
    quantity would remove.
    """

    name: str
    low: float
    high: float
    explained: float

    @property
    def swing(self) -> float:
        """Distance between the two medians."""
        return abs(self.high - self.low)


def drivers(target: np.ndarray, quantities: Mapping[str, np.ndarray]) -> list[Driver]:
    """Rank quantities by the part of a target that they explain, largest first.

    A quantity whose lowest and highest draws lie on the same side of the target's median works in no direction, and is
    left out.

    Parameters
    ----------
    target
        Draws of the headline number. Dims: (sample,).
    quantities
        Draws of each uncertain quantity from the same fit. Dims: (sample,).
    """
    found, middle = [], float(np.median(target))
    for name, values in quantities.items():
        low, high = np.quantile(values, [PART, 1.0 - PART])
        below, above = (float(np.median(target[chosen])) for chosen in (values <= low, values >= high))
        if (below - middle) * (above - middle) <= 0.0:
            found.append(Driver(name, below, above, _rank_correlation(target, values) ** 2))
    return sorted(found, key=lambda d: -d.explained)


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    ranks = [np.argsort(np.argsort(x)) for x in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def prior_moves(context: Context, name: str, result: Forecast) -> pd.DataFrame:
    """What one prior moved by its standard deviation does to each headline at the horizon, the strongest first.

    Parameters
    ----------
    context
        Settings.
    name
        The market's name.
    result
        Its forecast.

    Returns
    -------
    Columns: parameter, target, lower and higher (percent by which the median moves when the prior's middle is moved
    down and up; NaN where the weights rest on too few draws), khat (the worse shape of the weights' tail).
    """
    rows = [row for fitted in MARKETS[name].likelihoods(result) for row in _moves(fitted, context.settings.horizon)]
    frame = pd.DataFrame(rows, columns=["parameter", "target", "lower", "higher", "khat"])
    size = frame[["lower", "higher"]].abs().max(axis=1)
    return frame.loc[size.sort_values(ascending=False, kind="stable", na_position="last").index].reset_index(drop=True)


def _moves(fitted: Likelihood, horizon: int) -> Iterator[tuple[str, str, float, float, float]]:
    """The rows of one fit."""
    posterior = draws(fitted.fit.posterior)
    for parameter, prior, values in _told(fitted.model.priors(fitted.fit.data), posterior):
        moved = [_weights(prior, values, by) for by in (-1.0, 1.0)]
        khat = max(shape for _, shape in moved)
        for path in _targets(fitted):
            lower, higher = (_moved(path.year_end(horizon), weights, shape) for weights, shape in moved)
            yield parameter, path.target, lower, higher, khat


def _told(priors: Mapping[str, Prior], posterior: Mapping[str, np.ndarray]) -> Iterator[tuple[str, Prior, np.ndarray]]:
    """Priors that stand for themselves, with their draws; one stated element by element is told so."""
    for name, prior in priors.items():
        if not prior.stands_for_itself:
            continue
        if np.ndim(prior.parameters[0]) == 0:
            yield name, prior, posterior[name]
            continue
        for k, one in enumerate(zip(*prior.parameters, strict=True)):
            yield f"{name}_{k}", Prior(prior.family, tuple(map(float, one))), posterior[name][:, k]


def _targets(fitted: Likelihood) -> list[Path]:
    """The headlines that a fit's rows are weighed by, each once."""
    blocks = cast(Rows, fitted.fit.data).claims.items()
    shown = [path for block, rows in blocks for row in range(len(rows)) for path in fitted.targets(block, row)]
    return list({path.target: path for path in shown}.values())


def _weights(prior: Prior, values: np.ndarray, by: float) -> tuple[np.ndarray, float]:
    """Weights of the draws under the moved prior, and the shape of their tail. Dims of the first: (sample,)."""
    return conflict.left_out(prior.log_density(values) - prior.moved(by).log_density(values))


def _moved(target: np.ndarray, weights: np.ndarray, khat: float) -> float:
    """Percent by which a median moves; NaN where that cannot be told."""
    if khat > reliable(len(target)):
        return float("nan")
    before, after = (
        conflict.quantiles(target, one, (0.5,))[0] for one in (np.full(len(target), 1.0 / len(target)), weights)
    )
    return float(100.0 * (after / before - 1.0))
