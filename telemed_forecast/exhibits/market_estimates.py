"""Whose figures lie high, whose low: publishers' biases, past forecasts against what became of them, every estimate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.published_sizes import PublishedSize, past_forecasts, published
from telemed_forecast.exhibits.evidence import claims_of, origin_name
from telemed_forecast.exhibits.exhibit import HIGH, LOW, Exhibit, with_interval
from telemed_forecast.exhibits.forecasts import forest
from telemed_forecast.exhibits.numbers import value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.money import Telling
from telemed_forecast.forecast.paths import Forecast

WORST = 15
"""Past forecasts shown on the page; the file has every row."""

CLOSE = 1.5
"""Factor within which a past forecast counts as close."""


def exhibits(context: Context, result: Forecast, money: Telling) -> list[Exhibit]:
    """Biases by publisher, the worst of the past forecasts, and every published size."""
    every = _beside_ours(published(context, result), result, money)
    ended = _beside_ours(past_forecasts(context, result), result, money)
    worst = ended.head(WORST).assign(published_on=ended["published_on"].str[:7]) if len(ended) else ended
    used = every[every["used"] == "used"].sort_values(["definition", "year"], kind="stable")
    past, estimates = (
        ("origin", "published_on", "year", "definition", "published", "ours", "ratio"),
        ("year", "definition", "origin", "published", "ours", "ratio", "bias"),
    )
    return [
        origin_biases(result),
        *([_table("past_forecasts", worst, past, money, ended, number=len(worst))] if len(ended) else []),
        _table("estimates", used, estimates, money, used),
        _every_size(every),
    ]


def numbers(context: Context, result: Forecast) -> dict[str, Fact]:
    """How past forecasts turned out; no claims on a date that knows none whose year has ended."""
    ended = past_forecasts(context, result)
    if not ended:
        return {"past_claims": ()}
    ratios = np.array([np.median(row.ratio) for row in ended if row.ratio is not None])
    return {
        "past_claims": tuple(row.claim_id for row in ended),
        "past_number": len(ended),
        "past_above": int((ratios > 1.0).sum()),
        "past_median": Value(value=float(np.median(ratios)), unit="multiple", digits=2),
        "past_close": int((np.abs(np.log(ratios)) < np.log(CLOSE)).sum()),
        "past_factor": f"{CLOSE:g}",
    }


def origin_biases(result: Forecast) -> Exhibit:
    """How far each publisher lies from what all evidence together implies, the lowest first."""
    bias = np.asarray(result.fit.posterior["origin_bias"])[:, : len(result.extras["origins"])]
    order = np.argsort(np.median(bias, axis=0))
    return forest(
        "origin_biases",
        [result.extras["origins"][k] for k in order],
        np.exp(bias[:, order]),
        claims_of(result.evidence["sizes"]),
    )


def _beside_ours(rows: Sequence[PublishedSize], result: Forecast, money: Telling) -> pd.DataFrame:
    """Published sizes beside our size of the same year and definition, as told."""
    ours = [
        value(money.at(result[f"market_size_{row.definition}"].year_end(row.year), row.year), money.unit)
        if row.definition and row.ratio is not None
        else None
        for row in rows
    ]
    ratio, bias = (
        [None if draws is None else value(draws, "multiple") for draws in (getattr(row, name) for row in rows)]
        for name in ("ratio", "bias")
    )
    told = ["year", "segment", "definition", "origin", "grade", "forecast", "published_on", "use", "size", "claim_id"]
    found = pd.DataFrame([[getattr(row, name) for name in told] for row in rows], columns=told)
    found = found.rename(columns={"use": "used", "size": "published", "forecast": "kind"}).assign(
        origin=found["origin"].map(origin_name),
        kind=found["forecast"].map({True: "forecast", False: "estimate"}),
        published=[row.size * money.constant(row.year) for row in rows],
        unit=money.unit,
    )
    return found.join(pd.DataFrame(with_interval(ours=ours, ratio=ratio, bias=bias)))


def _table(
    name: str, rows: pd.DataFrame, columns: Sequence[str], money: Telling, behind: pd.DataFrame, **facts: Fact
) -> Exhibit:
    """Columns of published sizes, with the intervals of ours, and the claims behind them."""
    whole = [part for column in columns for part in (column, column + LOW, column + HIGH) if part in rows]
    return Exhibit(
        name=name,
        frame=rows[whole].reset_index(drop=True),
        claims=tuple(behind["claim_id"]),
        units={"published": money.unit, "ours": money.unit},
        facts=facts,
    )


def _every_size(every: pd.DataFrame) -> Exhibit:
    """Every published size with what became of it, for a file; ratios and biases are factors."""
    names = {"ours": "ours", "ratio": "published_over_ours", "bias": "bias"}
    factors = {
        name + end: f"{told}{end}{'80' if end else ''}" for name, told in names.items() for end in ("", LOW, HIGH)
    }
    told = ["year", "segment", "origin", "grade", "kind", "published_on", "used", "published", "unit"]
    frame = every[[*told, *factors, "claim_id"]].rename(columns=factors | {"published_on": "known_since"})
    frame["published"] = [float(f"{size:.6g}") for size in frame["published"]]
    for name in factors.values():
        frame[name] = [float(f"{factor:.4g}") for factor in frame[name]]
    facts: dict[str, Fact] = {
        "number": len(every),
        "used": int((every["used"] == "used").sum()),
        "forecasts": int((every["kind"] == "forecast").sum()),
    }
    return Exhibit(name="published_sizes", frame=frame, facts=facts)
