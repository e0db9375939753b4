"""How good a forecast has been: held against what came, beside what common tools would have said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation import rolling_origins as rolling
from telemed_forecast.evaluation import scores
from telemed_forecast.evaluation.rolling_origins import BENCHMARK, OURS, POOL, Origin
from telemed_forecast.evaluation.score_summary import CONFIDENCE
from telemed_forecast.evaluation.scores import HELD
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named, with_interval
from telemed_forecast.exhibits.forecasts import share_of
from telemed_forecast.exhibits.numbers import value
from telemed_forecast.exhibits.values import Fact, Value
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.rivals import rivals
from telemed_forecast.models import ensemble

COVERED = {f"inside{100 * level:.0f}": scores.covered(level) for level in scores.LEVELS}
"""Column of a table -> metric of coverage."""


def compared(
    context: Context,
    market: str,
    result: Any,
    past: Sequence[Origin] = (),
    *,
    path: Path | None = None,
    worth: Callable[[int], float] = lambda year: 1.0,
) -> tuple[Exhibits, dict[str, Fact]]:
    """The exhibits of one market's section on rivals, and the numbers of its prose.

    The context's date decides which origins (`rolling_origins.origins`) and outcomes there are. `path` is the headline
    quantity in the page's own money (as it was fitted when left out), `worth` what a unit of a year's figures is worth
    in that.
    """
    path = path or result.path
    found = rolling.score(past, market, seed=context.settings.seed)
    table = rolling.summary(found, context.settings.as_of_date)
    ours = found[found["member"] == OURS]
    numbers = {"rivals_forecasts": len(ours), **_verdict(table)}
    members = _members(context, market, _said(context, market, result, found, path, worth), path.unit)
    if ours.empty:
        return named(members), numbers
    amounts = ["low", "median", "high", "published"]
    told = ours.assign(**ours[amounts].mul(ours["day"].map(lambda day: worth(day.year)), axis=0))
    shown = named(_track(market, told, path.unit), _summary(market, table), members, _all(market, told, path.unit))
    return shown, numbers | _numbers(ours, past, table)


def _numbers(ours: pd.DataFrame, past: Sequence[Origin], table: pd.DataFrame) -> dict[str, Fact]:
    worst = max((origin.gate.rhat_max for origin in past if origin.gate.rhat_max is not None), default=None)
    return {
        "rivals_claims": tuple(ours["claim_id"].unique()),
        "rivals_outcomes": ours["claim_id"].nunique(),
        "rivals_origins": len(past),
        "rivals_first": past[0].forecast_date.isoformat(),
        "rivals_last": past[-1].forecast_date.isoformat(),
        "rivals_passed": sum(origin.gate.ok for origin in past),
        "rivals_rhat": "–" if worst is None else Value(value=worst, unit="ratio", digits=3),
        "rivals_inside": share_of(ours[HELD].mean()),
        "rivals_half": share_of(ours[scores.covered(0.5)].mean()),
        "rivals_power": int(ensemble.POWER),
        "rivals_prior": ensemble.PRIOR_OUTCOMES,
        "rivals_level": share_of(CONFIDENCE),
        "rivals_clusters": int(table["clusters"].max()) if _bounded(table).any() else 0,
    }


def _verdict(table: pd.DataFrame) -> dict[str, Fact]:
    """Why ours is the headline, or why that is a close call; without scores of both, neither."""
    shared = table[table["common"] > 0].set_index("member")
    if not {OURS, POOL} <= set(shared.index):
        return {"rivals_common": 0}
    ours, pool = shared["crps"][[OURS, POOL]]
    return {
        "rivals_common": int(shared["common"][OURS]),
        "rivals_nearer": "ours" if ours <= pool else "pool",
        "rivals_ours": Value(value=float(ours), unit="ratio", digits=2),
        "rivals_pool": Value(value=float(pool), unit="ratio", digits=2),
    }


def _bounded(table: pd.DataFrame) -> pd.Series:
    """Members whose difference from the benchmark has an interval."""
    return table["difference_low"].notna() & (table["member"] != BENCHMARK)


def _track(market: str, ours: pd.DataFrame, unit: str) -> Exhibit | None:
    """Each figure of the headline's own definition beside the last forecast made before its period ended."""
    comparable = ours.assign(name=ours["publisher"].map(origin_name))[ours["comparable"]]
    by_day = comparable.sort_values(["day", "forecast_date"], kind="stable").groupby(["day", "name"], sort=False)
    newest = by_day.last().reset_index()
    if newest.empty:
        return None
    days = newest["day"].map(date.isoformat)
    then = pd.DataFrame({"category": days if newest["name"].nunique() == 1 else days + ", " + newest["name"]})
    forecast = then.assign(series="forecast", value=newest["median"], low=newest["low"], high=newest["high"])
    published = then.assign(series="published", value=newest["published"], low=np.nan, high=np.nan)
    return Exhibit(
        name=f"{market}_track",
        entry="rivals_track",
        frame=pd.concat([forecast, published]).sort_index(kind="stable", ignore_index=True),
        claims=tuple(newest["claim_id"].unique()),
        units={"value": unit},
        facts={"number": len(newest), "held": int(newest[HELD].sum())},
    )


def _summary(market: str, table: pd.DataFrame) -> Exhibit:
    """Score, skill and coverage of every member; what only shared forecasts tell is empty where there are none."""
    common, bounded = table["common"] > 0, _bounded(table)
    difference = table[["difference", "difference_low", "difference_high"]].astype(float).where(bounded)
    frame = pd.DataFrame(
        {
            "member": table["member"],
            "weight": 100.0 * table["weight"].astype(float),
            "crps": table["crps"].where(common),
            "skill": 100.0 * table["skill"].where(common),
            **difference,
            **{column: 100.0 * table[metric] for column, metric in COVERED.items()},
            "forecasts": table["number"],
        }
    )
    facts = {"common": int(table["common"].max()) if len(table) else 0}
    return Exhibit(name=f"{market}_rivals", entry="rivals_scores", frame=frame, facts=facts)


def _said(
    context: Context, market: str, result: Any, found: pd.DataFrame, path: Path, worth: Callable[[int], float]
) -> dict[str, np.ndarray]:
    """What each member says for the horizon; the pool is of those that have anything to say."""
    horizon, seed = context.settings.horizon, context.settings.seed
    # For all periods, as the page's own chart asks for Prophet's: each rival is fitted once.
    drawn = rivals(result.known, path.periods, seed)
    at = path.position(date(horizon, 12, 31))
    said = {OURS: path.year_end(horizon)} | {name: worth(horizon) * draws[:, at] for name, draws in drawn.items()}
    shares = rolling.weights(found, context.settings.as_of_date)
    pooled = ensemble.pool(said, shares, size=rolling.POOL_DRAWS, rng=context.generator(f"pool {market}"))
    return {OURS: said.pop(OURS), POOL: pooled, **said}


def _members(context: Context, market: str, said: dict[str, np.ndarray], unit: str) -> Exhibit:
    columns = with_interval(value=[value(draws, unit) for draws in said.values()])
    return Exhibit(
        name=f"{market}_members",
        entry="rivals_members" if len(said) > 2 else "rivals_members_alone",
        frame=pd.DataFrame({"member": list(said)} | columns),
        units={"value": unit},
        facts={"horizon": context.settings.horizon},
    )


def _all(market: str, ours: pd.DataFrame, unit: str) -> Exhibit:
    """Every forecast of ours with what came."""
    frame = pd.DataFrame(
        {
            "made": ours["forecast_date"],
            "day": ours["day"],
            "forecast": ours["median"],
            "forecast_low": ours["low"],
            "forecast_high": ours["high"],
            "published": ours["published"],
            "held": held(ours),
            "origin": ours["publisher"].map(origin_name),
            "claim_id": ours["claim_id"],
        }
    )
    return Exhibit(
        name=f"{market}_forecasts_then",
        entry="rivals_forecasts",
        frame=frame,
        claims=tuple(ours["claim_id"].unique()),
        units={"forecast": unit, "published": unit},
    )


def held(found: pd.DataFrame) -> pd.Series:
    """Whether the 80% interval of each forecast held the figure: ``yes`` or ``no``."""
    return found[HELD].map({True: "yes", False: "no"})
