"""The review of the evidence: everything that its report shows, from the same fits as the other reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemed_forecast.evaluation import conflict, evidence_use, information, voices
from telemed_forecast.forecast import markets
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Review:
    """What is known, by whom, and what is missing.

    Attributes
    ----------
    results, uses
        The forecasts by market, and what became of every row (`evidence_use.decided`).
    newest, contradictions, spans, voices, echoes, grades
        Tables of `voices`.
    conflicts, wanted
        Every origin against all others, and what new figures would teach (`information.wanted`).
    """

    results: Mapping[str, Forecast]
    uses: pd.DataFrame
    newest: pd.DataFrame
    contradictions: pd.DataFrame
    spans: pd.DataFrame
    voices: pd.DataFrame
    echoes: pd.DataFrame
    grades: pd.DataFrame
    conflicts: pd.DataFrame
    wanted: pd.DataFrame


def run(context: Context, *, refit: bool | None = None) -> Review:
    """Review the evidence known on the context's date.

    Models are fitted again without an origin where weights of draws cannot be trusted; unless `refit` says so, in the
    full profile alone, because compiling a model takes longer than all else here.
    """
    again = conflict.fits_again(context) if refit is None else refit
    results = markets.run(context)
    view = context.view
    uses = evidence_use.table(context, results)
    return Review(
        results=results,
        uses=uses,
        newest=voices.newest(view, context.last_year),
        contradictions=voices.contradictions(view),
        spans=voices.spans(view),
        voices=voices.voices(view, uses),
        echoes=voices.echoes(view, uses),
        grades=voices.grades(view),
        conflicts=conflict.conflicts(context, results, refit=again),
        wanted=information.wanted(context, results),
    )
