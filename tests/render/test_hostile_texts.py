"""Texts of users and of pages on the web are text in every output: HTML, CSV, workbook, PDF, drawing."""

import csv
import html.parser
import io
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telemed_forecast import hub_format
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.curves.series import Series
from telemed_forecast.evidence.dictionary import LONGEST
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.render import tables, workbook
from telemed_forecast.render.charts import small_multiples
from telemed_forecast.render.html import page as html_page
from telemed_forecast.render.page import Page, Section

pytestmark = pytest.mark.unit

CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "</title></svg><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://example.org","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "＝1+1",
    "../../../etc/passwd",
    "C:\\Windows\\x",
    "a\u2028b\u2029c\x85d\x0be\x0cf\x1eg",
    "one\r\ntwo\nthree\rfour",
    'a,"b";c\td',
    "\u202egnp.exe\u202c",
    "\ufeff医院 \U0001f3e5 é\u0301",
    "nan",
    "-inf",
    "1e999",
    "9" * 400,
    "20000-01-01",
    "x" * 40_000,
    "",
)
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def hostile_page(text):
    """A page whose sources, headings and table say something that nobody foresaw."""
    row = {"claim_id": "c-1", "origin": text, "title": text, "url": "", "date": "2024-01-01", "grade": "A"}
    sources = Exhibit(name="sources", frame=pd.DataFrame([row]))
    return Page("market_size", [Section(2, text, "here")], (), {"sources": sources})


class Seen(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text.append(data)


PLAIN = Seen(html_page(hostile_page("plain"), "en"))


def each_of_the_corpus(test):
    for text in CORPUS:
        test = example(text)(test)
    return test


@settings(max_examples=40)
@given(ANY)
@each_of_the_corpus
def test_a_page_has_no_tag_and_no_attribute_more_for_it(text):
    seen = Seen(html_page(hostile_page(text), "en"))
    assert (seen.tags, seen.attributes) == (PLAIN.tags, PLAIN.attributes)


@settings(max_examples=100)
@given(ANY)
@each_of_the_corpus
def test_a_csv_file_keeps_it_in_one_cell_that_is_no_formula(text):
    frame = tables.frames(hostile_page(text))["market_size-sources.csv"]
    written = frame.to_csv(index=False, lineterminator="\n")
    header, *rows = csv.reader(io.StringIO(written, newline=""))
    assert len(rows) == 1 and len(rows[0]) == len(header)
    cell = rows[0][header.index("origin")]
    assert cell.removeprefix("'") == text.removeprefix("'")
    try:
        float(cell.rstrip("%").replace(",", "") or "0")
    except ValueError:
        assert not cell.lstrip().startswith(FORMULA)


def workbook_cells(text):
    book = openpyxl.load_workbook(io.BytesIO(workbook.workbook([hostile_page(text)], run="r", status="gated-ok")))
    return [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def formulas(cells):
    return sorted(str(cell.value) for cell in cells if cell.data_type == "f")


FORMULAS = formulas(workbook_cells("plain"))
"""The workbook's own."""


@settings(max_examples=15)
@given(ANY)
@each_of_the_corpus
def test_a_workbook_holds_it_as_text(text):
    cells = workbook_cells(text)
    assert formulas(cells) == FORMULAS
    if len(text) > 100:
        assert any(str(cell.value).startswith(text[:100]) for cell in cells)


@settings(max_examples=5)
@given(ANY.filter(str.strip))
@example("医院<b>&amp;")
@example("a\u2028b\x0bc\x0c\x1e\ufffe")
@example("]]>")
def test_a_drawing_stays_one_drawing(text):
    series = Series(text, "annual", np.arange(2015, 2021), np.arange(1.0, 7.0), text)
    quantiles = np.tile(np.linspace(5.0, 8.0, len(hub_format.QUANTILES)), (2, 1))
    drawn = small_multiples.inline([Forecast(series, quantiles, quantiles.mean(axis=1))], text, text)
    root = ElementTree.fromstring(drawn)
    assert not [node for node in root.iter() if node.tag.endswith(("script", "foreignObject", "image"))]


@pytest.mark.slow
@pytest.mark.parametrize("text", [text[:LONGEST] for text in CORPUS], ids=range(len(CORPUS)))
def test_a_pdf_is_drawn_of_it_without_a_file_or_an_address_being_asked_for(text, monkeypatch):
    from telemed_forecast.render import pdf

    if pdf.missing():
        pytest.skip(pdf.missing())
    page = hostile_page(text)
    drawn = pdf.pdf(html_page(page, "en"), page, "en")
    assert drawn.startswith(b"%PDF") and b"/JavaScript" not in drawn and b"/Launch" not in drawn
