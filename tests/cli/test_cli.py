"""The command line: exit codes, one message with every fault, answers in time."""

import csv
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from telemed_forecast import cli, paths
from telemed_forecast.runs import manifest, parameters
from telemed_forecast.runs.report import Outcome, Reports

PROGRAM = Path(sys.executable).with_name("telemed-forecast")


def command(*arguments, **environment):
    """Run the installed program from another folder."""
    return subprocess.run(
        [str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
        env={**os.environ, **environment},
    )


def test_help_answers_at_once_and_names_the_commands():
    process = command("--help")
    assert process.returncode == 0
    reports, others = {"report", "params", "verify", "compare", "release"}, {"evidence", "forecast", "backtest"}
    assert reports | others | {"learn-priors"} <= set(process.stdout.split())


@pytest.mark.unit
def test_help_imports_nothing_heavy():
    code = "import sys; from telemed_forecast import cli; cli.main(['--help']); print('MODULES', *sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    modules = set(printed.split("MODULES")[1].split())
    assert not {"pandas", "numpy", "pydantic", "rich", "papermill", "telemed_forecast.runs"} & modules


def test_bad_parameters_are_refused_with_every_fault_and_nothing_started(tmp_path):
    process = command("report", "-p", "horizon=1990", "-p", "scenarioo=bull", "--out", str(tmp_path / "reports"))
    assert process.returncode == 2
    assert "horizon = 1990 is out of range: allowed 2027..2035 [year]" in process.stderr
    assert "scenarioo is not a parameter of any of" in process.stderr
    assert 'did you mean "scenario"?' in process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
    assert not (tmp_path / "reports").exists()


@pytest.fixture
def refused(capsys):
    """Call the command line in this process and return the message of a refusal."""

    def call(*arguments):
        assert cli.main(arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        return printed.err

    return call


@pytest.mark.unit
def test_faults_of_all_options_stand_in_one_message(refused, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    message = refused(
        *("report", "user_adoptoin", "-p", "horizon", "--profile", "fast", "--as-of", "2018-01-01"),
        *("--scenario", "bul", "--jobs", "0", "--lang", "fr", "--out", str(file)),
    )
    for part in (
        'there is no notebook user_adoptoin; did you mean "user_adoption"?',
        '-p "horizon" is not of the form NAME=VALUE',
        'profile = "fast" is not allowed: allowed quick, full',
        'as_of = "2018-01-01" is not allowed',
        'did you mean "bull"?',
        "--jobs 0 is out of range",
        '--lang "fr" is not allowed: allowed en, zh',
        "is not a folder",
    ):
        assert part in message
    assert message.count("\n  - ") == 8


@pytest.mark.unit
def test_an_option_and_a_parameter_of_the_same_name_are_not_both_given(refused):
    assert "profile is given more than once" in refused("report", "-p", "profile=quick", "--profile", "full")


@pytest.mark.unit
@pytest.mark.parametrize(
    "arguments", [["reprot"], ["report", "--horizon", "2031"], ["verify"], ["report", "--jobs", "x"]]
)
def test_a_mistyped_command_is_the_users_error(arguments, refused):
    assert refused(*arguments)


@pytest.mark.unit
def test_params_names_everything_about_every_parameter(capsys):
    assert cli.main(["params"]) == 0
    shown = capsys.readouterr().out
    for parameter in parameters.SPECIFICATION:
        for part in (parameter.name, parameter.type.__name__, f"[{parameter.unit}]", parameter.meaning):
            assert part in shown
        assert parameter.allowed_values() in shown


@pytest.mark.unit
def test_params_of_one_notebook_leaves_the_others_out(capsys, refused):
    assert cli.main(["params", "user_adoption"]) == 0
    assert "currency" not in capsys.readouterr().out
    assert "market_size" in refused("params", "markt_size")


@pytest.mark.unit
def test_an_unforeseen_error_is_one_line_unless_debugging(monkeypatch, capsys):
    def broken(*_, **__):
        raise RuntimeError("the moon")

    monkeypatch.setattr("telemed_forecast.runs.plan.request", broken)
    monkeypatch.delenv(cli.DEBUG_VARIABLE, raising=False)
    assert cli.main(["report"]) == 1
    assert capsys.readouterr().err == ("telemed-forecast: the moon (RuntimeError; TELEMED_DEBUG=1 shows where)\n")
    monkeypatch.setenv(cli.DEBUG_VARIABLE, "1")
    with pytest.raises(RuntimeError):
        cli.main(["report"])


# -- verify ----


@pytest.fixture
def run(tmp_path):
    """A finished run, written by hand."""
    from telemed_forecast.runs import plan

    settings = {"user_adoption": parameters.validate("user_adoption", {})}
    values = {name: own.values() for name, own in settings.items()}
    key = plan.key_of(inputs={}, parameters=values, languages=["en"], python=plan.platform.python_version())
    planned = plan.Run(run_id="a-run", key=key, settings=settings, languages=("en",), inputs={}, parameters=values)
    folder = tmp_path / "a-run"
    folder.mkdir()
    (folder / "page.html").write_text("411")
    manifest.write(manifest.build(planned, folder, gates=[], key_figures=[], seconds={}), folder)
    return folder


@pytest.mark.unit
def test_verify_accepts_a_run_as_written(run, capsys):
    assert cli.main(["verify", str(run)]) == 0
    assert "1 files as they were written" in capsys.readouterr().out


@pytest.mark.unit
def test_verify_finds_a_run_by_its_name(run, monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "REPORTS", tmp_path)
    assert cli.main(["verify", "a-run"]) == 0


@pytest.mark.unit
def test_verify_names_what_differs(run, capsys):
    (run / "page.html").write_text("412")
    (run / "extra.html").write_text("")
    assert cli.main(["verify", str(run)]) == 1
    message = capsys.readouterr().err
    assert "page.html: changed" in message
    assert "extra.html: not in the manifest" in message


@pytest.mark.unit
def test_verify_refuses_what_is_no_run(refused, tmp_path):
    assert "is not a run" in refused("verify", str(tmp_path))


# -- evidence ----


def test_the_shipped_evidence_is_accepted(capsys):
    assert cli.main(["evidence", "check"]) == 0
    assert "no faults" in capsys.readouterr().out


def test_a_faulty_file_of_evidence_is_refused_with_every_fault(refused, tmp_path):
    with (paths.EVIDENCE / "users.csv").open(encoding="utf-8", newline="") as lines:
        row = next(csv.DictReader(lines)) | {"claim_id": "mine", "grade": "Z", "relation": "about"}
    file = tmp_path / "mine.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, row)
        writer.writeheader()
        writer.writerow(row)
    message = refused("evidence", "check", str(file))
    assert "grade" in message
    assert "'about'" in message


def test_a_metric_is_shown_with_its_sources_as_known_on_a_date(capsys):
    assert cli.main(["evidence", "show", "online_medical_users", "--as-of", "2021-01-01"]) == 0
    early = capsys.readouterr().out
    assert cli.main(["evidence", "show", "online_medical_users"]) == 0
    late = capsys.readouterr().out
    assert "2020-06-30" in early
    assert "2022-12-31" not in early
    assert "2022-12-31" in late


def test_an_unknown_metric_segment_and_date_are_refused_together(refused):
    message = refused("evidence", "show", "online_medical_userz", "--segment", "nowhere", "--as-of", "someday")
    for part in ("'online_medical_users'", "nowhere", "someday"):
        assert part in message


def test_the_program_is_installed():
    assert shutil.which(str(PROGRAM))


def outcome_with(ok):
    """A finished run whose only fit passed its gates, or did not."""
    gate = {"name": "users", "ok": ok, "rhat_max": 1.2, "ess_bulk_min": 9.0, "ess_tail_min": 8.0, "bfmi_min": 0.5}
    stated = {"run_id": "base-1", "gates": [gate | {"divergences": 0}]}
    return Outcome(folder=Path("reports/base-1"), manifest=stated, reused=False)


@pytest.mark.parametrize(("ok", "flags", "code"), [(False, ["--strict"], 1), (False, [], 0), (True, ["--strict"], 0)])
def test_only_a_strict_report_ends_with_1_over_a_missed_gate_and_it_is_written_all_the_same(
    ok, flags, code, monkeypatch, capsys
):
    monkeypatch.setattr(Reports, "make", lambda *_: [outcome_with(ok)])
    assert cli.main(["report", "user_adoption", *flags]) == code
    said = capsys.readouterr()
    assert said.out == "reports/base-1\n"
    assert ("users: R-hat 1.2" in said.err) == (code == 1)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/full/file"), "the disk is full: /full/file"),
        (OSError(errno.EROFS, "Read-only file system", "/ro/file"), "the file system is read-only: /ro/file"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/file"), "there is no permission: /x/file"),
        (ExceptionGroup("task group", [OSError(errno.ENOSPC, "No space left on device")]), "the disk is full;"),
    ],
)
def test_what_the_disk_refuses_is_one_clear_line(monkeypatch, capsys, error, told):
    def fail(**_):
        raise error

    monkeypatch.setattr(cli, "app", fail)
    assert cli.main(["report"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"telemed-forecast: {told}") and "what was not finished is not written" in line


def test_ctrl_c_is_no_traceback(monkeypatch, capsys):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert cli.main(["report"]) == 130
    assert capsys.readouterr().err == "telemed-forecast: interrupted\n"


def test_a_name_that_the_terminal_cannot_show_is_shown_escaped(tmp_path):
    file = tmp_path / "医院.csv"
    file.write_text("series_id,date,value\n医院,2020,x\n", encoding="utf-8")
    command = [sys.executable, "-m", "telemed_forecast.cli", "forecast", str(file), "--horizon", "2"]
    ended = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False)
    assert ended.returncode == 2
    assert b"\\u533b\\u9662.csv" in ended.stderr and b"Traceback" not in ended.stderr


@pytest.mark.unit
def test_a_dry_run_lists_every_combination_and_leaves_nothing(tmp_path, capsys):
    days = ["--as-of", "2022-12-31", "--as-of", "2023-12-31"]
    both = ["--scenario", "bear", "--scenario", "bull"]
    assert cli.main(["report", "user_adoption", "--dry-run", "--out", str(tmp_path / "out"), *days, *both]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.rpartition("-")[0] for line in said if "first run of these notebooks" in line] == [
        f"{day}-{scenario}" for scenario in ("bear", "bull") for day in ("2022-12-31", "2023-12-31")
    ]
    assert said.count("  would run user_adoption") == 4
    assert not (tmp_path / "out").exists()


@pytest.mark.unit
def test_runs_of_a_folder_without_any_are_an_empty_list(tmp_path, capsys):
    assert cli.main(["runs", "list", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["runs", "remove", "none", "--out", str(tmp_path)]) == 2
    assert "holds no run none" in capsys.readouterr().err
