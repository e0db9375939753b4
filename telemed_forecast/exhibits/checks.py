"""What the model said before the evidence, and how the evidence lies in what it says now."""

from __future__ import annotations

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.predictive_checks import Check, check
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits.evidence import claims_of, origin_name, published_points
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.forecasts import bands, share_of
from telemed_forecast.exhibits.numbers import value
from telemed_forecast.exhibits.values import Fact
from telemed_forecast.forecast.paths import Path

PARTS = 5
"""Equal parts of the probability scale in which published figures are counted."""

TAIL = 0.025
"""A figure with less than this on one side is named: one in twenty of a model that is right."""


INTERVALS = ("low50", "high50", "low80", "high80", "low95", "high95")


def exhibits(
    name: str,
    path: Path,
    prior: np.ndarray,
    predictive: np.ndarray,
    observations: Observations,
    points: Observations | None = None,
) -> list[Exhibit]:
    """The checks of one model.

    Parameters
    ----------
    name
        Prefix of the names (``users``).
    path
        The headline quantity: names the periods and the unit.
    prior
        The headline quantity on the first periods of `path`, drawn from the prior alone. Dims: (sample, time).
    predictive
        What would be printed in place of each observation. Dims: (sample, obs).
    observations
        The published figures.
    points
        Those of them that speak of the headline quantity as it stands; all of them when left out.
    """
    checked = check(predictive, observations)
    found = [_prior(f"{name}_prior", path, prior, observations if points is None else points)]
    if not len(checked.known):
        return found
    found.append(_ranks(f"{name}_ranks", checked, observations))
    surprising = checked.surprising(TAIL)
    return [*found, _surprises(f"{name}_surprises", checked, observations, surprising)] if len(surprising) else found


def numbers(predictive: np.ndarray, observations: Observations) -> dict[str, Fact]:
    """How many figures were checked, and how many of them the central intervals hold."""
    checked = check(predictive, observations)
    known = len(checked.known)
    inside = {
        f"checks_inside{level}": share_of(checked.inside(level / 100)) if known else None for level in (50, 80, 95)
    }
    return {"checks_number": known, **inside}


def _prior(name: str, path: Path, prior: np.ndarray, points: Observations) -> Exhibit:
    """Bands of the prior alone, with the published figures that it did not know."""
    periods = path.periods[: prior.shape[1]]
    # A figure from before the grid says nothing about the prior on it.
    inside = points.where(points.end >= np.datetime64(periods[0]))
    return Exhibit(
        name=name,
        frame=bands(periods, prior)[["period", "median", *INTERVALS]],
        claims=claims_of(inside),
        units={"median": path.unit},
        facts={"end": periods[-1].isoformat(), "value": value(prior[:, -1], path.unit, 0.95)},
        layers={"points": published_points(inside, 1.0, periods[0].year)} if len(inside) else {},
    )


def _ranks(name: str, checked: Check, observations: Observations) -> Exhibit:
    """How many figures lie in each fifth of what the model would have printed."""
    counts = checked.parts(PARTS)
    return Exhibit(
        name=name,
        frame=pd.DataFrame({"category": [f"part_{k}" for k in range(PARTS)], "value": [int(n) for n in counts]}),
        claims=claims_of(observations),
        facts={"number": len(checked.known), "reference": len(checked.known) / PARTS},
    )


def _surprises(name: str, checked: Check, observations: Observations, found: np.ndarray) -> Exhibit:
    """The figures that the model would hardly have printed."""
    frame = pd.DataFrame(
        {
            "day": [str(observations.end[k])[:10] for k in found],
            "origin": [origin_name(observations.origin[k]) for k in found],
            "grade": [str(observations.grade[k]) for k in found],
            "below": [float(checked.rank[k]) for k in found],
            "claim_id": [str(observations.claim_id[k]) for k in found],
        }
    )
    return Exhibit(name=name, frame=frame, claims=tuple(frame["claim_id"]))
