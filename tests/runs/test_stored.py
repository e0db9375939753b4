"""What is stored can be listed and removed, and a dry run says what would be made."""

import pytest
from driver import PlainPages

from telemed_forecast.errors import InputError
from telemed_forecast.runs import manifest, plan, stored
from telemed_forecast.runs.report import Reports


@pytest.fixture
def reports(finished):
    """The reports of a project with one finished run, and the run's name."""
    project, folder = finished
    return Reports(publisher=PlainPages(fail=False), out=project.out, project=project, say=lambda line: None), folder


def asked(**texts):
    return plan.request(["user_adoption"], texts.items())


@pytest.mark.notebook
def test_runs_are_listed_with_what_tells_them_apart(reports):
    made, folder = reports
    [line] = stored.runs(made.out)
    assert line.startswith(folder) and "profile=full horizon=2030" in line and line.endswith("user_adoption")


@pytest.mark.notebook
def test_a_run_is_removed_and_leaves_the_index(reports):
    made, folder = reports
    with pytest.raises(InputError, match=f'holds no run {folder}x; did you mean "{folder}"'):
        made.remove([folder, f"{folder}x"])
    assert (made.out / folder).exists()
    assert made.remove([folder]) == [made.out / folder]
    assert manifest.all_in(made.out) == []
    assert folder not in (made.out / "index.html").read_text()


@pytest.mark.notebook
def test_a_dry_run_says_what_is_stored_and_what_would_be_made_and_makes_nothing(reports):
    made, folder = reports
    [(run, why, missing)] = made.plan(asked())
    assert (run.run_id, why, missing) == (folder, "", [])
    [(run, why, missing)] = made.plan(asked(horizon="2031"))
    assert run.run_id != folder and "horizon 2030 -> 2031" in why
    assert [one["run_id"] for one in manifest.all_in(made.out)] == [folder]


@pytest.mark.notebook
def test_explaining_names_every_input_that_changed_and_not_only_the_first_few(reports):
    made, _ = reports
    for number in range(9):
        made.project.put(f"telemed_forecast/new{number}.py", "x = 1\n")
    [run] = plan.runs(asked(), made.project)
    assert "and 5 more" in made.why(run)
    explained = Reports(publisher=PlainPages(fail=False), out=made.out, project=made.project, explain=True).why(run)
    assert [line for line in explained.splitlines() if "is new" in line] == [
        f"  - telemed_forecast/new{number}.py is new" for number in range(9)
    ]


@pytest.mark.unit
def test_the_cache_is_told_by_part_and_cleared_of_what_can_be_made_anew(tmp_path):
    for name in ("fits/a.nc", "fits/b.nc", "numba/c", "mine/kept.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x" * 1500)
    told = stored.cache(tmp_path)
    assert told[1].startswith("  fits: 2 files, 3 kB")
    assert stored.clear(tmp_path, ["numba"]) == [tmp_path / "numba"]
    assert stored.clear(tmp_path) == [tmp_path / "fits"]
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


@pytest.mark.unit
def test_an_unknown_part_of_the_cache_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(InputError, match='the cache has no part fit; did you mean "fits"'):
        stored.clear(tmp_path, ["fit"])
