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
from telemed_forecast.evaluation.rolling_origins import Origin
from telemed_forecast.evaluation.score_summary import rows as each
from telemed_forecast.exhibits import track_record as report
from telemed_forecast.exhibits.exhibit import named
from telemed_forecast.exhibits.record import cited, record
from telemed_forecast.exhibits.said_and_happened import EACH
from telemed_forecast.forecast import platform_revenue
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.paths import RELEASES, ROOT
from telemed_forecast.render import html, pages, tables
from telemed_forecast.render.notebook import Shown
from telemed_forecast.render.readable import Readable
from telemed_forecast.render.texts import catalogue
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")

FACTORS = {"market_size": 1.0, "internet_hospitals": 0.3, "channel_share": 1.0, "user_adoption": 1.0}
"""What was forecast over what came: one market was misread, the others were not."""


def origins(context, market, *, hindsight=False):
    """Made-up forecasts of two days, and what came of them; with hindsight they are twice as sure."""
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
        noise = np.exp((0.05 if hindsight else 0.1) * np.random.default_rng(year).standard_normal((300, len(later))))
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


def shown_of(context, found):
    """What the notebook would show."""
    exhibits, numbers = report.exhibits(context, found), report.numbers(context, found)
    figures = report.key_figures(context, found)
    ending = record(context, {}, report.fits(found), [], cited(exhibits, numbers, figures))
    return Shown(exhibits | ending, numbers, figures)


@pytest.fixture(scope="module")
def shown(today):
    return shown_of(*today)


@pytest.fixture(scope="module")
def exhibits(shown):
    return shown.exhibits


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_whole_in_both_languages(shown, lang):
    page = pages.page("track_record", shown, lang)
    assert {one.name for one in page.exhibits} == shown.exhibits.keys() - {*pages.RECORD}
    text = html.page(page, lang, html.PageLinks(data="data"))
    assert 'href="data/track_record-record_unscored.csv"' in text
    assert "@record" not in text and "@sbc" not in text


def test_both_languages_place_the_same_exhibits_numbers_and_citations():
    tags = [
        re.findall(r"\{[{%]-?(.*?)-?[}%]\}", (pages.PAGES / f"track_record.{lang}.md").read_text(encoding="utf-8"))
        for lang in ("en", "zh")
    ]
    assert sorted(tags[0]) == sorted(tags[1])


def test_every_exhibit_has_its_cell_in_the_notebook(exhibits):
    source = (ROOT / "notebooks" / "track_record.ipynb").read_text(encoding="utf-8")
    assert exhibits.keys() - {*pages.RECORD} <= set(re.findall(r'exhibits\.get\(\\"(\w+)', source))


def test_every_row_of_the_league_is_on_the_page_with_its_source(today, exhibits, shown):
    _, found = today
    assert exhibits["record_league"].frame["claim_id"].tolist() == found.league["claim_id"].tolist()
    assert len(found.league) > 30
    listed = {row["claim_id"] for row in pages.page("track_record", shown, "en").rows("sources")}
    assert set(found.league["claim_id"]) | set(found.league["claims"].explode().dropna()) <= listed


def test_the_text_counts_every_judge_and_every_missing_pair(today, shown):
    _, found = today
    numbers = shown.numbers
    judged = [numbers[f"judged_{kind}"] for kind in ("count", "estimate", "between", "inferred")]
    assert sum(judged) == len(found.league)
    without = sum(numbers[f"without_{name}"] for name in ("early", "undated", "nothing"))
    assert without + found.pairs == len(found.league)
    assert numbers["without_undated"] == found.league["first_day"].isna().sum() > 0


def test_the_chart_of_publishers_counts_the_intervals_that_overlap(exhibits):
    chart = exhibits["record_publishers"]
    ends = chart.frame[["low", "high"]].to_numpy()
    apart = sum(a[1] < b[0] for a in ends for b in ends)
    assert chart.facts["pairs"] == len(ends) * (len(ends) - 1) // 2
    assert chart.facts["overlap"] == chart.facts["pairs"] - apart


def test_what_is_not_scored_is_in_the_file_with_its_reason(today, exhibits):
    _, found = today
    whole = exhibits["record_unscored"].frame
    assert len(whole) == len(found.unscored) == exhibits["record_unscored_reasons"].frame["rows"].sum()
    assert whole["reason"].all()


def test_every_miss_of_ours_is_drawn_and_every_forecast_listed(today, exhibits):
    _, found = today
    drawn = [len(one.frame) for name, one in exhibits.items() if name.startswith("record_misses")]
    assert sum(drawn) == len(found.missed) == (~found.ours["interval_coverage_80"]).sum()
    listed = exhibits["record_forecasts"].frame
    assert len(listed) == len(found.ours)
    assert (listed["held"] == "no").sum() == len(found.missed)


def test_the_market_that_was_misread_is_named_first(today, shown):
    _, found = today
    assert set(found.misses["market"]) == {"internet_hospitals"}
    assert shown.numbers["worst_market"] == "@record.market.internet_hospitals"
    assert shown.numbers["worst_inside"].value == 0.0
    assert len(shown.numbers["misses"]) == len(found.misses) == 2


def test_a_remark_stands_only_where_its_miss_is(today, shown):
    _, found = today
    told = {one["name"] for miss in shown.numbers["misses"] for one in miss["remarks"]}
    known = {(one.market, name) for one in each(found.misses) for name in (one.claim_id, one.forecast_date.year)}
    assert told == {name for where, name in report.REMARKS.items() if where in known}
    assert "hospitals_2019" in told
    assert "consultation_2022" not in told


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_remark_is_on_the_page_and_about_a_known_market_and_claim(today, lang):
    context, _ = today
    template = (pages.PAGES / f"track_record.{lang}.md").read_text(encoding="utf-8")
    for (market, what), name in report.REMARKS.items():
        assert market in MARKETS
        assert isinstance(what, int) or what in set(context.view["claim_id"])
        assert f'remark.name == "{name}"' in template


def test_the_answer_is_three_short_paragraphs(shown):
    said = [piece for piece in pages.page("track_record", shown, "en").pieces[:3]]
    assert all(piece.text.startswith("**") for piece in said)
    assert all(len(re.findall(r"\w+", piece.text.partition(pages.CITE)[0])) < 75 for piece in said)


def test_the_long_tables_are_folded(exhibits):
    for exhibit in named(one for name, one in exhibits.items() if name not in pages.RECORD).values():
        one = Readable(exhibit, catalogue("en"))
        if one.kind == "table" and len(exhibit.frame) > 12 and exhibit.name != "record_grid":
            assert one.folded, exhibit.name


def test_the_key_figures_are_those_of_the_record(today, shown):
    _, found = today
    values = {name: figure.value.value for name, figure in shown.figures.items()}
    assert values["record_inside"] == pytest.approx(100 * found.ours["interval_coverage_80"].mean())
    assert "record_published_error" not in values, "an average over other questions than ours"
    assert values["record_nearer"] == pytest.approx(100 * found.same_day["closer"])


def test_the_grid_comes_first_and_names_the_misses_of_each_market_first(shown, exhibits):
    page = pages.page("track_record", shown, "en")
    assert page.exhibits[0].name == "record_grid"
    grid = exhibits["record_grid"].frame
    for _, own in grid.groupby("market"):
        assert (own["outcome"] == "missed").astype(int).is_monotonic_decreasing
        who = own["origin"].eq("@record.who.ours")
        assert who.sum() <= EACH and (~who).sum() <= EACH
    assert grid["origin"].eq("@record.who.ours").any() and not grid["origin"].eq("@record.who.ours").all()
    assert grid["happened"].notna().all(), "our own posterior says nothing of what happened"


def test_coverage_is_shown_by_origin_first(today, shown, exhibits):
    _, found = today
    names = [one.name for one in pages.page("track_record", shown, "en").exhibits]
    assert names.index("record_origins") < names.index("record_markets")
    table = exhibits["record_origins"].frame.set_index("group")
    own = found.ours[(found.ours["market"] == "internet_hospitals") & (found.ours["year"] == 2019)]
    assert table.loc["2019", "internet_hospitals"] == f"0 / {len(own)}"
    assert table.loc["2019", "all"].endswith(f"/ {(found.ours['year'] == 2019).sum()}")


def test_both_records_are_printed_and_the_headline_is_what_could_have_been_known(today, shown, exhibits):
    _, found = today
    both = exhibits["record_hindsight"].frame.set_index("group")
    assert (both["known_crps"] != both["designed_crps"]).any()
    inside = [100 * record["interval_coverage_80"].mean() for record in (found.ours, found.with_hindsight)]
    assert shown.figures["record_inside"].value.value == pytest.approx(inside[0])
    assert shown.numbers["designed"].value == pytest.approx(inside[1])
    listed = exhibits["record_constants"].frame
    assert len(listed) == shown.numbers["constants"] > 10
    assert (listed["known"] > date(2019, 12, 31)).all()


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Only frozen releases are clean"), ("zh", "只有已冻结的版本才是干净的")]
)
def test_the_page_says_that_only_frozen_releases_are_clean(shown, lang, words):
    assert words in pages._text("track_record", shown, lang)


def test_a_release_that_was_frozen_before_the_cut_off_is_shown_as_frozen(today, exhibits):
    _, found = today
    listed = exhibits["record_releases"].frame
    assert listed["release"].tolist() == list(found.frozen.releases)
    assert listed["frozen"].tolist() == [date(2026, 11, 20)]
    assert (listed["number"] >= listed["waiting"]).all() and (listed["waiting"] > 0).all()


def test_pairs_of_the_same_day_know_nothing_later(today, exhibits):
    _, found = today
    pairs = found.league[found.league["forecast_date"].notna()]
    assert len(exhibits["record_same_day"].frame) == len(pairs) == found.pairs
    assert (pairs["forecast_date"] <= pairs["first_day"]).all()


def test_what_was_frozen_by_the_date_waits_for_its_figures(today, exhibits):
    _, found = today
    assert len(found.frozen.releases) == len(frozen_files.all_in(RELEASES))
    waiting = exhibits["record_waiting"].frame
    assert waiting["day"].tolist() == found.frozen.waiting["day"].head(len(waiting)).tolist()


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
    assert report._frozen(frozen) == []


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
    [listed] = report._frozen(Frozen(("first",), scores, pd.DataFrame()))
    assert listed.frame["held"].tolist() == ["yes", "doubtful", "no"]
    assert html.fragment(listed, lang)


SAID = {
    "all pass": ({}, "pass: in", "do not pass"),
    "one fails": ({"sbc_failed": 1}, "1 of 4 models do not pass", "pass: in"),
    "one changed": ({"sbc_models": 3, "sbc_stale": 1}, "1 of 4. What is on record", "All models shown"),
    "all changed": ({"sbc_models": 0, "sbc_stale": 4}, "All models shown (4) have changed", "pass: in"),
    "one later": ({"sbc_later": 1}, "Models left out here: 1 of 4", "changed since this check"),
    "all later": ({"sbc_shown": 0}, "Not shown in a report as of this date", "a world is drawn"),
    "none": ({"sbc_known": 0, "sbc_shown": 0}, "Rules of scoring", "Can the machinery find"),
}


@pytest.mark.parametrize("case", SAID)
def test_the_page_says_of_each_check_against_known_truths_what_it_bears(shown, case):
    changed, there, absent = SAID[case]
    fresh = {"sbc_known": 4, "sbc_shown": 4, "sbc_models": 4, "sbc_failed": 0, "sbc_later": 0, "sbc_stale": 0}
    told = replace(shown, numbers=shown.numbers | fresh | changed)
    text = pages._text("track_record_annex", told, "en").replace("\N{NO-BREAK SPACE}", " ").replace("\\", "")
    assert there in text and absent not in text


def test_the_data_of_every_exhibit_goes_to_a_file(shown):
    files = tables.frames(pages.page("track_record", shown, "en"))
    assert {"track_record-record_league.csv", "track_record-record_forecasts.csv"} <= set(files)


@pytest.mark.parametrize("pairs", [False, True])
def test_the_check_cell_of_the_notebook_prints_the_pairs_also_where_there_are_none(today, pairs, capsys):
    cells = json.loads((ROOT / "notebooks" / "track_record.ipynb").read_text(encoding="utf-8"))["cells"]
    found = today[1] if pairs else replace(today[1], league=today[1].league[:0])
    exec("".join(cells[-1]["source"]), {"known": today[0], "record": found})
    beside = found.league[found.league["forecast_date"].notna()]
    number, outcomes = len(beside), len(beside[["metric", "definition", "end"]].drop_duplicates())
    assert bool(number) == pairs
    said = capsys.readouterr().out
    assert f"pairs of the same day: {number}" in said and f"their outcomes: {outcomes}" in said


def test_an_early_date_knows_no_record_and_says_so(monkeypatch):
    context, found = recorded(monkeypatch, as_of="2019-06-30")
    assert found.ours.empty and found.missed.empty and found.same_day is None
    assert (found.pairs, found.outcomes) == (0, 0)
    shown = shown_of(context, found)
    said = pages._text("track_record", shown, "en")
    for text in (
        "No earlier forecast of ours has met a figure yet",
        "No figure has been published yet",
        "No forecast of ours has missed",
        "None of the published forecasts that can be scored",
    ):
        assert text in said
    assert (found.league["end"] <= date(2019, 6, 30)).all()
    assert html.page(pages.page("track_record", shown, "zh"), "zh")
