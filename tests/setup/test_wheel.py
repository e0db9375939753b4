"""The wheel holds all that a report reads: it works in an environment of its own, outside of the repository."""

import json
import os
import subprocess
import sys
import sysconfig
import venv

import pytest

from telemed_forecast.paths import ROOT
from telemed_forecast.runs import plan

pytestmark = pytest.mark.slow

INPUTS = """
import datetime as dt, json
from telemed_forecast.runs import parameters, plan
print(json.dumps(plan.inputs_of(plan.Project(), parameters.NOTEBOOKS, dt.date(2026, 11, 29))))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Runs a program of an environment that holds the wheel, in a folder that holds nothing."""
    place = tmp_path_factory.mktemp("elsewhere")
    done = build(place)
    assert done.returncode == 0, done.stderr
    [wheel] = (place / "dist").iterdir()
    venv.create(place / "env", symlinks=True)
    python = place / "env" / "bin" / "python"
    install = ["-m", "uv", "pip", "install", "--offline", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True, timeout=300)
    # The packages that it needs are those of this environment: only the project is installed anew.
    libraries = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True
    ).stdout.strip()
    with open(f"{libraries}/libraries.pth", "w") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    (place / "work").mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TELEMED"))}
    env |= {"HOME": str(place / "home"), "XDG_CACHE_HOME": str(place / "cache")}

    def run(program, *arguments):
        call = [str(place / "env" / "bin" / program), *arguments]
        return subprocess.run(call, cwd=place / "work", env=env, capture_output=True, text=True, timeout=600)

    run.place = place
    return run


def build(place):
    call = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place / "dist")]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_the_package_is_its_own_and_brings_every_input_of_a_run_along(installed):
    where = installed("python", "-c", "from telemed_forecast import paths; print(paths.PACKAGE, paths.CACHE)")
    package, cache = where.stdout.split()
    assert package.startswith(str(installed.place / "env")) and cache.startswith(str(installed.place / "cache"))
    there = json.loads(installed("python", "-c", INPUTS).stdout)
    here = plan.inputs_of(plan.Project(), plan.NOTEBOOKS, plan.dt.date(2026, 11, 29))
    del here["requirements.lock"]  # it says what a checkout installs
    assert there == here


@pytest.mark.parametrize("command", ["--version", "params", "evidence check", "runs list", "cache info"])
def test_commands_that_read_what_is_shipped_work(installed, command):
    done = installed("telemed-forecast", *command.split())
    assert done.returncode == 0, done.stderr


def test_a_report_finds_notebooks_and_scenarios_and_would_write_below_the_working_directory(installed):
    done = installed("telemed-forecast", "report", "--dry-run", "--scenario", "bull")
    assert done.returncode == 0, done.stderr
    assert "would run executive_summary, market_size" in done.stdout
    assert list((installed.place / "work").iterdir()) == []


def test_a_series_is_forecast_with_the_priors_that_are_shipped(installed):
    rows = "\n".join(f"a,{2015 + k},{1.3**k:.3f}" for k in range(8))
    (installed.place / "series.csv").write_text(f"series_id,date,value\n{rows}\n")
    done = installed("telemed-forecast", "forecast", str(installed.place / "series.csv"), "--horizon", "2")
    assert done.returncode == 0, done.stderr
    assert "quantile" in done.stdout
