"""A small model, quick to compile; `toy.py FOLDER [AFTER [DASK]]` asks a store in that folder for its fit."""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np

from telemed_forecast.fits import cluster
from telemed_forecast.fits.sampling import ModelSpec, Profile
from telemed_forecast.fits.store import fitted

TINY = Profile(chains=2, tune=100, draws=100, target_accept=0.9)


def build(data):
    """Mean and scale of some numbers, on a path around a guess from the data as in the growth engine."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        y, guess = pm.Data("y", data["y"]), pm.Data("guess", data["guess"])
        scale = pm.LogNormal("scale", 0.0, 1.0)
        raw = pm.Flat("raw", shape=guess.shape)
        path = pm.Deterministic("path", guess + 0.1 * raw)
        pm.Potential("walk", -0.5 * pt.sum(pt.diff(path) ** 2) - 0.5 * (path[0] - guess[0]) ** 2)
        pm.Potential("fit", pm.logp(pm.Normal.dist(path.mean(), scale), y).sum())
    return model


TOY = ModelSpec("toy", build)


def numbers(seed, size=20):
    rng = np.random.default_rng(seed)
    return {"y": rng.normal(seed, 1.0, size), "guess": np.linspace(seed - 1.0, seed + 1.0, 4)}


def fingerprint(posterior):
    """Hash of all draws of a fit."""
    values = [posterior[name].to_numpy() for name in sorted(posterior.data_vars)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(v).tobytes() for v in values)).hexdigest()


def main(folder, after="", dask=""):
    def noted(data):
        with (Path(folder) / "built.txt").open("a") as log:
            log.write(f"built {os.getpid()}\n")
        return build(data)

    if after:
        fitted(ModelSpec("toy", noted), numbers(2, 30), profile=TINY, seed=7, folder=Path(folder))
    with cluster.on(dask):
        found = fitted(ModelSpec("toy", noted), numbers(1), profile=TINY, seed=1, folder=Path(folder))
    print(os.getpid(), file=sys.stderr)
    print(found.key, fingerprint(found.posterior))


if __name__ == "__main__":
    main(*sys.argv[1:])
