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

from telemed_forecast.models import constants, growth, licensing_policy, odds
from telemed_forecast.models.growth import Growth
from telemed_forecast.models.licensing_policy import EVENTS, NO_EVENTS, Events
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM, noise
from telemed_forecast.models.model import Model, Posterior, Rows, Values, claims_of, draws
from telemed_forecast.models.priors import Prior
from telemed_forecast.models.timeline import carried, decimal_year, half_year_at_or_after, half_years, on_grid

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations

STEP = 0.5
"""[years]"""

GRID = 19
"""Steps of history: nine years, from the first counted internet hospitals."""

SPONSORS = ("hospital", "firm")
"""Prefixes of the two processes: run by hospitals, run by third parties."""

CLASS = constants.entries()["internet_hospitals"]["growth"].value
"""Reference class of both sponsors: licences to see patients online spread among Chinese hospitals as other services
spread online among the same people. The technologies of all countries, decades of infrastructure, are slower: with
them as prior the forecasts of the end of 2022 put the count of 2025 too low."""

CEILING_SHARE = constants.pair("internet_hospitals", "ceiling_share")
"""Mean and sd of logit(kappa): 90% between 16% and 84% of secondary and tertiary hospitals."""

FIRM_CEILING = constants.pair("internet_hospitals", "firm_ceiling")
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

ORIGIN_SPREAD = constants.pair("internet_hospitals", "origin_spread")
"""Mean and sd of the log of the spread between counters (log scale): a third, 90% between 0.13 and 0.7. That
counters differ is certain, so zero is left out."""

REPORTING_NOISE = constants.pair("internet_hospitals", "reporting_noise")
"""Mean and sd of the log of the noise from announcement days and revisions (log scale): 7%, or 2.5% to 18%."""

SHARE_NOISE = constants.pair("internet_hospitals", "share_noise")
"""Mean and sd of the log of the noise on a published share (logit), beside its grade's scale: 0.1, or 0.04 to 0.27;
"public" and "hospital-run" are not quite the same."""


def priors(d: Values) -> dict[str, Prior]:
    """The parameters in the order of the graph."""
    c = constants.of("internet_hospitals", d)
    own = {name: prior for sponsor in SPONSORS for name, prior in growth.priors(sponsor, c["growth"]).items()}
    return {
        "event_size": Prior("HalfNormal", (c["event_size"],), EVENTS),
        "policy_fade": Prior("LogNormal", c["policy_fade"]),
        "hospital_logit_ceiling": Prior("Normal", c["ceiling_share"]),
        "firm_log_ceiling": Prior("Normal", c["firm_ceiling"]),
        **{f"{sponsor}_sigma": own[f"{sponsor}_sigma"] for sponsor in SPONSORS},
        "count_path": Prior("Flat", shape=GRID),
        "split_path": Prior("Flat", shape=GRID),
        **own,
        "origin_spread": Prior("LogNormal", c["origin_spread"]),
        "origin_standard": Prior("Normal", (0.0, 1.0), ORIGINS),
        "reporting_noise": Prior("LogNormal", c["reporting_noise"]),
        "share_noise": Prior("LogNormal", c["share_noise"]),
    }


def _growth(p: Values, d: Values, xp: Any) -> dict[str, Growth]:
    """Both sponsors below their part of the pool, and moved by the same policy."""
    shock = policy_shock(d["event_direction"] * p["event_size"], p["policy_fade"], d["event_since"], xp)
    log_ceiling = {s: d["log_pool"] + reach[..., None] for s, reach in log_reach(p, xp).items()}
    prior = constants.of("internet_hospitals", d)["growth"]
    return {s: Growth(prior, STEP, log_ceiling[s], shock) for s in SPONSORS}


def log_reach(p: Values, xp: Any = np) -> dict[str, Any]:
    """Log of the ceiling of each sponsor over the pool. Dims: (...)."""
    return {"hospital": odds.log_expit(p["hospital_logit_ceiling"], xp), "firm": p["firm_log_ceiling"]}


FIRST_UNIT = 1.4
"""[log odds] Unit of the sampler's coordinate of the first split: its spread before the evidence."""

SPLIT_UNIT = 0.15
"""[log odds] Unit of the sampler's coordinates of the split's changes, for shocks of size one: about what half a
year of slow growth brings."""


def _paths(p: Values, d: Values) -> dict[str, Any]:
    """Log levels of both sponsors in coordinates that suit the evidence, with a flat base measure. Dims: (time,).

    The counts know the sum of both sponsors well and their split hardly: the sum is a coordinate as it stands, the
    split one in units of its own shocks, or the sampler would have to follow a funnel. Sum and log odds have the same
    volume as the two log levels; the units' volume is given back.
    """
    import pymc as pm
    import pytensor.tensor as pt

    both = pt.logaddexp(d["hospital_guess"], d["firm_guess"]) + growth.PATH_UNIT * p["count_path"]
    raw = p["split_path"]
    log_unit = 0.5 * (pt.log(p["hospital_sigma"]) + pt.log(p["firm_sigma"]))
    changes = pt.concatenate([FIRST_UNIT * raw[:1], SPLIT_UNIT * pt.exp(log_unit) * raw[1:]])
    split = d["hospital_guess"] - d["firm_guess"] + pt.cumsum(changes)
    pm.Potential("split_volume", (GRID - 1) * log_unit)
    return {"hospital": both - pt.softplus(-split), "firm": both - pt.softplus(split)}


def _derived(p: Values, d: Values, xp: Any) -> dict[str, Any]:
    return {
        "event_effect": d["event_direction"] * p["event_size"],
        "origin_offset": p["origin_spread"][..., None] * p["origin_standard"],
    }


def _counted(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    offsets = xp.concatenate([xp.zeros_like(p["origin_offset"][..., :1]), p["origin_offset"]], axis=-1)
    own = on_grid(p["hospital_log_level"], d["count_at"], xp)
    both = xp.logaddexp(own, on_grid(p["firm_log_level"], d["count_at"], xp))
    mu = xp.where(d["count_part"] > 0, own, both) + offsets[..., d["count_origin"]]
    return mu, noise(d["count_scale"], p["reporting_noise"][..., None], xp)


def _shared(p: Values, d: Values, xp: Any) -> tuple[Any, Any]:
    own, firms = (on_grid(p[f"{sponsor}_log_level"], d["share_at"], xp) for sponsor in SPONSORS)
    return own - firms, noise(d["share_scale"], p["share_noise"][..., None], xp)


MODEL = Model(
    priors=priors, growth=_growth, paths=_paths, derived=_derived, observed={"count": _counted, "share": _shared}
)
"""Counts (log hospitals) and hospital-run shares (log odds)."""

prior_sample = MODEL.prior_sample


def build(data: Any) -> Any:
    """The graph for the arrays of :func:`arrays`."""
    return MODEL.graph(data)


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
    stated: Mapping[str, np.ndarray] | None = None,
) -> tuple[Rows, list[str]]:
    """The arrays of the model from interval evidence, and the names of the counters with an offset.

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
    stated
        The constants of a day (`constants.arrays`); today's by default.

    Returns
    -------
    ``log_pool``, a guess of each path (time,), ``event_direction`` (event,) and ``event_since`` (event, time; years);
    for each block of `MODEL` its ends, positions on the grid and scales by grade, ``count_origin`` (0 the official
    one) and ``count_part`` (0 both sponsors, 1 hospital-run).
    """
    grid = half_years(grid_end(counts), GRID)
    shares = counts.where(np.zeros(len(counts), dtype=bool)) if shares is None else shares
    counts, year = _inside(counts, grid)
    shares, share_year = _inside(shares, grid)
    others = counters(counts)
    counted = count_rows(counts, grid, others)
    middle = np.log(0.5 * (counts.low + counts.high))
    of_both = (counted["count_part"] == 0) & counts.bounded
    official = np.flatnonzero((counted["count_origin"] == 0) & of_both)
    official = official if len(official) > 1 else np.flatnonzero(of_both)
    order = official[np.argsort(year[official])]
    both = np.interp(grid, *_first_guess(year[order], middle[order], grid[0]))
    split = _first_split(share_year, shares, grid)
    data = {
        "log_pool": np.log(eligible(pool, grid)),
        "hospital_guess": both - np.log1p(np.exp(-split)),
        "firm_guess": both - np.log1p(np.exp(split)),
        "event_direction": licensing_policy.directions(events),
        "event_since": licensing_policy.years_since(events, grid),
        **counted,
        **share_rows(shares, grid),
        **(stated or constants.arrays("internet_hospitals")),
    }
    return Rows(data, {"count": claims_of(counts), "share": claims_of(shares)}), others


def count_rows(counts: Observations, grid: np.ndarray, others: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of counts on a grid; `others` are the counters with an offset, an unknown one has none."""
    return {
        "count_low": np.log(counts.low),
        "count_high": np.log(np.where(counts.bounded, counts.high, FAR * counts.low)),
        "count_at": _at(counts, grid),
        "count_scale": counts.scale(),
        "count_origin": np.maximum(origin_slots(counts, others), 0),
        "count_part": parts(counts),
    }


def share_rows(shares: Observations, grid: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of hospital-run shares on a grid."""
    return {
        "share_low": logit(shares.low),
        "share_high": logit(shares.high),
        "share_at": _at(shares, grid),
        "share_scale": shares.scale(),
    }


def _at(rows: Observations, grid: np.ndarray) -> np.ndarray:
    """Position of each figure on a grid. Dims: (obs,)."""
    return np.clip((decimal_year(rows.end) - grid[0]) / STEP, 0.0, len(grid) - 1.0)


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
    posterior: Posterior,
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
    p, prior = draws(posterior), constants.of("internet_hospitals", data)["growth"]
    since = np.zeros((EVENTS, len(log_pool_ahead))) if since_ahead is None else since_ahead
    shock = policy_shock(p["event_effect"], p["policy_fade"], since)
    reach = log_reach(p)
    level = {}
    for sponsor in SPONSORS:
        log_ceiling = log_pool_ahead[None, :-1] + reach[sponsor][:, None]
        level[sponsor] = Growth(prior, STEP, log_ceiling, shock).ahead(sponsor, p, rng, pace=pace)
    both = np.logaddexp(level["hospital"], level["firm"])
    error = p["reporting_noise"][:, None] * rng.standard_t(DEGREES_OF_FREEDOM, size=both.shape)
    log_pool = np.concatenate([data["log_pool"], log_pool_ahead[1:]])
    return {
        "hospital": np.exp(level["hospital"]),
        "firm": np.exp(level["firm"]),
        "count": np.exp(both),
        "published": np.exp(both + error),
        "share_of_pool": np.exp(level["hospital"] - log_pool),
        "hospital_share": np.exp(level["hospital"] - both),
        "ceiling": np.exp(log_pool_ahead[0]) * (np.exp(reach["hospital"]) + np.exp(reach["firm"])),
    }


def policy_shock(effect: Any, fade: Any, since: Any, xp: Any = np) -> Any:
    """Growth that dated policy adds in each step, log points a year. Dims: (..., step).

    Parameters
    ----------
    effect
        Whole effect of each event, log points. Dims: (..., event).
    fade
        Years over which it fades. Dims: (...).
    since
        Years since each event. Dims: (event, step + 1).
    xp
        numpy, or pytensor.tensor inside a model.
    """
    arriving = licensing_policy.acting(since, fade[..., None, None], STEP, xp)
    return (effect[..., None] * arriving).sum(axis=-2)
