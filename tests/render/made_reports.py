"""Reports as an executed notebook would show them, from forecasts without sampling."""

import json
from functools import cache
from importlib import import_module
from unittest import mock

from prior_fits import forecast, unsampled

from telemed_forecast.evaluation import review, scenario_effects
from telemed_forecast.exhibits import explorer
from telemed_forecast.exhibits.exhibit import Exhibit, facts_json, facts_of
from telemed_forecast.exhibits.record import cited, record
from telemed_forecast.exhibits.rivals import compared
from telemed_forecast.forecast import doctor_supply, platform_revenue
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.forecast.money import Telling
from telemed_forecast.render.notebook import Shown
from telemed_forecast.runs.parameters import validate

REPORTS = (*MARKETS, "executive_summary", "evidence_review")
"""Reports that can be made without sampling; the track record has tests of its own."""


def further(report, context, result):
    """What a report needs beside its market's forecast."""
    if report == "channel_share":
        return (platform_revenue.run(context),)
    if report == "market_size":
        told = context.settings.values()
        return doctor_supply.run(context, result), Telling(told["currency"], told["prices"], result.extras["money"])
    return ()


def through_json(data):
    """What is left of data in a notebook's outputs."""
    return json.loads(json.dumps(data))


@cache
def made(report, weigh=lambda result: (), **settings):
    """What the notebook of a report would show; `weigh` says what the headline owes to each figure."""
    module = import_module(f"telemed_forecast.exhibits.{report}")
    if report == "executive_summary":
        return _summary(module, **settings)
    if report == "evidence_review":
        return _review(module, **settings)
    context, result = forecast(report, **settings)
    others = further(report, context, result)
    money = others[1:] if report == "market_size" else ()
    with unsampled():
        weighed = weigh(result)
        exhibits = module.exhibits(context, result, *others, weighed=weighed)
        numbers = module.numbers(context, result, *others, weighed=weighed)
        figures = module.key_figures(context, result, *money)
        rivals, scores = compared(context, report, result)
    exhibits, numbers = exhibits | rivals, numbers | scores
    return _shown(context, exhibits, numbers, figures, module.fits(result), module.forecasts(result, *money))


def _summary(module, **settings):
    context = Context(validate("executive_summary", settings))
    with unsampled():
        results = {name: market.module.run(context) for name, market in MARKETS.items()}
        short = {"users": "user_adoption", "hospitals": "internet_hospitals", "channels": "channel_share"}
        markets = module.Markets(market=results["market_size"], **{k: results[name] for k, name in short.items()})
        comparison = scenario_effects.compare(context)
        exhibits = module.exhibits(context, markets, comparison)
        numbers = module.numbers(context, markets, comparison)
        figures = module.key_figures(context, markets, comparison)
    return _shown(context, exhibits, numbers, figures, module.fits(markets), module.forecasts(markets))


@cache
def explored(**settings):
    """What the explorer of a run would work with."""
    context = Context(validate("executive_summary", settings))
    # What levers do alone is for other pages.
    with unsampled(), mock.patch.object(scenario_effects, "ACTS_ON", {}):
        results = {name: MARKETS[name].run(context) for name in ("market_size", "user_adoption", "internet_hospitals")}
        kept = explorer.explorer(context, results, scenario_effects.compare(context))
    return Exhibit.from_json(through_json(kept.to_json()))


def _review(module, **settings):
    context = Context(validate("evidence_review", settings))
    with unsampled():
        found = review.run(context, refit=False)
        exhibits, numbers, figures = (
            make(context, found) for make in (module.exhibits, module.numbers, module.key_figures)
        )
    return _shown(context, exhibits, numbers, figures, module.fits(found), module.forecasts(found))


def _shown(context, exhibits, numbers, figures, fits, forecasts):
    claims = cited(exhibits, numbers, figures)
    ending = record(context, context.settings.values(), fits, forecasts, claims)
    return Shown(
        {name: Exhibit.from_json(through_json(one.to_json())) for name, one in {**exhibits, **ending}.items()},
        facts_of(through_json(facts_json(numbers))),
        figures,
    )
