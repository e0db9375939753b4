"""Pages: from executed notebooks to pages in two languages, data files and the list of runs."""

import json
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from telemed_forecast.errors import TelemedError
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import KeyFigure, Value
from telemed_forecast.render import notebook, pages
from telemed_forecast.render.pdf import missing
from telemed_forecast.runs import manifest, plan, publish
from telemed_forecast.runs.publish import Pages

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("small_pages")]


def shown(report, *, ok=True, year=2030):
    """What the notebook of a small report shows; texts are borrowed from the catalogue."""
    value = Value(value=5.1e8, unit="persons", low=4.6e8, high=5.6e8)
    figure = KeyFigure(id="users_2030", key="site.title", value=value, period="2030", sources=("claim-1",))
    forecast = {
        "reference_date": "2026-11-21",
        "target": "online_medical_users",
        "horizon": year - 2026,
        "target_end_date": f"{year}-12-31",
        "location": "CN",
        "output_type": "mean",
        "output_type_id": "",
        "value": 5.1e8,
        "scenario": "base",
        "model": "growth",
        "unit": "persons",
    }
    gate = {
        "name": report,
        "ok": ok,
        "rhat_max": 1.0,
        "ess_bulk_min": 900.0,
        "ess_tail_min": 800.0,
        "divergences": 0,
        "bfmi_min": 0.9,
        "draws": 1000,
        "chains": 4,
        "profile": "full",
    }
    source = {
        "claim_id": "claim-1",
        "origin": "CNNIC",
        "title": "55th report",
        "url": "https://example.org/55",
        "date": "2025-01-17",
        "grade": "A",
    }
    table = {"year": year, "online_medical_users": 5.1e8}
    frames = {"users_by_year": [table], "forecasts": [forecast], "gates": [gate], "sources": [source]}
    exhibits = [Exhibit(name=name, frame=pd.DataFrame(rows)) for name, rows in frames.items()]
    return [*exhibits, {"year": year}, {figure.id: figure}]


def write_executed(file, report, **options):
    outputs = [
        {"output_type": "display_data", "data": bundle, "metadata": {}}
        for one in shown(report, **options)
        for bundle in notebook._bundles(one)
    ]
    cell = {"cell_type": "code", "source": "show()", "execution_count": 1, "outputs": outputs, "metadata": {}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def run(project):
    project.put_notebook("executive_summary")
    [run] = plan.runs(plan.request(["executive_summary", "user_adoption"]), project)
    return run


@pytest.fixture
def folder(run, tmp_path):
    folder = tmp_path / "reports" / run.run_id
    write_executed(folder / "notebooks" / "executive_summary.ipynb", "executive_summary")
    write_executed(folder / "notebooks" / "user_adoption.ipynb", "user_adoption", ok=False)
    return folder


def draw(run, folder):
    """Draw the pages, as the workers of the notebooks do."""
    for name in run.settings:
        publish.write_pages(folder / "notebooks" / f"{name}.ipynb", folder=folder, **Pages().pages_of(run, name))


def test_every_notebook_becomes_a_page_in_each_language(run, folder):
    draw(run, folder)
    pages = {file.name for file in folder.glob("*.html")}
    assert pages == {
        *("executive_summary.html", "executive_summary.zh.html"),
        *("user_adoption.html", "user_adoption.zh.html"),
    }
    english = (folder / "user_adoption.html").read_text(encoding="utf-8")
    for link in ("user_adoption.zh.html", "../index.html", "executive_summary.html", "manifest.json"):
        assert f'href="{link}"' in english


def test_an_annex_is_a_page_of_its_own_and_its_data_keep_the_reports_name(run, folder):
    templates = [pages.PAGES / f"user_adoption_annex.{lang}.md" for lang in ("en", "zh")]
    for template in templates:
        template.write_text("## Method {#method}\n\nHow it was done.\n", encoding="utf-8")
    try:
        draw(run, folder)
        Pages().run(run, folder)
    finally:
        for template in templates:
            template.unlink()
    body, annex = ((folder / f"user_adoption{part}.html").read_text(encoding="utf-8") for part in ("", "_annex"))
    assert 'href="user_adoption_annex.html"' in body and 'href="user_adoption.html"' in annex
    assert 'href="user_adoption_annex.zh.html"' in annex
    assert 'id="checks"' in annex and 'id="checks"' not in body
    assert 'href="user_adoption_annex.html#checks"' in body, "the warning leads to the diagnostics"
    assert not [*(folder / "data").glob("user_adoption_annex*")]


def test_every_local_link_of_a_page_leads_somewhere(run, folder):
    import re

    draw(run, folder)
    published = Pages().run(run, folder)
    built = manifest.build(run, folder, gates=published.gates, key_figures=published.key_figures, seconds={})
    manifest.write(built, folder)
    for name, text in Pages().index([built]).items():
        (folder.parent / name).write_text(text, encoding="utf-8")
    for page in folder.parent.rglob("*.html"):
        for link in re.findall(r'href="([^"#:]+)[#"]', page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} -> {link}"


def test_formats_are_made_and_linked_as_asked(run, folder):
    asked = replace(run, formats=publish.formats(pdf=False, workbook=True, explorer=False))
    assert asked.formats == ("workbook",)
    draw(asked, folder)
    Pages().run(asked, folder)
    assert (folder / "model.xlsx").exists()
    assert not [*folder.glob("*.pdf")]
    english = (folder / "user_adoption.html").read_text(encoding="utf-8")
    assert 'href="model.xlsx"' in english
    assert ".pdf" not in english


def test_the_explorer_is_written_and_linked_from_every_report_and_the_index(run, folder, monkeypatch):
    monkeypatch.setattr(
        "telemed_forecast.render.explorer.explorer", lambda page, languages, told: f"{told} {page.report}"
    )
    asked = replace(run, formats=publish.formats(pdf=False, workbook=False, explorer=True))
    draw(asked, folder)
    published = Pages().run(asked, folder)
    assert (folder / "explorer.html").read_text(encoding="utf-8").startswith(run.run_id.rpartition("-")[0])
    for page, lang in (("user_adoption.html", "en"), ("executive_summary.zh.html", "zh")):
        assert f'href="explorer.html#lang={lang}"' in (folder / page).read_text(encoding="utf-8")
    built = manifest.build(asked, folder, gates=published.gates, key_figures=published.key_figures, seconds={})
    assert f'href="{run.run_id}/explorer.html"' in Pages().index([built])["index.html"]


def test_a_run_without_the_draws_has_no_explorer_and_no_link_to_one(run, folder):
    alone = replace(run, formats=("explorer",), settings={"user_adoption": run.settings["user_adoption"]})
    draw(alone, folder)
    Pages().run(alone, folder)
    assert not (folder / "explorer.html").exists()
    assert "explorer.html" not in (folder / "user_adoption.html").read_text(encoding="utf-8")


@pytest.mark.skipif(bool(missing()), reason="Pango is not installed")
def test_a_pdf_is_drawn_beside_each_page_and_linked(run, folder):
    asked = replace(run, formats=("pdf",))
    publish.write_pages(
        folder / "notebooks" / "user_adoption.ipynb", folder=folder, **Pages().pages_of(asked, "user_adoption")
    )
    for page in folder.glob("*.html"):
        assert f'href="{page.stem}.pdf"' in page.read_text(encoding="utf-8")
        assert (folder / f"{page.stem}.pdf").read_bytes().startswith(b"%PDF-")


def test_without_pango_the_other_formats_are_made_and_one_line_says_why(monkeypatch, capsys):
    monkeypatch.setattr("telemed_forecast.render.pdf.missing", lambda: "no Pango")
    assert publish.formats(pdf=True, workbook=True, explorer=False) == ("workbook",)
    assert capsys.readouterr().err == "no Pango\n"


def test_all_data_stand_in_one_zip_with_a_row_for_every_column(run, folder):
    Pages().run(run, folder)
    with zipfile.ZipFile(folder / "data.zip") as packed:
        names = set(packed.namelist())
        assert names == {f"data/{file.name}" for file in (folder / "data").iterdir()} | {"data/columns.csv"}
        assert packed.read("data/forecasts.csv") == b"\xef\xbb\xbf" + (folder / "data" / "forecasts.csv").read_bytes()
        columns = pd.read_csv(packed.open("data/columns.csv"), keep_default_na=False)
    for file in (folder / "data").glob("*.csv"):
        told = columns[columns["file"] == file.name]
        assert list(told["column"]) == list(pd.read_csv(file, nrows=0).columns)
    assert (columns[["meaning_en", "meaning_zh"]] != "").all(axis=None)


def test_forecasts_of_all_notebooks_stand_in_one_table_and_none_twice(run, folder):
    write_executed(folder / "notebooks" / "user_adoption.ipynb", "user_adoption", year=2031)
    Pages().run(run, folder)
    table = pd.read_csv(folder / "data" / "forecasts.csv")
    assert list(table["target_end_date"]) == ["2030-12-31", "2031-12-31"]
    pd.testing.assert_frame_equal(
        pd.read_parquet(folder / "data" / "forecasts.parquet")[["target", "value"]],
        table[["target", "value"]],
    )


def test_exhibits_are_written_as_csv_with_unix_line_ends(run, folder):
    Pages().run(run, folder)
    content = (folder / "data" / "user_adoption-key_figures.csv").read_bytes()
    assert b"users_2030" in content
    assert b"\r" not in content


def test_gates_and_key_figures_go_into_the_manifest_with_their_notebook(run, folder):
    published = Pages().run(run, folder)
    assert [(gate["notebook"], gate["ok"]) for gate in published.gates] == [
        ("executive_summary", True),
        ("user_adoption", False),
    ]
    assert {figure["notebook"] for figure in published.key_figures} == {"executive_summary", "user_adoption"}


def test_a_run_with_a_failed_gate_is_marked_in_the_index(run, folder):
    published = Pages().run(run, folder)
    built = manifest.build(run, folder, gates=published.gates, key_figures=published.key_figures, seconds={})
    pages = Pages().index([built])
    assert set(pages) == {"index.html", "index.zh.html"}
    assert run.run_id in pages["index.html"]
    passed = built | {"gates": [gate | {"ok": True} for gate in built["gates"]]}
    assert Pages().index([passed])["index.html"] != pages["index.html"]


def test_an_executed_notebook_with_a_broken_exhibit_is_not_the_users_fault(run, folder):
    file = folder / "notebooks" / "user_adoption.ipynb"
    file.write_text(file.read_text().replace('"layers"', '"players"'))
    with pytest.raises(TelemedError) as caught:
        Pages().run(run, folder)
    assert type(caught.value) is TelemedError
    assert "user_adoption.ipynb" in str(caught.value)


def test_equal_notebooks_give_equal_bytes(run, folder, tmp_path):
    import shutil

    other = tmp_path / "other"
    shutil.copytree(folder, other)
    for place in (folder, other):
        Pages().run(run, place)
    for path in manifest.outputs_in(folder):
        assert (folder / path).read_bytes() == (other / path).read_bytes(), path
