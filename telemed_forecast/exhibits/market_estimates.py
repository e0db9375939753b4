"""Whose figures lie high, whose low: publishers' biases, past forecasts against what became of them, every estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    past = [_past(ended, money)] if len(ended) else []
    return [origin_biases(result), *past, _estimates(every, money), _every_size(every)]


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
    factors = {
        name: [None if draws is None else value(draws, "multiple") for draws in (getattr(row, name) for row in rows)]
        for name in ("ratio", "bias")
    }
    columns = {
        "year": [row.year for row in rows],
        "segment": [row.segment for row in rows],
        "definition": [row.definition for row in rows],
        "origin": [origin_name(row.origin) for row in rows],
        "grade": [row.grade for row in rows],
        "kind": ["forecast" if row.forecast else "estimate" for row in rows],
        "published_on": [row.published_on for row in rows],
        "used": [row.use for row in rows],
        "published": [row.size * money.constant(row.year) for row in rows],
        "unit": [money.unit for _ in rows],
        "claim_id": [row.claim_id for row in rows],
    }
    return pd.DataFrame(columns | with_interval(ours=ours, **factors))


def _table(name: str, rows: pd.DataFrame, columns: Sequence[str], money: Telling, **more: Any) -> Exhibit:
    """Columns of published sizes, with the intervals of ours."""
    whole = [part for column in columns for part in (column, column + LOW, column + HIGH) if part in rows]
    units = {"published": money.unit, "ours": money.unit}
    return Exhibit(name=name, frame=rows[whole].reset_index(drop=True), units=units, **more)


def _past(ended: pd.DataFrame, money: Telling) -> Exhibit:
    """The past forecasts that are farthest off."""
    shown = ended.head(WORST).assign(published_on=ended["published_on"].str[:7])
    columns = ("origin", "published_on", "year", "definition", "published", "ours", "ratio")
    claims, facts = tuple(ended["claim_id"]), {"number": len(shown)}
    return _table("past_forecasts", shown, columns, money, claims=claims, facts=facts)


def _estimates(every: pd.DataFrame, money: Telling) -> Exhibit:
    """Published sizes that entered, beside ours."""
    used = every[every["used"] == "used"].sort_values(["definition", "year"], kind="stable")
    columns = ("year", "definition", "origin", "published", "ours", "ratio", "bias")
    return _table("estimates", used, columns, money, claims=tuple(used["claim_id"]))


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
