"""Numbers are written as each language's readers expect, and never finer than their interval allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.exhibits.values import Value
from telemed_forecast.render.numerals import place_of
from telemed_forecast.render.texts import catalogue

pytestmark = pytest.mark.unit

EN, ZH = catalogue("en"), catalogue("zh")


def value(number, unit, low=None, high=None, **options):
    return Value(value=number, unit=unit, low=low, high=high, **options)


CASES = [
    (value(411e6, "persons"), "411 million", "4.11亿人"),
    (value(365_320_000, "persons"), "365.32 million", "3.6532亿人"),
    (value(1_079_120_000, "persons"), "1.07912 billion", "10.7912亿人"),
    (value(411e6, "persons", 310e6, 480e6), "410 million", "4.1亿人"),
    (value(411e6, "persons", 405e6, 418e6), "411 million", "4.11亿人"),
    (value(3756, "hospitals"), "3,756", "3,756家"),
    (value(3756, "hospitals", 3600, 4100), "3,760", "3,760家"),
    (value(999_600, "count"), "999,600", "999,600"),
    (value(37.9, "percent"), "37.9%", "37.9%"),
    (value(37.94, "percent", 31.2, 48.3), "38%", "38%"),
    (value(-3.2, "percent", -8.1, 5.2), "−3%", "−3%"),
    (value(0.734, "probability"), "73%", "73%"),
    (value(0.996, "probability"), "more than 99%", "99%以上"),
    (value(0.002, "probability"), "less than 1%", "不到1%"),
    (value(385_000, "CNY_million"), "CNY 385 billion", "3,850亿元"),
    (value(1_234_567, "CNY_million", 1.0e6, 1.6e6), "CNY 1.23 trillion", "1.23万亿元"),
    (value(53_000, "USD_million", 41_000, 70_000), "USD 53 billion", "530亿美元"),
    (value(28.5, "CNY"), "CNY 28.5", "28.5元"),
    (value(1.2e9, "consultations", 0.9e9, 1.6e9), "1.2 billion", "12亿次"),
    (value(0.4321, "ratio", 0.31, 0.55), "0.43", "0.43"),
    (value(0.347821, "ratio", digits=2), "0.35", "0.35"),
    (value(2.3456, "multiple", 1.9, 2.7), "×2.3", "2.3倍"),
    (value(4.53, "years", 3, 7.1), "4.5 years", "4.5年"),
    (value(1, "years"), "1 year", "1年"),
    (value(2030, "year"), "2030", "2030年"),
    (value(0, "persons"), "0", "0人"),
]


@pytest.mark.parametrize(("number", "english", "chinese"), CASES, ids=[case[1] for case in CASES])
def test_a_number_in_both_languages(number, english, chinese):
    assert EN.number(number) == english
    assert ZH.number(number) == chinese


INTERVALS = [
    (value(411e6, "persons", 310e6, 480e6), "80% interval 310–480 million", "80%区间3.1–4.8亿人"),
    (value(385e3, "CNY_million", 310e3, 480e3), "80% interval CNY 310–480 billion", "80%区间3,100–4,800亿元"),
    (value(38, "percent", 31.2, 48.3, level=0.95), "95% interval 31–48%", "95%区间31–48%"),
    (value(-3.2, "percent", -8.1, 5.2), "80% interval −8 to 5%", "80%区间−8至5%"),
    (value(0.73, "probability", 0.6, 0.995), "80% interval 60% to more than 99%", "80%区间60%至99%以上"),
    (value(2.3, "multiple", 1.9, 2.7), "80% interval ×1.9–2.7", "80%区间1.9–2.7倍"),
    (value(2030, "year", 2028, 2034), "80% interval 2028–2034", "80%区间2028–2034年"),
    (value(9.6e6, "persons", 1e5, 45e6), "80% interval 0.1–45 million", "80%区间10–4,500万人"),
    (value(3756, "hospitals"), "published figure", "公开数据"),
    (value(39.2, "percent", digits=2), "computed, without interval", "计算值，无区间"),
]


@pytest.mark.parametrize(("number", "english", "chinese"), INTERVALS, ids=[case[1] for case in INTERVALS])
def test_an_interval_in_both_languages(number, english, chinese):
    assert EN.interval(number) == english
    assert ZH.interval(number) == chinese


def test_a_number_with_its_interval():
    number = value(411e6, "persons", 310e6, 480e6)
    assert EN.full(number) == "410 million (80% interval 310–480 million)"
    assert ZH.full(number) == "4.1亿人（80%区间3.1–4.8亿人）"


@given(st.floats(1e3, 1e12), st.floats(0.001, 0.9))
def test_the_last_digit_shown_is_worth_a_share_of_the_interval(number, spread):
    shown = value(number, "CNY", number * (1 - spread), number * (1 + spread))
    width = 2 * spread * number
    assert 10.0 ** place_of(shown) >= width / 71 or place_of(shown) == 0


@given(st.floats(1, 1e12), st.floats(0, 0.99), st.floats(0, 3))
def test_a_written_low_end_never_turns_into_nothing(number, down, up):
    low, high = number * (1 - down), number * (1 + up)
    if low < high:
        written = EN.range(value(number, "ratio", low, high))
        assert not written.startswith(("0–", "0.0–"))


@pytest.mark.parametrize(
    ("period", "english", "chinese"),
    [
        ("2030", "2030", "2030年"),
        ("2030-12-31", "end of 2030", "2030年末"),
        ("2025-09-30", "30 September 2025", "2025年9月30日"),
        ("2025/2030", "2025–2030", "2025–2030年"),
    ],
)
def test_a_period_in_both_languages(period, english, chinese):
    assert EN.period(period) == english
    assert ZH.period(period) == chinese
