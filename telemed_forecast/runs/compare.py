"""Compare two finished runs: read both, say what changed, write it as a page and as tables."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from telemed_forecast import files
from telemed_forecast.names import LANGUAGES
from telemed_forecast.runs import manifest

if TYPE_CHECKING:
    from telemed_forecast.reporting.compare import Pull, Side

EVIDENCE = "_evidence.csv"
PARAMETERS = "_parameters.csv"
INFLUENCE = "-influence.csv"
LEVERS = "executive_summary-levers.csv"
LEVER_EFFECTS = "executive_summary-lever_effects.csv"

SHOWN = 5
"""Rows of evidence named in the terminal."""


def read(folder: Path) -> "Side":
    """A run as far as it is compared.

    Raises
    ------
    InputError
        The folder is not a run.
    TelemedError
        Its files are not as they were written.
    """
    from telemed_forecast.reporting.compare import Side

    manifest.require_as_written(folder)
    stated = manifest.read(folder)
    claims = {}
    for row in _rows(folder, EVIDENCE):
        low = next((name for name in row if name.startswith("low_")), None)
        # A table that shows evidence in another form than as intervals is not compared.
        if low is not None and "claim_id" in row:
            unit = low.removeprefix("low_")
            claims[row["claim_id"]] = ((float(row[low]), float(row[f"high_{unit}"])), unit)
    parameters = {(row["report"], row["parameter"]): row for row in _rows(folder, PARAMETERS)}
    levers = {row["lever"]: row for row in _rows(folder, LEVERS)}
    parts = {(row["quantity"], row["lever"]): row for row in _rows(folder, LEVER_EFFECTS)}
    return Side(stated, claims, parameters, _pulls(folder), levers, parts)


def _pulls(folder: Path) -> "dict[str, dict[str, Pull]]":
    """What every figure does to the headline, by report; the larger of its effects where it has several."""
    from telemed_forecast.reporting.compare import Pull

    found: dict[str, dict[str, Pull]] = {}
    for row in _rows(folder, INFLUENCE):
        moved, half_widths, error = (float(row[name] or 0.0) for name in ("moved", "half_widths", "moved_error"))
        told = row["told"] == "yes"
        pull = Pull(row["target"], half_widths if told else None, error * abs(half_widths / moved) if moved else 0.0)
        by_claim = found.setdefault(row["report"], {})
        before = by_claim.get(row["claim_id"])
        if before is None or abs(pull.half_widths or 0.0) > abs(before.half_widths or 0.0):
            by_claim[row["claim_id"]] = pull
    return found


def _rows(folder: Path, ending: str) -> Iterator[dict[str, str]]:
    """Rows of the run's tables whose names end so, each with the name of its report."""
    for file in sorted((folder / "data").glob(f"*{ending}")):
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield {"report": file.name.partition("-")[0], **row}


def lines(a: "Side", b: "Side") -> list[str]:
    """The comparison in a few lines: key figures that moved, the strongest rows of evidence, how much else differs."""
    from telemed_forecast.reporting import compare

    found = [
        f"{one.before.id}: {one.before.value.value:,.4g} -> {one.after.value.value:,.4g} {one.after.value.unit}"
        f" ({one.distance:.2g} half-widths)"
        for one in compare.moved(a, b)
        if one.distance > 0
    ]
    changed = compare.evidence(a, b)
    found += [
        f"{one.claim}: {one.change}, moves the headline by {one.effect:.2g} half-widths"
        for one in changed[:SHOWN]
        if one.effect is not None
    ]
    counts = {
        "settings and files": len(compare.settings(a, b)),
        "assumptions": len(compare.assumptions(a, b)),
        "rows of evidence": len(changed),
    }
    differ = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return [*(found or ["no key figure moved"]), f"also different: {differ or 'nothing'}"]


def write(a: "Side", b: "Side", out: Path) -> list[Path]:
    """Write the comparison: a page a language, and a table (CSV) for each of its parts.

    Returns
    -------
    list of Path
        The files, pages first.
    """
    from telemed_forecast.render import html, tables
    from telemed_forecast.reporting import compare
    from telemed_forecast.runs.publish import page_name

    shown = compare.blocks(a, b)
    others = dict(zip(LANGUAGES, reversed(LANGUAGES), strict=True))
    texts = {
        page_name("compare", lang): html.page(
            shown, lang, links=html.PageLinks(other=page_name("compare", others[lang]))
        )
        for lang in LANGUAGES
    }
    texts |= {name: frame.to_csv(index=False, lineterminator="\n") for name, frame in tables.exhibits(shown).items()}
    return [files.write(out / name, text) for name, text in texts.items()]
