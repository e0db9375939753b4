"""Where a report's numbers come from, as exhibits: sources, gates, forecasts in hub format, and how they were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Any

import pandas as pd

from telemed_forecast.evidence import ledger, own
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.values import Fact, Facts, KeyFigure
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import hub
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path

GATES = (
    "name",
    "ok",
    "rhat_max",
    "ess_bulk_min",
    "ess_tail_min",
    "mcse_max",
    "divergences",
    "saturated",
    "bfmi_min",
    "draws",
    "chains",
    "profile",
)
"""Columns of the checks of fits."""

PACKAGES = ("pymc", "nutpie", "arviz", "prophet", "pandas", "numpy", "telemed-forecast")


def gates(context: Context, *fits: Fit) -> Exhibit:
    """The gates of every fit behind the report, a row a fit."""
    rows = [{**fit.gate.to_dict(), "profile": context.settings.profile} for fit in fits]
    return Exhibit(name="gates", frame=pd.DataFrame(rows, columns=list(GATES)))


def forecasts(context: Context, paths: Iterable[Path]) -> Exhibit:
    """The quantiles of every quantity, in hub format."""
    day, scenario = context.settings.as_of_date, context.scenario.name
    rows = hub.rows(paths, reference=day, scenario=scenario, model="telemed_forecast")
    return Exhibit(name="forecasts", frame=pd.DataFrame(rows))


def provenance(context: Context, parameters: Mapping[str, Any]) -> Exhibit:
    """How the numbers were made: settings, parameters and versions of software by name."""
    settings = context.settings
    made = {
        "setting": {
            "as_of": settings.as_of_date.isoformat(),
            "vintage": ledger.vintage_date(own.files(settings.evidence)).isoformat(),
            "scenario": context.scenario.name,
            "seed": settings.seed,
            "profile": settings.profile,
            **({"evidence": own.described(settings.evidence)} if settings.evidence else {}),
        },
        # Where a file of the user's own lies is nobody's business.
        "parameter": {name: value for name, value in parameters.items() if name != "evidence"}
        | {"scenario": context.scenario.name},
        "version": {name: metadata.version(name) for name in PACKAGES},
    }
    rows = [(kind, name, value) for kind, named_values in made.items() for name, value in named_values.items()]
    return Exhibit(name="provenance", frame=pd.DataFrame(rows, columns=["kind", "name", "value"], dtype=object))


def cited(exhibits: Exhibits, numbers: Facts, figures: Mapping[str, KeyFigure]) -> tuple[str, ...]:
    """Every claim id that a report may cite, each once."""
    found = [claim for figure in figures.values() for claim in figure.sources]
    found += [claim for fact in _each(numbers) if isinstance(fact, tuple) for claim in fact]
    found += [claim for exhibit in exhibits.values() for claim in exhibit.cited]
    return tuple(dict.fromkeys(found))


def _each(facts: Facts) -> Iterator[Fact]:
    """Facts, and those of lists of facts."""
    for fact in facts.values():
        yield from (inner for one in fact for inner in _each(one)) if isinstance(fact, list) else (fact,)


def sources(context: Context, claims: Iterable[str]) -> Exhibit:
    """The rows of the ledger, or the policy events, behind claim ids; an event has no grade."""
    view, events = context.view.set_index("claim_id"), ledger.policy_events().set_index("event_id")
    rows = [_event(c, events.loc[c]) if c in events.index else _claim(c, view.loc[c]) for c in claims]
    columns = ["claim_id", "origin", "title", "url", "date", "grade"]
    return Exhibit(name="sources", frame=pd.DataFrame(rows, columns=columns, dtype=object))


def record(
    context: Context, parameters: Mapping[str, Any], fits: Iterable[Fit], paths: Iterable[Path], claims: Iterable[str]
) -> Exhibits:
    """The exhibits that every report ends with; one that forecasts nothing has no forecasts."""
    quantities = list(paths)
    return named(
        gates(context, *fits),
        forecasts(context, quantities) if quantities else None,
        sources(context, claims),
        provenance(context, parameters),
    )


def _address(url: str) -> str:
    """The address of a source on the web; the founding articles are files and have none."""
    return url if url.startswith(("http://", "https://")) else ""


def _claim(claim: str, row: Any) -> tuple[str | None, ...]:
    title = str(row["source_title"] or row["publisher"] or claim)
    day = str(row["source_date"] or "")[:10]
    return claim, origin_name(row["origin"]), title, _address(str(row["url"])), day, str(row["grade"])


def _event(event: str, row: Any) -> tuple[str | None, ...]:
    return event, str(row["jurisdiction"]), str(row["event"]), _address(str(row["url"])), str(row["date"]), None
