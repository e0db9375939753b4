"""How far a printed figure may be from what was counted."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.evidence import figures

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("printed", "step"),
    [
        ("34.0", 0.1),
        ("34", 1),
        ("22.07", 0.01),
        ("3756", 1),
        ("1600", 100),
        ("298000000", 1_000_000),
        ("300000000", 100_000_000),
        ("3.00e8", 1_000_000),
        ("70", 10),
        ("0", 1),
        ("-948.5", 0.1),
        ("-17000", 1000),
    ],
)
def test_a_step_is_one_unit_of_the_last_significant_digit(printed, step):
    assert float(figures.step(printed)) == pytest.approx(step)


@pytest.mark.parametrize(
    ("printed", "relation", "low", "high"),
    [
        ("298000000", "eq", 297_500_000, 298_500_000),
        ("3756", "eq", 3755.5, 3756.5),
        ("34.0", "eq", 33.95, 34.05),
        ("34", "eq", 33.5, 34.5),
        ("1600", "gt", 1600, 1700),
        ("1600", "ge", 1600, 1700),
        ("2700", "gt", 2700, 2800),
        ("1700", "floor", 1700, math.inf),
        ("70", "lt", 60, 70),
        ("70", "le", 60, 70),
        ("49000000", "lt", 48_000_000, 49_000_000),
        ("100", "lt", 90, 100),
        ("393000000", "approx", 373_350_000, 412_650_000),
        ("130", "approx", 120, 140),
        ("100000", "approx", 90_000, 200_000),
        ("0", "eq", 0, 0.5),
        ("-213", "eq", -213.5, -212.5),
    ],
)
def test_a_figure_leaves_open_what_its_digits_leave_open(printed, relation, low, high):
    assert figures.interval(printed, relation) == pytest.approx((low, high))


def test_a_resolution_says_what_trailing_zeros_cannot():
    assert figures.interval("300000000", "eq", resolution=1e6) == (299_500_000, 300_500_000)


def test_an_unknown_relation_is_refused_by_name():
    with pytest.raises(ValueError, match="roughly"):
        figures.interval("7", "roughly")


printed_numbers = st.builds(
    lambda digits, zeros, decimals: f"{digits}.{decimals}" if decimals else f"{digits}{'0' * zeros}",
    st.integers(1, 99_999),
    st.integers(0, 8),
    st.one_of(st.just(""), st.from_regex(r"\A[0-9]{1,3}\Z")),
)
relations = st.sampled_from(["eq", "approx", "gt", "ge", "lt", "le"])


@given(printed_numbers, relations)
def test_the_figure_lies_in_its_interval(printed, relation):
    low, high = figures.interval(printed, relation)
    assert 0 <= low <= float(printed) <= high < math.inf
    assert low < high


@given(st.integers(1, 10**9), relations, st.integers(1, 8))
def test_ten_times_the_figure_is_ten_times_the_interval(value, relation, power):
    low, high = figures.interval(str(value), relation)
    scaled = figures.interval(str(value) + "0" * power, relation)
    factor = 10**power
    if value % 10:  # digits gained by the zeros are the factor's, so the step scales with the figure
        assert scaled == pytest.approx((low * factor, high * factor))
    else:
        assert scaled[0] == pytest.approx(low * factor)


@given(printed_numbers, relations)
def test_about_is_never_tighter_than_five_percent_and_more_than_starts_at_the_figure(printed, relation):
    low, high = figures.interval(printed, relation)
    value = float(printed)
    if relation == "approx":
        assert high - value >= 0.05 * value * (1 - 1e-12)
    if relation in ("gt", "ge"):
        assert low == value
    if relation in ("lt", "le"):
        assert high == value
