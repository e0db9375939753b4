"""The model of a run as a workbook: live formulas over coloured inputs, and every number with interval and source.

What the market is made of (users x visits x price, medicine sales x their part sold online) is calculated in the
workbook from the medians of the run's draws. The median of a product is not the product of medians, so that each
product carries a calibrated factor, shown as a row of its own: untouched, the workbook gives the published medians.
Text is only ever written as text, whatever it begins with.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.names import LANGUAGES
from telemed_forecast.render import tables
from telemed_forecast.render.page import Page
from telemed_forecast.render.texts import catalogue

SHEETS = (
    *("Cover", "Summary", "Inputs", "Levers", "Workings", "Scenarios", "Sensitivity"),
    *("Players", "Outputs", "Evidence", "Sources", "Checks"),
)
Cells = dict[str, np.ndarray]

TOLERANCE = 0.001
"""Largest relative difference between what the workbook calculates untouched and the published medians."""

DRIVERS = (
    *("users_persons", "encounters_per_user", "price_CNY", "other_services_ratio"),
    *("medicine_CNY_million", "online_share_percent"),
)
"""Inputs by year, each with a flex: a change in percent for all years that the reader may set."""

SIZES = ("consultation_CNY_million", "services_CNY_million", "pharmacy_CNY_million", "healthcare_CNY_million")

_FORMULAS: Mapping[str, tuple[str, Callable[[Cells], np.ndarray]]] = {
    SIZES[0]: (
        "{users_persons}*{encounters_per_user}*{price_CNY}/1000000",
        lambda v: v["users_persons"] * v["encounters_per_user"] * v["price_CNY"] / 1e6,
    ),
    SIZES[1]: (
        "{consultation_CNY_million}*(1+{other_services_ratio})",
        lambda v: v["consultation_CNY_million"] * (1.0 + v["other_services_ratio"]),
    ),
    SIZES[2]: (
        "{medicine_CNY_million}*{online_share_percent}/100",
        lambda v: v["medicine_CNY_million"] * v["online_share_percent"] / 100.0,
    ),
    SIZES[3]: (
        "{services_CNY_million}+{pharmacy_CNY_million}",
        lambda v: v["services_CNY_million"] + v["pharmacy_CNY_million"],
    ),
}
"""What a size is made of, for the spreadsheet and for us; its calibrated factor comes on top."""

_TABLES = {
    "Levers": ("levers", "lever_effects", "lever_reasons"),
    "Scenarios": ("scenario_headlines", "scenario_parts"),
    "Sensitivity": ("market_drivers", "lever_tornado"),
    "Players": ("company_forecasts", "part_forecasts", "platform_profits", "seller_parts"),
    "Summary": ("key_figures",),
    "Evidence": ("market_evidence", "users_evidence", "hospitals_evidence", "estimates"),
}
"""Exhibits that stand on a sheet as they are, where the run has them."""

_PATTERNS = ("#,##0", "0.00", "0.000")
"""How numbers are written, large ones first. (One pattern with conditions would lose the sign in some spreadsheets.)"""

_HEAD = 62
"""Height of a row of headings, in points: they are in two languages, and not every spreadsheet fits it by itself."""

_FIRST, _YEARS = 4, 3
"""Row of the years on Inputs and Workings, and the column where they begin (from zero)."""


@dataclass(frozen=True)
class _Book:
    """An open workbook: its sheets and formats by name."""

    book: Any
    sheets: Mapping[str, Any]
    formats: Mapping[str, Any]

    def text(self, sheet: str, row: int, column: int, text: object, kind: str = "text") -> None:
        """Write text as text, also where it begins like a formula."""
        self.sheets[sheet].write_string(row, column, str(text), self.formats[kind])

    def cell(self, sheet: str, row: int, column: int, value: Any, kind: str = "number") -> None:
        """Write a number, a truth or a text; nothing where nothing is known."""
        if isinstance(value, bool | np.bool_):
            self.sheets[sheet].write_boolean(row, column, bool(value))
        elif isinstance(value, int | float | np.number):
            if np.isfinite(value):
                self.sheets[sheet].write_number(row, column, value, self._format(kind, value))
        elif value is not None and value is not pd.NaT:
            self.text(sheet, row, column, value)

    def formula(self, sheet: str, row: int, column: int, formula: str, value: Any, kind: str = "number") -> None:
        """Write a formula with the value that it has, for readers that do not calculate."""
        self.sheets[sheet].write_formula(row, column, f"={formula}", self._format(kind, value), value)

    def _format(self, kind: str, value: Any) -> Any:
        return self.formats[f"{kind}{_size(value)}" if f"{kind}0" in self.formats else kind]


def workbook(pages: Sequence[Page], *, run: str, status: str) -> bytes:
    """The workbook of a run.

    Parameters
    ----------
    pages
        The run's reports.
    run, status
        What the cover says of the run.

    Returns
    -------
    The same bytes for the same reports.
    """
    import xlsxwriter

    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True})
    made = next(filter(None, (page.made for page in pages)), {}).get("setting", {})
    day = str(made.get("as_of", "2000-01-01"))
    book.set_properties({"title": f"telemed-forecast {run}", "created": datetime.fromisoformat(day)})
    book.set_calc_mode("auto")
    opened = _Book(book, {name: book.add_worksheet(name) for name in SHEETS}, _formats(book))
    for name in SHEETS:
        opened.text(name, 0, 0, _both(f"workbook.{name}"), "title")
        opened.text(name, 1, 0, _both(f"workbook.{name}_note"), "note")
        opened.sheets[name].set_landscape()
        opened.sheets[name].set_paper(9)
        opened.sheets[name].fit_to_pages(1, 0)
        opened.sheets[name].set_column(0, 0, 60 if name == "Inputs" else 46)
        opened.sheets[name].set_column(1, 40, 15)
    found = _exhibits(pages)
    for sheet, names in _TABLES.items():
        row = {"Summary": 12, "Sensitivity": 8 + len(DRIVERS)}.get(sheet, 3)
        for name in names:
            if name in found:
                row = _table(opened, sheet, row, *found[name])
    _sources(opened, pages)
    checks = [*_model(opened, found), *_scenarios(opened, found)]
    _checks(opened, checks)
    _cover(opened, {"run": run, "status": status, **made})
    book.close()
    return written.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    top = {"valign": "top"}
    looks: dict[str, dict[str, Any]] = {
        "text": {"valign": "top"},
        "title": {"bold": True, "font_size": 15, "font_color": "#0b4a75"},
        "note": {"italic": True, "font_color": "#55606b"},
        "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
        "unit": {"font_color": "#55606b", "text_wrap": True, "valign": "top"},
        "year": {"bold": True, "bottom": 1, "num_format": "0"},
        "factor": {"num_format": "0.0000", "bg_color": "#e9ecef"},
        "percent": {"num_format": "0.0%"},
        "name": {"bold": True},
        "count": {"num_format": "0", "align": "left"},
        "check": {"bold": True, "bg_color": "#e3f4e3"},
    }
    numbers: dict[str, dict[str, Any]] = {
        "number": top,
        "input": {**top, "font_color": "#0000ff", "bg_color": "#fff9d6"},
        "result": {**top, "bold": True},
    }
    for name, look in numbers.items():
        looks[name] = look
        looks |= {f"{name}{size}": {**look, "num_format": pattern} for size, pattern in enumerate(_PATTERNS)}
    return {name: book.add_format(look) for name, look in looks.items()}


def _size(value: Any) -> int:
    """Which of `_PATTERNS` writes a number: by its size, its sign kept."""
    return 0 if value == 0 or abs(value) >= 1000 else 1 if abs(value) >= 1 else 2


def _both(key: str) -> str:
    """A text in both languages."""
    return " / ".join(dict.fromkeys(catalogue(lang).text(key) for lang in LANGUAGES))


def _exhibits(pages: Iterable[Page]) -> dict[str, tuple[pd.DataFrame, tables.Described]]:
    """Frames of the run by exhibit's name, with what the dictionary says of them; the first report wins."""
    found: dict[str, tuple[pd.DataFrame, tables.Described]] = {}
    for page in pages:
        told, prefix = tables.described(page), tables.file_name(page.report, "")[: -len(".csv")]
        for file, frame in tables.frames(page).items():
            found.setdefault(file[len(prefix) : -len(".csv")], (frame, told.get(file, tables.Described())))
    return found


def _table(opened: _Book, sheet: str, row: int, frame: pd.DataFrame, told: tables.Described) -> int:
    """An exhibit as it is, headings in both languages; the row behind it."""
    if told.title:
        opened.text(sheet, row, 0, told.title, "name")
    opened.sheets[sheet].set_row(row + 1, _HEAD)
    for column, name in enumerate(frame.columns):
        heads = [told.heading(name, lang) for lang in LANGUAGES]
        opened.text(sheet, row + 1, column, " / ".join(dict.fromkeys(filter(None, heads))) or name, "head")
        opened.text(sheet, row + 2, column, told.units.get(name, ""), "unit")
        for k, value in enumerate(frame[name]):
            opened.cell(sheet, row + 3 + k, column, value)
    return row + 5 + len(frame)


def _sources(opened: _Book, pages: Iterable[Page]) -> None:
    """Every source of every report, each row of the ledger once."""
    frames = [page.record["sources"].frame for page in pages if "sources" in page.record]
    if frames:
        rows = pd.concat(frames, ignore_index=True).drop_duplicates("claim_id").astype(object)
        _table(opened, "Sources", 3, rows.where(rows.notna(), None), tables.Described())


def _model(opened: _Book, found: Mapping[str, tuple[pd.DataFrame, tables.Described]]) -> list[tuple[str, str, bool]]:
    """Inputs, workings, outputs and summary of the market; their checks: words, formula and value."""
    if "market_workings" not in found:
        for sheet in ("Summary", "Inputs", "Workings", "Sensitivity", "Outputs"):
            opened.text(sheet, 3, 0, _both("workbook.absent"))
        return []
    frame, _ = found["market_workings"]
    values: Cells = {name: frame[name].to_numpy(float) for name in (*DRIVERS, *SIZES)}
    years = [int(year) for year in frame["year"]]
    factors = _factors(values)
    inputs, workings = _rows(opened, "Inputs", years), _rows(opened, "Workings", years)
    _inputs(opened, values, factors, inputs, len(years))
    _workings(opened, values, workings, inputs, len(years))
    _sensitivity(opened, values, factors, workings, inputs, len(years) - 1)
    _outputs(opened, frame, years, workings)
    _summary(opened, values, years, workings)
    return _market_checks(values, years, workings)


def _factors(values: Cells) -> Cells:
    """What makes each product of medians the published median."""
    return {size: values[size] / product(values) for size, (_, product) in _FORMULAS.items()}


def _rows(opened: _Book, sheet: str, years: Sequence[int]) -> dict[str, int]:
    """Write years and labels of Inputs or Workings; the row of each quantity, and of each factor."""
    opened.text(sheet, _FIRST, 0, _both("dictionary.year"), "head")
    opened.text(sheet, _FIRST, 1, _both("workbook.flex") if sheet == "Inputs" else "", "head")
    for k, year in enumerate(years):
        opened.cell(sheet, _FIRST, _YEARS + k, year, "year")
    names = [*DRIVERS, *(f"factor_{size}" for size in SIZES)] if sheet == "Inputs" else [*DRIVERS, *SIZES]
    for k, name in enumerate(names):
        own = name.removeprefix("factor_")
        label = _both(f"dictionary.{own}")
        label = f"{_both('workbook.factor')}: {label}" if own != name else label
        opened.text(sheet, _FIRST + 1 + k, 0, label)
    return {name: _FIRST + 1 + k for k, name in enumerate(names)}


def _at(row: int, column: int, sheet: str = "") -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return (f"{sheet}!" if sheet else "") + str(xl_rowcol_to_cell(row, column, row_abs=bool(sheet)))


def _across(sheet: str, row: int, count: int) -> str:
    """The cells of all years of a row."""
    from xlsxwriter.utility import xl_range_abs

    return f"{sheet}!{xl_range_abs(row, _YEARS, row, _YEARS + count - 1)}"


def _inputs(opened: _Book, values: Cells, factors: Cells, rows: Mapping[str, int], count: int) -> None:
    """The cells that a reader may change: each driver by year, and its flex for all years."""
    sheet = opened.sheets["Inputs"]
    for name in DRIVERS:
        opened.cell("Inputs", rows[name], 1, 0, "input")
        limits = {"validate": "decimal", "criteria": "between", "minimum": -95, "maximum": 500}
        sheet.data_validation(rows[name], 1, rows[name], 1, {**limits, "error_message": "-95 ... 500 %"})
        opened.book.define_name(f"flex_{name}", f"=Inputs!$B${rows[name] + 1}")
        opened.book.define_name(f"input_{name}", f"={_across('Inputs', rows[name], count)}")
        positive = {"validate": "decimal", "criteria": ">=", "value": 0}
        sheet.data_validation(rows[name], _YEARS, rows[name], _YEARS + count - 1, positive)
        for k in range(count):
            opened.cell("Inputs", rows[name], _YEARS + k, values[name][k], "input")
    for size in SIZES:
        for k in range(count):
            opened.cell("Inputs", rows[f"factor_{size}"], _YEARS + k, factors[size][k], "factor")
    sheet.freeze_panes(_FIRST + 1, _YEARS)


def _workings(opened: _Book, values: Cells, rows: Mapping[str, int], inputs: Mapping[str, int], count: int) -> None:
    """Each year's size from its drivers, as formulas."""
    for k in range(count):
        column = _YEARS + k
        cells = {name: _at(row, column) for name, row in rows.items()}
        for name in DRIVERS:
            flexed = f"{_at(inputs[name], column, 'Inputs')}*(1+flex_{name}/100)"
            opened.formula("Workings", rows[name], column, flexed, values[name][k])
        for size, (formula, _) in _FORMULAS.items():
            factor = _at(inputs[f"factor_{size}"], column, "Inputs")
            opened.formula(
                "Workings", rows[size], column, f"({formula.format(**cells)})*{factor}", values[size][k], "result"
            )
    after = max(rows.values()) + 2
    opened.text("Workings", after, 0, _both("workbook.growth"))
    broad, drawn = rows[SIZES[3]], values[SIZES[3]]
    for k in range(1, count):
        formula = f"{_at(broad, _YEARS + k)}/{_at(broad, _YEARS + k - 1)}-1"
        opened.formula("Workings", after, _YEARS + k, formula, drawn[k] / drawn[k - 1] - 1.0, "percent")
    opened.sheets["Workings"].freeze_panes(_FIRST + 1, _YEARS)


def _sensitivity(
    opened: _Book, values: Cells, factors: Cells, rows: Mapping[str, int], inputs: Mapping[str, int], year: int
) -> None:
    """The broad market in the last year when one driver is less or more by a step that the reader may set."""
    opened.text("Sensitivity", 3, 0, _both("workbook.step"))
    opened.cell("Sensitivity", 3, 1, 10, "input")
    limits = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 95}
    opened.sheets["Sensitivity"].data_validation(3, 1, 3, 1, {**limits, "error_message": "0 ... 95 %"})
    opened.book.define_name("sensitivity_step", "=Sensitivity!$B$4")
    for column, key in enumerate(("less", "more", "change_less", "change_more"), start=1):
        opened.text("Sensitivity", 5, column, _both(f"workbook.{key}"), "head")
    cells = {name: _at(rows[name], _YEARS + year, "Workings") for name in (*DRIVERS, SIZES[3])}
    calibrated = {size: _at(inputs[f"factor_{size}"], _YEARS + year, "Inputs") for size in SIZES}
    untouched = float(values[SIZES[3]][year])
    for row, driver in enumerate(DRIVERS, start=6):
        opened.text("Sensitivity", row, 0, _both(f"dictionary.{driver}"))
        for column, sign in ((1, -1), (2, 1)):
            flexed = {**cells, driver: f"({cells[driver]}*(1{sign:+d}*sensitivity_step/100))"}
            numbers = {name: values[name] * (1.0 + 0.1 * sign * (name == driver)) for name in DRIVERS}
            for size, (formula, product) in _FORMULAS.items():
                flexed[size] = f"(({formula.format(**flexed)})*{calibrated[size]})"
                numbers[size] = product(numbers) * factors[size]
            found = float(numbers[SIZES[3]][year])
            opened.formula("Sensitivity", row, column, flexed[SIZES[3]], found, "result")
            opened.formula(
                "Sensitivity",
                row,
                column + 2,
                f"{_at(row, column)}/{cells[SIZES[3]]}-1",
                found / untouched - 1,
                "percent",
            )


def _outputs(opened: _Book, frame: pd.DataFrame, years: Sequence[int], rows: Mapping[str, int]) -> None:
    """Sizes by year: what the workbook calculates, and the published median with its 80% interval."""
    heads = ("dictionary.year", *(f"workbook.{name}" for name in ("live", "published", "low", "high", "difference")))
    row = 3
    opened.sheets["Outputs"].set_row(row, _HEAD / 2)
    for column, key in enumerate(heads):
        opened.text("Outputs", row, column, _both(key), "head")
    for size in SIZES:
        row += 1
        opened.text("Outputs", row, 0, _both(f"dictionary.{size}"), "head")
        for k, year in enumerate(years):
            row += 1
            opened.cell("Outputs", row, 0, year, "count")
            middle, low, high = (float(frame[size + end].iloc[k]) for end in ("", "_low", "_high"))
            opened.formula("Outputs", row, 1, _at(rows[size], _YEARS + k, "Workings"), middle, "result")
            for column, value in enumerate((middle, low, high), start=2):
                opened.cell("Outputs", row, column, value)
            opened.formula("Outputs", row, 5, f"{_at(row, 1)}/{_at(row, 2)}-1", 0.0, "percent")


def _summary(opened: _Book, values: Cells, years: Sequence[int], rows: Mapping[str, int]) -> None:
    """The sizes at the last two ends of what is shown, and the growth a year between them."""
    first, last = max(0, len(years) - 6), len(years) - 1
    for column, text in enumerate((years[first], years[last]), start=1):
        opened.cell("Summary", 3, column, text, "year")
    opened.text("Summary", 3, 3, _both("workbook.growth_a_year"), "head")
    for k, size in enumerate(SIZES, start=4):
        opened.text("Summary", k, 0, _both(f"dictionary.{size}"))
        for column, year in enumerate((first, last), start=1):
            cell = _at(rows[size], _YEARS + year, "Workings")
            opened.formula("Summary", k, column, cell, values[size][year], "result")
        span = years[last] - years[first]
        growth = (values[size][last] / values[size][first]) ** (1.0 / span) - 1.0
        opened.formula("Summary", k, 3, f"({_at(k, 2)}/{_at(k, 1)})^(1/{span})-1", growth, "percent")
    opened.text("Summary", 9, 0, _both("workbook.master"))
    opened.formula("Summary", 9, 1, "master_check", "OK", "check")


def _market_checks(values: Cells, years: Sequence[int], rows: Mapping[str, int]) -> list[tuple[str, str, bool]]:
    """That sizes are nested, grow from their parts, and are, untouched, what was published."""
    areas = {size: _across("Workings", rows[size], len(years)) for size in SIZES}
    nested = f"SUMPRODUCT(--({areas[SIZES[1]]}<{areas[SIZES[0]]}))=0"
    broad = f"SUMPRODUCT(--({areas[SIZES[3]]}<{areas[SIZES[1]]}))=0"
    positive = f"MIN({','.join(areas.values())})>0"
    flat = [
        f"ABS({_at(rows[size], _YEARS + k, 'Workings')}/{float(value)!r}-1)<{TOLERANCE}"
        for size in SIZES
        for k, value in enumerate(values[size])
    ]
    return [
        ("workbook.check_nested", f"AND({nested},{broad})", True),
        ("workbook.check_positive", positive, True),
        ("workbook.check_published", f"AND({','.join(flat)})", True),
    ]


def _scenarios(
    opened: _Book, found: Mapping[str, tuple[pd.DataFrame, tables.Described]]
) -> list[tuple[str, str, bool]]:
    """The check of the scenarios' weights; the table stands on its sheet already."""
    if "scenario_headlines" not in found:
        opened.text("Scenarios", 3, 0, _both("workbook.absent"))
        return []
    frame, _ = found["scenario_headlines"]
    column = list(frame.columns).index("weight_probability")
    area = f"{_at(6, column, 'Scenarios')}:{_at(5 + len(frame), column)}"
    total = abs(float(frame["weight_probability"].sum()) - 1.0) < 1e-9
    return [("workbook.check_weights", f"ABS(SUM({area})-1)<0.000001", total)]


def _checks(opened: _Book, checks: Sequence[tuple[str, str, bool]]) -> None:
    """Every check, and the master check, which the summary and the cover repeat.

    That nothing was changed is no part of it: a reader is meant to change inputs.
    """
    opened.text("Checks", 3, 0, _both("workbook.master"), "head")
    cells = [_at(5 + k, 1) for k, (key, *_) in enumerate(checks) if key != "workbook.check_published"]
    formula = f'IF(AND({",".join(cells)}),"OK","CHECK")' if cells else '"OK"'
    opened.formula("Checks", 3, 1, formula, "OK" if all(good for *_, good in checks) else "CHECK", "check")
    opened.book.define_name("master_check", "=Checks!$B$4")
    for k, (key, test, good) in enumerate(checks):
        opened.text("Checks", 5 + k, 0, _both(key))
        opened.formula("Checks", 5 + k, 1, test, good, "check")


def _cover(opened: _Book, facts: Mapping[str, Any]) -> None:
    """What the run is, how colours are meant, and a way to each sheet."""
    for row, (name, fact) in enumerate(facts.items(), start=3):
        opened.text("Cover", row, 0, _both(f"workbook.{name}") if name in ("run", "status") else _both(f"page.{name}"))
        opened.text("Cover", row, 1, fact)
    row = 5 + len(facts)
    opened.text("Cover", row, 0, _both("workbook.master"))
    opened.formula("Cover", row, 1, "master_check", "OK", "check")
    opened.text("Cover", row + 1, 0, _both("workbook.colour_input"), "input")
    opened.text("Cover", row + 2, 0, _both("workbook.colour_factor"), "factor")
    opened.text("Cover", row + 3, 0, _both("workbook.colour_result"), "result")
    for k, name in enumerate(SHEETS[1:], start=row + 5):
        opened.sheets["Cover"].write_url(k, 0, f"internal:'{name}'!A1", string=_both(f"workbook.{name}"))
    opened.text("Cover", row + 6 + len(SHEETS), 0, _both("page.disclaimer"), "note")
