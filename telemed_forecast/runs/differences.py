"""What changed between two runs: key figures, assumptions, evidence, and what the runs were made of.

What matters stands first. Key figures come sorted by how far they moved, in units of the first run's own uncertainty;
rows of evidence by how far the headline would move without them, in the run that has them (both runs, for a row read
otherwise); levers by their part of the scenario. Where no run tells an effect, the page says that it is unknown: that
of a prior, and that of one of several settings that changed together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telemed_forecast.exhibits.values import KeyFigure
from telemed_forecast.runs import plan

Interval = tuple[float, float]
Row = Mapping[str, str]


@dataclass(frozen=True)
class Pull:
    """What one published figure does to the headline of a run."""

    target: str  # The headline that it moves most; empty when the figure has no row in a likelihood
    # How far that headline would move without the figure, in halves of its 80% interval; None when no run can tell
    half_widths: float | None
    error: float = 0.0  # Standard error of that, from the draws being finitely many


@dataclass(frozen=True)
class Side:
    """One of the two runs, as far as it is compared."""

    manifest: Mapping[str, Any]  # What the run says of itself
    # Rows of the tables of figures that entered a model: claim id -> interval and unit
    evidence: Mapping[str, tuple[Interval, str]]
    # Rows of the tables of parameters: (report, parameter) -> columns as written
    assumptions: Mapping[tuple[str, str], Row]
    # Every figure that a model read, by report: claim id -> what it does to the headline
    pulls: Mapping[str, Mapping[str, Pull]] = field(default_factory=dict)
    # Rows of the table of levers: name -> value by scenario, as written
    levers: Mapping[str, Row] = field(default_factory=dict)
    # Rows of the table of the levers' effects: (quantity, lever) -> columns as written
    parts: Mapping[tuple[str, str], Row] = field(default_factory=dict)

    def pull(self, claim: str) -> Pull | None:
        """What a figure does to the headline that it moves most; None when no table of the run has it."""
        found = [pulls[claim] for pulls in self.pulls.values() if claim in pulls]
        return max(found, key=lambda pull: abs(pull.half_widths or 0.0), default=None)

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.manifest["run_id"])

    @property
    def figures(self) -> dict[str, KeyFigure]:
        """Key figures by id, those of the summary first; the same figure on two pages counts once."""
        found: dict[str, KeyFigure] = {}
        for stated in self.manifest["key_figures"]:
            figure = KeyFigure.of(stated)
            found.setdefault(figure.id, figure)
        return found


@dataclass(frozen=True)
class Moved:
    """A key figure of both runs."""

    before: KeyFigure
    after: KeyFigure

    @property
    def distance(self) -> float:
        """How far the value moved, in half-widths of the first interval (in values, without one)."""
        old, new = self.before.value, self.after.value
        return _half_widths(new.value - old.value, (old.low, old.high), otherwise=abs(old.value))

    @property
    def period(self) -> str:
        """What the figure is for; both where the newest figure known is of another day."""
        before, after = self.before.period, self.after.period
        return before if before == after else f"{before} / {after}"


def _half_widths(moved: float, ends: tuple[float | None, float | None], otherwise: float = 0.0) -> float:
    """A move in halves of an interval; 1 means that the new value lies at the end of the old interval."""
    low, high = ends
    half = 0.5 * (high - low) if low is not None and high is not None else otherwise
    return abs(moved) / half if half > 0 else float(moved != 0)


def moved(a: Side, b: Side) -> list[Moved]:
    """Key figures that both runs state in the same unit, the one that moved most first."""
    ours, theirs = a.figures, b.figures
    shared = [name for name in ours if name in theirs and ours[name].value.unit == theirs[name].value.unit]
    return sorted((Moved(ours[name], theirs[name]) for name in shared), key=lambda one: -one.distance)


def settings(a: Side, b: Side) -> list[tuple[str, str, str]]:
    """Parameters, scenario, software and input files that differ: (what, in the first run, in the second)."""
    changed: dict[tuple[str, str, str], list[str]] = {}
    for notebook in _union(a.manifest["parameters"], b.manifest["parameters"]):
        old, new = (side.manifest["parameters"].get(notebook, {}) for side in (a, b))
        for name in _union(old, new):
            if old.get(name) != new.get(name):
                changed.setdefault((name, _text(old.get(name)), _text(new.get(name))), []).append(notebook)
    found = [(name if len(of) > 1 else f"{of[0]}: {name}", old, new) for (name, old, new), of in changed.items()]
    # The manifest's own date follows from the parameter.
    apart = ("vintage", "python") if any(name == "as_of" for name, *_ in changed) else ("as_of", "vintage", "python")
    for part in apart:
        if a.manifest[part] != b.manifest[part]:
            found.append((part, _text(a.manifest[part]), _text(b.manifest[part])))
    for part, shown in (("versions", _text), ("inputs", _short)):
        old, new = a.manifest[part], b.manifest[part]
        found += [
            (name, shown(old.get(name)), shown(new.get(name)))
            for name in _union(old, new)
            if old.get(name) != new.get(name) and not name.startswith(plan.INSTALLED)  # told as versions
        ]
    return found


def cause(a: Side, b: Side) -> str | None:
    """The one setting that differs between the runs, when it is the only one: what moved, moved because of it."""
    names = {what.rpartition(": ")[2] for what, *_ in settings(a, b)}
    return names.pop() if len(names) == 1 else None


@dataclass(frozen=True)
class Evidence:
    """A row of evidence that one run uses and the other does not, or reads otherwise."""

    claim: str  # Its claim id
    # What each run makes of it: its interval, `USED` where no table of the run shows that, `NONE`
    before: str
    after: str
    # What it does to the headline of each run; None where the run does not use it
    pulls: tuple[Pull | None, Pull | None]

    @property
    def change(self) -> str:
        """What became of it: ``new``, ``gone`` or ``changed``."""
        return "new" if self.before == NONE else "gone" if self.after == NONE else "changed"

    @property
    def effect(self) -> float | None:
        """The larger of its effects on the headline, in half-widths; None when no run tells one."""
        known = [abs(p.half_widths) for p in self.pulls if p is not None and p.half_widths is not None]
        return max(known, default=None)

    @property
    def target(self) -> str:
        """The headline that it moves."""
        known = [pull for pull in self.pulls if pull is not None]
        return max(known, key=lambda pull: abs(pull.half_widths or 0.0)).target if known else ""


def evidence(a: Side, b: Side) -> list[Evidence]:
    """Rows of evidence that differ, the one with the largest effect first and those of unknown effect last."""
    # A run of an earlier version has no such table, which does not mean that its models read nothing.
    both = [name for name in a.pulls if name in b.pulls]
    read = [{claim for name in both for claim in side.pulls[name]} for side in (a, b)]
    found = []
    for claim in [*_union(a.evidence, b.evidence), *sorted(read[0] ^ read[1])]:
        before, after = _use(a, claim, claim in read[0]), _use(b, claim, claim in read[1])
        if before != after:
            pulls = a.pull(claim) if before != NONE else None, b.pull(claim) if after != NONE else None
            found.append(Evidence(claim, before, after, pulls))
    found = list({one.claim: one for one in found}.values())
    return sorted(found, key=lambda one: -1.0 if one.effect is None else one.effect, reverse=True)


def _use(side: Side, claim: str, read: bool) -> str:
    """What a run makes of a row."""
    return _interval(side.evidence[claim]) if claim in side.evidence else USED if read else NONE


Change = dict[str, Any]
"""A row of what differs, by column."""


def assumptions(a: Side, b: Side) -> list[Change]:
    """Priors that differ: first those that only one run has, then the one that moved most.

    Returns
    -------
    ``report`` and ``parameter``; middle and 80% interval ``before`` and ``after``; and the ``shift`` of the middle in
    halves of the first run's interval, infinite where one run has no such prior.
    """
    found = []
    for report, parameter in _union(a.assumptions, b.assumptions):
        rows = [side.assumptions.get((report, parameter)) for side in (a, b)]
        before, after = (_prior(row) for row in rows)
        if before != after:
            one = {"report": report, "parameter": parameter, "before": before, "after": after, "shift": _shift(*rows)}
            found.append(one)
    return sorted(found, key=lambda one: -one["shift"])


def _shift(old: Row | None, new: Row | None) -> float:
    if old is None or new is None:
        return float("inf")
    ends = float(old["prior_ratio_low"]), float(old["prior_ratio_high"])
    return _half_widths(float(new["prior_ratio"]) - float(old["prior_ratio"]), ends)


def levers(a: Side, b: Side) -> list[Change]:
    """Levers that differ, the one with the largest effect first; a number that a lever does not act on is left out.

    Returns
    -------
    ``quantity`` (the headline number) and ``lever`` as written in the tables; its value ``before`` and ``after``; and
    the ``effect``: what that adds to the number, in percent of it when all levers are neutral, None if no table tells.
    """
    found = []
    for name in _union(a.levers, b.levers):
        before, after = (str(side.levers.get(name, {}).get(_column(side), NONE)) for side in (a, b))
        if before == after:
            continue
        quantities = [quantity for quantity, lever in _union(a.parts, b.parts) if lever == name]
        for quantity in quantities or [""]:
            old, new = (_part(side, quantity, name) for side in (a, b))
            effect = None if old is None or new is None else new - old
            one = {"quantity": quantity, "lever": name, "before": before, "after": after, "effect": effect}
            found.append(one)
    return sorted(found, key=lambda one: -1.0 if one["effect"] is None else abs(one["effect"]), reverse=True)


def _column(side: Side) -> str:
    """Under which name the tables of levers show the run's scenario."""
    return "own" if "own" in next(iter(side.levers.values()), {}) else str(side.manifest["scenario"])


def _part(side: Side, quantity: str, lever: str) -> float | None:
    """Percent that a lever adds within the run's scenario; a scenario without a column has every lever neutral."""
    row, column = side.parts.get((quantity, lever)), _column(side)
    text = None if row is None else row.get(f"part_{column}_percent")
    if row is not None and text is None and column == "base":
        return 0.0
    return float(text) if text else None


def _union[Key](old: Mapping[Key, Any], new: Mapping[Key, Any]) -> list[Key]:
    """Keys of both, in the order of the first."""
    return list(dict.fromkeys([*old, *new]))


NONE = "–"
"""Where a run has nothing."""

USED = "@compare.used"
"""A row that a model reads beside its table of evidence."""


def _text(value: Any) -> str:
    return NONE if value in (None, "") else str(value)


def _short(sha256: str | None) -> str:
    return NONE if sha256 is None else sha256[:8]


def _interval(found: tuple[Interval, str]) -> str:
    (low, high), unit = found
    return f"{low:,.6g} to {high:,.6g} {unit}"


def _prior(row: Row | None) -> str:
    names = ("prior_ratio", "prior_ratio_low", "prior_ratio_high")
    return NONE if row is None else "{:.3g} ({:.3g} to {:.3g})".format(*(float(row[name]) for name in names))
