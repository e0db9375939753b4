"""The part of the track record on our worst misses: what came, what was known, what lay in between."""

from __future__ import annotations

from collections.abc import Mapping

from telemed_forecast.evaluation.misses import Miss
from telemed_forecast.evaluation.track_record import TrackRecord
from telemed_forecast.reporting.blocks import Block, Heading, Paragraph, Value
from telemed_forecast.reporting.content import parts

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
    shown: list[Block] = [Heading(key="record.misses")]
    if not record.misses:
        return [*shown, Paragraph(key="record.misses_none")]
    values: dict[str, Value | str | int | float] = {"number": len(record.misses), "missed": record.missed}
    shown.append(Paragraph(key="record.misses_text", values=values))
    for miss in record.misses:
        shown += _miss(miss)
    return shown


def _miss(miss: Miss) -> list[Block]:
    one = miss.score
    heading: dict[str, Value | str | int | float] = {
        "market": f"@record.market.{miss.quantity}",
        "year": one.origin.year,
        "day": one.day.isoformat(),
    }
    return [
        Heading(key="record.miss.heading", level=3, values=heading),
        _what(miss),
        _between(miss),
        *_remarks(miss),
    ]


def _what(miss: Miss) -> Paragraph:
    """What came, what had been said, and what was known."""
    one = miss.score
    values: dict[str, Value | str | int | float] = {
        "publisher": parts.origin_name(miss.publisher),
        "grade": miss.grade,
        "came": Value(value=one.published, unit=one.unit, digits=4),
        "said": Value(value=one.median, unit=one.unit, low=one.low, high=one.high),
        "factor": Value(value=miss.factor, unit="multiple", digits=2),
        "widths": Value(value=miss.half_widths, unit="ratio", digits=2),
        "known": miss.known,
    }
    if miss.newest is None or miss.newest_day is None or miss.newest_value is None:
        return Paragraph(key="record.miss.what_unknown", values=values, sources=(one.claim_id,))
    values["newest"] = Value(value=miss.newest_value, unit=one.unit, digits=4)
    values["newest_day"] = miss.newest_day.isoformat()
    return Paragraph(key="record.miss.what_known", values=values, sources=(one.claim_id, miss.newest))


def _between(miss: Miss) -> Paragraph:
    """What changed between the forecast and the figure, who was nearer, and when it was learned."""
    nothing = ""
    better = "alone" if not miss.rivals else "ours" if miss.better is None else f"by_{miss.better}"
    values: dict[str, Value | str | int | float] = {
        "wave": "@record.miss.wave" if miss.wave else nothing,
        "definition": "@record.miss.definition" if miss.other_definition else nothing,
        "voice": "@record.miss.voice" if miss.new_voice else nothing,
        "events": len(miss.events),
        "better": f"@record.miss.{better}",
    }
    if miss.learned is not None:
        values["learned"] = miss.learned.isoformat()
        return Paragraph(key="record.miss.between_learned", values=values, sources=miss.events)
    values["later"] = "@record.miss.never" if miss.later else nothing
    return Paragraph(key="record.miss.between", values=values, sources=miss.events)


def _remarks(miss: Miss) -> list[Block]:
    """Written remarks, where there are any for this figure or for what was forecast that day."""
    keys = (REMARKS.get((miss.market, name)) for name in (miss.score.claim_id, miss.score.origin.year))
    return [Paragraph(key=key) for key in keys if key]
