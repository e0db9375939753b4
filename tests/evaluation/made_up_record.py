"""Made-up forecasts and outcomes for the tests of the track record."""

from datetime import date

import numpy as np

from telemed_forecast.evaluation.league import Judged, scaled_error
from telemed_forecast.evaluation.published_forecasts import PublishedForecast
from telemed_forecast.evaluation.quantities import Truth
from telemed_forecast.evidence.observations import Observations


def forecast(
    value,
    *,
    origin="house",
    year=2022,
    on="2021-06-30",
    segment="internet_healthcare",
    metric="market_size",
    unit="CNY_million",
    name=None,
    dated=True,
):
    """A published forecast."""
    end = date(year, 12, 31)
    texts = {"metric": metric, "segment": segment, "origin": origin, "grade": "B", "unit": unit}
    name = name or f"{origin}-{segment}-{year}-{on}"
    day = np.array([end], dtype="datetime64[D]")
    nat = np.array(["NaT"], dtype="datetime64[D]")
    row = Observations(
        claim_id=np.array([name]),
        **{key: np.array([text]) for key, text in texts.items()},
        low=np.array([value]),
        high=np.array([value]),
        start=day - np.timedelta64(364, "D"),
        end=day,
        base_start=nat,
        base_end=nat,
    )
    published = date.fromisoformat(on)
    first = published if dated else None
    return PublishedForecast(
        name, metric, segment, origin, "B", first, published, date(year, 1, 1), end, row, copies=()
    )


def judged(said, came=100.0, **options):
    """A forecast held against a count."""
    return held(forecast(said, **options), came)


def held(one, came):
    """A forecast held against a count."""
    truth = Truth("count", np.full(1, came), (f"{one.claim_id}-came",))
    error = scaled_error(one.value, truth.draws, one.unit)
    return Judged(one, truth, error, None, "early", None, None)
