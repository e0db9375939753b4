"""Hospitals against third parties: what bounds a share, and how the factor carries on."""

import numpy as np
import pytest
import simulated
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.models import channel_share
from telemed_forecast.models.channel_share import Encounters, encounters_by_year

pytestmark = pytest.mark.unit


def observed(rows, segment="national"):
    """Observations from (claim, segment, start, end, low, high)."""
    claim, place, start, end, low, high = zip(*rows, strict=True)
    text = {name: np.array(["-"] * len(rows)) for name in ("metric", "origin", "unit")}
    none = np.array(["NaT"] * len(rows), dtype="datetime64[D]")
    return Observations(
        claim_id=np.array(claim), segment=np.array(place), grade=np.array(["B"] * len(rows)),
        low=np.array(low, dtype=float), high=np.array(high, dtype=float),
        start=np.array(start, dtype="datetime64[D]"), end=np.array(end, dtype="datetime64[D]"),
        base_start=none, base_end=none, **text,
    )  # fmt: skip


VISITS = observed(
    [
        ("v20", "national", "2020-01-01", "2020-12-31", 48e6, 49e6),
        ("v22", "national", "2022-01-01", "2022-12-31", 25e6, 26e6),
        ("v24", "national", "2024-01-01", "2024-12-31", 100e6, 110e6),
    ]
)
PLATFORMS = observed(
    [
        ("small", "wedoctor", "2020-01-01", "2020-12-31", 50_000, 60_000),
        ("large", "ping_an_good_doctor", "2020-01-01", "2020-12-31", 900_000, 910_000),
        ("peak", "jd_health", "2020-02-01", "2020-02-29", 5_000_000, 5_100_000),
        ("later", "jd_health", "2024-01-01", "2024-12-31", 490_000, 500_000),
        ("half", "jd_health", "2022-01-01", "2022-06-30", 300_000, 310_000),
    ]
)


def test_each_year_with_both_sides_is_paired_once_and_others_are_left_out():
    alone = VISITS.where(VISITS.claim_id != "v22")
    found = encounters_by_year(alone, PLATFORMS)
    assert [e.year for e in found] == [2020, 2024]
    assert encounters_by_year(alone, PLATFORMS.where(PLATFORMS.claim_id == "later"))[0].year == 2024


def test_the_rival_of_a_year_is_its_largest_platform_over_half_a_year_or_more():
    first, second, third = encounters_by_year(VISITS, PLATFORMS)
    assert first.claims == ("v20", "large"), "a month's peak is not a year's business"
    assert first.largest_platform == 365 * 900_000
    assert second.claims == ("v22", "half"), "half a year is enough"
    assert third.claims == ("v24", "later")


@given(st.floats(1e3, 1e9), st.floats(1.0, 3.0), st.floats(1e3, 1e9))
def test_more_platforms_mean_a_smaller_share_of_the_hospitals(low, wider, largest):
    bounds = Encounters(2024, (low, low * wider), largest, ("a", "b"))
    assert 0 < bounds.lowest < bounds.highest < 1
    assert Encounters(2024, (low, low * wider), 2 * largest, ("a", "b")).highest < bounds.highest


def test_the_real_ledger_bounds_the_encounters_of_some_years(arrays_on):
    found = arrays_on("2026-11-21")["channel_share"]
    encounters = found["share_measure"] == channel_share.MEASURES.index("encounters")
    assert encounters.sum() >= 2
    assert (found["share_high"][encounters] > found["share_low"][encounters]).all()


@pytest.fixture(scope="module")
def posterior():
    rng = np.random.default_rng(4)
    return simulated.samples(simulated.channel_share_truth(rng)).isel(sample=np.zeros(4000, dtype=int))


def test_shares_stay_shares_and_history_stays_history(posterior):
    draws = channel_share.project(posterior, years_ahead=5, rng=np.random.default_rng(0))
    assert list(draws) == list(channel_share.MEASURES)
    for share in draws.values():
        assert share.shape == (4000, channel_share.GRID + 5)
        assert ((share > 0) & (share < 1)).all()
        assert np.ptp(share[:, : channel_share.GRID], axis=0).max() < 1e-12, "equal draws differ in the past"


def test_measures_differ_by_their_offset_in_every_year(posterior):
    draws = channel_share.project(posterior, years_ahead=5, rng=np.random.default_rng(0))
    odds = {name: np.log(share / (1 - share)) for name, share in draws.items()}
    offsets = posterior["measure_offset"].values
    for k, name in enumerate(channel_share.MEASURES[1:]):
        np.testing.assert_allclose(odds[name] - odds["count"], offsets[:, k : k + 1] + 0 * odds[name], atol=1e-9)


def test_the_future_is_a_random_walk_with_the_posteriors_drift_and_volatility(posterior):
    share = channel_share.project(posterior, years_ahead=4, rng=np.random.default_rng(0))["count"]
    steps = np.diff(np.log(share / (1 - share))[:, channel_share.GRID - 1 :], axis=1)
    drift, volatility = (float(posterior[f"factor_{n}"].values[0]) for n in ("drift", "volatility"))
    np.testing.assert_allclose(steps.mean(axis=0), drift, atol=4 * volatility / np.sqrt(4000))
    np.testing.assert_allclose(steps.std(axis=0), volatility, rtol=0.06)
    assert np.abs(np.corrcoef(steps.T)[np.triu_indices(4, 1)]).max() < 0.06


def test_the_chance_of_a_rise_and_of_a_majority_are_counted_in_draws():
    share = np.array([[0.4, 0.5, 0.6], [0.4, 0.3, 0.7], [0.6, 0.7, 0.4], [0.6, 0.7, 0.8]])
    assert channel_share.rising(share, now=0).tolist() == [0.0, 0.75, 0.75]
    assert channel_share.majority(share).tolist() == [0.5, 0.5, 0.75]
