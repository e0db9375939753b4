"""Files of series as spreadsheets, pipes and web pages leave them: read right, or refused in the user's terms."""

import csv
import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from telemed_forecast import cli
from telemed_forecast.curves import hypotheses, units
from telemed_forecast.errors import MOST_SPELT_OUT, InputError

pytestmark = pytest.mark.unit

HEADER = "series_id,date,value"
GOOD = [f"clinics,{year},{year - 2000}" for year in range(2015, 2021)]


def flat(series, horizon, *, levels, seed=0):
    """The last value for ever: these tests ask what is read, not what is forecast."""
    quantiles = np.array([np.full((horizon, len(levels)), one.values[-1]) for one in series])
    return quantiles, quantiles.mean(axis=2)


@pytest.fixture(autouse=True)
def model(monkeypatch):
    monkeypatch.setitem(
        sys.modules, "telemed_forecast.curves.hypotheses", SimpleNamespace(forecast=flat, classes=lambda: ("tv",))
    )


@pytest.fixture
def run(tmp_path, capsys):
    """Forecast what a file holds; returns the exit code, the rows of the table and the lines of the message."""

    def call(content, *options, name="mine.csv"):
        file = tmp_path / name
        text = "\n".join([*content, ""]) if isinstance(content, list) else content
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        code = cli.main(["forecast", str(file), "--horizon", "3", *options])
        printed = capsys.readouterr()
        return code, list(csv.DictReader(io.StringIO(printed.out))), printed.err.splitlines()

    return call


def values(rows):
    return {float(row["value"]) for row in rows}


# -- separators ----


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars"), ("，", "full-width")])
def test_another_separator_is_one_fault_that_names_it(run, sign, name):
    code, rows, said = run([line.replace(",", sign) for line in [HEADER, *GOOD]])
    assert (code, rows, len(said)) == (2, [], 2)
    assert "row 1" in said[1] and name in said[1]


def test_the_line_sep_is_one_fault_on_its_row(run):
    code, _, said = run(["sep=,", HEADER, *GOOD])
    assert (code, len(said)) == (2, 2)
    assert "row 1: value 'sep=,'; expected the names of the columns" in said[1]


def test_bare_decimal_commas_are_told_once_and_as_what_they_are(run):
    code, rows, said = run([HEADER, *[f"{line},5" for line in GOOD]])
    assert (code, rows, len(said)) == (2, [], 2)
    assert "row 2: value '4 fields'" in said[1] and "Write 12.5, not 12,5" in said[1]
    assert "in 5 other rows: 3, 4, 5, 6, 7" in said[1]


def test_quoted_decimal_commas_are_never_read_as_thousands(run):
    code, rows, said = run([HEADER, *[f'clinics,{year},"12,5"' for year in range(2015, 2021)]])
    assert (code, rows, len(said)) == (2, [], 2)
    assert "a point before decimals" in said[1]


# -- what a spreadsheet leaves around a table ----


@pytest.mark.parametrize(
    "lines",
    [
        [HEADER, *GOOD, *[",,"] * 500],
        [HEADER, *GOOD[:3], ",,", " , ,", *GOOD[3:]],
        [HEADER, *GOOD, ",,,,,"],
        [f"{HEADER},,", *[f"{line},," for line in GOOD]],
        [HEADER, *[f"{line},," for line in GOOD]],
    ],
)
def test_blank_rows_and_columns_say_nothing(run, lines):
    assert run(lines) == run([HEADER, *GOOD]) == (0, run([HEADER, *GOOD])[1], [])


# -- text of Chinese keyboards ----


def wide(text):
    return "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in text)


@pytest.mark.parametrize("date", ["{}", "{}-01", "{}-Q1", "{}-03-31"])
def test_full_width_digits_are_digits_in_every_form_of_date_and_in_values(run, date):
    plain = [f"a,{date.format(year)},{year - 2000}" for year in range(2015, 2021)]
    code, rows, _ = run([HEADER, *map(wide, plain)])
    assert (code, rows) == (0, run([HEADER, *plain])[1])


@pytest.mark.parametrize(("chinese", "iso"), [("{}年", "{}"), ("{}年3月", "{}-03"), ("{}年3月1日", "{}-03-01")])
def test_chinese_dates_are_dates(run, chinese, iso):
    chinese, iso = ([HEADER, *[f"a,{form.format(y)},{y}" for y in range(2015, 2021)]] for form in (chinese, iso))
    assert run(chinese) == run(iso)
    assert run(chinese)[0] == 0


def test_a_value_with_a_chinese_scale_is_refused_with_the_place_for_it(run):
    code, rows, said = run([HEADER, *[f"a,{year},3.5亿" for year in range(2015, 2021)]])
    assert (code, rows, len(said)) == (2, [], 2)
    assert "belong into the unit" in said[1]


# -- encodings and other kinds of file ----


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{HEADER}\n诊所,2015,1\n".encode("gbk"), "GBK"),
        (f"{HEADER}\n诊所,2015,1\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\x14\x00", "an Excel workbook: save its sheet as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook"),
        (f"{HEADER}\nclinics,2015,\0\n".encode(), "row 2: value '\\x00'"),
    ],
)
def test_a_file_in_another_form_is_refused_with_what_to_do(run, content, said):
    code, _, lines = run(content)
    assert (code, len(lines)) == (2, 2)
    assert said in lines[1] and "UTF-8" in lines[1]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_only_line_ends_end_a_row(run, sign):
    lines = [line.replace("clinics", f"rural{sign}clinics") for line in GOOD]
    code, rows, _ = run([HEADER, *lines])
    assert code == 0
    assert {row["series_id"] for row in rows} == {f"rural{sign}clinics"}
    _, _, said = run([HEADER, *lines, "clinics,2021,x"])
    assert any("row 8, column value" in line for line in said)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_counted_as_an_editor_counts_them(run, end):
    _, _, said = run(
        end.join([f"{HEADER},note", *[f"{line}," for line in GOOD], f'b,2015,1,"two{end}lines"', "b,x,1,"])
    )
    assert any("row 10, column date: value 'x'" in line for line in said)


def test_a_field_beyond_what_csv_takes_is_a_fault_with_its_row(run):
    code, _, said = run([f"{HEADER},note", *[f"{line}," for line in GOOD], "b,2015,1," + "x" * 200_000])
    assert code == 2
    assert any("row 8: expected fields of at most 131,072 characters" in line for line in said)


# -- a pipe ----


@pytest.mark.parametrize("torn", ["torn,2021,9,extra", "torn,2021"])
def test_a_pipe_is_read_once_and_as_the_file_is(monkeypatch, capsys, torn):
    text = "\n".join([HEADER, *GOOD, *[f"torn,{year},1" for year in range(2015, 2021)], torn, ""])
    for options, code in ((["--skip-bad"], 0), ([], 2)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
        assert cli.main(["forecast", "-", "--horizon", "2", *options]) == code
        printed = capsys.readouterr()
        assert "standard input, row 14" in printed.err
        assert ("torn" in printed.out, "clinics" in printed.out) == (False, code == 0)


# -- many faults ----


def test_one_mistake_in_thousands_of_rows_is_one_line_under_their_number(run):
    bad = [f"bad{n},{year},{n}%" for n in range(2500) for year in range(2015, 2023)]
    code, _, said = run([HEADER, *bad, *GOOD])
    assert (code, len(said)) == (2, 2)
    assert "20000 faults" in said[0] and "19,999 other rows" in said[1]
    code, rows, said = run([HEADER, *bad, *GOOD], "--skip-bad")
    assert (code, {row["series_id"] for row in rows}) == (0, {"clinics"})


def test_so_many_different_faults_are_spelt_out_and_the_rest_is_counted():
    faults = [f"fault {number}" for number in range(MOST_SPELT_OUT + 5)]
    said = str(InputError(faults)).splitlines()
    assert said[0] == f"{MOST_SPELT_OUT + 5} faults in the input:"
    assert said[1:] == [f"  - {fault}" for fault in faults[:MOST_SPELT_OUT]] + ["  - and 5 more"]


def test_weekly_data_are_told_once_that_months_are_the_shortest(run):
    days = [f"a,2024-{month:02d}-{day:02d},{month}" for month in range(1, 7) for day in (1, 8, 15, 22)]
    code, _, said = run([HEADER, *days])
    assert (code, len(said)) == (2, 2)
    assert "add up days or weeks to months" in said[1] and "17 further rows" in said[1]


# -- values and dates that no series has ----


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "-5", "0x10", "=1+1", ""])
def test_what_is_no_finite_count_is_refused_by_row_and_column(run, value):
    code, rows, said = run([HEADER, *GOOD, f"clinics,2021,{value}"])
    assert (code, rows) == (2, [])
    assert f"row 8, column value: value '{value}'" in said[1]


@pytest.mark.parametrize(
    "date", ["20000", "20000-01-01", "0000", "2024-13", "2024-Q5", "2024-02-30", "2024-W05", "FY2024Q1"]
)
def test_what_is_no_date_is_refused_with_the_forms_that_are_taken(run, date):
    code, rows, said = run([HEADER, *GOOD, f"clinics,{date},1"])
    assert (code, rows) == (2, [])
    assert f"row 8, column date: value '{date}'" in said[1] and "2020-Q1" in said[1]


# -- what is said of a file that is taken ----


def test_the_length_of_a_period_is_said_where_dates_leave_it_open(run):
    ends = ["2019-03-31", "2020-03-31", "2021-03-31", "2022-12-31", "2023-12-31", "2024-12-31"]
    code, _, said = run([HEADER, *[f"a,{day},{n}" for n, day in enumerate(ends, 1)]])
    assert code == 0
    assert said[0] == "periods, by the dates: 1 series quarterly"
    assert "12, 21 months apart, taken as quarterly with gaps" in said[1]


def test_a_value_a_hundredfold_too_high_is_pointed_out(run):
    code, _, said = run([HEADER, *GOOD, "clinics,2021,2100"])
    assert (code, len(said)) == (0, 1)
    assert "clinics (row 2): 2100 in 2021 comes after 20" in said[0]


def test_a_plateau_is_kept_and_what_the_model_makes_of_it_is_said(run):
    code, rows, said = run([HEADER, *[f"a,{2015 + n},{v}" for n, v in enumerate([18, 22, 25, 27, 28, 28, 28, 28])]])
    assert (code, len(said)) == (0, 1)
    assert "its last 4 values are the same" in said[0]
    assert rows[0]["reference_date"] == "2022-12-31"


# -- measures ----


def test_a_mistyped_measure_is_refused_with_the_nearest_name(run):
    code, _, said = run([f"{HEADER},measure", *[f"{line},penetraton" for line in GOOD]])
    assert (code, len(said)) == (2, 2)
    assert "row 2, column measure: value 'penetraton'" in said[1] and "did you mean 'penetration'?" in said[1]


def test_the_help_lists_every_measure_and_the_model_knows_no_other(capsys):
    cli.main(["forecast", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert ", ".join(units.MEASURES) in told
    assert set(hypotheses.KINDS) <= set(units.MEASURES)
