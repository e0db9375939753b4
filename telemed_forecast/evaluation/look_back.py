"""What the same model would have said with an earlier vintage of the evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from telemed_forecast.fits.store import Fit
from telemed_forecast.forecast import internet_hospitals
from telemed_forecast.forecast.context import Context
from telemed_forecast.forecast.internet_hospitals import InternetHospitals

BEFORE_THE_JUMP = date(2022, 12, 31)
"""The count then stood at "more than 1,700"; 3,756 were named less than three years later."""


@dataclass(frozen=True)
class LookBack:
    """A forecast made with an earlier vintage.

    Attributes
    ----------
    as_of
        Its date: nothing published later is in it.
    result
        The forecast.
    """

    as_of: date
    result: InternetHospitals

    @property
    def fit(self) -> Fit:
        """The fit behind it, under a name that tells its date."""
        fit = self.result.fit
        return replace(fit, gate=replace(fit.gate, name=f"{fit.gate.name}, {self.as_of.isoformat()}"))


def internet_hospitals_before_the_jump(context: Context) -> LookBack | None:
    """The forecast of the end of 2022; None when the report's own date is not later."""
    if context.settings.as_of_date <= BEFORE_THE_JUMP:
        return None
    return LookBack(BEFORE_THE_JUMP, internet_hospitals.run(context.earlier(BEFORE_THE_JUMP)))
