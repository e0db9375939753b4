"""What has to run, in which order, and under which key.

A run is a set of notebooks with one scenario. Its key is a hash over everything that can change what a
reader sees: the notebooks' code, the parameters, data/, scenarios/, the package, the lock file and Python's
version. Equal keys mean equal reports, so a finished run is used again; when a key differs, the inputs that
changed are named.
"""

import contextlib
import datetime as dt
import hashlib
import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any

from telemed_forecast import paths, scenarios
from telemed_forecast.errors import TelemedError, collecting, did_you_mean
from telemed_forecast.evaluation import frozen_files
from telemed_forecast.evidence import own
from telemed_forecast.names import LANGUAGES, Language
from telemed_forecast.runs import parameters
from telemed_forecast.runs.parameters import NOTEBOOKS, Settings

PACKAGE = "telemed_forecast"

# Raised when the meaning of a key or the layout of a run changes.
KEY_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where a project keeps what goes into a run."""

    root: Path = paths.ROOT  # Holds notebooks/, data/, scenarios/, releases/, requirements.lock
    cache: Path = paths.CACHE  # Scratch space: fits, and notebooks that failed

    @property
    def notebooks(self) -> Path:
        """The folder of the notebooks."""
        return self.root / "notebooks"

    def part(self, name: str) -> Path:
        """A folder of what goes in; the package of an installed project stands around the others."""
        beside = self.root / name
        return beside if name != PACKAGE or beside.is_dir() else paths.PACKAGE


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for, checked."""

    # One mapping (by notebook) for each run, that is for each scenario and date
    settings: tuple[Mapping[str, Settings], ...]
    languages: tuple[Language, ...]  # Languages of the pages
    formats: tuple[str, ...] = ()  # What is made beside the pages: `pdf`, `workbook`, `explorer`


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: notebooks, their settings, and the key of all that goes in."""

    run_id: str  # `<as_of or vintage>-<scenario>-<first 8 of the key>`: the folder's name
    key: str  # sha256, hexadecimal
    settings: Mapping[str, Settings]  # By notebook, in reading order
    languages: tuple[Language, ...]
    inputs: Mapping[str, str]  # sha256 by path (relative to the project, with `/`), and versions of packages
    # By notebook: what the key covers. A scenario goes by its name; its file is among the inputs
    parameters: Mapping[str, Mapping[str, Any]]
    formats: tuple[str, ...] = ()

    @property
    def common(self) -> Settings:
        """The settings of the first notebook, for what all of them share."""
        return next(iter(self.settings.values()))

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        return scenario_name(self.common)


def request(
    notebooks: Sequence[str] = (),
    texts: Iterable[tuple[str, str]] = (),
    *,
    scenario: Sequence[str] = (),
    as_of: Sequence[str] = (),
    languages: Sequence[str] = (),
    also: Iterable[str] = (),
) -> Request:
    """Check what somebody asks for.

    Notebooks and languages: all when empty. `texts` are parameters by name, as typed. There is a run for each
    combination of `scenario` and `as_of`; without any, `texts` or the defaults say which. `also` are faults already
    found elsewhere, which the `InputError` names with all others.
    """
    faults: list[object] = list(also)
    wanted = sorted(
        dict.fromkeys(notebooks or NOTEBOOKS),
        key=lambda name: NOTEBOOKS.index(name) if name in NOTEBOOKS else len(NOTEBOOKS),
    )
    pairs = list(texts)
    axes = {"scenario": list(dict.fromkeys(scenario)), "as_of": list(dict.fromkeys(as_of))}
    for option, choices in axes.items():
        if choices and any(name == option for name, _ in pairs):
            faults.append(f"{option} is given both by --{option.replace('_', '-')} and by -p")
            pairs = [pair for pair in pairs if pair[0] != option]
    for language in languages:
        if language not in LANGUAGES:
            hint = did_you_mean(language, LANGUAGES)
            faults.append(f'--lang "{language}" is not allowed{hint}: allowed {", ".join(LANGUAGES)}')
    runs = []
    for own_pairs in product(*([(option, one) for one in choices] for option, choices in axes.items() if choices)):
        with collecting(faults):
            runs.append(parameters.from_texts(wanted, [*pairs, *own_pairs]))
    if not faults:
        with collecting(faults):
            scenarios.check_set(axes["scenario"])
    if faults:
        raise parameters.refused(faults)
    chosen = tuple(language for language in LANGUAGES if not languages or language in languages)
    return Request(settings=tuple(runs), languages=chosen)


def runs(asked: Request, project: Project) -> list[Run]:
    """Plan the runs of a request: hash the inputs and work out keys; `TelemedError` as :func:`notebook_hash`."""
    return [_run(settings, asked, project) for settings in asked.settings]


def _run(settings: Mapping[str, Settings], asked: Request, project: Project) -> Run:
    common = next(iter(settings.values()))
    inputs = inputs_of(project, settings, common.as_of_date) | own_inputs(common)
    values = {notebook: stated(one) for notebook, one in settings.items()}
    shape = {"languages": asked.languages, "formats": asked.formats}
    key = key_of(inputs=inputs, parameters=values, python=platform.python_version(), **shape)
    return Run(
        run_id=f"{common.as_of_date}-{scenario_name(common)}-{key[:8]}",
        key=key,
        settings=settings,
        languages=asked.languages,
        formats=asked.formats,
        inputs=dict(sorted(inputs.items())),
        parameters=values,
    )


def key_of(
    *,
    inputs: Mapping[str, str],
    parameters: Mapping[str, Any],
    languages: Sequence[str],
    python: str,
    formats: Sequence[str] = (),
) -> str:
    """Hash what identifies a run: sha256, hexadecimal."""
    identity = {
        "format": KEY_FORMAT,
        "inputs": inputs,
        "parameters": parameters,
        "languages": languages,
        "python": python,
        **({"formats": list(formats)} if formats else {}),
    }
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def evidence_of(run: Mapping[str, Settings]) -> tuple[str, dt.date]:
    """The user's own evidence in a run, and the run's date."""
    common = next(iter(run.values()))
    return common.evidence, common.as_of_date


def own_inputs(settings: Settings) -> dict[str, str]:
    """Hash the user's own files, wherever they lie: scenarios and evidence."""
    scenario = [file for file in scenarios.load(settings.scenario).files if file.parent != paths.SCENARIOS]
    both = {"scenario": scenario, "evidence": own.files(settings.evidence)}
    return {f"{kind}/{n}/{file.name}": file_hash(file) for kind, files in both.items() for n, file in enumerate(files)}


def stated(settings: Settings) -> dict[str, Any]:
    """A notebook's parameters as a manifest states them: files by name, without their folders."""
    return {**settings.values(), "scenario": scenario_name(settings), "evidence": own.names(settings.evidence)}


def scenario_name(settings: Settings) -> str:
    """The name of a run's scenario."""
    return scenarios.name_of(settings.scenario)


READS_RELEASES = ("track_record", "executive_summary")
"""The notebooks that score what was frozen, or hold today's numbers against it."""

_SHARED: Mapping[str, Callable[[Path], bool]] = {
    "data": lambda _: True,
    "scenarios": lambda inside: inside.suffix == ".toml",
    PACKAGE: lambda inside: inside.suffix != ".pyc" and inside.parts[0] != paths.SHIPPED.name,
}
"""Folders whose files count in every run: which of them, by their paths inside."""


# The packages whose version can change a number or a page.
PACKAGES = (
    "altair arviz nutpie numba numpy pandas papermill prophet pyarrow pymc pytensor scipy statsforecast"
    " vl-convert-python weasyprint xarray xlsxwriter"
).split()

INSTALLED = "installed/"
"""Begin of the names under which inputs hold the versions of packages: those that are there, whatever the lock says."""

OWN = ("scenario/", "evidence/")
"""Begins of the names under which inputs hold the user's own files."""


@cache
def versions() -> dict[str, str]:
    """Installed versions of the packages that matter to a result."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def inputs_of(project: Project, notebooks: Iterable[str], day: dt.date) -> dict[str, str]:
    """Hash what notebooks depend on, but for scenario files of the user's own.

    By path relative to the project, with `/`; the versions of installed packages are among them. Of the releases those
    count that were frozen by the day: later ones cannot change a run of that date. One that cannot be read counts, too.
    """
    found = {}
    for folder, wanted in _SHARED.items():
        there = project.part(folder)
        for file in filter(Path.is_file, there.rglob("*")):
            inside = file.relative_to(there)
            if wanted(inside) and not _is_scratch(inside):
                found[f"{folder}/{inside.as_posix()}"] = file_hash(file)
    used = [project.root / "requirements.lock"]
    if set(READS_RELEASES) & set(notebooks):
        for release in frozen_files.frozen_by(project.root / "releases", day):
            used += release.iterdir()
    found |= {file.relative_to(project.root).as_posix(): file_hash(file) for file in used if file.is_file()}
    found |= {f"{INSTALLED}{package}": version for package, version in versions().items()}
    return found | {f"notebooks/{name}.ipynb": notebook_hash(project.notebooks / f"{name}.ipynb") for name in notebooks}


def _is_scratch(inside: Path) -> bool:
    """Tell what editors, Python and the system leave behind."""
    return any(part.startswith(".") or part == "__pycache__" or part.endswith("~") for part in inside.parts)


def file_hash(file: Path) -> str:
    """The sha256 of a file's bytes, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def notebook_hash(file: Path) -> str:
    """Hash a notebook's sources and tags: outputs, counts and cell ids do not matter.

    `TelemedError` when the file is missing, or is not a notebook.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        cells = [
            [cell["cell_type"], "".join(cell["source"]), cell.get("metadata", {}).get("tags", [])]
            for cell in document["cells"]
        ]
    except FileNotFoundError:
        raise TelemedError(f"the notebook {file} is missing") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TelemedError(f"{file} is not a notebook: {error!r}") from error
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()


def changes(before: Mapping[str, Any], run: Run) -> list[str]:
    """Say what differs between a finished run and a planned one.

    `before` is the manifest of the finished run; one short phrase a difference, parameters first.
    """
    found = []
    for notebook, values in run.parameters.items():
        old = before["parameters"].get(notebook, {})
        found += [f"{name} {old.get(name)!r} -> {value!r}" for name, value in values.items() if old.get(name) != value]
    common = {
        "languages": (" ".join(before["languages"]), " ".join(run.languages)),
        "formats": (" ".join(before.get("formats", ())) or "none", " ".join(run.formats) or "none"),
        "Python": (before["python"], platform.python_version()),
    }
    found += [f"{what} {then} -> {now}" for what, (then, now) in common.items() if then != now]
    return list(dict.fromkeys([*found, *changed_files(before["inputs"], run.inputs)]))


def changed_files(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Say which files differ between two states of a project, each as its sha256 by path."""
    both = sorted(before.keys() | after.keys())
    how = {path: "is new" if path not in before else "is gone" if path not in after else "changed" for path in both}
    return [f"{path} {how[path]}" for path in both if before.get(path) != after.get(path)]
