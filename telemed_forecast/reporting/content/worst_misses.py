"""The part of the track record on our worst misses: what came, what was known, what lay in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from telemed_forecast.evaluation.score_summary import rows
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.reporting.blocks import Block, Heading, Paragraph, Value
from telemed_forecast.reporting.content import parts

Values = dict[str, Value | str | int | float]

REMARKS: Mapping[tuple[str, int | str], str] = {
    ("internet_hospitals", 2019): "record.remark.hospitals_2019",
    ("internet_hospitals", "kpmg-2020-12-online-hospitals"): "record.remark.kpmg",
    ("internet_hospitals", "ih-2022-06-nhc-1700"): "record.remark.hospitals_2022",
    ("market_size", "axd-online-consultation-2022"): "record.remark.consultation_2022",
}
"""What a reader who knows the field would add: by market and the figure, or the year at whose end it was forecast.
Shown only where that miss is among the worst."""


def blocks(record: TrackRecord) -> list[Block]:
    """The worst misses, one a market and day, each with what the evidence says of it."""
    heading = Heading(key="record.misses")
    if record.misses.empty:
        return [heading, Paragraph(key="record.misses_none")]
    values: Values = {"number": len(record.misses), "missed": len(record.missed)}
    text = Paragraph(key="record.misses_text", values=values)
    return [heading, text, *(block for miss in rows(record.misses) for block in _miss(miss))]


def _miss(miss: Any) -> Iterator[Block]:
    """What came and what had been said, what lay in between, and what a reader who knows the field would add."""
    made: date = miss.forecast_date
    heading: Values = {"market": f"@record.market.{miss.quantity}", "year": made.year, "day": miss.day.isoformat()}
    yield Heading(key="record.miss.heading", level=3, values=heading)
    yield _what(miss)
    yield _between(miss)
    for name in (miss.claim_id, made.year):
        if key := REMARKS.get((miss.market, name)):
            yield Paragraph(key=key)


def _what(miss: Any) -> Paragraph:
    """What came, what had been said, and what was known."""
    values: Values = {
        "publisher": parts.origin_name(miss.publisher),
        "grade": miss.grade,
        "came": parts.printed(miss.published, miss.unit),
        "said": parts.said(miss),
        "factor": Value(value=miss.factor, unit="multiple", digits=2),
        "widths": parts.ratio(miss.half_widths),
        "known": miss.figures,
    }
    if not miss.figures:
        return Paragraph(key="record.miss.what_unknown", values=values, sources=(miss.claim_id,))
    values |= {"newest": parts.printed(miss.newest_value, miss.unit), "newest_day": miss.newest_day.isoformat()}
    return Paragraph(key="record.miss.what_known", values=values, sources=(miss.claim_id, miss.newest))


def _between(miss: Any) -> Paragraph:
    """What changed between the forecast and the figure, who was nearer, and when it was learned."""
    better = "alone" if not miss.rivals else f"by_{miss.better}" if isinstance(miss.better, str) else "ours"
    values: Values = {
        "wave": "@record.miss.wave" if miss.wave else "",
        "definition": "@record.miss.definition" if miss.other_definition else "",
        "voice": "@record.miss.voice" if miss.new_publisher else "",
        "events": len(miss.events),
        "better": f"@record.miss.{better}",
    }
    if isinstance(miss.learned, date):
        values["learned"] = miss.learned.isoformat()
        return Paragraph(key="record.miss.between_learned", values=values, sources=miss.events)
    values["later"] = "@record.miss.never" if miss.later else ""
    return Paragraph(key="record.miss.between", values=values, sources=miss.events)
