"""Curves and tasks of places that do not exist."""

import csv
import os

import numpy as np

from telemed_forecast.curves.series import Series

FAMILIES = ("radios", "kites", "looms")
PLACES = ("avalon", "cockaigne", "erewhon", "lilliput", "ruritania", "utopia", "zembla")


def grown(family, place, years=16):
    """Growth to a ceiling; every place at its own pace."""
    pace = 0.3 + 0.05 * PLACES.index(place) + 0.02 * FAMILIES.index(family)
    time = np.arange(years)
    return 90.0 / (1.0 + 50.0 * np.exp(-pace * time)) * (1.0 + 0.01 * np.sin(3.0 * time + len(family)))


def curve(family, place, *, series_id=None, geo=None):
    values = grown(family, place)
    name = series_id or f"{family}__{place}"
    place = {"technology": family, "geo": geo or place.title()}
    index = np.arange(1990, 1990 + len(values))
    return Series(name, "annual", index, values, "percent", "penetration", family, 100.0, **place)


def curves():
    return [curve(family, place) for family in FAMILIES for place in PLACES]


def task_rows(family, place, *, known=8, ahead=4):
    """Rows of a task as dicts of text."""
    values = grown(family, place)
    return [
        {
            "task_id": f"{family}__{place}@{known}",
            "part": "public",
            "family": family,
            "n": str(known),
            "year": str(1990 + k),
            "value": f"{values[k]:.6f}",
            "role": "history" if k < known else "future",
            "unit": "percent",
            "measure": "penetration",
        }
        for k in range(known + ahead)
    ]


def all_rows(known=8):
    return [row for family in FAMILIES for place in PLACES for row in task_rows(family, place, known=known)]


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_curves(path):
    rows = [
        {
            "series_id": one.series_id,
            "family": one.reference_class,
            "technology": one.technology,
            "geo": one.geo,
            "measure": "penetration",
            "unit": "percent",
            "year": str(year),
            "value": f"{value:.6f}",
        }
        for one in curves()
        for year, value in zip(one.index, one.values, strict=True)
    ]
    return write(path, rows)


def die(*inputs):
    """A forecaster that takes its process with it."""
    os._exit(3)
