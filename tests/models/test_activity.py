"""The share of internet hospitals that operate: bounds from figures, and what they leave open."""

from dataclasses import replace

import numpy as np
import pytest

from telemed_forecast.evidence import ledger, observations
from telemed_forecast.models import activity
from telemed_forecast.models.activity import Bounds, operating_share

pytestmark = pytest.mark.unit

YEARS = np.arange(2017.0, 2031.5, 0.5)
NOTHING = Bounds(np.zeros(0), np.zeros(0), np.zeros(0, dtype="datetime64[D]"), ())


def drawn(bounds, size=4000):
    return operating_share(bounds, YEARS, size=size, rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def rows():
    def known(metric):
        claims = ledger.load()
        return observations.intervals(claims[(claims["metric"] == metric) & (claims["segment"] == "national")])

    names = ("internet_hospitals_inactive", "internet_hospitals", "internet_hospital_median_doctors_online")
    return [known(name) for name in names]


def test_the_ledger_bounds_the_share_from_above_in_2017_and_from_below_in_2020(rows):
    found = activity.bounds(*rows)
    assert found.claims == ("ih-2017-03-inactive", "ih-2017-03-median-doctors", "ih-2020-07-median-doctors")
    np.testing.assert_allclose(1 / (1 + np.exp(-found.high[:2])), [30 / 43, 0.5], atol=1e-3)
    assert found.low[2] == 0 and found.high[2] == activity.OPEN


def test_an_inactive_count_without_its_total_says_nothing(rows):
    inactive, established, doctors = rows
    elsewhere = replace(inactive, origin=np.array(["somebody_else"]))
    assert "ih-2017-03-inactive" not in activity.bounds(elsewhere, established, doctors).claims


def test_without_figures_the_answer_is_the_prior():
    share = drawn(NOTHING, 20_000)
    low, middle, high = np.quantile(share[:, 0], [0.05, 0.5, 0.95])
    assert middle == pytest.approx(0.5, abs=0.03)
    assert low == pytest.approx(0.08, abs=0.02) and high == pytest.approx(0.92, abs=0.02)


def test_a_bound_moves_the_share_to_its_side_and_most_on_its_own_day():
    below = drawn(
        Bounds(
            np.array([-activity.OPEN]), np.array([-2.0]), np.array(["2019-12-31"], dtype="datetime64[D]"), ("made-up",)
        )
    )
    low = (below < 0.2).mean(axis=0)
    assert abs(low.argmax() - np.flatnonzero(YEARS == 2020.0)[0]) <= 1
    assert low.max() > 0.8 > low[-1] > (drawn(NOTHING)[:, -1] < 0.2).mean()


def test_the_longer_ago_the_evidence_the_wider_the_share(rows):
    low, high = np.quantile(drawn(activity.bounds(*rows)), [0.1, 0.9], axis=0)
    width = high - low
    assert (np.diff(width[YEARS >= 2021.0][::4]) > 0).all()
    assert width[-1] > 0.6, "evidence of 2017 and 2020 must not make anybody sure of 2031"
