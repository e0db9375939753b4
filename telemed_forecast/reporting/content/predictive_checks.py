"""The appendix's checks: what the model said before the evidence, and how the evidence lies in what it says now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast.evaluation.predictive_checks import Check, check
from telemed_forecast.reporting.blocks import (
    FAN_COLUMNS,
    Block,
    Chart,
    Column,
    Heading,
    Paragraph,
    Table,
    TableBlock,
    Value,
)
from telemed_forecast.reporting.content import parts

if TYPE_CHECKING:
    from telemed_forecast.evidence.observations import Observations
    from telemed_forecast.forecast.paths import Path

PARTS = 5
"""Equal parts of the probability scale in which published figures are counted."""

TAIL = 0.025
"""A figure with less than this on one side is named: one in twenty of a model that is right."""


def blocks(
    name: str,
    path: Path,
    prior: np.ndarray,
    predictive: np.ndarray,
    observations: Observations,
    points: Observations | None = None,
) -> list[Block]:
    """The checks of one model.

    Parameters
    ----------
    name
        Prefix of the ids (``users``).
    path
        The headline quantity: names the periods and the unit.
    prior
        The headline quantity on the first periods of `path`, drawn from the prior alone. Dims: (sample, time).
    predictive
        What would be printed in place of each observation. Dims: (sample, obs).
    observations
        The published figures.
    points
        Those of them that speak of the headline quantity as it stands; all of them when left out.
    """
    checked = check(predictive, observations)
    shown: list[Block] = [
        Heading(key="checks.heading", level=3),
        Paragraph(key="checks.prior_text"),
        _prior_chart(name, path, prior, observations if points is None else points),
    ]
    if not len(checked.known):
        return [*shown, Paragraph(key="checks.nothing")]
    values: dict[str, Value | str | int | float] = {
        "number": len(checked.known),
        "inside50": _percent(checked.inside(0.5)),
        "inside80": _percent(checked.inside(0.8)),
        "inside95": _percent(checked.inside(0.95)),
    }
    shown += [Paragraph(key="checks.posterior_text", values=values), _rank_chart(name, checked, observations)]
    surprising = checked.surprising(TAIL)
    return [*shown, _surprises(name, checked, observations, surprising)] if len(surprising) else shown


def _percent(share: float) -> Value:
    return Value(value=100.0 * share, unit="percent", digits=2)


def _prior_chart(name: str, path: Path, prior: np.ndarray, points: Observations) -> Chart:
    """Bands of the prior alone, with the published figures that it did not know."""
    days = [day.isoformat() for day in path.periods[: prior.shape[1]]]
    levels = dict(zip(FAN_COLUMNS[1:], (0.5, 0.25, 0.75, 0.1, 0.9, 0.025, 0.975), strict=True))
    quantiles = np.quantile(prior, list(levels.values()), axis=0)
    # A figure from before the grid says nothing about the prior on it.
    inside = points.where(points.end >= np.datetime64(days[0]))
    return Chart(
        id=f"{name}_prior",
        kind="fan",
        title_key="checks.prior_title",
        alt_key="checks.prior_alt",
        alt_values={"end": days[-1], "value": parts.value(prior[:, -1], path.unit, 0.95)},
        unit=path.unit,
        data=Table.model_validate({"period": days} | dict(zip(levels, quantiles, strict=True))),
        points=parts.published_points(inside, 1.0, int(days[0][:4])) if len(inside) else None,
        x="year" if path.flow else "year_end",
        log=path.unit != "percent",
        sources=tuple(str(claim) for claim in inside.claim_id),
    )


def _rank_chart(name: str, checked: Check, observations: Observations) -> Chart:
    """How many figures lie in each fifth of what the model would have printed."""
    counts = checked.parts(PARTS)
    rows = tuple((f"@checks.part_{k}", int(count)) for k, count in enumerate(counts))
    return Chart(
        id=f"{name}_ranks",
        kind="bars",
        title_key="checks.ranks_title",
        alt_key="checks.ranks_alt",
        alt_values={"number": len(checked.known)},
        unit="count",
        data=Table(columns=("category", "value"), rows=rows),
        reference=len(checked.known) / PARTS,
        reference_key="checks.expected",
        sources=tuple(dict.fromkeys(str(claim) for claim in observations.claim_id)),
    )


def _surprises(name: str, checked: Check, observations: Observations, found: np.ndarray) -> TableBlock:
    """The figures that the model would hardly have printed."""
    columns = (
        Column(name="day", key="column.day"),
        Column(name="origin", key="column.origin"),
        Column(name="grade", key="column.grade"),
        Column(name="below", key="checks.below", unit="probability"),
        Column(name="claim_id", key="column.claim_id"),
    )
    rows = tuple(
        (
            str(observations.end[k])[:10],
            parts.origin_name(observations.origin[k]),
            str(observations.grade[k]),
            Value(value=float(checked.rank[k]), unit="probability", digits=2),
            str(observations.claim_id[k]),
        )
        for k in found
    )
    return TableBlock(
        id=f"{name}_surprises",
        title_key="checks.surprises_title",
        note_key="checks.surprises_note",
        columns=columns,
        rows=rows,
        sources=tuple(str(observations.claim_id[k]) for k in found),
    )
