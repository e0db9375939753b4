"""The report on users: what a wave lost, multiples that are no growth of users, and every figure with its source."""

import numpy as np
import pytest
from prior_fits import forecast

from telemed_forecast.reporting.content import user_adoption as report
from telemed_forecast.reporting.content import user_waves
from telemed_forecast.reporting.html import page

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made():
    context, result = forecast("user_adoption")
    return context, result, report.sections(context, result, context.settings.values())


def blocks(sections):
    return {block.id: block for part in sections.values() for block in part if hasattr(block, "id")}


def test_everyone_whom_a_wave_brought_stays_is_leaving_or_has_left(made):
    found = user_waves.fates(made[1])
    parts = sum(found[name] for name in user_waves.FATES)
    np.testing.assert_allclose(parts, found["gained"], rtol=1e-9, atol=1e-6)
    assert min(found[name].min() for name in user_waves.FATES) >= -1e-6


def test_who_has_left_never_comes_back_and_nobody_leaves_before_coming(made):
    _, result, _ = made
    found = user_waves.fates(result)
    assert (np.diff(found["gone"], axis=1) >= -1e-3).all()
    before = [k for k, day in enumerate(result.users.periods) if day.year < 2020]
    assert not found["gained"][:, before].any()


def test_a_rise_by_648_percent_is_drawn_at_7_48_times_the_base(made):
    rows = {row[0]: row[1:] for row in blocks(made[2])["platform_peaks"].data.rows}
    assert rows["@context.seed-bjnews-haodf-demand"][0] == pytest.approx(7.48)
    assert rows["@context.seed-bjnews-pagd-reg"][0] == 10
    assert all(low <= middle <= high for middle, low, high in rows.values())


def test_monthly_users_a_year_later_are_a_ratio_of_two_printed_counts(made):
    rows = {row[0]: row[1] for row in blocks(made[2])["platform_left"].data.rows}
    assert rows["@multiple.pagd_year"] == pytest.approx(67.27 / 62.7, rel=1e-3)
    assert rows["@multiple.panel_year"] == pytest.approx(54.8 / 46.9, rel=1e-3)


def test_another_count_stands_beside_ours_with_the_reason_why_it_differs(made):
    rows = {row[0]: row for row in blocks(made[2])["other_counts"].rows}
    iimedia = rows["@context.cnnic-2020-12-online-medical-users-other-definition-iimedia-iim20"]
    assert iimedia[2].value == 661_000_000
    assert iimedia[3].unit == "persons"
    assert iimedia[4] == "@why.wide"


def test_every_row_that_entered_is_listed_in_the_appendix(made):
    _, result, sections = made
    listed = {claim for block in sections["appendix"] for claim in block.claims()}
    assert set(result.claims) <= listed


@pytest.mark.parametrize("day", ["2019-12-31", "2020-02-10", "2021-01-31"])
def test_the_page_can_be_written_on_an_early_date_in_both_languages(day, monkeypatch):
    # Drawing takes long and knows no dates; the texts and tables are what an early date may break.
    monkeypatch.setattr("telemed_forecast.reporting.charts.svg", lambda *_, **__: "<svg></svg>")
    context, result = forecast("user_adoption", as_of=day)
    sections = report.sections(context, result, context.settings.values())
    for lang in ("en", "zh"):
        assert len(page([block for part in sections.values() for block in part], lang)) > 30_000
