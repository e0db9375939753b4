"""A report as one HTML page that stands alone: no font, no style sheet, nothing fetched, one small script of its own.

The page is a pure function of its pieces, the language and the links to its neighbours; the same input gives
the same bytes. It is laid out for a wide screen, a phone and paper, light and dark.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import KeyFigure
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.render import grids, views
from telemed_forecast.render.charts.style import DARK, FONTS
from telemed_forecast.render.page import Page
from telemed_forecast.render.texts import Catalogue, catalogue
from telemed_forecast.render.views import Citations, PageError, Setting, Uncited, View

TEMPLATES = Path(__file__).parent / "templates"


def page_name(name: str, lang: Language) -> str:
    """File name of a page: English pages have no mark."""
    return f"{name}.html" if lang == "en" else f"{name}.{lang}.html"


def other_language(lang: Language) -> Language:
    """The one to which a page links."""
    return next(other for other in LANGUAGES if other != lang)


@dataclass(frozen=True, kw_only=True)
class PageLinks:
    """Relative links from a page to its neighbours; what is None or empty is not shown.

    Attributes
    ----------
    index : str or None
        The list of all runs.
    other : str or None
        The same report in the other language.
    annex, body : str or None
        The report's annex, on its body; and the other way.
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
    annex: str | None = None
    body: str | None = None
    notebook: str | None = None
    manifest: str | None = None
    forecasts: str | None = None
    data: str | None = None
    reports: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()


def page(shown: Page, lang: Language, links: PageLinks | None = None) -> str:
    """The report's page.

    Parameters
    ----------
    shown
        What stands on it, in the language; a source for every claim that is cited.
    lang : {"en", "zh"}
        Language.
    links
        Links to the page's neighbours.

    Raises
    ------
    PageError
        When an exhibit stands on it twice, or a claim has no source.
    TextError
        When a text or a placeholder's value is missing.
    """
    links, texts = links or PageLinks(), catalogue(lang)
    names = [exhibit.name for exhibit in shown.exhibits]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PageError(f"exhibits that stand on the page twice: {', '.join(twice)}")
    failed = [fit["name"] for fit in shown.rows("gates") if not fit["ok"]]
    citations = Citations(shown, texts)
    setting = Setting(texts=texts, citations=citations, report=shown.report, data=links.data, directional=bool(failed))
    sections = _sections(shown, setting, citations)
    status = "none" if "gates" not in shown.record else "directional" if failed else "ok"
    context = {
        "t": texts,
        "style": style_sheet(),
        "script": script(),
        "script_hash": script_hash(script()),
        "links": links,
        "other_lang": "en" if lang == "zh" else "zh-Hans",
        "title": _title(shown, texts),
        "description": texts.text(f"report.{shown.report}.subtitle"),
        "meta": [*views.known(shown, texts), (texts.text("page.status"), texts.text(f"page.status_{status}"))],
        "failed": texts.text("page.list_separator").join(grids.model_name(name, texts) for name in failed),
        "headline": views.cards(shown.figures, setting) if shown.figures else None,
        "sections": sections,
        "contents": _contents(sections),
        "files": _files(shown, links, texts),
    }
    return environment().get_template("page.html.j2").render(context)


def _title(shown: Page, texts: Catalogue) -> str:
    title = texts.text(f"report.{shown.report}.title")
    return texts.text(f"page.{shown.part}_title", {"title": title}) if shown.part else title


def fragment(shown: Exhibit | Sequence[KeyFigure], lang: Language) -> str:
    """An exhibit, or key figures, as HTML for a notebook, without links and without the page's style."""
    setting = Setting(texts=catalogue(lang), citations=Uncited(), both_forms=False)
    one = views.view(shown, setting) if isinstance(shown, Exhibit) else views.cards(shown, setting)
    return environment().get_template("fragment.html.j2").render(view=one, t=setting.texts)


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


@lru_cache
def script() -> Markup:
    """The script of pages: without it they show the same, and charts tell no values where a reader points."""
    return Markup((TEMPLATES / "script.js").read_text(encoding="utf-8"))  # noqa: S704


@lru_cache
def script_hash(text: str) -> str:
    """The one script that a page's policy lets run, as the browser sees it: between its tags, line ends included."""
    return base64.b64encode(hashlib.sha256(f"\n{text}\n".encode()).digest()).decode()


def _sections(shown: Page, setting: Setting, citations: Citations) -> list[View]:
    """Views by section: the body, then the checks, the sources and how the numbers were made."""
    texts, body = setting.texts, [views.view(piece, setting) for piece in shown.pieces]
    series = "A" if shown.part else ""
    for kind, name in (("chart", "figure"), ("table", "table")):
        for number, one in enumerate((one for one in body if one["kind"] == kind), start=1):
            one["number"] = texts.text(f"page.{name}", {"number": f"{series}{number}"})
    ends = {
        "gates": ("checks", lambda: views.gates(shown, texts)),
        "sources": ("sources", lambda: views.sources(citations)),
        "provenance": ("provenance", lambda: views.provenance(shown, texts)),
    }
    for name, (anchor, end) in ends.items():
        if name in shown.record and name in shown.ends:
            body.append({"kind": "heading", "level": 2, "anchor": anchor, "text": texts.text(f"page.{anchor}")})
            body.append(end())
    return _grouped(body)


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


def _files(shown: Page, links: PageLinks, texts: Catalogue) -> list[tuple[str, str]]:
    forecasts = links.forecasts if "forecasts" in shown.record else None
    named = (("notebook", links.notebook), ("forecasts", forecasts), ("manifest", links.manifest))
    return [*((texts.text(f"page.{name}"), href) for name, href in named if href), *links.files]
