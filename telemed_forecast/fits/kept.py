"""Arrays that take long to make and are asked for again: kept beside the fits, by a hash of what they are made of."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from telemed_forecast import paths
from telemed_forecast.files import replaced


def kept(name: str, made_of: Iterable[Any], make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays by name, from the store when they are there.

    Parameters
    ----------
    name
        Begin of the file's name.
    made_of
        Everything that the arrays depend on: arrays, and values whose `repr` tells them apart.
    make
        Makes them. A file that cannot be read is made anew; it is written whole or not at all.
    """
    digest = hashlib.sha256()
    for part in made_of:
        # Each part with its length: 1 and 23 are not 12 and 3.
        if isinstance(part, np.ndarray):
            said = f"{part.dtype} {part.shape}".encode() + np.ascontiguousarray(part).tobytes()
        else:
            said = repr(part).encode()
        digest.update(f"{len(said)} ".encode() + said)
    path = paths.CACHE / "fits" / f"{name}-{digest.hexdigest()[:20]}.npz"
    try:
        # numpy leaves a file open that it opened itself and cannot read.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        found = {key: np.asarray(values) for key, values in make().items()}
    with replaced(path) as part, part.open("wb") as file:
        np.savez(file, **found)  # type: ignore[arg-type]
    return found
