"""The report on the evidence, on the shipped ledger and the real models, with draws from their priors."""

import numpy as np
import pandas as pd
import prior_fits
import pytest
from made_reports import made

from telemed_forecast.evaluation import conflict, evidence_use, review
from telemed_forecast.evidence import dictionary
from telemed_forecast.exhibits import evidence_review
from telemed_forecast.exhibits.record import cited
from telemed_forecast.fits.sampling import PROFILES
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.markets import MARKETS
from telemed_forecast.render import html, pages
from telemed_forecast.render.html import PageLinks
from telemed_forecast.runs.parameters import validate

pytestmark = pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")


def reviewed(**settings):
    context = Context(validate("evidence_review", settings))
    with prior_fits.unsampled():
        return context, review.run(context, refit=False)


@pytest.fixture(scope="module")
def today():
    return reviewed()


@pytest.fixture(scope="module")
def exhibits(today):
    return evidence_review.exhibits(*today)


def test_every_figure_about_a_modelled_quantity_is_used_or_left_out_for_a_reason(today):
    _, found = today
    assert len(found.uses) > 1100
    missing = evidence_use.undecided(found.uses)
    assert missing.empty, missing[["claim_id", "metric", "segment"]].to_string()


@pytest.mark.parametrize("day", ["2019-12-31", "2021-12-31", "2023-12-31"])
def test_the_same_holds_as_of_an_earlier_date_which_knows_nothing_later(day):
    context, found = reviewed(as_of=day)
    missing = evidence_use.undecided(found.uses)
    assert missing.empty, missing[["claim_id", "metric", "segment"]].to_string()
    known = context.view.set_index("claim_id")["known_date"]
    assert (known[found.uses["claim_id"]] <= pd.Timestamp(day)).all()
    exhibits, numbers = evidence_review.exhibits(context, found), evidence_review.numbers(context, found)
    assert {"newest_figures", "reasons", "rows"} <= exhibits.keys()
    assert set(cited(exhibits, numbers, evidence_review.key_figures(context, found))) <= set(known.index)


def test_what_a_model_used_is_called_a_modelled_quantity(today):
    context, found = today
    metric = context.view.set_index("claim_id")["metric"]
    modelled = dictionary.metrics()["modelled"].to_dict()
    claims = set().union(*(MARKETS[name].claims(context, result) for name, result in found.results.items()))
    assert {metric[claim] for claim in claims if modelled[metric[claim]] != "yes"} == set()
    assert claims <= set(found.uses["claim_id"])


def test_every_model_used_something_and_left_something_out(today):
    counts = evidence_use.counts(today[1].uses)
    for report in today[1].results:
        own = counts[counts["report"] == report].set_index("reason")["rows"]
        assert own["used"] >= 5
        assert len(own) > 3


def test_the_only_source_of_a_headline_is_called_one_voice(today):
    found = today[1].conflicts
    alone = found[found["method"] == "one_voice"]
    assert alone[["report", "origin"]].to_numpy().tolist() == [["user_adoption", "cnnic"]]
    assert alone[["z", "below", "headline"]].isna().all(axis=None)


def test_the_page_links_to_the_whole_list():
    text = html.page(pages.page("evidence_review", made("evidence_review"), "zh"), "zh", PageLinks(data="data"))
    assert 'href="data/evidence_review-rows.csv"' in text


def test_the_whole_list_is_complete_and_the_counts_on_the_page_are_its_counts(today, exhibits):
    whole, reasons = exhibits["rows"].frame, exhibits["reasons"].frame
    assert len(whole) == len(today[1].uses) == reasons["all"].sum()
    assert (whole["used_by"] != "").sum() == reasons.set_index("reason")["all"]["used"]


def test_a_figure_that_the_catalogue_can_name_the_unit_of_is_a_number_and_others_are_as_printed(exhibits):
    frame = exhibits["newest_figures"].frame
    numbers = frame["printed"].map(lambda cell: isinstance(cell, float))
    assert (frame["printed_unit"].notna() == numbers).all()
    assert numbers.any() and not numbers.all()


def test_the_key_figures_say_what_was_used_by_whom_and_what_is_missing(today):
    values = {name: figure.value.value for name, figure in evidence_review.key_figures(*today).items()}
    assert values["review_used"] == (today[1].uses["used_by"] != "").sum()
    assert values["review_contradiction"] > 3
    assert 0 <= values["review_missing"] <= 100


def test_what_a_publisher_does_to_the_narrower_market_is_told_the_largest_first(today, exhibits):
    told, judged = exhibits["left_out_services"], today[1].conflicts
    of_market = judged[(judged["report"] == "market_size") & (judged["method"] != "one_voice")]
    assert len(told.frame) == len(of_market) > 3
    moved = np.abs(np.log1p(told.frame["services"] / 100.0))
    assert moved.is_monotonic_decreasing and moved.iloc[0] > 0
    others = judged[judged["report"] != "market_size"]
    assert others[["services", "consultation"]].isna().all(axis=None)


def test_who_has_nobody_beside_him_is_told_by_name(today):
    [alone] = evidence_review.numbers(*today)["one_voice"]
    assert (alone["report"], alone["rows"] > 5) == ("@report.user_adoption.title", True)


def test_where_weights_cannot_be_trusted_the_model_is_fitted_again_without_the_publisher(today, monkeypatch):
    context, found = today
    monkeypatch.setattr(conflict, "RELIABLE", -10.0)
    origins = []

    def noted(spec, data, *, profile, **options):
        origins.append((len(data["count_low"]), profile.draws))
        return prior_fits.from_prior(spec, data, profile=profile, **options)

    hospitals = found.results["internet_hospitals"]
    with monkeypatch.context() as patched:
        patched.setattr(MARKETS["internet_hospitals"].module, "fitted", noted)
        judged = conflict.conflicts(context, {"internet_hospitals": hospitals}, refit=True)
    assert set(judged["method"]) == {"refit"}
    # One fit for each publisher, each without rows of its own, in the quick profile.
    assert len(origins) == len(judged)
    assert max(rows for rows, _ in origins) < len(hospitals.fit.data["count_low"])
    assert {draws for _, draws in origins} == {PROFILES[conflict.REFIT_PROFILE].draws}
