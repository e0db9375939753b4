"""The same, with real fits and from the command line: rows published later change no file of a run as of a day before.

The fits are those that the notebooks of the quick tests have stored; without them this takes minutes.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from telemed_forecast import paths
from telemed_forecast.runs import backtest, manifest

pytestmark = [pytest.mark.slow, pytest.mark.notebook]

DAY, KNOWN, NOW = "2022-12-31", "2023-06-30", "2023-07-31"
PLANTED = {
    "cnnic-2021-12-online-medical-users-b2c49": {"value": "200000000"},
    "cnnic-2020-12-online-medical-users-ifu47": {
        "value": "100000000",
        "restates": "cnnic-2020-12-online-medical-users-ifu47",
    },
    "population-2020-11-01": {"value": "1000000000"},
}
"""An actual of the headline, a copy that restates an early row, a population: the row that is copied, and what is
changed."""


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Two copies of the project; to the second one's ledger and policy is added what became known on KNOWN."""
    plain, copy = (tmp_path_factory.mktemp(name) / "project" for name in ("plain", "planted"))
    for root in (plain, copy):
        for name in ("telemed_forecast", "notebooks", "data", "scenarios", "releases"):
            shutil.copytree(paths.ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_*"))
        for name in ("pyproject.toml", "requirements.lock"):
            shutil.copy(paths.ROOT / name, root / name)
    file = copy / "data" / "evidence" / "users.csv"
    rows = table(file)
    for claim, change in PLANTED.items():
        like = next(row for row in rows if row["claim_id"] == claim)
        append(file, like | change | {"claim_id": f"planted-{claim}", "known_date": KNOWN})
    events = copy / "data" / "evidence" / "policy_events.csv"
    append(events, table(events)[-1] | {"event_id": "planted", "date": "2023-05"})
    return plain, copy


def table(file):
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def append(file, row):
    with file.open("a", encoding="utf-8", newline="") as stream:
        csv.DictWriter(stream, row, lineterminator="\n").writerow(row)


def run(root, *arguments):
    """The command line of a copy, in its own process and with the stored fits of this project; what it prints."""
    code = f"import sys; sys.path.insert(0, {str(root)!r}); from telemed_forecast import cli, paths\n"
    code += f"assert str(paths.ROOT) == {str(root)!r}; sys.exit(cli.main(sys.argv[1:]))"
    env = {**os.environ, "PYTHONPATH": str(root), "TELEMED_CACHE": str(paths.CACHE)}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_backtest_writes_the_same_bytes_for_every_forecast_made_before(projects, tmp_path):
    told = []
    for number, root in enumerate(projects):
        out = tmp_path / str(number)
        run(root, "backtest", "--model", "user_adoption", "--profile", "quick", "--as-of", NOW, "--out", str(out))
        told.append((out / backtest.FORECASTS).read_text(encoding="utf-8").splitlines(keepends=True))
    plain, planted = told
    assert any("planted-" in line for line in planted), "no planted figure was met as an outcome"
    assert [line for line in planted if "planted-" not in line] == plain


def test_a_report_as_of_a_day_is_the_same_bytes_whatever_was_published_later(projects, tmp_path):
    folders = []
    for number, root in enumerate(projects):
        out = tmp_path / str(number)
        options = ("--as-of", DAY, "--profile", "quick", "--jobs", "1", "--out", str(out))
        folders.append(run(root, "report", "user_adoption", *options).strip())
    plain, planted = (
        {path: (out / path).read_bytes() for path in manifest.outputs_in(out)} for out in map(type(tmp_path), folders)
    )
    assert plain.keys() == planted.keys() and len(plain) > 30
    assert [path for path in plain if plain[path] != planted[path]] == []
    keys = [json.loads((Path(folder) / "manifest.json").read_text())["key"] for folder in folders]
    assert keys[0] != keys[1], "the copy's ledger is another one"
