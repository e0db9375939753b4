"""Hospitals against third-party platforms: fit and forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import Known, known
from telemed_forecast.inference.cache import Fit, fitted
from telemed_forecast.inference.sampling import ModelSpec
from telemed_forecast.models import channel_share
from telemed_forecast.models.channel_share import Encounters

SPEC = ModelSpec("channel_share", channel_share.build)

PLATFORMS = ("jd_health", "ping_an_good_doctor", "alibaba_health", "wedoctor", "dingdang")
"""Platforms whose consultations per day are reported for periods."""


@dataclass(frozen=True)
class ChannelShare:
    """The forecast of the hospitals' share.

    Attributes
    ----------
    shares
        Share of hospitals by measure (percent).
    rising, majority
        By measure, the probability that the share lies above its present value, and above one half. Dims: (period,).
    known
        The share by count as rivals see it.
    evidence
        Published shares by measure.
    encounters
        What bounds the share of encounters, by year.
    fit
        The fitted model.
    """

    shares: dict[str, Path]
    rising: dict[str, np.ndarray]
    majority: dict[str, np.ndarray]
    known: Known
    evidence: dict[str, Observations]
    encounters: list[Encounters]
    fit: Fit


def bounds(context: Context) -> list[Encounters]:
    """Yearly encounters at hospitals and at the largest platform, as far as both are known."""
    return channel_share.encounters_by_year(
        context.observed("internet_diagnosis_visits", "national"),
        context.observed("daily_online_consultations", *PLATFORMS),
    )


def comparable(observations: Observations) -> np.ndarray:
    """Which shares by count rivals learn from and are scored on: all of them. Dims: (obs,)."""
    return np.ones(len(observations), dtype=bool)


def run(context: Context) -> ChannelShare:
    """Fit the model to what was known and carry it to the horizon."""
    evidence = {
        "counts": context.observed("internet_hospital_share", "hospital_run"),
        "new": context.observed("internet_hospital_new_share", "hospital_run"),
        "preference": context.observed("preferred_sponsor_share", "hospital_run"),
    }
    encounters = bounds(context)
    last_year = max([context.last_year, *(int(str(day)[:4]) for o in evidence.values() for day in o.end)])
    data = channel_share.arrays(**evidence, encounters=encounters, last_year=last_year)
    fit = fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)
    ahead = context.settings.horizon - last_year
    draws = channel_share.project(fit.posterior, years_ahead=ahead, rng=context.generator("channel_share"))
    years = np.arange(last_year - channel_share.GRID + 1, context.settings.horizon + 1)
    periods = tuple(date(int(y), 12, 31) for y in years)
    now = channel_share.GRID - 1
    return ChannelShare(
        shares={m: Path(f"hospital_share_{m}", "percent", periods, 100.0 * s, now, 12) for m, s in draws.items()},
        rising={m: channel_share.rising(s, now=now) for m, s in draws.items()},
        majority={m: channel_share.majority(s) for m, s in draws.items()},
        known=known(evidence["counts"].where(comparable(evidence["counts"])), "logit"),
        evidence=evidence,
        encounters=encounters,
        fit=fit,
    )
