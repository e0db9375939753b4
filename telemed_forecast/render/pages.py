"""A report's page in one language: its prose with numbers, and its exhibits where the prose places them.

`pages/<report>.<language>.md` is Markdown with Jinja: `{{ hospitals_then | full }}` writes a number and its interval,
`{{ exhibits.hospitals_path }}` on a line of its own places an exhibit, `{{ cite(newest_counts) }}` at the end of a
paragraph cites published figures, `## Heading {#anchor}` begins a section. `pages/<report>_annex.<language>.md`, where
there is one, is a page of its own with what only a statistician asks for. A name that nobody knows is an error, and so
is a number that is not known (None).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from telemed_forecast.errors import TelemedError
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import Value
from telemed_forecast.names import Language
from telemed_forecast.render.notebook import Shown
from telemed_forecast.render.page import ANNEX, BODY, ENDS, RECORD, Page, Piece, Prose, Section
from telemed_forecast.render.texts import Catalogue, TextError, catalogue
from telemed_forecast.render.views import CITE, escaped, unescaped

PAGES = Path(__file__).parent / "pages"

_PLACE = re.compile(r"^\N{OBJECT REPLACEMENT CHARACTER}(\w+)$")
_HEADING = re.compile(r"^(#{2,3}) (.+?) \{#([a-z0-9-]+)\}$")


MOST_PRINTED = 20_000
"""Characters of what a notebook prints that its page shows; the notebook beside it holds all."""

LONGEST_LINE = 200
"""Characters of a line of it; what is longer goes on in the next."""


class TemplateFault(TelemedError, ValueError):
    """A page's template asks for what its report does not have."""


class Written(str):
    """Text of a page that is Markdown already."""


def page(report: str, shown: Shown, lang: Language) -> Page:
    """Everything that a report shows, body and annex, as its templates say.

    Raises
    ------
    TemplateFault
        A template names a number or an exhibit that the notebook does not show, or writes one that is not known.
    """
    pieces = [piece for part in _parts(report, lang) for piece in _read(report, part, shown, lang)]
    return _page(Page(report, pieces, list(shown.figures.values())), shown)


def parts(report: str, shown: Shown, lang: Language) -> list[Page]:
    """The pages of a report: its body, and its annex where it has one.

    Raises
    ------
    TemplateFault
        As `page`.
    """
    made = []
    for part in _parts(report, lang):
        body = part == BODY
        split = body and ANNEX in _parts(report, lang)
        figures = list(shown.figures.values()) if body else []
        one = Page(report, _read(report, part, shown, lang), figures, part=part, ends=("sources",) if split else ENDS)
        made.append(_page(one, shown))
    return made


def _parts(report: str, lang: Language) -> list[str]:
    return [part for part in (BODY, ANNEX) if part == BODY or (PAGES / f"{report}_{part}.{lang}.md").exists()]


def _read(report: str, part: str, shown: Shown, lang: Language) -> list[Piece]:
    name = f"{report}_{part}" if part else report
    added = _printed(shown, catalogue(lang)) if part == BODY else ()
    return [*_pieces(_text(name, shown, lang), shown), *added]


def _printed(shown: Shown, texts: Catalogue) -> Iterator[Piece]:
    """What an edited notebook prints, as it stands and marked as no part of the report as shipped."""
    if text := "".join(shown.printed).strip("\n"):
        yield Section(2, texts.text("page.printed"), "printed")
        yield Prose(escaped(texts.text("page.printed_text")))
        plain = "".join(c if c == "\n" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:MOST_PRINTED])
        # A PDF takes minutes to set a line without an end.
        lines = [
            line[at : at + LONGEST_LINE] for line in plain.split("\n") for at in range(0, len(line) or 1, LONGEST_LINE)
        ]
        # Indented lines are Markdown's text as it stands, whatever they hold.
        yield Prose("\n".join(f"    {line}" for line in lines))


def _page(made: Page, shown: Shown) -> Page:
    """The page with its record, the sources those that it cites."""
    record = {name: shown.exhibits[name] for name in RECORD if name in shown.exhibits}
    if "sources" in record:
        rows = record["sources"].frame.set_index("claim_id", drop=False)
        cited = [claim for claim in dict.fromkeys(made.cited()) if claim in rows.index]
        record["sources"] = replace(record["sources"], frame=rows.loc[cited])
    return replace(made, record=record)


def _text(report: str, shown: Shown, lang: Language) -> str:
    """The page's Markdown, its numbers written and its exhibits as marks."""
    exhibits = {name: one for name, one in shown.exhibits.items() if name not in RECORD}
    told = {"exhibits": exhibits, "cite": _cite}
    if clash := told.keys() & shown.numbers.keys():
        raise TemplateFault(f"{report}: numbers may not be named {', '.join(sorted(clash))}")
    try:
        return _environment(lang).get_template(f"{report}.{lang}.md").render(**shown.numbers, **told)
    except (TemplateError, TextError) as error:
        raise TemplateFault(f"{report}.{lang}.md: {error}") from error


@lru_cache
def _environment(lang: Language) -> Environment:
    texts = catalogue(lang)
    made = Environment(
        loader=FileSystemLoader(PAGES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (`finalize` escapes every value for Markdown, which allows no HTML)
        finalize=_written(texts),
        trim_blocks=True,
        lstrip_blocks=True,
        comment_start_string="<!--",
        comment_end_string="-->",
    )
    forms = ("full", "range", "interval", "date", "period")
    made.filters |= {form: _form(texts, form) for form in forms}
    return made


def _form(texts: Catalogue, form: str) -> Callable[[Any], str]:
    def write(fact: Any) -> str:
        if isinstance(fact, StrictUndefined):
            str(fact)  # an undefined name complains
        return texts.write(fact, form)

    return write


def _written(texts: Catalogue) -> Callable[[Any], Any]:
    """What stands on the page for a value of the template."""

    def write(fact: Any) -> Any:
        if isinstance(fact, StrictUndefined | Written):
            return fact  # an undefined name complains when it is written
        if isinstance(fact, Exhibit):
            return f"\N{OBJECT REPLACEMENT CHARACTER}{fact.name}"
        if isinstance(fact, Value | str | int | float):
            return escaped(texts.write(fact))
        raise TemplateFault(f"neither a number nor a text: {fact!r}")

    return write


def _cite(*claims: Sequence[str]) -> Written:
    """Citations of published figures, numbered when the page is set."""
    cited = " ".join(dict.fromkeys(claim for group in claims for claim in group))
    return Written(f"{CITE}{cited}{CITE}" if cited else "")


def _pieces(text: str, shown: Shown) -> Iterator[Piece]:
    """The page in pieces: headings, prose, exhibits."""
    prose: list[str] = []
    for line in [*text.splitlines(), ""]:
        heading, place = _HEADING.match(line), _PLACE.match(line)
        if line.strip() and not heading and not place:
            prose.append(line)
            continue
        if prose:
            yield _prose("\n".join(prose))
            prose = []
        if heading:
            yield Section(len(heading[1]), unescaped(heading[2]), heading[3])
        elif place:
            yield shown.exhibits[place[1]]


def _prose(text: str) -> Prose:
    cited = [claim for group in text.split(CITE)[1::2] for claim in group.split()]
    return Prose(text, tuple(dict.fromkeys(cited)))
