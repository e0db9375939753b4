"""The drawing of the user's own series stands alone and says what it shows."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from telemed_forecast import hub_format
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.curves.series import Series
from telemed_forecast.render.charts import small_multiples, style


def forecast(name="网上外卖 <users>", frequency="annual", start=2010, size=1e6, unit="persons"):
    series = Series(name, frequency, start + np.array([0, 1, 2, 4, 5]), size * np.arange(1.0, 6.0), unit)
    quantiles = 5 * size * np.exp(np.linspace(-1, 1, len(hub_format.QUANTILES)) * np.array([[0.1], [0.2], [0.4]]))
    return Forecast(series, quantiles, quantiles.mean(axis=1))


FORECASTS = [
    forecast(),
    forecast("quarters", "quarterly", 8079, 1.0, "percent"),
    forecast("months", "monthly", 24240, 1e-4, ""),
]


@pytest.mark.parametrize("shown", [FORECASTS, FORECASTS[:1]], ids=["several", "one"])
def test_a_drawing_names_its_series_units_and_bands(tmp_path, shown):
    small_multiples.draw(shown, tmp_path / "plot", ".svg")
    text = (tmp_path / "plot").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    written = "".join(root.itertext())
    for one in shown:
        assert one.series.series_id in written and one.series.unit in written
    assert all(band in written for band in ("50%", "80%", "95%"))
    assert root.get("role") == "img"


@pytest.mark.parametrize("name", ["tele_pct__national__enrolment_medicare_medicaid__by_quarter", "一" * 50])
def test_a_long_name_is_broken_and_no_part_of_it_is_lost(name):
    lines = small_multiples._name(name)
    assert len(lines) > 1 and "".join(lines) == name
    assert all(style.width_of(line) < 45 for line in lines)


def test_a_page_fetches_nothing_and_runs_nothing(tmp_path):
    small_multiples.draw(FORECASTS, tmp_path / "plot", ".html")
    text = (tmp_path / "plot").read_text(encoding="utf-8")
    assert not re.search(r'(href|src)="(?!#)', text) and "<script" not in text
    assert "&lt;users&gt;" in text and "<users>" not in text


def test_the_same_forecasts_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        small_multiples.draw(FORECASTS, tmp_path / name, ".png")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("fonts", "told"), [("", 1), ("Noto Sans CJK SC", 0)], ids=["no font", "a font"])
def test_chinese_names_without_a_chinese_font_are_warned_of(tmp_path, monkeypatch, fonts, told):
    asked = tmp_path / "fc-list"
    asked.write_text(f"#!/bin/sh\necho '{fonts}'\n")
    asked.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for suffix in (".png", ".svg"):
        remarks = small_multiples.draw(FORECASTS[:1], tmp_path / f"plot{suffix}", suffix)
        assert len(remarks) == told and all("no Chinese font" in one for one in remarks)
    assert small_multiples.draw(FORECASTS[1:], tmp_path / "plot.png", ".png") == []  # none of these has such a name
