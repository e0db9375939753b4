"""Rows of evidence of a user's own, as the text of a file."""

import csv
import io

from telemed_forecast.evidence import citations, dictionary

COLUMNS = list(dictionary.claim_fields())
ROW = {
    "claim_id": "mine-1",
    "topic": "hospitals",
    "metric": "internet_hospitals",
    "segment": "national",
    "period_start": "2026-11-28",
    "period_end": "2026-11-28",
    "value": "4321",
    "relation": "eq",
    "unit": "hospitals",
    "kind": "actual",
    "publisher": "me",
    "origin": "my_count",
    "origin_type": "academic",
    "grade": "B",
    "source_title": "My count",
    "source_date": "2026-11",
    "known_date": str(citations.vintage_date()),
    "use": "model",
}


def text(*changes):
    """A file of good rows with these changes, one row each."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(ROW | {"claim_id": f"mine-{number}"} | change for number, change in enumerate(changes, 1))
    return written.getvalue()
