"""The workbook: every sheet, live formulas with cached values that are the published medians, text as text."""

import io
import shutil
import subprocess

import numpy as np
import openpyxl
import pandas as pd
import pytest

from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.render import workbook
from telemed_forecast.render.page import Page

YEARS = range(2019, 2031)
SOFFICE = shutil.which("soffice")


def workings():
    """Medians and ends of draws of what a market is made of; medians of products are not products of medians."""
    rng = np.random.default_rng(3)
    grow = 1.0 + 0.1 * np.arange(len(YEARS))

    def drawn(middle, spread):
        return middle * grow * np.exp(spread * rng.standard_normal((999, 1)))

    users, visits, price = drawn(2e8, 0.1), drawn(1.5, 0.4), drawn(35.0, 0.5)
    other, medicine, share = drawn(0.9, 0.3), drawn(2.4e6, 0.02), drawn(4.0, 0.3)
    consultation = users * visits * price / 1e6
    services, pharmacy = consultation * (1.0 + other), medicine * share / 100.0
    sizes = (consultation, services, pharmacy, services + pharmacy)
    draws = dict(zip(workbook.DRIVERS, (users, visits, price, other, medicine, share), strict=True))
    draws |= dict(zip(workbook.SIZES, sizes, strict=True))
    columns = {}
    for name, values in draws.items():
        low, middle, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
        columns |= {name: middle, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame({"year": list(YEARS)} | columns)


def page(title="=HYPERLINK(1)"):
    source = {"claim_id": "c-1", "origin": "@SUM(1)", "title": title, "url": "+1", "date": "-2", "grade": "A"}
    sources = Exhibit(name="sources", frame=pd.DataFrame([source]))
    return Page("market_size", [Exhibit(name="market_workings", frame=workings())], (), {"sources": sources})


@pytest.fixture(scope="module")
def made():
    return workbook.workbook([page()], run="2026-11-21-base-0123", status="gated-ok")


def opened(made, **options):
    return openpyxl.load_workbook(io.BytesIO(made), **options)


def medians(book):
    """The sizes of all years as the sheet of workings shows them, by name in the order of `SIZES`."""
    sheet, first = book["Workings"], 6 + len(workbook.DRIVERS)
    return np.array([[sheet.cell(first + k, 4 + y).value for y in range(len(YEARS))] for k in range(4)], dtype=float)


def test_every_sheet_is_there_whatever_the_run_holds(made):
    assert tuple(opened(made).sheetnames) == workbook.SHEETS
    bare = workbook.workbook([Page("user_adoption", [])], run="x", status="gated-ok")
    assert tuple(opened(bare).sheetnames) == workbook.SHEETS
    assert opened(bare, data_only=True)["Checks"]["B4"].value == "OK"


def test_the_cover_says_which_run_it_is(made):
    facts = {row[0].value: row[1].value for row in opened(made)["Cover"].iter_rows(min_row=4, max_row=6)}
    assert "2026-11-21-base-0123" in facts.values() and "gated-ok" in facts.values()


def test_one_driver_more_or_less_moves_the_broad_market_by_what_it_is_part_of(made):
    frame, sheet = workings().iloc[-1], opened(made, data_only=True)["Sensitivity"]
    found = {row[0].value: [cell.value for cell in row[1:5]] for row in sheet.iter_rows(min_row=7, max_row=12)}
    users, medicine = (next(v for name, v in found.items() if key in name) for key in ("users, at", "all medicine"))
    # The factor of the sum is all that keeps it from the sum of the parts.
    parts = frame["services_CNY_million"], frame["pharmacy_CNY_million"]
    for moved, part in ((users, parts[0]), (medicine, parts[1])):
        assert moved[3] == pytest.approx(0.1 * part / sum(parts), rel=1e-6)
        assert moved[0] == pytest.approx(frame["healthcare_CNY_million"] * (1.0 + moved[2]))
        assert moved[2] == pytest.approx(-moved[3])
    assert "sensitivity_step" in opened(made).defined_names


def test_every_formula_has_a_cached_value(made):
    formulas, values = opened(made), opened(made, data_only=True)
    found = [
        (sheet.title, cell.coordinate)
        for sheet in formulas
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert len(found) > 100
    assert [one for one in found if values[one[0]][one[1]].value is None] == []


def test_the_cached_sizes_are_the_published_medians(made):
    published = workings()[list(workbook.SIZES)].to_numpy().T
    np.testing.assert_allclose(medians(opened(made, data_only=True)), published, rtol=1e-9)  # ten digits, as in data/


def test_calibrated_factors_carry_the_whole_difference_between_medians_and_products(made):
    frame, sheet = workings(), opened(made, data_only=True)["Inputs"]
    users, visits, price = (frame[name].iloc[-1] for name in workbook.DRIVERS[:3])
    factor = sheet.cell(6 + len(workbook.DRIVERS), 3 + len(YEARS)).value
    assert users * visits * price / 1e6 * factor == pytest.approx(frame["consultation_CNY_million"].iloc[-1])
    assert factor != pytest.approx(1.0, abs=1e-4)


def test_text_from_outside_that_begins_like_a_formula_is_text(made):
    cells = {cell.value: cell.data_type for row in opened(made)["Sources"].iter_rows() for cell in row}
    assert {text: cells[text] for text in ("=HYPERLINK(1)", "@SUM(1)", "+1", "-2")} == dict.fromkeys(
        ("=HYPERLINK(1)", "@SUM(1)", "+1", "-2"), "s"
    )


def test_a_number_below_zero_shows_its_sign():
    lost = Exhibit(name="platform_profits", frame=pd.DataFrame({"company": ["x"], "profit": [-1692.2]}))
    book = workbook.workbook([Page("channel_share", [lost])], run="x", status="gated-ok")
    cells = [cell for row in opened(book)["Players"].iter_rows() for cell in row if cell.value == -1692.2]
    assert [cell.number_format for cell in cells] == ["#,##0"]


def test_inputs_are_named_and_validated(made):
    book = opened(made)
    assert {"flex_users_persons", "input_price_CNY", "master_check"} <= set(book.defined_names)
    assert len(book["Inputs"].data_validations.dataValidation) == 2 * len(workbook.DRIVERS)
    assert len(book["Sensitivity"].data_validations.dataValidation) == 1


def test_the_same_run_gives_the_same_bytes(made):
    assert workbook.workbook([page()], run="2026-11-21-base-0123", status="gated-ok") == made


def recalculated(folder, content):
    """A workbook as LibreOffice calculates it anew."""
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "model.xlsx").write_bytes(content)
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    command = [SOFFICE, profile, "--headless", "--convert-to", "ods", "--outdir", folder / "ods"]
    subprocess.run([*command, folder / "in" / "model.xlsx"], check=True, capture_output=True, timeout=240)
    command[command.index("ods")] = "xlsx"
    command[-1] = folder / "out"
    subprocess.run([*command, folder / "ods" / "model.ods"], check=True, capture_output=True, timeout=240)
    return openpyxl.load_workbook(folder / "out" / "model.xlsx", data_only=True)


@pytest.mark.slow
@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed")
def test_a_spreadsheet_calculates_the_published_medians_and_follows_a_changed_input(made, tmp_path):
    published = workings()[list(workbook.SIZES)].to_numpy().T
    # openpyxl keeps no cached values, so that every value read back was calculated.
    plain, changed = opened(made), opened(made)
    changed["Inputs"]["B6"] = 10  # a tenth more users in every year
    books = {}
    for name, book in {"plain": plain, "changed": changed}.items():
        book.save(tmp_path / f"{name}.xlsx")
        books[name] = recalculated(tmp_path / name, (tmp_path / f"{name}.xlsx").read_bytes())
    np.testing.assert_allclose(medians(books["plain"]), published, rtol=workbook.TOLERANCE)
    plain, cached = (
        [[cell.value for cell in row] for row in book["Sensitivity"]["B7:E12"]]
        for book in (books["plain"], opened(made, data_only=True))
    )
    np.testing.assert_allclose(plain, cached, rtol=1e-9)
    assert [books["plain"]["Checks"].cell(row, 2).value for row in (4, 6, 7, 8)] == ["OK", True, True, True]
    np.testing.assert_allclose(medians(books["changed"])[0], 1.1 * published[0], rtol=workbook.TOLERANCE)
    np.testing.assert_allclose(medians(books["changed"])[2], published[2], rtol=workbook.TOLERANCE)
    assert [books["changed"]["Checks"].cell(row, 2).value for row in (4, 8)] == ["OK", False]
