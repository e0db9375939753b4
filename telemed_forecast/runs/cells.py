"""The parameters cell of a notebook, read and written as text.

A parameters cell declares one parameter a line, `name: type = value  # [unit] meaning`. It is read with `ast`
and `tokenize` rather than by regular expressions, so that quotes, brackets and `=` in a comment do no harm.
"""

import ast
import io
import json
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

# papermill begins the cell that it injects with this comment.
INJECTED_FIRST_LINE = "# Parameters"


class Declarable(Protocol):
    """What a line of a parameters cell needs to know of a parameter."""

    @property
    def name(self) -> str:
        """The parameter's name."""

    @property
    def type(self) -> str:
        """The name of its Python type."""

    @property
    def default(self) -> object:
        """The value that the cell assigns."""

    @property
    def unit(self) -> str:
        """Its unit, or what kind of text it is."""

    @property
    def meaning(self) -> str:
        """What it means, in a few words."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One line of a parameters cell.

    Attributes
    ----------
    name, type : str
        As written in the cell.
    default : object
        The literal value.
    comment : str
        The text behind `#`, without the `#`; empty when there is none.
    """

    name: str
    type: str
    default: object
    comment: str


def cell_source(parameters: Iterable[Declarable]) -> str:
    """Write the parameters cell for these parameters, in their order.

    Parameters
    ----------
    parameters : iterable of Parameter

    Returns
    -------
    str
        One line a parameter, no newline at the end.
    """
    return "\n".join(f"{p.name}: {p.type} = {_literal(p.default)}  # [{p.unit}] {p.meaning}" for p in parameters)


def _literal(value: object) -> str:
    """Write a value as ruff formats it: texts in double quotes (JSON's escapes are Python's too)."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return repr(value)


def declarations(source: str) -> list[Declaration]:
    """Read a parameters cell.

    Parameters
    ----------
    source : str
        The cell's code.

    Returns
    -------
    list of Declaration
        In the cell's order.

    Raises
    ------
    ValueError
        A statement is not of the form `name: type = literal`; the message names its line.
    """
    comments = _comments(source)
    found = []
    for statement in ast.parse(source).body:
        if not (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.value is not None
        ):
            raise ValueError(f"line {statement.lineno} is not `name: type = value`")
        found.append(
            Declaration(
                name=statement.target.id,
                type=ast.unparse(statement.annotation),
                default=ast.literal_eval(statement.value),
                comment=comments.get(statement.end_lineno or statement.lineno, ""),
            )
        )
    return found


def _comments(source: str) -> dict[int, str]:
    """Comments by line number, without the `#`."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("#").strip() for t in tokens if t.type == tokenize.COMMENT}


def given_names(history: Sequence[str], known: Iterable[str]) -> tuple[set[str], set[str]]:
    """Find which names the parameters cell declared and which ones were injected.

    Parameters
    ----------
    history : sequence of str
        Sources of the cells that this kernel has executed, oldest first (IPython's `In`).
    known : iterable of str
        Names that are parameters.

    Returns
    -------
    declared : set of str
        Names assigned by the newest cell that looks like a parameters cell.
    injected : set of str
        Names assigned by the cells which papermill injected after it.

    Notes
    -----
    Only the newest parameters cell counts, so that somebody who corrects a misspelt name in JupyterLab and
    runs the two cells again is not told about the old spelling for ever.
    """
    names = set(known)
    declared: set[str] = set()
    injected: set[str] = set()
    for source in history:
        assigned = _plain_assignments(source)
        if assigned is None:
            continue
        if source.lstrip().startswith(INJECTED_FIRST_LINE):
            injected |= assigned
        elif assigned & names:
            declared, injected = assigned, set()
    return declared, injected


def _plain_assignments(source: str) -> set[str] | None:
    """Names assigned by a cell that does nothing but assign to names; None for any other cell."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):  # a cell magic, or a cell that never ran
        return None
    assigned: set[str] = set()
    for statement in body:
        targets = (
            [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else statement.targets
            if isinstance(statement, ast.Assign)
            else [None]
        )
        for target in targets:
            if not isinstance(target, ast.Name):
                return None
            assigned.add(target.id)
    return assigned or None
