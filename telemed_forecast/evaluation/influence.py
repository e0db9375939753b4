r"""What the headline owes to each published figure: how far it would move, had the figure never been printed.

The posterior without a figure comes from the posterior with it, each draw weighted by one over the likelihood of the
figure's rows, the largest weights smoothed by a generalised Pareto tail, as for whole origins (`conflict`). Where the
shape :math:`\hat k` of that tail says that the weights rest on too few draws, nothing is told: fitting again without
each figure would take too long. A figure without a row of its own in a likelihood (population, a price level, the
exchange rate, the users' surveys in the market's model) acts through the arrays or through another fit, and is not
weighed either. A figure with rows on several quantities loses all of its rows in a fit, whichever quantity is asked.

References
----------
Vehtari, Simpson, Gelman, Yao and Gabry (2024), Pareto smoothed importance sampling, JMLR 25(72).
Vehtari, Gelman and Gabry (2017), Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC,
Statistics and Computing 27(5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from telemed_forecast.evaluation import conflict
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.paths import Likelihood, Path
from telemed_forecast.models.model import Rows

BATCHES = 20
"""Runs of consecutive draws from whose scatter the sampling error of a move is estimated."""

Told = Literal["yes", "unreliable", "not_shown", "no_row"]


@dataclass(frozen=True)
class Influence:
    """What one published figure does to a headline."""

    claim: str  # Its claim id
    # ``yes``; ``unreliable`` where the weights rest on too few draws; ``not_shown`` where all of its rows speak of a
    # quantity that the report does not forecast; ``no_row`` where no row of a likelihood hangs on the figure alone or
    # with others.
    told: Told
    path: Path | None = None  # The quantity that may move; None where `told` is one of the last two
    # How far the median at the horizon would move without the figure, in the path's unit; nan where it is not told
    moved: float = np.nan
    error: float = np.nan  # Standard error of that from the draws being finitely many, in the path's unit
    half_widths: float = np.nan  # The move as a multiple of half the width of the present 80% interval
    khat: float = np.nan  # Shape of the weights' tail; nan without a path


def influences(context: Context, name: str, result: Any) -> list[Influence]:
    """Every published figure that a report's model read, the one that moves the headline most first.

    Figures whose effect is not told come last. A figure with rows on several quantities stands once for each.
    """
    found = [one for fitted in MARKETS[name].likelihoods(result) for one in _of(fitted, context.settings.horizon)]
    weighed = {one.claim for one in found if one.path}
    # What another fit of the report weighs is shown after all.
    found = [one for one in found if one.path or one.claim not in weighed]
    rowed = {one.claim for one in found}
    found += [Influence(str(claim), "no_row") for claim in result.claims if claim not in rowed]
    return sorted(found, key=lambda one: (-np.nan_to_num(abs(one.half_widths), nan=-1.0), one.claim))


def _of(fitted: Likelihood, horizon: int) -> list[Influence]:
    """The figures behind the rows of one fit."""
    terms = fitted.model.log_likelihoods(fitted.fit.posterior, fitted.fit.data)
    rows: dict[str, list[np.ndarray]] = {}
    paths: dict[str, dict[str, Path]] = {}
    for block, by_row in cast(Rows, fitted.fit.data).claims.items():
        for row, claims in enumerate(by_row):
            shown = fitted.targets(block, row)
            for claim in claims:
                rows.setdefault(claim, []).append(terms[block][:, row])
                aims = paths.setdefault(claim, {})
                aims |= {path.target: path for path in shown if path.target not in aims}
    found = []
    for claim, own in rows.items():
        aims, left_out = paths[claim], np.sum(own, axis=0)
        found += [_without(claim, path, left_out, horizon) for path in aims.values()]
        if not aims:
            found.append(Influence(claim, "not_shown"))
    return found


def _without(claim: str, path: Path, log_likelihood: np.ndarray, horizon: int) -> Influence:
    """What leaving rows out does to a path at the horizon. Dims of the rows' likelihood: (sample,)."""
    draws = path.year_end(horizon)
    weights, khat = conflict.left_out(log_likelihood)
    if khat > reliable(len(draws)):
        return Influence(claim, "unreliable", path, khat=khat)
    low, _, high = _quantiles(draws, np.ones(len(draws)))
    moved = _moved(draws, weights)
    return Influence(claim, "yes", path, moved, _error(draws, weights), float(moved / (0.5 * (high - low))), khat)


def reliable(samples: int) -> float:
    """Largest shape of the weights' tail that so many draws can carry (Vehtari et al. 2024, section 3.2.4)."""
    return float(min(1.0 - 1.0 / np.log10(samples), conflict.RELIABLE))


def _moved(draws: np.ndarray, weights: np.ndarray) -> float:
    return float((_quantiles(draws, weights) - _quantiles(draws, np.ones(len(draws))))[1])


def _quantiles(draws: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return conflict.quantiles(draws, weights / weights.sum(), (0.1, 0.5, 0.9))


def _error(draws: np.ndarray, weights: np.ndarray) -> float:
    """Standard error of a move by batch means: draws that follow each other are not independent."""
    parts = zip(np.array_split(draws, BATCHES), np.array_split(weights, BATCHES), strict=True)
    return float(np.std([_moved(d, w) for d, w in parts], ddof=1) / np.sqrt(BATCHES))
