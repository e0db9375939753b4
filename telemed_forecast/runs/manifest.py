"""A run's manifest: what went in, what came out, and the means to check both.

`manifest.json` is written last, into the temporary folder of the run, so a folder with a manifest is whole.
What differs between two runs of the same inputs (times of day, durations) stands in a section of its own,
`volatile`. The hash of what it says closes it, so that a change of the manifest itself is noticed like one of any other
file. Nothing here is secret: who forges a number can forge its hash and the seal too, and making the run again is what
finds that.
"""

import contextlib
import datetime as dt
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from telemed_forecast import __version__
from telemed_forecast.errors import InputError, TelemedError, listed
from telemed_forecast.evidence import own
from telemed_forecast.fits.processor import processor
from telemed_forecast.runs import plan

NAME = "manifest.json"
SCHEMA = 1
SEAL = "seal"
_NEEDED = frozenset({"run_id", "key", "inputs", "outputs", "parameters", "languages", "python", "volatile"})


def build(
    run: plan.Run,
    folder: Path,
    *,
    gates: Sequence[Mapping[str, Any]],
    key_figures: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
    drawn_on: Iterable[str] = (),
) -> dict[str, Any]:
    """Describe a run whose files, but for the manifest, are all in its folder: plain values, ready for JSON.

    Gates and key figures come from the executed notebooks, each with the notebook's name; `seconds` says how long each
    notebook (and the pages) took. `drawn_on` names the processors that its fits were drawn on, where that is known:
    numbers are the same to the byte on those, and on the one that made the run, alone.
    """
    common = run.common
    return {
        "schema": SCHEMA,
        "run_id": run.run_id,
        "key": run.key,
        "as_of": common.as_of_date.isoformat(),
        "vintage": common.vintage.isoformat(),
        "scenario": run.scenario,
        "evidence": own.described(common.evidence),
        "profile": common.profile,
        "notebooks": list(run.settings),
        "languages": list(run.languages),
        "formats": list(run.formats),
        "parameters": {notebook: dict(values) for notebook, values in run.parameters.items()},
        "seeds": {"seed": common.seed},
        "python": platform.python_version(),
        "inputs": dict(run.inputs),
        "outputs": {path: plan.file_hash(folder / path) for path in outputs_in(folder)},
        "versions": {"telemed-forecast": __version__, **plan.versions()},
        "status": "gated-ok" if all(gate["ok"] for gate in gates) else "directional",
        "gates": list(gates),
        "key_figures": list(key_figures),
        "volatile": {
            "created": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
            "seconds": dict(seconds),
            "platform": platform.platform(),
            "processor": " and ".join(sorted({processor(), *drawn_on})),
        },
    }


def outputs_in(folder: Path) -> list[str]:
    """Every file of a run but its manifest, as sorted paths with `/`."""
    files = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return sorted(path for path in files if path != NAME)


def write(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write a manifest into a run's folder, sealed."""
    (folder / NAME).write_bytes(_sealed(manifest))


def _sealed(manifest: Mapping[str, Any]) -> bytes:
    """The one text of a manifest, with the sha256 of what it says."""
    said = {name: value for name, value in manifest.items() if name != SEAL}
    seal = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
    return (json.dumps({**said, SEAL: seal}, ensure_ascii=False, indent=1) + "\n").encode()


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of a run; `InputError` when the folder holds none, or one that cannot be read."""
    try:
        manifest = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError([f"{folder} is not a run: it holds no {NAME}"]) from None
    except (OSError, ValueError) as error:
        raise InputError([f"{folder / NAME} cannot be read: {error}"]) from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise InputError([f"{folder / NAME} is not a manifest of schema {SCHEMA}"])
    if missing := sorted(_NEEDED - manifest.keys()):
        raise InputError([f"{folder / NAME} lacks {', '.join(missing)}"])
    return manifest


def all_in(reports: Path) -> list[dict[str, Any]]:
    """Manifests of all whole runs in a folder of reports, newest first; other folders are passed over."""
    found = []
    for file in reports.glob(f"[!.]*/{NAME}"):
        with contextlib.suppress(InputError):
            found.append(read(file.parent))
    return sorted(found, key=lambda manifest: manifest["volatile"]["created"], reverse=True)


def differences(folder: Path) -> list[str]:
    """Hold a run's files against its manifest (`InputError` when it holds none of this schema).

    One line for each file that changed, is missing or is not in the manifest, and for a key that does not follow from
    the parameters and inputs which the manifest states. A manifest that is not as it was written is the only line: what
    it says of the other files says nothing any more.
    """
    if broken := _broken_seal(folder):
        return [broken]
    manifest = read(folder)
    stated = manifest["outputs"]
    present = set(outputs_in(folder))
    both = sorted(present & stated.keys())
    found = [f"{path}: missing" for path in sorted(stated.keys() - present)]
    found += [f"{path}: not in the manifest" for path in sorted(present - stated.keys())]
    found += [f"{path}: changed" for path in both if plan.file_hash(folder / path) != stated[path]]
    said = {name: manifest[name] for name in ("inputs", "parameters", "languages", "python")}
    if plan.key_of(**said, formats=manifest.get("formats", ())) != manifest["key"]:
        found.append(f"{NAME}: the key does not follow from the parameters and inputs stated")
    return found


def require_as_written(folder: Path) -> None:
    """Refuse a run whose files are not as they were written (`differences`, as a `TelemedError`)."""
    if found := differences(folder):
        raise TelemedError(listed(f"{folder} is not as it was written", found))


def _broken_seal(folder: Path) -> str | None:
    """What is wrong with a manifest's own text; None when it stands as it was written, and when there is none."""
    try:
        text = (folder / NAME).read_bytes()
    except OSError:
        return None
    try:
        manifest = json.loads(text)
    except ValueError:
        return f"{NAME}: changed, it cannot be read any more"
    if isinstance(manifest, dict) and text == _sealed(manifest):
        return None
    how = ", its seal is missing" if isinstance(manifest, dict) and SEAL not in manifest else ""
    return f"{NAME}: changed{how}, so nothing can be said of the other files"


def changed_inputs(stated: Mapping[str, Any], project: plan.Project) -> list[str]:
    """Hold what went into a run, as its manifest says, against a project as it is now: one line a file.

    Files of the user's own lie elsewhere and are not looked for.
    """
    there = [name for name in stated["notebooks"] if (project.notebooks / f"{name}.ipynb").exists()]
    now = plan.inputs_of(project, there, dt.date.fromisoformat(stated["as_of"]))
    then = {path: sha256 for path, sha256 in stated["inputs"].items() if not path.startswith(plan.OWN)}
    return plan.changed_files(then, now)


_MEASURED = {
    "R-hat": "rhat_max",
    "bulk ESS": "ess_bulk_min",
    "tail ESS": "ess_tail_min",
    "MCSE": "mcse_max",
    "saturated": "saturated",
    "BFMI": "bfmi_min",
}


def missed_gates(manifest: Mapping[str, Any]) -> list[str]:
    """Fits of a run that missed their gates, each once with its diagnostics; empty when all passed."""
    return list(dict.fromkeys(_diagnostics(gate) for gate in manifest["gates"] if not gate["ok"]))


def _diagnostics(gate: Mapping[str, Any]) -> str:
    values = {label: gate.get(name) for label, name in _MEASURED.items()}
    numbers = [f"{label} {'unknown' if value is None else f'{value:.4g}'}" for label, value in values.items()]
    return f"{gate['name']}: {', '.join(numbers)}, {gate['divergences']} divergences"


def closest(run: plan.Run, manifests: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Of finished runs (newest first) of the same notebooks, the newest whose parameters differ least."""

    def different(manifest: Mapping[str, Any]) -> int:
        old = manifest["parameters"]
        now = [(notebook, name, value) for notebook, own in run.parameters.items() for name, value in own.items()]
        return sum(old.get(notebook, {}).get(name) != value for notebook, name, value in now)

    same = [manifest for manifest in manifests if manifest["notebooks"] == list(run.settings)]
    return min(same, key=different, default=None)
