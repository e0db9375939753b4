"""Forecasts of adoption, from file to fan: series with each trait that past adoptions have."""

import numpy as np
import pytest

from telemed_forecast import hub_format
from telemed_forecast.curves import own_series, series_file
from telemed_forecast.evidence import ledger

pytestmark = pytest.mark.unit

YEARS = range(2005, 2030)


def file_of(tmp_path, series, unit=""):
    """A file of annual series; None leaves the year out."""
    lines = ["series_id,date,value,unit"]
    for name, values in series.items():
        known = zip(YEARS, values, strict=False)
        lines += [f"{name},{year},{value!r},{unit}" for year, value in known if value is not None]
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def fans(tmp_path):
    """Forecast series of a file with the shipped model: quantiles by name, dims (horizon, quantile)."""

    def call(series, horizon=5, *, unit=""):
        reading = series_file.read(file_of(tmp_path, series, unit))
        assert reading.faults == ()
        blocks = own_series.forecast(reading.series, horizon)
        return {one.series.series_id: one.quantiles for block in blocks for one in block.forecasts}

    return call


RISING = [0.4, 1.1, 2.6, 5.8, 11.0, 19.5, 30.0, 41.0]
MEDIAN, LOW, HIGH = (int(np.flatnonzero(hub_format.QUANTILES == level)[0]) for level in (0.5, 0.05, 0.95))


def test_five_points_of_any_unit_are_enough(fans):
    for unit in ("", "percent", "persons", "per_100_people"):
        fan = fans({"a": RISING[:5]}, unit=unit)["a"]
        assert (fan[:, MEDIAN] > RISING[4]).all()


def test_a_percentage_stays_below_its_bound_and_per_100_does_not(fans):
    late = [20.0, 45.0, 70.0, 86.0, 93.0, 96.5, 98.0]
    assert fans({"a": late}, 10, unit="percent")["a"].max() <= 100
    fan = fans({"a": [30.0, 55.0, 80.0, 99.0, 112.0, 121.0]}, 3, unit="per_100_people")["a"]
    assert fan[0, MEDIAN] > 112 and fan[2, HIGH] > 125


def test_repeated_values_do_not_make_a_forecast_surer(fans):
    steps = [values for value in RISING for values in (value, value)]
    gaps = [values for value in RISING for values in (None, value)]
    found = fans({"repeated": steps, "gaps": gaps})
    width = {name: np.log(fan[:, HIGH] / fan[:, LOW]) for name, fan in found.items()}
    assert (width["repeated"] > 0.75 * width["gaps"]).all()


def test_leading_zeros_say_little(fans):
    found = fans({"with": [0.0, 0.0, 0.0, *RISING], "without": [None, None, None, *RISING]})
    assert np.abs(np.log(found["with"] / found["without"])[:, [LOW, MEDIAN, HIGH]]).max() < 0.5


def test_gaps_are_no_zeros_and_no_repeats(fans):
    found = fans({"whole": RISING, "gaps": [v if k not in (2, 4) else None for k, v in enumerate(RISING)]})
    assert np.abs(np.log(found["gaps"] / found["whole"])[:, MEDIAN]).max() < 0.25


def test_what_is_past_its_peak_is_not_forecast_to_pass_it_at_once(fans):
    peak = [10.0, 25.0, 48.0, 70.0, 80.0, 78.0, 71.0, 63.0, 55.0]
    fan = fans({"a": peak})["a"]
    assert fan[0, MEDIAN] < 63 and fan[4, MEDIAN] < 80 and fan[4, LOW] < 45


@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e9])
def test_a_change_of_unit_changes_nothing(fans, factor):
    values = {"rising": RISING, "zeros": [0.0, 0.0, *RISING], "steps": [1.0, 1.0, 3.0, 3.0, 7.0, 7.0, 12.0]}
    scaled = {name: [v * factor for v in own] for name, own in values.items()}
    found, other = fans(values, unit="persons"), fans(scaled, unit="persons")
    for name in values:
        assert other[name] / factor == pytest.approx(found[name], rel=0.01)


def test_online_shopping_as_it_was_seen_in_2020_holds_what_came(tmp_path):
    """Half-yearly counts with gaps are quarters with gaps; the counts of the next years lie inside the 90% interval."""
    rows = ledger.load()
    rows = rows[(rows["metric"] == "online_shopping_users") & (rows["segment"] == "national")]
    rows = rows[(rows["origin"] == "cnnic") & (rows["use"] == "model")].drop_duplicates("period_end")
    known = rows[rows["period_end"].between("2008-01-01", "2020-03-31")]
    file = tmp_path / "mine.csv"
    lines = [f"shopping,{row.period_end:%Y-%m-%d},{row.value:.0f},persons" for row in known.itertuples()]
    file.write_text("\n".join(["series_id,date,value,unit", *lines]), encoding="utf-8")
    reading = series_file.read(file)
    assert reading.faults == () and reading.series[0].frequency == "quarterly"
    (block,) = own_series.forecast(reading.series, 11)
    fan = dict(zip(block.forecasts[0].last_days.astype(str), block.forecasts[0].quantiles, strict=True))
    later = rows[rows["period_end"].between("2020-06-30", "2022-12-31")]
    assert len(later) >= 3
    for row in later.itertuples():
        quantiles = fan[f"{row.period_end:%Y-%m-%d}"]
        assert quantiles[LOW] < row.value < quantiles[HIGH]


def test_neither_order_nor_blocks_nor_processes_change_a_number(tmp_path, monkeypatch):
    names = [f"s{n}" for n in range(8)]
    series = {name: [value * (1 + 0.1 * n) for value in RISING[: 5 + n % 4]] for n, name in enumerate(names)}
    reading = series_file.read(file_of(tmp_path, series, "persons"))

    def rows(own, **options):
        blocks = own_series.forecast(own, 3, **options)
        return {one.series.series_id: list(one.rows("m")) for block in blocks for one in block.forecasts}

    whole = rows(reading.series)
    assert rows(reading.series[::-1], size=3) == whole
    monkeypatch.setattr(own_series, "ALONE", 0)
    assert rows(reading.series[::-1], size=2, jobs=2) == whole
