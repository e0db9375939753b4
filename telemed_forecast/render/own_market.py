"""A market of the user's own as a report: a page in each language that stands alone, and its tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from telemed_forecast import files, hub_format
from telemed_forecast.curves import own_series, periods
from telemed_forecast.curves.own_market import Figure, Market
from telemed_forecast.curves.own_series import Forecast
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.render.charts import small_multiples
from telemed_forecast.render.html import environment, other_language, page_name, style_sheet
from telemed_forecast.render.tables import inert
from telemed_forecast.render.texts import Catalogue, catalogue

MODEL = "telemed_forecast_adoption"
"""What the forecasts are called in the column `model`."""

_DIGITS = 3


def write(market: Market, forecasts: Sequence[Forecast], folder: Path, title: str = "") -> list[Path]:
    """Write the report: ``index.html``, ``index.zh.html``, ``evidence.csv`` and ``forecasts.csv``.

    Parameters
    ----------
    market, forecasts
        What is known, and what is forecast from it, in the order of the page.
    folder
        Made where it is not there; files of these names are replaced.
    title
        Of the page, in the user's own words; a general one when empty.
    """
    rows = (row for one in forecasts for row in one.rows(MODEL))
    made = {page_name("index", lang): page(market, forecasts, lang, title) for lang in LANGUAGES}
    made["evidence.csv"] = _csv(map(asdict, market.figures), list(Figure.__dataclass_fields__))
    made["forecasts.csv"] = _csv(rows, own_series.COLUMNS)
    return [files.write(folder / name, text) for name, text in made.items()]


def page(market: Market, forecasts: Sequence[Forecast], lang: Language, title: str = "") -> str:
    """The report's page in one language."""
    texts = catalogue(lang)
    title = title or texts.text("own_market.title")
    known = [figure.known_date for figure in market.figures if figure.standing != "later"]
    words = (texts.text("own_market.drawing"), texts.text("own_market.drawing_alt"))
    # vl-convert and `style.finish` escape what they write.
    wide, narrow = (
        Markup(small_multiples.inline(forecasts[: small_multiples.MOST], *words, columns=columns))  # noqa: S704
        for columns in (3, 1)
    )
    context = {
        "t": texts,
        "style": style_sheet(),
        "title": title,
        "description": texts.text("own_market.subtitle"),
        "other": page_name("index", other_language(lang)),
        "other_lang": "en" if lang == "zh" else "zh-Hans",
        "known": texts.date(max(known)),
        "cards": [_card(one, texts) for one in forecasts],
        "wide": wide,
        "narrow": narrow,
        "forecasts": _forecast_table(forecasts, texts),
        "evidence": _evidence_table(market.figures, texts),
        "remarks": market.remarks,
    }
    return environment().get_template("own_market.html.j2").render(context)


def number(value: float) -> str:
    """A number with three digits that count, as it is written without its unit."""
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    place = _DIGITS - 1 - int(np.floor(np.log10(abs(value))))
    return f"{round(value, place):,.{max(place, 0)}f}"


def _levels(one: Forecast) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low and high end of the 80% interval and the median, by period."""
    low, median, high = (
        one.quantiles[:, int(np.flatnonzero(np.isclose(hub_format.QUANTILES, level))[0])] for level in (0.1, 0.5, 0.9)
    )
    return low, median, high


def _period(one: Forecast, ahead: int) -> str:
    return periods.label(int(one.series.index[-1]) + ahead + 1, one.series.frequency)


def _card(one: Forecast, texts: Catalogue) -> Mapping[str, str]:
    low, median, high = _levels(one)
    last = periods.label(int(one.series.index[-1]), one.series.frequency)
    return {
        "label": one.series.series_id,
        "number": number(median[-1]),
        "noun": one.series.unit.replace("_", " "),
        "interval": texts.text(
            "number.interval", {"level": texts.level(0.8), "range": f"{number(low[-1])}–{number(high[-1])}"}
        ),
        "period": _period(one, len(median) - 1),
        "note": texts.text("own_market.last_known", {"period": last, "value": number(one.series.values[-1])}),
    }


def _forecast_table(forecasts: Sequence[Forecast], texts: Catalogue) -> Mapping[str, Any]:
    rows = []
    for one in forecasts:
        for k, (low, median, high) in enumerate(zip(*_levels(one), strict=True)):
            cells = [one.series.series_id, _period(one, k), number(median), f"{number(low)}–{number(high)}"]
            rows.append(_cells([*cells, one.series.unit.replace("_", " ")], numeric=(2, 3)))
    columns = ("series", "period", "median", "interval", "unit")
    return {"heads": _heads(texts, columns, numeric=(2, 3)), "rows": rows}


def _evidence_table(figures: Sequence[Figure], texts: Catalogue) -> Mapping[str, Any]:
    rows = []
    for one in figures:
        words = texts.text(f"own_market.printed_{one.relation}", {"value": one.value})
        standing = texts.text(f"own_market.standing_{one.standing}")
        span = f"{one.low:g}–{one.high:g}"
        cells = [one.series_id, one.date, words, span, one.publisher, one.grade, one.known_date, standing]
        rows.append(_cells(cells, numeric=(2, 3, 6)))
    columns = ("series", "period", "printed", "leaves_open", "publisher", "grade", "known", "standing")
    return {"heads": _heads(texts, columns, numeric=(2, 3, 6)), "rows": rows}


def _heads(texts: Catalogue, names: Sequence[str], numeric: Sequence[int]) -> list[Mapping[str, Any]]:
    return [
        {"text": texts.text(f"own_market.column_{name}"), "unit": "", "numeric": k in numeric}
        for k, name in enumerate(names)
    ]


def _cells(texts: Sequence[str], numeric: Sequence[int]) -> list[Mapping[str, Any]]:
    return [{"text": text, "range": "", "numeric": k in numeric} for k, text in enumerate(texts)]


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    written = io.StringIO(newline="")
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows([inert(row[name]) for name in columns] for row in rows)
    return written.getvalue()
