"""The appendix names the figures that the headline hangs on, and the file beside it all of them."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from telemed_forecast.evaluation.influence import Influence
from telemed_forecast.exhibits import influence
from telemed_forecast.exhibits.exhibit import named
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.render import pages
from telemed_forecast.render.html import fragment
from telemed_forecast.render.notebook import Shown
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


def strongest(context, given):
    [one] = [exhibit for exhibit in influence.exhibits(context, given) if exhibit.name == "influence_most"]
    return one


def test_the_page_shows_the_strongest_and_counts_the_rest(context):
    assert len(strongest(context, found(context)).frame) == influence.SHOWN
    assert influence.numbers(found(context)) == {
        "influence_told": 10, "influence_unreliable": 1, "influence_no_row": 1, "influence_not_shown": 0
    }  # fmt: skip


def test_a_figure_that_bears_on_two_quantities_is_counted_once(context):
    one = found(context)
    two = [*one, replace(one[0], path=INTERNET), replace(one[1], told="unreliable", path=INTERNET)]
    assert influence.numbers(two) == influence.numbers(one)


def test_a_figure_on_a_quantity_that_is_not_shown_is_counted_apart(context):
    one = found(context)
    numbers = influence.numbers([*one[:-1], replace(one[-1], told="not_shown")])
    assert (numbers["influence_no_row"], numbers["influence_not_shown"]) == (0, 1)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            ["For 10 figures", "does not forecast (newly built internet hospitals alone, for instance): 1.", "−0.100"],
        ),
        ("zh", ["对其中10个数字", "另有1个数字虽然", "−0.100"]),
    ],
)
def test_it_reads_in_both_languages(context, lang, said):
    given = [*found(context)[:-1], replace(found(context)[-1], told="not_shown")]
    numbers = {"horizon": 2030, **influence.numbers(given)}
    shown = Shown(named(influence.exhibits(context, given)), numbers)
    template = pages._environment(lang).get_template(f"_influence.{lang}.md")
    text = template.render(**numbers, exhibits=shown.exhibits)
    text += fragment(strongest(context, given), lang)
    assert all(words in text.replace("\\", "") for words in said)


def test_the_file_holds_every_figure_and_no_number_where_none_is_told(context):
    frame = named(influence.exhibits(context, found(context)))["influence"].frame
    assert frame["told"].tolist() == ["yes"] * 10 + ["unreliable", "no_row"]
    assert frame["moved"].notna().tolist() == [True] * 10 + [False] * 2
    assert frame["moved"][0] == -1e6
    assert frame["unit"][0] == "persons"


def test_the_range_of_a_move_is_its_sampling_error(context):
    row = strongest(context, found(context)).frame.iloc[0]
    assert row["half_widths"] == -0.1
    assert (row["half_widths_high"] - row["half_widths_low"]) / 2 == pytest.approx(0.1 * 1e5 / 1e6 * 1.2816, rel=1e-3)


def test_the_quantity_is_named_only_where_a_report_has_several(context):
    two = [*found(context, number=4), *found(context, target=INTERNET, number=3)]
    named_in = ["target" in strongest(context, given).frame for given in (found(context), two)]
    assert named_in == [False, True]


def test_a_page_that_was_not_asked_has_no_such_part(context):
    assert influence.exhibits(context, ()) == []
