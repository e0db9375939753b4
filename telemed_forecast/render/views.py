"""What a template is given: each block as written text and safe HTML, with its citations numbered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from telemed_forecast.errors import TelemedError
from telemed_forecast.render import charts, grids
from telemed_forecast.render.tables import exhibit_name
from telemed_forecast.render.texts import Catalogue
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    DataTable,
    ForecastTable,
    Gates,
    Heading,
    KeyFigure,
    KeyFigures,
    Markdown,
    Paragraph,
    Provenance,
    SourceRow,
    Sources,
    TableBlock,
)

View = dict[str, Any]

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_LAST_TAGS = re.compile(r"(</li>\s*</[uo]l>|</p>)\s*$")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~&-])")


CITE = "\N{INTERLINEAR ANNOTATION SEPARATOR}"
"""Before and behind claim ids in a text: where their citations stand."""


class Section(Block):
    """A heading in the page's language, with an anchor that is the same in every language."""

    level: int
    text: str
    anchor: str


class Prose(Block):
    """Markdown in the page's language, with marks where published figures are cited (`CITE`)."""

    text: str
    sources: tuple[str, ...] = ()

    def claims(self) -> tuple[str, ...]:
        """Claim ids that the text cites."""
        return self.sources


class PageError(TelemedError, ValueError):
    """The blocks do not make a page; the message names every fault."""


@dataclass(frozen=True, kw_only=True)
class Citation:
    """A link to one source, or to the first of a run of sources ("2–4")."""

    text: str
    anchor: str
    label: str


class Citations:
    """Numbers of the sources on a page, in the order in which they are first cited.

    Rows of the ledger that name the same publication share a number.

    Parameters
    ----------
    blocks : sequence of Block
        The page's blocks.
    texts : Catalogue
        Texts of the language.

    Raises
    ------
    PageError
        When a claim is cited whose row is not among the page's sources.
    """

    def __init__(self, blocks: Sequence[Block], texts: Catalogue) -> None:
        self.texts = texts
        rows = {row.claim_id: row for block in blocks if isinstance(block, Sources) for row in block.rows}
        cited = list(dict.fromkeys(claim for block in blocks for claim in block.claims()))
        unknown = [claim for claim in cited if claim not in rows]
        if unknown:
            raise PageError(f"claims cited without a row in Sources: {', '.join(unknown)}")
        self.rows: dict[tuple[str, ...], list[SourceRow]] = {}
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
    """Stands for `Citations` where a block is shown alone, as in a notebook: nothing to link to."""

    def of(self, claims: Iterable[str]) -> list[Citation]:
        """No links."""
        return []


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a block is written: the language's texts, the citations, the report, the data folder's link.

    On a directional page every exhibit carries the mark, because exhibits are copied without the page's top.
    """

    texts: Catalogue
    citations: Citations | Uncited
    report: str = ""
    data: str | None = None
    both_forms: bool = True
    directional: bool = False

    def csv(self, identity: str) -> str | None:
        """Link to an exhibit's CSV file."""
        return None if self.data is None else f"{self.data}/{exhibit_name(self.report, identity)}"


def view(block: Block, setting: Setting, *, number: str = "") -> View:
    """The view of one block; `number` is its "Figure 3" or "Table 1"."""
    for kind, make in _MAKERS:
        if isinstance(block, kind):
            return make(block, setting, number)
    return {"kind": "text", "text": block.summary()}


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


def _key_figures(block: KeyFigures, setting: Setting, number: str) -> View:
    uncertain = any(item.value.low is not None for item in block.items)
    return {
        "kind": "key_figures",
        "cards": [card(item, setting) for item in block.items],
        "uncertain": uncertain,
    }


def card(item: KeyFigure, setting: Setting) -> View:
    """A key figure's card."""
    texts = setting.texts
    return {
        "id": item.id.replace("_", "-"),
        "label": texts.text(item.key, item.values),
        "number": texts.number(item.value),
        "noun": texts.noun(item.value.unit),
        "interval": texts.interval(item.value) if item.value.unit != "probability" or item.value.low else "",
        "period": texts.period(item.period),
        "note": texts.text(item.note_key, item.note_values) if item.note_key else "",
        "directional": item.status == "directional",
        "citations": setting.citations.of(item.sources),
    }


def _chart(block: Chart, setting: Setting, number: str) -> View:
    texts = setting.texts
    forms = (charts.WIDE, charts.NARROW) if setting.both_forms else (charts.WIDE,)
    drawn = [Markup(charts.svg(block, texts.lang, form, texts=texts)) for form in forms]  # noqa: S704
    return {
        "kind": "chart",
        "directional": setting.directional,
        "anchor": f"exhibit-{block.id.replace('_', '-')}",
        "number": number,
        "title": texts.text(block.title_key, block.title_values),
        "unit": texts.unit(block.unit, charts.scale_of(block, texts.lang)),
        "wide": drawn[0],
        "narrow": drawn[1] if setting.both_forms else "",
        "caption": texts.text(block.caption_key, block.caption_values) if block.caption_key else "",
        "data": grids.of_chart(block, texts) if setting.both_forms else [],
        "citations": setting.citations.of(block.claims()),
        "csv": setting.csv(block.id),
    }


def _table(block: TableBlock, setting: Setting, number: str) -> View:
    grid = grids.of_table(block, setting.texts)
    return {
        "kind": "table",
        "directional": setting.directional,
        "anchor": f"exhibit-{block.id.replace('_', '-')}",
        "number": number,
        "title": grid.name,
        "table": grid,
        "folded": block.folded and setting.both_forms,
        "note": setting.texts.text(block.note_key, block.note_values) if block.note_key else "",
        "citations": setting.citations.of(block.claims()),
        "csv": setting.csv(block.id),
    }


def _heading(block: Heading, setting: Setting, number: str) -> View:
    anchor = re.sub(r"[^a-z0-9]+", "-", block.key.lower())
    return {
        "kind": "heading",
        "level": block.level,
        "anchor": anchor,
        "text": setting.texts.text(block.key, block.values),
    }


def _paragraph(block: Paragraph, setting: Setting, number: str) -> View:
    html = prose(setting.texts.text(block.key, block.values, escape=escaped))
    end = _LAST_TAGS.search(html)
    cut = end.start() if end else len(html)
    parts = [(html[:cut], setting.citations.of(block.sources)), (html[cut:], [])]
    return {"kind": "prose", "lang": "", "parts": parts}


def _markdown(block: Markdown, setting: Setting, number: str) -> View:
    lang = "en" if setting.texts.lang != "en" else ""
    return {"kind": "prose", "lang": lang, "parts": [(prose(block.text), [])]}


def _section(block: Section, setting: Setting, number: str) -> View:
    return {"kind": "heading", "level": block.level, "anchor": block.anchor, "text": block.text}


def _prose(block: Prose, setting: Setting, number: str) -> View:
    pieces = [Markup(piece) for piece in str(prose(block.text)).split(CITE)]  # noqa: S704 (html is off)
    texts, cited = pieces[::2], [setting.citations.of(claims.split()) for claims in pieces[1::2]]
    return {"kind": "prose", "lang": "", "parts": list(zip(texts, [*cited, []], strict=True))}


def _gates(block: Gates, setting: Setting, number: str) -> View:
    return {"kind": "gates", "table": grids.of_gates(block, setting.texts)}


def _sources(block: Sources, setting: Setting, number: str) -> View:
    if not isinstance(setting.citations, Citations):
        return {"kind": "text", "text": block.summary()}
    rows = [
        {**rows[0].model_dump(exclude={"claim_id"}), "claims": [row.claim_id for row in rows]}
        for rows in setting.citations.rows.values()
    ]
    return {"kind": "sources", "rows": rows}


def _provenance(block: Provenance, setting: Setting, number: str) -> View:
    texts = setting.texts
    rows = [
        (texts.text("page.as_of"), texts.date(block.as_of)),
        (texts.text("page.vintage"), texts.date(block.vintage)),
        (texts.text("page.scenario"), scenario_name(block.scenario, texts)),
        (texts.text("page.seed"), str(block.seed)),
        (texts.text("page.profile"), block.profile),
        (texts.text("page.parameters"), _pairs(block.parameters, " = ")),
        (texts.text("page.versions"), _pairs(block.versions, " ")),
    ]
    return {"kind": "provenance", "rows": [(name, text) for name, text in rows if text]}


def scenario_name(scenario: str, texts: Catalogue) -> str:
    """A scenario's name in the language; the user's own keep theirs."""
    key = f"scenario.{scenario}"
    return texts.text(key) if key in texts.texts else scenario


def _file(block: DataTable, setting: Setting, number: str) -> View:
    return {
        "kind": "file",
        "directional": setting.directional,
        "anchor": f"exhibit-{block.id.replace('_', '-')}",
        "text": setting.texts.text(block.key, block.values),
        "csv": setting.csv(block.id),
    }


def _forecasts(block: ForecastTable, setting: Setting, number: str) -> View:
    return {"kind": "text", "text": block.summary()}


def _pairs(pairs: Mapping[str, Any], sign: str) -> str:
    return ", ".join(f"{name}{sign}{'""' if value == '' else value}" for name, value in sorted(pairs.items()))


def _publication(row: SourceRow) -> tuple[str, ...]:
    return row.origin, row.title, row.url, row.date, row.grade or ""


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


_MAKERS: tuple[tuple[type[Block], Callable[[Any, Setting, str], View]], ...] = (
    (KeyFigures, _key_figures),
    (Chart, _chart),
    (TableBlock, _table),
    (Heading, _heading),
    (Paragraph, _paragraph),
    (Section, _section),
    (Prose, _prose),
    (Markdown, _markdown),
    (Gates, _gates),
    (Sources, _sources),
    (Provenance, _provenance),
    (ForecastTable, _forecasts),
    (DataTable, _file),
)
