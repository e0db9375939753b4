"""Can the doctors serve the encounters? Capacity from what surveys and platforms print, against what the model counts.

Capacity a year = physicians x part of them who practise online x consultations each answers a day x days. Every factor
is an interval of the ledger, drawn independently: Monte Carlo, no fit. The part who practise online lies between what
the largest platform alone has registered and what surveys of hospital doctors print; the consultations a day between
the mean of all who are listed on a platform and what surveyed doctors say they answer. The result is the supply *as
doctors practise today*: what lacks is filled by platforms' own full-time doctors, who answer many times as many, or by
nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.models.timeline import carried, decimal_year

PLATFORMS = ("chunyu", "haodf", "wedoctor", "jd_health", "alibaba_health", "tencent", "baidu_health", "weimai")
"""Platforms on whose books a doctor answers patients; reading and training services for doctors have more."""

SURVEYS = ("tertiary_hospital_doctors", "shanghai_tertiary_pediatricians", "jiangsu_2_general_2_community_hospitals")
"""Segments of the surveys that ask how many doctors practise online; hospital doctors more than others."""

FEW = 5.0
"""Consultations a day below which `survey_doctors_fewer_than_5_consultations_per_day` counts a doctor."""

MANY = (5.0, 15.0)
"""Mean consultations a day of the other doctors: no source prints it. Three times the survey's bound at the most; the
recommended doctors of a platform answer 3.4 a day (dj2020-dxy-rec-month)."""

DAYS = (250.0, 365.0)
"""Days a year on which a doctor answers: working days, or every day."""

PACE = 0.5
"""Part of the latest growth of physicians per head that goes on: as for other mature stocks."""

FIRST_YEAR = 2019
"""First year shown: the surveys are of 2020 and 2021."""


@dataclass(frozen=True)
class DoctorSupply:
    """Capacity beside demand.

    Attributes
    ----------
    physicians
        Licensed physicians (persons). Dims: (year,).
    share, per_day
        Part of them who practise online, and consultations that one of these answers a day. Dims: (sample,).
    capacity, demand, ratio
        Consultations a year, and the first over the second.
    income_price, model_price
        Yuan per consultation that doctors' printed incomes imply, and that of the market's model in the last full year.
        Dims: (sample,).
    claims
        Rows behind the inputs.
    """

    physicians: np.ndarray
    share: np.ndarray
    per_day: np.ndarray
    capacity: Path
    demand: Path
    ratio: Path
    income_price: np.ndarray
    model_price: np.ndarray
    claims: tuple[str, ...]

    def suffices(self, year: int) -> np.ndarray:
        """Whether capacity covers demand, by draw."""
        return self.ratio.year_end(year) >= 1.0

    @property
    def price_ratio(self) -> np.ndarray:
        """Yuan per consultation by doctors' incomes, relative to the model's price. Dims: (sample,)."""
        return self.income_price / self.model_price


def run(context: Context, market: Forecast) -> DoctorSupply | None:
    """Draw capacity and compare; None on a date that knows no survey, no workload or no platform yet."""
    surveys = context.observed("doctors_online_share", *SURVEYS)
    registered = context.observed("registered_doctors", *PLATFORMS)
    load = context.observed("consultations_per_doctor_per_day", "haodf")
    few = context.observed("survey_doctors_fewer_than_5_consultations_per_day")
    income = context.observed("doctor_online_monthly_income")
    density, people = (
        context.observed("licensed_physicians_per_1000", "national"),
        context.observed("population", "national"),
    )
    if min(map(len, (surveys, registered, load, few, income, density, people))) == 0:
        return None
    rng = context.generator("doctor_supply")
    encounters = market["online_encounters"]
    periods = tuple(p for p in encounters.periods if p.year >= FIRST_YEAR)
    demand = encounters.draws[:, encounters.position(periods[0]) :]
    size = len(demand)
    physicians = _physicians(density, people, periods)
    now = periods.index(date(context.last_year, 12, 31))
    floor = float(registered.low.max()) / physicians[now]
    share = rng.uniform(floor, max(float(surveys.high.max()) / 100.0, floor), size)
    per_day = _per_day(load, few, size, rng)
    days = rng.uniform(*DAYS, size)
    capacity = (share * per_day * days)[:, None] * physicians
    monthly = np.exp(rng.uniform(np.log(income.low.min()), np.log(income.high.max()), size))
    used = (surveys, registered.where(np.argmax(registered.low)[None]), load, few, income, density, people)

    def path(target: str, unit: str, draws: np.ndarray) -> Path:
        return Path(target, unit, periods, draws, now, 12, flow=True)

    return DoctorSupply(
        physicians=physicians,
        share=share,
        per_day=per_day,
        capacity=path("consultation_capacity", "consultations", capacity),
        demand=path("online_encounters", "consultations", demand),
        ratio=path("capacity_over_demand", "multiple", capacity / demand),
        income_price=12.0 * monthly / (per_day * days),
        model_price=np.exp(np.asarray(market.fit.posterior["price"])),
        claims=tuple(dict.fromkeys(str(c) for rows in used for c in rows.claim_id)),
    )


def _physicians(density: Observations, people: Observations, periods: tuple[date, ...]) -> np.ndarray:
    """Licensed physicians at the end of each year. Dims: (year,)."""
    years = decimal_year(np.array(periods, dtype="datetime64[D]"))
    per_1000 = carried(density.end, 0.5 * (density.low + density.high), years, pace=PACE)
    return per_1000 / 1000.0 * carried(people.end, 0.5 * (people.low + people.high), years, pace=PACE)


def _per_day(load: Observations, few: Observations, size: int, rng: np.random.Generator) -> np.ndarray:
    """Mean consultations a day of a doctor who practises online. Dims: (sample,).

    At least the mean of everyone listed on a platform; at most what the surveyed doctors' answers add up to. Between
    the two on the log scale.
    """
    below = rng.uniform(few.low.min(), few.high.max(), size) / 100.0
    surveyed = below * rng.uniform(0.5, FEW - 0.5, size) + (1.0 - below) * rng.uniform(*MANY, size)
    listed = rng.uniform(load.low.min(), load.high.max(), size)
    return np.exp(rng.uniform(np.log(listed), np.log(surveyed)))
