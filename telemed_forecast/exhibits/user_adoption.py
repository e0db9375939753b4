"""Users: how many, how many stay after a wave, how far use can grow, and how others count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evidence import decisions
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits import checks, influence, user_waves
from telemed_forecast.exhibits.evidence import claims_of, context_table, evidence_table, known, newest
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named, with_interval
from telemed_forecast.exhibits.forecasts import fan, headline, parameter_table, year_table, years_shown
from telemed_forecast.exhibits.numbers import by_id, chance, counted, key_figure, share, value
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

EVIDENCE = dict.fromkeys(("users", "panel", "internet", "population"), "persons") | {"surveys": "percent"}
"""Evidence in the appendix, a table each, with its unit; awareness stands with the surveys."""

SURVEYS = decisions.shown("surveys")
"""Surveys that bear on awareness, trust, intention and use; all are shown, `Forecast.claims` names those fitted."""

OTHER_COUNTS = decisions.labels("other_counts")
"""Other published counts of users: claim id -> why it is not the national survey's count."""


def exhibits(context: Context, result: Forecast, weighed: Sequence[Influence] = ()) -> Exhibits:
    """The report's tables and charts by name; what nobody had published by then is not among them."""
    day, evidence = context.settings.as_of_date, result.evidence
    claims = (*newest(evidence["users"], 5), *newest(evidence["internet"], 2))
    shown = [result.path, result["online_medical_usage_rate"], result["internet_users"]]
    return named(
        headline(context, "users_path", result.path, SINCE, evidence["users"], result.known),
        year_table("users_by_year", shown, years_shown(context, result), claims),
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
            *([left] if user_waves.staying(result) != "assumed" else ()),
        ]
    )


def numbers(context: Context, result: Forecast, weighed: Sequence[Influence] = ()) -> dict[str, Fact]:
    """What the prose says, by name; None for what was not known."""
    horizon, evidence, posterior = context.settings.horizon, result.evidence, result.fit.posterior
    now, contrasts = result.path.last_known, survey_contrasts(result)
    noise = float(np.median(np.asarray(posterior["survey_noise"])))
    surveys, _, drawn = _checked(context, result)
    return {
        "horizon": horizon,
        "last_period": result.last_period.isoformat(),
        **_headline(context, result),
        "users_grow": chance(result.path.year_end(horizon) > result.path.draws[:, now]),
        **_below_the_highest(result),
        "usage_half": chance(result["online_medical_usage_rate"].year_end(horizon) > 50.0),
        "newest_surveys": newest(evidence["users"], 3),
        "surveys_shown": newest(evidence["users"], 5),
        "survey_noise": Value(value=100.0 * noise, unit="percent", digits=1),
        # What a founding article says of the first year on record; nothing before that article was out.
        "legalised_claims": LEGALISED[:1] if known(context, LEGALISED[1]) else (),
        "ceiling": share(expit(np.asarray(posterior["usage_logit_ceiling"]))),
        "unaware_claims": claims_of(evidence["unaware"]),
        "survey_spread": value(np.exp(np.asarray(posterior["regional_spread"])), "multiple"),
        "contrast_claims": contrasts.claims if contrasts else (),
        "other_counts_claims": known(context, *OTHER_COUNTS),
        **user_waves.numbers(context, result),
        **checks.numbers(drawn, surveys),
        **influence.numbers(weighed),
    }


def fits(result: Forecast) -> list[Fit]:
    """The fits behind the report."""
    return [result.fit]


def forecasts(result: Forecast) -> list[Path]:
    """The quantities that the report forecasts."""
    shown = ("online_medical_users", "online_medical_users_latent", "online_medical_usage_rate", "internet_users")
    return [result[target] for target in shown]


def survey_contrasts(result: Forecast) -> Exhibit | None:
    """Each fitted survey beside the model's national usage rate at its time; None where there is none."""
    surveys, rate = result.evidence["surveys"], result["online_medical_usage_rate"]
    years = adoption.survey_years(surveys)
    at_its_time = {int(k): _rate_at(rate, float(years[k])) for k in np.argsort(years, kind="stable")}
    national = {k: draws for k, draws in at_its_time.items() if draws is not None}
    if not national:
        return None
    found = {k: float(0.5 * (surveys.low[k] + surveys.high[k])) for k in national}
    odds = [found[k] / (100.0 - found[k]) * (100.0 - draws) / draws for k, draws in national.items()]
    labels = {"statement": surveys.claim_id[list(national)], "survey": [round(one, 4) for one in found.values()]}
    columns = with_interval(
        national=[value(draws, "percent") for draws in national.values()],
        contrast=[value(ratio, "multiple") for ratio in odds],
    )
    return Exhibit(name="survey_contrasts", frame=pd.DataFrame(labels | columns), claims=claims_of(surveys))


def other_counts(context: Context, result: Forecast) -> Exhibit | None:
    """Counts of users by others, beside ours of the same day, and why they differ; None before the first."""
    shown = known(context, *OTHER_COUNTS)
    if not shown:
        return None
    rows = context.view.set_index("claim_id").loc[list(shown)]
    days = rows["period_end"].to_numpy(dtype="datetime64[D]")
    ours = [_rate_at(result["online_medical_users"], float(year)) for year in decimal_year(days)]
    columns = {
        "statement": shown,
        "day": days.astype(str),
        "counted": rows["value"].astype(float).to_numpy(),
        **with_interval(ours=[None if draws is None else value(draws, "persons") for draws in ours]),
        "why": [OTHER_COUNTS[claim] for claim in shown],
        "grade": rows["grade"].to_list(),
    }
    return Exhibit(name="other_counts", frame=pd.DataFrame(columns), claims=shown)


def _headline(context: Context, result: Forecast) -> dict[str, Value]:
    """The numbers that answer the report's question."""
    now, horizon, usage = result.path.last_known, context.settings.horizon, result["online_medical_usage_rate"]
    return {
        "users_now": value(result.path.draws[:, now], "persons"),
        "users_then": value(result.path.year_end(horizon), "persons"),
        "usage_now": value(usage.draws[:, now], "percent"),
        "usage_then": value(usage.year_end(horizon), "percent"),
        "wave_left": share(result.draws["stays"][:, now, 0]),
    }


def _below_the_highest(result: Forecast) -> dict[str, Fact]:
    """The newest count, the highest before it, and whether the level fell too; None where the newest is the highest."""
    none: dict[str, Fact] = dict.fromkeys(("count_newest", "count_highest", "highest_day", "level_fell"))
    surveys = result.evidence["users"]
    counts = surveys.where((surveys.grade == "A") & surveys.bounded & forecast.comparable(surveys))
    order = np.argsort(counts.end, kind="stable")
    if not len(order) or (highest := order[int(np.argmax(counts.low[order]))]) == (newest_count := order[-1]):
        return none | {"fell_claims": ()}
    day, now = counts.end[highest].astype(date), result.path.last_known
    return {
        "count_newest": counted(counts, counts.end[newest_count].astype(date), "persons"),
        "count_highest": counted(counts, day, "persons"),
        "highest_day": day.isoformat(),
        "level_fell": chance(result.path.draws[:, now] < result.path.draws[:, result.path.position(day)]),
        "fell_claims": (str(counts.claim_id[newest_count]), str(counts.claim_id[highest])),
    }


def _now(result: Forecast, underlying: Value, figure: KeyFigure) -> KeyFigure:
    """The count of the day with the underlying level beside it; that level alone where nobody counted."""
    count = counted(result.evidence["users"], result.last_period, "persons")
    if count is None:
        return figure
    note = {"note_key": "figure.users_now_note", "note_values": {"underlying": underlying}}
    return figure.model_copy(update={"value": count, **note})


def _parameters(result: Forecast) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Prior and posterior draws of the model's parameters."""
    rng, growth, surge = np.random.default_rng(1), growth_prior(adoption.CLASS["usage"]), surge_prior()
    draws = {str(name): np.asarray(drawn) for name, drawn in result.fit.posterior.items()}

    def prior(change: Callable[[np.ndarray], np.ndarray], parameters: tuple[float, float]) -> np.ndarray:
        return change(rng.normal(*parameters, 4000))

    return [
        ("kept", prior(expit, surge.logit_kept), expit(draws["surge_logit_kept"])),
        ("half_life", prior(np.exp, surge.log_half_life), draws["surge_half_life"]),
        ("gained_first", rng.beta(*surge.gained, 4000), draws["surge_gained"][:, 0]),
        ("gained_second", rng.beta(*surge.gained, 4000), draws["surge_gained"][:, 1]),
        ("usage_ceiling", prior(expit, adoption.CEILING_USAGE), expit(draws["usage_logit_ceiling"])),
        ("usage_rate", prior(np.exp, growth.log_rate), draws["usage_rate"]),
        ("usage_sigma", prior(np.exp, growth.log_sigma), draws["usage_sigma"]),
        ("survey_noise", prior(np.exp, adoption.SURVEY_NOISE), draws["survey_noise"]),
        ("regional_spread", prior(np.exp, adoption.REGIONAL_SPREAD), draws["regional_spread"]),
        *(
            (name, prior(np.exp, offset), np.exp(draws["definition_offset"][:, k]))
            for k, (name, offset) in enumerate(adoption.OFFSETS.items())
        ),
    ]


def _evidence(result: Forecast) -> list[Exhibit]:
    """The figures that entered, a table for each quantity."""
    rows = {name: [result.evidence[name]] for name in EVIDENCE}
    rows["surveys"].append(result.evidence["unaware"])
    return [evidence_table(f"{name}_evidence", own, EVIDENCE[name]) for name, own in rows.items() if any(map(len, own))]


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
