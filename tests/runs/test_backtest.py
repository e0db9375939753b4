"""The backtest's command: what is asked is checked first, and what came of it is a table."""

import csv
import io
from datetime import date

import pytest

from telemed_forecast.errors import InputError
from telemed_forecast.evaluation import needs, rolling_origins, scores
from telemed_forecast.forecast import hub
from telemed_forecast.runs import backtest

pytestmark = pytest.mark.unit


def score(member, *, crps=0.1, held=True, year=2020):
    """One forecast of one figure."""
    return dict(
        market="user_adoption", member=member, forecast_date=date(year, 12, 31), claim_id="a", day=date(2022, 12, 31),
        known=date(2023, 3, 1), comparable=True, low=90.0, median=100.0, high=110.0, published=104.0, unit="persons",
        crps=crps, wis=crps, dispersion=0.5 * crps, overprediction=0.0, underprediction=0.5 * crps, log_score=-0.7,
        bias=-0.04, pit=0.6, quantiles=tuple(100.0 + k for k in range(len(hub.QUANTILES))),
        **dict.fromkeys(scores.COVERAGE, held),
    )  # fmt: skip


@pytest.fixture
def scored(monkeypatch):
    """Backtests whose scores are given: nothing is fitted."""
    given = [score(name) for name in rolling_origins.MEMBERS] + [score("naive", crps=0.2, held=False)]
    monkeypatch.setattr(needs, "made", lambda *_: [])
    monkeypatch.setattr(rolling_origins, "origins", lambda *_: [])
    monkeypatch.setattr(rolling_origins, "score", lambda *_, **__: rolling_origins.frame(given))
    return given


def test_every_fault_is_named_at_once_and_nothing_is_fitted(tmp_path):
    (tmp_path / "file").write_text("")
    wrong = backtest.Request(models=["user_adoptoin"], profile="slow", as_of="1990-01-01", out=tmp_path / "file")
    with pytest.raises(InputError) as refused:
        backtest.make(wrong)
    faults = "\n".join(str(fault) for fault in refused.value.faults)
    assert 'did you mean "user_adoption"?' in faults
    assert "profile" in faults
    assert "as_of" in faults
    assert "is not a folder" in faults


def test_the_table_has_a_line_for_each_forecaster(scored):
    [made] = backtest.make(backtest.Request(models=["user_adoption"]), stream=io.StringIO())
    lines = list(backtest.table([made]))
    assert lines[0] == "user_adoption: 1 origins (2020-12-31 to 2020-12-31), 1 figures that came later"
    members = [*rolling_origins.MEMBERS, "naive"]
    assert [line.split()[0] for line in lines[3 : 3 + len(members)]] == members
    assert "100/100/100/100" in lines[3] and "0.10=0.05+0.00+0.05" in lines[3]
    assert "0/0/0/0" in lines[2 + len(members)]
    assert "rough" in lines[-2]


def test_the_table_fits_in_120_columns(scored, monkeypatch):
    scored += [score(name, crps=0.1 * k, year=2021) for k, name in enumerate(rolling_origins.MEMBERS)]
    [made] = backtest.make(backtest.Request(models=["internet_hospitals"]), stream=io.StringIO())
    lines = list(backtest.table([made]))
    assert max(map(len, lines)) <= 120
    bars = {line.index("|") for line in lines if "|" in line}
    assert len(bars) == 1


def test_forecasters_with_nothing_in_common_get_no_score(monkeypatch):
    monkeypatch.setattr(needs, "made", lambda *_: [])
    monkeypatch.setattr(rolling_origins, "origins", lambda *_: [])
    monkeypatch.setattr(rolling_origins, "score", lambda *_, **__: rolling_origins.frame([score("ours")]))
    lines = list(backtest.table(backtest.make(backtest.Request(models=["channel_share"]), stream=io.StringIO())))
    assert "nan" not in "".join(lines)
    assert "none of the shared scores" in lines[4]


def test_the_files_hold_every_score_and_summary(scored, tmp_path):
    backtest.make(backtest.Request(models=["user_adoption"], out=tmp_path / "new"), stream=io.StringIO())
    with (tmp_path / "new" / backtest.SCORES).open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(scored)
    assert rows[0]["model"] == "user_adoption" and rows[0]["origin"] == "2020-12-31" and rows[0]["inside_80"] == "True"
    with (tmp_path / "new" / backtest.STANDINGS).open() as file:
        standings = {row["member"]: row for row in csv.DictReader(file)}
    assert float(standings["naive"]["coverage_80"]) == 0.0
    written = sorted([backtest.FORECASTS, backtest.SCORES, backtest.STANDINGS])
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == written


def test_the_file_of_forecasts_is_in_the_hub_format_and_holds_nothing_of_what_came(scored, tmp_path):
    backtest.make(backtest.Request(models=["user_adoption"], out=tmp_path), stream=io.StringIO())
    with (tmp_path / backtest.FORECASTS).open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(hub.QUANTILES) * len(scored)
    assert set(hub.COLUMNS) - {"horizon", "scenario"} <= set(rows[0])
    assert [float(row["output_type_id"]) for row in rows[: len(hub.QUANTILES)]] == hub.QUANTILES.tolist()
    assert rows[0]["value"] == "100.0" and rows[0]["model"] == "ours"
    assert not {"published", "crps", "pit"} & set(rows[0])


def test_a_model_without_any_outcome_says_so(monkeypatch):
    monkeypatch.setattr(needs, "made", lambda *_: [])
    monkeypatch.setattr(rolling_origins, "origins", lambda *_: [])
    made = backtest.make(backtest.Request(models=["channel_share"]), stream=io.StringIO())
    assert list(backtest.table(made)) == ["channel_share: no figure came after any of the origins"]
