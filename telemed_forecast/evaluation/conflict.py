r"""Leave one source out: how far each origin's figures lie from what all others imply, and what it moves.

The posterior without an origin comes from the posterior with it, each draw weighted by one over the likelihood of the
origin's rows (with the bias of an origin that is left out averaged over its prior), the largest weights smoothed by a
generalised Pareto tail. Its shape :math:`\hat k` tells whether that is good enough: above 0.7 the model is fitted again
without the origin.

References
----------
Vehtari, Simpson, Gelman, Yao and Gabry (2024), Pareto smoothed importance sampling, JMLR 25(72).
Vehtari, Mononen, Tolvanen, Sivula and Winther (2016), Bayesian leave-one-out cross-validation approximations for
Gaussian latent variable models (integrated importance sampling), JMLR 17(103).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS, Market
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM, Printed
from telemed_forecast.models.odds import logit

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations

RELIABLE = 0.7
"""Largest shape of the weights' tail with which they can be trusted."""

REFIT_PROFILE = "quick"
"""Effort of a fit without an origin whose weights cannot be trusted."""

NARROWER = {"services": "market_size_services", "consultation": "market_size_consultation"}
"""Further headline numbers of the market: column -> target."""

COLUMNS = ("report", "origin", "claims", "method", "khat", "ratio", "below", "z", "headline", "width", *NARROWER)


@dataclass(frozen=True)
class Without(Context):
    """A context in which one origin never said anything about some metrics."""

    origin: str = ""
    metrics: tuple[str, ...] = ()

    @cached_property
    def view(self) -> pd.DataFrame:
        """The rows known on the as-of date, without the origin's."""
        view = super().view
        return view[~((view["origin"] == self.origin) & view["metric"].isin(self.metrics))]


def conflicts(context: Context, results: dict[str, Forecast], *, refit: bool = True) -> pd.DataFrame:
    """Every origin against all others, by model, the one that disagrees most first.

    With `refit` a model is fitted again where weights cannot be trusted.

    Returns
    -------
    ``report``, ``origin`` and its ``claims``; ``method``, how the others' view was found: "weights", "refit",
    "unreliable" (weights whose tail is too heavy, and no fit in their place), or "one_voice": there are no others, and
    all numbers are NaN. ``khat``, shape of the weights' tail; ``ratio``, median, low and high (80%) of the origin's
    figures over what the others let expect (odds ratio for shares); ``below``, the probability that they give to a mean
    figure below the one printed, and ``z``, the same in standard normal units; ``headline`` and ``width``, the
    headline's median at the horizon and the width of its 80% interval (log scale, logit for shares) without the origin
    over those with it; ``services`` and ``consultation``, the same of these medians, NaN for other models.
    """
    found: list[dict[str, Any]] = []
    for name, result in results.items():
        market = MARKETS[name]
        each = [_conflict(context, market, result, voice, refit) for voice in _voices(context, market, result)]
        found += sorted((c for c in each if c), key=lambda c: (-np.nan_to_num(abs(c["z"])), c["origin"]))
    return pd.DataFrame(found, columns=COLUMNS)


def deviation(below: float) -> float:
    """A probability as a deviation in standard normal units."""
    return NormalDist().inv_cdf(min(max(below, 1e-6), 1.0 - 1e-6))


Voice = tuple[str, "Observations", Printed, tuple[np.ndarray, float] | None]
"""An origin, its rows, what the model lets expect of them, and :func:`without` them; None where no other origin is."""


def _voices(context: Context, market: Market, result: Forecast) -> Iterator[Voice]:
    """Every origin of a model with rows within its periods."""
    rows = market.headline(context)
    # A floor says how little there is, not how much.
    rows = rows.where(rows.bounded)
    for origin in sorted(set(rows.origin.tolist())):
        own = rows.where(rows.origin == origin)
        printed = market.module.printed(result, own, heard=False)
        if printed.inside.any():
            yield origin, own, printed, without(printed) if len(own) < len(rows) else None


def fits_again(context: Context) -> bool:
    """Whether models are fitted again where weights cannot be trusted: in the full profile alone."""
    return context.settings.profile == "full"


def in_short(context: Context) -> Context:
    """The context with the effort of a fit without a publisher."""
    return replace(context, settings=replace(context.settings, profile=REFIT_PROFILE))  # type: ignore[type-var]


def untold(context: Context, name: str) -> list[tuple[str, Context]]:
    """The publishers of a model whose weights cannot be trusted, each with the context without it."""
    market = MARKETS[name]
    voices = _voices(context, market, market.run(context))
    return [
        (origin, _left_out(context, own, origin))
        for origin, own, _, weighed in voices
        if weighed is not None and weighed[1] > RELIABLE
    ]


def _left_out(context: Context, own: Observations, origin: str) -> Context:
    """A context without what an origin said of the quantities of these rows."""
    metrics = tuple(sorted(set(own.metric.tolist())))
    return Without(in_short(context).settings, origin, metrics, levers=context.levers)


def _conflict(context: Context, market: Market, result: Forecast, voice: Voice, refit: bool) -> dict[str, Any]:
    """One origin of one model; nothing when a model fitted without it says nothing of its rows."""
    origin, own, printed, weighed = voice
    found: dict[str, Any] = {"report": market.name, "origin": origin, "claims": tuple(own.claim_id.tolist())}
    if weighed is None:
        unknown = dict.fromkeys(("khat", "below", "z", "headline", "width", *NARROWER), np.nan)
        return found | unknown | {"method": "one_voice", "ratio": (np.nan, np.nan, np.nan)}
    weights, khat = weighed
    method = "weights"
    other = result
    if khat > RELIABLE:
        method = "refit" if refit else "unreliable"
    if method == "refit":
        other = market.run(_left_out(context, own, origin))
        again = market.module.printed(other, own, heard=False)
        if not again.inside.any():
            return {}
        printed, size = again, len(again.mu)
        weights = np.full(size, 1.0 / size)
    rng = context.generator(f"conflict {market.name} {origin}")
    ratio, below = against(printed, weights, rng)
    headline, width = effect(_at_horizon(context, result.path), _at_horizon(context, other.path), weights)
    told = {"method": method, "khat": khat, "ratio": ratio, "below": below, "z": deviation(below)}
    narrower = {name: _moved(context, result, other, target, weights) for name, target in NARROWER.items()}
    return found | told | {"headline": headline, "width": width} | narrower


def _moved(context: Context, result: Forecast, other: Forecast, target: str, weights: np.ndarray) -> float:
    """What leaving an origin out does to the median of a further number; NaN where the model has none of that name."""
    if target not in result.paths:
        return np.nan
    return effect(_at_horizon(context, result[target]), _at_horizon(context, other[target]), weights)[0]


def _at_horizon(context: Context, path: Path) -> np.ndarray:
    """A number at the horizon on the log scale (logit for a share). Dims: (sample,)."""
    draws = path.year_end(context.settings.horizon)
    if path.unit != "percent":
        return np.log(draws)
    return logit(draws / 100.0, edge=1e-6)


def without(printed: Printed) -> tuple[np.ndarray, float]:
    """As :func:`left_out`, of rows as the model expects them."""
    return left_out(printed.log_likelihood())


def left_out(log_likelihood: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of the draws without rows of this log likelihood, and the shape of the weights' tail.

    The weights sum to 1; with a shape above `RELIABLE` they rest on too few draws. Dims in and out: (sample,).
    """
    from arviz_stats.base import array_stats

    log_weights, khat = array_stats.psislw(log_likelihood)
    weights = np.exp(log_weights - np.max(log_weights))
    return weights / weights.sum(), float(khat)


def against(
    printed: Printed, weights: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[float, float, float], float]:
    """The printed mean figure against what is expected: their ratio (median, 80% ends) and P(expected < printed)."""
    samples, number = printed.mu.shape
    bias = printed.spread * rng.standard_normal(samples)
    noise = printed.scale * rng.standard_t(DEGREES_OF_FREEDOM, size=(samples, number))
    expected = (printed.mu + noise).mean(axis=1) + bias
    distance = float(printed.middle.mean()) - expected
    low, middle, high = (float(np.exp(q)) for q in quantiles(distance, weights, (0.1, 0.5, 0.9)))
    return (middle, low, high), float(weights[distance > 0].sum())


def effect(before: np.ndarray, after: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """What leaving an origin out does to a headline: its median (ratio) and the width of its 80% interval (ratio)."""
    even, levels = np.full(len(before), 1.0 / len(before)), (0.1, 0.5, 0.9)
    old, new = quantiles(before, even, levels), quantiles(after, weights, levels)
    return float(np.exp(new[1] - old[1])), float((new[2] - new[0]) / (old[2] - old[0]))


def quantiles(values: np.ndarray, weights: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Quantiles of weighted draws. Dims: (sample,), (sample,), (quantile,)."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(levels, reached, values[order])
