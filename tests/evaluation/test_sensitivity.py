"""What a headline number hangs on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.evaluation.sensitivity import drivers

pytestmark = pytest.mark.unit

NUMBER = 4000


@pytest.fixture(scope="module")
def quantities():
    rng = np.random.default_rng(7)
    return {name: rng.normal(size=NUMBER) for name in ("all", "much", "little", "nothing")}


def by_name(found):
    return {driver.name: driver for driver in found}


def test_a_driver_that_decides_everything_explains_everything(quantities):
    target = np.exp(3 * quantities["all"])
    found = by_name(drivers(target, quantities))
    assert found["all"].explained == pytest.approx(1.0)
    assert found["nothing"].explained < 0.005


def test_a_driver_that_works_downwards_explains_as_much(quantities):
    found = by_name(drivers(-quantities["all"], quantities))["all"]
    assert found.explained == pytest.approx(1.0)
    assert found.low > found.high


def test_drivers_come_in_the_order_of_their_swing(quantities):
    target = 3 * quantities["all"] + 1.5 * quantities["much"] + 0.5 * quantities["little"]
    found = drivers(target, quantities)
    assert [driver.name for driver in found] == ["all", "much", "little", "nothing"]
    assert [driver.swing for driver in found] == sorted((d.swing for d in found), reverse=True)


def test_independent_drivers_share_the_variance(quantities):
    target = 2 * quantities["all"] + quantities["much"]
    found = by_name(drivers(target, quantities))
    # Squared rank correlation of a bivariate normal with r^2 = 0.8: (6 / pi * asin(r / 2))^2.
    assert found["all"].explained == pytest.approx((6 / np.pi * np.arcsin(np.sqrt(0.8) / 2)) ** 2, abs=0.03)
    assert found["all"].explained + found["much"].explained < 1.02


def test_low_and_high_are_medians_of_the_target_where_the_driver_is_low_and_high(quantities):
    driver = drivers(quantities["all"], {"all": quantities["all"]})[0]
    # The median of the outer fifth of a normal is its 10% quantile.
    assert (driver.low, driver.high) == pytest.approx((-1.2816, 1.2816), abs=0.08)


@given(st.floats(1e-3, 1e6), st.floats(-10, 10))
def test_the_unit_of_a_driver_does_not_matter(quantities, factor, shift):
    target = quantities["all"] + quantities["much"]
    plain = drivers(target, {"x": quantities["much"]})[0]
    other = drivers(target, {"x": factor * quantities["much"] + shift})[0]
    assert other.explained == pytest.approx(plain.explained, abs=1e-3)
    assert (other.low, other.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_a_driver_that_is_the_same_in_every_draw_explains_nothing():
    rng = np.random.default_rng(1)
    found = drivers(rng.normal(size=NUMBER), {"fixed": np.full(NUMBER, 2.0)})[0]
    assert found.swing == 0.0
    assert found.explained < 0.01
