"""The report on channels builds on any day; the fits are stood in for by draws from their priors."""

from unittest import mock

import numpy as np
import pytest
import xarray as xr

from telemed_forecast.exhibits import channel_share as report
from telemed_forecast.exhibits.record import cited
from telemed_forecast.fits.gates import Gate
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import channel_share, internet_hospitals, platform_revenue
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import baselines
from telemed_forecast.models import channel_share as share_model
from telemed_forecast.models import internet_hospitals as hospitals_model
from telemed_forecast.runs.parameters import validate

# Prophet's own, in a release that pandas has overtaken.
pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("ignore:The inplace keyword")]


def prior_as_fit(model):
    """A fit whose posterior is the model's prior."""

    def fitted(spec, data, **_):
        drawn = model.prior_sample(data, 400, np.random.default_rng(1))
        posterior = xr.Dataset(
            {name: (["sample", *(f"{name}_{k}" for k in range(v.ndim - 1))], v) for name, v in drawn.items()}
        )
        return Fit("", posterior, Gate(spec.name, True, 1.0, 1000.0, 1000.0, 0, 0.9, 2, 200), data)

    return fitted


def made(day, **settings):
    """The context and result of a day."""
    context = Context(validate("channel_share", {"as_of": day, "profile": "quick", **settings}))
    with (
        mock.patch.object(channel_share, "fitted", prior_as_fit(share_model)),
        mock.patch.object(internet_hospitals, "fitted", prior_as_fit(hospitals_model)),
    ):
        return context, channel_share.run(context)


@pytest.mark.parametrize("day", ["2019-12-31", "2026-11-21"])
def test_the_report_builds_on_the_first_day_and_today_from_what_was_known(monkeypatch, day):
    context, result = made(day)
    monkeypatch.setattr(baselines, "forecast", lambda *_, **__: None)  # Prophet takes longer than all else
    platforms = platform_revenue.run(context)
    exhibits, numbers = (make(context, result, platforms) for make in (report.exhibits, report.numbers))
    shown = set(cited(exhibits, numbers, report.key_figures(context, result)))
    assert shown <= set(context.view["claim_id"]), "a claim of the report is not known on its day"
    if day > "2020":
        assert set(result.evidence["preference"].claim_id) <= shown


def test_a_chance_of_every_year_and_measure_is_a_probability(monkeypatch):
    context, result = made("2026-11-21")
    monkeypatch.setattr(baselines, "forecast", lambda *_, **__: None)
    exhibits = report.exhibits(context, result, platform_revenue.run(context))
    for name in ("channel_odds", "channel_rising", "founding_claim"):
        chances = exhibits[name].frame.drop(columns="year")
        assert ((chances >= 0) & (chances <= 1)).all(axis=None)
        assert exhibits[name].frame["year"].iloc[-1] == context.settings.horizon


def test_the_share_by_count_is_the_one_of_the_report_on_internet_hospitals():
    context, result = made("2026-11-21")
    own = result.built_on["internet_hospitals"]["internet_hospitals_hospital_share"]
    for year in (2020, 2025, 2030):
        np.testing.assert_allclose(result.path.year_end(year), own.year_end(year), atol=1e-3)
    rows = channel_share.headline(context)
    assert set(rows.claim_id) <= set(result.claims)


def test_a_lever_moves_the_future_and_not_what_is_fitted():
    # On this day no count has reached the grid's last year yet.
    (_, base), (bull, fast) = made("2024-12-31"), made("2024-12-31", scenario="bull")
    assert bull.scenario["licensing"] > 1
    for name, values in base.fit.data.items():
        np.testing.assert_array_equal(values, fast.fit.data[name], err_msg=name)
    assert not np.array_equal(base.path.draws, fast.path.draws)


def test_what_would_be_printed_lies_around_the_path_and_is_missing_outside_of_it():
    context, result = made("2026-11-21")
    rows = channel_share.headline(context)
    printed = channel_share.predictive(result, rows, np.random.default_rng(0))
    assert printed.shape == (400, len(rows))
    assert ((printed > 0) & (printed < 100)).all()
    at = result.path.year_end(2020)
    near = rows.end == np.datetime64("2020-12-31")
    # The prior is all but flat: noise moves its median by little.
    np.testing.assert_allclose(np.median(printed[:, near], axis=0), np.median(at), atol=6)
    far = rows.where(np.array([0]))
    outside = type(far)(**{**far.__dict__, "end": np.array(["1999-12-31"], dtype="datetime64[D]")})
    assert np.isnan(channel_share.predictive(result, outside, np.random.default_rng(0))).all()


def test_the_prior_of_the_share_covers_the_first_years_of_the_page():
    _, result = made("2026-11-21")
    prior = channel_share.prior_predictive(result, np.random.default_rng(0), size=300)
    assert prior.shape[0] == 300
    assert share_model.GRID - 1 <= prior.shape[1] <= len(result.path.periods)
    assert ((prior >= 0) & (prior <= 100)).all()
    assert np.quantile(prior[:, -1], 0.9) - np.quantile(prior[:, -1], 0.1) > 50
