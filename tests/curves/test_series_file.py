"""Series of the user's own: how a file is read, and what is said when it is wrong."""

import calendar
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from telemed_forecast.curves import series_file
from telemed_forecast.curves.series import PERIODS_A_YEAR, Series

pytestmark = pytest.mark.unit

HEADER = "series_id,date,value,unit,measure,reference_class"
GOOD = [f"good,{year},{year - 2009}" for year in range(2010, 2016)]


@pytest.fixture
def read(tmp_path):
    """Read lines as a file."""

    def call(lines, header="series_id,date,value", **options):
        file = tmp_path / "mine.csv"
        file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return series_file.read(file, **options)

    return call


def rows(dates, *, name="a", unit=None):
    return [f"{name},{day},{n + 1}" + (f",{unit},," if unit is not None else "") for n, day in enumerate(dates)]


def told(reading):
    """Row, column and value of every fault."""
    return [(fault.row, fault.column, fault.value) for fault in reading.faults]


# -- what is read ----


def test_a_series_has_its_values_in_order_of_time_with_gaps_in_its_index(read):
    found = read(["a,2014,9", "a,2010,1", "a,2011,2.5", "a,2013,1e1", "a,2016,.5"])
    (series,) = found.series
    assert found.faults == ()
    assert series.index.tolist() == [2010, 2011, 2013, 2014, 2016]
    assert series.values.tolist() == [1, 2.5, 10, 9, 0.5]
    assert (series.frequency, series.bound, series.unit) == ("annual", None, "")


def test_series_keep_the_order_of_the_file_and_their_first_line(read):
    found = read([line for pair in zip(rows(range(2000, 2006), name="z"), GOOD, strict=True) for line in pair])
    assert [series.series_id for series in found.series] == ["z", "good"]
    assert found.lines == {"z": 2, "good": 3}


def test_unit_measure_and_class_are_kept_and_the_unit_bounds(read):
    found = read([f"a,{y},1,percent,share,tv" for y in range(2001, 2006)], HEADER, classes=["tv"])
    (series,) = found.series
    assert (series.unit, series.measure, series.reference_class, series.bound) == ("percent", "share", "tv", 100)


def test_a_byte_order_mark_quotes_spaces_and_columns_of_ones_own_do_no_harm(tmp_path):
    file = tmp_path / "mine.csv"
    lines = ['geo,"series_id", date ,value\n'] + [f'here,"a, b", {year} , 3\n' for year in range(2001, 2006)]
    file.write_bytes(b"\xef\xbb\xbf" + "".join(lines).encode())
    found = series_file.read(file)
    assert found.faults == () and found.series[0].series_id == "a, b"


# -- periods ----


@pytest.mark.parametrize(
    ("dates", "frequency", "early", "next_end"),
    [
        (["2015", "2016", "2017", "2018", "2019"], "annual", 0, "2020-12-31"),
        (["2015-01-01", "2016-01-01", "2017-01-01", "2018-01-01", "2019-01-01"], "annual", 0, "2020-12-31"),
        (["2014-12-31", "2015-12-31", "2017-12-31", "2018-12-31", "2019-12-31"], "annual", 0, "2020-12-31"),
        (["2015-06-30", "2016-06-30", "2017-06-30", "2018-06-30", "2019-06-30"], "annual", 6, "2020-06-30"),
        (["2015-02-28", "2016-02-28", "2017-02-28", "2018-02-28", "2019-02-28"], "annual", 10, "2020-02-29"),
        (["2018-10-01", "2019-01-01", "2019-04-01", "2019-07-01", "2019-10-01"], "quarterly", 0, "2020-03-31"),
        (["2018-12", "2019-03", "2019-06", "2019-09", "2019-12"], "quarterly", 0, "2020-03-31"),
        (["2018-Q4", "2019-Q1", "2019Q2", "2019-Q3", "2019-Q4"], "quarterly", 0, "2020-03-31"),
        (["2019-01-31", "2019-04-30", "2019-07-31", "2019-10-31", "2020-01-31"], "quarterly", 2, "2020-04-30"),
        (["2017-12-31", "2018-06-30", "2018-12-31", "2019-06-30", "2019-12-31"], "quarterly", 0, "2020-03-31"),
        (["2019-01-01", "2019-02-01", "2019-03-01", "2019-07-01", "2020-01-01"], "monthly", 0, "2020-02-29"),
        (["2019-09-30", "2019-10-31", "2019-11-30", "2019-12-31", "2020-01-31"], "monthly", 0, "2020-02-29"),
    ],
)
def test_dates_say_how_long_a_period_is_and_when_it_ends(read, dates, frequency, early, next_end):
    (series,) = read(rows(dates)).series
    assert (series.frequency, series.early) == (frequency, early)
    assert str(series.last_days(series.index[-1:] + 1)[0]) == next_end


@given(
    frequency=st.sampled_from(sorted(PERIODS_A_YEAR)),
    start=st.integers(1900 * 12, 2020 * 12),
    kept=st.sets(st.integers(0, 40), min_size=5),
    form=st.sampled_from(["first day", "last day", "month"]),
)
def test_any_part_of_a_regular_grid_with_two_neighbours_gives_its_frequency_back(
    tmp_path_factory, frequency, start, kept, form
):
    assume(any(k + 1 in kept for k in kept))
    length = 12 // PERIODS_A_YEAR[frequency]
    months = [start + length * k for k in sorted(kept)]
    days = {"first day": lambda y, m: "-01", "month": lambda y, m: ""}
    last = lambda y, m: f"-{calendar.monthrange(y, m)[1]:02d}"  # noqa: E731
    dates = [f"{m // 12}-{m % 12 + 1:02d}{days.get(form, last)(m // 12, m % 12 + 1)}" for m in months]
    file = tmp_path_factory.getbasetemp() / "grid.csv"
    file.write_text("\n".join(["series_id,date,value", *rows(dates)]))
    (series,) = series_file.read(file).series
    assert series.frequency == frequency
    assert (series.index - series.index[0]).tolist() == [k - min(kept) for k in sorted(kept)]
    # Each date lies in its own period: after the end of the one before, not after its own end.
    ends = series.last_days(series.index).astype(object)
    starts = series.last_days(series.index - 1).astype(object)
    whole = [date.fromisoformat((day + "-01")[:10]) for day in dates]
    assert all(begin < day <= end for begin, day, end in zip(starts, whole, ends, strict=True))
    assert form != "last day" or whole == ends.tolist()


def test_the_last_day_of_a_period_is_that_of_the_calendar():
    quarters = Series("a", "quarterly", np.array([8079]), np.array([1.0]))
    assert quarters.last_days(np.array([8079, 8080])).astype(str).tolist() == ["2019-12-31", "2020-03-31"]


# -- faults ----


@pytest.mark.parametrize(
    ("line", "column", "value", "expected"),
    [
        ("a,2020,x", "value", "x", "a number such as"),
        ("a,2020,", "value", "", "leave the row out"),
        ("a,2020,nan", "value", "nan", "leave the row out"),
        ("a,2020,inf", "value", "inf", "a finite number"),
        ("a,2020,1e999", "value", "1e999", "a finite number"),
        ('a,2020,"1,000"', "value", "1,000", "without separators"),
        ("a,2020,12%", "value", "12%", "signs of percent"),
        ("a,2020,1_000", "value", "1_000", "a number"),
        ("a,2020,-1", "value", "-1", "0 or more"),
        ("a,20,1", "date", "20", "a year"),
        ("a,2020-13,1", "date", "2020-13", "a month"),
        ("a,2019-02-29,1", "date", "2019-02-29", "a day"),
        ("a,31.12.2020,1", "date", "31.12.2020", "2020-01-31"),
        ("a,0020,1", "date", "0020", "from 1000 to 2999"),
        ("a,2015,1", "date", "2015", "row 6 has it too"),
        ("a,2020-03,1", "date", "2020-03", "a year alone, as in row 2"),
        (",2020,1", "series_id", "", "the name of a series"),
    ],
)
def test_a_wrong_field_is_told_with_its_row_and_spoils_its_series_alone(read, line, column, value, expected):
    found = read([*rows(range(2011, 2016)), *GOOD, line])
    assert told(found) == [(13, column, value)]
    assert expected in found.faults[0].expected
    assert [series.series_id for series in found.series] == (["good"] if line[0] == "a" else ["a", "good"])


@pytest.mark.parametrize(
    ("unit", "value", "wrong"),
    [
        ("percent", "100.5", True),
        ("percent_of_population", "101", True),
        ("share", "1.5", True),
        ("per_100_people", "101", False),
        ("persons", "1e9", False),
        ("percent", "100", False),
    ],
)
def test_a_value_beyond_what_the_unit_allows_is_a_fault(read, unit, value, wrong):
    lines = [f"a,{year},0.5,{unit},," for year in range(2011, 2015)]
    found = read([*lines, f"a,2015,{value},{unit},,"], HEADER)
    assert told(found) == ([(6, "value", value)] if wrong else [])


def test_what_belongs_to_a_whole_series_is_told_once(read):
    short = rows(range(2001, 2005), name="short", unit="persons")
    zeros = [f"zeros,{year},0,persons,," for year in range(2001, 2006)]
    mixed = [*rows(range(2001, 2005), name="mixed", unit="persons"), "mixed,2005,3,hospitals,,"]
    unknown = rows(range(2001, 2007), name="unknown", unit="persns")
    a_class = [f"class,{year},1,,,mobile_subs" for year in range(2001, 2006)]
    found = read([*short, *zeros, *mixed, *unknown, *a_class], HEADER, classes=["mobile_subscriptions"])
    assert told(found) == [
        (2, "series_id", "short"),
        (6, "value", "0"),
        (15, "unit", "hospitals"),
        (16, "unit", "persns"),
        (22, "reference_class", "mobile_subs"),
    ]
    expected = [fault.expected for fault in found.faults]
    assert expected[0] == "at least 5 values of a series, not 4 rows"
    assert "'persons', as in row 11" in expected[2]
    assert "did you mean 'persons'" in expected[3]
    assert "did you mean 'mobile_subscriptions'" in expected[4]
    assert found.series == ()


def test_any_reference_class_is_allowed_where_none_are_known(read):
    assert read([f"a,{y},1,,,whatever" for y in range(2001, 2006)], HEADER).faults == ()


def test_two_dates_in_one_month_are_a_fault(read):
    found = read(rows(["2020-01-01", "2020-02-03", "2020-02-10", "2020-03-01", "2020-04-01"]))
    assert told(found) == [(4, "date", "2020-02-10")]
    assert "row 3 has 2020-02-03" in found.faults[0].expected


def test_a_row_with_a_field_too_many_spoils_its_series(read):
    found = read([*GOOD, *rows(range(2001, 2007)), "a,2007,1,000"])
    assert told(found) == [(14, None, "4 fields")]
    assert [series.series_id for series in found.series] == ["good"]


def test_faults_of_the_header_and_of_rows_are_told_together_and_nothing_is_read(read):
    found = read([f"{line},percent" for line in [*GOOD, "good,2016,x"]], header="series_id,date,value,units")
    assert told(found) == [(1, "units", None), (8, "value", "x")]
    assert "did you mean 'unit'" in found.faults[0].expected
    assert found.series == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"series_id,date,value\n", "at least one row"),
        (b"series_id;date;value\na;2010;1\n", "columns separated by commas"),
        (b"series,date,value\na,2010,1\n", "is it meant by 'series'?"),
        (b"series_id,date\na,2010\n", "this column in the header"),
        (b"series_id,date,value,value\na,2010,1,1\n", "each column once"),
        (b"series_id,date,value\n\xff,2010,1\n", "text in UTF-8"),
        (b'series_id,date,value\n"a,2010,1\n', "correct CSV quoting"),
        (None, "a CSV file that can be read"),
    ],
)
def test_a_file_that_is_no_file_of_series_is_a_fault(tmp_path, content, expected):
    file = tmp_path / "mine.csv"
    if content is not None:
        file.write_bytes(content)
    found = series_file.read(file)
    assert found.series == ()
    assert any(expected in fault.expected and fault.file == str(file) for fault in found.faults)


def test_the_rows_before_broken_quoting_are_no_whole_series(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(["series_id,date,value", *GOOD, 'good,"2016,8']))
    assert series_file.read(file).series == ()


def test_a_file_of_thousands_of_series_is_read_at_once(tmp_path):
    file = tmp_path / "mine.csv"
    lines = [f"s{n},{year}-12-31,{n + year}.5" for n in range(2000) for year in range(2010, 2020)]
    file.write_text("\n".join(["series_id,date,value", *lines]))
    found = series_file.read(file)
    assert len(found.series) == 2000 and found.faults == ()
