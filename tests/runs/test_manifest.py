"""Manifests: what was written can be checked, file by file."""

import json
import random

import pytest
from damage import flipped

from telemed_forecast.errors import InputError
from telemed_forecast.runs import manifest, plan

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(project, tmp_path):
    """A small run, written by hand."""
    [run] = plan.runs(plan.request(["user_adoption"]), project)
    folder = tmp_path / run.run_id
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "a.csv").write_text("x\n1\n")
    (folder / "page.html").write_text("<p>411 million</p>")
    built = manifest.build(run, folder, gates=[], key_figures=[], seconds={"user_adoption": 1.0})
    manifest.write(built, folder)
    return folder


def test_a_run_as_written_has_no_differences(folder):
    assert manifest.differences(folder) == []


def test_every_byte_of_the_manifest_counts(folder):
    file = folder / manifest.NAME
    written = file.read_bytes()
    rng = random.Random(1)
    for position in range(len(written)):
        file.write_bytes(flipped(written, position, rng.randrange(1, 256)))
        [difference] = manifest.differences(folder)
        assert difference.startswith("manifest.json: changed"), position


@pytest.mark.parametrize("added", [b"\n", b" ", b"{}"])
def test_nothing_can_be_added_to_the_manifest(folder, added):
    file = folder / manifest.NAME
    file.write_bytes(file.read_bytes() + added)
    [difference] = manifest.differences(folder)
    assert difference.startswith("manifest.json: changed")


@pytest.mark.parametrize("path", ["gates", "key_figures", "versions", "as_of", "volatile"])
def test_what_the_key_does_not_cover_is_sealed_too(folder, path):
    stated = json.loads((folder / manifest.NAME).read_text())
    stated[path] = "something else"
    (folder / manifest.NAME).write_text(json.dumps(stated, ensure_ascii=False, indent=1) + "\n")
    [difference] = manifest.differences(folder)
    assert difference.startswith("manifest.json: changed")


def test_a_manifest_without_a_seal_is_told_from_one_that_was_changed(folder):
    stated = json.loads((folder / manifest.NAME).read_text())
    del stated["seal"]
    (folder / manifest.NAME).write_text(json.dumps(stated))
    [difference] = manifest.differences(folder)
    assert difference.startswith("manifest.json: changed, its seal is missing")


def test_missing_and_extra_files_are_named(folder):
    (folder / "data" / "a.csv").unlink()
    (folder / "data" / "b.csv").write_text("")
    assert manifest.differences(folder) == ["data/a.csv: missing", "data/b.csv: not in the manifest"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: m["parameters"]["user_adoption"].update(horizon=2035),
        lambda m: m["inputs"].update({"data/evidence/users.csv": "0" * 64}),
        lambda m: m.update(key="0" * 64),
        lambda m: m.update(python="2.7"),
    ],
)
def test_an_edited_manifest_betrays_itself(folder, edit):
    stated = json.loads((folder / manifest.NAME).read_text())
    edit(stated)
    manifest.write(stated, folder)
    [difference] = manifest.differences(folder)
    assert "key does not follow" in difference


@pytest.mark.parametrize("content", [None, "{", "[]", '{"schema": 99}'])
def test_a_folder_without_a_proper_manifest_is_no_run(tmp_path, content):
    if content is not None:
        (tmp_path / manifest.NAME).write_text(content)
    with pytest.raises(InputError):
        manifest.read(tmp_path)


def test_the_manifest_says_what_makes_a_result_reproducible(folder):
    stated = manifest.read(folder)
    assert stated["seeds"] == {"seed": 20261121}
    assert stated["parameters"]["user_adoption"]["horizon"] == 2030
    assert {"numpy", "pandas", "pymc"} <= stated["versions"].keys()
    assert {"data/evidence/users.csv", "notebooks/user_adoption.ipynb"} <= stated["inputs"].keys()
    assert stated["outputs"].keys() == {"data/a.csv", "page.html"}


def test_a_manifest_names_every_processor_that_had_a_part_in_its_numbers(folder, project):
    [run] = plan.runs(plan.request(["user_adoption"]), project)
    about = {"gates": [], "key_figures": [], "seconds": {}}
    alone = manifest.build(run, folder, **about)["volatile"]["processor"]
    shared = manifest.build(run, folder, **about, drawn_on=[alone, "another one"])["volatile"]["processor"]
    assert set(shared.split(" and ")) == {alone, "another one"} and shared.count(" and ") == 1


def test_no_place_of_this_machine_is_written_into_a_manifest(folder, project):
    assert str(project.root) not in (folder / manifest.NAME).read_text()


def test_runs_are_listed_newest_first_and_half_folders_passed_over(folder):
    (folder.parent / "half").mkdir()
    (folder.parent / ".tmp-x").mkdir()
    newer = folder.parent / "newer"
    newer.mkdir()
    stated = manifest.read(folder)
    stated["run_id"] = "newer"
    stated["volatile"]["created"] = "2999-01-01T00:00:00+00:00"
    manifest.write(stated, newer)
    (folder.parent / ".tmp-x" / manifest.NAME).write_text(json.dumps(stated))
    assert [m["run_id"] for m in manifest.all_in(folder.parent)] == ["newer", folder.name]


def test_a_planned_run_is_compared_with_the_most_similar_one_and_of_those_with_the_newest(folder, project):
    [planned] = plan.runs(plan.request(["user_adoption"], [("horizon", "2031")]), project)
    stated = manifest.read(folder)

    def other(name, **changed):
        values = stated["parameters"]["user_adoption"] | changed
        return stated | {"run_id": name, "parameters": {"user_adoption": values}}

    newest_first = [
        other("far", seed=1, scenario="bull"),
        other("near", horizon=2032),
        other("older", horizon=2033),
        stated | {"run_id": "unlike", "notebooks": ["market_size"]},
    ]
    assert manifest.closest(planned, newest_first)["run_id"] == "near"
    assert manifest.closest(planned, newest_first[3:]) is None


def test_inputs_of_the_run_that_the_project_no_longer_holds_are_named(folder, project):
    stated = manifest.read(folder)
    assert manifest.changed_inputs(stated, project) == []
    project.put("data/evidence/users.csv", "claim_id,value\na,2\n")
    project.put("data/priors/growth.json", "{}")
    project.put_notebook("user_adoption", "1 + 1")
    (project.root / "scenarios" / "base.toml").unlink()
    assert manifest.changed_inputs(stated, project) == [
        "data/evidence/users.csv changed",
        "data/priors/growth.json is new",
        "notebooks/user_adoption.ipynb changed",
        "scenarios/base.toml is gone",
    ]


def test_other_notebooks_and_a_scenario_of_the_users_own_are_no_inputs_that_changed(folder, project):
    stated = manifest.read(folder)
    stated["inputs"] |= {"scenario/0/mine.toml": "0" * 64, "evidence/0/mine.csv": "0" * 64}
    project.put_notebook("market_size", "1 + 1")
    assert manifest.changed_inputs(stated, project) == []


def test_the_manifest_says_whether_all_fits_passed(folder, project):
    [run] = plan.runs(plan.request(["user_adoption"]), project)

    def status(*gates):
        built = manifest.build(run, folder, gates=[GATE | {"ok": ok} for ok in gates], key_figures=[], seconds={})
        return built["status"]

    assert [status(), status(True, True), status(True, False)] == ["gated-ok", "gated-ok", "directional"]


GATE = {"name": "users", "ok": True, "rhat_max": 1.002, "ess_bulk_min": 900.0, "ess_tail_min": 800.0, "bfmi_min": 0.5}


def test_only_fits_that_missed_their_gates_are_named_and_each_once():
    bad = GATE | {"name": "market", "ok": False, "rhat_max": 1.05, "bfmi_min": None, "divergences": 3}
    gates = [GATE | {"notebook": "a", "divergences": 0}, bad | {"notebook": "a"}, bad | {"notebook": "b"}]
    [line] = manifest.missed_gates({"gates": gates})
    assert line.startswith("market: R-hat 1.05")
    assert "BFMI unknown, 3 divergences" in line
