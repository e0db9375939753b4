"""What changed between two runs, the largest change first."""

import pytest

from telemed_forecast.reporting import compare, html
from telemed_forecast.reporting.compare import Side

pytestmark = pytest.mark.unit


def figure(name, value, low, high, **extra):
    """A key figure as a manifest holds it."""
    shown = {"value": value, "unit": "persons", "low": low, "high": high}
    return {
        "notebook": "a",
        "id": name,
        "key": "figure.users",
        "value": shown,
        "period": "2030",
        "sources": ["x"],
    } | extra


def side(run_id="one", *, figures=(), evidence=None, assumptions=None, **changed):
    """A run with little in it."""
    stated = {
        "run_id": run_id,
        "key_figures": list(figures),
        "parameters": {"a": {"horizon": 2030, "scenario": "base"}},
        "inputs": {"data/x.csv": "0" * 64},
        "versions": {"pymc": "6.4.0"},
        "as_of": "2026-11-21",
        "vintage": "2026-11-21",
        "python": "3.13.1",
    }
    return Side(stated | changed, evidence or {}, assumptions or {})


def test_the_figure_that_moved_most_in_its_own_uncertainty_comes_first():
    a = side(figures=[figure("sure", 100.0, 99.0, 101.0), figure("vague", 100.0, 50.0, 150.0)])
    b = side("two", figures=[figure("sure", 102.0, 101.0, 103.0), figure("vague", 130.0, 80.0, 180.0)])
    found = compare.moved(a, b)
    assert [(one.before.id, one.distance) for one in found] == [("sure", 2.0), ("vague", 0.6)]


def test_a_figure_that_stands_on_two_pages_is_compared_once():
    twice = [figure("users_2030", 100.0, 90.0, 110.0), figure("users_2030", 100.0, 90.0, 110.0, notebook="b")]
    assert len(compare.moved(side(figures=twice), side("two", figures=twice))) == 1


def test_a_run_does_not_differ_from_itself():
    one = side(figures=[figure("x", 1.0, 0.5, 2.0)], evidence={"c": ((1.0, 2.0), "persons")})
    assert [moved.distance for moved in compare.moved(one, one)] == [0.0]
    assert compare.settings(one, one) == compare.evidence(one, one) == compare.assumptions(one, one) == []


def test_every_setting_file_and_version_that_differs_is_named_with_both_values():
    b = side(
        "two",
        parameters={"a": {"horizon": 2032, "scenario": "base"}},
        inputs={"data/x.csv": "1" * 64, "scenario/0/mine.toml": "2" * 64},
        versions={"pymc": "6.5.0"},
    )
    assert compare.settings(side(), b) == [
        ("a: horizon", "2030", "2032"),
        ("pymc", "6.4.0", "6.5.0"),
        ("data/x.csv", "00000000", "11111111"),
        ("scenario/0/mine.toml", "–", "22222222"),
    ]


def test_evidence_that_came_went_or_is_read_otherwise_is_named():
    a = side(
        evidence={"same": ((1.0, 2.0), "persons"), "gone": ((1.0, 2.0), "persons"), "read": ((1.0, 2.0), "persons")}
    )
    b = side(
        "two",
        evidence={"same": ((1.0, 2.0), "persons"), "read": ((1.0, 3.0), "persons"), "new": ((5.0, 6.0), "persons")},
    )
    assert compare.evidence(a, b) == [
        ("gone", "1 to 2 persons", "–"),
        ("read", "1 to 2 persons", "1 to 3 persons"),
        ("new", "–", "5 to 6 persons"),
    ]


def test_a_prior_that_differs_is_named_and_a_posterior_alone_is_not():
    row = {"prior_ratio": "1", "prior_ratio_low": "0.5", "prior_ratio_high": "2", "posterior_ratio": "1"}
    a = side(assumptions={("market_size", "Price"): row, ("market_size", "Other"): row})
    b = side(
        "two",
        assumptions={
            ("market_size", "Price"): row | {"prior_ratio": "1.5"},
            ("market_size", "Other"): row | {"posterior_ratio": "3"},
        },
    )
    assert compare.assumptions(a, b) == [("market_size", "Price", "1 (0.5 to 2)", "1.5 (0.5 to 2)")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_stands_in_both_languages_and_names_both_runs(lang):
    a = side("first-run", figures=[figure("x", 100.0, 50.0, 150.0)])
    b = side("second-run", figures=[figure("x", 120.0, 60.0, 180.0)], python="3.14.0")
    page = html.page(compare.blocks(a, b), lang)
    assert "first-run" in page
    assert "second-run" in page
    assert "3.14.0" in page


def test_figures_of_different_units_are_each_written_in_their_own():
    share = {"value": {"value": 27.0, "unit": "percent", "low": 16.0, "high": 40.0}}
    figures = [figure("users", 486e6, 382e6, 605e6), figure("left", 0, 0, 0) | share]
    page = html.page(compare.blocks(side(figures=figures), side("two", figures=figures)), "en")
    assert page.count(">490 million ") == 2  # two digits carry the interval; each run's cell
    assert page.count(">27% ") == 2
