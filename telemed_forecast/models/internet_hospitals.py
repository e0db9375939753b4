r"""Internet hospitals: licences that diffuse through the hospitals which could hold one.

The official count is a growth process below a ceiling :math:`K_t = \kappa\, n_t`: of the secondary and tertiary
hospitals :math:`n_t` (themselves counted and carried forward) and the firms beside them, a share :math:`\kappa`
ends with a licence; :math:`\kappa` may pass one half but is not known. Counts by others (web census,
consultancies, broadcasters) speak of other definitions: each origin has its own offset, partially pooled towards
none. Rounded floors on announcement days ("more than 1,600") are intervals; a learned noise covers that the day
of a count is often not the day on which it was announced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.growth import growth_process, simulate
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM, interval_logp
from telemed_forecast.models.priors import growth_prior
from telemed_forecast.models.timeline import carried, decimal_year, half_year_at_or_after, half_years

if TYPE_CHECKING:
    from xarray import Dataset

    from telemed_forecast.evidence.observations import Observations

STEP = 0.5
"""[years]"""

GRID = 19
"""Steps of history: nine years, from the first counted internet hospitals."""

CEILING_SHARE = (0.0, 1.0)
"""Mean and sd of logit(kappa): 90% between 16% and 84% of secondary and tertiary hospitals."""

ORIGINS = 16
"""Slots for counters beside the official one; the number is fixed so that one compiled model serves every date. An
empty slot has its prior."""

ORIGIN_SPREAD = (-1.2, 0.5)
"""Mean and sd of the log of the spread between counters (log scale): a third, 90% between 0.13 and 0.7. That
counters differ is certain, so zero is left out."""

REPORTING_NOISE = (-2.7, 0.6)
"""Mean and sd of the log of the noise from announcement days and revisions (log scale): 7%, or 2.5% to 18%."""


def build(data: Any) -> Any:
    """The model of the number of internet hospitals.

    Parameters
    ----------
    data
        Arrays: log_pool (time,), count_guess (time,), and the evidence count_{low, high} (log hospitals),
        count_at (grid position), count_scale, count_origin (0 is the official count, at most ORIGINS).
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}
        share = pm.Normal("count_logit_ceiling", *CEILING_SHARE)
        process = growth_process(
            "count",
            guess=d["count_guess"],
            log_ceiling=d["log_pool"] + pt.log(pm.math.sigmoid(share)),
            step=STEP,
            prior=growth_prior("penetration"),
        )
        spread = pm.LogNormal("origin_spread", *ORIGIN_SPREAD)
        standard = pm.Normal("origin_standard", 0.0, 1.0, shape=ORIGINS)
        offset = pm.Deterministic("origin_offset", spread * standard)
        noise = pm.LogNormal("reporting_noise", *REPORTING_NOISE)
        all_offsets = pt.concatenate([pt.zeros(1), offset])
        mu = on_grid(process.log_level, d["count_at"], pt) + all_offsets[d["count_origin"]]
        scale = pt.sqrt(d["count_scale"] ** 2 + noise**2)
        logp = interval_logp(d["count_low"], d["count_high"], mu, scale, pt)
        pm.Potential("count_evidence", logp.sum())
    return model


OFFICIAL = ("nhc", "ntimc", "cnnic")
"""Origins whose count is the official one: the regulator, its telemedicine centre, and the survey office quoting it."""

POOL_PACE = 0.5
"""Part of the latest known growth of secondary and tertiary hospitals that goes on after their last count. Growth of a
mature stock slows; half is a middle between standing still and going on, and the ceiling's own width is far larger."""


def arrays(counts: Observations, pool: Sequence[Observations]) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of :func:`build` from interval evidence, and the names of the counters with an offset.

    Parameters
    ----------
    counts
        National counts of internet hospitals.
    pool
        Counts of eligible hospitals, one series for each level (secondary, tertiary).
    """
    year = decimal_year(counts.end)
    grid = half_years(grid_end(counts), GRID)
    inside = (year >= grid[0]) & (year <= grid[-1] + 0.01)
    counts, year = counts.where(inside), year[inside]
    others = sorted({o for o in counts.origin.tolist() if o not in OFFICIAL})
    origin = np.array([0 if o in OFFICIAL else 1 + others.index(o) for o in counts.origin.tolist()], dtype=int)
    middle = np.log(0.5 * (counts.low + counts.high))
    official = np.flatnonzero(origin == 0) if (origin == 0).sum() > 1 else np.arange(len(origin))
    order = official[np.argsort(year[official])]
    data = {
        "log_pool": np.log(eligible(pool, grid)),
        "count_guess": np.interp(grid, *_first_guess(year[order], middle[order], grid[0])),
        "count_low": np.log(counts.low),
        "count_high": np.log(counts.high),
        "count_at": np.clip((year - grid[0]) / STEP, 0.0, GRID - 1.0),
        "count_scale": counts.scale(),
        "count_origin": origin,
    }
    return data, others


def grid_end(counts: Observations) -> float:
    """Decimal year of the last grid point: the half-year's end at or after the newest count."""
    return half_year_at_or_after(float(decimal_year(counts.end).max()))


def eligible(pool: Sequence[Observations], years: np.ndarray) -> np.ndarray:
    """Hospitals that can hold a licence, all levels together, on a grid of decimal years. Dims: (time,)."""
    levels = [carried(o.end, 0.5 * (o.low + o.high), years, pace=POOL_PACE) for o in pool]
    return np.sum(levels, axis=0)


def _first_guess(year: np.ndarray, middle: np.ndarray, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Years and log counts around which the sampler starts, led back before the first count by a quarter a year."""
    lead = year[0] - start
    if lead <= 0:
        return year, middle
    return np.concatenate([[start], year]), np.concatenate([[middle[0] - 0.3 * lead], middle])


def project(
    posterior: Dataset,
    data: Mapping[str, np.ndarray],
    *,
    log_pool_ahead: np.ndarray,
    rng: np.random.Generator,
    pace: float = 1.0,
) -> dict[str, np.ndarray]:
    """Carry the count forward.

    Parameters
    ----------
    posterior
        Draws with the dims (sample, ...).
    data
        The arrays of the fit.
    log_pool_ahead
        Log number of eligible hospitals at the start of each future step and at the end of the last. Dims: (step + 1,).
    rng
        Source of the future shocks.
    pace
        Lever: factor on the imitation rate in the forecast.

    Returns
    -------
    ``count``, ``published`` (the count as it would be announced) and ``share_of_pool``, dims (sample, time) over past
    and future; today's ``ceiling``, dims (sample,).
    """
    p = {name: np.asarray(values) for name, values in posterior.items()}
    reach = -np.log1p(np.exp(-p["count_logit_ceiling"]))[:, None]
    future = simulate(
        log_level=p["count_log_level"][:, -1],
        deviation=p["count_deviation"][:, -1],
        log_ceiling=log_pool_ahead[None, :-1] + reach,
        rate=pace * p["count_rate"],
        **{k: p[f"count_{k}"] for k in ("theta", "innovation", "sigma", "rho")},
        prior=growth_prior("penetration"),
        step=STEP,
        rng=rng,
    )
    log_count = np.concatenate([p["count_log_level"], future], axis=1)
    log_pool = np.concatenate([data["log_pool"], log_pool_ahead[1:]])
    noise = p["reporting_noise"][:, None] * rng.standard_t(DEGREES_OF_FREEDOM, size=log_count.shape)
    return {
        "count": np.exp(log_count),
        "published": np.exp(log_count + noise),
        "share_of_pool": np.exp(log_count - log_pool),
        "ceiling": np.exp(log_pool_ahead[0] + reach[:, 0]),
    }
