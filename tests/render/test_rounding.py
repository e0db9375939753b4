"""Numbers that stand together are rounded together: what a reader works out from them is about right."""

import pandas as pd
import pytest

from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import Value
from telemed_forecast.render import grids
from telemed_forecast.render.grids import Pen
from telemed_forecast.render.numerals import shared_place
from telemed_forecast.render.readable import Readable
from telemed_forecast.render.texts import catalogue

pytestmark = pytest.mark.unit


def values(unit, *triples):
    return [Value(value=middle, unit=unit, low=low, high=high) for low, middle, high in triples]


def column(unit, *triples):
    """The cells of a column of intervals as English readers see them."""
    cells = values(unit, *triples)
    pen = Pen(catalogue("en"), unit, cells)
    return [pen.cell(cell.value, cell.low, cell.high).text for cell in cells]


def test_two_numbers_that_differ_are_not_written_alike():
    assert column("CNY_million", (40e3, 77.2e3, 140e3), (41e3, 83.9e3, 170e3)) == ["77", "84"]


def test_a_wide_interval_does_not_make_a_number_coarser_than_its_neighbour():
    assert column("hospitals", (6800, 7200, 7600), (4000, 8399, 14000)) == ["7,200", "8,400"]


def test_yearly_numbers_with_wide_intervals_still_show_their_growth():
    capacity = [(300e6, (690 + 12 * k) * 1e6, 1500e6) for k in range(4)]
    assert column("consultations", *capacity) == ["690", "700", "710", "730"]


@pytest.mark.parametrize("growth", [0.04, 0.11, 0.3])
@pytest.mark.parametrize("spread", [0.02, 0.2, 0.6])
def test_growth_from_printed_numbers_is_near_the_true_one(growth, spread):
    sizes = [488.7e3 * (1 + growth) ** k for k in range(6)]
    printed = column("CNY_million", *((s * (1 - spread), s, s * (1 + spread)) for s in sizes))
    first, last = (float(printed[k].replace(",", "")) for k in (0, -1))
    assert (last / first) ** 0.2 - 1 == pytest.approx(growth, abs=0.01)


def test_a_column_of_one_narrow_interval_has_three_digits_at_most():
    assert shared_place(values("percent", (37.93, 37.94, 37.95), (60, 70, 80))) == -1


def test_a_column_without_intervals_has_no_shared_place():
    assert shared_place([]) is None


def strip():
    """Two rows of different units, one with a published figure."""
    frame = pd.DataFrame(
        {
            "quantity": ["@headline.market_size_healthcare", "@headline.online_medical_users_latent"],
            "newest": ["2024A", "2025A"],
            "actual": [435_123.0, 411e6],
            "actual_unit": ["CNY_million", "persons"],
            "now": [488_658.0, 420e6],
            "now_low": [412_066.0, 385e6],
            "now_high": [575_262.0, 462e6],
            "now_unit": ["CNY_million", "persons"],
            "growth": [10.7, 3.2],
            "growth_low": [5.1, 0.4],
            "growth_high": [16.0, 6.6],
        }
    )
    facts = {"now": 2025, "next": 2026, "then": 2030}
    return Exhibit(name="headline_years", frame=frame, facts=facts)


@pytest.mark.parametrize(
    ("lang", "labels"),
    [
        (
            "en",
            ["Online healthcare, medicines included, CNY billion", "Users of online medical services, million people"],
        ),
        ("zh", ["互联网医疗（含医药电商）（亿元）", "在线医疗用户（亿人）"]),
    ],
)
def test_rows_of_several_units_state_their_unit(lang, labels):
    grid = grids.of_table(Readable(strip(), catalogue(lang)))
    assert all(row[0].text.endswith(label) for row, label in zip(grid.rows, labels, strict=True))


def test_a_published_figure_stands_as_it_was_printed_beside_rounded_estimates():
    grid = grids.of_table(Readable(strip(), catalogue("en")))
    assert [cell.text for cell in grid.rows[0]][2:4] == ["435.123", "490"]
    assert [cell.text for cell in grid.rows[1]][2:4] == ["411", "420"]


def test_headings_name_the_years():
    grid = grids.of_table(Readable(strip(), catalogue("en")))
    assert [head.text for head in grid.heads][3:] == ["2025E", "Growth a year, 2025–2030"]
