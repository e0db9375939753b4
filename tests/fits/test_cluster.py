"""Fits on a Dask cluster: a real scheduler and two worker processes on this machine."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import errands
import pytest

from telemed_forecast import cli
from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.fits import cluster

FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the scheduler of two workers answers, each a process of one thread that has the package and no more."""
    told = tmp_path_factory.mktemp("dask") / "scheduler.json"
    here, file = ["--host", "127.0.0.1", "--no-dashboard"], ["--scheduler-file", str(told)]
    # Compiled anew in every process, as for a report: code from the disk rounds differently.
    env = {name: value for name, value in os.environ.items() if name != "PYTENSOR_FLAGS"}
    env["PYTHONPATH"] = os.pathsep.join([str(FOLDER), *filter(None, [env.get("PYTHONPATH")])])

    def start(name, *arguments):
        call = [sys.executable, "-m", f"distributed.cli.dask_{name}", *here, *file, *arguments]
        return subprocess.Popen(call, env=env, cwd=told.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    started = [start("scheduler", "--port", "0"), start("worker", "--nworkers", "2", "--nthreads", "1")]
    try:
        wait_until(told.exists)
        yield json.loads(told.read_text())["address"]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture
def two_workers(address):
    """Everything goes to the cluster, both of whose workers are there."""
    with cluster.on(address):
        wait_until(lambda: cluster.width() == 2)
        yield address


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_without_a_cluster_work_is_done_in_this_process():
    with cluster.on(""):
        assert cluster.run(errands.process) == os.getpid()
        assert (cluster.elsewhere(), cluster.width(), cluster.width(2)) == (False, 1, 2)


def test_work_is_shared_by_the_workers_and_comes_back_to_the_one_who_asked(two_workers):
    with ThreadPoolExecutor(4) as threads:
        asked = list(threads.map(lambda _: cluster.run(errands.process, 0.5), range(4)))
    assert len(set(asked)) == 2 and os.getpid() not in asked


def test_a_worker_that_is_killed_in_the_middle_costs_a_second_attempt_and_nothing_else(two_workers, tmp_path):
    file = tmp_path / "first"
    answered = cluster.run(errands.dies_the_first_time, str(file))
    assert answered not in (int(file.read_text()), os.getpid())


def test_what_fails_on_a_worker_fails_here_with_its_own_words(two_workers):
    with pytest.raises(ValueError, match="no chain moved"):
        cluster.run(errands.fails)


@pytest.mark.parametrize("package", ["nutpie", "telemed-forecast"])
def test_a_worker_with_another_installation_is_refused_before_it_draws(two_workers, monkeypatch, package):
    other = cluster.installed() | {package: "0.0.1"}
    monkeypatch.setattr(cluster, "installed", lambda: other)
    with pytest.raises(TelemedError, match=f"another installation .*: {package} .* instead of 0.0.1"):
        cluster.run(errands.process)


def test_the_same_fit_has_the_same_draws_to_the_byte_wherever_it_is_made(two_workers, asked_at_once, tmp_path):
    call = [sys.executable, str(FOLDER / "toy.py"), str(tmp_path), "", two_workers]
    told = subprocess.run(call, capture_output=True, text=True, timeout=300)
    assert told.stdout.strip() == asked_at_once.printed[0] != "", told.stderr
    builder = (tmp_path / "built.txt").read_text().split()[1]
    assert told.stderr.split()[-1] != builder, "it was built where it was asked for"


ONE_FIT = """
import sys
from pathlib import Path
import toy
from telemed_forecast.evaluation import calibration
from telemed_forecast.fits import cluster, store
from telemed_forecast.forecast.context import Context
from telemed_forecast.runs import parameters

problem = calibration.problem("channel_share", Context(parameters.validate("channel_share", {})))
with cluster.on(sys.argv[1]):
    found = store.fitted(problem.what.spec, problem.design, profile=toy.TINY, seed=1, folder=Path(sys.argv[2]))
print(found.key, toy.fingerprint(found.posterior), found.drawn_on)
"""


@pytest.mark.slow
def test_a_real_model_has_the_same_draws_to_the_byte_on_a_worker_and_here(two_workers, tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "PYTENSOR_FLAGS"}
    env["PYTHONPATH"] = os.pathsep.join([str(FOLDER), *filter(None, [env.get("PYTHONPATH")])])
    both = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_FIT, where, str(tmp_path / f"store{n}")],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for n, where in enumerate(["", two_workers])
    ]  # fmt: skip
    (here, error), (there, other_error) = (process.communicate(timeout=1800) for process in both)
    assert here == there != "", error + other_error


# -- the command line ----


@pytest.mark.unit
def test_an_address_that_is_none_is_the_users_error(capsys):
    assert cli.main(["calibrate", "--model", "channel_share", "--dask", "tcp//host", "--simulations", "200"]) == 2
    assert '--dask "tcp//host" is no address such as tcp://host:8786' in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [["report", "user_adoption"], ["backtest", "--model", "user_adoption"], ["calibrate"]],
    ids=lambda c: c[0],
)
def test_a_scheduler_that_does_not_answer_is_named_and_nothing_is_begun(command, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cluster, "PATIENCE", 0.3)
    out = ["--out", str(tmp_path / "out")]
    assert cli.main([*command, *out, "--dask", "tcp://127.0.0.1:9"]) == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.unit
def test_without_dask_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'telemed-forecast\[cluster\]'"), cluster.on("tcp://host:8786"):
        pass


@pytest.mark.unit
def test_dask_has_no_meaning_where_nothing_is_fitted(capsys):
    assert cli.main(["backtest", "--releases", "--dask", "tcp://host:8786"]) == 2
    assert "--dask has no meaning with --releases" in capsys.readouterr().err
