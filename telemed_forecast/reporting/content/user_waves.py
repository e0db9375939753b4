"""The waves of the epidemic in the report on users: whom they brought, who stayed, and what platforms said of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import interval
from telemed_forecast.forecast.user_adoption import UserAdoption
from telemed_forecast.models import adoption
from telemed_forecast.models.odds import expit
from telemed_forecast.models.priors import surge_prior
from telemed_forecast.reporting.blocks import Block, Chart, Column, Heading, Paragraph, Table, TableBlock, Value
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value

Multiple = tuple[float, float, float]
"""A multiple of a base: as printed or median, low, high."""

FATES = ("staying", "leaving", "gone")
"""What became of the people whom a wave brought, in the order of the chart."""

PEAKS = (
    "zju2-2020h1-mult",
    "nhc-2020-thirdparty-mult",
    "nhc-2020-44-mult",
    "jdh-2020-03-surge",
    "haodf-2020-surge10",
    "seed-bjnews-pagd-reg",
    "nhc-2020-thirdparty-rx",
    "pagd-2020-02-newconsult",
    "seed-bjnews-haodf-demand",
    "jdh-2020h1-growth",
    "seed-bjnews-haodf-reg",
    "haodf-2020-01-growth",
    "dxy-2020-02-mult",
    "analysys-2020-01-pct",
)
"""Multiples that platforms, hospitals and app panels reported of the first wave at its height."""

DEMAND, DAILY = "seed-bjnews-haodf-demand", "analysys-2020-01-pct"
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

LATER = ("jdh-2020-growth", "haodf-2020-bj", "dxy-2020-06-mult")
"""Multiples of volumes later in 2020, or of the whole year."""

LATER_PEOPLE = {
    "multiple.panel_peak": ("active-users-2019-11", "kita-2020-04-mau"),
    "multiple.panel_year": ("active-users-2019-11", "active-users-2020-11"),
    "multiple.pagd_year": ("pagd-2019-06-mau", "pagd-2020-06-mau"),
}
"""Ratios of two counts of monthly users, which are people and not visits: text key -> claims of base and later."""

SURGES = (
    "seed-bjnews-haodf-demand",
    "seed-bjnews-haodf-reg",
    "haodf-2020-surge10",
    "haodf-2020-01-growth",
    "haodf-2020-03-growth",
    "haodf-2020-bj",
    "seed-bjnews-haodf-free",
    "seed-bjnews-pagd-reg",
    "seed-bjnews-pagd-consult",
    "seed-bjnews-pagd-visits",
    "seed-bjnews-pagd-video",
    "seed-bjnews-pagd-govs",
    "pagd-2019-06-mau",
    "pagd-2020-06-mau",
    "jdh-2020-03-surge",
    "jdh-2020h1-growth",
    "jdh-2020-growth",
    "dxy-2020-02-mult",
    "dxy-2020-06-mult",
    "seed-tencent-users",
    "seed-tencent-doctor",
    "seed-tencent-push",
    "seed-bjnews-platforms",
    "seed-bjnews-topic-prevent",
    "seed-bjnews-topic-symptoms",
    "seed-bjnews-topic-transmission",
    "nhc-2020-thirdparty-mult",
    "nhc-2020-thirdparty-rx",
    "nhc-2020-44-mult",
    "zju2-2020h1-mult",
    "analysys-2020-01-dau",
    "analysys-2020-01-pct",
    "bain-2020-12-usage-left",
    "sh-2022-04-mult",
    "sh-2022-04-rx",
    "baidu-2022-12-fever",
    "meituan-2022-12-fever",
)
"""What platforms, hospitals and app panels said of the waves, with what each compares; shown, not fitted."""


def waves(result: UserAdoption) -> list[Block]:
    """What the waves brought, what stayed and what was lost."""
    now = result.users.last_known
    shown = [k for k, day in enumerate(result.users.periods) if day.year >= 2018 and day.month == 12]
    stacked = [
        (result.users.periods[k].isoformat(), f"@series.{name}", float(np.mean(path.draws[:, k])))
        for name, path in (("base", result.base), ("kept", result.kept), ("passing", result.passing))
        for k in shown
    ]
    claims = tuple(parts.newest(result.evidence["panel"], 3))
    return [
        Heading(key="user_adoption.waves"),
        Paragraph(
            key="user_adoption.waves_text",
            values={
                "first": value(result.wave_gain[:, 0], "persons"),
                "second": value(result.wave_gain[:, 1], "persons"),
                "left_first": parts.share(result.stays[:, now, 0]),
                "left_second": parts.share(result.stays[:, now, 1]),
                "for_good": parts.share(expit(np.asarray(result.fit.posterior["surge_logit_kept"]))),
                "day": result.last_period.isoformat(),
            },
            sources=claims,
        ),
        Chart(
            id="users_parts",
            kind="stack",
            title_key="chart.users_parts.title",
            alt_key="chart.users_parts.alt",
            unit="persons",
            data=Table(columns=("period", "series", "value"), rows=tuple(stacked)),
            sources=claims,
        ),
        *_lost(result, claims),
        _retention_chart(result, claims),
    ]


def fates(result: UserAdoption) -> dict[str, np.ndarray]:
    """Persons whom each wave had brought in by each period, by what became of them.

    Returns
    -------
    ``gained`` and its parts ``staying`` (for good), ``leaving`` (still there) and ``gone``.
    Dims: (sample, period, wave).
    """
    come = result.for_good > 0
    gained = result.wave_gain[:, None, :] * come
    staying = gained * result.for_good
    return {
        "gained": gained,
        "staying": staying,
        "leaving": gained * (result.stays - result.for_good),
        "gone": gained * (1.0 - result.stays) * come,
    }


def _lost(result: UserAdoption, claims: tuple[str, ...]) -> list[Block]:
    """The people whom the waves brought: still there and staying, still there but leaving, gone."""
    found = fates(result)
    if not found["gained"].any():
        return []
    days = [k for k, d in enumerate(result.users.periods) if d.month == 12 and found["gained"][:, k].any()]
    now = result.users.last_known
    both = {name: draws.sum(axis=2) for name, draws in found.items()}
    rows = [
        (result.users.periods[k].isoformat(), f"@series.{name}", float(np.mean(both[name][:, k])))
        for name in FATES
        for k in days
    ]
    waves_come = [k for k in range(len(adoption.WAVES)) if found["gained"][:, now, k].any()]
    names = ("gained", *FATES)
    by_wave = [
        (
            f"@wave.{k}",
            *(value(found[name][:, now, k], "persons") for name in names),
            parts.share(1.0 - result.stays[:, now, k]),
        )
        for k in waves_come
    ]
    # Every year that is known, and the last of the forecast: in between people only go on leaving.
    told = [k for k in days if k <= now or k == days[-1]]
    by_year = [(result.users.periods[k].year, *(value(both[name][:, k], "persons") for name in names)) for k in told]
    columns = [Column(name=name, key=f"column.{name}", unit="persons") for name in names]
    return [
        Paragraph(key="user_adoption.lost_text", sources=claims),
        Chart(
            id="wave_fates",
            kind="stack",
            title_key="chart.wave_fates.title",
            alt_key="chart.wave_fates.alt",
            unit="persons",
            data=Table(columns=("period", "series", "value"), rows=tuple(rows)),
            sources=claims,
        ),
        TableBlock(
            id="waves_now",
            title_key="table.waves_now.title",
            title_values={"day": result.last_period.isoformat()},
            columns=(
                Column(name="wave", key="column.wave"),
                *columns,
                Column(name="gone_share", key="column.gone_share", unit="percent"),
            ),
            rows=tuple(by_wave),
            sources=claims,
        ),
        TableBlock(
            id="wave_fates_by_year",
            title_key="table.wave_fates_by_year.title",
            note_key="table.wave_fates_by_year.note",
            columns=(Column(name="year", key="column.year", unit="year"), *columns),
            rows=tuple(by_year),
            sources=claims,
        ),
    ]


def _retention_chart(result: UserAdoption, claims: tuple[str, ...]) -> Chart:
    """What is left of a wave, year by year: prior from other countries and posterior for China."""
    since = np.arange(0.0, 6.01, 0.5)
    prior = surge_prior()
    rng = np.random.default_rng(0)
    drawn = {
        "prior": (rng.normal(*prior.logit_kept, 4000), np.exp(rng.normal(*prior.log_half_life, 4000))),
        "posterior": (
            np.asarray(result.fit.posterior["surge_logit_kept"]),
            np.asarray(result.fit.posterior["surge_half_life"]),
        ),
    }
    rows = []
    for name, (logit, half_life) in drawn.items():
        left = adoption.retention(since[None, :], kept=expit(logit)[:, None], half_life=half_life[:, None])
        low, middle, high = 100.0 * np.quantile(left, [0.1, 0.5, 0.9], axis=0)
        rows += [
            (float(since[k]), f"@series.{name}", float(middle[k]), float(low[k]), float(high[k]))
            for k in range(len(since))
        ]
    return Chart(
        id="retention",
        kind="lines",
        title_key="chart.retention.title",
        alt_key="chart.retention.alt",
        unit="percent",
        x_key="axis.years_since_wave",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=tuple(rows)),
        sources=claims,
    )


def platforms(context: Context, result: UserAdoption) -> list[Block]:
    """What single platforms reported of the waves, and why that is not the growth of users."""
    ratios = _reported(context)
    blocks: list[Block] = [Heading(key="user_adoption.platforms")]
    shown = [claim for claim in PEAKS if claim in ratios]
    if {DEMAND, DAILY} <= ratios.keys():
        values = {
            "rise": Value(value=100.0 * (ratios[DEMAND][0] - 1.0), unit="percent", digits=3),
            "multiple": Value(value=ratios[DEMAND][0], unit="multiple", digits=2),
            "daily": Value(value=100.0 * (ratios[DAILY][0] - 1.0), unit="percent", digits=2),
        }
        blocks.append(Paragraph(key="user_adoption.platforms_text", values=values, sources=(DEMAND, DAILY)))
    if shown:
        blocks.append(_multiples("platform_peaks", [(f"@context.{c}", *ratios[c]) for c in shown], shown))
    later = [(f"@context.{claim}", *ratios[claim]) for claim in LATER if claim in ratios]
    people, cited = _ratios_of_people(context)
    if later or people:
        named = [*(claim for claim in LATER if claim in ratios), *cited]
        ours = _our_ratio(result)
        blocks += [
            Paragraph(key="user_adoption.platforms_left", sources=tuple(named)),
            _multiples("platform_left", [*later, *people, *ours], named),
        ]
    return [*blocks, parts.context_table(context, "surges", SURGES).model_copy(update={"folded": True})]


def _reported(context: Context) -> dict[str, Multiple]:
    """Reported multiples by claim: as printed, with the interval that the printed digits leave open."""
    printed = context.view.set_index("claim_id")["value"]
    found = {}
    for metric in PEAK_METRICS:
        rows = context.observed(metric)
        for k, claim in enumerate(rows.claim_id):
            number = float(printed[claim])
            middle = 1.0 + number / 100.0 if metric.endswith("_growth") else number
            found[str(claim)] = (middle, float(rows.low[k]), float(rows.high[k]))
    return found


def _ratios_of_people(context: Context) -> tuple[list[tuple[str, float, float, float]], list[str]]:
    """Ratios of two counts of monthly users: (text key, ratio, low, high), and the claims behind them."""
    known: dict[str, tuple[float, float]] = {}
    for metric in ("online_medical_active_users", "monthly_active_users"):
        rows = context.observed(metric)
        known |= {str(rows.claim_id[k]): (float(rows.low[k]), float(rows.high[k])) for k in range(len(rows))}
    found, claims = [], []
    for key, pair in LATER_PEOPLE.items():
        if all(claim in known for claim in pair):
            base, later = (known[claim] for claim in pair)
            found.append((f"@{key}", sum(later) / sum(base), later[0] / base[1], later[1] / base[0]))
            claims += list(pair)
    return found, list(dict.fromkeys(claims))


def _our_ratio(result: UserAdoption) -> list[tuple[str, float, float, float]]:
    """All users over users without the waves, by the model, at the ends of June and December 2020 (80% interval)."""
    found = []
    for key, day in (("multiple.ours_june", date(2020, 6, 30)), ("multiple.ours_december", date(2020, 12, 31))):
        if day in result.users.periods and result.for_good[:, result.users.position(day)].any():
            k = result.users.position(day)
            # A country with less than one user without the wave has no ratio to speak of.
            low, middle, high = interval(result.users.draws[:, k] / np.maximum(result.base.draws[:, k], 1.0))
            found.append((f"@{key}", middle, low, high))
    return found


def _multiples(name: str, rows: Sequence[tuple[str, float, float, float]], claims: Sequence[str]) -> Chart:
    """Multiples of a base on a logarithmic axis, the largest first."""
    ordered = sorted(rows, key=lambda row: -row[1])
    largest, smallest = (Value(value=row[1], unit="multiple", digits=2) for row in (ordered[0], ordered[-1]))
    return Chart(
        id=name,
        kind="dots",
        title_key=f"chart.{name}.title",
        alt_key=f"chart.{name}.alt",
        alt_values={"largest": largest, "smallest": smallest},
        unit="multiple",
        data=Table(columns=("category", "value", "low", "high"), rows=tuple(ordered)),
        log=True,
        reference=1.0,
        reference_key="reference.no_change",
        sources=tuple(claims),
    )
