"""Offices made up to be awkward: all rules in play, and calendars and limits that change in the middle of a story.

Everything is chosen through ``Pick``, so that hypothesis can choose, or a plain random generator.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from schemas.calendar import CalendarDay, CalendarYear
from schemas.limits import Limit, LimitRule, LimitsFile, Match, NearDue
from schemas.office import Levels, Office, Unit
from tests.hanoi import WEEK, calendar_year

T = TypeVar("T")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEARS = (2026, 2027)


class Pick(Protocol):
    """Chooses one of several."""

    def __call__(self, options: Sequence[T], /) -> T: ...


@dataclass(frozen=True)
class World:
    """An office, and the day on which its story begins."""

    office: Office
    units: tuple[Unit, ...]
    calendars: tuple[CalendarYear, ...]
    limits: tuple[LimitsFile, ...]
    first_day: date

    def midnight(self, day: date) -> datetime:
        """The first instant of a day where the office is."""
        zone = next(file.zone for file in self.calendars if file.calendar == self.office.calendar)
        return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)

    @property
    def changes(self) -> list[date]:
        """The days in the story on which something comes into force."""
        days = [*(file.in_force_from for file in self.limits), *(file.in_force_from for file in self.calendars)]
        return [day for day in days if day is not None and day > self.first_day]


def _plain(name: str, zone: str, shifts: dict[str, tuple[str, ...]], *days: CalendarDay) -> list[CalendarYear]:
    return [
        CalendarYear(
            name,
            year,
            zone,
            shifts,
            state="estimated" if year == 2027 else "confirmed",
            days=tuple(day for day in days if day.date.year == year),
        )
        for year in YEARS
    ]


_HALF_DAYS = (
    CalendarDay(date(2026, 2, 25), work=("08:00-12:00",)),
    CalendarDay(date(2026, 2, 28), work=True),
    CalendarDay(date(2026, 3, 2), off=True),
    CalendarDay(date(2026, 3, 30), off=True),
    CalendarDay(date(2026, 4, 1), off=True, state="proposed"),
    CalendarDay(date(2026, 12, 31), work=("13:00-17:00", "08:00-11:30")),
)
HANOI = "Asia/Ho_Chi_Minh"
CALENDARS = (
    *(calendar_year(year) for year in YEARS),
    *(calendar_year(year, "vn-sat", {**WEEK, "sat": ("08:00-12:00",)}) for year in YEARS),
    *_plain("odd", HANOI, {"mon-thu": ("07:30-11:30", "13:30-18:00"), "sat": ("09:00-10:00",)}, *_HALF_DAYS),
    *_plain("always", HANOI, {"mon-sun": ("00:00-24:00",)}),
    *_plain("late", HANOI, {"mon-fri": ("14:00-24:00",), "sat": ("00:00-06:00",)}),
    *_plain("nl", "Europe/Amsterdam", {"mon-fri": ("09:00-17:00",)}, CalendarDay(date(2026, 3, 27), off=True)),
    *_plain("nl-always", "Europe/Amsterdam", {"mon-sun": ("00:00-24:00",)}),
    *_plain("nl-night", "Europe/Amsterdam", {"mon-sun": ("22:00-24:00", "00:00-06:00")}),
)


def known(name: str, year: int) -> CalendarYear:
    """One of `CALENDARS`."""
    return next(file for file in CALENDARS if (file.calendar, file.year) == (name, year))


HANOIAN = ("vn", "vn", "vn", "vn-sat", "odd", "always", "late")
DUTCH = ("nl", "nl", "nl-always", "nl-night")
_PLACES = (*[HANOIAN] * 4, *[DUTCH] * 2, (*HANOIAN, *DUTCH))  # the last: an office in two zones
#: Around Tết, both changes of the clocks, and the end of the last confirmed year.
DAYS = (
    date(2026, 2, 2),
    date(2026, 2, 24),
    date(2026, 3, 23),
    date(2026, 10, 19),
    date(2026, 12, 14),
    date(2026, 12, 21),
)


#: Limits by kind; the kind is chosen first, whole working days most often.
_LIMITS = (
    *[tuple(Limit("working_day", count) for count in (1, 2, 3, 5, 10, 45))] * 3,
    *[tuple(Limit("hour", count) for count in (0.5, 1, 4, 8, 7.25, 24, 40))] * 2,
    tuple(Limit("working_day", count) for count in (0.5, 1.5, 2.25)),
    tuple(Limit("day", count) for count in (1, 3, 7, 15)),
    tuple(Limit("month", count) for count in (1, 2)),
    (Limit("same_day"),),
    (Limit("none"),),
)


def limit(pick: Pick) -> Limit:
    return pick(pick(_LIMITS))


def _rules(pick: Pick) -> tuple[LimitRule, ...]:
    matches = {
        Match(
            procedure=pick((None, None, "1.004441", "2.000001")),
            case=pick((None, None, "a", "b")),
            channel=pick((None, None, "online")),
            unit=pick((None, None, "A", "B")),
        ): None
        for _ in range(pick((0, 1, 2)))
    }
    matches.pop(Match(), None)
    if pick((True, True, True, True, True, True, True, False)):
        matches[Match()] = None
    nears = (None, None, NearDue(working_days=2), NearDue(working_hours=4), NearDue(working_hours=0.5))
    return tuple(LimitRule(match, limit(pick), pick(nears)) for match in matches)


def world(pick: Pick) -> World:
    """An office with its units, one to three policies, and the calendars that it names."""
    calendars = pick(_PLACES)
    first = pick(DAYS)
    days = sorted(first + pick(_LATER) * DAY for _ in range(pick((0, 0, 1, 2))))
    begins = [pick((date(2020, 1, 1), date(2020, 1, 1), first)), *days]
    units = (
        Unit("A"),
        Unit("B", calendar=pick(calendars), reception=pick(calendars)),
        Unit("C", calendar=pick(calendars)),
    )
    office = Office(
        calendar=pick(calendars),
        reception=pick(calendars),
        receipt=pick(("next_open", "civil")),
        clock_runs_on=pick(((), ("2.000001",), ("1.004441", "2.000001"))),
        levels=Levels(stalled=pick(("5wd", "1wd", "3h", "50wd")), long_pause=pick(("30d", "2d", "5h"))),  # type: ignore[arg-type]
    )
    limits = tuple(LimitsFile(version, day, _rules(pick)) for version, day in enumerate(begins, 1))
    named = [office.calendar, *(unit.calendar for unit in units if unit.calendar), office.reception]
    named += [unit.reception for unit in units if unit.reception]
    return World(office, units, tuple(_files(pick, list(dict.fromkeys(named)), first)), limits, first)


# Calendars that change.

#: Days after the first at which something may come into force.
_LATER = (1, 2, 3, 5, 9, 15)
_WEEKS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"mon-fri": ("07:30-11:30", "13:00-16:30")},
    {"mon-sat": ("08:00-12:00",)},
    {"mon-thu": ("09:00-18:00",), "fri": ("09:00-12:00",)},
    {"mon-sun": ("06:00-24:00",)},
)


def _files(pick: Pick, names: Sequence[str], first: date) -> list[CalendarYear]:
    """The files of these calendars, and up to two later versions, each of a file in force before it."""
    files = [file for file in CALENDARS if file.calendar in names]
    begins = pick(("ever", "ever", "ever", "ever", "late", "next year late"))
    if begins != "ever":  # the first files hold before their date, too; a later year is written by nobody until its own
        late, day = pick((names[0], *names)), first + pick(_LATER) * DAY
        for index, file in enumerate(files):
            if file.calendar == late and (begins == "late" or file.year == YEARS[-1]):
                files[index] = replace(file, in_force_from=day)
    for _ in range(pick((0, 0, 1, 1, 2))):
        name, year = pick((names[0], *names)), pick((first.year, first.year, first.year, YEARS[-1]))
        last = max((file for file in files if (file.calendar, file.year) == (name, year)), key=_version)
        day = max(first + pick(_LATER) * DAY, last.in_force_from or date.min)
        files.append(replace(_changed(pick, last, first), version=last.version + 1, in_force_from=day))
    return files


def _version(file: CalendarYear) -> int:
    return file.version


def _changed(pick: Pick, file: CalendarYear, first: date) -> CalendarYear:
    """Another decree for the year: a day off or worked, one taken back, other shifts, or a year (not) confirmed."""
    start = first if first.year == file.year else date(file.year, 1, 1)
    day = min(start + pick(tuple(range(25))) * DAY, date(file.year, 12, 31))
    saturday = day - (day.weekday() - 5) * DAY
    match pick(("off", "off", "off", "saturday", "saturday", "taken back", "shifts", "shifts", "state", "state")):
        case "off":
            return _with_day(file, CalendarDay(day, off=True))
        case "saturday" if saturday.year == file.year:
            return _with_day(file, CalendarDay(saturday, work=pick((True, ("08:00-11:00",)))))
        case "taken back":
            kept = [special for special in file.days if not start <= special.date <= start + 40 * DAY]
            return replace(file, days=tuple(kept))
        case "shifts":
            return replace(file, shifts=pick(_WEEKS))
        case _:
            return replace(file, state="estimated" if file.state == "confirmed" else "confirmed")


def _with_day(file: CalendarYear, day: CalendarDay) -> CalendarYear:
    return replace(file, days=(*(special for special in file.days if special.date != day.date), day))
