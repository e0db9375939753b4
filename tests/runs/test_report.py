"""Reports: whole or not at all, made once, the same bytes for the same inputs."""

import os
import random
import re
import resource
import signal
import subprocess
import time

import pytest

from telemed_forecast.runs import manifest

pytestmark = pytest.mark.notebook


def content(folder):
    """Bytes of a run's files but the manifest, by path."""
    return {path: (folder / path).read_bytes() for path in manifest.outputs_in(folder)}


def run_of(process):
    """The last word that the driver printed: the run's folder, and whether it was made or reused."""
    assert process.returncode == 0, process.stderr
    how, folder = process.stdout.split()
    return how, folder


def test_a_run_is_reused_until_something_changes_and_then_says_what(finished):
    project, folder = finished
    again = project.report()
    assert run_of(again) == ("reused", str(project.out / folder))

    project.put("data/evidence/users.csv", "claim_id,value\na,2\n")
    changed = project.report()
    assert run_of(changed)[0] == "made"
    assert f"since {folder}: data/evidence/users.csv changed" in changed.stderr
    runs = project.whole_runs()
    assert len(runs) == 2
    assert all(name in (project.out / "index.html").read_text() for name in runs)


def test_equal_inputs_give_equal_bytes_and_force_makes_them_anew(finished):
    project, folder = finished
    before = content(project.out / folder)
    created = manifest.read(project.out / folder)["volatile"]["created"]
    how, again = run_of(project.report("force"))
    assert (how, again) == ("made", str(project.out / folder))
    assert content(project.out / folder) == before
    assert manifest.read(project.out / folder)["volatile"]["created"] != created
    assert str(project.root) not in b"".join(before.values()).decode()


def test_a_lost_index_is_written_again_and_nothing_else(finished):
    project, _ = finished
    (project.out / "index.html").unlink()
    assert run_of(project.report())[0] == "reused"
    assert (project.out / "index.html").exists()


def test_a_harmed_run_is_made_again(finished):
    project, folder = finished
    (project.out / folder / "user_adoption.html").write_text("harmed")
    process = project.report()
    assert run_of(process)[0] == "made"
    assert "not as they were written" in process.stderr
    assert len(project.whole_runs()) == 1


def test_a_failed_notebook_leaves_the_reports_untouched(project):
    project.put_notebook("user_adoption", "raise ValueError('no')")
    process = project.report()
    assert process.returncode == 1
    assert "first run of these notebooks" in process.stderr
    assert "user_adoption, cell 4 of 4 failed: ValueError: no" in process.stderr
    assert "Traceback" not in process.stderr
    assert project.whole_runs() == []
    assert hidden(project) == [".lock"]
    [kept] = (project.cache / "failed").rglob("*.ipynb")
    assert str(kept) in process.stderr


def test_a_run_is_not_published_under_the_key_of_inputs_that_changed_while_it_was_made(project):
    file = project.put("data/evidence/made_up.csv", "a,b")
    edit = f"from pathlib import Path; Path({str(file)!r}).write_text('a,c')"
    project.put_notebook("user_adoption", edit)
    process = project.report()
    assert process.returncode == 1
    assert "changed while the run was made: data/evidence/made_up.csv" in process.stderr
    assert project.whole_runs() == []


def test_two_commands_at_once_make_one_run(project):
    both = [launched(project) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], results
    assert sorted(out.split()[0] for out, _ in results) == ["made", "reused"]
    assert any("waiting for another report command" in err for _, err in results)
    assert len(project.whole_runs()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_children_and_removes_the_temporary_folder(project, number, processes_of):
    project.put_notebook("user_adoption", "import time; time.sleep(600)")
    process = launched(project)
    wait_until(lambda: len(processes_of(str(project.root))) >= 3)  # the command, the worker, the kernel
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert number.name in err
    assert "Traceback" not in err
    assert hidden(project) == [".lock"]
    assert project.whole_runs() == []
    wait_until(lambda: not processes_of(str(project.root)))


def kill_at_random_moments(project, processes_of, seeds):
    """Kill commands: only whole runs are ever visible, no process stays, the same command makes what is missing."""
    for name, pause in (("user_adoption", 0), ("market_size", 1)):
        project.put_notebook(name, f"import time; time.sleep({pause})", tallied(project))
    asked = ("user_adoption", "market_size")
    for seed in seeds:
        project.put("data/evidence/users.csv", f"claim_id,value\na,{seed}\n")
        (project.root / "tally").write_text("")
        fits = fits_on_record(project)
        process = launched(project, *asked)
        try:
            process.wait(timeout=random.Random(seed).uniform(0.2, 5))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        project.whole_runs()  # fails on a half one
        wait_until(lambda: not processes_of(str(project.root)))
        there = kept_notebooks(project)
        before = (project.root / "tally").read_text().split()
        how, folder = run_of(project.report(*asked))
        assert os.path.basename(folder) in project.whole_runs()
        assert hidden(project) == [".lock"]
        again = (project.root / "tally").read_text().split()[len(before) :]
        assert sorted(again) == ([] if how == "reused" else sorted(set(asked) - there))
        assert fits_on_record(project) == fits, "a stored fit was touched"


def tallied(project):
    """A cell that puts on record that it was run."""
    return f"with open({str(project.root / 'tally')!r}, 'a') as file: print(settings.notebook, file=file)"


def kept_notebooks(project):
    """Names of the finished notebooks of runs that were stopped."""
    return {file.stem for file in project.out.glob(".tmp-*/run/notebooks/[!.]*.ipynb")}


def fits_on_record(project):
    """A project's stored fits, with the times at which they were written; there is one from the beginning."""
    file = project.cache / "fits" / "user_adoption-0.nc"
    if not file.exists():
        file.parent.mkdir(parents=True)
        file.write_bytes(b"draws")
    return {file.name: file.stat().st_mtime_ns for file in sorted(file.parent.iterdir())}


def test_commands_killed_at_any_moment_leave_only_whole_runs(project, processes_of):
    kill_at_random_moments(project, processes_of, (1, 2))


@pytest.mark.slow
def test_after_twenty_killed_commands_the_same_command_makes_only_what_is_missing(project, processes_of):
    kill_at_random_moments(project, processes_of, range(1, 21))


@pytest.fixture
def two_notebooks(project):
    """A project with a notebook that is well, and one with a cell of the test's; names those that were run."""

    def put(cell):
        project.put_notebook("user_adoption", tallied(project))
        project.put_notebook("market_size", "x = 1", cell)

    def report(*options, **more):
        (project.root / "tally").write_text("")
        process = project.report("user_adoption", "market_size", *options, **more)
        return process, (project.root / "tally").read_text().split()

    return put, report


def test_a_failure_lets_the_other_notebooks_finish_and_the_same_command_goes_on_from_there(project, two_notebooks):
    put, report = two_notebooks
    flag = project.root / "flag"
    put(f"import time; time.sleep(0.2); open({str(flag)!r})")
    process, ran = report()
    assert process.returncode == 1
    assert "market_size, cell 5 of 5 failed: FileNotFoundError" in process.stderr
    assert "Finished, and kept for the same command: user_adoption" in process.stderr
    assert ran == ["user_adoption"] and project.whole_runs() == []
    flag.write_text("")
    process, ran = report()
    assert run_of(process)[0] == "made"
    assert "goes on where a command was stopped; finished: user_adoption" in process.stderr
    assert ran == [] and len(project.whole_runs()) == 1 and hidden(project) == [".lock"]


def test_what_was_finished_before_a_failure_does_not_count_for_other_inputs(project, two_notebooks):
    put, report = two_notebooks
    put("raise ValueError('no')")
    assert report()[1] == ["user_adoption"]
    project.put("data/evidence/users.csv", "claim_id,value\na,2\n")
    assert report()[1] == ["user_adoption"]
    assert report()[1] == []
    assert report("force")[1] == ["user_adoption"]


def no_file_above(size):
    """For a process to come: what a full disk does, to every file larger than that."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize(
    ("cell", "options", "cause"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", {}, "DeadKernelError"),
        ("import time; time.sleep(600)", {"timeout": 20}, "still running after 20 s"),
        ("print('x' * 400_000)", {"limit": 200_000}, "File too large"),
        ("open('more.csv', 'w').write('x' * 400_000)", {"limit": 200_000}, "File too large"),
        ("open('/proc/sys/kernel/osrelease', 'w')", {}, "Error: "),
    ],
    ids=["dead kernel", "hanging cell", "no room for the record", "no room for a file", "read-only"],
)
def test_what_goes_wrong_is_told_with_notebook_cell_and_cause_and_nothing_stays(
    project, two_notebooks, processes_of, cell, options, cause
):
    put, report = two_notebooks
    put(cell)
    process, ran = report(
        *([f"timeout={options['timeout']}"] if "timeout" in options else []),
        **({"preexec_fn": no_file_above(options["limit"])} if "limit" in options else {}),
    )
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert re.search(rf"market_size, cell 5 of 5 failed: .*{cause}", process.stderr), process.stderr
    assert ran == ["user_adoption"] and kept_notebooks(project) == {"user_adoption"}
    assert project.whole_runs() == []
    wait_until(lambda: not processes_of(str(project.root)))


def test_pages_that_fail_leave_the_reports_untouched_and_keep_the_executed_notebooks(project):
    process = project.report("pages-fail")
    assert process.returncode == 1
    assert project.whole_runs() == [] and kept_notebooks(project) == {"user_adoption"}
    [kept] = (project.cache / "failed").rglob("*.ipynb")
    assert str(kept.parent) in process.stderr
    again = project.report()
    assert again.returncode == 0 and "finished: user_adoption" in again.stderr
    assert hidden(project) == [".lock"]


def launched(project, *arguments):
    return subprocess.Popen(project.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def hidden(project):
    return sorted(name for name in os.listdir(project.out) if name.startswith("."))


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
