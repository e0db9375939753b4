"""A page before it is set: headings, prose and exhibits in reading order, key figures, and what a report ends with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, records
from telemed_forecast.exhibits.values import KeyFigure, Status

RECORD = ("gates", "forecasts", "sources", "provenance", "explorer")
"""Exhibits that no template places: a page ends with them, or another page is made of them."""

BODY, ANNEX = "", "annex"
"""Parts of a report that are pages of their own: what an investor reads, and what stands behind it."""

ENDS = ("gates", "sources", "provenance")
"""Exhibits of the record that a page shows at its end; a body with an annex leaves all but the sources to it."""


@dataclass(frozen=True)
class Section:
    """A heading in the page's language, with an anchor that is the same in every language."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Prose:
    """Markdown in the page's language, with marks where published figures are cited (`views.CITE`)."""

    text: str
    cited: tuple[str, ...] = ()


Piece = Section | Prose | Exhibit


@dataclass(frozen=True)
class Page:
    """A report in one language.

    Attributes
    ----------
    report
        Its name.
    pieces
        What stands on it, in reading order.
    figures
        The headline numbers.
    record
        Those of `RECORD` that there are; the sources in the order in which they are cited.
    part
        `BODY`, which is also the name of a report in one page, or `ANNEX`.
    ends
        Those of `ENDS` that it shows.
    """

    report: str
    pieces: Sequence[Piece]
    figures: Sequence[KeyFigure] = ()
    record: Exhibits = field(default_factory=dict)
    part: str = BODY
    ends: tuple[str, ...] = ENDS

    @property
    def file(self) -> str:
        """Name of the part, from which those of its files are made."""
        return f"{self.report}_{self.part}" if self.part else self.report

    @property
    def exhibits(self) -> list[Exhibit]:
        """Tables, charts and files among the pieces."""
        return [piece for piece in self.pieces if isinstance(piece, Exhibit)]

    def cited(self) -> Iterator[str]:
        """Claim ids in reading order."""
        for figure in self.figures:
            yield from figure.sources
        for piece in self.pieces:
            yield from () if isinstance(piece, Section) else piece.cited

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Rows of an exhibit of the record; none when there is none."""
        return records(self.record[name].frame) if name in self.record else []

    @property
    def status(self) -> Status:
        """Whether every fit behind it passed its gates; a page without fits has none to fail."""
        return "gated-ok" if all(fit["ok"] for fit in self.rows("gates")) else "directional"

    @property
    def made(self) -> dict[str, dict[str, Any]]:
        """How the numbers were made: kind (``setting``, ``parameter``, ``version``) -> name -> value."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.rows("provenance"):
            found.setdefault(row["kind"], {})[row["name"]] = row["value"]
        return found
