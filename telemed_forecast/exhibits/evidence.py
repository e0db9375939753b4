"""Published figures as exhibits: those that entered a model, those that are only shown, and marks in a chart."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from telemed_forecast.evidence.observations import Observations
from telemed_forecast.exhibits.exhibit import Exhibit
from telemed_forecast.forecast.context import Context


def newest(observations: Observations, number: int = 1, *instead: Observations) -> tuple[str, ...]:
    """Claim ids of the newest figures; those of the first that has any `instead` when an early date knows none."""
    if not len(observations) and instead:
        return newest(instead[0], number, *instead[1:])
    order = np.argsort(observations.end, kind="stable")[::-1][:number]
    return tuple(str(observations.claim_id[k]) for k in order)


def claims_of(*observations: Observations) -> tuple[str, ...]:
    """Claim ids of figures, each once."""
    return tuple(dict.fromkeys(str(claim) for one in observations for claim in one.claim_id))


def evidence_table(name: str, evidence: Sequence[Observations], unit: str, factor: float = 1.0) -> Exhibit:
    """The figures that entered the likelihood, as intervals."""
    columns = ["day", "low", "high", "origin", "grade", "claim_id"]
    found = [_intervals(one, factor) for one in evidence if len(one)]
    frame = pd.concat(found).sort_values(columns, ignore_index=True) if found else pd.DataFrame(columns=columns)
    return Exhibit(name=name, frame=frame, claims=claims_of(*evidence), units={"low": unit, "high": unit})


def published_points(evidence: Observations, factor: float, since: int) -> pd.DataFrame:
    """Published intervals since a year, multiplied by a factor, as the marks of a fan chart."""
    evidence = evidence.where(evidence.bounded)
    found = _intervals(evidence, factor).rename(columns={"day": "period", "origin": "label"})
    late = evidence.end >= np.datetime64(f"{since}-01-01")
    return found.loc[late, ["period", "low", "high", "grade", "claim_id", "label"]].reset_index(drop=True)


def _intervals(evidence: Observations, factor: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "day": evidence.end.astype(str),
            "low": evidence.low * factor,
            "high": np.where(evidence.bounded, evidence.high * factor, np.nan),
            "origin": [origin_name(origin) for origin in evidence.origin],
            "grade": evidence.grade,
            "claim_id": evidence.claim_id,
        }
    )


def known(context: Context, *claims: str) -> tuple[str, ...]:
    """Those of the claims that were known on the context's date."""
    there = set(context.view["claim_id"])
    return tuple(claim for claim in claims if claim in there)


def context_table(context: Context, name: str, claims: Sequence[str]) -> Exhibit:
    """Published figures that no likelihood uses, with what they say: the catalogue's ``context`` by claim id."""
    shown = known(context, *claims)
    rows = context.view.set_index("claim_id").loc[list(shown)]
    frame = pd.DataFrame(
        {
            "statement": shown,
            "published": [printed_figure(row) for _, row in rows.iterrows()],
            "origin": [origin_name(origin) for origin in rows["origin"]],
            "grade": rows["grade"].to_list(),
        }
    )
    return Exhibit(name=name, frame=frame, claims=shown)


def printed_figure(row: Any) -> str:
    """A ledger row's figure as it was printed: sign, digits and a unit that needs no translation.

    The row has relation, low, high, value and unit.
    """
    sign = {"gt": ">\u202f", "floor": ">\u202f", "ge": "≥\u202f", "lt": "<\u202f", "le": "≤\u202f", "approx": "≈\u202f"}
    before = {"CNY": "CNY ", "USD_million": "USD ", "multiple": "×"}.get(row["unit"], "")
    after = {"percent": "%", "USD_million": " million"}.get(row["unit"], "")
    ends = [row["low"], row["high"]] if row["relation"] == "between" else [row["value"]]
    digits = "–".join(f"{float(end):,.10g}" for end in ends)
    return f"{sign.get(row['relation'], '')}{before}{digits}{after}"


@lru_cache(maxsize=1)
def _origins() -> dict[str, str]:
    return tomllib.loads((Path(__file__).parent / "origins.toml").read_text(encoding="utf-8"))


def origin_name(origin: str) -> str:
    """An origin's name for a reader: ``frost_sullivan`` -> Frost & Sullivan (弗若斯特沙利文)."""
    name = str(origin)
    return _origins().get(name) or " ".join(word.capitalize() for word in name.split("_"))
