"""Lets the tests of this folder import the small model, and fits it in processes of their own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@dataclass(frozen=True)
class Asked:
    """Two processes asked one store for one fit: what they printed, how often a model was built."""

    printed: list[str]
    built: int


@pytest.fixture(scope="session")
def asked_at_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fits")
    call = [sys.executable, str(Path(__file__).with_name("toy.py")), str(folder)]
    started = [subprocess.Popen(call, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=300)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    return Asked(printed, len((folder / "built.txt").read_text().splitlines()))
