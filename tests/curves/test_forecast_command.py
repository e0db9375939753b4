"""The command `forecast`: files in, files out, and nothing written when something is wrong."""

import csv
import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from telemed_forecast import cli
from telemed_forecast.errors import InputError
from telemed_forecast.render.charts import small_multiples

pytestmark = pytest.mark.unit

GOOD = [
    f"{name},{year},{(year - 2009) * size},persons,tv"
    for name, size in (("a", 1), ("b", 1e6))
    for year in range(2010, 2016)
]
BAD = ["c,2010,x,persons,", "c,2011,1,persns,"]


def spread(series, horizon, *, levels, seed=0):
    refused = [s for s in series if s.series_id == "refused"]
    if refused:
        raise InputError(["a wave to be forecast"])
    last = np.array([s.values[-1] for s in series])[:, None, None]
    quantiles = last * np.exp(np.arange(1, horizon + 1)[None, :, None] * (levels[None, None, :] - 0.5))
    return quantiles, quantiles.mean(axis=2)


@pytest.fixture(autouse=True)
def models(monkeypatch):
    """Models of a line, and one known technology."""
    models = {"hypotheses": SimpleNamespace(forecast=spread, classes=lambda: ("tv", "radio"))}
    models["retention"] = SimpleNamespace(forecast=spread)
    for name, model in models.items():
        monkeypatch.setitem(sys.modules, f"telemed_forecast.curves.{name}", model)


@pytest.fixture
def file(tmp_path):
    """Write lines as a file of series."""

    def write(lines, header="series_id,date,value,unit,reference_class"):
        path = tmp_path / "mine.csv"
        path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return path

    return write


@pytest.fixture
def run(capsys):
    """Call the command; returns the exit code and what it printed."""

    def call(*arguments):
        code = cli.main(["forecast", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def names(text):
    return list(dict.fromkeys(row["series_id"] for row in csv.DictReader(io.StringIO(text))))


def test_without_a_file_the_table_is_printed_as_csv_and_nothing_else_is(run, file):
    code, out, err = run(file(GOOD), "--horizon", 2)
    assert (code, err) == (0, "")
    assert names(out) == ["a", "b"]
    assert len(out.splitlines()) == 1 + 2 * 2 * 24


def test_a_table_is_written_as_its_suffix_says(run, file, tmp_path):
    import pandas as pd

    path = file(GOOD)
    _, printed, _ = run(path, "--horizon", 2)
    for name in ("out.csv", "out.parquet"):
        assert run(path, "--horizon", 2, "--out", tmp_path / name) == (0, "", "")
    assert (tmp_path / "out.csv").read_text() == printed
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert frame.to_csv(index=False, lineterminator="\n") == printed
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.csv", "out.csv", "out.parquet"]


def test_every_fault_of_options_and_rows_stands_in_one_message_and_nothing_is_written(run, file, tmp_path):
    path = file([*GOOD, *BAD])
    (tmp_path / "plot.png").write_bytes(b"old")
    code, out, err = run(
        *(path, "--horizon", 0, "--kind", "surges", "--jobs", 0),
        *("--out", tmp_path / "none" / "out.xlsx", "--plot", tmp_path / "plot.pdf"),
    )
    assert (code, out) == (2, "")
    for part in (
        "--horizon 0 is out of range: allowed 1..100",
        '--kind "surges" is not allowed: allowed adoption, surge',
        "--jobs 0 is out of range",
        "out.xlsx has no known suffix: allowed .csv, .parquet",
        "must be a file in a folder that exists",
        "plot.pdf has no known suffix: allowed .png, .svg, .html",
        f"{path}, row 14, column value: value 'x'",
        f"{path}, row 15, column unit: value 'persns'",
    ):
        assert part in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.csv", "plot.png"]


def test_one_bad_series_stops_all_unless_it_is_skipped(run, file, tmp_path):
    path, out = file([*GOOD, *BAD]), tmp_path / "out.csv"
    assert run(path, "--horizon", 1, "--out", out)[0] == 2
    assert not out.exists()
    code, printed, err = run(path, "--horizon", 1, "--out", out, "--skip-bad")
    assert (code, printed) == (0, "")
    assert "row 14, column value" in err and "skipped" in err
    assert names(out.read_text()) == ["a", "b"]


def test_where_no_series_is_good_there_is_nothing_to_skip_to(run, file):
    code, out, err = run(file(BAD), "--horizon", 1, "--skip-bad")
    assert (code, out) == (2, "") and "row 2, column value" in err


def test_a_series_that_the_model_refuses_is_a_fault_with_its_row(run, file, tmp_path):
    lines = [line.replace("a,", "refused,", 1) if line[0] == "a" else line for line in GOOD]
    path, out = file(lines), tmp_path / "out.csv"
    code, _, err = run(path, "--horizon", 1, "--out", out)
    assert code == 2 and not out.exists()
    assert f"{path}, row 2, column series_id: value 'refused'; expected a wave to be forecast" in err
    code, _, err = run(path, "--horizon", 1, "--out", out, "--skip-bad")
    assert code == 0 and "'refused'" in err and names(out.read_text()) == ["b"]
    assert run(file(lines[:6]), "--horizon", 1, "--skip-bad")[0] == 2


def test_an_unknown_technology_is_a_fault_for_adoption_alone(run, file):
    path = file([line.replace(",tv", ",tvs") for line in GOOD])
    code, _, err = run(path, "--horizon", 1)
    assert code == 2 and "one of radio, tv, or nothing for a new technology" in err
    assert run(path, "--horizon", 1, "--kind", "surge")[0] == 0


def test_the_file_of_the_series_is_never_overwritten(run, file):
    path = file(GOOD)
    before = path.read_text()
    code, _, err = run(path, "--horizon", 1, "--out", path)
    assert code == 2 and "would be lost" in err and path.read_text() == before


@pytest.mark.parametrize("arguments", [[], ["--horizon", "x"], ["--horizon", "1", "--jobs", "1.5"]])
def test_a_mistyped_call_is_the_users_error(run, file, arguments):
    assert run(file(GOOD), *arguments)[0] == 2


def test_a_missing_file_is_the_users_error(run, tmp_path):
    code, _, err = run(tmp_path / "none.csv", "--horizon", 1)
    assert code == 2 and "a CSV file that can be read" in err


@pytest.mark.parametrize("suffix", [".png", ".svg", ".html"])
def test_a_drawing_is_made_on_request(run, file, tmp_path, suffix):
    plot = tmp_path / f"plot{suffix}"
    assert run(file(GOOD), "--horizon", 3, "--out", tmp_path / "out.csv", "--plot", plot) == (0, "", "")
    start = {".png": b"\x89PNG", ".svg": b"<svg", ".html": b"<!DOCTYPE html>"}[suffix]
    assert plot.read_bytes().startswith(start)


def test_a_drawing_holds_so_many_series_and_says_so(run, file, tmp_path, monkeypatch):
    monkeypatch.setattr(small_multiples, "MOST", 3)
    lines = [f"s{n},{year},{year},," for n in range(5) for year in range(2010, 2015)]
    plot = tmp_path / "plot.svg"
    code, _, err = run(file(lines), "--horizon", 1, "--out", tmp_path / "out.csv", "--plot", plot)
    assert code == 0
    assert "shows the first 3 of 5 series" in err
    drawn = plot.read_text(encoding="utf-8")
    assert ">s2<" in drawn and ">s3<" not in drawn
    assert len(names((tmp_path / "out.csv").read_text())) == 5
