"""The users of online medical services: fit and forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial

import numpy as np

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.fits.store import Fit, fitted
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Likelihood, Target, Unpublished, by_target
from telemed_forecast.forecast.rivals import history
from telemed_forecast.models import adoption
from telemed_forecast.models.likelihood import Printed
from telemed_forecast.models.model import Rows
from telemed_forecast.models.timeline import period_end, within

SPEC = ModelSpec("user_adoption", adoption.build)

LEVERS = ("retention", "trust", "insurance")
"""The levers that the forecast depends on."""

PANEL_ORIGINS = ("nejm_catalyst_2022", "korea_international_trade_association")
"""Origins of the app-panel figures that measure one panel: the months before, in and after the first wave."""

SURVEYED = ("national", "yangtze_river_delta_residents", "jiangsu_outpatients")
"""Whom the surveys on use asked that see the usage rate through a contrast of their own. Rural users are part of the
national count, and the users of primary institutions' services were asked about those services alone."""


def fit(context: Context) -> Fit:
    """The model fitted to what was known."""
    return fitted(SPEC, arrays(context), profile=context.profile, seed=context.settings.seed)


def arrays(context: Context) -> Rows:
    """The model's arrays."""
    return adoption.arrays(**inputs(context), stated=context.constants("adoption"))


def run(context: Context) -> Forecast:
    """Fit the model to what was known and carry it to the horizon."""
    return context.once("user_adoption", LEVERS, lambda: _run(context))


def _run(context: Context) -> Forecast:
    evidence = inputs(context)
    data = arrays(context)
    model = fit(context)
    steps = round(2 * (context.settings.horizon + 1 - data["grid"][-1]))
    ahead = data["grid"][-1] + adoption.STEP * np.arange(steps)
    draws = adoption.project(
        model.posterior,
        data,
        log_population_ahead=np.log(adoption.residents(evidence["population"], ahead)),
        rng=context.generator("user_adoption"),
        kept_odds=context.scenario["retention"],
        ceiling_odds=context.scenario["insurance"],
        usage_pace=context.scenario["trust"],
    )
    periods = tuple(period_end(t) for t in draws["grid"])

    drawn = {
        "online_medical_users": ("persons", draws["published"]),
        "online_medical_users_latent": ("persons", draws["users"]),
        "internet_users": ("persons", draws["internet"]),
        "online_medical_usage_rate": ("percent", draws["usage"]),
        "users_without_waves": ("persons", draws["base"]),
        "users_kept_from_waves": ("persons", draws["kept"]),
        "users_leaving_after_waves": ("persons", draws["passing"]),
        "first_wave_stays": ("percent", draws["stays"][:, :, 0]),
        "second_wave_stays": ("percent", draws["stays"][:, :, 1]),
    }
    surveys = evidence["users"]
    return Forecast(
        market="user_adoption",
        as_of=context.settings.as_of_date,
        paths=by_target(drawn, periods, adoption.GRID - 1, 6),
        headline="online_medical_users_latent",
        evidence=evidence,
        claims=tuple(dict.fromkeys(str(claim) for rows in evidence.values() for claim in rows.claim_id)),
        fit=model,
        known=history(surveys.where(comparable(surveys)), "log", draws["ceiling"]),
        # By wave: the share still there, the share that will be for good, and users at its start (persons).
        draws={name: draws[name] for name in ("stays", "for_good", "wave_gain")},
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
    # A level that has all but vanished stays where its logarithm is a number.
    means = (np.exp(log_users[:, year == y]).mean(axis=1) for y in years)
    yearly = np.log(np.maximum(np.stack(list(means), axis=1), np.finfo(float).tiny))
    return years, yearly.mean(axis=0), yearly.std(axis=0)


def headline(context: Context) -> Observations:
    """The national survey's counts of users: the rows that the forecast is about (persons)."""
    return context.observed("online_medical_users", "national")


def comparable(observations: Observations) -> np.ndarray:
    """Which counts are of the present definition: what rivals learn from and are scored on. Dims: (obs,)."""
    return observations.end > np.datetime64("2020-06-30")


def _counts(context: Context, metric: str) -> Observations:
    rows = context.observed(metric, "national")
    return rows.where(comparable(rows))


TARGETS: Mapping[str, Target] = {
    "online_medical_users": Target(partial(_counts, metric="online_medical_users"), latent=False),
    "online_medical_usage_rate": Target(partial(_counts, metric="online_medical_usage_rate"), latent=True),
    "internet_users": Target(lambda context: context.observed("internet_users", "national"), latent=True),
}

COVERED = {"online_medical_users": ("national",), "online_medical_active_users": ("national",)}

UNPUBLISHED = (
    Unpublished("users_next_official", "official", "online_medical_users_latent", "next"),
    Unpublished("users_records_official", "official", "online_medical_users_latent", "known"),
    Unpublished("internet_next_official", "official", "internet_users", "next"),
    Unpublished("retention_panel", "panel", "first_wave_stays", "known"),
    Unpublished("second_wave_panel", "panel", "second_wave_stays", "known"),
    Unpublished("would_use_panel", "panel", "usage_logit_ceiling"),
)


def likelihoods(result: Forecast) -> list[Likelihood]:
    """The fit, whose rows are weighed by the headline."""
    return [Likelihood(adoption.MODEL, result.fit, lambda *_: [result.path])]


def printed(result: Forecast, observations: Observations, *, heard: bool = True) -> Printed:
    """What the national survey is expected to print in the place of given rows, seen by the fit or not.

    Parameters
    ----------
    result
        The forecast.
    observations
        Counts of users (persons), such as :func:`headline` gives: with the definition of the row's day and its grade.
    heard
        Whether the fit has heard of the rows' origins; here none has a bias of its own.

    Returns
    -------
    Log persons, for days inside the forecast's periods.
    """
    users = result["online_medical_users_latent"]
    grid = result.fit.data["grid"][0] + adoption.STEP * np.arange(len(users.periods))
    inside = within(observations.end, grid)
    # Less than one person is none, also where draws of the prior have lost everybody.
    curves = {"log_users": np.log(np.maximum(users.draws, 1.0))}
    rows = adoption.user_rows(observations.where(inside), grid)
    return adoption.MODEL.printed("users", result.fit.posterior, curves, rows, inside=inside)


def predictive(result: Forecast, observations: Observations, rng: np.random.Generator) -> np.ndarray:
    """Draws of what would be printed in the place of counts (persons; NaN outside). Dims: (sample, obs)."""
    return np.exp(printed(result, observations).draw(rng))


def prior_predictive(result: Forecast, rng: np.random.Generator, size: int = 1000) -> np.ndarray:
    """Users on the history grid drawn from the prior alone (persons). Dims: (size, history time)."""
    return np.asarray(np.exp(adoption.prior_sample(result.fit.data, size, rng)["log_users"]))


def inputs(context: Context) -> dict[str, Observations]:
    """What the model's arrays are made of, by the name that :func:`adoption.arrays` gives it."""
    panel = context.observed("online_medical_active_users", "national")
    return {
        "users": headline(context),
        "internet": context.observed("internet_users", "national"),
        "panel": panel.where(np.isin(panel.origin, PANEL_ORIGINS)),
        "population": context.observed("population", "national"),
        "surveys": _surveys(context),
        "unaware": context.observed("survey_lack_knowledge", "yangtze_river_delta_residents"),
    }


def _surveys(context: Context) -> Observations:
    """Shares that have used such services; a survey that also prints who never did says that once."""
    used = context.observed("survey_used_online_medical", *SURVEYED)
    never = context.observed("survey_never_used_online_medical", *SURVEYED)
    # A survey that prints only who never used them still speaks: by the complement.
    alone = never.where(~np.isin(_survey(never), _survey(used)))
    complement = replace(alone, low=100.0 - alone.high, high=100.0 - alone.low)
    return Observations(
        **{f.name: np.concatenate([getattr(used, f.name), getattr(complement, f.name)]) for f in fields(used)}
    )


def _survey(rows: Observations) -> np.ndarray:
    """One text for each survey: who made it, whom it asked and when. Dims: (obs,)."""
    named = zip(rows.origin, rows.segment, rows.end, strict=True)
    return np.array([f"{origin} {segment} {end}" for origin, segment, end in named], dtype=np.str_)
