"""Whatever bytes a file holds, reading it ends in series, figures or faults: never in a traceback."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telemed_forecast import scenarios
from telemed_forecast.curves import series_file
from telemed_forecast.errors import InputError
from telemed_forecast.evidence import dictionary, ledger

pytestmark = pytest.mark.unit

ODD = [
    *"\"',;\t|\r\n\0\u2028\u2029\x85\x0b\x0c\ufeff，年月日Q-+.=@<>&/\\%",
    "nan",
    "inf",
    "1e999",
    "20000",
    "=1+1",
    "<script>",
]
FIELD = st.lists(st.sampled_from([*ODD, *string.digits, "a"]), max_size=5).map("".join)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


def faults_are_told(faults, name):
    for fault in faults:
        assert str(fault).startswith(name)


@given(st.binary(max_size=200))
@example(b'"' + b"x" * 200_000)
@example(b"series_id,date,value\n" + b"a,2020,1," * 50_000)
def test_any_bytes_are_series_or_faults(place, content):
    file = place / "any.csv"
    file.write_bytes(content)
    reading = series_file.read(file)
    assert reading.series or reading.faults
    faults_are_told(reading.faults, str(file))


@given(st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=8))
def test_any_rows_are_series_or_faults_with_rows_of_the_file(place, rows):
    file = place / "rows.csv"
    text = "series_id,date,value\n" + "".join(f"{','.join(row)}\n" for row in rows)
    file.write_bytes(text.encode())
    reading = series_file.read(file)
    assert reading.series or reading.faults
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert all(fault.row is None or 1 <= fault.row <= lines for fault in reading.faults)
    assert list(reading.remarks()) is not None


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(list(dictionary.claim_fields())), FIELD, max_size=27))
def test_any_row_of_evidence_is_taken_or_refused(place, fields):
    file = place / "mine.csv"
    quoted = (f'"{fields.get(name, "").replace(chr(34), chr(34) * 2)}"' for name in dictionary.claim_fields())
    file.write_text(f"{','.join(dictionary.claim_fields())}\n{','.join(quoted)}\n", encoding="utf-8", newline="")
    faults_are_told(ledger.check([file]), str(file))


VALUE = st.one_of(
    FIELD.map(repr), st.sampled_from(["nan", "inf", "-inf", "1e308", "1" + "0" * 400, "[]", "{}", "true", "1979-05-27"])
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["inherits", "weight", "meaning", "levers", "x"]), VALUE), VALUE, VALUE)
@example({"weight": "1" + "0" * 400}, "1", "''")
@example({}, "1" + "0" * 400, "'ratio'")
def test_any_scenario_is_taken_or_refused(place, top, value, unit):
    file = place / "mine.toml"
    text = "".join(f"{name} = {stated}\n" for name, stated in top.items())
    file.write_text(f"{text}[levers.trust]\nvalue = {value}\nunit = {unit}\n", encoding="utf-8", newline="")
    try:
        scenarios.load(str(file))
    except InputError as error:
        assert all("mine.toml" in str(fault) for fault in error.faults)
