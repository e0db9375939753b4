"""Internet hospitals: how many, who runs them, what policy did, how many operate, and what 2022 would have said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evidence import decisions, ledger
from telemed_forecast.exhibits import checks, influence
from telemed_forecast.exhibits.evidence import (
    claims_of,
    context_table,
    evidence_table,
    known,
    newest,
    origin_name,
    printed_figure,
)
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named, with_interval
from telemed_forecast.exhibits.forecasts import fan, forest, headline, lines, parameter_table, year_table, years_shown
from telemed_forecast.exhibits.numbers import by_id, chance, key_figure, value
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import internet_hospitals as forecast
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import at_days
from telemed_forecast.forecast.paths import Forecast, Path, interval
from telemed_forecast.models import internet_hospitals as model
from telemed_forecast.models import licensing_policy
from telemed_forecast.models.odds import expit

SINCE = 2017
"""First year of the charts."""

(TARGET_CLAIM,) = decisions.shown("look_back_target")
"""The figure that the look back is held against."""

SPONSORS = decisions.shown("sponsor_counts")
"""Counts of one sponsor; only the first enters the model."""

CENSUS = decisions.shown("census")
"""Those of the web census that contradicts itself on who is who."""

SUPPLY = decisions.shown("supply")
"""What surveys and reports say of supply and activity; shown with their sources. The first three bound the share that
operates; the two of grade D are shown because they say what no better source does, and enter nothing."""

(PRESS,) = decisions.shown("press")
"""A figure of the article that says that few truly operate; the saying itself has none."""

PLACES = ("shandong", "zhejiang_platform", "hainan", "shanghai", "guangdong_platform", "ningbo", "yinchuan")
"""Segments that count internet hospitals in one place."""

FOUNDED = ("internet_hospitals_of_tertiary_hospitals", "internet_hospitals_of_secondary_hospitals")
"""Internet hospitals that hospitals of a level founded, by province."""

MOST = 10
"""Provinces shown in the chart."""

PLAIN = (
    "hospital_rate",
    "firm_rate",
    "hospital_sigma",
    "firm_sigma",
    "policy_fade",
    "origin_spread",
    "reporting_noise",
)
"""Parameters that the report shows under the model's name and on its scale."""

PARAMETERS: Sequence[tuple[str, str, Callable[..., np.ndarray]]] = (
    ("pool_share", "hospital_logit_ceiling", expit),
    ("firm_ceiling", "firm_log_ceiling", np.exp),
    *((name, name, np.asarray) for name in PLAIN),
)
"""Parameters that the report shows: what they are called there, in the model, and the change of scale between."""

FORECASTS = (
    "internet_hospitals",
    "internet_hospitals_latent",
    "internet_hospitals_hospital_run",
    "internet_hospitals_third_party",
    "internet_hospitals_hospital_share",
    "internet_hospitals_share_of_pool",
    "internet_hospitals_operating",
)


def exhibits(
    context: Context, result: Forecast, earlier: Forecast | None = None, weighed: Sequence[Influence] = ()
) -> Exhibits:
    """The report's tables and charts by name; what nobody had published by then is not among them.

    `earlier` is what the same model would have said earlier.
    """
    shown, counts = years_shown(context, result), newest(result.evidence["counts"], 3)
    part = result.family("internet_hospitals")
    by_year = [result.path, part["share_of_pool"], part["operating"]]
    by_sponsor = [part["hospital_run"], part["third_party"], part["hospital_share"]]
    return named(
        headline(context, "hospitals_path", result.path, SINCE, result.evidence["counts"], result.known),
        year_table("hospitals_by_year", by_year, shown, counts),
        hospitals_by_sponsor(context, result),
        year_table("sponsors_by_year", by_sponsor, shown, sponsor_claims(result)),
        context_table(context, "sponsor_counts", SPONSORS) if known(context, *SPONSORS) else None,
        policy_events(result),
        counter_offsets(result),
        hospitals_look_back(context, earlier),
        fan("operating_share", part["operating_share"], as_of=context.settings.as_of_date,
            since=SINCE, claims=result.extras["activity"].claims),
        context_table(context, "supply", SUPPLY),
        hospitals_by_place(context, result),
        hospitals_by_province(context),
        parameter_table("hospitals_parameters", _parameters(result)),
        evidence_table("hospitals_evidence", [result.evidence["counts"], result.evidence["own"]], "hospitals"),
        evidence_table("hospital_share_evidence", [r], "percent") if len(r := result.evidence["shares"]) else None,
        _checks(context, result),
        influence.exhibits(context, weighed),
    )  # fmt: skip


def key_figures(context: Context, result: Forecast) -> dict[str, KeyFigure]:
    """The headline numbers by name."""
    horizon, last = context.settings.horizon, result.last_period
    told, last_count, claims = _headline(context, result), _newest_count(result), newest(result.evidence["counts"], 2)
    printed = dict(zip(("printed", "day", "grade"), last_count.values(), strict=True))
    then, figure = str(horizon), partial(key_figure, sources=claims, fits=fits(result))
    return by_id(
        [
            figure("hospitals_now", told["hospitals_now"], last.isoformat(), note=printed),
            figure(f"hospitals_{horizon}", told["hospitals_then"], then),
            figure(f"pool_{horizon}", told["pool_then"], then, note={"now": told["pool_now"]}),
            figure("hospitals_double", told["hospitals_double"], f"{last.year}/{horizon}"),
        ]
    )


def numbers(
    context: Context, result: Forecast, earlier: Forecast | None = None, weighed: Sequence[Influence] = ()
) -> dict[str, Fact]:
    """What the prose says, by name; None for what was not known."""
    return {
        "horizon": context.settings.horizon,
        "last_period": result.last_period.isoformat(),
        **_headline(context, result),
        "newest_counts": newest(result.evidence["counts"], 3),
        **_newest_count(result),
        **_sponsor_numbers(context, result),
        **_policy_numbers(result),
        **_look_back_numbers(context, earlier),
        **_activity_numbers(context, result),
        **checks.numbers(_predictive(context, result), result.evidence["counts"]),
        **influence.numbers(weighed),
    }


def fits(result: Forecast, earlier: Forecast | None = None) -> list[Fit]:
    """The fits behind the report."""
    return [result.fit, *([earlier.dated_fit] if earlier else [])]


def forecasts(result: Forecast) -> list[Path]:
    """The quantities that the report forecasts."""
    return [result[target] for target in FORECASTS]


def sponsor_claims(result: Forecast) -> tuple[str, ...]:
    """Rows that tell the sponsors apart."""
    return claims_of(result.evidence["own"], result.evidence["shares"])


def hospitals_by_sponsor(context: Context, result: Forecast) -> Exhibit:
    """Both sponsors by half-year, with 80% intervals."""
    both = {name: result[f"internet_hospitals_{name}"] for name in ("hospital_run", "third_party")}
    own, firms = (value(path.draws[:, -1], "hospitals") for path in both.values())
    end = result.path.periods[-1].isoformat()
    day, claims = context.settings.as_of_date, sponsor_claims(result)
    return lines("hospitals_by_sponsor", both, as_of=day, since=SINCE, claims=claims, end=end, own=own, firms=firms)


def policy_events(result: Forecast) -> Exhibit | None:
    """The dated events that act, and what each added; None before the first."""
    events, rng = result.extras["events"], np.random.default_rng(1)
    if not events.event_id:
        return None
    effect = np.asarray(result.fit.posterior["event_effect"]).T[: len(events.event_id)]
    listed = ledger.policy_events().set_index("event_id").loc[list(events.event_id)]
    before = [direction * np.abs(rng.normal(0.0, licensing_policy.SIZE, 4000)) for direction in events.direction]
    columns = with_interval(
        effect=[value(100.0 * np.expm1(draws), "percent") for draws in effect],
        before=[value(100.0 * np.expm1(draws), "percent") for draws in before],
    )
    hosts = [str(urlsplit(str(url)).hostname).removeprefix("www.") for url in listed["url"]]
    frame = pd.DataFrame({"event": events.event_id} | columns | {"day": listed["date"].to_list(), "source": hosts})
    return Exhibit(name="policy_events", frame=frame, claims=tuple(events.event_id))


def counter_offsets(result: Forecast) -> Exhibit:
    """Counts by others relative to the official one."""
    offsets = np.asarray(result.fit.posterior["origin_offset"])[:, : len(result.extras["origins"])]
    others = result.evidence["counts"].where(~np.isin(result.evidence["counts"].origin, model.OFFICIAL))
    return forest("counter_offsets", result.extras["origins"], np.exp(offsets), claims_of(others))


def hospitals_look_back(context: Context, earlier: Forecast | None) -> Exhibit | None:
    """What the model says with an earlier vintage; None where that is not earlier, or its target not yet known."""
    if earlier is None or _target(context) is None:
        return None
    evidence = context.observed("internet_hospitals", "national")
    return fan(
        "hospitals_look_back", earlier["internet_hospitals"], as_of=earlier.as_of, since=SINCE, evidence=evidence
    )


def hospitals_by_place(context: Context, result: Forecast) -> Exhibit | None:
    """Counts of single places beside the national estimate of the day; None before the first."""
    counts = context.observed("internet_hospitals", *PLACES)
    if not len(counts):
        return None
    counts = counts.where(np.argsort(counts.end, kind="stable"))
    national, rng = at_days(result["internet_hospitals_latent"], counts.end).T, np.random.default_rng(1)
    # "More than 100" is some number up to 200: each as likely as any other, on the log scale.
    ends = zip(counts.low, counts.high, strict=True)
    own = [np.exp(rng.uniform(np.log(low), np.log(high), national.shape[1])) for low, high in ends]
    told = [(part, whole) if np.isfinite(whole).all() else None for part, whole in zip(own, national, strict=True)]
    columns = with_interval(
        national=[value(one[1], "hospitals") if one else None for one in told],
        part=[value(100.0 * one[0] / one[1], "percent") if one else None for one in told],
    )
    published = [
        printed_figure(row) for _, row in context.view.set_index("claim_id").loc[counts.claim_id.tolist()].iterrows()
    ]
    origins = {"origin": map(origin_name, counts.origin), "grade": counts.grade}
    labels = {"place": counts.segment, "day": counts.end.astype(str), "count": published}
    return Exhibit(name="hospitals_by_place", frame=pd.DataFrame(labels | columns | origins), claims=claims_of(counts))


def hospitals_by_province(context: Context) -> Exhibit | None:
    """Internet hospitals that tertiary and secondary hospitals had founded, by province; None when nobody counted."""
    counts = [context.observed(metric) for metric in FOUNDED]
    rows = pd.concat([level.where(level.segment != "national").frame() for level in counts])
    if rows.empty:
        return None
    # Half of an odd sum would have no meaning: a printed interval stands for its rounded middle.
    middle = (0.5 * (rows["low"] + rows["high"])).round().astype(int)
    number = middle.groupby(rows["segment"].rename("category")).sum().rename("value").reset_index()
    number = number.sort_values(["value", "category"], ascending=[False, True], ignore_index=True)
    first, total = number["category"][0], int(number["value"].sum())
    return Exhibit(
        name="hospitals_by_province",
        frame=number.head(MOST).astype({"value": float}),
        claims=tuple(rows["claim_id"]),
        facts={"first": f"@place.{first}", "number": int(number["value"][0]), "all": total},
    )


def _parameters(result: Forecast) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Prior and posterior draws of the model's parameters."""
    prior, posterior = model.prior_sample(result.fit.data, 4000, np.random.default_rng(1)), result.fit.posterior
    return [(name, change(prior[own]), change(np.asarray(posterior[own]))) for name, own, change in PARAMETERS]


def _predictive(context: Context, result: Forecast) -> np.ndarray:
    return forecast.predictive(result, result.evidence["counts"], context.generator("hospitals_predictive"))


def _checks(context: Context, result: Forecast) -> list[Exhibit]:
    prior = forecast.prior_predictive(result, context.generator("hospitals_prior"))
    printed, latent = _predictive(context, result), result["internet_hospitals_latent"]
    return checks.exhibits("hospitals", latent, prior, printed, result.evidence["counts"])


def _headline(context: Context, result: Forecast) -> dict[str, Value]:
    """The numbers that answer the report's question."""
    now, horizon = result.path.last_known, context.settings.horizon
    pool, share = result["internet_hospitals_share_of_pool"], result["internet_hospitals_hospital_share"]
    shown = {"hospitals": (result.path, "hospitals"), "pool": (pool, "percent"), "hospital_share": (share, "percent")}
    return {
        **{f"{name}_now": value(path.draws[:, now], unit) for name, (path, unit) in shown.items()},
        **{f"{name}_then": value(path.year_end(horizon), unit) for name, (path, unit) in shown.items()},
        "hospitals_double": chance(result.path.year_end(horizon) > 2 * result.path.draws[:, now]),
        "hospital_share_grows": chance(share.year_end(horizon) > share.draws[:, now]),
    }


def _newest_count(result: Forecast) -> dict[str, Fact]:
    """The last published count: its number, day and grade."""
    counts = result.evidence["counts"]
    evidence = counts.where(counts.bounded)
    row = int(np.argsort(evidence.end, kind="stable")[-1])
    middle = float(0.5 * (evidence.low[row] + evidence.high[row]))
    return {
        "newest_count": Value(value=middle, unit="hospitals"),
        "newest_day": str(evidence.end[row])[:10],
        "newest_grade": str(evidence.grade[row]),
    }


def _sponsor_numbers(context: Context, result: Forecast) -> dict[str, Fact]:
    claims = sponsor_claims(result)
    days = [str(one.end.max()) for one in (result.evidence["own"], result.evidence["shares"]) if len(one)]
    return {
        "sponsor_claims": claims,
        "sponsor_figures": len(claims),
        "sponsor_newest": max(days, default=None),
        "census_claims": known(context, *CENSUS),
    }


def _policy_numbers(result: Forecast) -> dict[str, Fact]:
    events = result.extras["events"]
    acts = bool(events.event_id)
    return {
        "policy_number": len(events.event_id),
        "policy_fade": value(np.asarray(result.fit.posterior["policy_fade"]), "years") if acts else None,
        "policy_newest": str(events.day.max()) if acts else None,
    }


def _target(context: Context) -> Any:
    """The row that the look back is held against."""
    return context.view.set_index("claim_id").loc[TARGET_CLAIM] if known(context, TARGET_CLAIM) else None


def _look_back_numbers(context: Context, earlier: Forecast | None) -> dict[str, Fact]:
    row = _target(context)
    if earlier is None or row is None:
        return {"look_back_claims": ()}
    actual = float(row["value"])
    then = at_days(earlier["internet_hospitals"], np.array([row["period_end"]], dtype="datetime64[D]"))[:, 0]
    low, _, high = interval(then)
    return {
        "look_back_claims": (TARGET_CLAIM,),
        "look_back_outcome": "inside" if low <= actual <= high else "outside",
        "look_back_as_of": earlier.as_of.isoformat(),
        "look_back_day": str(row["period_end"])[:10],
        "look_back_forecast": value(then, "hospitals"),
        "look_back_actual": Value(value=actual, unit="hospitals"),
        "look_back_rank": chance(then < actual),
    }


def _activity_numbers(context: Context, result: Forecast) -> dict[str, Fact]:
    share, bounds = result["internet_hospitals_operating_share"], result.extras["activity"]
    operating = result["internet_hospitals_operating"]
    return {
        "activity_claims": tuple(bounds.claims),
        "activity_newest": str(bounds.day.max()) if bounds.claims else None,
        "operating_share_now": value(share.draws[:, share.last_known], "percent"),
        "operating_now": value(operating.draws[:, share.last_known], "hospitals"),
        "operating_then": value(operating.year_end(context.settings.horizon), "hospitals"),
        "press_claims": known(context, PRESS),
    }
