"""The office itself: which calendars it uses, how its codes look, when it calls a dossier slow."""

import re
from dataclasses import field
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from schemas.limits import STRICT, Word

#: SPEC's dossier code; ``yymmdd`` must be a real date.
DOSSIER_CODE = (
    r"([0-9]{3}\.[0-9A-Z]{2}\.[0-9A-Z]{2}\.[A-Z][0-9]{2}|[A-Z][0-9]{2}(\.[0-9A-Z]{2,3}){0,6})"
    r"-(?P<yymmdd>[0-9]{6})-[0-9]{4,7}"
)
PROCEDURE_CODE = r"[0-9]\.[0-9]{6}(\.[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}|\.[A-Z][0-9]{2})?"

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h|d|wd)")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
WORKING_DAY = timedelta(hours=8)  #: R8: a working day is eight working hours


def read_span(text: object) -> timedelta:
    """A length of time as office.yaml writes it; ``wd`` is a working day of eight hours.

    >>> read_span("5m"), read_span("5wd")
    (datetime.timedelta(seconds=300), datetime.timedelta(days=1, seconds=57600))
    """
    parts = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        raise ValueError("write a length of time such as 5m, 2h, 30d or 5wd")
    return float(parts[1]) * (WORKING_DAY if parts[2] == "wd" else _UNITS[parts[2]])


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a pattern: {error}") from None
    return text


Span = Annotated[timedelta, BeforeValidator(read_span)]
Pattern = Annotated[str, AfterValidator(_pattern)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Codes:
    """The patterns of codes, to be matched in full; a group ``yymmdd`` must be a real date."""

    dossier: Pattern = DOSSIER_CODE
    procedure: Pattern = PROCEDURE_CODE


@dataclass(frozen=True, slots=True, config=STRICT)
class Levels:
    """When a dossier or a feed counts as neglected: working time, elapsed time, office hours."""

    stalled: Annotated[timedelta, BeforeValidator(read_span)] = timedelta(hours=40)
    long_pause: Annotated[timedelta, BeforeValidator(read_span)] = timedelta(days=30)
    silent_feed: Annotated[timedelta, BeforeValidator(read_span)] = timedelta(hours=2)


@dataclass(frozen=True, slots=True, config=STRICT)
class Office:
    """``office.yaml``: what holds for the whole office. ``version`` rises with every change of the file."""

    calendar: Word
    reception: Word
    receipt: Literal["next_open", "civil"] = "next_open"
    skew: Span = timedelta(minutes=5)
    codes: Codes = field(default_factory=Codes)
    clock_runs_on: tuple[Word, ...] = ()
    levels: Levels = field(default_factory=Levels)
    version: Annotated[int, Field(ge=0, le=1_000_000)] = 0


@dataclass(frozen=True, slots=True, config=STRICT)
class Unit:
    """One unit of ``units.yaml``; absent calendars are the office's. ``from`` is its first day."""

    code: Word
    name: str | None = None
    parent: Word | None = None
    calendar: Word | None = None
    reception: Word | None = None
    begins: Annotated[date | None, Field(alias="from")] = None


@dataclass(frozen=True, slots=True, config=STRICT)
class UnitsFile:
    """``units.yaml``. ``version`` rises with every change of the file."""

    units: tuple[Unit, ...] = ()
    version: Annotated[int, Field(ge=0, le=1_000_000)] = 0
