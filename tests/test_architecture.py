"""The house rules: imports run one way, the command line starts light, and the project stands alone."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from telemed_forecast.paths import ROOT

pytestmark = pytest.mark.unit

PACKAGE = ROOT / "telemed_forecast"

ROOMS = (
    ("errors", "files", "hub_format", "names", "paths"),
    ("evidence",),
    ("models",),
    ("fits",),
    ("curves",),
    ("scenarios",),
    ("forecast",),
    ("evaluation",),
    ("exhibits",),
    ("render",),
    ("runs",),
    ("cli_evidence",),
    ("cli",),
)
"""From left to right; a module imports from its own room and from rooms to its left."""

FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}

HEAVY = (
    "pymc",
    "pytensor",
    "nutpie",
    "arviz",
    "pandas",
    "prophet",
    "altair",
    "papermill",
    "xarray",
    "statsforecast",
)

SOURCES = sorted(PACKAGE.rglob("*.py"))
LIGHT = [*sorted((PACKAGE / "curves").glob("*.py")), *sorted((PACKAGE / "runs").glob("*.py")), PACKAGE / "cli.py"]
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))


def room_of(source):
    """The room of a source file; None for the package's own `__init__`."""
    parts = source.relative_to(PACKAGE).with_suffix("").parts
    return None if parts == ("__init__",) else parts[0]


def imported(node):
    """Full names that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level:
        raise AssertionError(f"line {node.lineno}: relative import")
    return [f"{node.module}.{alias.name}" for alias in node.names]


def imports(source):
    """(line, full name) of every import of a file, wherever it stands."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [(node.lineno, name) for node in nodes for name in imported(node)]


def at_module_level(source):
    """Full names that are imported when the module is, outside of `if TYPE_CHECKING`."""
    found, waiting = [], list(ast.parse(source.read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += imported(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return found


def wrong_way(source, names):
    """Imports of a room to the right of the source's own."""
    own = room_of(source)
    found = []
    for line, name in names:
        parts = name.split(".")
        if parts[0] == "telemed_forecast" and len(parts) > 1 and parts[1] in FLOOR:
            if own is None or FLOOR[parts[1]] > FLOOR[own]:
                found.append(f"line {line}: {name}")
    return found


def tracked():
    """Files under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@each_source
def test_imports_run_from_right_to_left(source):
    assert wrong_way(source, imports(source)) == []


@each_source
def test_every_module_belongs_to_a_room(source):
    room = room_of(source)
    assert room is None or room in FLOOR, f"{room} is no room: ROOMS names them all"


def test_an_import_to_the_right_would_be_noticed():
    source = PACKAGE / "models" / "growth.py"
    assert wrong_way(source, [(1, "telemed_forecast.fits.sampling"), (2, "telemed_forecast.paths.ROOT")]) == [
        "line 1: telemed_forecast.fits.sampling"
    ]


@pytest.mark.parametrize("source", LIGHT, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_command_line_and_what_it_calls_import_nothing_heavy_when_they_are_imported(source):
    assert [name for name in at_module_level(source) if name.split(".")[0] in HEAVY] == []


@pytest.mark.parametrize("source", sorted((PACKAGE / "models").glob("*.py")), ids=lambda p: p.name)
def test_models_can_be_read_without_the_sampler(source):
    heavy = {"pymc", "pytensor", "nutpie", "arviz", "prophet"}
    assert [name for name in at_module_level(source) if name.split(".")[0] in heavy] == []


@pytest.mark.parametrize("module", ["cli", "runs.parameters", "runs.plan"])
def test_a_fresh_process_starts_without_heavy_libraries(module):
    code = f"import sys, telemed_forecast.{module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"


@each_source
def test_no_module_is_a_drawer_for_leftovers(source):
    assert source.stem not in {"utils", "util", "helpers", "helper", "misc", "common", "tools", "stuff"}


def test_no_source_is_too_long_to_read():
    sources = [path for path in tracked() if path.suffix == ".py"]
    assert sources
    assert {str(p.relative_to(ROOT)): p.stat().st_size for p in sources if p.stat().st_size > 24_000} == {}


@each_source
def test_nothing_is_pickled(source):
    names = {name.split(".")[0] for _, name in imports(source)}
    assert not names & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert not re.search(r"allow_pickle\s*=\s*True|read_pickle|to_pickle", source.read_text(encoding="utf-8"))


def test_no_file_under_version_control_is_a_pickle():
    assert [p.name for p in tracked() if p.suffix in {".pkl", ".pickle", ".joblib"}] == []


# Written in parts, so that this file does not contain what it looks for.
HOMES = "|".join(["wo" + "rk", "ho" + "me", "Us" + "ers", "ro" + "ot"])
FOREIGN = {
    "a folder of somebody's machine": re.compile(rf"(?<![\w.~*/-])/(?:{HOMES})/[\w.]"),
    "a drive of somebody's machine": re.compile(rf"\b[A-Z]:\\(?:{HOMES})\\"),
    "a folder outside of the repository": re.compile(r"(?:\.\./|(?<![\w/-]))sha" + r"red/[a-z]"),
    "the host of a package registry": re.compile(
        r"index[-_]url\s*[= ]\s*https?://|(?:ar" + r"tifactory|ne" + r"xus|devpi)[\w.-]*\.\w+/", re.IGNORECASE
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_under_version_control_names_a_place_outside(what):
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if FOREIGN[what].search(line) and not line.startswith("#!"):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == [], what


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a folder of somebody's machine", "open('/ho" + "me/me/data.csv')"),
        ("a folder of somebody's machine", "path = /wo" + "rk/main"),
        ("a folder outside of the repository", "read('../sha" + "red/benchmarks/x.csv')"),
        ("the host of a package registry", "--index" + "-url https://mirror.example/simple"),
    ],
)
def test_such_a_place_would_be_found(what, line):
    assert FOREIGN[what].search(line)


def test_the_tests_mirror_the_package():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= {path.name for path in Path(__file__).parent.iterdir() if path.is_dir()}
