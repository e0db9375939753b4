"""Whoever changes one byte of a run is found out, whatever kind of file it is in."""

import pytest
from damage import flipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_publish import write_executed

from telemed_forecast import cli
from telemed_forecast.runs import manifest, plan, publish
from telemed_forecast.runs.publish import Pages

pytestmark = pytest.mark.unit

KINDS = {".html", ".csv", ".parquet", ".ipynb", ".zip"}


@pytest.fixture
def folder(project, tmp_path, small_pages):
    """A run with the pages, tables and notebooks that the publisher makes."""
    [run] = plan.runs(plan.request(["user_adoption"]), project)
    folder = tmp_path / "reports" / run.run_id
    write_executed(folder / "notebooks" / "user_adoption.ipynb", "user_adoption")
    executed = folder / "notebooks" / "user_adoption.ipynb"
    publish.write_pages(executed, folder=folder, **Pages().pages_of(run, "user_adoption"))
    made = Pages().run(run, folder)
    manifest.write(
        manifest.build(run, folder, gates=made.gates, key_figures=made.key_figures, seconds={"pages": 1.0}), folder
    )
    return folder


@pytest.fixture
def verify(folder, project, monkeypatch, capsys):
    """What `verify` says of the run, and its exit code."""
    monkeypatch.setattr(plan, "Project", lambda: project)

    def run(*flags):
        code = cli.main(["verify", str(folder), *flags])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_run_as_written_passes_and_the_number_of_its_files_is_told(verify, folder):
    code, said = verify()
    assert code == 0
    assert f"{len(manifest.outputs_in(folder))} files as they were written" in said
    assert "its inputs are those of this project" in said


def test_the_run_holds_every_kind_of_file_and_pages_in_both_languages(folder):
    paths = manifest.outputs_in(folder)
    assert {"." + path.rpartition(".")[2] for path in paths} == KINDS
    assert {"user_adoption.html", "user_adoption.zh.html"} <= set(paths)


@given(data=st.data(), position=st.integers(0, 10**6), mask=st.integers(1, 255))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_byte_that_changes_anywhere_in_any_file_is_named(folder, data, position, mask):
    path = data.draw(st.sampled_from([*manifest.outputs_in(folder), manifest.NAME]))
    written = (folder / path).read_bytes()
    (folder / path).write_bytes(flipped(written, position, mask))
    try:
        [difference] = manifest.differences(folder)
        assert difference.startswith(f"{path}: changed")
    finally:
        (folder / path).write_bytes(written)
    assert manifest.differences(folder) == []


@pytest.mark.parametrize(
    "path",
    [
        "user_adoption.html",
        "user_adoption.zh.html",
        "data/user_adoption-key_figures.csv",
        "data/forecasts.csv",
        "data/forecasts.parquet",
        "notebooks/user_adoption.ipynb",
        manifest.NAME,
    ],
)
def test_the_command_names_the_file_and_ends_with_1(verify, folder, path):
    file = folder / path
    file.write_bytes(flipped(file.read_bytes(), 40, 1))
    code, said = verify()
    assert code == 1
    assert f"- {path}: changed" in said


def test_a_file_added_and_a_file_taken_away_are_named(verify, folder):
    (folder / "data" / "extra.csv").write_text("x\n")
    (folder / "user_adoption.zh.html").unlink()
    code, said = verify()
    assert code == 1
    assert "- data/extra.csv: not in the manifest" in said
    assert "- user_adoption.zh.html: missing" in said


@pytest.mark.parametrize("path", ["data/evidence/users.csv", "telemed_forecast/model.py", "scenarios/base.toml"])
@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--inputs",), 1)])
def test_a_byte_that_changed_in_an_input_is_named_and_is_a_fault_only_when_asked(verify, project, path, flags, code):
    file = project.root / path
    file.write_bytes(flipped(file.read_bytes(), 3, 1))
    ended, said = verify(*flags)
    assert ended == code
    assert f"- {path} changed" in said


def test_a_folder_that_is_no_run_is_the_users_mistake(tmp_path, capsys):
    assert cli.main(["verify", str(tmp_path)]) == 2
    assert "holds no manifest.json" in capsys.readouterr().err
