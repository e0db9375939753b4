"""The explorer: one page that stands alone, in which a reader moves the levers of a run.

It carries the draws that `exhibits.explorer` kept and projects them itself (`templates/explorer_model.js`), in both
languages. Nothing is fetched; the only script that may run is the page's own, named by its hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from telemed_forecast.exhibits import explorer as exhibit
from telemed_forecast.exhibits.exhibit import facts_json, records
from telemed_forecast.names import Language
from telemed_forecast.render.html import TEMPLATES, environment, script_hash, style_sheet
from telemed_forecast.render.page import Page
from telemed_forecast.render.texts import Catalogue, catalogue
from telemed_forecast.scenarios import COMPARED, LEVERS

DEFINITIONS = ("healthcare", "services", "consultation", "pharmacy")
"""Of the market, the widest first and what is goods alone last."""

_TEXTS = ("explorer", "lever", "lever_moves", "lever_reason", "definition", "scenario", "scenarios", "language")
_PAGE_TEXTS = ("page.index", "page.key_figures", "page.disclaimer", "page.status_directional")


def explorer(shown: Page, languages: Sequence[Language], run: str) -> str | None:
    """The page of a run.

    Parameters
    ----------
    shown
        The report whose record holds the draws, in any language.
    languages
        Those of the run; the page opens in the first.
    run
        What the run is called.

    Returns
    -------
    HTML; None when the report keeps no draws.
    """
    if exhibit.NAME not in shown.record:
        return None
    kept, texts = shown.record[exhibit.NAME], catalogue(languages[0])
    layers = {name: records(frame) for name, frame in kept.layers.items()}
    scenarios = [one["scenario"] for one in layers["scenarios"]]
    data = {
        "facts": facts_json(kept.facts),
        "columns": records(kept.frame),
        **layers,
        "scenario": shown.made.get("setting", {}).get("scenario", "base"),
        "definitions": list(DEFINITIONS),
        "languages": list(languages),
        "texts": {lang: _texts(catalogue(lang)) for lang in languages},
    }
    script = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("explorer_model.js", "explorer.js"))
    context: Mapping[str, Any] = {
        "t": texts,
        "style": style_sheet() + Markup((TEMPLATES / "explorer.css").read_text(encoding="utf-8")),  # noqa: S704
        "title": texts.text("explorer.title"),
        "description": texts.text("explorer.subtitle"),
        "run_name": run,
        "directional": shown.status == "directional",
        "languages": [
            (lang, *(catalogue(lang).text(f"language.{key}") for key in ("name", "code"))) for lang in languages
        ],
        "texts": data["texts"],
        "choices": [*scenarios, "own", "mixture"],
        "compared": COMPARED,
        "levers": list(LEVERS),
        "definitions": [(name, f"definition.{name}") for name in DEFINITIONS],
        "data": _json(data),
        "script": Markup(script),  # noqa: S704 (our own)
        "script_hash": script_hash(script),
    }
    return environment().get_template("explorer.html.j2").render(context)


def _named(texts: Catalogue) -> tuple[str, str]:
    """Name and code of a language."""
    return texts.text("language.name"), texts.text("language.code")


def _texts(texts: Catalogue) -> dict[str, str]:
    """What the page may say, by key."""
    return {key: text for key, text in texts.texts.items() if key.partition(".")[0] in _TEXTS or key in _PAGE_TEXTS}


def _json(data: Mapping[str, Any]) -> Markup:
    """JSON that can stand in a page: nothing in it ends its element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704
