"""A made-up page in both languages, with every kind of piece and of chart, for the tests here."""

from __future__ import annotations

from functools import cache
from math import exp

import pandas as pd

from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.exhibits.values import KeyFigure, Value
from telemed_forecast.names import FORECAST_COLUMNS
from telemed_forecast.render.page import Page, Prose, Section
from telemed_forecast.render.readable import Readable
from telemed_forecast.render.texts import catalogue
from telemed_forecast.render.views import CITE

YEARS = range(2016, 2031)


def users(year: float) -> float:
    """A made-up curve of users (persons)."""
    return 560e6 / (1 + exp(-0.24 * (year - 2020.4)))


def value(number, unit, low=None, high=None):
    return Value(value=number, unit=unit, low=low, high=high)


def fan(entry: str = "") -> Exhibit:
    """Users with bands, published points and cross-check lines."""
    ends = {"low95": -1.96, "low80": -1.28, "low50": -0.67, "median": 0, "high50": 0.67, "high80": 1.28, "high95": 1.96}
    spread = [0.012 if year < 2026 else 0.02 + 0.028 * (year - 2025) for year in YEARS]
    bands = {
        name: [users(year) * exp(end * wide) for year, wide in zip(YEARS, spread, strict=True)]
        for name, end in ends.items()
    }
    days = "2016-12-31 2017-06-30 2018-12-31 2020-06-30 2021-12-31 2022-12-31 2023-12-31 2024-12-31".split()
    middles = [users(int(day[:4]) + (0 if day[5:7] == "12" else -0.5)) for day in days]
    points = pd.DataFrame(
        {
            "period": days,
            "low": [0.975 * middle for middle in middles],
            "high": [1.01 * middle for middle in middles],
            "grade": ["A" if k % 3 else "B" for k in range(8)],
            "claim_id": [f"claim-{k}" for k in range(8)],
            "label": [f"survey {k + 40}" for k in range(8)],
        }
    )
    late = range(2025, 2031)
    lines = [
        {"period": f"{year}-12-31", "series": name, "value": users(2025) * (1 + rate * (year - 2025))}
        for name, rate in (("prophet", 0.045), ("base", 0.012))
        for year in late
    ]
    return Exhibit(
        name="users_path" if not entry else f"{entry}_users",
        frame=pd.DataFrame({"period": [f"{year}-12-31" for year in YEARS]} | bands),
        claims=("claim-7",),
        units={"median": "persons"},
        facts={
            "now": value(users(2025), "persons"),
            "known": "2025-12-31",
            "then": value(511e6, "persons", 460e6, 560e6),
            "end": "2030-12-31",
            "value": value(511e6, "persons", 460e6, 560e6),
        },
        layers={"points": points, "lines": pd.DataFrame(lines)},
        as_of=pd.Timestamp("2025-09-30").date(),
        entry=entry,
    )


def shares() -> Exhibit:
    """Lines with bands."""
    rows = [
        (f"{year}-12-31", name, share, 0.9 * share, min(1.1 * share, 100))
        for k, name in enumerate(("count", "encounters", "preference", "revenue"))
        for year in range(2018, 2031)
        for share in (100 / (1 + exp(-0.2 * (year - 2024 - 2 * k))),)
    ]
    return Exhibit(
        name="shares_by_measure",
        frame=pd.DataFrame(rows, columns=["period", "series", "value", "low", "high"]),
        claims=("claim-1", "claim-3"),
        units={"value": "percent"},
        as_of=pd.Timestamp("2025-09-30").date(),
    )


def parts() -> Exhibit:
    """Small multiples without bands."""
    rows = [
        (f"{year}-12-31", name, (4 - k) ** 2 * 6e6 * (year - 2014))
        for k, name in enumerate(("base", "kept", "passing"))
        for year in range(2018, 2031)
    ]
    frame = pd.DataFrame(rows, columns=["period", "series", "value"])
    return Exhibit(name="users_parts", frame=frame, claims=("claim-1", "claim-3"))


def odds() -> Exhibit:
    """Lines that end close to one another."""
    rows = [
        (f"{year}-12-31", name, 0.5 + 0.01 * k + 0.01 * (year - 2026))
        for k, name in enumerate(("count", "encounters", "preference", "revenue"))
        for year in range(2026, 2031)
    ]
    return Exhibit(
        name="channel_odds_chart",
        frame=pd.DataFrame(rows, columns=["period", "series", "value"]),
        claims=("claim-1",),
        facts={"end": "2030-12-31"}
        | {name: value(0.6, "probability") for name in ("count", "encounters", "preference", "revenue")},
    )


def track() -> Exhibit:
    """Forecasts and what came of them; one missed."""
    rows = [
        row
        for year, said, came in ((2021, 300e6, 298e6), (2022, 350e6, 363e6), (2023, 390e6, 500e6))
        for row in (
            (f"{year}-12-31", "forecast", said, 0.9 * said, 1.1 * said),
            (f"{year}-12-31", "published", came, None, None),
        )
    ]
    frame = pd.DataFrame(rows, columns=["category", "series", "value", "low", "high"])
    facts = {"number": 3, "held": 2}
    return Exhibit(name="users_track", entry="rivals_track", frame=frame, units={"value": "persons"}, facts=facts)


def tornado() -> Exhibit:
    effects = {"insurance": (-61e3, 92e3), "first_visits": (-12e3, 55e3), "prescription_drugs": (-38e3, 31e3)}
    rows = [
        (lever, effect, f"@scenario.{name}")
        for lever, pair in effects.items()
        for name, effect in zip(("bear", "bull"), pair, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["category", "value", "series"])
    return Exhibit(
        name="lever_tornado", frame=frame, claims=("claim-2",), facts={"horizon": 2030, "drawn": 3, "levers": 8}
    )


def bars() -> Exhibit:
    counts = {"guangdong": 412.0, "shandong": 371.0, "zhejiang": 240.0, "sichuan": 198.0, "ningxia": 6.0}
    frame = pd.DataFrame({"category": list(counts), "value": list(counts.values())})
    facts = {"first": "@place.guangdong", "number": 412, "all": 1227}
    return Exhibit(name="hospitals_by_province", frame=frame, claims=("claim-4",), facts=facts)


def dots() -> Exhibit:
    rows = [
        ("KPMG", 1.31, 1.12, 1.51),
        ("A house with quite a long name", 0.74, 0.66, 0.83),
        ("CNNIC", 0.98, 0.88, 1.1),
    ]
    return Exhibit(name="counter_offsets", frame=pd.DataFrame(rows, columns=["category", "value", "low", "high"]))


def charts() -> list[Exhibit]:
    return [fan(), shares(), parts(), odds(), track(), tornado(), dots(), bars()]


def table() -> Exhibit:
    """Intervals, shares without any, and a word in a column of texts."""
    years = range(2026, 2031)
    frame = pd.DataFrame(
        {
            "year": years,
            "online_medical_users": [users(year) for year in years],
            "online_medical_users_low": [0.92 * users(year) for year in years],
            "online_medical_users_high": [1.07 * users(year) for year in years],
            "learned": [40 + 1.3 * (year - 2026) for year in years],
            "source": ["@series.prophet" if year == 2028 else "growth engine" for year in years],
        }
    )
    units = {"online_medical_users": "persons"}
    return Exhibit(name="users_by_year", frame=frame, claims=("claim-0", "claim-7"), units=units)


def file() -> Exhibit:
    """A table too long for the page."""
    frame = pd.DataFrame({"claim_id": ["a-1", "a-2"], "rows": [1.5, None], "topic": ["@site.data", "plain"]})
    return Exhibit(name="influence", frame=frame, facts={"number": 2})


def figures() -> list[KeyFigure]:
    rate = value(45.2, "percent", 40.1, 50.3)
    return [
        KeyFigure(
            id="users_2030",
            key="figure.users",
            value=value(511.3e6, "persons", 461e6, 561e6),
            period="2030-12-31",
            sources=("claim-0", "claim-1", "claim-2", "claim-5"),
            note_key="figure.usage_note",
            note_values={"now": rate},
        ),
        KeyFigure(
            id="market_2030",
            key="figure.market",
            value=value(384_700, "CNY_million", 310_000, 482_000),
            period="2030",
            sources=("claim-3",),
            status="directional",
        ),
        KeyFigure(
            id="hospitals_2025",
            key="figure.hospitals",
            value=value(3756, "hospitals"),
            period="2025-09-30",
            sources=("claim-4",),
        ),
        KeyFigure(
            id="lead_2030",
            key="figure.encounter_majority",
            value=value(0.734, "probability"),
            period="2025/2030",
            sources=("claim-1", "claim-6"),
        ),
    ]


def sources() -> Exhibit:
    origins = (
        "China Internet Network Information Center",
        "National Health Commission",
        "Frost & Sullivan",
        "iResearch",
    )
    rows = [
        {
            "claim_id": f"claim-{k}",
            "origin": origins[k % 4],
            "title": f"Statistical report on internet development, no. {40 + k} <draft>",
            "url": f"https://example.org/reports/{k}?a=1&b=2",
            "date": ("2024-08-29", "2023-03", "2021", "")[k % 4],
            "grade": "ABBC"[k % 4],
        }
        for k in range(8)
    ]
    return Exhibit(name="sources", frame=pd.DataFrame(rows))


def gates(*, ok: bool = True) -> Exhibit:
    good = {"rhat_max": 1.003, "ess_bulk_min": 1840.0, "ess_tail_min": 1622.0, "divergences": 0, "bfmi_min": 0.84}
    bad = {} if ok else {"rhat_max": 1.042, "divergences": 7}
    size = {"draws": 1000, "chains": 4, "profile": "full"}
    fits = [
        {"name": "user_adoption", "ok": True} | good | size,
        {"name": "market_size", "ok": ok} | good | bad | {"bfmi_min": None} | size,
    ]
    return Exhibit(name="gates", frame=pd.DataFrame(fits))


def forecasts() -> Exhibit:
    rows = [
        ("2025-09-30", "online medical users", year - 2025, f"{year}-12-31", "CN", "quantile", level,
         users(year) * (0.8 + 0.4 * level), "base", "adoption", "persons")
        for year in (2026, 2027)
        for level in (0.1, 0.5, 0.9)
    ]  # fmt: skip
    return Exhibit(name="forecasts", frame=pd.DataFrame(rows, columns=list(FORECAST_COLUMNS)))


def provenance() -> Exhibit:
    setting = {"as_of": "2025-09-30", "vintage": "2026-11-21", "scenario": "base", "seed": 20261121, "profile": "full"}
    rows = [("setting", name, one) for name, one in setting.items()]
    rows += [("version", "telemed-forecast", "0.1.0"), ("parameter", "horizon", 2030), ("parameter", "as_of", "")]
    frame = pd.DataFrame(rows, columns=["kind", "name", "value"], dtype=object)
    return Exhibit(name="provenance", frame=frame)


def prose(text: str, *claims: str) -> Prose:
    return Prose(f"{text}{CITE}{' '.join(claims)}{CITE}" if claims else text, claims)


def page(*extra, ok: bool = True, **changed) -> Page:
    """Every kind of piece in the order of a report."""
    record = {one.name: one for one in (gates(ok=ok), forecasts(), sources(), provenance())}
    pieces = [
        Section(2, "How many people use it", "users"),
        prose("By the end of 2030 **many** people will use online medical care.", "claim-5", "claim-6"),
        fan(),
        table(),
        Section(2, "How large the market is", "market"),
        prose("Spending in the widest definition:\n\n- drug sales online,\n- consultations.", "claim-3"),
        parts(),
        Section(3, "What would change it", "scenarios"),
        tornado(),
        shares(),
        odds(),
        track(),
        Section(2, "How sure this is", "sure"),
        prose("Scores are *relative* to the random walk with drift; <b>lower</b> is better."),
        dots(),
        bars(),
        *extra,
    ]
    return Page(**{"report": "user_adoption", "pieces": pieces, "figures": figures(), "record": record} | changed)


@cache
def readable(make=fan, lang="en", entry: str = "") -> Readable:
    """An exhibit of the page in a language."""
    return Readable(make(entry) if entry else make(), catalogue(lang))
