"""Two runs read back for a comparison."""

import pytest

from telemed_forecast.errors import TelemedError
from telemed_forecast.runs import compare, manifest, plan

pytestmark = pytest.mark.unit

TABLES = {
    "users-users_evidence.csv": "day,low_persons,high_persons,claim_id\n2025-12-31,410500000,411500000,cnnic\n",
    "review-age_of_evidence.csv": "category,value,unit\nusers,0.9,years\n",
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
