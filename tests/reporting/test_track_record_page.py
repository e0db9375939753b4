"""The page of the track record, on the shipped ledger, with draws from priors and made-up forecasts of earlier days."""

import json
import re
import shutil
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import prior_fits
import pytest

from telemed_forecast.evaluation import frozen_files, frozen_forecasts, track_record
from telemed_forecast.evaluation.frozen_forecasts import SCORED, Frozen
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.evaluation.score_summary import rows as each
from telemed_forecast.forecast import platform_revenue
from telemed_forecast.forecast.context import Context
from telemed_forecast.paths import RELEASES, ROOT
from telemed_forecast.render import html, tables
from telemed_forecast.render.texts import catalogue
from telemed_forecast.reporting.blocks import Chart, DataTable, Heading, KeyFigures, Paragraph, Sources, TableBlock
from telemed_forecast.reporting.content import frozen_releases, worst_misses
from telemed_forecast.reporting.content import track_record as content
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")

FACTORS = {"market_size": 1.0, "internet_hospitals": 0.3, "channel_share": 1.0, "user_adoption": 1.0}
"""What was forecast over what came: one market was misread, the others were not."""


def origins(context, market):
    """Made-up forecasts of two days, and what came of them."""
    rows = MARKETS[market].module.headline(context)
    known = context.view.set_index("claim_id")["known_date"]
    made = []
    for year in (2019, 2021):
        day = np.datetime64(f"{year}-12-31")
        published = known.loc[rows.claim_id.tolist()].to_numpy("datetime64[D]")
        usable = np.isfinite(rows.high) & (rows.unit != "ratio")
        later = rows.where((rows.end > day) & (published > day) & usable)
        if not len(later):
            continue
        middles = 0.5 * (later.low + later.high)
        noise = np.exp(0.1 * np.random.default_rng(year).standard_normal((300, len(later))))
        most = 95.0 if market == "channel_share" else np.inf
        draws = {name: np.minimum(FACTORS[market] * middles * noise, most) for name in ("ours", "drift", "theta")}
        days = tuple(published[(rows.end > day) & (published > day) & usable].tolist())
        made.append(Origin(date(year, 12, 31), prior_fits.GATE, later, days, np.ones(len(later), bool), draws))
    return made


def recorded(monkeypatch, releases=RELEASES, **settings):
    context = Context(validate("track_record", {"profile": "quick", **settings}))
    monkeypatch.setattr(track_record.rolling_origins, "origins", origins)
    # Prophet's forecast of a company stands beside the engine's and takes no part in it.
    monkeypatch.setattr(platform_revenue.baselines, "forecast", lambda *args, **options: None)
    with prior_fits.unsampled():
        return context, track_record.run(context, releases=releases)


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """The shipped releases, as if they had been frozen on the day before the ledger's last."""
    folder = tmp_path_factory.mktemp("frozen") / "releases"
    shutil.copytree(RELEASES, folder)
    for release in frozen_files.all_in(folder):
        stated = json.loads((release / frozen_files.STATEMENT).read_text(encoding="utf-8"))
        del stated["seal"]
        sealed = frozen_files.sealed({**stated, "released": "2026-11-20"})
        (release / frozen_files.STATEMENT).write_text(sealed, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def today(releases):
    with pytest.MonkeyPatch.context() as patch:
        yield recorded(patch, releases)


@pytest.fixture(scope="module")
def sections(today):
    return content.sections(*today, {})


@pytest.fixture(scope="module")
def blocks(sections):
    return [block for section in sections.values() for block in section]


def table(blocks, name):
    return next(block for block in blocks if isinstance(block, TableBlock) and block.id == name)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_whole_in_both_languages(blocks, lang):
    page = html.page(blocks, lang, links=html.PageLinks(data="data"))
    assert catalogue(lang).text("record.league") in page
    assert 'href="data/track_record-record_unscored.csv"' in page


def test_every_row_of_the_league_is_on_the_page_with_its_source(today, blocks):
    _, record = today
    rows = table(blocks, "record_league").rows
    assert [row[-1] for row in rows] == record.league["claim_id"].tolist()
    assert len(rows) > 30
    (listed,) = [block for block in blocks if isinstance(block, Sources)]
    cited = {row.claim_id for row in listed.rows}
    assert set(record.league["claim_id"]) | set(record.league["claims"].explode().dropna()) <= cited


def test_the_text_counts_every_judge_and_every_missing_pair(today, sections):
    _, record = today
    judges = next(b for b in sections["league"] if isinstance(b, Paragraph) and b.key == "record.league_judge")
    assert sum(judges.values.values()) == len(record.league)
    pairs = next(b for b in sections["same_day"] if isinstance(b, Paragraph) and b.key == "record.same_day_text")
    without = sum(pairs.values[name] for name in ("early", "undated", "nothing"))
    assert without + record.pairs == len(record.league)
    assert pairs.values["undated"] == record.league["first_day"].isna().sum() > 0


def test_the_chart_of_publishers_counts_the_intervals_that_overlap(blocks):
    chart = next(block for block in blocks if isinstance(block, Chart) and block.id == "record_publishers")
    ends = [(low, high) for _, _, low, high in chart.data.rows]
    apart = sum(a[1] < b[0] for a in ends for b in ends)
    assert chart.alt_values["pairs"] == len(ends) * (len(ends) - 1) // 2
    assert chart.alt_values["overlap"] == chart.alt_values["pairs"] - apart


def test_what_is_not_scored_is_in_the_file_with_its_reason(today, blocks):
    _, record = today
    (whole,) = [block for block in blocks if isinstance(block, DataTable) and block.id == "record_unscored"]
    assert len(whole.data.rows) == len(record.unscored)
    assert all(row[-1] for row in whole.data.rows)
    assert sum(row[1] for row in table(blocks, "record_unscored_reasons").rows) == len(record.unscored)


def test_every_miss_of_ours_is_drawn_and_every_forecast_listed(today, blocks):
    _, record = today
    drawn = [
        row for block in blocks if isinstance(block, Chart) and "record_misses" in block.id for row in block.data.rows
    ]
    assert len(drawn) == len(record.missed) == (~record.ours["interval_coverage_80"]).sum()
    rows = table(blocks, "record_forecasts").rows
    assert len(rows) == len(record.ours)
    assert sum(row[-2] == "@rivals.no" for row in rows) == len(record.missed)


def test_the_market_that_was_misread_is_named_first(today, sections):
    _, record = today
    assert set(record.misses["market"]) == {"internet_hospitals"}
    answer = next(b for b in sections["summary"] if isinstance(b, Paragraph) and b.key == "record.answer_ours")
    assert answer.values["worst"] == "@record.market.internet_hospitals"
    assert answer.values["worst_inside"].value == 0.0
    said = [b for b in sections["misses"] if isinstance(b, Heading) and b.level == 3]
    assert len(said) == len(record.misses) == 2


def test_a_remark_stands_only_where_its_miss_is(today, sections):
    _, record = today
    shown = {b.key for b in sections["misses"] if isinstance(b, Paragraph) and "remark" in b.key}
    found = {(one.market, name) for one in each(record.misses) for name in (one.claim_id, one.forecast_date.year)}
    assert shown == {key for where, key in worst_misses.REMARKS.items() if where in found}
    assert "record.remark.hospitals_2019" in shown
    assert "record.remark.consultation_2022" not in shown


def test_every_remark_is_about_a_known_market_and_claim(today):
    context, _ = today
    for market, what in worst_misses.REMARKS:
        assert market in MARKETS
        assert isinstance(what, int) or what in set(context.view["claim_id"])


def test_the_answer_is_three_short_paragraphs(sections):
    said = [b for b in sections["summary"] if isinstance(b, Paragraph)]
    assert [b.key for b in said] == ["record.answer_ours", "record.answer_others_twice", "record.answer_worst"]
    texts = catalogue("en")
    assert all(len(re.findall(r"\w+", texts.text(b.key, b.values))) < 75 for b in said)


def test_the_long_tables_are_folded(blocks):
    for block in blocks:
        if isinstance(block, TableBlock) and len(block.rows) > 12:
            assert block.folded, block.id


def test_the_key_figures_are_those_of_the_record(today, blocks):
    _, record = today
    (figures,) = [block for block in blocks if isinstance(block, KeyFigures)]
    values = {item.id: item.value.value for item in figures.items}
    assert values["record_inside"] == pytest.approx(100 * record.ours["interval_coverage_80"].mean())
    assert values["record_published_error"] == pytest.approx(np.exp(record.league["median_error"].abs().median()))
    assert values["record_nearer"] == pytest.approx(100 * record.same_day["closer"])


def test_pairs_of_the_same_day_know_nothing_later(today, blocks):
    _, record = today
    rows = table(blocks, "record_same_day").rows
    pairs = record.league[record.league["forecast_date"].notna()]
    assert len(rows) == len(pairs) == record.pairs
    assert (pairs["forecast_date"] <= pairs["first_day"]).all()


def test_what_was_frozen_by_the_date_waits_for_its_figures(today, sections):
    _, record = today
    assert len(record.frozen.releases) == len(frozen_files.all_in(RELEASES))
    (shown,) = [b for b in sections["frozen"] if isinstance(b, TableBlock)]
    assert [row[2] for row in shown.rows] == [
        day.isoformat() for day in record.frozen.waiting["day"].head(len(shown.rows))
    ]


def test_a_release_that_was_frozen_later_is_no_part_of_the_record(releases):
    context = Context(validate("track_record", {"as_of": "2026-11-19", "profile": "quick"}))
    frozen = frozen_forecasts.record(releases, context)
    assert frozen.releases == () and frozen.waiting.empty and not frozen.altered


def test_an_altered_release_is_named_and_nothing_is_scored(releases, tmp_path):
    folder = tmp_path / "releases"
    shutil.copytree(releases, folder)
    table = frozen_files.all_in(folder)[0] / frozen_files.TABLE
    table.write_bytes(table.read_bytes() + b"\n")
    frozen = frozen_forecasts.record(folder, Context(validate("track_record", {"profile": "quick"})))
    assert frozen.altered and frozen.waiting.empty
    assert "record.frozen_altered" in {b.key for b in frozen_releases.blocks(frozen) if isinstance(b, Paragraph)}


def test_what_cannot_enter_the_runs_key_does_not_change_the_record_of_its_date(releases, tmp_path):
    folder = tmp_path / "releases"
    shutil.copytree(releases, folder)
    (folder / "scratch").mkdir()
    damaged = folder / "2026-11-22-base-2"
    shutil.copytree(RELEASES / next(iter(frozen_files.all_in(RELEASES))).name, damaged)
    (damaged / frozen_files.TABLE).write_text("damaged")
    context = Context(validate("track_record", {"profile": "quick", "as_of": "2026-11-21"}))
    found, clean = (frozen_forecasts.record(one, context) for one in (folder, releases))
    assert found.releases == clean.releases and found.waiting.equals(clean.waiting) and not found.altered
    assert len(frozen_files.frozen_by(folder, context.settings.as_of_date)) == len(frozen_files.all_in(releases))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_frozen_forecast_that_met_its_figure_is_listed(lang):
    one = dict(
        release="first", forecast_date=date(2026, 11, 20), target="internet_users", unit="persons",
        day=date(2026, 12, 31), claim_id="claim", publisher="cnnic", published=1.13e9, doubtful=False, low=1.1e9,
        median=1.12e9, high=1.14e9, crps=0.01, interval_coverage_80=True,
    )  # fmt: skip
    scores = pd.DataFrame([one, one | {"doubtful": True}, one | {"interval_coverage_80": False}], columns=SCORED)
    blocks = frozen_releases.blocks(Frozen(("first",), scores, pd.DataFrame()))
    (shown,) = [b for b in blocks if isinstance(b, TableBlock)]
    assert [row[-2] for row in shown.rows] == ["@record.held.yes", "@record.held.doubtful", "@record.held.no"]
    assert all(html.fragment(b, lang) for b in blocks)


def test_the_check_against_known_truths_stands_beside_the_record(sections):
    assert sections["simulated"][0].key == "sbc.heading"
    assert list(sections).index("simulated") > list(sections).index("frozen")


def test_the_data_of_every_exhibit_goes_to_a_file(blocks):
    files = tables.exhibits(blocks)
    assert {"track_record-record_league.csv", "track_record-record_forecasts.csv"} <= set(files)


@pytest.mark.parametrize("pairs", [False, True])
def test_the_check_cell_of_the_notebook_prints_the_pairs_also_where_there_are_none(today, pairs, capsys):
    cells = json.loads((ROOT / "notebooks" / "track_record.ipynb").read_text(encoding="utf-8"))["cells"]
    record = today[1] if pairs else replace(today[1], same_day=None)
    exec("".join(cells[-1]["source"]), {"known": today[0], "record": record})
    number, outcomes = (record.same_day["number"], record.same_day["outcomes"]) if pairs else (0, 0)
    said = capsys.readouterr().out
    assert f"pairs of the same day: {number}" in said and f"their outcomes: {outcomes}" in said


def test_an_early_date_knows_no_record_and_says_so(monkeypatch):
    context, record = recorded(monkeypatch, as_of="2019-06-30")
    assert record.ours.empty and record.missed.empty and record.same_day is None
    assert (record.pairs, record.outcomes) == (0, 0)
    made = content.sections(context, record, {})
    keys = {b.key for section in made.values() for b in section if isinstance(b, Paragraph)}
    assert {"record.answer_ours_none", "record.ours_none", "record.misses_none", "record.same_day_none"} <= keys
    assert (record.league["end"] <= date(2019, 6, 30)).all()
    assert html.page([b for section in made.values() for b in section], "zh")
