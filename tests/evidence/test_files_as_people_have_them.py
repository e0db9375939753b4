"""Files of evidence as spreadsheets and editors leave them: read right, or refused in the place of the fault."""

import pytest
from own_rows import COLUMNS, text

from telemed_forecast.evidence import ledger, observations

pytestmark = pytest.mark.unit


@pytest.fixture
def check(tmp_path):
    def check(content, name="mine.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [(fault.row, fault.column) for fault in ledger.check([file])]

    return check


@pytest.mark.parametrize(
    "saved",
    [
        lambda good: good,
        lambda good: "\ufeff" + good.replace("\n", "\r\n"),
        lambda good: good.replace("\n", "\r"),
        lambda good: good + f"{',' * (len(COLUMNS) - 1)}\n" * 50,
        lambda good: good.replace("\n", ",,\n"),
    ],
    ids=["as written", "Excel's UTF-8", "old line ends", "cleared rows", "cleared columns"],
)
def test_what_a_spreadsheet_adds_is_no_fault(check, saved):
    assert check(saved(text({}, {"value": "4180"}))) == []


@pytest.mark.parametrize("value", ["4,170", "4.170,5", "4 170", "4170人", "=4170", "#REF!", "#####", "4.17万"])
def test_what_a_spreadsheet_makes_of_a_number_is_refused_in_its_place(check, value):
    assert check(text({}, {"value": value})) == [(3, "value")]


@pytest.mark.parametrize(
    ("column", "value"),
    [("period_end", "2026/10/31"), ("period_end", "46326"), ("known_date", "20-Nov-26"), ("source_date", "Nov-26")],
)
def test_a_date_that_a_spreadsheet_rewrote_is_refused_in_its_place(check, column, value):
    assert check(text({column: value})) == [(2, column)]


def test_a_number_in_scientific_notation_has_only_the_digits_that_are_left_of_it(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(text({"value": "4.17E+03"}), encoding="utf-8")
    claims = ledger.load([file])
    read = observations.intervals(claims[claims["claim_id"] == "mine-1"])
    assert (read.low.tolist(), read.high.tolist()) == ([4165.0], [4175.0])


def test_rows_are_those_of_an_editor_behind_text_of_several_lines_and_blank_lines(check):
    lines = text({"note": "one\ntwo\nthree"}, {}, {"unit": "beds"}, {}).splitlines()
    lines.insert(4, "")
    lines.append("torn,off")
    lines.append(text({"claim_id": "mine-9", "segment": "nowhere"}).splitlines()[1])
    content = "\n".join([*lines, ""])
    places = [content.split("\n").index(next(line for line in lines if part in line)) + 1 for part in ("beds", "torn")]
    assert check(content) == [(places[0], "unit"), (places[1], None), (places[1] + 1, "segment")]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1e"])
def test_only_line_ends_end_a_row(check, sign):
    assert check(text({"note": f"one{sign}two"}, {"unit": "beds"})) == [(3, "unit")]


def test_with_several_files_each_fault_names_its_own(tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(text({"claim_id": "a"}), encoding="utf-8")
    bad.write_text(text({"claim_id": "b", "grade": "E"}), encoding="utf-8")
    [fault] = ledger.check([good, bad])
    assert (fault.file, fault.row, fault.column) == (str(bad), 2, "grade")
