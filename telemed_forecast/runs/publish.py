"""What a reader gets from executed notebooks: pages by language, CSV files, forecasts, and the list of runs.

Everything is a pure function of the executed notebooks, so nothing here is asked for by a notebook, and nothing is lost
when a page is made again.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.runs import manifest
from telemed_forecast.runs.plan import Run

if TYPE_CHECKING:
    from telemed_forecast.render.html import PageLinks
    from telemed_forecast.render.page import Page

FORECASTS = ("data/forecasts.csv", "data/forecasts.parquet")
WORKBOOK = "model.xlsx"
EXPLORER = "explorer.html"
EXPLORED = "executive_summary"
"""The report that keeps the explorer's draws."""
DATA = "data.zip"


def formats(*, pdf: bool, workbook: bool, explorer: bool) -> tuple[str, ...]:
    """What is made beside the pages, of what was asked for; says so when PDFs cannot be drawn on this system."""
    from telemed_forecast.render.pdf import missing

    if pdf and (why := missing()):
        print(why, file=sys.stderr)
        pdf = False
    asked = {"pdf": pdf, "workbook": workbook, "explorer": explorer}
    return tuple(name for name, wanted in asked.items() if wanted)


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the pages of a run say about it.

    Attributes
    ----------
    gates, key_figures : tuple of Mapping
        Plain JSON values, each with the notebook's name; they go into the manifest.
    """

    gates: tuple[Mapping[str, Any], ...] = ()
    key_figures: tuple[Mapping[str, Any], ...] = ()


class Publisher(Protocol):
    """Makes what a reader sees from executed notebooks."""

    def pages_of(self, run: Run, notebook: str) -> Mapping[str, Any]:
        """What a notebook's worker needs to draw its pages; empty when `run` makes them."""

    def run(self, run: Run, folder: Path) -> Published:
        """Write pages and data beside `folder`/notebooks/*.ipynb."""

    def index(self, manifests: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """Make the pages that list runs, by file name; one of them is `index.html`."""


class Pages:
    """The publisher that `report` uses: pages, data and index."""

    def pages_of(self, run: Run, notebook: str) -> Mapping[str, Any]:
        """What the worker of a notebook needs to draw its pages, as arguments of :func:`write_pages`."""
        return {
            "report": notebook,
            "languages": list(run.languages),
            "reports": list(run.settings),
            "formats": list(run.formats),
        }

    def run(self, run: Run, folder: Path) -> Published:
        """Write data beside `folder`/notebooks/*.ipynb, whose pages are drawn already.

        Raises
        ------
        TelemedError
            An executed notebook does not hold what a page needs.
        """
        from telemed_forecast.render import archive, explorer, notebook, pages, workbook

        try:
            shown = {name: notebook.read(folder / "notebooks" / f"{name}.ipynb") for name in run.settings}
        except InputError as error:  # the notebooks are ours, not the user's input
            raise TelemedError(str(error)) from error
        made = [pages.page(name, one, "en") for name, one in shown.items()]
        _write_data(made, folder / "data")
        (folder / DATA).write_bytes(archive.archive(made, folder / "data"))
        # Without the hash of the ledger: what was published later than the run's date changes no file.
        told = run.run_id.rpartition("-")[0]
        for page in made:
            if "explorer" in run.formats and (text := explorer.explorer(page, run.languages, told)):
                (folder / EXPLORER).write_text(text, encoding="utf-8")
        if "workbook" in run.formats:
            status = "directional" if any(page.status == "directional" for page in made) else "gated-ok"
            (folder / WORKBOOK).write_bytes(workbook.workbook(made, run=told, status=status))
        gates = [{"notebook": page.report, **fit} for page in made for fit in page.rows("gates")]
        figures = [{"notebook": page.report, **one.model_dump(mode="json")} for page in made for one in page.figures]
        return Published(gates=tuple(gates), key_figures=tuple(figures))

    def index(self, manifests: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """Make the list of runs (manifests, newest first) in every language, by file name."""
        from telemed_forecast.render import html, site

        files = (EXPLORER, WORKBOOK, DATA, *FORECASTS, manifest.NAME)
        return {html.page_name("index", lang): site.index(manifests, lang, files) for lang in LANGUAGES}


def write_pages(
    executed: str | Path,
    *,
    folder: str | Path,
    report: str,
    languages: Sequence[Language],
    reports: Sequence[str],
    formats: Sequence[str] = (),
) -> None:
    """Draw a report's pages from its executed notebook.

    Parameters
    ----------
    executed : str or Path
        The notebook.
    folder : str or Path
        Folder of the run, which takes the pages.
    report : str
        Name of the report.
    languages : sequence of str
        Languages of the run.
    reports : sequence of str
        All reports of the run, to link to.
    formats : sequence of str
        What is made beside the pages.
    """
    from telemed_forecast.render import html, notebook, pages
    from telemed_forecast.render.pdf import pdf, pdf_name

    shown, links = notebook.read(Path(executed)), partial(_links, languages, reports, formats=formats)
    for lang in languages:
        made = pages.parts(report, shown, lang)
        for page in made:
            text = html.page(page, lang, links(made, page, lang))
            (Path(folder) / html.page_name(page.file, lang)).write_text(text, encoding="utf-8")
            if "pdf" in formats:
                (Path(folder) / pdf_name(page.file, lang)).write_bytes(pdf(text, page, lang))


def _links(
    languages: Sequence[Language],
    reports: Sequence[str],
    made: "Sequence[Page]",
    page: "Page",
    lang: Language,
    formats: Sequence[str],
) -> "PageLinks":
    """Links of one of a report's pages (`made`) to its neighbours."""
    from telemed_forecast.render.html import PageLinks, page_name
    from telemed_forecast.render.pdf import pdf_name
    from telemed_forecast.render.texts import catalogue

    beside = {"pdf": pdf_name(page.file, lang), "workbook": WORKBOOK, "explorer": f"{EXPLORER}#lang={lang}"}
    there = [what for what in formats if what != "explorer" or EXPLORED in reports]
    files = {what: beside[what] for what in there} | {"archive": DATA}
    others = [other for other in languages if other != lang]
    neighbour = next((page_name(one.file, lang) for one in made if one.part != page.part), None)
    return PageLinks(
        index=f"../{page_name('index', lang)}",
        other=page_name(page.file, others[0]) if others else None,
        annex=None if page.part else neighbour,
        body=neighbour if page.part else None,
        notebook=f"notebooks/{page.report}.ipynb",
        manifest=manifest.NAME,
        forecasts=FORECASTS[0],
        data="data",
        reports=tuple((other, page_name(other, lang)) for other in reports if other != page.report),
        files=tuple((catalogue(lang).text(f"page.{what}"), href) for what, href in files.items()),
    )


def _write_data(made: "Sequence[Page]", folder: Path) -> None:
    """Write every exhibit's data, and the forecasts of all notebooks in one table."""
    from telemed_forecast.render import tables

    folder.mkdir()
    for page in made:
        for name, frame in tables.frames(page).items():
            if (folder / name).exists():
                raise TelemedError(f"two exhibits would be written to data/{name}")
            frame.to_csv(folder / name, index=False, lineterminator="\n")
    forecasts = tables.all_forecasts(made)
    if not forecasts.empty:
        forecasts.to_csv(folder.parent / FORECASTS[0], index=False, lineterminator="\n")
        forecasts.to_parquet(folder.parent / FORECASTS[1], index=False)
