"""Execution: a notebook succeeds wholly or fails with its name, its cell and its reason."""

import json
import os
import signal
import sys
import threading
import time

import papermill.translators
import pytest

from telemed_forecast.runs import execute, parameters, record
from telemed_forecast.runs.worker import Event, unfinished

pytestmark = pytest.mark.notebook


class Heard(list):
    """A listener that remembers."""

    def started(self, notebook):
        self.append(("started", notebook))

    def cell(self, notebook, event):
        self.append(("cell", notebook, event.cell))

    def ended(self, notebook, seconds, ok):
        self.append(("ended", notebook, ok))


@pytest.fixture
def run(project, tmp_path):
    """Execute notebooks of the made-up project; returns the seconds and the listener."""

    def execute_them(*names, waits_for=None, values=None, **options):
        heard = Heard()
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        tasks = [
            execute.Task(
                notebook=name,
                source=project.root / "notebooks" / f"{name}.ipynb",
                output=tmp_path / f"{name}.ipynb",
                parameters=values or parameters.validate(name, {}).values(),
                waits_for=(waits_for or {}).get(name, ()),
            )
            for name in names
        ]
        execution = execute.Execution(scratch=scratch, keep=tmp_path / "kept", listener=heard, **options)
        return execution.run(tasks), heard

    return execute_them


def outputs(file):
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return "".join("".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", []))


def test_notebooks_run_in_processes_of_one_thread_after_those_they_wait_for(project, run, tmp_path):
    noisy = """
import os, sys, warnings
print("threads", os.environ["NUMBA_NUM_THREADS"], os.environ["OMP_NUM_THREADS"])
print("given", os.environ["TELEMED_MARK"], settings.horizon, os.getcwd())
sys.stderr.write("noise\\n"); os.write(2, b"more noise\\n"); os.write(1, b"not an event\\n")
warnings.warn("a warning is no failure")
"""
    project.put_notebook("user_adoption", noisy)
    project.put_notebook("executive_summary", "print('last')")
    seconds, heard = run(
        "user_adoption",
        "executive_summary",
        waits_for={"executive_summary": ("user_adoption",)},
        jobs=2,
        environment={"TELEMED_MARK": "yes"},
    )
    said = outputs(tmp_path / "user_adoption.ipynb")
    assert "threads 1 1" in said
    assert f"given yes 2030 {project.root / 'notebooks'}" in said
    assert heard.index(("ended", "user_adoption", True)) < heard.index(("started", "executive_summary"))
    assert list(seconds) == ["user_adoption", "executive_summary"]
    assert [entry[2] for entry in heard if entry[:2] == ("cell", "user_adoption")] == [1, 2, 2, 3, 4]


def test_a_failing_cell_is_named_and_the_others_are_finished(project, run, tmp_path, processes_of):
    project.put_notebook("user_adoption", "x = 1", "\n# why\nraise ValueError('no evidence')")
    project.put_notebook("market_size", "import time; time.sleep(1)")
    with pytest.raises(execute.NotebookFailed) as caught:
        run("user_adoption", "market_size", jobs=2)
    assert (tmp_path / "market_size.ipynb").exists()
    message = str(caught.value)
    assert "user_adoption, cell 5 of 5 failed: ValueError: no evidence" in message
    assert caught.value.kept == tmp_path / "kept" / "user_adoption.ipynb"
    assert "no evidence" in caught.value.kept.read_text()
    assert str(caught.value.kept) in message
    assert not (tmp_path / "user_adoption.ipynb").exists()
    wait_until(lambda: not processes_of(str(tmp_path / "scratch")))


def test_all_failures_are_told_and_what_reads_what_failed_is_not_begun(project, run, tmp_path):
    project.put_notebook("user_adoption", "raise ValueError('no users')")
    project.put_notebook("market_size", "raise ValueError('no market')")
    with pytest.raises(execute.TaskFailed) as caught:
        run("user_adoption", "market_size", "executive_summary", waits_for={"executive_summary": ("user_adoption",)})
    told = str(caught.value)
    assert "ValueError: no users" in told and "ValueError: no market" in told
    assert "executive_summary was not begun, for it reads user_adoption" in told
    assert not (tmp_path / "executive_summary.ipynb").exists()


def test_an_unknown_parameter_fails_in_the_notebook_with_the_nearest_name(run):
    with pytest.raises(execute.NotebookFailed, match=r'cell 3 of 4 failed:(.|\n)*did you mean "scenario"'):
        run("user_adoption", values={"scenarioo": "bull"})


def test_a_kernel_that_dies_is_a_failure_and_not_a_success(project, run):
    project.put_notebook("user_adoption", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "print(1)")
    with pytest.raises(execute.NotebookFailed, match="cell 4 of 5 failed: DeadKernelError"):
        run("user_adoption")


def test_a_worker_that_is_killed_is_a_failure_and_takes_its_kernel_along(project, run, tmp_path, processes_of):
    project.put_notebook("user_adoption", "import time; time.sleep(600)")
    scratch = str(tmp_path / "scratch")

    def kill_the_worker():
        def workers():
            return [pid for pid in processes_of(scratch) if b"runs.worker" in command_of(pid)]

        wait_until(lambda: len(processes_of(scratch)) > len(workers()) > 0)
        os.kill(workers()[0], signal.SIGKILL)

    threading.Thread(target=kill_the_worker).start()
    with pytest.raises(execute.NotebookFailed, match=r"the worker process was killed \(SIGKILL\)"):
        run("user_adoption")
    wait_until(lambda: not processes_of(scratch))


def test_a_notebook_that_takes_too_long_is_ended_with_its_kernel(project, run, tmp_path, processes_of):
    project.put_notebook("user_adoption", "import time; time.sleep(600)")
    with pytest.raises(execute.NotebookFailed, match="still running after 3 s"):
        run("user_adoption", timeout=3)
    wait_until(lambda: not processes_of(str(tmp_path / "scratch")))


def test_a_notebook_that_stops_itself_early_did_not_succeed(project, run):
    project.put_notebook("user_adoption", "import sys; sys.exit(0)", "print(1)")
    with pytest.raises(execute.NotebookFailed):
        run("user_adoption")


def test_a_worker_that_cannot_start_says_why(run, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(execute.NotebookFailed, match=r"before its first cell failed: .*ended with code 1"):
        run("user_adoption")


@pytest.fixture
def attempts(monkeypatch):
    """Replace the attempts by prepared events; returns the folders they were given."""
    folders = []

    def prepare(*events):
        coming = iter(events)

        async def attempt(self, task, folder):
            folders.append(folder)
            (folder / "worker.log").write_text("")
            (folder / "executed.ipynb").write_text(json.dumps({"cells": [], "metadata": {}}))
            return next(coming)

        monkeypatch.setattr(execute.Execution, "_attempt", attempt)
        return folders

    return prepare


TAKEN = Event(kind="failed", message="ZMQError: Address already in use (addr='tcp://127.0.0.1:5')")


def test_a_taken_port_is_tried_once_more(run, attempts):
    folders = attempts(TAKEN, Event(kind="done"))
    run("user_adoption")
    assert len(folders) == 2


def test_a_port_that_is_taken_twice_is_a_failure(run, attempts):
    folders = attempts(TAKEN, TAKEN)
    with pytest.raises(execute.NotebookFailed, match="Address already in use"):
        run("user_adoption")
    assert len(folders) == 2


def test_another_failure_is_not_tried_again(run, attempts):
    folders = attempts(Event(kind="failed", message="ValueError: no"))
    with pytest.raises(execute.NotebookFailed):
        run("user_adoption")
    assert len(folders) == 1


# -- the record ----


def code(source="x", count=1, outputs=()):
    return {
        "cell_type": "code",
        "source": source,
        "execution_count": count,
        "outputs": list(outputs),
        "metadata": {},
    }


ERROR = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([code()], ""),
        ([{"cell_type": "markdown", "source": "x", "metadata": {}}], ""),
        ([code(source=" \n", count=None)], ""),
        ([code(), code(count=None)], "cell 2"),
        ([code(outputs=[ERROR])], "cell 1"),
    ],
)
def test_success_is_what_the_cells_hold_and_not_what_papermill_says(cells, complaint):
    found = unfinished({"cells": cells, "metadata": {"papermill": {"exception": None}}})
    assert found.startswith(complaint)
    assert bool(found) == bool(complaint)


def test_a_record_holds_no_time_no_path_and_no_chance():
    executed = {
        "cells": [
            code(
                outputs=[
                    {
                        "output_type": "stream",
                        "name": "stderr",
                        "text": "/tmp/ipykernel_12/345.py:1: UserWarning: w\n",
                    },
                    {
                        "output_type": "display_data",
                        "data": {"text/plain": ["<A at 0x7f0123456789>"]},
                        "metadata": {},
                    },
                ]
            )
            | {
                "metadata": {
                    "papermill": {"duration": 1},
                    "execution": {"a": "b"},
                    "tags": ["injected-parameters"],
                }
            }
            | {"id": "random"}
        ],
        "metadata": {"papermill": {"parameters": {"seed": 1}, "input_path": "/x", "start_time": "now"}},
    }
    cleaned = record.cleaned(executed)
    text = json.dumps(cleaned)
    for volatile in ("ipykernel_12", "0x7f", "duration", '"execution": {', "random", "start_time", "/x"):
        assert volatile not in text
    assert cleaned["metadata"]["papermill"] == {"parameters": {"seed": 1}}
    assert executed["cells"][0]["id"] == "random"


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.parametrize("folder", ["/tmp/home of somebody", "/tmp/医生", '/tmp/a "quoted" place'])
def test_a_record_names_a_users_file_without_its_folder(folder):
    path = f"{folder}/mine.toml"
    parameters = {"scenario": path, "seed": 1}
    source = papermill.translators.PythonTranslator.codify(parameters)
    shown = {"output_type": "stream", "name": "stderr", "text": f"{sys.prefix}/lib/tqdm/auto.py:21: a warning"}
    cell = {"cell_type": "code", "source": source, "metadata": {"tags": ["injected-parameters"]}, "outputs": [shown]}
    cleaned = record.cleaned({"metadata": {"papermill": {"parameters": parameters}}, "cells": [cell]})
    assert cleaned["metadata"]["papermill"]["parameters"] == {"scenario": "mine.toml", "seed": 1}
    assert folder not in json.dumps(cleaned, ensure_ascii=False) and '"mine.toml"' in cleaned["cells"][0]["source"]
    assert cleaned["cells"][0]["outputs"][0]["text"] == "lib/tqdm/auto.py:21: a warning"
