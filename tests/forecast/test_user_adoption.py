"""The forecast of users: what it reads, and what it says a survey would print."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from prior_fits import dataset, forecast

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import user_adoption
from telemed_forecast.models import adoption

pytestmark = pytest.mark.unit

USERS = "online_medical_users_latent"


@pytest.fixture(scope="module")
def made():
    return forecast("user_adoption")


@pytest.fixture(scope="module")
def result(made):
    return made[1]


def counts(days, grade="A"):
    """Counts of users that the national survey might print on some days."""
    number = len(days)
    day, none = np.array(days, dtype="datetime64[D]"), np.full(number, "NaT", dtype="datetime64[D]")
    text = {name: np.full(number, "-") for name in ("claim_id", "metric", "segment", "origin", "unit")}
    return Observations(
        **text, grade=np.full(number, grade), low=np.full(number, 1e8), high=np.full(number, 1.01e8),
        start=day, end=day, base_start=none, base_end=none,
    )  # fmt: skip


def quiet(result, *, noise=1e-6, offset=0.0):
    """The same forecast with surveys that hardly err and definitions that all differ by one offset."""
    draws = {name: np.asarray(values) for name, values in result.fit.posterior.items()}
    draws["survey_noise"] = np.full_like(draws["survey_noise"], noise)
    draws["definition_offset"] = np.full_like(draws["definition_offset"], offset)
    return replace(result, fit=replace(result.fit, posterior=dataset(draws)))


def printed(result, rows, seed=0):
    return user_adoption.predictive(result, rows, np.random.default_rng(seed))


def test_a_survey_prints_the_users_of_its_day_in_the_past_and_in_the_future(result):
    days = ["2022-12-31", "2025-06-30", "2029-12-31"]
    drawn = printed(quiet(result), counts(days))
    positions = [[str(day) for day in result[USERS].periods].index(day) for day in days]
    centre = np.median(np.log(drawn / result[USERS].draws[:, positions]), axis=0)
    np.testing.assert_allclose(centre, 0.0, atol=0.003)


def test_between_two_periods_it_prints_what_lies_between(result):
    drawn = np.median(printed(quiet(result), counts(["2027-06-30", "2027-09-30", "2027-12-31"])), axis=0)
    assert min(drawn[0], drawn[2]) * 0.99 < drawn[1] < max(drawn[0], drawn[2]) * 1.01


def test_days_that_the_forecast_does_not_cover_have_no_number(result):
    drawn = printed(result, counts(["2009-12-31", "2020-12-31", "2040-12-31"]))
    assert np.isnan(drawn).all(axis=0).tolist() == [True, False, True]


def test_counts_of_2015_and_june_2020_follow_other_definitions_and_all_before_december_2022_another_name(result):
    rows = counts(["2015-12-31", "2020-06-30", "2020-12-31", "2022-12-31", "2026-06-30"])
    plain, shifted = printed(quiet(result), rows), printed(quiet(result, offset=0.4), rows)
    np.testing.assert_allclose(np.log(shifted / plain)[0], [0.8, 0.8, 0.4, 0.0, 0.0], atol=1e-9)


def test_a_second_hand_count_is_less_certain(result):
    day = ["2024-12-31"]
    errors = [np.log(printed(result, counts(day, grade))[:, 0] / result[USERS].year_end(2024)) for grade in ("A", "C")]
    first, second = (np.subtract(*np.quantile(error, [0.9, 0.1])) for error in errors)
    assert second > 2.5 * first


def test_the_headline_rows_are_the_national_surveys_and_all_of_them_entered(made):
    context, result = made
    rows = user_adoption.headline(context)
    assert set(rows.metric) == {"online_medical_users"} and len(rows) >= 12
    assert set(rows.claim_id) <= set(result.claims)


def test_the_claims_name_every_row_of_every_kind_once(result):
    assert len(set(result.claims)) == len(result.claims)
    assert {"seed-yrd-used", "seed-yrd-lack", "active-users-2019-11", "jmir2025-jiangsu-used12m"} <= set(result.claims)
    assert "cnnic-2021-06-online-medical-users-dax48" not in result.claims, "an excluded row entered"


def test_a_survey_that_prints_both_who_used_and_who_never_did_speaks_once(result):
    surveys = result.evidence["surveys"]
    assert "seed-yrd-never" not in surveys.claim_id
    assert len(set(zip(surveys.origin, surveys.segment, surveys.end.astype(str), strict=True))) == len(surveys)


def test_a_survey_that_prints_only_who_never_used_it_speaks_by_the_complement(monkeypatch):
    context, _ = forecast("user_adoption")
    observed = type(context).observed

    def without_used(self, metric, *segments):
        rows = observed(self, metric, *segments)
        return rows.where(np.zeros(len(rows), dtype=bool)) if metric == "survey_used_online_medical" else rows

    monkeypatch.setattr(type(context), "observed", without_used)
    found = user_adoption._surveys(context)
    assert found.claim_id.tolist() == ["seed-yrd-never"]
    assert found.low.tolist() == [20.0] and found.high.tolist() == [30.0]


def test_no_survey_is_read_before_it_was_published():
    _, early = forecast("user_adoption", as_of="2019-12-31")
    assert len(early.evidence["surveys"]) == len(early.evidence["unaware"]) == 0


def test_the_prior_alone_holds_the_published_counts_and_never_more_users_than_people(result):
    drawn = user_adoption.prior_predictive(result, np.random.default_rng(0), size=3000)
    assert drawn.shape == (3000, adoption.GRID)
    assert (drawn <= np.exp(result.fit.data["log_population"]) * (1 + 1e-9)).all()
    low, high = np.quantile(drawn[:, -1], [0.025, 0.975])
    assert low < 4.11e8 < high


TRUST = """inherits = "base"
meaning = "Trust is won."

[levers.trust]
value = 3.0
unit = "ratio"
evidence = ["seed-yrd-lack"]
reason = "Made up."
"""


def test_a_scenario_of_trust_moves_the_future_only(tmp_path, result):
    file = tmp_path / "trust.toml"
    file.write_text(TRUST, encoding="utf-8")
    _, moved = forecast("user_adoption", scenario=str(file))
    now = result[USERS].last_known
    np.testing.assert_array_equal(moved[USERS].draws[:, : now + 1], result[USERS].draws[:, : now + 1])
    assert np.median(moved[USERS].year_end(2030)) > np.median(result[USERS].year_end(2030))


def test_users_that_have_all_but_vanished_leave_a_mean_that_is_a_number():
    drawn = np.full((3, 4), 19.0)
    drawn[0] = -800.0
    fit = Fit("", xr.Dataset({"log_users": (["sample", "time"], drawn)}), None, {"grid": 2020.5 + 0.5 * np.arange(4)})
    years, mean, sd = user_adoption.yearly_log_users(fit)
    assert len(years) == len(mean) == len(sd) and np.isfinite([*mean, *sd]).all()
