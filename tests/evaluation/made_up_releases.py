"""Releases written by hand: lognormal quantiles about a median, sealed as `release` seals them."""

import csv
import hashlib

import numpy as np
import pandas as pd
from scipy.stats import norm

from telemed_forecast.evaluation import frozen_files
from telemed_forecast.forecast.hub import COLUMNS, QUANTILES


def quantiles(median, spread):
    return median * np.exp(spread * norm.ppf(QUANTILES))


def frozen(folder, forecasts, *, name="2026-11-21-base-1", released="2026-11-22", spread=0.1):
    """Freeze forecasts, (target, unit, last day of the period, median) each, as one release of a folder."""
    place = folder / name
    place.mkdir(parents=True)
    with (place / frozen_files.TABLE).open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for target, unit, end, median in forecasts:
            shared = {"reference_date": "2026-11-21", "target": target, "horizon": 1, "target_end_date": end}
            shared |= {"location": "CN", "scenario": "base", "model": "made_up", "unit": unit}
            for level, value in zip(QUANTILES, quantiles(median, spread), strict=True):
                table.writerow(shared | {"output_type": "quantile", "output_type_id": f"{level:g}", "value": value})
            table.writerow(shared | {"output_type": "mean", "output_type_id": "", "value": median})
    digest = hashlib.sha256((place / frozen_files.TABLE).read_bytes()).hexdigest()
    stated = {"as_of": "2026-11-21", "released": released, "forecasts": digest}
    (place / frozen_files.STATEMENT).write_text(frozen_files.sealed(stated))
    return place


def printed(claims, like, value, *, end, known, start=None, claim_id="new", **others):
    """The ledger with one more row: a copy of a row with another figure, about another period, known on another day."""
    row = claims[claims["claim_id"] == like]
    assert len(row) == 1
    days = {"period_end": pd.Timestamp(end), "period_start": pd.Timestamp(start or end)}
    changed = {"claim_id": claim_id, "value": float(value), "printed": str(value), **others}
    return pd.concat([claims, row.assign(**changed, **days, known_date=pd.Timestamp(known))], ignore_index=True)
