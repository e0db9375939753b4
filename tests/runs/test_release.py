"""Releases: frozen forecasts that nobody can edit unnoticed."""

import datetime as dt
import json

import pytest
from damage import flipped

from telemed_forecast import paths
from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.runs import manifest, plan, release

pytestmark = pytest.mark.unit

TODAY = dt.date(2026, 11, 22)
GATE = {"name": "users", "rhat_max": 1.2, "ess_bulk_min": 9.0, "ess_tail_min": 8.0, "bfmi_min": 0.5, "divergences": 0}


def written_run(project, folder, *, values=None, gates=()):
    """A run with a table of forecasts, written by hand."""
    [run] = plan.runs(plan.request(["user_adoption"], values or []), project)
    place = folder / run.run_id
    (place / "data").mkdir(parents=True)
    (place / "data" / "forecasts.csv").write_text("target,value\nusers,486\n")
    manifest.write(manifest.build(run, place, gates=gates, key_figures=[], seconds={}), place)
    return place


@pytest.fixture
def releases(tmp_path):
    return tmp_path / "releases"


def test_a_release_holds_the_forecasts_byte_for_byte_and_says_what_was_known(project, tmp_path, releases):
    run = written_run(project, tmp_path)
    folder = release.freeze(run, releases, today=TODAY)
    assert (folder / "forecasts.csv").read_bytes() == (run / "data" / "forecasts.csv").read_bytes()
    stated = json.loads((folder / "release.json").read_text())
    assert stated["released"] == "2026-11-22"
    assert stated["as_of"] == stated["vintage"]
    assert stated["inputs"]
    assert release.differences(folder) == []
    assert release.all_in(releases) == [folder]


def test_a_frozen_file_is_never_written_again(project, tmp_path, releases):
    run = written_run(project, tmp_path)
    folder = release.freeze(run, releases, today=TODAY)
    before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    release.freeze(run, releases, today=TODAY + dt.timedelta(days=30))
    assert {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["forecasts.csv", "release.json"])
def test_a_flipped_bit_anywhere_in_a_frozen_file_is_found(name, project, tmp_path, releases):
    folder = release.freeze(written_run(project, tmp_path), releases, today=TODAY)
    content = (folder / name).read_bytes()
    for position in range(len(content)):
        for mask in (1, 7):  # 7 turns one end of a line into another
            (folder / name).write_bytes(flipped(content, position, mask))
            [found] = release.differences(folder)
            assert found.startswith(name)


def test_a_release_that_was_edited_stops_the_next_one_of_the_same_run(project, tmp_path, releases):
    run = written_run(project, tmp_path)
    folder = release.freeze(run, releases, today=TODAY)
    (folder / "forecasts.csv").write_text("target,value\nusers,411\n")
    with pytest.raises(TelemedError, match="not as it was frozen"):
        release.freeze(run, releases, today=TODAY)


def test_a_file_taken_away_or_put_beside_is_named(project, tmp_path, releases):
    folder = release.freeze(written_run(project, tmp_path), releases, today=TODAY)
    (folder / "forecasts.csv").unlink()
    (folder / "notes.txt").write_text("x")
    assert release.differences(folder) == ["forecasts.csv: missing", "notes.txt: does not belong to a release"]


def test_a_forecast_of_an_earlier_day_with_a_missed_gate_and_a_changed_file_is_refused_for_each(
    project, tmp_path, releases
):
    run = written_run(project, tmp_path, values=[("as_of", "2022-12-31")], gates=[GATE | {"ok": False}])
    (run / "data" / "forecasts.csv").write_text("target,value\nusers,487\n")
    with pytest.raises(InputError) as refused:
        release.freeze(run, releases, today=TODAY)
    faults = [str(fault) for fault in refused.value.faults]
    assert len(faults) == 3
    assert "data/forecasts.csv: changed" in faults[0]
    assert "its date is 2022-12-31" in faults[1]
    assert "missed its gates" in faults[2]
    assert not releases.exists()


def test_a_run_that_fails_half_way_leaves_nothing_visible(project, tmp_path, releases, monkeypatch):
    run = written_run(project, tmp_path)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(release.shutil, "copyfile", fail)
    with pytest.raises(OSError, match="disk full"):
        release.freeze(run, releases, today=TODAY)
    assert list(releases.iterdir()) == []


@pytest.mark.parametrize("folder", release.all_in(paths.RELEASES), ids=lambda folder: folder.name)
def test_every_release_of_the_project_is_as_it_was_frozen(folder):
    assert release.differences(folder) == []
