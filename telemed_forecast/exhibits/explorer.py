"""What the explorer of scenarios works with: thinned draws, levers with what has been seen of them, and a yardstick.

Each column of draws is written in whole numbers of 16 bits between its smallest and its largest number, and the
explorer's own numbers are those of the draws as written. The report's numbers for the compared scenarios come with
them, so that the page can say how far thinning and rounding take it from the report.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.monte_carlo import quantile
from telemed_forecast.evaluation.scenario_effects import HEADLINES, Comparison
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.scenarios import name_of, reason_of
from telemed_forecast.forecast import market_size
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.kept_draws import Columns, kept
from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.models.market_evidence import calendar_year
from telemed_forecast.scenarios import COMPARED, LEVERS, Scenario

NAME = "explorer"

LEVELS = (0.1, 0.5, 0.9)
"""Quantiles by which the explorer is held against the report."""

STEPS = 65_535
"""Distances between the smallest and the largest number of a column."""


def explorer(context: Context, results: Mapping[str, Forecast], comparison: Comparison) -> Exhibit:
    """What the explorer needs of a run.

    Parameters
    ----------
    context
        The settings.
    results
        Market -> its forecast: size, users and hospitals.
    comparison
        The compared scenarios, and the run's own.
    """
    market = results["market_size"]
    columns = kept(context, results)
    rows = [row for part, own in columns.items() for row in _written(part, own)]
    size = max(len(values) for own in columns.values() for values in own.values())
    facts = {
        "horizon": context.settings.horizon,
        "last_year": context.last_year,
        "newest": market.path.periods[market.path.last_known].year,
        "first_year": market.path.periods[0].year,
        "kept": size,
        "draws": len(market.path.draws),
    }
    return Exhibit(
        name=NAME,
        frame=pd.DataFrame(rows, columns=["part", "name", "step", "low", "high", "packed"]),
        facts=facts,
        layers={
            "levers": _levers(context, comparison),
            "scenarios": _scenarios(comparison),
            "report": _report(results, comparison),
            "estimates": _estimates(market),
        },
    )


def unpacked(frame: pd.DataFrame) -> dict[str, Columns]:
    """The columns of draws that :func:`explorer` wrote, by market: as the page reads them."""
    found: dict[str, dict[str, list[np.ndarray]]] = {}
    names = ("part", "name", "low", "high", "packed")
    for part, name, low, high, packed in zip(*(frame[column].tolist() for column in names), strict=True):
        code = np.frombuffer(base64.b64decode(packed), dtype="<u2").astype(float)
        values = low + (high - low) / STEPS * code if packed else np.array([low])
        found.setdefault(part, {}).setdefault(name, []).append(values)
    return {
        part: {name: np.stack(np.broadcast_arrays(*values), axis=1) for name, values in columns.items()}
        for part, columns in found.items()
    }


def _written(part: str, columns: Columns) -> Iterator[tuple[Any, ...]]:
    """A row for each column; one whose numbers are all the same has no more than that number."""
    for name, values in columns.items():
        for step, column in enumerate(values.reshape(len(values), -1).T):
            low, high = float(column.min()), float(column.max())
            code = np.rint((column - low) / (high - low) * STEPS) if high > low else np.zeros(0)
            packed = base64.b64encode(code.astype("<u2").tobytes()).decode()
            yield part, name, step, low, high, packed


def _levers(context: Context, comparison: Comparison) -> pd.DataFrame:
    """Each lever: its range, its value and the reason for it in each scenario, and whether that was known in time."""
    rows = []
    for name, spec in LEVERS.items():
        row: dict[str, Any] = {"lever": name, "unit": spec.unit.replace(" ", "_")}
        row |= {"low": spec.low, "high": spec.high, "neutral": spec.neutral}
        for scenario in comparison.scenarios:
            lever = scenario.levers[name]
            later = lever.known_later(context.settings.as_of_date)
            row[f"value_{scenario.name}"] = lever.value
            row[f"reason_{scenario.name}"] = reason_of(comparison, lever) if lever.value != spec.neutral else ""
            row[f"later_{scenario.name}"] = len(later)
        rows.append(row)
    return pd.DataFrame(rows)


def _scenarios(comparison: Comparison) -> pd.DataFrame:
    """The scenarios' names and weights; one of the user's own is outside of the set that is weighed."""
    rows = [(one.name, name_of(one), _weight(one)) for one in comparison.scenarios]
    return pd.DataFrame(rows, columns=["scenario", "label", "weight"])


def _weight(scenario: Scenario) -> float | None:
    return scenario.weight if scenario.name in COMPARED else None


def _report(results: Mapping[str, Forecast], comparison: Comparison) -> pd.DataFrame:
    """The report's own numbers at the horizon and their Monte Carlo errors, from all draws."""
    rows = []
    for headline in comparison.headlines:
        if headline.scenario not in COMPARED:
            continue
        for quantity, (market, _) in HEADLINES.items():
            for level in LEVELS:
                chains = results[market].fit.gate.chains
                found = quantile(getattr(headline, quantity), level, chains=chains)
                rows.append((headline.scenario, quantity, level, found.value, found.error))
    return pd.DataFrame(rows, columns=["scenario", "quantity", "level", "value", "error"])


def _estimates(market: Forecast) -> pd.DataFrame:
    """The published sizes that entered (CNY million, nominal), by definition."""
    sizes = market.evidence["sizes"]
    columns = {
        "year": calendar_year(sizes),
        "definition": market_size.definitions(sizes),
        # "More than" so much has no upper end.
        "value": 0.5 * (sizes.low + np.where(sizes.bounded, sizes.high, sizes.low)),
        "origin": [origin_name(origin) for origin in sizes.origin.tolist()],
    }
    return pd.DataFrame(columns)
