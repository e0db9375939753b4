r"""Hospital-run against third-party-run: one latent tilt, seen through several measures.

The logit of the hospitals' share in measure :math:`m` in year :math:`t` is

.. math:: \operatorname{logit} s_{m,t} = f_t + o_m, \qquad f_t = f_{t-1} + d + \omega\,\epsilon_t,

a common factor (random walk with drift) and an offset for each measure: the number of internet hospitals,
encounters, users' preference. Each measure is identified only as far as its own evidence goes, and the offsets are
wide, so a measure with one figure gets a wide interval, not the interval of its neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.models.likelihood import interval_logp
from telemed_forecast.models.timeline import decimal_year

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.evidence.observations import Observations

MEASURES = ("count", "encounters", "preference")
"""What the share is a share of; the last offset column is that of newly built hospitals."""

GRID = 10
"""Years of history."""

LEVEL = (0.3, 0.8)
"""Mean and sd of the factor in its first year (logit): 57% hospital-run, 90% of it between 27% and 83%."""

DRIFT = (0.0, 0.15)
"""Mean and sd of the drift a year (logit): no direction is assumed."""

VOLATILITY = (-1.8, 0.6)
"""Mean and sd of the log of the yearly shocks' scale (logit): 0.17, 90% between 0.06 and 0.44."""

OFFSET = 0.8
"""sd of a measure's offset against the count (logit): a measure may differ by a factor of five in odds."""

NEW_OFFSET = (0.3, 0.4)
"""Mean and sd of the offset of the share among newly built internet hospitals (logit)."""

NOISE = (-2.3, 0.6)
"""Mean and sd of the log of the noise on a published share (logit), beside its grade's scale: 0.1."""


def build(data: Any) -> Any:
    """The model of the hospitals' share.

    Parameters
    ----------
    data
        Arrays: ``years`` (time,), evidence share_{low, high} (logit), share_year (index on the grid), share_measure
        (index in MEASURES, len(MEASURES) for newly built), share_scale.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}
        start = pm.Normal("factor_start", *LEVEL)
        drift = pm.Normal("factor_drift", *DRIFT)
        volatility = pm.LogNormal("factor_volatility", *VOLATILITY)
        standard = pm.Normal("factor_standard", 0.0, 1.0, shape=GRID - 1)
        walk = pt.concatenate([pt.zeros(1), pt.cumsum(drift + volatility * standard)])
        factor = pm.Deterministic("factor", start + walk)
        offset = pm.Normal("measure_offset", 0.0, OFFSET, shape=len(MEASURES) - 1)
        new = pm.Normal("new_offset", *NEW_OFFSET)
        offsets = pt.concatenate([pt.zeros(1), offset, new[None]])
        noise = pm.LogNormal("share_noise", *NOISE)
        mu = factor[d["share_year"]] + offsets[d["share_measure"]]
        scale = pt.sqrt(d["share_scale"] ** 2 + noise**2)
        logp = interval_logp(d["share_low"], d["share_high"], mu, scale, pt)
        pm.Potential("share_evidence", logp.sum())
        # The grid's years enter no formula; using them keeps every array of the fit in the compiled data.
        pm.Deterministic("years_used", d["years"] * 1.0)
    return model


PLATFORM_MULTIPLE = 5.0
"""All platforms together carry at least what the largest one reports and at most five times that: the second to fifth
companies together were smaller than the largest, and smaller ones follow."""


def arrays(
    counts: Observations, new: Observations, preference: Observations, encounters: Sequence[Encounters], last_year: int
) -> dict[str, np.ndarray]:
    """The arrays of :func:`build` from interval evidence.

    Parameters
    ----------
    counts, new, preference
        Hospital share (percent) of internet hospitals, of newly built ones, and of users' preferred sponsors.
    encounters
        Yearly encounters at hospitals and at the largest platform.
    last_year
        Last year of the grid.
    """
    rows = [
        (_share(low), _share(high), year, measure, scale)
        for measure, part in ((0, counts), (len(MEASURES), new), (2, preference))
        for low, high, year, scale in zip(
            part.low / 100, part.high / 100, np.floor(decimal_year(part.end) - 1e-6), part.scale(), strict=True
        )
    ]
    rows += [(_share(e.lowest), _share(e.highest), e.year, 1, ENCOUNTER_SCALE) for e in encounters]
    first = last_year - GRID + 1
    # Five columns even when nothing was published yet.
    kept = np.array([row for row in rows if first <= row[2] <= last_year]).reshape(-1, 5)
    return {
        "years": np.arange(first, last_year + 1.0),
        "share_low": kept[:, 0],
        "share_high": kept[:, 1],
        "share_year": (kept[:, 2] - first).astype(int),
        "share_measure": kept[:, 3].astype(int),
        "share_scale": kept[:, 4],
    }


ENCOUNTER_SCALE = 0.3
"""Noise scale (logit) of an encounter share: person-times and persons are mixed up in the sources."""


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


def _share(value: float) -> float:
    """Logit of a share, kept off the ends: no published share is certain to better than one in a thousand."""
    inside = min(max(float(value), 0.001), 0.999)
    return float(np.log(inside / (1.0 - inside)))


def project(posterior: Dataset, *, years_ahead: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Carry the factor forward: hospital share of each measure, dims (sample, time) over history and future."""
    p = {name: np.asarray(values) for name, values in posterior.items()}
    shape = (len(p["factor_start"]), years_ahead)
    steps = p["factor_drift"][:, None] + p["factor_volatility"][:, None] * rng.standard_normal(shape)
    future = p["factor"][:, -1:] + np.cumsum(steps, axis=1)
    factor = np.concatenate([p["factor"], future], axis=1)
    offsets = np.concatenate([np.zeros((shape[0], 1)), p["measure_offset"]], axis=1)
    logit = factor[:, :, None] + offsets[:, None, :]
    shares = 1.0 / (1.0 + np.exp(-logit))
    return {name: shares[:, :, k] for k, name in enumerate(MEASURES)}


def rising(share: np.ndarray, *, now: int) -> np.ndarray:
    """Probability that the share lies above its value at position `now`. Dims in: (sample, time); out: (time,)."""
    return (share > share[:, now : now + 1]).mean(axis=0)


def majority(share: np.ndarray) -> np.ndarray:
    """Probability that the hospitals hold more than half. Dims in: (sample, time); out: (time,)."""
    return (share > 0.5).mean(axis=0)
