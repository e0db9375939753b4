"""Forecasts of the user's own series: what goes to a model, and what comes into a table."""

import csv
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from telemed_forecast import hub_format
from telemed_forecast.curves import own_series
from telemed_forecast.curves.series import Series
from telemed_forecast.errors import InputError, TelemedError

pytestmark = pytest.mark.unit


def made_up(name="a", frequency="annual", last=2020, value=10.0, **options):
    index = np.arange(last - 4, last + 1)
    return Series(name, frequency, index, value * np.arange(1.0, 6.0) / 5, **options)


def spread(series, horizon, *, levels, seed=0):
    """A model without any idea: the last value, wider with every period, within its bound."""
    last = np.array([s.values[-1] for s in series])[:, None, None]
    bound = np.array([s.bound or np.inf for s in series])[:, None, None]
    ahead = np.arange(1, horizon + 1)[None, :, None]
    quantiles = np.minimum(last * np.exp(ahead * (levels[None, None, :] - 0.5)), bound)
    return quantiles, quantiles.mean(axis=2)


@pytest.fixture
def model(monkeypatch):
    """Put a function in the place of the models."""

    def put(function):
        for name in own_series.KINDS.values():
            monkeypatch.setitem(sys.modules, f"telemed_forecast.curves.{name}", SimpleNamespace(forecast=function))

    put(spread)
    return put


def forecasts(series, horizon=3, **options):
    return [one for block in own_series.forecast(series, horizon, **options) for one in block.forecasts]


def test_a_table_has_the_columns_of_the_hub_format_and_the_name_of_the_series(model):
    (one,) = forecasts([made_up(unit="persons")])
    rows = list(one.rows("m"))
    assert {tuple(row) for row in rows} == {(*hub_format.COLUMNS, "series_id")}
    assert len(rows) == 3 * (len(hub_format.QUANTILES) + 1)
    assert {(row["series_id"], row["target"], row["unit"], row["location"]) for row in rows} == {
        ("a", "a", "persons", "")
    }


@pytest.mark.parametrize(
    ("series", "reference", "ends"),
    [
        (made_up(), "2020-12-31", ["2021-12-31", "2022-12-31", "2023-12-31"]),
        (made_up(early=6), "2020-06-30", ["2021-06-30", "2022-06-30", "2023-06-30"]),
        (made_up(frequency="quarterly", last=8079), "2019-12-31", ["2020-03-31", "2020-06-30", "2020-09-30"]),
        (made_up(frequency="monthly", last=24240), "2020-01-31", ["2020-02-29", "2020-03-31", "2020-04-30"]),
    ],
)
def test_horizons_count_the_periods_of_the_series_after_its_last(model, series, reference, ends):
    (one,) = forecasts([series])
    rows = list(one.rows("m"))
    assert {row["reference_date"] for row in rows} == {reference}
    assert sorted({(row["horizon"], row["target_end_date"]) for row in rows}) == list(zip((1, 2, 3), ends, strict=True))


def test_values_are_those_of_the_model_in_the_order_of_the_series(model):
    own = [made_up(name, value=value) for name, value in (("b", 3.0), ("a", 70.0), ("c", 1e9))]
    found = forecasts(own)
    assert [one.series.series_id for one in found] == ["b", "a", "c"]
    quantiles, means = spread(own, 3, levels=hub_format.QUANTILES)
    for n, one in enumerate(found):
        rows = list(one.rows("m"))
        medians = [row["value"] for row in rows if row["output_type_id"] == "0.5"]
        assert medians == pytest.approx(quantiles[n, :, 11], rel=1e-9)
        assert [r["value"] for r in rows if r["output_type"] == "mean"] == pytest.approx(means[n], rel=1e-9)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_series_does_not_depend_on_its_block(model, size):
    own = [made_up(f"s{n}", value=1.0 + n) for n in range(7)]
    whole = {one.series.series_id: one.quantiles for one in forecasts(own)}
    for one in forecasts(own[::-1], size=size):
        assert np.array_equal(one.quantiles, whole[one.series.series_id])


def test_a_model_holds_no_more_than_a_block(model):
    sizes = []
    model(lambda series, horizon, **rest: sizes.append(len(series)) or spread(series, horizon, **rest))
    assert len(forecasts([made_up(f"s{n}") for n in range(25)], size=10)) == 25
    assert sizes == [10, 10, 5]


def test_blocks_are_made_when_they_are_wanted(model):
    asked = []
    model(lambda series, horizon, **rest: asked.append(len(series)) or spread(series, horizon, **rest))
    blocks = own_series.forecast([made_up(f"s{n}") for n in range(10)], 1, size=2)
    next(blocks)
    assert asked == [2]


def test_what_a_model_refuses_is_told_by_name_and_the_others_are_forecast(model):
    def choosy(series, horizon, **rest):
        wrong = [s.series_id for s in series if s.series_id.startswith("bad")]
        if wrong:
            raise InputError([f"{name} has no wave" for name in wrong])
        return spread(series, horizon, **rest)

    model(choosy)
    own = [made_up(name) for name in ("a", "bad1", "b", "bad2", "c")]
    (block,) = own_series.forecast(own, 2)
    assert [one.series.series_id for one in block.forecasts] == ["a", "b", "c"]
    assert [fault.value for fault in block.faults] == ["bad1", "bad2"]
    assert block.faults[0].expected == "bad1 has no wave"
    assert block.size == 5


@pytest.mark.parametrize(
    "spoil",
    [
        lambda q: q * np.nan,
        lambda q: q - 100,
        lambda q: q[..., ::-1],
        lambda q: q + 1000,
    ],
    ids=["no numbers", "negative", "crossing", "above the bound"],
)
def test_an_impossible_forecast_is_never_written(model, spoil):
    def broken(series, horizon, **rest):
        quantiles, mean = spread(series, horizon, **rest)
        return spoil(quantiles), mean

    model(broken)
    with pytest.raises(TelemedError, match="'a'"):
        forecasts([made_up(bound=100.0)])


def test_a_bound_that_is_missed_by_rounding_is_met(model):
    def rounded(series, horizon, **rest):
        quantiles, mean = spread(series, horizon, **rest)
        return np.maximum(quantiles, 100.00000000000006), mean

    model(rounded)
    (one,) = forecasts([made_up(bound=100.0)])
    assert one.quantiles.max() == 100


@pytest.mark.parametrize("suffix", own_series.FORMATS)
def test_a_table_grows_block_by_block_and_reads_back(model, tmp_path, suffix):
    own = [made_up(f"s{n},", value=n + 0.1) for n in range(5)]
    file = tmp_path / f"table{suffix}"
    with own_series.table(file, suffix) as add:
        for block in own_series.forecast(own, 2, size=2):
            add(row for one in block.forecasts for row in one.rows("m"))
    expected = [row for one in forecasts(own, 2) for row in one.rows("m")]
    if suffix == ".parquet":
        assert pq.read_table(file).to_pylist() == expected
    else:
        with file.open(encoding="utf-8", newline="") as text:
            read = list(csv.DictReader(text))
        assert read == [{name: str(value) for name, value in row.items()} for row in expected]


# -- with the models that ship ----


def wave(name, size=1.0, *, base=2.0, unit="percent"):
    """A monthly series with a wave in spring 2020, of which a third stays."""
    months = np.arange(24240 - 6, 24240 + 18)
    since = np.maximum(months - 24243, 0)
    level = np.where(months < 24243, base, base + 30 * (1 / 3 + 2 / 3 * 0.9**since)) * (1 + 0.03 * np.sin(7.0 * months))
    return Series(name, "monthly", months, size * level, unit, bound=100.0 if unit == "percent" else None)


def test_neither_processes_nor_blocks_nor_order_change_a_number(monkeypatch):
    own = [wave(f"s{n}", base=1.0 + n) for n in range(6)]
    whole = {one.series.series_id: one for one in forecasts(own, 4, kind="surge")}
    monkeypatch.setattr(own_series, "ALONE", 0)
    shared = forecasts(own[::-1], 4, kind="surge", jobs=2, size=2)
    assert [one.series.series_id for one in shared] == [f"s{n}" for n in range(6)][::-1]
    for one in shared:
        assert list(one.rows("m")) == list(whole[one.series.series_id].rows("m"))


def test_what_is_left_of_a_wave_does_not_hang_on_the_unit():
    small, large = forecasts([wave("a", unit="persons"), wave("a", 1e6, unit="persons")], 12, kind="surge")
    assert large.quantiles == pytest.approx(1e6 * small.quantiles, rel=0.01)


def test_a_wave_without_anything_after_it_is_refused_by_name():
    before = replace(wave("early"), index=np.arange(24000, 24024), reference_class="us_medicaid_monthly")
    (block,) = own_series.forecast([wave("a"), before], 3, kind="surge")
    assert [one.series.series_id for one in block.forecasts] == ["a"]
    assert [fault.value for fault in block.faults] == ["early"]
