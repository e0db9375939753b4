"""A content-addressed store of fits: the same inputs are never fitted twice.

The key is a hash over everything a fit depends on: the model's name, its arrays, the sampler's settings and seed, the
source of the model with those that it builds on and of the sampler, the learned priors, the samplers' versions and the
processor. A fit is written whole or not at all, two processes that want the same fit wait for each other instead of
fitting twice, and a file that cannot be read, does not hold what its name says, or whose draws or verdict are not those
that were written is fitted anew. A process that asks again for a fit (many scenarios of one fit) does not read the file
again.

Where a fit is made is no part of its key: a cluster may draw it on another processor, and its file says on which.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from telemed_forecast import files
from telemed_forecast.errors import TelemedError
from telemed_forecast.fits import cluster, sources
from telemed_forecast.fits.gates import Gate, judge
from telemed_forecast.fits.processor import processor
from telemed_forecast.fits.sampling import Arrays, ModelSpec, Profile, compiled, density, fit
from telemed_forecast.models import constants
from telemed_forecast.paths import CACHE, PACKAGE, PRIORS

if TYPE_CHECKING:
    from xarray import Dataset


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    key
        Content hash of everything the fit depends on.
    posterior
        Draws, dims (sample, ...): chains stacked in order.
    gate
        Diagnostics and verdict.
    data
        The arrays that were fitted.
    density
        Log density of the model with these arrays at a reference point (see
        :func:`telemed_forecast.fits.sampling.density`): what a check can compare to the last digits.
    drawn_on
        The processor.
    """

    key: str
    posterior: Dataset
    gate: Gate
    data: Arrays
    density: float = float("nan")
    drawn_on: str = ""


def fitted(spec: ModelSpec, data: Arrays, *, profile: Profile, seed: int, folder: Path | None = None) -> Fit:
    """The fit of a model to data, from the store when it is there.

    Parameters
    ----------
    spec, data, profile, seed
        As for :func:`telemed_forecast.fits.sampling.fit`.
    folder
        The store; ``.cache/fits`` by default.
    """
    from filelock import FileLock

    folder = folder or CACHE / "fits"
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(spec, data, profile, seed)
    path = folder / file_name(spec.name, key)
    found = _load(path, key, data)
    if found is None:
        with FileLock(str(path) + ".lock"):
            # Another process may have stored it while this one waited.
            if _load(path, key, data) is None:
                _store(path, lambda: cluster.run(_fit, spec, dict(data), profile, seed).assign_attrs(key=key))
        found = _load(path, key, data)
    if found is None:
        raise TelemedError(f"{path}: the fit was stored but cannot be read back")
    return found


def file_name(model: str, key: str) -> str:
    """Name of the file that holds a fit."""
    return f"{model}-{key[:20]}.nc"


def _fit(spec: ModelSpec, data: Arrays, profile: Profile, seed: int) -> Dataset:
    for number in range(profile.attempts):
        tree = fit(spec, data, profile=profile.attempt(number), seed=seed)
        gate = judge(spec.name, tree, compiled(spec, data).free)
        if gate.ok or (profile.few and gate.agrees):
            break
    posterior = tree["posterior"].to_dataset()
    stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...).reset_index("sample", drop=True)
    stacked = stacked.drop_vars([c for c in stacked.coords if c in ("chain", "draw")])
    verdict = json.dumps(gate.to_dict())
    return stacked.assign_attrs(gate=verdict, density=density(spec, data), drawn_on=processor())


def _store(path: Path, make: Callable[[], Dataset]) -> None:
    with files.replaced(path) as part:
        made = make()
        made.assign_attrs(checksum=_checksum(made)).to_netcdf(part, engine="h5netcdf")


def _checksum(posterior: Dataset) -> str:
    """Hash of all that a file says: draws, verdict, key."""
    said = {str(name): value for name, value in posterior.attrs.items() if name != "checksum"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=float).encode())
    for name, values in sorted(posterior.variables.items(), key=lambda one: str(one[0])):
        digest.update(f"{name} {values.dims} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values.to_numpy()).tobytes())
    return digest.hexdigest()


def _load(path: Path, key: str, data: Arrays) -> Fit | None:
    """The stored fit; None when there is none, or when the file is broken or another fit's."""
    try:
        stat = path.stat()
        posterior = _read(path, stat.st_mtime_ns, stat.st_size)
        gate = Gate(**json.loads(posterior.attrs["gate"]))
    except (OSError, RuntimeError, ValueError, TypeError, KeyError):
        return None
    if posterior.attrs.get("key") != key:
        return None
    said = posterior.attrs
    return Fit(key, posterior, gate, data, float(said.get("density", "nan")), str(said.get("drawn_on", processor())))


@lru_cache(maxsize=8)
def _read(path: Path, written: int, size: int) -> Dataset:
    """The draws of a file, as it was when it had this time and size; the latest few are kept in memory."""
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as file:
        found = file.load()
    # A file of an earlier version has none.
    if found.attrs.get("checksum", wanted := _checksum(found)) != wanted:
        raise ValueError(f"{path} is not as it was written")
    return found


def _key(spec: ModelSpec, data: Arrays, profile: Profile, seed: int) -> str:
    digest = hashlib.sha256()
    settings = [spec.name, repr(profile), str(seed), processor(), _code_hash(spec.build.__module__)]
    settings += [f"{name}={metadata.version(name)}" for name in ("pymc", "nutpie", "pytensor")]
    digest.update("\n".join(settings).encode())
    for name in sorted(data):
        array = np.ascontiguousarray(data[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _code_hash(module: str) -> str:
    """Hash of the code that makes a fit, of the learned priors and of the constants that the models read."""
    digest, models, room = hashlib.sha256(), sources.files(module, PACKAGE), PACKAGE / "fits"
    digest.update(constants.digest(file.stem for file in models))
    own = [room / name for name in ("compilation.py", "sampling.py", "gates.py")]
    for file in [*models, *own, *sorted(PRIORS.glob("*.json"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
