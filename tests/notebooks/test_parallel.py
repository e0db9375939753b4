"""How notebooks are run by nbval: without a registered kernel, and never with cells spread over processes."""

import json
import os
import subprocess
import sys

import pytest

from telemed_forecast.paths import ROOT

pytestmark = [pytest.mark.notebook, pytest.mark.slow]


@pytest.fixture
def run(tmp_path):
    """Run a notebook whose second cell needs its first, as the Makefile does; returns code and what was said."""
    cells = [
        {"cell_type": "code", "execution_count": None, "id": f"c{k}", "metadata": {}, "outputs": [], "source": [source]}
        for k, source in enumerate(["import os\nx = 1", "x += 1", "assert x == 2"])
    ]
    spec = {"display_name": "none", "language": "python", "name": "no-such-kernel"}
    notebook = {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "small.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")

    def run(*options):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "--nbval-lax"]
        nowhere = {"JUPYTER_PATH": str(tmp_path / "none"), "JUPYTER_DATA_DIR": str(tmp_path / "none")}
        ended = subprocess.run(
            [*command, "--nbval-current-env", "--nbval-kernel-startup-timeout", "300", "small.ipynb"],
            cwd=tmp_path,
            env={**os.environ, **nowhere},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return ended.returncode, ended.stdout + ended.stderr

    return run


def test_no_kernel_has_to_be_registered(run):
    code, said = run()
    assert code == 0, said
    assert "3 passed" in said


def test_several_processes_run_the_cells_of_a_notebook_in_order(run):
    code, said = run("-n", "3", "--dist", "loadfile")
    assert code == 0, said
    assert "3 passed" in said


def test_cells_are_not_spread_over_processes(run):
    code, said = run("-n", "3")
    assert code != 0 and "--dist loadfile" in said and "passed" not in said


@pytest.mark.unit
def test_the_makefile_waits_for_a_kernel_on_a_busy_machine():
    assert "--nbval-kernel-startup-timeout 300" in (ROOT / "Makefile").read_text(encoding="utf-8")
