"""The fits that notebooks declare are made first, each model's in one process; stored ones are not made again."""

import json
from pathlib import Path

import pytest

from telemed_forecast.evaluation.needs import MODELS, Needs
from telemed_forecast.paths import NOTEBOOKS
from telemed_forecast.runs import fits, plan
from telemed_forecast.runs.execute import fits_of
from telemed_forecast.runs.parameters import NOTEBOOKS as NAMES

pytestmark = pytest.mark.unit


@pytest.fixture
def stage(tmp_path):
    """The fits of a planned run of some shipped notebooks."""

    def planned(*notebooks, **parameters):
        texts = [(name, str(value)) for name, value in parameters.items()]
        [run] = plan.runs(plan.request(notebooks, texts), plan.Project())
        needs = {name: fits.declared(NOTEBOOKS / f"{name}.ipynb") for name in run.settings}
        return fits.Stage(run, needs, tmp_path)

    return planned


def make(task):
    """Put a task's fits on record, as its worker does."""
    made = Path(task.job.made)
    made.parent.mkdir(exist_ok=True)
    (made.parent / "one.nc").touch()
    made.write_text(json.dumps({"fits": ["one.nc"], "drawn_on": ["a"]}))


@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_declares_the_fits_that_it_reads(name):
    assert fits.declared(NOTEBOOKS / f"{name}.ipynb").models()


def test_a_model_waits_for_the_one_whose_draws_it_is_given(stage):
    tasks = {task.job.model: task for task in stage("market_size", "channel_share").tasks}
    assert list(tasks) == list(MODELS)
    assert tasks["market_size"].waits_for == (fits_of("user_adoption"),)
    assert tasks["channel_share"].waits_for == (fits_of("internet_hospitals"),)
    assert tasks["user_adoption"].waits_for == tasks["internet_hospitals"].waits_for == ()


def test_a_notebook_waits_for_the_models_that_it_reads_and_no_other(stage):
    both = stage("market_size", "internet_hospitals")
    assert both.waits_for("internet_hospitals") == (fits_of("internet_hospitals"),)
    assert both.waits_for("market_size") == (fits_of("user_adoption"), fits_of("market_size"))


def test_fits_that_are_on_record_are_not_made_again_and_those_that_were_removed_are(stage):
    for task in stage("market_size").tasks:
        make(task)
    assert stage("market_size").tasks == []
    assert stage("market_size").waits_for("market_size") == ()
    (stage("market_size").cache / "fits" / "one.nc").unlink()
    assert len(stage("market_size").tasks) == 2


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({"horizon": 2028, "currency": "USD", "scenario": "bull"}, False),
        ({"as_of": "2024-12-31"}, True),
        ({"seed": 7}, True),
        ({"profile": "quick"}, True),
    ],
)
def test_a_lever_or_the_money_fits_nothing_again_but_a_date_does(stage, changes, again):
    for task in stage("market_size").tasks:
        make(task)
    assert bool(stage("market_size", **changes).tasks) == again


def test_a_notebook_that_declares_nothing_waits_for_nothing(tmp_path):
    (tmp_path / "own.ipynb").write_text(json.dumps({"cells": [], "metadata": {}}))
    (tmp_path / "torn.ipynb").write_text("{")
    assert fits.declared(tmp_path / "own.ipynb") == fits.declared(tmp_path / "torn.ipynb") == Needs()
