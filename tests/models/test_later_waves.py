"""Waves that may still come: how often, how large, and what they leave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemed_forecast.models import later_waves
from telemed_forecast.models.adoption import retention
from telemed_forecast.models.priors import surge_prior

pytestmark = pytest.mark.unit

SIZE = 20_000


def within(years, *, known, last):
    """Mean number of waves that come within some years."""
    at = later_waves.arrivals(known=known, last=last, size=SIZE, rng=np.random.default_rng(1))
    return (at < last + years).sum(axis=1).mean()


def test_waves_come_as_often_as_the_record_and_its_prior_say():
    shape, years = later_waves.RATE
    for known, last in ((0, 2020.0), (1, 2022.0), (2, 2026.0)):
        rate = (shape + known) / (years + last - later_waves.SINCE)
        assert within(1.0, known=known, last=last) == pytest.approx(rate, rel=0.1)


def test_more_waves_on_record_make_the_next_one_more_likely_and_quiet_years_less():
    assert within(4, known=2, last=2026.0) > within(4, known=1, last=2026.0) > within(4, known=0, last=2026.0)
    assert within(4, known=1, last=2022.0) > within(4, known=1, last=2026.0)


def test_no_draw_lacks_room_for_its_waves_more_often_than_once_in_a_hundred():
    at = later_waves.arrivals(known=2, last=2026.0, size=SIZE, rng=np.random.default_rng(2))
    assert (np.diff(at, axis=1) >= 0).all()
    assert (at[:, -1] < 2036.0).mean() < 0.01


def test_before_any_wave_its_size_is_the_priors_and_afterwards_that_of_the_known_ones():
    rng = np.random.default_rng(3)
    p = {"surge_gained": np.tile([0.3, 0.9], (SIZE, 1))}
    prior = surge_prior()
    alpha, beta = prior.gained
    unknown = later_waves.gained(p, known=0, prior=prior, rng=rng)
    assert unknown.mean() == pytest.approx(alpha / (alpha + beta), rel=0.02)
    assert set(np.unique(later_waves.gained(p, known=1, prior=prior, rng=rng))) == {0.3}
    assert later_waves.gained(p, known=2, prior=prior, rng=rng).mean() == pytest.approx(0.6, rel=0.02)


@given(
    kept=st.floats(0.01, 0.99),
    half_life=st.floats(0.1, 5.0),
    share=st.floats(0.0, 0.9),
    at=st.floats(2024.0, 2034.0),
)
def test_a_later_wave_leaves_behind_what_a_known_one_would(kept, half_life, share, at):
    grid = np.arange(2020.0, 2036.0, 0.5)
    outside, settled = later_waves.left_out(
        grid,
        at=np.array([[at]]),
        share=np.array([[share]]),
        kept=np.array([kept]),
        half_life=np.array([half_life]),
    )
    assert np.allclose(outside[0], 1.0 - share * retention(grid - at, kept=kept, half_life=half_life))
    assert (outside <= settled).all()
    assert (settled[0, grid < at] == 1.0).all()
    assert np.allclose(settled[0, grid >= at], 1.0 - share * kept)
