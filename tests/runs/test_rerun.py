"""A run made again from nothing gives its numbers again, or the difference is named."""

import json
import os
import re

import driver
import numpy as np
import pandas as pd
import pytest

from telemed_forecast.errors import InputError
from telemed_forecast.runs import manifest, rerun
from telemed_forecast.runs.report import Reports

pytestmark = pytest.mark.notebook


def ways_of(project):
    """How the made-up project's runs are made."""
    return Reports(out=project.out, project=project, jobs=2, publisher=driver.PlainPages(fail=False), say=print)


def rewrite(folder, path, text):
    """Change a file of a run and its hash, as somebody would who forges a number."""
    (folder / path).write_text(text, encoding="utf-8")
    stated = json.loads((folder / manifest.NAME).read_text())
    stated["outputs"][path] = rerun.plan.file_hash(folder / path)
    manifest.write(stated, folder)


def test_a_run_as_it_was_made_comes_out_the_same_and_nothing_is_left_behind(finished):
    project, name = finished
    before = sorted(os.listdir(project.out))
    assert rerun.compare(project.out / name, ways_of(project)).differences == []
    assert sorted(os.listdir(project.out)) == before


def test_a_number_that_was_forged_together_with_its_hash_is_named(finished):
    project, name = finished
    folder = project.out / name
    rewrite(folder, "data/user_adoption.csv", "characters\n1\n")
    assert manifest.differences(folder) == []
    [line] = rerun.compare(folder, ways_of(project)).differences
    assert line.startswith("data/user_adoption.csv: line 2 was '1' and comes out as ")


def test_a_run_whose_inputs_have_changed_cannot_be_made_again_and_every_change_is_named(finished):
    project, name = finished
    project.put("data/evidence/users.csv", "claim_id,value\na,2\n")
    project.put("requirements.lock", "numpy==2\n")
    with pytest.raises(InputError) as refused:
        rerun.compare(project.out / name, ways_of(project))
    faults = [str(fault) for fault in refused.value.faults]
    assert [fault.rsplit(": ", 1)[1] for fault in faults] == [
        "data/evidence/users.csv changed",
        "requirements.lock changed",
    ]


FITTED = [{"ess_bulk_min": 900.0, "ess_tail_min": 800.0}]
LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def forecasts_of(folder, *, size=1000, seed=0, shift=0.0, targets=("users", "hospitals")):
    """A run whose forecasts are quantiles of so many normal draws."""
    rng, rows = np.random.default_rng(seed), []
    for target in targets:
        for year in range(2026, 2031):
            draws = 100.0 + shift + 10.0 * rng.standard_normal(size)
            rows += [(target, f"{year}-12-31", level, float(np.quantile(draws, level))) for level in LEVELS]
    table = pd.DataFrame(rows, columns=["target", "target_end_date", "output_type_id", "value"])
    same = {"reference_date": "2026-11-21", "location": "CN", "scenario": "base", "model": "m", "unit": "persons"}
    (folder / "data").mkdir(parents=True)
    table.assign(output_type="quantile", **same).to_csv(folder / rerun.FORECASTS[0], index=False)
    return folder, {"gates": FITTED}


def test_other_draws_of_the_same_forecasts_are_the_same_forecasts(tmp_path):
    for seed in range(1, 21):
        one = forecasts_of(tmp_path / f"a{seed}", seed=seed)
        assert rerun._forecasts(one, forecasts_of(tmp_path / f"b{seed}", seed=100 + seed)) == []


def test_a_forecast_that_moves_by_its_sd_is_named_with_both_values(tmp_path):
    lines = rerun._forecasts(forecasts_of(tmp_path / "a"), forecasts_of(tmp_path / "b", seed=1, shift=10.0))
    # An sd is ten errors of the difference of two medians of 800 draws; five are allowed, a median is off by one.
    medians = [line for line in lines if "quantile 0.5:" in line]
    assert len(medians) == 10
    assert re.fullmatch(
        r"data/forecasts\.csv: hospitals at 2026-12-31, quantile 0\.5: (99|100)\.?\d* comes out as 1[01]\d\.?\d*",
        medians[0],
    )


def test_a_forecast_that_comes_out_no_more_is_named(tmp_path):
    lines = rerun._forecasts(forecasts_of(tmp_path / "a"), forecasts_of(tmp_path / "b", targets=("users",)))
    assert lines and all("hospitals" in line for line in lines)


def test_the_error_that_is_allowed_is_that_of_the_worst_fit():
    gates = [{"ess_bulk_min": 900.0, "ess_tail_min": 450.0}, {"ess_bulk_min": 700.0, "ess_tail_min": 800.0}]
    assert rerun.worst_sample(gates) == 450.0
    assert rerun.worst_sample([*gates, {"ess_bulk_min": None, "ess_tail_min": 800.0}]) == 1.0


def test_bytes_are_compared_on_the_processor_of_the_run_alone(finished, monkeypatch):
    project, name = finished
    held = rerun.compare(project.out / name, ways_of(project))
    assert held.exact and held.before == held.now
    monkeypatch.setattr(rerun, "_forecasts", lambda old, new: ["compared within Monte Carlo error"])
    monkeypatch.setattr(manifest, "processor", lambda: "another one")
    held = rerun.compare(project.out / name, ways_of(project))
    assert not held.exact and held.now == "another one"
    assert held.differences == ["compared within Monte Carlo error"]
