"""What a template is given: each piece of a page as written text and safe HTML, with its citations numbered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from telemed_forecast.errors import TelemedError
from telemed_forecast.exhibits.values import ANSWER, KeyFigure
from telemed_forecast.render import charts, grids
from telemed_forecast.render.page import Page, Piece, Prose, Section
from telemed_forecast.render.readable import Readable, Row
from telemed_forecast.render.tables import file_name
from telemed_forecast.render.texts import Catalogue

View = dict[str, Any]

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~&-])")


CITE = "\N{INTERLINEAR ANNOTATION SEPARATOR}"
"""Before and behind claim ids in a text: where their citations stand."""


class PageError(TelemedError, ValueError):
    """The pieces do not make a page; the message names every fault."""


@dataclass(frozen=True, kw_only=True)
class Citation:
    """A link to one source, or to the first of a run of sources ("2–4")."""

    text: str
    anchor: str
    label: str


class Citations:
    """Numbers of the sources on a page, in the order in which they are first cited.

    Rows of the ledger that name the same publication share a number.

    Raises
    ------
    PageError
        When a claim is cited whose row is not among the page's sources.
    """

    def __init__(self, page: Page, texts: Catalogue) -> None:
        self.texts = texts
        rows = {row["claim_id"]: row for row in page.rows("sources")}
        cited = list(dict.fromkeys(page.cited()))
        if unknown := [claim for claim in cited if claim not in rows]:
            raise PageError(f"claims cited without a row in the sources: {', '.join(unknown)}")
        self.rows: dict[tuple[str, ...], list[Row]] = {}
        for claim in [*cited, *(claim for claim in rows if claim not in cited)]:
            self.rows.setdefault(_publication(rows[claim]), []).append(rows[claim])
        order = list(self.rows)
        self.numbers = {claim: order.index(_publication(row)) + 1 for claim, row in rows.items()}

    def of(self, claims: Iterable[str]) -> list[Citation]:
        """Links for these claims, runs of three and more numbers drawn together."""
        numbers = sorted({self.numbers[claim] for claim in claims})
        links = []
        for first, last in _runs(numbers):
            text = str(first) if first == last else f"{first}–{last}"
            label = self.texts.text("page.source_label", {"number": text})
            links.append(Citation(text=text, anchor=f"source-{first}", label=label))
        return links


class Uncited:
    """Stands for `Citations` where an exhibit is shown alone, as in a notebook: nothing to link to."""

    def of(self, claims: Iterable[str]) -> list[Citation]:
        """No links."""
        return []


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a piece is written: the language's texts, the citations, the report, the data folder's link.

    On a directional page every exhibit carries the mark, because exhibits are copied without the page's top.
    """

    texts: Catalogue
    citations: Citations | Uncited
    report: str = ""
    data: str | None = None
    both_forms: bool = True
    directional: bool = False

    def csv(self, exhibit: str) -> str | None:
        """Link to an exhibit's CSV file."""
        return None if self.data is None else f"{self.data}/{file_name(self.report, exhibit)}"


def view(piece: Piece, setting: Setting) -> View:
    """The view of one piece."""
    if isinstance(piece, Section):
        return {"kind": "heading", "level": piece.level, "anchor": piece.anchor, "text": piece.text}
    if isinstance(piece, Prose):
        return _prose(piece, setting)
    shown = Readable(piece, setting.texts)
    return {
        "kind": shown.kind,
        "directional": setting.directional,
        "anchor": f"exhibit-{shown.name.replace('_', '-')}",
        "number": "",
        "title": shown.text("title"),
        "note": shown.note(),
        "citations": setting.citations.of(piece.cited),
        "csv": setting.csv(shown.name),
        **_content(shown, setting.both_forms),
    }


def _content(shown: Readable, both_forms: bool) -> View:
    """What is special to a chart or a table."""
    if shown.kind == "table":
        return {"table": grids.of_table(shown), "folded": shown.folded and both_forms}
    if shown.kind == "file":
        return {}
    forms = (charts.WIDE, charts.NARROW) if both_forms else (charts.WIDE,)
    drawn = [Markup(charts.svg(shown, form)) for form in forms]  # noqa: S704
    return {
        "finding": shown.finding,
        "wide": drawn[0],
        "narrow": drawn[1] if both_forms else "",
        "data": grids.of_chart(shown) if both_forms else [],
    }


def prose(text: str) -> Markup:
    """Markdown as HTML: no raw HTML, no images, headings below the page's own."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 4)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704 (html is off)


def escaped(text: str) -> str:
    """A value to be written into Markdown; a short one is kept on one line."""
    kept = text.replace(" ", "\N{NO-BREAK SPACE}") if len(text) <= 16 else text
    return _SPECIAL.sub(r"\\\1", kept)


def unescaped(text: str) -> str:
    """What `escaped` was given, for a place that is not Markdown."""
    return re.sub(r"\\(.)", r"\1", text).replace("\N{NO-BREAK SPACE}", " ")


def cards(figures: Sequence[KeyFigure], setting: Setting) -> View:
    """The key figures."""
    shown = [card(item, setting) for item in figures]
    return {"kind": "key_figures", "answer": answer(figures, setting), "cards": shown}


def answer(figures: Sequence[KeyFigure], setting: Setting) -> View | None:
    """The sentence that answers the question, where a figure's note is one."""
    for item in figures:
        if item.note_key == ANSWER:
            text = setting.texts.text(ANSWER, item.note_values)
            return {"text": text, "citations": setting.citations.of(item.sources)}
    return None


def card(item: KeyFigure, setting: Setting) -> View:
    """A key figure's card; the answer stands elsewhere."""
    texts = setting.texts
    noted = item.note_key not in (None, ANSWER)
    return {
        "id": item.id.replace("_", "-"),
        "label": texts.text(item.key, item.values),
        "number": texts.number(item.value),
        "noun": texts.noun(item.value.unit),
        "interval": texts.interval(item.value) if item.value.unit != "probability" or item.value.low else "",
        "period": texts.period(item.period),
        "note": texts.text(str(item.note_key), item.note_values) if noted else "",
        "directional": item.status == "directional",
        "citations": setting.citations.of(item.sources),
    }


def _prose(piece: Prose, setting: Setting) -> View:
    pieces = [Markup(part) for part in str(prose(piece.text)).split(CITE)]  # noqa: S704 (html is off)
    texts, cited = pieces[::2], [setting.citations.of(claims.split()) for claims in pieces[1::2]]
    return {"kind": "prose", "parts": list(zip(texts, [*cited, []], strict=True))}


def gates(page: Page, texts: Catalogue) -> View:
    """The checks of every fit."""
    return {"kind": "gates", "table": grids.of_gates(page.rows("gates"), texts)}


def sources(citations: Citations) -> View:
    """What is cited, each publication once."""
    rows = [{**rows[0], "claims": [row["claim_id"] for row in rows]} for rows in citations.rows.values()]
    return {"kind": "sources", "rows": rows}


def known(page: Page, texts: Catalogue) -> list[tuple[str, str]]:
    """What was known and assumed: days, and the scenario."""
    setting = page.made.get("setting")
    if setting is None:
        return []
    return [
        *((texts.text(f"page.{name}"), texts.date(setting[name])) for name in ("as_of", "vintage")),
        (texts.text("page.scenario"), scenario_name(setting["scenario"], texts)),
        *((texts.text(f"page.own_{name}"), str(setting[name])) for name in ("evidence",) if setting.get(name)),
    ]


def provenance(page: Page, texts: Catalogue) -> View:
    """How the numbers were made."""
    made = page.made
    rows = [
        *known(page, texts),
        *((texts.text(f"page.{name}"), str(made["setting"][name])) for name in ("seed", "profile")),
        (texts.text("page.parameters"), pairs(made.get("parameter", {}), " = ")),
        (texts.text("page.versions"), pairs(made["version"], " ")),
    ]
    return {"kind": "provenance", "rows": [(name, text) for name, text in rows if text]}


def scenario_name(scenario: str, texts: Catalogue) -> str:
    """A scenario's name in the language; the user's own keep theirs."""
    key = f"scenario.{scenario}"
    return texts.text(key) if key in texts.texts else scenario


def pairs(values: Mapping[str, Any], sign: str) -> str:
    """Names and values in one line."""
    return ", ".join(f"{name}{sign}{'""' if value == '' else value}" for name, value in sorted(values.items()))


def _publication(row: Row) -> tuple[str, ...]:
    return tuple(row[name] or "" for name in ("origin", "title", "url", "date", "grade"))


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of at least three consecutive numbers; others alone."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    spans = []
    for run in runs:
        spans += [(run[0], run[-1])] if len(run) > 2 else [(one, one) for one in run]
    return spans
