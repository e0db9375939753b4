"""Lets the tests of this folder import the small model, fitted in processes of their own, and checks of truths."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "models"))


@dataclass(frozen=True)
class Asked:
    """Two processes asked one store for one fit: what they printed, how often a model was built.

    A third one fitted other data first and had a store of its own.
    """

    printed: list[str]
    built: int
    after_others: str


@pytest.fixture(scope="session")
def asked_at_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fits")
    # Compiled anew in every process, as for a report: code from the disk rounds differently.
    env = {name: value for name, value in os.environ.items() if name != "PYTENSOR_FLAGS"}

    def start(*arguments):
        call = [sys.executable, str(Path(__file__).with_name("toy.py")), *arguments]
        return subprocess.Popen(call, stdout=subprocess.PIPE, text=True, env=env)

    started = [start(str(folder)), start(str(folder)), start(str(tmp_path_factory.mktemp("others")), "after others")]
    printed = [process.communicate(timeout=300)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    return Asked(printed[:2], len((folder / "built.txt").read_text().splitlines()), printed[2])
