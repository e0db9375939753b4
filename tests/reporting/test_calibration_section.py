"""The section on calibration: a verdict on each model, charts that show it, and no verdict that ranks do not bear."""

import numpy as np
import pytest

from telemed_forecast.evaluation import calibration, calibration_record
from telemed_forecast.evaluation.calibration import Ranks
from telemed_forecast.evaluation.calibration_record import Record
from telemed_forecast.reporting.blocks import Chart, Paragraph, TableBlock, Title
from telemed_forecast.reporting.catalogue import catalogue
from telemed_forecast.reporting.content import calibration as section
from telemed_forecast.reporting.html import page

pytestmark = pytest.mark.unit

NAMES = ("figures", "first_level", "last_level", "walk")


def record(power=1.0):
    """A record of uniform ranks, but for the last quantity, whose ranks are raised to a power."""
    places = np.random.default_rng(5).uniform(size=(120, len(NAMES)))
    places[:, -1] **= power
    effort = {"short": {"tune": 250, "draws": 250}}
    return Record(Ranks(NAMES, places, 2, 7), "2026-11-21", 1, "0" * 64, effort, {})


def tables(blocks):
    return {block.id: block for block in blocks if isinstance(block, TableBlock)}


def test_calibrated_models_pass_and_the_others_are_named():
    blocks = section.blocks({"channel_share": record(), "market_size": record(power=3.0)})
    rows = {row[0]: row for row in tables(blocks)["calibration_verdicts"].rows}
    assert rows["@sbc.model.channel_share"][-1] == "@sbc.calibrated"
    assert rows["@sbc.model.market_size"][-1] == "@sbc.not_calibrated"
    assert rows["@sbc.model.market_size"][3] == "@sbc.quantity.walk"
    said = {block.key: block for block in blocks if isinstance(block, Paragraph)}
    assert said["sbc.some_failed"].values["failed"] == 1 and "sbc.all_passed" not in said


def drawn(chart):
    """Curves that leave the band somewhere, by series."""
    rows = [dict(zip(chart.data.columns, row, strict=True)) for row in chart.data.rows]
    band = {row["period"]: (row["low"], row["high"]) for row in rows if row["series"] == "@sbc.band"}
    out = [row for row in rows if not band[row["period"]][0] <= row["value"] <= band[row["period"]][1]]
    return {row["series"] for row in out}


def test_a_chart_shows_the_curve_that_leaves_the_band():
    charts = {
        block.id: block
        for block in section.blocks({"channel_share": record(), "market_size": record(power=3.0)})
        if isinstance(block, Chart)
    }
    assert drawn(charts["calibration_market_size"]) == {"@sbc.quantity.walk"}
    assert drawn(charts["calibration_channel_share"]) == set()


def test_without_a_record_there_is_no_section():
    assert section.blocks({}) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_quantity_on_record_has_a_name_in_both_languages(lang):
    shipped = section.blocks()
    assert [block.id for block in shipped if isinstance(block, Chart)] == [
        f"calibration_{name}" for name in calibration.MODELS
    ]
    assert "@sbc" not in page([Title(report="track_record"), *shipped], lang)
    texts = catalogue(lang)
    for one in calibration_record.read().values():
        assert all(texts.text(f"sbc.quantity.{name}") for name in one.ranks.quantities)
