"""The shipped ledger, read once."""

import sys
from pathlib import Path

import pytest

from telemed_forecast.evidence import ledger

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def claims():
    return ledger.load()


@pytest.fixture(scope="session")
def by_id(claims):
    return claims.set_index("claim_id")
