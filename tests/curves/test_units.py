"""Units: the known ones, what bounds them, and a hint for the others."""

import csv

import pytest

from telemed_forecast.curves import units
from telemed_forecast.paths import EVIDENCE

pytestmark = pytest.mark.unit


def units_of_the_evidence():
    found = set()
    for file in EVIDENCE.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            found |= {unit for row in csv.DictReader(lines) for unit in (row.get("unit") or "").split("|")}
    return found


def test_every_unit_of_the_evidence_is_known():
    found = units_of_the_evidence()
    assert len(found) > 20
    assert [unit for unit in found if not units.known(unit)] == []


@pytest.mark.parametrize(
    "unit",
    [
        *("", "%", "percent_of_households", "share_of_sales", "per_100_people", "services_per_1000_beneficiaries"),
        *("million people", "thousands of users", "households (thousand)", "billion_CNY", "CNY_million", "2015_USD"),
        *("company", "active-users", "GWh", "tonnes_of_steel", "kWh_per_capita", "consultations/day", "million"),
        *("万人", "亿元", "人次"),
    ],
)
def test_a_unit_may_be_written_in_many_ways(unit):
    assert units.known(unit)


@pytest.mark.parametrize("unit", ["bananas", "percnt", "persns", "xyz", "foo_per_bar", "1e6x"])
def test_what_is_no_unit_is_not_known(unit):
    assert not units.known(unit)


@pytest.mark.parametrize(
    ("unit", "bound"),
    [
        ("percent", 100),
        ("Percent of GDP", 100),
        ("percent_of_population", 100),
        ("percentage_points", None),
        ("share", 1),
        ("fraction_of_hospitals", 1),
        ("per_100_people", None),
        ("subscriptions_per_100_people", None),
        ("persons", None),
        ("", None),
    ],
)
def test_only_parts_of_a_whole_are_bounded(unit, bound):
    assert units.bound(unit) == bound


@pytest.mark.parametrize(
    ("unit", "scale"),
    [
        ("percent", 100),
        ("share", 1),
        ("per_100_people", 100),
        ("subscriptions_per_100_people", 100),
        ("per_capita", 1),
        ("per_1000_people", None),
        ("per_100000_adults", None),
        ("beds_per_thousand_people", None),
        ("scanners_per_million_people", None),
        ("persons", None),
    ],
)
def test_what_is_counted_per_thousand_or_more_says_nothing_of_where_it_ends(unit, scale):
    assert units.scale(unit) == scale


@pytest.mark.parametrize(
    ("unit", "meant"),
    [("percnt", "percent"), ("persns", "persons"), ("internet_hospitls", "internet_hospitals"), ("zzz", "")],
)
def test_a_mistyped_unit_is_told_with_the_one_that_was_meant(unit, meant):
    assert units.nearest(unit) == (f"; did you mean {meant!r}?" if meant else "")
