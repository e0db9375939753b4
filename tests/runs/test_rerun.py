"""A run made again from nothing gives its numbers again, or the difference is named."""

import json
import os

import driver
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
    assert rerun.differences(project.out / name, ways_of(project)) == []
    assert sorted(os.listdir(project.out)) == before


def test_a_number_that_was_forged_together_with_its_hash_is_named(finished):
    project, name = finished
    folder = project.out / name
    rewrite(folder, "data/user_adoption.csv", "characters\n1\n")
    assert manifest.differences(folder) == []
    [line] = rerun.differences(folder, ways_of(project))
    assert line.startswith("data/user_adoption.csv: line 2 was '1' and comes out as ")


def test_a_run_whose_inputs_have_changed_cannot_be_made_again_and_every_change_is_named(finished):
    project, name = finished
    project.put("data/evidence/users.csv", "claim_id,value\na,2\n")
    project.put("requirements.lock", "numpy==2\n")
    with pytest.raises(InputError) as refused:
        rerun.differences(project.out / name, ways_of(project))
    faults = [str(fault) for fault in refused.value.faults]
    assert [fault.rsplit(": ", 1)[1] for fault in faults] == [
        "data/evidence/users.csv changed",
        "requirements.lock changed",
    ]
