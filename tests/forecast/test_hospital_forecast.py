"""What a forecast of internet hospitals says would be printed, without any fit behind it."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.internet_hospitals import at_days, predictive, printed
from telemed_forecast.forecast.paths import Forecast, Path
from telemed_forecast.models.internet_hospitals import ORIGINS

pytestmark = pytest.mark.unit

PERIODS = (date(2023, 12, 31), date(2024, 6, 30), date(2024, 12, 31))
SAMPLES = 4000


def path(*levels):
    return Path("internet_hospitals", "hospitals", PERIODS, np.tile(np.array(levels, dtype=float), (SAMPLES, 1)), 1, 6)


@pytest.fixture(scope="module")
def result():
    """2,000 hospital-run of 2,500 at the middle of the grid; one known counter who sees twice as many."""
    offset = np.zeros((SAMPLES, ORIGINS))
    offset[:, 0] = np.log(2.0)
    posterior = {
        "origin_offset": offset,
        "origin_spread": np.full(SAMPLES, 0.5),
        "reporting_noise": np.full(SAMPLES, 0.02),
    }
    both, own = path(2000, 2500, 3125), path(1500, 2000, 2500)
    return Forecast(
        market="internet_hospitals", as_of=PERIODS[-1], headline="internet_hospitals", evidence={}, claims=(),
        known=None, paths={"internet_hospitals_latent": both, "internet_hospitals_hospital_run": own,
               "internet_hospitals_third_party": path(500, 500, 625)},
        fit=SimpleNamespace(posterior=posterior), extras={"origins": ["kpmg"]},
    )  # fmt: skip


def counts(*rows):
    """Counts by (origin, segment, day)."""
    origin, segment, day = (np.array(column) for column in zip(*rows, strict=True))
    number, days = len(rows), day.astype("datetime64[D]")
    none = np.full(number, "NaT", dtype="datetime64[D]")
    return Observations(
        claim_id=np.array([f"made-up-{k}" for k in range(number)]), metric=np.full(number, "internet_hospitals"),
        segment=segment, origin=origin, grade=np.full(number, "A"), unit=np.full(number, "hospitals"),
        low=np.ones(number), high=np.full(number, 2.0), start=days, end=days, base_start=none, base_end=none,
    )  # fmt: skip


def medians(result, *rows):
    return np.median(predictive(result, counts(*rows), np.random.default_rng(1)), axis=0)


def test_the_regulators_count_is_that_of_both_sponsors(result):
    assert medians(result, ("nhc", "national", "2024-06-30"))[0] == pytest.approx(2500, rel=0.01)


def test_a_count_of_one_sponsor_is_that_of_the_hospitals(result):
    assert medians(result, ("nhc", "hospital_run", "2024-06-30"))[0] == pytest.approx(2000, rel=0.01)


def test_a_known_counter_prints_with_its_offset(result):
    assert medians(result, ("kpmg", "national", "2024-06-30"))[0] == pytest.approx(5000, rel=0.01)


def test_an_unknown_counter_prints_as_wide_as_counters_differ(result):
    rows = [(origin, "national", "2024-06-30") for origin in ("nhc", "somebody", "somebody", "another")]
    drawn = np.log(predictive(result, counts(*rows), np.random.default_rng(1)))
    assert drawn[:, 1].std() == pytest.approx(0.5, abs=0.03)
    correlation = np.corrcoef(drawn.T)
    assert correlation[1, 2] > 0.98, "two counts of one counter share its offset"
    assert abs(correlation[1, 3]) < 0.1, "two counters do not"


def test_whom_the_fit_has_not_heard_of_is_a_stranger_unless_it_defines_the_count(result):
    known, official = (
        printed(result, counts((origin, "national", "2024-06-30")), heard=False) for origin in ("kpmg", "nhc")
    )
    assert known.mu[0] == official.mu[0] == pytest.approx(np.log(2500), rel=1e-3)
    assert known.spread[0] == 0.5 and known.stranger.tolist() == ["kpmg"]
    assert not official.spread.any() and official.stranger.tolist() == [""]


def test_figures_outside_of_the_periods_have_no_place(result):
    days = ("2024-06-30", "2025-02-01")
    asked = printed(result, counts(*[("nhc", "national", day) for day in days]))
    assert asked.inside.tolist() == [True, False]
    assert asked.mu.shape == (SAMPLES, 1)


def test_between_periods_growth_is_even_and_outside_nothing_is_said(result):
    days = np.array(["2024-09-30", "2024-12-31", "2023-12-01", "2025-02-01"], dtype="datetime64[D]")
    found = at_days(result["internet_hospitals_latent"], days)[0]
    assert found[0] == pytest.approx(np.sqrt(2500 * 3125), rel=0.01)
    assert found[1] == pytest.approx(3125)
    assert np.isnan(found[2:]).all()
    outside = predictive(result, counts(("nhc", "national", "2025-02-01")), np.random.default_rng(1))
    assert np.isnan(outside).all()
