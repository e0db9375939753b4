"""The section on past forecasts: every number of the scores is on the page, in both languages."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from telemed_forecast.evaluation import rolling_origins as rolling
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.evidence import ledger
from telemed_forecast.evidence.observations import intervals
from telemed_forecast.exhibits import rivals as section
from telemed_forecast.fits.gates import Gate
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import History
from telemed_forecast.render.html import fragment
from telemed_forecast.runs import parameters

pytestmark = pytest.mark.unit

HORIZON = date(2030, 12, 31)
GATE = Gate("toy", True, 1.0, 1000.0, 1000.0, 0, 1.0, 2, 1000)
NOTHING = History((), (), "log", "")
PATH = Path("users", "persons", (HORIZON,), np.linspace(4e8, 6e8, 101)[:, None], 0, 6)


@pytest.fixture(scope="module")
def surveys():
    frame = ledger.load()
    rows = intervals(frame[(frame["metric"] == "online_medical_users") & (frame["segment"] == "national")])
    return rows.where(rows.end > np.datetime64("2021-12-31"))


def origins_of(surveys, factor, members=rolling.MEMBERS):
    """One origin; each member forecasts its own multiple of what came."""
    middles = 0.5 * (surveys.low + surveys.high)
    errors = np.exp(0.1 * np.random.default_rng(3).standard_normal((400, 1)))
    draws = {name: middles * errors * factor.get(name, 1.5) for name in members}
    known = tuple(day.item() for day in surveys.end.astype("datetime64[D]"))
    return [Origin(date(2021, 12, 31), GATE, surveys, known, np.ones(len(surveys), dtype=bool), draws)]


@pytest.fixture
def made():
    """Exhibits and numbers from given origins: (origins, history of rivals) -> both."""
    context = Context(parameters.validate("user_adoption", {}))

    def compared(origins, history=NOTHING, **options):
        return section.compared(context, "toy", SimpleNamespace(known=history, path=PATH), origins, **options)

    return compared


def by_member(exhibits, name="toy_rivals"):
    return exhibits[name].frame.set_index("member")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_exhibit_has_its_texts(made, surveys, lang):
    for origins in (origins_of(surveys, {"ours": 1.0}), [], origins_of(surveys, {}, ["ours"])):
        for exhibit in made(origins)[0].values():
            assert fragment(exhibit, lang)


def test_the_chart_holds_each_figure_with_its_forecast(made, surveys):
    exhibits, _ = made(origins_of(surveys, {"ours": 1.0}))
    chart = exhibits["toy_track"]
    assert chart.frame["series"].tolist() == ["forecast", "published"] * len(surveys)
    assert set(chart.claims) == set(surveys.claim_id.tolist())


def test_a_model_that_was_right_is_the_headline_by_its_score(made, surveys):
    _, numbers = made(origins_of(surveys, {"ours": 1.0}))
    assert numbers["rivals_nearer"] == "ours"
    assert (numbers["rivals_forecasts"], numbers["rivals_inside"].value) == (len(surveys), 100.0)


def test_a_model_that_was_wrong_is_not_called_better_than_the_ensemble(made, surveys):
    _, numbers = made(origins_of(surveys, {"ours": 4.0, "drift": 1.0, "theta": 1.0, "ets": 1.0, "prophet": 1.0}))
    assert numbers["rivals_nearer"] == "pool"
    assert numbers["rivals_inside"].value == 0.0


def test_without_rivals_no_score_is_made_up(made, surveys):
    exhibits, numbers = made(origins_of(surveys, {"ours": 1.0}, ["ours"]))
    assert numbers["rivals_common"] == 0
    assert by_member(exhibits).loc["ours", ["crps", "skill"]].isna().all()


def test_a_difference_of_scores_stands_with_an_interval_only_where_days_and_years_are_enough(made, surveys):
    one_day = origins_of(surveys, {"ours": 1.0, "drift": 2.0})
    exhibits, numbers = made(one_day)
    assert numbers["rivals_clusters"] == 0
    assert by_member(exhibits)["difference"].isna().all()
    exhibits, numbers = made([replace(one_day[0], forecast_date=date(2020, 12, 31)), *one_day])
    assert numbers["rivals_clusters"] == 2
    rows = by_member(exhibits)
    assert np.isnan(rows.loc["drift", "difference"]), "it is not held against itself"
    assert rows.loc["ours", "difference_low"] < rows.loc["ours", "difference"] < 0.0


def test_weights_on_the_page_are_shares_of_one_whole(made, surveys):
    assert by_member(made(origins_of(surveys, {"ours": 1.0}))[0])["weight"].sum() == pytest.approx(100.0)


def test_without_rivals_the_ensemble_is_our_model(made, surveys):
    members = made(origins_of(surveys, {"ours": 1.0}))[0]["toy_members"]
    ours, pool = members.frame["value"]
    assert pool == pytest.approx(ours, rel=0.02)
    assert members.entry == "rivals_members_alone"


def test_rivals_and_the_ensemble_stand_beside_our_forecast_of_the_horizon(made, surveys):
    days = tuple(date(year, 12, 31) for year in range(2017, 2025))
    history = History(days, tuple(np.linspace(2e8, 4e8, 8).tolist()), "log", "persons", (5e8, 7e8))
    rows = by_member(made(origins_of(surveys, {"ours": 1.0}), history)[0], "toy_members")
    assert list(rows.index) == ["ours", "ensemble", "prophet", "ets", "theta", "drift", "naive"]
    members = rows.loc[list(rolling.MEMBERS)]
    assert members["value_low"].min() <= rows.loc["ensemble", "value"] <= members["value_high"].max()


def test_in_another_money_forecasts_and_figures_are_told_at_the_same_rate(made, surveys):
    origins = origins_of(surveys, {"ours": 1.0})
    other = Path("users", "USD_million", (HORIZON,), 0.5 * PATH.draws, 0, 6)
    plain, told = made(origins)[0], made(origins, path=other, worth=lambda year: 0.5)[0]
    for name in ("toy_track", "toy_forecasts_then", "toy_members"):
        assert set(told[name].units.values()) == {"USD_million"}
    np.testing.assert_allclose(told["toy_track"].frame["value"], 0.5 * plain["toy_track"].frame["value"])
