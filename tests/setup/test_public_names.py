"""The short names of notebooks lead somewhere, and importing the package costs nothing."""

import subprocess
import sys

import pytest

import telemed_forecast as tf

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", tf._OFFERED)
def test_a_name_that_is_offered_is_there(name):
    assert getattr(tf, name) is not None
    assert name in dir(tf)


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'no_such'"):
        tf.no_such  # noqa: B018


def test_importing_the_package_imports_no_library():
    code = "import sys, telemed_forecast; print({'numpy', 'pandas', 'pymc', 'pydantic'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
