"""Forecasts without sampling: each fit's draws are replaced by draws from its own prior.

Which evidence a forecast reads, and which claims a page cites, does not hang on the draws, so that a test of
either needs no sampler.
"""

from contextlib import ExitStack, contextmanager
from unittest import mock

import numpy as np
import xarray as xr

from telemed_forecast.fits.gates import Gate
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.models import adoption, channel_share, internet_hospitals, market_size
from telemed_forecast.runs.parameters import validate

MODELS = {
    "user_adoption": adoption,
    "internet_hospitals": internet_hospitals,
    "channel_share": channel_share,
    "market_size": market_size,
}
DRAWS = 400
GATE = Gate(
    name="prior", ok=True, rhat_max=1.0, ess_bulk_min=1000.0, ess_tail_min=1000.0, divergences=0, bfmi_min=1.0,
    chains=2, draws=DRAWS // 2,
)  # fmt: skip


def dataset(draws):
    """Draws by name as a dataset with the dims (sample, ...)."""
    return xr.Dataset(
        {name: (["sample", *(f"{name}_{k}" for k in range(1, np.ndim(v)))], v) for name, v in draws.items()}
    )


def _calm(draws, data, rng):
    """The market near its first guess: published sizes are divided by ours, and a wild draw has none."""
    found = dict(draws)
    for name in ("consultation", "pharmacy"):
        guess = data[f"{name}_guess"]
        found[f"{name}_log_level"] = guess + 0.1 * rng.standard_normal((DRAWS, len(guess)))
        found |= {f"{name}_{part}": 0.1 * draws[f"{name}_{part}"] for part in ("deviation", "sigma")}
    return found | market_size.MODEL.derived(found | market_size.MODEL.latent(found, data, np), data, np)


def from_prior(spec, data, *, profile, seed, **_):
    """What stands for a fit."""
    rng = np.random.default_rng(seed)
    draws = MODELS[spec.name].prior_sample(data, DRAWS, rng)
    if spec.name == "market_size":
        draws = _calm(draws, data, rng)
    if spec.name == "user_adoption":
        # A service that all but vanished has no growth, and would leave the market, which is tied to it, hardly a draw.
        for name, least in {"log_users": 1e6, "internet_log_level": 1e8, "usage_log_level": 0.01}.items():
            draws[name] = np.maximum(draws[name], np.log(least))
    if spec.name == "internet_hospitals":
        # Nor is anything left, in numbers of sixteen bits, beside a draw that fell by a factor without a name.
        for sponsor in internet_hospitals.SPONSORS:
            draws[f"{sponsor}_log_level"] = np.maximum(draws[f"{sponsor}_log_level"], 0.0)
            draws[f"{sponsor}_deviation"] = np.clip(draws[f"{sponsor}_deviation"], -2.0, 2.0)
    return Fit("prior", dataset(draws), GATE, data)


@contextmanager
def unsampled():
    """While this holds, no forecast samples; a wild draw of the prior may leave nothing to divide by."""
    with ExitStack() as stack, np.errstate(all="ignore"):
        for market in MARKETS.values():
            stack.enter_context(mock.patch.object(market.module, "fitted", from_prior))
        yield


def forecast(report, **settings):
    """The context and the result of a report's forecast."""
    context = Context(validate(report, settings))
    with unsampled():
        return context, MARKETS[report].module.run(context)
