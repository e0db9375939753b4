"""A number with its unit and interval, a key figure, and the facts that prose is told by name.

Importing this module costs pydantic only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Unit = Literal[
    "persons",
    "hospitals",
    "consultations",
    "count",
    "percent",
    "probability",
    "ratio",
    "multiple",
    "CNY",
    "CNY_million",
    "USD_million",
    "years",
    "year",
]
"""Units a number may have. `percent` holds 37.9 for 37.9%, `probability` holds 0.379; `CNY` is a price."""

Status = Literal["gated-ok", "directional"]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
TextKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)+$")]
ClaimId = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]


class Frozen(BaseModel):
    """Base of everything that is shown: immutable, no unknown field, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Value(Frozen):
    """A number with its unit and, unless it is a published figure, its interval."""

    value: float  # The number (median of the draws, or the published figure) in `unit`
    unit: Unit  # Canonical unit
    # Ends of the central interval; both or neither. They must hold `value`
    low: float | None = None
    high: float | None = None
    level: float = Field(default=0.8, gt=0, lt=1)  # Probability inside the interval
    # Significant digits of a computed number without interval; None means a published figure
    digits: int | None = Field(default=None, ge=1, le=10)

    @model_validator(mode="after")
    def _interval_holds_value(self) -> Value:
        if (self.low is None) != (self.high is None):
            raise ValueError(f"an interval has two ends: low={self.low}, high={self.high}")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"the interval {self.low}..{self.high} {self.unit} does not hold the value {self.value}")
        if self.unit == "probability":
            for number in (self.value, self.low, self.high):
                if number is not None and not 0 <= number <= 1:
                    raise ValueError(f"a probability lies in 0..1, not {number}")
        return self


Fact = Value | str | int | float | tuple[str, ...] | list[Any] | None
"""What a text is told: a number, a day or a word, claim ids to cite, a list of `Facts` that a page tells one by one, or
None for what is not known."""

Facts = Mapping[str, Fact]
"""Facts by the name that a page's prose, a title or a note calls them."""

IsoDay = r"\d{4}-\d{2}-\d{2}"


ANSWER = "figure.answer"
"""Text of the sentence that answers a report's question: the note of a key figure, with which a page and the index
lead."""


class KeyFigure(Frozen):
    """One headline number: what it is, for when, how sure, and from which sources."""

    id: Id  # Stable name, the same from run to run (`users_2030`)
    key: TextKey  # Text key of the label
    value: Value  # The number
    # A year ("2030"), a day ("2030-12-31"), a span of years ("2025/2030") or a text key ("@period.today")
    period: str = Field(pattern=rf"^(\d{{4}}|\d{{4}}/\d{{4}}|{IsoDay}|@[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)+)$")
    sources: tuple[ClaimId, ...] = Field(min_length=1)  # Claim ids, at least one
    note_key: TextKey | None = None  # Text key of one line below the number, with `note_values`
    note_values: dict[str, Value | str | int | float] = Field(default_factory=dict)
    values: dict[str, Value | str | int | float] = Field(default_factory=dict)
    status: Status = "gated-ok"  # Whether the fit behind it passed its gates

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> KeyFigure:
        """The figure of a run's manifest, which names its notebook, too."""
        return cls.model_validate({name: value for name, value in stated.items() if name != "notebook"})
