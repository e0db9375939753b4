"""Lets the tests of this folder import each other's modules by name, and gives them the real ledger's arrays."""

import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def arrays_on():
    """The arrays of every model from what was known on a day: (day, ledger or None) -> {model: arrays}."""
    from real_arrays import arrays

    return cache(arrays)
