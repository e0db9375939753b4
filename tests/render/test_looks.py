"""The catalogue knows every exhibit: what it is, and its words in both languages."""

import pandas as pd
import pytest
from made_reports import REPORTS, made

from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.render.html import fragment
from telemed_forecast.render.looks import Look, column_look, look
from telemed_forecast.render.page import RECORD
from telemed_forecast.render.readable import Readable
from telemed_forecast.render.texts import catalogue

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module", params=REPORTS)
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
        assert catalogue(lang).text("language.code") in fragment(one, lang)


def test_every_chart_has_a_text_alternative_and_every_table_a_title(exhibits):
    for one in exhibits.values():
        shown = Readable(one, catalogue("en"))
        assert shown.text("alt" if shown.kind == "chart" else "title")


def test_a_table_may_fold_from_a_number_of_rows_on():
    few, many = (pd.DataFrame({"release": ["a"] * number}) for number in (6, 7))
    folded = [Readable(Exhibit(name="record_frozen", frame=frame), catalogue("en")).folded for frame in (few, many)]
    assert folded == [False, True]


def test_exhibits_of_several_markets_share_an_entry_of_the_catalogue():
    frame = pd.DataFrame({"category": ["a", "b"], "series": "forecast", "value": [1.0, 20.0], "low": 1.0, "high": 20.0})
    shown = Readable(
        Exhibit(name="users_track", entry="rivals_track", frame=frame, units={"value": "persons"}), catalogue("en")
    )
    assert (shown.name, shown.kind, shown.log) == ("users_track", "chart", True)
