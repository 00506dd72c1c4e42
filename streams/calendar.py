"""Working time: when an office is open, how long, and when a length of open time is over.

A calendar is compiled year by year into prefix sums, so that a question costs two binary searches
however long the span is. All instants are aware and in UTC; shifts are local, so daylight saving
is the zone's business. Open hours are half open: an office that closes at 17:00 is closed at 17:00:00.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.calendar import CalendarDay, CalendarYear, Shifts, read_shifts
from schemas.errors import ConfigError

DAY = timedelta(days=1)
ZERO = timedelta(0)
FIRST_YEAR, LAST_YEAR = 1980, 2200  # wider than any instant of an event plus the longest limit


@dataclass(frozen=True, slots=True)
class _Year:
    """One compiled year: the open days with their closing times; the open intervals; and the working time
    since the first known year, before each interval and after the last."""

    days: Sequence[date]
    closings: Sequence[datetime]

    opens: Sequence[datetime]
    closes: Sequence[datetime]
    sums: Sequence[timedelta]


class Calendar:
    """The open hours of one place, for ever: years without a file follow the nearest year's week.

    Built by `compile_calendars`. Years are compiled when first asked for.
    """

    def __init__(self, name: str, years: Sequence[CalendarYear]) -> None:
        self.name = name
        self.zone = ZoneInfo(years[0].zone)
        self._files = {year.year: year for year in years}
        self._days = {day.date: day for year in years for day in year.days if day.state == "confirmed"}
        confirmed = [year.year for year in years if year.state == "confirmed"]
        self._confirmed_until = max(confirmed, default=min(self._files) - 1)
        self._anchor = min(self._files)
        self._years: dict[int, _Year] = {}
        self._starts = [self.at(date(year, 1, 1)) for year in range(FIRST_YEAR, LAST_YEAR + 1)]

    def at(self, day: date, minutes: int = 0) -> datetime:
        """The instant so many minutes after local midnight, by the clock on the wall."""
        local = datetime.combine(day + DAY * (minutes // 1440), time(minutes % 1440 // 60, minutes % 60), self.zone)
        return local.astimezone(UTC)

    def day(self, instant: datetime) -> date:
        """The local date of an instant."""
        return instant.astimezone(self.zone).date()

    def week(self, year: int) -> tuple[Shifts, ...]:
        """The shifts of each weekday in that year, Monday first."""
        nearest = min(self._files, key=lambda known: (abs(known - year), known))
        return self._files[nearest].week()

    def closing(self, day: date) -> datetime | None:
        """When the office closes for the day; None when it is closed all day."""
        year = self.year_of(day.year)
        index = bisect_left(year.days, day)
        return year.closings[index] if index < len(year.days) and year.days[index] == day else None

    def is_open(self, day: date) -> bool:
        """Whether the office opens at all that day."""
        return self.closing(day) is not None

    def nth_open_day(self, day: date, count: int) -> date:
        """The ``count``-th day after ``day`` on which the office opens; ``day`` itself is not counted."""
        number = day.year
        index = bisect_right(self.year_of(number).days, day) + count - 1
        while index >= len(self.year_of(number).days):
            index -= len(self.year_of(number).days)
            number += 1
        return self.year_of(number).days[index]

    def next_open_day(self, day: date) -> date:
        """The first day after ``day`` on which the office opens."""
        return self.nth_open_day(day, 1)

    def estimated(self, day: date) -> bool:
        """Whether the day lies beyond the last confirmed year, so that its days off are not yet decreed."""
        return day.year > self._confirmed_until

    def year_of(self, year: int) -> _Year:
        """The compiled year."""
        compiled = self._years.get(year)
        if compiled is None:
            compiled = self._years[year] = self._compile(year)
        return compiled

    def _compile(self, year: int) -> _Year:
        days: list[date] = []
        closings: list[datetime] = []
        opens: list[datetime] = []
        closes: list[datetime] = []
        day, week = date(year, 1, 1), self.week(year)
        while day.year == year:
            special = self._days.get(day)
            shifts = week[day.weekday()] if special is None else _special(special, week)
            for begin, end in shifts:
                opening, closing = self.at(day, begin), self.at(day, end)
                if opening < closing:  # a shift inside the hour that daylight saving skips does not exist
                    opens.append(opening)
                    closes.append(closing)
            if shifts:
                days.append(day)
                closings.append(self.at(day, shifts[-1][1]))
            day += DAY
        lengths = [closing - opening for opening, closing in zip(opens, closes, strict=True)]
        start = self._start(year, sum(lengths, ZERO))
        sums = list(accumulate(lengths, initial=start))
        return _Year(days, closings, opens, closes, sums)

    def _start(self, year: int, total: timedelta) -> timedelta:
        """Working time from the first known year to the beginning of this one, whose own is ``total``."""
        if year == self._anchor:
            return ZERO
        return self.year_of(year - 1).sums[-1] if year > self._anchor else self.year_of(year + 1).sums[0] - total

    def _year_at(self, instant: datetime) -> int:
        return FIRST_YEAR + bisect_right(self._starts, instant) - 1

    def worked(self, instant: datetime) -> timedelta:
        """Working time from the first known year to this instant; only differences mean something."""
        number = FIRST_YEAR + bisect_right(self._starts, instant) - 1
        year = self._years.get(number) or self.year_of(number)
        index = bisect_right(year.opens, instant) - 1
        if index < 0:
            return year.sums[0]
        closes = year.closes[index]
        return year.sums[index + 1] if instant >= closes else year.sums[index] + (instant - year.opens[index])

    def reach(self, worked: timedelta, near: datetime) -> datetime:
        """The earliest instant at which `worked` comes to that much; ``near`` is where to begin to look."""
        number = self._year_at(near)
        while worked > self.year_of(number).sums[-1]:
            number += 1
        while worked <= self.year_of(number).sums[0]:
            number -= 1
        year = self.year_of(number)
        index = bisect_left(year.sums, worked) - 1
        return year.opens[index] + (worked - year.sums[index])

    def opening(self, instant: datetime) -> datetime:
        """The instant itself when the office is open then, else the next opening."""
        number = self._year_at(instant)
        year = self.year_of(number)
        index = bisect_right(year.opens, instant) - 1
        if index >= 0 and instant < year.closes[index]:
            return instant
        while index + 1 == len(year.opens):
            number, index = number + 1, -1
            year = self.year_of(number)
        return year.opens[index + 1]


def _special(day: CalendarDay, week: tuple[Shifts, ...]) -> Shifts:
    if day.off:
        return ()
    return read_shifts(day.work) if isinstance(day.work, tuple) else week[0]


def compile_calendars(years: Sequence[CalendarYear]) -> dict[str, Calendar]:
    """The calendars that these files describe, by name.

    Raises `ConfigError` for two files of one year, a year left out between two, and a zone that is
    unknown or changes.
    """
    by_name: dict[str, list[tuple[int, CalendarYear]]] = {}
    for index, year in enumerate(years):
        by_name.setdefault(year.calendar, []).append((index, year))
    return {name: _compile(name, sorted(files, key=lambda file: file[1].year)) for name, files in by_name.items()}


def _compile(name: str, files: list[tuple[int, CalendarYear]]) -> Calendar:
    for (_, earlier), (index, later) in pairwise(files):
        where: tuple[str | int, ...] = ("calendars", index, "year")
        if earlier.year == later.year:
            raise ConfigError("calendar_twice", f"calendar {name} has two files for {later.year}", where=where)
        if earlier.year + 1 < later.year:
            raise ConfigError("calendar_gap", f"calendar {name} has no file for {earlier.year + 1}", where=where)
        if earlier.zone != later.zone:
            message = f"calendar {name} changes its zone in {later.year}; give it another name"
            raise ConfigError("calendar_zone", message, where=("calendars", index, "zone"))
    first, year = files[0]
    try:
        return Calendar(name, [year for _, year in files])
    except (ZoneInfoNotFoundError, ValueError):
        message = f'"{year.zone}" is no zone (write a name such as Asia/Ho_Chi_Minh)'
        raise ConfigError("calendar_zone", message, where=("calendars", first, "zone")) from None


def working_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How long the office was open between two instants; zero when end is not after start.

    >>> week = {"mon-fri": ("08:00-12:00", "13:00-17:00")}
    >>> office = compile_calendars([CalendarYear("vn", 2026, "Asia/Ho_Chi_Minh", week)])["vn"]
    >>> friday, monday = datetime(2026, 3, 6, 9, tzinfo=UTC), datetime(2026, 3, 9, 2, 30, tzinfo=UTC)
    >>> working_time(office, friday, monday)  # 16:00 to 09:30 in Hanoi, over a weekend
    datetime.timedelta(seconds=9000)
    """
    return calendar.worked(end) - calendar.worked(start) if end > start else ZERO


def add_working_time(calendar: Calendar, start: datetime, length: timedelta) -> datetime:
    """The earliest instant by which the office was open that long since ``start``.

    At the end of a shift it is the closing time, not the next opening. With nothing to add it is
    ``start`` itself, or the next opening when the office is closed then. Length is not negative.
    """
    if length <= ZERO:
        return calendar.opening(start)
    return calendar.reach(calendar.worked(start) + length, start)
