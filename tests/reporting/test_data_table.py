"""A table too long for the page: the page says what it is and links to the file, and the file holds it."""

import pytest

from telemed_forecast.render import html, tables
from telemed_forecast.reporting.blocks import MIME, DataTable, Title, parse

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def block():
    rows = {"claim_id": ["a-1", "a-2"], "rows": [1.5, None], "topic": ["@site.data", "plain"]}
    return DataTable(id="rows", key="site.created", data=rows)


def test_the_file_holds_every_row_with_its_keys_written_out(block):
    frames = tables.exhibits([Title(report="user_adoption"), block])
    frame = frames["user_adoption-rows.csv"]
    assert frame["claim_id"].tolist() == ["a-1", "a-2"]
    assert frame["topic"].tolist() == ["Data", "plain"]


def test_the_page_links_to_the_file_and_shows_no_row(block):
    page = html.page([Title(report="user_adoption"), block], "en", links=html.PageLinks(data="data"))
    assert 'href="data/user_adoption-rows.csv"' in page
    assert "a-2" not in page


def test_without_a_folder_of_data_the_text_stands_alone(block):
    page = html.page([Title(report="user_adoption"), block], "zh")
    assert "user_adoption-rows.csv" not in page


def test_its_name_occurs_once_on_a_page(block):
    with pytest.raises(html.PageError, match="rows"):
        html.page([Title(report="user_adoption"), block, block], "en")


def test_a_notebook_carries_it_whole(block):
    assert parse(block._repr_mimebundle_()[MIME]) == block
