"""What a notebook's check cell says: its numbers held against those on record.

What no sampler has a part in is compared exactly: the figures that were read, as the ledger has them, and each model's
log density at a fixed point, which a change of a prior, a figure or a formula moves. What was drawn is compared within
the Monte Carlo error of both sides. The text is thus the same on every processor and for every seed of the sampler,
until something changes that is more than chance.

The record is made by ``scripts/refresh-check-cells`` from fits of the quick profile, and holds for any.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import monte_carlo
from telemed_forecast.evaluation.monte_carlo import Estimate
from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast.context import Context
from telemed_forecast.paths import DATA

if TYPE_CHECKING:
    import pandas as pd

FOLDER = DATA / "checks"
"""One file a notebook."""

LEVELS = (0.1, 0.5, 0.9)
"""Quantiles of each drawn number that are compared."""

COMPARED = 60
"""Comparisons in all check cells together, at least: the chance of a false alarm is shared among them."""

CLOSE = 1e-8
"""Relative distance at which two log densities are the same: processors differ in the last digits of a float (1e-16), a
thousand of which are summed; a prior that moves by a millionth of its sd is farther away."""

SETTINGS = ("horizon", "as_of", "scenario", "currency", "prices")
"""The parameters on which a number depends beyond chance."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a notebook found that is held against its record.

    Attributes
    ----------
    settings
        The notebook's `SETTINGS`.
    exact, densities, numbers
        Name -> what no sampler has a part in; fit -> log density at the model's reference point; name -> quantiles at
        `LEVELS`.
    """

    notebook: str
    settings: Mapping[str, Any]
    exact: Mapping[str, Any]
    densities: Mapping[str, float]
    numbers: Mapping[str, Sequence[Estimate]]

    def compare(self, folder: Path = FOLDER) -> None:
        """Print one line a number: whether it is that on record."""
        print("\n".join(self.lines(folder)))

    def lines(self, folder: Path = FOLDER) -> list[str]:
        """What :meth:`compare` prints."""
        record = _read(folder / f"{self.notebook}.json")
        if record["settings"] != dict(self.settings):
            return ["The record is of other settings: nothing is compared."]
        found = [_exact(name, value, record["exact"].get(name)) for name, value in self.exact.items()]
        found += [_density(name, value, record["densities"].get(name)) for name, value in self.densities.items()]
        found += [_drawn(name, own, record["numbers"].get(name)) for name, own in self.numbers.items()]
        known = {"exact": self.exact, "densities": self.densities, "numbers": self.numbers}
        return found + [f"{name}: on record, not found" for part in known for name in record[part].keys() - known[part]]

    def write(self, folder: Path = FOLDER) -> None:
        """Put it on record."""
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "settings": dict(self.settings),
            "exact": dict(self.exact),
            "densities": dict(self.densities),
            "numbers": {name: [[one.value, one.error] for one in own] for name, own in self.numbers.items()},
        }
        (folder / f"{self.notebook}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def found(
    known: Context,
    *,
    claims: Iterable[str] | None = None,
    fits: Mapping[str, Fit] | None = None,
    drawn: Mapping[str, np.ndarray] | None = None,
    chains: int | None = None,
    exact: Mapping[str, Any] | None = None,
) -> Found:
    """Gather what a notebook found.

    Parameters
    ----------
    known
        Its context.
    claims
        Ids of the figures behind its numbers; all that were known by default.
    fits
        Name -> the fits behind its numbers; the first is the one that its draws are of.
    drawn, chains
        Name -> draws of a number, in the order of the fits' draws, dims (sample,); their chains, if not the fits'.
    exact
        Name -> what no sampler has a part in.
    """
    fits, settings = fits or {}, known.settings
    factor = _carried([fit.gate.ess_bulk_min or 1.0 for fit in fits.values()])
    chains = chains or next((fit.gate.chains for fit in fits.values()), 1)
    return Found(
        notebook=settings.notebook,  # type: ignore[attr-defined]
        settings={name: getattr(settings, name) for name in (*SETTINGS, *(["evidence"] if settings.evidence else []))},
        exact={"figures": figures(known.view, claims), **(exact or {})},
        densities={f"model of {name}": fit.density for name, fit in fits.items()},
        numbers={name: _quantiles(values, chains, factor) for name, values in (drawn or {}).items()},
    )


def _carried(sizes: Sequence[float]) -> float:
    """Factor on the error of a number whose fit, the first, builds on moments of the others.

    Their error is carried on: at most as much again, and more where their draws are worth less than its own.
    """
    own = sizes[0] if sizes else 1.0
    return math.sqrt(1.0 + sum(max(own / other, 1.0) for other in sizes[1:]))


def _quantiles(draws: np.ndarray, chains: int, factor: float) -> list[Estimate]:
    own = [monte_carlo.quantile(draws, level, chains=chains) for level in LEVELS]
    return [Estimate(one.value, factor * one.error) for one in own]


def figures(view: pd.DataFrame, claims: Iterable[str] | None = None) -> str:
    """How many rows of the ledger have these claims (all by default), and eight digits for what they state."""
    rows = view if claims is None else view[view["claim_id"].isin(set(claims))]
    stated = rows.drop(columns=["note", "source_title"], errors="ignore").sort_values("claim_id")
    return f"{len(rows):,} ({hashlib.sha256(stated.to_csv(index=False).encode()).hexdigest()[:8]})"


def _exact(name: str, value: Any, record: Any) -> str:
    same = value == record
    return f"{name}: {_text(record)}" if same else f"{name}: {_text(value)}, on record {_text(record)}"


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _density(name: str, value: float, record: float | None) -> str:
    if record is not None and math.isclose(value, record, rel_tol=CLOSE):
        return f"{name}: as on record"
    return f"{name}: log density {value!r}, on record {record!r}"


def _drawn(name: str, own: Sequence[Estimate], record: Sequence[Sequence[float]] | None) -> str:
    if record is None:
        return f"{name}: {_short(own)}, not on record"
    held = [Estimate(*one) for one in record]
    limit = monte_carlo.bound(COMPARED)
    if all(monte_carlo.apart(*pair) <= limit for pair in zip(own, held, strict=True)):
        return f"{name}: within Monte Carlo error of {_short(held)}"
    return f"{name}: {_short(own)}, not within Monte Carlo error of {_short(held)}"


def _short(own: Sequence[Estimate]) -> str:
    """The median and the 80% interval to three digits."""
    low, middle, high = (f"{float(f'{one.value:.3g}'):,.10g}" for one in own)
    return f"{middle} ({low} to {high})"


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise TelemedError(f"{file}: no record of a check ({error}); scripts/refresh-check-cells makes it") from error
