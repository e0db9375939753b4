"""The appendix names the figures that the headline hangs on, and the file beside it all of them."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.reporting import html, tables
from telemed_forecast.reporting.blocks import Paragraph, TableBlock, Title
from telemed_forecast.reporting.content import influence, parts
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.unit

USERS, INTERNET = (
    Path(target, "persons", (date(2030, 12, 31),), np.ones((4, 1)), 0, 6)
    for target in ("online_medical_users", "internet_users")
)


@pytest.fixture(scope="module")
def context():
    return Context(validate("user_adoption", {}))


def found(context, *, target=USERS, number=10):
    """Ten figures with effects that shrink, one whose weights failed, one without a row."""
    claims = context.view.loc[context.view["metric"] == "internet_users", "claim_id"].tolist()
    told = [
        Influence(c, "yes", target, -1e6 / (k + 1), 1e5, -0.1 / (k + 1), 0.3) for k, c in enumerate(claims[:number])
    ]
    return [*told, Influence(claims[number], "unreliable", target, khat=0.9), Influence(claims[number + 1], "no_row")]


def page(context, blocks, lang):
    sections = {"appendix": [Title(report="user_adoption"), *blocks]}
    record = parts.record(context, sections, {})
    return html.page([*sections["appendix"], *record], lang)


def test_the_page_shows_the_strongest_and_counts_the_rest(context):
    blocks = influence.blocks(context, found(context))
    [table] = [block for block in blocks if isinstance(block, TableBlock)]
    assert len(table.rows) == influence.SHOWN
    [text] = [block for block in blocks if isinstance(block, Paragraph)]
    assert (text.values["told"], text.values["unreliable"], text.values["no_row"]) == (10, 1, 1)


def test_a_figure_that_bears_on_two_quantities_is_counted_once(context):
    one = found(context)
    two = [*one, replace(one[0], path=INTERNET), replace(one[1], told="unreliable", path=INTERNET)]
    [text] = [block for block in influence.blocks(context, two) if isinstance(block, Paragraph)]
    assert (text.values["told"], text.values["unreliable"], text.values["no_row"]) == (10, 1, 1)


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "does not forecast (newly built internet hospitals alone, for instance): 1."), ("zh", "另有1个数字虽然")],
)
def test_a_figure_on_a_quantity_that_is_not_shown_is_counted_apart(context, lang, said):
    one = found(context)
    beside = [*one[:-1], replace(one[-1], told="not_shown")]
    blocks = influence.blocks(context, beside)
    assert [b.values["no_row"] for b in blocks if isinstance(b, Paragraph) and b.key == "influence.text"] == [0]
    assert said in page(context, blocks, lang)
    assert said not in page(context, influence.blocks(context, one), lang)
    frame = tables.exhibits([Title(report="user_adoption"), *blocks])["user_adoption-influence.csv"]
    assert frame["told"].iloc[-1] == "not_shown"


@pytest.mark.parametrize(("lang", "said"), [("en", "For 10 figures"), ("zh", "对其中10个数字")])
def test_it_reads_in_both_languages(context, lang, said):
    text = page(context, influence.blocks(context, found(context)), lang)
    assert said in text
    assert "−0.100" in text


def test_the_file_holds_every_figure_and_no_number_where_none_is_told(context):
    frame = tables.exhibits([Title(report="user_adoption"), *influence.blocks(context, found(context))])[
        "user_adoption-influence.csv"
    ]
    assert frame["told"].tolist() == ["yes"] * 10 + ["unreliable", "no_row"]
    assert frame["moved"].notna().tolist() == [True] * 10 + [False] * 2
    assert frame["moved"][0] == -1e6
    assert frame["unit"][0] == "persons"


def test_the_range_of_a_move_is_its_sampling_error(context):
    [table] = [b for b in influence.blocks(context, found(context)) if isinstance(b, TableBlock)]
    shown = table.rows[0][2]
    assert shown.value == -0.1
    assert (shown.high - shown.low) / 2 == pytest.approx(0.1 * 1e5 / 1e6 * 1.2816, rel=1e-3)


def test_the_quantity_is_named_only_where_a_report_has_several(context):
    one = found(context)
    two = [*found(context, number=4), *found(context, target=INTERNET, number=3)]
    names = [
        [column.name for column in block.columns]
        for given in (one, two)
        for block in influence.blocks(context, given)
        if isinstance(block, TableBlock)
    ]
    assert ["target" in columns for columns in names] == [False, True]


def test_a_page_that_was_not_asked_has_no_such_part(context):
    assert influence.blocks(context, ()) == []
