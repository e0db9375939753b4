"""The three lists of packages say the same, and none of them names a place to download from."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
OPTIONAL = {name: [Requirement(line) for line in lines] for name, lines in PROJECT["optional-dependencies"].items()}
EXTRAS = OPTIONAL["dev"] + OPTIONAL["cluster"]
LOCK = (ROOT / "requirements.lock").read_text()
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())

# A locked entry: "name==1.2 ; marker \" and then its indented hashes and comments.
ENTRY = re.compile(r"^(?P<requirement>[A-Za-z0-9][^\\\n]*?)\s*\\?\n(?P<rest>(?:[ \t]+.*\n?)*)", re.MULTILINE)
LOCKED = [(Requirement(found["requirement"]), found["rest"]) for found in ENTRY.finditer(LOCK)]
HOST = re.compile(r"://|\b[\w-]+\.(?:org|com|net|io|dev|cn|edu)\b|--(?:extra-)?index-url|--find-links|--trusted-host")


def bounds(requirements: list[Requirement]) -> dict[str, SpecifierSet]:
    """Specifiers by canonical name."""
    return {canonicalize_name(one.name): one.specifier for one in requirements}


def locked_versions(name: str, python: str) -> list[str]:
    """Versions that the lock installs of one package on Linux and one Python."""
    here = default_environment() | {"python_version": python, "python_full_version": f"{python}.0"}
    return [
        next(iter(entry.specifier)).version
        for entry, _ in LOCKED
        if canonicalize_name(entry.name) == canonicalize_name(name)
        and (entry.marker is None or entry.marker.evaluate(here))
    ]


@pytest.mark.parametrize("python", ["3.12", "3.13"])
@pytest.mark.parametrize("wanted", RUNTIME + EXTRAS, ids=str)
def test_the_lock_satisfies_every_direct_dependency_on_every_python(wanted, python):
    versions = locked_versions(wanted.name, python)
    assert len(versions) == 1, f"{wanted.name} is locked {len(versions)} times for Python {python}"
    assert wanted.specifier.contains(versions[0]), f"{wanted.name} is locked at {versions[0]}"


def test_every_dependency_has_a_lower_bound_and_no_upper_one():
    for wanted in RUNTIME + [one for extra in OPTIONAL.values() for one in extra]:
        assert [one.operator for one in wanted.specifier] == [">="], str(wanted)


def test_the_peers_of_the_benchmarks_are_not_installed_by_default():
    locked = {canonicalize_name(entry.name) for entry, _ in LOCKED}
    assert OPTIONAL["bench"] and not locked & set(bounds(OPTIONAL["bench"]))


def test_every_locked_package_is_pinned_and_has_hashes():
    assert len(LOCKED) > len(RUNTIME)
    for entry, rest in LOCKED:
        assert [one.operator for one in entry.specifier] == ["=="], str(entry)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest), f"{entry} has no hash"


def test_the_reading_of_the_lock_misses_no_line():
    read = sum(1 + len(rest.splitlines()) for _, rest in LOCKED)
    comments = sum(line.startswith("#") for line in LOCK.splitlines())
    assert read + comments == len(LOCK.splitlines())


def test_the_lock_says_how_it_was_made():
    assert "make lock" in LOCK.splitlines()[1]


def test_conda_users_get_the_same_packages_with_the_same_bounds():
    listed = bounds([Requirement(line) for line in CONDA["dependencies"] if isinstance(line, str) and ">" in line])
    assert listed == bounds(RUNTIME)


def test_conda_users_get_a_supported_python_and_this_checkout_from_conda_forge_alone():
    rest = [line for line in CONDA["dependencies"] if not (isinstance(line, str) and ">" in line)]
    assert rest == ["python=3.13", "pip", {"pip": ["-e ."]}]
    assert SpecifierSet(PROJECT["requires-python"]).contains("3.13.0")
    assert CONDA["channels"] == ["conda-forge"]


@pytest.mark.parametrize("name", ["requirements.lock", "Makefile", "environment.yml"])
def test_no_registry_is_named(name):
    named = [line for line in (ROOT / name).read_text().splitlines() if HOST.search(line)]
    assert named == []
