"""How likely each row of evidence is in every draw of a stored fit, from the model's own graph.

A model adds its evidence as potentials ``<block>_evidence``, each the sum of one term a row. The terms before that sum
are evaluated at the stored draws, all of them at once, so no likelihood is written twice and nothing is sampled. They
are stored in their turn: who asks again needs no PyMC.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from telemed_forecast.errors import TelemedError
from telemed_forecast.fits.kept import kept
from telemed_forecast.fits.sampling import ModelSpec
from telemed_forecast.paths import CACHE

if TYPE_CHECKING:
    from telemed_forecast.fits.store import Fit

BLOCK = "_evidence"
"""End of the name of a potential that holds published figures; others hold the growth law and coherence."""


def log_likelihoods(spec: ModelSpec, fit: Fit) -> dict[str, np.ndarray]:
    """The log likelihood of every row in every draw.

    Parameters
    ----------
    spec
        The model.
    fit
        A fit of it.

    Returns
    -------
    Block (``users`` for the potential ``users_evidence``) -> log probabilities. Dims: (sample, row).

    Raises
    ------
    TelemedError
        A potential is not a sum over rows.
    """
    draws = [np.asarray(fit.posterior[name]) for name in sorted(map(str, fit.posterior.data_vars))]
    arrays = [fit.data[name] for name in sorted(fit.data)]
    return kept(
        f"{spec.name}-rows",
        [Path(__file__).read_bytes(), fit.key, *arrays, *draws],
        lambda: _log_likelihoods(spec, fit),
    )


def _log_likelihoods(spec: ModelSpec, fit: Fit) -> dict[str, np.ndarray]:
    # Compiled code belongs to the project's own cache, also where no Makefile has said so.
    os.environ.setdefault("PYTENSOR_FLAGS", f"base_compiledir={CACHE / 'pytensor'}")
    import pytensor
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode
    from pytensor.graph.replace import vectorize_graph

    model = spec.build(fit.data)
    blocks = [p for p in model.potentials if p.name.endswith(BLOCK)]
    drawn = {variable: np.asarray(fit.posterior[variable.name]) for variable in model.free_RVs}
    inputs = {
        variable: pt.tensor(variable.name, dtype=values.dtype, shape=(None, *values.shape[1:]))
        for variable, values in drawn.items()
    }
    terms = vectorize_graph([_terms(block) for block in blocks], inputs)
    # Evaluated once, on whole arrays: Python between numpy calls is faster than compiling.
    mode = Mode(linker="py", optimizer="fast_compile")
    evaluate = pytensor.function(list(inputs.values()), terms, mode=mode, on_unused_input="ignore")
    found = evaluate(*drawn.values())
    samples = fit.posterior.sizes["sample"]
    return {
        block.name.removesuffix(BLOCK): np.broadcast_to(values, (samples, np.shape(values)[-1]))
        for block, values in zip(blocks, found, strict=True)
    }


def _terms(potential: Any) -> Any:
    """The vector that a potential sums. Dims: (row,)."""
    from pytensor.tensor.math import Sum

    node = potential.owner
    if node is None or not isinstance(node.op, Sum) or node.inputs[0].ndim != 1:
        raise TelemedError(f"{potential.name} is not a sum over rows of evidence")
    return node.inputs[0]
