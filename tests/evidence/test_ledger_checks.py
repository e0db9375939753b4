"""Faults in the user's files: all of them, each with file, row, column, value and what was expected."""

import csv

import pytest

from telemed_forecast.errors import InputError
from telemed_forecast.evidence import dictionary, ledger

pytestmark = pytest.mark.unit

COLUMNS = list(dictionary.claim_fields())
ROW = {
    "claim_id": "mine-1",
    "topic": "users",
    "metric": "online_medical_users",
    "segment": "national",
    "period_start": "2026-06-30",
    "period_end": "2026-06-30",
    "value": "420000000",
    "relation": "approx",
    "unit": "persons",
    "kind": "actual",
    "publisher": "me",
    "origin": "my_survey",
    "origin_type": "academic",
    "grade": "B",
    "source_title": "My survey",
    "source_date": "2026-08",
    "known_date": "2026-08-31",
    "use": "model",
}


@pytest.fixture
def write(tmp_path):
    """Write rows (changes to a good row) to a file; returns its path."""

    def write(*changes, name="mine.csv", columns=COLUMNS):
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            for number, change in enumerate(changes, start=1):
                writer.writerow(ROW | {"claim_id": f"mine-{number}"} | change)
        return path

    return write


def test_the_shipped_ledger_has_no_fault():
    assert ledger.check() == []


def test_a_good_file_is_added_to_the_ledger(write, claims):
    added = ledger.load([write({})])
    assert len(added) == len(claims) + 1
    assert added.set_index("claim_id").loc["mine-1", "value"] == 420_000_000


def test_the_optional_columns_may_be_missing(write):
    columns = [name for name in COLUMNS if name not in dictionary.OPTIONAL_COLUMNS]
    path = write({}, {"grade": "D"}, {"kind": "forecast", "source_date": "2026-01"}, columns=columns)
    frame = ledger.load([path]).set_index("claim_id")
    assert list(frame.loc[["mine-1", "mine-2", "mine-3"], "use"]) == ["model", "excluded", "forecast"]


@pytest.mark.parametrize(
    ("change", "column", "value", "expected"),
    [
        ({"metric": "online_medicl_users"}, "metric", "online_medicl_users", "'online_medical_users'"),
        ({"segment": "nationl"}, "segment", "nationl", "'national'"),
        ({"unit": "hospitals"}, "unit", "hospitals", "persons"),
        ({"topic": "market"}, "topic", "market", "users"),
        ({"value": "42o"}, "value", "42o", "a number"),
        ({"value": ""}, "value", "", "a number"),
        ({"relation": "about"}, "relation", "about", "approx"),
        ({"relation": "between"}, "low", "", "a number"),
        (
            {"relation": "between", "value": "", "low": "9", "high": "3"},
            "low",
            "9",
            "at most high, which is 3",
        ),
        ({"low": "1"}, "low", "1", "nothing"),
        ({"period_start": "2026-07-01"}, "period_start", "2026-07-01", "not after period_end"),
        ({"period_end": "2026-02-30"}, "period_end", "2026-02-30", "a date"),
        ({"period_end": ""}, "period_end", "", "a date, because use is model"),
        ({"source_date": "2026-13"}, "source_date", "2026-13", "a day of the calendar"),
        ({"source_date": "2026-05"}, "kind", "actual", "forecast"),
        ({"known_date": "2026-06-01"}, "known_date", "2026-06-01", "not before period_end"),
        ({"known_date": ""}, "known_date", "", "a date"),
        ({"grade": "E"}, "grade", "E", "one of A, B, C, D"),
        ({"grade": "D"}, "use", "model", "excluded"),
        ({"kind": "forecast"}, "use", "model", "forecast"),
        ({"use": "context"}, "use_reason", "", "a reason"),
        ({"origin": "My Survey"}, "origin", "My Survey", "letters"),
        ({"publisher": ""}, "publisher", "", "text"),
        ({"note": "x" * 1001}, "note", "x", "text of at most 1,000 characters"),
        ({"restates": "nobody-at-all"}, "restates", "nobody-at-all", "the claim_id of a row"),
        ({"restates": "mine-1"}, "restates", "mine-1", "another row than itself"),
        (
            {"restates": "cnnic-2021-12-online-medical-users-axd49"},
            "restates",
            "cnnic-2021-12",
            "a primary row",
        ),
        ({"restates": "ih-2025-09-nhc-3756"}, "metric", "online_medical_users", "internet_hospitals"),
        ({"value": "-5"}, "value", "-5", "0 or more"),
        ({"value": "0"}, "value", "0", "more than 0, because models take its logarithm"),
        ({"value": "1e999"}, "value", "1e999", "a number"),
        ({"value": "1e300"}, "value", "1e300", "a number up to 1e+15"),
        ({"relation": "between", "value": "", "low": "-1", "high": "3"}, "low", "-1", "0 or more"),
        ({"url": "https://example.org/a page"}, "url", "https://example.org/a page", "without blanks"),
        ({"url": "javascript:alert(1)"}, "url", "javascript:alert(1)", "an address such as"),
        ({"url": "http://[half"}, "url", "http://[half", "an address such as"),
        ({"period_end": "9999-12-31"}, "period_end", "9999-12-31", "a day from 1900-01-01"),
        ({"period_start": "20000-01-01"}, "period_start", "20000-01-01", "a date"),
        ({"known_date": "2099-01-01"}, "known_date", "2099-01-01", "a day not after today"),
        ({"claim_id": "seed-yrd-used"}, "claim_id", "seed-yrd-used", "a name not used before"),
    ],
)
def test_a_fault_is_named_with_its_place_value_and_expectation(write, change, column, value, expected):
    path = write(change)
    faults = ledger.check([path])
    found = [fault for fault in faults if fault.column == column]
    assert found, faults
    fault = found[0]
    assert (fault.file, fault.row) == (str(path), 2)
    assert fault.value.startswith(value)
    assert expected in fault.expected


def test_a_message_shows_the_beginning_of_a_long_value(write):
    with pytest.raises(InputError) as caught:
        ledger.load([write({"note": "x" * 50_000})])
    assert "(50,000 characters)" in str(caught.value) and len(str(caught.value)) < 1000


def test_many_faults_in_two_files_come_in_one_message(write):
    first = write({"value": "x"}, {"grade": "Z", "segment": "nowhere_land"}, name="first.csv")
    second = write({"claim_id": "mine-1", "metric": "none_such"}, name="second.csv")
    with pytest.raises(InputError) as caught:
        ledger.load([first, second])
    message = str(caught.value)
    assert f"{first}, row 2, column value: value 'x'" in message
    assert f"{first}, row 3, column grade: value 'Z'" in message
    assert f"{first}, row 3, column segment: value 'nowhere_land'" in message
    assert f"{second}, row 2, column metric: value 'none_such'" in message
    assert f"{second}, row 2, column claim_id: value 'mine-1'" in message
    assert len(caught.value.faults) == 5


def test_a_row_after_a_field_with_a_line_break_keeps_its_line_number(write):
    path = write({"note": "two\nlines"}, {"value": "x"})
    assert [fault.row for fault in ledger.check([path])] == [4]


def test_missing_and_unknown_columns_are_named(tmp_path):
    path = tmp_path / "columns.csv"
    header = [name for name in COLUMNS if name != "segment"] + ["segmnt"]
    path.write_text(",".join(header) + "\n" + ",".join("x" for _ in header) + "\n", encoding="utf-8")
    faults = {fault.column: fault for fault in ledger.check([path])}
    assert set(faults) == {"segment", "segmnt"}
    assert "'segment'" in faults["segmnt"].expected
    assert faults["segment"].row == 1


@pytest.mark.parametrize(
    ("data", "row", "expected"),
    [
        (b"", None, "empty"),
        (b"\n\n", None, "empty"),
        (",".join(COLUMNS).encode() + b"\n", 1, "at least one row"),
        (",".join(COLUMNS).encode() + b'\n"a,b\n', 2, "quoting"),
        (",".join(COLUMNS).encode() + b'\n"a"b,c\n', 2, "quoting"),
        (",".join(COLUMNS).encode() + b"\na,b\n", 2, "fields"),
        (",".join(COLUMNS).encode() + b"\na,caf\xe9\n", 2, "UTF-8"),
        ("claim_id\n".encode("utf-16"), 1, "UTF-8"),
    ],
)
def test_a_broken_file_is_a_message_not_a_traceback(tmp_path, data, row, expected):
    path = tmp_path / "broken.csv"
    path.write_bytes(data)
    faults = ledger.check([path])
    assert any(expected in fault.expected and fault.row == row for fault in faults), faults
    with pytest.raises(InputError, match=r"broken\.csv"):
        ledger.load([path])


def test_a_file_that_is_not_there_is_a_message(tmp_path):
    (fault,) = ledger.check([tmp_path / "none.csv"])
    assert "can be read" in fault.expected


def test_a_byte_order_mark_is_no_fault(write):
    path = write({})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert ledger.check([path]) == []


def test_policy_events_are_dated_spans_in_order():
    events = ledger.policy_events()
    assert len(events) == 54
    assert (events["start"] <= events["end"]).all()
    assert events["start"].is_monotonic_increasing
    year_only = events[events["date"] == "2015"].iloc[0]
    assert (str(year_only["start"].date()), str(year_only["end"].date())) == ("2015-01-01", "2015-12-31")


def test_a_loss_and_a_fall_are_figures_below_zero(write):
    money = {"segment": "ping_an_good_doctor", "topic": "platforms", "metric": "net_profit", "unit": "CNY_million"}
    path = write(money | {"value": "-12.5", "period_start": "2026-01-01", "period_end": "2026-06-30"})
    assert ledger.check([path]) == []


HOSPITALS = {
    "topic": "hospitals",
    "metric": "internet_hospitals",
    "segment": "national",
    "unit": "hospitals",
    "period_start": "2025-09-30",
    "period_end": "2025-09-30",
    "value": "3756",
}


def test_a_statement_of_the_ledger_under_another_name_is_pointed_out(write):
    path = write(HOSPITALS, HOSPITALS | {"value": "3757"})
    assert ledger.check([path]) == []
    [remark] = ledger.remarks([path])
    assert f"{path}, row 2: says the same as ih-2025-09-nhc-3756 (data/evidence/hospitals.csv" in remark
    assert "name it in restates" in remark


def test_a_row_that_says_what_it_restates_is_not_pointed_out(write):
    assert ledger.remarks([write(HOSPITALS | {"restates": "ih-2025-09-nhc-3756"})]) == []


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0c"])
def test_a_note_with_a_separator_that_is_no_line_end_tears_no_row(write, sign):
    path = write({"note": f"one{sign}two"}, {"value": "x"})
    assert [(fault.row, fault.column) for fault in ledger.check([path])] == [(3, "value")]


def test_blank_rows_and_columns_of_a_spreadsheet_say_nothing(write):
    path = write({})
    path.write_text("".join(f"{line},,\n" for line in path.read_text().splitlines()) + "," * 30 + "\n")
    assert ledger.check([path]) == []
