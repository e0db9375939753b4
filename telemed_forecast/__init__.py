"""Bayesian market sizing and forecasting for online medical care in China.

What a notebook needs stands here under short names, imported when it is first asked for::

    import telemed_forecast as tf

    known = tf.Context(settings)  # the evidence that was known on a date
    result = tf.internet_hospitals.run(known)  # fit and forecast
    weighed = tf.influences(known, "internet_hospitals", result)

`telemed_forecast.exhibits` makes a report's tables, charts and numbers of that, and `tf.show` shows them.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_OFFERED = {
    "Context": "forecast.context",
    "internet_hospitals": "forecast",
    "market_size": "forecast",
    "channel_share": "forecast",
    "user_adoption": "forecast",
    "origins": "evaluation.rolling_origins",
    "influences": "evaluation.influence",
    "internet_hospitals_before_the_jump": "evaluation.look_back",
    "cited": "exhibits.record",
    "record": "exhibits.record",
    "rivals": "reporting.content",
    "show": "render.notebook",
    "use_language": "reporting.atoms",
}
"""Name -> the module that holds it, or the package of which it is a module."""


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_OFFERED[name]}")
    return getattr(home, name) if hasattr(home, name) else import_module(f"{home.__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_OFFERED})
