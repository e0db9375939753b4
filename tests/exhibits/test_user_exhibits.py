"""The report on users: what a wave lost, multiples that are no growth of users, and every figure with its source."""

import numpy as np
import pytest
from prior_fits import forecast, unsampled

from telemed_forecast.exhibits import user_adoption as report
from telemed_forecast.exhibits import user_waves

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made():
    context, result = forecast("user_adoption")
    with unsampled():
        return context, result, report.exhibits(context, result)


def rows(exhibit, column):
    """Rows of an exhibit by the labels in a column."""
    return exhibit.frame.set_index(column)


def test_everyone_whom_a_wave_brought_stays_is_leaving_or_has_left(made):
    found = user_waves.fates(made[1])
    parts = sum(found[name] for name in user_waves.FATES)
    np.testing.assert_allclose(parts, found["gained"], rtol=1e-9, atol=1e-6)
    assert min(found[name].min() for name in user_waves.FATES) >= -1e-6


def test_who_has_left_never_comes_back_and_nobody_leaves_before_coming(made):
    _, result, _ = made
    found = user_waves.fates(result)
    assert (np.diff(found["gone"], axis=1) >= -1e-3).all()
    before = [k for k, day in enumerate(result.path.periods) if day.year < 2020]
    assert not found["gained"][:, before].any()


def test_a_rise_by_648_percent_is_drawn_at_7_48_times_the_base(made):
    found = rows(made[2]["platform_peaks"], "category")
    assert found["value"]["seed-bjnews-haodf-demand"] == pytest.approx(7.48)
    assert found["value"]["seed-bjnews-pagd-reg"] == 10
    assert ((found["low"] <= found["value"]) & (found["value"] <= found["high"])).all()


def test_the_largest_multiple_stands_first(made):
    exhibit = made[2]["platform_peaks"]
    assert exhibit.frame["value"].is_monotonic_decreasing
    assert exhibit.facts["largest"].value == exhibit.frame["value"][0]


def test_monthly_users_a_year_later_are_a_ratio_of_two_printed_counts(made):
    found = rows(made[2]["platform_left"], "category")["value"]
    assert found["pagd_year"] == pytest.approx(67.27 / 62.7, rel=1e-3)
    assert found["panel_year"] == pytest.approx(54.8 / 46.9, rel=1e-3)


def test_june_2020_fell_or_rose_to_december_by_what_its_drug_buyers_are_taken_for(made):
    found = rows(made[2]["june_2020"], "reading")
    assert found["june"]["all_held"] == 276e6 and found["december"].eq(214.8e6).all()
    assert found["june"]["none_held"] == pytest.approx(276e6 * 17.9 / 29.4)
    assert found["change"]["all_held"] < 0 < found["change"]["none_held"]
    assert found["june"]["none_held"] < found["june"]["half_held"] < found["june"]["all_held"]
    assert found["june_low"].notna().tolist() == [False, False, False, True]


def test_a_count_below_an_earlier_one_is_said_with_the_chance_that_the_level_fell(made):
    context, result, _ = made
    told = report.numbers(context, result)
    assert told["count_newest"].value == 411e6 and told["count_highest"].value == 418e6
    assert (told["highest_day"], told["level_fell"].unit) == ("2024-12-31", "probability")
    assert len(told["fell_claims"]) == 2


def test_a_newest_count_that_is_the_highest_has_fallen_below_nothing():
    context, result = forecast("user_adoption", as_of="2023-06-30")
    told = report.numbers(context, result)
    assert told["count_highest"] is None and told["fell_claims"] == ()


def test_another_count_stands_beside_ours_with_the_reason_why_it_differs(made):
    found = rows(made[2]["other_counts"], "statement")
    iimedia = found.loc["cnnic-2020-12-online-medical-users-other-definition-iimedia-iim20"]
    assert iimedia["counted"] == 661_000_000
    assert iimedia["ours_low"] <= iimedia["ours"] <= iimedia["ours_high"]
    assert iimedia["why"] == "wide"


def test_every_row_that_entered_is_listed_in_the_appendix(made):
    _, result, exhibits = made
    listed = {claim for name, one in exhibits.items() if name.endswith("_evidence") for claim in one.claims}
    assert set(result.claims) <= listed


def test_the_key_figures_are_the_numbers_of_the_prose(made):
    context, result, _ = made
    figures, numbers = report.key_figures(context, result), report.numbers(context, result)
    horizon = context.settings.horizon
    assert list(figures) == ["users_now", f"users_{horizon}", f"usage_{horizon}"], (
        "what stays of a wave is assumed here"
    )
    assert figures[f"usage_{horizon}"].value == numbers["usage_then"]
