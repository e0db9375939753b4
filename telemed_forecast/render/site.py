"""The list of all runs, newest first: `reports/index.html`. It works from a folder, without a server."""

from __future__ import annotations

from collections.abc import Sequence

from telemed_forecast.exhibits.values import Frozen, KeyFigure, Status
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.render.html import environment, style_sheet
from telemed_forecast.render.texts import Catalogue, catalogue
from telemed_forecast.render.views import Setting, Uncited, View, card, scenario_name


class ReportLink(Frozen):
    """One report of a run: its name and, by language, the page's path from the index."""

    report: str
    href: dict[Language, str]


class RunEntry(Frozen):
    """One run as the index shows it.

    Attributes
    ----------
    run_id : str
        Name of the run's folder.
    created : str
        When it was made, ISO (date, or date and time in UTC).
    as_of, vintage : str
        ISO days: what was known, and up to when the evidence reaches.
    scenario : str
        Scenario.
    status : {"gated-ok", "directional"}
        Whether all fits passed their gates.
    figures : tuple of KeyFigure
        Headline numbers with their intervals.
    reports : tuple of ReportLink
        Pages.
    files : tuple of (str, str)
        Data files: what they are called and their paths from the index.
    """

    run_id: str
    created: str
    as_of: str
    vintage: str
    scenario: str
    status: Status
    figures: tuple[KeyFigure, ...] = ()
    reports: tuple[ReportLink, ...] = ()
    files: tuple[tuple[str, str], ...] = ()


def index(runs: Sequence[RunEntry], lang: Language = "en", *, other: str | None = None) -> str:
    """The index page.

    Parameters
    ----------
    runs : sequence of RunEntry
        In any order; the newest is shown first.
    lang : {"en", "zh"}
        Language of the page; links lead to the reports in both.
    other : str, optional
        Link to the index in the other language.
    """
    texts = catalogue(lang)
    newest_first = sorted(runs, key=lambda run: (run.created, run.run_id), reverse=True)
    context = {
        "t": texts,
        "style": style_sheet(),
        "title": texts.text("site.title"),
        "description": texts.text("site.subtitle"),
        "other": other,
        "other_lang": "en" if lang == "zh" else "zh-Hans",
        "runs": [_run(run, texts) for run in newest_first],
    }
    return environment().get_template("index.html.j2").render(context)


def _run(run: RunEntry, texts: Catalogue) -> View:
    setting = Setting(texts=texts, citations=Uncited())
    cards = [{**card(figure, setting), "id": f"{run.run_id}-{figure.id}"} for figure in run.figures]
    status = "ok" if run.status == "gated-ok" else "directional"
    return {
        "id": run.run_id,
        "meta": [
            (texts.text("site.created"), texts.date(run.created)),
            (texts.text("page.as_of"), texts.date(run.as_of)),
            (texts.text("page.vintage"), texts.date(run.vintage)),
            (texts.text("page.scenario"), scenario_name(run.scenario, texts)),
            (texts.text("page.status"), texts.text(f"page.status_{status}")),
        ],
        "directional": status == "directional",
        "headline": {"kind": "key_figures", "cards": cards} if cards else None,
        "reports": [_report(link, texts) for link in run.reports],
        "files": run.files,
    }


def _report(link: ReportLink, texts: Catalogue) -> View:
    names = {lang: catalogue(lang).text("language.name") for lang in LANGUAGES}
    codes = {lang: catalogue(lang).text("language.code") for lang in LANGUAGES}
    links = [(names[lang], codes[lang], link.href[lang]) for lang in LANGUAGES if lang in link.href]
    return {"title": texts.text(f"report.{link.report}.title"), "links": links}
