"""What a reader gets from executed notebooks: pages by language, CSV files, forecasts, and the list of runs.

This is the only place where the runs room meets the reporting room. Everything is a pure function of the
executed notebooks, so nothing here is asked for by a notebook, and nothing is lost when a page is made again.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.runs import manifest
from telemed_forecast.runs.plan import LANGUAGES, Language, Run
from telemed_forecast.runs.report import Published

if TYPE_CHECKING:
    from telemed_forecast.render.html import PageLinks
    from telemed_forecast.render.site import RunEntry
    from telemed_forecast.reporting.blocks import Block

FORECASTS = ("data/forecasts.csv", "data/forecasts.parquet")
# A reader who compares runs wants a handful of figures, not a table of them.
_INDEX_FIGURES = 6


class Pages:
    """The publisher that `report` uses: pages, data and index of the reporting room."""

    def run(self, run: Run, folder: Path) -> Published:
        """Write pages and data beside `folder`/notebooks/*.ipynb.

        Parameters
        ----------
        run : Run
        folder : Path

        Returns
        -------
        Published
            Gates and key figures of all notebooks.

        Raises
        ------
        TelemedError
            An executed notebook does not hold what a page needs.
        """
        from telemed_forecast.render import html, notebook, pages

        try:
            shown = {name: notebook.read(folder / "notebooks" / f"{name}.ipynb") for name in run.settings}
        except InputError as error:  # the notebooks are ours, not the user's input
            raise TelemedError(str(error)) from error
        blocks = {name: pages.blocks(name, one, "en") for name, one in shown.items()}
        _write_data(blocks, folder / "data")
        for lang in run.languages:
            for name, one in shown.items():
                text = html.page(pages.blocks(name, one, lang), lang, links=_links(run, name, lang))
                (folder / page_name(name, lang)).write_text(text, encoding="utf-8")
        return Published(gates=tuple(_gates(blocks)), key_figures=tuple(_key_figures(blocks)))

    def index(self, manifests: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """Make the list of runs in every language.

        Parameters
        ----------
        manifests : sequence of Mapping
            Newest first.

        Returns
        -------
        Mapping of str to str
            Pages by file name; `index.html` is the English one.
        """
        from telemed_forecast.render import site

        entries = [_entry(stated) for stated in manifests]
        others = dict(zip(LANGUAGES, reversed(LANGUAGES), strict=True))
        return {
            page_name("index", lang): site.index(entries, lang, other=page_name("index", others[lang]))
            for lang in LANGUAGES
        }


def page_name(name: str, lang: Language) -> str:
    """File name of a page: English pages have no mark."""
    return f"{name}.html" if lang == "en" else f"{name}.{lang}.html"


def _links(run: Run, name: str, lang: Language) -> "PageLinks":
    from telemed_forecast.render.html import PageLinks

    others = [other for other in run.languages if other != lang]
    return PageLinks(
        index=f"../{page_name('index', lang)}",
        other=page_name(name, others[0]) if others else None,
        notebook=f"notebooks/{name}.ipynb",
        manifest=manifest.NAME,
        forecasts=FORECASTS[0],
        data="data",
        reports=tuple((other, page_name(other, lang)) for other in run.settings if other != name),
    )


def _write_data(blocks: Mapping[str, "Sequence[Block]"], folder: Path) -> None:
    """Write every exhibit's data, and the forecasts of all notebooks in one table."""
    from telemed_forecast.render import tables

    folder.mkdir()
    for shown in blocks.values():
        for name, frame in tables.exhibits(shown).items():
            if (folder / name).exists():
                raise TelemedError(f"two exhibits would be written to data/{name}")
            frame.to_csv(folder / name, index=False, lineterminator="\n")
    forecasts = tables.all_forecasts(list(blocks.values()))
    if not forecasts.empty:
        forecasts.to_csv(folder.parent / FORECASTS[0], index=False, lineterminator="\n")
        forecasts.to_parquet(folder.parent / FORECASTS[1], index=False)


def _gates(blocks: Mapping[str, "Sequence[Block]"]) -> list[dict[str, Any]]:
    from telemed_forecast.reporting.blocks import Gates

    return [
        {"notebook": name, **fit.model_dump(mode="json")}
        for name, shown in blocks.items()
        for block in shown
        if isinstance(block, Gates)
        for fit in block.fits
    ]


def _key_figures(blocks: Mapping[str, "Sequence[Block]"]) -> list[dict[str, Any]]:
    from telemed_forecast.reporting.blocks import KeyFigures

    return [
        {"notebook": name, **item.model_dump(mode="json")}
        for name, shown in blocks.items()
        for block in shown
        if isinstance(block, KeyFigures)
        for item in block.items
    ]


def _entry(stated: Mapping[str, Any]) -> "RunEntry":
    """Make a run's entry of the index from its manifest alone."""
    from telemed_forecast.render.site import ReportLink, RunEntry
    from telemed_forecast.reporting.blocks import KeyFigure

    run_id = stated["run_id"]
    # Reading order: the summary's figures when there is a summary.
    first = next((figure["notebook"] for figure in stated["key_figures"]), None)
    figures = [
        KeyFigure.model_validate({name: value for name, value in figure.items() if name != "notebook"})
        for figure in stated["key_figures"]
        if figure["notebook"] == first
    ]
    reports = [
        ReportLink(
            report=name,
            href={lang: f"{run_id}/{page_name(name, lang)}" for lang in stated["languages"]},
        )
        for name in stated["notebooks"]
    ]
    files = [path for path in (*FORECASTS, manifest.NAME) if path in {*stated["outputs"], manifest.NAME}]
    return RunEntry(
        run_id=run_id,
        created=stated["volatile"]["created"],
        as_of=stated["as_of"],
        vintage=stated["vintage"],
        scenario=stated["scenario"],
        status="gated-ok" if all(gate["ok"] for gate in stated["gates"]) else "directional",
        figures=tuple(figures[:_INDEX_FIGURES]),
        reports=tuple(reports),
        files=tuple((Path(path).name, f"{run_id}/{path}") for path in files),
    )
