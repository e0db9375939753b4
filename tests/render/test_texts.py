"""Both catalogues say the same things, and a text that is missing is an error, not a gap on the page."""

from typing import get_args

import pytest

from telemed_forecast.exhibits.values import Unit
from telemed_forecast.render.texts import Catalogue, TextError, catalogue, differences

pytestmark = pytest.mark.unit


def test_both_languages_hold_the_same_keys_and_placeholders():
    assert differences(catalogue("en"), catalogue("zh")) == []


def test_a_difference_is_named():
    english = Catalogue("en", {"a.b": "{x} of {y}", "a.c": "only here"})
    chinese = Catalogue("zh", {"a.b": "{x}"})
    assert differences(english, chinese) == [
        "a.c: in en.toml only",
        "a.b: en has ['x', 'y'], zh has ['x']",
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_unit_has_a_name(lang):
    for unit in get_args(Unit):
        assert catalogue(lang).unit(unit)
        catalogue(lang).noun(unit)


def test_a_missing_text_is_an_error():
    with pytest.raises(TextError, match=r"no text 'no.such' in zh.toml"):
        catalogue("zh").text("no.such")


def test_a_missing_value_is_an_error():
    with pytest.raises(TextError, match=r"needs a value for \{y\}"):
        Catalogue("en", {"a.b": "{x} of {y}"}).text("a.b", {"x": 1})


def test_an_unknown_form_is_an_error():
    with pytest.raises(TextError, match="no form 'loud'"):
        Catalogue("en", {"a.b": "{x:loud}"}).text("a.b", {"x": 1})


def test_a_value_may_name_another_text():
    texts = Catalogue("en", {"a.b": "led by {who}", "who.hospitals": "hospitals"})
    assert texts.text("a.b", {"who": "@who.hospitals"}) == "led by hospitals"
