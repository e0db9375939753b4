"""Charts are accessible, repeatable, alone on their ids, and hold no reference to anything outside."""

import json
import re
from xml.etree import ElementTree

import made_up_page
import pytest

from telemed_forecast.render import charts, grids
from telemed_forecast.render.charts import style
from telemed_forecast.render.charts.drawing import Drawing
from telemed_forecast.render.readable import Readable
from telemed_forecast.render.texts import catalogue

CHARTS = [*made_up_page.charts(), made_up_page.fan("prior")]
SVG = "{http://www.w3.org/2000/svg}"


def draw(chart, lang="en", form=charts.WIDE):
    return charts.svg(Readable(chart, catalogue(lang)), form)


@pytest.mark.parametrize("form", [charts.WIDE, charts.NARROW], ids=lambda form: form.name)
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_a_chart_says_what_it_shows(chart, lang, form):
    root, shown = ElementTree.fromstring(draw(chart, lang, form)), Readable(chart, catalogue(lang))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert title.text.startswith(shown.text("title"))
    assert description.text == shown.text("alt")
    assert shown.texts.unit(shown.unit, charts.scale_of(shown)) in "".join(root.itertext())


def test_the_same_exhibit_gives_the_same_bytes():
    first = draw(made_up_page.fan())
    charts._convert.cache_clear()
    assert draw(made_up_page.fan()) == first


def test_ids_differ_between_figures_and_forms():
    drawn = [draw(chart, form=form) for chart in CHARTS for form in (charts.WIDE, charts.NARROW)]
    ids = [one for text in drawn for one in re.findall(r'\bid="([^"]+)"', text)]
    assert len(ids) == len(set(ids))


def test_nothing_is_fetched_and_no_date_is_written():
    for chart in CHARTS:
        text = draw(chart)
        assert not re.search(r'(href|src)="(?!#)', text)
        assert "<script" not in text and "<style" not in text


def test_numbers_are_never_written_with_an_exponent():
    assert not re.search(r">[^<]*\de\+\d[^<]*<", "".join(draw(chart) for chart in CHARTS))


def test_every_colour_of_a_chart_has_a_dark_partner_or_reads_on_both():
    used = {color.lower() for chart in CHARTS for color in re.findall(r'(?:fill|stroke)="(#\w{6})"', draw(chart))}
    both = {"#e69f00", "#cc79a7", "#56b4e9"}
    assert used <= set(style.DARK) | both


def test_a_long_label_is_broken_between_words_and_chinese_anywhere():
    assert style.wrap("Insurance cover of online visits", 17) == ["Insurance cover", "of online visits"]
    assert style.wrap("各省医保覆盖线上复诊", 8) == ["各省医保", "覆盖线上", "复诊"]


def test_years_are_named_at_their_last_day():
    drawing = Drawing(made_up_page.readable(), charts.WIDE)
    assert len(drawing.year_ends()) <= charts.WIDE.ticks
    assert drawing.column_name(drawing.year_ends()[-1]) == "2030"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_table_beside_a_chart_holds_its_numbers(lang):
    data, points, lines = grids.of_chart(made_up_page.readable(lang=lang))
    last = [cell.text for cell in data.rows[-1]]
    assert last == (
        ["2030", "510", "460–570", "410–620", "370–700"]
        if lang == "en"
        else ["2030", "5.1", "4.6–5.7", "4.1–6.2", "3.7–7.0"]
    )
    assert [cell.text for cell in points.rows[0]][2:] == ["B", "survey 40"]
    assert len(lines.heads) == 3


def test_a_legend_leaves_room_for_the_names_of_the_rows_beside_it():
    labels = ["处于最低五分之一时", "处于最高五分之一时"]
    assert style.legend_columns(labels, charts.NARROW) == 2
    assert style.legend_columns(labels, charts.NARROW, beside=110.0) == 1


def test_a_charts_text_loses_what_no_svg_may_hold_and_nothing_else():
    text = "a\x0bb\x0cc\x08d\\u000be\n\u2028\ufffe"
    assert json.loads(style.drawable(json.dumps(text, ensure_ascii=False))) == "a b c d\\u000be\n\u2028 "
