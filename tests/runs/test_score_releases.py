"""`backtest --releases`: what was frozen, in a table that fits and says what waits."""

import csv
import shutil
from datetime import date

import pandas as pd
import pytest

from telemed_forecast import cli, paths
from telemed_forecast.errors import InputError
from telemed_forecast.evaluation import frozen_forecasts
from telemed_forecast.runs import release, score_releases

pytestmark = pytest.mark.unit


def came(target="online_medical_users", **changed):
    """A frozen forecast that has met its figure."""
    given = dict(
        release="2026-11-21-base-1", forecast_date=date(2026, 11, 22), scenario="base", target=target, unit="persons",
        day=date(2026, 12, 31), claim_id="a", publisher="cnnic", grade="A", known=date(2027, 3, 1), latent=False,
        published=4.2e8, rounding=0.001, doubtful=False, low=3.8e8, median=4e8, high=4.4e8, crps=0.03, wis=0.028,
        dispersion=0.02, overprediction=0.0, underprediction=0.008, bias=-0.05, pit=0.7,
        interval_coverage_50=False, interval_coverage_80=True, interval_coverage_90=True, interval_coverage_95=True,
    )  # fmt: skip
    return given | changed


@pytest.fixture
def met(monkeypatch):
    """Say what has come."""

    def give(*scores):
        monkeypatch.setattr(frozen_forecasts, "score", lambda *_: pd.DataFrame(scores, columns=frozen_forecasts.SCORED))

    return give


def lines(**options):
    return list(score_releases.table(score_releases.make(paths.RELEASES, **options)))


def test_with_nothing_published_since_the_command_says_so_and_what_comes_next(met):
    met()
    told = lines()
    assert "scored: none, for nothing that was frozen has been published since" in told
    assert any(line.startswith("waiting: ") for line in told)
    assert sum("about 20" in line for line in told) == score_releases.NEXT
    assert "online_medical_users_latent" in "".join(told[-3:])


def test_each_figure_that_came_is_a_line_and_all_of_them_a_mean(met):
    met(came(), came("market_size_healthcare", unit="CNY_million", latent=True, doubtful=True, crps=0.05))
    told = lines()
    assert max(map(len, told)) <= 120
    [users] = [line for line in told if "online_medical_users" in line and "2026-12-31" in line and "0.030" in line]
    assert "380" in users and "420 million" in users and "-/+/+/+" in users
    [total] = [line for line in told if line.startswith("  all")]
    assert "0/100/100/100" in total and "0.040" in total
    assert any(line.lstrip().startswith("*") for line in told) and any(line.lstrip().startswith("~") for line in told)


def test_the_file_holds_every_score_and_its_columns_even_without_any(met, tmp_path):
    met(came())
    lines(out=tmp_path / "new")
    with (tmp_path / "new" / score_releases.FILE).open() as file:
        [row] = csv.DictReader(file)
    assert row["target"] == "online_medical_users" and row["inside_50"] == "False" and float(row["crps"]) == 0.03
    met()
    lines(out=tmp_path / "new")
    assert (tmp_path / "new" / score_releases.FILE).read_text().startswith("release,released,scenario,target")


def test_without_releases_there_is_nothing_to_score(tmp_path):
    assert list(score_releases.table(score_releases.make(tmp_path))) == ["no forecast has been frozen yet"]


def test_as_of_an_earlier_day_only_what_was_frozen_by_then_counts(tmp_path):
    first = release.all_in(paths.RELEASES)[0]
    shutil.copytree(first, tmp_path / first.name)
    (tmp_path / first.name / "forecasts.csv").write_text("damaged later")
    told = score_releases.table(score_releases.make(tmp_path, as_of="2026-11-20"))
    assert list(told) == ["nothing was frozen by 2026-11-20"]


def test_an_out_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is not a folder"):
        score_releases.make(paths.RELEASES, out=tmp_path / "file")


def test_the_command_reads_the_projects_releases_or_a_folder(capsys, tmp_path):
    assert cli.main(["backtest", "--releases"]) == 0
    project = capsys.readouterr().out
    assert project.startswith("releases: ")
    for folder in release.all_in(paths.RELEASES):
        shutil.copytree(folder, tmp_path / folder.name)
    assert cli.main(["backtest", "--releases", str(tmp_path)]) == 0
    assert capsys.readouterr().out == project


def test_a_release_with_a_changed_digit_ends_the_command_with_1_and_its_name(capsys, tmp_path):
    folder = release.all_in(paths.RELEASES)[0]
    shutil.copytree(folder, tmp_path / folder.name)
    table = tmp_path / folder.name / "forecasts.csv"
    table.write_bytes(table.read_bytes().replace(b"9", b"8", 1))
    assert cli.main(["backtest", "--releases", str(tmp_path)]) == 1
    assert f"{folder.name}/forecasts.csv: changed" in capsys.readouterr().err


def test_options_that_do_not_go_together_are_refused_together(capsys):
    assert cli.main(["backtest", "--releases", "--model", "user_adoption", "--profile", "quick"]) == 2
    message = capsys.readouterr().err
    assert "--model has no meaning" in message and "--profile has no meaning" in message
    assert cli.main(["backtest", "somewhere"]) == 2
    assert "only taken with --releases" in capsys.readouterr().err
