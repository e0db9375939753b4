"""A made-up page in both languages, with every type of block and every kind of chart, for the tests here."""

from __future__ import annotations

from functools import cache
from math import exp
from pathlib import Path

from telemed_forecast.render.texts import TEXTS, Catalogue, read
from telemed_forecast.reporting.blocks import (
    Block,
    Chart,
    Column,
    ForecastTable,
    GateResult,
    Gates,
    Heading,
    KeyFigure,
    KeyFigures,
    Language,
    Markdown,
    Paragraph,
    Provenance,
    SourceRow,
    Sources,
    TableBlock,
    Title,
    Value,
)


@cache
def texts(lang: Language) -> Catalogue:
    """The language's catalogue with the made-up page's texts."""
    own = read(Path(__file__).parent / f"made_up_{lang}.toml")
    return Catalogue(lang, read(TEXTS / f"{lang}.toml") | own)


def users(year: float) -> float:
    """A made-up curve of users (persons)."""
    return 560e6 / (1 + exp(-0.24 * (year - 2020.4)))


def value(number: float, unit: str, low: float | None = None, high: float | None = None) -> Value:
    return Value(value=number, unit=unit, low=low, high=high)  # type: ignore[arg-type]


def fan(*, log: bool = False) -> Chart:
    rows = []
    for year in range(2016, 2031):
        middle = users(year)
        spread = 0.012 if year < 2026 else 0.02 + 0.028 * (year - 2025)
        widths = {"50": 0.67 * spread, "80": 1.28 * spread, "95": 1.96 * spread}
        bands = {
            f"{side}{k}": middle * exp(sign * w) for k, w in widths.items() for side, sign in (("low", -1), ("high", 1))
        }
        rows.append({"period": f"{year}-12-31", "median": middle, **bands})
    points = [
        {
            "period": day,
            "low": users(int(day[:4]) + (0 if day[5:7] == "12" else -0.5)) * 0.975,
            "high": users(int(day[:4]) + (0 if day[5:7] == "12" else -0.5)) * 1.01,
            "grade": "A" if index % 3 else "B",
            "claim_id": f"claim-{index}",
            "label": f"survey {index + 40}",
        }
        for index, day in enumerate(
            [
                "2016-12-31",
                "2017-06-30",
                "2018-12-31",
                "2020-06-30",
                "2021-12-31",
                "2022-12-31",
                "2023-12-31",
                "2024-12-31",
            ]
        )
    ]
    lines = [
        {
            "period": f"{year}-12-31",
            "series": f"@demo.series.{name}",
            "value": users(2025) * (1 + rate * (year - 2025)),
        }
        for name, rate in (("prophet", 0.045), ("theta", 0.012))
        for year in range(2025, 2031)
    ]
    return Chart(
        id="users_fan_log" if log else "users_fan",
        kind="fan",
        title_key="demo.fan.title",
        alt_key="demo.fan.alt",
        alt_values={"first": value(users(2016), "persons"), "last": value(511e6, "persons", 460e6, 560e6)},
        caption_key="demo.fan.caption",
        unit="persons",
        data={name: [row[name] for row in rows] for name in rows[0]},  # type: ignore[arg-type]
        points={name: [row[name] for row in points] for name in points[0]},  # type: ignore[arg-type]
        lines={name: [row[name] for row in lines] for name in lines[0]},  # type: ignore[arg-type]
        as_of="2025-09-30",  # type: ignore[arg-type]
        log=log,
        sources=("claim-7",),
    )


def series_chart(kind: str) -> Chart:
    names = (
        ("count", "encounters", "revenue") if kind == "lines" else ("drugs", "consultations", "devices", "insurance")
    )
    rows = []
    for index, name in enumerate(names):
        for year in range(2018, 2031):
            middle = (
                100 / (1 + exp(-0.2 * (year - 2024 - 2 * index)))
                if kind == "lines"
                else (4 - index) ** 2 * 6000 * (year - 2014)
            )
            rows.append((f"{year}-12-31", f"@demo.series.{name}", middle, middle * 0.9, min(middle * 1.1, 100)))
    columns = ("period", "series", "value", "low", "high") if kind == "lines" else ("period", "series", "value")
    return Chart(
        id=f"demo_{kind}",
        kind=kind,  # type: ignore[arg-type]
        title_key=f"demo.{kind}.title",
        alt_key=f"demo.{kind}.alt",
        unit="percent" if kind == "lines" else "CNY_million",
        data={"columns": columns, "rows": [row[: len(columns)] for row in rows]},  # type: ignore[arg-type]
        x="year",
        as_of="2025-09-30" if kind == "lines" else None,  # type: ignore[arg-type]
        sources=("claim-1", "claim-3"),
    )


def tornado() -> Chart:
    levers = {
        "cover": (-61e3, 92e3),
        "first": (-12e3, 55e3),
        "drugs": (-38e3, 31e3),
        "retention": (-22e3, 20e3),
        "price": (-9e3, 11e3),
    }
    rows = [
        (f"@demo.lever.{n}", e, f"@demo.series.{s}")
        for n, pair in levers.items()
        for e, s in zip(pair, ("down", "up"), strict=True)
    ]
    return Chart(
        id="tornado",
        kind="bars",
        title_key="demo.tornado.title",
        alt_key="demo.tornado.alt",
        unit="CNY_million",
        data={"columns": ("category", "value", "series"), "rows": rows},  # type: ignore[arg-type]
        sources=("claim-2",),
    )


def bars() -> Chart:
    rows = [
        ("Guangdong", 412.0, 398.0, 430.0),
        ("Shandong", 371.0, None, None),
        ("Zhejiang", 240.0, 231.0, 252.0),
        ("Sichuan", 198.0, None, None),
        ("Tibet", 6.0, None, None),
    ]
    return Chart(
        id="provinces",
        kind="bars",
        title_key="demo.bars.title",
        alt_key="demo.bars.alt",
        unit="hospitals",
        data={"columns": ("category", "value", "low", "high"), "rows": rows},  # type: ignore[arg-type]
        sources=("claim-4",),
    )


def dots() -> Chart:
    rows = [
        ("Growth engine", 0.71, 0.62, 0.81),
        ("Ensemble of all five models", 0.74, 0.66, 0.83),
        ("Theta", 0.93, 0.85, 1.03),
        ("AutoETS", 0.98, 0.88, 1.1),
        ("Prophet", 1.12, 0.94, 1.37),
    ]
    return Chart(
        id="errors",
        kind="dots",
        title_key="demo.dots.title",
        alt_key="demo.dots.alt",
        unit="ratio",
        data={"columns": ("category", "value", "low", "high"), "rows": rows},  # type: ignore[arg-type]
        reference=1.0,
        reference_key="demo.dots.reference",
    )


def charts() -> list[Chart]:
    return [fan(), series_chart("lines"), series_chart("stack"), tornado(), dots(), bars()]


def figures() -> KeyFigures:
    return KeyFigures(
        items=(
            KeyFigure(
                id="users_2030",
                key="demo.users.label",
                value=value(511.3e6, "persons", 461e6, 561e6),
                period="2030-12-31",
                sources=("claim-0", "claim-1", "claim-2", "claim-5"),
                note_key="demo.users.note",
                note_values={"rate": value(45.2, "percent", 40.1, 50.3)},
            ),
            KeyFigure(
                id="market_2030",
                key="demo.market.label",
                value=value(384_700, "CNY_million", 310_000, 482_000),
                period="2030",
                sources=("claim-3",),
                status="directional",
            ),
            KeyFigure(
                id="hospitals_2025",
                key="demo.hospitals.label",
                value=value(3756, "hospitals"),
                period="2025-09-30",
                sources=("claim-4",),
            ),
            KeyFigure(
                id="lead_2030",
                key="demo.lead.label",
                value=value(0.734, "probability"),
                period="2025/2030",
                sources=("claim-1", "claim-6"),
            ),
        )
    )


def table() -> TableBlock:
    rows = [
        (
            str(year),
            value(users(year), "persons", users(year) * 0.92, users(year) * 1.07),
            40 + 1.3 * (year - 2026),
            "@demo.series.prophet" if year == 2028 else "growth engine",
        )
        for year in range(2026, 2031)
    ]
    return TableBlock(
        id="users_by_year",
        title_key="demo.table.title",
        note_key="demo.table.note",
        columns=(
            Column(name="year", key="demo.column.year"),
            Column(name="users", key="demo.column.users", unit="persons"),
            Column(name="rate", key="demo.column.rate", unit="percent", digits=3),
            Column(name="model", key="demo.column.model"),
        ),
        rows=rows,
        sources=("claim-0", "claim-7"),
    )


def sources() -> Sources:
    origins = (
        "China Internet Network Information Center",
        "National Health Commission",
        "Frost & Sullivan",
        "iResearch",
    )
    rows = [
        SourceRow(
            claim_id=f"claim-{i}",
            origin=origins[i % 4],
            title=f"Statistical report on internet development, no. {40 + i} <draft>",
            url=f"https://example.org/reports/{i}?a=1&b=2",
            date=("2024-08-29", "2023-03", "2021", "")[i % 4],
            grade="ABBC"[i % 4],
        )  # type: ignore[arg-type]
        for i in range(8)
    ]
    return Sources(rows=rows)  # type: ignore[arg-type]


def gates(*, ok: bool = True) -> Gates:
    fits = [
        GateResult(
            name="user_adoption",
            ok=True,
            rhat_max=1.003,
            ess_bulk_min=1840,
            ess_tail_min=1622,
            divergences=0,
            bfmi_min=0.84,
            draws=1000,
            chains=4,
            profile="full",
        ),
        GateResult(
            name="market_size",
            ok=ok,
            rhat_max=1.003 if ok else 1.042,
            ess_bulk_min=1210,
            ess_tail_min=990,
            divergences=0 if ok else 7,
            bfmi_min=None,
            draws=1000,
            chains=4,
            profile="full",
        ),
    ]
    return Gates(fits=tuple(fits))


def forecasts() -> ForecastTable:
    levels = (0.1, 0.5, 0.9)
    rows = [
        (
            "2025-09-30",
            "online medical users",
            year - 2025,
            f"{year}-12-31",
            "CN",
            "quantile",
            level,
            users(year) * (0.8 + 0.4 * level),
            "base",
            "adoption",
            "persons",
        )
        for year in (2026, 2027)
        for level in levels
    ]
    names = (
        "reference_date",
        "target",
        "horizon",
        "target_end_date",
        "location",
        "output_type",
        "output_type_id",
        "value",
        "scenario",
        "model",
        "unit",
    )
    return ForecastTable(data={"columns": names, "rows": rows})  # type: ignore[arg-type]


def provenance() -> Provenance:
    return Provenance(
        as_of="2025-09-30",
        vintage="2026-11-21",
        scenario="base",
        seed=20261121,
        profile="full",
        versions={"telemed-forecast": "0.1.0", "pymc": "6.4.0"},
        parameters={"horizon": 2030, "as_of": "2025-09-30"},
    )  # type: ignore[arg-type]


def page(*, ok: bool = True) -> list[Block]:
    """Every block type, in the order a notebook shows them."""
    return [
        Title(report="user_adoption"),
        figures(),
        Heading(key="demo.section.users"),
        Paragraph(
            key="demo.users.text",
            values={
                "users": value(511.3e6, "persons", 461e6, 561e6),
                "growth": value(1.24, "multiple", 1.12, 1.37),
                "fall": value(0.004, "probability"),
            },
            sources=("claim-5", "claim-6"),
        ),
        fan(),
        table(),
        Heading(key="demo.section.market"),
        Paragraph(
            key="demo.market.text",
            values={
                "market": value(384_700, "CNY_million", 310_000, 482_000),
                "consult": value(61_000, "CNY_million", 42_000, 88_000),
            },
            sources=("claim-3",),
        ),
        series_chart("stack"),
        Heading(key="demo.part.scenarios", level=3),
        tornado(),
        series_chart("lines"),
        Heading(key="demo.section.compare"),
        Markdown(text="Scores are *relative* to the random walk with drift; <b>lower</b> is better."),
        dots(),
        bars(),
        gates(ok=ok),
        sources(),
        forecasts(),
        provenance(),
    ]
