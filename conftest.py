"""Settings of a whole test run."""

import os

import hypothesis
import pytest

# A machine at work on something else is no fault of the code: no test is timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser):
    """Let a run take another seed for every sampler: what is asked of draws must hold for any of them."""
    parser.addoption("--sampler-seed", type=int, default=0, help="added to the seed of everything that samples")


def pytest_configure(config):
    """Refuse to spread the cells of a notebook over processes: they would run without those before them."""
    spread = config.getoption("dist", "no") not in ("no", "loadfile") and not hasattr(config, "workerinput")
    if spread and (config.getoption("nbval", False) or config.getoption("nbval_lax", False)):
        raise pytest.UsageError("the cells of a notebook stay together: add --dist loadfile")


@pytest.fixture(scope="session")
def sampler_seed(request):
    """Seed of what samples in this run."""
    return 1 + request.config.getoption("--sampler-seed")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Notebooks run in the quick profile, everything else in what the test itself says; what draws, with its seed.

    A notebook's kernel starts with its first cell's set-up and takes the environment as it then is.
    """
    added, notebook = item.config.getoption("--sampler-seed"), item.path.suffix == ".ipynb"
    _set("TELEMED_PROFILE", "quick" if notebook else "")
    _set("TELEMED_SEED", str(20261121 + added) if added and (notebook or item.get_closest_marker("draws")) else "")


def _set(variable, value):
    if value:
        os.environ[variable] = value
    else:
        os.environ.pop(variable, None)
