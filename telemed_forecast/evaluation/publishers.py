r"""How far off a publisher usually is, learned from few forecasts: partial pooling, not a ranking of single hits.

Whoever published one forecast and was lucky is not the best forecaster. Each publisher :math:`j` has errors with a
scale :math:`s_j` of its own, and the scales come from one distribution over all publishers,

.. math::

   e_{jk} \sim N(0, s_j^2), \qquad s_j^2 \sim \nu s_0^2 / \chi^2_\nu,

so that the posterior of :math:`s_j^2` given :math:`n_j` errors is again of that form, with :math:`\nu + n_j` degrees of
freedom and the sum of squares :math:`\nu s_0^2 + \sum_k e_{jk}^2` (the moderated variances of Smyth 2004). What the
publishers have in common, :math:`\nu` and :math:`s_0`, is averaged over a grid with weights by the marginal likelihood,
not fixed at its best value: with a dozen publishers that value is far from certain. An error of zero mean counts a lean
and a scatter alike; the lean is shown beside it.

Several years of one table, or several companies of one note, are one occasion: their mean square counts as one error.

References
----------
Smyth (2004), Linear models and empirical Bayes methods for assessing differential expression, SAGMB 3(1).
Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., ch. 5: hyperparameters on a grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.league import OUTCOME
from telemed_forecast.evaluation.scores import LEVEL

MEDIAN_OF_ABSOLUTE = 0.6744897501960817
"""Median of the absolute value of a standard normal number."""

DRAWS = 4000

FREEDOM = np.geomspace(1.0, 50.0, 25)
"""Grid of the degrees of freedom: from publishers that differ without bound to publishers that are all alike."""

SCALES = np.geomspace(0.02, 3.0, 40)
"""Grid of the common scale: from errors of 2% to errors of a factor of twenty."""

OCCASION = ["metric", "definition", "published"]
"""Forecasts that share these were made on one occasion."""

COLUMNS = (
    *("publisher", "number", "occasions", "outcomes", "absolute", "lean", "high", "low"),
    *("typical", "typical_low", "typical_high", "better", "claims"),
)


def table(found: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The publishers of judged forecasts (`league.judged`), the one that is usually nearest first.

    Returns
    -------
    ``publisher``; ``number`` of its forecasts, ``occasions`` on which they were made, and different ``outcomes``; its
    median ``absolute`` error as it is, and its ``lean``: the median error, above zero when too much was forecast; how
    many were too ``high``, or too ``low``, for sure; ``typical``: the median absolute error that is to be expected of
    it, pooled, with its interval; ``better``: the probability that it is usually nearer than the publisher in the
    middle of the table; ``claims``: its forecasts.
    """
    groups = {str(name): own for name, own in found.groupby("publisher", sort=False)} if len(found) else {}
    if not groups:
        return pd.DataFrame(columns=COLUMNS)
    squares = {name: _squares(own) for name, own in groups.items()}
    scales = pooled(squares, rng=np.random.default_rng(seed))
    middle = np.median(np.stack(list(scales.values())), axis=0)
    rows = []
    for name, own in groups.items():
        ends = [0.5, 0.5 - LEVEL / 2, 0.5 + LEVEL / 2]
        rows.append(
            {
                "publisher": name,
                "number": len(own),
                "occasions": len(squares[name]),
                "outcomes": len(own[OUTCOME].drop_duplicates()),
                "absolute": float(own["median_error"].abs().median()),
                "lean": float(own["median_error"].median()),
                "high": int((own["verdict"] == "high").sum()),
                "low": int((own["verdict"] == "low").sum()),
                **dict(zip(COLUMNS[8:11], np.quantile(MEDIAN_OF_ABSOLUTE * scales[name], ends), strict=True)),
                "better": float((scales[name] < middle).mean()),
                "claims": tuple(own["claim_id"]),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["typical", "publisher"], ignore_index=True)


def _squares(own: pd.DataFrame) -> list[float]:
    """Mean square error of each occasion."""
    return [float(np.mean(errors.to_numpy() ** 2)) for _, errors in own.groupby(OCCASION, sort=False)["median_error"]]


def pooled(squares: Mapping[str, Sequence[float]], *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Publisher -> draws of :math:`s_j`, dims (draw,), row by row from one draw of what all have in common.

    `squares` are the squared errors of each, one an occasion.
    """
    numbers = np.array([len(own) for own in squares.values()], dtype=float)
    sums = np.array([float(np.sum(own)) for own in squares.values()])
    freedom, scale = (grid.ravel() for grid in np.meshgrid(FREEDOM, SCALES, indexing="ij"))
    log_weight = _log_marginal(numbers[:, None], sums[:, None], freedom, scale).sum(axis=0)
    weight = np.exp(log_weight - log_weight.max())
    at = rng.choice(len(weight), size=DRAWS, p=weight / weight.sum())
    nu, s0 = freedom[at], scale[at]
    return {name: np.sqrt((nu * s0**2 + sums[k]) / rng.chisquare(nu + numbers[k])) for k, name in enumerate(squares)}


def _log_marginal(number: np.ndarray, total: np.ndarray, freedom: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Log probability of a publisher's errors given what all have in common, but for a constant. Dims: broadcast."""
    from scipy.special import gammaln

    common = freedom * scale**2
    found: np.ndarray = (
        gammaln((freedom + number) / 2.0)
        - gammaln(freedom / 2.0)
        + freedom / 2.0 * np.log(common)
        - (freedom + number) / 2.0 * np.log(common + total)
    )
    return found
