"""The other tools, each behind one function, and this library beside them.

A peer takes the histories of many tasks and gives quantiles for each. What learns from a reference class gets the
curves that it may learn from; it never sees others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from telemed_forecast.curves.series import Series
from telemed_forecast.errors import InputError
from telemed_forecast.evidence.tables import nearest
from telemed_forecast.hub_format import QUANTILES

LEVELS = QUANTILES
"""The quantile levels that are scored. Dims: (level,)."""

Forecaster = Callable[[Sequence[Series], int, Sequence[Series]], np.ndarray]
"""(histories, horizon, curves to learn from) -> quantiles at `LEVELS`, dims (task, horizon, level); nan where none."""

INSTALL = ".venv/bin/uv pip install --python .venv/bin/python -e '.[bench]'   (or: pip install -e '.[bench]')"
"""How the optional group of packages is installed."""

SEED = 0


@dataclass(frozen=True)
class Peer:
    """One row of the table.

    Attributes
    ----------
    name, title
        On the command line, and in the table.
    module, function
        Where the forecaster is: a module of this package and a :data:`Forecaster` in it.
    arguments
        Bound to the function by name.
    needs
        Packages without which it cannot run.
    learns
        It learns from curves, so it runs under both protocols.
    cached
        Kept between runs (never the library: it is what changes).
    """

    name: str
    title: str
    module: str
    function: str
    arguments: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, ...] = ()
    learns: bool = False
    cached: bool = True

    def missing(self) -> list[str]:
        """Return the packages that are not installed."""
        return [package for package in self.needs if find_spec(package) is None]


def _statistical(name: str, title: str, model: str) -> Peer:
    return Peer(name, title, "statistical", "automatic", (("model", model),), needs=("statsforecast",))


def _curve(name: str, title: str) -> Peer:
    return Peer(name, title, "least_squares", "forecast", (("law", name),), needs=("scipy",))


PEERS = (
    Peer("library", "this library", "library", "adoption", learns=True, cached=False),
    Peer("drift", "random walk with drift", "statistical", "drift"),
    Peer("naive", "naive", "statistical", "naive"),
    _statistical("autoets", "AutoETS", "AutoETS"),
    _statistical("autoarima", "AutoARIMA", "AutoARIMA"),
    _statistical("theta", "Theta", "AutoTheta"),
    _statistical("dynamic_theta", "dynamic optimised Theta", "DynamicOptimizedTheta"),
    _statistical("autoces", "AutoCES", "AutoCES"),
    _statistical("mfles", "MFLES", "MFLES"),
    Peer("damped_holt", "damped Holt", "statistical", "damped_holt"),
    Peer("recent", "drift of the last three differences, learned width", "learned", "recent", learns=True),
    Peer("prophet_linear", "Prophet, linear", "prophets", "forecast", (("growth", "linear"),), needs=("prophet",)),
    Peer(
        "prophet_logistic", "Prophet, logistic", "prophets", "forecast", (("growth", "logistic"),), needs=("prophet",)
    ),
    _curve("bass", "Bass, least squares"),
    _curve("gompertz", "Gompertz, least squares"),
    _curve("logistic", "logistic, least squares"),
    Peer("analogues", "nearest analogues", "learned", "analogues", learns=True),
    Peer("boosted", "gradient-boosted quantiles", "learned", "boosted", needs=("sklearn",), learns=True),
)
"""In the order in which they run."""


def choose(names: Sequence[str], references: Sequence[str]) -> tuple[list[Peer], dict[str, list[str]]]:
    """Choose peers by name.

    Parameters
    ----------
    names
        As typed; all when empty.
    references
        The peers of which the better one is what ratios are taken to: they always run.

    Returns
    -------
    The peers that can run, and the packages that each of the others lacks.

    Raises
    ------
    InputError
        With every name that is no peer's.
    """
    known = [peer.name for peer in PEERS]
    faults = [f"--peer: {name!r} is no peer{nearest(name, known)}" for name in names if name not in known]
    if faults:
        raise InputError([*faults, f"the peers are: {', '.join(known)}"])
    wanted = [peer for peer in PEERS if not names or peer.name in names or peer.name in references]
    missing = {peer.name: peer.missing() for peer in wanted if peer.missing()}
    return [peer for peer in wanted if peer.name not in missing], missing
