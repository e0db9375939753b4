"""Settings of a whole test run."""

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Notebooks run in the quick profile, everything else in what the test itself says.

    A notebook's kernel starts with its first cell's set-up and takes the environment as it then is.
    """
    if item.path.suffix == ".ipynb":
        os.environ["TELEMED_PROFILE"] = "quick"
    else:
        os.environ.pop("TELEMED_PROFILE", None)
