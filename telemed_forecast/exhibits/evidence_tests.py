"""What the models say of the evidence: one publisher left out, and what a new figure would teach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import conflict as evaluation
from telemed_forecast.evaluation.review import Review
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.numbers import key_figure
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS

FAR = 0.1
"""An origin lies off when the others give its mean figure less than this on one side (two in ten do by chance)."""

CONFLICTS_SHOWN = 12
"""Publishers in a chart, the most surprising ones; the table holds all."""

LOWEST = 0.5
"""Least part of the variance, in percent, in the table: below it a figure teaches nothing to be told from noise."""


def exhibits(context: Context, review: Review) -> list[Exhibit]:
    """Each origin against all others, and what new figures would settle."""
    judged = _judged(review)
    own = {report: [one for one in judged if one.report == report] for report in MARKETS}
    charts = [_conflict(report, found) for report, found in own.items() if len(found) > 1]
    wanted = [
        _wanted_bars(context, review, str(name), one) for name, one in review.wanted.groupby("report", sort=False)
    ]
    return [*charts, *([leave_one_out(context, judged)] if judged else []), *wanted, wanted_table(context, review)]


def key_figures(context: Context, review: Review) -> list[KeyFigure]:
    """The most valuable missing figure for the size of the market."""
    market = review.wanted[review.wanted["report"] == "market_size"]
    if market.empty:
        return []
    best, period = market.iloc[0], str(context.settings.horizon)
    claims, fit = _claims(review, "market_size"), review.results["market_size"].fit
    note: dict[str, Fact] = {"figure": f"@review.wanted.{best.figure}", **_years(context)}
    return [key_figure("review_missing", _percent(best.removed), period, claims, [fit], note=note)]


def numbers(context: Context, review: Review) -> dict[str, Fact]:
    """What the prose says of both."""
    judged = _judged(review)
    alone = rows(review.conflicts[review.conflicts["method"] == "one_voice"])
    return {
        "judged": len(judged),
        "far": sum(min(one.below, 1.0 - one.below) < FAR for one in judged),
        "far_expected": 2.0 * FAR * len(judged),
        "reliable_bound": evaluation.RELIABLE,
        "refits": sum(one.method == "refit" for one in judged),
        "unreliable": sum(one.method == "unreliable" for one in judged),
        "one_voice": [
            {
                "report": f"@report.{one.report}.title",
                "origin": origin_name(one.origin),
                "rows": len(one.claims),
                "claims": tuple(one.claims[-1:]),
            }
            for one in alone
        ],
        "horizon": context.settings.horizon,
        **_years(context),
    }


def leave_one_out(context: Context, judged: Sequence[Any]) -> Exhibit:
    """What each publisher says against all others, and what leaving it out does to the headline."""
    frame = pd.DataFrame(
        {
            "origin": [origin_name(one.origin) for one in judged],
            "report": [f"@report.{one.report}.title" for one in judged],
            "figures": [len(one.claims) for one in judged],
            "below": [min(max(one.below, 0.0), 1.0) for one in judged],
            "headline": [100.0 * (one.headline - 1.0) for one in judged],
            "width": [100.0 * (one.width - 1.0) for one in judged],
            "khat": pd.Series([one.khat if np.isfinite(one.khat) else "–" for one in judged], dtype=object),
            "method": [one.method for one in judged],
        }
    )
    return Exhibit(
        name="leave_one_out",
        frame=frame,
        claims=tuple(dict.fromkeys(claim for one in judged for claim in one.claims)),
        facts={"horizon": context.settings.horizon, "bound": evaluation.RELIABLE},
    )


def wanted_table(context: Context, review: Review) -> Exhibit:
    """What new figures would settle, those that teach next to nothing left out."""
    figures = [
        (
            one.figure,
            f"@report.{one.report}.title",
            one.kind,
            100.0 * max(one.removed, 0.0),
            one.spread,
            one.spread ** (1.0 - one.narrower),
        )
        for one in rows(review.wanted)
        if 100.0 * one.removed >= LOWEST
    ]
    claims = [claim for name in review.wanted["report"].unique() for claim in _claims(review, name)]
    return Exhibit(
        name="wanted",
        frame=pd.DataFrame(figures, columns=["figure", "report", "kind", "removed", "spread", "narrowed"]),
        claims=tuple(dict.fromkeys(claims)),
        facts={"horizon": context.settings.horizon, **_years(context)},
    )


def _judged(review: Review) -> list[Any]:
    """Origins whose figures stand beside those of others."""
    return rows(review.conflicts[review.conflicts["method"] != "one_voice"])


def _claims(review: Review, report: str, number: int = 3) -> tuple[str, ...]:
    """The newest figures of a report's quantities."""
    newest = review.newest[review.newest["report"] == report].sort_values("end", ascending=False, kind="stable")
    return tuple(newest["claim_id"].head(number))


def _years(context: Context) -> dict[str, Fact]:
    """The years that names of figures speak of."""
    return {"last": context.last_year, "next": context.last_year + 1}


def _percent(part: float) -> Value:
    return Value(value=100.0 * max(part, 0.0), unit="percent", digits=2)


def _conflict(report: str, own: Sequence[Any]) -> Exhibit:
    """The most surprising publishers of a model: their figures over what all others let expect."""
    shown = sorted(own, key=lambda one: -abs(one.z))[:CONFLICTS_SHOWN]
    ratios = [(origin_name(one.origin), *one.ratio) for one in sorted(shown, key=lambda one: -one.ratio[0])]
    furthest = max(own, key=lambda one: abs(one.z))
    middle, low, high = furthest.ratio
    return Exhibit(
        name=f"conflict_{report}",
        frame=pd.DataFrame(ratios, columns=["category", "value", "low", "high"]),
        claims=tuple(dict.fromkeys(claim for one in own for claim in one.claims)),
        facts={
            "report": f"@report.{report}.title",
            "origin": origin_name(furthest.origin),
            "ratio": Value(value=middle, unit="multiple", low=low, high=high),
        },
    )


def _wanted_bars(context: Context, review: Review, report: str, own: pd.DataFrame) -> Exhibit:
    """What each missing figure would remove of the uncertainty about a headline."""
    best = own.iloc[0]
    parts = [(one.figure, max(100.0 * one.removed, 0.0)) for one in rows(own)]
    return Exhibit(
        name=f"wanted_{report}",
        frame=pd.DataFrame(parts, columns=["category", "value"]),
        claims=_claims(review, report),
        facts={
            "report": f"@report.{report}.title",
            "horizon": context.settings.horizon,
            "figure": f"@review.wanted.{best.figure}",
            "part": _percent(best.removed),
        },
    )
