"""The report on the record: our earlier forecasts and those of others, held against what came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evaluation.coverage import BAND, histogram
from telemed_forecast.evaluation.frozen_forecasts import Frozen
from telemed_forecast.evaluation.misses import half_widths
from telemed_forecast.evaluation.rolling_origins import BENCHMARK, OURS, shared
from telemed_forecast.evaluation.score_summary import clusters, rows, summarise
from telemed_forecast.evaluation.scores import HELD, LEVEL, covered
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.exhibits import calibration, published_league
from telemed_forecast.exhibits.evidence import origin_name
from telemed_forecast.exhibits.exhibit import Exhibit, Exhibits, named
from telemed_forecast.exhibits.forecasts import share_of
from telemed_forecast.exhibits.numbers import by_id, key_figure
from telemed_forecast.exhibits.published_league import closer, typical_error
from telemed_forecast.exhibits.rivals import held
from telemed_forecast.exhibits.said_and_happened import said_and_happened
from telemed_forecast.exhibits.values import Fact, KeyFigure, Value
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast.context import Context
from telemed_forecast.models import constants

BINS = 10
"""Bins of the histogram of probability integral transforms."""

SHOWN = 6
"""Forecasts that wait for their figures and are named: the next due."""

REMARKS: Mapping[tuple[str, int | str], str] = {
    ("internet_hospitals", 2019): "hospitals_2019",
    ("internet_hospitals", "kpmg-2020-12-online-hospitals"): "kpmg",
    ("internet_hospitals", "ih-2022-06-nhc-1700"): "hospitals_2022",
    ("market_size", "axd-online-consultation-2022"): "consultation_2022",
}
"""What a reader who knows the field would add: by market and the figure, or the year at whose end it was forecast.
Shown only where that miss is among the worst."""


def exhibits(context: Context, record: TrackRecord) -> Exhibits:
    """The report's tables and charts by name."""
    return named(
        said_and_happened(record),
        _ours(record) if len(record.ours) else None,
        _constants(record) if len(record.ours) else None,
        published_league.exhibits(record).values(),
        _frozen(record.frozen),
        calibration.described(context.settings.as_of_date)[0].values(),
    )


def numbers(context: Context, record: TrackRecord) -> dict[str, Fact]:
    """What the prose says, by name."""
    frozen = record.frozen
    return {
        "ours_number": len(record.ours),
        **(_ours_numbers(record) if len(record.ours) else {}),
        "misses": [_miss(one) for one in rows(record.misses)],
        **published_league.numbers(record),
        "frozen_altered": int(frozen.altered),
        "frozen_releases": len(frozen.releases),
        "frozen_scored": len(frozen.scores),
        "frozen_waiting": len(frozen.waiting),
        **calibration.described(context.settings.as_of_date)[1],
    }


def key_figures(context: Context, record: TrackRecord) -> dict[str, KeyFigure]:
    """How right we were, and who was nearer."""
    ours, others = record.ours, record.league
    found, figure = [], partial(key_figure, period=context.settings.as_of_date.isoformat(), fits=fits(record))
    if len(ours):
        claims, number = _newest_figures(ours), {"number": len(ours)}
        figures = {**number, "figures": ours["claim_id"].nunique()}
        inside = share_of(ours[HELD].mean())
        found.append(
            figure("record_inside", inside, sources=claims, note=_allowed(record) | number | _designed(record))
        )
        found.append(figure("record_error", typical_error(ours["bias"]), sources=claims, note=figures))
    if record.same_day is not None:
        claims = tuple(others.loc[others["nearer"].notna(), "claim_id"][:3])
        votes = {name: record.same_day[name] for name in ("votes", "houses", "outcomes")}
        found.append(figure("record_nearer", closer(record.same_day), sources=claims, note=votes))
    return by_id(found)


def fits(record: TrackRecord) -> list[Fit]:
    """The fits behind the report."""
    return [result.fit for result in record.results.values()]


def _newest_figures(ours: pd.DataFrame) -> tuple[str, ...]:
    newest = ours[["day", "claim_id"]].drop_duplicates().sort_values(["day", "claim_id"], ascending=False)
    return tuple(newest["claim_id"][:3])


def _designed(record: TrackRecord) -> dict[str, Fact]:
    """What our intervals would have held, had all been known that the models are made of today."""
    return {"designed": share_of(record.with_hindsight[HELD].mean())}


def _allowed(record: TrackRecord) -> dict[str, Fact]:
    """What chance allows to the interval that the page shows."""
    at: Any = record.coverage.loc[LEVEL]
    return {"allowed_low": share_of(at["alone_low"]), "allowed_high": share_of(at["alone_high"])}


def _ours_numbers(record: TrackRecord) -> dict[str, Fact]:
    ours, curve = record.ours, record.coverage
    made = [origin for past in record.past.values() for origin in past]
    days = [origin.forecast_date for origin in made]
    worst: Any = record.by("market").sort_values([HELD, "market"]).iloc[0]
    outcomes, origins = (len(set(groups)) for groups in clusters(ours))
    outside = (curve["actual"] < curve["low"]) | (curve["actual"] > curve["high"])
    far = (curve["actual"] < curve["wide_low"]) | (curve["actual"] > curve["wide_high"])
    return {
        **_allowed(record),
        **_designed(record),
        "constants": len(_later(record)),
        "newest_claims": _newest_figures(ours),
        "inside": share_of(ours[HELD].mean()),
        "worst_market": _market(worst["market"]),
        "worst_inside": share_of(worst[HELD]),
        "figures": ours["claim_id"].nunique(),
        "first": min(days).isoformat(),
        "last": max(days).isoformat(),
        "fits": len(made),
        "fits_passed": sum(origin.gate.ok for origin in made),
        "missed": len(record.missed),
        "coverage": "outside" if far.any() else "dependent" if outside.any() else "inside",
        "coverage_outcomes": outcomes,
        "coverage_origins": origins,
        "coverage_band": share_of(BAND),
    }


def _market(name: str) -> str:
    """Key of the name of a market, or of a definition of the market's size."""
    return f"@record.market.{name}"


def _ours(record: TrackRecord) -> list[Exhibit]:
    """Our forecasts in groups, against the random walk, the misses, the widths of intervals, and one by one."""
    missed = record.missed.groupby("market", sort=False)
    markets, horizons = (record.by(column) for column in ("market", "horizon"))
    return [
        _origins(record.ours),
        _groups("record_markets", markets, markets["market"].map(_market)),
        _hindsight(record),
        *_skill(record),
        *(_misses(record, str(name), own) for name, own in missed),
        _groups("record_horizons", horizons, (f"@record.horizon.{ahead}" for ahead in horizons["horizon"])),
        _coverage(record),
        _ranks(record),
        _forecasts(record.ours),
    ]


def _origins(ours: pd.DataFrame) -> Exhibit:
    """How many figures our 80% intervals held, by the day of the forecast and the market: a day's mistake is seen."""
    whole = pd.concat([ours, ours.assign(market="all")])
    counted = whole.groupby(["year", "market"], sort=False)[HELD].agg(["sum", "size"])
    told = (counted["sum"].astype(str) + " / " + counted["size"].astype(str)).unstack("market").sort_index()
    told = told.reindex(columns=[*dict.fromkeys(ours["market"]), "all"]).fillna("–").rename_axis(columns=None)
    return Exhibit(name="record_origins", frame=told.reset_index(names="group").astype({"group": str}))


def _hindsight(record: TrackRecord) -> Exhibit:
    """Our record with what could have been known, and as the models are designed today."""
    known, designed = (summarise(ours, ["market"]).set_index("market") for ours in (record.ours, record.with_hindsight))
    frame = pd.DataFrame({"group": known.index.map(_market), "forecasts": known["number"].to_numpy()})
    for name, table in (("known", known), ("designed", designed.reindex(known.index))):
        frame[f"{name}_inside"] = 100.0 * table[HELD].to_numpy(dtype=float)
        frame[f"{name}_typical"] = np.exp(table["typical_error"].to_numpy(dtype=float))
        frame[f"{name}_crps"] = table["crps"].to_numpy(dtype=float)
    return Exhibit(name="record_hindsight", frame=frame)


def _later(record: TrackRecord) -> dict[tuple[str, str], constants.Entry]:
    """The constants that some of our forecasts could not know, by model and name."""
    return constants.later_than(min(record.ours["forecast_date"]))


def _constants(record: TrackRecord) -> Exhibit:
    """The constants that forecasts of earlier days read at a wider default, until their argument was known."""
    found = sorted(_later(record).items(), key=lambda one: (one[1].known or date.max, one[0]))
    frame = pd.DataFrame(
        {
            "constant": [name for (_, name), _ in found],
            "known": [entry.known for _, entry in found],
            "value": [_stated(entry.value) for _, entry in found],
            "default": [_stated(entry.default) for _, entry in found],
        }
    )
    return Exhibit(name="record_constants", frame=frame, facts={"number": len(frame)})


def _stated(value: Any) -> str:
    """Numbers as the registry has them; what is no number is named by the row."""
    numbers = value if isinstance(value, list) else [value]
    return "; ".join(f"{one:g}" for one in numbers) if all(isinstance(one, int | float) for one in numbers) else "–"


def _groups(name: str, table: pd.DataFrame, labels: Iterable[str]) -> Exhibit:
    """Our forecasts by market or horizon."""
    ends = (100 * table[["alone_low", "alone_high"]]).itertuples(index=False)
    bias = table[["bias", "bias_low", "bias_high"]].astype(float).apply(np.exp)
    frame = pd.DataFrame(
        {
            "group": list(labels),
            "forecasts": table["number"],
            "figures": table["outcomes"],
            "inside50": 100.0 * table[covered(0.5)],
            "inside80": 100.0 * table[HELD],
            "allowed": [f"{low:.0f}–{high:.0f}%" for low, high in ends],
            "inside95": 100.0 * table[covered(0.95)],
            "typical": np.exp(table["typical_error"]),
            **bias,
            "crps": table["crps"],
        }
    )
    return Exhibit(name=name, frame=frame)


def _skill(record: TrackRecord) -> list[Exhibit]:
    """Ours against the random walk with drift, market by market, on the forecasts that all methods made."""
    table = summarise(shared(record.scores), ["market", "member"], benchmark=BENCHMARK)
    ours = table[table["member"] == OURS]
    columns = ["market", "number", "crps", "wis", "log_score", "difference", "difference_low", "difference_high"]
    frame = ours[columns].rename(columns={"number": "common"}).assign(skill=100.0 * ours["skill"])
    return [Exhibit(name="record_skill", frame=frame)] if len(frame) else []


def _misses(record: TrackRecord, name: str, missed: pd.DataFrame) -> Exhibit:
    """Every miss of one market: what had been forecast over what came."""
    claims = tuple(missed["claim_id"].unique())
    missed = missed.sort_values(["forecast_date", "day", "claim_id"])
    together = missed.duplicated(["forecast_date", "day"], keep=False)
    labels: list[str] = []
    for one, several in zip(rows(missed), together, strict=True):
        label = f"{one.forecast_date.year} → {one.day.isoformat()[:7]}"
        labels.append(_once(f"{label}, {origin_name(one.publisher)}" if several else label, labels))
    ratios = missed[["median", "low", "high"]].div(missed["published"], axis=0)
    total = int((record.ours["market"] == name).sum())
    return Exhibit(
        name=f"record_misses_{name}",
        entry="record_misses",
        frame=ratios.rename(columns={"median": "value"}).assign(category=labels)[["category", "value", "low", "high"]],
        claims=claims,
        facts={
            "market": _market(name),
            "missed": len(missed),
            "number": total,
            "above": int((ratios["median"] > 1.0).sum()),
        },
    )


def _once(label: str, taken: list[str]) -> str:
    """A label that no row has yet: two figures of one house may speak of one month."""
    number = sum(one == label or one.startswith(f"{label} (") for one in taken)
    return label if not number else f"{label} ({number + 1})"


def _coverage(record: TrackRecord) -> Exhibit:
    """How often our intervals held what came at every level, and what chance allows."""
    curve = record.coverage.assign(nominal=record.coverage.index)
    lines = {
        "ours": ["nominal", "actual", "actual", "actual"],
        "dependent": ["nominal", "nominal", "wide_low", "wide_high"],
        "independent": ["nominal", "nominal", "low", "high"],
    }
    columns = ["period", "value", "low", "high"]
    frames = [
        (100.0 * curve[ends].set_axis(columns, axis=1)).assign(series=series)[["period", "series", *columns[1:]]]
        for series, ends in lines.items()
    ]
    facts = {"nominal": share_of(LEVEL), "actual": share_of(curve["actual"].loc[LEVEL]), **_allowed(record)}
    return Exhibit(name="record_coverage", frame=pd.concat(frames, ignore_index=True), facts=facts)


def _ranks(record: TrackRecord) -> Exhibit:
    """Where in our forecasts the figures fell."""
    ranks = histogram(record.ours["pit"].tolist(), BINS)
    edges = [f"{100 * k // BINS}–{100 * (k + 1) // BINS}%" for k in range(BINS)]
    frame = pd.DataFrame({"category": edges, "value": 100.0 * ranks})
    return Exhibit(name="record_ranks", frame=frame, facts={"low": share_of(ranks[0]), "high": share_of(ranks[-1])})


def _compared(found: pd.DataFrame) -> dict[str, Any]:
    """Columns with the median and 80% interval that had been forecast, and the figure that came."""
    return {
        "forecast": found["median"],
        "forecast_low": found["low"],
        "forecast_high": found["high"],
        "forecast_unit": found["unit"],
        "published": found["published"],
        "published_unit": found["unit"],
    }


def _forecasts(ours: pd.DataFrame) -> Exhibit:
    """Every forecast of ours."""
    frame = pd.DataFrame(
        {
            "market": ours["market"],
            "made": ours["forecast_date"],
            "day": ours["day"],
            **_compared(ours),
            "widths": [half_widths(one) for one in rows(ours)],
            "held": held(ours),
            "claim_id": ours["claim_id"],
        }
    )
    claims, facts = tuple(ours["claim_id"].unique()), {"number": len(ours)}
    return Exhibit(name="record_forecasts", frame=frame, claims=claims, facts=facts)


def _frozen(frozen: Frozen) -> list[Exhibit]:
    """What has come of the releases, and what is due next."""
    scored, waiting = frozen.scores, frozen.waiting.head(SHOWN)
    if frozen.altered or not frozen.releases:
        return []
    found = [_releases(frozen)] if len(frozen.listed) else []
    if len(scored):
        frame = scored[["release", "target", "day"]].assign(
            **_compared(scored),
            crps=scored["crps"],
            held=held(scored).mask(scored["doubtful"].astype(bool), "doubtful"),
            origin=scored["publisher"].map(origin_name),
        )
        claims, facts = tuple(scored["claim_id"].unique()), {"number": len(scored)}
        found.append(Exhibit(name="record_frozen", frame=frame, claims=claims, facts=facts))
    if len(waiting):
        facts = {"number": len(waiting), "waiting": len(frozen.waiting)}
        found.append(Exhibit(name="record_waiting", frame=waiting[["release", "target", "day", "due"]], facts=facts))
    return found


def _releases(frozen: Frozen) -> Exhibit:
    """What was frozen, on which day, from what was known when; and what has come of it."""
    listed = frozen.listed.rename(columns={"forecast_date": "frozen"})
    counts = {
        name: [int((table["release"] == release).sum()) if len(table) else 0 for release in listed["release"]]
        for name, table in (("scored", frozen.scores), ("waiting", frozen.waiting))
    }
    return Exhibit(name="record_releases", frame=listed.assign(**counts))


def _miss(miss: Any) -> dict[str, Fact]:
    """What came and what had been said, what lay in between, and what a reader who knows the field would add."""
    made: date = miss.forecast_date
    known, ratio = bool(miss.figures), {"unit": "ratio", "digits": 2}
    remarks = [{"name": REMARKS[key]} for name in (miss.claim_id, made.year) if (key := (miss.market, name)) in REMARKS]
    learned = miss.learned.isoformat() if isinstance(miss.learned, date) else ""
    return {
        "market": _market(miss.quantity),
        "made": made.isoformat(),
        "year": made.year,
        "day": miss.day.isoformat(),
        "publisher": origin_name(miss.publisher),
        "grade": miss.grade,
        "came": Value(value=float(miss.published), unit=miss.unit, digits=4),
        "said": Value(value=miss.median, unit=miss.unit, low=miss.low, high=miss.high),
        "factor": Value(value=miss.factor, unit="multiple", digits=2),
        "widths": Value(value=float(miss.half_widths), **ratio),
        "known": miss.figures,
        "newest": Value(value=float(miss.newest_value), unit=miss.unit, digits=4) if known else None,
        "newest_day": miss.newest_day.isoformat() if known else None,
        "claim": (miss.claim_id,),
        "claims": (miss.claim_id, miss.newest) if known else (miss.claim_id,),
        "events": len(miss.events),
        "event_claims": tuple(miss.events),
        "wave": int(miss.wave),
        "definition": int(miss.other_definition),
        "voice": int(miss.new_publisher),
        "better": "alone" if not miss.rivals else miss.better if isinstance(miss.better, str) else "ours",
        "learned": learned,
        "never": int(bool(miss.later) and not learned),
        "remarks": remarks,
    }
