"""A reference class in a file: read whole or refused with every fault, and written so that it reads back the same."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemed_forecast.curves import periods, reference_class, units
from telemed_forecast.curves.reference_class import fingerprint
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import InputError, TelemedError

pytestmark = pytest.mark.unit

ADOPTION = "series_id,family,technology,geo,measure,unit,year,value"
SURGE = "series_id,family,date,value,unit"


def adoption(name="phones__here", values=(1, 2, 4, 7, 9), start=2001, *, family="phones", unit="percent"):
    rows = enumerate(values, start=start)
    return [f"{name},{family},phones in use,Here,penetration,{unit},{year},{value}" for year, value in rows]


@pytest.fixture
def write(tmp_path):
    def write(*lines, header=ADOPTION):
        path = tmp_path / "mine.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write


def faults(path):
    with pytest.raises(InputError) as refused:
        reference_class.read(path, name="mine.csv")
    return [(fault.row, fault.column, fault.value, fault.expected) for fault in refused.value.faults]


def test_a_curve_carries_its_values_and_what_folds_are_made_of(write):
    (series,) = reference_class.read(write(*adoption()))
    assert (series.technology, series.geo) == ("phones in use", "Here")
    assert (series.series_id, series.frequency, series.unit) == ("phones__here", "annual", "percent")
    assert (series.measure, series.reference_class, series.bound) == ("penetration", "phones", 100.0)
    assert series.index.tolist() == [2001, 2002, 2003, 2004, 2005]
    assert series.values.tolist() == [1, 2, 4, 7, 9]


def test_rows_may_come_in_any_order_and_years_may_be_missing(write):
    one, two = adoption(), adoption("phones__there", start=1990)
    del one[2]
    rows = [*one, "phones__here,phones,phones in use,Here,penetration,percent,1999,0.5", *two]
    first, second = reference_class.read(write(*rows[::-1]))
    assert (first.series_id, second.series_id) == ("phones__there", "phones__here")
    assert second.index.tolist() == [1999, 2001, 2002, 2004, 2005]
    assert second.values.tolist() == [0.5, 1, 2, 7, 9]


def test_a_surge_needs_no_technology_place_or_measure(write):
    dates = ["2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01", "2021-04-01"]
    rows = [f"tele__alaska__video,medicare,{day},{value},percent" for value, day in enumerate(dates, start=5)]
    (curve,) = reference_class.read(write(*rows, header=SURGE))
    assert curve.frequency == "quarterly"
    assert curve.index.tolist() == [8080, 8081, 8082, 8083, 8085]
    assert (curve.geo, curve.technology, curve.measure) == ("alaska", "", "")


def test_each_series_of_a_file_has_its_own_length_of_period(write):
    months = [f"a__x,f,2020-{month:02d}-01,1,visits" for month in range(1, 7)]
    ends = [f"b__x,f,{2015 + year}-12-31,1,visits" for year in range(6)]
    monthly, annual = reference_class.read(write(*months, *ends, header=SURGE))
    assert (monthly.frequency, annual.frequency) == ("monthly", "annual")
    assert monthly.index[0] == 2020 * 12
    assert annual.index[0] == 2015


def test_every_fault_is_told_with_its_row(write):
    rows = adoption()
    rows[0] = rows[0].replace(",1", ",lots")
    rows[1] = rows[1].replace(",2002,", ",02,")
    rows[2] = rows[2].replace(",4", ",-4")
    rows[3] = rows[3].replace(",2004,7", ",2005,107")
    rows += [*adoption("short", [1, 2, 3]), *adoption("dead", [0, 0, 0, 0, 0]), *adoption("mixed")]
    rows[-1] = rows[-1].replace("percent", "persons")
    rows[-2] = rows[-2].replace(",phones,", ",radios,")
    assert faults(write(*rows)) == [
        (2, "value", "lots", "a number such as 1234.5, without separators, signs of percent or words"),
        (3, "year", "02", "a year such as 2020, from 1000 to 2999"),
        (4, "value", "-4", "0 or more"),
        (5, "value", "107", "at most 100, because the unit is percent"),
        (6, "year", "2005", "a date that no other row of the series has; row 5 has it too"),
        (7, "series_id", "short", "at least 5 values of a series, not 3 rows"),
        (10, "value", "0", "at least one value of the series above 0"),
        (18, "family", "radios", "'phones', as in row 15: one family a series"),
        (19, "unit", "persons", "'percent', as in row 15: one unit a series"),
    ]


@pytest.mark.parametrize("value", ["", "nan", "inf", "1_000", "1;5"])
def test_what_is_no_number_is_a_fault(write, value):
    (fault,) = faults(write(*adoption(values=(1, 2, value, 3, 4))))
    assert fault[:3] == (4, "value", value)


def test_wrong_columns_are_told_together_with_what_may_be_meant(write):
    header = "series,family,technology,geo,measure,unit,yaer,value"
    found = faults(write(*adoption(), header=header))
    assert [fault[:2] for fault in found] == [(1, "series_id"), (1, "year")]
    assert "is it meant by 'series'" in found[0][3]
    assert "is it meant by 'yaer'?" in found[1][3]


def test_a_mistyped_column_is_a_fault_and_a_column_of_ones_own_is_not(write):
    (fault,) = faults(write(*adoption(), header=ADOPTION.replace("geo", "goe")))
    assert fault[1] == "goe" and "did you mean 'geo'?" in fault[3]
    (curve,) = reference_class.read(write(*adoption(), header=ADOPTION.replace("geo", "comment")))
    assert curve.geo == "here"


def test_a_file_with_both_a_year_and_a_date_is_refused(write):
    found = faults(write("a,f,2020,2020-01-01,1,persons", header="series_id,family,year,date,value,unit"))
    assert found[0] == (1, "year", None, "one of the columns year (annual curves) and date in the header")


def test_a_row_of_the_wrong_length_does_not_hide_the_other_faults(write):
    rows = adoption()
    rows[4] = rows[4].replace(",9", ",many")
    rows.append("phones__here,phones")
    assert [fault[:3] for fault in faults(write(*rows))] == [(6, "value", "many"), (7, None, "2 fields")]


@pytest.mark.parametrize("rows", [[], ["only,two"]])
def test_a_file_without_a_readable_row_is_one_fault_not_a_crash(write, rows):
    assert len(faults(write(*rows))) == 1


def test_a_missing_file_is_a_fault(tmp_path):
    assert "can be read" in faults(tmp_path / "none.csv")[0][3]


def test_a_name_may_not_be_empty(write):
    assert faults(write(*adoption(family="")))[0] == (2, "family", "", "a name")


def test_a_mistyped_unit_is_a_fault_once_a_series(write):
    found = faults(write(*adoption(), *adoption("b", unit="precent"), *adoption("c", unit="precent")))
    assert found == [(row, "unit", "precent", "a known unit; did you mean 'percent'?") for row in (7, 12)]


def test_a_place_that_cannot_be_written_to_is_told(write, tmp_path):
    read = reference_class.read(write(*adoption()))
    with pytest.raises(TelemedError, match="cannot be written"):
        reference_class.write(tmp_path, read)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_a_file_that_was_written_has_the_fingerprint_as_its_checksum(write, tmp_path):
    read = reference_class.read(write(*adoption(), *adoption("phones__there")))
    path = tmp_path / "new" / "class.csv"
    assert reference_class.write(path, read) == hashlib.sha256(path.read_bytes()).hexdigest() == fingerprint(read)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text(encoding="utf-8").startswith(ADOPTION + "\n")


def test_the_fingerprint_depends_on_values_not_on_order(write):
    one, two = adoption(), adoption("phones__there")
    as_is = fingerprint(reference_class.read(write(*one, *two)))
    assert fingerprint(reference_class.read(write(*two[::-1], *one))) == as_is
    assert fingerprint(reference_class.read(write(*one, *two[:-1], two[-1] + ".01"))) != as_is


kinds = st.sampled_from(["annual", "quarterly", "monthly"])


@settings(max_examples=60, deadline=None)
@given(
    kind=kinds,
    start=st.integers(1900, 2100),
    values=st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=5, max_size=9).filter(any),
)
def test_what_is_written_reads_back_to_the_last_digit(tmp_path_factory, kind, start, values):
    first = start * periods.PERIODS_A_YEAR[kind]
    index = np.arange(first, first + len(values))
    words = {"technology": 'so-called "visits"', "geo": "Here"}
    series = Series("tele, visits__here", kind, index, np.array(values), "persons", "stock", "visits", **words)
    path = tmp_path_factory.mktemp("class") / "class.csv"
    reference_class.write(path, [series])
    (back,) = reference_class.read(path)
    assert (back.reference_class, back.technology, back.geo) == ("visits", 'so-called "visits"', "Here")
    assert (back.frequency, back.unit) == (kind, "persons")
    assert np.array_equal(back.index, index)
    assert np.array_equal(back.values, series.values)


@given(kind=kinds, year=st.integers(1, 9998), part=st.integers(0, 11))
def test_the_text_of_a_period_reads_back_as_the_same_period(kind, year, part):
    a_year = periods.PERIODS_A_YEAR[kind]
    ordinal = year * a_year + part % a_year
    for text in (periods.label(ordinal, kind), periods.first_day(ordinal, kind)):
        assert periods.ordinals([periods.month(text)], kind).tolist() == [ordinal]


@pytest.mark.parametrize("text", ["", "20", "2020-13", "2020-02-30", "2020-Q5", "0000", "next year", "2020-1"])
def test_what_is_no_period_is_not_read_as_one(text):
    with pytest.raises(ValueError, match=r".+"):
        periods.month(text)


@pytest.mark.parametrize(
    ("unit", "bound"),
    [
        ("percent", 100),
        ("percent_of_population", 100),
        ("Percent of internet users", 100),
        ("%", 100),
        ("fraction", 1),
        ("per_100_people", None),
        ("persons", None),
        ("percentile_rank", None),
        ("", None),
    ],
)
def test_only_shares_are_bounded_by_their_unit(unit, bound):
    assert units.bound(unit) == bound
