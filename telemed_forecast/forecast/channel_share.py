"""Hospitals against third-party platforms: fit and forecast."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.fits.store import Fit, fitted
from telemed_forecast.forecast import internet_hospitals
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Likelihood, Path, Target, by_target
from telemed_forecast.forecast.platform_series import FEWEST, METRICS, calendar_weights, reported
from telemed_forecast.forecast.rivals import history
from telemed_forecast.models import channel_share
from telemed_forecast.models import internet_hospitals as hospitals_model
from telemed_forecast.models.channel_share import Encounters, Revenues
from telemed_forecast.models.likelihood import Printed
from telemed_forecast.models.odds import expit

SPEC = ModelSpec("channel_share", channel_share.build, drawn=("factor_mean", "factor_root"))

LEVERS = internet_hospitals.LEVERS
"""The levers that the forecast depends on."""

FACTOR = "internet_hospitals_hospital_share"
"""The path of internet hospitals that all shares have in common: by count it is theirs."""

PLATFORMS = ("jd_health", "ping_an_good_doctor", "alibaba_health", "wedoctor", "dingdang")
"""Platforms whose consultations per day are reported for periods."""

MIXED = ("wedoctor",)
"""Companies whose revenue of medical services holds visits in person and dispensing: no floor of what is online."""

FEE_PAID_AT = "shanghai_ninth_peoples_hospital"
"""A hospital whose online fee is published beside the medians of internet hospitals."""


def bounds(context: Context) -> list[Encounters]:
    """Yearly encounters at hospitals and at the largest platform, as far as both are known."""
    return channel_share.encounters_by_year(
        context.observed("internet_diagnosis_visits", "national"),
        context.observed("daily_online_consultations", *PLATFORMS),
    )


def revenue_bounds(context: Context) -> list[Revenues]:
    """Yearly revenue of online visits at hospitals and of listed platforms' medical services, as far as known."""
    fees = [
        context.observed("internet_hospital_median_fee"),
        context.observed("price_per_online_consultation", FEE_PAID_AT),
    ]
    return channel_share.revenues_by_year(
        context.observed("internet_diagnosis_visits", "national"), fees, listed_services(context)
    )


def listed_services(context: Context) -> dict[int, tuple[float, tuple[str, ...]]]:
    """Calendar year -> what listed companies report as revenue of online medical services (CNY million), and claims.

    A company counts in the years that its fiscal years fill: a floor stays a floor when one is missing.
    """
    found: dict[int, tuple[float, tuple[str, ...]]] = {}
    for one in reported(context, "revenue_online_medical_services"):
        if one.company in MIXED:
            continue
        years = [int(year) for year in one.series.index]
        figures = dict(zip(years, zip(one.series.values.tolist(), one.claims, strict=True), strict=True))
        for year in range(years[0] - 1, years[-1] + 1):
            needed = {year + k: w for k, w in enumerate(calendar_weights(year, one.series.early)) if w > 0.0}
            if all(fiscal in figures for fiscal in needed):
                value = sum(w * figures[fiscal][0] for fiscal, w in needed.items())
                total, claims = found.get(year, (0.0, ()))
                found[year] = (total + value, (*claims, *(figures[fiscal][1] for fiscal in needed)))
    return found


def headline(context: Context) -> Observations:
    """The hospital-run share of internet hospitals."""
    return context.observed("internet_hospital_share", hospitals_model.HOSPITAL_RUN)


def comparable(observations: Observations) -> np.ndarray:
    """Which shares by count rivals learn from and are scored on: all of them. Dims: (obs,)."""
    return np.ones(len(observations), dtype=bool)


def published_shares(context: Context) -> dict[str, Observations]:
    """Published shares by measure."""
    return {
        "counts": headline(context),
        "new": context.observed("internet_hospital_new_share", "hospital_run"),
        "preference": context.observed("preferred_sponsor_share", "hospital_run"),
    }


def _last_year(context: Context, evidence: dict[str, Observations]) -> int:
    """The last year of history: the last full one, or a later one that a share speaks of."""
    return max([context.last_year, *(int(str(day)[:4]) for o in evidence.values() for day in o.end)])


def _years(first: int, last: int) -> tuple[date, ...]:
    """The ends of some years."""
    return tuple(date(year, 12, 31) for year in range(first, last + 1))


def fit(context: Context) -> Fit:
    """The model fitted to what was known."""
    evidence = published_shares(context)
    last_year = _last_year(context, evidence)
    # What is fitted may not depend on a lever, not even in a year of history that no count has reached yet.
    base = internet_hospitals.run(context.in_scenario("base"))
    known_share = _year_ends(base[FACTOR], _years(last_year - channel_share.GRID + 1, last_year))
    data = channel_share.arrays(
        channel_share.moments(known_share),
        evidence["new"],
        evidence["preference"],
        bounds(context),
        revenue_bounds(context),
        last_year,
    )
    return fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)


def run(context: Context) -> Forecast:
    """Fit the model to what was known and carry it to the horizon."""
    model, evidence = fit(context), published_shares(context)
    encounters, revenues = bounds(context), revenue_bounds(context)
    hospitals = internet_hospitals.run(context)
    periods = _years(_last_year(context, evidence) - channel_share.GRID + 1, context.settings.horizon)
    share = _year_ends(hospitals[FACTOR], periods)
    draws = channel_share.project(model.posterior, channel_share.moments(share), rng=context.generator("channel_share"))
    factor, draws["count"] = draws["count"], share
    rows = [claim for o in (evidence["new"], evidence["preference"]) for claim in o.claim_id]
    bounding = [c for e in encounters for c in e.claims] + [c for r in revenues for c in r.claims]
    drawn = {f"hospital_share_{measure}": ("percent", shares) for measure, shares in draws.items()}
    return Forecast(
        market="channel_share",
        as_of=context.settings.as_of_date,
        paths=by_target(drawn, periods, channel_share.GRID - 1, 12),
        headline="hospital_share_count",
        evidence=evidence,
        claims=tuple(dict.fromkeys(map(str, (*rows, *bounding, *hospitals.claims)))),
        fit=model,
        known=history(evidence["counts"].where(comparable(evidence["counts"])), "logit"),
        built_on={"internet_hospitals": hospitals},
        # The share by count as this fit has it (percent): that path but for what the other measures' evidence adds.
        draws={"factor": 100.0 * factor},
        extras={"encounters": encounters, "revenues": revenues},
    )


def rising(result: Forecast) -> dict[str, np.ndarray]:
    """By measure, the probability that the share lies above its present value. Dims: (period,)."""
    shares = result.family("hospital_share")
    return {name: channel_share.rising(path.draws, now=path.last_known) for name, path in shares.items()}


def majority(result: Forecast) -> dict[str, np.ndarray]:
    """By measure, the probability that the share lies above one half. Dims: (period,)."""
    return {name: (path.draws > 50.0).mean(axis=0) for name, path in result.family("hospital_share").items()}


def read_beside(context: Context, _: Forecast) -> set[str]:
    """Claims of the companies' accounts, which are forecast as time series beside the fit."""
    accounts = [one for metric in METRICS for one in reported(context, metric)]
    return {claim for one in accounts if len(one.series.index) >= FEWEST for claim in one.claims}


TARGETS: Mapping[str, Target] = {FACTOR: Target(headline, latent=True)}

COVERED: Mapping[str, tuple[str, ...]] = {"internet_hospital_share": (hospitals_model.HOSPITAL_RUN,), "revenue": ()}


def _year_ends(path: Path, periods: tuple[date, ...]) -> np.ndarray:
    """Draws of a share in percent at some of its periods, as a part of one. Dims: (sample, year)."""
    at = [path.position(day) for day in periods]
    return np.clip(path.draws[:, at] / 100.0, 1e-6, 1.0 - 1e-6)


def likelihoods(result: Forecast) -> list[Likelihood]:
    """The share by count comes from the hospitals' fit; each other measure from rows of its own."""

    def targets(_: str, row: int) -> list[Path]:
        measures = channel_share.MEASURES[int(result.fit.data["share_measure"][row]) :][:1]
        return [result[f"hospital_share_{measure}"] for measure in measures]

    counts = Likelihood(hospitals_model.MODEL, result.built_on["internet_hospitals"].fit, lambda *_: [result.path])
    return [counts, Likelihood(channel_share.MODEL, result.fit, targets)]


def printed(result: Forecast, observations: Observations, *, heard: bool = True) -> Printed:
    """What is expected in the place of each hospital-run share of internet hospitals (percent; log odds)."""
    return internet_hospitals.printed(result.built_on["internet_hospitals"], observations, heard=heard, block="share")


def predictive(result: Forecast, observations: Observations, rng: np.random.Generator) -> np.ndarray:
    """Draws of what would be printed in the place of shares by count (percent; NaN outside). Dims: (sample, obs)."""
    return 100.0 * expit(printed(result, observations).draw(rng))


def prior_predictive(result: Forecast, rng: np.random.Generator, size: int = 1000) -> np.ndarray:
    """The share by count under the prior of the model of internet hospitals alone, at the first year-ends of `shares`.

    Returns
    -------
    Percent. Dims: (size, year): as many years as that model's history holds.
    """
    hospitals = result.built_on["internet_hospitals"]
    drawn = hospitals_model.prior_sample(hospitals.fit.data, size, rng)
    apart = drawn["firm_log_level"] - drawn["hospital_log_level"]
    share = 100.0 / (1.0 + np.exp(np.clip(apart, -50.0, 50.0)))
    periods = hospitals[FACTOR].periods[: share.shape[1]]
    return np.stack([share[:, periods.index(day)] for day in result.path.periods if day in periods], axis=1)
