"""Charts are accessible, repeatable, alone on their ids, and hold no reference to anything outside."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import made_up_page
import pytest

from telemed_forecast.render import charts, grids
from telemed_forecast.render.charts import over_time, style
from telemed_forecast.render.charts.canvas import apart
from telemed_forecast.render.charts.drawing import Drawing
from telemed_forecast.render.readable import Readable
from telemed_forecast.render.texts import catalogue

CHARTS = [*made_up_page.charts(), made_up_page.fan("prior")]
findings_columns = ["low95", "low80", "low50", "median", "high50", "high80", "high95"]
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
    assert title.text.startswith(shown.finding)
    assert description.text == shown.text("alt")
    assert shown.texts.unit(shown.unit, charts.scale_of(shown)) in "".join(root.itertext())


def test_the_same_exhibit_gives_the_same_bytes():
    first = draw(made_up_page.fan())
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


def test_every_colour_of_a_chart_has_a_dark_partner():
    used = {color.lower() for chart in CHARTS for color in re.findall(r'(?:fill|stroke)="(#\w{6})"', draw(chart))}
    assert used <= set(style.DARK)


def light(color):
    """Relative luminance of WCAG 2.2."""
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("screen", [lambda color: color, style.DARK.get], ids=["light", "dark"])
def test_lines_marks_and_the_edges_of_bands_stand_out_from_what_they_are_drawn_on(screen):
    for color in (style.EDGE, style.MEDIAN, *style.SERIES, *style.TONES.values()):
        assert contrast(screen(color), screen(style.PAPER)) >= 3, color
    for color, tint in style.TINTS.items():
        assert contrast(screen(color), screen(tint)) >= 3, color


def strokes(text, color, dash=""):
    """Points of each stroke of a colour."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    ways = re.findall(rf'<path d="M([^"Z]+)" fill="none" stroke="{color}" stroke-width="[\d.]+"{dashed}/>', text)
    return [[tuple(map(float, point.split(","))) for point in way.split("L")] for way in ways]


def test_a_forecast_fans_out_from_its_latest_figure_and_is_dashed_from_there():
    text = draw(made_up_page.fan())
    (rule,) = [way for way in strokes(text, style.SOFT, "3 3") if way[0][0] == way[1][0]]
    bands = re.findall(rf'<path d="M([\d.]+),[^"]+Z" fill="{style.BAND95}"/>', text)
    assert {float(x) for x in bands} == {rule[0][0]}
    solid, dashed = (strokes(text, style.MEDIAN, dash) for dash in ("", over_time.DASH))
    assert max(x for x, _ in solid[-1]) == min(x for x, _ in dashed[-1]) == rule[0][0]
    assert ">latest figure: 2024<" in text  # the newest of the published figures


def test_what_was_said_before_any_figure_is_a_band_throughout_and_its_axis_holds_the_figures():
    shown = Readable(made_up_page.fan("prior"), catalogue("en"))
    wide = replace(shown.exhibit, as_of=None, frame=shown.exhibit.frame.assign(high95=1e20))
    text = draw(wide)
    assert "latest figure" not in text
    ticks = [float(tick.replace(",", "")) for tick in re.findall(r'text-anchor="end"[^>]*>([\d,.]+)<', text)]
    assert ticks and max(ticks) < 1e5  # million people, where 1e20 people would be 1e14


@pytest.mark.parametrize("make", [made_up_page.shares, made_up_page.parts, made_up_page.odds, made_up_page.track])
def test_an_axis_of_amounts_and_shares_begins_at_zero(make):
    assert re.search(r'text-anchor="end"[^>]*>0<', draw(make()))


def test_bad_news_is_drawn_in_the_colour_of_bad_news_whatever_comes_first():
    text = draw(made_up_page.tornado())
    swapped = draw(replace(made_up_page.tornado(), frame=made_up_page.tornado().frame.iloc[::-1]))
    for drawn in (text, swapped):
        bear = re.search(r'fill="(#\w{6})" stroke="#\w{6}"/><text[^>]*>bear<', drawn)
        assert bear and bear[1] == style.TONES["bad"]
    assert not set(style.SERIES) & {style.TONES["bad"], style.TONES["good"]}


def test_a_forecast_that_missed_is_told_from_those_that_held():
    text = draw(made_up_page.track())
    slopes = {
        tone: [way for way in strokes(text, style.TONES[tone]) if way[0][0] != way[-1][0]] for tone in style.TONES
    }
    assert (len(slopes["good"]), len(slopes["bad"])) == (2, 1)


@pytest.mark.parametrize("form", [charts.WIDE, charts.NARROW], ids=lambda form: form.name)
def test_intervals_are_written_on_phones_too(form):
    assert "1.31 (1.12–1.51)" in draw(made_up_page.dots(), form=form)


def test_labels_that_would_meet_are_moved_apart_in_their_order():
    placed = apart([50, 52, 10], [20, 20, 20], 0, 100)
    assert placed[2] < placed[0] < placed[1] and placed[1] - placed[0] >= 20
    assert apart([99], [20], 0, 100) == [90]


def test_places_on_a_chart_tell_their_numbers():
    assert 'data-tip="2030: 510 (410–620)"' in draw(made_up_page.fan())


def test_a_title_says_what_the_frame_says_in_both_languages():
    fan = made_up_page.fan()
    doubled = replace(fan, frame=fan.frame.assign(**{name: 2 * fan.frame[name] for name in findings_columns}))
    assert "to 510 million (end of 2030; 80%: 410–620 million)" in Readable(fan, catalogue("en")).finding
    assert "增至2030年末的5.1亿人（80%区间：4.1–6.2亿人）" in Readable(fan, catalogue("zh")).finding
    assert "to 1,020 million (end of 2030" in Readable(doubled, catalogue("en")).finding.replace(
        "1.02 billion", "1,020 million"
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_kind_of_chart_has_a_finding_for_its_title(lang):
    for chart in made_up_page.charts():
        shown = Readable(chart, catalogue(lang))
        assert shown.finding != shown.text("title"), chart.name


def test_a_long_label_is_broken_between_words_and_chinese_anywhere():
    assert style.wrap("Insurance cover of online visits", 17) == ["Insurance cover", "of online visits"]
    assert style.wrap("各省医保覆盖线上复诊", 8) == ["各省医保", "覆盖线上", "复诊"]


def test_years_are_named_at_their_last_day():
    drawing = Drawing(made_up_page.readable(), charts.WIDE)
    ends = drawing.year_ends(charts.WIDE.ticks)
    assert len(ends) <= charts.WIDE.ticks and drawing.period_name(ends[-1]) == "2030"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_table_beside_a_chart_holds_its_numbers(lang):
    data, points, lines = grids.of_chart(made_up_page.readable(lang=lang))
    last = [cell.text for cell in data.rows[-1]]
    assert last == (
        ["2030", "509", "457–567", "415–625", "372–697"]
        if lang == "en"
        else ["2030", "5.09", "4.57–5.67", "4.15–6.25", "3.72–6.97"]
    )
    assert [cell.text for cell in points.rows[0]][2:] == ["B", "survey 40"]
    assert len(lines.heads) == 3


def test_a_charts_text_loses_what_no_svg_may_hold_and_nothing_else():
    text = "a\x0bb\x0cc\x08d\\u000be\n\u2028\ufffe"
    assert json.loads(style.drawable(json.dumps(text, ensure_ascii=False))) == "a b c d\\u000be\n\u2028 "
