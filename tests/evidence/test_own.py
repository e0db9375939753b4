"""Evidence of a user's own: rows that a run adds to the ledger."""

import os
from datetime import date

import own_rows
import pytest

from telemed_forecast import cli
from telemed_forecast.evidence import citations, dictionary, ledger, own
from telemed_forecast.forecast.context import Context
from telemed_forecast.runs import manifest, parameters, plan

pytestmark = pytest.mark.unit


@pytest.fixture
def write(tmp_path):
    """Write rows (changes to a good row) to a file of evidence; returns its path."""

    def write(*changes, name="mine.csv"):
        file = tmp_path / name
        file.write_text(own_rows.text(*changes), encoding="utf-8")
        return file

    return write


def request(*files, **texts):
    [run] = plan.request(["internet_hospitals"], [("evidence", own.text(files)), *texts.items()]).settings
    return run


def test_a_run_reads_the_ledger_with_the_rows_of_the_user(write):
    view = Context(request(write({}, {"value": "4400"}))["internet_hospitals"]).view
    assert len(view) == len(ledger.load()) + 2
    assert set(view.tail(2)["claim_id"]) == {"mine-1", "mine-2"}


def test_rows_known_after_the_date_of_a_run_are_not_in_it(write):
    settings = request(write({}), as_of="2024-12-31")["internet_hospitals"]
    assert "mine-1" not in set(Context(settings).view["claim_id"])


def test_the_vintage_follows_from_the_rows():
    assert citations.vintage_date() == citations.vintage_date([]) == ledger.load()["known_date"].max().date()


def test_the_vintage_is_the_newest_day_of_all_rows(write, monkeypatch):
    file = write({"known_date": "2026-11-28"})
    monkeypatch.setattr(citations, "claims", lambda: {"old": date(2020, 1, 1)})
    assert citations.vintage_date([file]) == date(2026, 11, 28)


def test_who_edits_a_file_gets_its_new_rows(write):
    file = write({})
    text = own.text([file])
    assert len(own.ledger_with(text)) == len(ledger.load()) + 1
    write({}, {"value": "4400"})
    os.utime(file, (1, 1))
    assert len(own.ledger_with(text)) == len(ledger.load()) + 2


def test_files_count_by_content_and_go_by_name(write, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    first, other = write({}), write({}, name="elsewhere/mine.csv")
    runs = [
        plan.runs(plan.request(["internet_hospitals"], [("evidence", own.text([file]))]), plan.Project())[0]
        for file in (first, other)
    ]
    assert runs[0].key == runs[1].key
    assert runs[0].inputs["evidence/0/mine.csv"] == plan.file_hash(first)
    assert runs[0].parameters["internet_hospitals"]["evidence"] == "mine.csv"
    assert str(tmp_path) not in str(runs[0].parameters) + str(runs[0].inputs)
    write({"value": "4400"})
    assert (
        plan.runs(plan.request(["internet_hospitals"], [("evidence", own.text([first]))]), plan.Project())[0].key
        != runs[0].key
    )


def test_the_manifest_says_which_evidence_was_added(write, tmp_path):
    asked = plan.request(["internet_hospitals"], [("evidence", own.text([write({}, {"value": "4400"})]))])
    [run] = plan.runs(asked, plan.Project())
    built = manifest.build(run, tmp_path / "no outputs", gates=[], key_figures=[], seconds={})
    assert built["evidence"] == "mine.csv, 2 rows"


def test_a_faulty_file_is_refused_before_anything_starts(write, capsys):
    code = cli.main(
        ["report", "internet_hospitals", "--evidence", str(write({"value": "-5"})), "--evidence", "none.csv"]
    )
    assert code == 2
    assert "there is no file" in capsys.readouterr().err
    assert cli.main(["report", "internet_hospitals", "--evidence", str(write({"value": "-5"}))]) == 2
    assert "mine.csv, row 2, column value: value '-5'" in capsys.readouterr().err


def test_each_row_is_told_as_used_or_as_not_used_with_the_reason(write):
    text = own.text([write({}, {"grade": "D", "use": ""})])
    used, unsourced = own.told(text, citations.vintage_date())
    assert used == "own evidence mine-1 (internet_hospitals, national): fitted"
    assert "grade D" in unsourced
    assert "not used, known only on" in own.told(text, date(2020, 12, 31))[0]


@pytest.mark.parametrize(
    ("metric", "unit", "said"),
    [("internet_hospital_median_fee", "CNY", "shown, not fitted"), ("net_profit", "CNY_million", "in no model")],
)
def test_a_row_that_no_model_reads_is_not_called_fitted(write, metric, unit, said):
    topic = dictionary.metrics().loc[metric, "topic"]
    [line] = own.told(own.text([write({"metric": metric, "unit": unit, "topic": topic})]), citations.vintage_date())
    assert said in line


def test_a_row_of_the_users_is_shown_as_such(write, capsys):
    assert cli.main(["evidence", "show", "internet_hospitals", "--evidence", str(write({}))]) == 0
    shown = capsys.readouterr().out
    assert shown.count(", own evidence") == 1
    assert "eq 4321 hospitals" in shown


def test_a_parameter_takes_files_from_papermill_too(write, monkeypatch):
    file = write({})
    monkeypatch.chdir(file.parent)
    settings = parameters.validate("internet_hospitals", {"evidence": "mine.csv"})
    assert settings.evidence == str(file)
