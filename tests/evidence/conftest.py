"""The shipped ledger, read once."""

import pytest

from telemed_forecast.evidence import ledger


@pytest.fixture(scope="session")
def claims():
    return ledger.load()


@pytest.fixture(scope="session")
def by_id(claims):
    return claims.set_index("claim_id")
