"""A small made-up project: notebooks that run in a second, a few data files, and pages of plain text."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from telemed_forecast.runs import parameters
from telemed_forecast.runs.plan import Project

DRIVER = Path(__file__).with_name("driver.py")
sys.path.insert(0, str(DRIVER.parent))  # for tests that make a run in their own process

VALIDATE = """
from telemed_forecast.runs import parameters
settings = parameters.from_notebook("{name}", globals())
"""
SHOW = """
from IPython.display import display
block = {{"type": "key_figures", "horizon": settings.horizon, "seed": settings.seed}}
display({{"application/vnd.telemed-forecast.block+json": block, "text/plain": "{name}"}}, raw=True)
"""


def notebook(name, *cells):
    """A notebook as JSON: the two first cells of every notebook, then these."""
    sources = [
        ("markdown", "# " + name, []),
        ("code", parameters.cell_source(name), ["parameters"]),
        ("code", VALIDATE.format(name=name).strip(), ["validate"]),
        *(("code", cell.strip(), []) for cell in cells or [SHOW.format(name=name)]),
    ]
    return {
        "cells": [
            {"cell_type": kind, "source": source, "metadata": {"tags": tags}}
            | ({"outputs": [], "execution_count": None} if kind == "code" else {})
            for kind, source, tags in sources
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }


class MadeUpProject(Project):
    """A project in a temporary folder whose files a test can change."""

    def put(self, path, text):
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def put_notebook(self, name, *cells):
        """Write a notebook with these cells after the first two."""
        return self.put(f"notebooks/{name}.ipynb", json.dumps(notebook(name, *cells)))

    @property
    def out(self):
        """The folder of its reports."""
        return self.root / "reports"

    def command(self, *arguments):
        """The command that makes its reports in another process."""
        return [sys.executable, str(DRIVER), str(self.root), *arguments]

    def report(self, *arguments, **options):
        """Make its reports in another process and wait."""
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, timeout=60, **options
        )

    def whole_runs(self):
        """Names of the runs in the folder of reports; fails when anything else is visible."""
        from telemed_forecast.runs import manifest

        visible = [path for path in self.out.glob("[!.]*") if path.name != "index.html"] if self.out.exists() else []
        for path in visible:
            assert manifest.differences(path) == []
        return sorted(path.name for path in visible)


def make_up(folder):
    """Write a small project into a folder."""
    made = MadeUpProject(root=folder / "project", cache=folder / "project" / ".cache")
    made.put("data/evidence/users.csv", "claim_id,value\na,1\n")
    made.put("scenarios/base.toml", "weight = 1.0\n")
    made.put("telemed_forecast/model.py", "x = 1\n")
    made.put("requirements.lock", "numpy==1\n")
    made.put_notebook("user_adoption")
    return made


@pytest.fixture(autouse=True)
def _no_profile_from_outside(monkeypatch):
    for variable in parameters.ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def project(tmp_path):
    return make_up(tmp_path)


@pytest.fixture(scope="module")
def project_in(tmp_path_factory):
    """Makes up a project in a folder of this name."""
    return lambda name: make_up(tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A project with one finished run; its place does not matter, so tests take copies."""
    made = make_up(tmp_path_factory.mktemp("reported"))
    process = made.report()
    assert process.returncode == 0, process.stderr
    return made


@pytest.fixture
def finished(project, reported):
    """A project with one finished run, and the run's name."""
    shutil.copytree(reported.out, project.out)
    [folder] = project.whole_runs()
    return project, folder


@pytest.fixture
def processes_of():
    """Find the processes whose environment or command line mentions a text."""

    def find(text):
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                known = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if text.encode() in known and int(folder.name) != os.getpid():
                found.append(int(folder.name))
        return found

    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc")
    return find


@pytest.fixture(scope="module")
def small_pages(tmp_path_factory):
    """Pages of one table for made-up notebooks, in place of the reports' own."""
    from telemed_forecast.render import pages

    folder = tmp_path_factory.mktemp("pages")
    for report in ("executive_summary", "user_adoption"):
        for lang in ("en", "zh"):
            (folder / f"{report}.{lang}.md").write_text("{{ exhibits.users_by_year }}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "PAGES", folder)
        pages._environment.cache_clear()
        yield
    pages._environment.cache_clear()
