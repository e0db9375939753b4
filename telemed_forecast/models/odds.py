"""Shares and their log odds, written out: scipy's own differ in the last bit, and draws are kept to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def expit(logit: Any, xp: Any = np) -> Any:
    """The share with these log odds; `xp` is numpy, or pytensor.tensor inside a model."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(logit)))) if xp is np else xp.sigmoid(logit)


def log_expit(logit: Any, xp: Any = np) -> Any:
    """Log of the share with these log odds; `xp` as for :func:`expit`."""
    return -np.log1p(np.exp(-logit)) if xp is np else xp.log(xp.sigmoid(logit))


def logit(share: npt.ArrayLike, *, edge: float = 0.0) -> np.ndarray:
    """Log odds of a share, which is kept off the ends by `edge`."""
    inside = np.clip(share, edge, 1.0 - edge)
    return np.asarray(np.log(inside / (1.0 - inside)))
