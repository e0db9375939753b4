"""Decisions beside the ledger: checked when they are read, every fault with its place, value and expectation."""

import csv

import pytest

from telemed_forecast.errors import InputError
from telemed_forecast.evidence import decisions, dictionary
from telemed_forecast.paths import EVIDENCE

pytestmark = pytest.mark.unit

EVENT = "2018-07-17-nhc-and-tcm-administration-issue"
CLAIM = "cicc-2020-ih-2020"
LINES = {
    "licensing_events": {"event_id": EVENT, "direction": "opens", "reason": "says who may hold a licence"},
    "modelled": {
        "metric": "market_size",
        "segments": "telemedicine",
        "report": "market_size",
        "scope": "services",
        "explanation": "services without goods",
    },
    "published_forecasts": {"claim_id": CLAIM, "decision": "other_scope", "reason": "narrower, says the row"},
    "shown": {"list": "prices", "cites": CLAIM, "reason": "a price"},
}


@pytest.fixture
def faults(tmp_path):
    """The faults of a table of one good line with changes, and of further ones: (table, changes, ...) -> faults."""

    def faults(name, *changes):
        path = tmp_path / f"{name}.csv"
        columns = [field["name"] for field in dictionary.resource(name)["schema"]["fields"]]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(LINES[name] | change for change in changes)
        return decisions.check(name, path)[1]

    return faults


def test_the_shipped_tables_have_no_fault():
    assert decisions.faults() == []


@pytest.mark.parametrize("name", LINES)
def test_a_good_line_has_no_fault(faults, name):
    assert faults(name, {}) == ()


@pytest.mark.parametrize(
    ("name", "change", "column", "expected"),
    [
        ("licensing_events", {"event_id": EVENT[:-1]}, "event_id", f"did you mean '{EVENT}'"),
        ("licensing_events", {"direction": "neutral"}, "direction", "one of opens, restrains"),
        ("licensing_events", {"reason": ""}, "reason", "text"),
        ("modelled", {"segments": "telemedicin"}, "segments", "did you mean 'telemedicine'"),
        ("modelled", {"segments": "kind:planet"}, "segments", "kind:<kind>"),
        ("modelled", {"segments": "claim:nobody"}, "segments", "claim:<claim_id>"),
        ("modelled", {"scope": ""}, "scope", "a scope on each line of market_size"),
        ("modelled", {"metric": "population"}, "scope", "nowhere else"),
        ("modelled", {"scope": "devices"}, "reason", "a reason, because scope is devices"),
        ("modelled", {"reason": "part"}, "reason", "nothing, because scope is services"),
        ("modelled", {"explanation": ""}, "explanation", "the decision in words"),
        ("published_forecasts", {"claim_id": CLAIM + "0"}, "claim_id", f"did you mean '{CLAIM}'"),
        ("published_forecasts", {"earliest": "2020-01-01"}, "earliest", "nothing"),
        ("published_forecasts", {"decision": "made_between"}, "earliest", "a date"),
        (
            "published_forecasts",
            {"decision": "made_between", "earliest": "2020-02-01", "latest": "2020-01-01"},
            "latest",
            "a date not before 2020-02-01",
        ),
        ("shown", {"cites": "nobody"}, "cites", "a claim_id or event_id"),
        ("shown", {"reason": ""}, "reason", "text"),
    ],
)
def test_a_fault_is_named_with_its_place_value_and_expectation(faults, name, change, column, expected):
    (fault,) = faults(name, change)
    line = LINES[name] | change
    assert (fault.file.rpartition("/")[2], fault.row, fault.column) == (f"{name}.csv", 2, column)
    assert fault.value == line.get(column, "")
    assert expected in fault.expected


def test_a_decision_is_made_once(faults):
    (fault,) = faults("licensing_events", {}, {"direction": "restrains"})
    assert (fault.row, fault.column, fault.value) == (3, "event_id", EVENT)
    assert "row 2 has the same event_id" in fault.expected


def test_other_columns_are_named(tmp_path):
    path = tmp_path / "shown.csv"
    path.write_text("list,claim\nprices,x\n", encoding="utf-8")
    (fault,) = decisions.check("shown", path)[1]
    assert (fault.row, fault.value) == (1, "list, claim")
    assert fault.expected == "the columns list, label, part, cites, reason"


def test_all_faults_of_a_table_come_in_one_message(monkeypatch, tmp_path):
    changed = (EVIDENCE / "licensing_events.csv").read_text(encoding="utf-8").replace(",restrains,", ",against,")
    (tmp_path / "licensing_events.csv").write_text(changed, encoding="utf-8")
    monkeypatch.setattr(decisions, "EVIDENCE", tmp_path)
    decisions._shipped.cache_clear()
    with pytest.raises(InputError) as caught:
        decisions.rows("licensing_events")
    decisions._shipped.cache_clear()
    assert str(caught.value).count("value 'against'; expected one of opens, restrains") == 2


def test_a_list_that_there_is_not_is_named():
    with pytest.raises(InputError, match=r"value .price.; expected one of .*prices"):
        decisions.shown("price")


def test_a_list_keeps_the_order_of_its_lines():
    assert decisions.shown("later_multiples") == ("jdh-2020-growth", "haodf-2020-bj", "dxy-2020-06-mult")
    assert decisions.labels("other_counts")["baidu-2021-07-dau"] == "readers"
    year = decisions.parts("later_people")["pagd_year"]
    assert year == {"base": ("pagd-2019-06-mau",), "later": ("pagd-2020-06-mau",)}
