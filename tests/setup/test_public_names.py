"""The short names of notebooks lead somewhere, and importing the package costs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

import telemed_forecast as tf
from telemed_forecast.paths import ROOT

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", tf._OFFERED)
def test_a_name_that_is_offered_is_there(name):
    assert getattr(tf, name) is not None
    assert name in dir(tf)


def test_the_names_are_those_on_record():
    frozen = Path(__file__).with_name("public_names.txt").read_text(encoding="utf-8").split()
    assert sorted(tf._OFFERED) == frozen, "a name more or less changes the interface: CHANGELOG, docs/interface.md"


def test_the_page_about_the_interface_explains_every_name():
    page = (ROOT / "docs" / "interface.md").read_text(encoding="utf-8")
    assert [name for name in tf._OFFERED if f"`tf.{name}" not in page] == []


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'no_such'"):
        tf.no_such  # noqa: B018


def test_importing_the_package_imports_no_library():
    code = "import sys, telemed_forecast; print({'numpy', 'pandas', 'pymc', 'pydantic'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
