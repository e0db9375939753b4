"""Two runs read back for a comparison."""

from dataclasses import replace

import pytest

from telemed_forecast.errors import TelemedError
from telemed_forecast.runs import compare, manifest, plan

pytestmark = pytest.mark.unit

TABLES = {
    "users-users_evidence.csv": "day,low_persons,high_persons,claim_id\n2025-12-31,410500000,411500000,cnnic\n",
    "review-age_of_evidence.csv": "category,value,unit\nusers,0.9,years\n",
    "users-influence.csv": "claim_id,target,moved,moved_error,half_widths,told\n"
    "cnnic,hospital_share_count,1,0.5,0.01,yes\n"
    "cnnic,online_medical_users,-20,5,-0.2,yes\n"
    "tight,online_medical_users,,,,unreliable\n"
    "population,,,,,no_row\n",
    "executive_summary-levers.csv": "lever,base,bull\nTrust,×1,×1.4\n",
    "executive_summary-lever_effects.csv": "quantity,lever,part_bull_percent\nMarket,Trust,1.5\n",
    "users-users_parameters.csv": "parameter,prior_ratio,prior_ratio_low,prior_ratio_high\nNoise,1,0.5,2\n",
}


@pytest.fixture
def run(project, tmp_path):
    """A run with a few tables, written by hand."""
    [planned] = plan.runs(plan.request(["user_adoption"]), project)
    folder = tmp_path / planned.run_id
    (folder / "data").mkdir(parents=True)
    for name, text in TABLES.items():
        (folder / "data" / name).write_text(text)
    manifest.write(manifest.build(planned, folder, gates=[], key_figures=[], seconds={}), folder)
    return folder


def test_figures_that_entered_and_priors_are_read_and_other_tables_passed_over(run):
    side = compare.read(run)
    assert side.evidence == {"cnnic": ((410500000.0, 411500000.0), "persons")}
    assert list(side.assumptions) == [("users", "Noise")]
    assert compare.lines(side, side) == ["no key figure moved", "also different: nothing"]


def test_a_run_that_was_changed_is_not_compared(run):
    (run / "data" / "users-users_evidence.csv").write_text("day\n")
    with pytest.raises(TelemedError, match="not as it was written"):
        compare.read(run)


def test_effects_of_figures_are_read_with_their_errors_and_only_where_they_are_told(run):
    pulls = compare.read(run).pulls["users"]
    assert (pulls["cnnic"].target, pulls["cnnic"].half_widths) == ("online_medical_users", -0.2)
    assert pulls["cnnic"].error == pytest.approx(0.05)
    assert pulls["tight"].half_widths is None
    assert pulls["population"].half_widths is None


def test_levers_are_read_with_what_they_do(run):
    side = compare.read(run)
    assert side.levers["Trust"]["bull"] == "×1.4"
    assert side.parts["Market", "Trust"]["part_bull_percent"] == "1.5"


def test_the_comparison_is_written_as_a_page_a_language_and_tables(run, tmp_path):
    side = compare.read(run)
    other = replace(side, evidence={}, pulls={"users": {}})
    written = compare.write(other, side, tmp_path / "out")
    names = [file.name for file in written]
    assert names[:2] == ["compare.html", "compare.zh.html"]
    assert "compare-compare_evidence.csv" in names
    text = (tmp_path / "out" / "compare-compare_evidence.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1].startswith("cnnic,new,-0.2")
    assert "cnnic: new, moves the headline by 0.2 half-widths" in compare.lines(other, side)
