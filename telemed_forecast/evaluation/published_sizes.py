"""Every published market size beside ours: which were used, how far each lies off, how past forecasts turned out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemed_forecast.evaluation.published_forecasts import as_printed, ended
from telemed_forecast.evidence import observations
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.paths import Forecast
from telemed_forecast.models import market_size as model
from telemed_forecast.models.market_evidence import FULL_YEAR, calendar_year


@dataclass(frozen=True)
class PublishedSize:
    """One row of the ledger that prints a market size.

    Attributes
    ----------
    year, published_on, forecast
        Calendar year that it speaks of, the day on which it was known, and whether that was before the period ended.
    use
        ``used``, or why not: ``copy``, ``forecast``, ``unsourced``, ``curated``, ``short``, ``early``, or a reason of
        `telemed_forecast.models.market_size.LEFT_OUT`.
    definition
        Definition that it observes; None for other segments.
    size
        Middle of the printed interval, nominal CNY million; of a forecast the printed number.
    bias
        Bias of its origin as a factor, where the model knows the origin. Dims: (sample,).
    ratio
        Printed size over our size of the same year and definition, where we have one. Dims: (sample,).
    """

    claim_id: str
    segment: str
    origin: str
    grade: str
    year: int
    published_on: str
    forecast: bool
    use: str
    definition: str | None
    size: float
    bias: np.ndarray | None
    ratio: np.ndarray | None

    @property
    def error(self) -> float:
        """Absolute log of the median ratio; 0 without one."""
        return 0.0 if self.ratio is None else abs(float(np.log(np.median(self.ratio))))


def published(context: Context, result: Forecast) -> list[PublishedSize]:
    """Every dated row of the metric `market_size` known on the context's date, newest period last."""
    rows = context.rows("market_size")
    dated = rows[rows["period_end"].notna()]
    # A forecast or an excluded row has an interval as any other: what keeps it out of a likelihood is not its digits.
    forecasts = dated["kind"] == "forecast"
    dated = dated.assign(relation=dated["relation"].mask(forecasts, as_printed(dated)["relation"]))
    plain = dated.assign(kind="actual", use="model", restates="", grade=dated["grade"].replace("D", "C"))
    sizes = observations.to_cny(observations.intervals(plain), context.view)
    reasons = observations.left_out(rows).set_index("claim_id")["reason"].to_dict()
    used = set(result.evidence["sizes"].claim_id.tolist())
    info = rows.set_index("claim_id")
    years = calendar_year(sizes)
    full = (sizes.end - sizes.start).astype(int) + 1 >= FULL_YEAR
    ours_by_definition, origins = result.family("market_size"), result.extras["origins"]
    known_years = {p.year for p in result.path.periods}
    bias = np.exp(np.asarray(result.fit.posterior["origin_bias"]))
    found = []
    for k in np.lexsort((sizes.claim_id, years)):
        claim, origin = str(sizes.claim_id[k]), str(sizes.origin[k])
        read = str(sizes.segment[k]) in model.SEGMENTS
        definition = model.DEFINITIONS[model.definitions(sizes.where([k]))[0]] if read else None
        size, year = 0.5 * float(sizes.low[k] + sizes.high[k]), int(years[k])
        ours = definition and full[k] and year in known_years
        found.append(
            PublishedSize(
                claim_id=claim,
                segment=str(sizes.segment[k]),
                origin=origin,
                grade=str(info.loc[claim, "grade"]),
                year=year,
                published_on=str(info.loc[claim, "known_date"])[:10],
                forecast=str(info.loc[claim, "kind"]) == "forecast",
                use="used" if claim in used else _reason(reasons.get(claim, ""), str(sizes.segment[k]), bool(full[k])),
                definition=definition,
                size=size,
                bias=bias[:, origins.index(origin)] if origin in origins else None,
                ratio=size / ours_by_definition[definition].year_end(year) if definition and ours else None,
            )
        )
    return found


def past_forecasts(context: Context, result: Forecast) -> list[PublishedSize]:
    """Published forecasts whose year has ended and whose definition we estimate, the worst first.

    The same forecasts as in the track record: copies are one forecast; what no source stands behind (grade D), or what
    was published after its year, is none.
    """
    forecasts = ended(context)
    scored = set(forecasts.loc[forecasts["reason"] == "", "claim_id"])
    own = [row for row in published(context, result) if row.claim_id in scored]
    known = [row for row in own if row.ratio is not None and row.year <= result.last_year]
    return sorted(known, key=lambda r: -r.error)


_CURATED = {
    "restates": "copy",
    "forecast": "forecast",
    "grade D": "unsourced",
    "context": "curated",
    "excluded": "curated",
}
"""How the reasons of `observations.left_out` begin, and their names here."""


def _reason(curated: str, segment: str, full: bool) -> str:
    """Why a row did not enter."""
    for start, name in _CURATED.items():
        if curated.startswith(start):
            return name
    return model.LEFT_OUT.get(segment) or ("early" if full else "short")
