"""Frozen forecasts against what was published later: which figure counts, and how it is scored."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from made_up_releases import frozen, printed, quantiles

from telemed_forecast import paths
from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.evaluation import frozen_files, frozen_forecasts, scores
from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evidence import ledger
from telemed_forecast.forecast import context as context_module
from telemed_forecast.forecast import hub
from telemed_forecast.forecast.context import Context
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

SURVEY, COUNT, SIZE = "cnnic-2025-12-online-medical-users-askci57", "ih-2025-09-nhc-3756", "n-100ec-ih-2023"
USERS = [("online_medical_users", "persons", end, 4e8) for end in ("2026-06-30", "2026-12-31")]


@pytest.fixture(scope="module")
def claims():
    return ledger.load()


@pytest.fixture
def on(monkeypatch):
    """The context of a day, with another ledger."""

    def context(rows, as_of="2028-12-31"):
        monkeypatch.setattr(context_module, "_ledger", lambda *_: rows)
        # A day that the shipped ledger has not reached yet.
        return Context(replace(parameters.validate("user_adoption", {}), as_of=as_of))

    return context


def scored(folder, context):
    return rows(frozen_forecasts.score(frozen_forecasts.read(folder), context))


def waits(folder, context, by=date.max):
    return rows(frozen_forecasts.waiting(frozen_forecasts.read(folder, by), context))


def test_before_anything_has_been_published_nothing_is_scored_and_everything_waits(claims, on, tmp_path):
    frozen(tmp_path, USERS)
    assert scored(tmp_path, on(claims)) == []
    assert [one.day.isoformat() for one in waits(tmp_path, on(claims))] == ["2026-06-30", "2026-12-31"]


def test_a_survey_of_the_period_published_later_is_scored_by_the_frozen_quantiles(claims, on, tmp_path):
    frozen(tmp_path, USERS)
    later = on(printed(claims, SURVEY, 420000000, end="2026-06-30", known="2026-12-01"))
    [one] = scored(tmp_path, later)
    logs = np.log(quantiles(4e8, 0.1))[:, None]
    truth = np.log([419.5e6, 420.5e6]).mean(keepdims=True)
    assert (one.target, one.day.isoformat(), one.claim_id) == ("online_medical_users", "2026-06-30", "new")
    assert one.crps == pytest.approx(scores.crps_of_quantiles(logs, hub.QUANTILES, truth)[0])
    assert one.wis == pytest.approx(one.dispersion + one.overprediction + one.underprediction)
    assert one.bias == pytest.approx(np.log(400 / 420), abs=1e-4)
    assert one.median == pytest.approx(4e8) and one.published == pytest.approx(4.2e8)
    assert all(getattr(one, name) for name in scores.COVERAGE) and np.isnan(one.log_score)
    assert one.pit == pytest.approx(0.687, abs=0.01) and not one.doubtful and not one.latent
    assert [w.day.isoformat() for w in waits(tmp_path, later)] == ["2026-12-31"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"known": "2026-11-22"}, "known on the day of the release"),
        ({"end": "2025-12-31"}, "about a period that was not forecast"),
        ({"segment": "rural"}, "of another definition"),
        ({"kind": "forecast"}, "a forecast itself"),
        ({"grade": "D"}, "unsourced"),
        ({"restates": SURVEY}, "a copy"),
    ],
    ids=["known by then", "other period", "other definition", "forecast", "grade D", "copy"],
)
def test_a_row_that_is_no_new_figure_of_the_same_thing_scores_nothing(claims, on, tmp_path, change, why):
    frozen(tmp_path, USERS)
    row = {"end": "2026-06-30", "known": "2026-12-01"} | change
    assert scored(tmp_path, on(printed(claims, SURVEY, 420000000, **row))) == []


def test_what_the_same_publisher_had_printed_before_the_release_is_no_forecast(claims, on, tmp_path):
    frozen(tmp_path, USERS)
    before = printed(claims, SURVEY, 420000000, end="2026-06-30", known="2026-11-01", claim_id="early")
    again = printed(before, SURVEY, 421000000, end="2026-06-30", known="2026-12-01")
    assert scored(tmp_path, on(again)) == []


def test_as_of_a_day_before_the_figure_it_has_not_come(claims, on, tmp_path):
    frozen(tmp_path, USERS)
    later = printed(claims, SURVEY, 420000000, end="2026-06-30", known="2026-12-10")
    assert scored(tmp_path, on(later, "2026-12-09")) == []
    assert len(scored(tmp_path, on(later, "2026-12-10"))) == 1


def test_a_count_within_a_half_year_is_held_against_quantiles_between_its_ends(claims, on, tmp_path):
    ends = [("internet_hospitals", "hospitals", end, m) for end, m in (("2026-06-30", 4000), ("2026-12-31", 4400))]
    frozen(tmp_path, ends)
    [one] = scored(tmp_path, on(printed(claims, COUNT, 4195, end="2026-09-30", known="2026-12-01")))
    assert one.median == pytest.approx(np.sqrt(4000 * 4400), rel=1e-3)
    assert one.crps < 0.03
    outside = printed(claims, COUNT, 4195, end="2027-01-31", known="2027-03-01")
    assert scored(tmp_path, on(outside)) == []


def test_a_yearly_size_counts_for_its_year_only_and_in_its_definition_only(claims, on, tmp_path):
    sizes = [(f"market_size_{name}", "CNY_million", "2026-12-31", 5e5) for name in ("healthcare", "pharmacy")]
    frozen(tmp_path, sizes)
    year = {"start": "2026-01-01", "end": "2026-12-31", "known": "2027-06-01"}
    [one] = scored(tmp_path, on(printed(claims, SIZE, 520000, **year)))
    assert one.target == "market_size_healthcare" and one.latent
    half = year | {"end": "2026-06-30"}
    assert scored(tmp_path, on(printed(claims, SIZE, 260000, **half))) == []


def test_a_figure_of_few_digits_near_the_end_of_the_interval_is_called_doubtful(claims, on, tmp_path):
    frozen(tmp_path, USERS)
    edge = quantiles(4e8, 0.1)[18] / 1e8  # the 90% quantile: 4.55 hundred million, between 4 and 5
    rough = printed(claims, SURVEY, f"{round(edge)}e8", end="2026-06-30", known="2026-12-01", resolution=1e8)
    [one] = scored(tmp_path, on(rough.assign(value=rough["value"].astype(float))))
    assert one.doubtful and one.rounding > 0.05


def test_shares_are_scored_on_the_logit_scale(claims, on, tmp_path):
    frozen(tmp_path, [("internet_hospitals_hospital_share", "percent", "2026-12-31", 50.0)], spread=0.05)
    like = "ihshare-2021-08-seed-public"
    later = printed(claims, like, 60, end="2026-12-31", known="2027-06-01", relation="eq")
    [one] = scored(tmp_path, on(later))
    assert one.bias == pytest.approx(np.log(1.0) - np.log(60 / 40), abs=0.02)


@pytest.mark.parametrize("file", [frozen_files.TABLE, frozen_files.STATEMENT])
def test_a_release_that_was_edited_is_refused_by_name(claims, on, tmp_path, file):
    place = frozen(tmp_path, USERS)
    content = (place / file).read_bytes()
    (place / file).write_bytes(content.replace(b"6", b"5", 1))
    with pytest.raises(TelemedError, match=f"2026-11-21-base-1/{file}: changed"):
        scored(tmp_path, on(claims))


def test_a_folder_without_its_statement_is_not_passed_over(claims, on, tmp_path):
    (frozen(tmp_path, USERS) / frozen_files.STATEMENT).unlink()
    with pytest.raises(TelemedError, match=r"release\.json: missing"):
        scored(tmp_path, on(claims))
    with pytest.raises(InputError, match="not a folder of releases"):
        frozen_forecasts.read(tmp_path / "nowhere")


def test_what_was_frozen_later_or_is_no_release_is_not_looked_at(claims, on, tmp_path):
    frozen(tmp_path, USERS)
    later = frozen(tmp_path, USERS, name="2027-01-31-base-2", released="2027-01-31")
    (later / frozen_files.TABLE).write_text("damaged")
    (tmp_path / "scratch").mkdir()
    day = date(2026, 12, 31)
    frozen_by_then = frozen_forecasts.read(tmp_path, day)
    assert set(frozen_by_then["release"]) == {"2026-11-21-base-1"}
    assert {one.release for one in waits(tmp_path, on(claims), day)} == {"2026-11-21-base-1"}
    assert frozen_forecasts.unprinted(frozen_by_then) == {}
    with pytest.raises(TelemedError, match=r"2027-01-31-base-2/forecasts\.csv: changed"):
        frozen_forecasts.read(tmp_path, date(2027, 1, 31))


def test_a_release_without_a_day_is_refused_on_every_day(tmp_path):
    place = frozen(tmp_path, USERS, released="soon")
    with pytest.raises(TelemedError, match=r"release\.json: has no day"):
        frozen_forecasts.read(tmp_path, date(2020, 1, 1))
    (place / frozen_files.STATEMENT).write_text("{")
    with pytest.raises(TelemedError, match=r"release\.json: cannot be read"):
        frozen_forecasts.read(tmp_path, date(2020, 1, 1))


def test_each_release_is_scored_on_its_own(claims, on, tmp_path):
    frozen(tmp_path, USERS)
    frozen(tmp_path, USERS, name="2027-01-31-base-2", released="2027-01-31")
    later = printed(claims, SURVEY, 420000000, end="2026-06-30", known="2026-12-01")
    later = printed(later, SURVEY, 430000000, end="2026-12-31", known="2027-03-01", claim_id="newer")
    found = [(one.release, one.claim_id) for one in scored(tmp_path, on(later))]
    assert found == [("2026-11-21-base-1", "new"), ("2026-11-21-base-1", "newer"), ("2027-01-31-base-2", "newer")]


def test_every_target_of_the_projects_releases_is_scored_or_named_as_unprinted(claims, on):
    for _, own in frozen_forecasts.read(paths.RELEASES).groupby("release"):
        assert set(frozen_forecasts.TARGETS) <= set(own["target"])
        assert set(own["target"]) == set(frozen_forecasts.TARGETS) | set(frozen_forecasts.unprinted(own))


def test_each_target_has_figures_of_its_unit_in_the_ledger(claims, on):
    context = on(claims, "2026-11-21")
    frozen_units = frozen_forecasts.read(paths.RELEASES).drop_duplicates("target")
    units = dict(zip(frozen_units["target"], frozen_units["unit"], strict=True))
    for name, target in frozen_forecasts.TARGETS.items():
        figures = target.figures(context)
        assert units[name] in set(figures.unit.tolist()), name
