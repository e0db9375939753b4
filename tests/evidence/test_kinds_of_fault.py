"""Kinds of fault that were once found in the ledger, each kept out."""

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.evidence import decisions, ledger, observations, vintage

pytestmark = pytest.mark.unit

LEVELS = ["claim_id", "metric", "segment", "period_start", "period_end"]


@pytest.fixture(scope="module")
def primary(claims):
    """Rows that may enter a likelihood and repeat nobody."""
    return claims[(claims["use"] == "model") & (claims["restates"] == "")]


def hosts(claims, *kinds):
    """Which rows link to a site of one of these kinds, or of any but mills."""
    listed = decisions.rows("doubtful_sites")
    wanted = [row["host"] for row in listed if (row["kind"] in kinds if kinds else row["kind"] != "mill")]
    return claims["url"].str.extract(r"^https?://([^/:]+)", expand=False).isin(wanted)


def on(claims, day, metric, segment):
    view = vintage.as_of(claims, day)
    return observations.intervals(view[(view["metric"] == metric) & (view["segment"] == segment)])


def test_a_house_states_a_quantity_of_a_period_once(primary):
    same = ["origin", "metric", "segment", "period_start", "period_end", "kind"]
    assert primary.loc[primary.duplicated(same, keep=False), "claim_id"].tolist() == []


def test_one_figure_of_a_house_has_one_name(claims):
    rows = claims[(claims["grade"] != "D") & (claims["printed"].str.strip("-0.").str.len() >= 3)]
    statement = rows["restates"].where(rows["restates"] != "", rows["claim_id"])
    names = statement.groupby([rows[name] for name in ("origin", "segment", "period_end", "printed")]).nunique()
    assert names[names > 1].index.tolist() == []


def test_a_house_that_corrects_itself_is_heard_once_and_before_that_by_its_first_figure(claims):
    def heard(day):
        sizes = on(claims, day, "market_size", "internet_healthcare")
        year = (sizes.origin == "100ec") & (sizes.end == np.datetime64("2023-12-31"))
        return set(sizes.claim_id[year]) - {"100ec-2024-ih-2023h1"}

    assert heard("2024-03-31") == {"100ec-2024-ih-2023"}
    assert heard("2024-04-18") == heard("2026-11-29") == {"n-100ec-ih-2023"}


def test_a_copy_does_not_outrank_what_it_copies(claims, by_id):
    copies = claims[claims["restates"] != ""]
    assert (by_id.loc[copies["restates"], "grade"].to_numpy() <= copies["grade"].to_numpy()).all()


def test_figures_of_one_official_body_on_one_page_have_one_grade(claims):
    official = claims[claims["origin_type"].isin(["regulator", "statistics_agency"])]
    official = official[(official["grade"] != "D") & (official["url"] != "")]
    grades = official.groupby(["url", "origin"])["grade"].nunique()
    assert grades[grades > 1].index.tolist() == []


def test_the_two_numbers_of_one_press_conference_have_the_grade_of_the_body(by_id):
    assert by_id.loc[["ih-2025-09-nhc-3756", "idv-2024-nhc"], "grade"].tolist() == ["A", "A"]


def test_what_a_report_mill_prints_is_unsourced_whatever_the_row(claims):
    mills = hosts(claims, "mill") | claims["origin"].str.startswith("report_mill")
    assert mills.sum() > 30
    assert set(claims.loc[mills, "grade"]) == {"D"}
    assert set(claims.loc[mills, "use"]) <= {"excluded", "forecast"}


def test_no_row_and_no_event_links_to_a_site_that_only_copies(claims):
    assert claims.loc[hosts(claims), "claim_id"].tolist() == []
    events = ledger.policy_events()
    assert events.loc[hosts(events), "event_id"].tolist() == []


@pytest.mark.parametrize(
    ("change", "column", "expected"),
    [
        ({"url": "http://nakedbustytits.com/1"}, "url", "nothing, or the address of the original"),
        ({"url": "http://zc8013.com/1"}, "url", "such as that at www.ce.cn"),
        ({"url": "https://www.renrendoc.com/paper/1.html"}, "grade", "D, because www.renrendoc.com sells"),
        ({"restates": "kotra-2021-market"}, "restates", "a primary row"),
        ({"restates": "n-100ec-ih-2021", "grade": "A"}, "grade", "not above B"),
    ],
)
def test_a_users_row_is_told_the_same(tmp_path, claims, change, column, expected):
    row = claims[claims["claim_id"] == "n-100ec-ih-2021"].drop(columns="printed")
    row = row.assign(claim_id="mine", url="", known_date="2024-04-18", **{k: row[k].dt.date for k in LEVELS[3:]})
    path = tmp_path / "mine.csv"
    row.assign(**change).to_csv(path, index=False)
    (fault,) = ledger.check([path])
    assert (fault.row, fault.column) == (2, column)
    assert expected in fault.expected


def test_2700_is_the_count_of_october_2022_with_the_person_times_beside_it(claims, by_id):
    count, visits = by_id.loc["n-cac-2022-10-ih"], by_id.loc["n-cac-2022-10-visits"]
    assert (count["printed"], str(count["period_end"].date()), count["use"]) == ("2700", "2022-10-31", "model")
    assert (visits["printed"], visits["unit"], visits["use"]) == ("25900000", "consultations", "context")
    assert count["url"] == visits["url"]
    later = on(claims, "", "internet_hospitals", "national")
    assert not (later.low[later.end > np.datetime64("2022-10-31")] == 2700).any()
    copies = claims[(claims["metric"] == "internet_hospitals") & (claims["printed"] == "2700")]
    assert set(copies["period_end"].dt.date.astype(str)) == {"2022-10-31"}


def test_a_stale_floor_bounds_from_below_and_is_no_level(claims):
    counts = on(claims, "", "internet_hospitals", "national")
    (floor,) = np.flatnonzero(counts.claim_id == "ih-2022-06-nhc-1700")
    assert (counts.low[floor], counts.high[floor]) == (1700, np.inf)
    assert counts.bounded.sum() == len(counts) - 1
    assert not counts.bounded[floor]


def test_users_internet_users_and_usage_rate_agree_in_every_survey(primary):
    rows = primary[(primary["origin"] == "cnnic") & (primary["segment"] == "national")]
    table = rows.pivot_table(index="period_end", columns="metric", values="value")
    table = table[["online_medical_users", "internet_users", "online_medical_usage_rate"]].dropna()
    implied = 100.0 * table["online_medical_users"] / table["internet_users"]
    # Half a million of a thousand million users, and half a tenth of the rate.
    assert len(table) >= 12
    assert ((implied - table["online_medical_usage_rate"]).abs() < 0.11).all()


def test_a_digit_error_of_a_page_is_corrected_not_repeated(by_id):
    row = by_id.loc["cnnic-2021-06-online-medical-users-dax48"]
    assert (row["printed"], row["restates"]) == ("239330000", "cnnic-2021-06-online-medical-users-shl48")


def test_money_put_into_companies_is_no_size_of_a_market(claims):
    said = claims["definition"].str.contains(r"invest|financ|funding", case=False)
    assert claims.loc[said & claims["metric"].str.startswith("market_"), "claim_id"].tolist() == []
    harvard = claims[claims["claim_id"].str.startswith("hsph-wp6")]
    assert set(harvard["metric"]) == {"venture_investment_internet_healthcare"}


def test_a_house_has_one_scope_of_digital_health_in_a_segment(claims):
    rows = claims[(claims["metric"] == "market_size") & claims["segment"].str.startswith("digital_health")]
    rows = rows[(rows["kind"] != "forecast") & (rows["restates"] == "") & (rows["grade"] != "D")]
    rows = rows.assign(year=rows["period_end"].dt.year).sort_values("year")
    for _, own in rows.groupby(["origin", "segment", "unit"]):
        growth = (own["value"] / own["value"].shift()) ** (1.0 / own["year"].diff())
        assert growth.dropna().between(0.9, 1.8).all(), own["claim_id"].tolist()
    frost = rows[rows["origin"] == "frost_sullivan"].groupby("segment")["value"].median()
    assert frost["digital_health_wide"] > 2.0 * frost["digital_health_narrow"]


def test_revenue_from_online_medical_services_holds_no_other_business(claims):
    rows = claims[(claims["metric"] == "revenue_online_medical_services") & (claims["use"] == "model")]
    other = rows["definition"].str.contains(r"consumer health|tracing|other business|drug sale|whole-course")
    assert rows.loc[other, "claim_id"].tolist() == []


def test_a_forecast_that_later_pages_print_as_an_outcome_stays_a_forecast(by_id):
    late = by_id.loc["n-askci-bloomberg-2025"]
    assert (late["kind"], late["restates"]) == ("forecast", "n-askci-ih-2025")
    assert late["known_date"] > pd.Timestamp("2025-12-31")
