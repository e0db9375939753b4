"""What a forecast starts from: the settings, and the evidence that was known on their date."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from telemed_forecast.evidence import observations, own, vintage
from telemed_forecast.fits.sampling import PROFILES, Profile
from telemed_forecast.forecast.paths import last_full_year
from telemed_forecast.models import constants
from telemed_forecast.scenarios import Scenario
from telemed_forecast.scenarios import load as load_scenario

if TYPE_CHECKING:
    import pandas as pd

    from telemed_forecast.evidence.observations import Observations


class Settings(Protocol):
    """The validated parameters that a forecast needs (see runs/parameters.py)."""

    @property
    def horizon(self) -> int:
        """Last year of the forecast."""

    @property
    def scenario(self) -> str:
        """Name of a shipped scenario or path of a file."""

    @property
    def evidence(self) -> str:
        """Files of the user's own that add rows to the ledger (see `telemed_forecast.evidence.own`)."""

    @property
    def profile(self) -> str:
        """``quick`` or ``full``."""

    @property
    def seed(self) -> int:
        """Seed of everything random."""

    @property
    def as_of_date(self) -> date:
        """The day whose knowledge counts."""


_ledger = own.ledger_with

KEPT = 3
"""Results of each forecast that a context keeps: of the base scenario, of the present levers, and of those before."""

Result = TypeVar("Result")


@dataclass
class _Memory:
    """What contexts share that differ in their levers only."""

    read: dict[tuple[str, ...], Observations] = field(default_factory=dict)
    made: dict[tuple[object, ...], Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Settings and the view of the ledger that belongs to them.

    Attributes
    ----------
    settings
        The parameters.
    levers
        If given, in place of the scenario's.
    hindsight
        Whether models are as they are designed today. Without it they have the constants that could have been known on
        the as-of date (`telemed_forecast.models.constants`).
    """

    settings: Settings
    levers: Scenario | None = field(default=None, kw_only=True)
    hindsight: bool = field(default=True, kw_only=True)
    _memory: _Memory = field(init=False, default_factory=_Memory, repr=False, compare=False)

    @cached_property
    def view(self) -> pd.DataFrame:
        """The rows known on the as-of date."""
        return vintage.as_of(_ledger(self.settings.evidence), self.settings.as_of_date)

    @cached_property
    def scenario(self) -> Scenario:
        """The levers."""
        return self.levers or load_scenario(self.settings.scenario)

    def earlier(self, day: date) -> Context:
        """The same settings with the vintage of an earlier day, in the base scenario."""
        settings = replace(self.settings, as_of=day.isoformat(), scenario="base")  # type: ignore[type-var]
        return replace(self, settings=settings, levers=None)

    def in_scenario(self, name: str) -> Context:
        """The same settings in another scenario."""
        settings = replace(self.settings, scenario=name)  # type: ignore[type-var]
        return self._remembering(replace(self, settings=settings, levers=None))

    def with_levers(self, scenario: Scenario) -> Context:
        """The same settings with other levers."""
        return self._remembering(replace(self, levers=scenario))

    def _remembering(self, other: Context) -> Context:
        """Another context, which differs in its levers only: what was read or made once is not made again."""
        object.__setattr__(other, "_memory", self._memory)
        return other

    def once(self, name: str, levers: Sequence[str], make: Callable[[], Result]) -> Result:
        """What a forecast gives under the present values of its levers, made once; the latest few are kept."""
        made, key = self._memory.made, (name, *(self.scenario[lever] for lever in levers))
        result = made.pop(key) if key in made else make()
        made[key] = result
        own = [other for other in made if other[0] == name]
        for old in own[:-KEPT]:
            made.pop(old)
        return result

    def constants(self, model: str) -> dict[str, np.ndarray]:
        """The constants of a model that the arrays of a fit bring along: with hindsight those of today."""
        return constants.arrays(model, date.max if self.hindsight else self.settings.as_of_date)

    @property
    def profile(self) -> Profile:
        """Effort of the sampler."""
        return PROFILES[self.settings.profile]

    @property
    def last_year(self) -> int:
        """The last calendar year that had ended on the as-of date."""
        return last_full_year(self.settings.as_of_date)

    def generator(self, name: str) -> np.random.Generator:
        """Random numbers of one part of the run: its own stream, the same for the same seed."""
        return np.random.default_rng([self.settings.seed, zlib.crc32(name.encode())])

    def rows(self, metric: str, *segments: str) -> pd.DataFrame:
        """The known rows of a metric, of all segments or of those named."""
        chosen = self.view["metric"] == metric
        if segments:
            chosen &= self.view["segment"].isin(segments)
        return self.view[chosen]

    def observed(self, metric: str, *segments: str) -> Observations:
        """The intervals of a metric that may enter a likelihood, amounts in yuan."""
        key, read = (metric, *segments), self._memory.read
        if key not in read:
            read[key] = observations.to_cny(observations.intervals(self.rows(*key)), self.view)
        return read[key]
