"""Whose figures lie high, whose low: publishers' biases, past forecasts against what became of them, every estimate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.published_sizes import PublishedSize, past_forecasts, published
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.numbers import value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.money import Telling
from telemed_forecast.forecast.paths import Forecast

WORST = 15
"""Past forecasts shown on the page; the file has every row."""

CLOSE = 1.5
"""Factor within which a past forecast counts as close."""

EVERY_COLUMNS = (
    "year",
    "segment",
    "origin",
    "grade",
    "kind",
    "known_since",
    "used",
    "published",
    "unit",
    "ours",
    "ours_low80",
    "ours_high80",
    "published_over_ours",
    "published_over_ours_low80",
    "published_over_ours_high80",
    "bias",
    "bias_low80",
    "bias_high80",
    "claim_id",
)
"""Columns of the file with every published size; amounts are in the page's money, ratios and biases are factors."""


def exhibits(context: Context, result: Forecast, money: Telling) -> list[Exhibit]:
    """Biases by publisher, the worst of the past forecasts, and every published size."""
    found, ended = published(context, result), past_forecasts(context, result)
    past = [_past(ended, result, money)] if ended else []
    return [origin_biases(result), *past, _estimates(found, result, money), _every_size(found, result, money)]


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
    low, middle, high = np.quantile(np.exp(bias[:, order]), [0.1, 0.5, 0.9], axis=0)
    names = [origin_name(result.extras["origins"][k]) for k in order]
    return Exhibit(
        name="origin_biases",
        frame=pd.DataFrame({"category": names, "value": middle, "low": low, "high": high}),
        claims=tuple(str(claim) for claim in result.evidence["sizes"].claim_id),
    )


def _past(ended: Sequence[PublishedSize], result: Forecast, money: Telling) -> Exhibit:
    """The past forecasts that are farthest off."""
    shown = ended[:WORST]
    frame = pd.DataFrame(
        {
            "origin": [origin_name(row.origin) for row in shown],
            "published_on": [row.published_on[:7] for row in shown],
            "year": [row.year for row in shown],
            "definition": [row.definition for row in shown],
            "published": [row.size * money.constant(row.year) for row in shown],
            **with_interval(
                ours=[_ours(row, result, money) for row in shown], ratio=[_factor(row.ratio) for row in shown]
            ),
        }
    )
    return Exhibit(
        name="past_forecasts",
        frame=frame,
        claims=tuple(row.claim_id for row in ended),
        units={"published": money.unit, "ours": money.unit},
        facts={"number": len(shown)},
    )


def _estimates(found: Sequence[PublishedSize], result: Forecast, money: Telling) -> Exhibit:
    """Published sizes that entered, beside ours."""
    used = sorted((row for row in found if row.use == "used"), key=lambda row: (str(row.definition), row.year))
    frame = pd.DataFrame(
        {
            "year": [row.year for row in used],
            "definition": [row.definition for row in used],
            "origin": [origin_name(row.origin) for row in used],
            "published": [row.size * money.constant(row.year) for row in used],
            **with_interval(
                ours=[_ours(row, result, money) for row in used],
                ratio=[_factor(row.ratio) for row in used],
                bias=[_factor(row.bias) for row in used],
            ),
        }
    )
    return Exhibit(
        name="estimates",
        frame=frame,
        claims=tuple(row.claim_id for row in used),
        units={"published": money.unit, "ours": money.unit},
    )


def _every_size(found: Sequence[PublishedSize], result: Forecast, money: Telling) -> Exhibit:
    """Every published size with what became of it, for a file."""
    used, forecasts = sum(row.use == "used" for row in found), sum(row.forecast for row in found)
    return Exhibit(
        name="published_sizes",
        frame=pd.DataFrame([_row(row, result, money) for row in found], columns=list(EVERY_COLUMNS)),
        facts={"number": len(found), "used": used, "forecasts": forecasts},
    )


def _factor(draws: np.ndarray | None) -> Value | None:
    return None if draws is None else value(draws, "multiple")


def _our_draws(row: PublishedSize, result: Forecast, money: Telling) -> np.ndarray | None:
    if row.ratio is None or row.definition is None:
        return None
    return money.at(result[f"market_size_{row.definition}"].year_end(row.year), row.year)


def _ours(row: PublishedSize, result: Forecast, money: Telling) -> Value | None:
    draws = _our_draws(row, result, money)
    return None if draws is None else value(draws, money.unit)


def _row(row: PublishedSize, result: Forecast, money: Telling) -> tuple[str | int | float | None, ...]:
    def three(draws: np.ndarray | None) -> tuple[float | None, ...]:
        if draws is None:
            return None, None, None
        return tuple(float(f"{end:.4g}") for end in np.quantile(draws, [0.5, 0.1, 0.9]))

    return (
        row.year,
        row.segment,
        origin_name(row.origin),
        row.grade,
        "forecast" if row.forecast else "estimate",
        row.published_on,
        row.use,
        float(f"{row.size * money.constant(row.year):.6g}"),
        money.unit,
        *three(_our_draws(row, result, money)),
        *three(row.ratio),
        *three(row.bias),
        row.claim_id,
    )
