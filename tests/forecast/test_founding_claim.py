"""The founding claim: what is asked, and that each side can decide it."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from telemed_forecast.forecast.founding_claim import FAST, challenged, judge
from telemed_forecast.forecast.paths import Forecast, Path

pytestmark = pytest.mark.unit

PERIODS = tuple(date(year, 12, 31) for year in (2024, 2025, 2026, 2027))
NOW = 1
SIZE = 500


def path(values, unit="percent"):
    return Path("made up", unit, PERIODS, np.broadcast_to(np.asarray(values, dtype=float), (SIZE, 4)).copy(), NOW, 12)


def channels(growth=0.2, other=(10, 20, 30, 40)):
    """A share by count that rises, one by encounters, and a number of hospital-run that grows at a rate."""
    count = path([50, 60, 65, 70])
    number = path(1000 * (1 + growth) ** np.arange(4.0), "hospitals")
    hospitals = {"internet_hospitals_hospital_run": number}
    return Forecast(
        market="channel_share", as_of=PERIODS[NOW], headline="hospital_share_count", evidence={}, claims=(), fit=None,
        known=None, paths={"hospital_share_count": count, "hospital_share_encounters": path(other)},
        built_on={"internet_hospitals": hospitals}, draws={"factor": count.draws.copy()},
    )  # fmt: skip


def platforms(*growth):
    """Companies that grow at rates, from 2024 on."""
    parts = {str(k): np.tile(100 * (1 + rate) ** np.arange(4.0), (SIZE, 1)) for k, rate in enumerate(growth)}
    return SimpleNamespace(total=path([1, 1, 1, 1]) if parts else None, parts=parts)


def test_the_claim_holds_when_hospitals_grow_fast_and_platforms_do_not():
    claim = judge(channels(), platforms(0.0, 0.05))
    assert claim.years.tolist() == [2026, 2027]
    assert claim.fast.tolist() == claim.challenged.tolist() == [1.0, 1.0]
    assert claim.both["count"].tolist() == claim.both["encounters"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("hospitals", "rivals"),
    [(channels(growth=0.5 * FAST), platforms(0.0)), (channels(), platforms(0.3, 0.4))],
    ids=["hospitals grow slowly", "platforms grow fast"],
)
def test_each_side_alone_can_fail_it(hospitals, rivals):
    assert judge(hospitals, rivals).both["count"].tolist() == [0.0, 0.0]


def test_a_measure_whose_share_falls_fails_while_another_holds():
    claim = judge(channels(other=(40, 30, 20, 10)), platforms(0.0))
    assert claim.both["encounters"].tolist() == [0.0, 0.0]
    assert claim.both["count"].tolist() == [1.0, 1.0]


def test_half_of_the_platforms_are_enough_and_less_is_not():
    years = np.array([2026, 2027])
    assert challenged(platforms(0.0, 0.5), 2025, years).tolist() == [1.0, 1.0]
    assert challenged(platforms(0.0, 0.5, 0.5), 2025, years).tolist() == [0.0, 0.0]


def test_without_platforms_the_hospitals_side_still_has_a_probability():
    claim = judge(channels(), platforms())
    assert claim.both is None and claim.challenged is None
    assert claim.hospitals["count"].tolist() == [1.0, 1.0]


def test_draws_of_both_fits_are_paired_by_what_they_share():
    rng = np.random.default_rng(0)
    made = channels()
    # Where the share by count rises most, hospital-run grows fast; encounters follow the count in their own fit.
    rise = rng.uniform(0, 10, SIZE)
    made.path.draws[:, 2:] = 60 + rise[:, None]
    number = made.built_on["internet_hospitals"]["internet_hospitals_hospital_run"]
    number.draws[:, 2:] = np.where(rise > 5, 5000.0, 1.0)[:, None]
    other = rng.uniform(0, 10, SIZE)
    made.draws["factor"][:, 2:] = 60 + other[:, None]
    made["hospital_share_encounters"].draws[:, 2:] = np.where(other > 5, 90.0, 1.0)[:, None]
    found = judge(made, platforms(0.0)).hospitals["encounters"]
    # Unpaired it would be the product, a quarter.
    np.testing.assert_allclose(found, min((rise > 5).mean(), (other > 5).mean()), atol=0.01)
