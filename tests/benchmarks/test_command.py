"""The command as it is typed."""

import csv
import json
import subprocess
import sys

import pytest
import sample_tasks

from benchmarks import table, tasks
from telemed_forecast.paths import ROOT


def run(*arguments, cache):
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    environment = {"PATH": "/usr/bin:/bin", "TELEMED_CACHE": str(cache)}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment)


@pytest.fixture
def files(tmp_path):
    return sample_tasks.write(tmp_path / "tasks.csv", sample_tasks.all_rows()), sample_tasks.write_curves(
        tmp_path / "curves.csv"
    )


def test_one_run_scores_everybody_and_writes_what_it_prints(files, tmp_path):
    asked, known = files
    chosen = ("--peer", "naive", "--peer", "analogues")
    ran = run("growth", "--tasks", asked, "--curves", known, *chosen, "--out", tmp_path / "out", cache=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "21 adoption tasks of 21 series in 3 families; 21 curves to learn from." in ran.stdout
    with (tmp_path / "out" / "adoption.csv").open() as file:
        rows = list(csv.DictReader(file))
    whole = {(row["model"], row["left_out"]): row for row in rows if row["by"] == "all"}
    assert set(whole) == {("drift", ""), ("naive", ""), ("analogues", "places"), ("analogues", "families")}
    assert float(whole["drift", ""]["ratio"]) == 1 and all(row["missing"] == "0" for row in rows)
    assert f"{float(whole['naive', '']['score']):.3f}" in ran.stdout
    assert {row["by"] for row in rows} == {"all", "part", "family", "stage", "horizon"}
    record = json.loads((tmp_path / "out" / "adoption.json").read_text())
    assert len(record["rows"]) == len(rows) and record["reference"] == "drift"


def test_faults_of_both_files_come_in_one_message(files, tmp_path):
    asked, known = files
    asked.write_text(asked.read_text().replace("history", "past", 1))
    known.write_text(known.read_text().replace("1990", "199O", 1))
    ran = run("growth", "--tasks", asked, "--curves", known, cache=tmp_path)
    assert ran.returncode == 2 and "2 faults" in ran.stderr
    assert "tasks.csv, row 2, column role" in ran.stderr and "curves.csv, row 2, column year" in ran.stderr


@pytest.mark.unit
def test_the_stage_is_told_from_the_whole_curve_where_there_is_one(tmp_path):
    asked = tasks.read(sample_tasks.write(tmp_path / "t.csv", sample_tasks.all_rows(known=6)))
    known = [curve for curve in sample_tasks.curves() if curve.geo != "Zembla"]
    stage = table.stages(asked, known)
    assert stage.from_curves == len(known)
    by_name = dict(zip([task.name for task in asked], stage.of_task, strict=True))
    assert by_name["radios__avalon"] == "before half"
