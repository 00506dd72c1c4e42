"""Calendars as an office writes them: one file a calendar and year."""

import itertools
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from schemas.limits import STRICT, Word

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHIFT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")

Shift = tuple[int, int]  #: minutes after local midnight: from, to (half open)
Shifts = tuple[Shift, ...]


def read_shifts(written: tuple[str, ...]) -> Shifts:
    """Shifts in minutes after midnight, in order, none touching another's time.

    >>> read_shifts(("08:00-12:00", "13:00-17:00"))
    ((480, 720), (780, 1020))

    Raises `ValueError` for a shift that is no shift, is reversed, or overlaps.
    """
    shifts = []
    for text in written:
        parts = _SHIFT.fullmatch(text)
        if parts is None:
            raise ValueError(f'"{text}" is no shift (write "08:00-12:00")')
        hours = [int(part) for part in parts.groups()]
        begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if not begin < end <= 24 * 60:
            raise ValueError(f'"{text}" ends before it begins')
        shifts.append((begin, end))
    shifts.sort()
    for (_, end), (begin, _) in itertools.pairwise(shifts):
        if begin < end:
            raise ValueError(f"the shifts {', '.join(written)} overlap")
    return tuple(shifts)


def read_weekdays(key: str) -> tuple[int, ...]:
    """The weekdays that a key of ``shifts`` names, Monday 0.

    >>> read_weekdays("mon-fri"), read_weekdays("sat")
    ((0, 1, 2, 3, 4), (5,))

    Raises `ValueError` for anything else.
    """
    first, _, last = key.partition("-")
    last = last or first
    if first not in WEEKDAYS or last not in WEEKDAYS or WEEKDAYS.index(first) > WEEKDAYS.index(last):
        raise ValueError(f'"{key}" names no weekdays (write mon-fri, sat or mon-sun)')
    return tuple(range(WEEKDAYS.index(first), WEEKDAYS.index(last) + 1))


@dataclass(frozen=True, slots=True, config=STRICT)
class CalendarDay:
    """One day that differs from its weekday: off, or worked; with the decree that says so."""

    date: date
    off: Literal[True] | None = None
    work: Literal[True] | tuple[str, ...] | None = None
    decree: str | None = None
    state: Literal["confirmed", "proposed"] = "confirmed"

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.off is None) == (self.work is None):
            raise PydanticCustomError("calendar_day", "a day is either off: true or work: true (or work: [shifts])")
        if isinstance(self.work, tuple) and not read_shifts(self.work):
            raise PydanticCustomError("calendar_day", "a worked day has shifts (a day without any is off: true)")
        return self


@dataclass(frozen=True, slots=True, config=STRICT)
class CalendarYear:
    """One year of one calendar. ``shifts`` maps weekdays (mon-fri, sat) to shifts in local time.

    Of several files for one year the newest in force holds: versions rise with ``in_force_from``; absent, the file
    is in force from the beginning.
    """

    calendar: Word
    year: Annotated[int, Field(ge=1990, le=2100)]
    zone: Word
    shifts: Mapping[str, tuple[str, ...]]
    state: Literal["confirmed", "estimated"] = "confirmed"
    days: tuple[CalendarDay, ...] = field(default=())
    version: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    in_force_from: date | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        monday = self.week()[0]
        if not monday and any(day.work is True for day in self.days):
            raise PydanticCustomError("calendar_day", "work: true means the shifts of mon-fri, and Monday has none")
        seen: set[date] = set()
        for day in self.days:
            if day.date.year != self.year:
                raise PydanticCustomError(
                    "calendar_day", "{date} is not in {year}", {"date": str(day.date), "year": self.year}
                )
            if day.state == "confirmed" and day.date in seen:
                raise PydanticCustomError("calendar_day", "{date} stands twice", {"date": str(day.date)})
            if day.state == "confirmed":
                seen.add(day.date)
        return self

    def week(self) -> tuple[Shifts, ...]:
        """The shifts of each weekday, Monday first."""
        week: list[Shifts | None] = [None] * 7
        for key, written in self.shifts.items():
            for weekday in read_weekdays(key):
                if week[weekday] is not None:
                    raise ValueError(f"{WEEKDAYS[weekday]} has its shifts twice")
                week[weekday] = read_shifts(written)
        if not any(week):
            raise ValueError("the calendar has no open hours")
        return tuple(shifts or () for shifts in week)
