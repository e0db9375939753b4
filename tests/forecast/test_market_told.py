"""What surrounds the market's fit: money, what would be printed, doctors, every published estimate, the exhibits."""

import made_up_market
import numpy as np
import pytest

from telemed_forecast.evaluation import published_sizes
from telemed_forecast.exhibits import market_size as report
from telemed_forecast.exhibits.values import Value
from telemed_forecast.forecast import doctor_supply, market_size
from telemed_forecast.forecast.money import Telling
from telemed_forecast.models import market_size as model

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def without_prophet(monkeypatch):
    """A rival's line takes seconds and is tested elsewhere."""
    monkeypatch.setattr(report, "prophet", lambda *_: None)


@pytest.fixture(scope="module")
def known():
    return made_up_market.market(horizon=2035)


def test_nominal_yuan_stay_as_they_are(known):
    _, result = known
    path = result.path
    assert Telling("CNY", "nominal", result.extras["money"]).path(path) is path


def test_real_yuan_of_the_base_year_are_nominal_ones_and_earlier_years_are_worth_more(known):
    _, result = known
    real = Telling("CNY", "real", result.extras["money"])
    np.testing.assert_allclose(real.at(np.ones(made_up_market.NUMBER), result.last_year), 1.0)
    assert real.constant(2015) > 1.1


def test_past_dollars_use_the_rate_of_their_own_year_and_future_ones_are_uncertain(known):
    _, result = known
    dollars = Telling("USD", "nominal", result.extras["money"])
    assert dollars.constant(2019) == pytest.approx(1 / 6.9081)
    one = np.ones(made_up_market.NUMBER)
    assert np.ptp(dollars.at(one, 2024)) < 1e-12
    assert dollars.at(one, 2035).std() > dollars.at(one, 2027).std() > 0.001


def test_real_dollars_carry_prices_but_no_later_exchange_rate(known):
    _, result = known
    one = np.ones(made_up_market.NUMBER)
    real, yuan = (Telling(c, "real", result.extras["money"]).at(one, 2035) for c in ("USD", "CNY"))
    np.testing.assert_allclose(yuan / real, 7.1875, rtol=1e-6)


def test_published_amounts_are_converted_at_the_median_of_their_year(known):
    _, result = known
    dollars = Telling("USD", "nominal", result.extras["money"]).published(result.evidence["sizes"])
    assert set(dollars.unit) == {"USD_million"}
    at = result.evidence["sizes"].claim_id.tolist().index("analysys-2020-ih-2019")
    assert dollars.low[at] == pytest.approx(result.evidence["sizes"].low[at] / 6.9081)


def test_what_would_be_printed_is_wider_for_an_origin_that_was_never_seen(known):
    from dataclasses import replace

    _, result = known
    row = result.evidence["sizes"].where(result.evidence["sizes"].claim_id == "analysys-2020-ih-2019")
    rng = np.random.default_rng(1)
    stranger = replace(row, origin=np.array(["nobody"]))
    seen, unseen = (np.log(market_size.predictive(result, o, rng)[:, 0]) for o in (row, stranger))
    common = np.asarray(result.fit.posterior["common_bias"])
    bias = common + result.fit.posterior["origin_bias"].to_numpy()[:, result.extras["origins"].index("analysys")]
    level = np.log(result.path.year_end(2019))
    assert np.median(seen - level) == pytest.approx(np.median(bias), abs=0.1)
    assert np.isfinite(unseen).all()
    unheard = market_size.printed(result, row, heard=False)
    np.testing.assert_allclose(unheard.mu[:, 0], level + common)
    assert unheard.stranger.tolist() == ["analysys"]
    np.testing.assert_allclose(unheard.spread, result.fit.posterior["bias_spread"])


def test_nothing_is_said_of_other_segments_half_years_and_years_out_of_reach(known):
    context, result = known
    rows = context.observed("market_size")
    drawn = market_size.predictive(result, rows, np.random.default_rng(1))
    said = np.isfinite(drawn).all(axis=0)
    assert not said[~np.isin(rows.segment, list(model.SEGMENTS))].any()
    assert not said[rows.claim_id == "100ec-2024-ih-2023h1"].any()
    assert not said[rows.claim_id == "100ec-2015-ec-2010"].any()
    assert said[np.isin(rows.claim_id, result.evidence["sizes"].claim_id)].all()


def test_the_headline_rows_are_those_that_entered(known):
    context, result = known
    assert market_size.headline(context).claim_id.tolist() == result.evidence["sizes"].claim_id.tolist()
    assert set(result.evidence["sizes"].claim_id) < set(result.claims)


def test_the_gap_of_services_is_that_of_consultation_since_nothing_else_is_known_from_below(known):
    _, result = known
    np.testing.assert_allclose(market_size.gap(result, "services"), market_size.gap(result, "consultation"))


def test_capacity_is_compared_with_demand_draw_by_draw(known):
    context, result = known
    supply = doctor_supply.run(context, result)
    ratio = supply.capacity.year_end(2030) / supply.demand.year_end(2030)
    np.testing.assert_allclose(supply.ratio.year_end(2030), ratio)
    assert supply.suffices(2030).mean() == (ratio >= 1).mean()
    assert 4.5e6 < supply.physicians[supply.capacity.position(supply.capacity.periods[6])] < 6e6
    assert (supply.share * supply.physicians.max() > 6e5).all(), "the largest platform alone has 690,000"


def test_capacity_is_unknown_before_any_survey_of_doctors():
    context, result = made_up_market.market(as_of="2019-12-31")
    assert doctor_supply.run(context, result) is None


def test_every_dated_size_is_listed_once_and_marked_used_exactly_where_it_was(known):
    context, result = known
    rows = published_sizes.published(context, result)
    dated = context.rows("market_size")
    dated = dated[dated["period_end"].notna()]
    assert sorted(r.claim_id for r in rows) == sorted(dated["claim_id"])
    assert {r.claim_id for r in rows if r.use == "used"} == set(result.evidence["sizes"].claim_id)


def test_past_forecasts_have_ended_are_no_copies_and_come_worst_first(known):
    context, result = known
    ended = published_sizes.past_forecasts(context, result)
    assert len(ended) >= 18
    assert all(r.forecast and r.grade != "D" and r.year <= result.last_year for r in ended)
    assert "analysys-202003-ih-2020" not in {r.claim_id for r in ended}
    errors = [r.error for r in ended]
    assert errors == sorted(errors, reverse=True)
    deloitte = next(r for r in ended if r.claim_id == "deloitte-2020-ec-2020")
    assert np.median(deloitte.ratio) > 2


def shown(context, result):
    """Exhibits, numbers and key figures in the money that the settings ask for."""
    told = context.settings.values()
    money = Telling(told["currency"], told["prices"], result.extras["money"])
    supply = doctor_supply.run(context, result)
    made = (report.exhibits, report.numbers)
    return *(make(context, result, supply, money) for make in made), report.key_figures(context, result, money)


def test_a_report_in_real_dollars_shows_no_amount_in_yuan_but_prices(known):
    exhibits, numbers, figures = shown(*made_up_market.market(currency="USD", prices="real", horizon=2035))
    units = {unit for exhibit in exhibits.values() for unit in exhibit.units.values()}
    units |= {figure.value.unit for figure in figures.values()}
    units |= {fact.unit for fact in numbers.values() if isinstance(fact, Value)}
    assert "USD_million" in units
    assert "CNY_million" not in units


def test_other_reports_repeat_the_headline_in_nominal_yuan(known):
    figures = report.key_figures(*known)
    assert {figure.value.unit for figure in figures.values()} == {"CNY_million", "multiple"}


def test_draws_of_users_go_with_the_markets_draws_of_the_same_rank_whatever_their_numbers():
    rng = np.random.default_rng(4)
    standard, users = rng.normal(size=6000), rng.lognormal(19.8, 0.05, 2500)
    beside = users[market_size.paired(standard, users)]
    assert (np.diff(beside[np.argsort(standard)]) >= 0.0).all()
    # Every draw of the users is taken, none more than once oftener than another.
    taken = np.unique(beside, return_counts=True)[1]
    assert len(taken) == len(users) and set(taken) == {2, 3}
