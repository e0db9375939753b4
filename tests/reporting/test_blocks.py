"""Blocks survive JSON, and a bad one is refused where it is made, with words that say what is wrong."""

import json
import subprocess
import sys

import made_up
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from telemed_forecast.reporting import blocks
from telemed_forecast.reporting.blocks import (
    MIME,
    UNITS,
    Chart,
    Column,
    ForecastTable,
    KeyFigure,
    KeyFigures,
    Paragraph,
    SourceRow,
    Table,
    TableBlock,
    Value,
    parse,
)

pytestmark = pytest.mark.unit

finite = st.floats(allow_nan=False, allow_infinity=False)
units = st.sampled_from([unit for unit in UNITS if unit != "probability"])


@st.composite
def values(draw: st.DrawFn) -> Value:
    low, number, high = sorted(draw(st.tuples(finite, finite, finite)))
    unit = draw(units)
    return Value(value=number, unit=unit, low=low, high=high) if draw(st.booleans()) else Value(value=number, unit=unit)


cells = st.one_of(st.none(), st.text(max_size=8), st.integers(-(2**53), 2**53), finite, values())
keys = st.from_regex(r"[a-z]{1,6}\.[a-z]{1,6}", fullmatch=True)


@given(values(), keys)
def test_a_key_figure_survives_json(value, key):
    item = KeyFigure(id="a", key=key, value=value, period="2030", sources=("claim-1",), note_values={"x": value})
    block = KeyFigures(items=(item,))
    assert parse(json.loads(json.dumps(block.model_dump(mode="json")))) == block


@given(st.lists(st.tuples(cells, cells), max_size=4))
def test_a_table_survives_json(rows):
    block = TableBlock(
        id="t",
        title_key="a.b",
        columns=(Column(name="x", key="a.x"), Column(name="y", key="a.y")),
        rows=tuple(rows),
    )
    assert parse(json.loads(json.dumps(block.model_dump(mode="json")))) == block


@given(
    keys,
    st.dictionaries(st.sampled_from("abc"), st.one_of(values(), st.text(), finite, st.integers(0, 9)), max_size=3),
)
def test_a_paragraph_survives_json(key, written):
    block = Paragraph(key=key, values=written)
    assert parse(json.loads(json.dumps(block.model_dump(mode="json")))) == block


@pytest.mark.parametrize("block", made_up.page(), ids=lambda block: block.summary())
def test_every_block_survives_json(block):
    assert parse(json.loads(json.dumps(block.model_dump(mode="json")))) == block


def chart(**changes):
    return made_up.dots().model_dump() | changes


FAN = made_up.fan().model_dump()
BAND = {name: [1.0] for name in blocks.FAN_COLUMNS} | {"period": ["2030-12-31"]}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Value(value=5, unit="persons", low=6, high=7), "does not hold"),
        (lambda: Value(value=5, unit="persons", low=4), "two ends"),
        (lambda: Value(value=float("nan"), unit="persons"), "finite"),
        (lambda: Value(value=1, unit="persons", low=0, high=float("inf")), "finite"),
        (lambda: Value(value=1.2, unit="probability"), "0..1"),
        (lambda: Value(value=1, unit="dollars"), "unit"),
        (lambda: Value(value=1, unit="count", level=1.0), "level"),
        (lambda: Chart(**{k: v for k, v in chart().items() if k != "alt_key"}), "alt_key"),
        (lambda: Chart(**chart(data={"category": ["a"], "value": [1.0]})), "missing columns"),
        (
            lambda: Chart(**chart(data={"category": ["a"], "value": [2.0], "low": [3.0], "high": [4.0]})),
            "above",
        ),
        (lambda: Chart(**chart(data={"category": [], "value": [], "low": [], "high": []})), "no rows"),
        (
            lambda: Chart(**chart(log=True, data={"category": ["a"], "value": [0.0], "low": [0], "high": [1]})),
            "logar",
        ),
        (lambda: Chart(**chart(reference_key=None)), "reference"),
        (lambda: Chart(**FAN | {"data": BAND | {"low80": [1.5]}}), "above"),
        (lambda: Chart(**FAN | {"data": BAND | {"median": [float("nan")]}}), "column 'median', row 0"),
        (lambda: Chart(**FAN | {"data": BAND | {"period": ["2030"]}}), "isoformat"),
        (lambda: Chart(**FAN | {"data": BAND | {"period": [2030]}}), "mix days and numbers"),
        (lambda: Table(columns=("a", "b"), rows=((1,),)), "1 cells for 2 columns"),
        (lambda: Table(columns=("a", "a"), rows=()), "occurs twice"),
        (
            lambda: KeyFigure(id="a", key="a.b", value=Value(value=1, unit="count"), period="2030", sources=()),
            "sources",
        ),
        (
            lambda: KeyFigure(id="a", key="a.b", value=Value(value=1, unit="count"), period="soon", sources=("x",)),
            "period",
        ),
        (lambda: SourceRow(claim_id="a", origin="o", title="t", url="javascript:alert(1)", grade="A"), "url"),
        (lambda: KeyFigures(items=made_up.figures().items * 2), "occurs twice"),
        (lambda: Paragraph(key="a.b", value={}), "value"),
    ],
)
def test_a_bad_block_is_refused(make, words):
    with pytest.raises((ValidationError, ValueError), match=words):
        make()


def test_quantiles_that_cross_are_refused():
    records = made_up.forecasts().data.records()
    records[1]["value"] = 0.0
    with pytest.raises(ValidationError, match="quantiles cross"):
        ForecastTable(data=pd.DataFrame(records))


def test_a_frozen_block_cannot_be_changed():
    with pytest.raises(ValidationError):
        made_up.figures().items[0].value.value = 1.0


def test_a_data_frame_becomes_plain_cells():
    frame = pd.DataFrame(
        {
            "period": pd.to_datetime(["2030-12-31"]),
            "n": np.array([3]),
            "x": [0.5],
            "gap": pd.array([pd.NA], "Int64"),
        }
    )
    table = Table.model_validate(frame)
    assert table.rows == (("2030-12-31", 3, 0.5, None),)
    assert [type(cell) for cell in table.rows[0]] == [str, int, float, type(None)]


@pytest.mark.parametrize("block", made_up.page(), ids=lambda block: type(block).__name__)
def test_a_block_shows_itself_in_a_notebook(block, monkeypatch):
    monkeypatch.setattr("telemed_forecast.render.html.catalogue", made_up.texts)
    bundle = block._repr_mimebundle_()
    assert parse(bundle[MIME]) == block
    assert "\n" not in bundle["text/plain"]
    assert bundle["text/html"].startswith("<")


def test_importing_blocks_is_light():
    heavy = "{'altair', 'pandas', 'numpy', 'jinja2', 'vl_convert', 'IPython'}"
    code = f"import sys, telemed_forecast.reporting.blocks; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
