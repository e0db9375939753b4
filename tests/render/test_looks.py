"""The catalogue knows every exhibit: what it is, and its words in both languages."""

import pytest
from made_reports import PORTED, made

from telemed_forecast.render.html import fragment
from telemed_forecast.render.looks import Look, column_look, look
from telemed_forecast.render.placed import RECORD, block_of
from telemed_forecast.render.texts import catalogue
from telemed_forecast.reporting.blocks import Chart, DataTable, TableBlock

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module", params=PORTED)
def exhibits(request):
    return {name: one for name, one in made(request.param).exhibits.items() if name not in RECORD}


def test_an_exhibit_without_an_entry_is_a_table():
    assert look("no_such_exhibit") == Look()


def test_an_exhibit_takes_over_what_it_is_like():
    assert (look("hospitals_prior").kind, look("hospitals_prior").log) == ("fan", True)


def test_a_column_of_one_exhibit_may_differ():
    assert column_look("effect", look("policy_events")).unit == "percent"
    assert column_look("effect", Look()).unit == ""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_exhibit_can_be_shown(exhibits, lang):
    for one in exhibits.values():
        assert catalogue(lang).text("language.code") in fragment(block_of(one), lang)


def test_every_chart_has_a_text_alternative_and_every_table_a_title(exhibits):
    for one in exhibits.values():
        block = block_of(one)
        assert isinstance(block, Chart | TableBlock | DataTable)
        assert block.id == one.name
