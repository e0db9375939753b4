"""scripts/find-python on made-up machines: interpreters are shell scripts that lie about their version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[2] / "scripts" / "find-python"
TOOLS = ["cat", "dirname", "ls", "sed", "sh", "sort"]


class Machine:
    """A folder with a PATH, a pyenv root and nothing else."""

    def __init__(self, root: Path):
        self.path = root / "bin"
        self.pyenv = root / "pyenv"
        self.path.mkdir()
        for tool in TOOLS:
            (self.path / tool).symlink_to(shutil.which(tool))

    def script(self, place: Path, text: str) -> str:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\n{text}\n")
        place.chmod(0o755)
        return str(place)

    def python(self, place: Path, version: str, before: str = "") -> str:
        """Put a Python there that runs what it is told, believing to be of this version."""
        lie = f"sys.version_info = {tuple(map(int, version.split('.')))}; sys._base_executable = '{place}'"
        code = f"import sys; {lie}; {before or 'pass'}; exec(sys.argv[2])"
        return self.script(place, f'exec "{sys.executable}" -I -c "{code}" "$@"')

    def on_path(self, name: str, version: str, before: str = "") -> str:
        return self.python(self.path / name, version, before)

    def in_pyenv(self, version: str) -> str:
        return self.python(self.pyenv / "versions" / version / "bin" / "python", version)

    def find(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [SCRIPT, *arguments],
            env={"PATH": str(self.path), "PYENV_ROOT": str(self.pyenv), "HOME": str(self.pyenv)},
            capture_output=True,
            text=True,
            timeout=30,
        )

    def found(self, *arguments: str) -> str:
        result = self.find(*arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_python_3_13_on_path_is_preferred_to_pyenv(machine):
    expected = machine.on_path("python3.13", "3.13.1")
    machine.in_pyenv("3.13.9")
    assert machine.found() == expected


def test_python_3_13_is_preferred_to_another_that_would_do(machine):
    machine.on_path("python3", "3.12.4")
    machine.on_path("python3.12", "3.12.4")
    expected = machine.on_path("python3.13", "3.13.1")
    assert machine.found() == expected


def test_plain_python_will_do_when_it_is_new_enough(machine):
    machine.on_path("python3", "3.11.2")
    expected = machine.on_path("python", "3.12.0")
    assert machine.found() == expected


def test_pyenv_is_searched_when_python3_is_too_old(machine):
    machine.on_path("python3", "3.11.7")
    expected = machine.in_pyenv("3.12.1")
    assert machine.found() == expected


def test_the_newest_3_13_of_pyenv_wins(machine):
    machine.on_path("python3", "3.11.7")
    for version in ["3.9.18", "3.12.11", "3.13.2", "3.13.9"]:
        machine.in_pyenv(version)
    expected = machine.in_pyenv("3.13.10")
    assert machine.found() == expected


def test_a_pyenv_shim_that_fails_is_passed_over(machine):
    machine.script(machine.path / "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    expected = machine.in_pyenv("3.13.0")
    assert machine.found() == expected


def test_a_name_that_promises_more_than_it_runs_is_passed_over(machine):
    machine.on_path("python3.13", "3.11.7")
    expected = machine.on_path("python3.12", "3.12.1")
    assert machine.found() == expected


def test_a_python_that_cannot_create_environments_is_passed_over(machine):
    machine.on_path("python3.13", "3.13.5", before="sys.modules['ensurepip'] = None")
    expected = machine.in_pyenv("3.12.1")
    assert machine.found() == expected


def test_uv_brings_a_python_into_the_project_when_there_is_no_other(machine):
    machine.on_path("python3", "3.11.7")
    managed = machine.python(machine.path.parent / "managed" / "python3.13", "3.13.7")
    machine.script(
        machine.path / "uv",
        'echo "$2 $UV_PYTHON_INSTALL_DIR $UV_CACHE_DIR $UV_PYTHON_INSTALL_BIN" >> "$HOME.log"\n'
        f'if [ "$2" = find ]; then echo "{managed}"; else echo "Installed Python"; fi',
    )
    assert machine.found() == managed
    project = SCRIPT.parents[1]
    places = f"{project}/.cache/uv-python {project}/.cache/uv 0"
    assert machine.pyenv.with_suffix(".log").read_text() == f"install {places}\nfind {places}\n"


def test_uv_is_left_alone_when_pyenv_has_a_python(machine):
    expected = machine.in_pyenv("3.12.1")
    machine.script(machine.path / "uv", 'touch "$HOME.log"; exit 1')
    assert machine.found() == expected
    assert not machine.pyenv.with_suffix(".log").exists()


def test_without_any_usable_python_the_error_says_what_was_seen_and_what_to_install(machine):
    machine.on_path("python3", "3.11.7")
    machine.on_path("python3.12", "3.12.3", before="sys.modules['ensurepip'] = None")
    machine.script(machine.path / "uv", "echo 'no network' >&2; exit 2")
    result = machine.find()
    assert result.returncode == 1
    assert result.stdout == ""
    assert "needs CPython 3.12 or newer" in result.stderr
    assert "python3: 3.11.7, too old" in result.stderr
    assert "python3.12: 3.12.3, cannot create environments" in result.stderr
    assert "uv: could not install Python 3.13" in result.stderr
    assert "apt install python3.13 python3.13-venv" in result.stderr


def test_on_an_empty_machine_the_error_says_that_nothing_was_there(machine):
    result = machine.find()
    assert result.returncode == 1
    assert "no python on PATH, no pyenv version and no uv" in result.stderr


def test_a_python_asked_for_by_name_is_the_only_one_considered(machine):
    machine.on_path("python3.13", "3.13.1")
    expected = machine.on_path("python3.12", "3.12.1")
    old = machine.on_path("python3", "3.11.7")
    assert machine.found("python3.12") == expected
    result = machine.find(old)
    assert result.returncode == 1
    assert "3.11.7, too old" in result.stderr


def test_the_script_can_be_run():
    assert os.access(SCRIPT, os.X_OK)
