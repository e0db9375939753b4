"""Shares and their log odds, written out: scipy's own differ in the last bit, and draws are kept to the last bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def expit(logit: npt.ArrayLike) -> np.ndarray:
    """The share with these log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(logit))))


def logit(share: npt.ArrayLike, *, edge: float = 0.0) -> np.ndarray:
    """Log odds of a share, which is kept off the ends by `edge`."""
    inside = np.clip(share, edge, 1.0 - edge)
    return np.asarray(np.log(inside / (1.0 - inside)))
