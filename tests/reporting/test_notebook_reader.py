"""An executed notebook gives its blocks back; what its cells say decides whether it ran."""

import json

import made_up
import pytest

from telemed_forecast.errors import InputError
from telemed_forecast.render.notebook_reader import blocks_of
from telemed_forecast.reporting.blocks import MIME, Markdown

pytestmark = pytest.mark.unit


def shown(block):
    data = {MIME: block.model_dump(mode="json"), "text/plain": ["..."]}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def code(*outputs, count=1):
    return {
        "cell_type": "code",
        "source": ["x"],
        "execution_count": count,
        "outputs": list(outputs),
        "metadata": {},
    }


def text(words, *tags):
    return {"cell_type": "markdown", "source": [words], "metadata": {"tags": list(tags)}}


@pytest.fixture
def write(tmp_path):
    def written(*cells):
        path = tmp_path / "market_size.ipynb"
        papermill = {"papermill": {"exception": None, "status": "completed"}}
        path.write_text(json.dumps({"cells": cells, "metadata": papermill, "nbformat": 4, "nbformat_minor": 5}))
        return path

    return written


def test_blocks_come_back_in_order(write):
    blocks = made_up.page()
    path = write(
        text("# For the lab", "lab-only"),
        code(shown(blocks[0])),
        text("Words."),
        code(*map(shown, blocks[1:])),
    )
    assert blocks_of(path) == [blocks[0], Markdown(text="Words."), *blocks[1:]]


def test_other_outputs_and_empty_cells_are_passed_over(write):
    stream = {"output_type": "stream", "name": "stdout", "text": ["hello"]}
    empty = {**code(count=None), "source": []}
    assert blocks_of(write(code(stream), empty)) == []


def test_a_cell_that_did_not_run_is_named(write):
    with pytest.raises(InputError, match="cell 1: not executed"):
        blocks_of(write(code(), code(count=None)))


def test_an_error_is_named(write):
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no such year", "traceback": []}
    with pytest.raises(InputError, match="cell 0: ValueError: no such year"):
        blocks_of(write(code(error)))


def test_a_faulty_block_is_named(write):
    output = shown(made_up.dots())
    del output["data"][MIME]["alt_key"]
    with pytest.raises(InputError, match=r"cell 0: a block of type 'chart'[\s\S]*alt_key"):
        blocks_of(write(code(output)))
