"""What changed between two runs, the largest change first."""

import re

import pytest

from telemed_forecast.render import html
from telemed_forecast.runs import compare, differences
from telemed_forecast.runs.differences import Pull, Side

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


def side(run_id="one", *, figures=(), evidence=None, assumptions=None, pulls=None, levers=None, parts=None, **changed):
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
        "scenario": "base",
    }
    return Side(stated | changed, evidence or {}, assumptions or {}, pulls or {}, levers or {}, parts or {})


def test_the_figure_that_moved_most_in_its_own_uncertainty_comes_first():
    a = side(figures=[figure("sure", 100.0, 99.0, 101.0), figure("vague", 100.0, 50.0, 150.0)])
    b = side("two", figures=[figure("sure", 102.0, 101.0, 103.0), figure("vague", 130.0, 80.0, 180.0)])
    found = differences.moved(a, b)
    assert [(one.before.id, one.distance) for one in found] == [("sure", 2.0), ("vague", 0.6)]


def test_a_figure_that_stands_on_two_pages_is_compared_once():
    twice = [figure("users_2030", 100.0, 90.0, 110.0), figure("users_2030", 100.0, 90.0, 110.0, notebook="b")]
    assert len(differences.moved(side(figures=twice), side("two", figures=twice))) == 1


def test_a_run_does_not_differ_from_itself():
    one = side(figures=[figure("x", 1.0, 0.5, 2.0)], evidence={"c": ((1.0, 2.0), "persons")})
    assert [moved.distance for moved in differences.moved(one, one)] == [0.0]
    assert differences.settings(one, one) == differences.evidence(one, one) == differences.assumptions(one, one) == []


def test_every_setting_file_and_version_that_differs_is_named_with_both_values():
    b = side(
        "two",
        parameters={"a": {"horizon": 2032, "scenario": "base"}},
        inputs={"data/x.csv": "1" * 64, "scenario/0/mine.toml": "2" * 64},
        versions={"pymc": "6.5.0"},
    )
    assert differences.settings(side(), b) == [
        ("a: horizon", "2030", "2032"),
        ("pymc", "6.4.0", "6.5.0"),
        ("data/x.csv", "00000000", "11111111"),
        ("scenario/0/mine.toml", "–", "22222222"),
    ]


def interval(low, high):
    return (low, high), "persons"


def test_evidence_that_came_went_or_is_read_otherwise_is_named():
    a = side(evidence={"same": interval(1.0, 2.0), "gone": interval(1.0, 2.0), "read": interval(1.0, 2.0)})
    b = side("two", evidence={"same": interval(1.0, 2.0), "read": interval(1.0, 3.0), "new": interval(5.0, 6.0)})
    assert [(one.claim, one.change, one.before, one.after) for one in differences.evidence(a, b)] == [
        ("gone", "gone", "1 to 2 persons", "–"),
        ("read", "changed", "1 to 2 persons", "1 to 3 persons"),
        ("new", "new", "–", "5 to 6 persons"),
    ]


def pulls(**found):
    return {"users": {claim: Pull("online_medical_users", half_widths) for claim, half_widths in found.items()}}


def test_rows_of_evidence_stand_by_their_effect_on_the_headline_and_unknown_ones_last():
    a = side(
        evidence={name: interval(1.0, 2.0) for name in ("gone", "read", "dim")},
        pulls=pulls(gone=-0.3, read=0.1, dim=None),
    )
    b = side(
        "two",
        evidence={"read": interval(1.0, 3.0), "new": interval(5.0, 6.0), "small": interval(1.0, 1.0)},
        pulls=pulls(read=0.4, new=0.35, small=0.01),
    )
    found = differences.evidence(a, b)
    assert [(one.claim, one.effect) for one in found] == [
        ("read", 0.4),  # the larger of both
        ("new", 0.35),  # of the second run
        ("gone", 0.3),  # of the first
        ("small", 0.01),
        ("dim", None),
    ]
    assert [tuple(pull and pull.half_widths for pull in one.pulls) for one in found[:3]] == [
        (0.1, 0.4),
        (None, 0.35),
        (-0.3, None),
    ]


def test_a_row_that_no_table_of_evidence_shows_is_found_among_those_that_a_model_read():
    a, b = side(pulls=pulls(kept=0.1)), side("two", pulls=pulls(kept=0.1, added=0.2))
    [one] = differences.evidence(a, b)
    assert (one.claim, one.before, one.after, one.effect) == ("added", "–", differences.USED, 0.2)


def test_a_run_without_a_table_of_effects_is_not_taken_to_have_read_nothing():
    assert differences.evidence(side(), side("two", pulls=pulls(kept=0.1))) == []


def test_of_several_headlines_a_row_shows_the_one_that_it_moves_most():
    two = {"a": {"x": Pull("one", 0.1)}, "b": {"x": Pull("two", -0.2)}}
    [one] = differences.evidence(side(), side("two", evidence={"x": interval(1.0, 2.0)}, pulls=two))
    assert (one.target, one.effect) == ("two", 0.2)


PRIOR = {"prior_ratio": "1", "prior_ratio_low": "0.5", "prior_ratio_high": "2", "posterior_ratio": "1"}


def test_a_prior_that_differs_is_named_and_a_posterior_alone_is_not():
    a = side(assumptions={("market_size", "Price"): PRIOR, ("market_size", "Other"): PRIOR})
    b = side(
        "two",
        assumptions={
            ("market_size", "Price"): PRIOR | {"prior_ratio": "1.5"},
            ("market_size", "Other"): PRIOR | {"posterior_ratio": "3"},
        },
    )
    [one] = differences.assumptions(a, b)
    assert one == {
        "report": "market_size",
        "parameter": "Price",
        "before": "1 (0.5 to 2)",
        "after": "1.5 (0.5 to 2)",
        "shift": pytest.approx(0.5 / 0.75),
    }


def test_priors_stand_by_how_far_they_moved_and_those_of_one_run_first():
    rows = {name: PRIOR | {"prior_ratio": middle} for name, middle in (("far", "1.9"), ("near", "1.1"), ("new", "1"))}
    a = side(assumptions={("m", name): PRIOR for name in ("near", "far")})
    b = side("two", assumptions={("m", name): row for name, row in rows.items()})
    assert [one["parameter"] for one in differences.assumptions(a, b)] == ["new", "far", "near"]


LEVERS = {
    "Trust": {"lever": "Trust", "base": "×1", "bull": "×1.4", "own": ""},
    "Price": {"lever": "Price", "base": "0%", "bull": "+2%"},
    "Licences": {"lever": "Licences", "base": "×1", "bull": "×1"},
}
PARTS = {
    ("Market", "Trust"): {"part_bull_percent": "1.5", "alone_bull_percent": "9"},
    ("Market", "Price"): {"part_bull_percent": "-4"},
    ("Users", "Trust"): {"part_bull_percent": "6"},
    ("Market", "Licences"): {"part_bull_percent": "0"},
}


def scenario(name, run_id="one", levers=LEVERS, parts=PARTS):
    levers = {lever: {k: v for k, v in row.items() if k != "own"} for lever, row in levers.items()}
    return side(run_id, levers=levers, parts=parts, scenario=name)


def test_levers_that_stand_otherwise_come_with_their_part_of_the_scenario_the_largest_first():
    found = differences.levers(scenario("base"), scenario("bull", "two"))
    assert [tuple(one.values()) for one in found] == [
        ("Users", "Trust", "×1", "×1.4", 6.0),
        ("Market", "Price", "0%", "+2%", -4.0),
        ("Market", "Trust", "×1", "×1.4", 1.5),
    ]
    back = differences.levers(scenario("bull"), scenario("base", "two"))
    assert [one["effect"] for one in back] == [-6.0, 4.0, -1.5]
    assert differences.levers(scenario("bull"), scenario("bull", "two")) == []


def test_a_scenario_of_ones_own_is_read_from_its_own_column():
    own = {lever: row | {"own": "×2"} for lever, row in LEVERS.items()}
    parts = {key: row | {"part_own_percent": "3"} for key, row in PARTS.items()}
    b = side("two", levers=own, parts=parts, scenario="mine")
    assert {one["effect"] for one in differences.levers(scenario("base"), b)} == {3.0}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_scenarios_without_tables_of_levers_have_unknown_effects(lang):
    page = html.page(compare.page(side(scenario="base"), side("two", scenario="bull"), lang), lang)
    assert {"en": "which lever does what is unknown", "zh": "无法知道各杠杆的作用"}[lang] in page


def test_a_setting_that_changed_alone_is_the_cause_of_what_moved_and_one_of_several_is_not():
    figures = [figure("x", 100.0, 50.0, 150.0)]
    a = side(figures=figures)
    alone = {"parameters": {"a": {"horizon": 2030, "scenario": "bull"}}}
    moved = {"figures": [figure("x", 125.0, 50.0, 150.0)]}

    def effects(b):
        [table] = [one for one in compare.page(a, b, "en").exhibits if one.name == "compare_settings"]
        return table.frame["effect"].tolist()

    assert effects(side("two", **moved, **alone)) == [pytest.approx(0.5)]
    assert effects(side("two", python="3.14.0", **moved, **alone)) == [compare.UNKNOWN] * 2


def test_a_parameter_that_changed_in_every_notebook_is_one_setting():
    a = side(parameters={name: {"as_of": ""} for name in "ab"})
    b = side("two", parameters={name: {"as_of": "2024-12-31"} for name in "ab"}, as_of="2024-12-31")
    assert differences.settings(a, b) == [("as_of", "–", "2024-12-31")]
    assert differences.cause(a, b) == "as_of"


GATE = {
    "notebook": "a",
    "name": "user_adoption",
    "ok": False,
    "rhat_max": 1.1,
    "ess_bulk_min": 90.0,
    "ess_tail_min": 80.0,
    "divergences": 0,
    "bfmi_min": 0.9,
    "draws": 1000,
    "chains": 4,
    "profile": "quick",
}


def test_a_fit_that_both_runs_stand_on_is_listed_once_without_a_run():
    def names(a, b):
        return [fit["name"] for fit in compare.page(side(gates=a), side("two", gates=b), "en").rows("gates")]

    other = GATE | {"rhat_max": 1.2}
    assert names([GATE, GATE | {"notebook": "b"}], [GATE]) == ["user_adoption"]
    assert names([GATE], [other]) == ["user_adoption (one)", "user_adoption (two)"]


@pytest.mark.parametrize(("lang", "name"), [("en", "Users of online medical care (one)"), ("zh", "在线医疗用户 (one)")])
def test_a_run_whose_fit_missed_its_gates_makes_the_comparison_directional(lang, name):
    good = GATE | {"ok": True}
    [warning] = re.findall(
        r'<aside class="warning".*?</aside>',
        html.page(compare.page(side(gates=[GATE, GATE]), side("two", gates=[good]), lang), lang),
        re.S,
    )
    assert name in warning
    assert "(two)" not in warning


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_stands_in_both_languages_and_names_both_runs(lang):
    a = side("first-run", figures=[figure("x", 100.0, 50.0, 150.0)])
    b = side("second-run", figures=[figure("x", 120.0, 60.0, 180.0)], python="3.14.0")
    page = html.page(compare.page(a, b, lang), lang)
    assert "first-run" in page
    assert "second-run" in page
    assert "3.14.0" in page


def test_figures_of_different_units_are_each_written_in_their_own():
    share = {"value": {"value": 27.0, "unit": "percent", "low": 16.0, "high": 40.0}}
    figures = [figure("users", 486e6, 382e6, 605e6), figure("left", 0, 0, 0) | share]
    page = html.page(compare.page(side(figures=figures), side("two", figures=figures), "en"), "en")
    assert page.count(">490 million ") == 2  # two digits carry the interval; each run's cell
    assert page.count(">27% ") == 2
