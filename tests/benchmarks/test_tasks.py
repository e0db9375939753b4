"""Files of tasks: what they give, and every fault of those that give nothing."""

import numpy as np
import pytest
import sample_tasks

from benchmarks import tasks
from telemed_forecast.errors import InputError

pytestmark = pytest.mark.unit


def faults_of(path):
    with pytest.raises(InputError) as refused:
        tasks.read(path)
    return [str(fault).removeprefix(f"{path}, ") for fault in refused.value.faults]


def test_the_series_of_a_task_ends_at_its_origin(tmp_path):
    rows = sample_tasks.task_rows("kites", "utopia", known=8, ahead=4)
    (task,) = tasks.read(sample_tasks.write(tmp_path / "t.csv", rows[::-1]))
    assert task.series.index.tolist() == list(range(1990, 1998)) and task.years.tolist() == list(range(1998, 2002))
    assert task.ahead.tolist() == [1, 2, 3, 4] and task.name == "kites__utopia"
    assert task.series.values == pytest.approx(sample_tasks.grown("kites", "utopia")[:8], abs=1e-6)
    assert task.series.bound == 100 and task.series.reference_class == ""


def test_dates_say_how_long_a_period_is_and_which_are_missing(tmp_path):
    rows = sample_tasks.task_rows("kites", "utopia", known=4, ahead=2)
    dates = ("2020-01-01", "2020-04-01", "2020-10-01", "2021-01-01", "2021-04-01", "2021-10-01")
    for row, date in zip(rows, dates, strict=True):
        row["date"] = date
    (task,) = tasks.read(sample_tasks.write(tmp_path / "t.csv", rows))
    assert task.series.frequency == "quarterly" and task.series.index.tolist() == [8080, 8081, 8083, 8084]
    assert task.ahead.tolist() == [1, 3]
    known = tasks.truths([task])
    assert np.isnan(known).tolist() == [[False, True, False]]


def test_one_message_names_every_fault(tmp_path):
    good = sample_tasks.task_rows("kites", "utopia")
    bad = sample_tasks.task_rows("looms", "zembla")
    bad[0]["value"], bad[1]["year"], bad[2]["role"] = "-1", "199O", "past"
    short = sample_tasks.task_rows("radios", "erewhon", known=2, ahead=1)
    twice = sample_tasks.task_rows("radios", "avalon")
    twice[3]["year"], twice[4]["unit"], twice[-1]["year"] = twice[2]["year"], "persons", "1980"
    assert faults_of(sample_tasks.write(tmp_path / "t.csv", [*good, *bad, *short, *twice])) == [
        "row 14, column value: value '-1'; expected a number that is not negative",
        "row 15, column year: value '199O'; expected a whole number that counts periods, such as 2020",
        "row 16, column role: value 'past'; expected history or future",
        "row 26, column task_id: value 'radios__erewhon@2'; expected at least 3 rows of history a task, not 2",
        "row 32, column year: value '1992'; expected each period once a task (row 31 has it)",
        "row 33, column unit: value 'persons'; expected one unit a task ('percent' in row 29)",
        "row 40, column year: value '1980'; expected a future that begins after the history ends (1997)",
    ]


def test_columns_are_named_that_are_missing_or_unknown(tmp_path):
    rows = [{"roles": row.pop("role"), **row} for row in sample_tasks.task_rows("kites", "utopia")]
    assert faults_of(sample_tasks.write(tmp_path / "t.csv", rows)) == [
        "row 1, column role: expected this column in the header",
        "row 1, column roles: expected only columns of tasks; did you mean 'role'?",
    ]


def test_a_task_without_a_future_cannot_be_scored(tmp_path):
    rows = sample_tasks.task_rows("kites", "utopia", ahead=0)
    assert "at least one row of the future" in faults_of(sample_tasks.write(tmp_path / "t.csv", rows))[0]


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    assert "a CSV file that can be read" in faults_of(tmp_path / "none.csv")[0]
