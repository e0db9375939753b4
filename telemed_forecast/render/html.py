"""A report as one HTML page that stands alone: no script, no font, no style sheet, nothing fetched.

The page is a pure function of its blocks, the language and the links to its neighbours; the same input gives
the same bytes. It is laid out for a wide screen, a phone and paper, light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from telemed_forecast.render import grids
from telemed_forecast.render.charts.style import DARK, FONTS
from telemed_forecast.render.texts import Catalogue, catalogue
from telemed_forecast.render.views import Citations, PageError, Setting, Uncited, View, scenario_name, view
from telemed_forecast.reporting.atoms import Language
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    DataTable,
    ForecastTable,
    Gates,
    KeyFigures,
    Provenance,
    Sources,
    TableBlock,
    Title,
)

__all__ = ["PageError", "PageLinks", "environment", "fragment", "page", "style_sheet"]

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class PageLinks:
    """Relative links from a page to its neighbours; what is None or empty is not shown.

    Attributes
    ----------
    index : str or None
        The list of all runs.
    other : str or None
        The same report in the other language.
    notebook, manifest, forecasts : str or None
        The executed notebook, the run's manifest, the forecast quantiles (shown when the page has some).
    data : str or None
        Folder of the CSV files.
    reports : tuple of (str, str)
        The run's reports: report id and link.
    files : tuple of (str, str)
        Further files: what they are called and link.
    """

    index: str | None = None
    other: str | None = None
    notebook: str | None = None
    manifest: str | None = None
    forecasts: str | None = None
    data: str | None = None
    reports: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()


def page(
    blocks: Sequence[Block],
    lang: Language,
    *,
    links: PageLinks | None = None,
    texts: Catalogue | None = None,
) -> str:
    """The report's page.

    Parameters
    ----------
    blocks : sequence of Block
        In reading order; one `Title`, and `Sources` with a row for every claim that is cited.
    lang : {"en", "zh"}
        Language.
    links : PageLinks, optional
        Links to the page's neighbours.
    texts : Catalogue, optional
        Texts to use instead of the language's own.

    Raises
    ------
    PageError
        When the blocks have no title, an exhibit's id twice, or a claim without source.
    TextError
        When a text or a placeholder's value is missing.
    """
    links, texts = links or PageLinks(), texts or catalogue(lang)
    title = _title(blocks)
    _refuse_twice(blocks)
    citations = Citations(blocks, texts)
    failed = [fit.name for block in blocks if isinstance(block, Gates) for fit in block.fits if not fit.ok]
    setting = Setting(texts=texts, citations=citations, report=title.report, data=links.data, directional=bool(failed))
    sections = _sections(blocks, setting)
    context = {
        "t": texts,
        "style": style_sheet(),
        "links": links,
        "other_lang": "en" if lang == "zh" else "zh-Hans",
        "title": texts.text(f"report.{title.report}.title"),
        "description": texts.text(f"report.{title.report}.subtitle"),
        "meta": _meta(blocks, texts),
        "failed": texts.text("page.list_separator").join(grids.model_name(name, texts) for name in failed),
        "headline": next((view(block, setting) for block in blocks if isinstance(block, KeyFigures)), None),
        "sections": sections,
        "contents": _contents(sections),
        "files": _files(blocks, links, texts),
    }
    return environment().get_template("page.html.j2").render(context)


def fragment(block: Block, lang: Language) -> str:
    """One block as HTML for a notebook, without links and without the page's style."""
    texts = catalogue(lang)
    if isinstance(block, Title):
        shown: View = {
            "kind": "heading",
            "level": 1,
            "anchor": "top",
            "text": texts.text(f"report.{block.report}.title"),
        }
    else:
        shown = view(block, Setting(texts=texts, citations=Uncited(), both_forms=False))
    return environment().get_template("fragment.html.j2").render(view=shown, t=texts)


@lru_cache
def environment() -> Environment:
    """The templates; an undefined name is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@lru_cache
def style_sheet() -> Markup:
    """The style sheet of pages and index, with the colours of charts on a dark screen."""
    return Markup(environment().get_template("style.css").render(fonts=Markup(FONTS), dark=DARK.items()))  # noqa: S704


def _title(blocks: Sequence[Block]) -> Title:
    titles = [block for block in blocks if isinstance(block, Title)]
    if len(titles) != 1:
        raise PageError(f"a page has one Title, not {len(titles)}")
    return titles[0]


def _refuse_twice(blocks: Sequence[Block]) -> None:
    ids = [block.id for block in blocks if isinstance(block, Chart | TableBlock | DataTable)]
    ids += [item.id for block in blocks if isinstance(block, KeyFigures) for item in block.items]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise PageError(f"ids that occur twice: {', '.join(twice)}")


def _sections(blocks: Sequence[Block], setting: Setting) -> list[View]:
    """Views by section: the body, then the checks, the sources and how the numbers were made."""
    texts, records = setting.texts, (Gates, Sources, Provenance)
    first = next((block for block in blocks if isinstance(block, KeyFigures)), None)
    body = [b for b in blocks if b is not first and not isinstance(b, (*records, Title, ForecastTable))]
    figures, tables = iter(range(1, len(body) + 1)), iter(range(1, len(body) + 1))
    views: list[View] = []
    for block in body:
        number = ""
        if isinstance(block, Chart):
            number = texts.text("page.figure", {"number": next(figures)})
        elif isinstance(block, TableBlock):
            number = texts.text("page.table", {"number": next(tables)})
        views.append(view(block, setting, number=number))
    for name, kind in zip(("checks", "sources", "provenance"), records, strict=True):
        found = [view(block, setting) for block in blocks if isinstance(block, kind)]
        if found:
            views.append({"kind": "heading", "level": 2, "anchor": name, "text": texts.text(f"page.{name}")})
            views += found
    return _grouped(views)


def _grouped(views: Sequence[View]) -> list[View]:
    """Sections that start at each heading of level 2, with anchors that occur once."""
    sections: list[View] = []
    seen: dict[str, int] = {}
    for one in views:
        if one["kind"] == "heading":
            seen[one["anchor"]] = seen.get(one["anchor"], 0) + 1
            if seen[one["anchor"]] > 1:
                one["anchor"] += f"-{seen[one['anchor']]}"
        if not sections or (one["kind"] == "heading" and one["level"] == 2):
            sections.append({"anchor": one.get("anchor") if one["kind"] == "heading" else None, "views": []})
        sections[-1]["views"].append(one)
    return sections


def _contents(sections: Sequence[View]) -> list[View]:
    entries: list[View] = []
    for section in sections:
        for one in section["views"]:
            if one["kind"] == "heading" and one["level"] == 2:
                entries.append({**one, "parts": []})
            elif one["kind"] == "heading" and entries:
                entries[-1]["parts"].append(one)
    return entries


def _meta(blocks: Sequence[Block], texts: Catalogue) -> list[tuple[str, str]]:
    """What the header says: as-of date, evidence, scenario, status."""
    rows: list[tuple[str, str]] = []
    for block in blocks:
        if isinstance(block, Provenance):
            rows += [
                (texts.text("page.as_of"), texts.date(block.as_of)),
                (texts.text("page.vintage"), texts.date(block.vintage)),
                (texts.text("page.scenario"), scenario_name(block.scenario, texts)),
            ]
    gates = [block for block in blocks if isinstance(block, Gates)]
    status = "none" if not gates else "ok" if all(block.ok for block in gates) else "directional"
    return [*rows, (texts.text("page.status"), texts.text(f"page.status_{status}"))]


def _files(blocks: Sequence[Block], links: PageLinks, texts: Catalogue) -> list[tuple[str, str]]:
    forecasts = links.forecasts if any(isinstance(block, ForecastTable) for block in blocks) else None
    named = (("notebook", links.notebook), ("forecasts", forecasts), ("manifest", links.manifest))
    return [*((texts.text(f"page.{name}"), href) for name, href in named if href), *links.files]
