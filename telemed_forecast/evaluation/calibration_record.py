"""The shipped record of calibration: ranks of every simulation, and what they were made with.

One table of ranks a model, and one small file for all: seed, number of simulations, effort of the sampler, versions,
a fingerprint of the model's sources and of the learned priors, and the hash of the table that belongs to it. A record
whose fingerprint is not that of the present source speaks of another model, and a test refuses it.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from telemed_forecast import files
from telemed_forecast.errors import TelemedError
from telemed_forecast.evaluation import calibration
from telemed_forecast.evaluation.calibration import Ranks
from telemed_forecast.fits import sources
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.models import constants
from telemed_forecast.paths import DATA, PACKAGE, PRIORS, ROOT

FOLDER = DATA / "calibration"
"""The shipped record."""

FILE = "calibration.json"
DIGITS = 4
"""Decimals of a rank among at most a hundred draws."""


@dataclass(frozen=True, eq=False)
class Record:
    """What is on record of one model.

    Attributes
    ----------
    ranks
        Of every simulation.
    as_of
        ISO day whose figures gave the layout.
    seed
        Seed of the simulations.
    fingerprint
        See :func:`fingerprint`.
    effort
        Settings of the sampler, by name.
    versions
        Of the samplers, by package.
    """

    ranks: Ranks
    as_of: str
    seed: int
    fingerprint: str
    effort: dict[str, Any]
    versions: dict[str, str]


def fingerprint(spec: ModelSpec) -> str:
    """Hash of a model's source, of the models that it builds on, of the learned priors and of its constants."""
    digest, code, priors = hashlib.sha256(), sources.files(spec.build.__module__), sorted(PRIORS.glob("*.json"))
    digest.update(constants.digest(file.stem for file in code))
    for root, files_of in ((PACKAGE.parent, code), (ROOT, priors)):
        for file in files_of:
            digest.update(f"{file.relative_to(root).as_posix()}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def made_now(ranks: Ranks, spec: ModelSpec, *, as_of: str, seed: int) -> Record:
    """The record of ranks that the present source just gave."""
    effort = {
        "short": asdict(calibration.SHORT),
        "long": asdict(calibration.LONG),
        "repeated_below": calibration.FEWEST,
    }
    versions = {name: metadata.version(name) for name in ("pymc", "pytensor", "nutpie")}
    return Record(ranks, as_of, seed, fingerprint(spec), effort, versions)


def write(made: Mapping[str, Record], folder: Path = FOLDER) -> None:
    """Put models on record; what is on record of others stays."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = _listed(folder)
    for name, record in made.items():
        rows = np.char.mod(f"%.{DIGITS}f", record.ranks.places).tolist()
        table = _lines([record.ranks.quantities, *rows])
        files.write(folder / f"{name}.csv", table)
        listed[name] = {
            "table": hashlib.sha256(table.encode()).hexdigest(),
            "simulations": len(record.ranks.places),
            "seed": record.seed,
            "as_of": record.as_of,
            "fingerprint": record.fingerprint,
            "effort": record.effort,
            "versions": record.versions,
            "repeated": record.ranks.repeated,
            "divergences": record.ranks.divergences,
        }
    known = {name: listed[name] for name in calibration.MODELS if name in listed}
    files.write(folder / FILE, json.dumps(known, indent=2) + "\n")


def read(folder: Path = FOLDER) -> dict[str, Record]:
    """What is on record, by model in the order of the reports.

    Raises
    ------
    TelemedError
        When a table is missing, or is not the one that the rest was put on record with.
    """
    return {name: _record(folder / f"{name}.csv", told) for name, told in _listed(folder).items()}


def _record(table: Path, told: Mapping[str, Any]) -> Record:
    try:
        content = table.read_bytes()
        if hashlib.sha256(content).hexdigest() != told.get("table"):
            raise TelemedError(f"{table} does not belong to {table.with_name(FILE)}: its hash is another")
        names, *rows = list(csv.reader(content.decode().splitlines()))
        places = np.array(rows, dtype=float)
    except (OSError, ValueError) as error:
        raise TelemedError(f"{table}: no table of ranks ({error})") from error
    if places.shape != (told["simulations"], len(names)):
        raise TelemedError(f"{table}: {len(places)} rows, {told['simulations']} simulations on record")
    # Rounding may have put a rank on an end.
    ends = 0.5 * 10.0**-DIGITS
    ranks = Ranks(tuple(names), np.clip(places, ends, 1.0 - ends), told["repeated"], told["divergences"])
    return Record(ranks, told["as_of"], told["seed"], told["fingerprint"], told["effort"], told["versions"])


def stale(folder: Path = FOLDER) -> list[str]:
    """Models whose present source is not the one on record, or that are not on record."""
    listed = _listed(folder)
    return [name for name in calibration.MODELS if not is_present(name, listed.get(name, {}).get("fingerprint"))]


def is_present(name: str, recorded: str | None) -> bool:
    """Whether a model's fingerprint on record is that of its present source."""
    return recorded == fingerprint(calibration.spec(name))


def _listed(folder: Path) -> dict[str, Any]:
    file = folder / FILE
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _lines(rows: Iterable[Iterable[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)
