"""Revenue of platforms as series: one figure a fiscal year, from annual reports, half-years and restatements.

The rules, in the order in which they are applied:

- A period that was reported more than once counts once, with the figure that became known last (a restatement).
- A company keeps its own fiscal year: Alibaba Health's ends on 31 March, and its year 2025 is the one that ends then.
  Only sums over companies are converted to calendar years, by days (:func:`calendar_weights`).
- An annual figure stands for its year. Where there is none, two half-years are added up; a share of revenue that was
  printed with a revenue gives the part. A first half alone is no year: it is kept apart, as evidence on a year that is
  still to be forecast. So no half-year is counted beside the year that holds it.
- A series begins after the last change of what the company counts (`BREAKS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from telemed_forecast.curves.series import Series
from telemed_forecast.evidence.observations import Observations
from telemed_forecast.forecast.context import Context

METRICS = (
    "revenue",
    "revenue_drug_sales",
    "revenue_platform_services",
    "revenue_online_medical_services",
)
"""What is forecast by company: all revenue, and its parts where they are reported."""

SHARES = {"revenue_online_medical_services": "revenue_share_online_medical_services"}
"""Part of revenue -> its share of revenue, which some reports print instead. Printed shares of drug sales hold
goods that others sell on the platform, too (97% of Alibaba Health's revenue in 2019, 85% a year later): not used."""

BREAKS: Mapping[tuple[str, str], int] = {("wedoctor", "revenue"): 2021}
"""(company, metric) -> first fiscal year comparable with the newest: WeDoctor's reports to 2020 hold businesses that
were given up in 2021, those from 2021 on the continuing ones (rows wed-2020-revenue and wed-2021-revenue)."""

FEWEST = 4
"""Fiscal years that a series has at least to be forecast."""

YEAR_DAYS = (350, 380)
HALF_DAYS = (175, 190)
"""Days of a period that counts as a year and as a half-year; quarters and odd periods are left aside."""


@dataclass(frozen=True, eq=False)
class Reported:
    """What one company reported of one metric.

    Attributes
    ----------
    series
        CNY million by fiscal year (numbered by the year it ends in), in the order of `claims`.
    first_halves
        Fiscal year -> CNY million of its first half, wherever it is known.
    """

    company: str
    metric: str
    series: Series
    first_halves: dict[int, float]
    claims: tuple[str, ...]

    @property
    def last(self) -> int:
        """The newest fiscal year with a figure."""
        return int(self.series.index[-1])

    def until(self, year: int) -> Reported:
        """What was reported of the fiscal years up to one, half-years of later years left out."""
        kept = self.series.index <= year
        series = _series(
            self.company, self.metric, self.series.index[kept], self.series.values[kept], self.series.early
        )
        halves = {y: half for y, half in self.first_halves.items() if y <= year}
        return Reported(self.company, self.metric, series, halves, self.claims)


def reported(context: Context, metric: str) -> list[Reported]:
    """The series of every company that reported a metric, by company; of at least one fiscal year."""
    rows = _newest(context, context.observed(metric))
    parts = _implied(context, metric) if metric in SHARES else {}
    companies = sorted({str(s) for s in rows.segment} | {company for company, _, _ in parts})
    found = [_of_company(company, metric, rows.where(rows.segment == company), parts) for company in companies]
    return [one for one in found if one is not None]


def _newest(context: Context, rows: Observations) -> Observations:
    """One figure a company and period: the one that became known last."""
    known = context.view.set_index("claim_id")["known_date"]
    dates = known.loc[list(rows.claim_id)].to_numpy("datetime64[D]") if len(rows) else np.array([], "datetime64[D]")
    order = np.lexsort((rows.claim_id, dates))
    newest = {(str(rows.segment[k]), rows.start[k], rows.end[k]): int(k) for k in order}
    return rows.where(np.array(sorted(newest.values()), dtype=int))


def _implied(context: Context, metric: str) -> dict[tuple[str, int, int], tuple[float, str]]:
    """Parts of revenue that a printed share implies: (company, year, month of its end) -> (CNY million, claim)."""
    shares = _newest(context, context.observed(SHARES[metric]))
    revenue = _newest(context, context.observed("revenue"))
    total = {(str(revenue.segment[k]), revenue.start[k], revenue.end[k]): k for k in range(len(revenue))}
    found = {}
    for k in range(len(shares)):
        of = total.get((str(shares.segment[k]), shares.start[k], shares.end[k]))
        if of is None or not _is_year(shares, k):
            continue
        value = (shares.low[k] + shares.high[k]) / 200.0 * 0.5 * (revenue.low[of] + revenue.high[of])
        end = shares.end[k].astype(date)
        found[str(shares.segment[k]), end.year, end.month] = (float(value), str(shares.claim_id[k]))
    return found


@dataclass(frozen=True)
class Result:
    """Profit (CNY million; a loss is negative) of one company in a period of 12 or 6 months."""

    company: str
    claim: str
    end: date
    months: int
    profit: float


def results(context: Context) -> list[Result]:
    """Net profit of every company by period, years and half-years, ordered by company and day."""
    rows = _newest(context, context.observed("net_profit"))
    found = []
    for k in range(len(rows)):
        days = int((rows.end[k] - rows.start[k]).astype(int)) + 1
        months = 12 if _is_year(rows, k) else 6 if HALF_DAYS[0] <= days <= HALF_DAYS[1] else 0
        if months:
            end = rows.end[k].astype(date)
            found.append(Result(str(rows.segment[k]), str(rows.claim_id[k]), end, months, _middle(rows, k)))
    return sorted(found, key=lambda one: (one.company, one.end, one.months))


def _of_company(
    company: str, metric: str, rows: Observations, parts: Mapping[tuple[str, int, int], tuple[float, str]]
) -> Reported | None:
    """One company's series, or None when no fiscal year is known."""
    years = {year: part for (name, year, _), part in parts.items() if name == company}
    ends = {year: month for name, year, month in parts if name == company}
    for k in range(len(rows)):
        if _is_year(rows, k):
            end = rows.end[k].astype(date)
            years[end.year], ends[end.year] = (_middle(rows, k), str(rows.claim_id[k])), end.month
    if not ends:
        return None
    month = ends[max(ends)]
    halves = _halves(rows, month)
    for year, (first, second) in halves.items():
        if first is not None and second is not None:
            years.setdefault(year, (first[0] + second[0], second[1]))
    begin = BREAKS.get((company, metric), 0)
    index = np.array(sorted(year for year in years if year >= begin))
    if not len(index):
        return None
    values = np.array([years[year][0] for year in index])
    first_halves = {year: first[0] for year, (first, _) in halves.items() if first is not None and year >= begin}
    claims = tuple(years[year][1] for year in index)
    return Reported(company, metric, _series(company, metric, index, values, 12 - month), first_halves, claims)


def _series(company: str, metric: str, index: np.ndarray, values: np.ndarray, early: int) -> Series:
    return Series(f"{company}_{metric}", "annual", index, values, unit="CNY_million", early=early)


Half = tuple[float, str] | None


def _halves(rows: Observations, month: int) -> dict[int, tuple[Half, Half]]:
    """Fiscal year -> its first and second half, for a fiscal year that ends with a month."""
    found: dict[int, list[Half]] = {}
    for k in range(len(rows)):
        days = int((rows.end[k] - rows.start[k]).astype(int)) + 1
        if not HALF_DAYS[0] <= days <= HALF_DAYS[1]:
            continue
        end = rows.end[k].astype(date)
        second = end.month == month
        year = end.year if end.month <= month else end.year + 1
        found.setdefault(year, [None, None])[second] = (_middle(rows, k), str(rows.claim_id[k]))
    return {year: (first, second) for year, (first, second) in found.items()}


def _is_year(rows: Observations, k: int) -> bool:
    days = int((rows.end[k] - rows.start[k]).astype(int)) + 1
    return YEAR_DAYS[0] <= days <= YEAR_DAYS[1]


def _middle(rows: Observations, k: int) -> float:
    return float(0.5 * (rows.low[k] + rows.high[k]))


def calendar_weights(year: int, early: int) -> tuple[float, float]:
    """Parts of the fiscal years that end in a calendar year and in the next one that fall into the calendar year.

    The fiscal year ends `early` months before the calendar's; 0 gives (1, 0).
    """
    month = np.timedelta64(1, "M")
    end = np.datetime64(f"{year}-01", "M") + (12 - early) * month
    begin, stop = np.datetime64(f"{year}-01-01"), np.datetime64(f"{year + 1}-01-01")
    before, own, after = ((end + k * month).astype("datetime64[D]") for k in (-12, 0, 12))
    return float((own - begin) / (own - before)), float((stop - own) / (after - own))
