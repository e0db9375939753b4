"""The files beside a page hold its numbers, in a fixed order, with units, and the same bytes each time."""

import made_up_page
import pytest

from telemed_forecast.render import tables

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def frames():
    return tables.frames(made_up_page.page(made_up_page.file()))


def test_every_exhibit_has_a_file(frames):
    assert list(frames) == [
        f"user_adoption-{name}.csv"
        for name in (
            "key_figures",
            "users_path",
            "users_by_year",
            "users_parts",
            "lever_tornado",
            "shares_by_measure",
            "channel_odds_chart",
            "users_track",
            "counter_offsets",
            "hospitals_by_province",
            "influence",
            "sources",
            "gates",
        )
    ]


def test_a_figures_data_state_their_unit(frames):
    frame = frames["user_adoption-users_path.csv"]
    bands = frame[frame["layer"] == "bands"]
    assert set(frame["unit"]) == {"persons"}
    assert bands["period"].iloc[-1] == "2030-12-31"


def test_a_charts_file_holds_its_bands_points_and_lines_together(frames):
    frame, drawn = frames["user_adoption-users_path.csv"], made_up_page.fan()
    layers = {"bands": drawn.frame, **drawn.layers}
    for layer, rows in layers.items():
        held = frame[frame["layer"] == layer]
        assert len(held) == len(rows)
        numbers = rows.select_dtypes("number")
        assert held[list(numbers)].to_numpy(float) == pytest.approx(numbers.to_numpy(float), rel=1e-9)
    assert "layer" not in frames["user_adoption-shares_by_measure.csv"]  # one layer needs no name


def test_labels_are_words_not_keys(frames):
    frame = frames["user_adoption-users_path.csv"]
    assert set(frame.loc[frame["layer"] == "lines", "series"]) == {
        "Prophet's median, for comparison",
        "without the waves",
    }


def test_the_file_of_a_long_table_holds_every_row_with_its_keys_written_out(frames):
    frame = frames["user_adoption-influence.csv"]
    assert frame["claim_id"].tolist() == ["a-1", "a-2"]
    assert frame["topic"].tolist() == ["Data", "plain"]


def test_a_tables_columns_name_their_units_and_ends(frames):
    columns = list(frames["user_adoption-users_by_year.csv"].columns)
    assert columns == [
        "year",
        "online_medical_users_persons",
        "online_medical_users_persons_low",
        "online_medical_users_persons_high",
        "learned_percent",
        "learned_percent_low",
        "learned_percent_high",
        "source",
    ]


def test_numbers_keep_ten_digits_and_the_same_bytes(frames):
    again = tables.frames(made_up_page.page(made_up_page.file()))
    for name, frame in frames.items():
        assert frame.to_csv(index=False) == again[name].to_csv(index=False)
    assert all(
        len(f"{x:.15g}".replace(".", "").strip("0")) <= 10 for x in frames["user_adoption-users_path.csv"]["median"]
    )


def test_forecasts_are_in_hub_format():
    rows = tables.forecast_rows(made_up_page.page())
    assert list(rows.columns[:8]) == [
        "reference_date",
        "target",
        "horizon",
        "target_end_date",
        "location",
        "output_type",
        "output_type_id",
        "value",
    ]
    assert len(rows) == 6
    assert tables.forecast_rows(made_up_page.page(record={})).empty


def test_every_table_of_a_directional_page_carries_the_mark():
    passed, failed = (tables.frames(made_up_page.page(ok=ok)) for ok in (True, False))
    assert passed.keys() == failed.keys()
    for name, frame in failed.items():
        if name.endswith(("-sources.csv", "-gates.csv", "-key_figures.csv")):
            assert list(frame.columns) == list(passed[name].columns)
        else:
            assert list(frame.columns) == [*passed[name].columns, "status"]
            assert set(frame["status"]) == {"directional"}


def test_key_figures_always_have_a_status(frames):
    assert set(frames["user_adoption-key_figures.csv"]["status"]) <= {"gated-ok", "directional"}


def test_forecasts_have_a_status_only_when_a_page_is_directional():
    passed, failed = made_up_page.page(), made_up_page.page(ok=False)
    assert "status" not in tables.all_forecasts([passed, passed])
    assert set(tables.all_forecasts([failed])["status"]) == {"directional"}


def test_a_forecast_that_a_page_with_good_fits_shows_too_stands_once_and_is_not_directional():
    summary, own = made_up_page.page(ok=False), made_up_page.page()
    rows = tables.all_forecasts([summary, own])
    assert len(rows) == len(tables.all_forecasts([own]))
    assert "status" not in rows


def test_forecasts_of_no_page_are_an_empty_table():
    assert tables.all_forecasts([]).empty
