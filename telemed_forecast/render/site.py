"""`reports/index.html`: the newest run's answer, and below it every run by date and scenario.

It works from a folder, without a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from telemed_forecast.exhibits.values import KeyFigure
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.render.html import environment, other_language, page_name, style_sheet
from telemed_forecast.render.texts import Catalogue, catalogue
from telemed_forecast.render.views import Setting, Uncited, View, cards, pairs, scenario_name

FIGURES = 6
"""Key figures that lead the index: a handful, not a table of them."""

SUMMARY = "executive_summary"
"""The report whose answer leads the index."""


def index(manifests: Sequence[Mapping[str, Any]], lang: Language = "en", files: Sequence[str] = ()) -> str:
    """The index page.

    Parameters
    ----------
    manifests
        What each run says of itself, in any order. The newest leads with its answer and key figures; all follow, newest
        first.
    lang : {"en", "zh"}
        Language of the page; links lead to the reports in both.
    files
        Paths in a run's folder to link to, where the run has them; the last is there always.
    """
    texts = catalogue(lang)
    newest_first = sorted(manifests, key=lambda run: (run["volatile"]["created"], run["run_id"]), reverse=True)
    context = {
        "t": texts,
        "style": style_sheet(),
        "title": texts.text("site.title"),
        "description": texts.text("site.subtitle"),
        "other": page_name("index", other_language(lang)),
        "other_lang": "en" if lang == "zh" else "zh-Hans",
        "lead": _lead(newest_first, texts),
        "runs": [_run(run, files, texts) for run in newest_first],
    }
    return environment().get_template("index.html.j2").render(context)


def _lead(runs: Sequence[Mapping[str, Any]], texts: Catalogue) -> View | None:
    """Answer and key figures of the newest run that has any."""
    for run in runs:
        figures = _figures(run)
        if figures:
            setting = Setting(texts=texts, citations=Uncited())
            names = [figure["notebook"] for figure in run["key_figures"]]
            name = SUMMARY if SUMMARY in names else names[0]
            return {
                "meta": [*_meta(run, texts), _status(run, texts)],
                "directional": not _passed(run),
                "headline": cards(figures, setting),
                "report": _report(run, name, texts),
            }
    return None


def _run(run: Mapping[str, Any], files: Sequence[str], texts: Catalogue) -> View:
    run_id, there = run["run_id"], {*run["outputs"], *files[-1:]}
    told = {"day": run["as_of"], "scenario": scenario_name(run["scenario"], texts)}
    return {
        "id": run_id,
        "title": texts.text("site.run", told),
        "meta": [
            *_meta(run, texts)[1:],
            *_told_apart(run, texts),
            _status(run, texts),
            (texts.text("site.id"), run_id),
        ],
        "directional": not _passed(run),
        "reports": [_report(run, name, texts) for name in run["notebooks"]],
        "files": [(PurePosixPath(path).name, f"{run_id}/{path}") for path in files if path in there],
    }


def _meta(run: Mapping[str, Any], texts: Catalogue) -> list[tuple[str, str]]:
    return [
        (texts.text("page.as_of"), texts.date(run["as_of"])),
        (texts.text("site.created"), texts.date(run["volatile"]["created"])),
        (texts.text("page.vintage"), texts.date(run["vintage"])),
        (texts.text("page.scenario"), scenario_name(run["scenario"], texts)),
    ]


def _status(run: Mapping[str, Any], texts: Catalogue) -> tuple[str, str]:
    return texts.text("page.status"), texts.text(f"page.status_{'ok' if _passed(run) else 'directional'}")


def _passed(run: Mapping[str, Any]) -> bool:
    return all(gate["ok"] for gate in run["gates"])


def _figures(run: Mapping[str, Any]) -> list[KeyFigure]:
    """The figures of the summary, or of the first notebook that has any."""
    stated = sorted(run["key_figures"], key=lambda figure: figure["notebook"] != SUMMARY)
    own = [figure for figure in stated if figure["notebook"] == stated[0]["notebook"]][:FIGURES]
    return [KeyFigure.of(figure) for figure in own]


def _told_apart(run: Mapping[str, Any], texts: Catalogue) -> list[tuple[str, str]]:
    """What else tells runs of one date and scenario apart."""
    values = {name: value for own in run["parameters"].values() for name, value in own.items()}
    chosen = {name: values[name] for name in ("horizon", "currency", "prices") if name in values}
    return [
        (texts.text("page.profile"), run["profile"]),
        *([(texts.text("page.own_evidence"), run["evidence"])] if run.get("evidence") else []),
        (texts.text("page.parameters"), pairs(chosen, " = ")),
    ]


def _report(run: Mapping[str, Any], name: str, texts: Catalogue) -> View:
    words = {lang: catalogue(lang) for lang in LANGUAGES if lang in run["languages"]}
    links = [
        (own.text("language.name"), own.text("language.code"), f"{run['run_id']}/{page_name(name, lang)}")
        for lang, own in words.items()
    ]
    return {"title": texts.text(f"report.{name}.title"), "links": links}
