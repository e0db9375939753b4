"""Forecasts of all tasks by all peers."""

import numpy as np
import pytest
import sample_tasks

from benchmarks import run, table, tasks
from benchmarks.peers import PEERS, Peer
from telemed_forecast import paths


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "CACHE", tmp_path / "cache")
    return tasks.read(sample_tasks.write(tmp_path / "t.csv", sample_tasks.all_rows()))


def forecast(peers, asked, **options):
    said = []
    found = run.run(peers, asked, sample_tasks.curves(), kind="adoption", jobs=1, tell=said.append, **options)
    return found, said


DYING = Peer("dying", "dying", "nowhere", "forecast", cached=False)
DRIFT = next(peer for peer in PEERS if peer.name == "drift")


def test_a_peer_that_fails_costs_the_others_nothing(asked):
    broken = Peer("broken", "broken", "nowhere", "forecast", cached=False)
    results, _ = forecast([broken, DRIFT], asked)
    assert "No module named 'benchmarks.peers.nowhere'" in results[0].error and not results[1].error
    rows = table.rows(results, asked, table.stages(asked, []), "drift")
    whole = {row.model: row for row in rows if row.by == "all"}
    assert whole["broken"].missing == whole["broken"].values and whole["drift"].missing == 0
    assert np.isnan(whole["broken"].score) and whole["drift"].ratio == 1
    assert "broken" in table.printed(rows, results, "adoption", "drift")


def test_forecasts_of_a_peer_are_kept_until_the_tasks_change(asked):
    (first,), said = forecast([DRIFT], asked)
    assert "kept" not in said[0]
    (again,), said = forecast([DRIFT], asked)
    assert "kept from an earlier run" in said[0] and np.array_equal(again.quantiles, first.quantiles)
    _, said = forecast([DRIFT], asked[1:])
    assert "kept" not in said[0]
    _, said = forecast([DRIFT], asked, fresh=True)
    assert "kept" not in said[0]


@pytest.mark.unit
def test_nothing_is_kept_outside_of_the_projects_cache():
    assert run.CACHE == paths.CACHE


@pytest.mark.unit
def test_the_library_is_never_taken_from_an_earlier_run():
    assert [peer.name for peer in PEERS if not peer.cached] == ["library"]


def test_a_peer_whose_process_dies_costs_the_others_nothing(asked, monkeypatch):
    known = run._forecaster
    monkeypatch.setattr(run, "_forecaster", lambda peer, kind: sample_tasks.die if peer is DYING else known(peer, kind))
    results, _ = forecast([DYING, DRIFT], asked)
    assert "BrokenProcessPool" in results[0].error and np.isnan(results[0].quantiles).all()
    assert not results[1].error
