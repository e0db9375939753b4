"""Compare two finished runs: read both, say what changed, write it as a page and as tables."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from telemed_forecast import files
from telemed_forecast.exhibits.values import Facts, KeyFigure, Value
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.runs import differences, manifest
from telemed_forecast.runs.differences import NONE, USED, Interval, Pull, Side

if TYPE_CHECKING:
    import pandas as pd

    from telemed_forecast.exhibits.exhibit import Exhibit
    from telemed_forecast.render.page import Page

EVIDENCE = "_evidence.csv"
PARAMETERS = "_parameters.csv"
INFLUENCE = "-influence.csv"
LEVERS = "executive_summary-levers.csv"
LEVER_EFFECTS = "executive_summary-lever_effects.csv"

SHOWN = 5
"""Rows of evidence named in the terminal."""


def read(folder: Path) -> Side:
    """A run as far as it is compared: `InputError` if it is none, `TelemedError` if it is not as it was written."""
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


def _pulls(folder: Path) -> dict[str, dict[str, Pull]]:
    """What every figure does to the headline, by report; the larger of its effects where it has several."""
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


def lines(a: Side, b: Side) -> list[str]:
    """The comparison in a few lines: key figures that moved, the strongest rows of evidence, how much else differs."""
    found = [
        f"{one.before.id}: {one.before.value.value:,.4g} -> {one.after.value.value:,.4g} {one.after.value.unit}"
        f" ({one.distance:.2g} half-widths)"
        for one in differences.moved(a, b)
        if one.distance > 0
    ]
    changed = differences.evidence(a, b)
    found += [
        f"{one.claim}: {one.change}, moves the headline by {one.effect:.2g} half-widths"
        for one in changed[:SHOWN]
        if one.effect is not None
    ]
    counts = {
        "settings and files": len(differences.settings(a, b)),
        "assumptions": len(differences.assumptions(a, b)),
        "rows of evidence": len(changed),
    }
    differ = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return [*(found or ["no key figure moved"]), f"also different: {differ or 'nothing'}"]


def write(a: Side, b: Side, out: Path) -> list[Path]:
    """Write the comparison: a page a language, then a table (CSV) for each of its parts; return the files."""
    from telemed_forecast.render import html, tables

    texts = {}
    for lang in LANGUAGES:
        links = html.PageLinks(other=html.page_name("compare", html.other_language(lang)))
        texts[html.page_name("compare", lang)] = html.page(page(a, b, lang), lang, links)
    data = tables.frames(page(a, b, "en"))
    texts |= {name: frame.to_csv(index=False, lineterminator="\n") for name, frame in data.items()}
    return [files.write(out / name, text) for name, text in texts.items()]


def page(a: Side, b: Side, lang: Language) -> "Page":
    """The page of a comparison: what matters first, each table only where something differs."""
    from telemed_forecast.render import pages
    from telemed_forecast.render.notebook import Shown

    moved, levers = differences.moved(a, b), differences.levers(a, b)
    shown = {one.name: one for one in _exhibits(a, b) if len(one.frame)}
    same = a.manifest.get("scenario") == b.manifest.get("scenario")
    told: Facts = {"first": a.name, "second": b.name, "figures": len(moved), "levers": int(bool(levers) or not same)}
    return pages.page("compare", Shown(shown, dict(told)), lang)


UNKNOWN = "@compare.unknown"
"""Where a run has something whose effect nobody told."""

WIDTH = NormalDist().inv_cdf(0.9)
"""Half the width of a normal 80% interval, in standard errors."""

Cell = Value | str | int


def _exhibits(a: Side, b: Side) -> list["Exhibit"]:
    """The checks of every fit behind both runs, and what differs, a table each."""
    import pandas as pd

    from telemed_forecast.exhibits.exhibit import Exhibit

    tables = {
        "compare_figures": _figures(differences.moved(a, b)),
        "compare_evidence": _evidence(a, b),
        "compare_levers": _levers(a, b),
        "compare_assumptions": _assumptions(a, b),
        "compare_settings": _settings(a, b),
    }
    gates = Exhibit(name="gates", frame=pd.DataFrame(_gates(a, b)))
    return [gates, *(Exhibit(name=name, frame=_frame(rows)) for name, rows in tables.items())]


def _frame(rows: Iterable[Mapping[str, Cell]]) -> "pd.DataFrame":
    """A tidy frame of rows whose cells may be numbers with a unit, an interval and digits of their own."""
    import pandas as pd

    from telemed_forecast.exhibits.exhibit import DIGITS, HIGH, LOW, UNIT

    def parts(cell: Cell) -> dict[str, Any]:
        if not isinstance(cell, Value):
            return {"": cell}
        return {"": cell.value, LOW: cell.low, HIGH: cell.high, UNIT: cell.unit, DIGITS: cell.digits}

    flat = [{name + end: part for name, cell in row.items() for end, part in parts(cell).items()} for row in rows]
    return pd.DataFrame(flat, dtype=object)


def _gates(a: Side, b: Side) -> list[dict[str, Any]]:
    """The gates of both runs, each once: runs that differ in a lever alone stand on the same fits."""
    found: list[tuple[dict[str, Any], list[str]]] = []
    for side in (a, b):
        for gate in side.manifest.get("gates", ()):
            fit = {name: value for name, value in gate.items() if name != "notebook"}
            runs = next((runs for known, runs in found if known == fit), None)
            if runs is None:
                found.append((fit, runs := []))
            runs.append(side.name)
    return [fit if len(set(runs)) > 1 else fit | {"name": f"{fit['name']} ({runs[0]})"} for fit, runs in found]


def _figures(changes: Iterable[differences.Moved]) -> Iterator[dict[str, Cell]]:
    for one in changes:
        yield {
            "figure": _label(one.before),
            "period": one.period,
            "before": one.before.value,
            "after": one.after.value,
            "distance": Value(value=one.distance, unit="multiple", digits=2),
        }


def _evidence(a: Side, b: Side) -> Iterator[dict[str, Cell]]:
    found = differences.evidence(a, b)
    ends = [(k, end) for k, end in enumerate(("before", "after")) if any(one.pulls[k] for one in found)]
    for one in found:
        yield {
            "claim": one.claim,
            "change": one.change,
            **{f"effect_{end}": _pull(one.pulls[k]) for k, end in ends},
            "before": _interval(one.before, a.evidence.get(one.claim)),
            "after": _interval(one.after, b.evidence.get(one.claim)),
            "target": _known(f"target.{one.target}", one.target or NONE),
        }


def _levers(a: Side, b: Side) -> Iterator[dict[str, Cell]]:
    keys = _keys("lever", "scenarios")
    for one in differences.levers(a, b):
        lever, quantity, told = str(one["lever"]), str(one["quantity"]), one["effect"] is not None
        yield {
            "lever": keys.get(lever, lever),
            "effect": Value(value=one["effect"], unit="percent", digits=2) if told else UNKNOWN,
            "quantity": keys.get(quantity, quantity) or NONE,
            "before": one["before"],
            "after": one["after"],
        }


def _assumptions(a: Side, b: Side) -> Iterator[dict[str, Cell]]:
    keys = _keys("parameter")
    for one in differences.assumptions(a, b):
        parameter = str(one["parameter"])
        yield {
            "parameter": keys.get(parameter, parameter),
            "shift": Value(value=one["shift"], unit="ratio", digits=2) if isfinite(one["shift"]) else NONE,
            "before": one["before"],
            "after": one["after"],
            "report": _known(f"report.{one['report']}.title", one["report"]),
        }


def _settings(a: Side, b: Side) -> Iterator[dict[str, Cell]]:
    moved = differences.moved(a, b)
    alone = differences.cause(a, b) is not None and moved
    effect = Value(value=moved[0].distance, unit="multiple", digits=2) if alone else UNKNOWN
    for what, before, after in differences.settings(a, b):
        yield {"what": what, "before": before, "after": after, "effect": effect}


def _interval(text: str, found: tuple[Interval, str] | None) -> Cell:
    """A published interval in the reader's own way of writing numbers; as text where it has no end."""
    if found is None or text in (NONE, USED) or not all(map(isfinite, found[0])):
        return text
    (low, high), unit = found
    return Value.model_validate({"value": 0.5 * (low + high), "unit": unit, "low": low, "high": high})


def _pull(pull: Pull | None) -> Cell:
    """A figure's effect in one run."""
    if pull is None:
        return NONE
    if pull.half_widths is None:
        return UNKNOWN
    middle, around = round(pull.half_widths, 4), WIDTH * pull.error
    return Value(value=middle, unit="ratio", low=middle - around, high=middle + around, digits=2)


def _label(figure: KeyFigure) -> str:
    """The figure's own label; its name where the label needs numbers of one run."""
    from telemed_forecast.render.texts import catalogue, placeholders

    return figure.id if placeholders(catalogue("en").texts[figure.key]) else f"@{figure.key}"


def _known(key: str, otherwise: str) -> str:
    """The text of a key, where the catalogue has it."""
    from telemed_forecast.render.texts import catalogue

    return f"@{key}" if key in catalogue("en").texts else otherwise


def _keys(*rooms: str) -> dict[str, str]:
    """English texts of parts of the catalogue -> their keys: tables are written in English."""
    from telemed_forecast.render.texts import catalogue, placeholders

    texts = catalogue("en").texts
    return {text: f"@{key}" for key, text in texts.items() if key.partition(".")[0] in rooms and not placeholders(text)}
