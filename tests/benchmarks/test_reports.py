"""The times of reports are told as multiples of notebooks that only import, with what the processes did."""

import json

import pytest

from benchmarks import reports

pytestmark = pytest.mark.unit


def test_a_steps_time_is_divided_by_kind_of_work(tmp_path):
    seconds = {
        "fits of market_size": 60.0,
        "compiling, in fits of market_size": 45.0,
        "market_size": 8.0,
        "track_record": 12.0,
        "pages": 1.0,
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"volatile": {"seconds": seconds}}))
    parts = reports._parts(tmp_path / "manifest.json")
    assert parts == {"compiling": 45.0, "sampling": 15.0, "notebooks and pages": 20.0}


def test_the_table_tells_seconds_and_multiples_of_the_floor():
    found = [
        reports.Timing("cold: everything from nothing", 120.0, 30.0, {"compiling": 100.0, "sampling": 0.0}),
        reports.Timing("nothing changed", 0.3, 30.0, {}),
    ]
    lines = reports.printed(found).splitlines()
    assert lines[1].split()[-5:] == ["120.0", "4.00", "compiling", "100", "s"]
    assert lines[2].split()[-2:] == ["0.3", "0.01"]


def test_every_step_but_the_first_finds_what_came_before():
    assert next(iter(reports.STEPS.values())) == ()
    assert list(reports.STEPS)[1] == "nothing changed"
