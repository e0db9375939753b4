"""A content-addressed store of fits: the same inputs are never fitted twice.

The key is a hash over everything a fit depends on: the model's name, its arrays, the sampler's settings and seed, the
source of the model with those that it builds on and of the sampler, the learned priors, the samplers' versions and the
processor. A fit is written whole or not at all, two processes that want the same fit wait for each other instead of
fitting twice, and a file that cannot be read, or does not hold what its name says, is fitted anew. A process that asks
again for a fit (many scenarios of one fit) does not read the file again.
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
from telemed_forecast.fits import sources
from telemed_forecast.fits.gates import Gate, judge
from telemed_forecast.fits.processor import processor
from telemed_forecast.fits.sampling import Arrays, ModelSpec, Profile, compiled, density, fit
from telemed_forecast.models import constants
from telemed_forecast.paths import CACHE, PRIORS, ROOT

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
    """

    key: str
    posterior: Dataset
    gate: Gate
    data: Arrays
    density: float = float("nan")


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
                _store(path, lambda: _fit(spec, data, profile, seed).assign_attrs(key=key))
        found = _load(path, key, data)
    if found is None:
        raise TelemedError(f"{path}: the fit was stored but cannot be read back")
    return found


def file_name(model: str, key: str) -> str:
    """Name of the file that holds a fit."""
    return f"{model}-{key[:20]}.nc"


def _fit(spec: ModelSpec, data: Arrays, profile: Profile, seed: int) -> Dataset:
    tree = fit(spec, data, profile=profile, seed=seed)
    gate = judge(spec.name, tree, compiled(spec, data).free)
    posterior = tree["posterior"].to_dataset()
    stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...).reset_index("sample", drop=True)
    stacked = stacked.drop_vars([c for c in stacked.coords if c in ("chain", "draw")])
    return stacked.assign_attrs(gate=json.dumps(gate.to_dict()), density=density(spec, data))


def _store(path: Path, make: Callable[[], Dataset]) -> None:
    with files.replaced(path) as part:
        make().to_netcdf(part, engine="h5netcdf")


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
    return Fit(key, posterior, gate, data, float(posterior.attrs.get("density", "nan")))


@lru_cache(maxsize=8)
def _read(path: Path, written: int, size: int) -> Dataset:
    """The draws of a file, as it was when it had this time and size; the latest few are kept in memory."""
    import xarray as xr

    with xr.open_dataset(path, engine="h5netcdf") as file:
        return file.load()


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
    digest, models = hashlib.sha256(), sources.files(module, ROOT)
    room = ROOT / "telemed_forecast" / "fits"
    digest.update(constants.digest(file.stem for file in models))
    for file in [*models, room / "sampling.py", room / "gates.py", *sorted(PRIORS.glob("*.json"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
