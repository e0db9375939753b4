"""Gives the tests of this folder the shipped ledger, and checks of truths as the tests of the models have them."""

import sys
from pathlib import Path

import pytest

from telemed_forecast.evidence import ledger

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))


@pytest.fixture(scope="session")
def claims():
    return ledger.load()
