"""Rolling origins: what was said then against what came, with nothing of what came in what was said."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from telemed_forecast.evaluation import rolling_origins as rolling
from telemed_forecast.evaluation.scores import COVERAGE, METRICS
from telemed_forecast.evidence import ledger
from telemed_forecast.fits.gates import Gate
from telemed_forecast.forecast import context as context_module
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.rivals import History, history
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

GATE = Gate("toy", True, 1.0, 1000.0, 1000.0, 0, 1.0, 2, 1000)


def headline(context):
    return context.observed("online_medical_users", "national")


def run(context):
    rows = headline(context)
    middles = 0.5 * (rows.low + rows.high)
    newest = float(middles[np.argmax(rows.end)])
    return SimpleNamespace(newest=newest, known=history(rows, "log"), dated_fit=SimpleNamespace(gate=GATE))


def predictive(result, observations, rng):
    return result.newest * np.exp(0.2 * rng.standard_normal((500, len(observations))))


TOY = SimpleNamespace(
    headline=headline,
    run=run,
    predictive=predictive,
    module=SimpleNamespace(comparable=lambda rows: np.ones(len(rows), dtype=bool)),
)


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setattr(rolling, "MARKETS", {"toy": TOY})


@pytest.fixture(scope="module")
def claims():
    return ledger.load()


def made(monkeypatch, claims, as_of="2026-11-21"):
    monkeypatch.setattr(context_module, "_ledger", lambda *_: claims)
    return rolling.origins(Context(parameters.validate("user_adoption", {"as_of": as_of})), "toy")


def planted(claims, *, end, known_on):
    """A copy of a survey, a hundred times as large, about another day and published on another day."""
    row = claims[claims["claim_id"] == "cnnic-2021-12-online-medical-users-b2c49"]
    assert len(row) == 1
    day = pd.Timestamp(end)
    value = 100 * row["value"]
    changes = {"period_start": day, "period_end": day, "known_date": pd.Timestamp(known_on)}
    return pd.concat(
        [claims, row.assign(claim_id="planted", value=value, printed=value.map(repr), **changes)], ignore_index=True
    )


def test_outcomes_are_published_after_the_origin_and_speak_of_days_after_it(toy, monkeypatch, claims):
    found = made(monkeypatch, claims)
    assert [origin.forecast_date for origin in found] == [date(year, 12, 31) for year in range(2019, 2025)]
    for origin in found:
        assert len(origin.actuals)
        assert min(origin.known) > origin.forecast_date
        assert (origin.actuals.end > np.datetime64(origin.forecast_date)).all()


def test_an_earlier_run_knows_earlier_origins_and_outcomes_only(toy, monkeypatch, claims):
    found = made(monkeypatch, claims, as_of="2022-12-31")
    assert [origin.forecast_date.year for origin in found] == [2019, 2020, 2021]
    assert max(day for origin in found for day in origin.known) <= date(2022, 12, 31)


def test_a_figure_published_later_changes_no_bit_of_any_forecast_made_before(toy, monkeypatch, claims):
    before = made(monkeypatch, claims)
    after = made(monkeypatch, planted(claims, end="2022-03-31", known_on="2024-06-30"))
    for one, other in zip(before, after, strict=True):
        if one.forecast_date >= date(2024, 6, 30):
            continue
        same = other.actuals.claim_id != "planted"
        assert other.actuals.where(same).claim_id.tolist() == one.actuals.claim_id.tolist()
        assert one.draws.keys() == other.draws.keys()
        for name, draws in one.draws.items():
            assert np.array_equal(other.draws[name][:, same], draws, equal_nan=True), name
    key = ["member", "forecast_date", "claim_id"]
    told, planted_too = (rolling.score(found, "toy", seed=1) for found in (before, after))
    earlier = planted_too[(planted_too["claim_id"] != "planted") & (planted_too["forecast_date"] < date(2024, 6, 30))]
    pairs = earlier.merge(told, on=key, suffixes=("", "_before"))
    assert len(pairs) == len(earlier) and (pairs["quantiles"] == pairs["quantiles_before"]).all()
    assert "planted" in set(planted_too["claim_id"])


def test_the_same_figure_published_in_time_changes_the_forecast(toy, monkeypatch, claims):
    # Without this the test above would pass on a row that nobody looks at.
    before = made(monkeypatch, claims)[-1]
    after = made(monkeypatch, planted(claims, end="2024-12-30", known_on="2024-12-31"))[-1]
    assert before.forecast_date == after.forecast_date == date(2024, 12, 31)
    assert not np.array_equal(after.draws["drift"], before.draws["drift"])


def test_rivals_wait_until_there_are_figures_enough(toy, monkeypatch, claims):
    members = {origin.forecast_date.year: set(origin.draws) for origin in made(monkeypatch, claims)}
    assert members[2019] == {"ours"}
    assert members[2024] == {"ours", "prophet", "ets", "theta", "drift", "naive"}


def test_a_rival_is_asked_for_every_month_and_answers_for_the_nearest_end_of_one():
    days = tuple(date(year, month, 28) for year in (2019, 2020) for month in (3, 9))
    history = History(days, (1.0, 1.2, 1.5, 1.7), "log", "persons")
    ends = np.array(["2021-06-30", "2021-06-23", "2021-07-15", "2021-07-16", "2021-12-31", "2045-12-31"], dtype="M8[D]")
    for name, draws in rolling._rivals(history, ends, date(2020, 12, 31), 1).items():
        june, earlier, later, july, december, never = draws.T
        assert np.array_equal(june, earlier) and np.array_equal(june, later), name
        assert not np.array_equal(june, july)
        assert np.isfinite(december).all() and np.isnan(never).all()
    assert rolling._rivals(History((), (), "log", ""), ends, date(2020, 12, 31), 1) == {}


def test_every_forecast_is_scored_and_the_ensemble_with_them(toy, monkeypatch, claims):
    found = made(monkeypatch, claims)
    scored = rolling.score(found, "toy", seed=1)
    assert (scored["member"] == "ours").sum() == sum(len(origin.actuals) for origin in found)
    assert (scored["member"] == "ensemble").sum() == (scored["member"] == "ours").sum()
    assert ((scored["low"] <= scored["median"]) & (scored["median"] <= scored["high"])).all()
    assert (scored[list(COVERAGE)].astype(int).diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    clear = scored[np.minimum((scored["pit"] - 0.1).abs(), (scored["pit"] - 0.9).abs()) > 1e-3]  # at it, digits decide
    assert (clear["interval_coverage_80"] == clear["pit"].between(0.1, 0.9)).all()
    parts = scored[["dispersion", "overprediction", "underprediction"]].sum(axis=1)
    assert scored["wis"].to_numpy() == pytest.approx(parts.to_numpy())
    assert scored["wis"].to_numpy() == pytest.approx(scored["crps"].to_numpy(), rel=0.25, abs=0.01)
    assert all(list(q) == sorted(q) and q[11] == m for q, m in zip(scored["quantiles"], scored["median"], strict=True))
    pd.testing.assert_frame_equal(rolling.score(found, "toy", seed=1), scored)


def made_up(member, year, claim, crps, *, known=None, covered=True):
    day = date(year + 1, 6, 30)
    own = dict.fromkeys(METRICS, crps) | {"bias": 0.1, "pit": 0.5} | dict.fromkeys(COVERAGE, True)
    own |= {"interval_coverage_50": covered, "interval_coverage_80": covered}
    key = {"market": "toy", "member": member, "forecast_date": date(year, 12, 31), "claim_id": claim}
    return {**key, "day": day, "known": known or day, **own}


ALL = dict(zip(rolling.MEMBERS, (0.1, 0.2, 0.3, 0.4, 0.5), strict=True))


def everyone(year, claim):
    return [made_up(member, year, claim, crps) for member, crps in ALL.items()]


def weights(rows, day):
    return rolling.weights(rolling.frame(rows), day)


def test_weights_are_equal_before_anything_has_come():
    assert set(weights([], date(2022, 6, 29)).values()) == {0.2}
    assert set(weights(everyone(2021, "a"), date(2022, 6, 29)).values()) == {0.2}


def test_weights_follow_the_scores_of_outcomes_known_by_then():
    made = weights(everyone(2021, "a"), date(2022, 6, 30))
    assert sorted(made, key=made.__getitem__, reverse=True) == list(rolling.MEMBERS)
    assert sum(made.values()) == pytest.approx(1.0)


def test_one_outcome_forecast_from_three_origins_is_one_outcome():
    day = date(2025, 1, 1)
    thrice = weights([s for year in (2021, 2022, 2023) for s in everyone(year, "a")], day)
    assert thrice == pytest.approx(weights(everyone(2021, "a"), day))


def test_a_forecast_that_not_all_made_moves_no_weight():
    found, alone = everyone(2021, "a"), made_up("ours", 2021, "b", 9.0)
    assert weights([*found, alone], date(2025, 1, 1)) == weights(found, date(2025, 1, 1))
    assert set(rolling.shared(rolling.frame([*found, alone]))["claim_id"]) == {"a"}


def test_skill_is_against_the_drift_and_coverage_over_all_forecasts_of_a_member():
    found = [*everyone(2021, "a"), made_up("ours", 2020, "b", 0.7, covered=False)]
    table = rolling.summary(rolling.frame(found), date(2025, 1, 1)).set_index("member")
    assert list(table.index) == list(rolling.MEMBERS)
    ours = table.loc["ours"]
    assert ours["skill"] == pytest.approx(0.8)
    assert table.loc["drift", "skill"] == 0.0
    assert (ours["number"], ours["common"]) == (2, 1)
    assert ours[list(COVERAGE)].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert table["weight"].sum() == pytest.approx(1.0)


def test_a_member_that_shares_no_forecast_has_no_skill():
    table = rolling.summary(rolling.frame([made_up("ours", 2021, "a", 0.3)]), date(2025, 1, 1))
    assert table["common"].tolist() == [0] and table["crps"].isna().all()


def test_without_forecasts_there_is_no_table():
    assert rolling.summary(rolling.frame([]), date(2025, 1, 1)).empty
