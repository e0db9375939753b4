"""The market: nested definitions that stay nested, and levers that act where they should."""

import numpy as np
import pytest
import xarray as xr

from telemed_forecast.evaluation.calibrated import MODELS
from telemed_forecast.evidence import ledger
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import market_evidence, market_size
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.unit

NUMBER = 300
AHEAD = 6


@pytest.fixture(scope="module")
def data():
    years = np.arange(2013, 2013 + market_size.GRID)
    last = {"consultation": 40_000.0, "pharmacy": 350_000.0}
    guesses = {f"{name}_guess": np.log(last[name]) - 0.2 * (years[-1] - years) for name in last}
    return guesses | {"log_medicine": np.log(3e6) - 0.07 * (years[-1] - years)}


@pytest.fixture(scope="module")
def posterior(data):
    rng = np.random.default_rng(3)
    draws = {
        "other_services": rng.normal(-0.3, 0.3, NUMBER),
        "consultation_distance": 0.5 + rng.lognormal(0, 0.5, NUMBER),
        "pharmacy_logit_ceiling": 0.3 + rng.normal(*market_size.MEDICINE_CEILING, NUMBER),
    }
    for name in ("consultation", "pharmacy"):
        draws |= {
            f"{name}_log_level": data[f"{name}_guess"] + 0.1 * rng.standard_normal((NUMBER, market_size.GRID)),
            f"{name}_deviation": rng.normal(0, 0.02, (NUMBER, market_size.GRID - 1)),
            f"{name}_rate": rng.lognormal(-2, 0.3, NUMBER),
            f"{name}_theta": rng.beta(3, 3, NUMBER),
            f"{name}_innovation": rng.lognormal(-6, 0.3, NUMBER),
            f"{name}_sigma": rng.lognormal(-1, 0.3, NUMBER),
            f"{name}_rho": rng.beta(3, 5, NUMBER),
        }
    return xr.Dataset({k: (["sample", *(f"{k}_{i}" for i in range(v.ndim - 1))], v) for k, v in draws.items()})


def carried(posterior, data, *, medicine_growth=0.05, **levers):
    medicine = np.tile(data["log_medicine"][-1] + medicine_growth * np.arange(AHEAD + 1), (NUMBER, 1))
    rng = np.random.default_rng(2)
    return market_size.project(posterior, data, log_medicine_ahead=medicine, rng=rng, **levers)


def test_each_definition_holds_the_narrower_one(posterior, data):
    sizes = carried(posterior, data)
    assert set(sizes) == set(market_size.DEFINITIONS)
    assert (sizes["consultation"] < sizes["services"]).all()
    assert (sizes["services"] < sizes["healthcare"]).all()
    np.testing.assert_allclose(sizes["services"] + sizes["pharmacy"], sizes["healthcare"], rtol=1e-12)


def test_no_size_passes_the_ceiling(posterior, data):
    sizes = carried(posterior, data, medicine_growth=0.0)
    ceiling = market_size.ceiling(posterior, data)[:, None]
    assert (sizes["healthcare"][:, market_size.GRID :] <= ceiling * (1 + 1e-9)).all()


def test_a_price_lever_compounds_in_the_future_and_leaves_goods_alone(posterior, data):
    plain, dearer = carried(posterior, data), carried(posterior, data, price_growth=0.05)
    ratio = dearer["consultation"] / plain["consultation"]
    np.testing.assert_allclose(ratio[:, : market_size.GRID], 1.0)
    expected = np.exp(0.05 * np.arange(1, AHEAD + 1))
    np.testing.assert_allclose(ratio[:, market_size.GRID :], np.broadcast_to(expected, (NUMBER, AHEAD)))
    np.testing.assert_array_equal(dearer["pharmacy"], plain["pharmacy"])


def test_more_visits_a_user_compound_like_a_price_and_leave_goods_alone(posterior, data):
    plain, more = carried(posterior, data), carried(posterior, data, encounters_growth=0.05)
    dearer = carried(posterior, data, price_growth=0.05)
    np.testing.assert_allclose(more["services"], dearer["services"])
    np.testing.assert_array_equal(more["pharmacy"], plain["pharmacy"])


def test_other_payers_add_to_services_beyond_consultation_alone(posterior, data):
    plain, paid = carried(posterior, data), carried(posterior, data, payers_growth=0.1)
    np.testing.assert_array_equal(paid["consultation"], plain["consultation"])
    other, more = ((s["services"] - s["consultation"]) for s in (plain, paid))
    expected = np.exp(0.1 * np.arange(1, AHEAD + 1))
    np.testing.assert_allclose((more / other)[:, market_size.GRID :], np.broadcast_to(expected, (NUMBER, AHEAD)))
    np.testing.assert_allclose((more / other)[:, : market_size.GRID], 1.0)


def test_looser_rules_on_drugs_speed_up_drug_sales_alone_and_leave_the_past(posterior, data):
    plain, faster = carried(posterior, data), carried(posterior, data, drug_pace=2.0)
    np.testing.assert_array_equal(faster["services"], plain["services"])
    np.testing.assert_array_equal(faster["pharmacy"][:, : market_size.GRID], plain["pharmacy"][:, : market_size.GRID])
    median = [np.median(s["pharmacy"][:, -1]) for s in (plain, faster)]
    assert median[1] > 1.05 * median[0]


def test_more_users_mean_proportionally_more_consultations(posterior, data):
    factor = np.linspace(1.0, 1.3, AHEAD)
    plain, more = carried(posterior, data), carried(posterior, data, users_factor=factor)
    ratio = more["services"][:, market_size.GRID :] / plain["services"][:, market_size.GRID :]
    np.testing.assert_allclose(ratio, np.broadcast_to(factor, (NUMBER, AHEAD)))


def test_every_segment_of_the_ledger_that_is_read_is_a_known_definition():
    assert set(market_size.SEGMENTS.values()) == set(range(len(market_size.DEFINITIONS)))


def test_every_other_segment_of_the_ledger_has_a_reason_to_stay_out():
    claims = ledger.load()
    segments = set(claims.loc[claims["metric"] == "market_size", "segment"])
    assert segments - set(market_size.SEGMENTS) == set(market_size.LEFT_OUT)


def test_drugs_sold_online_stay_below_all_medicine_sales_however_fast_they_grow(posterior, data):
    sizes = carried(posterior, data, drug_pace=5.0)
    medicine = np.exp(data["log_medicine"][-1] + 0.05 * np.arange(AHEAD))
    assert (sizes["pharmacy"][:, market_size.GRID :] <= medicine).all()


def test_the_prior_lies_below_its_ceilings_and_nests(arrays_on):
    data = arrays_on("2026-11-21")["market_size"]
    drawn = market_size.prior_sample(data, 400, np.random.default_rng(5))
    sizes = np.exp(drawn["log_size"])
    assert sizes.shape == (400, market_size.GRID, len(market_size.DEFINITIONS))
    assert (sizes[:, :, 3] <= np.exp(data["log_medicine"])).all()
    assert (sizes[:, :, 0] <= sizes[:, :, 1]).all() and (sizes[:, :, 1] <= sizes[:, :, 2]).all()
    # The two directions meet over the years told of: a standard deviation of 0.7, and less where one of them is sure.
    assert 0.3 < (drawn["coherence_gap"] @ data["coherence_weight"]).std() < 0.75


def test_the_two_directions_meet_over_the_years_of_which_figures_of_both_tell(arrays_on):
    late = arrays_on("2026-11-21")["market_size"]
    for name, below in (("coherence", "volume_year"), ("pharmacy_coherence", "online_year")):
        weight = late[f"{name}_weight"]
        assert weight.sum() == pytest.approx(1.0) and (weight > 0).sum() > 1
        assert set(np.flatnonzero(weight)) <= set(late["size_year"]) & set(late[below])
    # Where nothing is known of one side, the guess about it speaks of the last year.
    nothing = {name: np.zeros(0, dtype=int) for name in ("size_year", "size_definition", "volume_year", "online_year")}
    for weight in market_evidence._meeting({block: nothing for block in ("size", "volume", "online")}).values():
        assert weight.tolist() == [0.0] * (market_size.GRID - 1) + [1.0]


def test_the_first_guess_of_users_gets_less_certain_before_their_survey_begins(arrays_on):
    data = arrays_on("2022-12-31")["market_size"]
    assert (np.diff(data["users_sd"]) <= 1e-12).all()
    assert data["users_sd"][0] > data["users_sd"][-1]


def test_a_sellers_full_year_is_the_figure_as_reported_and_a_half_year_a_yearly_rate():
    context = Context(validate("market_size", {}))
    reported = context.observed("revenue_drug_sales", *market_evidence.SELLERS)
    yearly, _ = market_evidence.accounts(reported)
    by_claim = dict(zip(reported.claim_id.tolist(), reported.low, strict=True))
    days = (yearly.end - yearly.start).astype(int) + 1
    ratio = yearly.low / np.array([by_claim[claim] for claim in yearly.claim_id.tolist()])
    assert 366 in days, "a leap year is among them"
    np.testing.assert_array_equal(ratio[days >= market_evidence.FULL_YEAR], 1.0)
    assert (ratio[days < market_evidence.FULL_YEAR] > 1.9).all()


def test_what_a_seller_sold_is_its_revenue_less_services_where_nothing_else_is_printed():
    context = Context(validate("market_size", {}))
    rows = [
        context.observed(name, "jd_health") for name in ("revenue_drug_sales", "revenue", "revenue_platform_services")
    ]
    sold, taken = market_evidence.own_sales(*rows)
    drugs, revenue, services = ({(r.start[k], r.end[k]): (r.low[k], r.high[k]) for k in range(len(r))} for r in rows)
    found = {(sold.start[k], sold.end[k]): (sold.low[k], sold.high[k]) for k in range(len(sold))}
    assert len(found) == len(sold), "no period twice"
    assert set(found) == set(drugs) | (set(revenue) & set(services))
    for period, (low, high) in found.items():
        if period in drugs:
            assert (low, high) == drugs[period]
        else:
            assert low == revenue[period][0] - services[period][1]
            assert high == revenue[period][1] - services[period][0]
    assert set(zip(taken.start, taken.end, strict=True)) == set(found) - set(drugs) != set()


def test_a_row_by_difference_hangs_on_both_of_its_figures():
    claims = MODELS["market_size"].design(Context(validate("market_size", {}))).claims["seller"]
    assert ("jdh-2025-revenue", "jdh-2025-services") in claims


def test_a_bias_that_all_houses_share_moves_every_estimate_alike(arrays_on):
    data = arrays_on("2026-11-21")["market_size"]
    drawn = market_size.prior_sample(data, 5, np.random.default_rng(5))
    expected, moved = (
        market_size.MODEL.expected({**drawn, "common_bias": np.full(5, bias)}, data)["size"][0] for bias in (0.0, 0.1)
    )
    np.testing.assert_allclose(moved - expected, 0.1)
