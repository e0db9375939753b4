"""The shipped ledger: complete, one voice a statement, a closed vocabulary, every decision logged."""

import json
import re

import pandas as pd
import pytest
from frictionless import Package

from telemed_forecast.evidence import dictionary, ledger
from telemed_forecast.paths import EVIDENCE

pytestmark = pytest.mark.unit


def table(name):
    return pd.read_csv(EVIDENCE / f"{name}.csv", dtype=str, keep_default_na=False)


def test_the_data_package_is_valid():
    report = Package(str(EVIDENCE / "datapackage.json")).validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "message"])[:10]


def test_the_data_dictionary_describes_every_field_and_every_file():
    package = json.loads((EVIDENCE / "datapackage.json").read_text(encoding="utf-8"))
    described = {resource["path"] for resource in package["resources"]}
    assert described == {path.name for path in EVIDENCE.glob("*.csv")}
    for resource in package["resources"]:
        assert [field["name"] for field in resource["schema"]["fields"]] == list(table(resource["name"]).columns)
        assert all(field["description"] for field in resource["schema"]["fields"])


def test_no_collected_row_was_dropped(claims):
    assert len(claims) == 2396
    assert claims["claim_id"].is_unique


@pytest.mark.parametrize("topic", dictionary.topics())
def test_files_are_sorted_and_plain(topic):
    data = (EVIDENCE / f"{topic}.csv").read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")
    rows = table(topic)
    keys = list(zip(rows["metric"], rows["segment"], rows["period_end"], rows["claim_id"], strict=True))
    assert keys == sorted(keys)


def test_the_vocabulary_is_closed_and_holds_nothing_unused(claims):
    assert set(claims["metric"]) == set(ledger.metrics().index)
    assert set(claims["segment"]) == set(ledger.segments().index)
    names = [*ledger.metrics().index, *ledger.segments().index]
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_growth_says_what_its_base_is_and_nothing_else_has_one():
    metrics = ledger.metrics()
    assert ((metrics["measure"] == "growth") == (metrics["base"] != "")).all()


def test_a_restated_row_points_to_a_primary_row_of_its_kind(claims, by_id):
    copies = claims[claims["restates"] != ""]
    primary = by_id.loc[copies["restates"]]
    assert (primary["restates"] == "").all()
    for column in ("metric", "segment"):
        assert list(primary[column]) == list(copies[column])
    # D rows repeat D rows only; otherwise the primary has the best grade.
    assert (primary["grade"].to_numpy() <= copies["grade"].to_numpy()).all()


def test_no_statement_of_one_voice_is_counted_twice(claims):
    primary = claims[(claims["restates"] == "") & (claims["use"] == "model") & claims["value"].notna()]
    same = ["origin", "metric", "segment", "period_start", "period_end", "unit", "value"]
    assert primary[primary.duplicated(same, keep=False)]["claim_id"].tolist() == []


def test_what_is_not_for_models_says_why(claims):
    assert (claims.loc[claims["use"] != "model", "use_reason"] != "").all()
    assert set(claims.loc[claims["kind"] == "forecast", "use"]) == {"forecast"}
    assert set(claims.loc[claims["grade"] == "D", "use"]) <= {"excluded", "forecast"}


def test_the_founding_figures_are_all_in_the_ledger(by_id):
    founding = table("founding_figures")
    events = set(ledger.policy_events()["event_id"])
    assert len(founding) == 31
    assert set(founding["article"].str[:3]) == {"000", "001", "002", "003", "004"}
    for row in founding.itertuples():
        if row.event_id:
            assert row.event_id in events
        else:
            assert by_id.loc[row.claim_id, "url"] == row.article


@pytest.mark.parametrize(
    ("claim_id", "relation", "figure"),
    [
        ("seed-yrd-used", "eq", "22.07"),
        ("seed-yrd-never", "lt", "80"),
        ("seed-yrd-lack", "eq", "19.05"),
        ("seed-yrd-hospbuilt", "gt", "60"),
        ("seed-yrd-docs", "gt", "70"),
        ("ihshare-2021-08-seed-public", "lt", "70"),
        ("seed-jdh-online-docs", "between", "30 40"),
        ("ih-2021-06-seed-1600", "gt", "1600"),
        ("seed-jdh-income", "between", "3000 8000"),
        ("seed-bjnews-haodf-free", "eq", "1680000"),
        ("seed-bjnews-haodf-reg", "eq", "350"),
        ("seed-bjnews-haodf-demand", "eq", "648"),
        ("seed-bjnews-pagd-visits", "eq", "1110000000"),
        ("seed-bjnews-pagd-reg", "eq", "10"),
        ("seed-bjnews-pagd-consult", "eq", "9"),
        ("seed-tencent-users", "gt", "12000000"),
        ("seed-tencent-doctor", "gt", "80"),
        ("seed-tencent-push", "eq", "485000000"),
        ("seed-gma-market", "approx", "2680"),
        ("seed-gma-invest", "approx", "12.25"),
        ("seed-gma-provinces", "eq", "22"),
    ],
)
def test_a_founding_figure_is_kept_as_printed(by_id, claim_id, relation, figure):
    row = by_id.loc[claim_id]
    printed = row["printed"] or f"{row['low']:g} {row['high']:g}"
    assert (row["relation"], printed) == (relation, figure)


@pytest.mark.parametrize(
    ("day", "millions"),
    [
        ("2015-12-31", 152),
        ("2020-06-30", 276),
        ("2020-12-31", 215),
        ("2021-06-30", 239),
        ("2021-12-31", 298),
        ("2022-06-30", 300),
        ("2022-12-31", 363),
        ("2023-06-30", 364),
        ("2023-12-31", 414),
        ("2024-12-31", 418),
        ("2025-06-30", 393),
        ("2025-12-31", 411),
    ],
)
def test_online_medical_users_are_one_primary_row_a_survey(claims, day, millions):
    users = claims[(claims["metric"] == "online_medical_users") & (claims["segment"] == "national")]
    primary = users[(users["period_end"] == day) & (users["restates"] == "") & (users["use"] == "model")]
    assert primary["value"].tolist() == [millions * 1e6]


def test_consultations_per_day_have_one_name(claims):
    names = {name for name in claims["metric"] if re.search("consultations", name) and "da" in name.split("_")}
    assert not names
    jd = claims[(claims["metric"] == "daily_online_consultations") & (claims["segment"] == "jd_health")]
    assert len(jd) > 15
    assert set(jd["unit"]) == {"consultations_per_day"}


def test_repeated_voices_carry_the_true_origin(by_id):
    assert by_id.loc["qianzhan-daxue-ih-2019", "origin"] == "analysys"
    assert by_id.loc["chyxx-2020-oc-2019", "origin"] == "frost_sullivan"
    assert by_id.loc["seed-gma-market", "restates"] == "cui-2022-tele-2019"


def test_the_forecast_of_2020_that_later_pages_print_as_an_outcome_is_no_estimate_of_that_year(claims):
    same = claims[(claims["segment"] == "internet_healthcare") & (claims["value"].isin([196000.0, 196100.0]))]
    same = same[(same["metric"] == "market_size") & (same["origin"] == "analysys")]
    primary = "analysys-2020-ih-2020"
    assert dict(zip(same["claim_id"], same["restates"], strict=True)) == {
        primary: "",
        "qianzhan-daxue-ih-2020": primary,
        "wu2023-ih-2020": primary,
    }
    assert set(same["use"]) == {"forecast"}


def test_the_swapped_census_shares_are_shown_but_not_fitted(claims):
    census = claims[(claims["origin"] == "xu_2021") & (claims["metric"] == "internet_hospital_share")]
    assert len(census) > 3
    assert set(census["use"]) == {"context"}


def test_every_logged_decision_names_a_row_a_field_and_a_rule(claims):
    log = table("curation")
    assert set(log["claim_id"]) <= set(claims["claim_id"])
    assert set(log["field"]) <= set(claims.columns)
    assert (log["rule"] != "").all()
    readme = (EVIDENCE / "README.md").read_text(encoding="utf-8")
    rules = {re.split(r"[ (:]", rule)[0] for rule in log["rule"]} - {"use"}
    assert sorted(rule for rule in rules if rule.split("-primary-")[0] not in readme) == []


@pytest.mark.parametrize("field", ["period_end", "relation", "grade", "origin", "unit", "kind"])
def test_the_last_logged_value_of_a_field_is_what_the_ledger_holds(field):
    log = table("curation")
    last = log[log["field"] == field].drop_duplicates("claim_id", keep="last").set_index("claim_id")["after"]
    held = pd.concat([table(topic) for topic in dictionary.topics()]).set_index("claim_id")[field]
    assert held.loc[last.index].tolist() == last.tolist()
