"""Made-up forecasts and outcomes for the tests of the track record."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.league import COLUMNS, scaled_error, verdict
from telemed_forecast.models.market_size import DEFINITIONS, SEGMENTS


def forecast(
    value,
    *,
    publisher="house",
    year=2022,
    on="2021-06-30",
    segment="internet_healthcare",
    metric="market_size",
    unit="CNY_million",
    dated=True,
):
    """A row of the published forecasts."""
    name, published = f"{publisher}-{segment}-{year}-{on}", date.fromisoformat(on)
    return {
        **{"claim_id": name, "statement": name, "metric": metric, "segment": segment, "publisher": publisher},
        **{"grade": "B", "reason": "", "first_day": published if dated else None, "published": published},
        **{"start": date(year, 1, 1), "end": date(year, 12, 31), "value": value, "unit": unit},
        "definition": DEFINITIONS[SEGMENTS[segment]] if metric == "market_size" else segment,
    }


def asked(value, **options):
    """The same as what our models are asked."""
    return SimpleNamespace(**forecast(value, **options))


def held(one, came=100.0, **ours):
    """A row of the league: a forecast held against a count."""
    truth = np.full(1, came)
    error = scaled_error(one["value"], truth, one["unit"])
    judge = {"kind": "count", "claims": (f"{one['claim_id']}-came",), "came": truth, "why_not": "early"}
    judge |= {"judge": "actual", "settled": came}
    return one | judge | {"error": error, "median_error": error[0], "verdict": verdict(error)} | ours


def league(*rows):
    """The league of some rows."""
    return pd.DataFrame(rows, columns=COLUMNS)
