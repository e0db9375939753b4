"""Hospitals against third parties: what bounds a share, and how the factor and the walks carry on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from simulators import Channels

from telemed_forecast.evaluation.calibrated import ahead, rising_factor
from telemed_forecast.evaluation.calibration import published
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.models import channel_share
from telemed_forecast.models.channel_share import Encounters, Revenues, encounters_by_year, revenues_by_year
from telemed_forecast.models.likelihood import interval_logp

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


FEES = observed(
    [
        ("free", "fever_clinics", "2020-07-16", "2020-07-16", 0, 0.5),
        ("cheap", "other", "2020-07-16", "2020-07-16", 5.5, 6.5),
        ("dear", "national", "2017-03-31", "2017-03-31", 19.5, 20.5),
    ]
)


def test_revenue_is_bounded_by_visits_times_fees_and_by_what_companies_report():
    (found,) = revenues_by_year(VISITS, [FEES], {2024: (3000.0, ("oms",)), 2023: (2000.0, ("no visits",))})
    assert found.year == 2024
    assert found.hospitals == pytest.approx((100e6 * 5.5 / 1e6, 110e6 * channel_share.FEE_SKEW * 20.5 / 1e6))
    assert found.claims == ("v24", "cheap", "dear", "oms"), "what is free is no fee"
    assert found.lowest == pytest.approx(550 / (550 + channel_share.REVENUE_MULTIPLE * 3000))
    assert revenues_by_year(VISITS, [FEES.where(FEES.claim_id == "free")], {2024: (3000.0, ("oms",))}) == []


@given(st.floats(1e3, 1e9), st.floats(1.0, 50.0), st.floats(1.0, 1e5))
def test_platforms_that_earn_more_leave_the_hospitals_a_smaller_share(visits, fee, platforms):
    bounds = Revenues(2024, (visits, 1.1 * visits), (fee, 2 * fee), platforms, ("a", "b"))
    richer = Revenues(2024, (visits, 1.1 * visits), (fee, 2 * fee), 2 * platforms, ("a", "b"))
    assert 0 < bounds.lowest < bounds.highest < 1
    assert richer.lowest < bounds.lowest and richer.highest < bounds.highest


@pytest.mark.parametrize("measure", ["encounters", "revenue"])
def test_the_real_ledger_bounds_the_encounters_and_the_revenue_of_some_years(arrays_on, measure):
    found = arrays_on("2026-11-21")["channel_share"]
    rows = found["share_measure"] == channel_share.MEASURES.index(measure)
    assert rows.sum() >= 2
    assert (found["share_high"][rows] > found["share_low"][rows]).all()


def test_no_row_speaks_of_the_count_whose_evidence_is_in_the_factor_already(arrays_on):
    assert not (arrays_on("2026-11-21")["channel_share"]["share_measure"] == 0).any()


DESIGN = Channels.rich(rising_factor())
AHEAD = ahead(DESIGN, 5)


def test_the_moments_of_shares_are_those_of_their_logits():
    rng = np.random.default_rng(0)
    root = np.array([[0.5, 0.0], [0.3, 0.2]])
    logit = np.array([0.3, 1.0]) + rng.standard_normal((50_000, 2)) @ root.T
    mean, covariance = channel_share.moments(1 / (1 + np.exp(-logit)))
    np.testing.assert_allclose(mean, [0.3, 1.0], atol=0.02)
    np.testing.assert_allclose(covariance, root @ root.T, atol=0.01)


def test_moments_of_shares_that_hardly_differ_are_still_a_covariance():
    _, covariance = channel_share.moments(np.full((50, 6), 0.7))
    assert np.isfinite(np.linalg.cholesky(covariance)).all()


@pytest.fixture(scope="module")
def posterior():
    truth = Channels.truth(DESIGN, np.random.default_rng(4))
    return {name: np.repeat(np.asarray(value)[None], 4000, axis=0) for name, value in truth.items()}


@pytest.fixture(scope="module")
def odds(posterior):
    draws = channel_share.project(posterior, AHEAD, rng=np.random.default_rng(0))
    assert list(draws) == list(channel_share.MEASURES)
    assert all(((share > 0) & (share < 1)).all() for share in draws.values())
    return {name: np.log(share / (1 - share)) for name, share in draws.items()}


def test_history_stays_history(odds):
    for logit in odds.values():
        assert logit.shape == (4000, channel_share.GRID + 5)
        assert np.ptp(logit[:, : channel_share.GRID], axis=0).max() < 1e-9, "equal draws differ in the past"


def test_measures_differ_from_the_count_by_offset_and_walk(posterior, odds):
    for k, name in enumerate(channel_share.MEASURES[1:]):
        apart = (odds[name] - odds["count"])[:, : channel_share.GRID]
        expected = posterior["measure_offset"][:, k, None] + posterior["walk"][:, k]
        np.testing.assert_allclose(apart, expected, atol=1e-9)


def test_walks_go_on_in_steps_of_their_scale_in_no_direction(posterior, odds):
    scale = float(posterior["walk_scale"][0])
    for name in channel_share.MEASURES[1:]:
        steps = np.diff((odds[name] - odds["count"])[:, channel_share.GRID - 1 :], axis=1)
        np.testing.assert_allclose(steps.mean(axis=0), 0.0, atol=4 * scale / np.sqrt(4000))
        np.testing.assert_allclose(steps.std(axis=0), scale, rtol=0.06)


def test_the_factor_goes_on_from_its_own_last_level_where_it_walks(posterior, odds):
    # The future of these moments walks on from the last level, so of all the past only that level matters.
    gone = odds["count"][:, channel_share.GRID :] - odds["count"][:, [channel_share.GRID - 1]]
    np.testing.assert_allclose(gone.mean(axis=0), 0.0, atol=0.02)
    np.testing.assert_allclose(gone.var(axis=0), 0.02 * np.arange(1, 6), rtol=0.08)


def test_without_evidence_the_whole_path_of_the_count_has_the_moments_it_was_given():
    rng = np.random.default_rng(1)
    drawn = channel_share.prior_sample(DESIGN, 40_000, rng)
    share = channel_share.project(drawn, AHEAD, rng=rng)["count"]
    mean, covariance = channel_share.moments(share)
    np.testing.assert_allclose(mean, AHEAD[0], atol=0.01)
    np.testing.assert_allclose(covariance, AHEAD[1], atol=0.01)


def written_out(p, data):
    """Log density of the model at one draw, without its graph, on the sampler's scale."""
    mu = [
        p["factor"][year] + (p["new_offset"] if m == 4 else p["measure_offset"][m - 1] + p["walk"][m - 1, year])
        for year, m in zip(data["share_year"], data["share_measure"], strict=True)
    ]
    spread = np.hypot(data["share_scale"], p["share_noise"])
    return (
        interval_logp(data["share_low"], data["share_high"], np.array(mu), spread).sum()
        + stats.norm.logpdf(p["factor_standard"]).sum()
        + stats.norm.logpdf(p["walk_standard"]).sum()
        + stats.norm.logpdf(p["measure_offset"], 0.0, channel_share.OFFSET).sum()
        + stats.norm.logpdf(p["new_offset"], *channel_share.NEW_OFFSET)
        + stats.norm.logpdf(np.log(p["walk_scale"]), *channel_share.WALK)
        + stats.norm.logpdf(np.log(p["share_noise"]), *channel_share.NOISE)
    )


def test_the_graphs_density_is_that_of_the_prior_and_the_likelihood_written_out():
    import pytensor

    rng = np.random.default_rng(3)
    data = published(channel_share.MODEL, channel_share.prior_sample(DESIGN, 1, rng), DESIGN, rng)
    drawn = channel_share.prior_sample(data, 5, rng)
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        density = channel_share.build(data).compile_logp()
    free = ("factor_standard", "measure_offset", "new_offset", "walk_standard")
    for k in range(5):
        one = {name: values[k] for name, values in drawn.items()}
        logs = {f"{name}_log__": np.log(one[name]) for name in ("walk_scale", "share_noise")}
        assert float(density({name: one[name] for name in free} | logs)) == pytest.approx(written_out(one, data))


def test_the_chance_of_a_rise_and_of_a_majority_are_counted_in_draws():
    share = np.array([[0.4, 0.5, 0.6], [0.4, 0.3, 0.7], [0.6, 0.7, 0.4], [0.6, 0.7, 0.8]])
    assert channel_share.rising(share, now=0).tolist() == [0.0, 0.75, 0.75]
    assert channel_share.majority(share).tolist() == [0.5, 0.5, 0.75]
