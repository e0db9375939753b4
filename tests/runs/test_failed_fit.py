"""A sampler that was stopped too early: the report says so wherever its numbers can be read."""

import csv
import re
from types import SimpleNamespace

import pytest

from telemed_forecast import cli
from telemed_forecast.runs import manifest, plan, publish
from telemed_forecast.runs.publish import Pages
from telemed_forecast.runs.report import Reports

pytestmark = pytest.mark.notebook

SAMPLE = """
import numpy as np
import xarray as xr

# Metropolis on one log level, two chains from far apart, 30 steps each.
rng = np.random.default_rng(1)
level = np.empty((2, 30))
energy = np.empty((2, 30))
for chain, now in enumerate([19.0, 21.0]):
    for draw in range(30):
        step = now + 0.2 * rng.standard_normal()
        now = step if np.log(rng.random()) < 50 * ((now - 20) ** 2 - (step - 20) ** 2) else now
        level[chain, draw], energy[chain, draw] = now, 50 * (now - 20) ** 2 + rng.standard_gamma(1.0)
"""
SHOW = """
import pandas as pd

import telemed_forecast as tf
from telemed_forecast.exhibits.exhibit import Exhibit, with_interval
from telemed_forecast.exhibits.values import KeyFigure, Value
from telemed_forecast.fits.gates import judge

posterior = xr.Dataset({"level": (["chain", "draw"], level)})
told = {"energy": energy, "diverging": energy < -1, "depth": np.full(energy.shape, 3)}
stats = xr.Dataset({name: (["chain", "draw"], values) for name, values in told.items()})
fit = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
gate = judge("user_adoption", fit, ["level"])
low, middle, high = np.exp(np.quantile(level, [0.1, 0.5, 0.9])).tolist()
status = "gated-ok" if gate.ok else "directional"
number = Value(value=middle, unit="persons", low=low, high=high)
figure = KeyFigure(id="users_2030", key="figure.users", value=number, period="2030", sources=("a",), status=status)
users = pd.DataFrame(with_interval(online_medical_users=[number]))
source = {"claim_id": "a", "origin": "a", "title": "a", "url": "", "date": "", "grade": "A"}
tf.show(
    Exhibit(name="gates", frame=pd.DataFrame([{**gate.to_dict(), "profile": "full"}])),
    {figure.id: figure},
    Exhibit(name="users_by_year", frame=users, units={"online_medical_users": "persons"}),
    Exhibit(name="sources", frame=pd.DataFrame([source])),
)
"""


class SmallPages(Pages):
    """Draws the pages where the templates of this test are known, and not in the notebook's process."""

    def pages_of(self, run, notebook):
        return {}

    def run(self, run, folder):
        for name in run.settings:
            own = Pages.pages_of(self, run, name)
            publish.write_pages(folder / "notebooks" / f"{name}.ipynb", folder=folder, **own)
        return super().run(run, folder)


@pytest.fixture(scope="module")
def short(project_in, small_pages):
    """The run of a sampler that was given thirty steps, as the command makes it."""
    project = project_in("short")
    project.put_notebook("user_adoption", SAMPLE, SHOW)
    reports = Reports(publisher=SmallPages(), out=project.out, project=project, jobs=1, say=print)
    [outcome] = reports.make(plan.request(["user_adoption"]))
    text = {file.name: file.read_text(encoding="utf-8") for file in project.out.rglob("*.html")}
    return SimpleNamespace(outcome=outcome, folder=outcome.folder, text=text)


WORDS = {
    "": ("Directional only: model diagnostics failed", "directional"),
    ".zh": ("仅供判断方向：模型诊断未通过", "仅供判断方向"),
}


@pytest.mark.parametrize("lang", WORDS)
def test_the_page_says_so_above_its_numbers_and_marks_each(short, lang):
    banner, mark = WORDS[lang]
    page = short.text[f"user_adoption{lang}.html"]
    assert page.index(banner) < page.index('class="cards"')
    [card] = re.findall(r'<li class="card".*?</li>', page, re.S)
    [caption] = re.findall(r"<figcaption>.*?</figcaption>", page, re.S)
    for part in (card, caption):
        assert f'<span class="tag">{mark}</span>' in part


@pytest.mark.parametrize("lang", WORDS)
def test_the_index_says_so(short, lang):
    banner, mark = WORDS[lang]
    page = short.text[f"index{lang}.html"]
    assert page.index(banner) < page.index('class="cards"')
    assert page.count(f'<span class="tag">{mark}</span>') == 1


def test_the_manifest_says_so_with_the_diagnostics(short):
    stated = manifest.read(short.folder)
    assert stated["status"] == "directional"
    [gate] = stated["gates"]
    assert not gate["ok"]
    assert gate["rhat_max"] > 1.01
    assert gate["ess_bulk_min"] < 400
    assert stated["key_figures"][0]["status"] == "directional"


@pytest.mark.parametrize("name", ["users_by_year", "key_figures"])
def test_a_number_copied_out_of_a_table_keeps_its_mark(short, name):
    with (short.folder / "data" / f"user_adoption-{name}.csv").open(encoding="utf-8") as file:
        assert {row["status"] for row in csv.DictReader(file)} == {"directional"}


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--strict",), 1)])
def test_strict_ends_with_1_and_names_the_gate(short, flags, code, monkeypatch, capsys):
    monkeypatch.setattr(Reports, "make", lambda *_: [short.outcome])
    assert cli.main(["report", "user_adoption", *flags]) == code
    said = capsys.readouterr()
    assert said.out == f"{short.folder}\n"
    assert ("user_adoption: R-hat" in said.err) == (code == 1)
