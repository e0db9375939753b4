"""Reports as an executed notebook would show them, from forecasts without sampling."""

import json
from importlib import import_module

from prior_fits import forecast, unsampled

from telemed_forecast.exhibits.exhibit import Exhibit, facts_json, facts_of
from telemed_forecast.exhibits.record import cited, record
from telemed_forecast.render.notebook import Shown
from telemed_forecast.reporting.blocks import KeyFigures

PORTED = ("internet_hospitals", "user_adoption")
"""Reports whose pages are made of exhibits."""


def through_json(data):
    """What is left of data in a notebook's outputs."""
    return json.loads(json.dumps(data))


def made(report, weigh=lambda result: (), **settings):
    """What the notebook of a market's report would show; `weigh` says what the headline owes to each figure."""
    module = import_module(f"telemed_forecast.exhibits.{report}")
    context, result = forecast(report, **settings)
    with unsampled():
        weighed = weigh(result)
        exhibits = module.exhibits(context, result, weighed=weighed)
        numbers = module.numbers(context, result, weighed=weighed)
        figures = module.key_figures(context, result)
    claims = cited(exhibits, numbers, figures)
    ending = record(context, context.settings.values(), module.fits(result), module.forecasts(result), claims)
    return Shown(
        {name: Exhibit.from_json(through_json(one.to_json())) for name, one in {**exhibits, **ending}.items()},
        facts_of(through_json(facts_json(numbers))),
        [KeyFigures(items=tuple(figures.values()))],
    )
