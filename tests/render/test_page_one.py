"""Page one says what its data files say: every number of the summary's body stands in a row of them."""

import re

import numpy as np
import pytest
from jinja2 import meta
from made_reports import made

from telemed_forecast.exhibits.values import ANSWER, Value
from telemed_forecast.render import html, pages, tables
from telemed_forecast.render.texts import catalogue

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def shown():
    return made("executive_summary")


@pytest.fixture(scope="module")
def frames(shown):
    return tables.frames(pages.page("executive_summary", shown, "en"))


def held(number, frames):
    """Whether a row of a file holds a number, as it is written there."""
    found = [frame.select_dtypes("number").to_numpy(dtype=float).ravel() for frame in frames.values()]
    return bool(np.isclose(np.concatenate(found), number, rtol=1e-8, atol=0).any())


def faults(named, frames):
    """Names of values of which a file lacks the number or an end of the interval."""
    return [
        name
        for name, value in named.items()
        for number in (value.value, value.low, value.high)
        if number is not None and not held(number, frames)
    ]


def answer(shown):
    [found] = [figure for figure in shown.figures.values() if figure.note_key == ANSWER]
    return found


def test_every_number_of_the_answer_stands_in_the_data(shown, frames):
    told = {name: fact for name, fact in answer(shown).note_values.items() if isinstance(fact, Value)}
    assert {"now", "then", "growth", "bear", "bull", "medicines"} <= told.keys()
    assert faults(told, frames) == []


def test_every_number_of_the_prose_stands_in_the_data(shown, frames):
    text = (pages.PAGES / "executive_summary.en.md").read_text(encoding="utf-8")
    asked = meta.find_undeclared_variables(pages._environment("en").parse(text))
    told = {name: shown.numbers[name] for name in asked if isinstance(shown.numbers.get(name), Value)}
    assert faults({name: value for name, value in told.items() if name != "outlooks_factor"}, frames) == []


def test_a_number_that_no_row_holds_would_be_found(shown, frames):
    now = answer(shown).note_values["now"]
    assert faults({"now": now.model_copy(update={"value": now.value * 1.001})}, frames) == ["now"]


def test_every_key_figure_stands_in_the_data(shown, frames):
    assert faults({name: figure.value for name, figure in shown.figures.items()}, frames) == []


def test_outlooks_are_counted_as_the_table_shows_them(shown):
    numbers, frame = shown.numbers, shown.exhibits["published_outlooks"].frame
    assert numbers["outlooks"] == len(frame)
    assert numbers["outlooks_above"] == int((frame["ratio"] > 1.1).sum())
    assert numbers["outlooks_above"] + numbers["outlooks_below"] + numbers["outlooks_near"] == len(frame)
    assert numbers["outlook_last"] == frame["year"].max()


def test_the_players_named_and_the_others_sum_to_all(shown):
    frame = shown.exhibits["market_players"].frame
    parts, total = frame[frame["company"] != "@player.all"], frame[frame["company"] == "@player.all"]
    assert parts["reported"].sum() == pytest.approx(float(total["reported"].iloc[0]))


def test_as_many_drivers_are_drawn_as_are_named(shown):
    assert shown.exhibits["market_drivers"].frame["category"].nunique() == 3


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_leads_with_the_answer_before_its_cards(shown, lang):
    text = html.page(pages.parts("executive_summary", shown, lang)[0], lang)
    said = catalogue(lang).text(ANSWER, answer(shown).note_values)
    assert text.index(said) < text.index('class="cards"') < text.index("<main")
    assert text.count(said) == 1


def test_the_release_is_held_against_the_present_number(shown):
    frame = shown.exhibits["since_release"].frame
    assert frame["change"].tolist() == pytest.approx(list(100 * (frame["present"] / frame["before"] - 1)))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_body_and_annex_share_the_exhibits_out(shown, lang):
    body, annex = pages.parts("executive_summary", shown, lang)
    whole = pages.page("executive_summary", shown, lang)
    names = [[exhibit.name for exhibit in page.exhibits] for page in (body, annex)]
    assert names[0] + names[1] == [exhibit.name for exhibit in whole.exhibits]
    diagnostics = [f'id="{anchor}"' for anchor in ("checks", "provenance")]
    links = html.PageLinks(annex="a.html")
    assert not any(mark in html.page(body, lang, links) for mark in diagnostics)
    assert all(mark in html.page(annex, lang) for mark in diagnostics)
    assert 'href="a.html"' in html.page(body, lang, links)
    assert re.search(r">(Table|表)\s?A1<", html.page(annex, lang))
