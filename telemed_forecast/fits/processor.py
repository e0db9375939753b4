"""Which processor draws are made on: the same seed gives the same draws on one model, other ones elsewhere.

Compiled code takes the instructions that it finds: sums are made in another order, the last bit differs, and chains
drift apart from there.
"""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from pathlib import Path

CHOICES = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE")
"""Environment variables that hold instructions back, or choose them."""


def processor() -> str:
    """Name of the processor, a short code for its instructions, and what the environment chooses among them."""
    chosen = [f"{name}={os.environ[name]}" for name in CHOICES if name in os.environ]
    return " ".join([_model(), *chosen])


@cache
def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = told.get("model name") or platform.processor() or platform.machine()
    instructions = " ".join(sorted(told.get("flags", told.get("Features", "")).split()))
    return f"{name} ({hashlib.sha256(instructions.encode()).hexdigest()[:6]})"
