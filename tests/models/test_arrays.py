"""The arrays that the models read from the real ledger, on dates from the first that is allowed to today."""

import numpy as np
import pytest

from telemed_forecast.evidence import ledger, observations, vintage
from telemed_forecast.models import adoption, channel_share, internet_hospitals, market_size
from telemed_forecast.models.timeline import decimal_year

pytestmark = pytest.mark.unit

DAYS = ("2019-01-01", "2019-12-31", "2020-06-30", "2021-08-18", "2022-12-31", "2024-12-31", "2026-11-21")
MODELS = ("user_adoption", "internet_hospitals", "channel_share", "market_size")
BLOCKS = {
    "user_adoption": ("internet", "users", "survey"),
    "internet_hospitals": ("count", "share"),
    "channel_share": ("share",),
    "market_size": ("size", "volume", "online", "seller"),
}
TIME = {
    "user_adoption": (adoption.GRID, ("grid", "log_population", "internet_guess", "usage_guess")),
    "internet_hospitals": (internet_hospitals.GRID, ("log_pool", "hospital_guess", "firm_guess")),
    "channel_share": (channel_share.GRID, ("years",)),
    "market_size": (
        market_size.GRID,
        ("age", "consultation_guess", "pharmacy_guess", "log_medicine", "users_mean", "users_sd"),
    ),
}
every = pytest.mark.parametrize("model", MODELS)
each_day = pytest.mark.parametrize("day", DAYS)


@each_day
@every
def test_the_grid_has_one_length_on_every_date(arrays_on, day, model):
    length, names = TIME[model]
    data = arrays_on(day)[model]
    assert {data[name].shape for name in names} == {(length,)}


@each_day
@every
def test_names_ranks_and_types_are_the_same_on_every_date(arrays_on, day, model):
    # A compiled model casts new arrays to the types of the first ones: a float there must not be an int here.
    def layout(data):
        return {name: (values.dtype, values.ndim) for name, values in data.items()}

    assert layout(arrays_on(day)[model]) == layout(arrays_on(DAYS[-1])[model])


@each_day
@every
def test_every_value_is_finite_and_every_interval_in_order(arrays_on, day, model):
    data = arrays_on(day)[model]
    assert all(np.isfinite(values).all() for values in data.values())
    for block in BLOCKS[model]:
        assert (data[f"{block}_low"] < data[f"{block}_high"]).all()
        assert (data[f"{block}_scale"] > 0).all()


@each_day
@every
def test_every_figure_lies_inside_the_grid(arrays_on, day, model):
    data, (length, _) = arrays_on(day)[model], TIME[model]
    for block in BLOCKS[model]:
        at = data.get(f"{block}_at", data.get(f"{block}_year"))
        assert len(at) == len(data[f"{block}_low"])
        assert ((at >= 0) & (at <= length - 1)).all()


@each_day
def test_indices_point_at_slots_that_exist(arrays_on, day):
    data = arrays_on(day)
    assert (data["internet_hospitals"]["count_origin"] <= internet_hospitals.ORIGINS).all()
    assert (data["channel_share"]["share_measure"] <= len(channel_share.MEASURES)).all()
    assert (data["market_size"]["size_origin"] < market_size.ORIGINS).all()
    assert (data["market_size"]["size_definition"] < len(market_size.DEFINITIONS)).all()
    assert np.isin(data["user_adoption"]["users_definition"], [0.0, 1.0]).all()


@each_day
def test_the_grid_of_the_users_never_ends_more_than_half_a_year_after_the_date(arrays_on, day):
    today = decimal_year(np.array([day], dtype="datetime64[D]"))[0]
    assert arrays_on(day)["user_adoption"]["grid"][-1] <= today + 0.5


def test_evidence_only_grows_and_starts_with_none_on_the_share(arrays_on):
    sizes = [len(arrays_on(day)["channel_share"]["share_low"]) for day in DAYS]
    assert sizes[0] == 0
    assert sizes == sorted(sizes) and sizes[-1] >= 5


def planted(claims, **changes):
    """The ledger with one more count of internet hospitals, of another size."""
    row = claims[claims["claim_id"] == "ih-2025-09-nhc-3756"].iloc[[0]]
    return row.assign(claim_id="planted", printed="9999", value=9999.0, restates="", **changes)


@pytest.mark.parametrize(
    "changes", [{"grade": "D"}, {"kind": "forecast"}, {"use": "excluded"}, {"use": "context"}], ids=str
)
def test_grade_d_forecasts_and_excluded_rows_change_nothing(arrays_on, changes):
    import pandas as pd
    from real_arrays import arrays

    claims = ledger.load()
    before = arrays_on("2026-11-21")["internet_hospitals"]
    after = arrays("2026-11-21", pd.concat([claims, planted(claims, **changes)], ignore_index=True))[
        "internet_hospitals"
    ]
    assert {name: values.tobytes() for name, values in after.items()} == {
        name: values.tobytes() for name, values in before.items()
    }


def test_a_row_that_may_enter_does(arrays_on):
    import pandas as pd
    from real_arrays import arrays

    claims = ledger.load()
    before = arrays_on("2026-11-21")["internet_hospitals"]
    after = arrays("2026-11-21", pd.concat([claims, planted(claims)], ignore_index=True))["internet_hospitals"]
    assert len(after["count_low"]) == len(before["count_low"]) + 1


def test_every_row_of_grade_d_is_left_out_of_every_metric_that_a_model_reads(arrays_on):
    claims = ledger.load()
    doubtful = claims[claims["grade"] == "D"]
    assert len(doubtful), "the ledger has no row of grade D: this test says nothing"
    assert len(observations.intervals(vintage.as_of(doubtful, ""))) == 0


@pytest.mark.parametrize("year", [2015, 2020, 2024])
def test_ends_of_years_and_half_years_are_whole_and_half_numbers(year):
    ends = np.array([f"{year}-12-31", f"{year}-06-30"], dtype="datetime64[D]")
    found = decimal_year(ends)
    assert found[0] == year + 1
    assert found[1] == pytest.approx(year + 0.5, abs=0.005)


def test_a_pool_is_interpolated_between_counts_and_grows_slowly_after_the_last():
    rows = ledger.load()
    rows = rows[(rows["metric"] == "hospitals") & (rows["segment"] == "tertiary_hospitals")]
    pool = observations.intervals(rows)
    year = decimal_year(pool.end)
    last = year.max()
    at = internet_hospitals.eligible([pool], np.array([year.min(), last, last + 1.0]))
    newest = int(np.argmax(year))
    assert at[1] == pytest.approx(0.5 * (pool.low[newest] + pool.high[newest]), rel=1e-3)
    before = internet_hospitals.eligible([pool], np.array([last - 2.5]))
    assert 0 < np.log(at[2] / at[1]) < np.log(at[1] / before[0]) / 2.5
    assert at[0] < at[1]
