"""The fits of a run: which are missing, and in which order models are fitted.

Each model's fits are one task, so that it is compiled once; a model whose arrays are made of another's draws waits for
that one, and a notebook waits for the models that it reads. What was made is put on record under a hash of everything
that a fit can depend on, so that a run whose fits are all stored starts its notebooks at once.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from pathlib import Path

from telemed_forecast.evaluation.needs import FEEDS, Needs
from telemed_forecast.fits.processor import processor
from telemed_forecast.runs.execute import Fits, fits_of
from telemed_forecast.runs.plan import Run
from telemed_forecast.runs.worker import FitsJob

READ = (
    *("data/evidence/", "evidence/", "data/priors/", "requirements.lock"),
    *(f"telemed_forecast/{room}/" for room in ("evidence", "models", "fits", "curves", "forecast", "evaluation")),
)
"""Inputs of a run that decide which fits it needs. What is missing here costs time, not truth: a fit has a key of its
own, and a notebook that finds none makes it."""


def declared(notebook: Path) -> Needs:
    """What a notebook's metadata says that it reads; a file that is no notebook fails when it is executed."""
    try:
        metadata = json.loads(notebook.read_text(encoding="utf-8")).get("metadata", {})
        return Needs.of(metadata.get("telemed_forecast", {}).get("fits", {}))
    except (ValueError, AttributeError):
        return Needs()


@dataclass(frozen=True)
class Stage:
    """The fits of one run.

    Attributes
    ----------
    run : Run
    needs : Mapping of str to Needs
        By notebook.
    cache : Path
        Where fits are stored.
    dask : str
        Address of a Dask scheduler whose workers make them; empty for this machine.
    """

    run: Run
    needs: Mapping[str, Needs]
    cache: Path
    dask: str = ""

    @cached_property
    def _jobs(self) -> list[FitsJob]:
        """The fits of every model that is read, those that feed others first."""
        together = reduce(or_, self.needs.values(), Needs())
        return [self._job(model, together) for model in together.models()]

    @cached_property
    def tasks(self) -> list[Fits]:
        """The models with fits to make, those that feed others first."""
        missing = [job for job in self._jobs if not _made(job)]
        feeding = {FEEDS[job.model]: fits_of(job.model) for job in missing if job.model in FEEDS}
        return [Fits(job=job, waits_for=(feeding[job.model],) if job.model in feeding else ()) for job in missing]

    @property
    def missing(self) -> list[str]:
        """Models with fits to make."""
        return [task.job.model for task in self.tasks]

    def drawn_on(self) -> set[str]:
        """The processors that the fits were drawn on, as far as they are made."""
        return {one for job in self._jobs for one in _made(job).get("drawn_on", ())}

    def waits_for(self, notebook: str) -> tuple[str, ...]:
        """The fits that a notebook reads, among those that have to be made."""
        names = {task.name for task in self.tasks}
        return tuple(name for name in map(fits_of, self.needs[notebook].models()) if name in names)

    def _job(self, model: str, together: Needs) -> FitsJob:
        notebook, settings = next(iter(self.run.settings.items()))
        inputs = {name: value for name, value in self.run.inputs.items() if name.startswith(READ)}
        # Fits do not depend on where the forecast ends, nor on levers or money.
        asked = together.to_dict()
        identity = [processor(), model, asked, inputs, str(settings.as_of_date), settings.seed, settings.profile]
        name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:20]
        return FitsJob(
            model=model,
            needs=asked,
            notebook=notebook,
            parameters=settings.values(),
            made=str(self.cache / "fits" / f"{model}-{name}.json"),
            dask=self.dask,
        )


def _made(job: FitsJob) -> dict[str, list[str]]:
    """What is on record of a model's fits; nothing when one of them is missing."""
    file = Path(job.made)
    try:
        record: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
        return record if all((file.parent / name).exists() for name in record["fits"]) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
