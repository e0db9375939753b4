"""What a notebook shows of exhibits and numbers is what its page is made of."""

import json

import IPython.display
import pandas as pd
import pytest

from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import KeyFigure, Value
from telemed_forecast.render import notebook, pages
from telemed_forecast.reporting.blocks import KeyFigures, Markdown

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

        def display(one, raw=False):
            bundle = one if raw else one._repr_mimebundle_()
            outputs.append({"output_type": "display_data", "data": json.loads(json.dumps(bundle)), "metadata": {}})

        monkeypatch.setattr(IPython.display, "display", display)
        notebook.show(*given)
        code = {"cell_type": "code", "source": "show()", "execution_count": 1, "outputs": outputs, "metadata": {}}
        file = tmp_path / "users.ipynb"
        file.write_text(json.dumps({"cells": [code | cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        return file

    return write


def test_exhibits_numbers_and_key_figures_come_back_as_they_were_shown(executed):
    numbers = {"now": Value(value=3, unit="years"), "claims": ("a",), "told": [{"rows": 2, "claims": ("b",)}]}
    shown = notebook.read(executed({"users_by_year": TABLE}, numbers, {FIGURE.id: FIGURE}, None))
    pd.testing.assert_frame_equal(shown.exhibits["users_by_year"].frame, TABLE.frame)
    assert shown.numbers == numbers
    assert shown.blocks == [KeyFigures(items=(FIGURE,))]


def test_whoever_runs_the_notebook_sees_the_table(executed):
    [output] = json.loads(executed(TABLE).read_text())["cells"][0]["outputs"]
    assert "<table>" in output["data"]["text/html"]


def test_what_is_neither_is_refused(executed):
    with pytest.raises(TypeError, match="neither exhibit nor numbers: int"):
        executed(3)


def test_a_notebook_of_blocks_alone_is_its_own_page(executed):
    shown = notebook.read(executed([Markdown(text="As it stands.")]))
    assert pages.blocks("users", shown, "zh") == [Markdown(text="As it stands.")]
