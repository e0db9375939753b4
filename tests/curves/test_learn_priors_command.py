"""The command `learn-priors`: a reference class in, a file of priors with its origin out."""

import hashlib
import json
import sys
from types import SimpleNamespace

import pytest

from telemed_forecast import cli, paths
from telemed_forecast.curves import learn_priors, reference_class, world_bank

pytestmark = pytest.mark.unit

LINES = [f"{name}__here,{name},percent,{year},{year - 2000}" for name in ("tv", "radio") for year in range(2001, 2008)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "in" / "curves.csv"
    path.parent.mkdir()
    path.write_text("\n".join(["series_id,family,unit,year,value", *LINES, ""]))
    return path


@pytest.fixture(autouse=True)
def learners(monkeypatch):
    """Learn nothing but how many values there are of each class."""

    def learn(series, home=()):
        counts = {s.reference_class: [len(s.values), 0.5] for s in series}
        return {"values": counts, "text": "a [b  c]\nd", "at_home": [s.series_id for s in home]}

    for name in learn_priors.LEARNERS.values():
        monkeypatch.setitem(sys.modules, f"telemed_forecast.curves.{name}", SimpleNamespace(learn=learn))


def run(*arguments):
    return cli.main(["learn-priors", *map(str, arguments)])


@pytest.mark.parametrize(("kind", "name"), [("adoption", "growth.json"), ("surge", "surge.json")])
def test_what_was_learned_is_written_with_where_it_came_from(file, tmp_path, capsys, kind, name):
    assert run(file, "--kind", kind, "--out", tmp_path / "out") == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / name)
    text = (tmp_path / "out" / name).read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["values"] == {"tv": [7, 0.5], "radio": [7, 0.5]} and content["text"] == "a [b  c]\nd"
    provenance = content["provenance"]
    assert provenance["source"] == "curves.csv" and provenance["series"] == 2
    assert provenance["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert provenance["command"].startswith("telemed-forecast learn-priors curves.csv")
    assert str(tmp_path) not in text
    assert '"tv": [7, 0.5]' in text  # a line for a list


def test_growth_is_learned_from_services_at_home_too_as_known_before_the_outbreak(file, tmp_path):
    for kind in ("adoption", "surge"):
        assert run(file, "--kind", kind, "--out", tmp_path / "out") == 0
    growth, surge = (json.loads((tmp_path / "out" / name).read_text()) for name in ("growth.json", "surge.json"))
    assert "online_shopping__china" in growth["at_home"]
    assert growth["provenance"]["home"]["as_of"] == "2019-12-31"
    assert growth["provenance"]["home"]["series"] == len(growth["at_home"])
    assert surge["at_home"] == [] and "home" not in surge["provenance"]


def test_the_same_reference_class_gives_the_same_bytes(file, tmp_path):
    for name in ("one", "two"):
        assert run(file, "--out", tmp_path / name) == 0
    assert (tmp_path / "one" / "growth.json").read_bytes() == (tmp_path / "two" / "growth.json").read_bytes()


def test_faults_of_the_reference_class_leave_the_old_priors_alone(file, tmp_path, capsys):
    (tmp_path / "growth.json").write_text("old")
    file.write_text(file.read_text().replace("2003,3", "2003,x"))
    assert run(file, "--out", tmp_path) == 2
    assert "row 4, column value: value 'x'" in capsys.readouterr().err
    assert (tmp_path / "growth.json").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["growth.json", "in"]


def test_every_fault_of_the_options_stands_in_one_message(file, tmp_path, capsys):
    assert run("--kind", "surges", "--out", file, "--cache", tmp_path, "--refresh") == 2
    message = capsys.readouterr().err
    for part in (
        '--kind "surges" is not allowed: allowed adoption, surge',
        "either CURVES.csv or --world-bank is needed",
        "is for --world-bank alone",
        "curves.csv is not a folder",
    ):
        assert part in message
    assert "--refresh is for --world-bank alone" in message
    assert message.count("\n  - ") == 5


def test_the_world_bank_is_no_file_and_has_no_surges(file, capsys):
    assert run(file, "--world-bank", "--kind", "surge") == 2
    message = capsys.readouterr().err
    assert "needed, not both" in message and "has no surges" in message


def test_what_the_world_bank_answers_can_be_saved_and_learned_from_again(file, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        world_bank, "read", lambda *, folder, refresh: asked.append((folder, refresh)) or reference_class.read(file)
    )
    saved = tmp_path / "saved.csv"
    assert run("--world-bank", "--cache", tmp_path / "cache", "--save", saved, "--out", tmp_path / "one") == 0
    assert run(saved, "--out", tmp_path / "two") == 0
    assert asked == [(tmp_path / "cache", False)]
    first, second = (json.loads((tmp_path / n / "growth.json").read_text()) for n in ("one", "two"))
    assert first["values"] == second["values"]
    assert first["provenance"]["sha256"] == second["provenance"]["sha256"]


def test_priors_go_where_the_package_reads_them_unless_told_otherwise(file, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PRIORS", tmp_path / "priors")
    assert run(file) == 0
    assert (tmp_path / "priors" / "growth.json").exists()
