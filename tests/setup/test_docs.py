"""Every command and example of the documentation works, and the site builds without a warning."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from telemed_forecast import cli
from telemed_forecast.paths import ROOT

README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)( notest)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"^(?:\.venv/bin/)?telemed-forecast (.*)$")
PLACEHOLDERS = re.compile(r"reports/<[^>]+>")
SLOW = {"forecast", "market"}
STORED = {"compare", "verify", "release", "backtest", "calibrate", "learn-priors"}
"""Commands that need a finished run or minutes of sampling: their options are checked here, what they do elsewhere."""


def blocks(page, language):
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for name, untested, text in found if name == language and not untested]


def commands(page):
    """Arguments of each call of the program on a page."""
    lines = [line.strip() for text in blocks(page, "sh") for line in text.splitlines()]
    calls = [found[1] for line in lines if (found := PROGRAM.match(line))]
    return [shlex.split(PLACEHOLDERS.sub("reports", call), comments=True) for call in calls]


def name_of(page):
    return str(page.relative_to(ROOT))


ALL = [(name_of(page), tuple(call)) for page in PAGES for call in commands(page)]
QUICK = [call for _, call in ALL if "--dry-run" in call or call[0] in {"params", "evidence", "runs", "cache"}]
RUN = [call for _, call in ALL if call[0] in SLOW or call in QUICK]
each_command = pytest.mark.parametrize(("page", "call"), ALL, ids=[" ".join(call)[:60] for _, call in ALL])


@pytest.mark.unit
def test_the_pages_have_commands():
    assert len(ALL) > 30 and {"report", "forecast", "market", "evidence", "compare"} <= {call[0] for _, call in ALL}


@pytest.mark.unit
@each_command
def test_a_command_of_the_docs_is_one_that_the_program_takes(page, call):
    context = command = typer.main.get_command(cli.app)
    arguments = list(call)
    context = command.make_context("telemed-forecast", list(arguments[:1]) or ["--help"])
    while hasattr(command, "get_command"):
        name = arguments.pop(0)
        command = command.get_command(context, name)
        assert command is not None, f"{page}: there is no command {name}"
        if hasattr(command, "get_command"):
            context = command.make_context(name, [arguments[0]], parent=context)
    command.make_context(command.name, arguments, parent=context)


@pytest.mark.unit
def test_a_command_that_is_none_would_be_noticed():
    with pytest.raises(Exception, match="No such option"):
        test_a_command_of_the_docs_is_one_that_the_program_takes("x.md", ("report", "--horizon", "2031"))


@pytest.mark.unit
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_target_of_make_that_a_page_names_is_there(page):
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {line.split()[1] for text in blocks(page, "sh") for line in text.splitlines() if line.startswith("make ")}
    assert named <= made


@pytest.mark.unit
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_pictures_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


# docs/growth.md has its own test.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "growth.md"], ids=name_of)
def test_the_examples_in_python_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = {}
    for example in blocks(page, "python"):
        exec(compile(example, name_of(page), "exec"), names)


@pytest.mark.unit
def test_every_scenario_of_the_docs_can_be_loaded(tmp_path):
    from telemed_forecast import scenarios

    texts = [text for page in PAGES for text in blocks(page, "toml")]
    assert len(texts) >= 2
    for number, text in enumerate(texts):
        file = tmp_path / f"mine{number}.toml"
        file.write_text(text, encoding="utf-8")
        scenarios.load(str(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as the reader of the docs has it: the examples, and files of their own."""
    place = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "docs" / "examples", place / "docs" / "examples")
    shutil.copy(ROOT / "docs" / "examples" / "series.csv", place / "mine.csv")
    return place


def called(call, folder):
    command = [sys.executable, "-m", "telemed_forecast.cli", *call]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("call", dict.fromkeys(RUN), ids=lambda call: " ".join(call)[:60])
def test_a_command_of_the_docs_does_what_it_says(call, folder):
    if "mine.csv" in call and call[0] in {"evidence", "report"}:
        own = next(text for text in blocks(ROOT / "docs" / "own_evidence.md", "csv"))
        call = [str(folder / "evidence.csv") if word == "mine.csv" else word for word in call]
        (folder / "evidence.csv").write_text(own, encoding="utf-8")
    ended = called(call, folder)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert built.returncode == 0, built.stderr
    pages = {page.name: page.read_text(encoding="utf-8") for page in (tmp_path / "site").glob("*.html")}
    assert {"index.html", "models.html", "evidence.html", "interface.html"} <= pages.keys()
    for name, text in pages.items():
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?//', text), name
        assert "{{" not in text, name
    assert pages["models.html"].count("<math") > 30 and not re.search("arithmatex|:math:|\\$\\$", pages["models.html"])
    assert "online_medical_users" in pages["evidence.html"] and "Market" in pages["interface.html"]
    assert Path(tmp_path / "site" / "images" / "architecture.svg").is_file()
