"""Platforms' revenue: one figure a fiscal year, whatever the reports hold, and sums that say what they assume."""

from typing import NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.curves.series import Series
from telemed_forecast.evidence import ledger
from telemed_forecast.forecast import context as context_module
from telemed_forecast.forecast import platform_revenue
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.platform_revenue import correlation, first_half_law, look_back, outlook
from telemed_forecast.forecast.platform_series import Reported, calendar_weights, reported, results
from telemed_forecast.runs.parameters import validate

# Prophet's own, in a release that pandas has overtaken.
pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("ignore:The inplace keyword")]

TODAY = "2026-11-21"


def figures(*rows, metric="revenue", company="cloudr"):
    """A ledger of one company: (start, end, value, known) each."""
    template = ledger.load()
    template = template[template["claim_id"] == "cloudr-2022-revenue"].iloc[0]
    made = [
        template.to_dict()
        | {"claim_id": f"row-{k}", "metric": metric, "segment": company, "value": float(value), "printed": repr(value)}
        | {"period_start": pd.Timestamp(start), "period_end": pd.Timestamp(end), "known_date": pd.Timestamp(known)}
        for k, (start, end, value, known) in enumerate(rows)
    ]
    return pd.DataFrame(made)


def series_of(claims, metric="revenue", as_of=TODAY):
    with mock.patch.object(context_module, "_ledger", lambda *_: claims):
        return {one.company: one for one in reported(Context(validate("channel_share", {"as_of": as_of})), metric)}


YEAR = ("2023-01-01", "2023-12-31", 1000, "2024-03-31")
FIRST = ("2023-01-01", "2023-06-30", 450, "2023-08-31")
SECOND = ("2023-07-01", "2023-12-31", 560, "2024-03-31")
RESTATED = ("2023-01-01", "2023-12-31", 990, "2025-03-31")


def test_a_year_is_not_counted_again_with_its_halves():
    one = series_of(figures(YEAR, FIRST, SECOND))["cloudr"]
    assert one.series.index.tolist() == [2023]
    assert one.series.values.tolist() == pytest.approx([1000])


def test_two_halves_are_a_year_where_no_year_is_known_and_one_half_is_none():
    before = ("2022-01-01", "2022-12-31", 900, "2023-03-31")
    one = series_of(figures(before, FIRST, SECOND, ("2024-01-01", "2024-06-30", 600, "2024-08-31")))["cloudr"]
    assert one.series.index.tolist() == [2022, 2023]
    assert one.series.values.tolist() == pytest.approx([900, 1010])
    assert one.first_halves == pytest.approx({2023: 450, 2024: 600})
    assert one.last == 2023


@pytest.mark.parametrize(("as_of", "value"), [("2024-12-31", 1000), ("2025-12-31", 990)])
def test_the_newest_figure_known_on_the_day_counts(as_of, value):
    one = series_of(figures(RESTATED, YEAR), as_of=as_of)["cloudr"]
    assert one.series.values.tolist() == pytest.approx([value])


def test_a_fiscal_year_to_march_stays_one_and_its_first_half_ends_in_september():
    rows = figures(
        ("2023-04-01", "2024-03-31", 1000, "2024-05-31"), ("2024-04-01", "2024-09-30", 600, "2024-11-30"),
        company="alibaba_health",
    )  # fmt: skip
    one = series_of(rows)["alibaba_health"]
    assert one.series.index.tolist() == [2024]
    assert str(one.series.last_days(one.series.index)[0]) == "2024-03-31"
    assert one.first_halves == pytest.approx({2025: 600})


def test_a_series_begins_after_the_company_changed_what_it_counts():
    rows = figures(*[(f"{y}-01-01", f"{y}-12-31", 100, "2025-01-31") for y in range(2018, 2024)], company="wedoctor")
    assert series_of(rows)["wedoctor"].series.index[0] == 2021


def test_a_printed_share_of_revenue_gives_the_part_and_quarters_give_no_year():
    revenue = figures(YEAR, ("2024-01-01", "2024-03-31", 300, "2024-05-31"))
    share = figures((*YEAR[:2], 20, YEAR[3]), metric="revenue_share_online_medical_services")
    both = pd.concat([revenue, share.assign(claim_id="share", unit="percent")], ignore_index=True)
    one = series_of(both, "revenue_online_medical_services")["cloudr"]
    assert one.series.values.tolist() == pytest.approx([200])
    assert one.claims == ("share",)
    assert series_of(both)["cloudr"].series.index.tolist() == [2023]


def test_losses_stay_negative_and_keep_the_length_of_their_period():
    rows = figures((*YEAR[:2], -50, YEAR[3]), (*FIRST[:2], 10, FIRST[3]), metric="net_profit")
    with mock.patch.object(context_module, "_ledger", lambda *_: rows):
        found = results(Context(validate("channel_share", {"as_of": TODAY})))
    assert [(one.months, round(one.profit)) for one in found] == [(6, 10), (12, -50)]


@given(st.integers(1990, 2100), st.integers(0, 11))
def test_calendar_weights_share_every_fiscal_year_out_once(year, early):
    before, own = calendar_weights(year - 1, early), calendar_weights(year, early)
    assert before[1] + own[0] == pytest.approx(1.0)
    assert 0 <= own[1] < 1 and 0 < own[0] <= 1


def test_a_year_to_march_gives_a_quarter_to_the_year_it_ends_in():
    assert calendar_weights(2025, 0) == (1.0, 0.0)
    assert calendar_weights(2025, 9) == pytest.approx((90 / 365, 275 / 365))


GROWING = np.array([100.0, 150.0, 210.0, 270.0, 320.0])


def company(name, values=GROWING, first=2020, halves=None, early=0):
    index = first + np.arange(len(values))
    series = Series(f"{name}_revenue", "annual", index, np.asarray(values), unit="CNY_million", early=early)
    return Reported(name, "revenue", series, halves or {}, tuple(f"{name}-{y}" for y in index))


def test_a_strong_first_half_lifts_its_year_and_a_weak_one_lowers_it():
    law = (0.0, 0.1)
    medians = [
        np.median(outlook(company("a", halves=half), 2026, halves=law, seed=1).draws[:, 0])
        for half in ({2025: 150.0}, {}, {2025: 200.0})
    ]
    assert medians[0] < medians[1] < medians[2]


def test_no_year_is_smaller_than_its_first_half():
    drawn = outlook(company("a", halves={2025: 340.0}), 2026, halves=(0.0, 0.1), seed=1)
    assert (drawn.draws[:, 0] > 340.0).all()


def test_the_law_of_first_halves_is_found_in_years_that_follow_it():
    grown = 100.0 * np.exp(0.3 * np.arange(8))
    part = 1 / (1 + np.exp(0.5 * 0.3 - 0.2))
    halves = {2020 + k: part * grown[k] for k in range(8)}
    season, spread = first_half_law([company("a", grown, halves=halves)])
    assert season == pytest.approx(0.2)
    assert spread < 0.01
    assert first_half_law([company("a")]) == (0.0, platform_revenue.HALF_SPREAD)


def test_looking_back_uses_no_later_figure():
    (made,) = look_back(company("a"), seed=1)
    (changed,) = look_back(company("a", [*GROWING[:-1], 9000.0]), seed=1)
    assert (made.origin, made.ahead, made.actual, changed.actual) == (2023, 1, 320.0, 9000.0)
    np.testing.assert_array_equal(made.draws, changed.draws)
    np.testing.assert_array_equal(made.prophet, changed.prophet)
    assert changed.normal > made.normal


class Error(NamedTuple):
    """What the correlation needs to know of a forecast of the past."""

    company: str
    origin: int
    ahead: int
    normal: float


def errors(normals):
    """Errors of some companies in some years, dims (company, year)."""
    return [Error(str(c), y, 1, float(z)) for c, row in enumerate(normals) for y, z in enumerate(row)]


def test_the_common_shock_is_found_in_past_errors_and_unknown_without_any():
    rng = np.random.default_rng(1)
    shock, own = rng.standard_normal(60), rng.standard_normal((6, 60))
    assert correlation(errors(own)) < 0.1
    assert correlation(errors(np.sqrt(0.7) * shock + np.sqrt(0.3) * own)) == pytest.approx(0.7, abs=0.12)
    assert correlation([]) == platform_revenue.COMMON


def test_the_more_companies_move_together_the_wider_their_sum_and_known_years_add_up():
    summed = {name: outlook(company(name), 2027, halves=(0.0, 0.1), seed=k) for k, name in enumerate("abc")}
    widths = []
    for rho in (0.0, 0.5, 1.0):
        parts = platform_revenue._sum(summed, 2027, rho=rho, rng=np.random.default_rng(2))
        total = np.log(np.maximum(sum(parts.values()), 1e-9))
        np.testing.assert_allclose(total[:, :5], np.log(3 * GROWING)[None] + np.zeros((len(total), 1)))
        widths.append(np.quantile(total[:, -1], 0.9) - np.quantile(total[:, -1], 0.1))
    assert widths[0] < widths[1] < widths[2]


def test_the_real_ledger_gives_series_of_the_platforms_and_keeps_alibabas_year():
    known = Context(validate("channel_share", {"as_of": TODAY}))
    found = {one.company: one for one in reported(known, "revenue")}
    long = {name for name, one in found.items() if len(one.series.index) >= 4}
    assert {"jd_health", "alibaba_health", "ping_an_good_doctor", "wedoctor", "cloudr", "dingdang", "fangzhou"} <= long
    assert found["alibaba_health"].series.early == 9
    assert not {2025, 2026} & set(found["yuanxin"].series.index.tolist())
    assert found["ping_an_good_doctor"].series.values[0] == pytest.approx(278.7), "the accounts replace an estimate"
