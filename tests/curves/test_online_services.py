"""Other online services in China, from the ledger: one survey, one definition, nothing from after the day."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.curves import online_services, reference_class
from telemed_forecast.curves.reference_class import fingerprint
from telemed_forecast.curves.series_file import FEWEST
from telemed_forecast.errors import InputError
from telemed_forecast.evidence import dictionary, ledger

pytestmark = pytest.mark.unit


def by_name(found):
    return {curve.series_id: dict(zip(curve.index, curve.values, strict=True)) for curve in found}


@pytest.fixture(scope="module")
def counts():
    return online_services.curves()


def rows(*changes, claims):
    """Rows of a made-up service (shopping) with 100 million internet users at the end of every half-year."""
    like = claims[claims["metric"] == "online_shopping_usage_rate"].iloc[0].to_dict()
    made = []
    for number, (day, value, more) in enumerate(changes):
        row = like | {
            "period_start": pd.Timestamp(day),
            "period_end": pd.Timestamp(day),
            "known_date": pd.Timestamp(day),
        }
        row |= {"printed": value, "value": float(value), "claim_id": f"made-{number}", "restates": "", "use": "model"}
        made.append(row | {"relation": "eq", "kind": "actual", "grade": "A", "segment": "national"} | more)
    return pd.DataFrame(made, columns=claims.columns)


def shopping(frame, **options):
    """The curve of the made-up service, with every share in it."""
    return by_name(online_services.curves(frame=frame, **options)).get("online_shopping__china", {})


RATES = [(f"{year}-12-31", str(20.0 + year - 2010), {}) for year in range(2010, 2016)]


def test_every_service_of_the_survey_is_considered_but_medical_care_itself():
    metrics = dictionary.metrics()
    known = metrics.index[metrics["definition"].str.contains("reference class", regex=False)]
    assert {f"{service.name}_users" for service in online_services.SERVICES} == set(known)
    assert "online_medical_users" not in set(known)


def test_each_service_has_five_counts_of_a_share(counts):
    assert len(counts) >= 5
    for series in counts:
        assert len(series.values) >= FEWEST
        assert (series.frequency, series.unit, series.bound) == ("quarterly", "percent_of_internet_users", 100)
        assert (series.reference_class, series.geo) == ("chinese_online_services", "China")
        assert np.all(np.diff(series.index) >= 1)
        assert np.all((series.values > 0) & (series.values < 100))


def test_counts_are_what_the_survey_printed(counts):
    found = by_name(counts)
    assert found["online_shopping__china"][4 * 2018 + 3] == 73.6
    assert found["short_video__china"][4 * 2022 + 3] == 94.8


def test_counts_show_the_outbreak(counts):
    lessons = by_name(counts)["online_education__china"]
    assert lessons[2019 * 4 + 1] < lessons[2020 * 4 + 3] < lessons[2020 * 4]


@pytest.mark.parametrize("day", ["2017-06-30", "2019-06-30", "2021-03-01", "2023-06-30", "2025-03-31"])
def test_what_was_published_later_changes_nothing(claims, day):
    early = claims[claims["known_date"] <= pd.Timestamp(day)]
    later = claims.copy()
    after = later["known_date"] > pd.Timestamp(day)
    later.loc[after, "value"] = 1.0
    later.loc[after, "printed"] = "1"
    known = by_name(online_services.curves(frame=early))
    assert by_name(online_services.curves(day)) == known
    assert by_name(online_services.curves(day, frame=later)) == known
    assert all(max(shares) // 4 <= int(day[:4]) for shares in known.values())


def test_a_day_before_any_survey_has_no_curves():
    assert online_services.curves("2005-01-01") == []


def test_a_day_that_is_none_is_refused():
    with pytest.raises(InputError, match="ISO date"):
        online_services.curves("soon")


def test_between_two_counts_there_is_nothing(claims):
    shares = shopping(rows(*RATES, ("2016-06-30", "30.0", {}), claims=claims))
    assert list(shares) == [*(4 * year + 3 for year in range(2010, 2016)), 4 * 2016 + 1]


def test_users_over_internet_users_make_the_rate_finer(claims):
    day = RATES[0][0]
    users = (day, "20040000", {"metric": "online_shopping_users", "unit": "persons"})
    everyone = (day, "100000000", {"metric": "internet_users", "unit": "persons", "resolution": 1000.0})
    assert shopping(rows(*RATES, users, everyone, claims=claims))[4 * 2010 + 3] == pytest.approx(20.04, abs=0.006)


def test_a_rate_that_was_cut_off_gives_way_to_users_with_more_digits(claims):
    day = "2016-12-31"
    users = (day, "37800000", {"metric": "online_shopping_users", "unit": "persons"})
    everyone = (day, "100000000", {"metric": "internet_users", "unit": "persons", "resolution": 1000.0})
    shares = shopping(rows(*RATES, (day, "37", {}), users, everyone, claims=claims))
    assert shares[4 * 2016 + 3] == pytest.approx(37.8, abs=0.06)


@pytest.mark.parametrize(
    "change",
    [{"origin": "someone_else"}, {"segment": "rural"}, {"use": "context"}, {"kind": "forecast"}, {"grade": "D"}],
    ids=lambda change: next(iter(change)),
)
def test_figures_of_another_kind_are_not_mixed_in(claims, change):
    assert 4 * 2016 + 3 not in shopping(rows(*RATES, ("2016-12-31", "90.0", change), claims=claims))


def test_a_curve_begins_after_the_last_break_of_its_definition(claims):
    for curve in online_services.curves():
        name = curve.series_id.removesuffix("__china")
        (service,) = (service for service in online_services.SERVICES if service.name == name)
        assert dt.date(curve.index[0] // 4, 12, 31) >= service.since
    old = [(f"{year}-12-31", "5.0", {}) for year in (2005, 2006)]
    assert min(shopping(rows(*old, *RATES, claims=claims))) == 4 * 2010 + 3


def test_the_curves_can_be_saved_as_a_reference_class(counts, tmp_path):
    checksum = reference_class.write(tmp_path / "services.csv", counts)
    assert fingerprint(reference_class.read(tmp_path / "services.csv")) == checksum == fingerprint(counts)


def test_the_shipped_ledger_is_what_is_read_by_default(counts):
    assert fingerprint(online_services.curves(frame=ledger.load())) == fingerprint(counts)
