"""What the site of docs/ is made of beside its pages: docstrings of models, the data dictionary, formulas as MathML.

A line ``{{ model NAME }}`` becomes the docstring of `telemed_forecast/models/NAME.py`, ``{{ dictionary }}`` the columns
of the evidence, ``{{ metrics }}`` and ``{{ segments }}`` its vocabulary. mkdocs calls the functions `on_...`.
"""

import ast
import csv
import html
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parent.parent
EVIDENCE = ROOT / "data" / "evidence"

_ROLE = re.compile(r":(?:mod|meth|func|class|data):`~?([^`]+)`")
_INLINE = re.compile(r":math:`([^`]+)`")
_RULE = re.compile(r"^=+(?: +=+)+$", re.MULTILINE)
_MATH = re.compile(r'<(div|span) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_PLACE = re.compile(r"^\{\{ (\w+)(?: (\w+))? \}\}$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in what a page asks for."""
    return _PLACE.sub(lambda found: PARTS[found[1]](found[2]), markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Formulas as MathML, which a browser draws without any script."""
    return _MATH.sub(lambda found: mathml(html.unescape(found[2]), "block" if found[1] == "div" else "inline"), content)


def mathml(formula: str, display: str) -> str:
    """One formula."""
    return str(convert(formula.strip(), display=display))


def model(name: str) -> str:
    """The docstring of a model's module as Markdown."""
    source = (ROOT / "telemed_forecast" / "models" / f"{name}.py").read_text(encoding="utf-8")
    return markdown_of(ast.get_docstring(ast.parse(source)) or "")


def markdown_of(docstring: str) -> str:
    """A docstring in reStructuredText, as far as ours use it, as Markdown."""
    lines, found = docstring.splitlines(), list[str]()
    k = 0
    while k < len(lines):
        line = lines[k]
        if line.strip().startswith(".. math::"):
            formula = [line.strip().removeprefix(".. math::")]
            while k + 1 < len(lines) and (lines[k + 1].startswith("   ") or not lines[k + 1].strip()):
                k += 1
                formula.append(lines[k].strip())
            each = [text for text in "\n".join(formula).split("\n\n") if text.strip()]
            found += [text for one in each for text in ("", "$$", *one.strip().splitlines(), "$$", "")]
        elif k + 1 < len(lines) and re.fullmatch(r"-{4,}", lines[k + 1]):
            found.append(f"**{line}**\n")
            k += 1
        else:
            found.append(line)
        k += 1
    text = _table("\n".join(found))
    text = _INLINE.sub(r"$\1$", _ROLE.sub(lambda role: f"`{role[1].rpartition('.')[2]}`", text))
    return text.replace("``", "`")


def _table(text: str) -> str:
    """A simple table (two columns between rules of equals signs) as one of Markdown."""
    rules = list(_RULE.finditer(text))
    if len(rules) < 2:
        return text
    wide = rules[0][0].index(" ")
    rows = [line for line in text[rules[0].end() : rules[-1].start()].splitlines() if line.strip()]
    cells = [(row[:wide].strip(), row[wide:].strip()) for row in rows if not _RULE.fullmatch(row)]
    table = "\n".join(["| | |", "|---|---|", *(f"| {first} | {second} |" for first, second in cells)])
    return f"{text[: rules[0].start()]}\n{table}\n{text[rules[-1].end() :]}"


def dictionary(_: str | None = None) -> str:
    """The columns of a row of evidence."""
    package = json.loads((EVIDENCE / "datapackage.json").read_text(encoding="utf-8"))
    fields = next(one for one in package["resources"] if one["name"] == "users")["schema"]["fields"]
    rows = [(f"`{field['name']}`", field["type"], _allowed(field), field.get("description", "")) for field in fields]
    return _markdown_table(("column", "type", "allowed", "meaning"), rows)


def _allowed(field: Mapping[str, Any]) -> str:
    constraints = field.get("constraints", {})
    allowed = ", ".join(constraints.get("enum", ())) or ("needed" if constraints.get("required") else "")
    return "as its file" if field["name"] == "topic" else allowed


def _vocabulary(name: str, *columns: str) -> str:
    with (EVIDENCE / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        rows = [tuple(row[column] for column in columns) for row in csv.DictReader(lines)]
    return _markdown_table(columns, [(f"`{first}`", *rest) for first, *rest in rows])


def _markdown_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


PARTS: Mapping[str, Callable[[Any], str]] = {
    "model": model,
    "dictionary": dictionary,
    "metrics": lambda _: _vocabulary("metrics", "metric", "unit", "definition"),
    "segments": lambda _: _vocabulary("segments", "segment", "kind", "definition"),
}
