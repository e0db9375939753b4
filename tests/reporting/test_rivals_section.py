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
from telemed_forecast.fits.gates import Gate
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import History
from telemed_forecast.render.html import fragment
from telemed_forecast.reporting.blocks import Chart, Paragraph, TableBlock
from telemed_forecast.reporting.content import rivals as section
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
    """Blocks from given origins: (origins, history of rivals) -> blocks."""
    context = Context(parameters.validate("user_adoption", {}))

    def blocks(origins, history=NOTHING, **options):
        return section.blocks(context, "toy", SimpleNamespace(known=history, path=PATH), origins, **options)

    return blocks


def one(blocks, kind, name):
    return next(b for b in blocks if isinstance(b, kind) and name in (b.id if kind is not Paragraph else b.key))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_block_has_its_texts(made, surveys, lang):
    for block in [*made(origins_of(surveys, {"ours": 1.0})), *made([]), *made(origins_of(surveys, {}, ["ours"]))]:
        assert fragment(block, lang)


def test_the_chart_holds_each_figure_with_its_forecast(made, surveys):
    chart = one(made(origins_of(surveys, {"ours": 1.0})), Chart, "toy_track")
    assert len(chart.data.rows) == 2 * len(surveys)
    assert set(chart.sources) == set(surveys.claim_id.tolist())


def test_a_model_that_was_right_is_the_headline_by_its_score(made, surveys):
    blocks = made(origins_of(surveys, {"ours": 1.0}))
    assert one(blocks, Paragraph, "verdict").key == "rivals.verdict_ours"
    text = one(blocks, Paragraph, "rivals.text")
    assert (text.values["forecasts"], text.values["inside"].value) == (len(surveys), 100.0)


def test_a_model_that_was_wrong_is_not_called_better_than_the_ensemble(made, surveys):
    blocks = made(origins_of(surveys, {"ours": 4.0, "drift": 1.0, "theta": 1.0, "ets": 1.0, "prophet": 1.0}))
    assert one(blocks, Paragraph, "verdict").key == "rivals.verdict_pool"
    assert one(blocks, Paragraph, "rivals.text").values["inside"].value == 0.0


def test_without_rivals_no_score_is_made_up(made, surveys):
    blocks = made(origins_of(surveys, {"ours": 1.0}, ["ours"]))
    assert one(blocks, Paragraph, "verdict").key == "rivals.verdict_none"
    row = one(blocks, TableBlock, "toy_rivals").rows[0]
    assert row[0] == "@rivals.ours"
    assert row[2] is None and row[3] is None


def test_a_difference_of_scores_stands_with_an_interval_only_where_days_and_years_are_enough(made, surveys):
    one_day = origins_of(surveys, {"ours": 1.0, "drift": 2.0})
    assert [b for b in made(one_day) if isinstance(b, Paragraph) and b.key == "rivals.difference_text"] == []
    assert all(row[4] is None for row in one(made(one_day), TableBlock, "toy_rivals").rows)
    two_days = [replace(one_day[0], forecast_date=date(2020, 12, 31)), *one_day]
    blocks = made(two_days)
    assert one(blocks, Paragraph, "difference_text").values["clusters"] == 2
    rows = {row[0]: row[4] for row in one(blocks, TableBlock, "toy_rivals").rows}
    assert rows["@rivals.drift"] is None, "it is not held against itself"
    assert rows["@rivals.ours"].low < rows["@rivals.ours"].value < 0.0
    assert "drift" in fragment(one(blocks, Paragraph, "difference_text"), "en")


def test_weights_on_the_page_are_shares_of_one_whole(made, surveys):
    rows = one(made(origins_of(surveys, {"ours": 1.0})), TableBlock, "toy_rivals").rows
    assert sum(row[1].value for row in rows if row[1] is not None) == pytest.approx(100.0)


def test_without_rivals_the_ensemble_is_our_model(made, surveys):
    table = one(made(origins_of(surveys, {"ours": 1.0})), TableBlock, "toy_members")
    ours, pool = (row[1] for row in table.rows)
    assert pool.value == pytest.approx(ours.value, rel=0.02)


def test_rivals_and_the_ensemble_stand_beside_our_forecast_of_the_horizon(made, surveys):
    days = tuple(date(year, 12, 31) for year in range(2017, 2025))
    history = History(days, tuple(np.linspace(2e8, 4e8, 8).tolist()), "log", "persons", (5e8, 7e8))
    table = one(made(origins_of(surveys, {"ours": 1.0}), history), TableBlock, "toy_members")
    names = [row[0].removeprefix("@rivals.") for row in table.rows]
    assert names == ["ours", "ensemble", "prophet", "ets", "theta", "drift", "naive"]
    values = {name: row[1] for name, row in zip(names, table.rows, strict=True)}
    members = [values[name] for name in rolling.MEMBERS]
    assert min(v.low for v in members) <= values["ensemble"].value <= max(v.high for v in members)


def test_in_another_money_forecasts_and_figures_are_told_at_the_same_rate(made, surveys):
    origins = origins_of(surveys, {"ours": 1.0})
    other = Path("users", "USD_million", (HORIZON,), 0.5 * PATH.draws, 0, 6)
    plain, told = made(origins), made(origins, path=other, worth=lambda year: 0.5)
    for name in ("toy_track", "toy_forecasts_then", "toy_members"):
        kind = Chart if name == "toy_track" else TableBlock
        assert "persons" not in one(told, kind, name).model_dump_json()
    pairs = zip(one(plain, Chart, "toy_track").data.rows, one(told, Chart, "toy_track").data.rows, strict=True)
    for before, after in pairs:
        assert after[2] == pytest.approx(0.5 * before[2])
