"""Hospitals against third-party platforms, by measure: shares, the odds of each outcome, and the founding claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.evidence import decisions
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits import checks, influence, platform_revenue
from telemed_forecast.exhibits.evidence import context_table, evidence_table, known, newest, printed_figure
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.forecasts import headline, lines, parameter_table, year_table
from telemed_forecast.exhibits.numbers import by_id, chance, key_figure, value
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import channel_share as forecast
from telemed_forecast.forecast import founding_claim
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.founding_claim import Claim
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.forecast.platform_revenue import PlatformRevenue
from telemed_forecast.models import channel_share as model

SINCE = 2017
"""First year of the chart of the share by number."""

(REPORT,) = decisions.shown("channels_report")
"""A row of the university report whose expectation the page answers."""

CONTEXT = decisions.shown("channels")
"""Figures on the channels that are shown; the web census contradicts itself and enters no likelihood."""

PARAMETERS = ("walk_scale", "new_offset", "share_noise")
"""Parameters that the report shows beside the offsets of measures."""

GOVERNMENT = tuple(
    (label, sides["hospital"], sides["government"], sides["third_party"])
    for label, sides in decisions.parts("government").items()
)
"""Statements that name government beside hospitals and third parties: label, and the claim ids of the three."""


def exhibits(
    context: Context, result: Forecast, platforms: PlatformRevenue, weighed: Sequence[Influence] = ()
) -> Exhibits:
    """The report's tables and charts by name; what nobody had published by then is not among them."""
    day, count, counts = context.settings.as_of_date, result["hospital_share_count"], result.evidence["counts"]
    shares = result.family("hospital_share")
    majority, rising = forecast.majority(result), forecast.rising(result)
    odds = (*newest(counts, 3), *bound_claims(result, "encounters"))
    claims = (*odds, *bound_claims(result, "revenues"))
    years = range(count.periods[count.last_known].year, context.settings.horizon + 1)
    return named(
        headline(context, "hospital_share_path", count, SINCE, counts, result.known),
        lines("shares_by_measure", shares, as_of=day, claims=claims),
        year_table("shares_by_year", [*shares.values()], years, claims),
        government(context),
        odds_chart("channel_odds_chart", result, majority, odds),
        odds_table("channel_odds", result, {f"majority_{name}": drawn for name, drawn in majority.items()}, odds),
        odds_table("channel_rising", result, {f"rising_{name}": drawn for name, drawn in rising.items()}, odds),
        context_table(context, "channels", CONTEXT),
        _claim(result, founding_claim.judge(result, platforms), platforms.claims),
        _bounds("encounter_bounds", result, "encounters", "largest_platform", "platform"),
        _bounds("revenue_bounds", result, "revenues", "platforms", "platforms"),
        platform_revenue.exhibits(context, platforms),
        parameter_table("channel_parameters", _parameters(result)),
        evidence_table("channel_evidence", [*result.evidence.values()], "percent"),
        _checks(context, result),
        influence.exhibits(context, weighed),
    )


def key_figures(context: Context, result: Forecast) -> dict[str, KeyFigure]:
    """The headline numbers by name."""
    horizon, told, count = context.settings.horizon, _headline(context, result), result["hospital_share_count"]
    last = count.periods[count.last_known]
    hospitals = context.observed("internet_hospitals", "national")
    claims = newest(result.evidence["counts"], 2, result.evidence["preference"], hospitals)
    bounds, revenue = (bound_claims(result, name) or claims for name in ("encounters", "revenues"))
    encounters_note, revenue_note = ({"share": told[f"{name}_share_now"]} for name in ("encounters", "revenue"))
    then, figure = str(horizon), partial(key_figure, fits=fits(result))
    return by_id(
        [
            figure("hospital_share_now", told["count_share_now"], last.isoformat(), claims),
            figure(f"hospital_share_{horizon}", told["count_share_then"], then, claims),
            figure("hospital_share_grows", told["count_grows"], f"{last.year}/{horizon}", claims),
            figure("encounter_majority", told["encounters_majority"], then, bounds, note=encounters_note),
            figure("revenue_majority", told["revenue_majority"], then, revenue, note=revenue_note),
        ]
    )


def numbers(
    context: Context, result: Forecast, platforms: PlatformRevenue, weighed: Sequence[Influence] = ()
) -> dict[str, Fact]:
    """What the prose says, by name; None for what was not known."""
    counts, count = result.evidence["counts"], result["hospital_share_count"]
    observed, _, drawn = _checked(context, result)
    before, after = (
        Value(value=float(np.median(draws[:, count.last_known])), unit="percent", digits=3)
        for draws in (count.draws, result.draws["factor"])
    )
    return {
        "horizon": context.settings.horizon,
        "last_year": count.periods[count.last_known].year,
        **_headline(context, result),
        "report_claims": known(context, REPORT),
        "newest_count": str(counts.end.max()) if len(counts) else None,
        "newest_counts": newest(counts, 2),
        "fast": Value(value=100.0 * founding_claim.FAST, unit="percent", digits=2),
        **_claim_numbers(founding_claim.judge(result, platforms)),
        **_bound_numbers(result),
        "share_before": before,
        "share_after": after,
        **platform_revenue.numbers(context, platforms),
        **checks.numbers(drawn, observed),
        **influence.numbers(weighed),
    }


def fits(result: Forecast) -> list[Fit]:
    """The fits behind the report."""
    return [result.fit, result.built_on["internet_hospitals"].fit]


def forecasts(result: Forecast) -> list[Path]:
    """The quantities that the report forecasts."""
    return [*result.family("hospital_share").values()]


def bound_claims(result: Forecast, what: str) -> tuple[str, ...]:
    """Rows that bound the share of ``encounters`` or ``revenues``."""
    return tuple(dict.fromkeys(claim for one in result.extras[what] for claim in one.claims))


def government(context: Context) -> Exhibit | None:
    """Hospital, government and third party side by side, where a source names all three; None before the first."""
    view = context.view.set_index("claim_id")
    stated = [row for row in GOVERNMENT if all(claim in view.index for part in row[1:] for claim in part)]
    if not stated:
        return None
    rows = [
        (name, *(" + ".join(printed_figure(view.loc[claim]) for claim in claims) for claims in sides))
        for name, *sides in stated
    ]
    return Exhibit(
        name="government",
        frame=pd.DataFrame(rows, columns=["statement", "hospital", "government", "third_party"]),
        claims=tuple(claim for row in stated for part in row[1:] for claim in part),
    )


def odds_chart(name: str, result: Forecast, chances: Mapping[str, np.ndarray], claims: Sequence[str]) -> Exhibit:
    """A probability by year ahead and measure, as lines. Dims of the chances: (period,)."""
    count = result["hospital_share_count"]
    ahead = range(count.last_known + 1, len(count.periods))
    rows = [
        (count.periods[k].isoformat(), measure, float(values[k])) for measure, values in chances.items() for k in ahead
    ]
    last = {measure: chance(float(values[-1])) for measure, values in chances.items()}
    return Exhibit(
        name=name,
        frame=pd.DataFrame(rows, columns=["period", "series", "value"]),
        claims=tuple(claims),
        facts={**last, "end": count.periods[-1].isoformat()},
    )


def odds_table(name: str, result: Forecast, chances: Mapping[str, np.ndarray], claims: Sequence[str]) -> Exhibit:
    """Probabilities by year ahead, a column each. Dims of the chances: (period,)."""
    count = result["hospital_share_count"]
    ahead = slice(count.last_known + 1, len(count.periods))
    years = {"year": [day.year for day in count.periods[ahead]]}
    frame = pd.DataFrame(years | {column: values[ahead].astype(float) for column, values in chances.items()})
    return Exhibit(name=name, frame=frame, claims=tuple(claims))


def _claim(result: Forecast, claim: Claim, platforms: Sequence[str]) -> list[Exhibit]:
    """The founding claim: its probability by year and measure, and that of its parts."""
    if claim.both is None or claim.challenged is None:
        return []
    claims = (*newest(result.evidence["counts"], 3), *platforms)
    # The claim's years are those ahead.
    skipped = np.full(result["hospital_share_count"].last_known + 1, np.nan)
    both = {measure: np.concatenate([skipped, values]) for measure, values in claim.both.items()}
    parts = {name: np.concatenate([skipped, getattr(claim, name)]) for name in ("fast", "challenged")}
    columns = parts | {f"claim_{measure}": values for measure, values in both.items()}
    return [
        odds_chart("founding_claim_chart", result, both, claims),
        odds_table("founding_claim", result, columns, claims),
    ]


def _bounds(name: str, result: Forecast, what: str, attribute: str, other: str) -> Exhibit | None:
    """What bounds the hospitals' share of ``encounters`` or ``revenues``; None where nothing does."""
    rows = [
        (one.year, *one.hospitals, getattr(one, attribute), 100.0 * one.lowest, 100.0 * one.highest)
        for one in result.extras[what]
    ]
    columns = ["year", "hospitals_low", "hospitals_high", other, "lowest", "highest"]
    claims = bound_claims(result, what)
    return Exhibit(name=name, frame=pd.DataFrame(rows, columns=columns), claims=claims) if rows else None


def _headline(context: Context, result: Forecast) -> dict[str, Value]:
    """The numbers that answer the report's question."""
    shares, majority = result.family("hospital_share"), forecast.majority(result)
    measures = ("count", "encounters", "revenue")
    return {
        **{f"{name}_share_now": value(shares[name].draws[:, shares[name].last_known], "percent") for name in measures},
        "count_share_then": value(shares["count"].year_end(context.settings.horizon), "percent"),
        "count_grows": chance(float(forecast.rising(result)["count"][-1])),
        **{f"{name}_majority": chance(float(majority[name][-1])) for name in measures},
    }


def _claim_numbers(claim: Claim) -> dict[str, Fact]:
    """The founding claim at the horizon; None where too few platforms publish accounts."""
    if claim.both is None or claim.challenged is None:
        return dict.fromkeys(("claim_both", "claim_hospitals", "claim_challenged"))
    odds = {"both": claim.both["count"], "hospitals": claim.hospitals["count"], "challenged": claim.challenged}
    return {f"claim_{name}": chance(float(years[-1])) for name, years in odds.items()}


def _bound_numbers(result: Forecast) -> dict[str, Fact]:
    fees = result.extras["revenues"][-1].fees if result.extras["revenues"] else None
    low, high = (Value(value=fee, unit="CNY", digits=2) for fee in fees) if fees else (None, None)
    return {
        "platform_multiple": model.PLATFORM_MULTIPLE,
        "revenue_multiple": model.REVENUE_MULTIPLE,
        "encounter_claims": bound_claims(result, "encounters"),
        "revenue_claims": bound_claims(result, "revenues"),
        "fee_low": low,
        "fee_high": high,
    }


def _parameters(result: Forecast) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Prior and posterior draws of the model's parameters."""
    prior, posterior = model.prior_sample(result.fit.data, 4000, np.random.default_rng(1)), result.fit.posterior
    first, *others = ((name, prior[name], np.asarray(posterior[name])) for name in PARAMETERS)
    offsets = np.asarray(posterior["measure_offset"])
    each = zip(model.MEASURES[1:], prior["measure_offset"].T, offsets.T, strict=False)
    return [first, *((f"offset_{measure}", before, after) for measure, before, after in each), *others]


def _checked(context: Context, result: Forecast) -> tuple[Observations, np.ndarray, np.ndarray]:
    """Published shares, the prior of the headline, and what the model would have printed in place of each share."""
    rng, observed = context.generator("channel_share_checks"), forecast.headline(context)
    return observed, forecast.prior_predictive(result, rng), forecast.predictive(result, observed, rng)


def _checks(context: Context, result: Forecast) -> list[Exhibit]:
    observed, prior, drawn = _checked(context, result)
    return checks.exhibits("channel", result["hospital_share_count"], prior, drawn, observed)
