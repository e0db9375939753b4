"""A page stands alone, states for each number what it is, and every link inside it leads somewhere."""

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import made_up_page
import pandas as pd
import pytest

from telemed_forecast.render.grids import model_name
from telemed_forecast.render.html import PageLinks, page
from telemed_forecast.render.page import Section
from telemed_forecast.render.site import index
from telemed_forecast.render.texts import catalogue
from telemed_forecast.render.views import PageError

LINKS = PageLinks(
    index="../index.html",
    other="user_adoption.zh.html",
    notebook="notebooks/user_adoption.ipynb",
    manifest="manifest.json",
    forecasts="data/forecasts.csv",
    data="data",
    reports=(("market_size", "market_size.html"),),
)


class Reader(HTMLParser):
    """Tags with their attributes, and whether the elements nest."""

    void = frozenset("meta br hr img input link col".split())

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.faults = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def all(self, name):
        return [attrs[name] for _, attrs in self.tags if name in attrs]


def render(*extra, lang="en", **changed):
    return page(made_up_page.page(*extra, **changed), lang, LINKS)


@cache
def rendered(lang, ok=True):
    return render(lang=lang, ok=ok)


@pytest.fixture(scope="module", params=["en", "zh"])
def html(request):
    return rendered(request.param)


def test_elements_nest(html):
    reader = Reader(html)
    assert reader.faults == [] and reader.open == []


def test_nothing_comes_from_outside(html):
    reader = Reader(html)
    assert not {tag for tag, _ in reader.tags} & {
        "link",
        "iframe",
        "img",
        "object",
        "embed",
        "base",
    }
    assert reader.all("src") == [] and reader.all("srcset") == []
    assert "url(http" not in html and "@import" not in html and "@font-face" not in html


def test_a_page_lets_its_own_script_run_and_no_other(html):
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == html.count("<script") == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:" in html


def test_it_is_small_with_eight_charts(html):
    assert html.count('class="chart wide"') == 8
    assert len(html.encode()) < 300_000


def test_a_chart_is_headed_by_what_it_finds_and_says_below_what_it_shows(html):
    heads = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    topics = [head for head in heads if 'class="topic"' in head]
    assert len(topics) == 8


def test_a_table_can_be_scrolled_by_keys_and_is_no_landmark(html):
    scrolling = re.findall(r'<div class="scroll"[^>]*>', html)
    assert scrolling and all('role="group" tabindex="0" aria-label="' in one for one in scrolling)
    assert all("data-hint" in one for one in scrolling)


def test_ids_occur_once_and_every_link_inside_resolves(html):
    reader = Reader(html)
    ids = reader.all("id")
    assert len(ids) == len(set(ids))
    targets = {href[1:] for href in reader.all("href") if href.startswith("#")}
    assert targets <= set(ids)
    named = {one for names in reader.all("aria-labelledby") for one in names.split()}
    assert named <= set(ids)


def test_contents_name_every_section(html):
    headings = re.findall(r'<h[23] id="([^"]+)">', html)
    for anchor in headings:
        assert html.count(f'href="#{anchor}"') >= 2  # beside the text, and folded on a phone


def test_every_claim_leads_to_its_source(html):
    reader = Reader(html)
    cited = {href for href in reader.all("href") if href.startswith("#source-")}
    assert cited
    outside = [attrs for tag, attrs in reader.tags if tag == "a" and attrs["href"].startswith("http")]
    assert len(outside) == 8
    assert all(attrs["rel"] == "noopener" for attrs in outside)


def test_every_figure_has_text_a_table_and_its_data(html):
    assert html.count("<svg ") == html.count("<desc ") == 16
    for figure in re.findall(r"<figure id.*?</figure>", html, re.S):
        assert "<figcaption>" in figure and "<details>" in figure and 'class="csv"' in figure


def test_every_table_head_has_a_scope(html):
    reader = Reader(html)
    assert all("scope" in attrs for tag, attrs in reader.tags if tag == "th")


@pytest.mark.parametrize(("lang", "code"), [("en", "en"), ("zh", "zh-Hans")])
def test_the_language_is_declared(lang, code):
    assert f'<html lang="{code}">' in rendered(lang)


def test_markup_in_data_and_texts_is_text(html):
    assert "<draft>" not in html and "&lt;draft&gt;" in html
    assert "<b>lower</b>" not in html


def test_the_same_pieces_give_the_same_bytes(html):
    lang = "zh" if 'lang="zh-Hans">\n<head>' in html else "en"
    assert render(lang=lang) == html


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_failed_gate_is_said_at_the_top(lang):
    texts = catalogue(lang)
    failed, passed = rendered(lang, ok=False), rendered(lang)
    assert failed.index(texts.text("page.gates_title")) < failed.index('class="cards"')
    assert texts.text("page.gates_title") not in passed
    assert texts.text("page.status_ok") in passed


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_exhibit_of_a_directional_page_carries_the_mark(lang):
    mark = f'<span class="tag">{catalogue(lang).text("page.directional")}</span>'
    captions = re.findall(r"<figcaption>.*?</figcaption>", rendered(lang, ok=False), re.S)
    assert len(captions) == 9
    assert all(mark in caption for caption in captions)
    assert not any(mark in caption for caption in re.findall(r"<figcaption>.*?</figcaption>", rendered(lang), re.S))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_failed_model_is_named_as_its_report_is(lang):
    [warning] = re.findall(r'<aside class="warning".*?</aside>', rendered(lang, ok=False), re.S)
    assert catalogue(lang).text("report.market_size.title") in warning


@pytest.mark.parametrize("name", ["{}", "{} (2019)", "{}, 2022-12-31"])
def test_the_fit_of_an_earlier_day_is_named_as_its_report_is_and_keeps_the_day(name):
    assert model_name(name.format("user_adoption"), catalogue("zh")) == name.format("在线医疗用户")
    assert model_name("toy, 2022-12-31", catalogue("zh")) == "toy, 2022-12-31"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_key_figure_is_an_orphan(lang):
    """Each card states label, number with unit, interval or that it was published, period and a source."""
    texts, html = catalogue(lang), rendered(lang)
    cards = re.findall(r'<li class="card".*?</li>', html, re.S)
    assert len(cards) == len(made_up_page.figures())
    for item, card in zip(made_up_page.figures(), cards, strict=True):
        assert texts.text(item.key) in card
        assert texts.number(item.value) in card and texts.noun(item.value.unit) in card
        assert texts.period(item.period) in card
        assert "#source-" in card
        if item.value.unit != "probability":
            assert texts.interval(item.value) in card


def test_a_claim_without_source_is_refused():
    sources = made_up_page.sources()
    with pytest.raises(PageError, match="claim-0"):
        render(record={"sources": replace(sources, frame=sources.frame[1:])})


def test_an_exhibit_cannot_occur_twice():
    with pytest.raises(PageError, match="users_path"):
        render(made_up_page.fan())


def test_a_heading_may_occur_twice():
    assert 'id="users-2"' in render(Section(2, "How many people use it", "users"))


def test_sources_of_one_publication_share_a_number():
    sources = made_up_page.sources()
    twin = pd.concat([sources.frame, sources.frame[:1].assign(claim_id="claim-twin")])
    html = render(made_up_page.prose("Twice.", "claim-twin"), record={"sources": replace(sources, frame=twin)})
    assert html.count('<li id="source-') == 8


def test_a_table_too_long_for_the_page_is_a_link_to_its_file():
    html = render(made_up_page.file())
    assert 'href="data/user_adoption-influence.csv"' in html and "a-2" not in html
    assert "user_adoption-influence.csv" not in page(made_up_page.page(made_up_page.file()), "zh")


def run(run_id, created, ok=True, profile="full", evidence="", **parameters):
    """What a run says of itself, as far as the index reads it."""
    figures = [{"notebook": "user_adoption", **one.model_dump(mode="json")} for one in made_up_page.figures()[:2]]
    return {
        "run_id": run_id,
        "volatile": {"created": created},
        "as_of": "2026-11-21",
        "vintage": "2026-11-21",
        "scenario": "base",
        "profile": profile,
        "evidence": evidence,
        "parameters": {"user_adoption": {"horizon": 2030, **parameters}},
        "gates": [{"ok": ok}],
        "key_figures": figures,
        "notebooks": ["user_adoption"],
        "languages": ["en", "zh"],
        "outputs": ["data/forecasts.csv"],
    }


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_index_leads_with_the_newest_numbers_and_lists_runs_newest_first(lang):
    html = index(
        [run("2026-11-21-base-aaaa", "2026-11-21"), run("2026-11-21-bear-bbbb", "2026-11-22", ok=False)],
        lang,
        ("data/forecasts.csv", "data/forecasts.parquet", "manifest.json"),
    )
    reader = Reader(html)
    assert reader.faults == [] and reader.all("src") == []
    assert html.index("bear-bbbb") < html.index("base-aaaa")
    number = catalogue(lang).number(made_up_page.figures()[0].value)
    assert html.count(number) == 1 and html.index(number) < html.index('class="run"')
    assert html.count(catalogue(lang).text("page.gates_title")) == 2  # the newest run leads, and stands in the list
    assert "2026-11-21-base-aaaa/user_adoption.zh.html" in reader.all("href")
    assert {"2026-11-21-base-aaaa/data/forecasts.csv", "2026-11-21-base-aaaa/manifest.json"} <= {*reader.all("href")}
    assert "2026-11-21-base-aaaa/data/forecasts.parquet" not in reader.all("href")
    assert len(reader.all("id")) == len(set(reader.all("id")))


def test_the_index_leads_with_the_summary_where_a_run_has_one():
    newest = run("2026-11-21-base-aaaa", "2026-11-21")
    own = {**newest["key_figures"][0], "notebook": "executive_summary", "period": "2031"}
    text = index([{**newest, "key_figures": [*newest["key_figures"], own]}])
    assert "2031" in text and text.count('class="card"') == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_index_tells_runs_of_one_date_and_scenario_apart(lang):
    other = run("2026-11-21-base-bbbb", "2026-11-22", profile="quick", evidence="mine.csv, 1 row", currency="USD")
    html = index([run("2026-11-21-base-aaaa", "2026-11-21"), other], lang)
    for name, value in (("profile", "quick"), ("own_evidence", "mine.csv, 1 row")):
        assert html.count(catalogue(lang).text(f"page.{name}")) == 1 + (name == "profile") and html.count(value) == 1
    assert "currency = USD, horizon = 2030" in html


def test_an_empty_index_says_how_to_make_a_run():
    assert "telemed-forecast report" in index([])


def test_key_figures_come_first(html):
    assert html.index('class="cards"') < html.index("<main")
