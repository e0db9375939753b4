"""PDFs: drawn from the page, tagged, with contents, fonts embedded, and the same bytes each time."""

import re
import sys
import zlib

import made_up_page
import pytest

from telemed_forecast.render import html, pdf
from telemed_forecast.render.page import Section
from telemed_forecast.render.readable import Readable
from telemed_forecast.render.texts import catalogue

pytestmark = pytest.mark.skipif(bool(pdf.missing()), reason="Pango is not installed")


@pytest.fixture(scope="module", params=["en", "zh"])
def drawn(request):
    """A page, its language, and its PDF."""
    page = made_up_page.page()
    return page, request.param, pdf.pdf(html.page(page, request.param), page, request.param)


def inside(made):
    """Everything that a PDF's streams say, unpacked, behind its plain parts."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    texts = [made]
    for one in packed:
        try:
            texts.append(zlib.decompress(one))
        except zlib.error:  # a stream that is not packed
            texts.append(one)
    return b"\n".join(texts)


def strings(said, key):
    """Values of a key, as text; parentheses and UTF-16 as PDF writes them."""
    found = [text.replace(b"\\(", b"(").replace(b"\\)", b")") for text in re.findall(key + rb" \((.*?)(?<!\\)\)", said)]
    coded = [
        bytes.fromhex(text.decode())[2:].decode("utf-16-be") for text in re.findall(key + rb" <feff([0-9a-f]*)>", said)
    ]
    return [text.decode("latin-1") for text in found] + coded


def test_it_is_tagged_in_its_language_and_says_that_it_follows_pdf_ua(drawn):
    _, lang, made = drawn
    said = inside(made)
    assert b"/StructTreeRoot" in said
    assert b"pdfuaid:part" in said
    assert (b"(zh-Hans)" if lang == "zh" else b"(en)") in said


def test_every_chart_has_a_text_alternative_and_every_heading_a_bookmark(drawn):
    page, _, made = drawn
    said = inside(made)
    charts = [one for one in page.exhibits if Readable(one, catalogue("en")).kind == "chart"]
    assert len(strings(said, b"/Alt")) == len(charts)
    assert all(" – " in text for text in strings(said, b"/Alt"))
    headings = {piece.text for piece in page.pieces if isinstance(piece, Section)}
    assert headings <= set(strings(said, b"/Title"))


def test_every_font_is_embedded(drawn):
    said = inside(drawn[2])
    assert said.count(b"/FontDescriptor ") > 0
    assert len(re.findall(rb"/FontFile[23]?\b", said)) == len(re.findall(rb"/Type /FontDescriptor", said))


def test_the_same_page_gives_the_same_bytes(drawn):
    page, lang, made = drawn
    assert pdf.pdf(html.page(page, lang), page, lang) == made


def test_a_report_name_cannot_end_the_style_sheet():
    assert re.fullmatch(r'"[\w \\]*"', pdf._css_string('"; } </style><b>'))


def test_without_pango_there_is_a_message_of_one_line(monkeypatch):
    class Finder:
        def find_spec(self, name, *rest):
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert "libpango-1.0-0" in pdf.missing()
    assert "\n" not in pdf.missing()
