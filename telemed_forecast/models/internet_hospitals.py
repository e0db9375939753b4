r"""Internet hospitals: licences that diffuse through the hospitals, and beside them through firms.

Two sponsors, two growth processes of the one engine. Hospital-run internet hospitals :math:`H_t` stay below a share
:math:`\kappa` of the secondary and tertiary hospitals :math:`n_t` (themselves counted and carried forward);
:math:`\kappa` may pass one half but is not known. Those run by third parties, :math:`E_t`, stay below a multiple
:math:`\lambda` of :math:`n_t`: a firm's internet hospital has to rest on a physical hospital, so their number is the
measure of how many there can be, but nobody has counted the firms.

A published count speaks of :math:`H_t + E_t`, a share of :math:`H_t / (H_t + E_t)`, a count of one sponsor of that
sponsor. Counts by others (web census, consultancies, broadcasters) speak of other definitions: each origin has its own
offset, partially pooled towards none and the same for both sponsors. Rounded floors on announcement days ("more than
1,600") are intervals; a learned noise covers that the day of a count is often not the day on which it was announced.

Dated policy adds to the growth of both (see :mod:`telemed_forecast.models.licensing_policy`): each event has an effect
of its own, and all arrive at one common pace.

The share of hospital-run among newly built ones is left to :mod:`telemed_forecast.models.channel_share`: a ratio of two
increments has no distribution where the total may stand still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.models import licensing_policy, odds
from telemed_forecast.models.adoption import on_grid
from telemed_forecast.models.growth import PATH_UNIT, growth_process, prior_paths, simulate
from telemed_forecast.models.licensing_policy import EVENTS, NO_EVENTS, Events
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

SPONSORS = ("hospital", "firm")
"""Prefixes of the two processes: run by hospitals, run by third parties."""

CLASS = "online_service"
"""Reference class of both sponsors: licences to see patients online spread among Chinese hospitals as other services
spread online among the same people. The technologies of all countries, decades of infrastructure, are slower: with
them as prior the forecasts of the end of 2022 put the count of 2025 too low."""

CEILING_SHARE = (0.0, 1.0)
"""Mean and sd of logit(kappa): 90% between 16% and 84% of secondary and tertiary hospitals."""

FIRM_CEILING = (-2.1, 0.9)
"""Mean and sd of log(lambda): an eighth as many as there are secondary and tertiary hospitals (about 1,700 today), 90%
between a 37th (380) and a half (7,500). The only counts of firms are local: 29 in Yinchuan (`firms-yinchuan-29`), 11
run by firms and private bodies in Ningbo (`ih-zhejiang_ningbo_private_other`); 30 provinces with 11 to 29 a large city
and one to three such cities are 330 to 2,600. One firm may hold many licences (33, `ih-2022-09-wedoctor`)."""

SPLIT_AT_FIRST = 0.5
"""Hospital-run share around which the start of both processes lies: no side is preferred. Their own starting spread (a
log point each) makes it 9% to 91% (90%)."""

ORIGINS = 16
"""Slots for counters beside the official one; the number is fixed so that one compiled model serves every date. An
empty slot has its prior."""

ORIGIN_SPREAD = (-1.2, 0.5)
"""Mean and sd of the log of the spread between counters (log scale): a third, 90% between 0.13 and 0.7. That
counters differ is certain, so zero is left out."""

REPORTING_NOISE = (-2.7, 0.6)
"""Mean and sd of the log of the noise from announcement days and revisions (log scale): 7%, or 2.5% to 18%."""

SHARE_NOISE = (-2.3, 0.6)
"""Mean and sd of the log of the noise on a published share (logit), beside its grade's scale: 0.1, or 0.04 to 0.27;
"public" and "hospital-run" are not quite the same."""


def build(data: Any) -> Any:
    """The model of the number of internet hospitals by sponsor.

    Parameters
    ----------
    data
        Arrays: log_pool (time,), hospital_guess and firm_guess (time,), event_direction (event,), event_since
        (event, time; years); the evidence count_{low, high} (log hospitals), count_at (grid position), count_scale,
        count_origin (0 is the official count, at most ORIGINS), count_part (0 both sponsors, 1 hospital-run); the
        evidence share_{low, high} (logit of the hospital-run share), share_at, share_scale.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        d = {name: pm.Data(name, value) for name, value in data.items()}
        size = pm.HalfNormal("event_size", licensing_policy.SIZE, shape=EVENTS)
        effect = pm.Deterministic("event_effect", d["event_direction"] * size)
        fade = pm.LogNormal("policy_fade", *licensing_policy.FADE)
        shock = (effect[:, None] * licensing_policy.acting(d["event_since"], fade, STEP, pt)).sum(axis=0)
        growth = {"step": STEP, "prior": growth_prior(CLASS), "shock": shock}
        logit = pm.Normal("hospital_logit_ceiling", *CEILING_SHARE)
        ratio = pm.Normal("firm_log_ceiling", *FIRM_CEILING)
        reach = {"hospital": pt.log(pm.math.sigmoid(logit)), "firm": ratio}
        sigma = {s: pm.LogNormal(f"{s}_sigma", *growth_prior(CLASS).log_sigma) for s in SPONSORS}
        path = _paths(d, sigma)
        level = {
            sponsor: growth_process(
                sponsor,
                guess=d[f"{sponsor}_guess"],
                log_ceiling=d["log_pool"] + reach[sponsor],
                sigma=sigma[sponsor],
                path=path[sponsor],
                **growth,
            ).log_level
            for sponsor in SPONSORS
        }
        _count_evidence(d, level)
        noise = pm.LogNormal("share_noise", *SHARE_NOISE)
        mu = on_grid(level["hospital"], d["share_at"], pt) - on_grid(level["firm"], d["share_at"], pt)
        scale = pt.sqrt(d["share_scale"] ** 2 + noise**2)
        pm.Potential("share_evidence", interval_logp(d["share_low"], d["share_high"], mu, scale, pt).sum())
    return model


FIRST_UNIT = 1.4
"""[log odds] Unit of the sampler's coordinate of the first split: its spread before the evidence."""

SPLIT_UNIT = 0.15
"""[log odds] Unit of the sampler's coordinates of the split's changes, for shocks of size one: about what half a
year of slow growth brings."""


def _paths(d: Mapping[str, Any], sigma: Mapping[str, Any]) -> dict[str, Any]:
    """Log levels of both sponsors in coordinates that suit the evidence, with a flat base measure. Dims: (time,).

    The counts know the sum of both sponsors well and their split hardly: the sum is a coordinate as it stands, the
    split one in units of its own shocks, or the sampler would have to follow a funnel. Sum and log odds have the same
    volume as the two log levels; the units' volume is given back.
    """
    import pymc as pm
    import pytensor.tensor as pt

    both = pt.logaddexp(d["hospital_guess"], d["firm_guess"]) + PATH_UNIT * pm.Flat("count_path", shape=GRID)
    raw = pm.Flat("split_path", shape=GRID)
    log_unit = 0.5 * (pt.log(sigma["hospital"]) + pt.log(sigma["firm"]))
    changes = pt.concatenate([FIRST_UNIT * raw[:1], SPLIT_UNIT * pt.exp(log_unit) * raw[1:]])
    split = d["hospital_guess"] - d["firm_guess"] + pt.cumsum(changes)
    pm.Potential("split_volume", (GRID - 1) * log_unit)
    return {"hospital": both - pt.softplus(-split), "firm": both - pt.softplus(split)}


def _count_evidence(d: Mapping[str, Any], level: Mapping[str, Any]) -> None:
    """Add the likelihood of the counts to the model on the context stack."""
    import pymc as pm
    import pytensor.tensor as pt

    spread = pm.LogNormal("origin_spread", *ORIGIN_SPREAD)
    standard = pm.Normal("origin_standard", 0.0, 1.0, shape=ORIGINS)
    offset = pm.Deterministic("origin_offset", spread * standard)
    noise = pm.LogNormal("reporting_noise", *REPORTING_NOISE)
    all_offsets = pt.concatenate([pt.zeros(1), offset])
    own = on_grid(level["hospital"], d["count_at"], pt)
    both = pt.logaddexp(own, on_grid(level["firm"], d["count_at"], pt))
    mu = pt.where(pt.eq(d["count_part"], 1), own, both) + all_offsets[d["count_origin"]]
    scale = pt.sqrt(d["count_scale"] ** 2 + noise**2)
    pm.Potential("count_evidence", interval_logp(d["count_low"], d["count_high"], mu, scale, pt).sum())


OFFICIAL = ("nhc", "ntimc", "cnnic", "cac")
"""Origins whose count is the official one: the regulator, its telemedicine centre, and the survey office and the office
over it quoting it."""

FAR = 1000.0
"""Factor at which the upper end of a floor is put, which has none: further than any count can be."""

HOSPITAL_RUN = "hospital_run"
"""Segment of counts and shares that speak of hospital-run internet hospitals only."""

POOL_PACE = 0.5
"""Part of the latest known growth of secondary and tertiary hospitals that goes on after their last count. Growth of a
mature stock slows; half is a middle between standing still and going on, and the ceiling's own width is far larger."""


def arrays(
    counts: Observations,
    pool: Sequence[Observations],
    shares: Observations | None = None,
    events: Events = NO_EVENTS,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of :func:`build` from interval evidence, and the names of the counters with an offset.

    Parameters
    ----------
    counts
        National counts of internet hospitals, of both sponsors or (segment `HOSPITAL_RUN`) of the hospitals alone.
    pool
        Counts of eligible hospitals, one series for each level (secondary, tertiary).
    shares
        Hospital-run share (percent) of internet hospitals.
    events
        Policy that had happened by the as-of date.
    """
    grid = half_years(grid_end(counts), GRID)
    shares = counts.where(np.zeros(len(counts), dtype=bool)) if shares is None else shares
    counts, year = _inside(counts, grid)
    shares, share_year = _inside(shares, grid)
    others = counters(counts)
    origin = origin_slots(counts, others)
    part = parts(counts)
    middle = np.log(0.5 * (counts.low + counts.high))
    official = np.flatnonzero((origin == 0) & (part == 0) & counts.bounded)
    official = official if len(official) > 1 else np.flatnonzero((part == 0) & counts.bounded)
    order = official[np.argsort(year[official])]
    both = np.interp(grid, *_first_guess(year[order], middle[order], grid[0]))
    split = _first_split(share_year, shares, grid)
    data = {
        "log_pool": np.log(eligible(pool, grid)),
        "hospital_guess": both - np.log1p(np.exp(-split)),
        "firm_guess": both - np.log1p(np.exp(split)),
        "event_direction": licensing_policy.directions(events),
        "event_since": licensing_policy.years_since(events, grid),
        "count_low": np.log(counts.low),
        "count_high": np.log(np.where(counts.bounded, counts.high, FAR * counts.low)),
        "count_at": np.clip((year - grid[0]) / STEP, 0.0, GRID - 1.0),
        "count_scale": counts.scale(),
        "count_origin": origin,
        "count_part": part,
        "share_low": logit(shares.low),
        "share_high": logit(shares.high),
        "share_at": np.clip((share_year - grid[0]) / STEP, 0.0, GRID - 1.0),
        "share_scale": shares.scale(),
    }
    return data, others


def _inside(observations: Observations, grid: np.ndarray) -> tuple[Observations, np.ndarray]:
    """The figures on the grid, and their decimal years."""
    year = decimal_year(observations.end)
    inside = (year >= grid[0]) & (year <= grid[-1] + 0.01)
    return observations.where(inside), year[inside]


def counters(counts: Observations) -> list[str]:
    """Origins of the counts other than the official one, in the order of their slots."""
    return sorted({o for o in counts.origin.tolist() if o not in OFFICIAL})


def origin_slots(counts: Observations, others: Sequence[str]) -> np.ndarray:
    """Slot of each count's origin: 0 the official one, 1.. as in `others`, -1 an origin not among them."""
    slot = {name: k for k, name in enumerate(others, start=1)} | dict.fromkeys(OFFICIAL, 0)
    return np.array([slot.get(o, -1) for o in counts.origin.tolist()], dtype=int)


def parts(counts: Observations) -> np.ndarray:
    """Which sponsors each count speaks of: 0 both, 1 hospitals alone. Dims: (obs,)."""
    return (counts.segment == HOSPITAL_RUN).astype(int)


def logit(percent: np.ndarray) -> np.ndarray:
    """Log odds of a share in percent; no published share is certain to better than one in a thousand."""
    return odds.logit(np.asarray(percent, dtype=float) / 100.0, edge=0.001)


def _first_split(year: np.ndarray, shares: Observations, grid: np.ndarray) -> np.ndarray:
    """Log odds of the hospital-run share around which the sampler starts. Dims: (time,)."""
    order = np.argsort(year)
    known = logit(0.5 * (shares.low + shares.high))[order]
    at_first = logit(np.array([100.0 * SPLIT_AT_FIRST]))
    return np.interp(grid, np.concatenate([grid[:1], year[order]]), np.concatenate([at_first, known]))


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
    posterior: Dataset | Mapping[str, np.ndarray],
    data: Mapping[str, np.ndarray],
    *,
    log_pool_ahead: np.ndarray,
    rng: np.random.Generator,
    pace: float = 1.0,
    since_ahead: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Carry both sponsors forward.

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
        Lever: factor on the imitation rate of both sponsors in the forecast.
    since_ahead
        Years since each policy event of the past at the start of each future step and at the end of the last; None is
        a world without events. Dims: (event, step + 1).

    Returns
    -------
    Over past and future, dims (sample, time): ``hospital`` and ``firm`` (internet hospitals by sponsor), ``count``
    (both), ``published`` (the count as it would be announced), ``share_of_pool`` (hospital-run over eligible
    hospitals) and ``hospital_share`` (hospital-run over the count); today's ``ceiling`` of the count, dims (sample,).
    """
    p = {str(name): np.asarray(values) for name, values in posterior.items()}
    since = np.zeros((EVENTS, len(log_pool_ahead))) if since_ahead is None else since_ahead
    shock = policy_shock(p, since)
    reach = {"hospital": -np.log1p(np.exp(-p["hospital_logit_ceiling"])), "firm": p["firm_log_ceiling"]}
    level = {}
    for sponsor in SPONSORS:
        future = simulate(
            log_level=p[f"{sponsor}_log_level"][:, -1],
            deviation=p[f"{sponsor}_deviation"][:, -1],
            log_ceiling=log_pool_ahead[None, :-1] + reach[sponsor][:, None],
            rate=pace * p[f"{sponsor}_rate"],
            **{k: p[f"{sponsor}_{k}"] for k in ("theta", "innovation", "sigma", "rho")},
            prior=growth_prior(CLASS),
            step=STEP,
            rng=rng,
            shock=shock,
        )
        level[sponsor] = np.concatenate([p[f"{sponsor}_log_level"], future], axis=1)
    both = np.logaddexp(level["hospital"], level["firm"])
    noise = p["reporting_noise"][:, None] * rng.standard_t(DEGREES_OF_FREEDOM, size=both.shape)
    log_pool = np.concatenate([data["log_pool"], log_pool_ahead[1:]])
    return {
        "hospital": np.exp(level["hospital"]),
        "firm": np.exp(level["firm"]),
        "count": np.exp(both),
        "published": np.exp(both + noise),
        "share_of_pool": np.exp(level["hospital"] - log_pool),
        "hospital_share": np.exp(level["hospital"] - both),
        "ceiling": np.exp(log_pool_ahead[0]) * (np.exp(reach["hospital"]) + np.exp(reach["firm"])),
    }


def policy_shock(drawn: Mapping[str, np.ndarray], since: np.ndarray) -> np.ndarray:
    """Growth that dated policy adds in each step, log points a year. Dims: (sample, step).

    Parameters
    ----------
    drawn
        ``event_effect`` (sample, event) and ``policy_fade`` (sample,).
    since
        Years since each event. Dims: (event, step + 1).
    """
    arriving = licensing_policy.acting(since[None], drawn["policy_fade"][:, None, None], STEP)
    return np.einsum("se,set->st", drawn["event_effect"], arriving)


def prior_sample(data: Mapping[str, np.ndarray], size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draws from the prior, under the posterior's names. Dims: (sample, ...).

    Parameters
    ----------
    data
        The arrays of a fit: the pool, the first guess of each start and the events are read, no evidence.
    size
        Number of draws.
    rng
        Source of the draws.
    """
    events = np.abs(rng.normal(0.0, licensing_policy.SIZE, (size, EVENTS)))
    effect = events * data["event_direction"]
    fade = rng.lognormal(*licensing_policy.FADE, size)
    shock = policy_shock({"event_effect": effect, "policy_fade": fade}, data["event_since"])
    share, ratio = rng.normal(*CEILING_SHARE, size), rng.normal(*FIRM_CEILING, size)
    reach = {"hospital": -np.log1p(np.exp(-share)), "firm": ratio}
    paths = [
        prior_paths(
            sponsor,
            size=size,
            start=float(data[f"{sponsor}_guess"][0]),
            log_ceiling=data["log_pool"] + reach[sponsor][:, None],
            step=STEP,
            prior=growth_prior(CLASS),
            rng=rng,
            shock=shock,
        )
        for sponsor in SPONSORS
    ]
    spread = rng.lognormal(*ORIGIN_SPREAD, size)
    return {
        **paths[0],
        **paths[1],
        "hospital_logit_ceiling": share,
        "firm_log_ceiling": ratio,
        "event_size": events,
        "policy_fade": fade,
        "event_effect": effect,
        "origin_spread": spread,
        "origin_offset": spread[:, None] * rng.standard_normal((size, ORIGINS)),
        "reporting_noise": rng.lognormal(*REPORTING_NOISE, size),
        "share_noise": rng.lognormal(*SHARE_NOISE, size),
    }
