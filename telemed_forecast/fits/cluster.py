"""Where fits are made: in this process, or on a Dask cluster.

A fit is a function of plain values (what to build, arrays, settings, a seed), so that it does not matter where it is
called: :func:`run` calls it here, or on a worker of the cluster that :func:`on` names. The worker needs the installed
package and nothing else: arrays go there, draws come back. Dask deals the work out, and calls a function again whose
worker died.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from platform import python_version
from typing import TYPE_CHECKING, Any

from telemed_forecast import paths
from telemed_forecast.errors import InputError, TelemedError

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 20.0
"""[seconds] That a scheduler may take to answer."""

PACKAGES = ("numpy", "pymc", "nutpie", "pytensor", "numba")
"""Of the same version on every worker, beside this package itself and Python."""

_in_use: list[Client] = []
_one_at_a_time = threading.Lock()


@contextmanager
def on(address: str) -> Iterator[None]:
    """Within the block :func:`run` sends its work to the cluster.

    Parameters
    ----------
    address
        Of the scheduler, ``tcp://host:port``; empty for this process.

    Raises
    ------
    InputError
        The address is none, or dask.distributed is not installed.
    TelemedError
        Nobody answers.
    """
    if not address:
        yield
        return
    client = _connected(address)
    _in_use.append(client)
    try:
        yield
    finally:
        _in_use.remove(client)
        client.close(timeout=1)


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            ["--dask needs the package distributed: pip install 'telemed-forecast[cluster]' (here and on every worker)"]
        ) from None
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False, name="telemed-forecast")
    except (ValueError, TypeError) as error:
        raise InputError([f'--dask "{address}" is no address such as tcp://host:8786: {error}']) from None
    except OSError as error:  # also a time-out
        raise TelemedError(f"no Dask scheduler answers at {address}: {error}") from None


def width(here: int = 1) -> int:
    """How many calls of :func:`run` are worth making at a time: as many as the cluster has threads, or `here`."""
    return max(1, sum(_in_use[-1].nthreads().values())) if _in_use else here


def elsewhere() -> bool:
    """Whether work goes to a cluster."""
    return bool(_in_use)


def run[Result](function: Callable[..., Result], *arguments: Any) -> Result:
    """What a function of plain values gives, called here or on the cluster; threads may call this at once.

    Raises
    ------
    TelemedError
        The cluster was lost, or a worker has another package than this process.
    """
    if not _in_use:
        return function(*arguments)
    client = _in_use[-1]
    waiting = client.submit(_there, installed(), function, arguments, pure=False)
    try:
        result: Result = waiting.result()
    except CancelledError:
        raise TelemedError("the Dask cluster was lost while it made a fit; those that came back are stored") from None
    return result


def _there[Result](sender: Mapping[str, str], function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    """On a worker: call the function, one at a time in a process, for each fit fills the cores that it was given."""
    if differing := sorted(name for name, version in installed().items() if sender[name] != version):
        told = ", ".join(f"{name} {installed()[name]} instead of {sender[name]}" for name in differing)
        raise TelemedError(f"a Dask worker has another installation than the command that sent the fit: {told}")
    with _one_at_a_time:
        return function(*arguments)


@cache
def installed() -> dict[str, str]:
    """What has to be the same for the same numbers: versions, and a hash of the package with its learned priors."""
    digest = hashlib.sha256()
    for file in [*sorted(paths.PACKAGE.rglob("*.py")), *sorted(paths.PRIORS.glob("*.json"))]:
        digest.update(file.read_bytes())
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {"telemed-forecast": digest.hexdigest()[:12], "Python": python_version(), **versions}
