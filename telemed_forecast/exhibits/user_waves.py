"""The waves of the epidemic: whom they brought, who stayed, and what platforms said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from telemed_forecast.evidence import decisions
from telemed_forecast.exhibits.evidence import context_table, known, newest
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.forecasts import line
from telemed_forecast.exhibits.numbers import basis, share, value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, interval
from telemed_forecast.models import adoption
from telemed_forecast.models.odds import expit
from telemed_forecast.models.priors import surge_prior

FATES = ("staying", "leaving", "gone")
"""What became of the people whom a wave brought, in the order of the chart."""

PEAKS = decisions.shown("platform_peaks")
"""Multiples that platforms, hospitals and app panels reported of the first wave at its height."""

DEMAND, DAILY = decisions.shown("peaks_compared")
"""The largest rise in the headlines, and the one figure of people on many apps at once: the text compares them."""

PEAK_METRICS = (
    "consultation_multiple",
    "consultation_growth",
    "registration_multiple",
    "registration_growth",
    "visit_multiple",
    "prescription_multiple",
    "daily_active_users_growth",
)
"""Metrics of the rows above, as ratios to the base that each row names."""

LATER = decisions.shown("later_multiples")
"""Multiples of volumes later in 2020, or of the whole year."""

LATER_PEOPLE = {name: (*sides["base"], *sides["later"]) for name, sides in decisions.parts("later_people").items()}
"""Ratios of two counts of monthly users, which are people and not visits: label -> claims of base and later."""

JUNE_2020 = {label: claim for claim, label in decisions.labels("june_2020").items()}
"""Counts of June and December 2020, and June's usage rates with and without mere purchases: label -> claim."""

SURGES = decisions.shown("surges")
"""What platforms, hospitals and app panels said of the waves, with what each compares; shown, not fitted."""


def exhibits(context: Context, result: Forecast) -> list[Exhibit]:
    """What the waves brought, what stayed and what was lost, and what platforms reported."""
    claims = newest(result.evidence["panel"], 3)
    return [
        users_parts(result, claims),
        *_june_2020(context, result),
        *_lost(result, claims),
        retention(result, claims),
        *_platforms(context, result),
        context_table(context, "surges", SURGES),
    ]


def numbers(context: Context, result: Forecast) -> dict[str, Fact]:
    """What the prose says of the waves."""
    stays, gain = result.draws["stays"][:, result.path.last_known], result.draws["wave_gain"]
    multiples = reported(context).set_index("category")["value"]
    both = {DEMAND, DAILY} <= set(multiples.index)
    rise, daily = (float(multiples[claim]) if both else None for claim in (DEMAND, DAILY))
    return {
        "wave_first": value(gain[:, 0], "persons"),
        "wave_second": value(gain[:, 1], "persons"),
        "wave_left_first": share(stays[:, 0]),
        "wave_left_second": share(stays[:, 1]),
        "wave_for_good": share(expit(np.asarray(result.fit.posterior["surge_logit_kept"]))),
        "wave_claims": newest(result.evidence["panel"], 3),
        "demand_rise": Value(value=100.0 * (rise - 1.0), unit="percent", digits=3) if rise else None,
        "demand_multiple": Value(value=rise, unit="multiple", digits=2) if rise else None,
        "daily_rise": Value(value=100.0 * (daily - 1.0), unit="percent", digits=2) if daily else None,
        "reported_claims": (DEMAND, DAILY) if both else (),
        "later_claims": _later(context)[1],
        "june_2020_claims": known(context, *JUNE_2020.values()),
    }


def users_parts(result: Forecast, claims: Sequence[str]) -> Exhibit:
    """Users by origin: those who would have come without the waves, and those won in a wave."""
    days = [k for k, day in enumerate(result.path.periods) if day.year >= 2018 and day.month == 12]
    parts = {"base": "without_waves", "kept": "kept_from_waves", "passing": "leaving_after_waves"}
    draws = {name: result[f"users_{part}"].draws for name, part in parts.items()}
    return Exhibit(name="users_parts", frame=_means(result, draws, days), claims=tuple(claims))


def _june_2020(context: Context, result: Forecast) -> list[Exhibit]:
    """Users of June 2020 as later counts would have it, under three readings and by the model, beside December's."""
    claims = known(context, *JUNE_2020.values())
    if len(claims) < len(JUNE_2020):
        return []
    printed = context.view.set_index("claim_id")["value"].astype(float)
    count, whole, rest, december = (
        float(printed[JUNE_2020[label]]) for label in ("count", "any", "without_purchases", "december")
    )
    offset = np.asarray(result.fit.posterior["definition_offset"])[:, list(adoption.OFFSETS).index("definition_2020h1")]
    readings = {"all_held": 1.0, "half_held": 0.5 * (1.0 + rest / whole), "none_held": rest / whole}
    june = {reading: np.array([count * held]) for reading, held in readings.items()} | {
        "modelled": count / np.exp(offset)
    }
    columns = {
        "reading": list(june),
        **with_interval(june=[_told(users, "persons") for users in june.values()]),
        "december": december,
        **with_interval(change=[_told(100.0 * (december / users - 1.0), "percent") for users in june.values()]),
    }
    return [Exhibit(name="june_2020", frame=pd.DataFrame(columns), claims=claims)]


def _told(draws: np.ndarray, unit: str) -> Value:
    """A number that follows from what was published has no interval."""
    return value(draws, unit) if len(draws) > 1 else Value(value=float(draws[0]), unit=unit)


def staying(result: Forecast) -> str:
    """Whether figures of China told anything of what stays of a wave for good: ``assumed`` if not."""
    prior = expit(np.random.default_rng(1).normal(*surge_prior().logit_kept, 4000))
    return basis(prior, expit(np.asarray(result.fit.posterior["surge_logit_kept"])))


def fates(result: Forecast) -> dict[str, np.ndarray]:
    """Persons whom each wave had brought in by each period, by what became of them.

    Returns
    -------
    ``gained`` and its parts ``staying`` (for good), ``leaving`` (still there) and ``gone``.
    Dims: (sample, period, wave).
    """
    come = result.draws["for_good"] > 0
    gained = result.draws["wave_gain"][:, None, :] * come
    staying = gained * result.draws["for_good"]
    return {
        "gained": gained,
        "staying": staying,
        "leaving": gained * (result.draws["stays"] - result.draws["for_good"]),
        "gone": gained * (1.0 - result.draws["stays"]) * come,
    }


def _lost(result: Forecast, claims: Sequence[str]) -> list[Exhibit]:
    """The people whom the waves brought: still there and staying, still there but leaving, gone."""
    found = fates(result)
    if not found["gained"].any():
        return []
    periods, now, cited = result.path.periods, result.path.last_known, tuple(claims)
    days = [k for k, day in enumerate(periods) if day.month == 12 and found["gained"][:, k].any()]
    waves = [k for k in range(len(adoption.WAVES)) if found["gained"][:, now, k].any()]
    both = {name: draws.sum(axis=2) for name, draws in found.items()}
    # Every year that is known, and the last of the forecast: in between people only go on leaving.
    told = [k for k in days if k <= now or k == days[-1]]
    names, rests = ("gained", *FATES), {"basis": staying(result)}
    by_wave = {name: [value(found[name][:, now, k], "persons") for k in waves] for name in names}
    by_wave["gone_share"] = [share(1.0 - result.draws["stays"][:, now, k]) for k in waves]
    by_year = with_interval(**{name: [value(both[name][:, k], "persons") for k in told] for name in names})
    return [
        Exhibit(name="wave_fates", frame=_means(result, {name: both[name] for name in FATES}, days), claims=cited),
        Exhibit(
            name="waves_now",
            frame=pd.DataFrame({"wave": [str(k) for k in waves]} | with_interval(**by_wave) | rests),
            claims=cited,
            facts={"day": result.last_period.isoformat()},
        ),
        Exhibit(
            name="wave_fates_by_year",
            frame=pd.DataFrame({"year": [periods[k].year for k in told]} | by_year | rests),
            claims=cited,
        ),
    ]


def _means(result: Forecast, draws: dict[str, np.ndarray], positions: Sequence[int]) -> pd.DataFrame:
    """Means by series and period, which add up as medians would not."""
    periods = result.path.periods
    rows = [
        (periods[k].isoformat(), name, float(np.mean(drawn[:, k]))) for name, drawn in draws.items() for k in positions
    ]
    return pd.DataFrame(rows, columns=["period", "series", "value"])


def retention(result: Forecast, claims: Sequence[str]) -> Exhibit:
    """What is left of a wave, year by year: prior from other countries and posterior for China."""
    since = np.arange(0.0, 6.01, 0.5)
    prior, posterior, rng = surge_prior(), result.fit.posterior, np.random.default_rng(0)
    drawn = {
        "prior": (rng.normal(*prior.logit_kept, 4000), np.exp(rng.normal(*prior.log_half_life, 4000))),
        "posterior": (np.asarray(posterior["surge_logit_kept"]), np.asarray(posterior["surge_half_life"])),
    }
    frames = []
    for name, (logit, half_life) in drawn.items():
        left = adoption.retention(since[None, :], kept=expit(logit)[:, None], half_life=half_life[:, None])
        frames.append(line(name, since.tolist(), 100.0 * left))
    return Exhibit(name="retention", frame=pd.concat(frames, ignore_index=True), claims=tuple(claims))


def _platforms(context: Context, result: Forecast) -> list[Exhibit]:
    """What single platforms reported at the height of the first wave and later, beside the model's own ratio."""
    multiples = reported(context)
    peaks = multiples[multiples["category"].isin(PEAKS)]
    found = [_multiples("platform_peaks", peaks, [c for c in PEAKS if c in set(peaks["category"])])]
    later, claims = _later(context)
    if claims:
        found.append(_multiples("platform_left", pd.concat([later, _ours(result)]), claims))
    return [one for one in found if len(one.frame)]


def reported(context: Context) -> pd.DataFrame:
    """Reported multiples: as printed, with the interval that the printed digits leave open."""
    printed = context.view.set_index("claim_id")["value"].astype(float)
    seen = pd.concat([context.observed(metric).frame() for metric in PEAK_METRICS], ignore_index=True)
    number = printed.loc[seen["claim_id"]].to_numpy()
    growth = seen["metric"].str.endswith("_growth")
    rows = seen[["claim_id", "low", "high"]].rename(columns={"claim_id": "category"})
    rows.insert(1, "value", np.where(growth, 1.0 + number / 100.0, number))
    order = {claim: k for k, claim in enumerate((*PEAKS, *LATER))}
    at = rows["category"].map(lambda claim: order.get(claim, len(order)))
    return rows.loc[at.sort_values(kind="stable").index].reset_index(drop=True)


def _later(context: Context) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Multiples of volumes later in 2020, ratios of two counts of monthly users, and the claims behind them."""
    multiples = reported(context)
    counts = [context.observed(metric).frame() for metric in ("online_medical_active_users", "monthly_active_users")]
    ends = pd.concat(counts).set_index("claim_id")[["low", "high"]]
    volumes = multiples[multiples["category"].isin(LATER)]
    people, claims = [], list(volumes["category"])
    for name, pair in LATER_PEOPLE.items():
        if set(pair) <= set(ends.index):
            (base_low, base_high), (low, high) = ends.loc[list(pair)].to_numpy().tolist()
            people.append((name, (low + high) / (base_low + base_high), low / base_high, high / base_low))
            claims += pair
    return pd.concat([volumes, _rows(people)]), tuple(dict.fromkeys(claims))


def _ours(result: Forecast) -> pd.DataFrame:
    """All users over users without the waves, by the model, at the ends of June and December 2020 (80% interval)."""
    rows = []
    users, without = result["online_medical_users_latent"], result["users_without_waves"]
    for name, day in (("ours_june", date(2020, 6, 30)), ("ours_december", date(2020, 12, 31))):
        k = users.position(day) if day in users.periods else None
        if k is not None and result.draws["for_good"][:, k].any():
            # A country with less than one user without the wave has no ratio to speak of.
            low, middle, high = interval(users.draws[:, k] / np.maximum(without.draws[:, k], 1.0))
            rows.append((name, middle, low, high))
    return _rows(rows)


def _rows(rows: Sequence[tuple[str, float, float, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["category", "value", "low", "high"])


def _multiples(name: str, rows: pd.DataFrame, claims: Sequence[str]) -> Exhibit:
    """Multiples of a base, the largest first."""
    frame = rows.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    ends = zip(("largest", "smallest"), frame["value"].iloc[[0, -1]] if len(frame) else (), strict=False)
    facts = {end: Value(value=number, unit="multiple", digits=2) for end, number in ends}
    return Exhibit(name=name, frame=frame, claims=tuple(claims), facts=facts)
