"""The arrays of every model from the evidence known on a day, as the forecasts put them together."""

from collections.abc import Sequence
from datetime import date
from unittest import mock

import numpy as np
import pandas as pd

from telemed_forecast.evidence import ledger
from telemed_forecast.forecast import channel_share as forecast_share
from telemed_forecast.forecast import context as context_module
from telemed_forecast.forecast import internet_hospitals as forecast_hospitals
from telemed_forecast.forecast import market_size as forecast_market
from telemed_forecast.forecast import user_adoption as forecast_users
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.runs.parameters import validate

FORECASTS = {
    "user_adoption": forecast_users,
    "internet_hospitals": forecast_hospitals,
    "channel_share": forecast_share,
    "market_size": forecast_market,
}
FITS = {name: module.fit for name, module in FORECASTS.items()}


class Caught(Exception):
    """Carries the arrays out of a forecast at the moment it would fit them."""


def _caught(spec, data, **_):
    raise Caught({name: np.asarray(values) for name, values in data.items()})


def _users(*_):
    """What the market's model reads from the users' fit: made up, the same for every ledger."""
    years = np.arange(2015, 2027)
    return years, np.log(np.linspace(1e8, 4e8, len(years))), np.full(len(years), 0.05)


def _hospitals(*_):
    """What the channels' model reads from the fit of internet hospitals: made up, the same for every ledger."""
    periods = tuple(date(year, *end) for year in range(2005, 2031) for end in ((6, 30), (12, 31)))
    steps = np.random.default_rng(3).normal(0.01, 0.1, (400, len(periods)))
    share = 100.0 / (1.0 + np.exp(-0.3 - np.cumsum(steps, axis=1)))
    return {forecast_share.FACTOR: Path("hospital_share", "percent", periods, share, 40, 6)}


def arrays(
    day: str, claims: pd.DataFrame | None = None, *, hindsight: bool = True, markets: Sequence[str] = tuple(FITS)
) -> dict[str, dict[str, np.ndarray]]:
    """What each fit is given, with `claims` in the place of the shipped ledger."""
    rows = ledger.load() if claims is None else claims
    found = {}
    for name in markets:
        context = Context(validate(name, {"as_of": day}), hindsight=hindsight)
        with (
            mock.patch.object(context_module, "_ledger", lambda *_: rows),
            mock.patch.object(FORECASTS[name], "fitted", _caught),
            mock.patch.object(forecast_users, "fit"),  # the market asks for it before its own fit
            mock.patch.object(forecast_users, "yearly_log_users", _users),
            mock.patch.object(forecast_hospitals, "run", _hospitals),  # the channels ask for it before their own fit
        ):
            try:
                FITS[name](context)
            except Caught as caught:
                found[name] = caught.args[0]
    return found
