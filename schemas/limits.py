"""Time limits: what an office promises for a procedure, and the file that says so."""

from dataclasses import field
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

STRICT = ConfigDict(extra="forbid", strict=True)
Word = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
LimitUnit = Literal["hour", "working_day", "day", "month", "same_day", "none"]


@dataclass(frozen=True, slots=True, config=STRICT)
class Limit:
    """How long a procedure may take.

    ``hour`` and a fractional ``working_day`` are counted in working hours (1 working day = 8), to the
    instant; the other units are counted in dates. ``same_day`` and ``none`` have no value.
    """

    unit: LimitUnit
    value: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        valueless = self.unit in ("same_day", "none")
        if valueless != (self.value is None):
            wanted = "no value" if valueless else "a value"
            raise PydanticCustomError(
                "limit_value", "a limit in {unit} has {wanted}", {"unit": self.unit, "wanted": wanted}
            )
        if self.unit in ("day", "month") and self.value is not None and self.value % 1:
            raise PydanticCustomError("limit_value", "days and months are whole")
        return self

    @property
    def exact(self) -> bool:
        """Whether the due time is compared by instant (else by date).

        >>> Limit("hour", 4).exact, Limit("working_day", 0.5).exact, Limit("working_day", 5).exact
        (True, True, False)
        """
        return self.unit == "hour" or (self.unit == "working_day" and self.value is not None and self.value % 1 != 0)


@dataclass(frozen=True, slots=True, config=STRICT)
class NearDue:
    """When a dossier counts as near its due time: that much working time, or less, is left."""

    working_days: Annotated[float, Field(gt=0, le=1000)] | None = None
    working_hours: Annotated[float, Field(gt=0, le=8000)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.working_days is None) == (self.working_hours is None):
            raise PydanticCustomError("near_due", "near_due names either working_days or working_hours")
        return self


@dataclass(frozen=True, slots=True, config=STRICT)
class Match:
    """Which dossiers a rule is for, as they were at the start; an absent field matches all."""

    procedure: Word | None = None
    case: Word | None = None
    channel: Literal["counter", "online", "post"] | None = None
    unit: Word | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class LimitRule:
    """One line of ``limits.yaml``: the first that matches gives the limit."""

    match: Match
    limit: Limit
    near_due: NearDue | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class LimitsFile:
    """One ``limits*.yaml``: the rules in force from a date on; the versions rise with the dates."""

    version: Annotated[int, Field(ge=1, le=1_000_000)]
    in_force_from: date
    rules: tuple[LimitRule, ...] = field(default=())
