"""The section on calibration: a verdict on each model, charts that show it, and no verdict that ranks do not bear."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from telemed_forecast.evaluation import calibration, calibration_record
from telemed_forecast.evaluation.calibration import Ranks
from telemed_forecast.evaluation.calibration_record import Record
from telemed_forecast.evidence.citations import vintage_date
from telemed_forecast.exhibits import calibration as section
from telemed_forecast.render.html import fragment
from telemed_forecast.render.texts import catalogue

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


def verdicts(exhibits):
    return exhibits["calibration_verdicts"].frame.set_index("model")["verdict"].to_dict()


def test_calibrated_models_pass_and_the_others_are_named():
    exhibits, numbers = section.described(TODAY, two())
    assert verdicts(exhibits) == {"channel_share": "calibrated", "market_size": "not_calibrated"}
    assert exhibits["calibration_verdicts"].frame["most_surprising"].iloc[1] == "walk"
    assert (numbers["sbc_models"], numbers["sbc_failed"]) == (2, 1)


def drawn(chart):
    """Curves that leave the band somewhere, by series."""
    rows = chart.frame
    band = rows[rows["series"] == "band"].set_index("period")
    low, high = (rows["period"].map(band[end]) for end in ("low", "high"))
    return set(rows.loc[(rows["value"] < low) | (rows["value"] > high), "series"])


def test_a_chart_shows_the_curve_that_leaves_the_band():
    exhibits, _ = section.described(TODAY, two())
    assert drawn(exhibits["calibration_market_size"]) == {"walk"}
    assert drawn(exhibits["calibration_channel_share"]) == set()


def test_without_a_record_there_is_nothing_to_say():
    exhibits, numbers = section.described(TODAY, {})
    assert (exhibits, numbers["sbc_known"]) == ({}, 0)


def test_a_report_as_of_an_earlier_day_shows_nothing_of_a_later_check():
    exhibits, numbers = section.described(date(2026, 11, 20))
    assert exhibits == {}
    assert (numbers["sbc_known"], numbers["sbc_shown"]) == (len(calibration.MODELS), 0)


def test_a_model_that_was_checked_on_later_figures_is_left_out_and_counted():
    exhibits, numbers = section.described(TODAY, two(as_of="2026-11-22"))
    assert (numbers["sbc_later"], numbers["sbc_known"]) == (1, 2)
    assert verdicts(exhibits).keys() == {"market_size"}
    assert "calibration_channel_share" not in exhibits


def test_a_model_that_changed_since_is_named_as_such_and_never_as_passed():
    exhibits, numbers = section.described(TODAY, two(fingerprint="0" * 64))
    assert verdicts(exhibits) == {"channel_share": "stale", "market_size": "not_calibrated"}
    assert (numbers["sbc_stale"], numbers["sbc_shown"], numbers["sbc_models"]) == (1, 2, 1)
    assert "calibration_market_size" in exhibits and "calibration_channel_share" not in exhibits
    whole = exhibits["calibration_quantities"].frame
    assert set(whole.loc[whole["model"] == "channel_share", "verdict"]) == {"stale"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_quantity_on_record_has_a_name_in_both_languages(lang):
    shipped, _ = section.described(vintage_date())
    assert {f"calibration_{name}" for name in calibration.MODELS} <= shipped.keys()
    assert all("@sbc" not in fragment(exhibit, lang) for exhibit in shipped.values())
    texts = catalogue(lang)
    for one in calibration_record.read().values():
        assert all(texts.text(f"sbc.quantity.{name}") for name in one.ranks.quantities)
