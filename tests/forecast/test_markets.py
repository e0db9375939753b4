"""The registry: every market says all that is asked of a market, and its forecast is what it says."""

import subprocess
import sys

import pytest
from prior_fits import forecast

from telemed_forecast.evaluation import needs
from telemed_forecast.forecast.markets import MARKETS, Market
from telemed_forecast.scenarios import LEVERS

pytestmark = pytest.mark.unit

ASKED = (
    "SPEC",
    "LEVERS",
    "fit",
    "run",
    "headline",
    "comparable",
    "predictive",
    "prior_predictive",
    "TARGETS",
    "COVERED",
)
each_market = pytest.mark.parametrize("market", MARKETS.values(), ids=list(MARKETS))


@each_market
def test_a_module_has_every_name_that_a_market_is_asked_for(market: Market):
    assert [name for name in ASKED if not hasattr(market.module, name)] == []
    assert market.module.SPEC.name == market.name
    assert set(market.module.LEVERS) <= set(LEVERS)


@each_market
def test_a_forecast_is_of_its_market_and_knows_its_paths_by_their_targets(market: Market):
    context, result = forecast(market.name)
    assert result.market == market.name
    assert result.as_of == context.settings.as_of_date and result.last_year == context.last_year
    assert {target: path.target for target, path in result.paths.items()} == {target: target for target in result.paths}
    assert result.path is result[result.headline]
    assert len(set(result.claims)) == len(result.claims)
    assert list(result.built_on) == ([market.built_on] if market.built_on else [])


@each_market
def test_what_could_be_published_and_what_is_printed_are_quantities_of_a_forecast(market: Market):
    _, result = forecast(market.name)
    wanted = {figure.quantity for figure in getattr(market.module, "UNPUBLISHED", ())}
    assert wanted <= {*result.paths, *map(str, result.fit.posterior)}
    known = {*result.paths, *(target for other in result.built_on.values() for target in other.paths)}
    assert set(market.module.TARGETS) <= known


def test_a_market_that_another_is_built_on_is_fitted_first():
    for name, market in MARKETS.items():
        if market.built_on:
            assert needs.MODELS.index(market.built_on) < needs.MODELS.index(name)
    assert sorted(needs.MODELS) == sorted(MARKETS)


def test_what_counts_what_is_told_apart_where_a_market_has_definitions():
    context, _ = forecast("market_size")
    sizes = MARKETS["market_size"].definitions(MARKETS["market_size"].headline(context))
    users = MARKETS["user_adoption"].definitions(MARKETS["user_adoption"].headline(context))
    assert set(sizes) == {"consultation", "services", "healthcare", "pharmacy"}
    assert set(users) == {"user_adoption"}


def test_the_names_of_the_markets_are_known_without_importing_a_model():
    code = "import sys; from telemed_forecast.forecast.markets import MARKETS; assert len(MARKETS) == 4; "
    code += "assert not {'numpy', 'telemed_forecast.forecast.market_size'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
