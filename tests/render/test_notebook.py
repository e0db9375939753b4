"""What a notebook shows of exhibits and numbers is what its page is made of."""

import json

import IPython.display
import pandas as pd
import pytest

from telemed_forecast.errors import InputError
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import KeyFigure, Value
from telemed_forecast.render import notebook

pytestmark = pytest.mark.unit

FIGURE = KeyFigure(
    id="users_2030", key="figure.users", value=Value(value=5e8, unit="persons"), period="2030", sources=("claim-1",)
)
TABLE = Exhibit(name="users_by_year", frame=pd.DataFrame({"year": [2025, 2026], "day": ["2025-12-31", None]}))


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """Writes the executed notebook of a cell that shows something."""

    def write(*given, **cell):
        outputs = []

        def display(one, raw):
            data = json.loads(json.dumps(one, sort_keys=True))  # a notebook's file sorts names
            outputs.append({"output_type": "display_data", "data": data, "metadata": {}})

        monkeypatch.setattr(IPython.display, "display", display)
        notebook.show(*given)
        code = {"cell_type": "code", "source": "show()", "execution_count": 1, "outputs": outputs, "metadata": {}}
        file = tmp_path / "users.ipynb"
        file.write_text(json.dumps({"cells": [code | cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return file

    return write


def test_exhibits_numbers_and_key_figures_come_back_as_they_were_shown(executed):
    numbers = {"now": Value(value=3, unit="years"), "claims": ("a",), "told": [{"rows": 2, "claims": ("b",)}]}
    other = FIGURE.model_copy(update={"id": "first_2030"})
    shown = notebook.read(executed({"users_by_year": TABLE}, numbers, {FIGURE.id: FIGURE, other.id: other}, None))
    pd.testing.assert_frame_equal(shown.exhibits["users_by_year"].frame, TABLE.frame)
    assert shown.numbers == numbers
    assert [*shown.figures.values()] == [FIGURE, other]


def test_whoever_runs_the_notebook_sees_the_table(executed):
    [output] = json.loads(executed(TABLE).read_text())["cells"][0]["outputs"]
    assert "<table>" in output["data"]["text/html"]


def test_what_is_neither_is_refused(executed):
    with pytest.raises(TypeError, match="neither exhibit nor numbers: int"):
        executed(3)


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="expected one of en, zh"):
        notebook.use_language("fr")


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "no such year", "traceback": []}
FAULTY = {"output_type": "display_data", "data": {notebook.EXHIBIT: {"name": "x"}}, "metadata": {}}


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ({"execution_count": None}, "cell 0: not executed"),
        ({"outputs": [ERROR]}, "cell 0: ValueError: no such year"),
        ({"outputs": [FAULTY]}, "cell 0: 'frame'"),
    ],
)
def test_a_cell_that_did_not_run_or_shows_something_faulty_is_named(executed, cell, fault):
    with pytest.raises(InputError, match=fault):
        notebook.read(executed(TABLE, **cell))


def test_what_a_cell_prints_is_read_and_what_a_check_cell_or_a_library_says_is_not(executed):
    stream = {"output_type": "stream", "name": "stdout", "text": ["hello ", "there"]}
    assert notebook.read(executed(outputs=[stream])).printed == ["hello there"]
    assert notebook.read(executed(outputs=[stream], metadata={"tags": [notebook.CHECK]})) == notebook.Shown()
    assert notebook.read(executed(outputs=[stream | {"name": "stderr"}])) == notebook.Shown()


def test_an_empty_cell_is_passed_over(executed):
    assert notebook.read(executed(source="", execution_count=None)) == notebook.Shown()
