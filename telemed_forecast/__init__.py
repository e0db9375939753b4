"""Bayesian market sizing and forecasting for online medical care in China.

What a notebook needs stands here under short names, imported when it is first asked for::

    import telemed_forecast as tf

    settings = tf.settings("internet_hospitals", {"as_of": "2024-12-31"})
    known = tf.Context(settings)  # the evidence that was known on a date
    result = tf.internet_hospitals.run(known)  # fit and forecast
    weighed = tf.influences(known, "internet_hospitals", result)

`telemed_forecast.exhibits` makes a report's tables, charts and numbers of that, and `tf.show` shows them. The names are
part of the interface (`docs/interface.md`): a test holds them against a list.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_OFFERED = {
    "Context": "forecast.context.Context",
    "MARKETS": "forecast.markets.MARKETS",
    "QUANTILES": "hub_format.QUANTILES",
    "Telling": "forecast.money.Telling",
    "beliefs": "exhibits.beliefs.exhibits",
    "channel_share": "forecast.channel_share",
    "cited": "exhibits.record.cited",
    "compare_scenarios": "evaluation.scenario_effects.compare",
    "explorer": "exhibits.explorer.explorer",
    "doctor_supply": "forecast.doctor_supply",
    "influences": "evaluation.influence.influences",
    "internet_hospitals": "forecast.internet_hospitals",
    "internet_hospitals_before_the_jump": "forecast.internet_hospitals.look_back",
    "market_size": "forecast.market_size",
    "ledger": "evidence.ledger.load",
    "origins": "evaluation.rolling_origins.origins",
    "own_market": "curves.own_market",
    "own_market_report": "render.own_market",
    "platform_revenue": "forecast.platform_revenue",
    "record": "exhibits.record.record",
    "review": "evaluation.review",
    "rivals": "exhibits.rivals.compared",
    "settings": "runs.parameters.validate",
    "show": "render.notebook.show",
    "track_record": "evaluation.track_record",
    "use_language": "render.notebook.use_language",
    "user_adoption": "forecast.user_adoption",
}
"""Short name -> where the function, the class or the module stands."""


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, _, last = f"{__name__}.{_OFFERED[name]}".rpartition(".")
    parent = import_module(home)
    return getattr(parent, last) if hasattr(parent, last) else import_module(f"{home}.{last}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_OFFERED})
