"""A forecast of a day knows nothing that was published later: not one bit of any array may change."""

import pandas as pd
import pytest
from real_arrays import FORECASTS, arrays

from telemed_forecast.evidence import ledger

pytestmark = pytest.mark.unit

DAYS = ("2019-06-30", "2021-08-18", "2022-12-31", "2024-12-31")

READ = (
    ("internet_hospitals", "national"),
    ("internet_hospitals", "national_web_census"),
    ("hospitals", "tertiary_hospitals"),
    ("online_medical_users", "national"),
    ("internet_users", "national"),
    ("online_medical_active_users", "national"),
    ("survey_used_online_medical", "national"),
    ("survey_never_used_online_medical", "yangtze_river_delta_residents"),
    ("survey_lack_knowledge", "yangtze_river_delta_residents"),
    ("population", "national"),
    ("internet_hospital_share", "hospital_run"),
    ("internet_hospital_new_share", "hospital_run"),
    ("preferred_sponsor_share", "hospital_run"),
    ("internet_diagnosis_visits", "national"),
    ("daily_online_consultations", "jd_health"),
    ("internet_hospital_median_fee", "other_outpatient_clinics"),
    ("price_per_online_consultation", "shanghai_ninth_peoples_hospital"),
    ("revenue_online_medical_services", "ping_an_good_doctor"),
    ("revenue_share_online_medical_services", "ping_an_good_doctor"),
    ("revenue", "ping_an_good_doctor"),
    ("market_size", "online_consultation"),
    ("market_size", "internet_healthcare"),
    ("online_consultations", "national"),
    ("drug_circulation_sales", "national"),
    ("total_health_expenditure", "national"),
    ("online_share_of_medicine_sales", "national"),
    ("online_share_of_pharmacy_retail", "national"),
    ("digital_share_of_out_of_hospital_drugs", "national"),
    ("pharmacy_retail_sales", "national"),
    ("revenue_drug_sales", "jd_health"),
    ("revenue", "jd_health"),
    ("revenue_platform_services", "jd_health"),
    ("fx_cny_per_usd", "national"),
)
"""Metric and segment of every series that a model reads."""


@pytest.fixture(scope="module")
def claims():
    return ledger.load()


def planted(claims, day, *, later):
    """A copy of the newest row of every series, half as large and known `later` days after the day."""
    found = []
    for metric, segment in READ:
        rows = claims[(claims["metric"] == metric) & (claims["segment"] == segment)]
        rows = rows[(rows["period_end"] <= pd.Timestamp(day)) & (rows["kind"] != "forecast")]
        rows = rows[(rows["restates"] == "") & (rows["grade"] != "D") & (rows["use"] == "model")]
        found.append(rows.sort_values("period_end").iloc[-1:])
    copies = pd.concat(found)
    half = {name: copies[name] / 2 for name in ("value", "low", "high")}
    return copies.assign(
        **half,
        printed=half["value"].map(repr),
        claim_id=[f"planted-{k}" for k in range(len(copies))],
        known_date=pd.Timestamp(day) + pd.Timedelta(days=later),
    )


def as_bytes(found):
    return {
        model: {name: (values.dtype.str, values.shape, values.tobytes()) for name, values in data.items()}
        for model, data in found.items()
    }


@pytest.mark.parametrize("day", DAYS)
def test_a_row_published_the_day_after_changes_no_bit_of_any_array(claims, day):
    more = planted(claims, day, later=1)
    assert len(more) >= 4, "too few series had begun by then for this test to say anything"
    with_more = pd.concat([more, claims, more.assign(claim_id=more["claim_id"] + "-again")], ignore_index=True)
    assert as_bytes(arrays(day, with_more)) == as_bytes(arrays(day, claims))


@pytest.mark.parametrize("day", DAYS)
def test_everything_published_later_may_be_missing(claims, day):
    known = claims[claims["known_date"] <= pd.Timestamp(day)]
    assert len(known) < len(claims)
    assert as_bytes(arrays(day, known)) == as_bytes(arrays(day, claims))


@pytest.mark.parametrize("day", DAYS[2:])
def test_the_same_rows_published_on_the_day_change_every_model(claims, day):
    # Without this the tests above would pass on rows that no model looks at.
    with_more = pd.concat([claims, planted(claims, day, later=0)], ignore_index=True)
    before, after = as_bytes(arrays(day, claims)), as_bytes(arrays(day, with_more))
    assert all(before[model] != after[model] for model in FORECASTS)


def test_the_list_of_series_is_the_one_that_the_forecasts_ask_for(claims, monkeypatch):
    from telemed_forecast.forecast.context import Context

    asked = set()
    observed = Context.observed

    def noted(self, metric, *segments):
        asked.add(metric)
        return observed(self, metric, *segments)

    monkeypatch.setattr(Context, "observed", noted)
    arrays("2026-11-21", claims)
    assert asked | {"fx_cny_per_usd"} == {metric for metric, _ in READ}
