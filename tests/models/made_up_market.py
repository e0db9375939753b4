"""The market's forecast from the real ledger with a made-up fit: everything around the sampler, in a second."""

from datetime import date
from unittest import mock

import numpy as np
import xarray as xr

from telemed_forecast.fits.gates import Gate
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import market_size as forecast
from telemed_forecast.forecast import user_adoption
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.models import market_size as model
from telemed_forecast.runs.parameters import validate

NUMBER = 400
GATE = Gate("made up", True, 1.0, 1000.0, 1000.0, 0, 0.8, 2, 200)


def _fit(spec, data, **_):
    """Draws from the prior, with the paths close to the first guess so that sizes are plausible."""
    rng = np.random.default_rng(0)
    drawn = model.prior_sample(data, NUMBER, rng)
    for name in ("consultation", "pharmacy"):
        path = data[f"{name}_guess"] + 0.1 * rng.standard_normal((NUMBER, model.GRID))
        drawn[f"{name}_log_level"] = np.minimum(path, data["log_medicine"] - 1.0)
        drawn[f"{name}_deviation"] = 0.02 * rng.standard_normal((NUMBER, model.GRID - 1))
        drawn[f"{name}_sigma"] = np.full(NUMBER, 0.2)
        drawn[f"{name}_rho"] = np.full(NUMBER, 0.3)
    drawn |= {name: rng.normal(0.0, 0.05, NUMBER) for name in ("users_standard", "encounters_trend")}
    drawn |= {name: np.zeros(NUMBER) for name in ("price_trend", "online_share_trend")}
    drawn |= model.MODEL.derived(drawn | model.MODEL.latent(drawn, data, np), data, np)
    arrays = {k: (["sample", *(f"{k}_{i}" for i in range(v.ndim - 1))], v) for k, v in drawn.items()}
    return Fit("0" * 64, xr.Dataset(arrays), GATE, data)


def _users(context):
    periods = tuple(date(y, m, d) for y in range(2013, 2036) for m, d in ((6, 30), (12, 31)))
    draws = np.tile(np.linspace(1.5e8, 6e8, len(periods)), (NUMBER, 1))
    path = Path("online_medical_users_latent", "persons", periods, draws, 20, 6)
    return Forecast(
        market="user_adoption", as_of=context.settings.as_of_date, paths={path.target: path}, headline=path.target,
        evidence={}, claims=(), fit=Fit("1" * 64, xr.Dataset(), GATE, {}), known=None,
    )  # fmt: skip


def _yearly(_):
    years = np.arange(2015, 2027)
    return years, np.log(np.linspace(1.5e8, 4.2e8, len(years))), np.full(len(years), 0.05)


def market(**parameters):
    """Context and result for the parameters of the notebook."""
    context = Context(validate("market_size", parameters))
    with (
        mock.patch.object(forecast, "fitted", _fit),
        mock.patch.object(user_adoption, "run", _users),
        mock.patch.object(user_adoption, "fit", lambda context: _users(context).fit),
        mock.patch.object(user_adoption, "yearly_log_users", _yearly),
    ):
        return context, forecast.run(context)
