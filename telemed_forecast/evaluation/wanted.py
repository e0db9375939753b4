"""Figures that nobody has published yet, as each headline's model would see them: what `information` ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np

from telemed_forecast.evaluation.information import Candidate, Information, logit, ranked
from telemed_forecast.evaluation.markets import MARKETS
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path


@dataclass(frozen=True)
class Wanted:
    """What new figures would teach about one headline.

    Attributes
    ----------
    report
        The model.
    spread
        Width of the headline's 80% interval at the horizon: its upper over its lower end.
    figures
        The most valuable first.
    """

    report: str
    spread: float
    figures: tuple[Information, ...]


def wanted(context: Context, results: Mapping[str, Any]) -> dict[str, Wanted]:
    """What new figures would teach about the headlines at the horizon, by report."""
    found = {}
    for report, make in CANDIDATES.items():
        draws = MARKETS[report].path(results[report]).year_end(context.settings.horizon)
        low, high = np.quantile(draws, [0.1, 0.9])
        # What a date cannot know yet (what stays of a wave to come) is the same in every draw, or no number.
        figures = [c for c in make(context, results[report]) if np.ptp(c.quantity) > 0]
        ordered = ranked(_log(draws), figures, context.generator(f"information {report}"))
        found[report] = Wanted(report, float(high / low), tuple(ordered))
    return found


OUTSIDE = 0.01
"""Part of the draws at each end that is pulled in to the rest: shocks have fat tails, and without this the variance of
a headline would be that of a draw or two in which a market vanishes."""


def _log(draws: np.ndarray) -> np.ndarray:
    """Log of draws without their outermost ends. Dims: (sample,)."""
    inside = np.clip(draws, *np.quantile(draws, [OUTSIDE, 1.0 - OUTSIDE]))
    return np.log(np.maximum(inside, np.finfo(float).tiny))


def _log_at(path: Path, day: date) -> np.ndarray:
    return _log(path.draws[:, path.position(day)])


def _next_year_end(context: Context) -> date:
    """The first year's end on or after the report's date: what can be counted next."""
    return date(context.last_year + 1, 12, 31)


def _market(context: Context, result: Any) -> list[Candidate]:
    last, following = date(result.last_year, 12, 31), _next_year_end(context)
    sizes, posterior = result.sizes, result.fit.posterior
    return [
        Candidate("pharmacy_official", "official", _log_at(sizes["pharmacy"], last)),
        Candidate("pharmacy_next_official", "official", _log_at(sizes["pharmacy"], following)),
        Candidate("pharmacy_house", "house", _log_at(sizes["pharmacy"], last)),
        Candidate("healthcare_house", "house", _log_at(sizes["healthcare"], last)),
        Candidate("services_accounts", "accounts", _log_at(sizes["services"], last)),
        Candidate("consultation_accounts", "accounts", _log_at(sizes["consultation"], last)),
        Candidate("volume_official", "official", _log_at(result.volume, last)),
        Candidate("price_panel", "panel", np.asarray(posterior["price"])),
    ]


def _hospitals(context: Context, result: Any) -> list[Candidate]:
    last, following = date(context.last_year, 12, 31), _next_year_end(context)
    posterior = result.fit.posterior
    return [
        Candidate("hospitals_last_official", "official", _log_at(result.count, last)),
        Candidate("hospitals_next_official", "official", _log_at(result.count, following)),
        Candidate("hospital_run_official", "official", _log_at(result.hospital_run, following)),
        Candidate("third_party_official", "official", _log_at(result.third_party, following)),
        Candidate("sponsor_share_official", "official", logit(result.hospital_share.year_end(following.year))),
        Candidate("licence_plans_panel", "panel", np.asarray(posterior["hospital_logit_ceiling"])),
    ]


def _users(context: Context, result: Any) -> list[Candidate]:
    following, now = _next_year_end(context), result.users.last_known
    posterior = result.fit.posterior
    return [
        Candidate("users_next_official", "official", _log_at(result.users, following)),
        Candidate("users_records_official", "official", _log(result.users.draws[:, now])),
        Candidate("internet_next_official", "official", _log_at(result.internet, following)),
        Candidate("retention_panel", "panel", logit(100.0 * result.stays[:, now, 0])),
        Candidate("second_wave_panel", "panel", logit(100.0 * result.stays[:, now, 1])),
        Candidate("would_use_panel", "panel", np.asarray(posterior["usage_logit_ceiling"])),
    ]


CANDIDATES: Mapping[str, Callable[[Context, Any], list[Candidate]]] = MappingProxyType(
    {"market_size": _market, "internet_hospitals": _hospitals, "user_adoption": _users}
)
"""The figures that could be published about each headline; texts are ``wanted.<name>``."""
