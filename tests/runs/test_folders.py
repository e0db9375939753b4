"""A folder that cannot be written to is refused before anything is started, and trying leaves nothing behind."""

import os

import pytest

from telemed_forecast import cli, paths
from telemed_forecast.runs import folders

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("out", ["new", "new/below", "."])
def test_a_folder_that_can_be_written_to_is_no_fault_and_is_left_as_it_was(tmp_path, out):
    assert folders.faults(tmp_path / out) == []
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_there_is_no_fault():
    assert folders.faults(None) == []


def test_a_file_and_what_lies_below_one_are_no_folders(tmp_path):
    file = tmp_path / "README.md"
    file.write_text("")
    assert folders.faults(file) == [f"--out {file} is not a folder"]
    assert folders.faults(file / "x" / "y") == [f"--out {file / 'x' / 'y'}: {file} is not a folder"]


def test_a_link_to_nowhere_is_no_folder_and_stays(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone")
    assert folders.faults(link) == [f"--out {link} is not a folder"]
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_the_system_does_not_take_is_a_fault(tmp_path, name):
    [fault] = folders.faults(tmp_path / "new" / name)
    assert "cannot be written to" in fault
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_a_fault(tmp_path):
    tmp_path.chmod(0o500)
    assert "ermission" in folders.faults(tmp_path / "new")[0]


COMMANDS = [
    *(("report",), ("backtest",), ("backtest", "--releases"), ("calibrate",)),
    *(("compare", "a", "b"), ("release", "a"), ("learn-priors", "--world-bank")),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_such_a_folder_at_once_with_two_and_one_message(capsys, monkeypatch, command):
    def started(*_, **__):
        raise AssertionError("the work was started")

    for work in (
        "evaluation.rolling_origins.origins",
        "evaluation.frozen_forecasts.read",
        "evaluation.calibration.problem",
        "runs.report.Reports.make",
        "runs.compare.read",
        "runs.release.freeze",
        "curves.learn_priors._read",
    ):
        monkeypatch.setattr(f"telemed_forecast.{work}", started)
    out = paths.ROOT / "README.md" / "x"
    assert cli.main([*command, "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("is not a folder") == 1
