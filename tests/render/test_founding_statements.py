"""Every quantitative statement of the founding articles stands in a report, with its source."""

import csv

import pytest
from made_reports import made
from prior_fits import MARKETS

from telemed_forecast.evidence import ledger
from telemed_forecast.paths import ROOT
from telemed_forecast.render import pages

pytestmark = pytest.mark.unit

with (ROOT / "data" / "evidence" / "founding_figures.csv").open(encoding="utf-8", newline="") as file:
    FIGURES = list(csv.DictReader(file))

STATED = (
    "22.07", "nearly 80", "19.05", "more than 60", "more than 70", "nearly 70", "30 to 40", "more than 1,600",
    "3,000 to 8,000", "1.68 million", "350", "648", "1.11 billion", "10 times", "9 times", "more than 12 million",
    "more than 80 a day", "485 million", "2.68 billion", "12.25 million", "22", "2015",
)  # fmt: skip
"""The statements that have to be there whatever else the list of figures holds."""


@pytest.fixture(scope="module")
def reports():
    """Every market's page."""
    return {report: pages.page(report, made(report), "en") for report in MARKETS}


@pytest.fixture(scope="module")
def cited(reports):
    """Claim or event -> reports that cite it outside their list of sources."""
    found = {}
    for report, page in reports.items():
        for claim in page.cited():
            found.setdefault(claim, set()).add(report)
    return found


@pytest.mark.parametrize("printed", STATED)
def test_the_statement_is_among_the_figures_that_are_bound_to_the_ledger(printed):
    assert printed in {figure["printed"] for figure in FIGURES}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure["claim_id"] or figure["event_id"])
def test_a_founding_statement_stands_in_a_report(figure, cited):
    name = figure["claim_id"] or figure["event_id"]
    assert cited.get(name), f"{figure['printed']} {figure['unit']} ({figure['meaning']}) is in no report"


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure["claim_id"] or figure["event_id"])
def test_its_source_is_listed_where_it_stands(figure, cited, reports):
    name = figure["claim_id"] or figure["event_id"]
    for report in cited.get(name, ()):
        assert name in {row["claim_id"] for row in reports[report].rows("sources")}


def test_each_figure_is_bound_to_a_row_or_an_event_that_exists():
    claims, events = set(ledger.load()["claim_id"]), set(ledger.policy_events()["event_id"])
    for figure in FIGURES:
        assert figure["claim_id"] in claims or figure["event_id"] in events, figure
