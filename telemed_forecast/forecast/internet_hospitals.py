"""The number of internet hospitals by sponsor: fit, forecast, and what would be printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.evidence import ledger
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.fits.store import Fit, fitted
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import History, history
from telemed_forecast.models import activity, internet_hospitals, licensing_policy
from telemed_forecast.models.activity import Bounds
from telemed_forecast.models.licensing_policy import Events
from telemed_forecast.models.likelihood import DEGREES_OF_FREEDOM
from telemed_forecast.models.timeline import decimal_year, period_end

SPEC = ModelSpec("internet_hospitals", internet_hospitals.build)

LEVERS = ("licensing",)
"""All levers that this forecast depends on."""

COUNTERS = ("national", "national_web_census")
"""Segments that count the whole country; a web census has its origin's offset."""

LEVELS = ("secondary_hospitals", "tertiary_hospitals")
"""Hospitals that can hold a licence."""


@dataclass(frozen=True)
class InternetHospitals:
    """The forecast of internet hospitals.

    Attributes
    ----------
    count, published
        Official count (hospitals), and the count as it would be announced, with the noise of announcements.
    hospital_run, third_party
        The count by sponsor (hospitals).
    hospital_share
        Hospital-run over the count (percent).
    share_of_pool
        Hospital-run over secondary and tertiary hospitals (percent).
    operating_share, operating
        Internet hospitals that truly operate: their share (percent) and their number (hospitals).
    counters
        Names of the counters other than the official one, in the order of the posterior's offsets.
    events
        The policy that acts, in the order of the posterior's effects.
    known
        The official counts as rivals see them.
    evidence, own, shares, activity
        What entered: counts of both sponsors, counts of the hospital-run alone, hospital-run shares, bounds on
        activity.
    claims
        Claim ids of every row that entered the likelihood or the pool.
    fit
        The fitted model.
    """

    count: Path
    published: Path
    hospital_run: Path
    third_party: Path
    hospital_share: Path
    share_of_pool: Path
    operating_share: Path
    operating: Path
    counters: list[str]
    events: Events
    known: History
    evidence: Observations
    own: Observations
    shares: Observations
    activity: Bounds
    claims: tuple[str, ...]
    fit: Fit

    @property
    def last_period(self) -> date:
        """The last period for which a count was known."""
        return self.count.periods[self.count.last_known]


def headline(context: Context) -> Observations:
    """The counts of the whole country, of both sponsors."""
    return context.observed("internet_hospitals", *COUNTERS)


def inputs(context: Context) -> tuple[Observations, list[Observations], Observations, Events]:
    """What the model's arrays are made of: counts, eligible hospitals by level, shares and policy, as then known."""
    counts = context.observed("internet_hospitals", *COUNTERS, internet_hospitals.HOSPITAL_RUN)
    shares = context.observed("internet_hospital_share", internet_hospitals.HOSPITAL_RUN)
    pool = [context.observed("hospitals", level) for level in LEVELS]
    events = licensing_policy.events_by(ledger.policy_events(), np.datetime64(context.settings.as_of_date))
    return counts, pool, shares, events


def fit(context: Context) -> Fit:
    """The model fitted to what was known."""
    data, _ = internet_hospitals.arrays(*inputs(context))
    return fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)


def run(context: Context) -> InternetHospitals:
    """Fit the model to what was known and carry it to the horizon."""
    return context.once("internet_hospitals", LEVERS, lambda: _run(context))


def _run(context: Context) -> InternetHospitals:
    counts, pool, shares, events = inputs(context)
    data, counters = internet_hospitals.arrays(counts, pool, shares, events)
    model = fit(context)
    end = internet_hospitals.grid_end(counts)
    # The ceiling of a step is the pool at its start; the share is taken at its end.
    ahead = end + internet_hospitals.STEP * np.arange(round(2 * (context.settings.horizon + 1 - end)) + 1)
    draws = internet_hospitals.project(
        model.posterior,
        data,
        log_pool_ahead=np.log(internet_hospitals.eligible(pool, ahead)),
        rng=context.generator("internet_hospitals"),
        pace=context.scenario["licensing"],
        since_ahead=licensing_policy.years_since(events, ahead),
    )
    times = np.concatenate([internet_hospitals.half_years(end, internet_hospitals.GRID), ahead[1:]])
    periods = tuple(period_end(t) for t in times)
    bounds = _activity_bounds(context)
    operating = activity.operating_share(
        bounds, times, size=len(draws["count"]), rng=context.generator("internet_hospitals_activity")
    )
    draws |= {"operating_share": operating, "operating": operating * draws["count"]}

    def path(target: str, name: str, unit: str = "hospitals") -> Path:
        factor = 100.0 if unit == "percent" else 1.0
        return Path(target, unit, periods, factor * draws[name], internet_hospitals.GRID - 1, 6)

    return InternetHospitals(
        count=path("internet_hospitals_latent", "count"),
        published=path("internet_hospitals", "published"),
        hospital_run=path("internet_hospitals_hospital_run", "hospital"),
        third_party=path("internet_hospitals_third_party", "firm"),
        hospital_share=path("internet_hospitals_hospital_share", "hospital_share", "percent"),
        share_of_pool=path("internet_hospitals_share_of_pool", "share_of_pool", "percent"),
        operating_share=path("internet_hospitals_operating_share", "operating_share", "percent"),
        operating=path("internet_hospitals_operating", "operating"),
        counters=counters,
        events=events,
        known=history(counts.where(comparable(counts)), "log", draws["ceiling"]),
        evidence=counts.where(internet_hospitals.parts(counts) == 0),
        own=counts.where(internet_hospitals.parts(counts) == 1),
        shares=shares,
        activity=bounds,
        claims=tuple(dict.fromkeys(str(c) for o in (counts, shares, *pool) for c in o.claim_id)),
        fit=model,
    )


def _activity_bounds(context: Context) -> Bounds:
    """What was known of how many operate: beside the counts, not in their likelihood."""
    return activity.bounds(
        context.observed("internet_hospitals_inactive", "national"),
        headline(context),
        context.observed("internet_hospital_median_doctors_online", "national"),
    )


def comparable(observations: Observations) -> np.ndarray:
    """Which are official counts of both sponsors: what rivals learn from and are scored on. Dims: (obs,)."""
    official = np.isin(observations.origin, internet_hospitals.OFFICIAL) & observations.bounded
    return official & (internet_hospitals.parts(observations) == 0)


def predictive(result: InternetHospitals, observations: Observations, rng: np.random.Generator) -> np.ndarray:
    """What would be printed in the place of each count.

    Parameters
    ----------
    result
        The forecast.
    observations
        Counts of internet hospitals, known to the fit or not.
    rng
        Source of the noise, and of the offsets of counters whom the fit does not know.

    Returns
    -------
    Hospitals. Dims: (sample, obs); NaN where the figure lies outside the forecast's periods.
    """
    names = ("origin_offset", "origin_spread", "reporting_noise")
    posterior = {name: np.asarray(result.fit.posterior[name]) for name in names}
    samples, number = len(posterior["reporting_noise"]), len(observations)
    own = np.log(at_days(result.hospital_run, observations.end))
    both = np.log(at_days(result.count, observations.end))
    mu = np.where(internet_hospitals.parts(observations) == 1, own, both)
    slot = internet_hospitals.origin_slots(observations, result.counters)
    offsets = np.concatenate([np.zeros((samples, 1)), posterior["origin_offset"]], axis=1)[:, np.maximum(slot, 0)]
    for name in {o for o, k in zip(observations.origin.tolist(), slot, strict=True) if k < 0}:
        # One counter whom the fit does not know has one offset, whatever it counts.
        offsets[:, observations.origin == name] = (posterior["origin_spread"] * rng.standard_normal(samples))[:, None]
    scale = np.hypot(observations.scale()[None, :], posterior["reporting_noise"][:, None])
    return np.exp(mu + offsets + scale * rng.standard_t(DEGREES_OF_FREEDOM, size=(samples, number)))


def at_days(path: Path, days: np.ndarray) -> np.ndarray:
    """Draws of a positive stock on given days, between its periods on the log scale.

    Parameters
    ----------
    path
        A stock by half-year.
    days
        datetime64[D]. Dims: (day,).

    Returns
    -------
    In the path's unit. Dims: (sample, day); NaN outside of its periods.
    """
    periods = decimal_year(np.array(path.periods, dtype="datetime64[D]"))
    year = decimal_year(days)
    at = np.interp(year, periods, np.arange(len(periods), dtype=float))
    left = np.floor(at).astype(int)
    right = np.minimum(left + 1, len(periods) - 1)
    # A draw that has all but vanished still has a logarithm.
    log_level = np.log(np.maximum(path.draws, np.finfo(float).tiny))
    between = log_level[:, left] * (1.0 - (at - left)) + log_level[:, right] * (at - left)
    # A day of slack at both ends: mid-years are not exactly one half.
    inside = (year >= periods[0] - 0.01) & (year <= periods[-1] + 0.01)
    return np.where(inside, np.exp(between), np.nan)


def prior_predictive(result: InternetHospitals, rng: np.random.Generator, size: int = 1000) -> np.ndarray:
    """The count on the history's grid under the prior alone. Dims: (size, history time)."""
    drawn = internet_hospitals.prior_sample(result.fit.data, size, rng)
    return np.exp(np.logaddexp(drawn["hospital_log_level"], drawn["firm_log_level"]))
