"""Users: how many, how many stay after a wave, how far use can grow, and how others count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evidence import decisions
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits import checks, influence, user_waves
from telemed_forecast.exhibits.evidence import claims_of, context_table, evidence_table, newest
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named, with_interval
from telemed_forecast.exhibits.forecasts import fan, headline, parameter_table, year_table
from telemed_forecast.exhibits.numbers import ASSUMED, by_id, chance, counted, key_figure, learned, share, value
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import user_adoption as forecast
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.models import adoption
from telemed_forecast.models.odds import expit
from telemed_forecast.models.priors import growth_prior, surge_prior
from telemed_forecast.models.timeline import decimal_year

SINCE = 2015
"""First year of the charts."""

LEGALISED = decisions.shown("legalised")
"""The policy event that a founding article dates 2015, and a claim of the same article, which says when it was out."""

EVIDENCE = {
    "users": "persons",
    "panel": "persons",
    "internet": "persons",
    "population": "persons",
    "surveys": "percent",
}
"""Evidence in the appendix, a table each, with its unit; awareness stands with the surveys."""

SURVEYS = decisions.shown("surveys")
"""Surveys that bear on awareness, trust, intention and use; all are shown, `Forecast.claims` names those fitted."""

OTHER_COUNTS = decisions.labels("other_counts")
"""Other published counts of users: claim id -> why it is not the national survey's count."""


def exhibits(context: Context, result: Forecast, weighed: Sequence[Influence] = ()) -> Exhibits:
    """The report's tables and charts by name; what nobody had published by then is not among them.

    Parameters
    ----------
    context
        Settings and evidence.
    result
        The forecast.
    weighed
        What the headline owes to each published figure.
    """
    day, evidence = context.settings.as_of_date, result.evidence
    claims = (*newest(evidence["users"], 5), *newest(evidence["internet"], 2))
    shown = [result.path, result["online_medical_usage_rate"], result["internet_users"]]
    return named(
        headline(context, "users_path", result.path, SINCE, evidence["users"], result.known),
        year_table("users_by_year", shown, _years(context, result), claims),
        fan("internet_path", result["internet_users"], as_of=day, since=SINCE, evidence=evidence["internet"]),
        user_waves.exhibits(context, result),
        survey_contrasts(result),
        context_table(context, "surveys", SURVEYS),
        other_counts(context, result),
        parameter_table("users_parameters", _parameters(result)),
        _evidence(result),
        _checks(context, result),
        influence.exhibits(context, weighed),
    )


def key_figures(context: Context, result: Forecast) -> dict[str, KeyFigure]:
    """The headline numbers by name."""
    horizon, last, told = context.settings.horizon, result.last_period.isoformat(), _headline(context, result)
    claims = newest(result.evidence["users"], 1, result.evidence["internet"])
    panel = newest(result.evidence["panel"], 3) or claims
    then, figure = str(horizon), partial(key_figure, fits=fits(result))
    won = value(result.draws["wave_gain"][:, 0], "persons")
    left = figure("wave_left", told["wave_left"], last, panel, note={"first": won})
    return by_id(
        [
            _now(result, told["users_now"], figure("users_now", told["users_now"], last, claims)),
            figure(f"users_{horizon}", told["users_then"], then, claims),
            figure(f"usage_{horizon}", told["usage_then"], then, claims, note={"now": told["usage_now"]}),
            *([left] if _measured(result) else ()),
        ]
    )


def numbers(context: Context, result: Forecast, weighed: Sequence[Influence] = ()) -> dict[str, Fact]:
    """What the prose says, by name; None for what was not known."""
    horizon, evidence, posterior = context.settings.horizon, result.evidence, result.fit.posterior
    now, contrasts = result.path.last_known, survey_contrasts(result)
    noise = float(np.median(np.asarray(posterior["survey_noise"])))
    told = context.view["claim_id"].isin([LEGALISED[1]]).any()
    surveys, _, drawn = _checked(context, result)
    return {
        "horizon": horizon,
        "last_period": result.last_period.isoformat(),
        **_headline(context, result),
        "users_grow": chance(result.path.year_end(horizon) > result.path.draws[:, now]),
        "usage_half": chance(result["online_medical_usage_rate"].year_end(horizon) > 50.0),
        "newest_surveys": newest(evidence["users"], 3),
        "surveys_shown": newest(evidence["users"], 5),
        "survey_noise": Value(value=100.0 * noise, unit="percent", digits=1),
        # What a founding article says of the first year on record; nothing before that article was out.
        "legalised_claims": LEGALISED[:1] if told else (),
        "ceiling": share(expit(np.asarray(posterior["usage_logit_ceiling"]))),
        "unaware_claims": claims_of(evidence["unaware"]),
        "survey_spread": value(np.exp(np.asarray(posterior["regional_spread"])), "multiple"),
        "contrast_claims": contrasts.claims if contrasts else (),
        "other_counts_claims": tuple(claim for claim in OTHER_COUNTS if (context.view["claim_id"] == claim).any()),
        **user_waves.numbers(context, result),
        **checks.numbers(drawn, surveys),
        **influence.numbers(weighed),
    }


def fits(result: Forecast) -> list[Fit]:
    """The fits behind the report."""
    return [result.fit]


def forecasts(result: Forecast) -> list[Path]:
    """The quantities that the report forecasts."""
    return [
        result["online_medical_users"],
        result["online_medical_users_latent"],
        result["online_medical_usage_rate"],
        result["internet_users"],
    ]


def survey_contrasts(result: Forecast) -> Exhibit | None:
    """Each fitted survey beside the model's national usage rate at its time; None where there is none."""
    surveys = result.evidence["surveys"]
    year = adoption.survey_years(surveys)
    rates = {
        int(k): _rate_at(result["online_medical_usage_rate"], float(year[k])) for k in np.argsort(year, kind="stable")
    }
    national = {k: rate for k, rate in rates.items() if rate is not None}
    if not national:
        return None
    found = {k: float(0.5 * (surveys.low[k] + surveys.high[k])) for k in national}
    odds = {k: found[k] / (100.0 - found[k]) * (100.0 - rate) / rate for k, rate in national.items()}
    columns = with_interval(
        national=[value(rate, "percent") for rate in national.values()],
        contrast=[value(ratio, "multiple") for ratio in odds.values()],
    )
    claims, shares = [str(surveys.claim_id[k]) for k in national], [round(one, 4) for one in found.values()]
    return Exhibit(
        name="survey_contrasts",
        frame=pd.DataFrame({"statement": claims, "survey": shares} | columns),
        claims=claims_of(surveys),
    )


def other_counts(context: Context, result: Forecast) -> Exhibit | None:
    """Counts of users by others, beside ours of the same day, and why they differ; None before the first."""
    view = context.view.set_index("claim_id")
    rows = view.loc[[claim for claim in OTHER_COUNTS if claim in view.index]]
    if rows.empty:
        return None
    days = rows["period_end"].to_numpy(dtype="datetime64[D]")
    ours = [_rate_at(result["online_medical_users"], float(year)) for year in decimal_year(days)]
    frame = pd.DataFrame(
        {
            "statement": rows.index,
            "day": [str(day) for day in days],
            "counted": rows["value"].astype(str).astype(float).to_numpy(),
            **with_interval(ours=[None if draws is None else value(draws, "persons") for draws in ours]),
            "why": [OTHER_COUNTS[claim] for claim in rows.index],
            "grade": [str(grade) for grade in rows["grade"]],
        }
    )
    return Exhibit(name="other_counts", frame=frame, claims=tuple(rows.index))


def _headline(context: Context, result: Forecast) -> dict[str, Value]:
    """The numbers that answer the report's question."""
    now, horizon = result.path.last_known, context.settings.horizon
    return {
        "users_now": value(result.path.draws[:, now], "persons"),
        "users_then": value(result.path.year_end(horizon), "persons"),
        "usage_now": value(result["online_medical_usage_rate"].draws[:, now], "percent"),
        "usage_then": value(result["online_medical_usage_rate"].year_end(horizon), "percent"),
        "wave_left": share(result.draws["stays"][:, now, 0]),
    }


def _now(result: Forecast, underlying: Value, figure: KeyFigure) -> KeyFigure:
    """The count of the day with the underlying level beside it; that level alone where nobody counted."""
    count = counted(result.evidence["users"], result.last_period, "persons")
    if count is None:
        return figure
    note = {"note_key": "figure.users_now_note", "note_values": {"underlying": underlying}}
    return figure.model_copy(update={"value": count, **note})


def _measured(result: Forecast) -> bool:
    """Whether figures of China told anything of what stays of a wave: what is assumed is no key figure."""
    prior = expit(np.random.default_rng(1).normal(*surge_prior().logit_kept, 4000))
    return learned(prior, expit(np.asarray(result.fit.posterior["surge_logit_kept"]))) >= ASSUMED


def _years(context: Context, result: Forecast) -> list[int]:
    """The year-ends that the table shows: from the last survey to the horizon."""
    candidates = range(result.last_period.year, context.settings.horizon + 1)
    return [year for year in candidates if date(year, 12, 31) in result.path.periods]


def _parameters(result: Forecast) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Prior and posterior draws of the model's parameters."""
    rng = np.random.default_rng(1)
    growth, surge = growth_prior(adoption.CLASS["usage"]), surge_prior()
    draws = {str(name): np.asarray(drawn) for name, drawn in result.fit.posterior.items()}
    gained = draws["surge_gained"]
    parameters = [
        ("kept", expit(rng.normal(*surge.logit_kept, 4000)), expit(draws["surge_logit_kept"])),
        ("half_life", np.exp(rng.normal(*surge.log_half_life, 4000)), draws["surge_half_life"]),
        ("gained_first", rng.beta(*surge.gained, 4000), gained[:, 0]),
        ("gained_second", rng.beta(*surge.gained, 4000), gained[:, 1]),
        ("usage_ceiling", expit(rng.normal(*adoption.CEILING_USAGE, 4000)), expit(draws["usage_logit_ceiling"])),
        ("usage_rate", np.exp(rng.normal(*growth.log_rate, 4000)), draws["usage_rate"]),
        ("usage_sigma", np.exp(rng.normal(*growth.log_sigma, 4000)), draws["usage_sigma"]),
        ("survey_noise", np.exp(rng.normal(*adoption.SURVEY_NOISE, 4000)), draws["survey_noise"]),
        ("regional_spread", np.exp(rng.normal(*adoption.REGIONAL_SPREAD, 4000)), draws["regional_spread"]),
    ]
    return parameters + [
        (name, np.exp(rng.normal(*prior, 4000)), np.exp(draws["definition_offset"][:, k]))
        for k, (name, prior) in enumerate(adoption.OFFSETS.items())
    ]


def _evidence(result: Forecast) -> list[Exhibit]:
    """The figures that entered, a table for each quantity."""
    tables = []
    for name, unit in EVIDENCE.items():
        rows = [result.evidence[name]] + ([result.evidence["unaware"]] if name == "surveys" else [])
        if any(len(part) for part in rows):
            tables.append(evidence_table(f"{name}_evidence", rows, unit))
    return tables


def _checked(context: Context, result: Forecast) -> tuple[Observations, np.ndarray, np.ndarray]:
    """The surveys, the prior of the headline, and what the model would have printed in place of each survey."""
    rng, surveys = context.generator("user_adoption checks"), forecast.headline(context)
    return surveys, forecast.prior_predictive(result, rng), forecast.predictive(result, surveys, rng)


def _checks(context: Context, result: Forecast) -> list[Exhibit]:
    """What the prior said, and where the surveys' counts lie in what the model would have printed."""
    surveys, prior, drawn = _checked(context, result)
    plain = surveys.where(surveys.end > np.datetime64("2020-06-30"))
    return checks.exhibits("users", result.path, prior, drawn, surveys, plain)


def _rate_at(path: Path, year: float) -> np.ndarray | None:
    """Draws of a path at a decimal year; None outside of its periods. Dims: (sample,)."""
    grid = decimal_year(np.array(path.periods, dtype="datetime64[D]"))
    if not grid[0] <= year <= grid[-1]:
        return None
    at = np.array([np.interp(year, grid, np.arange(len(grid)))])
    return np.asarray(adoption.on_grid(path.draws, at)[:, 0])
