"""Whether a command can write where it is told to: asked before the work, not found out after it."""

import contextlib
import os
import tempfile
from pathlib import Path


def faults(out: Path | None, option: str = "--out") -> list[str]:
    """Try a folder for results, and leave nothing behind.

    Parameters
    ----------
    out : Path or None
        As given; need not exist yet. None is no fault.
    option : str
        By which it was given.

    Returns
    -------
    list of str
        What is wrong with it, in one line; empty when files can be written there.
    """
    if out is None:
        return []
    chain = (out, *out.parents)
    nearest = next((place for place in chain if os.path.lexists(place)), None)
    if nearest is not None and not nearest.is_dir():
        return [f"{option} {out} is not a folder" if nearest == out else f"{option} {out}: {nearest} is not a folder"]
    new = [place for place in chain if not os.path.lexists(place)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            return []
    except (OSError, ValueError) as error:
        return [f"{option} {out} cannot be written to: {getattr(error, 'strerror', None) or error}"]
    finally:
        for place in new:
            with contextlib.suppress(OSError, ValueError):
                place.rmdir()
