"""The fits that notebooks declare are made first, each model's in one process; stored ones are not made again."""

import io
import json
import time
from pathlib import Path

import pytest

from telemed_forecast.evaluation import needs
from telemed_forecast.evaluation.needs import MODELS, Needs
from telemed_forecast.fits import cluster
from telemed_forecast.fits.store import Fit
from telemed_forecast.paths import NOTEBOOKS
from telemed_forecast.runs import fits, plan, worker
from telemed_forecast.runs.execute import fits_of
from telemed_forecast.runs.parameters import NOTEBOOKS as NAMES

pytestmark = pytest.mark.unit


@pytest.fixture
def stage(tmp_path):
    """The fits of a planned run of some shipped notebooks."""

    def planned(*notebooks, dask="", **parameters):
        texts = [(name, str(value)) for name, value in parameters.items()]
        [run] = plan.runs(plan.request(notebooks, texts), plan.Project())
        declared = {name: fits.declared(NOTEBOOKS / f"{name}.ipynb") for name in run.settings}
        return fits.Stage(run, declared, tmp_path, dask)

    return planned


def make(task, drawn_on="a"):
    """Put a task's fits on record, as its worker does."""
    made = Path(task.job.made)
    made.parent.mkdir(exist_ok=True)
    (made.parent / "one.nc").touch()
    made.write_text(json.dumps({"fits": ["one.nc"], "drawn_on": [drawn_on]}))


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


def test_where_fits_are_made_does_not_make_others_of_them(stage):
    [here], [there] = stage("user_adoption").tasks, stage("user_adoption", dask="tcp://host:8786").tasks
    assert (here.job.dask, there.job.dask) == ("", "tcp://host:8786")
    assert here.job.made == there.job.made


def test_a_run_knows_on_which_processors_its_fits_were_drawn(stage):
    for task, processor in zip(stage("market_size").tasks, ["one", "another"], strict=True):
        make(task, processor)
    assert stage("market_size").drawn_on() == {"one", "another"}
    assert stage("market_size", as_of="2024-12-31").drawn_on() == set()


class MadeUp:
    """A market whose fits are given: the name of each, or an error."""

    module = property(lambda self: self)

    def __init__(self):
        self.together, self.most = 0, 0

    def fit(self, context):
        self.together += 1
        self.most = max(self.most, self.together)
        time.sleep(0.1)
        self.together -= 1
        if context == "bad":
            raise ValueError("no chain moved")
        return Fit(context, None, None, {}, drawn_on="here")


@pytest.fixture
def made_up(monkeypatch):
    """A market with three fits and another that is known when these are made."""
    market = MadeUp()
    market.contexts = [("today", "a"), ("2020", "b"), ("2021", "c")]
    monkeypatch.setattr(needs, "MARKETS", {"m": market})
    monkeypatch.setattr(needs, "contexts", lambda *_: iter(market.contexts))
    monkeypatch.setattr(needs, "without_publishers", lambda *_: [("without x", "d")])
    return market


@pytest.mark.parametrize("width", [1, 3])
def test_the_fits_of_a_model_are_made_one_by_one_or_as_many_at_a_time_as_a_cluster_takes(made_up, monkeypatch, width):
    monkeypatch.setattr(cluster, "width", lambda: width)
    heard = []
    found = needs.made("m", Needs(), None, begins=heard.append)
    assert found == [(key, "here") for key in "abcd"]
    assert made_up.most == width
    assert [at[2] for at in heard] == ["today", "2020", "2021", "without x"]
    assert heard[-1] == (4, 4, "without x") and heard[0] == (1, 3, "today")


def test_the_fit_that_failed_is_named_and_those_behind_it_are_not_begun(made_up):
    made_up.contexts[1] = ("2020", "bad")
    heard = []
    with pytest.raises(needs.FitFailed, match="ValueError: no chain moved") as caught:
        needs.made("m", Needs(), None, begins=heard.append)
    assert caught.value.at == (2, 3, "2020")
    assert "without x" not in [at[2] for at in heard]


def asked_of_a_worker(tmp_path, monkeypatch, made):
    """What a worker says last when it is asked for fits, and the file of its record."""
    monkeypatch.setattr(needs, "made", made)
    job = worker.FitsJob(
        model="user_adoption", needs={}, notebook="user_adoption", parameters={}, made=str(tmp_path / "made.json")
    )
    said = io.StringIO()
    return worker._fit(job, said), said.getvalue(), tmp_path / "made.json"


def test_a_worker_puts_on_record_which_fits_there_are_and_where_they_were_drawn(tmp_path, monkeypatch):
    def made(model, wanted, context, *, begins):
        begins((1, 2, "today"))
        return [("k" * 64, "one"), ("l" * 64, "another")]

    last, said, file = asked_of_a_worker(tmp_path, monkeypatch, made)
    assert (last.kind, last.cells) == ("done", 2) and json.loads(said)["line"] == "today"
    names = [f"user_adoption-{letter * 20}.nc" for letter in "kl"]
    assert json.loads(file.read_text()) == {"fits": names, "drawn_on": ["another", "one"]}


def test_a_worker_names_the_fit_that_failed_and_puts_nothing_on_record(tmp_path, monkeypatch):
    def made(*_, **__):
        raise needs.FitFailed((2, 3, "2020-12-31"), ValueError("no chain moved"))

    last, _, file = asked_of_a_worker(tmp_path, monkeypatch, made)
    assert (last.kind, last.cell, last.cells, last.line) == ("failed", 2, 3, "2020-12-31")
    assert last.message == "ValueError: no chain moved" and not file.exists()
