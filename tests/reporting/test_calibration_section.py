"""The section on calibration: a verdict on each model, charts that show it, and no verdict that ranks do not bear."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from telemed_forecast.evaluation import calibration, calibration_record
from telemed_forecast.evaluation.calibration import Ranks
from telemed_forecast.evaluation.calibration_record import Record
from telemed_forecast.render.html import page
from telemed_forecast.render.texts import catalogue
from telemed_forecast.reporting.blocks import Chart, DataTable, Paragraph, TableBlock, Title
from telemed_forecast.reporting.content import calibration as section

pytestmark = pytest.mark.unit

NAMES = ("figures", "first_level", "last_level", "walk")


TODAY = date(2026, 11, 21)


def record(name, power=1.0, **changed):
    """A record of uniform ranks, but for the last quantity, whose ranks are raised to a power."""
    places = np.random.default_rng(5).uniform(size=(120, len(NAMES)))
    places[:, -1] **= power
    effort = {"short": {"tune": 250, "draws": 250}}
    fingerprint = calibration_record.fingerprint(calibration.spec(name))
    return replace(Record(Ranks(NAMES, places, 2, 7), TODAY.isoformat(), 1, fingerprint, effort, {}), **changed)


def two(**changed):
    """A record of two models, the second not calibrated; fields of the first changed."""
    return {"channel_share": record("channel_share", **changed), "market_size": record("market_size", power=3.0)}


def said(blocks):
    return {block.key: block.values for block in blocks if isinstance(block, Paragraph)}


def tables(blocks):
    return {block.id: block for block in blocks if isinstance(block, TableBlock)}


def test_calibrated_models_pass_and_the_others_are_named():
    blocks = section.blocks(TODAY, two())
    rows = {row[0]: row for row in tables(blocks)["calibration_verdicts"].rows}
    assert rows["@sbc.model.channel_share"][-1] == "@sbc.calibrated"
    assert rows["@sbc.model.market_size"][-1] == "@sbc.not_calibrated"
    assert rows["@sbc.model.market_size"][3] == "@sbc.quantity.walk"
    assert said(blocks)["sbc.some_failed"]["failed"] == 1 and "sbc.all_passed" not in said(blocks)


def drawn(chart):
    """Curves that leave the band somewhere, by series."""
    rows = [dict(zip(chart.data.columns, row, strict=True)) for row in chart.data.rows]
    band = {row["period"]: (row["low"], row["high"]) for row in rows if row["series"] == "@sbc.band"}
    out = [row for row in rows if not band[row["period"]][0] <= row["value"] <= band[row["period"]][1]]
    return {row["series"] for row in out}


def test_a_chart_shows_the_curve_that_leaves_the_band():
    charts = {block.id: block for block in section.blocks(TODAY, two()) if isinstance(block, Chart)}
    assert drawn(charts["calibration_market_size"]) == {"@sbc.quantity.walk"}
    assert drawn(charts["calibration_channel_share"]) == set()


def test_without_a_record_there_is_no_section():
    assert section.blocks(TODAY, {}) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_report_as_of_an_earlier_day_shows_nothing_of_a_later_check(lang):
    blocks = section.blocks(date(2026, 11, 20))
    assert [block.key for block in blocks] == ["sbc.heading", "sbc.later"]
    assert "@sbc" not in page([Title(report="track_record"), *blocks], lang)


def test_a_model_that_was_checked_on_later_figures_is_left_out_and_counted():
    blocks = section.blocks(TODAY, two(as_of="2026-11-22"))
    assert said(blocks)["sbc.some_later"] == {"later": 1, "models": 2}
    assert [row[0] for row in tables(blocks)["calibration_verdicts"].rows] == ["@sbc.model.market_size"]
    assert not any("channel_share" in str(block) for block in blocks)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_model_that_changed_since_is_named_as_such_and_never_as_passed(lang):
    blocks = section.blocks(TODAY, two(fingerprint="0" * 64))
    rows = {row[0]: row[-1] for row in tables(blocks)["calibration_verdicts"].rows}
    assert rows == {"@sbc.model.channel_share": "@sbc.stale", "@sbc.model.market_size": "@sbc.not_calibrated"}
    assert said(blocks)["sbc.some_stale"] == {"stale": 1, "models": 2}
    assert said(blocks)["sbc.some_failed"]["models"] == 1
    assert [block.id for block in blocks if isinstance(block, Chart)] == ["calibration_market_size"]
    [file] = [block for block in blocks if isinstance(block, DataTable)]
    assert {row[-1] for row in file.data.rows if row[0] == "@sbc.model.channel_share"} == {"@sbc.stale"}
    assert "@sbc" not in page([Title(report="track_record"), *blocks], lang)


def test_when_all_models_changed_since_none_is_said_to_pass():
    blocks = section.blocks(TODAY, {"channel_share": record("channel_share", fingerprint="0" * 64)})
    assert "sbc.all_stale" in said(blocks)
    assert not {"sbc.all_passed", "sbc.some_failed", "sbc.charts"} & set(said(blocks))


@pytest.mark.parametrize(("lang", "above"), [("en", "above"), ("zh", "上面")])
def test_the_section_does_not_lean_on_a_record_that_may_not_be_there(lang, above):
    assert not any(above in catalogue(lang).text(f"sbc.{key}", {"simulations": 200}) for key in ("what", "limits"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_quantity_on_record_has_a_name_in_both_languages(lang):
    shipped = section.blocks(TODAY)
    assert [block.id for block in shipped if isinstance(block, Chart)] == [
        f"calibration_{name}" for name in calibration.MODELS
    ]
    assert "@sbc" not in page([Title(report="track_record"), *shipped], lang)
    texts = catalogue(lang)
    for one in calibration_record.read().values():
        assert all(texts.text(f"sbc.quantity.{name}") for name in one.ranks.quantities)
