"""The users of online medical services: fit and forecast."""

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
from telemed_forecast.models import adoption
from telemed_forecast.models.timeline import period_end

SPEC = ModelSpec("user_adoption", adoption.build)

PANEL_ORIGINS = ("nejm_catalyst_2022", "korea_international_trade_association")
"""Origins of the app-panel figures that measure one panel: the months before, in and after the first wave."""


@dataclass(frozen=True)
class UserAdoption:
    """The forecast of users.

    Attributes
    ----------
    users, published, internet, usage
        Users (persons), users as a survey would print them (persons), internet users (persons), usage rate
        (percent of internet users).
    base, kept, passing
        Users without the waves, users of the waves who stay for good, users of the waves who are still leaving.
    stays
        Share of each wave that is still there. Dims: (sample, period, wave).
    wave_gain
        Users that each wave brought in at its start (persons). Dims: (sample, wave).
    known
        The surveys as rivals see them, without the first wave's months.
    evidence
        Survey counts, internet users and app-panel figures that entered.
    fit
        The fitted model.
    """

    users: Path
    published: Path
    internet: Path
    usage: Path
    base: Path
    kept: Path
    passing: Path
    stays: np.ndarray
    wave_gain: np.ndarray
    known: Known
    evidence: dict[str, Observations]
    fit: Fit

    @property
    def last_period(self) -> date:
        """The last period for which a survey was known."""
        return self.users.periods[self.users.last_known]


def run(context: Context) -> UserAdoption:
    """Fit the model to what was known and carry it to the horizon."""
    evidence = _evidence(context)
    data = adoption.arrays(**evidence)
    fit = fitted(SPEC, data, profile=context.profile, seed=context.settings.seed)
    steps = round(2 * (context.settings.horizon + 1 - data["grid"][-1]))
    ahead = data["grid"][-1] + adoption.STEP * np.arange(steps)
    draws = adoption.project(
        fit.posterior,
        data,
        log_population_ahead=np.log(adoption.residents(evidence["population"], ahead)),
        rng=context.generator("user_adoption"),
        kept_odds=context.scenario["retention"],
        ceiling_odds=context.scenario["insurance"],
        usage_pace=context.scenario["trust"],
    )
    periods = tuple(period_end(t) for t in draws["grid"])

    def path(name: str, target: str, unit: str = "persons") -> Path:
        factor = 100.0 if unit == "percent" else 1.0
        return Path(target, unit, periods, factor * draws[name], adoption.GRID - 1, 6)

    surveys = evidence["users"]
    plain = surveys.where(surveys.end > np.datetime64("2020-06-30"))
    return UserAdoption(
        users=path("users", "online_medical_users_latent"),
        published=path("published", "online_medical_users"),
        internet=path("internet", "internet_users"),
        usage=path("usage", "online_medical_usage_rate", "percent"),
        base=path("base", "users_without_waves"),
        kept=path("kept", "users_kept_from_waves"),
        passing=path("passing", "users_leaving_after_waves"),
        stays=draws["stays"],
        wave_gain=draws["wave_gain"],
        known=known(plain, "log", draws["ceiling"]),
        evidence=evidence,
        fit=fit,
    )


def yearly_log_users(fit: Fit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Years, means and sds of the log of the yearly mean number of users (persons), from the fit.

    Returns
    -------
    Three arrays with dims (year,).
    """
    grid = np.asarray(fit.data["grid"])
    log_users = np.asarray(fit.posterior["log_users"])
    # A year is seen at its middle and at its end.
    year = np.ceil(grid).astype(int) - 1
    years = np.unique(year)
    yearly = np.stack([np.log(np.exp(log_users[:, year == y]).mean(axis=1)) for y in years], axis=1)
    return years, yearly.mean(axis=0), yearly.std(axis=0)


def _evidence(context: Context) -> dict[str, Observations]:
    panel = context.observed("online_medical_active_users", "national")
    return {
        "users": context.observed("online_medical_users", "national"),
        "internet": context.observed("internet_users", "national"),
        "panel": panel.where(np.isin(panel.origin, PANEL_ORIGINS)),
        "population": context.observed("population", "national"),
    }
