"""The number of internet hospitals: fit, forecast, and a look back."""

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
from telemed_forecast.models import internet_hospitals
from telemed_forecast.models.timeline import period_end

SPEC = ModelSpec("internet_hospitals", internet_hospitals.build)

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
    share_of_pool
        Count over secondary and tertiary hospitals (percent).
    counters
        Names of the counters other than the official one, in the order of the posterior's offsets.
    known
        The official counts as rivals see them.
    evidence
        The counts that entered.
    fit
        The fitted model.
    """

    count: Path
    published: Path
    share_of_pool: Path
    counters: list[str]
    known: Known
    evidence: Observations
    fit: Fit

    @property
    def last_period(self) -> date:
        """The last period for which a count was known."""
        return self.count.periods[self.count.last_known]


def run(context: Context) -> InternetHospitals:
    """Fit the model to what was known and carry it to the horizon."""
    counts = context.observed("internet_hospitals", *COUNTERS)
    pool = [context.observed("hospitals", level) for level in LEVELS]
    data, counters = internet_hospitals.arrays(counts, pool)
    fit = fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)
    end = internet_hospitals.grid_end(counts)
    steps = round(2 * (context.settings.horizon + 1 - end))
    ahead = end + internet_hospitals.STEP * np.arange(steps)
    # The ceiling of a step is the pool at its start; the share is taken at its end.
    pool_ahead = internet_hospitals.eligible(pool, np.append(ahead, ahead[-1] + internet_hospitals.STEP))
    draws = internet_hospitals.project(
        fit.posterior,
        data,
        log_pool_ahead=np.log(pool_ahead),
        rng=context.generator("internet_hospitals"),
        pace=context.scenario["licensing"],
    )
    grid = internet_hospitals.half_years(end, internet_hospitals.GRID)
    times = np.concatenate([grid, ahead + internet_hospitals.STEP])
    periods = tuple(period_end(t) for t in times)
    official = counts.where(np.isin(counts.origin, internet_hospitals.OFFICIAL))
    last = internet_hospitals.GRID - 1
    return InternetHospitals(
        count=Path("internet_hospitals_latent", "hospitals", periods, draws["count"], last, 6),
        published=Path("internet_hospitals", "hospitals", periods, draws["published"], last, 6),
        share_of_pool=Path(
            "internet_hospitals_share_of_pool", "percent", periods, 100.0 * draws["share_of_pool"], last, 6
        ),
        counters=counters,
        known=known(official, "log", draws["ceiling"]),
        evidence=counts,
        fit=fit,
    )
