"""The part of the report on channels that listed platforms' accounts tell: revenue ahead, looking back, and losses."""

from __future__ import annotations

import numpy as np

from telemed_forecast.evaluation import scores
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.founding_claim import FAST
from telemed_forecast.forecast.paths import Path
from telemed_forecast.forecast.platform_revenue import Outlook, Past, PlatformRevenue
from telemed_forecast.forecast.platform_series import FEWEST, METRICS, Result
from telemed_forecast.reporting.blocks import (
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
from telemed_forecast.reporting.content.parts import value

SHOWN = 6
"""Companies in one chart: more lines cannot be told apart."""

SINCE = 2017
"""First year of the charts."""


def revenue(context: Context, platforms: PlatformRevenue) -> list[Block]:
    """What the platforms will earn: the sum, each company, and how good such forecasts were."""
    blocks: list[Block] = [Heading(key="platforms.heading")]
    if platforms.total is None:
        return [*blocks, Paragraph(key="platforms.none")]
    total, horizon = platforms.total, context.settings.horizon
    values: dict[str, Value | str | int | float] = {
        "number": len(platforms.parts),
        "year": total.periods[total.last_known].year,
        "now": value(total.draws[:, total.last_known], "CNY_million"),
        "horizon": horizon,
        "then": value(total.year_end(horizon), "CNY_million"),
        "correlation": Value(value=platforms.correlation, unit="ratio", digits=1),
    }
    return [
        *blocks,
        Paragraph(key="platforms.text", values=values),
        parts.fan(
            "platform_revenue_path",
            total,
            as_of=context.settings.as_of_date,
            since=SINCE,
            sources=_claims(platforms, "revenue"),
        ),
        _sum_table(platforms, total),
        _company_chart(context, platforms),
        Heading(key="platforms.companies", level=3),
        Paragraph(key="platforms.companies_text", values={"fewest": FEWEST}),
        *_company_tables(context, platforms),
        *_scores(platforms),
    ]


def _claims(platforms: PlatformRevenue, metric: str) -> tuple[str, ...]:
    found = [one.reported.claims[-1] for (name, _), one in platforms.outlooks.items() if name == metric]
    return tuple(dict.fromkeys(found))


def _sum_table(platforms: PlatformRevenue, total: Path) -> TableBlock:
    """The sum under three assumptions on how the companies move."""
    paths = {"total": total, "alone": platforms.alone, "together": platforms.together}
    columns = [Column(name="year", key="column.year", unit="year")]
    columns += [Column(name=name, key=f"platform_column.sum_{name}", unit="CNY_million") for name in paths]
    rows = tuple(
        (total.periods[k].year, *(value(path.draws[:, k], "CNY_million") for path in paths.values() if path))
        for k in range(total.last_known, len(total.periods))
    )
    return TableBlock(
        id="platform_sum",
        title_key="table.platform_sum.title",
        note_key="table.platform_sum.note",
        columns=tuple(columns),
        rows=rows,
        sources=_claims(platforms, "revenue"),
    )


def _company_chart(context: Context, platforms: PlatformRevenue) -> Chart:
    """The largest companies' revenue on their fiscal years, reported and forecast."""
    ours = [
        one for (metric, name), one in platforms.outlooks.items() if metric == "revenue" and name in platforms.parts
    ]
    largest = sorted(ours, key=lambda one: -one.reported.series.values[-1])[:SHOWN]
    rows = []
    for one in largest:
        path = one.path
        low, middle, high = np.quantile(path.draws, [0.1, 0.5, 0.9], axis=0)
        rows += [
            (day.isoformat(), parts.origin_name(one.reported.company), float(middle[k]), float(low[k]), float(high[k]))
            for k, day in enumerate(path.periods)
            if day.year >= SINCE and day.year <= context.settings.horizon and low[k] > 0
        ]
    return Chart(
        id="company_revenue",
        kind="lines",
        title_key="chart.company_revenue.title",
        alt_key="chart.company_revenue.alt",
        unit="CNY_million",
        data=Table(columns=("period", "series", "value", "low", "high"), rows=tuple(rows)),
        as_of=context.settings.as_of_date,
        x="year",
        log=True,
        sources=tuple(one.reported.claims[-1] for one in largest),
    )


def _company_tables(context: Context, platforms: PlatformRevenue) -> list[Block]:
    """Each series: the newest figure, the next year and the horizon, by us and by Prophet."""
    horizon = context.settings.horizon
    columns = (
        Column(name="company", key="platform_column.company"),
        Column(name="metric", key="platform_column.metric"),
        Column(name="fiscal_end", key="platform_column.fiscal_end"),
        Column(name="reported", key="platform_column.reported", unit="CNY_million", digits=4),
        Column(name="next_ours", key="platform_column.next_ours", unit="CNY_million"),
        Column(name="next_prophet", key="platform_column.next_prophet", unit="CNY_million"),
        Column(name="last_ours", key="platform_column.last_ours", unit="CNY_million"),
        Column(name="growth_ours", key="platform_column.growth_ours", unit="percent"),
        Column(name="growth_prophet", key="platform_column.growth_prophet", unit="percent"),
    )
    tables: list[Block] = []
    for name, metrics in (("company_forecasts", METRICS[:1]), ("part_forecasts", METRICS[1:])):
        ours = [one for metric in metrics for (of, _), one in platforms.outlooks.items() if of == metric]
        # Of all revenue there is no part to name.
        named = [k for k, column in enumerate(columns) if column.name != "metric" or len(metrics) > 1]
        if ours:
            tables.append(
                TableBlock(
                    id=name,
                    title_key=f"table.{name}.title",
                    title_values={"horizon": horizon},
                    note_key="table.company_forecasts.note",
                    columns=tuple(columns[k] for k in named),
                    rows=tuple(tuple(_company_row(one, horizon)[k] for k in named) for one in ours),
                    sources=tuple(dict.fromkeys(one.reported.claims[-1] for one in ours)),
                )
            )
    return tables


def _company_row(one: Outlook, horizon: int) -> tuple[Value | str | float | None, ...]:
    series = one.reported.series
    at, newest = int(np.flatnonzero(one.years == horizon)[0]), float(series.values[-1])

    def growth(draws: np.ndarray) -> Value:
        return value(100.0 * ((draws / newest) ** (1.0 / (at + 1)) - 1.0), "percent")

    return (
        parts.origin_name(one.reported.company),
        f"@platform_metric.{one.reported.metric}",
        str(series.last_days(series.index[-1:])[0]),
        newest,
        value(one.draws[:, 0], "CNY_million"),
        None if one.prophet is None else value(one.prophet[:, 0], "CNY_million"),
        value(one.draws[:, at], "CNY_million"),
        growth(one.draws[:, at]),
        None if one.prophet is None else growth(one.prophet[:, at]),
    )


def _scores(platforms: PlatformRevenue) -> list[Block]:
    """How forecasts of the same kind would have done in earlier years."""
    heading = Heading(key="platforms.look_back", level=3)
    groups = {
        (metric, ahead): [p for p in platforms.past if p.metric == metric and p.ahead == ahead]
        for metric in METRICS
        for ahead in (1, 2)
    }
    groups = {key: found for key, found in groups.items() if found}
    if not groups:
        return [heading, Paragraph(key="platforms.look_back_none", values={"fewest": FEWEST})]
    columns = (
        Column(name="metric", key="platform_column.metric"),
        Column(name="ahead", key="platform_column.years_ahead", unit="years"),
        Column(name="number", key="platform_column.number"),
        Column(name="crps", key="platform_column.crps_ours", unit="ratio", digits=2),
        Column(name="inside", key="platform_column.inside_ours", unit="percent", digits=2),
        Column(name="crps_prophet", key="platform_column.crps_prophet", unit="ratio", digits=2),
        Column(name="inside_prophet", key="platform_column.inside_prophet", unit="percent", digits=2),
    )
    rows = tuple(
        (
            f"@platform_metric.{metric}",
            ahead,
            len(found),
            *_score([(p, p.draws) for p in found]),
            *_score(_prophets(found)),
        )
        for (metric, ahead), found in groups.items()
    )
    table = TableBlock(
        id="platform_scores",
        title_key="table.platform_scores.title",
        note_key="table.platform_scores.note",
        columns=columns,
        rows=rows,
    )
    return [heading, Paragraph(key="platforms.look_back_text"), table]


def _prophets(past: list[Past]) -> list[tuple[Past, np.ndarray]]:
    return [(p, p.prophet) for p in past if p.prophet is not None]


def _score(forecasts: list[tuple[Past, np.ndarray]]) -> tuple[Value | None, Value | None]:
    """Mean CRPS on the log scale, and how many of the 80% intervals held the figure."""
    if not forecasts:
        return None, None
    crps, inside = [], []
    for past, draws in forecasts:
        truth = scores.scaled(np.array([past.actual]), "CNY_million")
        scaled = scores.scaled(np.maximum(draws, 1e-6), "CNY_million")[:, None]
        crps.append(scores.crps(scaled, truth)[0])
        inside.append(scores.interval_coverage(scaled, truth, 0.8)[0])
    return (
        Value(value=float(np.mean(crps)), unit="ratio", digits=2),
        Value(value=100.0 * float(np.mean(inside)), unit="percent", digits=2),
    )


def challenges(context: Context, platforms: PlatformRevenue) -> list[Block]:
    """What challenges are visible already: slow growth and losses, by year and company."""
    blocks: list[Block] = [Heading(key="platforms.losses")]
    newest = _newest(platforms.results)
    if not newest:
        return [*blocks, Paragraph(key="platforms.losses_none")]
    losing = sum(one.profit < 0 for one in newest)
    fast = Value(value=100.0 * FAST, unit="percent", digits=2)
    claims = tuple(one.claim for one in newest)
    blocks.append(
        Paragraph(
            key="platforms.losses_text",
            values={"losing": losing, "number": len(newest), "fast": fast},
            sources=claims,
        )
    )
    columns = (
        Column(name="company", key="platform_column.company"),
        Column(name="end", key="platform_column.period_end"),
        Column(name="months", key="platform_column.months"),
        Column(name="profit", key="platform_column.profit", unit="CNY_million", digits=4),
        Column(name="years", key="platform_column.years_reported"),
        Column(name="losses", key="platform_column.years_lost"),
    )
    years = {
        company: [one for one in platforms.results if one.company == company and one.months == 12]
        for company in (one.company for one in newest)
    }
    rows = tuple(
        (
            parts.origin_name(one.company),
            one.end.isoformat(),
            one.months,
            one.profit,
            len(years[one.company]),
            sum(year.profit < 0 for year in years[one.company]),
        )
        for one in sorted(newest, key=lambda one: one.profit)
    )
    profits = TableBlock(
        id="platform_profits", title_key="table.platform_profits.title", columns=columns, rows=rows, sources=claims
    )
    return [*blocks, *_by_year(context, platforms), profits]


def _newest(results: tuple[Result, ...]) -> list[Result]:
    """Each company's newest result; of a year and its second half the year."""
    found: dict[str, Result] = {}
    for one in results:
        known = found.get(one.company)
        if known is None or (one.end, one.months) > (known.end, known.months):
            found[one.company] = one
    return list(found.values())


def _by_year(context: Context, platforms: PlatformRevenue) -> list[Block]:
    """By fiscal year: how many companies grew slowly, and how many lost money."""
    series = [one.reported.series for (metric, _), one in platforms.outlooks.items() if metric == "revenue"]
    growth = [
        (int(year), after / before - 1.0)
        for one in series
        for year, last, before, after in zip(one.index[1:], one.index, one.values, one.values[1:], strict=False)
        if year == last + 1
    ]
    profit = [(one.end.year, one.profit) for one in platforms.results if one.months == 12]
    rows = []
    for year in range(SINCE, context.last_year + 1):
        grown = [rate for at, rate in growth if at == year]
        earned = [amount for at, amount in profit if at == year]
        if grown or earned:
            slow, lost = sum(rate < FAST for rate in grown), sum(amount < 0 for amount in earned)
            rows.append((year, len(grown), slow, len(earned), lost))
    columns = (
        Column(name="year", key="platform_column.fiscal_year", unit="year"),
        Column(name="grown", key="platform_column.with_growth"),
        Column(name="slow", key="platform_column.growing_slowly"),
        Column(name="earned", key="platform_column.with_result"),
        Column(name="lost", key="platform_column.losing"),
    )
    table = TableBlock(
        id="platform_challenges",
        title_key="table.platform_challenges.title",
        columns=columns,
        rows=tuple(rows),
        sources=platforms.claims,
    )
    return [table] if rows else []


def appendix(context: Context, platforms: PlatformRevenue) -> list[Block]:
    """Each forecast of the past, and the series too short for one."""
    blocks: list[Block] = [Heading(key="platforms.appendix", level=3), Paragraph(key="platforms.rules")]
    if platforms.past:
        blocks.append(_past_table(platforms))
    if platforms.left_out:
        columns = (
            Column(name="company", key="platform_column.company"),
            Column(name="metric", key="platform_column.metric"),
            Column(name="years", key="platform_column.years_reported"),
        )
        rows = tuple(
            (parts.origin_name(c), f"@platform_metric.{metric}", years) for c, metric, years in platforms.left_out
        )
        blocks.append(
            TableBlock(id="platforms_left_out", title_key="table.platforms_left_out.title", columns=columns, rows=rows)
        )
    return blocks


def _past_table(platforms: PlatformRevenue) -> TableBlock:
    columns = (
        Column(name="company", key="platform_column.company"),
        Column(name="metric", key="platform_column.metric"),
        Column(name="origin", key="platform_column.origin_year", unit="year"),
        Column(name="year", key="platform_column.fiscal_year", unit="year"),
        Column(name="actual", key="platform_column.reported", unit="CNY_million", digits=4),
        Column(name="ours", key="platform_column.forecast_ours", unit="CNY_million"),
        Column(name="prophet", key="platform_column.forecast_prophet", unit="CNY_million"),
    )
    rows = tuple(
        (
            parts.origin_name(p.company),
            f"@platform_metric.{p.metric}",
            p.origin,
            p.origin + p.ahead,
            p.actual,
            value(p.draws, "CNY_million"),
            None if p.prophet is None else value(p.prophet, "CNY_million"),
        )
        for p in platforms.past
    )
    return TableBlock(
        id="platform_look_back",
        title_key="table.platform_look_back.title",
        columns=columns,
        rows=rows,
        sources=platforms.claims,
    )
