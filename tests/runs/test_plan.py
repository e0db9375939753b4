"""Plans: keys change when, and only when, something that a reader could see depends on it."""

import json
import os
import platform
from pathlib import Path

import pytest

from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.runs import plan

pytestmark = pytest.mark.unit


def planned(project, *texts, notebooks=("user_adoption",), **options):
    [run] = plan.runs(plan.request(notebooks, texts, **options), project)
    return run


def test_the_same_inputs_give_the_same_key(project):
    assert planned(project).key == planned(project).key


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("data/evidence/users.csv", "claim_id,value\na,2\n"),
        ("data/priors/new.json", "{}"),
        ("scenarios/base.toml", "weight = 0.5\n"),
        ("telemed_forecast/model.py", "x = 2\n"),
        ("telemed_forecast/render/text/en.toml", "a = 'b'\n"),
        ("requirements.lock", "numpy==2\n"),
    ],
)
def test_a_changed_or_new_input_changes_the_key_and_is_named(project, path, text):
    before = planned(project)
    project.put(path, text)
    after = planned(project)
    assert after.key != before.key
    stated = {"parameters": before.parameters, "languages": before.languages, "inputs": before.inputs}
    [reason] = plan.changes(stated | {"python": plan.platform.python_version()}, after)
    assert reason.startswith(path)


@pytest.mark.parametrize(
    "texts", [[("horizon", "2031")], [("as_of", "2024-12-31")], [("scenario", "bull")], [("seed", "1")]]
)
def test_a_changed_parameter_changes_the_key(project, texts):
    assert planned(project, *texts).key != planned(project).key


def test_the_languages_and_the_notebooks_are_part_of_the_key(project):
    project.put_notebook("market_size")
    keys = {
        planned(project).key,
        planned(project, languages=["zh"]).key,
        planned(project, notebooks=("user_adoption", "market_size")).key,
    }
    assert len(keys) == 3


def test_a_key_does_not_depend_on_the_order_of_names(project):
    project.put_notebook("market_size")
    one = planned(project, ("horizon", "2031"), ("seed", "1"), notebooks=("user_adoption", "market_size"))
    other = planned(project, ("seed", "1"), ("horizon", "2031"), notebooks=("market_size", "user_adoption"))
    assert one.key == other.key


def test_a_changed_notebook_changes_the_key(project):
    before = planned(project)
    project.put_notebook("user_adoption", "1 + 1")
    assert planned(project).key != before.key


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.update(outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}]),
        lambda cell: cell.update(execution_count=7),
        lambda cell: cell.update(id="abc"),
        lambda cell: cell.update(source=cell["source"].splitlines(keepends=True)),
        lambda cell: cell["metadata"].update(execution={"iopub.execute_input": "2026-01-01"}),
    ],
    ids=["outputs", "count", "id", "source as lines", "times"],
)
def test_what_execution_leaves_in_a_notebook_does_not_change_the_key(project, change):
    before = planned(project)
    file = project.root / "notebooks" / "user_adoption.ipynb"
    document = json.loads(file.read_text())
    change(document["cells"][-1])
    file.write_text(json.dumps(document))
    assert planned(project).key == before.key


@pytest.mark.parametrize(
    "path",
    [
        "data/.DS_Store",
        "data/users.csv~",
        "telemed_forecast/__pycache__/model.cpython-313.pyc",
        "notebooks/other.ipynb",
        "README.md",
        "reports/x/manifest.json",
    ],
)
def test_files_that_no_report_depends_on_do_not_change_the_key(project, path):
    before = planned(project)
    project.put(path, "x")
    assert planned(project).key == before.key


def test_the_place_of_the_project_does_not_change_the_key(project, tmp_path):
    before = planned(project)
    project.root.rename(tmp_path / "elsewhere")
    assert planned(plan.Project(root=tmp_path / "elsewhere")).key == before.key


def test_a_scenario_of_the_users_own_counts_by_content_and_not_by_place(project, tmp_path):
    def key_of(folder, text):
        (tmp_path / folder).mkdir(exist_ok=True)
        file = tmp_path / folder / "mine.toml"
        file.write_text(text)
        return planned(project, ("scenario", str(file))).key

    assert key_of("a", 'inherits = "base"\n') == key_of("b", 'inherits = "base"\n')
    assert key_of("a", 'inherits = "base"\n') != key_of("b", 'inherits = "bull"\n')


def test_a_run_is_named_after_date_scenario_and_key(project):
    run = planned(project, ("as_of", "2024-12-31"), ("scenario", "bull"))
    assert run.run_id == f"2024-12-31-bull-{run.key[:8]}"


def frozen(project, name, day):
    """A release in the project's folder."""
    folder = project.root / "releases" / name
    folder.mkdir(parents=True)
    (folder / "release.json").write_text(json.dumps({"released": day}), encoding="utf-8")
    (folder / "forecasts.csv").write_text("target\n", encoding="utf-8")
    return folder


def test_a_release_changes_the_record_of_later_dates_alone(project):
    project.put_notebook("track_record")

    def keys():
        return [
            planned(project, ("as_of", day), notebooks=("track_record",)).key for day in ("2023-06-30", "2024-06-30")
        ]

    early, late = keys()
    folder = frozen(project, "one", "2024-01-15")
    assert keys()[0] == early
    assert (changed := keys()[1]) != late
    (folder / "forecasts.csv").write_text("another\n", encoding="utf-8")
    assert keys()[1] not in (late, changed)


def test_a_release_changes_no_run_without_the_record(project):
    before = planned(project, ("as_of", "2024-06-30")).key
    frozen(project, "one", "2024-01-15")
    assert planned(project, ("as_of", "2024-06-30")).key == before


def test_several_scenarios_are_several_runs(project):
    asked = plan.request(["user_adoption"], scenario=["bear", "bull", "bear"])
    assert [run.scenario for run in plan.runs(asked, project)] == ["bear", "bull"]


def test_a_request_names_the_faults_of_every_scenario_language_and_parameter():
    with pytest.raises(InputError) as caught:
        plan.request(["user_adoptoin"], [("horizon", "1990")], scenario=["bul", "bear"], languages=["fr"])
    text = str(caught.value)
    for part in ("user_adoptoin", "1990", '"bul"', '"fr"'):
        assert text.count(part) == 1


def test_a_scenario_is_not_given_twice():
    with pytest.raises(InputError, match="both by --scenario and by -p"):
        plan.request(["user_adoption"], [("scenario", "bear")], scenario=["bull"])


@pytest.mark.parametrize(("text", "word"), [(None, "missing"), ("{}", "not a notebook"), ("x", "not a notebook")])
def test_a_notebook_that_cannot_be_read_is_named(project, text, word):
    file = project.root / "notebooks" / "user_adoption.ipynb"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(TelemedError, match=word):
        planned(project)


def test_several_scenarios_and_dates_are_a_run_for_each_combination():
    asked = plan.request(["user_adoption"], scenario=["bear", "bull"], as_of=["2022-12-31", "2023-12-31", "2022-12-31"])
    made = [(run["user_adoption"].scenario, run["user_adoption"].as_of) for run in asked.settings]
    days = ("2022-12-31", "2023-12-31")
    assert made == [(scenario, day) for scenario in ("bear", "bull") for day in days]


def test_a_date_is_not_given_twice():
    with pytest.raises(InputError, match="as_of is given both by --as-of and by -p"):
        plan.request(["user_adoption"], [("as_of", "2022-12-31")], as_of=["2023-12-31"])


def test_another_version_of_a_package_than_the_locked_one_changes_the_key_and_is_named(project, monkeypatch):
    asked = plan.request(["user_adoption"])
    [before] = plan.runs(asked, project)
    monkeypatch.setattr(plan, "versions", lambda: {**dict.fromkeys(plan.PACKAGES, "1"), "numpy": "0.1"})
    [after] = plan.runs(asked, project)
    stated = {"parameters": before.parameters, "languages": before.languages, "inputs": before.inputs}
    assert before.key != after.key
    assert "installed/numpy changed" in plan.changes(stated | {"python": platform.python_version()}, after)


def test_a_file_that_is_only_touched_is_no_change(project):
    before = planned(project)
    for file in filter(Path.is_file, project.root.rglob("*")):
        os.utime(file, (1, 1))
    assert planned(project).key == before.key
