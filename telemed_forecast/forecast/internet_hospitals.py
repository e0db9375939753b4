"""The number of internet hospitals by sponsor: fit, forecast, and what would be printed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial

import numpy as np

from telemed_forecast.evidence import ledger
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.fits.store import Fit, fitted
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Likelihood, Path, Target, Unpublished, by_target
from telemed_forecast.forecast.rivals import history
from telemed_forecast.models import activity, internet_hospitals, licensing_policy
from telemed_forecast.models.activity import Bounds
from telemed_forecast.models.licensing_policy import Events
from telemed_forecast.models.likelihood import Printed
from telemed_forecast.models.model import Rows
from telemed_forecast.models.timeline import decimal_year, half_year_at_or_after, half_years, period_end, within

SPEC = ModelSpec("internet_hospitals", internet_hospitals.build)

LEVERS = ("licensing",)
"""All levers that this forecast depends on."""

COUNTERS = ("national", "national_web_census")
"""Segments that count the whole country; a web census has its origin's offset."""

LOOK_BACK = date(2022, 12, 31)
"""The count then stood at "more than 1,700"; 3,756 were named less than three years later."""

LEVELS = ("secondary_hospitals", "tertiary_hospitals")
"""Hospitals that can hold a licence."""


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
    data, _ = arrays(context)
    return fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)


def arrays(context: Context) -> tuple[Rows, list[str]]:
    """The model's arrays, and the names of the counters with an offset."""
    return internet_hospitals.arrays(*inputs(context), stated=context.constants("internet_hospitals"))


def run(context: Context) -> Forecast:
    """Fit the model to what was known and carry it to the horizon."""
    return context.once("internet_hospitals", LEVERS, lambda: _run(context))


def _run(context: Context) -> Forecast:
    counts, pool, shares, events = inputs(context)
    data, origins = arrays(context)
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

    drawn = {
        "internet_hospitals": ("hospitals", draws["published"]),
        "internet_hospitals_latent": ("hospitals", draws["count"]),
        "internet_hospitals_hospital_run": ("hospitals", draws["hospital"]),
        "internet_hospitals_third_party": ("hospitals", draws["firm"]),
        "internet_hospitals_hospital_share": ("percent", draws["hospital_share"]),
        "internet_hospitals_share_of_pool": ("percent", draws["share_of_pool"]),
        "internet_hospitals_operating_share": ("percent", operating),
        "internet_hospitals_operating": ("hospitals", operating * draws["count"]),
    }
    part = internet_hospitals.parts(counts)
    return Forecast(
        market="internet_hospitals",
        as_of=context.settings.as_of_date,
        paths=by_target(drawn, periods, internet_hospitals.GRID - 1, 6),
        headline="internet_hospitals_latent",
        evidence={"counts": counts.where(part == 0), "own": counts.where(part == 1), "shares": shares},
        claims=tuple(dict.fromkeys(str(c) for o in (counts, shares, *pool) for c in o.claim_id)),
        fit=model,
        known=history(counts.where(comparable(counts)), "log", draws["ceiling"]),
        extras={"origins": origins, "events": events, "activity": bounds},
    )


def look_back(context: Context) -> Forecast | None:
    """What the model would have said on an earlier day; None when the report's own date is not later."""
    return run(context.earlier(LOOK_BACK)) if context.settings.as_of_date > LOOK_BACK else None


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


def _official(context: Context) -> Observations:
    rows = headline(context)
    return rows.where(comparable(rows))


TARGETS: Mapping[str, Target] = {
    "internet_hospitals": Target(_official, latent=False),
    "internet_hospitals_hospital_run": Target(
        lambda context: context.observed("internet_hospitals", internet_hospitals.HOSPITAL_RUN), latent=True
    ),
}

COVERED = {"internet_hospitals": ("national",)}

UNPUBLISHED = (
    Unpublished("hospitals_last_official", "official", "internet_hospitals_latent", "last"),
    Unpublished("hospitals_next_official", "official", "internet_hospitals_latent", "next"),
    Unpublished("hospital_run_official", "official", "internet_hospitals_hospital_run", "next"),
    Unpublished("third_party_official", "official", "internet_hospitals_third_party", "next"),
    Unpublished("sponsor_share_official", "official", "internet_hospitals_hospital_share", "next"),
    Unpublished("licence_plans_panel", "panel", "hospital_logit_ceiling"),
)


def likelihoods(result: Forecast) -> list[Likelihood]:
    """The fit, whose rows are weighed by the headline."""
    return [Likelihood(internet_hospitals.MODEL, result.fit, lambda *_: [result.path])]


def printed(result: Forecast, observations: Observations, *, heard: bool = True, block: str = "count") -> Printed:
    """What is expected to be printed in the place of each figure.

    Parameters
    ----------
    result
        The forecast.
    observations
        Counts of internet hospitals, or shares of the hospital-run ones (percent), known to the fit or not.
    heard
        Whether the fit has heard of the counters; without, each has an offset of which nothing is known.
    block
        ``count`` or ``share``.

    Returns
    -------
    Log hospitals, or log odds, for figures inside the forecast's periods.
    """
    last = decimal_year(np.array(result["internet_hospitals_latent"].periods[-1:], dtype="datetime64[D]"))
    grid = half_years(half_year_at_or_after(float(last[0])), len(result["internet_hospitals_latent"].periods))
    inside = within(observations.end, grid)
    rows = observations.where(inside)
    # A draw that has all but vanished still has a logarithm.
    curves = {
        f"{sponsor}_log_level": np.log(np.maximum(path.draws, np.finfo(float).tiny))
        for sponsor, path in (
            ("hospital", result["internet_hospitals_hospital_run"]),
            ("firm", result["internet_hospitals_third_party"]),
        )
    }
    expected = partial(internet_hospitals.MODEL.printed, block, result.fit.posterior, curves, inside=inside)
    if block == "share":
        return expected(internet_hospitals.share_rows(rows, grid))
    known = result.extras["origins"] if heard else []
    return expected(
        internet_hospitals.count_rows(rows, grid, known),
        stranger=np.where(internet_hospitals.origin_slots(rows, known) < 0, rows.origin, ""),
        spread="origin_spread",
    )


def predictive(result: Forecast, observations: Observations, rng: np.random.Generator) -> np.ndarray:
    """Draws of what would be printed in the place of counts (hospitals; NaN outside). Dims: (sample, obs)."""
    return np.exp(printed(result, observations).draw(rng))


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


def prior_predictive(result: Forecast, rng: np.random.Generator, size: int = 1000) -> np.ndarray:
    """The count on the history's grid under the prior alone. Dims: (size, history time)."""
    drawn = internet_hospitals.prior_sample(result.fit.data, size, rng)
    return np.exp(np.logaddexp(drawn["hospital_log_level"], drawn["firm_log_level"]))
