"""The notebooks are thin, and run by plain papermill from any folder."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from telemed_forecast.paths import NOTEBOOKS

NAMES = (
    "channel_share",
    "evidence_review",
    "executive_summary",
    "internet_hospitals",
    "market_size",
    "track_record",
    "user_adoption",
)
TUTORIALS = ("size_your_own_market",)
LONGEST_CELL = 12


def cells(name):
    """The code cells of a notebook: (source, tags, outputs)."""
    notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    return [
        ("".join(cell["source"]), cell["metadata"].get("tags", []), cell["outputs"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def test_there_is_a_notebook_for_each_report_and_tutorial_and_no_other():
    assert sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")) == sorted((*NAMES, *TUTORIALS))


@pytest.mark.parametrize("name", (*NAMES, *TUTORIALS))
def test_a_notebook_defines_nothing_and_its_cells_are_short(name):
    for source, _, _ in cells(name):
        tree = ast.parse(source)
        definitions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
        assert not definitions, f"{name} defines something in a cell"
        assert len(source.splitlines()) <= LONGEST_CELL, f"{name} has a long cell"


@pytest.mark.parametrize("name", (*NAMES, *TUTORIALS))
def test_a_notebook_assigns_each_name_once(name):
    assigned = []
    for source, _, _ in cells(name):
        for node in ast.parse(source).body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            assigned += [target.id for target in targets if isinstance(target, ast.Name)]
    assert len(assigned) == len(set(assigned))


@pytest.mark.parametrize("name", (*NAMES, *TUTORIALS))
def test_only_check_cells_carry_stored_output_and_each_notebook_has_one(name):
    stored = [tags for _, tags, outputs in cells(name) if outputs]
    assert stored == [["nbval-check-output", "keep_output"]]


@pytest.mark.slow
@pytest.mark.notebook
def test_plain_papermill_runs_a_notebook_from_another_folder_with_another_horizon(tmp_path):
    papermill = Path(sys.executable).with_name("papermill")
    source = os.path.relpath(NOTEBOOKS / "user_adoption.ipynb", tmp_path)
    arguments = [papermill, source, "out.ipynb", "-p", "horizon", "2032", "-p", "profile", "quick"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    text = (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert "users_2032" in text and "2032-12-31" in text
    # Others' forecasts of later years stand among the evidence.
    assert "users_2030" not in text and "users_2033" not in text
