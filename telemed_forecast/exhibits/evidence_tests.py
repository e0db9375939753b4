"""What the models say of the evidence: one publisher left out, and what a new figure would teach."""

from __future__ import annotations

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
    own = {report: judged[judged["report"] == report] for report in MARKETS}
    charts = [_conflict(report, found) for report, found in own.items() if len(found) > 1]
    wanted = [
        _wanted_bars(context, review, str(name), one) for name, one in review.wanted.groupby("report", sort=False)
    ]
    table = [leave_one_out(context, judged)] if len(judged) else []
    return [*charts, *_narrower(context, judged), *table, *wanted, wanted_table(context, review)]


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
        "far": int((np.minimum(judged["below"], 1.0 - judged["below"]) < FAR).sum()),
        "far_expected": 2.0 * FAR * len(judged),
        "reliable_bound": evaluation.RELIABLE,
        "refits": int((judged["method"] == "refit").sum()),
        "unreliable": int((judged["method"] == "unreliable").sum()),
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


def leave_one_out(context: Context, judged: pd.DataFrame) -> Exhibit:
    """What each publisher says against all others, and what leaving it out does to the headline."""
    khat = judged["khat"].astype(object)
    frame = pd.DataFrame(
        {
            "origin": judged["origin"].map(origin_name),
            "report": "@report." + judged["report"] + ".title",
            "figures": judged["claims"].map(len),
            "below": judged["below"].clip(0.0, 1.0),
            "headline": 100.0 * (judged["headline"] - 1.0),
            "width": 100.0 * (judged["width"] - 1.0),
            "khat": khat.where(np.isfinite(judged["khat"]), "–"),
            "method": judged["method"],
        }
    )
    return Exhibit(
        name="leave_one_out",
        frame=frame.reset_index(drop=True),
        claims=_all_claims(judged),
        facts={"horizon": context.settings.horizon, "bound": evaluation.RELIABLE},
    )


def _narrower(context: Context, judged: pd.DataFrame) -> list[Exhibit]:
    """What leaving a publisher out does to the narrower definitions of the market, where it does the most first."""
    own = judged[judged[[*evaluation.NARROWER]].notna().all(axis=1)]
    if own.empty:
        return []
    own = own.iloc[(-np.log(own["services"]).abs()).argsort(kind="stable")]
    changes = {name: 100.0 * (own[name] - 1.0) for name in evaluation.NARROWER}
    frame = pd.DataFrame({"origin": own["origin"].map(origin_name), "figures": own["claims"].map(len), **changes})
    facts: dict[str, Fact] = {"horizon": context.settings.horizon, "origin": frame["origin"].iloc[0]}
    facts["change"] = Value(value=float(frame["services"].iloc[0]), unit="percent", digits=2)
    frame = frame.reset_index(drop=True)
    return [Exhibit(name="left_out_services", frame=frame, claims=_all_claims(own), facts=facts)]


def _all_claims(judged: pd.DataFrame) -> tuple[str, ...]:
    return tuple(judged["claims"].explode().drop_duplicates())


def wanted_table(context: Context, review: Review) -> Exhibit:
    """What new figures would settle, those that teach next to nothing left out."""
    shown = review.wanted[100.0 * review.wanted["removed"] >= LOWEST]
    claims = [claim for name in review.wanted["report"].unique() for claim in _claims(review, name)]
    columns = {
        "figure": shown["figure"],
        "report": "@report." + shown["report"] + ".title",
        "kind": shown["kind"],
        "removed": 100.0 * shown["removed"].clip(lower=0.0),
        "spread": shown["spread"],
        "narrowed": shown["spread"] ** (1.0 - shown["narrower"]),
    }
    return Exhibit(
        name="wanted",
        frame=pd.DataFrame(columns).reset_index(drop=True),
        claims=tuple(dict.fromkeys(claims)),
        facts={"horizon": context.settings.horizon, **_years(context)},
    )


def _judged(review: Review) -> pd.DataFrame:
    """Origins whose figures stand beside those of others."""
    return review.conflicts[review.conflicts["method"] != "one_voice"]


def _claims(review: Review, report: str, number: int = 3) -> tuple[str, ...]:
    """The newest figures of a report's quantities."""
    newest = review.newest[review.newest["report"] == report].sort_values("end", ascending=False, kind="stable")
    return tuple(newest["claim_id"].head(number))


def _years(context: Context) -> dict[str, Fact]:
    """The years that names of figures speak of."""
    return {"last": context.last_year, "next": context.last_year + 1}


def _percent(part: float) -> Value:
    return Value(value=100.0 * max(part, 0.0), unit="percent", digits=2)


def _conflict(report: str, own: pd.DataFrame) -> Exhibit:
    """The most surprising publishers of a model: their figures over what all others let expect."""
    surprising = own.iloc[(-own["z"].abs()).argsort(kind="stable")]
    ratios = [(origin_name(one.origin), *one.ratio) for one in rows(surprising)]
    shown = pd.DataFrame(ratios[:CONFLICTS_SHOWN], columns=["category", "value", "low", "high"])
    origin, middle, low, high = ratios[0]
    return Exhibit(
        name=f"conflict_{report}",
        frame=shown.iloc[(-shown["value"]).argsort(kind="stable")].reset_index(drop=True),
        claims=_all_claims(own),
        facts={
            "report": f"@report.{report}.title",
            "origin": origin,
            "ratio": Value(value=middle, unit="multiple", low=low, high=high),
        },
    )


def _wanted_bars(context: Context, review: Review, report: str, own: pd.DataFrame) -> Exhibit:
    """What each missing figure would remove of the uncertainty about a headline."""
    best, removed = own.iloc[0], 100.0 * own["removed"].clip(lower=0.0)
    return Exhibit(
        name=f"wanted_{report}",
        frame=pd.DataFrame({"category": own["figure"], "value": removed}).reset_index(drop=True),
        claims=_claims(review, report),
        facts={
            "report": f"@report.{report}.title",
            "horizon": context.settings.horizon,
            "figure": f"@review.wanted.{best.figure}",
            "part": _percent(best.removed),
        },
    )
