"""Forecasts of all tasks by all peers."""

import numpy as np
import pytest
import sample_tasks

from benchmarks import folds, run, table, tasks
from benchmarks.peers import LEVELS, PEERS, Peer
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


def answer(name, asked, off):
    """A result that is off by a part of the truth, as a point."""
    quantiles = np.repeat(tasks.truths(asked)[..., None] * (1.0 + np.array(off)[:, None, None]), len(LEVELS), axis=2)
    return run.Result(next(peer for peer in PEERS if peer.name == name), "", quantiles, 0.0)


@pytest.mark.unit
def test_ratios_are_taken_to_the_better_of_the_references(asked):
    far, near = np.full(len(asked), 0.5), np.full(len(asked), 0.1)
    results = [answer("drift", asked, far), answer("naive", asked, near), answer("theta", asked, 0 * near)]
    assert table.better(results, asked, ("drift", "naive")) == "naive"
    assert table.better(results[:1] + results[2:], asked, ("drift", "naive")) == "drift"
    assert table.better(results, asked, ("autoets",)) == "autoets"


@pytest.mark.unit
def test_families_of_one_wave_count_as_one_in_scores_and_in_shares_inside(asked, monkeypatch):
    off = np.array([0.0 if task.family == "radios" else 0.4 for task in asked])

    def whole():
        rows = table.rows([answer("naive", asked, off)], asked, table.stages(asked, []), "drift")
        return next(row for row in rows if row.by == "all")

    apart = whole()
    monkeypatch.setitem(folds.WAVES, "looms", "kites")
    joined = whole()
    assert (apart.inside_90, joined.inside_90) == pytest.approx((1 / 3, 1 / 2))
    assert apart.score / joined.score == pytest.approx(4 / 3)


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
