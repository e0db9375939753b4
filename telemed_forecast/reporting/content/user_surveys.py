"""How far use can grow, what surveys say of it, and other counts of users, in the report on users."""

from __future__ import annotations

from datetime import date

import numpy as np

from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.user_adoption import UserAdoption
from telemed_forecast.models import adoption
from telemed_forecast.models.odds import expit
from telemed_forecast.models.timeline import decimal_year
from telemed_forecast.reporting.blocks import Block, Column, Heading, Paragraph, TableBlock, Value
from telemed_forecast.reporting.content import parts
from telemed_forecast.reporting.content.parts import value

SURVEYS = (
    "seed-yrd-used",
    "seed-yrd-never",
    "seed-yrd-lack",
    "seed-yrd-immature",
    "bain-2020-used",
    "bain-2022-adoption-2021",
    "jmir2025-jiangsu-used12m",
    "fpubh2023-primary-used",
    "cnnic-2022-12-online-medical-usage-rate-rural-hk51",
    "cnnic-2020-06-online-medical-component-usage-rate-online-purchase-of-medical-goods-gh46",
    "cnnic-2020-06-online-medical-component-usage-rate-registration-or-consultation-gh46",
    "nmpa-si-2021-online-buyers",
    "bain-2020-expect",
    "bain-2020-interest",
    "liu2021-intention",
    "pku-2023-01-online",
    "pku-2023-01-hosp",
    "jmir2025-jiangsu-minor",
    "jmir2025-national-highfreq",
    "vcbeat-2024-freq-2to4",
)
"""Surveys that bear on awareness, trust, intention and use; all are shown, `UserAdoption.claims` names those fitted."""

OTHER_COUNTS = {
    "cnnic-2020-12-online-medical-users-other-definition-iimedia-iim20": "why.wide",
    "bcg-2020-digital-medical-users": "why.wide",
    "askci-2022-reg-users-2021": "why.registered",
    "cnnic-2014-12-mobile-medical-users-cap37": "why.mobile",
    "cnnic-2015-12-mobile-medical-users-cap37": "why.mobile",
    "active-users-2019-11": "why.month",
    "kita-2020-04-mau": "why.month",
    "active-users-2020-11": "why.month",
    "note-2020-mau": "why.month",
    "consult-app-mau-2020-11": "why.month",
    "appointment-app-mau-2020-11": "why.month",
    "analysys-2020-01-dau": "why.day",
    "baidu-2021-07-dau": "why.readers",
}
"""Other published counts of users: claim id -> text key of why it is not the national survey's count."""


def ceiling(context: Context, result: UserAdoption) -> list[Block]:
    """How far use can grow, and the surveys on knowing, trusting and using."""
    posterior = result.fit.posterior
    share = expit(np.asarray(posterior["usage_logit_ceiling"]))
    surveyed = _survey_table(result)
    spread = np.exp(np.asarray(posterior["regional_spread"]))
    unaware = result.evidence["unaware"]
    return [
        Heading(key="user_adoption.ceiling"),
        Paragraph(
            key="user_adoption.ceiling_text" if len(unaware) else "user_adoption.ceiling_unsurveyed",
            values={"ceiling": parts.share(share)},
            sources=tuple(str(claim) for claim in unaware.claim_id),
        ),
        *(
            [
                Paragraph(
                    key="user_adoption.surveys_text",
                    values={"spread": value(spread, "multiple")},
                    sources=surveyed.sources,
                ),
                surveyed,
            ]
            if surveyed.rows
            else []
        ),
        parts.context_table(context, "surveys", SURVEYS),
    ]


def _survey_table(result: UserAdoption) -> TableBlock:
    """Each fitted survey beside the model's national usage rate at its time."""
    surveys = result.evidence["surveys"]
    year = adoption.survey_years(surveys)
    rows = []
    for k in np.argsort(year, kind="stable"):
        national = _rate_at(result.usage, float(year[k]))
        if national is None:
            continue
        found = 0.5 * (surveys.low[k] + surveys.high[k])
        odds = found / (100.0 - found) * (100.0 - national) / national
        rows.append(
            (
                f"@context.{surveys.claim_id[k]}",
                Value(value=round(float(found), 4), unit="percent"),
                value(national, "percent"),
                value(odds, "multiple"),
            )
        )
    return TableBlock(
        id="survey_contrasts",
        title_key="table.survey_contrasts.title",
        note_key="table.survey_contrasts.note",
        columns=(
            Column(name="statement", key="column.statement"),
            Column(name="survey", key="column.survey", unit="percent"),
            Column(name="national", key="column.national", unit="percent"),
            Column(name="contrast", key="column.contrast", unit="multiple"),
        ),
        rows=tuple(rows),
        sources=tuple(str(claim) for claim in surveys.claim_id),
    )


def _rate_at(path: Path, year: float) -> np.ndarray | None:
    """Draws of a path at a decimal year; None outside of its periods. Dims: (sample,)."""
    grid = decimal_year(np.array(path.periods, dtype="datetime64[D]"))
    if not grid[0] <= year <= grid[-1]:
        return None
    at = np.array([np.interp(year, grid, np.arange(len(grid)))])
    return np.asarray(adoption.on_grid(path.draws, at)[:, 0])


def other_counts(context: Context, result: UserAdoption) -> list[Block]:
    """Counts of users by others, beside ours of the same day, and why they differ."""
    view = context.view.set_index("claim_id")
    rows, cited = [], []
    for claim, why in OTHER_COUNTS.items():
        if claim not in view.index:
            continue
        row = view.loc[claim]
        day: date = row["period_end"].date()
        ours = _rate_at(result.published, float(decimal_year(np.array([day], dtype="datetime64[D]"))[0]))
        rows.append(
            (
                f"@context.{claim}",
                day.isoformat(),
                Value(value=float(str(row["value"])), unit="persons"),
                None if ours is None else value(ours, "persons"),
                f"@{why}",
                str(row["grade"]),
            )
        )
        cited.append(claim)
    if not rows:
        return []
    columns = (
        Column(name="statement", key="column.statement"),
        Column(name="day", key="column.day"),
        Column(name="counted", key="column.counted", unit="persons"),
        Column(name="ours", key="column.survey_count", unit="persons"),
        Column(name="why", key="column.why"),
        Column(name="grade", key="column.grade"),
    )
    return [
        Heading(key="user_adoption.counts"),
        Paragraph(key="user_adoption.counts_text", sources=tuple(cited)),
        TableBlock(
            id="other_counts",
            title_key="table.other_counts.title",
            columns=columns,
            rows=tuple(rows),
            sources=tuple(cited),
        ),
    ]
