r"""Hospital-run against third-party-run: one latent tilt, seen through several measures.

The logit of the hospitals' share in measure :math:`m` in year :math:`t` is

.. math:: \operatorname{logit} s_{m,t} = f_t + o_m + w_{m,t}, \qquad w_{m,t} = w_{m,t-1} + \tau\,\epsilon_{m,t},

a common factor, an offset and a random walk of its own for each measure; the walks share one scale.

The factor is the share by number of internet hospitals, and that is the business of the model of internet hospitals
(:mod:`telemed_forecast.models.internet_hospitals`): its posterior is the prior of :math:`f` here, as a multivariate
normal on the logit, so no count is used twice. What the other measures' evidence would say about the count is little,
because their offsets are wide, and reports leave it out. Beyond the evidence the factor follows the same normal, given
its past.

The measures that nobody publishes are bounded from two sides: encounters by the regulator's visits and what the largest
platform reports, revenue by visits times fees and what listed platforms report. A measure with one figure gets a wide
interval, not the interval of its neighbour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.models import odds
from telemed_forecast.models.likelihood import noise
from telemed_forecast.models.model import Model, Posterior, Rows, Values, claims_of, draws
from telemed_forecast.models.priors import Prior
from telemed_forecast.models.timeline import decimal_year

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations

MEASURES = ("count", "encounters", "preference", "revenue")
"""What the share is a share of; evidence numbered ``len(MEASURES)`` is on newly built internet hospitals."""

GRID = 8
"""Years of history: from the year before the first evidence on any measure but the count (preference, 2019)."""

OFFSET = 2.0
"""sd of a measure's offset against the count (logit): odds may differ by a factor of seven, and of fifty in one measure
of twenty. In 2020 the hospitals had some 70% of internet hospitals and 3% to 14% of encounters (idv-2020-nhc against
pagd-2020h1-consults): odds apart by a factor of 14 to 75."""

WALK = (-1.8, 0.6)
"""Mean and sd of the log of the scale of the walks' yearly steps (logit): 0.17, 90% between 0.06 and 0.44. The share of
public hospitals by count, the only one with several figures, moved by 0.3 in two years (57% to nearly 70%)."""

NEW_OFFSET = (0.3, 0.4)
"""Mean and sd of the offset of the share among newly built internet hospitals (logit): about three in four in January
to April 2021 when nearly 70% of all were hospital-run (ihshare-2021-01-04-center-public)."""

NOISE = (-2.3, 0.6)
"""Mean and sd of the log of the noise on a published share (logit), beside its grade's scale: 0.1."""

JITTER = 1e-6
"""Added to the variances of the factor, so that rounding leaves them a covariance."""

FARTHEST = 7.0
"""Largest logit of a drawn share that enters the factor's moments: one in a thousand of the other side."""


def priors(_: Values) -> dict[str, Prior]:
    """The parameters in the order of the graph."""
    measures = len(MEASURES) - 1
    return {
        "factor_standard": Prior("Normal", (0.0, 1.0), GRID),
        "measure_offset": Prior("Normal", (0.0, OFFSET), measures),
        "new_offset": Prior("Normal", NEW_OFFSET),
        "walk_scale": Prior("LogNormal", WALK),
        "walk_standard": Prior("Normal", (0.0, 1.0), (measures, GRID - 1)),
        "share_noise": Prior("LogNormal", NOISE),
    }


def _derived(p: Values, d: Values, xp: Any) -> dict[str, Any]:
    factor = d["factor_mean"] + (d["factor_root"] * p["factor_standard"][..., None, :]).sum(axis=-1)
    steps = p["walk_scale"][..., None, None] * p["walk_standard"]
    # The offset is that of the first year.
    walk = xp.concatenate([xp.zeros_like(steps[..., :1]), xp.cumsum(steps, axis=steps.ndim - 1)], axis=-1)
    # The grid's years enter no formula; using them keeps every array of the fit in the compiled data.
    return {"factor": factor, "walk": walk, "years_used": d["years"] + xp.zeros_like(factor)}


def _shared(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    # One row a measure; the count has neither offset nor walk, the newly built no walk.
    count = xp.zeros_like(p["factor"])[..., None, :]
    own = p["measure_offset"][..., None] + p["walk"]
    beside = xp.concatenate([count, own, count + p["new_offset"][..., None, None]], axis=-2)
    mu = p["factor"][..., d["share_year"]] + beside[..., d["share_measure"], d["share_year"]]
    return mu, noise(d["share_scale"], p["share_noise"][..., None], xp)


MODEL = Model(priors=priors, derived=_derived, observed={"share": _shared})
"""Shares by measure and bounds on them (log odds)."""

prior_sample = MODEL.prior_sample


def build(data: Any) -> Any:
    """The graph for the arrays of :func:`arrays`."""
    return MODEL.graph(data)


def moments(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the logit of a share over years.

    Parameters
    ----------
    share
        Draws in (0, 1). Dims: (sample, time).
    """
    logit = np.log(share) - np.log1p(-share)
    logit = np.clip(logit, -FARTHEST, FARTHEST)
    covariance = np.cov(logit, rowvar=False).reshape(share.shape[1], share.shape[1])
    return logit.mean(axis=0), covariance + JITTER * np.eye(share.shape[1])


PLATFORM_MULTIPLE = 5.0
"""All platforms together carry at least what the largest one reports and at most five times that: the second to fifth
companies together were smaller than the largest, and smaller ones follow."""

REVENUE_MULTIPLE = 10.0
"""All platforms together earn at most ten times what listed companies report as revenue of online medical services: the
whole consultation market of 2019 was put at ten times what Ping An Good Doctor reported (CNY 9 bn, chyxx-2020-oc-2019,
against 0.86 bn, pagd-2019-oms-share)."""

FEE_SKEW = 2.0
"""The mean fee of a visit is at most twice the highest fee published: those are medians and ordinary fees, and a
quarter of the internet hospitals of 2017 asked CNY 200 or more around a median of 20 (ih-2017-03-median-fee)."""


def arrays(
    factor: tuple[np.ndarray, np.ndarray],
    new: Observations,
    preference: Observations,
    encounters: Sequence[Encounters],
    revenues: Sequence[Revenues],
    last_year: int,
) -> Rows:
    """The arrays of the model from interval evidence.

    Parameters
    ----------
    factor
        Mean and covariance of the factor over the grid's years, as :func:`moments` gives them.
    new, preference
        Hospital share (percent) of newly built internet hospitals, and of users' preferred sponsors.
    encounters, revenues
        What bounds the hospitals' share of encounters and of revenue, by year.
    last_year
        Last year of the grid.

    Returns
    -------
    ``years``, ``factor_mean`` (time,), ``factor_root`` (time, time; lower Cholesky factor of the covariance), and the
    rows share_{low, high} (logit), share_year (index on the grid), share_measure (index in `MEASURES`,
    ``len(MEASURES)`` for newly built), share_scale.
    """
    rows = [
        (_share(low), _share(high), year, measure, scale, claims)
        for measure, part in ((len(MEASURES), new), (MEASURES.index("preference"), preference))
        for low, high, year, scale, claims in zip(
            part.low / 100,
            part.high / 100,
            np.floor(decimal_year(part.end) - 1e-6),
            part.scale(),
            claims_of(part),
            strict=True,
        )
    ]
    for measure, bounds in (("encounters", encounters), ("revenue", revenues)):
        at = MEASURES.index(measure)
        rows += [(_share(b.lowest), _share(b.highest), b.year, at, BOUND_SCALE, b.claims) for b in bounds]
    first = last_year - GRID + 1
    rows = [row for row in rows if first <= row[2] <= last_year]
    # Five columns even when nothing was published yet.
    kept = np.array([row[:5] for row in rows]).reshape(-1, 5)
    mean, covariance = factor
    data = {
        "years": np.arange(first, last_year + 1.0),
        "factor_mean": mean,
        "factor_root": np.linalg.cholesky(covariance),
        "share_low": kept[:, 0],
        "share_high": kept[:, 1],
        "share_year": (kept[:, 2] - first).astype(int),
        "share_measure": kept[:, 3].astype(int),
        "share_scale": kept[:, 4],
    }
    return Rows(data, {"share": [row[5] for row in rows]})


BOUND_SCALE = 0.3
"""Noise scale (logit) at the ends of a bound: person-times and persons are mixed up in the sources."""


@dataclass(frozen=True)
class Encounters:
    """What bounds the hospitals' share of online encounters in one year.

    Attributes
    ----------
    year
        Calendar year.
    hospitals
        (low, high) encounters a year that the regulator counts at internet hospitals.
    largest_platform
        Encounters a year that the largest platform reports.
    claims
        The claim ids of the rows.
    """

    year: int
    hospitals: tuple[float, float]
    largest_platform: float
    claims: tuple[str, ...]

    @property
    def lowest(self) -> float:
        """Share if the platforms together carry `PLATFORM_MULTIPLE` times the largest."""
        return self.hospitals[0] / (self.hospitals[0] + PLATFORM_MULTIPLE * self.largest_platform)

    @property
    def highest(self) -> float:
        """Share if there were no other platform than the largest."""
        return self.hospitals[1] / (self.hospitals[1] + self.largest_platform)


def encounters_by_year(hospital_visits: Observations, platform_daily: Observations) -> list[Encounters]:
    """Pair the regulator's yearly visits with the largest platform of the year.

    Parameters
    ----------
    hospital_visits
        National encounters at internet hospitals, calendar years.
    platform_daily
        Consultations per day by platform; periods of at least half a year count, so that a surge's peak does not.
    """
    days = (platform_daily.end - platform_daily.start).astype(int) + 1
    year = platform_daily.end.astype("datetime64[Y]").astype(int) + 1970
    found = []
    for k in range(len(hospital_visits)):
        own = int(hospital_visits.end[k].astype("datetime64[Y]").astype(int) + 1970)
        rivals = np.flatnonzero((year == own) & (days >= 181))
        if len(rivals):
            largest = rivals[np.argmax(platform_daily.low[rivals])]
            found.append(
                Encounters(
                    own,
                    (float(hospital_visits.low[k]), float(hospital_visits.high[k])),
                    float(365.0 * platform_daily.low[largest]),
                    (str(hospital_visits.claim_id[k]), str(platform_daily.claim_id[largest])),
                )
            )
    return found


@dataclass(frozen=True)
class Revenues:
    """What bounds the hospitals' share of revenue from online visits in one year.

    Attributes
    ----------
    year
        Calendar year.
    visits
        (low, high) encounters that the regulator counts at internet hospitals.
    fees
        (low, high) of the mean fee of a visit, CNY.
    platforms
        Revenue of online medical services that listed companies report, CNY million.
    claims
        The claim ids of the rows.
    """

    year: int
    visits: tuple[float, float]
    fees: tuple[float, float]
    platforms: float
    claims: tuple[str, ...]

    @property
    def hospitals(self) -> tuple[float, float]:
        """(low, high) revenue of the hospitals, CNY million."""
        return self.visits[0] * self.fees[0] / 1e6, self.visits[1] * self.fees[1] / 1e6

    @property
    def lowest(self) -> float:
        """Share if all platforms earn `REVENUE_MULTIPLE` times what listed ones report."""
        return self.hospitals[0] / (self.hospitals[0] + REVENUE_MULTIPLE * self.platforms)

    @property
    def highest(self) -> float:
        """Share if no platform earned more than the listed ones report."""
        return self.hospitals[1] / (self.hospitals[1] + self.platforms)


def revenues_by_year(
    hospital_visits: Observations, fees: Sequence[Observations], platforms: Mapping[int, tuple[float, tuple[str, ...]]]
) -> list[Revenues]:
    """Pair the regulator's yearly visits with the platforms' revenue of the year.

    Parameters
    ----------
    hospital_visits
        National encounters at internet hospitals, calendar years.
    fees
        Fees of a visit at internet hospitals, CNY; free ones, of fever clinics in the epidemic, are no fee.
    platforms
        Calendar year -> (CNY million, claim ids): what listed companies report as revenue of online medical services.
    """
    paid = [
        (low, high, str(claim))
        for part in fees
        for low, high, claim in zip(part.low, part.high, part.claim_id, strict=True)
        if high > 1.0
    ]
    if not paid:
        return []
    span = (float(min(low for low, *_ in paid)), FEE_SKEW * float(max(high for _, high, _ in paid)))
    found = []
    for k in range(len(hospital_visits)):
        year = int(hospital_visits.end[k].astype("datetime64[Y]").astype(int) + 1970)
        if year in platforms and platforms[year][0] > 0:
            visits = (float(hospital_visits.low[k]), float(hospital_visits.high[k]))
            claims = (str(hospital_visits.claim_id[k]), *(claim for *_, claim in paid), *platforms[year][1])
            found.append(Revenues(year, visits, span, platforms[year][0], tuple(dict.fromkeys(claims))))
    return found


def _share(value: float) -> float:
    """Logit of a share, kept off the ends: no published share is certain to better than one in a thousand."""
    return float(odds.logit(value, edge=0.001))


def project(
    posterior: Posterior,
    factor: tuple[np.ndarray, np.ndarray],
    *,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Carry the factor and the walks forward.

    Parameters
    ----------
    posterior
        Draws with the dims (sample, ...).
    factor
        Mean and covariance of the factor over history and future (:func:`moments`). Dims: (time,), (time, time).
    rng
        Source of the future's steps.

    Returns
    -------
    Hospital share by measure. Dims: (sample, time) over history and future.
    """
    p = draws(posterior)
    mean, covariance = factor
    size, ahead = len(p["factor"]), len(mean) - GRID
    # The normal distribution of the future, given the past of each draw.
    slope = np.linalg.solve(covariance[:GRID, :GRID], covariance[:GRID, GRID:])
    left = covariance[GRID:, GRID:] - covariance[GRID:, :GRID] @ slope
    root = np.linalg.cholesky(0.5 * (left + left.T) + JITTER * np.eye(ahead))
    expected = mean[GRID:] + (p["factor"] - mean[:GRID]) @ slope
    path = np.concatenate([p["factor"], expected + rng.standard_normal((size, ahead)) @ root.T], axis=1)
    steps = p["walk_scale"][:, None, None] * rng.standard_normal((size, len(MEASURES) - 1, ahead))
    walk = np.concatenate([p["walk"], p["walk"][:, :, -1:] + np.cumsum(steps, axis=2)], axis=2)
    logit = path[:, None, :] + p["measure_offset"][:, :, None] + walk
    shares = [path, *np.moveaxis(logit, 1, 0)]
    return {name: odds.expit(value) for name, value in zip(MEASURES, shares, strict=True)}


def rising(share: np.ndarray, *, now: int) -> np.ndarray:
    """Probability that the share lies above its value at position `now`. Dims in: (sample, time); out: (time,)."""
    return (share > share[:, now : now + 1]).mean(axis=0)


def majority(share: np.ndarray) -> np.ndarray:
    """Probability that the hospitals hold more than half. Dims in: (sample, time); out: (time,)."""
    return (share > 0.5).mean(axis=0)
